"""How much higher purity is in a capture than in what it is held against, word by word, with bands that hold together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tokviz.pages.charts.axis import ends
from tokviz.pages.charts.curves import Axes, Chart, Series, make_chart, short_label
from tokviz.pages.charts.measure import Measure, Reading
from tokviz.pages.charts.scale import OF_A_MODEL, OF_ALL_MODELS
from tokviz.records import ContextReport, ModelReport, PairedMeasures, Report

BANDS = (
    "The bands hold together at all depths and with those of all other differences of the report. A difference is shown where its band "
    "doesn’t reach 0 and no single word carries it."
)
NAME = "Category purity, word by word"
_MEASURE = Measure(key="word_by_word", name=NAME, caption="", read=lambda *_: None, spans=(0.0,))


def difference_charts(model: ModelReport) -> tuple[Chart, ...]:
    """For each context what it is held against, and what neurons that are set to a value change in it."""
    return tuple(filter(None, (chart for context in model.contexts for chart in _of_context(context, model))))


def charts_between(report: Report, names: Mapping[str, str], depths: Sequence[tuple[float, str]]) -> tuple[Chart, ...]:
    """For each context the pairs of models that were compared.

    Parameters
    ----------
    names : of the models at the ends of curves, by their names.
    depths : relative ones, and what they are called.
    """
    models = {model.slug: model for model in report.models}
    compared = [
        [each for each in report.differences if each.paired and each.context == context.name]
        for context in report.contexts
    ]
    of_contexts = [
        [
            _between(index, each.paired, models[each.model_a], models[each.model_b], names)
            for index, each in enumerate(of_context)
            if each.paired
        ]
        for of_context in compared
    ]
    every = [each for series in of_contexts for each in series]
    axes = Axes.of(_MEASURE, every, OF_ALL_MODELS.with_room_for(max(map(len, of_contexts), default=0)), tuple(depths))
    made = (
        make_chart(axes, series, heading=context.label, subject=f"{NAME}, words {context.label}")
        for context, series in zip(report.contexts, of_contexts, strict=True)
    )
    return tuple(filter(None, made))


def _between(
    index: int, found: PairedMeasures, one: ModelReport, other: ModelReport, names: Mapping[str, str]
) -> Series:
    return Series(
        name=f"{one.display_name} − {other.display_name}",
        label=f"{names[one.name]} − {names[other.name]}",
        index=index,
        reading=_reading(found, len(found.depths)),
    )


def _of_context(context: ContextReport, model: ModelReport) -> Iterator[Chart | None]:
    label = context.states.context.label
    of_words = f": words {label}" if len(model.contexts) > 1 else ""
    yield _chart(
        f"{NAME}{of_words}",
        "Purity less that of what stands at a curve’s end.",
        list(_held(context, model.contexts[0])),
        context.states.n_depths,
    )
    changed = [
        (short_label(each).removeprefix(f"{label}, "), each.paired.unchanged)
        for each in context.interventions
        if each.paired and each.paired.unchanged
    ]
    yield _chart(
        f"{NAME}{of_words}, neurons set to a value",
        "Purity less that of the unchanged model.",
        changed,
        context.states.n_depths,
    )


def _chart(heading: str, caption: str, held: Sequence[tuple[str, PairedMeasures]], n_depths: int) -> Chart | None:
    if not held:
        return None
    series = [
        Series(name=name, label=name, index=index, reading=_reading(found, n_depths))
        for index, (name, found) in enumerate(held)
    ]
    axes = Axes.of(_MEASURE, series, OF_A_MODEL.with_room_for(len(series)), ends(n_depths - 1))
    return make_chart(axes, series, heading=heading, subject=heading, caption=f"{caption} {BANDS}")


def _held(context: ContextReport, first: ContextReport) -> Iterator[tuple[str, PairedMeasures]]:
    if context.paired is not None:
        paired = context.paired
        every = (
            ("− embedding", paired.embedding),
            ("− untrained", paired.untrained),
            (f"− {first.states.context.label}", paired.first_context),
        )
        yield from ((name, found) for name, found in every if found is not None)


def _reading(found: PairedMeasures, n_depths: int) -> Reading:
    overall = found.purity.overall
    values, low, high = (
        _at_depths(each[0], found.depths, n_depths) for each in (overall.value, overall.low, overall.high)
    )
    return Reading(values=values, interval=(low, high), thresholds=(0.0,))


def _at_depths(values: np.ndarray, depths: np.ndarray, n_depths: int) -> np.ndarray:
    """``(n_depths,)``: NaN at the depths that aren't held against anything, and where a band has no end."""
    found = np.full(n_depths, np.nan)
    found[depths[:, 0]] = np.where(np.isfinite(values), values, np.nan)
    return found
