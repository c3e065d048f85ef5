"""One report of which it is known what is false of it, or what is true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from falsify.announced import Announcement
from falsify.sample import Sample
from tokviz.records import Report


@dataclass(frozen=True, kw_only=True)
class Case:
    """A decided report."""

    report: Report
    is_false: Callable[[Announcement], bool]
    """Whether something that is announced is counted as false; what is neither planted nor known to be false isn't."""
    planted: tuple[Announcement, ...] = ()
    """What must be announced: the same of the same, near one of its depths."""
    reach: int = 1
    """How near."""

    def found(self, announced: list[Announcement]) -> bool:
        """Whether all that is planted is announced."""
        return all(any(_is_same(each, other, self.reach) for other in announced) for each in self.planted)


def _is_same(planted: Announcement, announced: Announcement, reach: int) -> bool:
    same = (planted.kind, planted.what, planted.where) == (announced.kind, announced.what, announced.where)
    near = any(abs(depth - other) <= reach for depth in planted.depths for other in announced.depths)
    return same and (near or not planted.depths)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Reports of one kind, each drawn from its number alone."""

    name: str
    contents: str
    """What is in its reports and how strong it is, and what counts."""
    make: Callable[[int, Sample], Case]
    n_reports: int
    least_found: float = 0.95
    """Of planted kinds: in how many of them all that is planted must be found."""


N_NULL, N_PLANTED = 108, 60
