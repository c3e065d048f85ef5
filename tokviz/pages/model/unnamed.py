"""Facts whose values have places instead of names: of the sentences that aren't in the catalogue yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

Part = TypeVar("Part")


@dataclass(frozen=True, kw_only=True)
class UnnamedFact:
    """One thing that a sentence states, in a form that can be held against the numbers."""

    kind: str
    subject: tuple[str, ...] = ()
    """Names of what it is stated of."""
    values: tuple[float, ...] = ()
    bounds: tuple[float, float] | None = None
    """Of the interval that the sentence gives."""


def the_same(parts: Iterable[Part]) -> Part:
    """What several facts of one sentence have in common; a ``ValueError`` where they differ."""
    (part,) = set(parts)
    return part
