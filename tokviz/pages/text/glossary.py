"""The terms that pages explain where they first stand, and those of the method page but for a measure's own, in ``charts/measures.py``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


def term(key: str, of: Any = None, /, **values: Any) -> Term:
    """The term that has its name, its meaning and maybe its sources under a key of the catalogue: ``method.chance``.

    Parameters
    ----------
    of : a record, such as of thresholds, with the values of the meaning under their names.
    """
    found = catalogue.entry(key)
    values |= {name: getattr(of, name) for name in catalogue.names(f"{key}.meaning") - values.keys()}
    meaning = catalogue.text(Fact(f"{key}.meaning", **values))
    return Term(name=found["name"], meaning=meaning, sources=tuple(map(source, found.get("sources", ()))))


# --- how to read plots -----------------------------------------------------------------------------------------------


def projection_term(name: str) -> Term:
    """What a projection does."""
    return term(f"method.projections.{name}")


def grid_term(*, is_partial: bool) -> Term:
    """What the grid of all layers is, or with ``is_partial`` of those that were captured."""
    return term("method.captured_layers" if is_partial else "method.all_layers")


def reading_terms(
    projections: Sequence[str],
    position_0: str,
    *,
    with_models: bool = True,
    with_series: bool = False,
    is_partial: bool = False,
) -> tuple[Term, ...]:
    """How plots are read, for the method page.

    Parameters
    ----------
    position_0 : which of the report's words stand there, in a sentence.
    is_partial : whether some layers were not captured.
    """
    return (
        term("method.point"),
        term("method.components"),
        *((term("method.from_layer_to_layer"),) if with_models else ()),
        *((term("method.from_one_to_another"),) if with_series else ()),
        *map(projection_term, projections),
        term("method.hollow_marks"),
        term("method.position_0", contexts=position_0),
        *((grid_term(is_partial=is_partial),) if with_models else ()),
    )


def decisions(families: Sequence[Family], labels: Mapping[str, str]) -> Term:
    """By which rule a report claims anything.

    Parameters
    ----------
    labels : of the families, by their keys.
    """
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
