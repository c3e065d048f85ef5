"""Tables of a capture as data frames of pandas, the same that a site offers as CSV files."""

from __future__ import annotations

import io
from typing import Any

from tokviz.config import install
from tokviz.errors import TokvizError
from tokviz.pages import tables
from tokviz.records import ContextReport, WordList

NAMES = ("coordinates", "geometry", "tokens", "updates", "writers", "attention")


def frame(name: str, context: ContextReport, words: WordList) -> Any:
    """A ``pandas.DataFrame``.

    Raises
    ------
    TokvizError : pandas isn't installed, or the capture has no such table.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise TokvizError(f"to_pandas needs pandas; {install('notebook')}") from error
    found = pd.read_csv(io.StringIO(_csv(name, context, words)), keep_default_na=name not in ("coordinates", "tokens"))
    return found.drop(columns="text_safe", errors="ignore")  # the word for spreadsheets


def _csv(name: str, context: ContextReport, words: WordList) -> str:
    states, geometry = context.states, context.geometry
    if name == "coordinates":
        return tables.coordinates_csv(context, words)
    if name == "tokens" and states.tokenization.is_known:
        return tables.tokens_csv(context)
    if name == "geometry" and geometry is not None:
        return tables.geometry_csv(states, geometry, context.added)
    if name == "updates" and states.updates is not None:
        return tables.updates_csv(states.updates)
    if name == "writers" and states.updates is not None:
        return tables.writers_csv(states.updates)
    if name == "attention" and states.attention:
        return tables.attention_csv(states.attention)
    what = "one of " + ", ".join(NAMES) if name not in NAMES else "a table that this capture has"
    raise TokvizError(f"table: expected {what}, got {name!r}")
