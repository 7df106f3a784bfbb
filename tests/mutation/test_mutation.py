"""The mutation test is fit to run: every fault still meets its source, and what it reports is what happened.

The faults themselves take an hour (``make mutants``); here a few are tried on a few tests.
"""

import ast
import builtins
import json
from pathlib import Path

import pytest

from tests.mutation import __main__ as command
from tests.mutation.faults import FILE, KINDS, Fault, FaultError, load, named
from tests.mutation.judges import VERIFY, judges, pytest_command, rounds
from tests.mutation.score import as_json, did_as_it_should, score, show
from tests.mutation.store import Store, digest_of
from tests.mutation.trial import ROOT, Outcome, TrialError, snapshot, try_fault

FAULTS = load()
ARITHMETIC = ("numeric", "models", "hardware", "engine")


def fault(name: str = "one", **changes: object) -> Fault:
    """A fault of a text that every format meets."""
    fields = {
        "name": name,
        "kind": "overflow",
        "file": "neuroemu/numeric/format.py",
        "find": "return -int(2 ** (self.width - 1)) if self.signed else 0",
        "replace": "return 1 - int(2 ** (self.width - 1)) if self.signed else 0",
    }
    return Fault(**(fields | changes))  # type: ignore[arg-type]


# The list


@pytest.mark.parametrize("one", FAULTS, ids=lambda f: f.name)
def test_a_fault_meets_its_source_and_leaves_python(one: Fault) -> None:
    text = (ROOT / one.file).read_text(encoding="utf-8")
    changed = one.applied(text)
    same = ast.dump(ast.parse(changed)) == ast.dump(ast.parse(text))
    assert not same
    assert one.file.split("/")[:2] in [["neuroemu", folder] for folder in ARITHMETIC]


def names_not_bound(text: str) -> set[str]:
    """Names that a text uses and binds nowhere."""
    used, bound = set(), set(dir(builtins)) | {"__file__"}
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                used.add(name)
            case ast.Name(id=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.alias(name=name, asname=other):
                bound.add(other or name.split(".")[0])
    return used - bound


@pytest.mark.parametrize("one", FAULTS, ids=lambda f: f.name)
def test_a_fault_is_no_name_error(one: Fault) -> None:
    """Any test would catch that."""
    changed = one.applied((ROOT / one.file).read_text(encoding="utf-8"))
    assert names_not_bound(changed) == set()


def test_a_name_that_is_bound_nowhere_is_found() -> None:
    text = "from a import b\ndef f(x):\n    y = b(x) + z\n    return y + len(x)"
    assert names_not_bound(text) == {"z"}


def test_the_list_is_long_and_of_every_kind() -> None:
    tried = [f for f in FAULTS if not f.equivalent]
    assert len(tried) >= 60
    assert {f.kind for f in FAULTS} == set(KINDS)
    changes = [(f.file, f.find, f.replace) for f in FAULTS]
    assert len(set(changes)) == len(changes)
    for one in FAULTS:
        assert not one.equivalent or len(one.equivalent.split()) > 10, f"{one.name}: argue it"


def test_a_fault_has_tests_beside_it_that_come_first() -> None:
    for one in FAULTS:
        first, *others = rounds(ROOT, one.file)
        assert first and others, one.file
        files = [f for files in (first, *others) for f in files]
        assert len(set(files)) == len(files)
        assert all((ROOT / f).is_file() for f in files)
        assert judges(ROOT, one.file)[-1] == VERIFY


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"find": "no such text"}, "occurs 0 times"),
        ({"find": "self.width", "replace": "self.wide"}, r"occurs \d+ times"),
        ({"kind": "odd"}, "none of"),
        ({"replace": "return -int(2 ** (self.width - 1)) if self.signed else 0"}, "text itself"),
    ],
)
def test_what_is_no_fault_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(FaultError, match=message):
        fault(**changes).applied((ROOT / "neuroemu/numeric/format.py").read_text(encoding="utf-8"))


def test_names_are_unique_and_patterns_meet_some(tmp_path: Path) -> None:
    twice = tmp_path / "faults.toml"
    twice.write_text(FILE.read_text(encoding="utf-8") + FILE.read_text(encoding="utf-8"), "utf-8")
    with pytest.raises(FaultError, match="twice"):
        load(twice)
    assert [f.name for f in named(FAULTS, ["philox*", "nothing"])] == [
        "nothing",
        "philox-nine-rounds",
    ]
    with pytest.raises(FaultError, match="no fault is named"):
        named(FAULTS, ["philoxx"])


# Trials, for real but with few tests


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return snapshot(tmp_path_factory.mktemp("mutation") / "sources")


FORMATS = "tests/numeric/test_format.py"
QUICK = [pytest_command([FORMATS])]


def test_a_fault_is_caught_in_a_copy_by_the_test_that_fails(sources: Path) -> None:
    outcome = try_fault(fault(), sources, QUICK)
    assert (outcome.how, outcome.is_caught) == ("test", True)
    assert outcome.by.startswith("tests/numeric/test_format.py::test_a_register_of_n_bits")
    assert outcome.why and outcome.seconds > 0
    unchanged = (ROOT / fault().file).read_text(encoding="utf-8")
    assert (sources / fault().file).read_text(encoding="utf-8") == unchanged


def test_no_fault_is_not_caught(sources: Path) -> None:
    (nothing,) = named(FAULTS, ["nothing"])
    outcome = try_fault(
        nothing, sources, [*QUICK, pytest_command(["tests/models/test_discretize.py"])]
    )
    assert (outcome.how, outcome.is_caught, outcome.by) == ("survived", False, "")


@pytest.mark.parametrize(
    ("replacement", "how"),
    [
        ("return undefined_name", "test"),
        ("__import__('os').abort()", "crash"),
        ("__import__('signal').raise_signal(27)", "time-out"),  # what a test that hangs is sent
    ],
)
def test_how_a_fault_shows_is_told_apart(sources: Path, replacement: str, how: str) -> None:
    outcome = try_fault(fault(replace=replacement), sources, QUICK)
    assert outcome.how == how
    assert outcome.by.startswith("tests/numeric/test_format.py::")


def test_a_package_that_cannot_be_imported_is_caught(sources: Path) -> None:
    broken = fault(find="import re\n", replace="import no_such_module\n")
    outcome = try_fault(broken, sources, QUICK)
    assert (outcome.how, outcome.by) == ("import", FORMATS)


def test_judges_that_do_not_judge_are_no_verdict(sources: Path) -> None:
    with pytest.raises(TrialError, match="nothing had failed"):
        try_fault(fault(), sources, [pytest_command(["tests/numeric/no_such_test.py"])])


def test_a_trial_that_takes_too_long_is_ended(sources: Path) -> None:
    outcome = try_fault(fault(), sources, QUICK, limit_s=0.05)
    assert outcome.how == "time-out"
    assert outcome.seconds < 30


# What is kept and shown


def test_outcomes_are_kept_for_the_same_sources_alone(tmp_path: Path) -> None:
    path, outcome = tmp_path / "build" / "kept.json", Outcome(how="test", by="a", seconds=1.5)
    Store(path, "now").put(fault(), outcome)
    again = Store(path, "now")
    assert again.get(fault()) == outcome
    assert again.get(fault(equivalent="an argument is no change")) == outcome
    assert again.get(fault(replace="return 0")) is None
    assert Store(path, "later").get(fault()) is None
    assert [p.name for p in path.parent.iterdir()] == ["kept.json"]


def test_the_digest_is_of_everything_but_the_list(tmp_path: Path, sources: Path) -> None:
    copy = snapshot(tmp_path / "copy", sources)
    before = digest_of(copy)
    (copy / FILE.relative_to(ROOT)).write_text("", encoding="utf-8")
    assert digest_of(copy) == before == digest_of(sources)
    fault().apply(copy)
    assert digest_of(copy) != before


RESULTS = {
    fault("a"): Outcome(how="test", by="tests/numeric/test_format.py::test[fxp-u6/5]", seconds=2.0),
    fault("b", kind="random"): Outcome(how="crash", by="tests/x.py::y", why="SIGSEGV", seconds=3.0),
    fault("c"): Outcome(how="survived", seconds=9.0),
    fault("d", equivalent="The two never differ."): Outcome(how="survived", seconds=9.0),
    fault("e", equivalent="So it was said."): Outcome(how="test", by="tests/x.py::z"),
}


def test_the_score_counts_what_a_test_can_tell(capsys: pytest.CaptureFixture[str]) -> None:
    assert score(RESULTS) == (2, 3)
    assert [did_as_it_should(f, o) for f, o in RESULTS.items()] == [True, True, False, True, False]
    data = json.loads(json.dumps(as_json(RESULTS)))
    assert (data["caught"], data["tried"], data["equivalent"]) == (2, 3, 2)
    assert [f["how"] for f in data["faults"]] == ["test", "crash", "survived", "survived", "test"]
    show(RESULTS)
    shown = capsys.readouterr().out
    assert "2 of 3 faults were caught" in shown
    assert "c in neuroemu/numeric/format.py survived" in shown
    assert "e in neuroemu/numeric/format.py was caught, and is argued equivalent" in shown
    assert "d is equivalent: The two never differ." in shown
    assert "test_format::test[fxp-u6/5]" in shown
    assert max(len(line) for line in shown.splitlines()) <= 100


def test_a_run_goes_on_where_it_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sources: Path
) -> None:
    tried: list[str] = []

    def known(one: Fault, *_: object) -> Outcome:
        tried.append(one.name)
        return Outcome(how="survived" if one.equivalent else "test")

    monkeypatch.setattr(command, "try_fault", known)
    monkeypatch.setattr(command, "KEPT", tmp_path / "kept.json")
    monkeypatch.setattr(command, "snapshot", lambda folder: sources)
    first, all_of_them = named(FAULTS, ["nothing", "philox*"]), FAULTS[:8]
    command.run(first, 1, again=False)
    results = command.run(all_of_them, 2, again=False)
    assert list(results) == all_of_them
    assert sorted(tried) == sorted({f.name for f in (*first, *all_of_them)})
    command.run(first, 1, again=True)
    assert tried.count("nothing") == 2


def test_a_run_stops_where_a_judge_fails_without_a_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sources: Path
) -> None:
    caught = Outcome(how="test", by="tests/x.py::y", why="it was broken before")
    monkeypatch.setattr(command, "try_fault", lambda *_: caught)
    monkeypatch.setattr(command, "KEPT", tmp_path / "kept.json")
    monkeypatch.setattr(command, "snapshot", lambda folder: sources)
    with pytest.raises(TrialError, match="y fails without a fault: it was broken before"):
        command.run(FAULTS[:2], 1, again=False)
