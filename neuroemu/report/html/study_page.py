"""The report of a study."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from neuroemu.report.html import study_tables as tables
from neuroemu.report.html.embed import attachment, picture
from neuroemu.report.html.parts import (
    Attachments,
    Badge,
    Command,
    Facts,
    Headline,
    Page,
    Paragraph,
    Part,
    Section,
)
from neuroemu.report.html.reproduce import file_of, files_of, toml_of
from neuroemu.report.study.figures import CAPTIONS
from neuroemu.report.study_tables import shown
from neuroemu.study.find import Frontier
from neuroemu.study.points import axis_values
from neuroemu.study.results import StudyResults


def study_page(results: StudyResults) -> Page:
    """Return the report of a study; it may still be running.

    Parameters
    ----------
    results : StudyResults
        The figures beside its file are shown.
    """
    study = results.study
    figures = _figures(results)
    found = [tables.frontier_table(f) for f in results.frontiers]
    sections = [
        Section(
            title="Question", parts=[Paragraph(text=study.summary), Facts(rows=_asked(results))]
        ),
        *([Section(title="Smallest formats", parts=found)] if found else []),
        *([Section(title="Figures", parts=figures)] if figures else []),
        Section(title="Points", parts=[tables.point_table(results)]),
        *_prediction(results),
        Section(title="Time", parts=[Facts(rows=_time(results))]),
        _again(results),
    ]
    return Page(
        title=study.title,
        about=f"Study {study.name}: {len(results.rows):,} points, seed {study.seed}.",
        headlines=_headlines(results),
        sections=sections,
    )


def _headlines(results: StudyResults) -> list[Headline]:
    """Return what a search found, or how often each answer occurs and where if that can be said in a line."""
    if results.frontiers:
        return [_smallest(found) for found in results.frontiers]
    counted = Counter(row.word for row in results.rows)
    found = []
    for word, look in tables.LOOKS.items():
        if counted[word]:
            where = [tables.place(row, results) for row in results.rows if row.word == word]
            line = "; ".join(where) if len(where) <= MOST_NAMED else ""
            text = f"{word} at {counted[word]:,} of {len(results.rows):,} points"
            found.append(Headline(badge=Badge(look=look, word=text), sentence=line))
    return found


def _smallest(found: Frontier) -> Headline:
    """Return the fewest bits that pass, and all ways to spend them."""
    others = ", ".join(f"{name} {shown(value)}" for name, value in found.others.items())
    if not found.minima:
        return Headline(badge=Badge(look="dead", word="No format passes"), sentence=f"{others}.")
    least = min(one.total for one in found.minima)
    ways = [
        " + ".join(f"{name} {one.widths[name]}" for name in found.axes)
        for one in found.minima
        if one.total == least
    ]
    badge = Badge(look=tables.LOOKS[found.minima[0].word], word=f"{least} bits are enough")
    return Headline(badge=badge, sentence=f"{others}: {', or '.join(ways)}.")


MOST_NAMED = 6
"""Points that a line can name."""


def _asked(results: StudyResults) -> list[tuple[str, str]]:
    study, asked = results.study, results.study.question
    rows = [("Targets", ", ".join(t.name for t in results.space.targets))]
    rows.append(("Experiment", results.space.experiment.title))
    for axis in study.axes:
        values = ", ".join(shown(v) for v in axis_values(axis))
        rows.append((axis.label or axis.name, f"{values} ({', '.join(axis.keys)})"))
    bounds = [
        f"{words} {bound:g}"
        for words, bound in (("at least", asked.at_least), ("at most", asked.at_most))
        if bound is not None
    ]
    rows.append(("Asked of each point", f"{asked.metric} {' and '.join(bounds)}".strip()))
    trials = study.trials
    rows.append(("Trials", f"{trials.first} to {trials.most}, until the question is answered"))
    return rows


def _figures(results: StudyResults) -> list[Part]:
    """Return the figures beside the results, each with its caption; none if none were drawn."""
    folder = results.path.parent
    try:
        listed = json.loads((folder / CAPTIONS).read_text(encoding="utf-8"))
    except OSError:
        return []
    return [_figure(folder, entry["name"], entry["caption"]) for entry in listed]


def _figure(folder: Path, name: str, caption: str) -> Part:
    alt = f"The study's {name}. The same answers and rates stand in the table of points."
    return picture(folder, name, alt=alt, caption=caption)


def _prediction(results: StudyResults) -> list[Section]:
    table = tables.prediction_table(results)
    if table is None:
        return []
    return [Section(title="Predicted against measured", parts=[table])]


def _time(results: StudyResults) -> list[tuple[str, str]]:
    version = "this neuroemu's" if results.is_current else "another version's: run it again"
    return [
        ("Runs", f"{results.runs:,}"),
        ("Wall time", f"{results.seconds:,.1f} s"),
        ("Time of one core", f"{results.core_seconds:,.1f} s"),
        ("Arithmetic", f"{results.arithmetic}, {version}"),
    ]


def _again(results: StudyResults) -> Section:
    space = results.space
    own = f"{results.study.name}.study.toml"
    with_files = results.study.model_copy(
        update={
            "targets": tuple(file_of(t) for t in space.targets),
            "experiment": file_of(space.experiment),
            "set": {},  # these files have it already
        }
    )
    parts: list[Part] = []
    if results.command:
        parts += [
            Command(text=results.command),
            Paragraph(text="Or with the files that this page carries:"),
        ]
    parts.append(Command(text=f"neuroemu study {own}"))
    study = attachment(own, toml_of(with_files), "the study, every key written out")
    parts.append(Attachments(files=[study, *files_of([*space.targets, space.experiment])]))
    return Section(title="Run it again", parts=parts)
