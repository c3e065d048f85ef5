"""What is due, and why: config + what the store holds → jobs with their keys. Pure but for questions to the store.

A key is made of exactly what its product depends on:

states
    the model's source, revision and dtype; the context's template; the unique words; which token is read. The
    identity of the weights is compared, not part of the key: a cache that was copied from a machine with the weights
    is good for rendering on one without.
projection
    the states, their tokens, the projection's name, the code that projects.
measures
    the states (of both models, or of the context that they are measured against), the projections, the categories, the
    code that measures.
image
    the picture record itself, the fonts that it needs besides the bundled ones, and the code that draws.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

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

CAPTURE_VERSION = 1
"""Raised when capture gives other states for the same input; library versions don't count, they are recorded."""
FORMS = ("wide", "phone")
SVG = "svg"
"""A form of plates and grids that is drawn where it is asked for: the wide one, as a drawing instead of pixels."""
DRAFT = "draft"
"""A form that takes the wide one's place: plates are small and without labels, grids and strips as in the report."""

_PROJECTION_CODE = ("projection.py",)
WITHOUT_MASSIVE = "without_massive"
"""The projection that needs to know which dimensions are massive."""
_DRAWING_CODE = ("figures*", "images.py", "fonts")


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


def states_key(model: ModelConfig, context: Context, words: WordList, read: str, n_depths: int | None = None) -> str:
    """``n_depths``: of a vocabulary, how many depths are asked for."""
    return _digest(
        {
            "version": CAPTURE_VERSION,
            "source": model.source,
            "revision": model.revision,
            "dtype": model.dtype,
            "template": context.template,
            # The tokens of a vocabulary are the model's.
            "words": words.words if words.vocabulary is None else {"vocabulary": n_depths},
            "read": read,
        }
    )


# --- projections -------------------------------------------------------------------------------------------------


def projection_key(states: HiddenStates, name: str, ordinary: HiddenStates | None) -> str:
    """``ordinary`` counts only where massive dimensions are left out: it says which are."""
    return _digest(
        {
            "states": states.digest,
            "name": name,
            "massive_by": None if name != WITHOUT_MASSIVE else [ordinary and ordinary.digest, _measuring_code()],
            "code": _code_digest(_PROJECTION_CODE, ("scikit-learn", "numpy")),
        }
    )


# --- measures ----------------------------------------------------------------------------------------------------


def geometry_key(
    states: HiddenStates, ordinary: HiddenStates | None, projection_keys: tuple[str, ...], words: WordList
) -> str:
    return _digest(
        {
            "states": states.digest,
            "ordinary": ordinary.digest if ordinary else None,
            "projections": projection_keys,
            "memberships": words.memberships,
            "code": _measuring_code(),
        }
    )


def neighbours_key(states: HiddenStates) -> str:
    return _digest({"neighbours": states.digest, "code": _measuring_code()})


def similarity_key(states_a: HiddenStates, states_b: HiddenStates, *, single_token: bool) -> str:
    return _digest(
        {
            "states": [states_a.digest, states_b.digest],
            "single_token": single_token,
            "code": _measuring_code(),
        }
    )


# --- pictures ----------------------------------------------------------------------------------------------------


def pictures(
    model: ModelConfig,
    states: HiddenStates,
    context: Context,
    projection: Projection,
    words: WordList,
    holdings: Holdings,
    *,
    lettered: Callable[[Picture], Picture],
    forms: tuple[str, ...] = FORMS,
    force: bool = False,
) -> list[PictureJob]:
    """A job per plate, form, grid and strip of one model × context × projection.

    ``lettered`` gives a picture the fonts that its words need.
    """
    jobs = []
    for path, plain in _pictures(model, states, context, projection, words, forms):
        picture = lettered(plain)
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


def picture_key(picture: Picture) -> str:
    values = {
        field.name: value
        for field in dataclasses.fields(picture)
        if not isinstance(value := getattr(picture, field.name), Points)
    }
    if not isinstance(picture, Strip):
        values["fonts"] = [font.digest for font in picture.fonts]  # not where they lie
    return _digest(
        {
            "kind": type(picture).__name__,
            "values": values,
            "points": _points_digest(picture.points),
            "code": _code_digest(_DRAWING_CODE, ("matplotlib", "pillow", "numpy")),
        }
    )


@lru_cache(maxsize=8)
def _points_digest(points: Points) -> str:
    """Hundreds of pictures share their points (one object, hashed by identity): they are read once."""
    return _digest({field.name: getattr(points, field.name) for field in dataclasses.fields(points)})


# --- keys --------------------------------------------------------------------------------------------------------


def _digest(ingredients: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(ingredients, sort_keys=True, default=_plain).encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.shape, hashlib.sha256(value.tobytes()).hexdigest()]
    raise TypeError(f"no plain form of {type(value).__name__}")


@cache
def made_by() -> tuple[str, ...]:
    """What must be alike wherever a part of the report is made: this code, and the libraries that pictures depend on."""
    packages = ("numpy", "matplotlib", "pillow")
    return (f"tokviz code {_code_digest(('*',), ())[:8]}", *(f"{package} {version(package)}" for package in packages))


def _measuring_code() -> str:
    return _code_digest(("geometry", "similarity.py", "measures.py"), ("scikit-learn", "numpy"))


@cache
def _code_digest(patterns: tuple[str, ...], packages: tuple[str, ...]) -> str:
    """Of a room's own source and the versions of what it leans on: new code or a new library makes anew."""
    digest = hashlib.sha256(json.dumps([version(package) for package in packages]).encode())
    room = Path(__file__).parent
    for pattern in patterns:
        for path in sorted(room.glob(pattern)):
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.suffix in (".py", ".ttf"):
                    digest.update(file.relative_to(room).as_posix().encode())
                    # Git may change line ends on Windows; the code is the same.
                    digest.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()
