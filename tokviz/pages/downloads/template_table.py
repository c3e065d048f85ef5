"""What is measured in each of a context's templates, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tokviz.pages.text.data_text import csv_text, rounded, spreadsheet_safe
from tokviz.records import ContextReport, Order, Relation, depth_name


def templates_csv(context: ContextReport, relations: Sequence[Relation], orders: Sequence[Order]) -> str:
    """A row per measure, template and depth; ``announced`` is what would be announced of this template alone."""
    rows = (
        _row(measure, context.states.context.templates[index], depth, float(value), holds, index)
        for measure, values, holds in _measures(context, relations, orders)
        for index, of_template in enumerate(values)
        for depth, value in enumerate(of_template)
    )
    return csv_text(
        ["measure", "measure_safe", "template", "template_safe", "depth", "layer", "value", "announced"], rows
    )


def _row(
    measure: str, template: str, depth: int, value: float, holds: np.ndarray | None, index: int
) -> list[str | float | int | None]:
    announced = None if holds is None else int(holds[index, depth])
    names = [measure, spreadsheet_safe(measure), template, spreadsheet_safe(template)]
    return [*names, depth, depth_name(depth), rounded(value), announced]


def _measures(
    context: ContextReport, relations: Sequence[Relation], orders: Sequence[Order]
) -> Iterator[tuple[str, np.ndarray, np.ndarray | None]]:
    """Name, values ``(n_templates, n_depths)``, and where they are announced, if that is asked."""
    geometry, related = context.geometry, context.relations
    if geometry is None or geometry.effective_rank_in_templates is None:
        return
    for name, measure in (("purity", geometry.purity), ("silhouette", geometry.silhouette)):
        if measure.templates is not None:
            yield name, measure.templates, measure.above_chance.template_holds
    yield "effective_rank", geometry.effective_rank_in_templates, None
    if related is None:
        return
    for relation, pairs in zip(relations, related.relations, strict=True):
        if pairs.parallelism.templates is not None:
            yield f"relation {relation.name}", pairs.parallelism.templates, pairs.template_holds
    for order, row in zip(orders, related.orders, strict=True):
        if row.r2.templates is not None:
            yield f"order {order.name}", row.r2.templates, row.r2.claim.template_holds
