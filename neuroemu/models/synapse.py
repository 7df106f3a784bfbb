"""From a stored weight to the membrane's scale: line 4 of docs/spec/lif.md."""

from __future__ import annotations

from typing import Any, NamedTuple

from neuroemu.numeric.ops import requantize


class SynapseSites(NamedTuple):
    """Where a synapse narrows."""

    drive: Any


def drive(weight: Any, gain: Any, sites: Any, bits: Any) -> Any:
    """Return what one spike adds to the membrane, in the membrane's unit."""
    return requantize(weight * gain, sites.drive, bits)
