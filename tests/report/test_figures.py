"""The figure of a comparison: what it shows is what was found, and it can be read."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from neuroemu.comparison import compare
from neuroemu.errors import ConfigError
from neuroemu.hardware.load import load_target
from neuroemu.metrics.intervals import Estimate
from neuroemu.metrics.rates import population_rate, smooth_rate
from neuroemu.metrics.weights import sample_changes
from neuroemu.report.figures import comparison_figure, summary_figure
from neuroemu.report.panels import difference_text
from tests.report.cases import (
    CASES,
    all_axes,
    axes_named,
    comparison,
    drawn,
    figure_of,
    short_experiment,
    texts_drawn,
)

every_case = pytest.mark.parametrize("case", CASES)


@pytest.mark.parametrize("case", ["survives", "dead", "shifted", "inconclusive"])
def test_the_cases_have_the_verdicts_they_are_named_for(case) -> None:
    assert comparison(case).verdict == case


@every_case
def test_it_has_four_panels_over_the_same_time(case) -> None:
    figure = figure_of(case)
    panels = [axes.get_label() for axes in figure.axes]
    assert panels == ["weight", "stimulus", "rates", "differences"]
    assert {axes.get_xlim() for axes in figure.axes} == {(0.0, 16.0)}
    assert len({axes.get_position().x0 for axes in figure.axes}) == 1


@every_case
def test_every_axis_with_numbers_has_a_label_with_a_unit(case) -> None:
    figure = figure_of(case)
    assert_labelled(figure)
    assert axes_named(figure, "differences").get_xlabel() == "biological time (s)"


def assert_labelled(figure: Figure) -> None:
    shown = set(texts_drawn(figure))
    for axes in all_axes(figure):
        for axis in (axes.xaxis, axes.yaxis):
            if shown & set(axis.get_ticklabels()) and axis.get_visible():
                label = axis.label.get_text()
                assert any(label.count(f"({u})") for u in ("s", "ms", "µs", "Hz", "LSB")) or (
                    "(membrane unit)" in label
                ), (axes.get_label(), label)


@every_case
def test_no_text_overlaps_another_or_leaves_the_page(case) -> None:
    assert_readable(figure_of(case))


@pytest.mark.parametrize("number", [1, 2, 3, 5, 8, 12])
def test_no_text_of_a_summary_overlaps_another(number) -> None:
    cases = [comparison(list(CASES)[i % len(CASES)]) for i in range(number)]
    figure = summary_figure(cases)
    assert_readable(figure)


def assert_readable(figure: Figure) -> None:
    texts = texts_drawn(figure)
    boxes = [(text, text.get_window_extent()) for text in texts]
    page = figure.bbox
    for text, box in boxes:
        assert text.get_fontsize() >= 7.0 or "$" in text.get_text()
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= page.x1 and box.y1 <= page.y1
        assert inside, text
    for (one, a), (other, b) in combinations(boxes, 2):
        assert not a.overlaps(b), (one, other)


def test_the_overlap_check_sees_an_overlap() -> None:
    figure = comparison_figure(comparison("dead"))
    figure.text(0.05, 0.98, "in the way of the title")
    with pytest.raises(AssertionError):
        assert_readable(figure)


@every_case
def test_a_formula_is_set_as_one(case) -> None:
    formulas = [t for t in figure_of(case).findobj(Text) if "$" in t.get_text()]
    assert formulas
    assert all(t.get_parse_math() for t in formulas)


@every_case
def test_the_legend_names_each_thing_once(case) -> None:
    (legend,) = figure_of(case).legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert len(labels) == len(set(labels))
    assert labels[:3] == [comparison(case).target.name, "float reference", "without homeostasis"]
    assert any("of trials" in label for label in labels) == (comparison(case).trials > 1)
    assert any("interval" in label for label in labels) == (comparison(case).trials > 1)


@every_case
def test_the_title_says_target_verdict_and_why(case) -> None:
    c = comparison(case)
    said = " ".join(" ".join(t.get_text() for t in figure_of(case).texts).split())
    for words in (c.target.name, f" {c.verdict}", c.sentence, f"seed {c.seed}"):
        assert words in said


@pytest.mark.parametrize("case", ["survives", "dead", "shifted", "inconclusive"])
@pytest.mark.parametrize("rung", ["ideal", "fixed"])
def test_the_example_trial_is_the_recorded_weight(case, rung) -> None:
    c = comparison(case)
    line = drawn(axes_named(figure_of(case), "weight"), f"{rung} trial")
    times, values = line.get_data()
    run = c.runs[rung]
    record = run.weights["homeostatic"]
    np.testing.assert_allclose(times[1:-1], (record.step[0] + 1) * run.step_ms / 1000.0)
    np.testing.assert_array_equal(values[1:-1], record.value[0])
    assert (times[0], values[0]) == (0.0, record.initial)
    assert times[-1] == pytest.approx(16.0)
    assert values[-1] == values[-2]
    assert line.get_drawstyle() == "steps-post"


@every_case
@pytest.mark.parametrize("rung", ["ideal", "fixed"])
def test_median_and_band_are_those_of_all_trials_and_synapses(case, rung) -> None:
    c = comparison(case)
    axes = axes_named(figure_of(case), "weight")
    if c.trials == 1:
        assert not axes.findobj(lambda a: a.get_label() in ("_fixed median", "_fixed band"))
        return
    run = c.runs[rung]
    record = run.weights["homeostatic"]
    times, median = drawn(axes, f"{rung} median").get_data()
    assert len(times) > 300
    at = np.floor(times * 1000.0 / run.step_ms + 1e-6).astype(int) - 1
    synapses = range(12 if case == "several_neurons" else 1)
    samples = np.array(
        [
            sample_changes(t.step[t.synapse == s], t.value[t.synapse == s], record.initial, at)
            for t in record.trials
            for s in synapses
        ]
    )
    np.testing.assert_allclose(median, np.median(samples, axis=0))
    outline = drawn(axes, f"{rung} band").get_paths()[0].vertices
    for i in (0, 100, 333):
        low, high = np.quantile(samples[:, i], [0.1, 0.9])
        here = outline[np.isclose(outline[:, 0], times[i]), 1]
        assert {round(v, 9) for v in here} == {round(low, 9), round(high, 9)}


SHOWN = {
    "target": ("fixed", "with_homeostasis"),
    "reference": ("ideal", "with_homeostasis"),
    "control": ("fixed", "without_homeostasis"),
}


@every_case
@pytest.mark.parametrize("name", SHOWN)
def test_the_rates_are_brian2s_smoothed_rates(case, name) -> None:
    c = comparison(case)
    times, mean = drawn(axes_named(figure_of(case), "rates"), f"{name} mean").get_data()
    run, population = c.runs[SHOWN[name][0]], SHOWN[name][1]
    trains, record = run.spikes[population], c.experiment.record
    per_trial = []
    for train in trains:
        counts = np.bincount(train, minlength=run.n_steps)
        rate = population_rate(counts, dt_ms=run.step_ms, population=trains.size)
        per_trial.append(
            smooth_rate(
                rate,
                dt_ms=run.step_ms,
                window=record.rate_window,
                width_ms=record.rate_width_ms,
                method="fft",
            )
        )
    steps = np.rint(times * 1000.0 / run.step_ms).astype(int)
    expected = np.mean(per_trial, axis=0)
    assert len(times) >= 300
    np.testing.assert_allclose(mean, expected[steps], atol=1e-6)


@every_case
@pytest.mark.parametrize("name", SHOWN)
def test_markers_are_the_phases_means_with_their_intervals(case, name) -> None:
    c = comparison(case)
    points = drawn(axes_named(figure_of(case), "rates"), f"{name} phases")
    estimates = [getattr(p, name) for p in c.phases]
    np.testing.assert_array_equal(points.get_ydata(), [e.value for e in estimates])
    phases = np.array(c.experiment.phase_edges_ms()) / 1000.0
    x = points.get_xdata()
    assert np.all((phases[:-1] + 1.0 < x) & (x < phases[1:]))
    bars = bars_at(points)
    assert len(bars) == (len(estimates) if c.trials > 1 else 0)
    for bar, e in zip(bars, estimates, strict=False):
        np.testing.assert_allclose(bar[:, 1], [e.low, e.high])


@every_case
def test_differences_are_what_the_verdict_rests_on(case) -> None:
    c = comparison(case)
    axes = axes_named(figure_of(case), "differences")
    texts = [t.get_text().replace("\N{MINUS SIGN}", "-") for t in axes.texts]
    assert [float(t.split()[0]) for t in texts] == pytest.approx(
        [p.difference.value for p in c.phases], abs=0.051
    )
    for i, phase in enumerate(c.phases):
        points = drawn(axes, f"difference {i}")
        assert points.get_ydata() == [phase.difference.value]
        assert (points.get_marker() == "D") == (c.trials > 1 and not phase.within_margin)
        for bar in bars_at(points):
            np.testing.assert_allclose(bar[:, 1], [phase.difference.low, phase.difference.high])
    low, high = axes.get_ylim()
    assert all(
        low < (p.difference.low or 0.0) and (p.difference.high or 0.0) < high for p in c.phases
    )


@every_case
def test_bars_end_at_the_axes_but_points_on_an_axis_are_whole(case) -> None:
    for axes in figure_of(case).axes:
        for container in axes.containers:
            points, caps, bars = container.lines
            assert not points.get_clip_on()
            assert all(part.get_clip_on() for part in (*caps, *bars))


def test_equal_runs_leave_both_lines_visible() -> None:
    axes = axes_named(figure_of("survives"), "rates")
    reference, target = (drawn(axes, f"{n} mean") for n in ("reference", "target"))
    assert reference.get_zorder() > target.get_zorder()
    assert reference.is_dashed()
    assert not target.is_dashed()


@pytest.mark.parametrize(
    ("value", "high", "text"),
    [
        (-25.43, -24.5, "\N{MINUS SIGN}25.4 ± 0.9"),
        (0.8, 0.9, "+0.8 ± 0.1"),
        (-0.012, -0.002, "\N{MINUS SIGN}0.01 ± 0.01"),
        (-0.0004, 0.0, "0.00 ± 0.00"),
        (0.0, 0.0, "0.00 ± 0.00"),
        (2.5, None, "+2.5"),
        (-0.04, None, "0.0"),
    ],
)
def test_differences_are_written_with_as_many_digits_as_they_have(value, high, text) -> None:
    low = None if high is None else 2 * value - high
    assert difference_text(Estimate(value=value, low=low, high=high)) == text


def bars_at(points) -> list[np.ndarray]:
    """The vertical bars of the container that these points belong to."""
    (container,) = [k for k in points.axes.containers if k.lines[0] is points]
    return [s for bars in container.lines[2] for s in bars.get_segments()]


@every_case
def test_set_point_and_margin_are_the_decisions(case) -> None:
    c = comparison(case)
    figure = figure_of(case)
    for panel, centre in (("rates", c.decision.set_point_hz), ("differences", 0.0)):
        axes = axes_named(figure, panel)
        assert list(drawn(axes, "set point").get_ydata()) == [centre, centre]
        box = (
            drawn(axes, "margin")
            .get_path()
            .get_extents(drawn(axes, "margin").get_patch_transform())
        )
        assert (box.y0, box.y1) == pytest.approx(
            (centre - c.decision.margin_hz, centre + c.decision.margin_hz)
        )


def test_the_stimulus_is_the_experiments() -> None:
    axes = axes_named(figure_of("dead"), "stimulus")
    times, rates = drawn(axes, "stimulus").get_data()
    assert list(times) == [0.0, 4.0, 8.0, 12.0, 16.0]
    assert list(rates) == [25.0, 50.0, 0.0, 35.0, 35.0]
    assert [t.get_text() for t in axes.texts] == [
        *("phase 1: 25 Hz", "phase 2: 50 Hz", "phase 3: 0 Hz", "phase 4: 35 Hz")
    ]


def test_hardware_time_is_biological_time_by_the_acceleration() -> None:
    figure = figure_of("dead")
    figure.draw_without_rendering()
    (above,) = [a for a in axes_named(figure, "weight").child_axes if a.get_xlabel()]
    assert "10,000 times" in above.get_xlabel()
    assert "(ms)" in above.get_xlabel()
    assert above.get_xlim() == pytest.approx((0.0, 1.6))


def test_register_codes_stand_beside_the_weights_they_mean() -> None:
    figure = figure_of("shifted")
    figure.draw_without_rendering()
    weight = axes_named(figure, "weight")
    (codes,) = [a for a in weight.child_axes if "LSB" in a.get_ylabel()]
    assert codes.get_yticks()[-1] == 63
    top = 2.0 / 63 * codes.get_ylim()[1]
    assert top == pytest.approx(weight.get_ylim()[1])


def test_a_target_of_many_codes_and_no_acceleration_has_no_second_axes() -> None:
    assert axes_named(figure_of("survives"), "weight").child_axes == []


def test_without_recorded_weights_the_other_panels_are_drawn() -> None:
    experiment = short_experiment("record.weights=[]")
    c = compare(experiment, load_target("generic4"), trials=2)
    figure = comparison_figure(c)
    assert [a.get_label() for a in figure.axes] == ["stimulus", "rates", "differences"]
    assert_readable(figure)


def test_many_phases_and_a_long_name_stay_readable() -> None:
    rates = ",".join(str(10 + i) for i in range(16))
    experiment = short_experiment(
        f"stimuli.varying.rates_hz=[{rates}]",
        "stimuli.varying.interval_ms=1000.0",
        "question.settle_ms=200.0",
    ).model_copy(
        update={"title": "An experiment of a title that goes on and on and costs $5 or $6"}
    )
    target = load_target("generic4").model_copy(update={"name": "a_chip_of_a_very_long_name_" * 3})
    c = compare(experiment, target, trials=2)
    for figure in (comparison_figure(c), summary_figure([c, comparison("dead")])):
        assert_readable(figure)
        assert any("…" in t.get_text() for t in figure.findobj(Text))


def test_a_comparison_without_a_question_is_refused() -> None:
    from dataclasses import replace

    c = comparison("dead")
    mute = replace(c, experiment=c.experiment.model_copy(update={"question": None}))
    with pytest.raises(ConfigError, match="question"):
        comparison_figure(mute)
