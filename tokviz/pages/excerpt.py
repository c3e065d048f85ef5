"""Carousels, and the author's essay, to take away into a blog."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import unquote

from markupsafe import Markup

from tokviz.pages.essay.asked import PlaceError
from tokviz.pages.essay.shown import Figure, Frame, Lost, figure
from tokviz.pages.frame.frame import address, data_path, model_path
from tokviz.pages.frame.pictures import Shown
from tokviz.pages.text.parts import Link
from tokviz.pages.text.wording import projection_label
from tokviz.records import Report, depth_name

_ROOT = "index.html"
"""Addresses of pictures are those from the site's root."""
ESSAY = "data/essay.html"
_LINK = re.compile(r'<a href="([^"]*)">(.*?)</a>', re.DOTALL)


def excerpts(report: Report) -> dict[str, list[str | Figure]]:
    """Path from the site's root → its parts, safe HTML without empty lines, and pictures.

    A carousel of every captured model and context, as the first projection shows it; and the essay, if there is one.
    """
    found: dict[str, list[str | Figure]] = {}
    for model in report.models:
        for context in model.contexts:
            panel = Shown(report=report, model=model, context=context, shown=context.projections[0], page=_ROOT)
            found[excerpt_path(model.slug, context.states.context.name)] = [_carousel(panel)]
    return found | ({ESSAY: [*_essay(report)]} if report.has_essay else {})


def excerpt_path(slug: str, context: str) -> str:
    """From the site’s root."""
    return data_path(slug, context, "excerpt.html")


def _carousel(shown: Shown) -> Figure:
    report, geometry, states = shown.report, shown.context.geometry, shown.context.states
    name, words = shown.model.display_name, f"words {states.context.label}"
    first = (geometry and geometry.massive.emergence_depth) or 0
    kind = projection_label(shown.shown.projection.name)
    n_words = f"{len(states.tokenization.words):,}"
    caption = Markup("{}: {} {}, {} PCA of each layer.").format(name, n_words, words, kind)
    source = Link(text=report.title, href=address(report, f"{model_path(shown.model.slug)}#{shown.slide_id(first)}"))
    if report.site_url:
        caption += Markup(' From <a href="{}">{}</a>.').format(source.href, source.text)
    return Figure(
        label=f"{name}, {words}, layer by layer",
        frames=tuple(Frame.of(shown, depth, depth_name(depth)) for depth in range(states.n_depths)),
        caption=caption,
        source=source,
        first=first,
    )


def _essay(report: Report) -> Iterator[str | Figure]:
    home = _leading_home(report)
    for part in report.intro:
        if isinstance(part, str):
            yield re.sub(r"(?<=\n)\n", "&#10;", _LINK.sub(home, part))  # Markdown ends HTML at an empty line
            continue
        try:
            place: Figure | Lost = figure(report, part, _ROOT)
        except PlaceError as error:
            place = Lost(caption=Markup(part.caption), reason=str(error))
        caption = Markup(_LINK.sub(home, str(place.caption)))
        if isinstance(place, Lost):
            yield Figure(label="", caption=caption, source=Link(text="", href=""), problem=place.reason)
        else:
            source = Markup(' <a href="{}">{}</a>').format(place.source.href, place.source.text)
            problem = f"{place.chart.heading}: a chart of the report." if place.chart else ""
            yield replace(place, caption=caption + Markup(_LINK.sub(home, str(source))), problem=problem)


def _leading_home(report: Report) -> Callable[[re.Match[str]], str]:
    """Links to pages of the report as whole addresses; as text where nobody knows where it will stand."""

    def link(found: re.Match[str]) -> str:
        if re.match(r"[a-z][a-z+.-]*:|//", found[1]):
            return found[0]
        if not report.site_url:
            return found[2]
        target = unquote(found[1])
        href = address(report, f"{_ROOT}{target}" if target.startswith("#") else target)
        return str(Markup('<a href="{}">{}</a>').format(href, Markup(found[2])))

    return link
