"""How a capture's words went through the model together, and how far that can be trusted, in words."""

from __future__ import annotations

import math

from tokviz.pages.text.wording import NBSP, UNKNOWN, capitalized, count
from tokviz.records import BatchCheck, BatchComparison, depth_name
from tokviz.text import isolated

_NOT_ALIKE = {
    "padded": "Padding changes this model’s hidden states",
    "equal_lengths": "Words of equal length that go through this model together change each other’s hidden states",
}
_REMEDIES = {
    "equal_lengths": "words of equal length were run together, without padding",
    "one_by_one": "each word was run by itself",
}


def batch_notes(check: BatchCheck | None) -> tuple[str, ...]:
    """For the model's page: what was compared, what was found, and what was done; nothing of states from elsewhere."""
    if check is None:
        return ()
    warnings = tuple(f"{capitalized(text)}." for text in batch_warnings(check))
    if not check.comparisons:
        return (*warnings, "No word was run again by itself.")
    last = check.comparisons[-1]
    if last.batching != check.batching:
        return warnings
    run_again = (
        "1 word was run again by itself"
        if last.n_words == 1
        else f"{count(last.n_words, 'word')} were run again, each by itself"
    )
    if last.difference == 0:
        return (*warnings, f"{run_again}, and the hidden states were identical to those in the batch.")
    agreed = (
        f"{run_again}: the hidden states differ from those in the batch by "
        f"{relative(last.difference)} of their norm at most ({_where(last)})."
    )
    if last.difference > check.tolerance:
        agreed += (
            f" The median over these words is {relative(last.median_difference)}: in bfloat16, rounding can send a "
            "single word to other experts, so a single word is no sign that the model reads padding."
        )
    return (*warnings, agreed)


def batch_warnings(check: BatchCheck | None) -> tuple[str, ...]:
    """For the log: only what a reader must know, without a full stop."""
    if check is None:
        return ()
    warnings = [
        f"{_NOT_ALIKE[each.batching]} by {relative(each.difference)} ({_where(each)})"
        for each in check.comparisons
        if not each.accepted
    ]
    if warnings:
        warnings[-1] += f", so {_REMEDIES[check.batching]}"
    if check.mask_difference is not None and check.mask_difference > check.tolerance:
        warnings.append(
            "An attention mask that hides nothing changes this model’s hidden states by "
            f"{relative(check.mask_difference)}; they were captured with such a mask, because tokenizers return one"
        )
    return tuple(warnings)


def relative(difference: float) -> str:
    """``0.0004 %``, ``148 %``: one significant digit below a percent, whole numbers above."""
    if not math.isfinite(difference):
        return UNKNOWN
    value = 100 * difference
    if value == 0 or value >= 1:
        return f"{value:.0f}{NBSP}%"
    return f"{value:.{-math.floor(math.log10(value))}f}{NBSP}%"


def _where(comparison: BatchComparison) -> str:
    return f"“{isolated(comparison.word)}”, {depth_name(comparison.depth)}"
