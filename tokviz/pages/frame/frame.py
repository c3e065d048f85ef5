"""What surrounds every page, and the links from one file of the site to another."""

from __future__ import annotations

import base64
import hashlib
import posixpath
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote

from tokviz.pages.charts.axis import RULER
from tokviz.pages.frame.look import STYLES, own_look
from tokviz.pages.frame.scripts import in_order
from tokviz.pages.text.extent import models_arrange, span
from tokviz.pages.text.parts import Card, Frame, InlineStyle, Link, Source
from tokviz.pages.text.wording import n_captured
from tokviz.records import Report

LEAST_IN_CONTENTS = 3
"""A page with fewer parts has no contents."""
MOST_MODELS_IN_NAV = 6
"""With more, the pages' header leads to the overview, which lists them all."""


@lru_cache(10_000)  # a page has the same links over and over, and every page those of its frame
def relative(page: str, target: str) -> str:
    """The link from one page of the site to another file of it; both are paths from the site's root."""
    path, hash_mark, fragment = target.partition("#")
    link = posixpath.relpath(path, posixpath.dirname(page) or ".")
    return quote(link) + hash_mark + quote(fragment)


def frame(
    report: Report, path: str, title: str, description: str, *, scripts: tuple[str, ...] = (), kind: str = "article"
) -> Frame:
    """What surrounds the page at ``path``, but for the links to the other pages.

    Parameters
    ----------
    scripts : paths within the assets; what they need comes with them.
    kind : of the page, as cards name it: ``website`` or ``article``.
    """

    def to(target: str) -> str:
        return relative(path, target)

    has_keys = "shortcuts.js" in scripts
    return Frame(
        path=path,
        title=title,
        description=description,
        home=None if path == "index.html" else Link(text=report.title, href=to("index.html")),
        theme=to("assets/theme.js"),
        fonts=to("assets/fonts.js"),
        opening=to("assets/opening.js") if has_keys and path != "index.html" else None,
        has_keys=has_keys,
        stylesheet=to("assets/site.css"),
        screens=to("assets/screens.css"),
        noscript=to("assets/noscript.css"),
        look=own_look(report, to(STYLES)),
        own_stylesheet=to("assets/theme.css") if report.own_styles else None,
        geometry=_inline_style(RULER.style()),
        scripts=tuple(to(f"assets/{script}") for script in in_order(scripts)),
        made_with=Link(text=f"tokviz {report.version}", href=to("method/index.html#tokviz")),
        draft=report.draft,
        license=Link(text=report.license, href=report.license_url or "") if report.license else None,
        card=_card(report, path, title, kind) if report.site_url else None,
    )


def nav(page: str, pages: Sequence[tuple[str, str]]) -> tuple[Link, ...]:
    """Links to the pages of the header, of each its name there and its path."""
    return tuple(Link(text=text, href=relative(page, target), current=target == page) for text, target in pages)


def late_scripts(page: str, loader: str, *scripts: str) -> list[str]:
    """Links to those that a script of the page loads later, with all that isn't there with the loader."""
    return [relative(page, f"assets/{script}") for script in in_order(scripts, (loader,))]


def _inline_style(css: str) -> InlineStyle:
    return InlineStyle(css=css, sha256=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode())


def _card(report: Report, path: str, title: str, kind: str) -> Card:
    shown = next((model for model in report.models if model.preview and model_path(model.slug) == path), None)
    preview = shown.preview if shown else report.preview
    whose = f"{shown.display_name} arranges" if shown else models_arrange(n_captured(report.models))
    return Card(
        url=address(report, path),
        site=report.title,
        title=title.removesuffix(f" · {report.title}"),
        kind=kind,
        image=Source(src=address(report, preview.path), width=preview.width, height=preview.height)
        if preview
        else None,
        alt=f"Words as {whose} them, {span(report)}",
    )


def address(report: Report, path: str) -> str:
    """The whole address of a file of the site; of a folder's page, the folder's."""
    file, hash_mark, fragment = path.partition("#")
    return f"{report.site_url or ''}{quote(file.removesuffix('index.html'))}{hash_mark}{quote(fragment)}"


def model_path(slug: str) -> str:
    """Of a model’s page, from the site’s root."""
    return f"models/{slug}/index.html"


def series_path(slug: str) -> str:
    """Of a series' page, from the site’s root."""
    return f"series/{slug}/index.html"


def data_path(slug: str, *parts: str) -> str:
    """``data/mini-6/alone/geometry.csv``: of a model's numbers, from the site's root."""
    return "/".join(("data", slug, *parts))


def contents(*parts: tuple[str, str, object]) -> tuple[Link, ...]:
    """The contents of a page: links to those of its parts that it has.

    Parameters
    ----------
    parts : in the page's order, of each its name, the id of its element, and anything that is false where the page hasn't got it.
    """
    links = tuple(Link(text=name, href=f"#{place}") for name, place, has in parts if has)
    return links if len(links) >= LEAST_IN_CONTENTS else ()


def downloads(report: Report, page: str, slug: str | None = None) -> tuple[Link, ...]:
    """The files to download, of one model or of all; what stands before the file's name tells whose it is."""
    names = {model.slug: model.display_name for model in report.models}
    labels = {context.name: context.label for context in report.contexts}
    labels |= {
        each.states.context.name: each.states.context.label for model in report.models for each in model.captures
    }
    links = []
    for key, path in sorted(report.downloads.items()):
        *folders, file = key.split("/")
        if slug is None or folders[:1] == [slug]:
            owners = [names.get(part, labels.get(part, part)) for part in folders]
            whose = owners[1:] if slug else owners
            links.append(Link(text=", ".join([*whose, file]), href=relative(page, path)))
    return tuple(links)
