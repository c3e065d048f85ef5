"""One row per promise: what something costs as a share of what it is measured against, side by side in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    name: str
    ratio: float
    """Ours over the baseline; of times, the medians."""
    target: float
    """The most that ``ratio`` may be."""
    low: float | None = None
    """The least and the greatest ratio of a round, where there were several."""
    high: float | None = None
    remark: str = ""

    @property
    def met(self) -> bool:
        return self.ratio <= self.target

    def __str__(self) -> str:
        rounds = "" if self.low is None else f"rounds {self.low:.3f}–{self.high:.3f}"
        notes = "; ".join(note for note in (rounds, self.remark) if note)
        verdict = "" if self.met else "  missed"
        return f"{self.name:<66} {self.ratio:6.3f}  ≤ {self.target:<5g}{f' ({notes})' if notes else ''}{verdict}"


def of_seconds(name: str, target: float, ours: Sequence[float], baseline: Sequence[float]) -> Row:
    """A row of what was measured round by round."""
    ratios = [mine / theirs for mine, theirs in zip(ours, baseline, strict=True)]
    mine, theirs = statistics.median(ours), statistics.median(baseline)
    return Row(
        name=name,
        ratio=mine / theirs,
        target=target,
        low=min(ratios),
        high=max(ratios),
        remark=f"{mine:.1f} s against {theirs:.1f} s here",
    )


Work = Callable[[], object]


def side_by_side(name: str, target: float, ours: Work, baseline: Work, *, rounds: int = 5, warm_up: bool = True) -> Row:
    """Time both, alternating, for so many rounds after one that isn't counted; which one begins changes each time."""
    [row] = against(baseline, {name: (target, ours)}, rounds=rounds, warm_up=warm_up)
    return row


def against(
    baseline: Work, ours: Mapping[str, tuple[float, Work]], *, rounds: int = 5, warm_up: bool = True
) -> list[Row]:
    """Several works against one baseline: name of the row → its target and the work.

    Without ``warm_up`` every round counts: of works of minutes, which make imports and files' caches matter little.
    """
    works = [baseline, *(work for _, work in ours.values())]
    seconds: dict[Work, list[float]] = {work: [] for work in works}
    for turn in range(0 if warm_up else 1, rounds + 1):
        for work in works if turn % 2 else reversed(works):
            start = time.perf_counter()
            work()
            if turn:
                seconds[work].append(time.perf_counter() - start)
    rows = []
    for name, (target, work) in ours.items():
        ratios = [mine / theirs for mine, theirs in zip(seconds[work], seconds[baseline], strict=True)]
        rows.append(
            Row(
                name=name,
                ratio=statistics.median(seconds[work]) / statistics.median(seconds[baseline]),
                target=target,
                low=min(ratios),
                high=max(ratios),
                remark=f"{statistics.median(seconds[work]):.2f} s here",
            )
        )
    return rows
