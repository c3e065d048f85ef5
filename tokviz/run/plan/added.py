"""Measures that other packages add, as entry points of the group ``tokviz.measures``.

The entry point ``median_norm = "my_package:MEDIAN_NORM"`` names an object with ``name`` and ``caption``, two texts for readers, and
``value(states, memberships)``, a number per depth; with ``chance(states, memberships)``, what it would be if categories meant
nothing, if it has that. ``states`` is ``(n_words, width)`` float32, the reference words at one depth; ``memberships`` has for each
word the numbers of its categories. Its curves stand in the charts of models, its columns in ``geometry.csv``.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np

from tokviz.entry_points import offered, only_one, package_of
from tokviz.errors import AddedMeasureError
from tokviz.records import AddedMeasure, HiddenStates
from tokviz.text import error_line

GROUP = "tokviz.measures"
Memberships = tuple[tuple[int, ...], ...]
Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Added:
    """A measure of another package."""

    column: str
    """Its name among the entry points."""
    package: str
    """Such as ``my-package 1.2``."""
    measure: Any
    digest: str
    """Of its package's code."""

    @property
    def key_parts(self) -> dict[str, str]:
        """What its numbers depend on, besides states and categories."""
        return {"added": self.column, "package": self.package, "module": self.digest}

    def measured(self, states: HiddenStates, memberships: Memberships, _: Mapping[str, str]) -> AddedMeasure:
        """Its numbers at every depth, over the reference words.

        Raises
        ------
        AddedMeasureError : it fails, or gives something else than a number.
        """
        rows = np.flatnonzero(states.tokenization.reference)
        of_reference = tuple(memberships[row] for row in rows)
        chance = getattr(self.measure, "chance", None)
        values, by_chance = [], []
        for depth in range(states.n_depths):
            of_words = states.states[depth][rows]
            # Each gets an array of its own, which it may change.
            values.append(_number(self, depth, self.measure.value, of_words.copy(), of_reference))
            if chance is not None:
                by_chance.append(_number(self, depth, chance, of_words, of_reference))
        return AddedMeasure(
            column=self.column,
            name=self.measure.name,
            caption=self.measure.caption,
            package=self.package,
            value=np.array(values),
            chance=np.array(by_chance) if chance is not None else None,
        )


@cache
def added_measures() -> tuple[Added, ...]:
    """All that are installed, by name.

    Raises
    ------
    AddedMeasureError : one can't be loaded, or isn't what is expected.
    """
    found = (only_one(f"measure {name}", offers, AddedMeasureError) for name, offers in offered(GROUP).items())
    return tuple(_load(each) for each in found)


def _load(found: EntryPoint) -> Added:
    package = package_of(found, with_version=True)
    try:
        measure = found.load()
        digest = _digest(_code_of(found))
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


def _code_of(found: EntryPoint) -> set[Path]:
    """The module's file, all Python files of the package around it, and those that were installed with it."""
    module = Path(str(sys.modules[found.module].__file__))
    parts = found.module.split(".")
    above = (sys.modules[".".join(parts[: end + 1])] for end in range(len(parts)))
    # The outermost one with a file: other packages may share a namespace, which has none.
    package = next(each for each in above if getattr(each, "__file__", None))
    around = (file for folder in getattr(package, "__path__", ()) for file in Path(folder).rglob("*.py"))
    installed = (Path(str(file.locate())) for file in (found.dist and found.dist.files) or () if file.suffix == ".py")
    return {module.resolve(), *(file.resolve() for file in (*around, *installed) if file.is_file())}


def _digest(files: Iterable[Path]) -> str:
    """Of their contents: where they lie, and in which order, has no part in it."""
    return hashlib.sha256(
        "".join(sorted(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)).encode()
    ).hexdigest()


def _number(added: Added, depth: int, work: Callable[..., Any], states: np.ndarray, memberships: Memberships) -> float:
    try:
        return float(work(states, memberships))
    except Exception as error:
        raise AddedMeasureError(
            f"measure {added.column} of {added.package}: depth {depth}: {error_line(error)}; mend it, or uninstall the package"
        ) from error
