"""How well categories hold among neighbours, against chance, and how sure that is.

Chance is a permutation test: memberships are shuffled over the words, since a hundred points in hundreds of dimensions
fall into groups of any kind (see ``labels``). What the words' surface alone gives, without any model, is a second thing that
they are held against.

The interval is an infinitesimal jackknife (Jaeckel 1972; Efron 1982, The jackknife, the bootstrap and other resampling plans,
ch. 6): how much the value follows the weight of each word, categories kept at their size. Drawing words with replacement
would make duplicates, which are each other's neighbours. Resampling the words' own scores would forget that a word also
counts as its neighbours’ neighbour: about two thirds of the true standard error. The interval speaks of other lists of
this length: among more words neighbours are closer, so that purity rises with the length of a list. In a picture the
distances themselves follow the words, by the axes: see ``refits``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tokviz.measure.distances import LEAST_KNOWN, are_known, distinct, euclidean_distances, nearest, smallest
from tokviz.measure.labels import MOST_NEIGHBOURS, Categories
from tokviz.measure.tested import Z, wilson

LEAST_WORDS = 12
"""With fewer, nothing is announced."""
_BLOCK = 250_000
"""How many float32 the shuffled silhouettes may fill at a time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Score:
    """A category measure at one depth; see ``CategoryMeasure``."""

    value: float
    low: float
    high: float
    error: float
    """Its standard error."""
    parts: np.ndarray
    """``(n_words,)``: each word's part of it, of which the squares are to be summed."""
    bound: float
    """The highest value that it can have, of the words that count."""
    shuffled: np.ndarray = field(default_factory=lambda: np.empty(0))
    """``(n_permutations,)``: the value of each shuffle; nothing where chance isn't asked for."""
    compared: float | None = None
    """What the shuffles are compared with, where they are of a part of the words; None for the value itself."""

    def effect(self) -> tuple[float, float]:
        """How far the value is on the way from chance to the bound, as a share of it; and how long that way is."""
        room = self.bound - float(self.shuffled.mean())
        return ((self.value - self.bound) / room + 1 if room > 0 else float("nan")), room


_NAN = float("nan")
UNDEFINED = Score(value=_NAN, low=_NAN, high=_NAN, error=_NAN, parts=np.empty(0), bound=_NAN)


def purity(
    distances: np.ndarray,
    categories: Categories,
    refit_error: float = 0.0,
    *,
    with_chance: bool = True,
    neighbours: np.ndarray | None = None,
) -> Score:
    """Share of each word's nearest neighbours that have a category in common with it, mean over words.

    Words without distinct neighbours (see ``distances.nearest``) don't count.

    Parameters
    ----------
    distances : ``(n_words, n_words)``, symmetric.
    refit_error : standard error where the distances follow from the words, from ``refits``; NaN if unknown.
    with_chance : whether what shuffles give is asked for.
    neighbours : ``nearest`` of the distances, as many as the categories count, where they are known already.

    Returns
    -------
    Score : undefined where most words have no distinct neighbours.
    """
    n_words = len(distances)
    if n_words < 3 or not categories.are_several:
        return UNDEFINED
    found = _known(nearest(distances, categories.n_neighbours) if neighbours is None else neighbours)
    if found is None:
        return UNDEFINED
    words, neighbours = found
    value, influence = _purity_influence(words, neighbours, categories)
    parts = by_word(influence, categories)
    error = _larger(root_of_squares(parts), refit_error)
    low, high = _wilson(value, error, len(words))
    shuffled = _shuffled_purity(words, neighbours, categories) if with_chance else np.empty(0)
    bound = categories.most_purity(words)
    return Score(value=value, low=low, high=high, error=error, parts=parts, bound=bound, shuffled=shuffled)


def _purity_influence(words: np.ndarray, neighbours: np.ndarray, categories: Categories) -> tuple[float, np.ndarray]:
    """Purity, and how much it follows the weight of each word, ``(n_words,)``."""
    kinds, share = categories.kinds
    shared = share[kinds[words][:, None], kinds[neighbours]].astype(np.float64)
    own = shared.mean(axis=1)
    value = float(own.mean())
    # A word counts once with its own purity, and as a neighbour by what it adds to the purity of others.
    added = (shared - own[:, None]) / neighbours.shape[1]
    influence = np.bincount(neighbours.ravel(), weights=added.ravel(), minlength=len(kinds))
    influence[words] += own - value
    return value, influence * (len(kinds) / len(words))


def own_scores(distances: np.ndarray, categories: Categories) -> np.ndarray:
    """``(2, n_words)``: each word's own purity and silhouette, of which the measures are the means; NaN where undefined."""
    scores = np.full((2, len(distances)), np.nan)
    if len(distances) < 3 or not categories.are_several or not distances.any():
        return scores
    found = _known(nearest(distances, categories.n_neighbours))
    if found is not None:
        words, neighbours = found
        kinds, share = categories.kinds
        scores[0, words] = share[kinds[words][:, None], kinds[neighbours]].mean(axis=1)
    scores[1] = silhouettes_alone(distances[None], categories.first, categories.counts)[0]
    return scores


def by_word(influence: np.ndarray, categories: Categories) -> np.ndarray:
    """Each word's part of the standard error ``(n_words,)``, of which the squares are to be summed; categories keep their size.

    A category of one word has no spread of its own and takes that of all words.
    """
    counts = categories.counts[categories.first]
    means = np.bincount(categories.first, weights=influence)[categories.first] / counts
    apart = np.where(counts > 1, influence - means, influence - influence.mean())
    return np.asarray(apart * np.sqrt(counts / np.maximum(counts - 1, 1)) / len(influence))


def _known(neighbours: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The words that have distinct neighbours, ``(n,)`` rows, and these, ``(n, k)``; None where too few have."""
    words = np.flatnonzero(are_known(neighbours))
    if len(words) < LEAST_KNOWN * len(neighbours):
        return None
    return words, neighbours[words]


def purity_alone(distances: np.ndarray, kinds: np.ndarray, share: np.ndarray, n_neighbours: int) -> np.ndarray:
    """The value of ``purity`` without more, of several lists of words.

    Parameters
    ----------
    distances : ``(n_lists, n_words, n_words)``.
    kinds, share : as ``Categories.kinds`` has them; ``kinds`` of each list, ``(n_lists, n_words)``.
    n_neighbours : how many count.

    Returns
    -------
    ``(n_lists,)``, NaN where undefined.
    """
    neighbours = nearest(distances, min(n_neighbours, distances.shape[-1] - 1))
    known = are_known(neighbours)
    of_neighbours = kinds[np.arange(len(kinds))[:, None, None], neighbours]
    shared = share[kinds[:, :, None], of_neighbours] & known[:, :, None]
    n_known = known.sum(axis=1)
    enough = (n_known > 0) & (n_known >= LEAST_KNOWN * kinds.shape[1])
    n_pairs = n_known * neighbours.shape[2]
    return np.asarray(np.divide(shared.sum(axis=(1, 2)), n_pairs, out=np.full(len(kinds), np.nan), where=enough))


def _shuffled_purity(words: np.ndarray, neighbours: np.ndarray, categories: Categories) -> np.ndarray:
    """``(n_permutations,)``: the purity of each shuffle; ``words`` and ``neighbours`` as ``_known`` has them."""
    return np.asarray(shared_when_shuffled(words, neighbours, categories).sum(axis=0, dtype=np.int64) / neighbours.size)


def shared_when_shuffled(words: np.ndarray, neighbours: np.ndarray, categories: Categories) -> np.ndarray:
    """``(n, n_permutations)`` uint8: how many of a word's neighbours have a category in common with it, in each shuffle.

    Parameters
    ----------
    words : ``(n,)`` int64 rows.
    neighbours : ``(n, k)`` int64 rows.
    """
    share, shuffled = categories.kinds[1], categories.shuffled_kinds
    own = shuffled[words]
    n_shared = np.zeros(own.shape, dtype=np.uint8)
    for those in neighbours.T:
        others = shuffled[those]
        n_shared += (own == others) if categories.are_single else share[own, others]
    return n_shared


def silhouette(
    distances: np.ndarray, categories: Categories, refit_error: float = 0.0, *, with_chance: bool = True
) -> Score:
    """Mean over words of (b − a) / max(a, b): a = mean distance to the own category, b = to the nearest other.

    Rousseeuw 1987, Silhouettes: a graphical aid to the interpretation and validation of cluster analysis. In long lists a
    shuffle's is the mean over a part of the words, see ``Categories.silhouetted``, each with all others.

    Parameters
    ----------
    distances : ``(n_words, n_words)``, symmetric, 0 on the diagonal.
    refit_error, with_chance : as in ``purity``.

    Returns
    -------
    Score : undefined where all distances are 0.
    """
    n_words = len(distances)
    if n_words < 3 or not categories.are_several or not distances.any():
        return UNDEFINED
    own = silhouettes_alone(distances[None], categories.first, categories.counts)[0]
    value, rows = float(own.mean()), categories.silhouetted
    parts = by_word(_silhouette_influence(distances, categories), categories)
    error = _larger(root_of_squares(parts), refit_error)
    low, high = max(value - Z * error, -1.0), min(value + Z * error, 1.0)
    shuffled = shuffled_silhouette(distances, categories) if with_chance else np.empty(0)
    compared = None if len(rows) == n_words else float(own[rows].mean())
    return Score(
        value=value, low=low, high=high, error=error, parts=parts, bound=1.0, shuffled=shuffled, compared=compared
    )


def silhouette_alone(distances: np.ndarray, labels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The value of ``silhouette`` without more, of several lists of words: ``(n_lists,)``, NaN where all distances are 0.

    Parameters
    ----------
    distances, labels, counts : as in ``silhouettes_alone``.
    """
    values = silhouettes_alone(distances, labels, counts).mean(axis=1)
    return np.where(distances.any(axis=(1, 2)), values, np.nan)


def silhouettes_alone(distances: np.ndarray, labels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """``(n_lists, n_words)``: each word's own, of several lists of words.

    Parameters
    ----------
    distances : ``(n_lists, n_words, n_words)``.
    labels : ``(n_words,)`` int64, the same of all lists; ``counts`` words have each.
    """
    members = (labels == np.arange(len(counts))[:, None]).astype(np.float64)
    sums = np.moveaxis(distances @ members.T, -1, 0)
    return silhouettes_of_sums(np.ascontiguousarray(sums), members[:, None], counts)


def shuffled_silhouette(distances: np.ndarray, categories: Categories) -> np.ndarray:
    """``(n_permutations,)``: the silhouette of each shuffle; of long lists the mean over a part of the words."""
    labels, counts, rows = categories.shuffled_first, categories.counts, categories.silhouetted
    numbers = np.arange(len(counts), dtype=labels.dtype)[:, None, None]
    n_words = len(distances)
    quick = np.ascontiguousarray(distances[:, rows], dtype=np.float32)
    found = [np.empty(0)]
    size = max(1, _BLOCK // (len(counts) * n_words))
    for start in range(0, len(labels), size):
        some = labels[start : start + size]
        members = (some == numbers).astype(np.float32)
        sums = (members.reshape(-1, n_words) @ quick).reshape(*members.shape[:2], len(rows))
        own = members if len(rows) == n_words else (some[:, rows] == numbers).astype(np.float32)
        found.append(silhouettes_of_sums(sums, own, counts).mean(axis=1, dtype=np.float64))
    return np.concatenate(found)


def silhouettes_of_sums(sums: np.ndarray, members: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """``(n, n_words)``: each word's silhouette in n lists or labellings of as many words, with the same counts.

    A word alone in its category scores 0, and so does one without any distance.

    Parameters
    ----------
    sums : ``(n_categories, n, n_words)``, of each word's distances to each category; overwritten.
    members : 1 for the words of each category, else 0; of the same type, the same shape or ``(n_categories, 1, n_words)``.
    counts : how many words each category has.
    """
    of_category = counts.astype(sums.dtype)
    n_own = np.tensordot(of_category, members, axes=1)
    own = np.einsum("cnw,cnw->nw", sums, members) / np.maximum(n_own - 1, 1)
    sums /= of_category[:, None, None]
    # The own category is no other: there, what is larger than any mean.
    others = np.maximum(sums, members * np.finfo(sums.dtype).max, out=sums).min(axis=0)
    larger = np.maximum(own, others)
    scores = (others - own) / np.where(larger > 0, larger, 1)
    return np.asarray(scores * (n_own > 1))


def _silhouette_influence(distances: np.ndarray, categories: Categories) -> np.ndarray:
    """``(n_words,)``: each word's own score, plus what its distances add to the scores of the others.

    A distance enters the mean to the own category (a), or to the nearest other (b), of the word that it is taken from.
    """
    labels, counts = categories.first, categories.counts
    words, members = np.arange(len(labels)), np.eye(len(counts))
    sums = distances @ members[labels]
    n_own = counts[labels] - 1
    a = sums[words, labels] / np.maximum(n_own, 1)
    means = sums / counts
    means[words, labels] = np.inf
    other = means.argmin(axis=1)
    b = means[words, other]
    larger = np.maximum(a, b)
    counted = (n_own > 0) & (larger > 0)
    scale = np.divide(1, larger, out=np.zeros_like(larger), where=counted)
    scores = (b - a) * scale
    # (b − a) / max(a, b) is 1 − a / b or b / a − 1: its slopes in a and b, over how many words each is a mean of.
    slope_a = np.where(a < b, -scale, -b * scale**2) / np.maximum(n_own, 1)
    slope_b = np.where(a < b, a * scale**2, scale) / counts[other]
    # To each word, from those whose own category, or nearest other, is that word's: slope · (distance − mean).
    slopes = members[labels] * slope_a[:, None] + members[other] * slope_b[:, None]
    means_of_all = slope_a * a @ members[labels] + slope_b * b @ members[other]
    added = (distances @ slopes)[words, labels] - means_of_all[labels]
    # A word isn't in its own mean, at a distance of 0.
    return np.asarray(scores + added + slope_a * a)


def trustworthiness(states: np.ndarray, coordinates: np.ndarray) -> float:
    """How many of each word's nearest in a picture are near in the full space as well, 0–1; NaN below 11 words.

    Venna & Kaski 2001, Neighborhood preservation in nonlinear projection methods; Euclidean, 5 neighbours, as scikit-learn has
    it, which doesn't define it for fewer words.

    Identical states count once: they are each other's nearest in any picture, in an order that means nothing.
    """
    rows = distinct(states)
    n_words, k = len(rows), MOST_NEIGHBOURS
    if n_words <= 2 * k:
        return float("nan")
    neighbours, _ = smallest(euclidean_distances(coordinates[rows]), k)
    exact = states[rows].astype(np.float64)
    exact -= exact.mean(axis=0)
    squares = np.einsum("wd,wd->w", exact, exact)
    distances = exact @ exact.T
    distances *= -2
    distances += squares
    distances += squares[:, None]
    np.fill_diagonal(distances, np.inf)
    beyond = 0
    for those in neighbours.T:
        rank = 1 + (distances < distances[np.arange(n_words), those][:, None]).sum(axis=1)
        beyond += int(np.maximum(rank - k, 0).sum())
    return 1 - beyond * 2 / (n_words * k * (2 * n_words - 3 * k - 1))


def _larger(error: float, refit_error: float) -> float:
    """Of two standard errors: neither may be forgotten, and one that isn't known can't be."""
    return float(np.fmax(error, refit_error))


def root_of_squares(parts: np.ndarray) -> float:
    """Of the parts of a standard error."""
    return float(np.sqrt((parts**2).sum()))


def _wilson(value: float, error: float, n_words: int) -> tuple[float, float]:
    """Wilson's interval for a share, with the number of independent words that the standard error amounts to."""
    n_effective = value * (1 - value) / error**2 if error > 0 and 0 < value < 1 else n_words
    low, high = wilson(value, n_effective)
    return float(low), float(high)
