"""The certificate: every law once, the same for the same seed, nothing left behind."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from neuroemu.errors import ConfigError
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.testing.search import search
from neuroemu.verification.certificate import certificate_of, setting_for, try_laws, verify
from neuroemu.verification.laws import LAWS, law_named
from neuroemu.verification.neighbourhood import cases_around

PAGE = Path(__file__).parents[2] / "docs" / "spec" / "laws.md"


def test_every_law_has_its_section_and_every_section_its_law() -> None:
    sections = re.findall(r"^### ([a-z0-9-]+)$", PAGE.read_text(encoding="utf-8"), re.M)
    assert sections == [law.name for law in LAWS]
    assert len({law.name for law in LAWS}) == len(LAWS)
    assert {law.kind for law in LAWS} == {"emulator", "arithmetic"}
    assert law_named("membrane-decays") in LAWS
    assert law_named("no-such-law") is None


def test_a_whole_certificate() -> None:
    seen: list[tuple[float, str]] = []
    found = verify(
        load_target("generic8"), examples=3, progress=lambda part, what: seen.append((part, what))
    )
    assert [r.law for r in found.results] == list(LAWS)
    assert not found.faults
    assert {r.law.name for r in found.findings} == {
        "input-reaches-threshold",
        "updates-keep-their-size",
    }
    parts = [part for part, _ in seen]
    assert parts == sorted(parts) and parts[0] >= 0 and parts[-1] <= 1
    assert ("case 1 of 3" in [what for _, what in seen]) and seen[0][1] == "leak-as-defined"
    data = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert (data["target"], data["faults"], data["findings"]) == ("generic8", 0, 2)
    assert data["laws"][0] == {
        "law": "kernel-is-executor",
        "sentence": LAWS[0].sentence,
        "kind": "emulator",
        "page": "spec/laws.html#kernel-is-executor",
        "status": "holds",
        "how": "sampled",
        "cases": 3,
        "text": "",
        "small": False,
        "numbers": {},
    }


def test_the_same_seed_draws_the_same_cases() -> None:
    plan = setting_for(load_target("generic8"), experiment=None, examples=1, seed=0).plan

    def drawn(seed: int) -> list[str]:
        cases: list[str] = []

        def note(case: object) -> bool:
            cases.append(json.dumps(case.as_json()))  # type: ignore[attr-defined]
            return False

        assert search(cases_around(plan), note, examples=4, seed=seed) is None
        return cases

    assert drawn(5) == drawn(5)
    assert drawn(5) != drawn(6)
    assert len(set(drawn(5))) == 4


def test_cases_are_on_the_target_and_on_its_neighbours() -> None:
    target = load_target("generic8")
    plan = setting_for(target, experiment=None, examples=1, seed=0).plan
    own: list[bool] = []
    search(
        cases_around(plan),
        lambda case: own.append(case.target == target) or False,  # type: ignore[func-returns-value]
        examples=20,
        seed=0,
    )
    assert 3 <= sum(own) <= 17


def test_nothing_is_written_and_nothing_warned_of(tmp_path: Path) -> None:
    code = (
        "import neuroemu.hardware.load as load\n"
        "from neuroemu.verification import verify\n"
        "laws = ['chunks-change-nothing', 'leak-as-defined']\n"
        "found = verify(load.load_target('generic8'), examples=3, laws=laws)\n"
        "print([r.outcome.status for r in found.results])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "['holds', 'holds']"
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("argument", "value"), [("examples", 0), ("examples", 2.5), ("seed", -1), ("seed", True)]
)
def test_numbers_out_of_range_are_refused(argument: str, value: object) -> None:
    numbers = {"examples": 1, "seed": 0} | {argument: value}
    with pytest.raises(ConfigError, match=f"{argument} = {value}: {argument} is a whole number"):
        setting_for(load_target("generic8"), experiment=None, **numbers)  # type: ignore[arg-type]


def test_an_unknown_law_is_refused() -> None:
    with pytest.raises(ConfigError, match="laws = nonsense: no law has this name"):
        verify(load_target("generic8"), laws=["nonsense"])


def test_an_experiment_that_does_not_fit_is_refused_before_any_law() -> None:
    long = load_experiment(
        "spike_based_homeostasis", ["populations.with_homeostasis.v_reset=-100.0"]
    )
    with pytest.raises(ConfigError, match="v_reset"):
        verify(load_target("generic8"), experiment=long)


def test_what_is_known_before_an_interruption_is_a_certificate() -> None:
    setting = setting_for(load_target("generic8"), experiment=None, examples=1, seed=0)
    some = []
    for result in try_laws(setting, ["membrane-decays", "leak-as-defined"], lambda *_: None):
        some.append(result)
        break
    found = certificate_of(setting, some, 1.0)
    assert [r.law.name for r in found.results] == ["leak-as-defined"]


def test_a_network_of_many_neurons() -> None:
    laws = [law.name for law in LAWS if law.test is not None]
    found = verify(
        load_target("brainscales2"),
        experiment=load_experiment(
            "homeostatic_population", ["time.duration_ms=500.0", "question.settle_ms=0.0"]
        ),
        laws=laws,
    )
    assert not found.faults
