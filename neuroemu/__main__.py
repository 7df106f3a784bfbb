"""``python -m neuroemu``."""

from neuroemu.cli import main

main()
