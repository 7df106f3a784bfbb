"""Property tests for a step text of a user's own: a neuron, a learning rule, a counter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from hypothesis import strategies as st

from neuroemu.engine.texts import compile_text
from neuroemu.engine.watched import Place, Watched
from neuroemu.errors import TextError
from neuroemu.numeric.format import Format
from neuroemu.numeric.site import WORD_BITS, Site
from neuroemu.testing.registers import register_values
from neuroemu.testing.search import search
from neuroemu.testing.texts import text_faults

Arguments = dict[str, Any]
Law = Callable[[Arguments], str | None]

DOUBLE_BITS = 53


def check_model(
    text: Callable[..., Any],
    *,
    examples: int = 300,
    seed: int = 0,
    **arguments: Any,
) -> None:
    """Check that a step text does the same in every arithmetic and keeps its registers.

    Parameters
    ----------
    text : callable
        A pure function such as those of `neuroemu.models`: ``step(state, params, sites, bits)``. Where it
        returns a tuple whose first part has the type of its first argument, that part is the new state.
    examples : int
        Cases for each law.
    seed : int
        Of the cases.
    **arguments
        One for each parameter of `text` except ``bits``, which is a random word. A number, a `Format` (its raw values
        are drawn, aimed at its edges), a `Site`, a Hypothesis strategy, or a NamedTuple of these.

    Raises
    ------
    AssertionError
        With every law that does not hold, and the smallest case found against it.

    Examples
    --------
    >>> from typing import Any, NamedTuple
    >>> from neuroemu.numeric.ops import requantize
    >>> class Sites(NamedTuple):
    ...     leak: Any
    >>> def linear_leak(v: Any, amount: Any, sites: Any, bits: Any) -> Any:
    ...     smaller = requantize(v - amount, sites.leak, bits)
    ...     return smaller if v > 0 else v
    >>> stop = Site(name="leak", shift=0, rounding="floor", overflow="saturate", lo=0, hi=127)
    >>> check_model(linear_leak, v=Format.parse("fxp-s8/0"), amount=3, sites=Sites(leak=stop))
    """
    broken = [f"text: {fault}" for fault in text_faults(text)]
    strategy = st.fixed_dictionaries({name: _drawn(value) for name, value in arguments.items()})
    if "bits" in text.__code__.co_varnames[: text.__code__.co_argcount]:
        words = st.integers(0, 2**WORD_BITS - 1)
        strategy = st.tuples(strategy, words).map(lambda pair: {**pair[0], "bits": pair[1]})
    reached: set[str] = set()
    for name, law in _laws(text, arguments, reached):
        case = search(strategy, partial(_breaks, law), examples=examples, seed=seed)
        if case is not None:
            broken.append(f"{name}: {law(case)}")
    unused = {site.name for site in _sites_of(arguments)} - reached
    broken += [f"sites: {name} is never reached" for name in sorted(unused)]
    if broken:
        raise AssertionError("\n".join((f"{text.__name__} breaks {len(broken)}:", *broken)))


def _laws(
    text: Callable[..., Any], arguments: Mapping[str, Any], reached: set[str]
) -> Iterator[tuple[str, Law]]:
    compiled = compile_text(text)

    def integers(case: Arguments) -> str | None:
        traced = _with_sites(case, lambda site: _watch(site, reached))
        before = str(traced)
        first, second = text(**traced), text(**traced)
        floats = [x for x in _leaves(first) if isinstance(x, float)]
        if floats:
            return f"{floats[0]} is no integer; {_shown(case)}"
        if first != second or str(traced) != before:
            return f"two calls differ: {first}, {second}; {_shown(case)}"
        return None

    def registers(case: Arguments) -> str | None:
        result = text(**_with_sites(case, Site.as_fixed))
        return _outside(arguments, result, case)

    def in_64_bits(case: Arguments) -> str | None:
        fixed = _with_sites(case, Site.as_fixed)
        exact = text(**fixed)
        try:
            found = compiled(**fixed)
        except (TextError, OverflowError) as error:
            return str(error)
        return (
            None
            if _equal(exact, found)
            else f"Python ints {exact}, compiled {found}; {_shown(case)}"
        )

    def in_doubles(case: Arguments) -> str | None:
        exact = text(**_with_sites(case, Site.as_fixed))
        if any(abs(x) >= 2**DOUBLE_BITS for x in _leaves((exact, case)) if isinstance(x, int)):
            return None
        found = text(**_with_sites(_in_floats(case), Site.as_double))
        return (
            None
            if _equal(exact, found)
            else f"Python ints {exact}, doubles {found}; {_shown(case)}"
        )

    yield "integers in, integers out, and pure", integers
    yield "every register keeps its format", registers
    yield "compiled in 64 bits as on Python ints", in_64_bits
    yield "integers in doubles as on Python ints", in_doubles


def _breaks(law: Law, case: Arguments) -> bool:
    return law(case) is not None


def _drawn(value: Any) -> st.SearchStrategy[Any]:
    if isinstance(value, Format):
        return register_values(value)
    if isinstance(value, st.SearchStrategy):
        return value
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return st.tuples(*(_drawn(part) for part in value)).map(lambda parts: type(value)(*parts))
    return st.just(value)


def _map(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return `value` with `change` done to everything in its tuples."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_map(part, change) for part in value))
    return change(value)


def _with_sites(case: Arguments, as_tuple: Callable[[Site], Any]) -> Arguments:
    def change(leaf: Any) -> Any:
        return as_tuple(leaf) if isinstance(leaf, Site) else leaf

    return {name: _map(value, change) for name, value in case.items()}


def _in_floats(case: Arguments) -> Arguments:
    def change(leaf: Any) -> Any:
        return float(leaf) if type(leaf) is int else leaf

    return {n: v if n == "bits" else _map(v, change) for n, v in case.items()}


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple):
        for part in value:
            yield from _leaves(part)
    else:
        yield value


def _sites_of(arguments: Mapping[str, Any]) -> list[Site]:
    return [leaf for leaf in _leaves(dict(arguments)) if isinstance(leaf, Site)]


def _watch(site: Site, reached: set[str]) -> Watched:
    return Watched(
        name=site.name,
        site=site.as_fixed(),
        place=Place(),
        trace=lambda name, *_: reached.add(name),
    )


def _outside(arguments: Mapping[str, Any], result: Any, case: Arguments) -> str | None:
    """Return the first register of the new state that its format cannot hold."""
    first = next(iter(arguments.values()))
    state = result[0] if isinstance(result, tuple) and not _is_like(result, first) else result
    if not _is_like(state, first):
        return None
    formats = first if isinstance(first, tuple) else (first,)
    values = state if isinstance(state, tuple) else (state,)
    names = getattr(first, "_fields", (next(iter(arguments)),))
    for name, form, value in zip(names, formats, values, strict=True):
        if isinstance(form, Format) and not form.lo <= value <= form.hi:
            return f"{name} = {value} is outside {form}; {_shown(case)}"
    return None


def _is_like(value: Any, pattern: Any) -> bool:
    if isinstance(pattern, tuple):
        return type(value) is type(pattern)
    return not isinstance(value, tuple)


def _equal(a: Any, b: Any) -> bool:
    return list(_leaves(a)) == list(_leaves(b))


def _shown(case: Arguments) -> str:
    def short(leaf: Any) -> Any:
        return leaf.name if isinstance(leaf, Site) else leaf

    return ", ".join(f"{name} = {_map(value, short)}" for name, value in case.items())
