"""``neuroemu verify`` on every shipped target, inside the copy: the last judge, or the only one.

It writes the same record as `tests.mutation.watch`, and ends with 1 at the first target on which neuroemu is wrong.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import neuroemu


def main() -> int:
    """Certify target by target until one shows a fault."""
    record = {"package": neuroemu.__file__, "running": "", "failed": "", "why": ""}

    def write(**changes: str) -> None:
        record.update(changes)
        Path(os.environ["MUTATION_RECORD"]).write_text(json.dumps(record), encoding="utf-8")

    write()
    from neuroemu.hardware.load import load_target, shipped_targets
    from neuroemu.verification import verify

    for name in shipped_targets():
        write(running=f"verify {name}")
        try:
            faults = verify(load_target(name), seed=0).faults
        except Exception as error:  # whatever it is, a user would see it
            write(failed=f"verify {name}", why=f"{type(error).__name__}: {error}"[:200])
            return 1
        if faults:
            write(failed=f"verify {name}: {faults[0].law.name}", why=faults[0].outcome.text[:200])
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
