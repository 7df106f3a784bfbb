"""Parts of a study that ran apart: together they are the whole, bit for bit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from neuroemu.errors import ConfigError, OutputError
from neuroemu.study.results import FILE, load_study
from neuroemu.study.run import run_study
from neuroemu.study.shards import merge
from neuroemu.study.store import BatchKey, reading, writing
from tests.study.small import small_space

SHARDS = 3


def content(folder: Path) -> dict[BatchKey, tuple[dict[str, bytes], str]]:
    with reading(folder / FILE) as store:
        found = {key: store.batch(key) for key in store.batch_keys()}
    return {
        k: ({n: a.tobytes() for n, a in b.arrays.items()}, b.refusal) for k, b in found.items() if b
    }


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The folders of a study's parts."""
    folder = tmp_path_factory.mktemp("parts")
    space = small_space(folder, predict=True, weights=True)
    folders = [folder / str(part) for part in range(1, SHARDS + 1)]
    for part, path in enumerate(folders, 1):
        run_study(space, path, shard=(part, SHARDS), command="neuroemu study small.toml")
    return folders


def test_parts_are_the_whole_bit_for_bit(parts: list[Path], finished: Path, tmp_path: Path) -> None:
    assert merge(tmp_path, parts) == len(content(finished))
    assert content(tmp_path) == content(finished)
    merged, whole = load_study(tmp_path), load_study(finished)
    assert merged.table() == whole.table()
    assert [r.prediction for r in merged.rows] == [r.prediction for r in whole.rows]
    assert merged.runs == whole.runs
    assert merged.command == "neuroemu study small.toml"


def test_the_whole_has_nothing_left_to_run(parts: list[Path], tmp_path: Path) -> None:
    merge(tmp_path, parts)
    runs: list[int] = []
    space = small_space(tmp_path, predict=True, weights=True)
    results = run_study(space, tmp_path, show=lambda work: runs.append(work.runs))
    assert set(runs) <= {0}
    assert results.runs == load_study(tmp_path).runs


def test_merging_again_changes_nothing_and_counts_no_time_twice(
    parts: list[Path], tmp_path: Path
) -> None:
    seconds = [load_study(p).seconds for p in parts]
    assert min(seconds) > 0
    merge(tmp_path / "two", parts[:2])
    assert load_study(tmp_path / "two").seconds == pytest.approx(sum(seconds[:2]))
    merge(tmp_path, [*parts, tmp_path / "two", parts[0]])  # some of it on several ways
    before = content(tmp_path)
    assert merge(tmp_path, parts) == 0
    assert content(tmp_path) == before
    assert load_study(tmp_path).seconds == pytest.approx(sum(seconds))


def test_a_part_that_still_runs_is_merged_as_it_is(parts: list[Path], tmp_path: Path) -> None:
    with writing(parts[0] / FILE):
        assert merge(tmp_path, parts[:1]) == len(content(parts[0]))


def test_a_file_may_be_named_instead_of_its_folder(parts: list[Path], tmp_path: Path) -> None:
    merge(tmp_path / "all.sqlite", [p / FILE for p in parts])
    merge(tmp_path / "all", parts)
    assert load_study(tmp_path / "all.sqlite").table() == load_study(tmp_path / "all").table()


@pytest.fixture
def target(parts: list[Path], tmp_path: Path) -> Path:
    """A folder with the first part, which a refused merge leaves as it was."""
    shutil.copytree(parts[0], tmp_path / "into")
    return tmp_path / "into"


def refused(target: Path, sources: list[Path]) -> str:
    before = content(target), load_study(target).table()
    with pytest.raises((ConfigError, OutputError)) as error:
        merge(target, sources)
    assert (content(target), load_study(target).table()) == before
    return str(error.value)


def test_other_studies_are_refused_with_what_differs(
    parts: list[Path], target: Path, tmp_path: Path
) -> None:
    space = small_space(
        tmp_path, predict=True, weights=True, seed=4, trials={"first": 2, "most": 2}
    )
    run_study(space, tmp_path / "other", shard=(1, 8))
    told = refused(target, [parts[1], tmp_path / "other"]).splitlines()
    place = f"{tmp_path / 'other' / FILE}:study."
    assert [line.split(":")[1].split(" = ")[0] for line in told] == [
        "study.seed", "study.trials.first", "study.trials.most"
    ]  # fmt: skip
    assert told[0].startswith(f"{place}seed = 4: ") and " has 3; " in told[0]


def test_sources_of_different_studies_are_refused_without_a_target(
    parts: list[Path], tmp_path: Path
) -> None:
    space = small_space(tmp_path, predict=True, weights=True, seed=4)
    run_study(space, tmp_path / "other", shard=(1, 8))
    with pytest.raises(ConfigError, match=r"study\.seed = 4"):
        merge(tmp_path / "new", [parts[0], tmp_path / "other"])
    assert not (tmp_path / "new").exists()


def test_another_arithmetic_is_refused(parts: list[Path], target: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(parts[1], other)
    with writing(other / FILE) as store:
        store.set_meta("study", store.meta("study") | {"arithmetic": "0123456789abcdef"})
    assert f"{other / FILE}:arithmetic = 0123456789abcdef: " in refused(target, [other])


def test_a_missing_file_is_told(parts: list[Path], target: Path, tmp_path: Path) -> None:
    told = refused(target, [parts[1], tmp_path / "nowhere"])
    assert told.startswith(f"{tmp_path / 'nowhere'}: there is no such results file")


def test_the_target_itself_is_no_source(parts: list[Path], target: Path) -> None:
    assert "not merged into itself" in refused(target, [parts[1], target])
    assert "not merged into itself" in refused(target, [target / FILE])


def test_a_damaged_file_is_refused(parts: list[Path], target: Path, tmp_path: Path) -> None:
    data = bytearray((parts[1] / FILE).read_bytes())
    data[8192:] = bytes(len(data) - 8192)
    (tmp_path / FILE).write_bytes(data)
    assert "it is damaged" in refused(target, [parts[2], tmp_path])


def test_a_file_without_a_study_is_refused(target: Path, tmp_path: Path) -> None:
    with writing(tmp_path / FILE):
        pass
    assert "no study has begun in this file" in refused(target, [tmp_path])


def test_a_target_that_a_study_writes_to_is_refused(parts: list[Path], target: Path) -> None:
    with writing(target / FILE), pytest.raises(OutputError, match="another study is writing"):
        merge(target, parts)
