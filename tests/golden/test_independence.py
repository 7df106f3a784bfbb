"""A judge that shares code with the judged proves nothing."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import neuroemu.golden

SOURCES = sorted(Path(neuroemu.golden.__file__).parent.glob("*.py"))


def imported(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_golden_imports_the_standard_library_and_itself(source: Path) -> None:
    foreign = [
        name
        for name in imported(source)
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not name.startswith("neuroemu.golden.")
    ]
    assert foreign == []
