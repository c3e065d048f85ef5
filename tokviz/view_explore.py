"""What the explorer shows before its scripts have run, and what they build the rest from. No HTML."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.view_records import Frame, Link, Ruler


@dataclass(frozen=True, kw_only=True)
class ModelFiles:
    """Where the same things are found without scripts."""

    model: Link
    files: tuple[Link, ...]
    """Coordinates and tokens as CSV, a context each."""


@dataclass(frozen=True, kw_only=True)
class ExplorePage:
    frame: Frame
    stylesheet: str
    noscript: str
    intro: str
    ruler: Ruler
    """Of the view that opens first."""
    data: str
    """JSON with ``<`` written as ``\\u003c``: models, contexts, projections, categories, and where their scripts are."""
    categories: tuple[str, ...]
    """They keep the legend's place until the script makes it."""
    models: tuple[ModelFiles, ...]
    method: str
