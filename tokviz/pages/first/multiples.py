"""The first page's picture: the words of a few captures at a few depths, without names, each plot true to scale; and what it says of them.

Drawn in the page itself, so that it needs no script and has the theme's colors. Its sentences are in ``catalogue/first.toml``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from tokviz.pages.findings.finding import Found
from tokviz.pages.first.choice import Choice
from tokviz.pages.frame.frame import model_path
from tokviz.pages.frame.pictures import slide_id
from tokviz.pages.frame.small_plots import DENSE, HEIGHT, MOST_WORDS, WIDTH, marks, paths, placed, thinned
from tokviz.pages.text.catalogue import Fact, sentence, text
from tokviz.pages.text.findings import norm_jump
from tokviz.pages.text.problems import why_no_picture
from tokviz.pages.text.trust import finding as plate_in_words
from tokviz.pages.text.wording import projection_label
from tokviz.records import CategoryMeasure, ContextReport, Geometry, Report


@dataclass(frozen=True, kw_only=True, eq=False)
class Multiples:
    """The whole picture: a row for each capture, a column for each depth."""

    report: Report
    said: Found
    chosen: Choice
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
        return row_sentences(self.said, self.chosen)

    @property
    def caption(self) -> str:
        n_drawn, n_words = len(self.drawn), len(self.chosen.rows[0].states.tokenization.words)
        kind = "first.evenly_drawn" if n_drawn == MOST_WORDS else "first.at_the_same_position"
        drawn = Fact(kind, n=n_drawn, of=n_words) if n_drawn == MOST_WORDS or n_drawn < n_words else ()
        label, meant = projection_label(self.chosen.projection), what_is_meant(self.said, self.chosen)
        return text(Fact("first.caption", projection=label, drawn=drawn, meant=meant))

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

    def path(self, row: ContextReport, depth: int) -> str:
        """Of the plot on the model's page, in the first projection where this one isn't drawn; of what isn't, in the explorer."""
        slug, name, wanted = self.chosen.owner(row).slug, row.states.context.name, self.chosen.projection
        drawn = [shown.projection.name for shown in row.drawn_projections]
        if not drawn:
            at = slide_id("", depth).removeprefix("/")
            return f"explore/index.html#a={slug}/{name}/{wanted}&at={at}"
        other = wanted if wanted in drawn[1:] else None
        return f"{model_path(slug)}#{slide_id(name, depth, other)}"


# --- what is said of its rows ----------------------------------------------------------------------------------------


_MEANT = {
    "first.meant.norm": {"first.row.norm", "first.row.jump", "first.row.and_jump"},
    "first.meant.variance": {"first.row.variance", "first.row.jump", "first.row.and_jump"},
    "first.meant.neighbors": {"first.row.neighbors", "first.row.and_neighbors"},
}
"""Sentences that explain a term, and the kinds of facts that use it."""


def row_sentences(said: Found, chosen: Choice) -> tuple[str, ...]:
    """What was measured, in a sentence for each row of which something is known."""
    return tuple(sentence([stated]) for row in chosen.rows if (stated := row_fact(said, chosen, row)))


def what_is_meant(said: Found, chosen: Choice) -> tuple[Fact, ...]:
    """By words of these sentences, and of the one above them."""
    stated = [each for row in chosen.rows if (each := row_fact(said, chosen, row))]
    used = {each.kind for of_row in stated for each in of_row.values["what"]}
    if said.slot == "words" and said.evidence:
        used.add("first.row.neighbors")
    return tuple(Fact(meant) for meant, kinds in _MEANT.items() if kinds & used)


def row_fact(said: Found, chosen: Choice, row: ContextReport) -> Fact | None:
    """Of the words' first template, as plots are.

    At the finding's layer what its sentence is about, and neighbors; else where most and fewest are, and a jump of the norm.
    """
    geometry = row.in_first_template.geometry
    if geometry is None:
        return None
    if said.breaks is None or chosen.marked is None:
        neighbors = tuple(_most_and_fewest(geometry.purity, chosen.depths))
        what = (*neighbors, *_jump(geometry, chosen.depths, comes_first=not neighbors))
    else:
        what = tuple(_at_a_break(geometry, chosen.marked, flattens=said.breaks.flattens))
    label = f"{chosen.label(row)}{', first sentence' if row.has_templates else ''}"
    return Fact("first.row.of", label=label, what=what) if what else None


def _at_a_break(geometry: Geometry, depth: int, *, flattens: bool) -> Iterator[Fact]:
    share, norm = float(geometry.spread.pc1_share[depth]), float(geometry.spread.mean_norm[depth])
    if not math.isfinite(share if flattens else norm):
        return
    kind, value = ("first.row.variance", {"share": share}) if flattens else ("first.row.norm", {"norm": norm})
    yield Fact(kind, depth=depth, **value)
    if geometry.purity.above_chance.holds[depth]:
        yield Fact("first.row.and_neighbors", **_shares(geometry.purity, depth))


def _most_and_fewest(purity: CategoryMeasure, depths: tuple[int, ...]) -> Iterator[Fact]:
    """Among the depths that are shown; nothing where none is claimed to be above chance."""
    clear = [each for each in depths if purity.above_chance.holds[each]]
    known = [each for each in depths if math.isfinite(purity.value[each])]
    if clear:
        most, fewest = max(clear, key=purity.value.__getitem__), min(known, key=purity.value.__getitem__)
        yield Fact("first.row.neighbors", depth=most, **_shares(purity, most))
        if fewest != most:
            yield Fact("first.row.fewest", depth=fewest, **_shares(purity, fewest))


def _shares(purity: CategoryMeasure, depth: int) -> dict[str, float]:
    return {"share": float(purity.value[depth]), "chance": float(purity.null_mean[depth])}


def _jump(geometry: Geometry, depths: tuple[int, ...], *, comes_first: bool) -> Iterator[Fact]:
    """Where the mean norm jumps, if the depth is shown; that no few neurons are known to write it doesn't make it small."""
    depth = norm_jump(geometry)
    if depth is not None and depth in depths:
        before, after = geometry.spread.mean_norm[depth - 1 : depth + 1].tolist()
        share = float(geometry.spread.pc1_share[depth])
        variance = Fact("first.row.held", share=share) if math.isfinite(share) else ()
        kind = "first.row.jump" if comes_first else "first.row.and_jump"
        yield Fact(kind, depth=depth, before=before, after=after, variance=variance)
