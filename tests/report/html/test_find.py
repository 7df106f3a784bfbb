"""``neuroemu report`` as a person meets it: what it takes, and what it says otherwise."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from neuroemu.errors import OutputError
from neuroemu.report.html.find import page_of
from tests.report.html.runs import run


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("runs"), "generic4")


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "generic4")


def report(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "neuroemu", "report", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def change(path: Path, **values: Any) -> None:
    data = json.loads(path.read_text()) | values
    path.write_text(json.dumps(data))


def test_a_report_lies_beside_the_run_or_where_it_is_asked_for(copy: Path, tmp_path: Path) -> None:
    done = report(copy)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Report: {copy / 'report.html'}\n"
    elsewhere = tmp_path / "for" / "you.html"
    done = report(copy, "--out", elsewhere)
    assert done.stdout == f"Report: {elsewhere}\n"
    assert elsewhere.read_bytes() == (copy / "report.html").read_bytes()


def test_a_report_loads_no_kernel_and_draws_nothing(written: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from neuroemu.report.html.find import page_of; "
        f"page_of(Path({str(written)!r})); print([m for m in ('numba', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_no_run_is_told_what_it_has_to_be(written: Path, tmp_path: Path) -> None:
    for path, remedy in (
        (tmp_path / "nothing", "there is no such folder"),
        (written / "verdict.json", f"this is a file; give its folder, {written}"),
        (written.parent, "name one of generic4"),
        (tmp_path, "this one holds none of them"),
    ):
        with pytest.raises(OutputError, match="a report needs the folder of a run") as caught:
            page_of(path)
        assert remedy in str(caught.value)
    done = report(tmp_path / "nothing")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("file", "values", "why"),
    [
        ("verdict.json", {"attribution": {}}, "no 'steps'"),
        ("verdict.json", {"decision": {"verdict": "shifted"}}, "no 'reason'"),
        ("verdict.json", {"sites": {"store": {}}}, "no 'overflowed'"),
        ("manifest.json", {"constants": [{"key": "a", "flags": [], "colour": 1}]}, "colour"),
        ("manifest.json", {"target": {"name": "x"}}, "manifest.json:target"),
        ("manifest.json", {"time": None}, "NoneType"),
    ],
)
def test_a_folder_of_another_version_is_told_which_wrote_it(
    copy: Path, file: str, values: dict[str, Any], why: str
) -> None:
    change(copy / "manifest.json", versions={"neuroemu": "0.0.9"})
    change(copy / file, **values)
    with pytest.raises(OutputError, match=r"written by neuroemu 0\.0\.9 .*run it again") as caught:
        page_of(copy)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_folder_is_named(copy: Path) -> None:
    (copy / "verdict.json").write_text("{")
    with pytest.raises(OutputError, match=r"verdict\.json: a report needs this file; no JSON"):
        page_of(copy)
    (copy / "verdict.json").unlink()
    with pytest.raises(OutputError, match=r"verdict\.json: .*No such file"):
        page_of(copy)


def test_a_folder_without_figures_is_named(copy: Path) -> None:
    for name in ("figure.svg", "figure.png"):
        (copy / name).unlink()
    with pytest.raises(OutputError, match=r"figure\.svg or figure\.png"):
        page_of(copy)


def test_a_place_that_cannot_be_written_is_one_clear_line(copy: Path) -> None:
    for out in ("/proc/nowhere/report.html", copy):
        done = report(copy, "--out", out)
        assert done.returncode == 2
        assert f"--out = {out}: the report must be writable there" in done.stderr
        assert done.stderr.count("\n") == 1
    assert (copy / "manifest.json").is_file()
    assert not list(copy.parent.glob(".*"))
