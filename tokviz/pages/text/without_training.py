"""What a model's untrained controls say of it, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tokviz.pages.text.catalogue import text
from tokviz.pages.text.facts import Fact
from tokviz.records import ContextReport, Differences, Untrained


def untrained_sentences(context: ContextReport, measures: Sequence[str]) -> tuple[str, ...]:
    """None of a context without controls.

    Parameters
    ----------
    measures : how sentences call them, in the order of ``Profile.peaks``.
    """
    untrained, geometry = context.untrained, context.geometry
    if untrained is None or geometry is None:
        return ()
    templates = geometry.purity.templates
    # The controls have the first template's words only.
    purity = geometry.purity.value if templates is None else templates[0]
    # Where purity and silhouette are held against controls word by word, that is the answer.
    first = Differences.N_OF_CATEGORIES if context.paired and context.paired.untrained else 0
    comparisons = tuple(_against(untrained.layers, untrained.by_layers, measures, first))
    problems = tuple(text(Fact("scope.controls.problem", problem=each)) for each in untrained.problems)
    if not comparisons:
        return problems
    told = Fact(
        "scope.controls.sentence",
        context=context.states.context.label,
        first=() if templates is None else Fact("scope.controls.first"),
        comparisons=comparisons,
        best=() if first else _best(untrained, purity),
    )
    return tuple(filter(None, (text(told), untrained.scaling, *problems)))


def _against(
    differences: Differences | None, exceeds: Sequence[bool], measures: Sequence[str], first: int
) -> Iterator[Fact]:
    """``shown to be further above chance than with random or permuted layers in category purity (of five metrics)``.

    Parameters
    ----------
    first : the index of the first measure that is spoken of.
    """
    if differences is None or first == len(differences.all):
        return
    tested = [each.claim.can_be_tested and bool(np.isfinite(each.claim.score).any()) for each in differences.all]
    asked_of = list(zip(measures, exceeds, tested, strict=False))[first:]
    known = [(name, is_above) for name, is_above, asked in asked_of if asked]
    above, n = tuple(name for name, is_above in known if is_above), len(known)
    purity = differences.purity
    here = Fact("scope.controls.here") if purity.unit == "word" and first == 0 else ()
    if above:
        of = Fact("scope.controls.of_related" if first else "scope.controls.of", n=n) if n > len(above) else ()
        yield Fact("scope.controls.above", here=here, metrics=above, of=of)
    elif known:
        metrics = (
            known[0][0] if n == 1 else Fact("scope.controls.any_related" if first else "scope.controls.any_of", n=n)
        )
        # What the errors are over, which are large where there are few.
        by_categories = purity.unit == "category" and purity.freedom and first == 0
        errors = Fact("scope.controls.errors", n=purity.freedom + 1) if by_categories else ()
        yield Fact("scope.controls.not_above", here=here, metrics=metrics, errors=errors)
    else:
        yield Fact("scope.controls.untested")


def _best(untrained: Untrained, purity: np.ndarray) -> Fact | tuple[()]:
    """`` (category purity 0.98 at layer 12, with random layers 0.86–0.91 there)``; nothing where it isn't known."""
    depth = best_layer(purity)
    if depth is None or not untrained.own_embedding:
        return ()
    seeds = np.array([each.purity[depth] for each in untrained.own_embedding])
    if not np.isfinite(seeds).all():
        return ()
    return Fact("scope.controls.best", purity=purity[depth], depth=depth, seeds=(seeds.min(), seeds.max()))


def best_layer(values: np.ndarray) -> int | None:
    """The depth after a layer at which a model is held against its controls: of its greatest value; None where none is defined."""
    return 1 + int(np.nanargmax(values[1:])) if np.isfinite(values[1:]).any() else None
