"""A model's page."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.view_records.common import Frame, Link, Picture, Row, Section, Switch
from tokviz.view_records.ruler import Band, Ruler


@dataclass(frozen=True, kw_only=True)
class Slide:
    """One depth's plate, or the reason why there is none."""

    id: str
    name: str
    module: str
    trust: tuple[str, ...]
    """How far the picture can be trusted: variance, neighbours, trustworthiness; empty without a picture."""
    picture: Picture | None
    problem: str | None
    note: str | None
    """The author's words, as safe HTML; so wherever a record has a note."""
    first: bool
    """Shown when the page opens: fetched at once."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One context × projection of a model."""

    id: str
    context: str
    projection: str
    heading: str
    current: bool
    explore: str | None
    """The explorer's address of this panel, up to and with the depth: carousel.js keeps it in step."""
    ruler: Ruler
    slides: tuple[Slide, ...]
    look: str
    """What to look for while stepping through the layers."""
    notes: tuple[str, ...]
    """What else to know of this panel: words at position 0, hollow marks."""


@dataclass(frozen=True, kw_only=True)
class GridFigure:
    """All layers of one context × projection in the embedding's basis."""

    context: str
    projection: str
    heading: str
    """``alone, standardized``."""
    current: bool
    picture: Picture
    caption: str
    id: str
    """``alone/grid``."""
    note: str | None


@dataclass(frozen=True, kw_only=True)
class Badge:
    """An event in a model's depth, linked to its slide."""

    link: Link
    """``Layer 11: massive activations emerge``."""
    detail: str


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """A plate in small, linked to its slide."""

    link: Link
    picture: Picture


@dataclass(frozen=True, kw_only=True)
class StageSection:
    id: str
    name: str
    """``Stage 2``."""
    span: str
    """``layers 11–27``."""
    sentence: str
    badges: tuple[Badge, ...]
    recurrence: str | None
    plates: tuple[Thumbnail, ...]
    plates_label: str
    note: str | None


@dataclass(frozen=True, kw_only=True)
class Story:
    """One context by stages."""

    context: str
    heading: str
    current: bool
    stages: tuple[StageSection, ...]


@dataclass(frozen=True, kw_only=True)
class Line:
    """A context on a curve; coordinates are units of the drawing."""

    style: str
    """``1`` to ``4``: dashes and colour."""
    line: str
    interval: str | None
    """A closed path."""
    label: str
    label_y: str


@dataclass(frozen=True, kw_only=True)
class Level:
    """A horizontal line of a curve: a value of the axis, chance, or a threshold."""

    label: str
    y: str
    text_y: str
    dotted: bool


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One measure over depth, all contexts."""

    title: str
    caption: str
    alt: str
    """What the lines say, in words."""
    bands: tuple[Band, ...]
    mark_x: str | None
    """Where massive activations emerge in the first context that has them."""
    levels: tuple[Level, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class Curves:
    note: str
    first: str
    """What the left end of every axis is called, and the right one."""
    last: str
    figures: tuple[Curve, ...]


@dataclass(frozen=True, kw_only=True)
class Words:
    """Some words and what they have in common; a long list is folded."""

    summary: str
    words: str
    folded: bool


@dataclass(frozen=True, kw_only=True)
class WordNotes:
    """What a reader must know about the words of one context."""

    heading: str
    notes: tuple[str, ...]
    lists: tuple[Words, ...]
    """Of several tokens, ``firefighter (2)``, and outside the reference words; empty when there are none."""


@dataclass(frozen=True, kw_only=True)
class ModelPage:
    frame: Frame
    name: str
    facts: str
    note: str | None
    failure: str | None
    switches: tuple[Switch, ...]
    """Only those with something to choose."""
    panels: tuple[Panel, ...]
    stories: tuple[Story, ...]
    """Empty when nothing has been measured, as ``difference`` and ``curves`` are."""
    difference: Section | None
    """Why the contexts differ, when massive activations are the reason."""
    curves: Curves | None
    curves_note: str | None
    grids: tuple[GridFigure, ...]
    card: tuple[Row, ...]
    notes: tuple[str, ...]
    words: tuple[WordNotes, ...]
    downloads: tuple[Link, ...]
    method: str
