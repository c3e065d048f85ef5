"""What ``views`` builds and ``pages`` places: finished text, formatted numbers and relative links. No HTML."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Link:
    text: str
    href: str
    current: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A label and what stands beside it; ``code`` is set in a fixed-width face."""

    label: str
    value: str
    code: bool = False


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What surrounds every page. All links are relative to the page."""

    path: str
    """Of the page, from the site's root."""
    title: str
    """For the browser's tab."""
    description: str
    home: Link | None
    """The report's title; None on the index, whose heading says it."""
    nav: tuple[Link, ...]
    stylesheet: str
    noscript: str
    scripts: tuple[str, ...]
    made_with: Link


@dataclass(frozen=True, kw_only=True)
class Source:
    src: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The same picture for wide screens and for phones."""

    alt: str
    wide: Source
    phone: Source


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A depth on the ruler. Lengths are percentages of the ruler's width, as a strip's panels have them."""

    name: str
    """``layer 11``."""
    href: str
    x: str
    left: str
    width: str
    label: str | None
    """None on small ticks."""
    label_x: str
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Band:
    """A stage: on a ruler in percent of its width, on a curve in units of its drawing."""

    name: str
    """``2``; empty where the band is too narrow for it."""
    left: str
    width: str
    shaded: bool
    """Every other one."""


@dataclass(frozen=True, kw_only=True)
class Spark:
    """A hairline over the ruler, as SVG paths in a drawing of 1000 × 100."""

    name: str
    line: str
    chance: str | None


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The layer at which massive activations emerge."""

    text: str
    x: str
    label_x: str
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What stands between a ruler's strip and its axis once a context has been measured."""

    bands: tuple[Band, ...]
    sparks: tuple[Spark, ...]
    mark: Mark | None


@dataclass(frozen=True, kw_only=True)
class Ruler:
    """The depth axis; it is also the carousel's slider."""

    label: str
    ticks: tuple[Tick, ...]
    strip: Picture | None
    start: str
    end: str
    """Where the axis begins and ends, in percent of the width."""
    last: int
    """The slider's greatest value."""
    measured: Measured | None = None


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
class Option:
    value: str
    label: str
    checked: bool


@dataclass(frozen=True, kw_only=True)
class Switch:
    key: str
    """``context`` or ``projection``: the panels' attribute that it chooses by."""
    legend: str
    options: tuple[Option, ...]
    pair: bool
    """Whether two of the options can be seen side by side."""


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
class Section:
    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ModelPage:
    frame: Frame
    name: str
    facts: str
    failure: str | None
    switches: tuple[Switch, ...]
    """Only those with something to choose."""
    panels: tuple[Panel, ...]
    stories: tuple[Story, ...]
    """Empty when nothing has been measured, as ``difference`` and ``curves`` are."""
    difference: Section | None
    """Why the contexts differ, when massive activations are the reason."""
    curves: Curves | None
    grids: tuple[GridFigure, ...]
    card: tuple[Row, ...]
    notes: tuple[str, ...]
    words: tuple[WordNotes, ...]
    downloads: tuple[Link, ...]
    method: str


@dataclass(frozen=True, kw_only=True)
class StripRow:
    context: str
    href: str
    ruler: Ruler
    with_axis: bool
    """Only under a model's last strip: the depths are the same in all."""


@dataclass(frozen=True, kw_only=True)
class ModelStrips:
    """A model on the first screen."""

    name: str
    href: str
    facts: str
    failure: str | None
    strips: tuple[StripRow, ...]


@dataclass(frozen=True, kw_only=True)
class FactsRow:
    """A model in the table of key facts: cells under ``IndexPage.columns``, or a failure."""

    model: Link
    cells: tuple[str, ...]
    failure: str | None


@dataclass(frozen=True, kw_only=True)
class Term:
    """A word of the report's language and what it means."""

    name: str
    meaning: str
    source: str | None = None
    """Where it was defined first."""


@dataclass(frozen=True, kw_only=True)
class IndexPage:
    frame: Frame
    title: str
    subtitle: str
    author: str | None
    projection: str
    """Which one the strips show."""
    models: tuple[ModelStrips, ...]
    intro: str | None
    """Safe HTML, as the report has it."""
    columns: tuple[str, ...]
    table: tuple[FactsRow, ...]
    reading: tuple[Term, ...]
    method: str


@dataclass(frozen=True, kw_only=True)
class CategoryWords:
    label: str
    words: str
    count: str
    beginning: str
    """The first words, in place of a folded list."""
    folded: bool


@dataclass(frozen=True, kw_only=True)
class ContextExample:
    """A context, its template with leading and trailing spaces made visible, and what it gives for one word."""

    label: str
    template: str
    example: str


@dataclass(frozen=True, kw_only=True)
class TokenRow:
    word: str
    pieces: tuple[str, ...]
    n_tokens: str
    position: str
    note: str


@dataclass(frozen=True, kw_only=True)
class TokenTable:
    heading: str
    """``SmolLM2-135M-Instruct, alone``."""
    summary: str
    notes: tuple[str, ...]
    rows: tuple[TokenRow, ...]


@dataclass(frozen=True, kw_only=True)
class Provenance:
    model: Link
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MethodPage:
    frame: Frame
    n_words: str
    categories: tuple[CategoryWords, ...]
    contexts: tuple[ContextExample, ...]
    token_tables: tuple[TokenTable, ...]
    reading: str
    """Which of a word's tokens is read, as a sentence."""
    projections: tuple[Term, ...]
    measures: tuple[Term, ...]
    """Empty when nothing has been measured."""
    measured_on: str
    provenance: tuple[Provenance, ...]
    command: str
    downloads: tuple[Link, ...]
    citation: str
    version: str


@dataclass(frozen=True, kw_only=True)
class NotFoundPage:
    path: str
    title: str
    home: str
