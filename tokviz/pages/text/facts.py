"""What sentences state: first come the facts, then a sentence of the catalogue is filled with them and with nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, init=False)
class Fact:
    """One thing that a sentence states, in a form that can be held against the numbers."""

    kind: str
    """The key of its sentence in the catalogue: ``stages.lead.emerge``."""
    values: Mapping[str, Any]
    """What it states, by the names that the sentence has: numbers, depths, labels, or the facts of a part of the sentence."""

    def __init__(self, kind: str, /, **values: Any) -> None:
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "values", values)
