"""What a process ends with."""

DONE = 0
NOT_SURVIVED = 1
"""With ``--gate``: some target does not survive. With ``--strict``: there are findings."""
BAD_INPUT = 2
INTERRUPTED = 130
