"""Relations between words and orders of words: what is asked for, and what is measured of it.

Made in ``measure/relations.py`` and ``measure/orders.py``; shown by ``pages/model/relations.py``.
Depths are numbered as in ``measures``; NaN stands where a measure isn't defined.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from tokviz.records.claims import Claim


@dataclass(frozen=True, kw_only=True)
class Relation:
    """Pairs of words with one relation between them, such as country → capital."""

    name: str
    label: str
    pairs: tuple[tuple[str, str], ...]
    """Source and target."""
    candidates: tuple[str, ...]
    """The words that a target is looked for among, all targets included."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Words that follow each other, such as the months."""

    name: str
    label: str
    words: tuple[str, ...]
    cyclic: bool
    """Whether the first word follows the last."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PairRows:
    """A relation in one capture: its reference words."""

    pairs: np.ndarray
    """``(n_pairs, 2)`` int64: source and target, two rows; each row is the source of one pair at most, and the target of one."""
    candidates: np.ndarray
    """``(n_candidates,)`` int64"""


@dataclass(frozen=True, kw_only=True, eq=False)
class OrderRows:
    """An order in one capture: its reference words."""

    words: np.ndarray
    """``(n_words,)`` int64, in their order."""
    places: np.ndarray
    """``(n_words,)`` int64: their places in the whole order, from 0."""
    n_places: int
    cyclic: bool
    categories: np.ndarray | None = None
    """``(n_words,)`` int64: the first category of each, −1 of one without."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Tested:
    """A measure, its 95 % interval, what it is by chance, and what is claimed of it."""

    value: np.ndarray
    """``(n_depths,)`` float64: the median over a context's templates."""
    low: np.ndarray
    """``(n_depths,)`` float64: lower end of the jackknife's 95 % interval."""
    high: np.ndarray
    """``(n_depths,)`` float64: its upper end."""
    without: np.ndarray
    """``(n_depths, n_groups)`` float64: the value with one group of pairs or words left out."""
    null_mean: np.ndarray
    """``(n_depths,)`` float64: mean over permutations; of R², which has no lower bound, the median."""
    claim: Claim
    """That it is above chance."""
    templates: np.ndarray | None = None
    """``(n_templates, n_depths)`` float64: in each template of the context; None with one."""
    template_null_mean: np.ndarray | None = None
    """``(n_templates, n_depths)`` float64: each one's ``null_mean``."""

    @property
    def in_first_template(self) -> Tested:
        """Of the context's first template alone, with the chance of the median and without interval; itself with one."""
        if self.templates is None:
            return self
        unknown = np.full(len(self.value), np.nan)
        return replace(
            self,
            value=self.templates[0],
            low=unknown,
            high=unknown,
            without=np.full(self.without.shape, np.nan),
            claim=self.claim.in_first_template,
            templates=None,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class RelationMeasures:
    """How far the differences between the words of pairs are one and the same vector, in one model × context."""

    rows: np.ndarray
    """``(n_pairs, 2)`` int64: the pairs of reference words; fewer than ``LEAST_PAIRS`` aren't measured."""
    n_candidates: int
    """How many words a hit is found among."""
    parallelism: Tested
    """In −1–1: mean cosine between the pairs' differences."""
    hits: np.ndarray
    """``(n_depths,)`` float64: for how many pairs source + mean difference of the other pairs is nearest to the target."""
    hits_of_source: np.ndarray
    """``(n_depths,)`` float64: for how many the source itself is, without any difference."""
    gain: np.ndarray
    """``(n_depths,)`` float64, in −1–1: how much that difference adds to the mean of 1 / (the target's rank among candidates)."""
    offset: Claim
    """That it adds anything: which of its signs each pair's gain has is shuffled."""
    coordinates: np.ndarray
    """``(n_depths, n_pairs, 2, 2)`` float32: source and target in the plane of the first two principal components of these
    words; NaN where there is none."""

    LEAST_PAIRS: ClassVar[int] = 5

    @property
    def is_measured(self) -> bool:
        """Whether there are enough pairs."""
        return len(self.rows) >= self.LEAST_PAIRS

    @property
    def holds(self) -> np.ndarray:
        """``(n_depths,)`` bool: parallel against chance, and the difference leads to the targets better than the sources alone."""
        return np.asarray(self.parallelism.claim.holds & self.offset.holds)

    @property
    def template_holds(self) -> np.ndarray | None:
        """``(n_templates, n_depths)`` bool: the same in each template of the context; None with one."""
        parallel, offset = self.parallelism.claim.template_holds, self.offset.template_holds
        return None if parallel is None or offset is None else parallel & offset

    @property
    def in_first_template(self) -> RelationMeasures:
        """Of the context's first template alone, of which hits and gain aren't kept; itself with one."""
        if self.parallelism.templates is None:
            return self
        unknown = np.full(len(self.hits), np.nan)
        return replace(
            self,
            parallelism=self.parallelism.in_first_template,
            offset=self.offset.in_first_template,
            hits=unknown,
            hits_of_source=unknown,
            gain=unknown,
        )

    @property
    def can_be_tested(self) -> bool:
        """Whether there are enough pairs for the level of the report."""
        return self.parallelism.claim.can_be_tested and self.offset.can_be_tested


@dataclass(frozen=True, kw_only=True, eq=False)
class Closing:
    """Whether the words of a cyclic order close it, by the squared distances between them.

    Words are *far* half a cycle apart, give or take a twelfth; *near* up to a quarter, *crossing* if the step from the last word
    to the first lies between them.
    """

    closeness: np.ndarray
    """``(n_depths,)`` float64: how much nearer than far ones crossing words are, as a share of the same for other near words; 1 in
    a circle, at most 0 in an open row."""
    least_r2: np.ndarray
    """``(n_depths,)`` float64: leave-one-out R² of the place in the direction of the circle's plane in which it is least."""
    ends_meet: Claim
    """That crossing words are nearer than far ones."""
    circle: Claim
    """That far words are farther apart than those a quarter of the cycle apart."""

    LEAST_CLOSENESS: ClassVar[float] = 0.5
    LEAST_R2: ClassVar[float] = 0.7
    """Less is reached where words differ in one direction only, such as months from cold to warm."""

    @property
    def in_first_template(self) -> Closing:
        """What is announced of the context's first template alone, of which the numbers aren't kept."""
        unknown = np.full(len(self.closeness), np.nan)
        return replace(
            self,
            closeness=unknown,
            least_r2=unknown,
            ends_meet=self.ends_meet.in_first_template,
            circle=self.circle.in_first_template,
        )


Looks = Literal["frequency", "tokens", "spelling", "categories"]
"""What words look like without any model."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Beyond:
    """Whether an order can be read better from states than from what its words look like."""

    looks: tuple[Looks, ...]
    """What is taken out of places and states: as far as there are words enough, what tells most of the places."""
    r2: np.ndarray
    """``(n_depths,)`` float64, at most 1: how much less the squared errors of left-out words' places are with the states."""
    claim: Claim
    """That it is more than 0."""
    by_all: float
    """Leave-one-out R² of the places by all of the words' tokens, all letters or all numbers at once; at most 1, NaN where it isn't defined."""

    def is_exceeded_by(self, r2: np.ndarray) -> np.ndarray:
        """``(n_depths,)`` bool: whether what states leave of the places is at most the square of what tokens, letters or numbers leave."""
        return np.asarray(1 - r2 <= (1 - max(0.0, self.by_all)) ** 2)

    @property
    def in_first_template(self) -> Beyond:
        """What is announced of the context's first template alone, of which the numbers aren't kept."""
        return replace(self, r2=np.full(len(self.r2), np.nan), claim=self.claim.in_first_template)


@dataclass(frozen=True, kw_only=True, eq=False)
class OrderMeasures:
    """How well the order of some words can be read from their states, in one model × context."""

    rows: np.ndarray
    """``(n_words,)`` int64: its reference words, in their order."""
    places: np.ndarray
    """``(n_words,)`` int64: the place of each in the whole order, from 0."""
    n_places: int
    """How many words the whole order has."""
    n_units: int
    """How many there are of ``rows``, forms of one word and words that are declared to belong together being one."""
    n_components: int
    """How many principal components of these words the regression has."""
    r2: Tested
    """At most 1: leave-one-out R² of the place; below 0 it does worse than the mean of all."""
    held_out: np.ndarray
    """``(n_depths, n_words, 2)`` float32: where a regression on the other words puts each word. Of a cycle that is on the
    circle's plane (cosine and sine); else its rank, and beside it the true one."""
    closing: Closing | None
    """Of a cyclic order."""
    beyond: Beyond | None = None
    """None where nothing is known of its words' looks, or they all look alike."""

    LEAST_WORDS: ClassVar[int] = 8

    @property
    def is_measured(self) -> bool:
        """Whether there are enough words: ``LEAST_WORDS``, forms of one word being one."""
        return self.n_units >= self.LEAST_WORDS

    @property
    def holds(self) -> np.ndarray:
        """``(n_depths,)`` bool: where the order can be read."""
        return self.r2.claim.holds

    @property
    def is_beyond(self) -> np.ndarray:
        """``(n_depths,)`` bool: where it can be read, and better than from what the words look like."""
        if self.beyond is None:
            return np.zeros_like(self.holds)
        return np.asarray(self.holds & self.beyond.claim.holds & self.beyond.is_exceeded_by(self.r2.value))

    @property
    def ends_meet(self) -> np.ndarray:
        """``(n_depths,)`` bool: where it can be read, and the last words lie near the first."""
        return self.holds & self.closing.ends_meet.holds if self.closing else np.zeros_like(self.holds)

    @property
    def is_circle(self) -> np.ndarray:
        """``(n_depths,)`` bool: where its ends meet, and opposite words lie farthest apart."""
        return self.ends_meet & self.closing.circle.holds if self.closing else np.zeros_like(self.holds)

    @property
    def in_first_template(self) -> OrderMeasures:
        """Of the context's first template alone; itself with one."""
        if self.r2.templates is None:
            return self
        closing = self.closing and self.closing.in_first_template
        beyond = self.beyond and self.beyond.in_first_template
        return replace(self, r2=self.r2.in_first_template, closing=closing, beyond=beyond)


@dataclass(frozen=True, kw_only=True, eq=False)
class Relations:
    """All of one model × context, in the order of the configuration; their labels are the report's."""

    n_permutations: int
    relations: tuple[RelationMeasures, ...]
    orders: tuple[OrderMeasures, ...]

    @property
    def in_first_template(self) -> Relations:
        """Of the context's first template alone; the same with one."""
        return replace(
            self,
            relations=tuple(each.in_first_template for each in self.relations),
            orders=tuple(each.in_first_template for each in self.orders),
        )
