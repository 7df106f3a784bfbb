"""All laws, in the order of docs/spec/laws.md."""

from __future__ import annotations

from neuroemu.verification import (
    agreement,
    currents,
    deliveries,
    forms,
    inputs,
    leaks,
    learning,
    membrane,
    own_run,
    periods,
    randomness,
    reaching,
    resets,
    sites,
    step_sizes,
    updates,
)
from neuroemu.verification.law import Law

LAWS: tuple[Law, ...] = (
    *agreement.LAWS[:4],
    *sites.LAWS,
    *resets.SAMPLED_LAWS,
    *agreement.LAWS[4:],
    *leaks.LAWS,
    *resets.LAWS,
    *currents.LAWS,
    *deliveries.LAWS,
    *updates.LAWS,
    *forms.LAWS,
    *randomness.LAWS,
    *membrane.LAWS,
    *currents.DECAY_LAWS,
    *inputs.LAWS,
    *reaching.LAWS,
    *learning.LAWS,
    *step_sizes.LAWS,
    *periods.LAWS,
    *forms.LATE_LAWS,
    *own_run.LAWS,
)


def law_named(name: str) -> Law | None:
    """Return a law, None if there is none of this name."""
    return next((law for law in LAWS if law.name == name), None)
