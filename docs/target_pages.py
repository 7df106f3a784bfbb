"""Writes a page for every shipped target from its TOML file: each number, its meaning, its source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neuroemu.hardware.config import Target
from neuroemu.hardware.load import load_target, shipped_targets
from neuroemu.report.tables import leaves, source_of

FOLDER = "targets"
UNITS = {"us": "µs, hardware time", "ms": "ms, biological", "hz": "Hz"}
NOT_NUMBERS = {"name", "title", "summary", "sources", "exactness"}
EXACTNESS = {
    "rtl": "its circuit is published, and the arithmetic is the circuit's",
    "vendor-sim": "its vendor's own simulator is public, and every bit is compared with it",
    "isa": "the instructions of its processor are documented; what is analog stays analog",
    "source": "its software is public, and the arithmetic is that of the source",
    "lut": "it learns through look-up tables, which are documented; what is analog stays analog",
    "reverse-engineered": "open emulators agree, and none of them is the silicon",
    "approximate": "an idealisation",
    "generic": "no chip: numbers to start from",
}


def write_pages(folder: Path) -> None:
    """Write ``targets/NAME.md`` for every shipped target; a page that is up to date is left alone."""
    pages = folder / FOLDER
    pages.mkdir(exist_ok=True)
    names = shipped_targets()
    for name in names:
        path, text = pages / f"{name}.md", page(load_target(name))
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in pages.glob("*.md"):
        if path.stem not in names:
            path.unlink()


def page(target: Target) -> str:
    """Return the page of one target."""
    rows = _rows(target.model_dump(mode="json", exclude=NOT_NUMBERS, exclude_none=True))
    lines = [
        f"# {target.name}",
        "",
        f"**{target.title}**",
        "",
        " ".join(target.summary.split()),
        "",
        f"Exactness: `{target.exactness}`, {EXACTNESS[target.exactness]}.",
        "",
    ]
    stated = [row for row in rows if _source(target, row[0]) != "default"]
    for table in dict.fromkeys(key.split(".")[0] for key, *_ in stated):
        here = [row for row in stated if row[0].split(".")[0] == table]
        lines += [f"## {table}", "", *_table(target, here), ""]
    rest = [row for row in rows if row not in stated]
    lines += ["## Left at their default", "", *_table(target, rest), ""]
    assumed = sum(_source(target, key).startswith("*assumed") for key, *_ in stated)
    lines.append(
        f"{len(stated)} keys are stated, {assumed} of them assumed. The defaults are without effect on this chip, or "
        "the only choice for it."
    )
    return "\n".join(lines) + "\n"


def _table(target: Target, rows: list[tuple[str, str, str]]) -> list[str]:
    head = ["| key | value | unit | source |", "|---|---|---|---|"]
    return head + [
        f"| `{key}` | {value} | {unit} | {_source(target, key)} |" for key, value, unit in rows
    ]


def _rows(data: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return key, value and unit of every entry."""
    return [(key, f"`{_shown(value)}`", _unit(key)) for key, value in leaves(data)]


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unit(key: str) -> str:
    return next((unit for end, unit in UNITS.items() if key.endswith(f"_{end}")), "")


def _source(target: Target, key: str) -> str:
    source = source_of(target, key)
    return f"*{source}*" if source.startswith("assumed") else source
