"""A projection → the records of its pictures, each with the path that its image has in the site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from tokviz.config import ModelConfig
from tokviz.pages.text.problems import grid_problems
from tokviz.records import (
    Grid,
    HiddenStates,
    Look,
    Picture,
    Plate,
    Points,
    Projection,
    Strip,
    WordList,
    depth_name,
    named_with_quantization,
)
from tokviz.records.look import PLATE_SIZE
from tokviz.run.plan.options import DRAFT, SVG


class Whole(StrEnum):
    """A picture of all depths; its value ends its file's name, as the blog post named its files."""

    GRID = "_m.et"
    STRIP = "_strip"


Subject = int | Whole
"""What a picture shows: one depth, or all of them."""


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
        points, projection = self._points(), self.projection
        for form in forms:
            whole = "wide" if form == DRAFT else form
            for depth, problem in enumerate(projection.problems):
                if problem is None:
                    yield depth, form, self._plate(depth, form, points)
            if projection.grid_problems[0] is None:
                yield Whole.GRID, form, self._grid(whole, points)
            if form != SVG and not all(projection.problems):
                yield Whole.STRIP, form, Strip(form=whole, points=points, coordinates=projection.coordinates)

    def _points(self) -> Points:
        return Points(
            words=self.words.words,
            memberships=self.words.memberships,
            categories=tuple(category.label for category in self.words.categories),
            reference=self.projection.reference,
            several_tokens=self.states.tokenization.n_tokens > 1,
            marks=self.look.marks,
        )

    def _plate(self, depth: int, form: str, points: Points) -> Plate:
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
