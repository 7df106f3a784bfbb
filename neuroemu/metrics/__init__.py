"""Numbers about runs: pure functions, arrays in, numbers and frozen dataclasses out."""
