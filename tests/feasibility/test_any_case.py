"""Whatever the target and the experiment: the check ends in plain data, and its bounds hold in a run."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from neuroemu.engine.exact import run_exact
from neuroemu.errors import FixedPointOverflowError
from neuroemu.feasibility.check import check
from neuroemu.feasibility.leak import dead_zone, raw_multiplier
from neuroemu.testing.case import Case
from neuroemu.testing.strategies import cases


@settings(  # a failing case is large; shrinking it takes minutes
    max_examples=40,
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
    reach = {r.population: r.experiment for r in found.ranges}
    wide = {w.site: (w.low, w.high) for w in found.widest}

    def trace(site: str, _trial: int, index: int, _step: int, met: Any, stored: Any) -> None:
        if site in ("leak", "input"):
            low, high = reach[owner[index]]
            slack = 1e-12 * abs(stored * lsb) if d.is_analog else 0.0
            assert low - slack <= stored * lsb <= high + slack, site
        if site in wide and not d.is_analog:
            assert wide[site][0] <= met <= wide[site][1], site
        if site == "leak" and not d.is_analog and not d.sites["leak"].is_stochastic:
            zone = dead_zone(d.sites["leak"], raw_multiplier(d, owner[index]))
            v = met // raw_multiplier(d, owner[index]) if raw_multiplier(d, owner[index]) else 0
            if v and met:
                assert (stored == v) == (zone[0] <= v <= zone[1])

    try:
        run_exact(case.experiment, case.target, trace=trace, **case.input)
    except FixedPointOverflowError as error:
        site = str(error).split(" site ")[1].split()[0]
        known = {"input": "refused", "drive": "refused"}
        if not d.clock.period_steps:  # else how many spikes come in a period is a matter of chance
            known["accumulate"] = "accumulator"
        assert site not in known or known[site] in {f.kind for f in found.all_findings}, site
