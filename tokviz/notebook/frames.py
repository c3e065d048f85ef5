"""Tables of a capture as data frames of pandas, the same that a site offers as CSV files."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from tokviz.config import ReportConfig, install
from tokviz.errors import TokvizError
from tokviz.pages.downloads import tables
from tokviz.records import ContextReport, WordList


def frame(name: str, context: ContextReport, words: WordList, config: ReportConfig) -> Any:
    """A ``pandas.DataFrame``.

    Raises
    ------
    TokvizError : pandas isn't installed, or the capture has no such table.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise TokvizError(f"to_pandas needs pandas; {install('notebook')}") from error
    found = pd.read_csv(
        io.StringIO(_csv(name, context, words, config)), keep_default_na=name not in ("coordinates", "tokens")
    )
    return found.drop(columns=["text_safe", "name_safe"], errors="ignore")  # the same for spreadsheets


def _csv(name: str, context: ContextReport, words: WordList, config: ReportConfig) -> str:
    states, updates, related = context.states, context.states.updates, context.relations
    has_tokens, geometry = states.tokenization.is_known, context.geometry
    made: dict[str, Callable[[], str | None]] = {
        "coordinates": lambda: tables.coordinates_csv(context, words),
        "geometry": lambda: tables.geometry_csv(states, geometry, context.added) if geometry else None,
        "relations": lambda: (
            tables.relations_csv(config.relation_list, config.order_list, related) if related else None
        ),
        "tokens": lambda: tables.tokens_csv(context) if has_tokens else None,
        "updates": lambda: tables.updates_csv(updates) if updates else None,
        "writers": lambda: tables.writers_csv(updates) if updates else None,
        "attention": lambda: tables.attention_csv(states.attention) if states.attention else None,
    }
    if name in made and (text := made[name]()):
        return text
    what = "one of " + ", ".join(made) if name not in made else "a table that this capture has"
    raise TokvizError(f"table: expected {what}, got {name!r}")
