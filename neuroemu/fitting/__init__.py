"""Formats from data: run in float, observe every register, propose formats, judge them."""

from neuroemu.fitting.whole import Fit, fit

__all__ = ["Fit", "fit"]
