"""Which pairs of models are compared; ``compare``: those that are shown layer by layer; ``changes``: those with a page of their own."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from textwrap import shorten
from typing import Annotated

from pydantic import Field

from tokviz.config.fields import MOST_PAIRS, Mistakes, Name, at_most
from tokviz.text import shown

MOST_MODELS_COMPARED = 6
"""Up to so many models every pair is shown layer by layer without being asked for."""
MOST_MODELS_IN_ALL_PAIRS = 8
"""Of more models all pairs would take longer than the captures: each is compared with the first one."""

Pairs = Annotated[
    list[Annotated[list[Name], Field(min_length=2, max_length=2), at_most(2, "names")]], at_most(MOST_PAIRS, "pairs")
]
"""Of models, by name."""


def fitting_pairs(key: str, pairs: list[list[str]], models: Sequence[str] | None) -> list[list[str]]:
    """The pairs, if each names two models of the report.

    Parameters
    ----------
    key : their name in the configuration.
    models : their names as readers see them; None if these are to be mended first.
    """
    if models is not None and not models:
        raise ValueError(
            f'expected no pairs where there is no [[models]], as a series compares its checkpoints itself; remove "{key}"'
        )
    mistakes = Mistakes()
    names = dict.fromkeys(models or ())
    for index, pair in enumerate(pairs):
        for name in pair:
            if names and name not in names:
                known = shorten(", ".join(names), 120, placeholder=" …")
                mistakes.add((index,), f"expected the name of a model, one of {known}, got {shown(name)}")
        if pair[0] == pair[1]:
            mistakes.add((index,), f"expected two different models, got {shown(pair[0])} twice")
        if any({*pair} == {*other} for other in pairs[:index]):
            mistakes.add((index,), f"the pair {shown(pair[0])}, {shown(pair[1])} stands twice; remove one")
    mistakes.refuse()
    return pairs


def compared_pairs(
    models: Mapping[str, str], named: Sequence[Sequence[str]] | None, known: Collection[str]
) -> tuple[tuple[tuple[str, str], bool], ...]:
    """The slugs of each pair, and whether it is shown layer by layer or in the summary only.

    Parameters
    ----------
    models : name → slug of all models of the report.
    named : the pairs that the author wants to be shown layer by layer.
    known : the slugs of those that can be compared.
    """
    chosen = [(models[a], models[b]) for a, b in named or ()]
    first, *further = [slug for slug in models.values() if slug in known] or [""]
    with_first = [(first, other) for other in further]
    others = (
        with_first if len(models) > MOST_MODELS_IN_ALL_PAIRS else [*with_first, *itertools.combinations(further, 2)]
    )
    all_in_detail = named is None and len(models) <= MOST_MODELS_COMPARED
    return (
        *((pair, True) for pair in chosen if {*pair} <= {*known}),
        *((pair, all_in_detail) for pair in others if {*pair} not in map(set, chosen)),
    )
