"""The depth ruler and its measures."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.view_records.common import Picture


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
