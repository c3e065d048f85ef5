"""Tables of a capture as data frames of pandas, the same that a site offers as CSV files."""

from __future__ import annotations

import io
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
    asked = tables.Asked(words=words, relations=config.relation_list, orders=config.order_list)
    table = next((table for table in tables.TABLES if table.name == name), None)
    if table and (found := table.of(context)):
        return table.csv(found, context, asked)
    what = "a table that this capture has" if table else f"one of {', '.join(each.name for each in tables.TABLES)}"
    raise TokvizError(f"table: expected {what}, got {name!r}")
