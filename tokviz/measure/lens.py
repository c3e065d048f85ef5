"""What each layer would say: the words' states read by a Jacobian lens, beside the logit lens and the untrained model.

The score of a token is the product of its direction and the state. Scores are standardized over the words, so that what all words
share, as a bias towards frequent tokens, counts for none of them. "Verbalizable Representations Form a Global Workspace in Language
Models", transformer-circuits.pub 2026. The logit lens (nostalgebraist 2020) takes the last depth's directions at every depth.

Chance: categories and the words' own tokens are shuffled as those of ``labels``, pairs as those of ``relations``, always the same at
every depth; names of categories must also do better than exchanged names (``exchanging``). What is claimed is decided over the whole
report (``decisions``), and only where the directions from both halves of the text agree. Intervals over the words are Wilson's (1927).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tokviz.measure.categories import LEAST_WORDS
from tokviz.measure.decisions import N_SHUFFLES, claim_on_median
from tokviz.measure.exchanging import exchanged
from tokviz.measure.labels import Categories
from tokviz.measure.relations import is_one_word
from tokviz.measure.tested import empty, factorial, median, permutations, wilson
from tokviz.records import Directions, HiddenStates, Lens, LensMeasure, PairRows, RelationMeasures

FAMILY = "lens"
FAMILY_OF_NAMES = "lens, names"
"""Whether names do better than exchanged ones, in any capture of a report."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Read:
    """The words that are read, in one model × context."""

    templates: tuple[HiddenStates, ...]
    memberships: tuple[tuple[int, ...], ...]
    pairs: tuple[PairRows, ...]
    groups: tuple[tuple[str, ...], ...] = ()
    """Words that belong together, as written."""
    seed: int = 0
    """Of shuffles."""

    @cached_property
    def rows(self) -> np.ndarray:
        """``(n,)`` int64: those that are reference words in all templates."""
        first, *further = (each.tokenization for each in self.templates)
        return np.flatnonzero(first.reference_beside(further))

    @property
    def n_words(self) -> int:
        return len(self.memberships)

    @property
    def n_depths(self) -> int:
        return self.templates[0].n_depths

    def word(self, row: int) -> str:
        return self.templates[0].tokenization.words[row].word

    def first_token(self, row: int) -> int:
        """In the first template."""
        word = self.templates[0].tokenization.words[row]
        return word.ids[word.start]

    def tokens(self, row: int) -> set[int]:
        """Of the word, in all templates."""
        words = (each.tokenization.words[row] for each in self.templates)
        return {token for word in words for token in word.word_ids}


def unread(states: HiddenStates, reason: str | None) -> Lens:
    """Of a model without a lens."""
    return Lens(reason=reason or "", read=np.zeros(len(states.tokenization.words), dtype=bool))


def measure(
    read: Read,
    names: Directions,
    words: Directions | None,
    untrained: tuple[HiddenStates, Directions] | None = None,
) -> Lens:
    """What is read of one model × context.

    Parameters
    ----------
    names : of the categories' names, in their order.
    words : of the words' first tokens; None where there are too many.
    untrained : the first template's states in the model with all weights random, and the directions of its names.
    """
    named = _Named(read, names)
    own = None if words is None else _Own(read, words)
    relations = [_Relation(read, words, each) if words else None for each in read.pairs]
    of_names = _over_depths(read, names, [named] if named.is_asked else [])
    asked = [each for each in (own, *relations) if each is not None and each.is_asked]
    of_words = [] if words is None else _over_depths(read, words, asked)
    found = dict(zip(asked, of_words, strict=True))
    is_read = np.zeros(read.n_words, dtype=bool)
    is_read[read.rows] = True
    return Lens(
        names=names.pieces,
        read=is_read,
        named=of_names[0].measured if of_names else None,
        untrained=_untrained(read, named, untrained) if untrained and named.is_asked else None,
        own=found[own].measured if own in found else None,
        own_rank=found[own].ranks if own in found else None,
        own_rank_logit=found[own].ranks_logit if own in found else None,
        relations=tuple(found[each].measured if each in found else None for each in relations),
        top_names=of_names[0].tops if of_names else None,
        top_words=_with_own_rows(read, found[own].tops) if own in found else None,
    )


# --- scores --------------------------------------------------------------------------------------------------------


def scores(states: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Products of states and directions, standardized over the words.

    Parameters
    ----------
    states : ``(n_words, width)``.
    directions : ``(n_tokens, width)``.

    Returns
    -------
    ``(n_words, n_tokens)`` float64: −inf for a token that scores alike with all words, NaN where states aren't finite.
    """
    if not np.isfinite(states).all():
        return empty(len(states), len(directions))
    products = states.astype(np.float64) @ directions.astype(np.float64).T
    mean, spread = products.mean(axis=0), products.std(axis=0)
    is_alike = spread <= 1e-9 * np.abs(products).max(axis=0, initial=1e-300)
    return np.where(is_alike, -np.inf, (products - mean) / np.where(is_alike, 1.0, spread))


def agreement(one: np.ndarray, other: np.ndarray, *, lowest: bool = False) -> float:
    """Spearman's rank correlation over the words between the columns of two ``(n_words, n_tokens)``: mean over the tokens, or lowest."""
    known = np.isfinite(one).all(axis=0) & np.isfinite(other).all(axis=0)
    if not known.any() or len(one) < 3:
        return float("nan")
    ranks = [np.argsort(np.argsort(each[:, known], axis=0), axis=0).astype(np.float64) for each in (one, other)]
    a, b = (each - each.mean(axis=0) for each in ranks)
    found = (a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return float(found.min() if lowest else found.mean())


def _with_own_rows(read: Read, tops: np.ndarray) -> np.ndarray:
    """``tops``, but of words that begin with the same token each word stands for itself."""
    found = tops.copy()
    tokens = np.array([read.first_token(row) for row in read.rows])
    for row, token in zip(read.rows, tokens, strict=True):
        found[:, row][np.isin(tops[:, row], read.rows[tokens == token])] = row
    return found


# --- questions -----------------------------------------------------------------------------------------------------


class _Question(ABC):
    """Whether what scores highest is what it should be, of some of the words that are read."""

    columns: np.ndarray
    """``(n_tokens,)`` int64: the tokens that may score highest, each once."""
    shown: np.ndarray | None = None
    """``(n_tokens,)`` int64: the category or row that stands for each of them in ``Lens``; None where that has none of them."""
    n: int
    n_arrangements: float
    is_asked: bool
    n_exchanges: float = 0
    """Arrangements of names, that as they are included, where names are exchanged."""

    @abstractmethod
    def right(self, own: np.ndarray, n: int | None = None) -> np.ndarray:
        """Scores ``(n_read, n_tokens)`` of ``columns`` → the share that is right, as it is and shuffled.

        ``(1 + N_SHUFFLES,)``, or the first ``n`` of these.
        """

    def share(self, own: np.ndarray) -> float:
        """The share that is right, as it is."""
        return float(self.right(own, 1)[0])


class _Named(_Question):
    """Whether the name of one of a word's categories scores highest.

    Words that hold a name's token themselves aren't asked: they would be named by their own token.

    It must also do so more often than exchanged names, between categories whose words begin alike, with a capital letter or without.
    """

    def __init__(self, read: Read, names: Directions) -> None:
        ids = list(names.ids)
        self.columns = self.shown = np.arange(len(ids))
        asked = [
            place for place, row in enumerate(read.rows) if read.memberships[row] and not read.tokens(row) & set(ids)
        ]
        self._places = np.array(asked, dtype=np.int64)
        rows = read.rows[self._places]
        memberships = tuple(read.memberships[row] for row in rows)
        words = tuple(read.word(row) for row in rows)
        categories = Categories(memberships=memberships, words=words, seed=read.seed, declared=read.groups)
        self.n = len(rows)
        # Two names of one token can't be told apart, and one that the tokenizer doesn't know can't be said.
        self.is_asked = self.n > 0 and len(ids) > 1 and len(set(ids)) == len(ids) and all(names.pieces)
        if not self.is_asked:
            return
        self.n_arrangements = categories.n_arrangements
        kinds, _ = categories.kinds
        self._has = _holds(list(dict.fromkeys(memberships)), len(ids))
        self._kinds = np.vstack([kinds, kinds[categories.shuffles]])
        self._belongs = _holds(memberships, len(ids))
        capital = self._belongs.T @ categories.capitalized / np.maximum(self._belongs.sum(axis=0), 1)
        self._exchanged, self.n_exchanges = exchanged(capital > 0.5, read.seed)

    def right(self, own: np.ndarray, n: int | None = None) -> np.ndarray:
        answers = own[self._places].argmax(axis=1)
        return np.asarray(self._has[self._kinds[:n], answers].mean(axis=1))

    def right_exchanged(self, own: np.ndarray) -> np.ndarray:
        """``(1 + N_SHUFFLES,)``: the share that is right with the names as they are, then exchanged."""
        answers = own[self._places].argmax(axis=1)
        # Of each category, how many of its words are read as which.
        counted = self._belongs.T.astype(np.int64) @ (answers[:, None] == np.arange(len(self.columns)))
        return np.asarray(counted[np.arange(len(counted)), self._exchanged].sum(axis=1) / self.n)


def _holds(memberships: Sequence[tuple[int, ...]], n: int) -> np.ndarray:
    """``(len(memberships), n)`` bool: which of ``n`` categories each holds."""
    return np.array([[index in own for index in range(n)] for own in memberships])


class _Own(_Question):
    """Whether a word's own first token scores highest of all words'."""

    def __init__(self, read: Read, words: Directions) -> None:
        ids = np.array([read.first_token(row) for row in read.rows])
        own, first, which = np.unique(ids, return_index=True, return_inverse=True)
        self.columns = np.searchsorted(words.ids, own)
        self.shown = read.rows[first]
        self.n = len(read.rows)
        self.is_asked = len(own) > 1
        if not self.is_asked:
            return
        names = tuple(read.word(row) for row in read.rows)
        shuffled = Categories(memberships=tuple((int(each),) for each in which), words=names, seed=read.seed)
        self.n_arrangements = shuffled.n_arrangements
        self._tokens = np.vstack([which, which[shuffled.shuffles]])

    def right(self, own: np.ndarray, n: int | None = None) -> np.ndarray:
        return np.asarray((self._tokens[:n] == own.argmax(axis=1)).mean(axis=1))

    def rank(self, own: np.ndarray) -> float:
        """How many tokens score higher than the word's own, median over the words."""
        of_own = np.take_along_axis(own, self._tokens[0][:, None], axis=1)
        return float(np.median((own > of_own).sum(axis=1)))


class _Relation(_Question):
    """Whether the target of a pair scores highest of the candidates, those left out that begin with a token of the source."""

    def __init__(self, read: Read, words: Directions, pairs: PairRows) -> None:
        rows = pairs.pairs
        self.n = len(rows)
        self.is_asked = self.n >= RelationMeasures.LEAST_PAIRS
        self.columns = np.empty(0, dtype=np.int64)
        if not self.is_asked:
            return
        tokens = np.array([read.first_token(row) for row in pairs.candidates])
        own = np.unique(tokens)
        self.columns = np.searchsorted(words.ids, own)
        self._sources = np.searchsorted(read.rows, rows[:, 0])
        self._left_out = np.array([np.isin(own, list(read.tokens(row))) for row in rows[:, 0]])
        targets = np.searchsorted(own, [read.first_token(row) for row in rows[:, 1]])
        self._targets = targets[permutations(self.n, read.seed, is_one_word(rows))]
        self.n_arrangements = factorial(self.n)

    def right(self, own: np.ndarray, n: int | None = None) -> np.ndarray:
        answers = np.where(self._left_out, -np.inf, own[self._sources]).argmax(axis=1)
        return np.asarray((self._targets[:n] == answers).mean(axis=1))


# --- over depths ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class _InTemplate:
    """What is gathered of one question in one template; NaN where a depth's states or directions aren't finite."""

    found: np.ndarray
    """``(n_depths, 1 + N_SHUFFLES)``"""
    halves: np.ndarray
    """``(2, n_depths)``"""
    exchanged: np.ndarray
    """``(n_depths, 1 + N_SHUFFLES)``: of categories the share with names as they are, then exchanged."""
    agreement: np.ndarray
    """``(n_depths,)``, as are the others."""
    logit: np.ndarray
    rank: np.ndarray
    rank_logit: np.ndarray

    @classmethod
    def empty(cls, n_depths: int) -> _InTemplate:
        one_each = {name: empty(n_depths) for name in ("agreement", "logit", "rank", "rank_logit")}
        return cls(
            found=empty(n_depths, 1 + N_SHUFFLES),
            halves=empty(2, n_depths),
            exchanged=empty(n_depths, 1 + N_SHUFFLES),
            **one_each,
        )

    def add(self, depth: int, question: _Question, by: _Scores) -> None:
        """What one depth gives."""
        self.found[depth] = question.right(by.both)
        self.halves[:, depth] = [question.share(each) for each in by.halves]
        self.agreement[depth] = agreement(*by.halves, lowest=isinstance(question, _Named))
        if isinstance(question, _Named):
            self.exchanged[depth] = question.right_exchanged(by.both)
        if by.logit is not None:
            self.logit[depth] = question.share(by.logit)
        if isinstance(question, _Own):
            self.rank[depth] = question.rank(by.both)
            if by.logit is not None:
                self.rank_logit[depth] = question.rank(by.logit)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scores:
    """Of the words that are read at one depth, ``(n_read, n_tokens)`` each."""

    both: np.ndarray
    halves: tuple[np.ndarray, np.ndarray]
    logit: np.ndarray | None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Answers:
    """One question in all templates."""

    question: _Question
    is_fitted: bool
    """Whether the lens was fitted where these words are read: at position 0 it wasn't, and nothing is announced."""
    tops: np.ndarray
    """``(n_depths, n_words, Lens.N_TOP)`` int32: what scores highest in the first template."""
    templates: list[_InTemplate] = field(default_factory=list)

    @classmethod
    def empty(cls, question: _Question, read: Read) -> _Answers:
        return cls(
            question=question,
            is_fitted=not read.templates[0].tokenization.reads_position_0,
            tops=np.full((read.n_depths, read.n_words, Lens.N_TOP), -1, dtype=np.int32),
        )

    def add(self, depth: int, rows: np.ndarray, by: _Scores) -> None:
        """What one depth gives in the latest template; ``rows``: of the words that are read."""
        self.templates[-1].add(depth, self.question, by)
        shown = self.question.shown
        if shown is not None and len(self.templates) == 1:
            n = min(Lens.N_TOP, len(shown))
            self.tops[depth, rows, :n] = shown[np.argsort(-by.both, axis=1, kind="stable")[:, :n]]

    @property
    def measured(self) -> LensMeasure:
        """The record, with what may be claimed."""
        n = self.question.n
        found = [each.found for each in self.templates]
        agreements = [each.agreement for each in self.templates]
        ends = [wilson(each[:, 0], n) for each in found]
        is_enough = self.is_fitted and (isinstance(self.question, _Relation) or n >= LEAST_WORDS)
        low, high = (median([each[end] for each in ends]) for end in (0, 1))
        whole = median(found)
        null_mean = whole[:, 1:].mean(axis=1)
        firm = median(agreements)

        def eligible(agree: np.ndarray, lower: np.ndarray, chance: np.ndarray) -> np.ndarray:
            return np.asarray(is_enough & (agree >= LensMeasure.LEAST_AGREEMENT) & (lower > chance))

        are_eligible = [
            eligible(agree, end[0], each[:, 1:].mean(axis=1))
            for agree, end, each in zip(agreements, ends, found, strict=True)
        ]
        is_eligible = eligible(firm, low, null_mean)
        return LensMeasure(
            n=n,
            value=whole[:, 0],
            low=low,
            high=high,
            halves=median([each.halves for each in self.templates]),
            agreement=firm,
            null_mean=null_mean,
            logit=median([each.logit for each in self.templates]),
            claim=claim_on_median(FAMILY, found, are_eligible, is_eligible, self.question.n_arrangements),
            exchanged=claim_on_median(
                FAMILY_OF_NAMES,
                [each.exchanged for each in self.templates],
                are_eligible,
                is_eligible,
                self.question.n_exchanges,
            )
            if self.question.n_exchanges
            else None,
            templates=np.array([each[:, 0] for each in found]) if len(found) > 1 else None,
        )

    @property
    def ranks(self) -> np.ndarray:
        """``(n_depths,)``, of ``_Own``."""
        return median([each.rank for each in self.templates])

    @property
    def ranks_logit(self) -> np.ndarray:
        """The same by the logit lens."""
        return median([each.rank_logit for each in self.templates])


def _over_depths(read: Read, directions: Directions, questions: Sequence[_Question]) -> list[_Answers]:
    """The answers to some questions about tokens of the same ``directions``; one depth is read at a time."""
    answers = [_Answers.empty(each, read) for each in questions]
    end = directions.halves(read.n_depths - 1).mean(axis=0)
    for states in read.templates:
        for each in answers:
            each.templates.append(_InTemplate.empty(read.n_depths))
        for depth in range(read.n_depths):
            own, halves = states.states[depth][read.rows], directions.halves(depth)
            if not (np.isfinite(own).all() and np.isfinite(halves).all()):
                continue
            for each in answers:
                columns = each.question.columns
                one, other = (scores(own, half[columns]) for half in halves)
                # The embedding may be narrower than what the output matrix takes.
                logit = scores(own, end[columns]) if end.shape[1] == own.shape[1] else None
                by = _Scores(both=scores(own, halves.mean(axis=0)[columns]), halves=(one, other), logit=logit)
                each.add(depth, read.rows, by)
    return answers


def _untrained(read: Read, named: _Named, untrained: tuple[HiddenStates, Directions]) -> np.ndarray:
    """``(n_depths,)``: of how many words the category is named by the untrained model's lens, where the halves of its text agree."""
    states, names = untrained
    curve = empty(read.n_depths)
    for depth in range(read.n_depths):
        halves = names.halves(depth)[:, named.columns]
        one, other, own = (scores(states.states[depth][read.rows], each) for each in (*halves, halves.mean(axis=0)))
        if agreement(one, other, lowest=True) >= LensMeasure.LEAST_AGREEMENT:
            curve[depth] = named.share(own)
    return curve
