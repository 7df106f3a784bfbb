"""Overflows of a chip's neuron from the trace of its sites: docs/spec/chip-neuron.md, line by line."""

from __future__ import annotations

from collections.abc import Iterator

from neuroemu.verification.definition import rounded
from neuroemu.verification.evidence import Evidence, Passed

STEP = ("decay", "decay", "current", "current", "force", "leak", "slope", "slope")
"""Sites of lines 2 and 3 in their order; `membrane` follows, once while waiting and twice else."""


def overflows_of_chip(e: Evidence, name: str) -> tuple[int, int]:
    """Return the fewest and the most overflows of `input` or `membrane` that the trace allows."""
    if name == "membrane":
        n = sum(_over_in_step(e, block) for block in blocks(e))
        return n, n
    rows = [p for p in e.trace if p.site == "input"]
    pairs = zip(rows[::2], rows[1::2], strict=True)
    most = sum(_is_over(e, up) or _is_over(e, down) for up, down in pairs)
    table = e.case.target.neuron
    waits = any(r.refractory_steps for r in e.plan.neurons.values())
    loses = table is not None and table.input == "membrane" and waits
    return (
        0 if loses else most
    ), most  # a refractory neuron loses its input, and the trace does not show it


def blocks(e: Evidence) -> Iterator[list[Passed]]:
    """Yield what each neuron narrows in lines 2 to 5 of each step."""
    block: list[Passed] = []
    for p in e.trace:
        if block and (len(block) == len(STEP) + 2 or not _goes_on(block, p)):
            yield block
            block = []
        if block or p.site == "decay":
            block.append(p)
    if block:
        yield block


def _goes_on(block: list[Passed], p: Passed) -> bool:
    first = block[0]
    same = (p.trial, p.lane, p.step) == (first.trial, first.lane, first.step)
    wanted = (*STEP, "membrane", "membrane")[len(block)]
    return same and p.site == wanted


def _over_in_step(e: Evidence, block: list[Passed]) -> bool:
    """Return whether one of the sites that are counted with the neuron left its range."""
    is_live = len(block) == len(STEP) + 2
    counted = block[2:5] + (block[6:9] if is_live else [])
    return any(_is_over(e, p) for p in counted)


def _is_over(e: Evidence, p: Passed) -> bool:
    site = e.plan.sites[p.site]
    return not site.lo <= int(rounded(p.wide, site)) <= site.hi
