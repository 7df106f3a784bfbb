"""Emulate the fixed-point arithmetic of neuromorphic chips and judge a model in it."""
