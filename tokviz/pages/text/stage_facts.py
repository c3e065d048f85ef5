"""What is stated of a stage: facts from its numbers, which ``stage_sentences`` puts into words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tokviz.pages.text.facts import Fact
from tokviz.pages.text.trust import purity_in_plot
from tokviz.pages.text.wording import joined_by_and, projection_label, the_depth
from tokviz.records import Geometry, MassiveActivations, Projection, Stage

MOST_DIMENSIONS = 4
"""More of them are counted, not named."""


def lead_facts(geometry: Geometry, number: int, *, at_position_0: bool) -> tuple[Fact, ...]:
    """What a reader should know first of a stage: what begins or ends there, and how well categories hold in the plot.

    Parameters
    ----------
    number : of the stage, from 0.
    at_position_0 : whether the words are read there.
    """
    depths, before = _depths(geometry.stages[number]), geometry.position0
    large = _turn(geometry.massive, depths)
    if not large and not at_position_0 and (flagged := _where(before.massive, depths)):
        large = (Fact(kind="massive activations at position 0", values=_some(flagged, depths)),)
    return (*large, *_purity(geometry, depths)) or (Fact(kind="nothing large"),)


def stage_facts(
    geometry: Geometry, stage: Stage, projection: Projection | None, *, at_position_0: bool
) -> tuple[Fact, ...]:
    """What the numbers say of a stage's depths: ranges over those depths, the largest value at its peak.

    Parameters
    ----------
    projection : the one whose pictures are shown first, if any; else the full space is spoken of.
    at_position_0 : whether the words are read there.
    """
    depths = _depths(stage)
    return (
        *_sizes(geometry.massive, depths),
        *([] if at_position_0 else _large(geometry.position0, "massive at position 0", depths)),
        *([] if projection is None else _variance(projection, depths)),
        *_purity(geometry, depths, n_neighbors=geometry.n_neighbours),
        *_similarity(stage),
    )


def _depths(stage: Stage) -> range:
    return range(stage.first_depth, stage.last_depth + 1)


def _where(flags: np.ndarray, depths: range) -> list[int]:
    return [depth for depth in depths if flags[depth]]


def _some(flagged: Sequence[int], depths: range) -> tuple[float, ...]:
    """At how many depths of how many it holds; nothing where it holds at all of them."""
    return () if len(flagged) == len(depths) else (len(flagged), len(depths))


def _range(values: np.ndarray) -> tuple[float, float] | None:
    """Of those that are known, if any."""
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if len(known) else None


# --- what is large ---------------------------------------------------------------------------------------------------


def _turn(words: MassiveActivations, depths: range) -> tuple[Fact, ...]:
    """What is large in the words, or was; empty where there is nothing to say."""
    emergence = words.emergence_depth
    if emergence is not None and emergence in depths:
        return (Fact(kind="emerge", subject=(the_depth(emergence),)),)
    for kind, flags in (("massive activations", words.massive), ("moderately large activations", words.moderate)):
        if flagged := _where(flags, depths):
            return (Fact(kind=kind, values=_some(flagged, depths)),)
    if emergence is None or emergence >= depths[0]:
        return ()
    if words.outgrown[depths].all():
        return (Fact(kind="outgrown", subject=(of_whom(words),)),)
    return () if words.outgrown[depths].any() else (Fact(kind="no longer massive"),)


def _sizes(words: MassiveActivations, depths: range) -> list[Fact]:
    """What is massive or else large against other tokens, and what is dominant; peaks only where that holds."""
    large = _large(words, "massive", depths) or _large(words, "moderately large", depths)
    dominant = [depth for depth in depths if words.dominant[depth] is not None]
    if not dominant:
        return large or [Fact(kind="none massive"), peak(words, depths)]
    held = _dominant(words, dominant, depths)
    return [*large, held] if large else [held, peak(words, dominant, among=depths, kind="largest, not massive")]


def _large(activations: MassiveActivations, kind: str, depths: range) -> list[Fact]:
    """In which dimensions, and how large where it is largest; empty where nothing is."""
    flags = activations.moderate if kind == "moderately large" else activations.massive
    if not (flagged := _where(flags, depths)):
        return []
    which = _dimensions([activations.dimensions[depth] for depth in flagged])
    return [
        Fact(kind=kind, subject=which, values=_some(flagged, depths)),
        peak(activations, flagged, among=depths),
    ]


def _dimensions(by_depth: Sequence[tuple[int, ...]]) -> tuple[str, ...]:
    """``dimensions 5 and 17``, and whether there are others at some of the depths."""
    everywhere = sorted(set(by_depth[0]).intersection(*by_depth))
    same = len(set(by_depth)) == 1
    if not everywhere:
        return (f"dimensions that differ {'from word to word' if same else 'between depths or words'}",)
    if len(everywhere) > MOST_DIMENSIONS:
        which = f"{len(everywhere)} dimensions"
    else:
        which = f"dimension{'s' if len(everywhere) > 1 else ''} {joined_by_and([str(each) for each in everywhere])}"
    return (which,) if same else (which, "others at some of these")


def _dominant(words: MassiveActivations, dominant: Sequence[int], depths: range) -> Fact:
    which = {words.dominant[depth] for depth in dominant}
    return Fact(
        kind="dominant",
        subject=(f"dimension {which.pop()}" if len(which) == 1 else "one dimension, not always the same,",),
        values=_some(dominant, depths),
        bounds=_range(words.top_share[dominant]),
    )


def peak(
    activations: MassiveActivations, flagged: Sequence[int], *, among: Sequence[int] = (), kind: str = "largest"
) -> Fact:
    """Of some depths the largest |x|, the median that it is compared with, and how many times that it is, unless that is 0.

    Parameters
    ----------
    among : the depths that are spoken of, if those are more.
    """
    depth = max(flagged, key=lambda each: float(activations.largest[each]))
    where = (the_depth(depth),) if len(among or flagged) > 1 else ()
    values = (activations.largest[depth], activations.typical[depth], activations.ratio[depth])
    known = tuple(float(each) for each in values if not np.isnan(each))
    return Fact(kind=kind, subject=(typical(activations), *where), values=known)


def of_whom(activations: MassiveActivations) -> str:
    """Whose median values are compared with."""
    return "typical tokens’" if activations.typical_is_ordinary else "the words’ own"


def typical(activations: MassiveActivations) -> str:
    """What values are compared with."""
    return "a typical token’s median" if activations.typical_is_ordinary else "the words’ own median"


# --- variance, categories, likeness ----------------------------------------------------------------------------------


def _variance(projection: Projection, depths: range) -> list[Fact]:
    shares = _range(projection.explained_variance_ratio[depths, 0])
    return [Fact(kind="variance", subject=(projection_label(projection.name),), bounds=shares)] if shares else []


def _purity(geometry: Geometry, depths: range, n_neighbors: int | None = None) -> list[Fact]:
    """The share of neighbours of a word's category, in the plot if there is one, and what chance gives; empty where it isn't defined."""
    flat = purity_in_plot(geometry)
    purity, where = (geometry.purity, "in all dimensions") if flat is None else (flat, "in the plot")
    shares, chance = _range(purity.value[depths]), _range(purity.null_mean[depths])
    if shares is None:
        return []
    values = () if n_neighbors is None else (n_neighbors,)
    by_chance = [Fact(kind="by chance", bounds=chance)] if chance else []
    return [Fact(kind="purity", subject=(where,), values=values, bounds=shares), *by_chance]


def _similarity(stage: Stage) -> list[Fact]:
    known = {
        where: value
        for where, value in (
            ("within the stage", stage.cka_within),
            ("with the previous stage", stage.cka_before),
        )
        if not np.isnan(value)
    }
    return [Fact(kind="CKA", subject=tuple(known), values=tuple(known.values()))] if known else []
