"""Runs a study: opens its file, sets its workers to work, and keeps what it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from neuroemu.errors import ConfigError
from neuroemu.study.campaign import CRASHED, Campaign, Outcome, Work
from neuroemu.study.config import load_study_file
from neuroemu.study.frontier import find_frontiers
from neuroemu.study.points import Index, Point, Space, check_question
from neuroemu.study.points import space as space_of
from neuroemu.study.results import FILE, REFUSED, StudyResults, describe, read_results
from neuroemu.study.store import Store, writing
from neuroemu.study.workers import LocalWorkers, Workers

Shard = tuple[int, int]
"""Which part of how many, from 1."""


def run_study(
    study: Space | str | Path,
    folder: str | Path,
    *,
    workers: Workers | None = None,
    shard: Shard = (1, 1),
    command: str = "",
    show: Callable[[Work], None] | None = None,
) -> StudyResults:
    """Run all that a study still lacks, and return what it has found.

    Parameters
    ----------
    study : Space, str or Path
        A shipped name or a study file; or what `space` has made of one.
    folder : str or Path
        Where ``results.sqlite`` is, or will be.
    workers : Workers, optional
        Default: processes of this machine. They are stopped at the end.
    shard : (int, int)
        Part and number of parts, for job arrays.
    command : str
        Kept, as what reproduces it.
    show : callable, optional
        Called with the `Work` whenever something has changed.

    Raises
    ------
    ConfigError
        If the study is wrong, or its experiment asks no question.
    OutputError
        If the results cannot be kept.
    """
    space = study if isinstance(study, Space) else space_of(*load_study_file(study))
    check_question(space.experiment)
    if space.study.searched and shard != (1, 1):
        rule = "a search asks for points as answers come, and has no parts"
        raise ConfigError.one(
            "--shard", value=f"{shard[0]}/{shard[1]}", rule=rule, remedy="leave it out"
        )
    team = workers or LocalWorkers()
    try:
        with writing(Path(folder) / FILE) as store:
            store.set_meta("study", describe(space))
            store.set_meta("frontiers", [])
            store.set_meta("judged", [])
            store.set_meta("command", command)
            campaign = Campaign(space, store, team, show or _quiet)
            if space.study.searched:
                outcomes = _search(space, store, campaign, team)
            else:
                outcomes = campaign.evaluate(_share(space, shard))
            return _with_crashed(read_results(store, outcomes), outcomes)
    finally:
        team.stop()


def _quiet(_: Work) -> None:
    pass


def _search(
    space: Space, store: Store, campaign: Campaign, team: Workers
) -> Mapping[Index, Outcome]:
    """Find the frontiers and keep them, and meanwhile what was judged on the way."""

    def evaluate(points: list[Point]) -> Mapping[Index, Outcome]:
        outcomes = campaign.evaluate(points)
        store.set_meta("judged", sorted(outcomes))
        return outcomes

    found = find_frontiers(space, evaluate, team, store.path.parent)
    store.set_meta("frontiers", [frontier.as_json() for frontier in found])
    return evaluate([])


def _with_crashed(results: StudyResults, outcomes: Mapping[Index, Outcome]) -> StudyResults:
    """Return results that tell which points killed their worker: nothing of that is kept."""
    crashed = {index for index, found in outcomes.items() if found.refusal == CRASHED}
    rows = (
        replace(row, word=REFUSED, reason=CRASHED) if row.point.index in crashed else row
        for row in results.rows
    )
    return replace(results, rows=tuple(rows))


def _share(space: Space, shard: Shard) -> Iterator[Point]:
    """Return every n-th point."""
    part, parts = shard
    for i, index in enumerate(space.indices()):
        if i % parts == part - 1:
            yield space.point(index)
