"""Every row of the table; exit 1 when a target is missed: `make bench`."""

from __future__ import annotations

import sys

import again
import capture_alone
import cold_run
import one_more_model
import one_picture
import similarities

if __name__ == "__main__":
    missed = 0
    for benchmark in (one_picture, capture_alone, similarities, one_more_model, again, cold_run):
        for row in benchmark.run():
            print(row, flush=True)
            missed += not row.met
    sys.exit(1 if missed else 0)
