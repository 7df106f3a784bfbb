"""Rules that the sources keep: where arithmetic may stand, what an import may load, how large a module may be."""

import ast
import importlib
import inspect
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from neuroemu.testing.texts import text_faults

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "neuroemu"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Shifts and roundings of values live in ops.py; bits.py makes random words, golden/ is the independent model,
# compiled.py gives ops.py its 32-bit form.
MAY_SHIFT = {"numeric/ops.py", "numeric/bits.py", "engine/compiled.py"}
MAY_ROUND = MAY_SHIFT | {"numeric/constants.py"}
ARITHMETIC = ("numeric", "models", "engine")
NARROWING_CALLS = {"clip", "rint", "round_", "around", "fix", "trunc", "right_shift", "left_shift"}


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _arithmetic_modules() -> list[Path]:
    return [p for p in MODULES if _name(p).split("/")[0] in ARITHMETIC]


@pytest.mark.parametrize("path", _arithmetic_modules(), ids=_name)
def test_no_shift_outside_ops(path: Path) -> None:
    shifts = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.BinOp | ast.AugAssign)
        and isinstance(node.op, ast.LShift | ast.RShift)
    ]
    if _name(path) == "numeric/ops.py":
        assert shifts, "the rule looks for shifts in the wrong place"
    if _name(path) not in MAY_SHIFT:
        assert not shifts, f"{path}: shifts in lines {shifts}"


@pytest.mark.parametrize("path", _arithmetic_modules(), ids=_name)
def test_no_clip_or_rounding_outside_ops(path: Path) -> None:
    calls = [
        f"{node.lineno}: {node.func.attr}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in NARROWING_CALLS
    ]
    if _name(path) not in MAY_ROUND:
        assert not calls, f"{path}: {calls}"


STEP_TEXTS = (
    *("lif", "synapse", "homeostasis", "counter", "cuba", "odin", "reckon", "loihi"),
    "pair_controller",
)


def _texts_of(name: str) -> list[Any]:
    """Return the functions of a model, all of them step texts beside the one that builds constants."""
    module = importlib.import_module(f"neuroemu.models.{name}")
    functions = [f for _, f in inspect.getmembers(module, inspect.isfunction)]
    return [
        f for f in functions if f.__module__ == module.__name__ and f.__name__ != "vector_sites"
    ]


@pytest.mark.parametrize("name", STEP_TEXTS)
def test_step_texts_use_only_the_allowed_operators(name: str) -> None:
    assert text_faults((PACKAGE / "models" / f"{name}.py").read_text(encoding="utf-8")) == []


def test_the_texts_of_a_vector_unit_use_only_the_allowed_operators() -> None:
    texts = _texts_of("ppu")
    assert len(texts) > 20
    assert [fault for text in texts for fault in text_faults(text)] == []


def test_only_spikes_are_counted_in_a_loop() -> None:
    faults = [fault for text in _texts_of("crossings") for fault in text_faults(text)]
    assert len(faults) == 1 and "while" in faults[0]


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_modules_are_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("statement", ["import neuroemu", "import neuroemu.cli"])
def test_importing_is_cheap(statement: str) -> None:
    heavy = ["matplotlib", "hypothesis", "fxpmath", "numba", "scipy", "pydantic", "rich", "numpy"]
    code = f"import sys; {statement}; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there_and_documented() -> None:
    import neuroemu

    assert len(neuroemu.__all__) <= 25
    for name in neuroemu.__all__:
        value = getattr(neuroemu, name)
        assert name == "__version__" or (value.__doc__ or "").strip()


def test_importing_the_whole_package_keeps_the_public_functions() -> None:
    import neuroemu
    from neuroemu import comparison, explain  # noqa: F401

    assert callable(neuroemu.compare)
    assert callable(neuroemu.simulate)


def test_version_is_the_same_everywhere() -> None:
    import neuroemu

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert project["version"] == neuroemu.__version__
    assert f"[{neuroemu.__version__}]" in changelog
