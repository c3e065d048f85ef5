"""Every row of the table; exit 1 when a target is missed: `make bench`.

python benchmarks/all.py [NAME …]     only those files
"""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "one_picture", "capture_alone", "cold_run", "again", "one_more_model", "similarities", "many_words", "vocabulary",
    "streaming", "clusters",
)  # fmt: skip

if __name__ == "__main__":
    missed = 0
    for name in sys.argv[1:] or NAMES:
        for row in importlib.import_module(name).run():
            print(row, flush=True)
            missed += not row.met
    sys.exit(1 if missed else 0)
