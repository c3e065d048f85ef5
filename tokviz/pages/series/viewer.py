"""The plot at the top of a series's page: any checkpoint, at any depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tokviz.pages.explore.explore_data import written_extents
from tokviz.pages.frame.frame import relative
from tokviz.pages.frame.index import context_entry, drawings, model_entry
from tokviz.pages.frame.pictures import picture
from tokviz.pages.text import data_text
from tokviz.pages.text.parts import Picture
from tokviz.pages.text.problems import problems
from tokviz.pages.text.wording import projection_label
from tokviz.records import Checkpoint, ContextReport, Renditions, Report, SeriesReport, depth_name
from tokviz.records.axes import Limits, extents

AXES = {"reference": "of the reference", "own": "its own"}
"""How readers choose the axes, by the projections' names."""
MOST_IMAGES = 640
"""Links to plots as images."""


def viewer(report: Report, series: SeriesReport, names: Sequence[str], page: str) -> dict[str, Any]:
    """One plot, of any checkpoint at any depth: shown first is the last checkpoint in the middle of its layers.

    ``names``: of the contexts that are shown; at least one.
    """
    shown = series.shown
    reference = series.checkpoints[series.reference].label
    last = max(context.states.n_depths for each in shown for context in each.model.contexts) - 1
    depth = (last + 1) // 2
    longest = {
        "model": max((each.label for each in shown), key=len),
        "context": max((each.label for each in report.contexts), key=len),
    }
    return {
        "depth": depth,
        "last": last,
        "axes": AXES,
        # None where no plots are drawn as images.
        "picture": _plot(shown[-1], names[0], depth, page),
        # Shown without scripts only.
        "first": _plot(shown[0], names[0], depth, page) if len(shown) > 1 else None,
        "data": data_text.embedded(_data(series, names, page)),
        "plates": drawings(
            report,
            page,
            "plates/plates.js",
            "plates/board.js",
            data=relative(page, "data"),
            longest=longest,
            models=_entries(series, reference),
        ),
    }


def _entries(series: SeriesReport, reference: str) -> list[dict[str, Any]]:
    """For the scripts that draw: each checkpoint as a model."""
    # Turned in their plane, axes are no components any more.
    axes = {"reference": [f"PC{axis} of {reference}" for axis in (1, 2)], "own": ["Axis 1", "Axis 2"]}
    projections = [{"name": key, "label": AXES[key], "axes": names} for key, names in axes.items()]
    return [
        {
            **model_entry(each.model),
            "contexts": [
                {**context_entry(context), "last": context.states.n_depths - 1, "projections": projections}
                for context in each.model.contexts
            ],
        }
        for each in series.shown
    ]


def _data(series: SeriesReport, names: Sequence[str], page: str) -> dict[str, Any]:
    """For the page's own script."""
    linked = {each.key for each in with_plots(series)}
    how, reference = f"{series.name}, {projection_label(series.projection)}", series.checkpoints[series.reference].label
    return {
        "checkpoints": [
            {
                "key": each.key,
                "label": each.label,
                "slug": each.model.slug,
                "images": {
                    context.states.context.name: {depth: relative(page, plate.wide.path) for depth, plate in plates}
                    for context in (each.model.contexts if each.key in linked else ())
                    if (plates := plates_of(context))
                },
                "problems": {
                    f"{context.states.context.name} {shown.projection.name}": reasons
                    for context in each.model.contexts
                    for shown in context.projections
                    if any(reasons := problems(shown.projection))
                },
                "residuals": {
                    context.states.context.name: [
                        round(100 * share) if np.isfinite(share) else None for share in residual
                    ]
                    for context, residual in zip(each.model.contexts, each.residuals, strict=True)
                },
            }
            for each in series.shown
        ],
        "reference": reference,
        # On plots that are saved.
        "labels": {
            "reference": f"{how}, axes of {reference}",
            "own": f"{how}, own axes turned toward those of {reference}",
        },
        "extents": {name: _common_extents(series, name) for name in names},
        "maps": f"{series.slug}/maps",
    }


def _common_extents(series: SeriesReport, name: str) -> list[list[float | None] | None]:
    """Per depth those of all checkpoints together, on the axes of the reference; None where there is no plot."""
    every = [
        context.projections[0].projection
        for each in series.shown
        if (context := each.context(name)) is not None and context.projections
    ]
    found: list[list[tuple[Limits, Limits]]] = [
        [] for _ in range(max((len(each.coordinates) for each in every), default=0))
    ]
    for each in every:
        for depth, placed in enumerate(each.coordinates):
            if np.isfinite(placed).all():
                found[depth].append(extents(placed, each.reference))
    return [written_extents((_around(each, 0), _around(each, 1))) if each else None for each in found]


def _around(every: Sequence[tuple[Limits, Limits]], axis: int) -> Limits:
    return min(each[axis][0] for each in every), max(each[axis][1] for each in every)


def _plot(checkpoint: Checkpoint, name: str, depth: int, page: str) -> Picture | None:
    """As an image, where it was drawn."""
    context = checkpoint.context(name)
    plates = dict(plates_of(context))
    if context is None or depth not in plates:
        return None
    return picture(page, plates[depth], f"{checkpoint.label}, {depth_name(depth)}, {context.states.context.label}")


def with_plots(series: SeriesReport) -> tuple[Checkpoint, ...]:
    """Those whose plots as images are named: all, or where these are very many the ends."""
    shown = series.shown
    n = sum(len(plates_of(context)) for each in shown for context in each.model.contexts)
    return shown if n <= MOST_IMAGES else (shown[0], shown[-1])


def plates_of(context: ContextReport | None) -> list[tuple[int, Renditions]]:
    """Those that were drawn as images, with their depths."""
    if context is None or not context.projections:
        return []
    return [(depth, plate) for depth, plate in enumerate(context.projections[0].plates) if plate]
