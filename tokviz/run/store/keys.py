"""The keys under which products are stored.

A key is made of exactly what its product depends on:

states
    the model's source, revision and dtype, and its tokenizer where the configuration names one; the context's
    template; the unique words; which token is read. The identity of the weights is compared, not part of the key: a cache that was copied from a machine with the weights
    is good for rendering on one without. Neither is the code: ``CAPTURE_VERSION`` stands for it, so that a new
    docstring doesn't capture a large model again.
loss
    the identity of the weights, which neurons are set to what, the text, and how many of its passages are taken.
    ``LOSS_VERSION`` stands for the code, so that a new docstring doesn't load a model.
projections, measures
    all that their step is made of (``tokviz.run.plan.steps``): states by their digest and their reference words; and the code that measures.
image
    the picture record itself with the colours and shapes of its categories, the fonts that it needs besides the bundled ones, and the code that draws.
preview
    its texts, the images that it is made of, and the code that draws.

The code of a product is its whole folder and all that the folder may import (records, text, errors), with the versions
of the libraries that it uses. ``tests/test_architecture.py`` holds the imports against this.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np

from tokviz.bundled import PACKAGE
from tokviz.config import ModelConfig
from tokviz.records import (
    Context,
    HiddenStates,
    ModelCard,
    Picture,
    Points,
    Strip,
    WordList,
)

CAPTURE_VERSION = 2
"""Raised when capture gives other states for the same input; library versions don't count, they are recorded."""


INTERVENTION_VERSION = 2
"""Raised when the rule by which neurons are chosen changes, or what is done to them."""


CONTROL_VERSION = 1
"""Raised when other weights are drawn of the same seed."""


LOSS_VERSION = 1
"""Raised when other passages are taken of the same text, other interventions are tried, or the loss is measured otherwise."""


LENS_VERSION = 2
"""Raised when the directions of a lens are fitted otherwise."""


SHARED_CODE = ("records", "text.py", "errors.py")
"""What every folder may import."""
LIBRARIES = {
    "measure": ("numpy", "scikit-learn", "scipy"),
    "draw": ("numpy", "matplotlib", "pillow"),
}
"""Per folder the packages whose versions change what it makes."""


def states_key(
    model: ModelConfig,
    context: Context,
    words: WordList,
    read: str,
    n_depths: int | None = None,
    *,
    is_measured_only: bool = False,
) -> str:
    """Of one template of a context.

    Parameters
    ----------
    n_depths : of a vocabulary, how many depths are asked for.
    is_measured_only : of a template that isn't drawn, without what sublayers add.
    """
    named = {"tokenizer": model.tokenizer} if model.tokenizer else {}
    return _digest(
        named
        | ({"measured_only": True} if is_measured_only else {})
        | {
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


def download_key(model: ModelConfig) -> str:
    """Of the folder that a model is downloaded into whose weights aren't kept."""
    return _digest({"download": [model.source, model.revision, model.dtype, model.tokenizer]})


def intervention_key(intact: str, what: Mapping[str, Any]) -> str:
    """Of states with neurons set to a value.

    Parameters
    ----------
    intact : the key of the same words' states in the model as it is.
    what : a rule, since which neurons break a capture follows from its states; or layer, neurons and value by hand.
    """
    return _digest({"intact": intact, "version": INTERVENTION_VERSION, **what})


def control_key(intact: str, what: Mapping[str, Any]) -> str:
    """Of states of an untrained model.

    Parameters
    ----------
    intact : the key of the same words' states in the model itself.
    what : the kind of control, and its seed.
    """
    return _digest({"intact": intact, "version": CONTROL_VERSION, **what})


def loss_key(card: ModelCard, settings: Mapping[str, Any], text: str, n_passages: int) -> str:
    """Of the next-token loss with a break's neurons set to a value.

    Parameters
    ----------
    settings : which neurons of which layer are set to what.
    text : all of it.
    n_passages : how many of its passages are taken at most.
    """
    return _digest(
        {
            "version": LOSS_VERSION,
            "identity": card.identity,
            "dtype": card.dtype,
            "settings": settings,
            "text": hashlib.sha256(text.encode()).hexdigest(),
            "n_passages": n_passages,
        }
    )


def lens_key(card: ModelCard, text: str, what: Mapping[str, Any]) -> str:
    """Of the directions of a model's Jacobian lens.

    Parameters
    ----------
    text : that they are fitted on, all of it.
    what : which tokens, on how many passages, and in which control.
    """
    return _digest(
        {
            "lens": LENS_VERSION,
            "identity": card.identity,
            "dtype": card.dtype,
            "text": hashlib.sha256(text.encode()).hexdigest(),
            **what,
        }
    )


def product_key(what: str, of: Sequence[Any]) -> str:
    """Of what is projected or measured: ``of`` is all that it is made of."""
    return _digest({"product": what, "of": list(of), "code": _code("measure")})


def picture_key(picture: Picture) -> str:
    """Everything that a picture shows, but not where its fonts lie."""
    values = {
        field.name: value
        for field in dataclasses.fields(picture)
        if not isinstance(value := getattr(picture, field.name), Points)
    }
    if not isinstance(picture, Strip):
        values["fonts"] = [[font.digest, font.comes_first] for font in picture.fonts]  # not where they lie
    return _digest(
        {
            "kind": type(picture).__name__,
            "values": values,
            "points": _points_digest(picture.points),
            "code": _code("draw"),
        }
    )


def preview_key(title: str, subtitle: str, plates: Sequence[str]) -> str:
    """``plates``: the keys of the images on it."""
    return _digest({"preview": [title, subtitle], "plates": list(plates), "code": _code("draw")})


@lru_cache(maxsize=8)
def _points_digest(points: Points) -> str:
    """Hundreds of pictures share their points (one object, hashed by identity): they are read once."""
    return _digest({field.name: getattr(points, field.name) for field in dataclasses.fields(points)})


def _digest(ingredients: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(ingredients, sort_keys=True, default=_plain).encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    if isinstance(value, HiddenStates):
        return [value.digest, value.tokenization.reference]
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.shape, hashlib.sha256(value.tobytes()).hexdigest()]
    raise TypeError(f"no plain form of {type(value).__name__}")


@cache
def made_by() -> tuple[str, ...]:
    """What must be alike wherever a part of the report is made: this code, and the libraries that pictures depend on."""
    packages = (f"{package} {version(package)}" for package in LIBRARIES["draw"])
    return (f"tokviz code {_digest_of_files(('.',), ())[:8]}", *packages)


def _code(folder: str) -> str:
    """New code, a new font or a new library makes a folder's products again."""
    return _digest_of_files((folder, *SHARED_CODE), LIBRARIES[folder])


@cache
def _digest_of_files(paths: tuple[str, ...], packages: tuple[str, ...]) -> str:
    digest = hashlib.sha256(json.dumps([version(package) for package in packages]).encode())
    for path in (PACKAGE / each for each in paths):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.suffix in (".py", ".toml", ".ttf"):
                digest.update(file.relative_to(PACKAGE).as_posix().encode())
                # Git may change line ends on Windows; the code is the same.
                digest.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()
