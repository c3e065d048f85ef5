"""A stage in one sentence, made of its numbers and of nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tokviz.pages.wording import NBSP
from tokviz.records import Geometry, MassiveActivations, Projection, Stage, depth_name


def depths_name(first: int, last: int) -> str:
    """``embedding``, ``layer 1``, ``embedding to layer 4``, ``layers 2–8``."""
    if first == last:
        return depth_name(first)
    if first == 0:
        return f"embedding {'and' if last == 1 else 'to'} {depth_name(last)}"
    return f"layers {first - 1}–{last - 1}"


def stage_sentence(geometry: Geometry, stage: Stage, projection: Projection | None, *, at_position_0: bool) -> str:
    """What the numbers say of a stage's depths: ranges over those depths, the largest value at its peak.

    Parameters
    ----------
    projection : the one whose pictures are shown first, if any; else the full space is spoken of.
    at_position_0 : whether the words are read there.
    """
    first, last = stage.first_depth, stage.last_depth
    depths = slice(first, last + 1)
    parts = [_sizes(geometry.massive, first, last)]
    position0 = geometry.position0
    if not at_position_0 and position0.massive[depths].any():
        peak = first + int(np.argmax(position0.largest[depths]))
        parts.append(
            f"at position 0{_some(position0.massive[depths])} {_dimensions(position0.dimensions[peak])} massive "
            f"(largest |x| {_number(position0.largest[peak])})"
        )
    if projection is not None:
        explained = projection.explained_variance_ratio[depths, 0]
        if not np.isnan(explained).all():
            parts.append(f"PC1 holds {_range(100 * explained, '{:.1f}')} % of the variance ({projection.name})")
    purity = geometry.pictures[0].purity if geometry.pictures else geometry.purity
    if not np.isnan(purity.value[depths]).all():
        where = "in the picture" if geometry.pictures else "in the full space"
        chance = _range(purity.null_mean[depths], "{:.2f}")
        name = f"{geometry.n_neighbours}-neighbour purity {where}"
        parts.append(f"{name} {_range(purity.value[depths], '{:.2f}')} (chance {chance})")
    similarity = [
        f"{value:.2f} {between}"
        for value, between in (
            (stage.cka_within, "within the stage"),
            (stage.cka_before, "with the stage before"),
        )
        if not np.isnan(value)
    ]
    if similarity:
        parts.append(f"mean CKA {', '.join(similarity)}")
    sentence = "; ".join(parts).replace(" ×", f"{NBSP}×").replace(" %", f"{NBSP}%")
    return f"{sentence[0].upper()}{sentence[1:]}."


def _sizes(massive: MassiveActivations, first: int, last: int) -> str:
    depths = slice(first, last + 1)
    peak = first + int(np.argmax(massive.largest[depths]))
    against = "an ordinary token's median" if massive.yardstick_is_ordinary else "the words' own median"
    size = f"largest |x| {_number(massive.largest[peak])}"
    if not np.isnan(massive.ratio[peak]):
        size += f", {_number(massive.ratio[peak])} × {against}"
    if massive.massive[depths].any():
        return f"{_dimensions(massive.dimensions[peak])} massive{_some(massive.massive[depths])} ({size})"
    if massive.lesser[depths].any():
        return f"{_dimensions(massive.dimensions[peak])} large, not massive{_some(massive.lesser[depths])} ({size})"
    return f"no dimension is massive ({size})"


def _dimensions(dimensions: tuple[int, ...]) -> str:
    match len(dimensions):
        case 0:
            return "dimensions that differ from word to word are"
        case 1:
            return f"dimension {dimensions[0]} is"
        case 2 | 3 | 4:
            return f"dimensions {', '.join(map(str, dimensions[:-1]))} and {dimensions[-1]} are"
        case _:
            return f"{len(dimensions)} dimensions are"


def _some(flags: np.ndarray) -> str:
    """Nothing where it holds at every depth of the stage, else at how many."""
    return "" if flags.all() else f" at {int(flags.sum())} of {len(flags)} depths"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _range(values: np.ndarray, template: str) -> str:
    write: Callable[[float], str] = template.format
    low, high = write(float(np.nanmin(values))), write(float(np.nanmax(values)))
    return low if low == high else f"{low}–{high}"
