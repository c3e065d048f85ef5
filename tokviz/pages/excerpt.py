"""Carousels to take away into a blog."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.pages.frame.frame import address, data_path, model_path
from tokviz.pages.frame.pictures import slide_id
from tokviz.pages.text.parts import Link
from tokviz.pages.text.problems import why_no_picture
from tokviz.pages.text.trust import finding
from tokviz.pages.text.wording import projection_label
from tokviz.records import ContextReport, ModelReport, Report, depth_name


@dataclass(frozen=True, kw_only=True)
class ExcerptSlide:
    """One depth of the carousel, or why it has no picture."""

    name: str
    alt: str
    image: str | None
    """Path of the picture from the site's root, whose bytes go into the fragment."""
    width: int
    height: int
    problem: str | None


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """A model in one context, as the first projection shows it."""

    path: str
    """From the site's root."""
    title: str
    caption: str
    slides: tuple[ExcerptSlide, ...]
    first: int
    """The slide that it opens at: where massive activations emerge, else the embedding."""
    source: Link | None
    """The page that it is taken from, when its address is known."""


def excerpts(report: Report) -> tuple[Excerpt, ...]:
    """Of every captured model and context."""
    return tuple(_excerpt(report, model, context) for model in report.models for context in model.contexts)


def excerpt_path(slug: str, context: str) -> str:
    """From the site’s root."""
    return data_path(slug, context, "excerpt.html")


def _excerpt(report: Report, model: ModelReport, context: ContextReport) -> Excerpt:
    state, shown = context.states, context.projections[0]
    first = (context.geometry and context.geometry.massive.emergence_depth) or 0
    page = f"{model_path(model.slug)}#{slide_id(state.context.name, first)}"
    return Excerpt(
        path=excerpt_path(model.slug, state.context.name),
        title=f"{model.display_name}, words {state.context.label}, layer by layer",
        caption=f"{model.display_name}: {len(state.tokenization.words):,} words {state.context.label}, "
        f"{projection_label(shown.projection.name)} PCA of each layer.",
        slides=tuple(
            ExcerptSlide(
                name=depth_name(depth),
                alt=finding(model, context, shown.projection, depth),
                # Made for narrow columns: its labels read on a phone and in a blog.
                image=plate.phone.path if plate else None,
                width=plate.phone.width if plate else 0,
                height=plate.phone.height if plate else 0,
                problem=None if plate else why_no_picture(shown.projection, depth),
            )
            for depth, plate in enumerate(shown.plates)
        ),
        first=first,
        source=Link(text=report.title, href=address(report, page)) if report.site_url else None,
    )
