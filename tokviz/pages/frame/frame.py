"""What surrounds every page, and the links from one file of the site to another."""

from __future__ import annotations

import base64
import hashlib
import posixpath
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import ClassVar
from urllib.parse import quote

from tokviz.pages.charts.axis import RULER
from tokviz.pages.frame.look import STYLES, own_look, styles
from tokviz.pages.frame.scripts import in_order
from tokviz.pages.text.parts import Link
from tokviz.records import Report

FIRST_PAGE = "index.html"
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


class Values(SimpleNamespace):
    """What the template of a page takes: records, and what is said of them, by the names that it has for them."""

    frame: Frame


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What surrounds every page; ``base.html`` has the rest."""

    report: Report
    path: str
    """Where the page stands, from the site's root."""
    title: str
    """For the browser's tab."""
    description: str
    entries: tuple[str, ...] = ()
    """Scripts within the assets; what they need comes with them."""
    kind: str = "article"
    """Of the page, as cards name it: ``website`` or ``article``."""
    opens: str = ""
    """The slide that the page opens with where its address asks for none."""
    nav: tuple[Link, ...] = ()
    """The pages that header and footer lead to; empty until all of them are known."""
    ruler_css: ClassVar[str] = RULER.style()
    """Measures of rulers, as CSS variables."""
    ruler_sha256: ClassVar[str] = base64.b64encode(hashlib.sha256(RULER.style().encode()).digest()).decode()
    """By which the page's content security policy knows them."""

    def to(self, target: str) -> str:
        """The link to another file of the site, of which the path from the site's root is given."""
        return relative(self.path, target)

    @property
    def scripts(self) -> tuple[str, ...]:
        return tuple(self.to(f"assets/{script}") for script in in_order(self.entries))

    @property
    def has_keys(self) -> bool:
        """Whether the page has a list of its keys."""
        return "shortcuts.js" in self.entries

    @property
    def look(self) -> dict[str, str | int]:
        return own_look(self.report)

    @property
    def own_styles(self) -> list[str]:
        """Stylesheets of the author's, after all others: of what was chosen of plots, and of the theme."""
        asked = {STYLES: styles(self.report.look), "assets/theme.css": self.report.own_styles}
        return [self.to(path) for path, is_there in asked.items() if is_there]

    @property
    def address(self) -> str:
        """Where the page will stand; empty when nobody knows."""
        return address(self.report, self.path) if self.report.site_url else ""

    @property
    def preview(self) -> dict[str, str | int]:
        """What other sites show where it is linked to, as ``og:image`` and its parts; empty where there is nothing."""
        report = self.report
        own = next((each for each in report.models if each.preview and model_path(each.slug) == self.path), None)
        image = own.preview if own else report.preview
        if image is None:
            return {}
        sizes = {":width": image.width, ":height": image.height}
        return {"": address(report, image.path), **sizes, ":alt": image.said}


def late_scripts(page: str, loader: str, *scripts: str) -> list[str]:
    """Links to those that a script of the page loads later, with all that isn't there with the loader."""
    return [relative(page, f"assets/{script}") for script in in_order(scripts, (loader,))]


def address(report: Report, path: str) -> str:
    """The whole address of a file of the site; of a folder's page, the folder's."""
    file, hash_mark, fragment = path.partition("#")
    return f"{report.site_url or ''}{quote(file.removesuffix('index.html'))}{hash_mark}{quote(fragment)}"


def model_path(slug: str) -> str:
    """Of a model’s page, from the site’s root."""
    return f"models/{slug}/index.html"


def card_path(page: str, number: int) -> str:
    """Of the image of a page's finding, from the site's root; 0 for that of a page without findings."""
    folder = "cards" if page == FIRST_PAGE else posixpath.dirname(page)
    return f"{folder}/finding-{number}.png" if number else f"{folder}/preview.png"


def change_path(before: str, after: str) -> str:
    """Of the page of what changed between two models, of which the slugs are given, from the site's root.

    Slugs have no two hyphens in a row, so that no two pairs share a page.
    """
    between = "--" if "-" in f"{before}{after}" else "-"
    return f"change/{before}{between}{after}/index.html"


def series_path(slug: str) -> str:
    """Of a series' page, from the site’s root."""
    return f"series/{slug}/index.html"


def data_path(slug: str, *parts: str) -> str:
    """``data/mini-6/alone/geometry.csv``: of a model's numbers, from the site's root."""
    return "/".join(("data", slug, *parts))


def contents(*parts: tuple[str, str, object]) -> tuple[Link, ...]:
    """The contents of a page: links to those of its parts that it has.

    Of each part its name, the id of its element, and anything that is false where the page hasn't got it.
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
