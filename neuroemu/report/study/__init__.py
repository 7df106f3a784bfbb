"""The figures of a study: which ones it gets follows from its axes."""

from neuroemu.report.study.figures import StudyFigure, figures_of, write_figures

__all__ = ["StudyFigure", "figures_of", "write_figures"]
