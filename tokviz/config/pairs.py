"""``compare``: the pairs of models that are shown layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten

from tokviz.config.fields import Mistakes
from tokviz.text import shown


def fitting_pairs(pairs: list[list[str]], models: Sequence[str] | None) -> list[list[str]]:
    """The pairs, if each names two models of the report.

    Parameters
    ----------
    models : their names as readers see them; None if these are to be mended first.
    """
    if models is not None and not models:
        raise ValueError(
            'expected no pairs where there is no [[models]], as a series compares its checkpoints itself; remove "compare"'
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
    mistakes.refuse()
    return pairs
