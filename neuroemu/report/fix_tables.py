"""What ``neuroemu check --fix`` shows."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from neuroemu.feasibility.repair import Repair
from neuroemu.report.check_tables import finding_list, verdict_or_unknown


def fix_text(repair: Repair) -> RenderableType:
    """Return the changes as arguments and as TOML, their proof, and what is left."""
    parts: list[RenderableType] = [Text("\nThe smallest change of formats", style="bold")]
    if not repair.before.findings:
        return Group(*parts, Text("Nothing to fix."))
    if repair.changes:
        added = f"{repair.added_bits:+} bit{'s' if repair.added_bits != 1 else ''}"
        parts.append(Text(f"{added} over all registers:"))
        parts += [Text(f"  --set {change}") for change in repair.as_overrides()]
        parts += [Text("\nor in the target's file:\n"), Text(repair.as_toml()), Text("")]
        parts.append(_proof(repair))
    else:
        parts.append(Text("No format clears what was found."))
    if repair.unsolved:
        names = ", ".join(repair.unsolved)
        parts.append(Text(f"No added bits clear the findings about: {names}."))
    for key, roundings in repair.roundings.items():
        parts.append(Text(f"Without any bits: {key} = {' or '.join(roundings)}."))
    if repair.after.findings:
        parts += [
            Text("\nLeft, with another remedy", style="bold"),
            finding_list(repair.after.findings),
        ]
    return Group(*parts)


def _proof(repair: Repair) -> Text:
    before, after = len(repair.before.findings), len(repair.after.findings)
    prediction = repair.after.prediction
    text = Text(f"Checked again with it: {before} -> {after} findings")
    if prediction is not None:
        text.append(", predicted ")
        text.append_text(verdict_or_unknown(prediction))
    return text.append(".")
