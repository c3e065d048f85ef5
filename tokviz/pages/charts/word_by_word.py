"""How much higher purity is in a capture than in what it is held against, word by word, with bands that hold together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tokviz.pages.charts.curves import Axes, Chart, Series, chart_of, make_chart, short_label
from tokviz.pages.charts.reading import Measure, Reading
from tokviz.pages.charts.scale import OF_ALL_MODELS
from tokviz.pages.text.catalogue import Fact, text
from tokviz.records import Context, ContextReport, ModelReport, PairedMeasures, Report

BANDS = "All bands of the report hold at once. A difference is shown where its band doesn’t reach 0 and no single word carries it."
NAME = "Category purity, word by word"
BETWEEN = "Differences, word by word"
_MEASURE = Measure(key="word_by_word", name=NAME, caption="", read=lambda *_: None, spans=(0.0,))


def difference_charts(model: ModelReport) -> tuple[Chart, ...]:
    """For each context what it is held against, and what neurons that are set to a value change in it."""
    charts = [chart for context in model.contexts for chart in _of_context(context, model) if chart is not None]
    # The first one alone says what bands are.
    return tuple(
        replace(each, caption=f"{each.caption} {BANDS}") if at == 0 else each for at, each in enumerate(charts)
    )


def charts_between(
    report: Report, measures: Mapping[str, str], names: Mapping[str, str], depths: Sequence[tuple[float, str]]
) -> tuple[Chart, ...]:
    """For each context the pairs of models that were compared.

    ``measures``: by a context's name the field of ``PairedMeasures`` that it is shown by; ``names``: by a model's name what stands at
    curves' ends; ``depths``: relative ones, and what they are called.
    """
    models = {model.slug: model for model in report.models}
    of_contexts: dict[Context, list[Series]] = {each: [] for each in report.contexts if each.name in measures}
    for context, series in of_contexts.items():
        for pair in report.differences:
            if pair.context == context.name and pair.paired:
                one, other = models[pair.model_a], models[pair.model_b]
                series.append(
                    Series(
                        name=f"{one.display_name} − {other.display_name}",
                        label=f"{names[one.name]} − {names[other.name]}",
                        index=len(series),
                        reading=_reading(pair.paired, len(pair.paired.depths), measures[context.name]),
                    )
                )
    every = [each for series in of_contexts.values() for each in series]
    layout = OF_ALL_MODELS.with_room_for(max(map(len, of_contexts.values()), default=0))
    axes = Axes.of(_MEASURE, every, layout=layout, depths=tuple(depths))
    made = []
    for context, series in of_contexts.items():
        heading = f"{context.label}: {text(Fact(f'paired.measures.{measures[context.name]}'))}"
        made.append(make_chart(axes, series, heading=heading, subject=f"{BETWEEN}, {heading}"))
    return tuple(filter(None, made))


def _of_context(context: ContextReport, model: ModelReport) -> Iterator[Chart | None]:
    label, first = context.states.context.label, model.contexts[0].states.context.label
    heading = f"{NAME}{f': words {label}' if len(model.contexts) > 1 else ''}"
    against = (("− embedding", "embedding"), ("− untrained", "untrained"), (f"− {first}", "first_context"))
    of_itself = [(name, found) for name, each in against if (found := getattr(context.paired, each, None))]
    changed = [
        (short_label(each).removeprefix(f"{label}, "), each.paired.unchanged)
        for each in context.interventions
        if each.paired and each.paired.unchanged
    ]
    for held, name, than in (
        (of_itself, heading, "what stands at a curve’s end"),
        (changed, f"{heading}, neurons set to a value", "the unchanged model"),
    ):
        if readings := [(at_end, _reading(found, context.states.n_depths)) for at_end, found in held]:
            yield chart_of(replace(_MEASURE, name=name, caption=f"Purity less that of {than}."), readings)


def _reading(found: PairedMeasures, n_depths: int, measure: str = "purity") -> Reading:
    """NaN at the depths that aren't held against anything, and where a band has no end."""
    overall = getattr(found, measure).overall
    curves = np.full((3, n_depths), np.nan)
    curves[:, found.depths[:, 0]] = [overall.low[0], overall.value[0], overall.high[0]]
    return banded(curves)


def banded(curves: np.ndarray) -> Reading:
    """``(3, n_depths)``: of a difference the lower end, the value and the upper end, not finite where there is none."""
    low, values, high = np.where(np.isfinite(curves), curves, np.nan)
    return Reading(values=values, interval=(low, high), thresholds=(0.0,))
