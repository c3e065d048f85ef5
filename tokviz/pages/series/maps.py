"""A series as maps: what is measured of every checkpoint at every depth, in numbers and in shades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from tokviz.pages.charts.measures import MEASURES, related_measures
from tokviz.pages.charts.reading import Measure, Reading
from tokviz.pages.text.wording import number, score
from tokviz.records import ContextReport, Order, Relation, Report, SeriesReport, depth_name

N_SHADES = 4
"""Beside none at all; classes of ``series.css``."""
LARGEST_TOP = 1000.0
"""From this ratio on values may be massive: what is far below isn't shaded as if it were."""

OF_FIRST_TEMPLATE = ("largest", "pc1", "attention")
"""Maps of a context's first template; the others are medians over all."""


ATTENTION = Measure(
    key="attention",
    name="Attention to position 0",
    caption="How much the token that is read attends to the first position, mean over heads and words; evenly spread, it would be 1 divided by "
    "the number of tokens. The embedding has none.",
    read=lambda context, _: _attention(context),
)


_OF_RELATED = {
    "relation": "Mean cosine between the differences of the pairs (parallelism), less that of the same words paired at random. Bold: shown to be "
    "a relation.",
    "order": "How well each word’s place in the order is read from the others (R²). Bold: shown to be an order.",
}


def measures(report: Report) -> dict[str, tuple[Measure, ...]]:
    """All that a series of the report may have maps of, as these call and explain it, by what the choice of a map calls them."""
    of = {each.key: each for each in MEASURES}
    related = related_measures(report.relations, report.orders)
    every: list[tuple[str, int, Relation | Order]] = [
        *(("relation", *each) for each in enumerate(report.relations)),
        *(("order", *each) for each in enumerate(report.orders)),
    ]
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
            read=lambda _, geometry: Reading(values=geometry.spread.pc1_share),
        ),
        ATTENTION,
    )
    of_report = (
        replace(measure, key=f"{kind}-{index}", name=each.label, caption=_OF_RELATED[kind])
        for measure, (kind, index, each) in zip(related, every, strict=True)
    )
    return {"Measures": own, "Relations and orders": tuple(of_report)}


def _attention(context: ContextReport) -> Reading | None:
    own = [each for each in context.states.attention if each.template == context.states.context.template]
    return Reading(values=np.array([np.nan, *own[0].mean])) if own else None


def read(measure: Measure, context: ContextReport | None) -> Reading | None:
    """None where it isn't known; of orders values below 0, too, which charts don't show."""
    if context is None:
        return None
    reading = _attention(context) if measure is ATTENTION else measure.reading(context)  # a draft has attention, too
    if reading and reading.measured and measure.key.startswith("order-"):
        return replace(reading, values=reading.measured.value)
    return reading


def maps(report: Report, series: SeriesReport, contexts: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """The maps of contexts, by name, one for each measure that is known in it; a checkpoint without it has empty cells."""
    every = [*chain(*measures(report).values())]
    made = (_map(measure, [each.context(name) for each in series.shown]) for name in contexts for measure in every)
    return tuple(filter(None, made))


def _map(measure: Measure, captures: Sequence[ContextReport | None]) -> dict[str, Any] | None:
    """One measure in one context: depths as rows, checkpoints as columns; None where it isn't known.

    A row has the depth's name, and of each checkpoint the number, empty where it isn't defined, and its style: ``s0`` to ``s4``,
    with ``y`` where it is announced.
    """
    found = [read(measure, each) for each in captures]
    known = [each.values for each in found if each is not None and each.is_defined]
    if not known:
        return None
    top, last = _top(measure, np.concatenate(known)), len(known[0]) - 1
    context = next(each.states.context for each in captures if each is not None)
    which, n = "In the first" if measure.key in OF_FIRST_TEMPLATE else "Median", len(context.templates)
    rows = [(depth_name(depth), [_cell(measure, top, each, depth) for each in found]) for depth in range(last + 1)]
    if last > 0:
        rows[-1] = (f"{rows[-1][0]} (last)", rows[-1][1])
    return {
        "measure": measure.key,
        "context": context.name,
        "label": f"{measure.name}, {context.label}",
        "caption": f"{measure.caption} {which} of {n} templates." if n > 1 else measure.caption,
        "rows": rows,
    }


def _top(measure: Measure, values: np.ndarray) -> float:
    """The value of the darkest shade, of a logarithmic measure its logarithm."""
    largest = float(values[np.isfinite(values)].max())
    if measure.is_log:
        return float(np.log(max(LARGEST_TOP, largest)))
    return 1.0 if measure.write is score else largest


def _cell(measure: Measure, top: float, reading: Reading | None, depth: int) -> tuple[str, str]:
    if reading is None or not np.isfinite(reading.values[depth]):
        return "", ""
    value = float(reading.values[depth])
    place = np.log(max(value, 1.0)) if measure.is_log else value
    shade = int(np.clip(round(N_SHADES * place / top if top > 0 else 0), 0, N_SHADES))
    return measure.write(value), f"s{shade}{' y' if reading.holds is not None and reading.holds[depth] else ''}"
