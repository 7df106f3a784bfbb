"""Rules that tie several keys of an experiment together. Each returns every violation it finds."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise

from neuroemu.errors import Violation
from neuroemu.experiment import Experiment
from neuroemu.hardware.schema import Report, nearest, nearest_multiple, report_for
from neuroemu.numeric.constants import decimal

MOST_STEPS = 2**31 - 1
"""Steps are counted in 32 bits."""


def experiment_violations(experiment: Experiment, source: str) -> list[Violation]:
    """Return what is wrong between the keys of an experiment."""
    report = report_for(source)
    return [
        *_times(experiment, report),
        *_stimuli(experiment, report),
        *_populations(experiment, report),
        *_projections(experiment, report),
        *_record(experiment, report),
        *_question(experiment, report),
    ]


def _multiple(
    experiment: Experiment, report: Report, key: str, value: float | None
) -> Iterator[Violation]:
    dt_ms = experiment.time.dt_ms
    if value is not None and decimal(value) % decimal(dt_ms) != 0:
        yield report(
            key,
            value,
            "times are multiples of time.dt_ms",
            f"use {nearest_multiple(value, dt_ms)}",
            f"dt_ms is {dt_ms:g}",
        )


def _times(experiment: Experiment, report: Report) -> Iterator[Violation]:
    time = experiment.time
    yield from _multiple(experiment, report, "time.duration_ms", time.duration_ms)
    if decimal(time.duration_ms) > MOST_STEPS * decimal(time.dt_ms):
        yield report(
            "time.duration_ms",
            time.duration_ms,
            f"a run has at most {MOST_STEPS:,} steps",
            "shorten it, or lengthen time.dt_ms",
            f"dt_ms is {time.dt_ms:g}",
        )


def _stimuli(experiment: Experiment, report: Report) -> Iterator[Violation]:
    most_hz = 1000 / decimal(experiment.time.dt_ms)
    for name, stimulus in experiment.stimuli.items():
        key = f"stimuli.{name}"
        yield from _multiple(experiment, report, f"{key}.interval_ms", stimulus.interval_ms)
        if stimulus.interval_ms is None and len(stimulus.rates_hz) > 1:
            yield report(
                f"{key}.interval_ms",
                None,
                "several rates need their duration",
                f"add interval_ms to [{key}]",
            )
        for i, rate in enumerate(stimulus.rates_hz):
            if decimal(rate) > most_hz:
                yield report(
                    f"{key}.rates_hz[{i}]",
                    rate,
                    "a source gives at most one spike a step",
                    "lower the rate, or time.dt_ms",
                    f"dt_ms = {experiment.time.dt_ms:g} allows {float(most_hz):g} Hz",
                )
        if name in experiment.populations:
            yield report(
                key, None, "a stimulus and a population share a name", "rename one of them"
            )


def _populations(experiment: Experiment, report: Report) -> Iterator[Violation]:
    for name, population in experiment.populations.items():
        key = f"populations.{name}"
        if population.v_reset >= population.v_thresh:
            yield report(
                f"{key}.v_reset",
                population.v_reset,
                "the reset lies below the threshold",
                "lower v_reset",
                f"v_thresh is {population.v_thresh:g}",
            )
        if population.v_thresh <= population.v_rest:
            yield report(
                f"{key}.v_thresh",
                population.v_thresh,
                "the threshold lies above rest",
                "raise v_thresh",
                f"v_rest is {population.v_rest:g}",
            )
        if population.tau_m_ms < experiment.time.dt_ms:
            yield report(
                f"{key}.tau_m_ms",
                population.tau_m_ms,
                "an Euler step is no longer than the time constant",
                "lengthen tau_m_ms, or shorten time.dt_ms",
                f"dt_ms is {experiment.time.dt_ms:g}",
            )


def _projections(experiment: Experiment, report: Report) -> Iterator[Violation]:
    sizes = {n: p.size for n, p in experiment.populations.items()}
    units = sizes | {n: s.size for n, s in experiment.stimuli.items()}
    for name, projection in experiment.projections.items():
        key, pre, post = f"projections.{name}", projection.pre, projection.post
        if pre not in units:
            yield report(
                f"{key}.pre", pre, "no stimulus or population has this name", _use(pre, units)
            )
        if post not in sizes:
            yield report(f"{key}.post", post, "no population has this name", _use(post, sizes))
        are_known = pre in units and post in sizes
        if projection.connector == "one_to_one" and are_known and units[pre] != sizes[post]:
            yield report(
                f"{key}.connector",
                projection.connector,
                "one_to_one needs equal sizes",
                "use all_to_all, or change a size",
                f"{pre} has {units[pre]}, {post} has {sizes[post]}",
            )
        if (projection.connector == "fixed_probability") != (projection.probability is not None):
            yield report(
                f"{key}.probability",
                projection.probability,
                "fixed_probability, and nothing else, takes a probability",
                f"add probability to [{key}]" if projection.probability is None else "take it out",
                f"connector is {projection.connector}",
            )
        yield from _limits(experiment, report, name)


def _limits(experiment: Experiment, report: Report, name: str) -> Iterator[Violation]:
    projection = experiment.projections[name]
    rule = projection.plasticity
    if rule is None:
        return
    if rule.w_min >= rule.w_max:
        yield report(
            f"projections.{name}.plasticity.w_max",
            rule.w_max,
            "w_max lies above w_min",
            "raise w_max, or lower w_min",
            f"w_min is {rule.w_min:g}",
        )
    elif not rule.w_min <= projection.weight <= rule.w_max:
        yield report(
            f"projections.{name}.weight",
            projection.weight,
            "the initial weight lies inside the limits of its rule",
            "change weight, w_min or w_max",
            f"{rule.w_min:g} to {rule.w_max:g}",
        )


def _record(experiment: Experiment, report: Report) -> Iterator[Violation]:
    plastic = _plastic(experiment)
    for i, name in enumerate(experiment.record.weights):
        if name not in plastic:
            yield report(
                f"record.weights[{i}]",
                name,
                "no plastic projection has this name",
                _use(name, plastic),
            )
    membrane = experiment.record.membrane
    if membrane is None:
        return
    for key in ("start_ms", "stop_ms", "every_ms"):
        yield from _multiple(experiment, report, f"record.membrane.{key}", getattr(membrane, key))
    if membrane.start_ms >= membrane.stop_ms:
        yield report(
            "record.membrane.stop_ms",
            membrane.stop_ms,
            "the window ends after it starts",
            "raise stop_ms, or lower start_ms",
            f"start_ms is {membrane.start_ms:g}",
        )
    for i, name in enumerate(membrane.populations):
        if name not in experiment.populations:
            yield report(
                f"record.membrane.populations[{i}]",
                name,
                "no population has this name",
                _use(name, experiment.populations),
            )


def _question(experiment: Experiment, report: Report) -> Iterator[Violation]:
    question = experiment.question
    if question is None:
        return
    yield from _multiple(experiment, report, "question.settle_ms", question.settle_ms)
    unnamed = [
        report(f"question.{key}", getattr(question, key), rule, _use(getattr(question, key), names))
        for key, rule, names in (
            ("population", "no population has this name", experiment.populations),
            ("control", "no population has this name", experiment.populations),
            ("projection", "no plastic projection has this name", _plastic(experiment)),
            ("stimulus", "no stimulus has this name", experiment.stimuli),
        )
        if getattr(question, key) not in names
    ]
    yield from unnamed
    if not unnamed:
        yield from _answerable(experiment, report)


def _answerable(experiment: Experiment, report: Report) -> Iterator[Violation]:
    question = experiment.question
    if question is None:
        return
    if question.population == question.control:
        yield report(
            "question.control",
            question.control,
            "the control is another population than the one with homeostasis",
            "name the neurons without",
        )
    if experiment.set_point_hz() is None:
        yield report(
            "question.set_point_hz",
            None,
            "the set point does not follow from the rule: its presynaptic side has no single rate, "
            "or dw_minus is 0",
            "add set_point_hz to [question]",
        )
    edges = experiment.phase_edges_ms()
    shortest = min(b - a for a, b in pairwise(edges))
    if question.settle_ms >= shortest:
        yield report(
            "question.settle_ms",
            question.settle_ms,
            "settling leaves part of each phase to judge",
            "shorten it",
            f"the shortest phase is {shortest:g} ms",
        )


def _plastic(experiment: Experiment) -> list[str]:
    return [n for n, p in experiment.projections.items() if p.plasticity is not None]


def _use(name: str, names: Collection[str]) -> str:
    """Return what to write in place of a name that nothing has."""
    return nearest(name, names) or f"use one of {', '.join(names) or '(there is none)'}"
