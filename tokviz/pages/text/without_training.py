"""What a model's untrained controls say of it, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tokviz.pages.text.catalogue import Fact, text
from tokviz.records import ContextReport, Differences, Untrained


def untrained_sentences(context: ContextReport, measures: Sequence[str]) -> tuple[str, ...]:
    """None of a context without controls; ``measures``: how sentences call them, in the order of ``Profile.peaks``."""
    untrained, geometry = context.untrained, context.geometry
    if untrained is None or geometry is None:
        return ()
    comparisons = tuple(_against(untrained, measures))
    problems = (text(Fact("scope.controls.problem", problem=each)) for each in untrained.problems)
    told = Fact(
        "scope.controls.sentence",
        context=context.states.context.label,
        # The controls have the first template's words only.
        first=() if geometry.purity.templates is None else Fact("scope.controls.first"),
        comparisons=comparisons,
    )
    return tuple(filter(None, (text(told) if comparisons else "", untrained.scaling, *problems)))


def _against(untrained: Untrained, measures: Sequence[str]) -> Iterator[Fact]:
    """``shown to be further above chance than with random or permuted layers in the order “Months” (of five relations and orders)``.

    Of categories that is asked word by word, and told elsewhere.
    """
    if not untrained.layers:
        return
    asked_of = zip(measures[Differences.N_OF_CATEGORIES :], untrained.by_layers, untrained.layers, strict=False)
    known = [
        (name, is_above)
        for name, is_above, each in asked_of
        if each.claim.can_be_tested and np.isfinite(each.claim.score).any()
    ]
    above, n = tuple(name for name, is_above in known if is_above), len(known)
    if above:
        of = Fact("scope.controls.of", n=n) if n > len(above) else ()
        yield Fact("scope.controls.above", metrics=above, of=of)
    elif known:
        yield Fact("scope.controls.not_above", metrics=known[0][0] if n == 1 else Fact("scope.controls.any_of", n=n))
    else:
        yield Fact("scope.controls.untested")


def best_layer(values: np.ndarray) -> int | None:
    """The depth after a layer at which a model is held against its controls: of its greatest value; None where none is defined."""
    return 1 + int(np.nanargmax(values[1:])) if np.isfinite(values[1:]).any() else None
