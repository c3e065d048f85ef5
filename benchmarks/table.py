"""One row per promise: how long something takes as a share of what it is measured against, side by side in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    name: str
    ratio: float
    """Median time of ours over that of the yardstick."""
    target: float
    """The most that ``ratio`` may be."""
    low: float
    """The least and the greatest ratio of a round."""
    high: float

    @property
    def met(self) -> bool:
        return self.ratio <= self.target

    def __str__(self) -> str:
        verdict = "" if self.met else "  missed"
        return (
            f"{self.name:<62} {self.ratio:6.3f}  ≤ {self.target:<5g} (rounds {self.low:.3f}–{self.high:.3f}){verdict}"
        )


def side_by_side(
    name: str, target: float, ours: Callable[[], object], yardstick: Callable[[], object], *, rounds: int = 5
) -> Row:
    """Time both turn about, as many rounds as told after one that isn't counted; whoever begins changes each time."""
    seconds: dict[Callable[[], object], list[float]] = {ours: [], yardstick: []}
    for turn in range(rounds + 1):
        for work in (ours, yardstick) if turn % 2 else (yardstick, ours):
            start = time.perf_counter()
            work()
            if turn:
                seconds[work].append(time.perf_counter() - start)
    ratios = [mine / theirs for mine, theirs in zip(seconds[ours], seconds[yardstick], strict=True)]
    return Row(
        name=name,
        ratio=statistics.median(seconds[ours]) / statistics.median(seconds[yardstick]),
        target=target,
        low=min(ratios),
        high=max(ratios),
    )
