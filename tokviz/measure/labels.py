"""The categories of the words that are measured, and the same shuffled.

They are shuffled among the words whose initial is a capital and among the others, never between: else any model that tells
proper names from other words would be above chance. Forms of one word (play, plays, Play) and words that are declared to belong
together get their category together: they lie near each other in any model, whatever category they are in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import gammaln

from tokviz.measure.decisions import N_SHUFFLES
from tokviz.measure.forms import families
from tokviz.records import Geometry

MOST_NEIGHBOURS = 5
"""So many of a word's nearest ones count at most."""
FEW_ALIKE = 10
"""Of groups of words that stay together and can stand for each other: with fewer they would hardly ever change places."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Categories:
    """The categories of the words that are measured, and the same shuffled, used at every depth alike."""

    memberships: tuple[tuple[int, ...], ...]
    """Per word the indices of its categories; the first is the one that the silhouette goes by."""
    words: tuple[str, ...] = ()
    """A word is shuffled alike in all captures; without them, by its place among the memberships."""
    seed: int = 0
    n_permutations: int = N_SHUFFLES
    """0 leaves chance unknown."""
    declared: tuple[tuple[str, ...], ...] = ()
    """Words that the author says belong together, as written."""

    def of(self, rows: np.ndarray) -> Categories:
        """Those of some of the words, ``(n,)`` int64 rows."""
        return replace(
            self,
            memberships=tuple(self.memberships[row] for row in rows),
            words=tuple(self.words[row] for row in rows) if self.words else (),
        )

    @cached_property
    def first(self) -> np.ndarray:
        """``(n_words,)`` int64 from 0 without gaps: each word's first category."""
        return np.unique([own[0] for own in self.memberships], return_inverse=True)[1].astype(np.int64)

    @cached_property
    def counts(self) -> np.ndarray:
        """How many words each category of ``first`` has."""
        return np.bincount(self.first)

    @cached_property
    def kinds(self) -> tuple[np.ndarray, np.ndarray]:
        """``(n_words,)``: which of the different memberships each word has; and which of those share a category."""
        different = list(dict.fromkeys(self.memberships))
        share = np.array([[not set(a).isdisjoint(b) for b in different] for a in different])
        return np.array([different.index(own) for own in self.memberships]), share

    @cached_property
    def n_neighbours(self) -> int:
        """Five, or fewer where most categories have no more than five others."""
        most = int(np.median(self.counts)) - 1 if len(self.counts) else 0
        return max(1, min(MOST_NEIGHBOURS, most, len(self.memberships) - 1))

    def most_purity(self, words: np.ndarray) -> float:
        """What the purity of these words is when every neighbour shares a category, as far as there are so many words in it."""
        kinds, share = self.kinds
        others = share @ np.bincount(kinds, minlength=len(share)) - 1
        return float(np.minimum(others[kinds[words]], self.n_neighbours).mean() / self.n_neighbours)

    @cached_property
    def capitalized(self) -> np.ndarray:
        """``(n_words,)`` bool: whose initial is a capital letter."""
        return np.array([begins_with_capital(word) for word in self._names], dtype=bool)

    @property
    def _names(self) -> tuple[str, ...]:
        return self.words or tuple(map(str, range(len(self.memberships))))

    @cached_property
    def shuffles(self) -> np.ndarray:
        """``(n_permutations, n_words)`` int64: whose membership each word gets: capitalised ones among themselves, forms of one word together."""
        found = _permuted(self._random("shuffle"), self.blocks)
        alone = {bool(self.capitalized[each[0, 0]]): each[:, 0] for each in self.blocks if each.shape[1] == 1}
        few = [rows for each in self.blocks if each.shape[1] > 1 and len(each) < FEW_ALIKE for rows in each]
        keys = self._random("exchange") if few else found
        for rows in few:
            case = self.capitalized[rows]
            single = alone.get(bool(case[0]), rows[:0])
            if len(single) >= len(rows) and case.all() == case.any() and len(set(self.kinds[0][rows])) == 1:
                self._exchange(found, rows, single, keys)
        return found

    def _exchange(self, shuffles: np.ndarray, rows: np.ndarray, alone: np.ndarray, keys: np.ndarray) -> None:
        """Words that stay together, of which there are few such, also get the category of as many single ones, and these get theirs.

        Of all arrangements of them and the single words, in which they have one category, each is as likely as any other: one with ``m``
        words is theirs in proportion to m · (m − 1) · …, as many factors as they are.

        Parameters
        ----------
        alone : the rows of single words.
        keys : ``(n_permutations, n_words)``, by which single words are chosen.
        """
        kinds, share = self.kinds
        of_alone, own, every = kinds[shuffles[:, alone]], kinds[shuffles[:, rows[0]]], np.arange(len(shuffles))
        places = every[:, None] * len(share) + of_alone
        counts = np.bincount(places.ravel(), minlength=len(shuffles) * len(share)).reshape(-1, len(share))
        counts[every, own] += len(rows)
        ways = np.prod([np.maximum(counts - n, 0.0) for n in range(len(rows))], axis=0).cumsum(axis=1)
        drawn = np.random.default_rng(seed_of(self.seed, "category", self._names[rows[0]])).random(len(shuffles))
        chosen = (drawn[:, None] * ways[:, -1:] >= ways).sum(axis=1)
        order = np.argpartition(np.where(of_alone == chosen[:, None], keys[:, alone], 2.0), len(rows) - 1, axis=1)
        partners = alone[order[:, : len(rows)]]
        moved = np.flatnonzero(chosen != own)
        here, there = np.ix_(moved, rows), (moved[:, None], partners[moved])
        shuffles[here], shuffles[there] = shuffles[there], shuffles[here]

    def _random(self, purpose: str) -> np.ndarray:
        """``(n_permutations, n_words)`` float32, in 0–1."""
        return self._drawn(purpose, lambda random: random.random(self.n_permutations, dtype=np.float32)).T

    @cached_property
    def blocks(self) -> tuple[np.ndarray, ...]:
        """``(n, size)`` int64 each: rows of words that are forms of one word, in groups that can stand for each other."""
        found: dict[tuple[bool, ...], list[list[int]]] = {}
        for family in families(self._names, self.first.tolist(), self.declared):
            rows = sorted(family, key=lambda row: bool(self.capitalized[row]))
            found.setdefault(tuple(map(bool, self.capitalized[rows])), []).append(rows)
        return tuple(np.array(group) for group in found.values())

    @property
    def n_families(self) -> int:
        """How many words there are, forms of one word being one."""
        return sum(map(len, self.blocks))

    @cached_property
    def weights(self) -> np.ndarray:
        """``(n_words, n_permutations)``: random weights of the words, normal; all forms of one word have the same weight."""
        found = self._drawn("weights", lambda random: random.normal(size=self.n_permutations))
        for together in self.blocks:
            found[together] = found[together[:, :1]]
        return found

    def by_word(self, parts: np.ndarray) -> np.ndarray:
        """``(n_words,)``: what each adds to an error, that of forms of one word summed in the first of them; empty as ``parts`` is."""
        found = parts.copy()
        for together in self.blocks if len(parts) else ():
            found[together] = 0
            found[together[:, 0]] = parts[together].sum(axis=1)
        return found

    def _drawn(self, purpose: str, draw: Callable[[np.random.Generator], np.ndarray]) -> np.ndarray:
        """``(n_words, n_permutations)``, of each word alone, whatever the other words are."""
        found = [draw(np.random.default_rng(seed_of(self.seed, purpose, name))) for name in self._names]
        return np.array(found).reshape(len(found), self.n_permutations)

    @cached_property
    def n_arrangements(self) -> float:
        """How many different shuffles there are: one where the words of either case are of one category."""
        total = 0.0
        for together in self.blocks:
            kinds = self.kinds[0][together[:, 0]]
            total += gammaln(len(kinds) + 1) - gammaln(np.bincount(kinds) + 1).sum()
        return float(np.exp(min(total, 700.0)))

    @cached_property
    def shuffled_first(self) -> np.ndarray:
        """``(n_permutations, n_words)``: ``first`` shuffled, in as few bytes as do."""
        return np.asarray(self.first.astype(np.min_scalar_type(len(self.counts)))[self.shuffles])

    @cached_property
    def shuffled_kinds(self) -> np.ndarray:
        """``(n_words, n_permutations)``: the same of ``kinds``, all shuffles of a word side by side."""
        kinds, share = self.kinds
        return np.ascontiguousarray(kinds.astype(np.min_scalar_type(len(share)))[self.shuffles].T)

    @cached_property
    def silhouetted(self) -> np.ndarray:
        """The words over which a shuffle's silhouette is a mean, as ascending rows: of long lists a part, drawn whatever their categories."""
        n_words = len(self.memberships)
        if n_words <= Geometry.MOST_SILHOUETTES:
            return np.arange(n_words)
        keys = [seed_of(self.seed, "silhouette", name)[1] for name in self._names]
        return np.sort(np.argsort(np.array(keys, dtype=np.uint64), kind="stable")[: Geometry.MOST_SILHOUETTES])

    @cached_property
    def are_single(self) -> bool:
        """Whether words share a category only with those of the same memberships."""
        share = self.kinds[1]
        return int(share.sum()) == len(share)

    @cached_property
    def are_several(self) -> bool:
        """Whether there are two categories or more, and two words in one of them: else nothing can hold."""
        return len(self.counts) > 1 and bool(self.counts.max() > 1)


def permuted_within(keys: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """``(n, n_words)`` int64: words permuted by the order of their keys ``(n, n_words)``, those of each group ``(n_words,)`` among themselves."""
    return _permuted(keys, [np.flatnonzero(groups == group)[:, None] for group in np.unique(groups)])


def _permuted(keys: np.ndarray, blocks: Sequence[np.ndarray]) -> np.ndarray:
    """The same; ``blocks``: see ``Categories.blocks``. Words that stay together go by the key of the first of them."""
    found = np.empty(keys.shape, dtype=np.int64)
    for together in blocks:
        found[:, together] = together[np.argsort(keys[:, together[:, 0]], axis=1)]
    return found


def begins_with_capital(word: str) -> bool:
    """Whether its first letter is a capital; words of scripts without case never do."""
    return next((letter.isupper() or letter.istitle() for letter in word if letter.isalpha()), False)


def seed_of(seed: int, purpose: str, name: str) -> list[int]:
    """Of what is drawn for one word, the same wherever the word stands."""
    digest = hashlib.blake2b(f"{purpose}\0{name}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return [seed, int.from_bytes(digest)]
