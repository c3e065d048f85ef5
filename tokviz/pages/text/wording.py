"""How numbers, dates, names and lists of them read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import numpy as np

from tokviz.records import ModelCard, ModelReport, Tokenization, depth_name
from tokviz.text import isolated

NBSP = "\N{NO-BREAK SPACE}"
SPACE_MARK = "␣"
PROJECTION_LABELS = {"unit_norm": "unit norm", "without_massive": "without massive or dominant dimensions"}
UNKNOWN = "–"
"""What stands for a number that isn't defined."""
LEAST_IN_FULL, MOST_IN_FULL = 1e-4, 1e9
"""Numbers between these are written in full, others with a power of ten."""
MOST_NAMED = 5
"""More words than these are counted, not named, in a sentence."""
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
"""In words, as in a sentence."""
MOST_WORDS_IN_SIGHT = 60
"""Longer lists of words are folded."""


def percent(ratio: float) -> str:
    """``48.8 %`` for 0.488; the space doesn’t break."""
    return f"{100 * ratio:.1f}{NBSP}%" if math.isfinite(ratio) else UNKNOWN


def whole_percent(ratio: float) -> str:
    """``96 %``; rounded as ``score`` does, so that a share reads the same in either form. ``99.7 %`` is neither all nor, as 0.3, none."""
    if not math.isfinite(ratio):
        return UNKNOWN
    whole = float(f"{ratio:.2f}")
    if whole in (0, 1) and whole != ratio:
        # As many decimals as tell it from 0 and from 100 %, at most four.
        texts = (f"{100 * ratio:.{decimals}f}" for decimals in range(1, 5))
        text = next((each for each in texts if abs(float(each)) not in (0, 100)), f"{100 * round(ratio)}")
    else:
        text = f"{100 * whole + 0.0:.0f}"
    return f"{text}{NBSP}%".replace("-", "−")


def score(value: float) -> str:
    """``0.31``, ``−0.04``: shares, correlations and the like."""
    if not math.isfinite(value):
        return UNKNOWN
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")


def finer(value: float) -> str:
    """As ``score``, but one digit of what would be written as 0.00, such as ``−0.002``: the end of an interval isn't 0."""
    return score(value) if not 0 < abs(value) < 0.005 else f"{value:.1g}".replace("-", "−")


def number(value: float) -> str:
    """``24,108``, ``35.2``, ``0.520``: any size, norm or ratio, on every page; whole from a hundred on, else three digits."""
    if not math.isfinite(value) or value == 0:
        return "0" if value == 0 else UNKNOWN
    if not LEAST_IN_FULL <= abs(value) < MOST_IN_FULL:
        digits, _, exponent = f"{value:.2e}".partition("e")
        text = f"{digits}{NBSP}×{NBSP}{power_of_ten(int(exponent))}"
    else:
        text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")
    return text.replace("-", "−")


def small_share(share: float) -> str:
    """A share that may be far below one in a hundred."""
    return percent(share) if share >= 0.001 or share == 0 else f"{number(100 * share)}{NBSP}%"


def power_of_ten(exponent: int) -> str:
    """``10⁻⁵``."""
    return f"10{str(exponent).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def percentage_points(share: float) -> str:
    """``40.0 percentage points``: by how much a share changes."""
    return f"{small_share(share).removesuffix('%')}percentage points"


def with_error(change: tuple[float, float]) -> str:
    """``+1.18 ± 0.08``, a difference and its standard error: to the digit in which the error begins, at least to two decimals."""
    difference, error = change
    decimals = 2 if error == 0 else min(6, max(2, math.ceil(-math.log10(error))))
    return f"{difference:+.{decimals}f}{NBSP}±{NBSP}{error:.{decimals}f}".replace("-", "−")


def ranged(values: np.ndarray, write: Callable[[float], str]) -> str:
    """``0.53–0.61``, ``87–92 %``, or one number where all read the same; NaN is left out, at least one is none."""
    low, high = write(float(np.nanmin(values))), write(float(np.nanmax(values)))
    if low == high:
        return low
    return f"{low.removesuffix(f'{NBSP}%')}{' to ' if low.startswith('−') else '–'}{high}"


def the_depth(depth: int) -> str:
    """``the embedding``, ``layer 11``: where something is, in a sentence."""
    return "the embedding" if depth == 0 else depth_name(depth)


def at_the_depth(depth: int) -> str:
    """``in the embedding``, ``at layer 11``."""
    return f"{'at' if depth else 'in'} {the_depth(depth)}"


def count(number: int, noun: str) -> str:
    """``1 word``, ``1,204 words``, ``9 categories``."""
    if number == 1:
        return f"1{NBSP}{noun}"
    plural = noun.removesuffix("y") + "ies" if noun.endswith("y") else noun + "s"
    return f"{number:,}{NBSP}{plural}"


def n_captured(models: Sequence[ModelReport]) -> int:
    """How many of them aren't there only to say why they failed."""
    return sum(model.card is not None for model in models)


def vocabulary_sizes(models: Sequence[ModelReport]) -> list[int]:
    """How many tokens were captured of each vocabulary, ascending."""
    return sorted(len(context.states.tokenization.words) for model in models for context in model.contexts)


def millions(number: int) -> str:
    """``134.5 million``, ``4.02 billion``; small numbers in full."""
    if number >= 1_000_000_000:
        return f"{number / 1e9:.2f}{NBSP}billion"
    if number >= 1_000_000:
        return f"{number / 1e6:.1f}{NBSP}million"
    return f"{number:,}"


def day(timestamp: str) -> str:
    """``24 November 2026`` for an ISO 8601 timestamp."""
    moment = datetime.fromisoformat(timestamp)
    return f"{moment.day}{NBSP}{moment:%B}{NBSP}{moment.year}"


def outside_reference(tokenization: Tokenization) -> list[str]:
    """The words that are read at another position than most."""
    rows = zip(tokenization.words, tokenization.reference, strict=True)
    return [word.word for word, inside in rows if not inside]


def joined(words: Iterable[str]) -> str:
    """``a, b, c``; a word written from right to left is kept apart, so that the list's order stays."""
    return ", ".join(isolated(word) for word in words)


def joined_by_and(texts: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *others, last = texts
    return f"{', '.join(others)} and {last}" if others else last


def named_or_counted(words: Sequence[str]) -> str:
    """``a, b``, or of many ``12 words``."""
    return joined(words) if len(words) <= MOST_NAMED else count(len(words), "word")


def capitalized(text: str) -> str:
    """With its first letter large, as a sentence begins; unlike Python's, the other letters stay."""
    return text[:1].upper() + text[1:]


def in_words(number: int) -> str:
    """``two``, ``12``: small numbers as a sentence has them."""
    return NUMBERS[number] if number < len(NUMBERS) else f"{number:,}"


def neurons_named(neurons: Sequence[int]) -> str:
    """``neuron 9``, ``neurons 1229 and 1487``, ``12 neurons``."""
    if len(neurons) > len(NUMBERS) - 1:
        return count(len(neurons), "neuron")
    return f"{'neurons' if len(neurons) > 1 else 'neuron'} {joined_by_and([str(each) for each in neurons])}"


def shortened(words: Sequence[str], most: int) -> str:
    """``a, b, c … and 7,500 more``."""
    left = len(words) - most
    return f"{joined(words[:most])} … and {left:,} more" if left > 0 else joined(words)


def visible_spaces(text: str) -> str:
    """Spaces at the ends are marked, since nobody sees them otherwise."""
    start = len(text) - len(text.lstrip(" "))
    stop = len(text.rstrip(" "))
    return SPACE_MARK * start + text[start:stop] + SPACE_MARK * (len(text) - stop if stop > start else 0)


def projection_label(name: str) -> str:
    """``unit norm`` for ``unit_norm``."""
    return PROJECTION_LABELS.get(name, name)


def weights_format(card: ModelCard) -> str:
    """What kind of numbers the weights on disk are."""
    return card.quantization or card.checkpoint_dtype or "not stated"
