"""What a measure is without a group of words, against working it out anew without them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tokviz.measure import categories, change, left_out
from tokviz.measure.distances import cosine_distances, nearest
from tokviz.measure.labels import Categories
from tokviz.measure.left_out import LeftOut, Space, Units
from tokviz.measure.spaces import standardized

K = 6
SIZES = (6, 7, 8, 5, 9)
FIRST = np.repeat(np.arange(len(SIZES)), SIZES)
N = len(FIRST)
OUTLIER = 3


def categories_of(first: np.ndarray, n_permutations: int = 0) -> Categories:
    return Categories(memberships=tuple((int(each),) for each in first), n_permutations=n_permutations)


def units(groups: np.ndarray) -> Units:
    return Units(categories=categories_of(FIRST), groups=groups)


def grouped() -> np.ndarray:
    """A pair within a category, a triple across two, the rest alone."""
    groups = np.arange(N)
    groups[9] = 8
    groups[[20, 21]] = 19
    return np.asarray(np.unique(groups, return_inverse=True)[1])


def states() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    first = 0.6 * random.normal(size=(len(SIZES), 24))[FIRST] + random.normal(size=(N, 24))
    second = first + 0.5 * random.normal(size=first.shape)
    first[OUTLIER] *= 8
    return first.astype(np.float32), second.astype(np.float32)


def by_hand(which: str, spaces: Sequence[np.ndarray], rows: np.ndarray, k: int, groups: np.ndarray) -> np.ndarray:
    """``(n,)``: each word's value, of distances between some words."""
    first, found = FIRST[rows], np.zeros(len(rows))
    for own in range(len(rows)):
        near = [sorted((at for at in range(len(rows)) if at != own), key=each[own].__getitem__)[:k] for each in spaces]
        if which == "purity":
            beyond = groups != groups[rows[own]]
            by_chance = (FIRST[beyond] == first[own]).mean()
            found[own] = np.mean([first[at] == first[own] if beyond[rows[at]] else by_chance for at in near[0]])
        elif which == "kept":
            found[own] = len({*near[0]} & {*near[1]}) / k
        else:
            means = {
                label: spaces[0][own][(first == label) & (np.arange(len(rows)) != own)].mean() for label in set(FIRST)
            }
            a, b = means.pop(first[own]), min(mean for label, mean in means.items() if label != first[own])
            found[own] = (b - a) / max(a, b)
    return found


MEASURES: dict[str, Callable[[Space, Space], LeftOut]] = {
    "purity": lambda one, _: left_out.purity(one),
    "silhouette": lambda one, _: left_out.silhouette(one),
    "kept": lambda one, other: left_out.kept(one, other, K),
}


@pytest.mark.slow
@pytest.mark.parametrize("which", MEASURES)
def test_leaving_a_group_out_is_as_if_its_words_werent_there(which: str) -> None:
    groups = grouped()
    of, both = units(groups), states()
    found = MEASURES[which](*(Space(each, of, K) for each in both))
    k = K if which == "kept" else of.categories.n_neighbours
    counts = of.of.sum(axis=0)
    whole = [cosine_distances(standardized(each)) for each in both]
    assert found.value == pytest.approx(by_hand(which, whole, np.arange(N), k, groups) @ of.of / counts)
    large = {*Space(both[0], of, K).large, *(Space(both[1], of, K).large if which == "kept" else ())}
    assert OUTLIER in large
    for group in range(groups.max() + 1):
        rows = np.flatnonzero(groups != group)
        kept = by_hand(which, [each[np.ix_(rows, rows)] for each in whole], rows, k, groups)
        assert found.value - found.influence[group] == pytest.approx(kept @ of.of[rows] / counts)
        # Without the word that lies far out, whichever group is left out.
        refitted = [
            cosine_distances(standardized(each[rows], (rows != OUTLIER) | (each is both[1])))
            if group in Space(each, of, K).large
            else old[np.ix_(rows, rows)]
            for each, old in zip(both, whole, strict=True)
        ]
        values = by_hand(which, refitted, rows, k, groups)
        assert found.without[group] == pytest.approx(values @ of.of[rows] / of.of[rows].sum(axis=0))


@pytest.mark.slow
def test_by_chance_a_refitted_silhouette_is_what_it_is_with_that_scaling() -> None:
    """Words a thousand times as long move all others together, which looks like categories where these are shuffled as well."""
    state = states()[1]
    far = [0, 1, 2, 3]
    state[far] *= 1000
    of = Units(categories=categories_of(FIRST, 199), groups=np.arange(N))
    found, group = left_out.silhouette(Space(state, of, K)), far[0]
    rows = np.delete(np.arange(N), group)
    distances = cosine_distances(standardized(state[rows], ~np.isin(rows, far)))
    plain = categories.silhouette(distances, categories_of(FIRST[rows], 199))
    assert found.without[group, 0] == pytest.approx(plain.value - plain.shuffled.mean(), abs=0.01)


def test_values_are_those_that_a_report_shows() -> None:
    of, (one, other) = units(np.arange(N)), states()
    spaces = Space(one, of, K), Space(other, of, K)
    distances = cosine_distances(standardized(one))
    assert left_out.purity(spaces[0]).value[0] == pytest.approx(categories.purity(distances, of.categories).value)
    silhouette = categories.silhouette(distances, of.categories).value
    assert left_out.silhouette(spaces[0]).value[0] == pytest.approx(silhouette)
    lost = change.lost_neighbours(*(nearest(cosine_distances(standardized(each)), K) for each in (one, other)))
    assert left_out.kept(*spaces, K).value[0] == pytest.approx(change.neighbour_overlap(lost))


def test_neighbors_that_are_equally_far_are_not_chosen_by_rounding() -> None:
    """Each word has a feature of its own, and one that a word of any category shares: all others are equally far."""
    labels = np.repeat(np.arange(8), 12)
    own = Categories(memberships=tuple((int(label),) for label in labels))
    of = Units(categories=own, groups=np.arange(96))
    for seed in range(5):
        random = np.random.default_rng(seed)
        states = np.c_[np.eye(48)[random.permutation(96) // 2], np.eye(96)][:, random.permutation(144)]
        assert np.isnan(categories.purity(cosine_distances(standardized(states)), own).value)
        assert not Space(states, of, K).known(own.n_neighbours).any()


def test_words_without_distinct_neighbors_dont_count_and_a_measure_of_few_words_is_undefined() -> None:
    of, (state, _) = units(np.arange(N)), states()
    same = state.copy()
    same[:8] = same[0]
    known = Space(same, of, K).known(of.categories.n_neighbours)
    assert not known[:8].any()
    assert known[8:].any()
    found = left_out.purity(Space(same, of, K))
    assert np.isfinite(found.value[0])
    assert found.influence[0, 0] == pytest.approx(found.influence[1, 0])
    same[:] = same[0]
    for measure in MEASURES.values():
        nothing = measure(Space(same, of, K), Space(state, of, K))
        assert np.isnan(nothing.value).all()
        assert np.isnan(nothing.influence).all()


def test_units_tell_whether_there_are_enough() -> None:
    def of(sizes: Sequence[int], groups: np.ndarray | None = None) -> Units:
        first = np.repeat(np.arange(len(sizes)), sizes)
        memberships = tuple((int(each),) for each in first)
        return Units(
            categories=Categories(memberships=memberships, n_permutations=0),
            groups=np.arange(len(first)) if groups is None else groups,
        )

    assert of([4] * 6).are_enough
    assert not of([4] * 5).are_enough  # 20 words
    assert of([4] * 5).have_spread
    assert not of([30, 3]).have_spread
    assert not of([30]).have_spread
    assert not of([12, 12], np.arange(24) // 4).are_enough  # six groups
    assert of([3, 5], np.array([0, 1, 2, 2, 3, 4, 5, 6])).strata.tolist() == [0, 0, 0, 1, 1, 1, 1]


def test_of_a_silhouette_what_follows_from_how_words_lie_is_taken_off() -> None:
    """In a plane words of any categories have a lower one than in many dimensions: that says nothing of categories."""
    random = np.random.default_rng(5)

    def silhouettes(width: int, n_permutations: int) -> np.ndarray:
        """Of ten draws, whatever categories words have: of all of them and of each category."""
        categories = Categories(memberships=tuple((int(each),) for each in FIRST), n_permutations=n_permutations)
        own = Units(categories=categories, groups=np.arange(N))
        drawn = (random.normal(size=(N, width)).astype(np.float32) for _ in range(10))
        return np.asarray(np.mean([left_out.silhouette(Space(each, own, K)).value for each in drawn], axis=0))

    assert silhouettes(2, 0)[0] < silhouettes(64, 0)[0] - 0.1
    for width in (2, 64):
        overall, *of_categories = silhouettes(width, 40)
        assert abs(overall) < 0.02
        assert np.abs(of_categories).max() < 0.1


def test_groups_of_two_categories_are_shared_out_among_them() -> None:
    """Present and past forms: each verb is one group, and neither list is without any."""
    memberships = tuple((category,) for category in (0, 1) for _ in range(8)) + ((2,),) * 5
    groups = np.array([*range(8), *range(8), *range(8, 13)])
    units = Units(categories=Categories(memberships=memberships), groups=groups)
    assert units.n_in_strata.tolist() == [4, 4, 5]
    assert units.strata.tolist() == [0, 1] * 4 + [2] * 5
    assert units.have_spread
