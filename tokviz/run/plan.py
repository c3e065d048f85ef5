"""What is due, and why: config + what the store holds → jobs with their keys. Pure but for questions to the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tokviz.config import ModelConfig, ReportConfig
from tokviz.records import (
    Context,
    Grid,
    HiddenStates,
    Picture,
    Plate,
    Points,
    Projection,
    Strip,
    WordList,
    depth_name,
    named_with_quantization,
)
from tokviz.run.keys import picture_key, states_key

FORMS = ("wide", "phone")
SVG = "svg"
"""A form of plates and grids that is drawn where it is asked for: the wide one, as a drawing instead of pixels."""
DRAFT = "draft"
"""A form that takes the wide one's place: plates are small and without labels, grids and strips as in the report."""


class Holdings(Protocol):
    """What the plan asks of the store."""

    def find_states(self, key: str) -> HiddenStates | None: ...
    def find_image(self, key: str) -> Path | None: ...


@dataclass(frozen=True, kw_only=True)
class PictureJob:
    """One image of the site."""

    path: str
    """From the site's root."""
    picture: Picture
    key: str
    due: str | None
    """Why it must be drawn, or None when the store has it."""


@dataclass(frozen=True, kw_only=True)
class CaptureJob:
    """One model × context: the states that are stored already, or why they must be captured."""

    model: ModelConfig
    context: Context
    key: str
    stored: HiddenStates | None
    due: str | None


# --- captures ----------------------------------------------------------------------------------------------------


def captures(
    config: ReportConfig, model: ModelConfig, identity: str | None, holdings: Holdings, *, force: bool = False
) -> list[CaptureJob]:
    """A job per context.

    Parameters
    ----------
    identity : of the model's weights as they are now; None when they aren't on this machine.
    """
    jobs = []
    for context in config.context_list:
        key = states_key(model, context, config.word_list, config.read, config.n_depths)
        stored = holdings.find_states(key)
        if stored is None:
            due: str | None = "not captured yet"
        elif force:
            due = "forced"
        elif identity is not None and identity != stored.card.identity:
            due = "the model's files changed"
        else:
            due = None
        jobs.append(CaptureJob(model=model, context=context, key=key, stored=stored, due=due))
    return jobs


# --- projections -------------------------------------------------------------------------------------------------


# --- measures ----------------------------------------------------------------------------------------------------


# --- pictures ----------------------------------------------------------------------------------------------------


def pictures(
    model: ModelConfig,
    states: HiddenStates,
    context: Context,
    projection: Projection,
    words: WordList,
    holdings: Holdings,
    *,
    with_fonts: Callable[[Picture], Picture],
    forms: tuple[str, ...] = FORMS,
    force: bool = False,
) -> list[PictureJob]:
    """A job per plate, form, grid and strip of one model × context × projection.

    ``with_fonts`` gives a picture the fonts that its words need.
    """
    jobs = []
    for path, plain in _pictures(model, states, context, projection, words, forms):
        picture = with_fonts(plain)
        key = picture_key(picture)
        due = "not drawn yet" if holdings.find_image(key) is None else "forced" if force else None
        jobs.append(PictureJob(path=path, picture=picture, key=key, due=due))
    return jobs


def picture_path(model_slug: str, context: str, projection: str, name: str, form: str) -> str:
    """As the blog post named its files: ``…/qwen3-4b__model.layers.6.webp``, ``…-phone.webp``, ``….svg``."""
    ending = {"wide": ".webp", DRAFT: ".webp", SVG: ".svg"}.get(form, f"-{form}.webp")
    return f"images/{model_slug}/{context}/{projection}/{model_slug}{name}{ending}"


def plate_name(module_path: str) -> str:
    return f"__{module_path}"


GRID_NAME = "_m.et"
STRIP_NAME = "_strip"


def _pictures(
    model: ModelConfig,
    states: HiddenStates,
    context: Context,
    projection: Projection,
    words: WordList,
    forms: tuple[str, ...],
) -> Iterator[tuple[str, Picture]]:
    def path(stem: str, form: str) -> str:
        return picture_path(model.slug, context.name, projection.name, stem, form)

    n_depths = len(projection.problems)
    ratios = [(float(pc1), float(pc2)) for pc1, pc2 in projection.explained_variance_ratio]
    points = Points(
        words=words.words,
        memberships=words.memberships,
        categories=tuple(category.label for category in words.categories),
        reference=projection.reference,
        several_tokens=states.tokenization.n_tokens > 1,
    )
    name = named_with_quantization(model.display_name, states.card)
    for form in forms:
        whole = "wide" if form == DRAFT else form
        for depth in range(n_depths):
            if projection.problems[depth] is None:
                yield (
                    path(plate_name(states.module_paths[depth]), form),
                    Plate(
                        form=form,
                        model=name,
                        context=context.label,
                        depth=depth_name(depth),
                        points=points,
                        coordinates=projection.coordinates[depth],
                        explained_variance_ratio=ratios[depth],
                        labelled=form != DRAFT,
                    ),
                )
        if projection.grid_problems[0] is None:
            yield (
                path(GRID_NAME, form),
                Grid(
                    form=whole,
                    model=name,
                    context=context.label,
                    points=points,
                    depths=tuple(depth_name(depth) for depth in range(n_depths)),
                    coordinates=projection.grid_coordinates,
                    problems=projection.grid_problems,
                    explained_variance_ratio=ratios[0],
                ),
            )
        if form != SVG and any(problem is None for problem in projection.problems):
            yield path(STRIP_NAME, form), Strip(form=whole, points=points, coordinates=projection.coordinates)


# --- keys --------------------------------------------------------------------------------------------------------
