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


@dataclass(frozen=True, kw_only=True)
class Slide:
    """One depth's plate, or the reason why there is none."""

    id: str
    name: str
    module: str
    variance: str | None
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
    grid: Picture | None
    grid_caption: str


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
    failure: str | None
    switches: tuple[Switch, ...]
    """Only those with something to choose."""
    panels: tuple[Panel, ...]
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


@dataclass(frozen=True, kw_only=True)
class SiteView:
    index: IndexPage
    models: tuple[ModelPage, ...]
    method: MethodPage
    not_found: NotFoundPage
