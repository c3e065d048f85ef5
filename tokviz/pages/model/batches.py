"""How a capture's words went through the model together, and how far that can be trusted: facts of ``catalogue/model.toml``."""

from __future__ import annotations

import math

from tokviz.pages.text.catalogue import Fact, sentence, text
from tokviz.pages.text.wording import NBSP, UNKNOWN
from tokviz.records import BatchCheck, BatchComparison, depth_name
from tokviz.text import isolated


def batch_notes(check: BatchCheck | None) -> tuple[str, ...]:
    """For the model's page: what was compared, what was found, and what was done; nothing of states from elsewhere."""
    if check is None:
        return ()
    stated = [*_warnings(check)]
    last = check.comparisons[-1] if check.comparisons else None
    if last is None:
        stated.append(Fact("model.batches.not_compared"))
    elif last.batching == check.batching:
        n = Fact("model.batches.one") if last.n_words == 1 else Fact("model.batches.several", n=last.n_words)
        if last.difference == 0:
            stated.append(Fact("model.batches.identical", n=n))
        else:
            is_rounding = last.difference > check.tolerance
            median = Fact("model.batches.median", difference=relative(last.median_difference)) if is_rounding else ()
            stated.append(Fact("model.batches.differ", n=n, median=median, **_by(last)))
    return tuple(sentence([each]) for each in stated)


def batch_warnings(check: BatchCheck | None) -> tuple[str, ...]:
    """For the log: only what a reader must know, without a full stop."""
    return () if check is None else tuple(map(text, _warnings(check)))


def _warnings(check: BatchCheck) -> list[Fact]:
    refused = [each for each in check.comparisons if not each.accepted]
    remedy = f"model.batches.remedies.{check.batching}"
    warnings = [
        Fact(f"model.batches.{each.batching}", remedy=Fact(remedy) if each is refused[-1] else "", **_by(each))
        for each in refused
    ]
    if check.mask_difference is not None and check.mask_difference > check.tolerance:
        warnings.append(Fact("model.batches.mask", difference=relative(check.mask_difference)))
    return warnings


def _by(comparison: BatchComparison) -> dict[str, str]:
    where = f"“{isolated(comparison.word)}”, {depth_name(comparison.depth)}"
    return {"difference": relative(comparison.difference), "where": where}


def relative(difference: float) -> str:
    """``0.0004 %``, ``148 %``: one significant digit below a percent, whole numbers above."""
    if not math.isfinite(difference):
        return UNKNOWN
    value = 100 * difference
    if value == 0 or value >= 1:
        return f"{value:.0f}{NBSP}%"
    return f"{value:.{-math.floor(math.log10(value))}f}{NBSP}%"
