"""Which judges try a fault, and in which order.

The tests beside it, then those that compile no kernel, then the others, and ``neuroemu verify`` at last.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

NO_KERNEL = (
    "tests/numeric",
    "tests/models",
    "tests/hardware",
    "neuroemu/numeric",
    "neuroemu/models",
)
KERNEL = ("tests/engine", "tests/properties", "neuroemu/engine")
ORACLES = ("tests/oracles",)
"""Folders of tests and doctests. The architecture's rules are left out: they judge texts, not what these do."""

LEFT_OUT = {
    "tests/engine/test_warm.py",  # when kernels are compiled, not what they do
    # the oracles themselves
    "tests/oracles/test_brian2_reference.py",
    "tests/oracles/test_loihi_emulators.py",
    "tests/oracles/test_xylosim.py",
}

_STEPS = (
    "tests/engine/test_golden_agrees.py",
    "tests/engine/test_simulate.py",
    "tests/engine/test_exact.py",
    "tests/properties/test_bit_exact.py",
)
_REGISTERS = (
    "tests/models/test_discretize.py",
    "tests/models/test_discretize_chip.py",
    "tests/testing/test_golden_chip.py",
    "tests/models/test_rungs.py",
)
_CHIPS = (
    "tests/engine/test_golden_agrees.py",
    "tests/oracles/test_rtl_neurons.py",
    "tests/oracles/test_xylo_target.py",
    "tests/oracles/test_loihi_target.py",
    "tests/properties/test_bit_exact.py",
)
_PAIRS = ("tests/models/test_pair_homeostasis.py", "tests/engine/test_analog.py")
BESIDE = {
    "ops": (
        "tests/numeric/test_requantize.py",
        "tests/models/test_pair_controller.py",
        "tests/engine/test_analog.py",
    ),
    "site": ("tests/numeric/test_requantize.py", "tests/models/test_containers.py"),
    "constants": ("tests/numeric/test_constants.py", *_REGISTERS),
    "clock": _REGISTERS,
    "compiled": ("tests/numeric/test_requantize.py",),
    "setup": ("tests/engine/test_stimuli.py", "tests/engine/test_simulate.py"),
    "collect": ("tests/engine/test_simulate.py",),
    **dict.fromkeys(("exact_network", "exact_trial", "watched"), ("tests/engine/test_exact.py",)),
    **dict.fromkeys(("lif", "synapse"), _STEPS),
    **dict.fromkeys(("homeostasis", "counter"), ("tests/models/test_loihi_reference.py", *_STEPS)),
    **dict.fromkeys(("kernels", "learning", "words", "recording"), _STEPS),
    **dict.fromkeys(("cuba", "crossings"), _CHIPS),
    "chip_sites": ("tests/models/test_containers.py", *_CHIPS),
    **dict.fromkeys(("chip", "network_load", "discretize", "discretize_synapse"), _REGISTERS),
    "discretize_neuron": (*_REGISTERS, "tests/engine/test_analog.py"),
    "discretize_pairs": (*_REGISTERS, *_PAIRS),
    "pairs": ("tests/engine/test_analog.py", "tests/engine/test_exact.py"),
    "pair_controller": (
        "tests/models/test_pair_controller.py",
        "tests/oracles/test_pair_controller.py",
        *_PAIRS,
    ),
    "loihi": (
        "tests/models/test_loihi.py",
        "tests/models/test_loihi_reference.py",
        "tests/oracles/test_loihi_traces.py",
    ),
}
"""The tests beside a module, where they do not have its name."""


VERIFY = (sys.executable, "-m", "tests.mutation.certify")
"""The command of the last judge."""


def judges(root: Path, file: str) -> list[Sequence[str]]:
    """Return the commands that try a fault in `file`; the first that fails has caught it."""
    return [*(pytest_command(files) for files in rounds(root, file)), VERIFY]


def rounds(root: Path, file: str) -> list[list[str]]:
    """Return the test files that could see a fault in `file`, each once, in the rounds in which they run."""
    _, folder, module = PurePosixPath(file).with_suffix("").parts
    beside = BESIDE.get(module, (f"tests/{folder}/test_{module}.py",))
    groups = (KERNEL, NO_KERNEL) if folder == "engine" else (NO_KERNEL, KERNEL)
    found = [[f for f in beside if (root / f).exists()]]
    for group in (*groups, ORACLES):
        inside = [f for folder in group for f in _files(root, folder)]
        before = {f for files in found for f in files}
        found.append([f for f in inside if f not in before])
    return [files for files in found if files]


def _files(root: Path, folder: str) -> list[str]:
    pattern = "test_*.py" if folder.startswith("tests") else "[!_]*.py"
    files = sorted(path.relative_to(root).as_posix() for path in (root / folder).glob(pattern))
    return [file for file in files if file not in LEFT_OUT]


def pytest_command(files: Sequence[str]) -> list[str]:
    """Return the command that tries the tests in this order and stops at the first that fails."""
    options = ["-x", "-q", "--tb=line", "-p", "no:cacheprovider", "-p", "tests.mutation.watch"]
    return [sys.executable, "-m", "pytest", *options, "--hypothesis-seed=0", *files]
