"""What the first page's picture shows: which contexts of which model, at which depths, in which projection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tokviz.pages.charts.axis import spread
from tokviz.pages.findings.chosen import lead
from tokviz.pages.findings.finding import Found
from tokviz.pages.findings.neurons import PLAIN
from tokviz.pages.text.findings import norm_jump
from tokviz.records import ContextReport, ModelReport, Opening, ProjectionReport, Report

MOST_ROWS, N_DEPTHS = 3, 7
"""By itself: as many as are seen at a glance."""
N_NEAR = 3
"""As many depths as a phone's first screen has."""


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

    before: ModelReport | None = None
    """Of two models before and after, the first, which has the first row; ``model`` is the second."""

    @property
    def near(self) -> tuple[int, ...]:
        """Those that come first where columns are rows: the marked one and those next to it, three in all."""
        if self.marked is None:
            return self.depths
        first = max(min(self.depths.index(self.marked) - 1, len(self.depths) - N_NEAR), 0)
        return self.depths[first : first + N_NEAR]

    def owner(self, row: ContextReport) -> ModelReport:
        """Whose row it is."""
        return self.before if self.before and any(row is each for each in self.before.contexts) else self.model

    def label(self, row: ContextReport) -> str:
        """What a row is of: its context, or of two models the model."""
        return self.owner(row).display_name if self.before else row.states.context.label

    def shown(self, row: ContextReport) -> ProjectionReport:
        """A row in the projection."""
        return next(each for each in row.projections if each.projection.name == self.projection)


def choice(report: Report) -> Choice | None:
    """None where no model could be captured, or there is one depth only."""
    said = lead(report)
    asked = report.opening if report.opening and not unshown_rows(report) else Opening()
    if said is None:
        return None
    by_author = _asked_rows(report, asked.rows)
    model, rows = by_author or (said.model, _rows(said))
    n_depths = rows[0].states.n_depths
    depths = tuple(depth for depth in asked.depths if depth < n_depths)
    if len(depths) < 2:
        depths = spread(_telling(said, *rows) if said.model is model else (), n_depths, N_DEPTHS)
    if len(depths) < 2:
        return None
    told = said.depth if said.model is model else None
    marked = told if told in depths else None
    names = report.projections
    return Choice(
        model=model,
        rows=rows,
        projection=asked.projection or (PLAIN if PLAIN in names else names[0]),
        depths=depths,
        marked=marked,
        before=said.other if said.slot == "change" and not by_author else None,
    )


def unshown_rows(report: Report) -> tuple[str, ...]:
    """Rows of the author's that aren't there, for a reason that isn't theirs: something couldn't be captured."""
    rows = report.opening.rows if report.opening else ()
    known = {address for model in report.models for address in row_addresses(model)}
    return tuple(each for each in rows if each not in known)


def has_failed(model: ModelReport, row: str) -> bool:
    """Whether a row isn't there since the model, or the model with neurons changed, couldn't be captured."""
    name = row.partition("/")[2]
    changed = [context for context in model.contexts if name.startswith(f"{context.states.context.name}-")]
    return model.failure is not None or (
        row not in row_addresses(model) and any(each.failed_interventions for each in changed)
    )


def row_addresses(model: ModelReport) -> dict[str, ContextReport]:
    """By ``MODEL/CONTEXT`` all that can be a row of the first page's picture."""
    return {f"{model.slug}/{context.states.context.name}": context for context in model.captures}


def _asked_rows(report: Report, addresses: Iterable[str]) -> tuple[ModelReport, tuple[ContextReport, ...]] | None:
    captures = [(model, row_addresses(model)) for model in report.models]
    found = [(model, own[address]) for address in addresses for model, own in captures if address in own]
    return (found[0][0], tuple(context for _, context in found)) if found else None


def _rows(said: Found) -> tuple[ContextReport, ...]:
    """The finding's capture and what it is held against, or what is left of it without a break's neurons; then others.

    Beside a break stands a context in which nothing breaks.
    """
    own = said.context
    if said.slot == "change" and said.other:
        return next(each for each in said.other.contexts if each.states.context.name == own.states.context.name), own
    second = said.beside or own.twin
    others = [each for each in said.model.contexts if each not in (own, second)]
    if said.breaks:
        calm = [each for each in others if each.geometry and each.geometry.massive.emergence_depth is None]
        others = [*calm, *others][:1]
    return (own, *([second] if second else []), *others)[:MOST_ROWS]


# --- depths --------------------------------------------------------------------------------------------------------


def _telling(said: Found, first: ContextReport, *others: ContextReport) -> Iterator[int]:
    """Where a break begins and ends, or the norm jumps, the depth before each; where the finding is, and where purity is least.

    Of the other rows where the norm jumps: most that is seen to change in them changes there.
    """
    if said.breaks:
        yield from (said.breaks.layer, said.breaks.layer + 1)
        end = first.geometry.massive.end_depth if first.geometry else None
        if end is not None:
            yield from (end - 1, end)
    elif first.geometry:
        if said.depth is not None:
            yield said.depth
            purity = first.geometry.in_first_template.purity.value
            if np.isfinite(purity).any():
                yield int(np.nanargmin(purity))
        jump = norm_jump(first.geometry)
        if jump is not None:
            yield from (jump - 1, jump)
        yield from [at for each in others if each.geometry and (at := norm_jump(each.geometry))][:1]
