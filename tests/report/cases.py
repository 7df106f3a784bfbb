"""Comparisons to draw: short versions of the shipped experiment, one for each verdict."""

from functools import cache

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from neuroemu.comparison import Comparison, compare
from neuroemu.experiment import Experiment, Projection
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.report.figures import comparison_figure

SHORT = (
    "time.duration_ms=16000.0",
    "stimuli.varying.interval_ms=4000.0",
    "question.settle_ms=1000.0",
    "question.margin=0.2",
    "record.rate_width_ms=200.0",
)
U6_FLOOR = (
    "plasticity.weight.format=fxp-u6/0",
    "plasticity.weight.rounding=floor",
    "plasticity.increment.format=fxp-u16/8",
)
CASES = {
    "survives": ("generic16", (), 8),
    "dead": ("generic4", (), 8),
    "shifted": ("generic4", U6_FLOOR, 8),
    "inconclusive": ("brainscales2", (), 1),
    "several_neurons": ("brainscales2", (), 4),
}


@cache
def comparison(case: str) -> Comparison:
    target, overrides, trials = CASES[case]
    experiment = several_neurons() if case == "several_neurons" else short_experiment()
    return compare(experiment, load_target(target, overrides), trials=trials, seed=3)


@cache
def figure_of(case: str) -> Figure:
    """For tests that only read; a test that changes its figure draws its own."""
    return comparison_figure(comparison(case))


def short_experiment(*overrides: str) -> Experiment:
    return load_experiment("spike_based_homeostasis", [*SHORT, *overrides])


def several_neurons() -> Experiment:
    """Four sources on three neurons, so twelve plastic synapses; two neurons as control."""
    one = short_experiment()
    rule = one.projections["homeostatic"].plasticity
    assert rule is not None
    projections = dict(one.projections)
    projections["homeostatic"] = Projection(
        pre="steady",
        post="with_homeostasis",
        weight=0.1,
        plasticity=rule.model_copy(update={"w_max": 0.7, "dw_plus": 0.02, "dw_minus": 0.02}),
    )
    resized = {
        "populations": {
            "with_homeostasis": one.populations["with_homeostasis"].model_copy(update={"size": 3}),
            "without_homeostasis": one.populations["without_homeostasis"].model_copy(
                update={"size": 2}
            ),
        },
        "stimuli": one.stimuli | {"steady": one.stimuli["steady"].model_copy(update={"size": 4})},
        "projections": projections,
    }
    return one.model_copy(update=resized)


def axes_named(figure: Figure, name: str) -> Axes:
    (found,) = [axes for axes in figure.axes if axes.get_label() == name]
    return found


def drawn(axes: Axes, name: str) -> Artist:
    """The one artist that a panel calls by this name."""
    (found,) = axes.findobj(lambda artist: artist.get_label() == f"_{name}")
    return found


def texts_drawn(figure: Figure) -> list[Text]:
    """Every text that reaches the page: ticks outside their axis' limits do not."""
    figure.draw_without_rendering()
    for axes in all_axes(figure):
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            room = 1e-9 * (high - low)
            for tick in axis.get_major_ticks():
                if not low - room <= tick.get_loc() <= high + room:
                    tick.set_visible(False)
    hidden = {
        text
        for axes in all_axes(figure)
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        if not tick.get_visible()
        for text in tick.findobj(Text)
    }
    texts = [t for t in figure.findobj(Text) if isinstance(t, Text)]
    return [t for t in texts if t.get_visible() and t.get_text().strip() and t not in hidden]


def all_axes(figure: Figure) -> list[Axes]:
    """The panels and the second axes beside them."""
    return [a for axes in figure.axes for a in (axes, *axes.child_axes)]
