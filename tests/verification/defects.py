"""Defects to plant: every one is data, so that no kernel has to be compiled for it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from neuroemu.engine import collect, simulate
from neuroemu.models import discretize
from neuroemu.numeric.site import Site


def addends(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Site, tuple[int, ...]], tuple[int, ...]]
) -> None:
    """Change what sites add before they shift, in every container."""
    right: Any = Site.addends.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(Site, "addends", property(lambda self: change(self, right(self))))


def base_of(name: str, by: int) -> Callable[[Site, tuple[int, ...]], tuple[int, ...]]:
    """Add to the base of one site."""

    def change(site: Site, found: tuple[int, ...]) -> tuple[int, ...]:
        return (found[0] + by, *found[1:]) if site.name == name and site.shift else found

    return change


def words_of_half_the_size(site: Site, found: tuple[int, ...]) -> tuple[int, ...]:
    """Let stochastic sites take one bit too few of their word."""
    return (*found[:3], found[3] + 1) if site.is_stochastic else found


def field(monkeypatch: pytest.MonkeyPatch, method: str, **by: float) -> None:
    """Add to fields of what ``Site.as_...`` returns."""
    right = getattr(Site, method)

    def wrong(self: Site, *args: Any) -> Any:
        made = right(self, *args)
        return made._replace(
            **{n: type(getattr(made, n))(getattr(made, n) + x) for n, x in by.items()}
        )

    monkeypatch.setattr(Site, method, wrong)


def rounding_in_the_plan(monkeypatch: pytest.MonkeyPatch, name: str, rounding: Any) -> None:
    """Let `discretize` mistake the rounding of one site."""
    right = discretize.build_sites

    def wrong(*args: Any) -> Any:
        sites = right(*args)
        return sites | {n: replace(s, rounding=rounding) for n, s in sites.items() if n == name}

    monkeypatch.setattr(discretize, "build_sites", wrong)


def narrower_proof(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Prove too much about one site."""
    right = discretize.widest_values

    def wrong(*args: Any) -> Any:
        widest = right(*args)
        return widest | {n: (lo // 4, hi // 4) for n, (lo, hi) in widest.items() if n == name}

    monkeypatch.setattr(discretize, "widest_values", wrong)


def silent_overflow(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Lose what a site counted."""
    right = collect._site_counts

    def wrong(tally: Any) -> Any:
        counts = right(tally)
        counts[name]["overflowed"] = 0
        return counts

    monkeypatch.setattr(collect, "_site_counts", wrong)


def forgetful_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget at the end of a chunk that neurons are refractory."""
    right = simulate.Session.run_until

    def wrong(self: Any, stop: int) -> None:
        right(self, stop)
        self.state.neurons.refractory[:] = 0

    monkeypatch.setattr(simulate.Session, "run_until", wrong)


def words_by_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw random words by a trial's place in the run, not by its number."""
    right = simulate.Session.__init__

    def wrong(self: Any, experiment: Any, arithmetic: Any, trains: Any, seed: int, _: int) -> None:
        right(self, experiment, arithmetic, trains, seed, 0)

    monkeypatch.setattr(simulate.Session, "__init__", wrong)


def period_of_fast_chips(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count one step too many to the period where hardware is faster."""
    right = discretize.target_clock

    def wrong(experiment: Any, target: Any) -> Any:
        clock = right(experiment, target)
        late = target.time.acceleration > 1000 and clock.period_steps
        return (
            replace(clock, period_steps=clock.period_steps + 1, row_steps=clock.row_steps + 1)
            if late
            else clock
        )

    monkeypatch.setattr(discretize, "target_clock", wrong)


def dropped_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the executor drop what would lift a membrane above half its threshold."""
    from neuroemu.engine import exact_trial

    right = exact_trial.receive

    def wrong(state: Any, drive: Any, params: Any, sites: Any) -> Any:
        after, wide = right(state, drive, params, sites)
        return (state if after.v > params.threshold / 2 else after), wide

    monkeypatch.setattr(exact_trial, "receive", wrong)
