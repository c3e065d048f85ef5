"""A stage in a plain sentence and in one with all its numbers, made of these and of nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tokviz.pages.text.trust import purity_in_plot
from tokviz.pages.text.wording import (
    NBSP,
    capitalized,
    count,
    in_words,
    joined_by_and,
    number,
    percent,
    projection_label,
    ranged,
    score,
    the_depth,
    whole_percent,
)
from tokviz.records import CategoryMeasure, Geometry, MassiveActivations, Projection, Stage, depth_name
from tokviz.text import isolated

MOST_DIMENSIONS = 4
"""More of them are counted, not named."""
MOST_RUNS = 3
"""Where something holds at more runs of depths, the depths are counted."""


MOST_TEMPLATES = 3
"""Of more sentences the number is said."""


def over_sentences(
    holds: np.ndarray, template_holds: np.ndarray | None, templates: Sequence[str], what: str = "this is shown"
) -> tuple[str, ...]:
    """Where each sentence of a context by itself says what their median does, or which ones say otherwise.

    Parameters
    ----------
    holds : ``(n_depths,)`` bool: what is announced of the median.
    template_holds : ``(n_templates, n_depths)`` bool, of each sentence; None with one.
    what : is announced, as a clause before its depths.
    """
    if template_holds is None:
        return ()
    shown, alone = bool(holds.any()), np.asarray(template_holds.any(axis=1))
    others = np.flatnonzero(alone != shown).tolist()
    n = in_words(len(alone))
    if not others:
        everywhere = np.asarray(template_holds.all(axis=0))
        where = depths_where(everywhere) if everywhere.any() else "other depths"
        return (f"In each of the {n} sentences by itself, {what} at {where}.",) if shown else ()
    named = joined_by_and([in_quotes(templates[index]) for index in others])
    which = named if len(others) <= MOST_TEMPLATES else f"{in_words(len(others))} of {n}"
    itself = "itself" if len(others) == 1 else "themselves"
    return (f"But it depends on the sentence: in {which} by {itself}, {what} at {'no' if shown else 'some'} depth.",)


def in_quotes(template: str) -> str:
    """``“I saw …”``."""
    return f"“{isolated(template.replace('{word}', '…').strip())}”"


def depths_name(first: int, last: int) -> str:
    """``embedding``, ``layer 1``, ``embedding to layer 4``, ``layers 2–8``."""
    if first == last:
        return depth_name(first)
    if first == 0:
        return f"embedding {'and' if last == 1 else 'to'} {depth_name(last)}"
    return f"layers {first - 1}–{last - 1}"


def depths_where(depths: np.ndarray) -> str:
    """``(n_depths,)`` bool → ``the embedding, layers 0–3 and layer 8``, ``20 of 31 depths``, ``every depth``."""
    if depths.all():
        return "every depth"
    edges = np.flatnonzero(np.diff(np.concatenate([[0], depths.astype(int), [0]])))
    runs = list(zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True))
    if len(runs) > MOST_RUNS:
        return f"{int(depths.sum())} of {count(len(depths), 'depth')}"
    layers = [depths_name(max(first, 1), last) for first, last in runs if last > 0]
    return joined_by_and([*(["the embedding"] if depths[0] else []), *layers])


def stage_lead(geometry: Geometry, number: int, *, at_position_0: bool) -> str:
    """What a reader should know first of a stage: what begins or ends there, and how well categories hold in the plot.

    Parameters
    ----------
    number : of the stage, from 0.
    at_position_0 : whether the words are read there.
    """
    depths = _depths(geometry.stages[number])
    event = _outstanding(geometry.massive, depths) or ("" if at_position_0 else _outstanding_before(geometry, depths))
    parts = [part for part in (event, _neighbours(geometry, depths)) if part]
    sentence = "; ".join(parts) or "the words have no massive activations here"
    return f"{capitalized(sentence)}."


def _depths(stage: Stage) -> range:
    return range(stage.first_depth, stage.last_depth + 1)


def _outstanding(massive: MassiveActivations, depths: range) -> str:
    """What is large in the words, or was; empty where there is nothing to say."""
    emergence = massive.emergence_depth
    if flagged := [depth for depth in depths if massive.massive[depth]]:
        if emergence in flagged:
            return f"massive activations emerge at {the_depth(flagged[0])}"
        return f"the words have massive activations{_some(flagged, depths)}"
    if flagged := [depth for depth in depths if massive.moderate[depth]]:
        return f"the words have moderately large activations{_some(flagged, depths)}"
    if emergence is None or emergence >= depths[0]:
        return ""
    if massive.outgrown[depths].all():
        return f"activations are no longer massive by the ratio, because {of_whom(massive)} median has risen"
    return "" if massive.outgrown[depths].any() else "the words no longer have massive activations"


def of_whom(activations: MassiveActivations) -> str:
    """Whose median values are compared with."""
    return "typical tokens’" if activations.typical_is_ordinary else "the words’ own"


def _outstanding_before(geometry: Geometry, depths: range) -> str:
    """What is large at position 0 of the words' texts, while nothing is in the words."""
    flagged = [depth for depth in depths if geometry.position0.massive[depth]]
    if not flagged:
        return ""
    return f"the token at position{NBSP}0 has massive activations{_some(flagged, depths)}, but the words don’t"


def _neighbours(geometry: Geometry, depths: range) -> str:
    """The share of neighbours of a word's category, and what chance gives; empty where it isn't defined."""
    purity, where = _purity(geometry)
    shares = purity.value[depths]
    if np.isnan(shares).all():
        return ""
    chance = purity.null_mean[depths]
    beside = f" (by chance {ranged(chance, whole_percent)})" if np.isfinite(chance).any() else ""
    return f"{where}, {ranged(shares, whole_percent)} of a word’s nearest neighbors share its category{beside}"


def _purity(geometry: Geometry) -> tuple[CategoryMeasure, str]:
    """In the plot if there is one, and where."""
    flat = purity_in_plot(geometry)
    return (geometry.purity, "in all dimensions") if flat is None else (flat, "in the plot")


def stage_sentence(geometry: Geometry, stage: Stage, projection: Projection | None, *, at_position_0: bool) -> str:
    """What the numbers say of a stage's depths: ranges over those depths, the largest value at its peak.

    Parameters
    ----------
    projection : the one whose pictures are shown first, if any; else the full space is spoken of.
    at_position_0 : whether the words are read there.
    """
    depths = _depths(stage)
    parts = [*_sizes(geometry.massive, depths), *([] if at_position_0 else _sizes_before(geometry.position0, depths))]
    if projection is not None:
        explained = projection.explained_variance_ratio[depths, 0]
        if not np.isnan(explained).all():
            label = projection_label(projection.name)
            parts.append(f"PC1 holds {ranged(explained, percent)} of the variance ({label})")
    purity, where = _purity(geometry)
    if not np.isnan(purity.value[depths]).all():
        name = f"{geometry.n_neighbours}-neighbor purity {where}"
        chance = purity.null_mean[depths]
        beside = f" (chance {ranged(chance, score)})" if np.isfinite(chance).any() else ""
        parts.append(f"{name} {ranged(purity.value[depths], score)}{beside}")
    similarity = [
        f"{score(value)} {between}"
        for value, between in (
            (stage.cka_within, "within the stage"),
            (stage.cka_before, "with the previous stage"),
        )
        if not np.isnan(value)
    ]
    if similarity:
        parts.append(f"mean CKA {', '.join(similarity)}")
    sentence = "; ".join(parts)
    return f"{capitalized(sentence)}."


def typical(activations: MassiveActivations) -> str:
    """What values are compared with."""
    return "a typical token’s median" if activations.typical_is_ordinary else "the words’ own median"


def size(activations: MassiveActivations, depth: int, *, where: str = "") -> str:
    """``largest |x| 24,113 at layer 11, 13,533 × a typical token’s median of 1.78``.

    Parameters
    ----------
    where : ``" at layer 11"``, if it isn't clear.
    """
    whose = typical(activations)
    text = f"largest |x|{NBSP}{number(activations.largest[depth])}{where}"
    if np.isnan(activations.ratio[depth]):
        return f"{text}, where {whose} is 0"
    return f"{text}, {number(activations.ratio[depth])}{NBSP}× {whose} of {number(activations.typical[depth])}"


# --- massive and dominant dimensions ---------------------------------------------------------------------------------


def _sizes(massive: MassiveActivations, depths: range) -> list[str]:
    """What is massive or else large against other tokens, and what is dominant; peaks only where that holds."""
    parts = []
    for flags, kind in ((massive.massive, "massive"), (massive.moderate, "moderately large")):
        if flagged := [depth for depth in depths if flags[depth]]:
            which, others = _which([massive.dimensions[depth] for depth in flagged])
            how = f"{kind}{_some(flagged, depths)}{others}"
            parts.append(f"{which} {how} ({_peak(massive, flagged, depths)})")
            break
    dominant = [depth for depth in depths if massive.dominant[depth] is not None]
    if dominant:
        share = ranged(massive.top_share[dominant], whole_percent)
        held = f"{_dominant(massive, dominant)} dominant{_some(dominant, depths)}, with {share} of Σ{NBSP}x²"
        parts.append(held if parts else f"{held} (not massive: {_peak(massive, dominant, depths)})")
    return parts or [f"no dimension is massive ({_peak(massive, depths, depths)})"]


def _sizes_before(position0: MassiveActivations, depths: range) -> list[str]:
    """What is massive at position 0 of the words' texts."""
    flagged = [depth for depth in depths if position0.massive[depth]]
    if not flagged:
        return []
    which, others = _which([position0.dimensions[depth] for depth in flagged])
    return [f"at position 0 {which} massive{_some(flagged, depths)}{others} ({_peak(position0, flagged, depths)})"]


def _peak(activations: MassiveActivations, flagged: Sequence[int], depths: range) -> str:
    peak = max(flagged, key=lambda depth: float(activations.largest[depth]))
    return size(activations, peak, where=f" at {the_depth(peak)}" if len(depths) > 1 else "")


def _which(dimensions: Sequence[tuple[int, ...]]) -> tuple[str, str]:
    """``dimensions 5 and 17 are``, and what is to be added where there are more at some of the depths."""
    everywhere = sorted(set(dimensions[0]).intersection(*dimensions))
    same = len(set(dimensions)) == 1
    if not everywhere:
        return f"dimensions that differ {'from word to word' if same else 'between depths or words'} are", ""
    others = "" if same else ", others at some of these"
    if len(everywhere) > MOST_DIMENSIONS:
        return f"{len(everywhere)} dimensions are", others
    *before, last = map(str, everywhere)
    return f"dimensions {', '.join(before)} and {last} are" if before else f"dimension {last} is", others


def _dominant(massive: MassiveActivations, depths: Sequence[int]) -> str:
    different = {massive.dominant[depth] for depth in depths}
    return f"dimension {different.pop()} is" if len(different) == 1 else "one dimension, not always the same, is"


def _some(flagged: Sequence[int], depths: range) -> str:
    """Nothing where it holds at every depth of the stage, else at how many."""
    return "" if len(flagged) == len(depths) else f" at {len(flagged)} of {len(depths)} depths"
