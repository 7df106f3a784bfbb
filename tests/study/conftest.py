"""One small study, run once for all tests that read results."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from neuroemu.study.results import StudyResults, load_study
from neuroemu.study.run import run_study
from tests.study.forked import Forked
from tests.study.small import small_space


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished study of eight points, with predictions and weights."""
    folder = tmp_path_factory.mktemp("finished")
    run_study(
        small_space(folder, predict=True, weights=True), folder, command="neuroemu study small.toml"
    )
    return folder


@pytest.fixture(scope="session")
def results(finished: Path) -> StudyResults:
    return load_study(finished)


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    """Starts processes in no time."""
    server = Forked(tmp_path_factory.mktemp("forked") / "log")
    yield server
    server.stop()
