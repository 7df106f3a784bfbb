"""The target: what a chip's numbers are, how they are read, what can be known without running."""
