"""Whether an order can be read better from states than from what its words look like: how common they are, their tokens, spelling, categories.

What looks predict is taken out of both, places and states, and what is left is permuted (Freedman & Lane 1983, A nonstochastic
interpretation of reported significance levels). Of categories, and of tokens that words have in common, that is the mean place: however
many there are, a model that tells them apart and no more can't do better. An order by frequency can be read from any model that tells common words from rare
ones; one of three categories in a row, from any that tells these apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from tokviz.measure.decisions import claim_on_median
from tokviz.measure.surface import features, spelled
from tokviz.records import Beyond, Looks, OrderRows, Tokenization, TokenizedWord

WORDS_EACH = 8
"""For each number that is taken out there must be so many words; mean places are taken out whatever the words are."""
_ALIKE = 1e-6
"""A number of the words is left out where less than this share of its length is new beside those already taken."""
_NOTHING = 1e-9
"""Of a variance: less is rounding."""
_Number = tuple[Looks, np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class LooksOf:
    """What the words of an order look like, as far as it is taken out."""

    names: tuple[Looks, ...]
    hat: np.ndarray
    """``(n_words, n_words)``: values → their mean and what looks predict of them."""
    n: int
    """How many numbers."""


def looks_of(order: OrderRows, tokenization: Tokenization, aims: np.ndarray) -> tuple[LooksOf, ...]:
    """The mean places of words that have something in common, then as many numbers as there are words for, each by turns the first of them.

    Empty where nothing is known of them.

    Parameters
    ----------
    aims : ``(n_words, n_aims)``: what the order's regression aims at.
    """
    n = len(order.words)
    base, names = np.full((n, 1), n**-0.5), list[Looks]()
    for name, groups in _groups(order, tokenization):
        for own in _means(aims, groups).T:
            left = own - base @ (base.T @ own)
            if np.linalg.norm(left) > _ALIKE * np.linalg.norm(own):
                base = np.hstack([base, left[:, None] / np.linalg.norm(left)])
                names.append(name)
    numbers = tuple(_numbers(order, tokenization))
    every = [_with_numbers(aims, base, names, numbers, first) for first in numbers]
    found = [each for each in every if each is not None]
    if not found and names:
        return (LooksOf(names=tuple(dict.fromkeys(names)), hat=base @ base.T, n=len(names)),)
    found.sort(key=lambda each: -float(((each.hat @ aims) ** 2).sum()))  # what tells most of the places is named first
    return tuple(each for at, each in enumerate(found) if not any(_are_alike(each, one) for one in found[:at]))


def _with_numbers(
    aims: np.ndarray, base: np.ndarray, names: Sequence[Looks], numbers: Sequence[_Number], first: _Number
) -> LooksOf | None:
    """``first``, then what tells most of the places that are left, one after the other; None where it tells nothing new."""
    taken = list(names)
    while len(taken) < len(base) // WORDS_EACH:
        asked = numbers if len(taken) > len(names) else (first,)
        left_of = [(name, own - base @ (base.T @ own), np.linalg.norm(own)) for name, own in asked]
        known = [
            (name, own / np.linalg.norm(own)) for name, own, size in left_of if np.linalg.norm(own) > _ALIKE * size
        ]
        if not known:
            break
        name, best = max(known, key=lambda each: float(((each[1] @ aims) ** 2).sum()))
        base = np.hstack([base, best[:, None]])
        taken.append(name)
    is_new = len(taken) > len(names)
    return LooksOf(names=tuple(dict.fromkeys(taken)), hat=base @ base.T, n=len(taken)) if is_new else None


def _are_alike(one: LooksOf, other: LooksOf) -> bool:
    return np.allclose(one.hat, other.hat, atol=_ALIKE)


def _numbers(order: OrderRows, tokenization: Tokenization) -> Iterator[_Number]:
    """``(n_words,)`` each; how common words are also as their rank, as states may tell it along any curve."""
    if tokenization.is_known:
        case, n_tokens, rare = features(tokenization)[order.words].T
        yield from (("frequency", each) for each in (rare, np.expm1(rare), rankdata(rare)))
        spelling = spelled([tokenization.words[row].word for row in order.words]).T
        yield "tokens", n_tokens
        yield from (("spelling", each) for each in (case, *spelling))


def _groups(order: OrderRows, tokenization: Tokenization) -> Iterator[tuple[Looks, Sequence[int]]]:
    """Of each word what it may have in common with others: its category, its first token, its last."""
    if order.categories is not None:
        yield "categories", order.categories.tolist()
    if tokenization.is_known:
        words = [tokenization.words[row] for row in order.words]
        yield from (("tokens", [each.ids[at(each)] for each in words]) for at in (_first, _last))


def _first(word: TokenizedWord) -> int:
    return word.start


def _last(word: TokenizedWord) -> int:
    return word.stop - 1


def _means(aims: np.ndarray, groups: Sequence[int]) -> np.ndarray:
    """``(n_words, n_aims)``: the mean of each word's group; words that are alone are one group, as else each would tell its own place."""
    _, which, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    which[sizes[which] == 1] = len(sizes)
    found = np.empty_like(aims)
    for group in set(which.tolist()):
        found[which == group] = aims[which == group].mean(axis=0)
    return found


class BeyondOverDepths:
    """Gathers it of one order in one template.

    Parameters
    ----------
    aims : ``(n_words, n_aims)``.
    permutations : ``(1 + n, n_words)``, the first one as it is.
    n_components : of as many words' states as are left when looks are taken out.
    """

    def __init__(
        self, aims: np.ndarray, looks: LooksOf, n_depths: int, permutations: np.ndarray, n_components: int
    ) -> None:
        self.looks, self._n_components = looks, n_components
        self._out = np.eye(len(aims)) - looks.hat
        residuals = self._out @ aims
        self._permuted = residuals[permutations].transpose(1, 0, 2)
        self._by_looks = self._left_out(looks.hat)
        spread = float(((aims - aims.mean(axis=0)) ** 2).sum())
        self._is_defined = float((residuals**2).sum()) > _NOTHING * spread and self._by_looks is not None
        self.left = np.full((n_depths, len(permutations)), np.nan)
        """1 − R²: squared errors by looks and states as a share of those by looks alone."""

    def add(self, depth: int, gram: np.ndarray) -> None:
        """``gram``: ``(n_words, n_words)``, of centered states."""
        if not self._is_defined:
            return
        values, vectors = np.linalg.eigh(self._out @ gram @ self._out)
        components = vectors[:, -self._n_components :] * (values[-self._n_components :] > _NOTHING * values[-1])
        found = self._left_out(self.looks.hat + components @ components.T) if values[-1] > 0 else None
        if found is not None:
            self.left[depth] = found / self._by_looks

    def _left_out(self, hat: np.ndarray) -> np.ndarray | None:
        """``(1 + n,)``: the squared errors of each word's place by a regression on the others; None where one word decides alone."""
        free = 1 - np.diag(hat)
        if free.min() < _NOTHING:
            return None
        errors = np.tensordot((np.eye(len(hat)) - hat) / free[:, None], self._permuted, axes=1)
        return np.asarray((errors**2).sum(axis=(0, 2)))


def beyond_record(family: str, templates: Sequence[Sequence[BeyondOverDepths]], n_arrangements: float) -> Beyond:
    """The median over templates, of each the looks that it is least more than; ``family``: that the order can be read belongs to."""
    lefts = [_least([each.left for each in alternatives]) for alternatives in templates]
    values = [1 - left[:, 0] for left in lefts]
    r2 = np.median(values, axis=0)
    return Beyond(
        looks=tuple(dict.fromkeys(name for each in templates[0] for name in each.looks.names)),
        r2=r2,
        claim=claim_on_median(
            f"{family}, beyond",
            [-np.log(np.maximum(left, _NOTHING)) for left in lefts],
            [each > 0 for each in values],
            r2 > 0,
            n_arrangements,
        ),
    )


def _least(lefts: Sequence[np.ndarray]) -> np.ndarray:
    """``(n_depths, 1 + n)``: at each depth that of the looks that states are least more than, or one that has no value.

    What is more than each of several is more than the least of them: one test, at the level of one (intersection–union test; Berger 1982).
    """
    every = np.array(lefts)
    scores = -np.log(np.maximum(every, _NOTHING))
    with np.errstate(invalid="ignore", divide="ignore"):
        above = (scores[..., 0] - scores[..., 1:].mean(axis=2)) / scores[..., 1:].std(axis=2)
    least = np.where(np.isfinite(above), above, -np.inf).argmin(axis=0)
    return np.asarray(every[least, np.arange(every.shape[1])])
