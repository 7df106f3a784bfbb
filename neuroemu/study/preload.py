"""What workers need at once, loaded before they are forked off: importing this module does it."""

from neuroemu.engine.warm import load_compiler
from neuroemu.study import batch as batch

load_compiler()
