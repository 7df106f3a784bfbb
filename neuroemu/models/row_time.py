"""Whether a processor gets through all rows before it wakes up again: docs/spec/plasticity.md, "Periodic update"."""

from __future__ import annotations

from neuroemu.models.constants import ConstantsReport
from neuroemu.numeric.constants import decimal


def refuse_short_period(report: ConstantsReport) -> None:
    """Note a period in which the rows of the experiment, its presynaptic units, cannot be served."""
    table, experiment = report.target.plasticity, report.experiment
    if not table.has_period:
        return
    if table.row_time_us is None or table.update_period_us is None:
        return
    pres = {p.pre for p in experiment.projections.values() if p.plasticity is not None}
    units = (experiment.stimuli.get(pre) or experiment.populations[pre] for pre in pres)
    rows = sum(u.size for u in units)
    needed = decimal(table.row_time_us) * rows
    if needed > decimal(table.update_period_us):
        report.refuse(
            "plasticity.update_period_us",
            f"{table.update_period_us:g}",
            "the rows are served within the period",
            f"{rows} rows (presynaptic units) of {table.row_time_us:g} us take {float(needed):g} us",
            f"lengthen it to at least {float(needed):g}",
        )
