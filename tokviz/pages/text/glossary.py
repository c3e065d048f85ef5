"""The terms that pages explain where they first stand, and those of the method page but for a measure's own (``charts/measures.py``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from tokviz.pages.text import catalogue
from tokviz.pages.text.catalogue import Fact, source
from tokviz.pages.text.parts import Term
from tokviz.records import LEVEL, Family, Report


@dataclass(frozen=True, kw_only=True)
class GlossaryEntry:
    """A term, how it reads in a sentence, and what it means."""

    name: str
    pattern: str
    """A regular expression of whole words, in any case."""
    meaning: str

    @property
    def id(self) -> str:
        """``term-attention-sink``: of its definition, on every page."""
        return f"term-{self.name.lower().replace(' ', '-')}"


_PATTERNS = catalogue.entry("glossary.patterns")
GLOSSARY = tuple(
    GlossaryEntry(name=name, pattern=_PATTERNS.get(name, re.escape(name)), meaning=meaning)
    for name, meaning in catalogue.entry("glossary.meanings").items()
)
"""In alphabetical order."""
LENS = next(each for each in GLOSSARY if each.name == "Jacobian lens")


class Explainer:
    """Makes each term a button where it first stands on a page; its definition opens without a script."""

    def __init__(self) -> None:
        self._new: dict[GlossaryEntry, re.Pattern[str]] = {}
        self.begin()

    def begin(self) -> None:
        """On a new page, on which nothing is explained yet."""
        self._new = {entry: re.compile(rf"(?<!\w){entry.pattern}(?!\w)", re.IGNORECASE) for entry in GLOSSARY}

    def explained(self) -> tuple[GlossaryEntry, ...]:
        """The terms that have been explained on this page so far."""
        return tuple(entry for entry in GLOSSARY if entry not in self._new)

    # With the context, so that the template's compiler doesn't work it out once and for all.
    @pass_context
    def explain(self, _: Context, text: str) -> Markup:
        """A sentence, escaped, with its new terms as buttons."""
        done, parts = 0, []
        for start, stop, entry in self._found(text):
            term = f'<button type="button" class="term" popovertarget="{entry.id}">{escape(text[start:stop])}</button>'
            parts += [escape(text[done:start]), Markup(term)]
            done = stop
            del self._new[entry]
        return Markup("").join([*parts, escape(text[done:])])

    def _found(self, text: str) -> Iterator[tuple[int, int, GlossaryEntry]]:
        """In the order of the text; of two that overlap the first."""
        matches = [(match, entry) for entry, pattern in self._new.items() if (match := pattern.search(text))]
        end = 0
        for match, entry in sorted(matches, key=lambda each: each[0].start()):
            if match.start() >= end:
                yield match.start(), match.end(), entry
                end = match.end()


def term(key: str, of: Any = None, /, **values: Any) -> Term:
    """The term that has its name, its meaning and maybe its sources under a key of the catalogue: ``method.chance``.

    ``of``: a record, such as of thresholds, with the values of the meaning under their names.
    """
    found = catalogue.entry(key)
    values |= {name: getattr(of, name) for name in catalogue.names(f"{key}.meaning") - values.keys()}
    meaning = catalogue.text(Fact(f"{key}.meaning", **values))
    return Term(name=found["name"], meaning=meaning, sources=tuple(map(source, found.get("sources", ()))))


def grid_term(*, is_partial: bool) -> Term:
    """What the grid of all layers is, or with ``is_partial`` of those that were captured."""
    return term("method.captured_layers" if is_partial else "method.all_layers")


def decisions(families: Sequence[Family], labels: Mapping[str, str]) -> Term:
    """By which rule a report claims anything; ``labels``: of the families, by their keys."""
    left_out = tuple(labels[each.key] for each in families if not each.can_be_tested)
    shares: dict[str, list[Family]] = {}
    for each in sorted(families, key=lambda each: -each.level):
        if each.can_be_tested:
            shares.setdefault(each.share, []).append(each)
    tested = tuple(
        Fact(
            "method.tested",
            level=own[0].level,
            n=len(own),
            families=tuple(Fact("method.family", family=labels[each.key], values=each.n_values) for each in own),
        )
        for own in shares.values()
    )
    return term(
        "method.decisions",
        level=LEVEL,
        tested=tested,
        left_out=Fact("method.left_out", families=left_out) if left_out else (),
    )


def family_labels(report: Report) -> dict[str, str]:
    """What the families of a report's tests ask, in words, by their keys."""
    return {each.key: _label(report, each.key) for each in report.families}


def _label(report: Report, key: str) -> str:
    first, _, further = key.partition(", ")
    kind, _, index = first.partition(" ")
    if not index.isdigit():
        return catalogue.text(Fact(f"scope.families.{key}"))
    asked = report.relations[int(index)] if kind == "relation" else report.orders[int(index)]
    more = Fact(f"scope.further.{further}") if further else ()
    return catalogue.text(Fact("scope.families.relation", kind=kind, label=asked.label, further=more))
