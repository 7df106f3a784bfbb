"""Brings the results of a study's parts together, which ran as ``--shard 1/4`` and so on, in one file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from neuroemu.errors import ConfigError, OutputError, Violation
from neuroemu.study.results import FILE, results_path
from neuroemu.study.store import Store, reading, writing


def merge(into: Path, sources: Sequence[Path]) -> int:
    """Take over what other files of the same study have.

    Wall time is counted once for each command that ran, however often its file is merged.

    Parameters
    ----------
    into : Path
        A study's folder or results file; made if it is not there.
    sources : sequence of Path
        Folders or results files; they stay as they are, and may still be written to.

    Returns
    -------
    new : int
        Batches that `into` did not have.

    Raises
    ------
    ConfigError
        If the files are of different studies, or of different arithmetic; with all that differs.
    OutputError
        If one is missing or damaged, or two disagree about a batch; `into` stays as it was.
    """
    target = into if into.suffix == Path(FILE).suffix and not into.is_dir() else into / FILE
    with ExitStack() as stack:
        files = [stack.enter_context(_source(results_path(s), target)) for s in sources]
        abouts = [_about(f) for f in files]
        for file in files:
            file.check()
        _check_same(files[0].path, abouts[0], files[1:], abouts[1:])
        _check_map(abouts[0])
        store = stack.enter_context(writing(target))
        held = store.meta("study")
        if held is not None:
            _check_same(target, held, files, abouts)
        new = store.merge(files)
        if held is None:
            for key in ("study", "command"):
                store.set_meta(key, files[0].meta(key))
        return new


def _check_map(about: Mapping[str, Any]) -> None:
    """Refuse a search: what it judged hangs together, and no shard has a part of it."""
    searched = [axis["name"] for axis in about["study"]["axes"] if axis["find"]]
    if searched:
        raise ConfigError.one(
            about["study"]["name"],
            "axes",
            ", ".join(searched),
            rule="maps are merged, searches are not",
            remedy="run the search on one machine, or with --scheduler",
        )


def _source(path: Path, target: Path) -> Any:
    if target.exists() and path.exists() and path.samefile(target):
        rule, remedy = "a file is not merged into itself", "leave it out"
        raise ConfigError.one("merge", value=path, rule=rule, remedy=remedy)
    return reading(path)


def _about(store: Store) -> dict[str, Any]:
    about: dict[str, Any] | None = store.meta("study")
    if about is None:
        raise OutputError(f"{store.path}: no study has begun in this file; leave it out")
    return about


def _check_same(
    path: Path, held: Mapping[str, Any], files: Sequence[Store], abouts: Sequence[Mapping[str, Any]]
) -> None:
    """Refuse files of another study than that of `path`."""
    found = [
        Violation(
            source=str(file.path),
            key=key,
            value=str(theirs),
            rule="merged files are of one study and one arithmetic",
            detail=f"{path} has {mine}",
            remedy="run it again with the same neuroemu, study file and --set, or leave it out",
        )
        for file, about in zip(files, abouts, strict=True)
        for key, mine, theirs in _differences(held, about)
    ]
    if found:
        raise ConfigError(found)


def _differences(mine: Any, theirs: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Return dotted keys whose values differ, with both."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        for name in sorted(mine.keys() | theirs.keys()):
            inner = f"{key}.{name}" if key else name
            yield from _differences(mine.get(name), theirs.get(name), inner)
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            yield from _differences(a, b, f"{key}[{i}]")
    elif mine != theirs:
        yield key, mine, theirs
