"""What the pages say, read back: each sentence is parsed, and what it claims is worked out again from the record's arrays.

Nothing here comes from the code that writes the sentences. A sentence of no known form is a false claim, too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

import numpy as np
from rendered import Part

from tokviz.records import MassiveActivations

NUMBER = r"[\d,]+(?:\.\d+)?(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"
SCORE = r"−?\d+\.\d\d"
DEPTH = r"(?:the )?embedding|layer \d+"
SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


class FalseClaim(AssertionError):
    """What a page says, and what the numbers are."""


def require(condition: object, claim: str, numbers: object = "") -> None:
    if not condition:
        raise FalseClaim(f"{claim!r}: {numbers}")


def plain(text: str) -> str:
    """With spaces that break."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


Noted = tuple[str, str]
"""The text of a table's cell, and its note."""


def metrics(page: Part) -> dict[tuple[str, str], dict[str, Part]]:
    """The compare page's table: of each capture, which is a model and a context, its cells by the names of their rows."""
    table = page.one(".ranking table")
    rows = table.all("tbody tr")
    return {
        head.noted: {row.one("th").text: row.all("td")[index] for row in rows}
        for index, head in enumerate(table.all("thead th"))
    }


def term_of(page: Part, name: str) -> str:
    """A term, and what is said of it."""
    (found,) = [each.text for each in page.all("dl.terms > div") if each.one("dt").text == name]
    return found


def notes_of(panel: Part) -> list[str]:
    """What stands beside a panel's plots."""
    return panel.texts(".look > p")


# --- numbers and depths ----------------------------------------------------------------------------------------------


def says(text: str, value: float) -> bool:
    """Whether a size is written as it must be everywhere: whole from a hundred on, else with three digits."""
    digits, _, power = text.replace(",", "").replace("−", "-").partition(" × 10")
    exponent = int(power.translate(SUPERSCRIPTS)) if power else 0
    decimals = len(digits.partition(".")[2])
    if not math.isfinite(value) or abs(float(digits) * 10.0**exponent - value) > 0.500001 * 10.0 ** (
        exponent - decimals
    ):
        return False
    if value == 0 or bool(power) != (not 1e-4 <= abs(value) < 1e9):
        return text == "0"
    if abs(value) >= 100 and not power:
        return decimals == 0
    return len(digits.lstrip("-0.").replace(".", "")) == 3


def close(text: str, value: float, unit: float = 0.01) -> bool:
    """Whether a number with a fixed number of decimals is the value, rounded to ``unit``."""
    if text == "–":
        return not math.isfinite(value)
    return math.isfinite(value) and abs(float(text.replace("−", "-")) - value) <= unit * 0.500001


def require_range(claim: str, texts: tuple[str, str | None], values: np.ndarray, unit: float) -> None:
    low, high = texts
    known = values[np.isfinite(values)]
    require(len(known), claim, values)
    require(close(low, known.min(), unit) and close(high or low, known.max(), unit), claim, known)


def depth_of(name: str) -> int:
    return 0 if name.endswith("embedding") else int(name.removeprefix("layer ")) + 1


def span_of(name: str) -> range:
    if found := re.fullmatch(r"layers (\d+)–(\d+)", name):
        return range(int(found[1]) + 1, int(found[2]) + 2)
    if found := re.fullmatch(r"embedding (?:to|and) (layer \d+)", name):
        return range(depth_of(found[1]) + 1)
    return range(depth_of(name), depth_of(name) + 1)


def depths_named(text: str, n_depths: int) -> list[int] | int:
    """The depths that a text names, or how many."""
    if text == "every depth":
        return list(range(n_depths))
    if counted := re.fullmatch(r"(\d+) of (\d+) depths?", text):
        require(int(counted[2]) == n_depths, text, n_depths)
        return int(counted[1])
    return [depth for part in re.split(r", | and ", text) for depth in span_of(part.removeprefix("the "))]


def require_depths(text: str, flags: np.ndarray) -> None:
    """Raise ``FalseClaim`` where a text names other depths than those of ``(n_depths,)`` flags."""
    named = depths_named(text, len(flags))
    require(named == (int(flags.sum()) if isinstance(named, int) else np.flatnonzero(flags).tolist()), text, named)


# --- what is massive, large, dominant: by the thresholds, not by the record's flags ---------------------------------


def is_massive(each: MassiveActivations, depth: int) -> bool:
    return bool(each.largest[depth] > max(each.large, each.massive_ratio * each.typical[depth]))


def is_moderate(each: MassiveActivations, depth: int) -> bool:
    beyond = each.largest[depth] > max(each.large, each.moderate_ratio * each.typical[depth])
    return bool(beyond) and not is_massive(each, depth)


def is_dominant(each: MassiveActivations, depth: int) -> bool:
    return bool(each.top_share[depth] > each.dominant_share)


def depths_where(
    test: Callable[[MassiveActivations, int], bool], each: MassiveActivations, depths: Sequence[int] | None = None
) -> list[int]:
    return [depth for depth in (range(len(each.largest)) if depths is None else depths) if test(each, depth)]


def end_of(each: MassiveActivations) -> int | None:
    """The first depth after massive ones."""
    massive = {*depths_where(is_massive, each)}
    return min({depth + 1 for depth in massive} - massive - {len(each.largest)}, default=None)


def steps_down(each: MassiveActivations) -> int | None:
    """That depth, where |x| fell below the mark of the depth before."""
    end = end_of(each)
    fell = end and each.largest[end] <= max(each.large, each.massive_ratio * each.typical[end - 1])
    return end if fell else None
