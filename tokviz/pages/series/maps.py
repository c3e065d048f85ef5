"""A series as maps: what is measured of every checkpoint at every depth, in numbers and in shades."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tokviz.pages.text.wording import number, score
from tokviz.records import Checkpoint, ContextReport, Report, SeriesReport, depth_name

N_SHADES = 4
"""Beside none at all; classes of ``series.css``."""
LARGEST_TOP = 1000.0
"""From this ratio on values may be massive: what is far below isn't shaded as if it were."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One checkpoint at one depth."""

    text: str
    """Empty where it isn't defined."""
    style: str
    """``s0`` to ``s4``, with ``y`` where it is announced."""


@dataclass(frozen=True, kw_only=True)
class MapRow:
    """One depth in all checkpoints."""

    depth: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class Map:
    """One measure in one context: depths as rows, checkpoints as columns."""

    measure: str
    """In the page: ``purity``."""
    context: str
    """The context's name."""
    label: str
    """For those who don't see which choices are made."""
    caption: str
    rows: tuple[MapRow, ...]


@dataclass(frozen=True, kw_only=True)
class Read:
    """What is read of one capture."""

    values: np.ndarray
    """``(n_depths,)``; NaN where it isn't defined."""
    holds: np.ndarray | None = None
    """``(n_depths,)`` bool: what is announced."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What a map shows."""

    key: str
    name: str
    caption: str
    read: Callable[[ContextReport], Read | None]
    is_log: bool = False
    top: float | None = None
    """The value of the darkest shade; the largest of all where there is none, or where it is larger than this one and ``is_log``."""
    is_related: bool = False
    """Whether it is a relation or an order."""
    is_median: bool = True
    """Whether it is one over the templates of a context; else of the first."""


def measures(report: Report) -> tuple[Measure, ...]:
    """All that a series of the report may have maps of."""
    return (
        Measure(
            key="purity",
            name="Categories",
            caption="Share of each word’s nearest words that are of its category (purity), in all dimensions. Bold: shown to be above chance.",
            read=_purity,
            top=1.0,
        ),
        Measure(
            key="largest",
            name="Largest value",
            caption="The largest |x| of a word, median over words, divided by the median |x| of words that aren’t read at position 0, where there "
            "are any. Bold: massive.",
            read=_largest,
            is_log=True,
            top=LARGEST_TOP,
            is_median=False,
        ),
        Measure(
            key="rank",
            name="Effective rank",
            caption="In how many directions the words spread, from 1 to one less than the number of words.",
            read=_effective_rank,
        ),
        Measure(
            key="pc1",
            name="PC1’s share",
            caption="How much of the words’ variance lies along one direction, centered and without scaling.",
            read=_pc1_share,
            top=1.0,
            is_median=False,
        ),
        Measure(
            key="attention",
            name="Attention to position 0",
            caption="How much the token that is read attends to the first position, mean over heads and words; evenly spread, it would be 1 divided by the number of "
            "tokens. The embedding has none.",
            read=_attention,
            top=1.0,
            is_median=False,
        ),
        *(_relation(index, each.label) for index, each in enumerate(report.relations)),
        *(_order(index, each.label) for index, each in enumerate(report.orders)),
    )


def _purity(context: ContextReport) -> Read | None:
    found = context.geometry
    return None if found is None else Read(values=found.purity.value, holds=found.purity.above_chance.holds)


def _largest(context: ContextReport) -> Read | None:
    found = context.geometry
    return None if found is None else Read(values=found.massive.ratio, holds=found.massive.massive)


def _effective_rank(context: ContextReport) -> Read | None:
    return None if context.geometry is None else Read(values=context.geometry.spread.effective_rank)


def _pc1_share(context: ContextReport) -> Read | None:
    return None if context.geometry is None else Read(values=context.geometry.spread.pc1_share)


def _attention(context: ContextReport) -> Read | None:
    own = [each for each in context.states.attention if each.template == context.states.context.template]
    return Read(values=np.array([np.nan, *own[0].mean])) if own else None


def _relation(index: int, label: str) -> Measure:
    def read(context: ContextReport) -> Read | None:
        if context.relations is None:
            return None
        found = context.relations.relations[index]
        # Pairs of two kinds are parallel in any order: what counts is how much more they are.
        return Read(values=found.parallelism.value - found.parallelism.null_mean, holds=found.holds)

    return Measure(
        key=f"relation-{index}",
        name=label,
        caption="Mean cosine between the differences of the pairs (parallelism), less that of the same words paired at random. Bold: shown to be a relation.",
        read=read,
        top=1.0,
        is_related=True,
    )


def _order(index: int, label: str) -> Measure:
    def read(context: ContextReport) -> Read | None:
        if context.relations is None:
            return None
        found = context.relations.orders[index].r2
        return Read(values=found.value, holds=found.claim.holds)

    return Measure(
        key=f"order-{index}",
        name=label,
        caption="How well each word’s place in the order is read from the others (R²). Bold: shown to be an order.",
        read=read,
        top=1.0,
        is_related=True,
    )


def maps(report: Report, series: SeriesReport, contexts: Sequence[str]) -> tuple[Map, ...]:
    """The maps of every context, one for each measure that is known in it; a checkpoint without it has empty cells.

    Parameters
    ----------
    contexts : their names.
    """
    shown = series.shown
    return tuple(
        made
        for context in contexts
        for measure in measures(report)
        if (made := _map(series, measure, context, [_read(each, measure, context) for each in shown]))
    )


def _read(checkpoint: Checkpoint, measure: Measure, context: str) -> Read | None:
    found = checkpoint.context(context)
    return None if found is None else measure.read(found)


def _map(series: SeriesReport, measure: Measure, context: str, found: Sequence[Read | None]) -> Map | None:
    known = [each for each in found if each is not None and np.isfinite(each.values).any()]
    if not known:
        return None
    n_depths = len(known[0].values)
    every = np.concatenate([each.values for each in known])
    low, high = _ends(every, measure)
    shown = next(
        each.states.context for checkpoint in series.shown if (each := checkpoint.context(context)) is not None
    )
    return Map(
        measure=measure.key,
        context=context,
        label=f"{measure.name}, {shown.label}",
        caption=measure.caption + _of_templates(measure, len(shown.templates)),
        rows=tuple(
            MapRow(
                depth=_row_name(depth, n_depths - 1),
                cells=tuple(_cell(each, depth, low, high, measure) for each in found),
            )
            for depth in range(n_depths)
        ),
    )


def _of_templates(measure: Measure, n: int) -> str:
    if n == 1:
        return ""
    return f" Median of {n} templates." if measure.is_median else f" In the first of {n} templates."


def _row_name(depth: int, last: int) -> str:
    return f"{depth_name(depth)} (last)" if depth == last > 0 else depth_name(depth)


def _ends(values: np.ndarray, measure: Measure) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if measure.is_log:
        return 0.0, float(np.log(max(measure.top or 0.0, finite.max(), np.e)))
    return 0.0, measure.top or float(finite.max())


def _cell(read: Read | None, depth: int, low: float, high: float, measure: Measure) -> Cell:
    value = float("nan") if read is None else float(read.values[depth])
    if not np.isfinite(value):
        return Cell(text="", style="")
    place = np.log(max(value, 1.0)) if measure.is_log else value
    share = (place - low) / (high - low) if high > low else 0.0
    shade = int(np.clip(round(N_SHADES * share), 0, N_SHADES))
    announced = " y" if read is not None and read.holds is not None and read.holds[depth] else ""
    text = score(value) if measure.top == 1.0 else number(value)
    return Cell(text=text, style=f"s{shade}{announced}")
