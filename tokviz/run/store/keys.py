"""The keys under which products are stored.

A key is made of exactly what its product depends on:

states
    the model's source, revision and dtype, and its tokenizer where the configuration names one; the context's
    template; the unique words; which token is read. The identity of the weights is compared, not part of the key: a cache that was copied from a machine with the weights
    is good for rendering on one without. Neither is the code: ``CAPTURE_VERSION`` stands for it, so that a new
    docstring doesn't capture a large model again.
what else is captured of a model
    as its kind says (``tokviz.run.kinds``): the key of the states that it follows from, or the identity of the weights. The kind's
    ``VERSION`` stands for the code, so that a new docstring doesn't load a model.
projections, measures
    all that their step is made of (``tokviz.run.plan.steps``): states by their digest and their reference words; and the code that measures.
image
    the picture record itself with the colours and shapes of its categories, the fonts that it needs besides the bundled ones, and the code that draws.
card
    the record itself, and the same of fonts and code.

The code of a product is its whole folder and all that the folder may import (records, text, errors), with the versions
of the libraries that it uses. ``tests/test_architecture.py`` holds the imports against this.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np

from tokviz.bundled import PACKAGE
from tokviz.config import ModelConfig
from tokviz.records import (
    Card,
    Context,
    Font,
    HiddenStates,
    ModelCard,
    Picture,
    Points,
    Strip,
    WordList,
)

CAPTURE_VERSION = 2
"""Raised when capture gives other states for the same input; library versions don't count, they are recorded."""
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
    return digest(
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
    return digest({"download": [model.source, model.revision, model.dtype, model.tokenizer]})


_BY_CONTENT = re.compile(r"(sha256|commit|memory):\S+( settings:\S+)?( tokenizer [0-9a-f]{40})?")
"""Identities that no other weights and tokenizer have; other ones are of names, sizes and times, in which two folders may be alike."""


def of_weights(model: ModelConfig, card: ModelCard, text: str) -> dict[str, Any]:
    """What the key is made of, beside a version and settings, of what is measured with a model on a text; ``model``: as configured."""
    found = {"identity": card.identity, "dtype": card.dtype, "text": hashlib.sha256(text.encode()).hexdigest()}
    if _BY_CONTENT.fullmatch(card.identity):
        return found
    return found | {"source": model.source, "revision": model.revision, "tokenizer": model.tokenizer}


def product_key(what: str, of: Sequence[Any]) -> str:
    """Of what is projected or measured: ``of`` is all that it is made of."""
    return digest({"product": what, "of": list(of), "code": _code("measure")})


def picture_key(picture: Picture) -> str:
    """Everything that a picture shows, but not where its fonts lie."""
    values = {
        field.name: value
        for field in dataclasses.fields(picture)
        if not isinstance(value := getattr(picture, field.name), Points)
    }
    if not isinstance(picture, Strip):
        values["fonts"] = _fonts(picture.fonts)
    return digest(
        {
            "kind": type(picture).__name__,
            "values": values,
            "points": _points_digest(picture.points),
            "code": _code("draw"),
        }
    )


def card_key(card: Card) -> str:
    """Everything that a card shows, but not where its fonts lie."""
    values = {field.name: getattr(card, field.name) for field in dataclasses.fields(card)}
    values["fonts"] = _fonts(card.fonts)
    return digest({"card": values, "code": _code("draw")})


def _fonts(fonts: Sequence[Font]) -> list[list[Any]]:
    return [[font.digest, font.comes_first] for font in fonts]


@lru_cache(maxsize=8)
def _points_digest(points: Points) -> str:
    """Hundreds of pictures share their points (one object, hashed by identity): they are read once."""
    return digest({field.name: getattr(points, field.name) for field in dataclasses.fields(points)})


def digest(ingredients: Mapping[str, Any]) -> str:
    """The key of what is made of these."""
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
    return (f"tokviz code {digest_of_files(('.',), ())[:8]}", *packages)


def _code(folder: str) -> str:
    """New code, a new font or a new library makes a folder's products again."""
    return digest_of_files((folder, *SHARED_CODE), LIBRARIES[folder])


@cache
def digest_of_files(paths: tuple[str, ...], packages: tuple[str, ...]) -> str:
    """Of folders and files of tokviz, and of packages' versions."""
    found = hashlib.sha256(json.dumps([version(package) for package in packages]).encode())
    for path in (PACKAGE / each for each in paths):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.suffix in (".py", ".toml", ".ttf"):
                found.update(file.relative_to(PACKAGE).as_posix().encode())
                # Git may change line ends on Windows; the code is the same.
                found.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return found.hexdigest()
