"""What a model's untrained controls say of it, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tokviz.pages.text.wording import joined_by_and, ranged, score
from tokviz.records import ContextReport, Untrained, depth_name


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
    said = (*_of_training(untrained, measures), *_of_layers(untrained, measures, purity))
    problems = tuple(f"No untrained model: {each}." for each in untrained.problems)
    if not said:
        return problems
    words = f"Words {context.states.context.label}{'' if templates is None else ', first sentence'}"
    return (f"{words}, and untrained models: {'; '.join(said)}.", *problems)


def _of_training(untrained: Untrained, measures: Sequence[str]) -> Iterator[str]:
    above = _named(untrained.by_training, measures)
    if above:
        yield f"the model is shown to be further above chance than with all weights random in {joined_by_and(above)}"
    elif untrained.training is not None:
        yield "the model is not shown to be further above chance than with all weights random in any measure"


def _of_layers(untrained: Untrained, measures: Sequence[str], purity: np.ndarray) -> Iterator[str]:
    above = _named(untrained.by_layers, measures)
    if above:
        yield f"its layers do more than random layers of each of five seeds in {joined_by_and(above)}{_at_the_end(untrained, purity)}"
    elif untrained.layers is not None:
        yield f"its layers are not shown to do more than random ones in any measure{_at_the_end(untrained, purity)}"


def _at_the_end(untrained: Untrained, purity: np.ndarray) -> str:
    """`` (category purity at layer 29: 0.66, with random layers 0.59–0.71)``; nothing where it isn't known."""
    last = len(purity) - 1
    if not (untrained.low and untrained.high and last):
        return ""
    seeds = np.array([untrained.low.purity[last], untrained.high.purity[last]])
    if not np.isfinite([*seeds, purity[last]]).all():
        return ""
    return f" (category purity at {depth_name(last)}: {score(purity[last])}, with random layers {ranged(seeds, score)})"


def _named(exceeds: Sequence[bool], measures: Sequence[str]) -> list[str]:
    return [name for name, is_above in zip(measures, exceeds, strict=False) if is_above]
