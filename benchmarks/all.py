"""Every row of the table; exit 1 when a target is missed: `make bench`.

python benchmarks/all.py [NAME …]     only those files
"""

from __future__ import annotations

import importlib
import subprocess
import sys

NAMES = (
    "one_picture", "capture_alone", "scans", "cold_run", "first_look", "whole_sample", "interventions", "again", "one_more_model", "changes", "fifty_models", "similarities", "many_words",
    "vocabulary", "streaming", "clusters", "forecasts",
)  # fmt: skip


def main(names: list[str]) -> int:
    """How many rows miss their target, or files have one that does; each file runs in a process of its own."""
    if len(names) > 1:
        return sum(subprocess.run([sys.executable, __file__, name], check=False).returncode > 0 for name in names)
    missed = 0
    for row in importlib.import_module(names[0]).run():
        print(row, flush=True)
        missed += not row.met
    return missed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:] or list(NAMES)) else 0)
