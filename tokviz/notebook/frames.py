"""Tables of a capture as data frames of pandas, the same that a site offers as CSV files.

Each raises ``TokvizError`` where pandas isn't installed.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.config import ReportConfig, install
from tokviz.errors import TokvizError
from tokviz.pages.downloads import tables
from tokviz.records import ContextReport, TokenizedWord, WordList, depth_name
from tokviz.text import shown, suggestion

if TYPE_CHECKING:
    from pandas import DataFrame


def all_states(depths: Sequence[np.ndarray], words: Sequence[TokenizedWord], categories: np.ndarray) -> DataFrame:
    """The hidden states themselves, a row for each layer and word and a column for each dimension.

    Parameters
    ----------
    depths : per depth ``(n_words, width)``; NaN stands for dimensions that a narrower depth lacks.
    categories : ``(n_words,)`` of text.
    """
    pandas = _pandas()
    names = [word.word for word in words]
    rows = [
        pandas.MultiIndex.from_arrays(
            [[depth_name(depth)] * len(names), categories, names], names=["layer", "category", "word"]
        )
        for depth in range(len(depths))
    ]
    return pandas.concat([pandas.DataFrame(states, index=index) for states, index in zip(depths, rows, strict=True)])


def _pandas() -> Any:
    try:
        import pandas as pd
    except ImportError as error:
        raise TokvizError(f"to_pandas needs pandas; {install('notebook')}") from error
    return pd


def frame(name: str, context: ContextReport, words: WordList, config: ReportConfig) -> DataFrame:
    """One of the tables of a site; raises ``TokvizError`` also where the capture has no such table."""
    found = _pandas().read_csv(
        io.StringIO(_csv(name, context, words, config)), keep_default_na=name not in ("coordinates", "tokens")
    )
    return found.drop(
        columns=["text_safe", "name_safe", "measure_safe", "template_safe"], errors="ignore"
    )  # the same for spreadsheets


def of_csv(text: str, texts: Sequence[str] = ()) -> DataFrame:
    """A table of a site; ``texts``: its columns in which a word such as ``nan`` is one, and not a number that is missing."""
    numbers = [name for name in text.splitlines()[0].split(",") if name not in texts]
    found: DataFrame = _pandas().read_csv(
        io.StringIO(text), keep_default_na=False, na_values=dict.fromkeys(numbers, "")
    )
    return found


def of_rows(rows: Sequence[Sequence[Any]], columns: Sequence[str]) -> DataFrame:
    """A table of rows."""
    found: DataFrame = _pandas().DataFrame(rows, columns=columns)
    return found


def _csv(name: str, context: ContextReport, words: WordList, config: ReportConfig) -> str:
    asked = tables.Asked(words=words, relations=config.relation_list, orders=config.order_list)
    table = next((table for table in tables.TABLES if table.name == name), None)
    if table and (found := table.of(context)):
        return table.csv(found, context, asked)
    measured = {"geometry", "words_by_layer"}  # when they are asked for
    if asked.relations or asked.orders:
        measured.add("relations")
    if context.states.context.further_templates:
        measured.add("templates")
    known = ["states", *(each.name for each in tables.TABLES if each.name in measured or each.of(context))]
    fitted = ", or lens, which is fitted first" if context.states.tokenization.is_known and "lens" not in known else ""
    raise TokvizError(
        f"table: expected one of {', '.join(known)}, which this capture has{fitted}, got {shown(name)}{suggestion(name, [*known, 'lens'])}"
    )
