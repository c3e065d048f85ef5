"""Whether an order can be read better from states than from what its words look like: how common they are, their tokens, spelling, categories.

What looks predict is taken out of both, places and states, and what is left is permuted (Freedman & Lane 1983, A nonstochastic
interpretation of reported significance levels). Of categories, and of tokens and letters that words have in common, that is the mean
place: however many there are, a model that tells them apart and no more can't do better. An order by frequency can be read from any model
that tells common words from rare ones; one of three categories in a row, from any that tells these apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from tokviz.measure.decisions import claim_on_median
from tokviz.measure.forms import plain
from tokviz.measure.spaces import standardized
from tokviz.measure.surface import differing, features, spelled
from tokviz.measure.tested import permuted, residuals_without, squares_of
from tokviz.records import Beyond, Looks, OrderRows, Tokenization

WORDS_EACH = 8
"""For each number that is taken out there must be so many words; mean places are taken out whatever the words are."""
_ALIKE = 1e-6
"""A number of the words is left out where less than this share of its length is new beside those already taken."""
_NOTHING = 1e-9
"""Of a variance: less is rounding."""
_MOST = 12
"""Sets of looks that an order is held against: those that tell most of the places."""
_RIDGES = (1e-6, 1e-2, 1e-1)
"""Of the kernel's mean on its diagonal."""
_MOST_PLACES = 4
"""At which, from the beginning and from the end, words may have a token or a letter in common."""
_Look = tuple[Looks, np.ndarray]
"""``(n_words, n)``: numbers, or the mean places of words that have something in common."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LooksOf:
    """What the words of an order look like, as far as it is taken out."""

    names: tuple[Looks, ...]
    hat: np.ndarray
    """``(n_words, n_words)``: values → their mean and what looks predict of them."""
    n: int
    """How many numbers."""


def looks_of(order: OrderRows, tokenization: Tokenization, aims: np.ndarray) -> tuple[LooksOf, ...]:
    """The mean places of words that have something in common, then as many others as there are words for, each by turns the first of them.

    Empty where nothing is known of them.

    Parameters
    ----------
    aims : ``(n_words, n_aims)``: what the order's regression aims at.
    """
    base, names = np.full((len(aims), 1), len(aims) ** -0.5), list[Looks]()
    for name, groups in _groups(order, tokenization):
        base, n_new = _with(base, _means(aims, groups))
        names += [name] * n_new
    firsts = [(name, _means(aims, groups)) for name, groups in _further_groups(order, tokenization)]
    numbers = list(_numbers(order, tokenization))
    looks = [*firsts, *numbers]
    if len(names) < len(aims) // WORDS_EACH:
        firsts += numbers
    every = [_with_others(aims, base, names, looks, first) for first in firsts]
    found = [each for each in every if each is not None]
    if not found and names:
        return (LooksOf(names=tuple(dict.fromkeys(names)), hat=base @ base.T, n=len(names)),)
    found.sort(key=lambda each: -float(((each.hat @ aims) ** 2).sum()))  # what tells most of the places is named first
    return tuple(each for at, each in enumerate(found) if not any(_are_alike(each, one) for one in found[:at]))[:_MOST]


def _with(base: np.ndarray, look: np.ndarray) -> tuple[np.ndarray, int]:
    """An orthonormal base and what is new in a look, and how many numbers that is: none where they tell a single word from all others."""
    found = base
    for own in look.T:
        left = own - found @ (found.T @ own)
        if np.linalg.norm(left) > _ALIKE * np.linalg.norm(own):
            found = np.hstack([found, left[:, None] / np.linalg.norm(left)])
    is_of_one = (found**2).sum(axis=1).max() > 1 - _NOTHING
    return (base, 0) if is_of_one else (found, found.shape[1] - base.shape[1])


def _with_others(
    aims: np.ndarray, base: np.ndarray, names: Sequence[Looks], looks: Sequence[_Look], first: _Look
) -> LooksOf | None:
    """``first``, then what tells most of the places that are left, one after the other; None where it tells nothing new."""
    taken = list(names)
    asked: Sequence[_Look] = (first,)
    while known := [each for each in ((name, *_with(base, own)) for name, own in asked) if each[2]]:
        name, base, n_new = max(known, key=lambda each: float(((each[1].T @ aims) ** 2).sum()))
        taken += [name] * n_new
        asked = looks if len(taken) < len(aims) // WORDS_EACH else ()
    is_new = len(taken) > len(names)
    return LooksOf(names=tuple(dict.fromkeys(taken)), hat=base @ base.T, n=len(taken)) if is_new else None


def _are_alike(one: LooksOf, other: LooksOf) -> bool:
    return np.allclose(one.hat, other.hat, atol=_ALIKE)


def _numbers(order: OrderRows, tokenization: Tokenization) -> Iterator[_Look]:
    """``(n_words, 1)`` each; also as their rank, as states may tell them along any curve."""
    if tokenization.is_known:
        case, n_tokens, rare = features(tokenization)[order.words].T
        n_letters, *places = spelled([tokenization.words[row].word for row in order.words]).T
        every: dict[Looks, tuple[np.ndarray, ...]] = {
            "frequency": (rare, np.expm1(rare), rankdata(rare)),
            "tokens": (n_tokens, rankdata(n_tokens)),
            "spelling": (case, n_letters, rankdata(n_letters), *places),
        }
        yield from ((name, each[:, None]) for name, numbers in every.items() for each in numbers)


def _groups(order: OrderRows, tokenization: Tokenization) -> Iterator[tuple[Looks, Sequence[int]]]:
    """Of each word what it may have in common with others: its category, its first token, its last."""
    if order.categories is not None:
        yield "categories", order.categories.tolist()
    if tokenization.is_known:
        yield from (("tokens", _at(_tokens(order, tokenization), end)) for end in (0, -1))


def _further_groups(order: OrderRows, tokenization: Tokenization) -> Iterator[tuple[Looks, Sequence[int]]]:
    """What else: tokens and letters in between, how many they are. Of these not all are taken out at once, as few words may be left."""
    for name, parts in _parts(order, tokenization).items():
        yield name, list(map(len, parts))
        own = differing(parts)
        for place in range(min(_MOST_PLACES, max(map(len, own)))):
            yield from ((name, _at(own, at)) for at in (place, -1 - place))


def _parts(order: OrderRows, tokenization: Tokenization) -> dict[Looks, Sequence[Sequence[int]]]:
    """Tokens of each word, and its letters; nothing where they aren't known."""
    if not tokenization.is_known:
        return {}
    words = [plain(tokenization.words[row].word) for row in order.words]
    return {"tokens": _tokens(order, tokenization), "spelling": [list(map(ord, word)) for word in words]}


def _tokens(order: OrderRows, tokenization: Tokenization) -> list[Sequence[int]]:
    return [tokenization.words[row].word_ids for row in order.words]


def _at(parts: Sequence[Sequence[int]], place: int) -> list[int]:
    """Of each word the part at a place, from the end where that is below 0; −1 where it has none."""
    return [own[place] if -len(own) <= place < len(own) else -1 for own in parts]


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
    units : places of words that are left out together.
    """

    def __init__(
        self,
        aims: np.ndarray,
        looks: LooksOf,
        n_depths: int,
        permutations: np.ndarray,
        n_components: int,
        units: Sequence[np.ndarray] = (),
    ) -> None:
        self.looks, self._n_components, self._units = looks, n_components, units
        self._out = np.eye(len(aims)) - looks.hat
        residuals = self._out @ aims
        self._n_aims, self._permuted = aims.shape[1], permuted(residuals, permutations)
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
        """``(1 + n,)``: the squared errors of each word's place by a regression on the others; None where one unit decides alone."""
        found = residuals_without(hat, self._units)
        return None if np.isnan(found).any() else squares_of(found @ self._permuted, self._n_aims)


def r2_by_all(order: OrderRows, tokenization: Tokenization, aims: np.ndarray, units: Sequence[np.ndarray]) -> float:
    """Leave-one-out R² of the places by all tokens, all letters or all numbers at once: what models with random weights may tell of them.

    Few words leave no room to take all of that out. So a kernel regression predicts each place from those of words with tokens in common,
    one by one or two together, or of like numbers; of a few such regressions the largest R² counts.

    Returns
    -------
    At most 1; NaN where tokens aren't known.
    """
    out_of_mean = np.eye(len(aims)) - 1 / len(aims)
    kernels = [out_of_mean @ alike @ out_of_mean for alike in _all_alike(order, tokenization)]
    found = [_r2_by(kernel, ridge, aims, units) for kernel in kernels for ridge in _RIDGES]
    return max((each for each in found if np.isfinite(each)), default=float("nan"))


def _all_alike(order: OrderRows, tokenization: Tokenization) -> Iterator[np.ndarray]:
    """``(n_words, n_words)`` each: how alike words are in all of their tokens, all of their letters, or all of their numbers."""
    for parts in _parts(order, tokenization).values():
        own = differing(parts)
        places = [np.array(_at(own, at)) for end in range(max(map(len, own))) for at in (end, -1 - end)]
        alike = np.mean([each[:, None] == each for each in places], axis=0)
        yield from (alike, alike**2)
    numbers = [each for _, each in _numbers(order, tokenization)]
    if numbers:
        every = standardized(np.hstack(numbers))
        yield every @ every.T


def _r2_by(kernel: np.ndarray, ridge: float, aims: np.ndarray, units: Sequence[np.ndarray]) -> float:
    """``kernel``: ``(n_words, n_words)``, of centered features."""
    n = len(kernel)
    own = kernel + ridge * max(np.trace(kernel) / n, _NOTHING) * np.eye(n)
    errors = residuals_without(1 / n + kernel @ np.linalg.inv(own), units) @ aims
    return float(1 - (errors**2).sum() / ((aims - aims.mean(axis=0)) ** 2).sum())


def beyond_record(
    family: str, templates: Sequence[Sequence[BeyondOverDepths]], n_arrangements: float, by_all: float
) -> Beyond:
    """The median over templates, of each the looks that it is least more than.

    Parameters
    ----------
    family : that the order can be read belongs to.
    by_all : from ``r2_by_all``.
    """
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
        by_all=by_all,
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
