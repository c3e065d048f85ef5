"""One try at breaking tokviz, and what it found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SITES_BROKEN = "sites broken"
FOREIGN_FILES_LOST = "foreign files lost"
WORDS_LOST = "words lost"
SCRIPTS_EXECUTED = "scripts executed"
TRACEBACKS = "tracebacks"
WRONG_OUTCOMES = "wrong outcomes"
"""All else that may not be: damage that went unnoticed, an error of several lines, a process left running."""
KINDS_OF_HARM = (SITES_BROKEN, FOREIGN_FILES_LOST, WORDS_LOST, SCRIPTS_EXECUTED, TRACEBACKS, WRONG_OUTCOMES)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one trial found."""

    harm: Counter[str] = field(default_factory=Counter)
    """By kind (``KINDS_OF_HARM``), how often."""
    seen: tuple[str, ...] = ()
    """What the trial reached, such as the stage in which a run was killed: counted, so that coverage shows."""
    seconds_to_error: float = 0.0
    """How long the program took to say what is wrong; 0 where it had nothing to say."""
    detail: str = ""
    """What happened, in one line, to find the cause; shown where there was harm."""


Trial = Callable[[int, Path], Outcome]
"""The number of a trial, from 0, of which all its chance is made, and an empty folder to work in → what it found."""
