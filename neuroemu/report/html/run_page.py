"""The report of one run."""

from __future__ import annotations

from neuroemu.metrics.verdict import Verdict
from neuroemu.report.html import run_tables as tables
from neuroemu.report.html.embed import picture
from neuroemu.report.html.parts import Badge, Facts, Headline, Page, Paragraph, Part, Section
from neuroemu.report.html.quantities import duration, plain, signed, tight
from neuroemu.report.html.reproduce import again
from neuroemu.report.html.saved import SavedRun

RATIO_OF_REGULATION = "two thirds or less is regulated"


def run_page(run: SavedRun) -> Page:
    """Return the report of a run."""
    return Page(
        title=f"{run.experiment.title} on {run.target.name}",
        about=f"{run.target.title}. {extent(run)}.",
        headlines=[Headline(badge=badge(run), sentence=tight(run.sentence))],
        sections=[
            Section(title="Phases", parts=[_phases(run), Facts(rows=_rates(run))]),
            Section(title="Figure", parts=[_figure(run)]),
            Section(title="Constants", parts=[tables.constants_table(run)]),
            Section(
                title="Attribution",
                parts=[tables.attribution_table(run), Facts(rows=_causes(run))],
            ),
            Section(title="Sites", parts=_sites(run)),
            Section(title="Time", parts=[Facts(rows=times(run))]),
            Section(title="Versions", parts=[Facts(rows=versions(run))]),
            again([run]),
        ],
    )


def badge(run: SavedRun) -> Badge:
    """Return the verdict."""
    return Badge(look=str(run.decision.verdict), word=str(run.decision.verdict))


def extent(run: SavedRun) -> str:
    """Return how much was run."""
    seconds = run.experiment.time.duration_ms / 1000
    trials = f"{run.trials} trial{'s' if run.trials > 1 else ''}"
    return f"{seconds:g} s biological, {trials}, seed {run.seed}"


def _phases(run: SavedRun) -> Part:
    return tables.phase_table(run, of=" on the target", note=tables.phase_note(run))


def _figure(run: SavedRun) -> Part:
    return picture(
        run.folder,
        "figure",
        alt=f"Plastic weight, stimulus, output rate and difference from the float reference over biological time, "
        f"on {run.target.name}, in float and without homeostasis. The phase means stand in the table of phases.",
        caption=f"Plastic weight, stimulus, output rate, and target minus float over time: {run.target.name} against "
        "the float reference on the same input spikes.",
    )


def _rates(run: SavedRun) -> list[tuple[str, str]]:
    decision = run.decision
    found = [("Set point", f"{decision.set_point_hz:g} Hz asked{_realised(run)}")]
    ratio = decision.spread_ratio
    if ratio is not None:
        interval = "" if ratio.low is None else f" ({ratio.low:.2f} to {ratio.high:.2f})"
        found.append(
            (
                "Spread over phases",
                f"{ratio.value:.2f}{interval} of the control's; {RATIO_OF_REGULATION}",
            )
        )
    found.append(("Expected before the run", tight(_expected(run))))
    return found


def _realised(run: SavedRun) -> str:
    found = run.decision.realised_set_point
    if found is None:
        return ", none realised"
    interval = "" if found.low is None else f" ({found.low:.1f} to {found.high:.1f})"
    return f", {found.value:.1f} Hz realised{interval}"


def _expected(run: SavedRun) -> str:
    verdict, sentence = run.prediction["verdict"], run.prediction["sentence"]
    return f"{verdict}. {sentence}" if verdict else str(sentence)


def _causes(run: SavedRun) -> list[tuple[str, str]]:
    found = [("Site to blame", blame(run))]
    recovered = run.blame["recovered"] if run.blame else {}
    if recovered:
        back = ", ".join(f"{site} {signed(hz, 1)} Hz" for site, hz in recovered.items())
        found.append(("Made exact, one by one", f"changes the rate in the worst phase by: {back}"))
    d = run.divergence
    first = "never"
    if d is not None:
        first = (
            f"step {d['step']:,} ({plain(d['time_ms'])} ms) of trial {d['trial']}: {d['register']}, "
            f"by {d['site']}"
        )
    found.append(("First difference from float", first))
    if run.weight_error is not None:
        e = run.weight_error
        found.append(
            (
                "Weight against float",
                f"mean {signed(e['mean'], 2)} LSB, rms {e['rms']:.2f}, largest {e['max_abs']:.2f}",
            )
        )
    for rung, name in (("ideal", "float"), ("fixed", "target")):
        if rung in run.settling_ms:
            times_s = ", ".join(
                "never" if t is None else f"{t / 1000:.2f}" for t in run.settling_ms[rung]
            )
            found.append((f"Settling, {name}", f"{times_s} s in the phases (median over trials)"))
    return found


def blame(run: SavedRun) -> str:
    """Return which site costs most, or why none is named."""
    if run.blame is None:
        if run.decision.verdict is Verdict.SURVIVES:
            return "not sought: the rate is within the margin"
        if run.decision.verdict is Verdict.INCONCLUSIVE:
            return "not sought: no loss is shown"
        return "none: this chip does not compute the rule"
    site, rung = run.blame["site"], run.blame["rung"]
    if not site:
        return f"no single site; the loss comes with {rung}: {tables.RUNGS.get(rung, '')}"
    words = run.site_words.get(site)
    return f"{site}: {words}" if words else str(site)


def _sites(run: SavedRun) -> list[Part]:
    table = tables.sites_table(run)
    still = [n for n, did in run.sites.items() if not (did["overflowed"] or did["lost"])]
    parts: list[Part] = [] if table is None else [table]
    if still:
        parts.append(
            Paragraph(text=f"No overflow, and nothing rounded away, at: {', '.join(still)}.")
        )
    return parts


def times(run: SavedRun) -> list[tuple[str, str]]:
    """Return every time, biological and hardware."""
    t = run.time

    def both(name: str) -> str:
        biological, hardware = t[f"{name}_ms_biological"], t[f"{name}_us_hardware"]
        return f"{duration(1000 * biological)} biological, {duration(hardware)} on the chip"

    found = [
        ("Whole run", f"{both('duration')}; {t['acceleration']:,g} times faster than biology"),
        ("Step", f"{both('step')}; {t['steps']:,} of them"),
    ]
    if t["plasticity_period_ms_biological"]:
        found.append(("Weights are updated every", both("plasticity_period")))
    if run.input_coincidences:
        found.append(
            (
                "Input",
                f"{run.input_coincidences:,} spikes share a step with another of their source",
            )
        )
    return found


def versions(run: SavedRun) -> list[tuple[str, str]]:
    """Return what ran, and what identifies it."""
    names = ", ".join(f"{name} {number}" for name, number in run.versions.items())
    found = [("Software", names), ("Digest", run.digest)]
    if run.input_digest:
        found.append(("Digest of the input", run.input_digest))
    return [*found, ("Target", f"{run.target.title}; exactness: {run.target.exactness}")]
