"""A study's results: what single runs give, kept, read back, filtered and exported."""

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pyarrow import parquet

import neuroemu as ne
from neuroemu.errors import ConfigError, OutputError
from neuroemu.metrics.verdict import decide
from neuroemu.metrics.weights import sample_changes
from neuroemu.prediction.predict import predict
from neuroemu.study.export import write_csv, write_parquet
from neuroemu.study.results import StudyResults, load_study
from neuroemu.study.run import run_study
from tests.study.small import small_space


def test_each_point_is_what_single_runs_of_its_configuration_give(results: StudyResults) -> None:
    for row in results.rows[:: len(results.rows) - 1]:
        experiment, target = row.point.experiment, row.point.target
        assert experiment is not None and experiment.question is not None and row.answer is not None
        question, edges = experiment.question, experiment.phase_edges_ms()
        fixed, ideal = (
            ne.simulate(experiment, chip, trials=row.trials, seed=3) for chip in (target, None)
        )
        expected = decide(
            fixed.rates(question.population, edges, question.settle_ms),
            ideal.rates(question.population, edges, question.settle_ms),
            fixed.rates(question.control, edges, question.settle_ms),
            set_point_hz=50.0,
            alpha=0.05 / 2,
        )
        assert row.answer.decision == expected


def test_the_level_is_shared_by_the_looks(results: StudyResults) -> None:
    for row in results.rows:
        assert row.answer is not None
        assert row.answer.decision.alpha == 0.05 / 2


def test_predictions_are_those_of_the_check(results: StudyResults) -> None:
    row = results.rows[0]
    assert row.point.target is not None and row.point.experiment is not None
    expected = predict(ne.discretize(row.point.experiment, row.point.target))
    assert row.prediction is not None
    assert row.prediction["sentence"] == expected.sentence
    assert row.prediction["rates_hz"] == pytest.approx(expected.rates_hz, abs=1e-9)
    assert row.predicted == str(expected.verdict or expected.leaning)


def test_the_weight_s_distribution_is_the_time_spent_in_each_code(results: StudyResults) -> None:
    row = results.rows[-1]
    assert row.point.target is not None and row.point.experiment is not None
    run = ne.simulate(row.point.experiment, row.point.target, trials=row.trials, seed=3)
    record = run.weights["homeostatic"]
    shares: dict[int, float] = {}
    counted = np.zeros(run.n_steps, bool)
    for start in range(0, 20000, 5000):
        counted[start + 1000 : start + 5000] = True
    for changes in record:
        raw = np.zeros(run.n_steps, np.int64)
        for step, code in zip(changes.step, changes.raw, strict=True):
            raw[step + 1 :] = code
        for code, steps in zip(*np.unique(raw[counted], return_counts=True), strict=True):
            shares[int(code)] = shares.get(int(code), 0.0) + int(steps) / counted.sum()
    held = {c: s for c, s in zip(row.codes.tolist(), row.share.tolist(), strict=True) if s > 0}
    assert held == pytest.approx({c: s / row.trials for c, s in shares.items()}, abs=1e-9)


def test_a_second_run_computes_nothing(finished: Path, results: StudyResults) -> None:
    seen = []
    again = run_study(
        small_space(finished, predict=True, weights=True),
        finished,
        command="neuroemu study small.toml",
        show=lambda work: seen.append(work.runs),
    )
    assert again.runs == results.runs
    assert not any(seen)
    assert [r.word for r in again.rows] == [r.word for r in results.rows]


def test_a_changed_study_computes_only_what_changed(tmp_path: Path) -> None:
    run_study(small_space(tmp_path), tmp_path)
    computed = []
    axes = [
        {"name": "rounding", "keys": ["plasticity.weight.rounding"], "values": ["floor"]},
        {"name": "bits", "keys": ["plasticity.weight.format"], "bits": [4, 8]},
    ]
    after = run_study(
        small_space(tmp_path, axes=axes), tmp_path, show=lambda work: computed.append(work.runs)
    )
    assert len(after.rows) == 5
    assert computed[-1] == after.rows[-1].trials


def test_rows_are_filtered_by_any_column(results: StudyResults) -> None:
    assert len(results.where(rounding="floor").rows) == 4
    assert len(results.where(rounding="floor", bits="5").rows) == 1
    word = results.rows[0].word
    assert {r.word for r in results.where(answer=word).rows} == {word}
    assert len(results.where(bits="5.0").rows) == 2
    assert results.where(answer="beyond").rows == ()
    with pytest.raises(ConfigError, match="no such column"):
        results.where(colour="red")
    with pytest.raises(
        ConfigError, match="bits = 9: no point has this value; use one of 4, 5, 6, 7"
    ):
        results.where(bits=9)


def test_csv_and_parquet_hold_the_same_table(results: StudyResults, tmp_path: Path) -> None:
    rows = results.table()
    write_csv(rows, tmp_path / "a.csv")
    write_parquet(rows, tmp_path / "a.parquet")
    with (tmp_path / "a.csv").open(encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    table = parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert [int(r["bits"]) for r in read] == [r["bits"] for r in table] == [4, 5, 6, 7] * 2
    assert [float(r["target_hz_1"]) for r in read] == [r["target_hz_1"] for r in table]
    assert read[0]["answer"] == table[0]["answer"] == results.rows[0].word


def test_a_table_that_cannot_be_written_is_refused(results: StudyResults, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_csv(results.table(), tmp_path / "nowhere" / "a.csv")


@pytest.mark.parametrize("text", ["", "not a database at all" * 100])
def test_what_is_no_results_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.sqlite"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(OutputError):
        load_study(tmp_path)


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no such results file"):
        load_study(tmp_path)


def test_all_synapses_count_whether_they_change_or_not(tmp_path: Path) -> None:
    made = small_space(
        tmp_path,
        experiment="homeostatic_population",
        set=POPULATION,
        axes=[{"name": "rounding", "keys": ["plasticity.weight.rounding"], "values": ["floor"]}],
        question={"metric": "weight_rms", "at_most": 100.0},
        weights=True,
    )
    (row,) = run_study(made, tmp_path).rows
    assert row.answer is not None and row.answer.metric is not None
    experiment, target = row.point.experiment, row.point.target
    assert experiment is not None and target is not None and experiment.question is not None
    name = experiment.question.projection
    fixed, ideal = (
        ne.simulate(experiment, chip, trials=row.trials, seed=3) for chip in (target, None)
    )
    synapses = experiment.populations[experiment.question.population].size  # one to one
    lsb = fixed.weights[name].lsb
    expected = [
        np.sqrt(np.mean([(a - b) ** 2 for a, b in zip(*sides, strict=True)])) / lsb
        for sides in zip(_held(fixed, name, synapses), _held(ideal, name, synapses), strict=True)
    ]
    assert row.answer.metric.value == pytest.approx(np.mean(expected))


POPULATION = {
    "experiment.time.duration_ms": 2000.0,
    "experiment.stimuli.shared.interval_ms": 500.0,
    "experiment.question.settle_ms": 100.0,
    "plasticity.increment.format": "fxp-u16/8",
}


def _held(run: ne.Run, name: str, synapses: int) -> list[list[NDArray[np.float64]]]:
    """By trial and synapse, the weight at 400 times spread evenly."""
    at = np.linspace(0, run.n_steps, 401)[1:].astype(int) - 1
    record = run.weights[name]
    return [
        [
            sample_changes(
                changes.step[changes.synapse == s],
                changes.value[changes.synapse == s],
                record.initial,
                at,
            )
            for s in range(synapses)
        ]
        for changes in record
    ]


def test_a_metric_with_a_bound_is_answered_point_by_point(tmp_path: Path) -> None:
    found = run_study(
        small_space(tmp_path, question={"metric": "weight_rms", "at_most": 4.0}), tmp_path
    )
    by_values = {tuple(r.values.values())[1:]: r for r in found.rows}
    for row in found.rows:
        assert row.word in ("within", "beyond", "undecided")
        assert row.answer is not None and row.answer.metric is not None
    coarse, fine = by_values["floor", 4].answer, by_values["stochastic", 7].answer
    assert coarse is not None and coarse.metric is not None
    assert fine is not None and fine.metric is not None
    # at four bits and floor the weight never moves: it is off by what the reference learns
    assert coarse.metric.value * 2 / 16 > fine.metric.value * 2 / 128
