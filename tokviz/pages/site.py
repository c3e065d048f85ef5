"""All pages of a site."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.pages.compare.layers import LayersPage
from tokviz.pages.compare.page import ComparePage
from tokviz.pages.explore.page import ExplorePage
from tokviz.pages.first.page import IndexPage
from tokviz.pages.method.page import MethodPage
from tokviz.pages.model.page import ModelPage


@dataclass(frozen=True, kw_only=True)
class NotFoundPage:
    """The page for addresses that don’t exist."""

    path: str
    title: str
    home: str


@dataclass(frozen=True, kw_only=True)
class SiteView:
    """Every page of the site."""

    index: IndexPage
    models: tuple[ModelPage, ...]
    compare: ComparePage | None
    explore: ExplorePage | None
    """Both are None when no model could be captured."""
    layers: LayersPage | None
    """None where the compare page says it, too."""
    method: MethodPage
    not_found: NotFoundPage
    styles: dict[str, str]
    """The stylesheet of the author's look, if there is one, by its path from the site's root."""
    sitemap: tuple[str, ...]
    """Whole addresses of all pages but the last; empty when nobody knows where the site will stand."""
