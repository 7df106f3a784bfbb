"""The rules that a step text keeps, so that one text serves every arithmetic."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.BitAnd, ast.BitOr)
"""``+ - *``, and ``& |`` between conditions; the rest is compare, select, requantize and lookup."""

_LOOPS = (ast.For, ast.While, ast.Try, ast.With, ast.Global, ast.Nonlocal, ast.Yield, ast.Await)


def text_faults(text: Callable[..., Any] | str) -> list[str]:
    """Return what in a step text would not run in every arithmetic.

    Parameters
    ----------
    text : callable or str
        A function, or the source of a module.

    Examples
    --------
    >>> text_faults("def step(v): return v // 2")
    ['line 1: the operator FloorDiv; use + - * and requantize', 'line 1: the literal 2; make it a parameter']
    """
    source = text if isinstance(text, str) else textwrap.dedent(inspect.getsource(text))
    faults = []
    for node in ast.walk(ast.parse(source)):
        line = f"line {getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.BinOp | ast.AugAssign) and not isinstance(node.op, OPERATORS):
            kind = type(node.op).__name__
            faults.append(f"{line}: the operator {kind}; use + - * and requantize")
        if isinstance(node, ast.Constant) and _is_other_number(node.value):
            faults.append(f"{line}: the literal {node.value!r}; make it a parameter")
        if isinstance(node, _LOOPS):
            faults.append(
                f"{line}: {type(node).__name__.lower()}; a step text is one expression after another"
            )
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", "")}
            if any(str(name).partition(".")[0] == "numpy" for name in names):
                faults.append(f"{line}: numpy; a step text is scalar")
    return faults


def _is_other_number(value: object) -> bool:
    return isinstance(value, int | float) and value not in (0, 1)
