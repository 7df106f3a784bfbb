"""The wheel, built, installed elsewhere, and at work there."""

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_works_elsewhere(tmp_path: Path) -> None:
    built = tmp_path / "dist"
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(built), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = built.glob("neuroemu-*.whl")
    home = tmp_path / "elsewhere"
    venv.create(home, with_pip=True, symlinks=True)
    python = home / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Only what is imported is worth its compiling to bytecode.
    subprocess.run([*install, "--no-compile", wheel], check=True, capture_output=True)
    done = subprocess.run(
        [home / "bin" / "neuroemu", "run", "generic4", "--trials", "8"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "✗ dead" in done.stdout
    assert (tmp_path / "runs" / "generic4" / "figure.svg").is_file()
    report = [home / "bin" / "neuroemu", "report", "runs/generic4"]
    subprocess.run(report, cwd=tmp_path, capture_output=True, check=True)
    assert "</html>" in (tmp_path / "runs/generic4/report.html").read_text(encoding="utf-8")
    listed = subprocess.run(
        [home / "bin" / "neuroemu", "targets"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "spinnaker1" in listed.stdout
