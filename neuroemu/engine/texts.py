"""Compiles a step text of a user's own, as the kernels compile those of `neuroemu.models`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba

from neuroemu.engine import compiled as _overloads  # noqa: F401  what requantize is to numba
from neuroemu.errors import TextError


@cache
def compile_text(text: Callable[..., Any]) -> Callable[..., Any]:
    """Return `text` compiled: on Python ints it computes in 64 bits, on floats in doubles.

    Parameters
    ----------
    text : callable
        A pure function of numbers, NamedTuples of numbers, and NamedTuples of sites.

    Raises
    ------
    TextError
        At the first call, if numba refuses the text.
    """
    dispatcher = numba.njit(error_model="numpy")(text)
    refusals: list[TextError] = []  # numba would take as long at every call to find out again

    def call(*arguments: Any, **named: Any) -> Any:
        if refusals:
            raise refusals[0]
        try:
            return dispatcher(*arguments, **named)
        except numba.core.errors.NumbaError as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            refusals.append(TextError(f"{text.__name__} cannot be compiled: {' '.join(lines[:4])}"))
        raise refusals[0]

    return call
