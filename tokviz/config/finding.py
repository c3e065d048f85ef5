"""``[finding]``: what the first page opens with, in the author's words, and the plots below it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from tokviz.config.fields import LONGEST_ADDRESS, Mistakes, Text, at_most
from tokviz.config.tables import Table
from tokviz.records import Slot
from tokviz.text import shown

MOST_WORDS_IN_FINDING = 25
"""A longer sentence isn't read at a glance."""
MOST_ROWS, MOST_DEPTHS = 4, 9
"""With more the first page's plots are too small."""
_DEPTH = re.compile(r"embedding|layer-([0-9]{1,6})")
_CHANGED = r"(?:-(?:off|mean|by-hand-[0-9]+))?"
"""What follows a context's name where neurons are changed."""

Address = Annotated[str, Field(max_length=LONGEST_ADDRESS)]


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the rest of the configuration says of captures; of models and contexts the folders' names."""

    models: Sequence[str]
    contexts: Sequence[str]
    projections: Sequence[str]
    n_depths: int | None
    """None if it is the models' own."""
    has_changes: bool
    """Whether there may be captures with neurons changed."""


class FindingConfig(Table):
    """``[finding]``: one sentence, and the small plots below it; what is left out the report chooses."""

    sentence: Annotated[Text, Field(max_length=300)] | None = None
    """What was found, in at most 25 words."""
    rows: Annotated[list[Address], at_most(MOST_ROWS, "rows"), Field(min_length=1)] | None = None
    """The rows of plots: contexts of one model as ``MODEL/CONTEXT``, at most four."""
    depths: Annotated[list[Address], at_most(MOST_DEPTHS, "depths"), Field(min_length=2)] | None = None
    """The columns: ``embedding``, ``layer-11``; at most nine."""
    lead: Slot | None = None
    """Which finding comes first, of ``words`` (whether they lie by category), ``contexts`` and ``models`` (what they differ in),
    ``break`` (the neurons that write one), ``order`` (which order or relation can be read) and ``layers`` (what they add). By default
    the first of these that there is."""
    projection: str | None = None
    """By default ``centered`` where the report has it, else the first one."""

    @field_validator("sentence")
    @classmethod
    def _is_short(cls, sentence: str | None) -> str | None:
        n_words = len((sentence or "").split())
        if n_words > MOST_WORDS_IN_FINDING:
            raise ValueError(f"expected at most {MOST_WORDS_IN_FINDING} words, got {n_words}; shorten the sentence")
        return sentence

    @field_validator("rows", "depths")
    @classmethod
    def _differ(cls, entries: list[str] | None) -> list[str] | None:
        mistakes = Mistakes()
        for index, each in enumerate(entries or ()):
            if each in (entries or ())[:index]:
                mistakes.add((index,), f"{shown(each)} stands twice; remove one")
        mistakes.refuse()
        return entries

    @model_validator(mode="after")
    def _says_something(self) -> FindingConfig:
        if not self.model_fields_set:
            raise ValueError(
                "expected a sentence, rows, depths, a projection or a lead, got none; add one or remove the table"
            )
        return self


def fitting(finding: FindingConfig, known: Known) -> FindingConfig:
    """The same, if it fits the rest of the configuration; raises for others.

    How many layers a model has, and what was captured of it with neurons changed, is known later.
    """
    mistakes = Mistakes()
    first = (finding.rows or [""])[0].partition("/")[0]
    for index, row in enumerate(finding.rows or ()):
        if problem := _problem(row, first, known):
            expected, got = problem
            example = f"{known.models[0]}/{known.contexts[0]}"
            mistakes.add(("rows", index), f"expected {expected}, as in {example}, got {shown(got)} in {shown(row)}")
    for index, depth in enumerate(finding.depths or ()):
        found = _DEPTH.fullmatch(depth)
        if not found or (known.n_depths is not None and int(found[1] or -1) + 1 >= known.n_depths):
            most = "" if known.n_depths is None else f", up to layer-{known.n_depths - 2}"
            mistakes.add(("depths", index), f'expected "embedding" or a layer, as in layer-3{most}, got {shown(depth)}')
    if finding.projection is not None and finding.projection not in known.projections:
        listed = _listed(known.projections)
        mistakes.add(
            ("projection",), f"expected one of the report's projections, {listed}, got {shown(finding.projection)}"
        )
    mistakes.refuse()
    return finding


def _problem(row: str, first: str, known: Known) -> tuple[str, str] | None:
    """What was expected in place of which part."""
    model, _, context = row.partition("/")
    contexts = "|".join(map(re.escape, known.contexts))
    if model not in known.models:
        return f"the folder of a model, one of {_listed(known.models)}", model
    if model != first:
        return f"rows of one model, {first}", model
    if not re.fullmatch(rf"(?:{contexts}){_CHANGED if known.has_changes else ''}", context):
        return f"a context after the model, one of {_listed(known.contexts)}", context
    return None


def _listed(names: Sequence[str]) -> str:
    return shorten(", ".join(names), 100, placeholder=" …")
