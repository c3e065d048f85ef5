"""What a model's untrained controls say of it, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tokviz.pages.text.wording import in_words, joined_by_and, ranged, score
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
    words = f"Words {context.states.context.label}{'' if templates is None else ', first sentence'}"
    return (
        *_of_purity(untrained, purity, words),
        *_of_training(untrained, measures),
        *_of_layers(untrained, measures),
        *(f"No untrained model: {each}." for each in untrained.problems),
    )


def _of_purity(untrained: Untrained, purity: np.ndarray, words: str) -> Iterator[str]:
    """What the first chart shows, in numbers."""
    last = len(purity) - 1
    parts = []
    if untrained.random is not None and np.isfinite(untrained.random.purity).any():
        parts.append(
            f"with all weights random, category purity is {ranged(untrained.random.purity, score)} over all depths"
        )
    if untrained.low and untrained.high and last:
        seeds = np.array([untrained.low.purity[last], untrained.high.purity[last]])
        if np.isfinite([*seeds, purity[last]]).all():
            parts.append(
                f"with random layers after the model’s own embedding, it is {ranged(seeds, score)} at {depth_name(last)} "
                f"({in_words(len(untrained.own_embedding))} seeds), where the model has {score(purity[last])}"
            )
    if parts:
        yield f"{words}: {'; '.join(parts)}."


def _of_training(untrained: Untrained, measures: Sequence[str]) -> Iterator[str]:
    above = _named(untrained.by_training, measures)
    if above:
        yield f"The model is shown to be further above chance than with all weights random in {joined_by_and(above)}."
    elif untrained.training is not None:
        yield "The model is not shown to be further above chance than with all weights random in any measure."


def _of_layers(untrained: Untrained, measures: Sequence[str]) -> Iterator[str]:
    above = _named(untrained.by_layers, measures)
    if above:
        yield (
            f"After its layers it is shown to be further above chance than after random ones, whichever the seed, in {joined_by_and(above)}: "
            "that is the layers’ work."
        )
    elif untrained.layers is not None:
        yield "After its layers it is not shown to be further above chance than after random ones in any measure."


def _named(exceeds: Sequence[bool], measures: Sequence[str]) -> list[str]:
    return [name for name, is_above in zip(measures, exceeds, strict=False) if is_above]
