"""The first page's picture: the words of a few captures at a few depths, without names, each plot true to scale.

Drawn in the page itself, so that it needs no script and has the theme's colors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from tokviz.pages.findings.finding import Found
from tokviz.pages.first.choice import Choice
from tokviz.pages.first.row_sentences import row_sentences, what_is_meant
from tokviz.pages.frame.frame import model_path, relative
from tokviz.pages.frame.pictures import slide_id
from tokviz.pages.frame.small_plots import DENSE, HEIGHT, MOST_WORDS, WIDTH, marks, paths, placed, thinned
from tokviz.pages.text.problems import why_no_picture
from tokviz.pages.text.trust import finding as plate_in_words
from tokviz.pages.text.wording import count, projection_label
from tokviz.records import ContextReport, Report


def multiples(report: Report, said: Found, chosen: Choice, page: str) -> Multiples:
    """``page``: path of the page that shows it."""
    return Multiples(report=report, said=said, chosen=chosen, page=page)


@dataclass(frozen=True, kw_only=True, eq=False)
class Multiples:
    """The whole picture: a row for each capture, a column for each depth."""

    report: Report
    said: Found
    chosen: Choice
    page: str
    size: ClassVar[tuple[int, int]] = WIDTH, HEIGHT

    @property
    def by_place(self) -> tuple[int, ...]:
        """The depths as they stand where they are rows, of which some may come before the others."""
        return (*self.chosen.near, *(depth for depth in self.chosen.depths if depth not in self.chosen.near))

    def place(self, depth: int) -> int:
        """Its place among them, from 1."""
        return self.by_place.index(depth) + 1

    @cached_property
    def drawn(self) -> np.ndarray:
        """``(n_drawn,)`` int64: rows of the words that are drawn, all or as many as a page can hold, evenly thinned."""
        # Those that are measured: the others don't set a plot's scale, and may lie far beyond it.
        return thinned(np.flatnonzero(np.all([row.states.tokenization.reference for row in self.chosen.rows], axis=0)))

    @property
    def is_dense(self) -> bool:
        """Whether marks are smaller."""
        return len(self.drawn) > DENSE

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was measured of rows."""
        return row_sentences(self.said, self.chosen)

    @property
    def model_href(self) -> str:
        return relative(self.page, model_path(self.chosen.model.slug))

    @property
    def caption(self) -> str:
        n_drawn, n_words, some = len(self.drawn), len(self.chosen.rows[0].states.tokenization.words), ""
        if n_drawn == MOST_WORDS:
            some = f" Shown are {n_drawn:,} of {count(n_words, 'word')}, evenly drawn."
        elif n_drawn < n_words:
            some = f" Of {count(n_words, 'word')}, the plots show the {n_drawn:,} that are read at the same position."
        return (
            f"{projection_label(self.chosen.projection)} PCA. Colors and shapes are categories. Both axes of a plot have one scale, "
            f"and each plot has its own: its span is how far its words reach along the longer axis.{some} "
            f"{what_is_meant(self.said, self.chosen)}"
        ).rstrip()

    @property
    def marks(self) -> list[tuple[str, str, str]]:
        """Of each an id, a class, and how a category's words are drawn: about 0, 0, with the area of a circle of diameter 1."""
        return marks(self.report.words, self.report.look.marks)

    def problem(self, row: ContextReport, depth: int) -> str:
        """Why there is no plot; empty where there is one."""
        projection = self.chosen.shown(row).projection
        return "" if projection.problems[depth] is None else why_no_picture(projection, depth)

    def alt(self, row: ContextReport, depth: int) -> str:
        """A plot in words."""
        return plate_in_words(self.chosen.owner(row), row, self.chosen.shown(row).projection, depth)

    def plot(self, row: ContextReport, depth: int) -> tuple[float, list[tuple[str, str]]]:
        """How far words reach along the longer axis; and by category a mark, and path data whose vertices are the words."""
        projection = self.chosen.shown(row).projection
        found, reach = placed(projection.coordinates[depth], projection.reference)
        memberships = self.report.words.of(row.states.tokenization).memberships
        return reach, paths(found, self.drawn, memberships, self.report.look.marks)

    def href(self, row: ContextReport, depth: int) -> str:
        """The plot on the model's page, in the first projection where this one isn't drawn; of what isn't, in the explorer."""
        slug, name, wanted = self.chosen.owner(row).slug, row.states.context.name, self.chosen.projection
        drawn = [shown.projection.name for shown in row.drawn_projections]
        if not drawn:
            at = slide_id("", depth).removeprefix("/")
            return relative(self.page, f"explore/index.html#a={slug}/{name}/{wanted}&at={at}")
        other = wanted if wanted in drawn[1:] else None
        return relative(self.page, f"{model_path(slug)}#{slide_id(name, depth, other)}")
