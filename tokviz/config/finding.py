"""``[finding]``: what the first page opens with, in the author's words, and the two states of its plot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Annotated

from pydantic import Field, field_validator

from tokviz.config.fields import LONGEST_ADDRESS, Mistakes, Text
from tokviz.config.tables import Table
from tokviz.text import shown

MOST_WORDS_IN_FINDING = 25
"""A longer sentence isn't read at a glance."""
_DEPTH = re.compile(r"embedding|layer-([0-9]{1,6})")
_CHANGED = r"(?:-(?:off|mean|by-hand-[0-9]+))?"
"""What follows a context's name where neurons are changed."""


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
    """``[finding]``: one sentence, and which two plots the reader changes between."""

    sentence: Annotated[Text, Field(max_length=300)]
    """What was found, in at most 25 words."""
    states: (
        Annotated[list[Annotated[str, Field(max_length=LONGEST_ADDRESS)]], Field(min_length=2, max_length=2)] | None
    ) = None
    """Two addresses of plots, ``MODEL/CONTEXT/layer-10`` or with a projection after it; by default the two that show
    what the report found."""

    @field_validator("sentence")
    @classmethod
    def _is_short(cls, sentence: str) -> str:
        n_words = len(sentence.split())
        if n_words > MOST_WORDS_IN_FINDING:
            raise ValueError(f"expected at most {MOST_WORDS_IN_FINDING} words, got {n_words}; shorten the sentence")
        return sentence

    @field_validator("states")
    @classmethod
    def _differ(cls, states: list[str] | None) -> list[str] | None:
        if states and states[0] == states[1]:
            raise ValueError(f"expected two different states, got {shown(states[0])} twice")
        return states


def fitting(finding: FindingConfig, known: Known) -> FindingConfig:
    """The same, if its states fit the rest of the configuration; raises for others.

    How many layers a model has, and what was captured of it with neurons changed, is known later.
    """
    mistakes = Mistakes()
    for index, state in enumerate(finding.states or ()):
        if problem := _problem(state, known):
            expected, got = problem
            example = f"{known.models[0]}/{known.contexts[0]}/layer-3"
            mistakes.add(("states", index), f"expected {expected}, as in {example}, got {shown(got)} in {shown(state)}")
    mistakes.refuse()
    return finding


def _problem(state: str, known: Known) -> tuple[str, str] | None:
    """What was expected in place of which part."""
    model, _, rest = state.partition("/")
    context, _, at = rest.partition("/")
    depth, slash, projection = at.partition("/")
    contexts = "|".join(map(re.escape, known.contexts))
    if model not in known.models:
        return f"the folder of a model, one of {_listed(known.models)}", model
    if not re.fullmatch(rf"(?:{contexts}){_CHANGED if known.has_changes else ''}", context):
        return f"a context after the model, one of {_listed(known.contexts)}", context
    found = _DEPTH.fullmatch(depth)
    if not found or (known.n_depths is not None and int(found[1] or -1) + 1 >= known.n_depths):
        most = "" if known.n_depths is None else f", up to layer-{known.n_depths - 2}"
        return f'"embedding" or a layer after the context{most}', depth
    if slash and projection not in known.projections:
        return f"nothing after the layer, or one of {_listed(known.projections)}", projection
    return None


def _listed(names: Sequence[str]) -> str:
    return shorten(", ".join(names), 100, placeholder=" …")
