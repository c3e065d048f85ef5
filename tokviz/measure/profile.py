"""Whether two models differ in how far they are above chance, on the words that both share.

Of each model counts its best depth. More depths would make a better best one: so the deeper model is taken at as many depths as
the other has, one drawn from each of so many runs of neighboring depths, and what the best of them is on average follows
exactly from its values.

How sure a difference is follows from the units that it is a mean of, the same ones in both models. Of purity and silhouette
these are the categories: that models differ on these words is asked word by word (``paired``), and here that it holds for other
categories, too. Of relations and orders, pairs or words are left out in turn (jackknife; Tukey 1958). The weights of the depths are
held fixed in that: where the best depth is clear they hardly move, and where it isn't, it makes no difference which one is taken.

Each difference is a t-value, put on the scale of the normal distribution. By chance each of a report's differences is drawn from
that distribution by itself: the highest of them is never less likely to reach a threshold than that of dependent ones (Šidák
1967, Rectangular confidence regions for the means of multivariate normal distributions). Dependence estimated
from few units comes out too strong: with five categories, of 380 differences that aren't true one is announced in 11 % of the
cases instead of 1 %.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tokviz.measure import categories, category_claims, decisions, orders, tested
from tokviz.measure import relations as related
from tokviz.measure.distances import cosine_distances
from tokviz.measure.labels import Categories
from tokviz.measure.similarity import shared_rows
from tokviz.measure.spaces import standardized
from tokviz.records import (
    Claim,
    Difference,
    Differences,
    HiddenStates,
    OrderMeasures,
    OrderRows,
    PairRows,
    RelationMeasures,
    Unit,
)

FAMILIES: dict[Unit, str] = {
    "category": "differences",
    "pair": "differences of relations",
    "word": "differences of relations",
}
"""By what errors are over: of purity and silhouette; of relations, and of orders with them."""
MAX_COMPARED = 500
"""Two models are compared on a sample of their shared words above this."""
LEAST_CATEGORIES = 5
"""Fewer say nothing of others."""
N_FOR_CHANCE = 99
"""Shuffles for what is chance on shared words; how far they scatter isn't asked here."""
_ALIKE = 1e-9
"""Standard errors below this are rounding: nothing tells how much other words would change."""

Memberships = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """A measure of one model, on the scale from chance to its bound."""

    effects: np.ndarray
    """``(n_depths,)`` float64; NaN where undefined."""
    parts: np.ndarray
    """``(n_depths, n_units)``: each unit's part of the standard error, of which the squares are to be summed."""
    freedom: int
    """Degrees of freedom of that."""

    @property
    def known(self) -> np.ndarray:
        """The depths that have a value."""
        return np.flatnonzero(np.isfinite(self.effects))

    def since(self, first_depth: int) -> _Measured:
        """Without the depths before that one."""
        return replace(self, effects=self.effects[first_depth:], parts=self.parts[first_depth:])

    def best_of(self, n: int) -> tuple[float, np.ndarray]:
        """What the best of ``n`` of its depths is expected to be, and its parts ``(n_units,)``."""
        effects, parts = self.effects[self.known], self.parts[self.known]
        weights = expected_best(effects, n)
        return float(weights @ effects), weights @ parts


def expected_best(values: np.ndarray, n: int) -> np.ndarray:
    """The weights ``(n_values,)`` that make of values the expectation of the best of ``n`` of them.

    One is drawn from each of ``n`` runs of neighbors, as equal in length as can be. Drawn without regard to their places they
    would lie closer together than the depths of a model with ``n``, which would then be ahead: of 6 depths and the same, five
    times each, by 0.03 where categories hold best in the middle.
    """
    run = np.arange(len(values)) * n // len(values)
    sizes, so_far = np.bincount(run, minlength=n), np.zeros(n)
    weights, below = np.empty(len(values)), 0.0
    for place in np.argsort(values, kind="stable"):
        so_far[run[place]] += 1
        up_to_here = float(np.prod(so_far / sizes))
        weights[place], below = up_to_here - below, up_to_here
    return weights


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """One of the two captures."""

    templates: tuple[HiddenStates, ...]
    """The words in each template of the context, the one that is drawn first: compared are medians over them."""
    memberships: Memberships
    pairs: tuple[PairRows, ...] = ()
    orders: tuple[OrderRows, ...] = ()
    """As are ``pairs``: in the order of the configuration."""
    groups: tuple[tuple[str, ...], ...] = ()
    """Words that belong together, as written."""
    first_depth: int = 0
    """The first depth that counts."""

    @property
    def states(self) -> HiddenStates:
        """In the template that is drawn."""
        return self.templates[0]

    @property
    def key(self) -> str:
        """Of what is kept of it."""
        return " ".join(each.digest for each in self.templates)

    @property
    def is_reference(self) -> np.ndarray:
        """``(n_words,)`` bool: the words that are reference words in all templates."""
        return self.states.tokenization.reference_beside(each.tokenization for each in self.templates[1:])


class ProfileComparer:
    """Compares captures, and keeps what was measured of each: with many models most share the same words.

    Parameters
    ----------
    seed : of samples and shuffles.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._kept: dict[tuple[str, str, bytes], tuple[_Measured, ...]] = {}

    def compare(self, a: Side, b: Side) -> Differences:
        """By each measure of ``Profile``; undefined where too few words or pairs are shared."""
        purity, silhouette = self._of_categories(a, b)
        return Differences(
            purity=purity, silhouette=silhouette, relations=self.relations(a, b), orders=self.orders(a, b)
        )

    def relations(self, a: Side, b: Side) -> tuple[Difference, ...]:
        """By each relation alone."""
        return tuple(self._relation(a, b, *both) for both in zip(a.pairs, b.pairs, strict=True))

    def orders(self, a: Side, b: Side) -> tuple[Difference, ...]:
        """By each order alone."""
        return tuple(self._order(a, b, *both) for both in zip(a.orders, b.orders, strict=True))

    # --- categories ----------------------------------------------------------------------------------------------

    def _of_categories(self, a: Side, b: Side) -> Iterator[Difference]:
        """Purity and silhouette."""
        rows_a, rows_b = _of_several(a, *shared_words(a, b, self._seed))
        if _n_categories(a, rows_a) < LEAST_CATEGORIES or len(rows_a) < categories.LEAST_WORDS:
            return (_unknown(len(rows_a), "category") for _ in range(Differences.N_OF_CATEGORIES))
        of_both = zip(self._of_words(a, rows_a), self._of_words(b, rows_b), strict=True)
        return (_difference(len(rows_a), "category", *both) for both in of_both)

    def _of_words(self, side: Side, rows: np.ndarray) -> tuple[_Measured, ...]:
        key = (side.key, "words", rows.tobytes())
        if key not in self._kept:
            self._kept[key] = _of_words(side, rows, self._seed)
        return tuple(each.since(side.first_depth) for each in self._kept[key])

    # --- relations and orders --------------------------------------------------------------------------------------

    def _relation(self, a: Side, b: Side, pairs_a: PairRows, pairs_b: PairRows) -> Difference:
        named = [
            {tuple(side.states.tokenization.words[row].word for row in pair): index for index, pair in enumerate(pairs)}
            for side, pairs in ((a, pairs_a.pairs.tolist()), (b, pairs_b.pairs.tolist()))
        ]
        shared = [pair for pair in named[0] if pair in named[1]]
        if len(shared) < RelationMeasures.LEAST_PAIRS:
            return _unknown(len(shared), "pair")
        rows = [
            pairs.pairs[[own[pair] for pair in shared]] for pairs, own in zip((pairs_a, pairs_b), named, strict=True)
        ]
        by = _shared_rows(a, b)
        of_both = (self._of_pairs(a, rows[0], by[0]), self._of_pairs(b, rows[1], by[1]))
        return _difference(len(shared), "pair", *of_both)

    def _of_pairs(self, side: Side, rows: np.ndarray, by: np.ndarray) -> _Measured:
        """``rows``: ``(n_pairs, 2)``; ``by``: the words that states are standardized over."""
        key = (side.key, "pairs", rows.tobytes() + by.tobytes())
        if key not in self._kept:
            same = related.is_one_word(rows)
            pairings = tested.permutations(len(rows), self._seed, same, N_FOR_CHANCE)
            groups = tested.groups_of(len(rows))
            templates = []
            for states in side.templates:
                effects = np.full((states.n_depths, 1 + len(groups)), np.nan)
                for depth, (space,) in related.standardized_rows(states, by, [rows.ravel()], self._seed):
                    found = related.parallel(space.reshape(*rows.shape, -1), same, pairings, groups)
                    if found is not None:
                        chance = found[0][1:].mean()
                        effects[depth] = (np.array([found[0][0], *found[1]]) - chance) / (1 - chance)
                templates.append(_left_out(effects))
            self._kept[key] = (_median(templates),)
        return self._kept[key][0].since(side.first_depth)

    def _order(self, a: Side, b: Side, order_a: OrderRows, order_b: OrderRows) -> Difference:
        _, *own = np.intersect1d(order_a.places, order_b.places, return_indices=True)
        kept = [_kept(*each) for each in zip((order_a, order_b), own, strict=True)]
        units = orders.units_of(kept[0], a.states.tokenization, a.groups)
        if len(units) < OrderMeasures.LEAST_WORDS:
            return _unknown(len(units), "word")
        of_both = (self._of_order(a, kept[0], units), self._of_order(b, kept[1], units))
        return _difference(len(units), "word", *of_both)

    def _of_order(self, side: Side, kept: OrderRows, units: Sequence[np.ndarray]) -> _Measured:
        what = f"order of {kept.n_places}{', cyclic' if kept.cyclic else ''}"
        key = (side.key, what, kept.words.tobytes() + kept.places.tobytes())
        if key not in self._kept:
            aims, groups = orders.aims(kept), tested.parts_of(units)
            templates = []
            for states in side.templates:
                effects = np.full((states.n_depths, 1 + len(groups)), np.nan)
                for depth, state in _finite(states):
                    # Below 0 nothing can be read, however far.
                    effects[depth] = np.maximum(orders.r2(state[kept.words], aims, groups, units), 0)
                templates.append(_left_out(effects))
            self._kept[key] = (_median(templates),)
        return self._kept[key][0].since(side.first_depth)


# --- one model -----------------------------------------------------------------------------------------------------


def _kept(order: OrderRows, own: np.ndarray) -> OrderRows:
    """``own``: ``(n_words,)``, which of the order's words."""
    return OrderRows(words=order.words[own], places=order.places[own], n_places=order.n_places, cyclic=order.cyclic)


def _of_several(side: Side, rows: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Without words that are alone in their category: a category of one has nothing to keep together, and would count as one that doesn't."""
    first = np.array([side.memberships[row][0] for row in rows], dtype=np.int64)
    several = np.bincount(first)[first] > 1
    return rows[several], others[several]


def _n_categories(side: Side, rows: np.ndarray) -> int:
    return len({side.memberships[row][0] for row in rows})


def _of_words(side: Side, rows: np.ndarray, seed: int) -> tuple[_Measured, ...]:
    """Purity and silhouette of some words, the mean over their categories."""
    words = tuple(side.states.tokenization.words[row].word for row in rows)
    memberships = tuple(side.memberships[row] for row in rows)
    found = Categories(
        memberships=memberships, words=words, seed=seed, n_permutations=N_FOR_CHANCE, declared=side.groups
    )
    templates = [_in_template(each, rows, found) for each in side.templates]
    return tuple(_median(each) for each in zip(*templates, strict=True))


def _in_template(states: HiddenStates, rows: np.ndarray, found: Categories) -> tuple[_Measured, ...]:
    n_categories, n_depths = len(set(found.first)), states.n_depths
    effects, parts = np.full((2, n_depths), np.nan), np.full((2, n_depths, n_categories), np.nan)
    for depth in range(n_depths):
        state = states.states[depth][rows]
        if not np.isfinite(state).all():
            continue
        distances = cosine_distances(standardized(state))
        scores = categories.purity(distances, found), categories.silhouette(distances, found)
        own = _by_category(distances, found)
        for index, (score, (value, of_units)) in enumerate(zip(scores, own, strict=True)):
            chance = score.shuffled.mean() if len(score.shuffled) else np.nan
            room = score.bound - chance
            if np.isfinite(value) and room > 0:
                effects[index, depth] = (value - chance) / room
                parts[index, depth] = of_units / room
    return tuple(_Measured(effects=effects[index], parts=parts[index], freedom=n_categories - 1) for index in range(2))


def _by_category(distances: np.ndarray, found: Categories) -> Iterator[tuple[float, np.ndarray]]:
    """Of purity and silhouette the mean over categories, and each category's part of its standard error."""
    for own in categories.own_scores(distances, found):
        known = np.isfinite(own)
        counts = np.bincount(found.first, weights=known)
        sums = np.bincount(found.first, weights=np.where(known, own, 0))
        means = np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)
        yield float(means.mean()), (means - means.mean()) / np.sqrt(len(means) * (len(means) - 1))


def _median(templates: Sequence[_Measured]) -> _Measured:
    """Over the templates of a context; how much it follows a unit is how much the effects in its middle do."""
    n = len(templates)
    if n == 1:
        return templates[0]
    effects = np.array([each.effects for each in templates])
    parts = np.array([each.parts for each in templates])
    inner = np.argsort(effects, axis=0)[(n - 1) // 2 : n // 2 + 1]
    return _Measured(
        effects=np.median(effects, axis=0),
        parts=np.take_along_axis(parts, inner[:, :, None], axis=0).mean(axis=0),
        freedom=templates[0].freedom,
    )


def _left_out(effects: np.ndarray) -> _Measured:
    """``effects``: ``(n_depths, 1 + n_groups)``: as it is, then with a pair or a word left out, or a group of them."""
    without = effects[:, 1:]
    n_groups = without.shape[1]
    parts = (without - without.mean(axis=1, keepdims=True)) * np.sqrt((n_groups - 1) / n_groups)
    return _Measured(effects=effects[:, 0], parts=parts, freedom=n_groups - 1)


def _finite(states: HiddenStates) -> Iterator[tuple[int, np.ndarray]]:
    """Those of the depths that can be measured, one after the other."""
    every = ((depth, states.states[depth]) for depth in range(states.n_depths))
    return ((depth, state) for depth, state in every if np.isfinite(state).all())


def shared_words(a: Side, b: Side, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The words with a category that both captured the same way, as rows ``(n_words,)`` int64 of either; of many a sample."""
    rows_a, rows_b = _shared_rows(a, b)
    kept = np.flatnonzero([bool(a.memberships[row]) for row in rows_a])
    if len(kept) > MAX_COMPARED:
        random = np.random.default_rng((seed, 5))
        kept = np.sort(random.choice(kept, MAX_COMPARED, replace=False))
    return rows_a[kept], rows_b[kept]


def _shared_rows(a: Side, b: Side) -> tuple[np.ndarray, np.ndarray]:
    """The reference words of both, in all templates, as rows of either."""
    rows_a, rows_b = shared_rows(a.states, b.states)
    kept = a.is_reference[rows_a] & b.is_reference[rows_b]
    return rows_a[kept], rows_b[kept]


# --- two models ----------------------------------------------------------------------------------------------------


def _difference(n: int, unit: Unit, a: _Measured, b: _Measured) -> Difference:
    n_depths, freedom = min(len(a.known), len(b.known)), a.freedom
    if n_depths == 0 or freedom < 1:
        return _unknown(n, unit)
    (best_a, parts_a), (best_b, parts_b) = a.best_of(n_depths), b.best_of(n_depths)
    value, parts = best_a - best_b, parts_a - parts_b
    error = float(np.linalg.norm(parts))
    is_certain = error < _ALIKE
    score = 0.0 if is_certain else category_claims.as_normal(abs(value) / error, freedom)
    return Difference(
        n=n,
        unit=unit,
        value=value,
        error=error,
        freedom=freedom,
        claim=_claim(unit, score, _drawn(parts if is_certain else parts / error)),
    )


def _drawn(parts: np.ndarray) -> np.ndarray:
    """``(N_SHUFFLES,)``: what the score is by chance; the same of differences that are alike, which count once."""
    alike = ((parts * np.sign(parts[np.abs(parts).argmax()])).round(6) + 0.0).tobytes()
    seed = int.from_bytes(hashlib.sha256(alike).digest()[:8], "big")
    return np.abs(np.random.default_rng((seed, 7)).normal(size=decisions.N_SHUFFLES))


def _claim(unit: Unit, score: float, drawn: np.ndarray) -> Claim:
    return decisions.scored(FAMILIES[unit], np.array([score]), drawn[None], np.array([True]))


def _unknown(n: int, unit: Unit) -> Difference:
    nothing = float("nan")
    claim = _claim(unit, nothing, np.full(decisions.N_SHUFFLES, nothing))
    return Difference(n=n, unit=unit, value=nothing, error=nothing, freedom=0, claim=claim)
