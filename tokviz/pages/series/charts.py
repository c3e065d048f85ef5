"""A series as curves: what is measured at a few depths, over the checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tokviz.pages.charts.curves import Axes, Chart, Series, make_chart
from tokviz.pages.charts.measure import Measure, Reading
from tokviz.pages.charts.measures import MEASURES
from tokviz.pages.charts.scale import OF_A_MODEL
from tokviz.pages.series.sentences import untrained
from tokviz.pages.text.wording import NBSP, capitalized
from tokviz.records import Checkpoint, ContextReport, SeriesReport, depth_name

SHOWN = ("purity", "ratio", "effective_rank")
"""The measures that have a chart."""
LEAST_GAP = 0.22
"""Between two labeled checkpoints, of the axis."""
_UNITS = (("T", 10**12), ("B", 10**9), ("M", 10**6))


@dataclass(frozen=True, kw_only=True)
class ChartGroup:
    """The charts of one context."""

    context: str
    label: str
    charts: tuple[Chart, ...]


def charts(series: SeriesReport, name: str, label: str) -> ChartGroup | None:
    """A chart per measure, of one context; None where fewer than two checkpoints were measured in it."""
    found = [
        (each, context)
        for each in series.shown
        if (context := each.context(name)) is not None and context.geometry is not None
    ]
    if len(found) < 2:
        return None
    control = untrained(series, name)
    made = [_chart(each, found, control) for each in MEASURES if each.key in SHOWN]
    return ChartGroup(context=name, label=label, charts=tuple(each for each in made if each is not None))


def charts_note(series: SeriesReport, names: Sequence[str]) -> str:
    """How they are to be read.

    Parameters
    ----------
    names : of the contexts that are shown.
    """
    said = ["Curves: the embedding, the middle layer and the last one."]
    captured = [each for checkpoint in series.shown for each in checkpoint.model.contexts]
    several = any(each.has_templates for each in captured)
    if several:
        said.append(
            "Where a context has several sentences, medians over them; the largest activation is that of the first."
        )
    if any(untrained(series, name) for name in names):
        of_first = ", of the first sentence" if several else ""
        said.append(f"All random, gray: the last layer of the model with all weights random, drawn once{of_first}.")
    if series.unit is None:
        return " ".join([*said, "Checkpoints are at equal distances."])
    start = "; 0, which has no place on it, stands at the left" if series.shown[0].step == 0 else ""
    return " ".join([*said, f"{capitalized(series.unit)} are on a log scale{start}."])


def _chart(
    measure: Measure, found: Sequence[tuple[Checkpoint, ContextReport]], control: ContextReport | None
) -> Chart | None:
    readings = [measure.reading(context) for _, context in found]
    n_depths = max(len(each.values) for each in readings if each is not None)
    curves = tuple(_curves(measure, readings, control, n_depths))
    checkpoints = [each for each, _ in found]
    places = _places(checkpoints)
    axes = Axes.of(measure, curves, OF_A_MODEL.with_room_for(len(curves)), tuple(_ticks(checkpoints, places)))
    axes = replace(axes, places=tuple(places), named=lambda index: checkpoints[index].label)
    geometry = found[-1][1].geometry
    assert geometry is not None
    subject, caption = f"{measure.name}, over the checkpoints", measure.explained(geometry)
    return make_chart(axes, curves, heading=measure.name, subject=subject, caption=caption)


def _curves(
    measure: Measure,
    readings: Sequence[Reading | None],
    control: ContextReport | None,
    n_depths: int,
) -> Iterator[Series]:
    """The curves of the embedding, the middle and the last layer; and what the last layer would be without any training."""
    depths = sorted({0, n_depths // 2, n_depths - 1})
    for index, depth in enumerate(depths):
        label = depth_name(depth)
        yield Series(
            name=capitalized(label),
            label=label,
            index=index,
            reading=Reading(
                values=_at(depth, [None if each is None else each.values for each in readings]),
                chance=_at(depth, [None if each is None else each.chance for each in readings]),
                thresholds=next((each.thresholds for each in readings if each is not None), ()),
            ),
        )
    random = measure.of_controls(control).get("random") if control else None
    if random is not None:
        flat = np.full(len(readings), random.values[-1])
        yield Series(
            name=f"{capitalized(depth_name(n_depths - 1))}, all weights random",
            label="all random",
            index=len(depths) - 1,
            reading=Reading(values=flat),
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
