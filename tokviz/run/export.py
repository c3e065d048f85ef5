"""One file to send: what a report found, with one context's plots, or what changed between two models."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import permutations
from pathlib import Path
from typing import Any

from tokviz.bundled import TEMPLATES
from tokviz.errors import TokvizError
from tokviz.pages.frame.frame import change_path, model_path
from tokviz.pages.render import ASSETS, environment, in_address
from tokviz.pages.text.glossary import Explainer
from tokviz.records import depth_name
from tokviz.run import made_report
from tokviz.run.made_report import Asked
from tokviz.run.store import disk
from tokviz.run.store.disk import shown_path
from tokviz.text import shown

Matches = Callable[[str, dict[str, str | None]], bool]
_LEFT_OUT_OF_TAGS = re.compile(r"""\s(?:id|tabindex|on\w+)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+)""")
"""Names of places, and scripts."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A page that needs no other file."""

    name: str
    """For a file."""
    what: str
    """For people."""
    text: str
    n_bytes_of: dict[str, int]
    """What of it takes how much: plots, the grid, charts."""


@dataclass(frozen=True, kw_only=True)
class _View:
    """What the template shows."""

    title: str
    about: str
    address: str
    styles: str
    findings: list[dict[str, Any]]
    slides: tuple[tuple[str, str], ...] = ()
    """Name and picture of each layer."""
    grid: str = ""
    key: tuple[tuple[str, str], ...] = ()
    """Class and label of each category, where words are dots."""
    parts: tuple[str, ...] = ()
    """HTML of the site's own pages."""
    charts: tuple[str, ...] = ()


def of_model(site: Path, asked: Asked) -> Exported:
    """The first page's findings; the plots of one context in a row, its grid, and the model's charts.

    Raises
    ------
    TokvizError : there is no report in the folder, nothing of that name in it, or a file of it is missing.
    """
    report = made_report.read(site)
    with made_report.understood(site):
        plots = made_report.plots(report, asked)
        slides = tuple((depth_name(depth), _picture(site, path)) for depth, path in plots.chosen)
        grid = plots.projection["grid"]
        page = _page(site, model_path(plots.model["slug"]))
        view = _View(
            title=str(report["title"]),
            about=f"{plots.model['name']}, words {plots.label}",
            address=_address(report, model_path(plots.model["slug"])),
            styles=_styles(site, "site.css"),
            findings=[each | {"about": _about(report, each)} for each in report["findings"] if each["announced"]],
            slides=slides,
            grid=_picture(site, grid) if grid else "",
            charts=tuple(_elements(page, _is_curve)),
        )
        return _exported(f"{plots.model['slug']}-{plots.context['name']}", view)


def of_change(site: Path, before: str, after: str) -> Exported:
    """What changed between two models: headlines, curves, both models' words where the change is surest, words that left their neighbors.

    Raises
    ------
    TokvizError : there is no report in the folder, or no page of this change.
    """
    report = made_report.read(site)
    with made_report.understood(site):
        models = [(each, (each["slug"], each["name"])) for each in report["models"]]
        slugs = [made_report.named("model", name, models)["slug"] for name in (before, after)]
        path = change_path(*slugs)
        if not disk.is_within(site, path):
            raise TokvizError(_no_change(site, report["models"], (before, after)))
        page = _page(site, path)
        (seen,) = _elements(page, lambda tag, given: tag == "section" and "change" in _classes(given))
        moved = _elements(page, lambda tag, given: tag == "section" and "change-movers" in _classes(given))
        styles = _styles(site, "site.css", "plates/plate.css", "change.css")
        n_hues = len(set(re.findall(r"\.hue-\d+", styles))) or 1
        view = _View(
            title=str(report["title"]),
            about=f"{before} → {after}",
            address=_address(report, path),
            styles=styles,
            key=tuple((f"hue-{at % n_hues}", str(each["label"])) for at, each in enumerate(report["categories"])),
            findings=[],
            parts=(
                *_elements(
                    seen, lambda _, given: bool({"change-of", "change-still", "change-caption"} & _classes(given))
                ),
                *moved,
            ),
        )
        return _exported("-".join(("change", *slugs)), view)


def _no_change(site: Path, models: Sequence[dict[str, Any]], asked: tuple[str, str]) -> str:
    pairs = [
        each for each in permutations(models, 2) if disk.is_within(site, change_path(*(of["slug"] for of in each)))
    ]
    known = made_report.listed([" ".join(shown(of["name"]) for of in each) for each in pairs]) or "none"
    return f"--change: expected a model before and one after that the report compares so, got {' '.join(map(shown, asked))}; known: {known}"


def _is_curve(tag: str, given: dict[str, str | None]) -> bool:
    """Of all contexts, or of one that it names; other charts are of the context that the part of the page around them is about."""
    return tag == "figure" and "chart" in _classes(given) and (given.get("id") or "").startswith("curves/")


def _exported(name: str, view: _View) -> Exported:
    text = environment((TEMPLATES,), Explainer()).get_template("export.html").render(view=view)
    sizes = {
        "plots": sum(len(picture) for _, picture in view.slides),
        "the grid": len(view.grid),
        "charts": sum(map(len, (*view.charts, *view.parts))),
    }
    return Exported(name=name, what=view.about, text=text, n_bytes_of=sizes)


def _about(report: dict[str, Any], finding: dict[str, Any]) -> str:
    """Of which model and words its numbers are, before them; empty of one that is about none in particular."""
    names = {each["slug"]: each["name"] for each in report["models"]}
    labels = {each["name"]: each["label"] for each in report["contexts"]}
    model, context = finding["model"], finding["context"]
    return f"{names[model]} · words {labels.get(context, context)}. " if context else ""


def _address(report: dict[str, Any], path: str) -> str:
    return f"{report['site_url'].rstrip('/')}/{path.removesuffix('index.html')}" if report["site_url"] else ""


def _picture(site: Path, path: str) -> str:
    return in_address(made_report.file(site, path).read_bytes())


def _page(site: Path, path: str) -> str:
    if not disk.is_within(site, path):
        raise TokvizError(f"{shown_path(site / path)}: expected a page of the report, found none")
    return (site / path).read_text(encoding="utf-8")


def _styles(site: Path, *names: str) -> str:
    """Without typefaces, which would be loaded."""
    text = "\n".join(_page(site, f"{ASSETS}/{name}") for name in names)
    return re.sub(r"@font-face \{[^}]*\burl\([^}]*\}", "", text)


def _classes(given: dict[str, str | None]) -> set[str]:
    return set((given.get("class") or "").split())


def _elements(text: str, matches: Matches) -> Iterable[str]:
    """The HTML of the outermost elements that match, without scripts, identities and links within the site."""
    found = _Elements(matches)
    found.feed(text)
    return found.found


class _Elements(HTMLParser):
    _LEFT_OUT, _WITHOUT_TAGS = ("script", "input", "fieldset"), ("a", "button")
    _EMPTY = ("img", "input", "source", "br", "meta", "link", "hr")

    def __init__(self, matches: Matches) -> None:
        super().__init__(convert_charrefs=False)
        self._matches, self._depth, self._left_out = matches, 0, 0
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if not self._depth and not self._matches(tag, given):
            return
        if not self._depth:
            self.found.append("")
        if tag not in self._EMPTY:
            self._depth += 1
            self._left_out += tag in self._LEFT_OUT or self._left_out > 0
        if not self._left_out and tag not in (*self._LEFT_OUT, *self._WITHOUT_TAGS):
            self.found[-1] += _LEFT_OUT_OF_TAGS.sub("", self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._depth and not self._left_out:
            self.found[-1] += self.get_starttag_text() or ""

    def handle_endtag(self, tag: str) -> None:
        if not self._depth:
            return
        if not self._left_out and tag not in self._WITHOUT_TAGS:
            self.found[-1] += f"</{tag}>"
        self._depth -= 1
        self._left_out -= self._left_out > 0

    def handle_data(self, data: str) -> None:
        if self._depth and not self._left_out:
            self.found[-1] += data

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")
