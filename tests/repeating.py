"""How often tests try what only shows in many tries: a few times in a ring of tests, five times as often in ``make repeats``."""

from __future__ import annotations

import os

VARIABLE = "TOKVIZ_REPEATS"
"""Set by ``make repeats``: how many times as often as a ring does."""


def times(count: int) -> int:
    """How often: ``count`` times in a ring."""
    return count * int(os.environ.get(VARIABLE, "1"))
