"""Laws about how many spikes a neuron sends, and what they take from its membrane."""

from __future__ import annotations

import numpy as np

from neuroemu.engine.run import Run
from neuroemu.verification.agreement import golden_differs
from neuroemu.verification.definition import Ints
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Law, Outcome, Setting, does_not_apply, holds
from neuroemu.verification.leaks import ANALOG, Leaked, leaked, shown_at, states

NO_SUBTRACTION = "a spike resets the membrane"


def most_spikes(e: Evidence) -> int:
    """Return how many spikes a neuron may send in a step."""
    table = e.case.target.neuron
    return 1 if table is None else table.most_spikes


def sends_too_many(e: Evidence) -> str | None:
    """Return a neuron that sends more spikes in a step than the target lets it."""
    if not isinstance(e.kernel, Run):
        return None
    for name, spikes in e.kernel.spikes.items():
        for trial, (steps, neurons) in enumerate(zip(spikes.steps, spikes.neurons, strict=True)):
            rows = np.stack((steps, neurons), axis=1)
            who, n = np.unique(rows, axis=0, return_counts=True)
            over = np.flatnonzero(n > most_spikes(e))
            if over.size:
                step, neuron = who[over[0]].tolist()
                return f"{name}[{neuron}] sends {n[over[0]]} spikes in step {step} of trial {trial}"
    return None


def resets_conserve(setting: Setting) -> Outcome:
    """Hold membranes after spikes against those that were kept from spiking."""
    table = setting.target.neuron
    if setting.plan.is_analog:
        return does_not_apply(ANALOG)
    if table is None or table.reset != "subtract":
        return does_not_apply(NO_SUBTRACTION)
    count, how = 0, states(setting, "resets-conserve")[1]
    site, most = setting.plan.sites["membrane"], table.most_spikes
    for piece in leaked(setting, "resets-conserve", own=(True,)):
        count += piece.v.size
        step, threshold = int(piece.step.r.reset), int(piece.step.r.threshold)
        before = _unfired(piece)
        left = before - piece.spikes * step
        kept = (piece.spikes == 0) | (piece.after == left) | (left < site.lo)
        tested = piece.v if table.tests == "unleaked" else before
        rest = tested - piece.spikes * step
        enough = (piece.spikes == most) | (rest <= threshold)
        needed = (piece.spikes == 0) | (rest + step > threshold)
        wrong = np.flatnonzero(~(kept & enough & needed & (piece.spikes <= most)))
        if wrong.size:
            at = int(wrong[np.argmin(np.abs(piece.v[wrong]))])
            text = (
                f"population {piece.name}: {piece.spikes[at]} spikes take a membrane of {before[at]} LSB to "
                f"{piece.after[at]}; a spike takes {step} LSB, the threshold is {threshold}"
            )
            return shown_at(setting, piece, at, text, how, count, golden_differs)
    return holds(how, count)


def _unfired(piece: Leaked) -> Ints:
    """Return the membranes before the spikes of the step took anything."""
    return piece.step.unfired({"v": piece.v}, piece.words)


LAWS = (
    Law(
        name="resets-conserve",
        sentence="A subtracting reset takes a threshold for each spike, and leaves less unless it sends all it may.",
        kind="emulator",
        judge=golden_differs,
        test=resets_conserve,
    ),
)

SAMPLED_LAWS = (
    Law(
        name="spikes-are-bounded",
        sentence="No neuron sends more spikes in a step than the target lets it.",
        kind="emulator",
        judge=sends_too_many,
        judges=lambda e: isinstance(e.kernel, Run),
        unless="every run was refused",
    ),
)
