"""Loops over time, lanes and events; no arithmetic of its own."""
