"""Dimensions that outweigh all others: massive ones against other tokens, dominant ones within the words themselves.

Massive activations are a few dimensions thousands of times larger than the rest (Sun et al. 2024, arXiv 2402.17762). Their
test, |x| > 100 and > 1000 × the median, takes the median over a whole text, where most tokens are ordinary. When every word
read stands at position 0 and grows, its own median rises with it, so the median here is that of words read elsewhere, at the
same depth of the same model.

In some models nearly all tokens are large, and then no ratio to others tells. So a dimension is called dominant where it
holds most of Σ x² over the words, whatever other tokens are like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from tokviz.records import HiddenStates, MassiveActivations

LARGE = 100.0
MASSIVE_RATIO = 1000.0
MODERATE_RATIO = 300.0
DOMINANT_SHARE = 0.5


@dataclass(frozen=True, kw_only=True)
class Typical:
    """The words whose median |x| is called ordinary."""

    states: HiddenStates
    is_ordinary: bool

    def at(self, depth: int) -> float:
        state = self.states.states[depth][self.states.tokenization.reference]
        return float(median_of_sizes(np.abs(state)))


def choose_typical(states: HiddenStates, ordinary: HiddenStates | None) -> Typical:
    """``ordinary`` if its words are read away from position 0, else the words themselves, ordinary or not."""
    if ordinary is not None:
        if ordinary.n_depths != states.n_depths:
            raise ValueError(f"ordinary: expected {states.n_depths} depths, as in states, got {ordinary.n_depths}")
        if ordinary.tokenization.reads_elsewhere:
            return Typical(states=ordinary, is_ordinary=True)
    return Typical(states=states, is_ordinary=states.tokenization.reads_elsewhere)


@dataclass(kw_only=True)
class Tally:
    """Gathers depth after depth, then makes the record."""

    typical: Typical
    medians: list[float] = field(default_factory=list)
    largest: list[float] = field(default_factory=list)
    dimensions: list[tuple[int, ...]] = field(default_factory=list)
    energy_shares: list[float] = field(default_factory=list)
    top_shares: list[float] = field(default_factory=list)
    dominant: list[int | None] = field(default_factory=list)
    carriers: list[int | None] = field(default_factory=list)
    """Which word alone has more than half of what the dominant dimension holds."""

    def add_states(self, states: np.ndarray, median: float) -> None:
        """``states``: ``(n_words, width)`` at the next depth."""
        sizes = np.abs(states)
        largest = float(median_of_sizes(sizes.max(axis=1)))
        threshold = _threshold(largest, median)
        dimensions = np.flatnonzero(median_of_sizes(sizes, axis=0) > threshold)
        energy = (states.astype(np.float64) ** 2).sum(axis=0)
        shares = energy / energy.sum() if energy.sum() > 0 else np.full(len(energy), np.nan)
        top = int(energy.argmax())
        self.top_shares.append(float(shares[top]))
        self.dominant.append(top if shares[top] > DOMINANT_SHARE else None)
        carrier = int(sizes[:, top].argmax()) if self.dominant[-1] is not None else None
        is_alone = carrier is not None and 2 * float(sizes[carrier, top]) ** 2 > energy[top]
        self.carriers.append(carrier if is_alone else None)
        self._add(median, largest, dimensions)
        self.energy_shares.append(float(shares[list(self.outstanding(-1))].sum()) if energy.sum() > 0 else float("nan"))

    def add_extremes(self, values: np.ndarray, dimensions: np.ndarray, median: float) -> None:
        """``values`` and ``dimensions``: ``(n_words, N_EXTREMES)``, all that is kept of position 0, at the next depth.

        What the other dimensions add to Σ x² isn't known.
        """
        largest = float(median_of_sizes(values[:, 0]))
        beyond, counts = np.unique(dimensions[values > _threshold(largest, median)], return_counts=True)
        self.top_shares.append(float("nan"))
        self.dominant.append(None)
        self.carriers.append(None)
        self._add(median, largest, beyond[counts >= len(values) / 2])
        self.energy_shares.append(float("nan"))

    def _add(self, median: float, largest: float, dimensions: np.ndarray) -> None:
        self.medians.append(median)
        self.largest.append(largest)
        self.dimensions.append(tuple(int(dimension) for dimension in dimensions))

    def outstanding(self, depth: int) -> tuple[int, ...]:
        """The massive dimensions at a depth, or the moderately large ones, and the dominant one; ascending."""
        dominant = self.dominant[depth]
        return tuple(sorted({*self.dimensions[depth], *(() if dominant is None else (dominant,))}))

    def record(self, words: Sequence[str] = ()) -> MassiveActivations:
        """``words``: those of the states, as they are called; none where nothing is dominant."""
        typical, largest = np.array(self.medians), np.array(self.largest)
        massive = (largest > LARGE) & (largest > MASSIVE_RATIO * typical)
        moderate = (largest > LARGE) & (largest > MODERATE_RATIO * typical) & ~massive
        emergence, end = _first_run(massive)
        return MassiveActivations(
            large=LARGE,
            massive_ratio=MASSIVE_RATIO,
            moderate_ratio=MODERATE_RATIO,
            dominant_share=DOMINANT_SHARE,
            typical=typical,
            typical_context=self.typical.states.context.name,
            typical_is_ordinary=self.typical.is_ordinary,
            largest=largest,
            ratio=np.divide(largest, typical, out=np.full_like(largest, np.nan), where=typical > 0),
            massive=massive,
            moderate=moderate,
            dimensions=tuple(self.dimensions),
            top_share=np.array(self.top_shares),
            dominant=tuple(self.dominant),
            energy_share=np.array(self.energy_shares),
            emergence_depth=emergence,
            end_depth=end,
            # Below what was the mark one depth before: not only because other tokens have grown since.
            step_down_depth=end if end and largest[end] <= max(LARGE, MASSIVE_RATIO * typical[end - 1]) else None,
            moderate_runs=tuple(_runs(moderate)),
            carriers=tuple(None if row is None else words[row] for row in self.carriers) if words else (),
        )


def outstanding(states: HiddenStates, ordinary: HiddenStates | None) -> tuple[tuple[int, ...], ...]:
    """Per depth the massive dimensions of the reference words, or the moderately large ones, and the dominant one."""
    typical = choose_typical(states, ordinary)
    tally, reference = Tally(typical=typical), states.tokenization.reference
    for depth in range(states.n_depths):
        tally.add_states(states.states[depth][reference], typical.at(depth))
    return tuple(tally.outstanding(depth) for depth in range(states.n_depths))


def median_of_sizes(sizes: np.ndarray, axis: int | None = None) -> np.ndarray:
    """The median of |x|, whatever float32 holds: the sum of the two in the middle may be more than that."""
    is_large = sizes.size > 0 and sizes.max() > np.finfo(np.float32).max / 2
    return np.asarray(np.median(sizes.astype(np.float64) if is_large else sizes, axis=axis))


def _threshold(largest: float, median: float) -> np.float64:
    """What a dimension must exceed to count at a depth: the massive mark where that is reached, else the moderate one.

    It may be more than float32 holds, and is compared as it is.
    """
    ratio = MASSIVE_RATIO if largest > max(LARGE, MASSIVE_RATIO * median) else MODERATE_RATIO
    return np.float64(max(LARGE, ratio * median))


def _first_run(flags: np.ndarray) -> tuple[int | None, int | None]:
    """Where the first run of True begins, and the first index after it; None where there is none."""
    runs = _runs(flags)
    if not runs:
        return None, None
    first, last = runs[0]
    return first, last + 1 if last + 1 < len(flags) else None


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """First and last index of each run of True."""
    runs = []
    for flag, group in groupby(range(len(flags)), key=lambda index: bool(flags[index])):
        indices = list(group)
        if flag:
            runs.append((indices[0], indices[-1]))
    return runs
