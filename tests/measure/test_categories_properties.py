"""Purity of any words, however categories overlap: a share, by its definition, whatever words and categories are called."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokviz.measure.categories import Score, purity
from tokviz.measure.labels import Categories

N_CATEGORIES = 4
Memberships = tuple[tuple[int, ...], ...]
Case = tuple[np.ndarray, Memberships]


@st.composite
def cases(draw: st.DrawFn, least: int = 1, most: int = 12) -> Case:
    """Words at distances that all differ, so that nobody's nearest are in doubt; each in one category or more."""
    n_words = draw(st.integers(least, most))
    pairs = np.triu_indices(n_words, 1)
    distances = np.zeros((n_words, n_words))
    distances[pairs] = draw(st.permutations(range(1, len(pairs[0]) + 1)))
    own = st.lists(st.integers(0, N_CATEGORIES - 1), min_size=1, max_size=3, unique=True).map(tuple)
    return distances + distances.T, tuple(draw(st.lists(own, min_size=n_words, max_size=n_words)))


def measured(distances: np.ndarray, memberships: Memberships) -> Score:
    return purity(distances, Categories(memberships=memberships, n_permutations=19))


def by_definition(distances: np.ndarray, memberships: Memberships) -> Fraction:
    """Of each word's nearest others the share with a common category; its mean: five, or as many as half of the categories have."""
    sizes = list(Counter(own[0] for own in memberships).values())
    k = max(1, min(5, int(np.median(sizes)) - 1))
    shares = []
    for word, own in enumerate(memberships):
        others = sorted((other for other in range(len(memberships)) if other != word), key=lambda o: distances[word, o])
        shared = [bool(set(own) & set(memberships[other])) for other in others[:k]]
        shares.append(Fraction(sum(shared), len(shared)))
    return sum(shares, Fraction(0)) / len(shares)


def is_defined(memberships: Memberships) -> bool:
    """Three words, of two first categories, two of them in the same one."""
    first = [own[0] for own in memberships]
    return len(first) >= 3 and 1 < len(set(first)) < len(first)


@given(cases())
def test_purity_is_what_its_definition_says(case: Case) -> None:
    distances, memberships = case
    score = measured(distances, memberships)
    if is_defined(memberships):
        assert score.value == pytest.approx(float(by_definition(distances, memberships)), abs=1e-12)
    else:
        assert np.isnan([score.value, score.low, score.high]).all()
        assert not len(score.shuffled)


@given(cases(least=3).filter(lambda case: is_defined(case[1])))
def test_purity_its_interval_and_chance_are_shares(case: Case) -> None:
    score = measured(*case)
    rounding = 1e-12
    assert 0 <= score.low <= score.value + rounding
    assert score.value - rounding <= score.high <= 1
    assert len(score.shuffled) == 19
    assert ((score.shuffled >= 0) & (score.shuffled <= 1)).all()


@given(st.data(), cases(least=3))
def test_purity_is_the_same_in_any_order_of_words(data: st.DataObject, case: Case) -> None:
    distances, memberships = case
    order = data.draw(st.permutations(range(len(memberships))))
    score = measured(distances, memberships)
    other = measured(distances[np.ix_(order, order)], tuple(memberships[word] for word in order))
    np.testing.assert_allclose(
        [other.value, other.low, other.high], [score.value, score.low, score.high], rtol=0, atol=1e-9
    )


@given(st.permutations(range(10, 10 + N_CATEGORIES)), cases(least=3))
def test_purity_is_the_same_whatever_categories_are_called(names: list[int], case: Case) -> None:
    distances, memberships = case
    renamed = tuple(tuple(names[category] for category in own) for own in memberships)
    score, other = measured(distances, memberships), measured(distances, renamed)
    for field in ("value", "low", "high", "error", "parts", "shuffled"):
        np.testing.assert_allclose(getattr(other, field), getattr(score, field), rtol=0, atol=1e-9, err_msg=field)
