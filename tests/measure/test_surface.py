"""What words look like without any model: numbers, tokens and letters, each by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tokviz.measure import surface
from tokviz.measure.categories import purity, silhouette
from tokviz.measure.labels import Categories
from tokviz.measure.spaces import standardized
from tokviz.records import Tokenization, TokenizedWord

N_EACH = 12
LABELS = [row // N_EACH for row in range(3 * N_EACH)]


def made(words: Sequence[str], ids: Sequence[tuple[int, ...]]) -> Tokenization:
    every = (
        TokenizedWord(word=word, text=word, ids=own, pieces=("x",) * len(own), start=0, stop=len(own))
        for word, own in zip(words, ids, strict=True)
    )
    return Tokenization(words=tuple(every), read="last")


def letters(seed: int, n: int) -> list[str]:
    random = np.random.default_rng(seed)
    return ["".join(random.choice(list("abcdefghijklmnopqrstuvwxyz"), 6)) for _ in range(n)]


def scores(tokenization: Tokenization) -> tuple[float, float]:
    categories = Categories(
        memberships=tuple((label,) for label in LABELS), words=tuple(each.word for each in tokenization.words)
    )
    found = surface.scores(tokenization, np.arange(len(LABELS)), categories)
    known = standardized(surface.features(tokenization))
    distances = np.linalg.norm(known[:, None] - known, axis=2)
    for own, numbers in zip(found, (purity(distances, categories), silhouette(distances, categories)), strict=True):
        assert own.effect()[0] >= numbers.effect()[0]
    return found[0].value, found[1].value


CYRILLIC = str.maketrans("abcdefghijklmnopqrstuvwxyz", "абцдефгхийклмнопярстувжцыз")
GREEK = str.maketrans("abcdefghijklmnopqrstuvwxyz", "αβχδεφγηικλλμνοπψρστυωξξυζ")
RARE = np.random.default_rng(0).permutation(10_000)[: len(LABELS)] + 100


def test_words_that_share_a_token_are_as_near_as_can_be() -> None:
    """Also one that isn't read."""
    own = made(letters(1, len(LABELS)), [(label, int(rare)) for label, rare in zip(LABELS, RARE, strict=True)])
    of_purity, of_silhouette = scores(own)
    assert of_purity == 1
    assert of_silhouette > 0.95
    none = made(letters(1, len(LABELS)), [(row, int(rare)) for row, rare in enumerate(RARE)])
    assert max(scores(none)) < 0.6


def test_words_that_share_letters_are_near() -> None:
    endings = ["ing", "ly", "tion"]
    words = [f"{start}{endings[label]}" for start, label in zip(letters(2, len(LABELS)), LABELS, strict=True)]
    assert scores(made(words, [(int(rare),) for rare in RARE]))[0] > 0.9
    assert scores(made(letters(2, len(LABELS)), [(int(rare),) for rare in RARE]))[0] < 0.6


def test_words_are_near_by_how_often_they_have_a_token() -> None:
    """Each word has all three tokens, that of its category twice."""
    random = np.random.default_rng(14)
    ids = [
        (*random.permutation([0, 1, 2, label]).tolist(), int(rare)) for label, rare in zip(LABELS, RARE, strict=True)
    ]
    assert scores(made(letters(14, len(LABELS)), ids))[0] > 0.9


@pytest.mark.parametrize(
    "words",
    [
        sorted(letters(9, len(LABELS))),
        [own[: 2 + 2 * (row // N_EACH)] for row, own in enumerate(letters(10, len(LABELS)))],
        [
            [own, own.upper(), f"{own[:3]}{row}{own[3:]}"][row // N_EACH]
            for row, own in enumerate(letters(11, len(LABELS)))
        ],
        [
            [own, own.translate(CYRILLIC), own.translate(GREEK)][row // N_EACH]
            for row, own in enumerate(letters(12, len(LABELS)))
        ],
        [f"{own}{'aeo'[row // N_EACH]}" for row, own in enumerate(letters(13, len(LABELS)))],
    ],
    ids=["alphabet", "length", "capitals and digits", "script", "last letter"],
)
def test_words_that_are_spelled_alike_are_near(words: list[str]) -> None:
    ids = [(int(rare),) for rare in RARE]
    assert scores(made(words, ids))[0] > 0.9


def test_what_is_common_is_near_as_before() -> None:
    ids = [(int(10 ** (2 + label) + row),) for row, label in enumerate(LABELS)]
    assert scores(made(letters(3, len(LABELS)), ids))[0] == 1


def test_words_are_near_by_their_first_token_where_any_may_be_shared() -> None:
    """Each of a category's words shares the other token with a word of each other category."""
    ids = [(label, 100 + row % N_EACH) for row, label in enumerate(LABELS)]
    assert scores(made(letters(6, len(LABELS)), ids))[0] == 1


def test_words_are_near_by_the_last_tokens_that_they_have_in_common_behind_which_all_end_alike() -> None:
    """As with *ness*, *less* and *ters* where each letter is a token: none of these letters is one category's alone."""
    endings = [(1, 2, 9, 9), (3, 2, 9, 9), (1, 4, 9, 9)]
    ids = [(int(rare), *endings[label]) for label, rare in zip(LABELS, RARE, strict=True)]
    tokenization = made(letters(15, len(LABELS)), ids)
    words = tuple(each.word for each in tokenization.words)
    categories = Categories(memberships=tuple((label,) for label in LABELS), words=words)
    of_purity, of_silhouette = surface.scores(tokenization, np.arange(len(LABELS)), categories)
    assert of_purity.value == 1
    assert of_silhouette.value > 0.95


def test_words_that_look_the_same_are_nearest_to_each_other() -> None:
    """As all of a category are that have the token in common that is read."""
    ids = [(100 + row % N_EACH, label) for row, label in enumerate(LABELS)]
    tokenization = made(letters(8, len(LABELS)), ids)
    words = tuple(each.word for each in tokenization.words)
    categories = Categories(memberships=tuple((label,) for label in LABELS), words=words)
    of_purity, of_silhouette = surface.scores(tokenization, np.arange(len(LABELS)), categories)
    assert of_purity.value == 1
    assert of_silhouette.value == 1
    others = Categories(memberships=tuple((row % 3,) for row in range(len(LABELS))), words=words)
    assert surface.scores(tokenization, np.arange(len(LABELS)), others)[0].value < 0.6


def test_how_common_words_are_counts_by_itself() -> None:
    """Whatever their case is, in which they may lie nearer."""
    words = [word.capitalize() if row % 3 else word for row, word in enumerate(letters(7, len(LABELS)))]
    ids = [(1000 + 300 * label + 20 * (row % N_EACH),) for row, label in enumerate(LABELS)]
    assert scores(made(words, ids))[0] > 0.8


def test_the_order_of_words_decides_nothing() -> None:
    """Words that share nothing are as far from each other by tokens; the numbers tell them apart."""
    words = letters(4, len(LABELS))
    ids: list[tuple[int, ...]] = [(int(rare),) for rare in RARE]
    ids[0] = (*ids[1], *ids[0])
    in_order = list(range(len(words)))
    found = []
    for rows in (in_order, np.random.default_rng(5).permutation(len(words)).tolist()):
        own = Categories(memberships=tuple((LABELS[row],) for row in rows), words=tuple(words[row] for row in rows))
        found.append(
            surface.scores(made([words[row] for row in rows], [ids[row] for row in rows]), np.arange(len(words)), own)
        )
    for one, other in zip(*found, strict=True):
        assert one.value == pytest.approx(other.value)
