"""The first page."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.view_records.common import Frame, Link, Term
from tokviz.view_records.ruler import Ruler


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
class IndexPage:
    frame: Frame
    title: str
    subtitle: str
    byline: tuple[Link, ...]
    """Author, day, licence, how to cite; an empty address where there is nothing to follow."""
    projection: str
    """Which one the strips show."""
    models: tuple[ModelStrips, ...]
    more_models: tuple[ModelStrips, ...]
    """Folded, under ``more``."""
    more: str
    intro: str | None
    """Safe HTML, as the report has it."""
    columns: tuple[str, ...]
    table: tuple[FactsRow, ...]
    reading: tuple[Term, ...]
    method: str
