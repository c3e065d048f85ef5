"""Content as text that files and scripts hold: JSON, and tables as CSV that spreadsheets don't take for formulas."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tokviz.text import code_points

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a character beyond U+FFFF: Python's texts may hold one, files in UTF-8 can't."""
# The last ones are the full-width forms, which some spreadsheets take for the others.
_BEGIN_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def rounded(value: float) -> float | None:
    """Six significant digits, and 0 for −0; None (an empty field, a JSON null) where there is no number."""
    return float(f"{value:.6g}") + 0.0 if math.isfinite(value) else None


# --- JSON ------------------------------------------------------------------------------------------------------------


def compact(content: Any) -> str:
    """Without spaces, for scripts to read."""
    return _encodable(json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False))


def spaced(content: Any, indent: int | None = None) -> str:
    """For people to read."""
    return _encodable(json.dumps(content, ensure_ascii=False, indent=indent, allow_nan=False))


def embedded(content: Any) -> str:
    """For a ``<script>`` of a page, which no text in it can end."""
    return compact(content).replace("<", "\\u003c")


def script(key: str, content: Any) -> str:
    """A script that hands its content to the page under a key of its own.

    A page opened from disk may not fetch, but it may add a ``<script>``.
    """
    return f"tokvizData({compact(key)},{compact(content)});\n"


def packed(numbers: np.ndarray) -> str:
    """Base64 of unsigned integers or floats, little-endian."""
    return base64.b64encode(numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()).decode("ascii")


def _encodable(text: str) -> str:
    """Lone surrogates have no form in UTF-8 but JSON's escape."""
    return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


# --- CSV -------------------------------------------------------------------------------------------------------------


def spreadsheet_safe(text: str) -> str:
    """``text`` that no spreadsheet takes for a formula: with an apostrophe before what could begin one.

    As https://owasp.org/www-community/attacks/CSV_Injection advises.
    """
    return f"'{text}" if text.startswith(_BEGIN_FORMULAS) else text


def csv_text(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """A header and its rows, ended by line feeds: truth as 0 or 1, numbers to six digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(map(_cell, row) for row in rows)
    return _LONE_SURROGATE.sub(lambda found: code_points(found[0]), text.getvalue())


def _cell(value: Any) -> Any:
    if type(value) in (str, int):  # most of them
        return value
    if isinstance(value, bool | np.bool_):
        return int(value)
    return rounded(float(value)) if isinstance(value, float | np.floating) else value


def csv_fields(values: Sequence[Any]) -> str:
    """The beginning of a row: these fields, and a comma for those that follow."""
    return csv_text(values, ())[:-1] + ","


def csv_numbers(values: np.ndarray) -> list[str]:
    """``(n_rows, n_columns)`` → the end of each row: its numbers as ``rounded`` has them, and a line feed.

    Of a table of numbers this takes a third of the time of ``csv_text``.
    """
    together = ",".join(["%.6g"] * values.shape[1]) + "\n"
    return [
        together % tuple(row)
        if is_known
        else ",".join(f"{each:.6g}" if math.isfinite(each) else "" for each in row) + "\n"
        for row, is_known in zip((values + 0.0).tolist(), np.isfinite(values).all(axis=1).tolist(), strict=True)
    ]
