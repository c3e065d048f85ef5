"""What is drawn: pictures as figures take them.

Filled in ``run/plan/pictures.py``; drawn in ``draw/``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from tokviz.records.axes import Aspect, Limits, extents
from tokviz.records.look import PLATE_SIZE, Marks
from tokviz.records.states import require_shape


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """The words of a picture: one object, shared by every picture of a model × context × projection."""

    words: tuple[str, ...]
    memberships: tuple[tuple[int, ...], ...]
    """Per word the indices of its categories; none for most of a vocabulary."""
    categories: tuple[str, ...]
    """Labels, in the report's order: colour and shape follow from the index."""
    reference: np.ndarray
    """``(n_words,)`` bool: the others are drawn hollow and don't set the axis limits."""
    several_tokens: np.ndarray
    """``(n_words,)`` bool: drawn hollow."""
    marks: Marks = field(default_factory=Marks)
    """What colour and shape the categories have."""

    @cached_property
    def first(self) -> np.ndarray:
        """``(n_words,)`` int64: each word's first category, −1 for a word without."""
        return np.array([own[0] if own else -1 for own in self.memberships], dtype=np.int64)

    @property
    def hollow(self) -> np.ndarray:
        """``(n_words,)`` bool."""
        return np.asarray(self.several_tokens | ~self.reference)


@dataclass(frozen=True, kw_only=True)
class Font:
    """A font besides the bundled ones: an installed one for what they lack, or the author's."""

    path: str
    index: int
    """Of the face, in a collection."""
    digest: str
    """Of the content: what is drawn depends on it, and not on where the file lies."""
    comes_first: bool = False
    """Before the bundled ones: the author's."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """What placed the words of a plate, where that isn't PCA."""

    name: str
    """``TSNE``."""
    meaning: str
    """What its distances mean, in a line."""


@dataclass(frozen=True, kw_only=True)
class Plate:
    """One depth's labelled scatter.

    ``form`` is ``wide``, ``phone`` (portrait, 716×1000), ``draft`` (640×480), or ``svg``: wide, as SVG.
    """

    form: str
    model: str
    """Display name, quantisation included: ``SmolLM2-135M-Instruct (Q4_1 GGUF)``."""
    context: str
    """Its label."""
    depth: str
    """``embedding`` or ``layer 11``."""
    points: Points
    coordinates: np.ndarray
    """``(n_words, 2)`` float64."""
    explained_variance_ratio: tuple[float, float]
    labelled: bool = True
    fonts: tuple[Font, ...] = ()
    """The author's, and those for the characters that the bundled ones lack, in order of preference."""
    size: tuple[int, int] = PLATE_SIZE
    """Width and height of the form ``wide`` in pixels; as SVG it has the same shape."""
    aspect: Aspect = "equal"
    limits: tuple[Limits, Limits] | None = None
    """Least and greatest PC1 and PC2 that it reaches to; None for those of its own words."""
    method: Method | None = None
    """None for PCA."""

    def __post_init__(self) -> None:
        require_shape("coordinates", self.coordinates, (len(self.points.words), 2))

    @property
    def extents(self) -> tuple[Limits, Limits]:
        """Least and greatest PC1 and PC2 that it reaches to: the reference words set the axes."""
        return self.limits or extents(self.coordinates, self.points.reference)

    @property
    def axes(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """What each axis is called, and its share of the variance, which only PCA has: ``("PC1", "12.3 %")``."""
        if self.method is not None:
            return (f"{self.method.name} 1", ""), (f"{self.method.name} 2", "")
        first, second = (f"{share * 100:.1f} %" for share in self.explained_variance_ratio)
        return ("PC1", first), ("PC2", second)


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """Two plates next to each other, on the same axes."""

    plates: tuple[Plate, Plate]
    """Of one form, size and ``limits``."""
    caption: str
    """What the axes are."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """All depths in the embedding's basis, a panel each with axis limits of its own."""

    form: str
    model: str
    context: str
    points: Points
    depths: tuple[str, ...]
    coordinates: np.ndarray
    """``(n_depths, n_words, 2)`` float64; NaN where a depth can't be shown."""
    problems: tuple[str | None, ...]
    """Per depth a short reason in place of the points, or None."""
    explained_variance_ratio: tuple[float, float]
    """Of the embedding's own PC1 and PC2."""
    fonts: tuple[Font, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Strip:
    """All depths as small unlabelled panels along the depth axis, for the index and under the ruler."""

    form: str
    points: Points
    coordinates: np.ndarray
    """``(n_depths, n_words, 2)`` float64, each depth's own basis; NaN where a depth can't be projected."""
    dark: bool = False
    """On the dark ground, in its colours: for the dark theme of pages."""


@dataclass(frozen=True, kw_only=True)
class HeatMap:
    """A whole number for each word at each depth, as shades: rows are words by category, columns are depths."""

    form: str
    model: str
    context: str
    points: Points
    values: np.ndarray
    """``(n_depths, n_words)`` int16, 0 to ``most``; −1 where there is none."""
    means: np.ndarray
    """``(n_categories, n_depths)`` float64, each category's mean; NaN where there is none."""
    most: int
    unit: str
    """What the numbers count, ``of 5 nearest words in its category``."""
    stages: tuple[int, ...]
    """The first depth of each."""
    mark: int | None
    """The depth at which massive activations emerge."""
    with_words: bool
    """Else categories alone have rows."""
    fonts: tuple[Font, ...] = ()

    def __post_init__(self) -> None:
        require_shape("values", self.values, (len(self.values), len(self.points.words)))
        require_shape("means", self.means, (len(self.points.categories), len(self.values)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """One plot of a card: both axes on one scale."""

    title: str
    points: Points
    """The words that are drawn."""
    coordinates: np.ndarray
    """``(n_words, 2)`` float64, finite."""
    note: str = ""
    """At the right end of the title's line."""
    detail: str = ""
    """Below the title."""
    is_named: bool = False
    """Whether the words stand beside their marks."""
    joined: tuple[tuple[int, int], ...] = ()
    """The rows of words between which there are lines."""
    guide: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    """``(n, 2)`` float64: a line on which the words would be, in the same coordinates; none where it is empty."""

    def __post_init__(self) -> None:
        require_shape("coordinates", self.coordinates, (len(self.points.words), 2))


@dataclass(frozen=True, kw_only=True)
class Card:
    """A finding as one image, to be shown without its page."""

    headline: str
    about: str
    """Of which model and words."""
    evidence: tuple[str, ...]
    """Sentences; the last ones are left out where there is no room for them."""
    panels: tuple[Panel, ...]
    """One to three."""
    how: tuple[str, ...]
    """How the plots are made; the same of its sentences."""
    source: str
    """The report's title."""
    address: str
    """Where it stands; empty where nobody knows."""
    fonts: tuple[Font, ...] = ()
    """As of a plate."""

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is written on it."""
        own = (self.headline, self.about, *self.evidence, *self.how, self.source, self.address)
        named = (word for panel in self.panels if panel.is_named for word in panel.points.words)
        labels = (label for panel in self.panels for label in (panel.title, panel.detail, *panel.points.categories))
        return (*own, *labels, *named)


@dataclass(frozen=True, kw_only=True)
class Animation:
    """Images of plots to be shown one after the other, each with its own title and legend."""

    files: tuple[Path, ...]
    """At least two, WebP."""
    depths: tuple[int, ...]
    """Of each."""
    n_depths: int
    """Of the model."""
    how: str
    """How the plots are made; this and what follows is as of a card."""
    source: str
    address: str
    headline: str = ""
    """What was found of what they show."""
    fonts: tuple[Font, ...] = ()


Picture = Plate | Grid | Strip | HeatMap
