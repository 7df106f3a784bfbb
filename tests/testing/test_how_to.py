"""The ten lines of the how-to, word for word, in a repository of a user's own."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def ten_lines() -> str:
    page = (ROOT / "docs/how-to/property-tests.md").read_text(encoding="utf-8")
    block = re.search(r"```\{code-block\} python\n:name: my-chip-test\n(.*?)```", page, re.DOTALL)
    assert block is not None
    return block[1]


def run(folder: Path, chip: str, *more: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_my_chip.py").write_text(ten_lines(), encoding="utf-8")
    (folder / "my_chip.toml").write_text(chip, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *more]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)


def test_the_ten_lines_are_ten_and_pass_on_a_good_chip(tmp_path: Path) -> None:
    code = [line for line in ten_lines().splitlines() if line.strip()]
    assert len(code) <= 10
    done = run(tmp_path, (ROOT / "hw_configs/generic16.toml").read_text(encoding="utf-8"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_a_chip_that_loses_the_rule_fails_with_the_reason(tmp_path: Path) -> None:
    chip = (ROOT / "hw_configs/generic16.toml").read_text(encoding="utf-8")
    done = run(tmp_path, chip.replace('"fxp-u16/14"', '"fxp-u4/3"'), "-k", "survives")
    assert done.returncode == 1
    assert "1 failed, 1 deselected" in done.stdout
    assert "spike_based_homeostasis on generic16: dead" in done.stdout
