"""What the first page's picture shows: which contexts of which model, at which depths, in which projection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tokviz.pages.charts.axis import spread
from tokviz.pages.model.headline import Headline, headline, unshown_rows
from tokviz.pages.text.findings import norm_jump
from tokviz.records import CategoryMeasure, ContextReport, Geometry, ModelReport, Opening, ProjectionReport, Report

MOST_ROWS, N_DEPTHS = 3, 7
"""By itself: as many as are seen at a glance."""
N_NEAR = 3
"""As many depths as a phone's first screen has."""
PREFERRED = "centered"
"""It shows the states as they are; where a report has it, it comes first."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Rows and columns of the picture."""

    model: ModelReport
    rows: tuple[ContextReport, ...]
    """At least one, all of the model."""
    projection: str
    depths: tuple[int, ...]
    """In their order; at least two."""
    marked: int | None
    """The depth that the sentence above is about, where it is among them."""
    near: tuple[int, ...]
    """Those that come first where columns are rows: the marked one and those next to it, three in all."""

    def shown(self, row: ContextReport) -> ProjectionReport:
        """A row in the projection."""
        return next(each for each in row.projections if each.projection.name == self.projection)


def choice(report: Report) -> Choice | None:
    """None where no model could be captured, or there is one depth only."""
    said = headline(report)
    asked = report.opening if report.opening and not unshown_rows(report) else Opening()
    if said is None:
        return None
    model, rows = _asked_rows(report, asked.rows) or (said.model, _rows(said))
    n_depths = rows[0].states.n_depths
    depths = tuple(depth for depth in asked.depths if depth < n_depths)
    if len(depths) < 2:
        depths = spread(_telling(said, rows[0]) if said.model is model else (), n_depths, N_DEPTHS)
    if len(depths) < 2:
        return None
    told = said.depth if said.model is model else None
    marked = told if told in depths else None
    names = report.projections
    return Choice(
        model=model,
        rows=rows,
        projection=asked.projection or (PREFERRED if PREFERRED in names else names[0]),
        depths=depths,
        marked=marked,
        near=_near(depths, marked),
    )


def _asked_rows(report: Report, addresses: Iterable[str]) -> tuple[ModelReport, tuple[ContextReport, ...]] | None:
    found = [
        (model, context)
        for address in addresses
        for model in report.models
        for context in model.captures
        if address == f"{model.slug}/{context.states.context.name}"
    ]
    return (found[0][0], tuple(context for _, context in found)) if found else None


def _rows(said: Headline) -> tuple[ContextReport, ...]:
    """The finding's context as it is, without what the neurons tell, and one in which nothing breaks.

    Without a finding contexts as they come, the first also without what neurons tell that write a break.
    """
    contexts = said.model.contexts
    if said.finding is None:
        first = said.best.context if said.best else contexts[0]
        further = (each for each in contexts if each is not first)
        return (first, *([first.twin] if first.twin else []), *further)[:MOST_ROWS]
    own = next(each for each in contexts if each.states.context == said.finding.context)
    others = [each for each in contexts if each is not own]
    calm = [each for each in others if each.geometry and each.geometry.massive.emergence_depth is None]
    return (own, *([own.twin] if own.twin else []), *[*calm, *others][:1])


# --- depths --------------------------------------------------------------------------------------------------------


def _telling(said: Headline, first: ContextReport) -> Iterator[int]:
    """Where massive activations begin and end, or the norm jumps, the depth before each; where categories hold best and least."""
    if said.finding:
        yield from (said.finding.layer, said.finding.layer + 1)
        yield from _end(first.geometry)
    elif said.best and said.best.context.geometry:
        if said.best.is_clear:
            yield said.best.depth
            yield _least(said.best.context.geometry.in_first_template.purity)
        jump = norm_jump(said.best.context.geometry)
        if jump is not None:
            yield from (jump - 1, jump)


def _end(geometry: Geometry | None) -> Iterator[int]:
    end = geometry.massive.end_depth if geometry else None
    if end is not None:
        yield from (end - 1, end)


def _least(purity: CategoryMeasure) -> int:
    return int(np.nanargmin(purity.value))


def _near(depths: tuple[int, ...], marked: int | None) -> tuple[int, ...]:
    if marked is None:
        return depths
    first = max(min(depths.index(marked) - 1, len(depths) - N_NEAR), 0)
    return depths[first : first + N_NEAR]
