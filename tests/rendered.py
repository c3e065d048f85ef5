"""A report's pages as readers get them: by CSS selectors, and as text."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import cached_property
from itertools import takewhile
from pathlib import Path

from lxml import html
from report_fixture import FOLDERS

from tokviz import pages
from tokviz.pages import render
from tokviz.records import Report


class Rendered:
    """All pages of a report. A page is made and read when it is asked for, and once."""

    def __init__(self, report: Report) -> None:
        self._site = pages.build(report)
        self._pages = {page.view.frame.path: page for page in self._site.pages}
        self._read: dict[str, Part] = {}

    @cached_property
    def files(self) -> dict[str, str]:
        """Path → its text."""
        return render.render(self._site, FOLDERS)

    def __getitem__(self, path: str) -> Part:
        if path not in self._read:
            is_alone = path in self._pages and "files" not in vars(self)
            text = render.render_page(self._pages[path], FOLDERS) if is_alone else self.files[path]
            self._read[path] = Part(html.document_fromstring(text))
        return self._read[path]

    def __contains__(self, path: str) -> bool:
        return path in self._pages or path in self.files

    @property
    def paths(self) -> list[str]:
        """Of all pages that readers may see."""
        return [*self._pages, "404.html"]

    @property
    def models(self) -> list[Part]:
        """The models' pages, in the report's order."""
        return [self[path] for path in self._pages if Path(path).match("models/*/index.html")]


class Part:
    """An element of a page."""

    def __init__(self, element: html.HtmlElement) -> None:
        self.element = element

    def all(self, selector: str) -> list[Part]:
        """Every element within it that a CSS selector finds, in the page's order."""
        return [Part(each) for each in self.element.cssselect(selector)]

    def one(self, selector: str) -> Part:
        """The only one."""
        (found,) = self.all(selector)
        return found

    def at(self, name: str) -> Part:
        """The one of an id."""
        return self.one(f"[id='{name}']")

    def under(self, name: str) -> Part:
        """What follows the heading of an id, up to the next of its rank."""
        heading, found = self.at(name).element, html.Element("div")
        after = takewhile(lambda each: each.tag != heading.tag, heading.itersiblings())
        found.extend(deepcopy(each) for each in after)
        return Part(found)

    def texts(self, selector: str) -> list[str]:
        """The text of each."""
        return [each.text for each in self.all(selector)]

    @property
    def table(self) -> list[list[str]]:
        """The texts of the cells, by rows."""
        return [row.texts("th, td") for row in self.all("tr")]

    @property
    def text(self) -> str:
        """What stands in it, white space as a browser shows it; spaces that don't break stay."""
        return re.sub(r"[ \t\n\r\f]+", " ", str(self.element.text_content())).strip(" ")

    @property
    def noted(self) -> tuple[str, str]:
        """Its text, and the small print after it, if there is any."""
        note = "".join(self.texts("small"))
        return self.text.removesuffix(note), note

    @property
    def classes(self) -> list[str]:
        return (self.get("class") or "").split()

    def __getitem__(self, attribute: str) -> str:
        return str(self.element.attrib[attribute])

    def get(self, attribute: str) -> str | None:
        """An attribute, if it is there."""
        value: str | None = self.element.get(attribute)
        return value

    @property
    def plain(self) -> str:
        """The text with ordinary spaces only."""
        return self.text.replace("\N{NO-BREAK SPACE}", " ")

    @property
    def terms(self) -> dict[str, str]:
        """What stands beside each term of its lists."""
        return dict(zip(self.texts("dt"), self.texts("dd"), strict=True))


def line_points(line: str) -> list[tuple[float, float]]:
    """Where the points of a line are, by the steps between them."""
    found, x, y = [], 0.0, 0.0
    for step, numbers in re.findall(r"([Mlh])([^Mlh]+)", line):
        across, *down = map(float, re.findall(r"-?(?:\d+(?:\.\d)?|\.\d)", numbers))
        x, y = (0.0, 0.0) if step == "M" else (x, y)
        x, y = round(x + across, 1), round(y + sum(down), 1)
        found.append((x, y))
    return found
