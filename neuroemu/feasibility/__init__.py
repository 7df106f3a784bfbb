"""What can be known about an experiment on a target without running it: docs/spec/feasibility.md."""
