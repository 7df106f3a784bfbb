"""Figures, tables and folders: what a person or a program reads after a run."""
