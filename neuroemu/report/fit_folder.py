"""A fit's folder: the proposal as TOML, the numbers behind it, figures. Written aside, then renamed."""

from __future__ import annotations

import json
from pathlib import Path

from neuroemu.errors import OutputError
from neuroemu.fitting import Fit
from neuroemu.fitting.write import digest, proposal_toml
from neuroemu.report.fit_figure import fit_figure
from neuroemu.report.folder import write_aside
from neuroemu.report.save import save_figure


def proposal_file(folder: Path, found: Fit) -> Path:
    """Return where the proposal's TOML lies."""
    return folder / f"{found.target.name}.toml"


def write_fit(found: Fit, parent: Path) -> Path:
    """Write a fit into a folder below `parent`, and return the folder.

    It has the target's name. The same fit's folder is replaced, unless its TOML was edited; that, and every other
    folder, is left alone, and the new one gets a number.

    Raises
    ------
    OutputError
        If it cannot be written; nothing half-written stays.
    """

    def fill(folder: Path) -> None:
        text = json.dumps({"digest": digest(found)} | found.as_json(), indent=2, allow_nan=False)
        (folder / "fit.json").write_text(text + "\n", encoding="utf-8")
        proposal_file(folder, found).write_text(proposal_toml(found), encoding="utf-8")
        figure = fit_figure(found)
        for ending in ("png", "svg"):
            save_figure(figure, folder / f"figure.{ending}")

    try:
        folder = _free_name(parent, found)
    except OSError as error:
        raise OutputError(
            f"{parent}: the results cannot be written; {error.strerror or error}; choose another --out"
        ) from None
    return write_aside(folder, fill)


def _free_name(parent: Path, found: Fit) -> Path:
    name, number = found.request.target.name, 1
    while True:
        folder = parent / (name if number == 1 else f"{name}-{number}")
        if not folder.exists() or _is_same(folder, found):
            return folder
        number += 1


def _is_same(folder: Path, found: Fit) -> bool:
    """Return whether `folder` holds this very fit, as it was written."""
    try:
        data = json.loads((folder / "fit.json").read_text(encoding="utf-8"))
        text = proposal_file(folder, found).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    is_own = isinstance(data, dict) and data.get("digest") == digest(found)
    return is_own and text == proposal_toml(found)
