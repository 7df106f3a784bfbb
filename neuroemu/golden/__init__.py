"""An independent model of one trial, written from docs/spec alone, to judge the emulator by.

It shares no line with the emulator and imports nothing of it. Numbers are Python's unbounded
integers, quotients are exact fractions, and every line of the specification is one line here.
It is slow on purpose: written to be compared with the page beside it.
"""
