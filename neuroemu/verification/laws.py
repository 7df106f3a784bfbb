"""All laws, in the order of docs/spec/laws.md."""

from __future__ import annotations

from neuroemu.verification import (
    agreement,
    deliveries,
    inputs,
    leaks,
    learning,
    membrane,
    own_run,
    periods,
    randomness,
    sites,
    step_sizes,
    updates,
)
from neuroemu.verification.law import Law

LAWS: tuple[Law, ...] = (
    *agreement.LAWS[:4],
    *sites.LAWS,
    *agreement.LAWS[4:],
    *leaks.LAWS,
    *deliveries.LAWS,
    *updates.LAWS,
    *randomness.LAWS,
    *membrane.LAWS,
    *inputs.LAWS,
    *learning.LAWS,
    *step_sizes.LAWS,
    *periods.LAWS,
    *own_run.LAWS,
)


def law_named(name: str) -> Law | None:
    """Return a law, None if there is none of this name."""
    return next((law for law in LAWS if law.name == name), None)
