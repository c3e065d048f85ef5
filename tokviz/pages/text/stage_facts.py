"""What is stated of a stage: facts from its numbers, whose sentences are in ``catalogue/stages.toml``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tokviz.pages.text.catalogue import Fact
from tokviz.pages.text.trust import purity_in_plot
from tokviz.pages.text.wording import projection_label
from tokviz.records import Geometry, MassiveActivations, Projection, Stage
from tokviz.text import isolated

MOST_DIMENSIONS = 4
"""More of them are counted, not named."""
MODERATE = "stages.numbers.moderate"
Part = Fact | tuple[()]
"""A part of a sentence, which isn't there where nothing is to be said."""


def lead_facts(geometry: Geometry, number: int, *, at_position_0: bool) -> tuple[Fact, ...]:
    """What to know first of a stage, numbered from 0: what begins or ends there, how well categories hold in the plot."""
    depths, before = _depths(geometry.stages[number]), geometry.position0
    large = _turn(geometry.massive, depths)
    if not large and not at_position_0 and (flagged := _where(before.massive, depths)):
        large = (Fact("stages.lead.position_0", some=_some(flagged, depths)),)
    purity = _purity(geometry, depths, "stages.lead.purity", "stages.lead.chance")
    return (*large, *purity) or (Fact("stages.lead.nothing_large"),)


def stage_facts(
    geometry: Geometry, stage: Stage, projection: Projection | None, *, at_position_0: bool
) -> tuple[Fact, ...]:
    """What the numbers say of a stage's depths: ranges over those depths, the largest value at its peak.

    ``projection``: the one whose pictures are shown first, if any; else the full space is spoken of.
    """
    depths, variance = _depths(stage), []
    if projection and (shares := _range(projection.explained_variance_ratio[_depths(stage), 0])):
        variance = [Fact("stages.numbers.variance", shares=shares, projection=projection_label(projection.name))]
    return (
        *_sizes(geometry.massive, depths),
        *([] if at_position_0 else _large(geometry.position0, "stages.numbers.position_0", depths)),
        *variance,
        *_purity(geometry, depths, "stages.numbers.purity", "stages.numbers.chance", n=geometry.n_neighbours),
        *_similarity(stage),
    )


def _depths(stage: Stage) -> range:
    return range(stage.first_depth, stage.last_depth + 1)


def _where(flags: np.ndarray, depths: range) -> list[int]:
    return [depth for depth in depths if flags[depth]]


def _some(flagged: Sequence[int], depths: range) -> Part:
    """At how many depths of how many something holds, unless it holds at all of them."""
    return () if len(flagged) == len(depths) else Fact("stages.some", n=len(flagged), of=len(depths))


def _range(values: np.ndarray) -> tuple[float, float] | None:
    """The lowest and the highest of the values that are known, if any is."""
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if len(known) else None


# --- what is large ---------------------------------------------------------------------------------------------------


def _turn(words: MassiveActivations, depths: range) -> tuple[Fact, ...]:
    """What is large in the words, or was; empty where there is nothing to say."""
    emergence = words.emergence_depth
    if emergence is not None and emergence in depths:
        return (Fact("stages.lead.emerge", depth=emergence),)
    for kind, flags in (("stages.lead.massive", words.massive), ("stages.lead.moderate", words.moderate)):
        if flagged := _where(flags, depths):
            return (Fact(kind, some=_some(flagged, depths)),)
    if emergence is None or emergence >= depths[0]:
        return ()
    if words.outgrown[depths].all():
        return (Fact("stages.lead.outgrown", whose=whose(words, several=True)),)
    return () if words.outgrown[depths].any() else (Fact("stages.lead.no_longer"),)


def _sizes(words: MassiveActivations, depths: range) -> list[Fact]:
    """What is massive or else large against other tokens, and what is dominant; peaks only where that holds."""
    large = _large(words, "stages.numbers.massive", depths) or _large(words, MODERATE, depths)
    dominant = [depth for depth in depths if words.dominant[depth] is not None]
    if not dominant:
        return large or [Fact("stages.numbers.none_massive"), _largest(words, depths, depths)]
    held = _dominant(words, dominant, depths)
    largest = Fact("stages.numbers.largest_not_massive", size=size(words, dominant, n_depths=len(depths)))
    return [*large, held] if large else [held, largest]


def _large(activations: MassiveActivations, kind: str, depths: range) -> list[Fact]:
    """In which dimensions, and how large where it is largest; empty where nothing is."""
    flags = activations.moderate if kind == MODERATE else activations.massive
    if not (flagged := _where(flags, depths)):
        return []
    which, others = _dimensions([activations.dimensions[depth] for depth in flagged])
    large = Fact(kind, which=which, some=_some(flagged, depths), others=others)
    return [large, _largest(activations, flagged, depths)]


def _dimensions(by_depth: Sequence[tuple[int, ...]]) -> tuple[Fact, Part]:
    """Those that all depths share, named or counted; and that there are others at some of the depths."""
    everywhere = sorted(set(by_depth[0]).intersection(*by_depth))
    same = len(set(by_depth)) == 1
    others = () if same else Fact("stages.numbers.others")
    if not everywhere:
        return Fact("stages.numbers.from_word_to_word" if same else "stages.numbers.between_depths"), ()
    if len(everywhere) > MOST_DIMENSIONS:
        return Fact("stages.numbers.counted", n=len(everywhere)), others
    return Fact("stages.numbers.named", which=tuple(everywhere)), others


def _dominant(words: MassiveActivations, dominant: Sequence[int], depths: range) -> Fact:
    dimension, *others = {words.dominant[depth] for depth in dominant}
    several = Fact("stages.numbers.several_dominant")
    carrier, *further = {words.carriers[depth] for depth in dominant} if words.carriers else {None}
    return Fact(
        "stages.numbers.dominant",
        which=several if others else Fact("stages.numbers.one_dominant", dimension=dimension),
        some=_some(dominant, depths),
        shares=_range(words.top_share[dominant]),
        carried=Fact("stages.numbers.carried", word=isolated(carrier)) if carrier and not further else (),
    )


def _largest(activations: MassiveActivations, flagged: Sequence[int], depths: range) -> Fact:
    return Fact("stages.numbers.largest", size=size(activations, flagged, n_depths=len(depths)))


def size(activations: MassiveActivations, flagged: Sequence[int], n_depths: int) -> Fact:
    """The largest |x| at some depths, the median that it is compared with, and how many times that it is, unless that is 0.

    ``n_depths``: that the sentence is about; of one it isn't said where.
    """
    depth = max(flagged, key=lambda each: float(activations.largest[each]))
    median, ratio = float(activations.typical[depth]), float(activations.ratio[depth])
    compared = {"whose": whose(activations), "median": median}
    return Fact(
        "stages.size",
        largest=float(activations.largest[depth]),
        where=Fact("stages.size_at", depth=depth) if n_depths > 1 else (),
        median=Fact("stages.median_is_0", **compared)
        if np.isnan(ratio)
        else Fact("stages.times", ratio=ratio, **compared),
    )


def whose(activations: MassiveActivations, *, several: bool = False) -> Fact:
    """Whose median values are compared with: a typical token's, or if ``several`` typical tokens'; else the words' own."""
    if not activations.typical_is_ordinary:
        return Fact("stages.own")
    return Fact("stages.typical_tokens" if several else "stages.a_typical_token")


# --- variance, categories, likeness ----------------------------------------------------------------------------------


def _purity(geometry: Geometry, depths: range, kind: str, kind_of_chance: str, **n: int) -> list[Fact]:
    """The share of neighbours of a word's category, in the plot if there is one, and what chance gives; empty where it isn't defined."""
    flat = purity_in_plot(geometry)
    purity = geometry.purity if flat is None else flat
    shares, chance = _range(purity.value[depths]), _range(purity.null_mean[depths])
    if shares is None:
        return []
    where = Fact("stages.in_all_dimensions" if flat is None else "stages.in_the_plot")
    by_chance = [Fact(kind_of_chance, shares=chance)] if chance else []
    return [Fact(kind, where=where, shares=shares, **n), *by_chance]


def _similarity(stage: Stage) -> list[Fact]:
    within, before = stage.cka_within, stage.cka_before
    if np.isnan(within):
        return [] if np.isnan(before) else [Fact("stages.numbers.cka_before", before=before)]
    if np.isnan(before):
        return [Fact("stages.numbers.cka_within", within=within)]
    return [Fact("stages.numbers.cka", within=within, before=before)]
