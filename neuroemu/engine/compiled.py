"""Hands the texts of `neuroemu.numeric` and `neuroemu.models` to numba, unchanged.

``requantize`` and ``overflowed`` are chosen by the class of the site at compile time. Sites whose
fields are int32 compute in int32: the plan has proved that every intermediate fits, and numba alone
would widen to int64 and halve the lanes of the vector unit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import platformdirs
from numba.core import types
from numba.extending import intrinsic, overload, register_jitable

from neuroemu.models import (
    counter,
    crossings,
    cuba,
    homeostasis,
    lif,
    neurons,
    pair_controller,
    synapse,
)
from neuroemu.numeric import bits, ops
from neuroemu.numeric.site import Clip, Fixed, Round


def _int32_operation(name: str) -> Callable[..., Any]:
    @intrinsic
    def operation(typing_context: Any, x: Any, y: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, name)(args[0], args[1])

        return types.int32(types.int32, types.int32), emit

    return operation


either = _int32_operation(
    "or_"
)  # in other types, a loop that collects with it takes half the lanes
_add, _sub, _and, _shift = (_int32_operation(n) for n in ("add", "sub", "and_", "ashr"))


def _lowest_byte(typing_context: Any, word: Any) -> Any:
    """Return the place of the lowest byte that is not 0, in a word that is not 0."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zeros = builder.cttz(args[0], context.get_constant(types.boolean, True))
        return builder.udiv(zeros, context.get_constant(types.uint64, 8))

    return types.int64(types.uint64), emit


lowest_byte: Any = intrinsic(_lowest_byte)


def _prefer_wide_vectors(typing_context: Any) -> Any:
    """Let LLVM use 512-bit vectors in the calling function, where the processor has them.

    LLVM prefers 256 bits by itself. Measured: 0.24 against 0.34 ns per neuron update in int32.
    """

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        # llvmlite's set of attributes refuses names it does not know; LLVM knows this one
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.none(), emit


prefer_wide_vectors: Any = intrinsic(_prefer_wide_vectors)


def _clip32(x: Any, site: Any, bits: Any) -> Any:
    return min(max(np.int32(x), site.lo), site.hi)


def _round32(x: Any, site: Any, bits: Any) -> Any:
    x32 = np.int32(x)
    wide = _add(_add(x32, site.base), _and(_shift(x32, np.int32(31)), site.neg))
    return _shift(wide, site.shift)


def _fixed32(x: Any, site: Any, bits: Any) -> Any:
    x32 = np.int32(x)
    wide = _add(x32, site.base)
    wide = _add(wide, _and(_shift(x32, np.int32(31)), site.neg))
    wide = _add(wide, _and(_shift(x32, site.shift), site.odd))
    wide = _add(wide, np.int32(bits >> np.int64(site.draw)))
    y = _shift(wide, site.shift)
    y = _add(_and(_sub(y, site.lo), site.mask), site.lo)
    return min(max(y, site.lo), site.hi)


_NARROW = {Clip: _clip32, Round: _round32, Fixed: _fixed32}


@overload(ops.requantize)
def _requantize(x: Any, site: Any, bits: Any) -> Any:
    cls = site.instance_class
    if cls in _NARROW and site.types[0] == types.int32:
        return _NARROW[cls]
    return ops.REQUANTIZE[cls]


@overload(ops.overflowed)
def _overflowed(x: Any, site: Any, bits: Any) -> Any:
    return ops.OVERFLOWED[site.instance_class]


@overload(crossings.crossings)
def _crossings(v: Any, params: Any, fire: Any) -> Any:
    return crossings.CROSSINGS[fire.instance_class]


def _overload_neuron(name: str) -> None:
    """Let a function of `neuroemu.models.neurons` be that of the module of its state."""

    def chosen(state: Any, *_rest: Any) -> Any:
        return getattr(neurons.NEURONS[state.instance_class], name)

    overload(getattr(neurons, name), strict=False)(chosen)


for _name in ("advance", "receive", "reset", "stuck", "flushed", "clipped"):
    _overload_neuron(_name)


for _text in (
    *(ops.limit, ops.lookup, ops.lookup_in, ops.rounded, ops.rounded_double),
    *(bits.philox, bits.lfsr_clock, bits.lfsr_word),
    *(lif.advance, lif.receive, lif.reset, lif.stuck, lif.flushed, lif.clipped),
    *(cuba.decayed, cuba._settle, cuba.advance, cuba.receive, cuba.reset, cuba.stuck),
    *(cuba.flushed, cuba.clipped, crossings._once, crossings._often, synapse.drive),
    *(homeostasis.update, homeostasis.update_deferred, homeostasis.change_from_counts),
    *(counter.increment, counter.read, pair_controller._pair, pair_controller.evaluate),
    *(pair_controller.at_pre, pair_controller.at_post, pair_controller.at_readout),
):
    register_jitable(_text)


def at(arrays: Any, i: Any) -> Any:
    """Return the NamedTuple of the elements `i` of a NamedTuple of arrays."""
    return type(arrays)(*(a[i] for a in arrays))


def put(arrays: Any, i: Any, values: Any) -> None:
    """Store a NamedTuple of scalars as the elements `i` of a NamedTuple of arrays."""
    for array, value in zip(arrays, values, strict=True):
        array[i] = value


def _unrolled(head: str, lines: list[str], names: dict[str, Any]) -> Any:
    """Return the function ``head: lines``: numba cannot loop over the fields of a tuple."""
    exec("\n    ".join([head, *lines]), names)  # noqa: S102 - the text is built from field names
    return names["unrolled"]


@overload(at)
def _at(arrays: Any, i: Any) -> Any:
    cls = arrays.instance_class
    fields = ", ".join(f"arrays.{f}[unsigned(i)]" for f in cls._fields)
    return _unrolled(
        "def unrolled(arrays: Any, i: Any):",
        [f"return cls({fields})"],
        {"cls": cls, "unsigned": np.uint64},
    )


@overload(put)
def _put(arrays: Any, i: Any, values: Any) -> Any:
    # The membrane, which comes first, is stored last: stored right after its load, a membrane that is kept under
    # some condition becomes a masked store, and processors without AVX-512 take several times as long for one.
    names = reversed(arrays.instance_class._fields)
    lines = [f"arrays.{f}[unsigned(i)] = values.{f}" for f in names]
    return _unrolled(
        "def unrolled(arrays: Any, i: Any, values: Any):", lines, {"unsigned": np.uint64}
    )


def _source_digest() -> str:
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256(f"{numba.__version__} {np.__version__}".encode())
    for name in ("numeric", "models", "engine"):
        for path in sorted((package / name).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_directory() -> Path:
    """Return where compiled kernels are kept: one folder for each state of the sources.

    numba's own check misses a change in a callee of another file, so the folder's name is a digest
    of all sources that a kernel is made of.
    """
    return Path(platformdirs.user_cache_dir("neuroemu")) / f"kernels-{_source_digest()}"


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` at its first call, and keep the result on disk.

    The cache folder is set for this function alone; the caller's own numba settings stay as they
    are.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
    return _with_cache(numba.njit(**options)(function))


def _with_cache(dispatcher: Any) -> Any:
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(cache_directory())
    try:
        dispatcher.enable_caching()
    except RuntimeError:  # no folder can be written: compile in every process
        pass
    finally:
        config.CACHE_DIR = before
    return dispatcher
