"""One carousel to take away: a fragment of HTML that holds its pictures."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.view_records.common import Link


@dataclass(frozen=True, kw_only=True)
class ExcerptSlide:
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
