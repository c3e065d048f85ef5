"""Synthetic pictures, and what a reader sees in the figures that are drawn of them."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import numpy as np
from matplotlib import colors
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import TextPath

from tokviz.draw import encode, figures, style
from tokviz.records import Grid, Plate, Points, Strip

SYLLABLES = ("ka", "ber", "lin", "to", "ris", "men", "sa", "un", "gol", "ve")


def points(n_words: int = 116, n_categories: int = 9, elsewhere: tuple[int, ...] = (), **changes: Any) -> Points:
    random = np.random.default_rng(5)
    words = tuple("".join(random.choice(SYLLABLES, random.integers(1, 4))) + str(row) for row in range(n_words))
    reference = np.ones(n_words, bool)
    reference[list(elsewhere)] = False
    values = {
        "words": words,
        "memberships": tuple((row * n_categories // n_words,) for row in range(n_words)),
        "categories": tuple(f"Category {index}" for index in range(n_categories)),
        "reference": reference,
        "several_tokens": np.zeros(n_words, bool),
    }
    return Points(**{**values, **changes})


def clustered(of: Points, seed: int = 0, tightness: float = 0.15) -> np.ndarray:
    """Coordinates like a model's: categories in clusters, some of them on top of each other."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(len(of.categories), 2))
    first = [categories[0] for categories in of.memberships]
    return 20 * (centres[first] + tightness * random.normal(size=(len(first), 2)))


def plate(of: Points | None = None, coordinates: np.ndarray | None = None, **changes: Any) -> Plate:
    of = points() if of is None else of
    values = {
        "form": "wide",
        "model": "SmolLM2-135M-Instruct (Q4_1 GGUF)",
        "context": "alone",
        "depth": "layer 11",
        "points": of,
        "coordinates": clustered(of) if coordinates is None else coordinates,
        "explained_variance_ratio": (0.1234, 0.05),
    }
    return Plate(**{**values, **changes})


def grid(n_depths: int = 31, form: str = "wide", of: Points | None = None, **changes: Any) -> Grid:
    of = points() if of is None else of
    values = {
        "form": form,
        "model": "SmolLM2-135M-Instruct",
        "context": "alone",
        "points": of,
        "depths": ("embedding", *(f"layer {layer}" for layer in range(n_depths - 1))),
        "coordinates": np.stack([clustered(of, seed) for seed in range(n_depths)]),
        "problems": (None,) * n_depths,
        "explained_variance_ratio": (0.1, 0.05),
    }
    return Grid(**{**values, **changes})


def texts(figure: Figure) -> dict[str, Text]:
    return {text.get_text(): text for text in figure.findobj(Text) if text.get_text()}


def labels(figure: Figure, of: Points) -> dict[str, Text]:
    return {text: artist for text, artist in texts(figure).items() if text.strip("←↑→↓↖↗↘↙ ") in of.words}


def extents(artists: list[Text]) -> np.ndarray:
    """``(n, 4)``: left, top, right and bottom of each text's ink, from the outlines of its letters."""
    corners = [(*artist.get_position(), *artist.get_position()) for artist in artists]
    return np.array(corners) + [_ink(artist.get_text(), artist.get_fontproperties()) for artist in artists]


@cache
def _ink(text: str, font: FontProperties) -> tuple[float, float, float, float]:
    """What a text adds to its position: left, top, right and bottom."""
    outlines = TextPath((0, 0), text.replace("$", "S"), prop=font)
    # Curves lie within their control points, which are many times faster to find than the curves' own ends.
    ends = np.asarray(outlines.vertices)[np.asarray(outlines.codes) != TextPath.CLOSEPOLY]
    (left, low), (right, high) = ends.min(axis=0).tolist(), ends.max(axis=0).tolist()
    return left, -high, right, -low


def marks(figure: Figure) -> list[PathCollection]:
    return [artist for artist in figure.get_children() if isinstance(artist, PathCollection)]


def overlapping_pairs(boxes: np.ndarray) -> int:
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    overlap = ((low < boxes[:, 2:]) & (high > boxes[:, :2])).all(axis=2)
    return int(overlap.sum() - len(boxes)) // 2


def pixels(figure: Figure) -> np.ndarray:
    return encode.render(figure)[..., :3]


def spines(figure: Figure) -> tuple[np.ndarray, np.ndarray]:
    """The rows and columns of pixels that the axes' lines fill."""
    drawn = (pixels(figure) == np.round(np.array(colors.to_rgb(style.SPINE)) * 255)).all(axis=2)
    return np.flatnonzero(drawn.mean(axis=1) > 0.5), np.flatnonzero(drawn.mean(axis=0) > 0.4)


def written(figure: Figure) -> list[str]:
    """All texts, those that occur several times included."""
    return [artist.get_text() for artist in figure.findobj(Text) if artist.get_text()]


def shades(figure: Figure) -> list[PolyCollection]:
    """The hexagons of each panel; the boxes behind labels and the scale count nothing."""
    return [found for found in figure.findobj(PolyCollection) if found.get_array() is not None]


def digests() -> list[str]:
    """Of a picture of each kind and form, encoded."""
    of = points()
    coordinates = np.stack([clustered(of, seed) for seed in range(3)])
    pictures = (plate(), plate(form="phone"), grid(3), Strip(form="wide", points=of, coordinates=coordinates))
    encoded = [encode.encode(figures.draw(picture)) for picture in pictures]
    drawing = plate(form="svg")
    encoded.append(encode.encode_svg(figures.draw(drawing), *figures.described(drawing)))
    return [hashlib.sha256(data).hexdigest() for data in encoded]
