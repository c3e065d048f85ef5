"""A projection → the records of its pictures, each with the path that its image has in the site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from tokviz.config import ModelConfig
from tokviz.pages.text.problems import grid_problems
from tokviz.records import (
    Geometry,
    Grid,
    HeatMap,
    HiddenStates,
    Look,
    Picture,
    Plate,
    Points,
    Projection,
    Strip,
    WordList,
    WordScores,
    depth_name,
    named_with_quantization,
)
from tokviz.records.look import PLATE_SIZE
from tokviz.run.plan.options import DRAFT, SVG


class Whole(StrEnum):
    """A picture of all depths; its value ends its file's name, as the blog post named its files."""

    GRID = "_m.et"
    STRIP = "_strip"
    DARK_STRIP = "_strip-dark"
    HEAT_MAP = "_words"


Subject = int | Whole
"""What a picture shows: one depth, or all of them."""


SAME_CATEGORY = "nearest words in its category"
"""What heat maps show: so much of the words nearest to each."""


def heat_map(
    model: ModelConfig, states: HiddenStates, words: WordList, scores: WordScores, geometry: Geometry, look: Look
) -> tuple[str, HeatMap] | None:
    """The picture of what is known of each word, and its path from the site's root; None where nothing is."""
    if not (scores.values != scores.UNKNOWN).any():
        return None
    points = points_of(words, states, states.tokenization.reference, look)
    picture = HeatMap(
        form="wide",
        model=named_with_quantization(model.display_name, states.card),
        context=states.context.label,
        points=points,
        values=scores.values,
        means=scores.category_means(words),
        most=scores.most,
        unit=f"of {scores.most} {SAME_CATEGORY}",
        stages=tuple(stage.first_depth for stage in geometry.stages),
        mark=geometry.massive.emergence_depth,
        with_words=words.vocabulary is None and len(words.words) <= scores.MOST_ROWS,
    )
    return f"images/{model.slug}/{states.context.name}/{model.slug}{Whole.HEAT_MAP}.webp", picture


def points_of(words: WordList, states: HiddenStates, reference: np.ndarray, look: Look) -> Points:
    """The words of a picture; ``reference``: ``(n_words,)`` bool, those that aren't drawn hollow."""
    return Points(
        words=words.words,
        memberships=words.memberships,
        categories=tuple(category.label for category in words.categories),
        reference=reference,
        several_tokens=states.tokenization.n_tokens > 1,
        marks=look.marks,
    )


@dataclass(frozen=True, kw_only=True)
class Subjects:
    """What the pictures of one model × context × projection are made of."""

    model: ModelConfig
    states: HiddenStates
    projection: Projection
    words: WordList
    look: Look = field(default_factory=Look)

    def path(self, subject: Subject, form: str) -> str:
        """From the site's root: ``…/qwen3-4b__model.layers.6.webp``, ``…-phone.webp``, ``….svg``."""
        name = subject.value if isinstance(subject, Whole) else f"__{self.states.module_paths[subject]}"
        ending = {"wide": ".webp", DRAFT: ".webp", SVG: ".svg"}.get(form, f"-{form}.webp")
        slug = self.model.slug
        return f"images/{slug}/{self.states.context.name}/{self.projection.name}/{slug}{name}{ending}"

    def pictures(self, forms: tuple[str, ...]) -> Iterator[tuple[Subject, str, Picture]]:
        """Every picture that can be drawn, with its subject and form; all share one ``Points``."""
        projection = self.projection
        points = points_of(self.words, self.states, projection.reference, self.look)
        for form in forms:
            whole = "wide" if form == DRAFT else form
            for depth, problem in enumerate(projection.problems):
                if problem is None:
                    yield depth, form, self.plate(depth, form, points)
            if projection.grid_problems[0] is None:
                yield Whole.GRID, form, self._grid(whole, points)
            if form != SVG and not all(projection.problems):
                strip = Strip(form=whole, points=points, coordinates=projection.coordinates)
                yield Whole.STRIP, form, strip
                yield Whole.DARK_STRIP, form, replace(strip, dark=True)

    def plate(self, depth: int, form: str, points: Points) -> Plate:
        return Plate(
            form=form,
            model=named_with_quantization(self.model.display_name, self.states.card),
            context=self.states.context.label,
            depth=depth_name(depth),
            points=points,
            coordinates=self.projection.coordinates[depth],
            explained_variance_ratio=self._ratios(depth),
            labelled=form != DRAFT,
            size=self.look.plate_size if form in ("wide", SVG) else PLATE_SIZE,
            aspect=self.look.aspect,
        )

    def _grid(self, form: str, points: Points) -> Grid:
        return Grid(
            form=form,
            model=named_with_quantization(self.model.display_name, self.states.card),
            context=self.states.context.label,
            points=points,
            depths=tuple(depth_name(depth) for depth in range(len(self.projection.problems))),
            coordinates=self.projection.grid_coordinates,
            problems=grid_problems(self.projection),
            explained_variance_ratio=self._ratios(0),
        )

    def _ratios(self, depth: int) -> tuple[float, float]:
        pc1, pc2 = self.projection.explained_variance_ratio[depth]
        return float(pc1), float(pc2)
