"""Claims as a report has them once they are decided."""

from __future__ import annotations

import numpy as np

from tokviz.records import LEVEL, Claim, Family


def decided(holds: np.ndarray, family: str = "categories", known: np.ndarray | None = None) -> Claim:
    """``holds``: ``(n,)`` bool, what is announced; ``known``: where there is a value at all."""
    is_known = np.ones(len(holds), dtype=bool) if known is None else known
    return Claim(
        family=family,
        score=np.where(is_known, np.where(holds, 25.0, 1.0), np.nan),
        highest=np.zeros(19, dtype=np.float32),
        is_eligible=is_known,
        least_p_value=0.0005,
        p_value=np.where(is_known, np.where(holds, 0.0005, 0.4), np.nan),
        holds=holds & is_known,
    )


def families(*keys: str, too_few: tuple[str, ...] = ()) -> tuple[Family, ...]:
    """Those of some questions; ``too_few``: those that can't be tested."""
    return tuple(
        Family(
            key=key,
            share="others",
            highest=np.linspace(1, 4, 1999),
            n_values=62,
            best=5.0,
            least_p_value=1 / 120 if key in too_few else 1 / 2000,
            level=LEVEL / len(keys),
        )
        for key in (*keys, *too_few)
    )
