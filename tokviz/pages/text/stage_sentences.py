"""A stage in a plain sentence and in one with all its numbers: made of ``stage_facts``, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tokviz.pages.text.facts import Fact
from tokviz.pages.text.wording import NBSP, capitalized, number, percent, ranged, score, whole_percent


def stage_lead(stated: tuple[Fact, ...]) -> str:
    """``Massive activations emerge at layer 11; in the plot, 31 % of a word’s nearest neighbors share …``."""
    return _sentence(stated, _LEADS)


def stage_sentence(stated: tuple[Fact, ...]) -> str:
    """``Dimension 12 is massive (largest |x| 24,108, 13,498 × a typical token’s median of 1.79); 5-neighbor purity …``."""
    return _sentence(stated, _PARTS)


def _sentence(stated: tuple[Fact, ...], writers: dict[str, Callable[[Fact], str]]) -> str:
    """Each part begins with what parts it from the one before."""
    parts = "".join(writers[fact.kind](fact) for fact in stated)
    return f"{capitalized(parts.removeprefix('; '))}."


def range_of(fact: Fact, write: Callable[[float], str]) -> str:
    """``87–92 %``.

    Raises
    ------
    ValueError : there is no range.
    """
    if fact.bounds is None:
        raise ValueError(f"{fact}: expected bounds")
    return ranged(np.array(fact.bounds), write)


def size(fact: Fact) -> str:
    """``largest |x| 24,113 at layer 11, 13,533 × a typical token’s median of 1.78``."""
    (whose, *where), (largest, median, *ratio) = fact.subject, fact.values
    text = f"largest |x|{NBSP}{number(largest)}{''.join(f' at {each}' for each in where)}"
    if not ratio:
        return f"{text}, where {whose} is {number(median)}"
    return f"{text}, {number(*ratio)}{NBSP}× {whose} of {number(median)}"


def _some(fact: Fact) -> str:
    """Nothing where it holds at every depth, else at how many."""
    return " at {} of {} depths".format(*fact.values) if fact.values else ""


def _large(fact: Fact) -> str:
    which, *others = fact.subject
    kind = fact.kind.removesuffix(" at position 0")
    before = "" if kind == fact.kind else "at position 0 "
    held = f"{'is' if which.startswith('dimension ') else 'are'} {kind}{_some(fact)}"
    return f"; {before}{which} {', '.join([held, *others])}"


def _dominant(fact: Fact) -> str:
    (which,) = fact.subject
    return f"; {which} is dominant{_some(fact)}, with {range_of(fact, whole_percent)} of Σ{NBSP}x²"


def _purity(fact: Fact) -> str:
    (where,), (n_neighbors,) = fact.subject, fact.values
    return f"; {n_neighbors}-neighbor purity {where} {range_of(fact, score)}"


def _similarity(fact: Fact) -> str:
    said = [f"{score(value)} {where}" for value, where in zip(fact.values, fact.subject, strict=True)]
    return f"; mean CKA {', '.join(said)}"


_PARTS: dict[str, Callable[[Fact], str]] = {
    "massive": _large,
    "moderately large": _large,
    "massive at position 0": _large,
    "none massive": lambda _: "; no dimension is massive",
    "dominant": _dominant,
    "largest": lambda fact: f" ({size(fact)})",
    "largest, not massive": lambda fact: f" (not massive: {size(fact)})",
    "variance": lambda fact: f"; PC1 holds {range_of(fact, percent)} of the variance ({fact.subject[0]})",
    "purity": _purity,
    "by chance": lambda fact: f" (chance {range_of(fact, score)})",
    "CKA": _similarity,
}

_LEADS: dict[str, Callable[[Fact], str]] = {
    "emerge": lambda fact: f"; massive activations emerge at {fact.subject[0]}",
    "massive activations": lambda fact: f"; the words have {fact.kind}{_some(fact)}",
    "moderately large activations": lambda fact: f"; the words have {fact.kind}{_some(fact)}",
    "outgrown": lambda fact: (
        f"; activations are no longer massive by the ratio, because {fact.subject[0]} median has risen"
    ),
    "no longer massive": lambda _: "; the words no longer have massive activations",
    "massive activations at position 0": lambda fact: (
        f"; the token at position{NBSP}0 has massive activations{_some(fact)}, but the words don’t"
    ),
    "nothing large": lambda _: "; the words have no massive activations here",
    "purity": lambda fact: (
        f"; {fact.subject[0]}, {range_of(fact, whole_percent)} of a word’s nearest neighbors share its category"
    ),
    "by chance": lambda fact: f" (by chance {range_of(fact, whole_percent)})",
}
