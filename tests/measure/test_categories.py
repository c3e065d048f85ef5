"""How well categories hold: scikit-learn agrees, chance is chance, and intervals cover what they should."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from making import hidden_states
from repeating import times
from scipy import stats
from sklearn.manifold import trustworthiness as sklearn_trustworthiness
from sklearn.metrics import pairwise_distances, silhouette_samples, silhouette_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from tokviz.measure.categories import Score, own_scores, purity, silhouette, silhouette_alone
from tokviz.measure.category_claims import as_normal, gather_tested
from tokviz.measure.distances import are_known, euclidean_distances, nearest
from tokviz.measure.geometry import measure
from tokviz.measure.labels import Categories
from tokviz.measure.pca import project
from tokviz.records import Geometry


def single(labels: np.ndarray, **options: Any) -> Categories:
    return Categories(memberships=tuple((int(label),) for label in labels), **options)


def clusters(
    random: np.random.Generator, centres: np.ndarray, per_category: int, spread: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat(np.arange(len(centres)), per_category)
    return centres[labels] + spread * random.normal(size=(len(labels), centres.shape[1])), labels


def euclidean(points: np.ndarray) -> np.ndarray:
    distances: np.ndarray = pairwise_distances(points)
    return distances


def sklearn_purity(points: np.ndarray, labels: np.ndarray, metric: str) -> float:
    neighbours = NearestNeighbors(n_neighbors=5, metric=metric).fit(points).kneighbors(return_distance=False)
    return float((labels[neighbours] == labels[:, None]).mean())


@pytest.mark.parametrize(("n_categories", "per_category"), [(6, 130), (60, 10)])
def test_in_a_long_list_a_shuffles_silhouette_is_the_mean_over_a_part_of_the_words(
    n_categories: int, per_category: int
) -> None:
    random = np.random.default_rng(4)
    points, labels = clusters(random, 0.5 * random.normal(size=(n_categories, 30)), per_category)
    words = tuple(map(str, range(len(labels))))
    categories, distances = single(labels, words=words, n_permutations=20), euclidean(points)
    found, rows = silhouette(distances, categories), categories.silhouetted
    of_each = silhouette_samples(distances, labels, metric="precomputed")
    assert found.value == pytest.approx(of_each.mean())
    assert silhouette_alone(distances[None], labels, categories.counts)[0] == found.value
    np.testing.assert_allclose(own_scores(distances, categories)[1], of_each, atol=1e-12)
    assert len(rows) == Geometry.MOST_SILHOUETTES
    assert found.compared == pytest.approx(of_each[rows].mean())
    shuffled = [silhouette_samples(distances, labels[each], metric="precomputed") for each in categories.shuffles]
    np.testing.assert_allclose(found.shuffled, [each[rows].mean() for each in shuffled], atol=1e-6)


def test_that_part_follows_neither_the_categories_nor_the_other_words() -> None:
    labels = np.arange(1000) % 7
    words = tuple(map(str, range(1000)))
    rows = single(labels, words=words).silhouetted
    np.testing.assert_array_equal(single(labels[::-1], words=words).silhouetted, rows)
    one_less = np.delete(np.arange(1000), 500)
    again = one_less[single(labels[one_less], words=tuple(words[row] for row in one_less)).silhouetted]
    assert len(set(rows) & set(again)) >= Geometry.MOST_SILHOUETTES - 1
    assert single(labels[:300], words=words[:300]).silhouetted.tolist() == list(range(300))


def test_shuffles_of_a_part_of_the_words_are_held_against_that_part() -> None:
    categories = single(np.repeat(np.arange(4), 5), n_permutations=99)
    shuffled = np.random.default_rng(0).normal(scale=0.01, size=99)
    score = Score(value=0.5, low=0.4, high=0.6, error=0.05, parts=np.ones(20), bound=1.0, shuffled=shuffled)
    for compared, expected in ((None, 0.5), (0.02, 0.02)):
        own = replace(score, compared=compared)
        of_templates = [own, replace(own, value=0.6), replace(own, value=0.7)]
        for measured in (gather_tested([[own]], categories, own), gather_tested([of_templates], categories, own)):
            median = expected if compared else measured.value[0]
            assert measured.above_chance.score[0] == pytest.approx((median - shuffled.mean()) / shuffled.std())


def test_neighbors_that_are_known_give_the_same_purity() -> None:
    random = np.random.default_rng(5)
    points, labels = clusters(random, 0.5 * random.normal(size=(4, 20)), 20)
    distances, categories = euclidean(points), single(labels)
    found, again = purity(distances, categories), purity(distances, categories, neighbours=nearest(distances, 5))
    assert (found.value, found.error) == (again.value, again.error)


def test_measures_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    points, labels = clusters(random, 0.6 * random.normal(size=(9, 40)), 13)
    states = hidden_states([points.astype(np.float32)])
    raw = states.states[0]
    raw[:, 0] *= 9
    names = ("standardized", "centered", "unit_norm")
    projections = [project(states.states, states.tokenization.reference, name) for name in names]
    geometry = measure(states, projections, tuple((int(label),) for label in labels), None)
    state = StandardScaler().fit_transform(raw.astype(np.float64))
    assert geometry.silhouette.value[0] == pytest.approx(silhouette_score(state, labels, metric="cosine"), abs=1e-6)
    assert geometry.purity.value[0] == pytest.approx(sklearn_purity(state, labels, "cosine"))
    assert geometry.silhouette_raw.value[0] == pytest.approx(silhouette_score(raw, labels, metric="cosine"), abs=1e-6)
    assert geometry.purity_raw.value[0] == pytest.approx(sklearn_purity(raw, labels, "cosine"))
    spaces = (state, raw, raw / np.linalg.norm(raw, axis=1, keepdims=True))
    for picture, projection, space in zip(geometry.pictures, projections, spaces, strict=True):
        flat = projection.coordinates[0]
        assert picture.projection == projection.name
        assert picture.silhouette.value[0] == pytest.approx(silhouette_score(flat, labels))
        assert picture.purity.value[0] == pytest.approx(sklearn_purity(flat, labels, "euclidean"))
        assert picture.trustworthiness[0] == pytest.approx(sklearn_trustworthiness(space, flat, n_neighbors=5))


def test_a_lone_word_of_its_category_scores_nothing_as_in_scikit_learn() -> None:
    random = np.random.default_rng(0)
    points = random.normal(size=(20, 2))
    labels = np.array([0] * 10 + [1] * 9 + [2])
    score = silhouette(euclidean(points), single(labels))
    assert score.value == pytest.approx(silhouette_score(points, labels))
    assert score.low < score.value < score.high


@pytest.mark.slow
def test_the_shuffled_values_are_what_shuffled_labels_give() -> None:
    random = np.random.default_rng(0)
    points, labels = clusters(random, random.normal(size=(4, 2)), 12)
    distances = euclidean(points)
    shuffled = [random.permutation(labels) for _ in range(400)]
    for score, values in (
        (silhouette(distances, single(labels)), [silhouette_score(points, each) for each in shuffled]),
        (purity(distances, single(labels)), [sklearn_purity(points, each, "euclidean") for each in shuffled]),
    ):
        error = np.std(values) / np.sqrt(len(values))
        assert score.shuffled.mean() == pytest.approx(np.mean(values), abs=4 * error)
        assert np.quantile(score.shuffled, 0.95) == pytest.approx(np.quantile(values, 0.95), abs=8 * error)


@pytest.mark.parametrize("more", [(), (2, 5)])
def test_shuffles_are_measured_as_the_words_are(more: tuple[int, ...]) -> None:
    """Of each shuffle the value is what the measure gives of words with its memberships, one alone in its category among them."""
    points, labels = clusters(np.random.default_rng(0), np.random.default_rng(1).normal(size=(4, 2)), 12)
    labels[-1] = 4
    memberships = tuple((int(label), 9) if row in more else (int(label),) for row, label in enumerate(labels))
    categories = Categories(memberships=memberships, n_permutations=20)
    distances = euclidean(points)
    for measured, atol in ((purity, 0), (silhouette, 1e-6)):
        expected = [
            measured(distances, Categories(memberships=tuple(memberships[word] for word in shuffle))).value
            for shuffle in categories.shuffles
        ]
        np.testing.assert_allclose(measured(distances, categories).shuffled, expected, rtol=1e-12, atol=atol)


def test_several_lists_at_once_have_the_neighbours_of_each() -> None:
    """Among them one with words in one place, and one of one place only."""
    lists = np.random.default_rng(0).normal(size=(7, 200, 2))
    lists[1, :40] = 0
    lists[2] = 1
    together = nearest(euclidean_distances(lists), 5)
    for each, found in zip(lists, together, strict=True):
        np.testing.assert_array_equal(found, nearest(euclidean_distances(each), 5))
    assert not are_known(together[1])[:40].any()
    assert not are_known(together[2]).any()


def test_a_word_of_two_categories_is_at_home_in_both() -> None:
    points = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2], [5.3], [0.05]]).repeat(2, axis=1)
    apart = ((0,), (0,), (0,), (1,), (1,), (1,), (1,), (2,))
    both = (*apart[:-1], (2, 0))
    assert purity(euclidean(points), Categories(memberships=both)).value > (
        purity(euclidean(points), Categories(memberships=apart)).value
    )


def test_a_word_whose_last_neighbour_is_anyones_guess_does_not_count() -> None:
    """Of the first word the fourth and fifth nearest are one and the same state, of different categories."""
    points = np.array([[0, 0], [1, 0], [2, 0], [3, 0], [5, 0], [5, 0], [6, 1], [7, 3], [9, 4], [12, 9]], float)
    labels = np.array([0, 0, 1, 0, 0, 1, 1, 0, 1, 0])
    distances = euclidean(points)
    known = [row for row in range(10) if len(set(np.sort(distances[row])[[4, 5]])) == 2]
    assert 0 not in known
    assert len(known) > 5
    nearest_few = [[other for other in np.argsort(distances[row]) if other != row][:4] for row in known]
    expected = np.mean([(labels[few] == labels[row]).mean() for row, few in zip(known, nearest_few, strict=True)])
    assert purity(distances, single(labels)).value == pytest.approx(expected)
    swapped = np.arange(10)
    swapped[[4, 5]] = [5, 4]
    other = purity(distances[np.ix_(swapped, swapped)], single(labels[swapped]))
    assert other.value == pytest.approx(expected)


def test_without_any_distance_there_is_no_silhouette() -> None:
    score = silhouette(np.zeros((12, 12)), single(np.arange(12) % 3))
    assert np.isnan([score.value, score.low, score.high]).all()


def test_without_shuffles_chance_is_unknown_and_the_interval_is_the_same() -> None:
    points, labels = clusters(np.random.default_rng(0), np.random.default_rng(1).normal(size=(4, 2)), 12)
    for measured in (purity, silhouette):
        quick, full = (measured(euclidean(points), single(labels, n_permutations=n)) for n in (0, 99))
        assert (quick.value, quick.low, quick.high) == (full.value, full.low, full.high)
        assert (len(quick.shuffled), len(full.shuffled)) == (0, 99)


def test_clear_clusters_are_far_from_chance() -> None:
    random = np.random.default_rng(0)
    points, labels = clusters(random, 30 * random.normal(size=(6, 2)), 10)
    for score in (purity(euclidean(points), single(labels)), silhouette(euclidean(points), single(labels))):
        assert score.shuffled.max() < score.low <= score.value <= score.high <= 1


@pytest.mark.slow
@pytest.mark.repeats
def test_p_values_are_uniform_when_clusters_have_nothing_to_do_with_categories() -> None:
    p_values: dict[str, list[float]] = {"purity": [], "silhouette": []}
    for seed in range(times(60)):
        random = np.random.default_rng(seed)
        points, _ = clusters(random, 2 * random.normal(size=(9, 10)), 13)
        # 99 shuffles give p in steps of 0.01: far finer than what 200 lists can tell from uniform (0.1).
        categories = single(random.permutation(np.repeat(np.arange(9), 13)), seed=seed, n_permutations=99)
        distances = pairwise_distances(points, metric="cosine")
        for name, measured in (("purity", purity), ("silhouette", silhouette)):
            score = measured(distances, categories)
            p_values[name].append((1 + (score.shuffled >= score.value - 1e-6).sum()) / 100)
    for name, values in p_values.items():
        assert stats.kstest(values, "uniform").pvalue > 0.05, name


def test_the_interval_of_purity_covers_the_value_of_a_large_fresh_sample() -> None:
    """Well-apart clusters, each mostly of one category: purity is then the same for lists of any length."""
    random = np.random.default_rng(0)
    centres = 30 * random.normal(size=(6, 2))

    def sample(n_words: int) -> tuple[np.ndarray, np.ndarray]:
        points, home = clusters(random, centres, n_words // 6)
        return points, np.where(random.random(len(home)) < 0.7, home, random.integers(6, size=len(home)))

    true = sklearn_purity(*sample(30_000), "euclidean")
    covered = 0
    for _ in range(100):
        points, labels = sample(120)
        score = purity(euclidean(points), single(labels, n_permutations=1))
        covered += score.low <= true <= score.high
    assert 90 <= covered <= 98


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.parametrize("distance", [0.4, 2.0])
def test_intervals_cover_what_fresh_lists_of_the_same_length_give(distance: float) -> None:
    """Clusters that overlap: more words would make neighbours closer, so the truth is the mean of many fresh lists."""
    random = np.random.default_rng(1)
    centres = distance * random.normal(size=(9, 2))

    def scores() -> tuple[Score, Score]:
        points, labels = clusters(random, centres, 13)
        categories = single(labels, n_permutations=1)
        return purity(euclidean(points), categories), silhouette(euclidean(points), categories)

    fresh = [scores() for _ in range(400)]
    runs = [scores() for _ in range(100)]
    for measure_index in range(2):
        true = np.mean([scores[measure_index].value for scores in fresh])
        covered = sum(scores[measure_index].low <= true <= scores[measure_index].high for scores in runs)
        assert 90 <= covered <= 99


@pytest.mark.filterwarnings("error")
def test_where_chance_is_as_high_as_can_be_nothing_is_claimed() -> None:
    """Words are shuffled within their case: names and other words keep their categories."""
    points, labels = clusters(np.random.default_rng(0), np.array([[0.0, 0.0], [50.0, 0.0]]), 8)
    names = tuple(f"{'Name' if label else 'word'} {row}" for row, label in enumerate(labels))
    categories = single(labels, words=names, n_permutations=19)
    found = purity(euclidean(points), categories)
    assert found.value == 1
    assert (found.shuffled == 1).all()
    measured = gather_tested([[found]], categories, found)
    assert np.isnan(measured.above_chance.score).all()
    assert np.isnan(measured.above_surface.score).all()
    assert np.isnan(measured.effect).all()


def test_the_bound_is_that_of_the_words_that_count() -> None:
    """A word of a small category can't have as many neighbors of it, and doesn't count where it is at one point with many others."""
    points, labels = clusters(np.random.default_rng(1), 50.0 * np.arange(10).reshape(5, 2), 12)
    points = np.concatenate([points, np.full((12, 2), 500.0)])
    labels = np.concatenate([labels, np.repeat([5, 6, 7, 8], 3)])
    categories = single(labels, n_permutations=19)
    found = purity(euclidean(points), categories)
    assert found.value == found.bound == 1
    assert categories.most_purity(np.arange(len(labels))) < 0.95
    assert gather_tested([[found]], categories, found).effect.tolist() == [1.0]


@pytest.mark.parametrize("t", [-40.0, -3.0, 0.0, 3.0, 40.0])
def test_a_normal_variable_stands_on_the_side_of_its_students_t(t: float) -> None:
    assert as_normal(t, 7) == pytest.approx(stats.norm.isf(stats.t.sf(t, 7)))
