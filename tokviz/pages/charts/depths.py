"""Which depths are shown where there is no space for all."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise


def spread(telling: Iterable[int], n_depths: int, n_shown: int) -> tuple[int, ...]:
    """The first depth, the last, those that tell something, and middles of the widest gaps between them.

    Parameters
    ----------
    telling : below ``n_depths``, at most ``n_shown`` − 2.
    """
    depths = sorted({0, n_depths - 1, *telling})
    while len(depths) < min(n_shown, n_depths):
        before, after = max(pairwise(depths), key=lambda gap: gap[1] - gap[0])
        depths = sorted([*depths, (before + after + 1) // 2])
    return tuple(depths)
