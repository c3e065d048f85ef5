"""Whether the pages of a report announce anything that its records don't."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from string import Formatter

from report_fixture import FOLDERS

from falsify.announced import (
    BEYOND,
    BOUNDARY,
    CHANGE,
    CIRCLE,
    ENDS_MEET,
    FAULT,
    IDENTICAL,
    NEURONS,
    READABLE,
    Announcement,
)
from tokviz import pages
from tokviz.pages import render
from tokviz.pages.text import catalogue
from tokviz.records import Report


def phrase(key: str, **values: str) -> str:
    """A regular expression of a sentence of the catalogue, from its first words on.

    Parameters
    ----------
    values : what stands for some of its values; others may be anything.
    """
    parts: list[str] = []
    for words, name, form, _ in Formatter().parse(re.sub(r"\s+", " ", catalogue.entry(key)).removeprefix("; ")):
        parts.append(re.escape(words))
        if name is not None and any(parts):
            forms = "|".join(map(re.escape, form.split("|"))) if form and "|" in form else ""
            parts.append(f"(?:{forms})" if forms else values.get(name, ".{1,200}?"))
    return "".join(parts)


PERCENT = r"\d+ %"
WHEN = "|".join(phrase(f"series.when.{each}") for each in catalogue.entry("series.when"))
_CATEGORY = "(?!categor(?:ies|y purity)|the silhouette).{1,200}?"


def _apart(which: str) -> str:
    return "|".join(phrase(f"change.{side}", which=which) for side in ("less", "more"))


_MEASURE = "(?:category purity|the silhouette above chance)"


def _small(which: str) -> str:
    return "|".join(phrase(f"change.small_{side}", measure=_MEASURE, which=which) for side in ("less", "more"))


PHRASES: dict[str, tuple[str, str | None]] = {
    phrase("change.identical"): (CHANGE, IDENTICAL),
    _apart("categories"): ("paired", None),
    f"{_apart(_CATEGORY)}|{phrase('change.differs')}|{phrase('change.small')}|{_small(' of .{1,200}?')}": (
        "paired by category",
        None,
    ),
    _small(""): ("paired", None),
    r"shown to be above chance at (all|[1-9])": ("categories", None),
    r"above the words’ surface at (all|[1-9])": ("surface", None),
    r"a common difference leads from the first words to the second: the pairs": ("relation", None),
    r"can be read [^.]*better than permuted orders": ("order", READABLE),
    r"\bthat is more than (?:how common|how many|their)": ("order", BEYOND),
    r"the ends meet: the last words": ("order", ENDS_MEET),
    r"the words lie in a circle: those": ("order", CIRCLE),
    r"is further above chance than": ("differences", None),
    r"([Cc]ategory purity|[Tt]he silhouette above chance|kept from layer to layer) is (higher|lower)": ("paired", None),
    r"by category this is shown": ("paired by category", None),
    r"categor(?:y|ies) (?:is above chance by itself|are above chance by themselves)": ("categories, each", None),
    phrase("series.told.categories", when=f"(?:{WHEN})", where=""): ("categories", None),
    f"(?i:{phrase('series.problems.exchanged')})": (FAULT, "exchanged"),
    phrase("series.problems.same"): (FAULT, "same"),
    f"(?i:{phrase('series.told.relations')})": ("relation", None),
    f"(?i:{phrase('series.told.orders')})": ("order", READABLE),
    r"They are alike beyond categories by": ("similarity", None),
    f"(?i:{phrase('stages.begins.found', share=PERCENT)})": (BOUNDARY, None),
    r"More words than by chance are read as their own category: words": ("lens", None),
    phrase("plots.alt.neighbors", chance=phrase("plots.alt.chance")): ("categories", None),
    r"[Ww]ords[^.,]{0,60} cluster by category[^.,]*\.": ("surface", None),
    r"[Ww]ords[^.,]{0,60} cluster by category[^.]*perhaps by spelling": ("categories", None),
    r"(?<!to )cluster (?:more|best) by category|ategories lie (?:further|furthest) apart|by category (?:more|less) than|sets? categories": (
        "paired",
        None,
    ),
    r"each that is ahead somewhere|shown to (?:cluster more|lie further)[^;]{1,200} in [1-9]\d* of": ("paired", None),
    f"(?i:{phrase('findings.order.read')})": ("order", READABLE),
    r"that is better than by how the words look": ("order", BEYOND),
    f"(?i:{phrase('findings.order.relation')})": ("relation", None),
    r"At layer \d+, (?:\S+ neurons?|expert \d+) (?:stretch|raise|write)": (NEURONS, None),
    r"At layer \d+, \S+ (of [\d,]+ (?:MLP )?neurons|expert \d+ of \d+) (writes?|puts?|raises?)|Layer \d+ stretches words": (
        NEURONS,
        None,
    ),
}
"""What announces something, by the kind of announcement, and what of it, that must stand behind it."""
_HIDDEN = re.compile(r"<(script|style|template)\b.*?</\1>|<[^>]+>", re.DOTALL)


def unfounded(report: Report, announced: Sequence[Announcement]) -> Iterator[str]:
    """What the pages say and no announcement stands behind."""
    known = {(each.kind, each.what) for each in announced} | {(each.kind, None) for each in announced}
    for phrase, said in said_of(report):
        if PHRASES[phrase] not in known:
            yield f"a page says “{said}”"


def said_of(report: Report) -> Iterator[tuple[str, str]]:
    """Each phrase of ``PHRASES`` that stands on a page, and how; the method page tells only what would be said."""
    for path, page in render.render(pages.build(pages.with_downloads(report)), FOLDERS).items():
        if not path.endswith(".html") or path.startswith("method/"):
            continue
        text = " ".join(html.unescape(_HIDDEN.sub(" ", page)).split())
        for phrase in PHRASES:
            yield from ((phrase, found[0]) for found in re.finditer(phrase, text))
