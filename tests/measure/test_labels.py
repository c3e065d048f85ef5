"""What is shuffled together: forms of one word, and words whose initial has the same case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances

from tokviz.measure.categories import purity
from tokviz.measure.forms import families
from tokviz.measure.labels import Categories


@pytest.mark.parametrize(
    ("words", "together"),
    [
        (["play", "walk", "plays", "playground", "playing"], [["play", "plays", "playing"]]),
        (["make", "making", "takes"], [["make", "making"]]),
        (["cat", "cats", "caterpillar", "cart"], [["cat", "cats"]]),
        (["happy", "happily", "harpy"], [["happy", "happily"]]),
        (["may", "June", "May", "go", "Go", "on"], [["may", "May"], ["go", "Go"]]),
        (
            ["café", "cafe", "e-mail", "email", "мой", "мои", "C", "C++"],
            [["café", "cafe"], ["e-mail", "email"], ["мой", "мои"]],
        ),
        (["かき", "かぎ", "का", "कि", "...", "!"], []),
        (["लड़का", "लड़के", "लड़कों", "कमरा"], [["लड़का", "लड़के", "लड़कों"]]),
        (["city", "cities", "fly", "flies", "day", "days"], [["city", "cities"], ["fly", "flies"], ["day", "days"]]),
        (["gato", "gatas", "рука", "рукой", "руки", "game"], [["gato", "gatas"], ["рука", "рукой", "руки"]]),
        (["run", "running", "stop", "stopped", "robin"], [["run", "running"], ["stop", "stopped"]]),
        (["كتب", "كَتَبَ", "שלום", "שָׁלוֹם", "ספר"], [["كتب", "كَتَبَ"], ["שלום", "שָׁלוֹם"]]),
        (["👍", "👍🏻", "👍🏽", "👎"], [["👍", "👍🏻", "👍🏽"]]),
        (["வீடு", "வீடுகள்", "மரம்"], [["வீடு", "வீடுகள்"]]),
        (["Mark", "Mary", "Anna", "Anke", "June", "July", "Iran", "Iraq"], []),
        (["1999", "1998", "New York", "New Jersey", "日本", "日本人"], []),
    ],
)
def test_forms_of_one_word_are_found_by_their_letters(words: list[str], together: list[list[str]]) -> None:
    found = families(words, [0] * len(words))
    assert [[words[row] for row in family] for family in found if len(family) > 1] == together
    assert sorted(row for family in found for row in family) == list(range(len(words)))


def test_words_of_different_categories_are_not() -> None:
    assert families(["play", "plays"], [0, 1]) == [[0], [1]]


def test_words_are_one_family_that_are_declared_to_be_and_forms_of_them_are_too() -> None:
    words = ["sofas", "couch", "chair", "sofa", "settee"]
    declared = [["sofa", "couch", "divan"]]
    assert families(words, [0] * 5, declared) == [[0, 1, 3], [2], [4]]
    assert families(words, [0, 1, 0, 0, 0], declared) == [[0, 3], [1], [2], [4]]


def test_forms_stay_together_also_where_one_stands_in_a_second_category() -> None:
    words = ("cat", "dog", "rose", "fern", "cats", "dogs", "roses", "ferns")
    memberships = ((0,), (0,), (1,), (1,), (0, 2), (0, 2), (1, 2), (1, 2))
    made = Categories(memberships=memberships, words=words, n_permutations=99)
    assert made.n_families == 4
    first = made.first[made.shuffles]
    assert (first[:, :4] == first[:, 4:]).all()
    assert len(np.unique(first, axis=0)) == 6


def test_a_single_pair_of_forms_changes_places_with_two_single_words_of_one_category() -> None:
    """As often as all arrangements in which both have one category, each as likely as any other, have it so."""
    words = ("alder", "birch", "cedar", "plays", "play", "finch", "gull", "heron", "ibis", "jay", "Oslo", "Rome")
    memberships = tuple((category,) for category in (0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3))
    made = Categories(memberships=memberships, words=words, n_permutations=4000)
    assert (np.sort(made.shuffles, axis=1) == np.arange(len(words))).all()
    shuffled = made.first[made.shuffles]
    assert (shuffled[:, 3] == shuffled[:, 4]).all()
    shares = np.bincount(shuffled[:, 3], minlength=4) / 4000
    # 3 · 2, 3 · 2 and 4 · 3 ways; words with a capital are none.
    assert shares == pytest.approx([0.25, 0.25, 0.5, 0], abs=0.03)
    of_alder = np.bincount(shuffled[shuffled[:, 3] == 2, 0], minlength=3) / (shuffled[:, 3] == 2).sum()
    assert of_alder == pytest.approx([3 / 8, 3 / 8, 2 / 8], abs=0.04)


def test_a_pair_stays_where_there_are_too_few_single_words() -> None:
    words, memberships = ("play", "plays", "oak", "Rome", "Oslo"), ((0,), (0,), (1,), (1,), (1,))
    made = Categories(memberships=memberships, words=words, n_permutations=9)
    assert (made.first[made.shuffles] == made.first).all()
    assert replace(made, n_permutations=0).shuffles.shape == (0, 5)


@pytest.mark.parametrize("n_pairs", [1, 4])
def test_few_pairs_dealt_to_categories_at_random_are_chance(n_pairs: int) -> None:
    """Beside single words; each pair lies together."""
    random, n = np.random.default_rng(3), 48
    texts = [f"{chr(97 + row // 26)}{chr(97 + row % 26)}quo" for row in range(n)]
    words = (*texts, *(f"{text}s" for text in texts[:n_pairs]))
    sources = np.concatenate([np.arange(n), np.arange(n_pairs)])
    p_values = []
    for _ in range(100):
        points = random.normal(size=(n, 8))[sources] + 0.05 * random.normal(size=(len(sources), 8))
        while True:  # all arrangements in which a pair has one category
            labels = random.permutation(np.arange(n + n_pairs) % 4)
            if (labels[n:] == labels[:n_pairs]).all():
                break
        dealt = Categories(memberships=tuple((int(each),) for each in labels), words=words, n_permutations=199)
        assert dealt.n_families == n
        found = purity(pairwise_distances(points), dealt)
        p_values.append((1 + int((found.shuffled >= found.value).sum())) / 200)
    assert 0.4 < np.mean(p_values) < 0.6
    assert np.mean(np.array(p_values) <= 0.1) <= 0.18


FORMS = ("{}", "{}s", "{}ing")
STEMS = [a + b + c + d for a in "bdf" for b in "aeio" for c in "klmn" for d in "td"][:60]


def dealt(random: np.random.Generator, n_categories: int) -> Categories:
    """Families of three forms, each dealt to a category at random."""
    of_family = random.permutation(np.arange(len(STEMS)) % n_categories)
    words = tuple(form.format(stem) for stem in STEMS for form in FORMS)
    memberships = tuple((int(category),) for category in of_family for _ in FORMS)
    return Categories(memberships=memberships, words=words, n_permutations=199)


def test_families_dealt_to_categories_at_random_are_chance() -> None:
    """Forms of a word lie beside each other, so that a word's neighbors share its category whatever that is."""
    random = np.random.default_rng(5)
    centres = random.normal(size=(len(STEMS), 1, 20))
    points = (centres + 0.1 * random.normal(size=(len(STEMS), len(FORMS), 20))).reshape(-1, 20)
    distances = pairwise_distances(points)
    p_values = []
    for _ in range(60):
        found = purity(distances, dealt(random, 6))
        p_values.append((1 + int((found.shuffled >= found.value).sum())) / (1 + len(found.shuffled)))
        assert found.shuffled.mean() == pytest.approx(found.value, abs=0.08)
    assert 0.3 < np.mean(p_values) < 0.7
    assert np.mean(np.array(p_values) <= 0.05) <= 0.15


def test_every_form_gets_the_category_of_one_word() -> None:
    categories = dealt(np.random.default_rng(0), 6)
    own = categories.first[categories.shuffles].reshape(199, len(STEMS), len(FORMS))
    assert (own == own[..., :1]).all()
    np.testing.assert_array_equal(np.sort(categories.shuffles, axis=1), np.tile(np.arange(180), (199, 1)))


@pytest.mark.parametrize("partner", ["{}", "un{}"])
def test_both_cases_of_a_word_and_declared_words_get_the_category_of_one_word(partner: str) -> None:
    """Each case that of a word of its own case."""
    pairs = [(stem, partner.format(stem.capitalize() if partner == "{}" else stem)) for stem in STEMS]
    words = tuple(word for pair in pairs for word in pair)
    of_pair = np.random.default_rng(1).permutation(np.arange(len(pairs)) % 5)
    categories = Categories(
        memberships=tuple((int(own),) for own in of_pair for _ in range(2)),
        words=words,
        n_permutations=99,
        declared=() if partner == "{}" else tuple(pairs),
    )
    own = categories.first[categories.shuffles].reshape(99, len(pairs), 2)
    assert (own == own[..., :1]).all()
    assert (categories.capitalized[categories.shuffles] == categories.capitalized).all()


def test_a_list_of_one_family_per_category_has_one_arrangement_each_way() -> None:
    words = ("play", "plays", "walk", "walks")
    categories = Categories(memberships=((0,), (0,), (1,), (1,)), words=words)
    assert categories.n_arrangements == pytest.approx(2)
    alone = Categories(memberships=((0,), (0,), (1,), (1,)), words=("run", "sit", "fly", "dig"))
    assert alone.n_arrangements == pytest.approx(6)
