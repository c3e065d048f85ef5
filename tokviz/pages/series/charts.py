"""A series as curves: what is measured at a few depths, over the checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tokviz.pages.charts.curves import Axes, Chart, Series, make_chart
from tokviz.pages.charts.measures import MEASURES
from tokviz.pages.charts.reading import Measure, Reading
from tokviz.pages.charts.scale import OF_A_MODEL
from tokviz.pages.series.sentences import untrained
from tokviz.pages.text.wording import NBSP, capitalized
from tokviz.records import Checkpoint, ContextReport, SeriesReport, depth_name

SHOWN = ("purity", "ratio", "effective_rank")
"""The measures that have a chart."""
LEAST_GAP = 0.22
"""Between two labeled checkpoints, of the axis."""
_UNITS = (("T", 10**12), ("B", 10**9), ("M", 10**6))


def charts(series: SeriesReport, name: str) -> tuple[Chart, ...] | None:
    """A chart per measure, of one context; None where fewer than two checkpoints were measured in it."""
    found = [
        (each, context)
        for each in series.shown
        if (context := each.context(name)) is not None and context.geometry is not None
    ]
    if len(found) < 2:
        return None
    control = untrained(series, name)
    return tuple(filter(None, (_chart(each, found, control) for each in MEASURES if each.key in SHOWN)))


def _chart(
    measure: Measure, found: Sequence[tuple[Checkpoint, ContextReport]], control: ContextReport | None
) -> Chart | None:
    checkpoints = [each for each, _ in found]
    geometries = [context.geometry for _, context in found if context.geometry]
    # What is shown is known wherever anything was measured.
    curves = [*_curves(measure, [each for _, context in found if (each := measure.reading(context))], control)]
    places = _places(checkpoints)
    axes = Axes.of(
        measure,
        curves,
        depths=tuple(_ticks(checkpoints, places)),
        places=tuple(places),
        named=lambda index: checkpoints[index].label,
    )
    subject, caption = f"{measure.name}, over the checkpoints", measure.explained(geometries)
    return make_chart(axes, curves, heading=measure.name, subject=subject, caption=caption)


def _curves(measure: Measure, readings: Sequence[Reading], control: ContextReport | None) -> Iterator[Series]:
    """The curves of the embedding, the middle and the last layer; and what the last layer would be without any training."""
    n_depths = max(len(each.values) for each in readings)
    depths = sorted({0, n_depths // 2, n_depths - 1})
    for index, depth in enumerate(depths):
        label = depth_name(depth)
        values, chance = (
            _at(depth, each) for each in zip(*((one.values, one.chance) for one in readings), strict=True)
        )
        reading = Reading(values=values, chance=chance, thresholds=readings[0].thresholds)
        yield Series(name=capitalized(label), label=label, index=index, reading=reading)
    random = measure.of_controls(control).get("random") if control else None
    if random is not None:
        yield Series(
            name=f"{capitalized(depth_name(n_depths - 1))}, all weights random",
            label="all random",
            index=len(depths) - 1,
            reading=Reading(values=np.full(len(readings), random.values[-1])),
            control="random",
        )


def _at(depth: int, curves: Sequence[np.ndarray | None]) -> np.ndarray:
    """``(n_checkpoints,)``; NaN where there is no curve, or it isn't as deep."""
    return np.array([np.nan if each is None or len(each) <= depth else each[depth] for each in curves])


def _places(checkpoints: Sequence[Checkpoint]) -> list[float]:
    """How far along the axis each stands: by the logarithm of its step, step 0 a usual distance before the next one."""
    steps = np.array([np.nan if each.step is None else each.step for each in checkpoints])
    if not np.isfinite(steps).all():
        return list(map(float, np.linspace(0, 1, len(checkpoints))))
    logs = np.log(np.maximum(steps, 1))
    if steps[0] == 0:
        known = np.diff(logs[1:])
        logs[0] = logs[1] - (float(np.median(known)) if len(known) else 1.0)
    return list(map(float, (logs - logs[0]) / (logs[-1] - logs[0])))


def _ticks(checkpoints: Sequence[Checkpoint], places: Sequence[float]) -> Iterator[tuple[float, str]]:
    """Both ends, and what fits between them; of checkpoints without a step only the ends, as their labels may be long."""
    yield 0.0, _tick(checkpoints[0])
    last = 0.0
    for each, place in zip(checkpoints, places, strict=True):
        if each.step is not None and last + LEAST_GAP <= place <= 1 - LEAST_GAP:
            yield place, _tick(each)
            last = place
    yield 1.0, _tick(checkpoints[-1])


def _tick(checkpoint: Checkpoint) -> str:
    if checkpoint.step is None:
        return OF_A_MODEL.short(checkpoint.label)
    rounded = float(f"{checkpoint.step:.3g}")
    unit = next(((name, size) for name, size in _UNITS if rounded >= size), None)
    return f"{rounded / unit[1]:.3g}{NBSP}{unit[0]}" if unit else f"{checkpoint.step:,}"
