"""What the compare page shows: finished text, numbers and lengths. No HTML."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.view_records import Frame, Link, Option, Picture


@dataclass(frozen=True, kw_only=True)
class Select:
    """One of a slot's choices; ``part`` is ``model``, ``context`` or ``projection``."""

    part: str
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place for one model × context × projection, filled as the page opens."""

    label: str
    selects: tuple[Select, ...]
    name: str
    """Beside its strip: ``SmolLM2-135M-Instruct (Q4_1 GGUF), alone, standardized``."""
    depth: str
    picture: Picture | None
    """Hidden where ``problem`` says why; None when the capture has no pictures at all."""
    problem: str | None
    strip: Picture | None


@dataclass(frozen=True, kw_only=True)
class RowPlate:
    depth: str
    picture: Picture | None
    problem: str | None


@dataclass(frozen=True, kw_only=True)
class PlateRow:
    """All plates of a capture, to scroll through where there are no scripts."""

    name: str
    plates: tuple[RowPlate, ...]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A line, or a text, in a chart; lengths in the chart's own units."""

    x: str
    y: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Curve:
    style: str
    """``0`` to ``7``: its colour, the same for a model throughout."""
    dash: str
    """``0`` to ``7``: its dash pattern; colour and pattern together are a model's own."""
    line: str
    """Path data; breaks where the measure isn't defined."""
    band: str | None
    """Path data of the interval."""
    end: Mark | None
    """The model's name at the curve's end."""
    leader: str | None
    """Path data from the curve's end to its name, where the name had to give way."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One measure of all models in one context, over relative depth."""

    heading: str
    alt: str
    width: str
    height: str
    left: str
    right: str
    top: str
    bottom: str
    x_marks: tuple[Mark, ...]
    y_marks: tuple[Mark, ...]
    chance: str | None
    """Height of what the measure is by chance."""
    curves: tuple[Curve, ...]


@dataclass(frozen=True, kw_only=True)
class Measure:
    name: str
    meaning: str
    charts: tuple[Chart, ...]
    """One per context, on one scale."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """A model's line in the curves' legend."""

    style: str
    dash: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Shade:
    """The cells of a heatmap that have one shade, as path data in units of cells."""

    level: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Heatmap:
    title: str
    summary: str
    alt: str
    columns: str
    """How many cells wide."""
    rows: str
    column_ends: tuple[str, str]
    row_ends: tuple[str, str]
    shades: tuple[Shade, ...]
    best: str
    """Path data: a dot at the best match of each depth of the deeper model."""
    x_name: str
    y_name: str


@dataclass(frozen=True, kw_only=True)
class HeatmapRow:
    """The same words, by both measures."""

    label: str
    heatmaps: tuple[Heatmap, ...]
    note: str | None


@dataclass(frozen=True, kw_only=True)
class Pair:
    heading: str
    sentence: str
    rows: tuple[HeatmapRow, ...]
    folded: bool


@dataclass(frozen=True, kw_only=True)
class SummaryTable:
    """Model × model, one number by each measure."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Column:
    key: str
    label: str
    number: bool
    sortable: bool


@dataclass(frozen=True, kw_only=True)
class Cell:
    text: str
    note: str
    """A second line, small: an interval, a layer."""
    sort: str
    """What it is sorted by; empty when unknown, which comes last."""
    number: bool


@dataclass(frozen=True, kw_only=True)
class RankRow:
    model: Link
    context: str
    cells: tuple[Cell, ...]
    caveats: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ComparePage:
    frame: Frame
    stylesheet: str
    noscript: str
    intro: str
    slots: tuple[Slot, ...]
    more: bool
    """Whether there is another capture to add."""
    data: str
    """JSON with ``<`` written as ``\\u003c``: what the script needs to show any capture."""
    rows: tuple[PlateRow, ...]
    columns: tuple[Column, ...]
    table: tuple[RankRow, ...]
    table_notes: tuple[str, ...]
    keys: tuple[Key, ...]
    measures: tuple[Measure, ...]
    without_measures: str | None
    """Names the captures without measures."""
    pairs: tuple[Pair, ...]
    summaries: tuple[SummaryTable, ...]
    shades: tuple[str, ...]
    """The levels of a heatmap's scale, for its legend."""
    similarity_notes: tuple[str, ...]
    method: str
