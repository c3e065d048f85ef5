"""The sentences of the pages, as ``tokviz/pages/catalogue`` has them: a fact names its sentence, and fills it by name.

``norm = "the mean norm changes by {norm:share}, in {n:one draw|some draws}"`` of ``neurons.toml`` is the sentence of
``Fact("neurons.norm", norm=0.02, n=3)``. After the colon stands how a value is written: one of ``FORMATS``, ``range score`` for the
lowest and the highest of several, ``each score`` for all of them, or ``singular|plural``, which chooses by a number, or by how many
there are. Without any, a value is a text, a whole number, or facts that have sentences of their own. ``~`` is a space that doesn't
break, and a line break is a space.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import numpy as np

from tokviz.pages.text import wording
from tokviz.pages.text.parts import Link
from tokviz.pages.text.sentences import depths_name

FOLDER = Path(__file__).parent.parent / "catalogue"
Writer = Callable[[Any], str]
FORMATS: dict[str, Writer] = {
    **{each.__name__: each for each in (wording.number, wording.percent, wording.whole_percent, wording.score)},
    **{each.__name__: each for each in (wording.finer, wording.with_error, wording.percentage_points)},
    **{each.__name__: each for each in (wording.in_words, wording.millions, wording.capitalized)},
    "share": wording.small_share,
    "neurons": wording.neurons_named,
    "count": "{:,}".format,
    "as_is": "{:g}".format,
    "whole": "{:.0f}".format,
    "two_digits": "{:.2g}".format,
    "depth": wording.the_depth,
    "at": wording.at_the_depth,
    "depths": lambda ends: depths_name(*ends),
    "joined": lambda each: wording.joined(map(str, each)),
    "joined_by_and": lambda each: wording.joined_by_and([_plain(one) for one in each]),
    "semicolons": lambda each: "; ".join(map(_plain, each)),
    "start": lambda each: wording.capitalized(wording.joined_by_and([_plain(one) for one in each])),
}
"""How a value is written, by the name that sentences and templates (as a filter) have for it."""
_ADDRESSES = {"doi": "https://doi.org/{}", "arxiv": "https://arxiv.org/abs/{}", "web": "{}"}


@dataclass(frozen=True, init=False)
class Fact:
    """One thing that a sentence states, in a form that can be held against the numbers: it is filled with these and with nothing else."""

    kind: str
    """The key of its sentence in the catalogue: ``stages.lead.emerge``."""
    values: Mapping[str, Any]
    """What it states, by the names that the sentence has: numbers, depths, labels, or the facts of a part of the sentence."""

    def __init__(self, kind: str, /, **values: Any) -> None:
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "values", values)


def sentence(facts: Iterable[Fact]) -> str:
    """The facts one after the other, from a capital to a full stop."""
    return f"{wording.capitalized(clause(facts))}."


def clause(facts: Iterable[Fact]) -> str:
    """The facts one after the other, without what parts the first from one before it (``; ``)."""
    return re.sub(r"^[;,.] ", "", text(*facts))


def text(*facts: Fact) -> str:
    """What the catalogue has for these facts.

    Raises
    ------
    KeyError : there is no sentence of this kind.
    ValueError : a value is missing, left over, or of another type than the sentence expects.
    """
    return "".join([_template(fact.kind).filled(fact) for fact in facts])


@dataclass(frozen=True)
class _Template:
    """A sentence: what stands in it, with ``%s`` for its values, and the name of each with how it is written."""

    words: str
    values: tuple[tuple[str, Writer], ...]
    names: frozenset[str]

    def filled(self, fact: Fact) -> str:
        values = fact.values
        if self.names != values.keys():
            raise ValueError(f"{fact.kind}: expected {sorted(self.names)}, got {sorted(values)}")
        return self.words % tuple([write(values[name]) for name, write in self.values])


@cache
def _template(kind: str) -> _Template:
    found = entry(kind)
    if not isinstance(found, str):
        raise KeyError(kind)
    parts = list(Formatter().parse(found))
    words = "".join(literal.replace("%", "%%") + ("" if name is None else "%s") for literal, name, _, _ in parts)
    values = tuple((name, _writer(form or "")) for _, name, form, _ in parts if name is not None)
    return _Template(words, values, frozenset(name for name, _ in values))


def names(kind: str) -> frozenset[str]:
    """Of the values that a sentence uses."""
    return _template(kind).names


def entry(key: str) -> Any:
    """What stands under a key, ``PAGE.NAME`` or ``PAGE.TABLE.NAME``; ``KeyError`` where nothing does."""
    page, *names = key.split(".")
    found: Any = read(page)
    for name in names:
        found = found[name]
    return found


def source(key: str) -> Link:
    """A work that the method page names, and where it is found; ``KeyError`` where the catalogue hasn't got it."""
    of = {each: (place, *work) for place, works in read("sources").items() for each, work in works.items()}
    place, title, number = of[key]
    return Link(text=f"{title}, arXiv {number}" if place == "arxiv" else title, href=_ADDRESSES[place].format(number))


@cache
def read(page: str) -> Mapping[str, Any]:
    """All that a file of the catalogue has, with its spaces as pages have them."""
    file = FOLDER / f"{page}.toml"
    if not file.is_file():
        raise KeyError(page)
    found: Mapping[str, Any] = _spaced(tomllib.loads(file.read_text(encoding="utf-8")))
    return found


def _spaced(found: Any) -> Any:
    if isinstance(found, str):
        return re.sub(r"\s*\n\s*", " ", found.strip("\n")).replace("~", wording.NBSP)
    if isinstance(found, Mapping):
        return {name: _spaced(each) for name, each in found.items()}
    return [_spaced(each) for each in found] if isinstance(found, list) else found


def _writer(form: str) -> Writer:
    if "|" in form:
        one, several = form.split("|")
        return lambda value: one if (value if isinstance(value, int | float) else len(value)) == 1 else several
    of_several, _, name = form.rpartition(" ")
    write = FORMATS[name] if name else _plain
    if of_several == "range":
        return lambda values: wording.ranged(np.array(values), write)
    if of_several == "each":
        return lambda values: wording.joined_by_and([write(each) for each in values])
    if of_several:
        raise KeyError(form)
    return write


def _plain(value: Any) -> str:
    """A text, facts or a whole number: other numbers may be written in several ways."""
    if isinstance(value, Fact):
        return text(value)
    if isinstance(value, tuple) and all(isinstance(each, Fact) for each in value):
        return text(*value)
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"expected a text, a whole number or facts, got {value!r}: say in the sentence how it is written")
