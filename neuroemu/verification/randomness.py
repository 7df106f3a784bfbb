"""Emulator laws about stochastic rounding: unbiased by its text, and by the words that are drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neuroemu.hardware.config import RandomTable
from neuroemu.numeric import ops
from neuroemu.numeric.site import WORD_BITS, Site
from neuroemu.testing.case import Case
from neuroemu.verification.bench import LANES, Bench
from neuroemu.verification.definition import Ints
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Law, Outcome, Setting, broken, does_not_apply, holds
from neuroemu.verification.small import at_weight, case_of, experiment_of, loud, quiet
from neuroemu.verification.updates import Learning, learnings

FULL_SHIFT = 12
"""Most bits dropped for which all remainders are tried with all random integers."""
LONG_SHIFT = 20
REMAINDERS = 64
ALPHA = 1e-6
"""Probability that the drawn words of a right generator fail the law."""
SHOWN_LANES = 4096


# The text: every random integer


def rounding_unbiased(setting: Setting) -> Outcome:
    """Try every random integer at each stochastic site."""
    sites = [s for s in setting.plan.sites.values() if s.is_stochastic]
    if not sites:
        return does_not_apply("no site of this target rounds stochastically")
    count, how = 0, "proof"
    for site in sites:
        how = "sampled" if site.shift > FULL_SHIFT else how
        for x in remainders(site, setting.rng(f"remainders {site.name}")):
            count += 2 ** min(site.shift, LONG_SHIFT)
            found = bias(site, x)
            if found is not None:
                case = _any_case(setting)
                return broken(judge_bias, case, found, how=how, cases=count, remainder=x)
    return holds(how, count)


def remainders(site: Site, rng: np.random.Generator) -> list[int]:
    """Return the remainders to try: all, or some with those at the edges."""
    unit = 2**site.shift
    if site.shift <= FULL_SHIFT:
        return list(range(unit))
    edges = [0, 1, 2, unit // 2 - 1, unit // 2, unit // 2 + 1, unit - 2, unit - 1]
    return edges + [int(x) for x in rng.integers(0, unit, size=REMAINDERS - len(edges))]


def bias(site: Site, x: int) -> str | None:
    """Return how the mean of what `site` makes of `x` over all random words differs from it."""
    unit = 2**site.shift
    if site.shift <= LONG_SHIFT:
        r = np.arange(unit, dtype=np.int64)
        stored = _emulated(site, x, r, low_bits=0)
        if (stored != _emulated(site, x, r, low_bits=1)).any():
            return f"site {site.name}: bits of the word below the {site.shift} that count change the result"
        total = int(stored.sum())
    else:
        total = _ups(site, x) + unit * (x // unit)
    if total == x:
        return None
    return (
        f"site {site.name}: over all words {x}/{unit} LSB is stored as {total}/{unit} in the mean"
    )


def _emulated(site: Site, x: int, r: Ints, *, low_bits: int) -> Ints:
    """Return what the emulator's text stores for each random integer."""
    spare = 2 ** (WORD_BITS - site.shift)
    words = r * spare + low_bits * (spare - 1)
    return np.asarray(ops.rounded(np.int64(x), site.as_fixed(np.int64), words), np.int64)


def _ups(site: Site, x: int) -> int:
    """Return how many random integers round `x` up, by bisection."""
    unit = 2**site.shift
    base = int(x // unit)
    low, high = 0, unit  # the least r that rounds up
    while low < high:
        middle = (low + high) // 2
        up = int(_emulated(site, x, np.asarray([middle], np.int64), low_bits=0)[0]) > base
        low, high = (low, middle) if up else (middle + 1, high)
    return int(unit - low)


def _any_case(setting: Setting) -> Case:
    population = quiet(setting.plan, fires=False)
    for name, projection in setting.plastic.items():
        middle = (setting.plan.synapses[name].w_min + setting.plan.synapses[name].w_max) // 2
        at = at_weight(projection, setting.plan, name, middle)
        return case_of(setting, experiment_of(setting, population, at, steps=2), (0,))
    return case_of(setting, experiment_of(setting, population, steps=2))


def judge_bias(e: Evidence) -> str | None:
    """Try every random integer at the stochastic sites of a case."""
    for site in e.plan.sites.values():
        if site.is_stochastic:
            for x in remainders(site, np.random.default_rng(0)):
                found = bias(site, x)
                if found is not None:
                    return found
    return None


# The words that are drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of `n` values of one remainder rounded up, and what the words allow."""

    site: str
    fraction: float
    ups: int
    n: int
    low: float
    high: float

    @property
    def is_fair(self) -> bool:
        """Whether the share lies within its bounds."""
        return self.low <= self.ups / self.n <= self.high

    def __str__(self) -> str:
        return (
            f"site {self.site}: {self.ups / self.n:.5f} of {self.n:,} words round {self.fraction:.5f} LSB up, "
            f"outside {self.low:.5f} to {self.high:.5f}"
        )


def share_of(site: Site, wide: int, up: Ints, tests: int, random: RandomTable) -> Share:
    """Return the share with its bounds; see words-unbiased of docs/spec/laws.md.

    Parameters
    ----------
    site : Site
    wide : int
        The wide value that was rounded.
    up : (n,) int64
        1 where it was rounded up, else 0.
    tests : int
        Among which the error rate is divided.
    random : RandomTable
        Of the target.
    """
    fraction = (wide % 2**site.shift) / 2**site.shift
    within = math.sqrt(math.log(2 * tests / ALPHA) / (2 * up.size))
    low = high = 0.0
    if random.source == "lfsr":
        low = high = 2.0**-random.width
        low += 2.0**-random.output_bits if random.output_bits < site.shift else 0.0
    return Share(
        site=site.name,
        fraction=fraction,
        ups=int(up.sum()),
        n=int(up.size),
        low=fraction - within - low,
        high=fraction + within + high,
    )


def words_unbiased(setting: Setting) -> Outcome:
    """Have the kernel draw a word for each of many synapses, and count how many round up."""
    drawn = list(_shares(setting))
    if not drawn:
        stochastic = setting.plastic and setting.plan.sites["store"].is_stochastic
        why = (
            "no spike leaves a remainder to round"
            if stochastic
            else "no weight is rounded stochastically"
        )
        return does_not_apply(why)
    count = sum(share.n for share, _ in drawn)
    for share, case in drawn:
        if not share.is_fair:
            return broken(judge_words, case, str(share), how="statistical", cases=count)
    return holds("statistical", count, f"{len(drawn)} tests, error rate {ALPHA:g}")


def _shares(setting: Setting) -> Iterator[tuple[Share, Case]]:
    if not setting.plastic or not setting.plan.sites["store"].is_stochastic:
        return
    for learning in learnings(setting):
        for side in ("pre",) if learning.update == "deferred" else ("pre", "post"):
            w = _free_weight(setting, learning, side)
            if w is not None:
                yield _share(setting, learning, w, side)


def _change(setting: Setting, learning: Learning, side: str) -> int:
    """Return what one spike of `side` asks of the accumulator."""
    one, none = np.asarray([1]), np.asarray([0])
    if setting.target.plasticity.update == "periodic":
        return int(learning.change_of(*((one, none) if side == "pre" else (none, one)))[0])
    return learning.r.dw_plus if side == "pre" else -learning.r.dw_minus


def _free_weight(setting: Setting, learning: Learning, side: str) -> int | None:
    """Return a weight that one spike takes to no limit, neither of the rule nor of a register."""
    r, sites, w = learning.r, setting.plan.sites, learning.codes
    change = _change(setting, learning, side)
    total = w * r.unit + change
    low = max(r.w_min * r.unit, sites["accumulate"].lo)
    high = min(r.w_max * r.unit, sites["accumulate"].hi)
    free = w[(total >= low) & (total <= high)]
    return int(free[free.size // 2]) if free.size and change % r.unit else None


def _share(setting: Setting, learning: Learning, w: int, side: str) -> tuple[Share, Case]:
    """Let one spike of `side` update the weight `w` of many synapses at once."""
    plan, target = setting.plan, setting.pinned
    periodic = target.plasticity.update == "periodic"
    steps = plan.clock.period_steps if periodic else 1
    neuron = quiet(plan, fires=side == "post")
    projection = at_weight(learning.projection, plan, learning.name, w)
    few, many = (
        experiment_of(setting, neuron, projection, steps=steps, lanes=lanes)
        for lanes in (SHOWN_LANES, LANES)
    )
    case = case_of(setting, few, (0,) if side == "pre" else (), seed=setting.seed)
    by_spike = side == "pre" and not periodic
    bench = Bench(target, many, spikes=by_spike, step=steps - 1, seed=setting.seed)
    ones, zeros = np.ones(LANES, np.int64), np.zeros(LANES, np.int64)
    counts = ((ones, zeros) if side == "pre" else (zeros, ones)) if periodic else None
    v = loud(plan) if side == "post" and not periodic else 0
    _, after, _ = bench.do(v, weight=np.full(LANES, w), counts=counts)
    r, tests = learning.r, 2 * len(setting.plastic)
    wide = w * r.unit + _change(setting, learning, side)
    up = (after > wide // r.unit).astype(np.int64)
    return share_of(plan.sites["store"], wide, up, tests, target.plasticity.random), case


def judge_words(e: Evidence) -> str | None:
    """Count how many updates of a case rounded up."""
    random = e.case.target.plasticity.random
    ups: dict[int, list[int]] = {}
    for p in e.trace:
        if p.site == "store":
            unit = 2 ** e.plan.sites["store"].shift
            ups.setdefault(p.wide, []).append(int(p.stored > p.wide // unit))
    for wide, up in ups.items():
        site = e.plan.sites["store"]
        share = share_of(site, wide, np.asarray(up), len(ups), random)
        if site.is_stochastic and not share.is_fair:
            return str(share)
    return None


LAWS = (
    Law(
        name="rounding-unbiased",
        sentence="Stochastic rounding is unbiased: over all words the mean is the exact value.",
        kind="emulator",
        judge=judge_bias,
        test=rounding_unbiased,
    ),
    Law(
        name="words-unbiased",
        sentence="The words that are really drawn round up as often as they should.",
        kind="emulator",
        judge=judge_words,
        test=words_unbiased,
    ),
)
