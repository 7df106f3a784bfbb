"""Whatever the target and the experiment: the check ends in plain data, and its bounds hold in a run."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from neuroemu.engine.exact import run_exact
from neuroemu.errors import FixedPointOverflowError
from neuroemu.feasibility.check import check
from neuroemu.feasibility.decay import still
from neuroemu.feasibility.step import alone, from_rest, raw_multiplier, takes_at_once
from neuroemu.testing.case import Case
from neuroemu.testing.strategies import cases


@settings(  # a failing case is large; shrinking it takes minutes
    max_examples=25,
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(cases(unique=False, max_trials=1, overflow=st.sampled_from(["saturate", "wrap", "error"])))
def test_the_bounds_hold_in_a_run(case: Case) -> None:
    found = check(case.experiment, case.target)
    json.dumps(found.as_json(), allow_nan=False)
    d = found.discretized
    lsb = float(d.membrane_lsb or 1)
    owner = [n for n, p in case.experiment.populations.items() for _ in range(p.size)]
    zero = {n: float(from_rest(d, n)) for n in case.experiment.populations}
    reach = {r.population: r.experiment for r in found.ranges}
    wide = {w.site: (w.low, w.high) for w in found.widest}
    holds_membrane = {"membrane"} if case.target.neuron is not None else {"leak"}
    holds_membrane |= {"input"} if takes_at_once(d) else set()

    def trace(site: str, _trial: int, index: int, _step: int, met: Any, stored: Any) -> None:
        if site in holds_membrane:
            low, high = reach[owner[index]]
            value = stored * lsb + zero[owner[index]]
            slack = 1e-9 * (1 + abs(stored * lsb))
            assert low - slack <= value <= high + slack, (site, low, value, high)
        if site in wide and not d.is_analog:
            assert wide[site][0] <= met <= wide[site][1], site
        is_plain = site == "leak" and not d.is_analog and case.target.neuron is None
        if is_plain and not d.sites["leak"].is_stochastic:
            step = alone(d, owner[index])
            zone = still(lambda v: step(v, 0), d.sites["leak"].lo, d.sites["leak"].hi) or (0, 0)
            v = met // raw_multiplier(d, owner[index]) if raw_multiplier(d, owner[index]) else 0
            if v and met:
                assert (stored == v) == (zone[0] <= v <= zone[1])

    try:
        run_exact(case.experiment, case.target, trace=trace, **case.input)
    except FixedPointOverflowError as error:
        site = str(error).split(" site ")[1].split()[0]
        watched = ("input", "drive") if case.target.neuron is None else ("membrane",)
        known = dict.fromkeys(watched, "refused")
        if not d.clock.period_steps:  # else how many spikes come in a period is a matter of chance
            known["accumulate"] = "accumulator"
        assert site not in known or known[site] in {f.kind for f in found.all_findings}, site
