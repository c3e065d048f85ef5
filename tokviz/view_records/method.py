"""The method page, and the one for addresses that don't exist."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.view_records.common import Frame, Link, Row, Term


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
    rest: str | None
    """Which words aren't shown, up to the name of the file that has them all; None when there are none."""
    file: Link | None


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
    folded: bool
    """Whether what there is per model is folded: there are many."""
    command: str
    downloads: tuple[Link, ...]
    citation: str
    version: str


@dataclass(frozen=True, kw_only=True)
class NotFoundPage:
    path: str
    title: str
    home: str
