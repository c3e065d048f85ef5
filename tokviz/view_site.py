"""All pages of a site, as views hand them to pages."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.view_compare import ComparePage
from tokviz.view_explore import ExplorePage
from tokviz.view_records import IndexPage, MethodPage, ModelPage, NotFoundPage


@dataclass(frozen=True, kw_only=True)
class SiteView:
    index: IndexPage
    models: tuple[ModelPage, ...]
    compare: ComparePage | None
    explore: ExplorePage | None
    """Both are None when no model could be captured."""
    method: MethodPage
    not_found: NotFoundPage
    sitemap: tuple[str, ...]
    """Whole addresses of all pages but the last; empty when nobody knows where the site will stand."""
