"""A series as maps: what is measured of every checkpoint at every depth, in numbers and in shades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from tokviz.pages.charts.measure import Measure
from tokviz.pages.charts.measures import MEASURES, related_measures
from tokviz.pages.text.wording import number, score
from tokviz.records import ContextReport, Report, SeriesReport, depth_name

N_SHADES = 4
"""Beside none at all; classes of ``series.css``."""
LARGEST_TOP = 1000.0
"""From this ratio on values may be massive: what is far below isn't shaded as if it were."""

OF_FIRST_TEMPLATE = ("largest", "pc1", "attention")
"""Maps of a context's first template; the others are medians over all."""


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
    rows: tuple[tuple[str, list[tuple[str, str]]], ...]
    """Of each depth its name, and of each checkpoint the number, empty where it isn't defined, and its style: ``s0`` to ``s4``, with ``y``
    where it is announced."""


ATTENTION = Measure(
    key="attention",
    name="Attention to position 0",
    caption="How much the token that is read attends to the first position, mean over heads and words; evenly spread, it would be 1 divided by "
    "the number of tokens. The embedding has none.",
    read=lambda context, _: _attention(context),
)


def measures(report: Report) -> dict[str, tuple[Measure, ...]]:
    """All that a series of the report may have maps of, as these call and explain it, by what the choice of a map calls them."""
    of = {each.key: each for each in MEASURES}
    related = related_measures(report.relations, report.orders)
    relations, orders = related[: len(report.relations)], related[len(report.relations) :]
    own = (
        replace(
            of["purity"],
            name="Categories",
            caption="Share of each word’s nearest words that are of its category (purity), in all dimensions. Bold: shown to be above chance.",
        ),
        replace(
            of["ratio"],
            key="largest",
            name="Largest value",
            caption="The largest |x| of a word, median over words, divided by the median |x| of words that aren’t read at position 0, where there "
            "are any. Bold: massive.",
            write=number,
        ),
        replace(
            of["effective_rank"],
            key="rank",
            caption="In how many directions the words spread, from 1 to one less than the number of words.",
        ),
        Measure(
            key="pc1",
            name="PC1’s share",
            caption="How much of the words’ variance lies along one direction, centered and without scaling.",
            read=lambda _, geometry: geometry.spread.pc1_share,
        ),
        ATTENTION,
    )
    of_report = (
        *(
            replace(
                measure,
                key=f"relation-{index}",
                name=relation.label,
                caption="Mean cosine between the differences of the pairs (parallelism), less that of the same words paired at random. Bold: shown to be a relation.",
            )
            for index, (measure, relation) in enumerate(zip(relations, report.relations, strict=True))
        ),
        *(
            replace(
                measure,
                key=f"order-{index}",
                name=order.label,
                caption="How well each word’s place in the order is read from the others (R²). Bold: shown to be an order.",
                drawn=lambda found: found,
            )
            for index, (measure, order) in enumerate(zip(orders, report.orders, strict=True))
        ),
    )
    return {"Measures": own, "Relations and orders": of_report}


def _attention(context: ContextReport) -> np.ndarray | None:
    own = [each for each in context.states.attention if each.template == context.states.context.template]
    return np.array([np.nan, *own[0].mean]) if own else None


def read(measure: Measure, context: ContextReport | None) -> tuple[np.ndarray | None, np.ndarray | None]:
    """A measure's values, ``(n_depths,)``, NaN where it isn't defined; and what of them is announced, ``(n_depths,)`` bool."""
    if context is None:
        return None, None
    if measure is ATTENTION:  # which a draft has, too
        return _attention(context), None
    reading = measure.reading(context)
    if reading is None or context.geometry is None:
        return None, None
    return reading.values, measure.holds(context, context.geometry)


def maps(report: Report, series: SeriesReport, contexts: Sequence[str]) -> tuple[Map, ...]:
    """The maps of every context, one for each measure that is known in it; a checkpoint without it has empty cells.

    Parameters
    ----------
    contexts : their names.
    """
    every = [*chain(*measures(report).values())]
    made = (_map(measure, [each.context(name) for each in series.shown]) for name in contexts for measure in every)
    return tuple(filter(None, made))


def _map(measure: Measure, captures: Sequence[ContextReport | None]) -> Map | None:
    found = [read(measure, each) for each in captures]
    known = [values for values, _ in found if values is not None and np.isfinite(values).any()]
    if not known:
        return None
    top, last = _top(measure, np.concatenate(known)), len(known[0]) - 1
    context = next(each.states.context for each in captures if each is not None)
    which, n = "In the first" if measure.key in OF_FIRST_TEMPLATE else "Median", len(context.templates)
    return Map(
        measure=measure.key,
        context=context.name,
        label=f"{measure.name}, {context.label}",
        caption=f"{measure.caption} {which} of {n} templates." if n > 1 else measure.caption,
        rows=tuple(
            (
                f"{depth_name(depth)}{' (last)' if depth == last > 0 else ''}",
                [_cell(measure, top, values, holds, depth) for values, holds in found],
            )
            for depth in range(last + 1)
        ),
    )


def _top(measure: Measure, values: np.ndarray) -> float:
    """The value of the darkest shade, of a logarithmic measure its logarithm."""
    largest = float(values[np.isfinite(values)].max())
    if measure.is_log:
        return float(np.log(max(LARGEST_TOP, largest)))
    return 1.0 if measure.write is score else largest


def _cell(
    measure: Measure, top: float, values: np.ndarray | None, holds: np.ndarray | None, depth: int
) -> tuple[str, str]:
    value = float("nan") if values is None else float(values[depth])
    if not np.isfinite(value):
        return "", ""
    place = np.log(max(value, 1.0)) if measure.is_log else value
    shade = int(np.clip(round(N_SHADES * place / top if top > 0 else 0), 0, N_SHADES))
    return measure.write(value), f"s{shade}{' y' if holds is not None and holds[depth] else ''}"
