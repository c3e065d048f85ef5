"""Carousels to take away into a blog."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.pages.frame.frame import address, data_path, model_path
from tokviz.pages.frame.pictures import Shown
from tokviz.records import Report


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """A model in one context, as the first projection shows it."""

    path: str
    """From the site's root."""
    shown: Shown
    first: int
    """The depth that it opens at: where massive activations emerge, else the embedding."""
    source: str | None
    """The address that it is taken from, when it is known."""


def excerpts(report: Report) -> tuple[Excerpt, ...]:
    """Of every captured model and context."""
    return tuple(
        _excerpt(
            Shown(
                report=report, model=model, context=context, shown=context.projections[0], page=model_path(model.slug)
            )
        )
        for model in report.models
        for context in model.contexts
    )


def excerpt_path(slug: str, context: str) -> str:
    """From the site’s root."""
    return data_path(slug, context, "excerpt.html")


def _excerpt(shown: Shown) -> Excerpt:
    report, geometry = shown.report, shown.context.geometry
    first = (geometry and geometry.massive.emergence_depth) or 0
    source = address(report, f"{shown.page}#{shown.slide_id(first)}") if report.site_url else None
    path = excerpt_path(shown.model.slug, shown.context.states.context.name)
    return Excerpt(path=path, shown=shown, first=first, source=source)
