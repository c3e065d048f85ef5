"""Measures that other packages add, as entry points of the group ``tokviz.measures``.

The entry point ``median_norm = "my_package:MEDIAN_NORM"`` names an object with ``name`` and ``caption``, two texts for readers, and
``value(states, memberships)``, a number per depth; with ``chance(states, memberships)``, what it would be if categories meant
nothing, if it has that. ``states`` is ``(n_words, width)`` float32, the reference words at one depth; ``memberships`` has for each
word the numbers of its categories. Its curves stand in the charts of models, its columns in ``geometry.csv``.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tokviz.errors import AddedMeasureError
from tokviz.records import AddedMeasure, HiddenStates, WordList
from tokviz.text import error_line

GROUP = "tokviz.measures"


@dataclass(frozen=True, kw_only=True)
class Added:
    """A measure of another package."""

    column: str
    """Its name among the entry points."""
    package: str
    """Such as ``my-package 1.2``."""
    measure: Any
    digest: str
    """Of the module that it is defined in."""

    @property
    def key_parts(self) -> dict[str, str]:
        """What its numbers depend on, besides states and categories."""
        return {"added": self.column, "package": self.package, "module": self.digest}


@cache
def added_measures() -> tuple[Added, ...]:
    """All that are installed, by name.

    Raises
    ------
    AddedMeasureError : one can't be loaded, or isn't what is expected.
    """
    found = sorted(entry_points(group=GROUP), key=lambda each: each.name)
    for one, other in pairwise(found):
        if one.name == other.name:
            owners = " and ".join(each.dist.name if each.dist else each.value for each in (one, other))
            raise AddedMeasureError(
                f"measure {one.name}: expected one package that has it, got {owners}; uninstall one"
            )
    return tuple(_loaded(each) for each in found)


def _loaded(found: EntryPoint) -> Added:
    package = f"{found.dist.name} {found.dist.version}" if found.dist else found.value
    try:
        measure = found.load()
        digest = hashlib.sha256(Path(str(sys.modules[found.module].__file__)).read_bytes()).hexdigest()
    except (Exception, SystemExit) as error:
        raise AddedMeasureError(
            f"measure {found.name} of {package}: can't be loaded: {error_line(error)}; mend it, or uninstall the package"
        ) from error
    is_text = {name: isinstance(getattr(measure, name, None), str) for name in ("name", "caption")}
    for attribute, is_there in {**is_text, "value": callable(getattr(measure, "value", None))}.items():
        if not is_there:
            raise AddedMeasureError(
                f"measure {found.name} of {package}: expected an object with name, caption and value(states, memberships), "
                f"got {type(measure).__name__} without {attribute}"
            )
    return Added(column=found.name, package=package, measure=measure, digest=digest)


def measured(added: Added, states: HiddenStates, words: WordList) -> AddedMeasure:
    """Its numbers at every depth, over the reference words.

    Raises
    ------
    AddedMeasureError : it fails, or gives something else than a number.
    """
    rows = np.flatnonzero(states.tokenization.reference)
    memberships = tuple(words.memberships[row] for row in rows)
    chance = getattr(added.measure, "chance", None)
    values, by_chance = [], []
    for depth in range(states.n_depths):
        of_words = states.states[depth][rows]
        values.append(_number(added, depth, added.measure.value, of_words, memberships))
        if chance is not None:
            by_chance.append(_number(added, depth, chance, of_words, memberships))
    return AddedMeasure(
        column=added.column,
        name=added.measure.name,
        caption=added.measure.caption,
        package=added.package,
        value=np.array(values),
        chance=np.array(by_chance) if chance is not None else None,
    )


def _number(
    added: Added, depth: int, work: Callable[..., Any], states: np.ndarray, memberships: tuple[tuple[int, ...], ...]
) -> float:
    try:
        return float(work(states, memberships))
    except Exception as error:
        raise AddedMeasureError(
            f"measure {added.column} of {added.package}: depth {depth}: {error_line(error)}; mend it, or uninstall the package"
        ) from error
