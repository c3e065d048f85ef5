"""A stage in one sentence, made of its numbers and of nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tokviz.measures import CategoryMeasure, MassiveActivations


def sentence(
    first: int,
    last: int,
    *,
    massive: MassiveActivations,
    position0: MassiveActivations | None,
    explained: np.ndarray,
    projection: str | None,
    purity: CategoryMeasure,
    cka_within: float,
    cka_before: float,
) -> str:
    """What the numbers say of depths ``first`` to ``last``; ranges over those depths, the largest value at its peak.

    Parameters
    ----------
    position0 : where the words are read elsewhere.
    explained : ``(n_depths,)``, PC1's share of the variance in the pictures of ``projection``.
    purity : in those pictures; in the full space where ``projection`` is None.
    """
    depths = slice(first, last + 1)
    parts = [_sizes(massive, first, last)]
    if position0 is not None and position0.massive[depths].any():
        peak = first + int(position0.largest[depths].argmax())
        parts.append(
            f"at position 0{_some(position0.massive[depths])} {_dimensions(position0.dimensions[peak])} massive "
            f"(largest |x| {_number(position0.largest[peak])})"
        )
    if projection is not None and not np.isnan(explained[depths]).all():
        parts.append(f"PC1 holds {_range(100 * explained[depths], '{:.1f}')} % of the variance ({projection})")
    if not np.isnan(purity.value[depths]).all():
        where = "in the full space" if projection is None else "in the picture"
        chance = _range(purity.null_mean[depths], "{:.2f}")
        parts.append(f"5-neighbour purity {where} {_range(purity.value[depths], '{:.2f}')} (chance {chance})")
    similarity = [
        f"{value:.2f} {between}"
        for value, between in ((cka_within, "within the stage"), (cka_before, "with the stage before"))
        if not np.isnan(value)
    ]
    if similarity:
        parts.append(f"mean CKA {', '.join(similarity)}")
    return f"{_name(first, last)}: {'; '.join(parts)}."


def _name(first: int, last: int) -> str:
    if last == 0:
        return "Embedding"
    if first == 0:
        return "Embedding and layer 0" if last == 1 else f"Embedding to layer {last - 1}"
    return f"Layer {first - 1}" if first == last else f"Layers {first - 1}–{last - 1}"


def _sizes(massive: MassiveActivations, first: int, last: int) -> str:
    depths = slice(first, last + 1)
    peak = first + int(massive.largest[depths].argmax())
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
