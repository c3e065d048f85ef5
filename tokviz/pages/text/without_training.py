"""What a model's untrained controls say of it, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tokviz.pages.text.wording import in_words, joined_by_and, ranged, score
from tokviz.records import ContextReport, Differences, Untrained, depth_name


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
    said = (
        *_against(untrained.training, untrained.by_training, measures, "with all weights random", first),
        *_against(untrained.layers, untrained.by_layers, measures, "with random layers (five seeds)", first),
    )
    problems = tuple(f"No untrained model: {each}." for each in untrained.problems)
    if not said:
        return problems
    words = f"Words {context.states.context.label}{'' if templates is None else ', first sentence'}"
    return (f"{words}, the model at its best layer: {'; '.join(said)}{_best(untrained, purity)}.", *problems)


def _against(
    differences: Differences | None, exceeds: Sequence[bool], measures: Sequence[str], control: str, first: int
) -> Iterator[str]:
    """``shown to be further above chance than with all weights random in category purity (of five metrics)``.

    Parameters
    ----------
    first : the index of the first measure that is spoken of.
    """
    if differences is None or first == len(differences.all):
        return
    tested = [each.claim.can_be_tested and bool(np.isfinite(each.claim.score).any()) for each in differences.all]
    known = [
        (name, is_above)
        for name, is_above, asked in list(zip(measures, exceeds, tested, strict=False))[first:]
        if asked
    ]
    above = [name for name, is_above in known if is_above]
    here = " on this list of words" if differences.purity.unit == "word" and first == 0 else ""
    if above:
        of = f" (of {in_words(len(known))} metrics)" if len(known) > len(above) else ""
        yield f"shown to be further above chance{here} than {control} in {joined_by_and(above)}{of}"
    elif known:
        of = known[0][0] if len(known) == 1 else f"any of {in_words(len(known))} metrics"
        yield f"not shown to be further above chance{here} than {control} in {of}{_over_categories(differences) if first == 0 else ''}"
    else:
        yield f"whether it is further above chance than {control} can’t be tested with these words"


def _over_categories(differences: Differences) -> str:
    """What the errors are over, which are large where there are few."""
    purity = differences.purity
    return (
        f", with errors over {in_words(purity.freedom + 1)} categories"
        if purity.unit == "category" and purity.freedom
        else ""
    )


def _best(untrained: Untrained, purity: np.ndarray) -> str:
    """`` (category purity 0.98 at layer 12, with random layers 0.86–0.91)``; nothing where it isn't known."""
    if not np.isfinite(purity[1:]).any() or not untrained.own_embedding:
        return ""
    seeds = np.array([best_after_embedding(each.purity) for each in untrained.own_embedding])
    depth = 1 + int(np.nanargmax(purity[1:]))
    if not np.isfinite(seeds).all():
        return ""
    extremes = ranged(np.array([seeds.min(), seeds.max()]), score)
    return f" (category purity {score(purity[depth])} at {depth_name(depth)}, with random layers {extremes})"


def best_after_embedding(values: np.ndarray) -> float:
    """The greatest value after a layer; NaN where none is defined."""
    known = values[1:][np.isfinite(values[1:])]
    return float(known.max()) if len(known) else float("nan")
