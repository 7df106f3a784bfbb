"""What is said of an arithmetic: every site has words, every form of learning its own."""

from __future__ import annotations

import pytest

from neuroemu.divergence import first_divergence
from neuroemu.engine.exact import run_exact
from neuroemu.experiment import Question
from neuroemu.hardware.load import load_experiment, load_target, shipped_targets
from neuroemu.models.discretize import discretize
from neuroemu.wording import SITE_WORDS, site_words, weights

REFERENCE = load_experiment("spike_based_homeostasis")


@pytest.mark.parametrize("name", shipped_targets())
def test_every_site_of_every_target_has_words(name: str) -> None:
    d = discretize(REFERENCE, load_target(name))
    assert all(site_words(d, site) for site in d.sites)
    assert site_words(d, "no site") == ""


def test_a_site_is_named_by_where_the_input_goes() -> None:
    words = {
        name: site_words(discretize(REFERENCE, load_target(name)), "input")
        for name in ("generic16", "loihi1", "xylo", "reckon")
    }
    assert words == {
        "generic16": SITE_WORDS["input"],
        "loihi1": "the range of the input buffer",
        "xylo": "the range of the synaptic current",
        "reckon": SITE_WORDS["input"],
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("spinnaker1", "16-bit weights, updated at presynaptic spikes with rounding down"),
        ("brainscales2", "6-bit weights, updated every 100 ms with rounding down"),
        ("brainscales2-sign", "6-bit weights, updated every 100 ms by the sign of a spike count"),
        ("brainscales1", "4-bit weights, rewritten by a pair controller every 240 ms"),
        ("generic4", "4-bit weights with rounding to nearest"),
    ],
)
def test_how_weights_change(name: str, text: str) -> None:
    d = discretize(REFERENCE, load_target(name))
    assert weights(d) == text
    assert d.target.plasticity.by_increments == ("sign" not in text and "pair" not in text)


@pytest.mark.parametrize(
    ("name", "overrides", "cause"),
    [
        ("generic16", ["plasticity.update=deferred"], "deferred update"),
        ("brainscales2-sign", [], "update period"),
        ("reckon", [], "no on-chip learning"),
    ],
)
def test_a_weight_that_differs_before_anything_is_rounded(
    name: str, overrides: list[str], cause: str
) -> None:
    """The weight of the float reference rises at its first spike, half an LSB and more."""
    question = REFERENCE.question
    assert isinstance(question, Question)
    target = load_target(name, overrides)
    rungs = {"ideal": None, "parameters": target, "range": target, "fixed": target}
    runs = {
        rung: run_exact(
            REFERENCE, chip, rung=None if chip is None else rung, trials=1, n_steps=3000
        )
        for rung, chip in rungs.items()
    }
    found = first_divergence(discretize(REFERENCE, target), question, runs)
    assert found is not None
    assert (found.register, found.rung, found.site) == ("weight", "parameters", cause)
