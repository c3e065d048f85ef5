"""Records → finished view records for templates: text, formatted numbers, relative links. No HTML."""

from __future__ import annotations

from tokviz.pages.compare.layers import layers_page
from tokviz.pages.compare.page import compare_page
from tokviz.pages.excerpt import excerpt_path, excerpts
from tokviz.pages.explore.page import explore_page
from tokviz.pages.first.page import index_page
from tokviz.pages.frame.frame import model_path
from tokviz.pages.frame.look import STYLES, styles
from tokviz.pages.method.page import method_page
from tokviz.pages.model.page import model_page, note_addresses
from tokviz.pages.previews import Preview, previews
from tokviz.pages.site import NotFoundPage, SiteView
from tokviz.records import Report

__all__ = ["Preview", "build", "excerpt_path", "excerpts", "model_path", "note_addresses", "previews"]


def build(report: Report) -> SiteView:
    """Everything that the pages show, as text and links.

    Parameters
    ----------
    report : what the stages gathered; failed models included.

    Returns
    -------
    SiteView : one record per page.
    """
    index, compare, method = index_page(report), compare_page(report), method_page(report)
    models = tuple(model_page(report, model) for model in report.models)
    layers, explore = layers_page(report), explore_page(report)
    frames = [page.frame for page in (index, *models, compare, layers, explore, method) if page]
    return SiteView(
        index=index,
        models=models,
        compare=compare,
        layers=layers,
        explore=explore,
        method=method,
        not_found=NotFoundPage(path="404.html", title=report.title, home=report.site_url or "index.html"),
        styles={STYLES: text} if (text := styles(report.look)) else {},
        sitemap=tuple(frame.card.url for frame in frames if frame.card),
    )
