"""The first page's picture: the words of a few captures at a few depths, without names, each plot true to scale.

Drawn in the page itself, so that it needs no script and has the theme's colors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tokviz.pages.findings.finding import Found
from tokviz.pages.first.choice import Choice
from tokviz.pages.first.row_sentences import row_sentences, what_is_meant
from tokviz.pages.frame.frame import model_path, relative
from tokviz.pages.frame.pictures import slide_id
from tokviz.pages.text.parts import Link
from tokviz.pages.text.problems import why_no_picture
from tokviz.pages.text.trust import finding as plate_in_words
from tokviz.pages.text.wording import UNKNOWN, count, number, projection_label
from tokviz.records import ContextReport, Marks, Report, depth_name
from tokviz.records.axes import extents, span
from tokviz.records.look import SHAPES

WIDTH, HEIGHT = 240, 165
"""Of a plot, in its own units."""
MOST_WORDS = 400
"""Of longer lists some words are drawn: each is in every plot."""
PAD = 9
"""What is kept free around the words, for marks."""
DENSE = 200
"""Of more words marks are smaller."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How a category's words are drawn: about 0, 0, with the area of a circle of diameter 1."""

    id: str
    hue: str
    """A class of ``plate.css``; empty for words without a category."""
    shape: str


@dataclass(frozen=True, kw_only=True)
class Words:
    """The words of one category in one plot."""

    mark: str
    path: str
    """Path data whose vertices are the words."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One plot."""

    place: int
    """Its place among the depths where these are rows, from 1."""
    href: str | None
    """None where there is nothing to see."""
    alt: str
    span: str
    """How far its words reach along the longer axis."""
    words: tuple[Words, ...]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A depth."""

    name: str
    place: int
    is_marked: bool


@dataclass(frozen=True, kw_only=True)
class MultiplesRow:
    """A capture."""

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class Multiples:
    """The whole picture."""

    width: int
    height: int
    marks: tuple[Mark, ...]
    columns: tuple[Column, ...]
    rows: tuple[MultiplesRow, ...]
    sentences: tuple[str, ...]
    """What was measured of rows."""
    model: Link
    caption: str
    is_dense: bool
    """Whether marks are smaller."""
    is_parted: bool
    """Whether, where depths are rows, some come before the others."""


def multiples(report: Report, said: Found, chosen: Choice, page: str) -> Multiples:
    """``page``: path of the page that shows it."""
    by_place = (*chosen.near, *(depth for depth in chosen.depths if depth not in chosen.near))
    places = {depth: place for place, depth in enumerate(by_place, start=1)}
    # Those that are measured: the others don't set a plot's scale, and may lie far beyond it.
    measured = np.flatnonzero(np.all([row.states.tokenization.reference for row in chosen.rows], axis=0))
    n_words = len(chosen.rows[0].states.tokenization.words)
    plots = _Plots(report=report, chosen=chosen, page=page, places=places, drawn=measured[drawn_words(len(measured))])
    return Multiples(
        width=WIDTH,
        height=HEIGHT,
        marks=tuple(_marks(report)),
        columns=tuple(
            Column(name=depth_name(depth), place=places[depth], is_marked=depth == chosen.marked)
            for depth in chosen.depths
        ),
        rows=tuple(
            MultiplesRow(label=row.states.context.label, cells=tuple(plots.cell(row, depth) for depth in chosen.depths))
            for row in chosen.rows
        ),
        sentences=row_sentences(said, chosen),
        model=Link(text=chosen.model.display_name, href=relative(page, model_path(chosen.model.slug))),
        caption=f"{_caption(chosen, len(plots.drawn), n_words)} {what_is_meant(said, chosen)}".rstrip(),
        is_dense=len(plots.drawn) > DENSE,
        is_parted=by_place != chosen.depths,
    )


def _caption(chosen: Choice, n_drawn: int, n_words: int) -> str:
    some = ""
    if n_drawn == MOST_WORDS:
        some = f" Shown are {n_drawn:,} of {count(n_words, 'word')}, evenly drawn."
    elif n_drawn < n_words:
        some = f" Of {count(n_words, 'word')}, the plots show the {n_drawn:,} that are read at the same position."
    return (
        f"{projection_label(chosen.projection)} PCA. Colors and shapes are categories. Both axes of a plot have one scale, and each "
        f"plot has its own: its span is how far its words reach along the longer axis.{some}"
    )


# --- marks ---------------------------------------------------------------------------------------------------------

PLAIN = "mark-plain"
"""Of words without a category."""


def hue_class(looks: Marks, category: int) -> str:
    """The class of ``plate.css`` that has a category's color in the page's theme."""
    return f"hue-{category % len(looks.palette)}"


def _marks(report: Report) -> list[Mark]:
    looks = report.look.marks
    n_marks = min(len(report.words.categories), looks.n_different)
    of_categories = [
        Mark(id=f"mark-{index}", hue=hue_class(looks, index), shape=SHAPES[looks.shape(index)])
        for index in range(n_marks)
    ]
    return [Mark(id=PLAIN, hue="", shape=SHAPES["circle"]), *of_categories]


def drawn_words(n_words: int) -> np.ndarray:
    """The rows of the words that are drawn: all, or as many as a page can hold, evenly thinned."""
    return np.unique(np.linspace(0, n_words - 1, min(n_words, MOST_WORDS)).round().astype(int))


def placed(coordinates: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, float]:
    """Where words stand in a plot, NaN for words beyond it, and how far those reach that set its scale.

    Parameters
    ----------
    coordinates : ``(n_words, 2)``, finite.
    reference : ``(n_words,)`` bool: the others don't set the scale.
    """
    limits = extents(coordinates, reference)
    spans, middle = np.array([span(each) for each in limits]), np.mean(limits, axis=1)
    room = np.array([WIDTH, HEIGHT])
    known = spans > 0
    scale = float(((room - 2 * PAD)[known] / spans[known]).min()) if known.any() else 0.0
    found = room / 2 + (coordinates - middle) * scale * (1, -1)
    inside = ((found > 0) & (found < room)).all(axis=1)
    return np.where(inside[:, None], found, np.nan), float(spans.max())


# --- plots ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class _Plots:
    """What all plots of a picture have in common."""

    report: Report
    chosen: Choice
    page: str
    places: Mapping[int, int]
    """Depth → its place where depths are rows."""
    drawn: np.ndarray
    """``(n_drawn,)`` int64: rows of words."""

    def cell(self, row: ContextReport, depth: int) -> Cell:
        projection, place = self.chosen.shown(row).projection, self.places[depth]
        if projection.problems[depth] is not None:
            return Cell(place=place, href=None, alt=why_no_picture(projection, depth), span=UNKNOWN, words=())
        found, reach = placed(projection.coordinates[depth], projection.reference)
        return Cell(
            place=place,
            href=self._address(row, depth),
            alt=plate_in_words(self.chosen.model, row, projection, depth),
            span=number(reach),
            words=self._words(row, found),
        )

    def _words(self, row: ContextReport, found: np.ndarray) -> tuple[Words, ...]:
        memberships = self.report.words.of(row.states.tokenization).memberships
        n_different = self.report.look.marks.n_different
        by_mark: dict[str, list[str]] = {}
        for index in self.drawn:
            if np.isfinite(found[index]).all():
                own = memberships[index]
                mark = f"mark-{own[0] % n_different}" if own else PLAIN
                by_mark.setdefault(mark, []).append("{:.0f} {:.0f}".format(*found[index]))
        # One vertex has no line that marks could stand on.
        return tuple(
            Words(mark=mark, path=f"M{' '.join(vertices if len(vertices) > 1 else vertices * 2)}")
            for mark, vertices in sorted(by_mark.items(), key=lambda each: each[0] != PLAIN)
        )

    def _address(self, row: ContextReport, depth: int) -> str:
        """The plot on the model's page, in the first projection where this one isn't drawn; of what isn't, in the explorer."""
        slug, name, wanted = self.chosen.model.slug, row.states.context.name, self.chosen.projection
        drawn = [shown.projection.name for shown in row.drawn_projections]
        if not drawn:
            at = slide_id("", depth).removeprefix("/")
            return relative(self.page, f"explore/index.html#a={slug}/{name}/{wanted}&at={at}")
        other = wanted if wanted in drawn[1:] else None
        return relative(self.page, f"{model_path(slug)}#{slide_id(name, depth, other)}")
