"""Optuna as a search, where the axes are too many for the exhaustive one: docs/spec/study.md, "Frontier"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from neuroemu.errors import ConfigError, OutputError
from neuroemu.study.find import Judged
from neuroemu.study.search import Cell, Search

GENERATION = 20
"""Combinations proposed before the first of them is judged, so that the number of workers decides nothing."""

NAME = "neuroemu"
"""Of Optuna's study in its storage."""


def search_proposals(
    names: Sequence[str], shape: Cell, *, points: int, seed: int, kept: Path | None = None
) -> Search:
    """Let Optuna's NSGA-II look for few bits at a small difference, among those that pass.

    Begun again with the same seed it proposes the same, so that the answers at hand bring it to where it was, and more
    `points` continue it. What it keeps at its end is for Optuna's own tools.

    Parameters
    ----------
    names : sequence of str
        Of the axes.
    shape : tuple of int
        Number of widths on each.
    points : int
        Proposals, repeated ones too.
    seed : int
    kept : Path, optional
        Optuna's SQLite storage, written when the search has ended.

    Yields
    ------
    cells : list of tuple of int
        Not empty, and none twice. It is to be sent what each of them is.

    Raises
    ------
    ConfigError
        If Optuna is not installed.
    OutputError
        If the storage cannot be written.
    """
    optuna = _optuna()
    sampler = optuna.samplers.NSGAIISampler(population_size=GENERATION, seed=seed % 2**32)
    memory = optuna.storages.InMemoryStorage()
    study = _quietly(optuna, lambda: _created(optuna, memory, sampler))
    of = optuna.distributions.IntDistribution
    axes = {name: of(0, n - 1) for name, n in zip(names, shape, strict=True)}
    seen: dict[Cell, Judged] = {}
    for first in range(0, points, GENERATION):
        trials = [study.ask(axes) for _ in range(min(GENERATION, points - first))]
        cells = [tuple(trial.params[name] for name in axes) for trial in trials]
        if new := [cell for cell in dict.fromkeys(cells) if cell not in seen]:
            seen.update((yield new))
        for trial, cell in zip(trials, cells, strict=True):
            _tell(optuna, study, trial, seen[cell])
    if kept is not None:
        _quietly(optuna, lambda: _keep(optuna, memory, kept))


def _tell(optuna: Any, study: Any, trial: Any, judged: Judged) -> None:
    """Tell both objectives and the constraint; a refused combination has none and breeds no others."""
    if judged.is_refused:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return
    trial.set_constraint("passes", 0.0 if judged.passes else 1.0)
    study.tell(trial, (judged.total, judged.worst_difference_hz))


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise ConfigError.one(
            "study",
            "search",
            rule="this search needs Optuna, which is not installed",
            remedy="run pip install 'neuroemu[search]', or search at most four axes, without [search]",
        ) from None
    return optuna


def _created(optuna: Any, storage: Any, sampler: Any) -> Any:
    return optuna.create_study(
        study_name=NAME, storage=storage, directions=("minimize", "minimize"), sampler=sampler
    )


def _keep(optuna: Any, memory: Any, path: Path) -> None:
    """Copy a search into a file: keeping it there all along takes a hundred times as long."""
    from sqlalchemy import event

    aside = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.unlink(missing_ok=True)
        storage = optuna.storages.RDBStorage(f"sqlite:///{aside}")
        # the file is written aside: a power cut would leave none, so no write has to wait for the disk
        event.listen(storage.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous = OFF"))
        storage.engine.dispose()
        optuna.copy_study(from_study_name=NAME, from_storage=memory, to_storage=storage)
        storage.engine.dispose()
        aside.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path}: the search cannot be kept; {error.strerror or error}; choose another --out"
        ) from None
    finally:
        aside.unlink(missing_ok=True)


def _quietly(optuna: Any, act: Callable[[], Any]) -> Any:
    """Act without Optuna's lines about it on the terminal."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return act()
    finally:
        optuna.logging.set_verbosity(level)
