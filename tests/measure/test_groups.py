"""Which words belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import making
import numpy as np
import pytest

from tokviz.measure.groups import groups_of, near_together
from tokviz.records import HiddenStates, TokenizedWord

FILLERS = tuple(f"{chr(97 + row % 26)}{chr(97 + row // 26)}xyz" for row in range(40))
"""Words that have nothing in common: a group of a few is no more than a tenth of all."""


def merged(
    words: Sequence[str], captures: Sequence[HiddenStates] = (), declared: Sequence[Sequence[str]] = ()
) -> list[set[str]]:
    """The groups of several words."""
    every = (*words, *FILLERS)
    found = groups_of(every, [(each, np.arange(len(every))) for each in captures], declared)
    groups = [{every[row] for row in np.flatnonzero(found.labels == label)} for label in range(found.labels.max() + 1)]
    return [each for each in groups if len(each) > 1]


def cut(pieces: Mapping[str, Sequence[str]]) -> HiddenStates:
    """A capture of these words, each after a special token, in these pieces; the fillers are one piece."""
    every: dict[str, Sequence[str]] = {**pieces, **{word: (word,) for word in FILLERS}}
    names = sorted({piece for own in every.values() for piece in own})
    made = making.hidden_states([np.random.default_rng(0).normal(size=(len(every), 4)).astype(np.float32)])
    words = tuple(
        TokenizedWord(
            word=word,
            text=word,
            ids=(1000, *(names.index(piece) for piece in own)),
            pieces=("<s>", *own),
            start=1,
            stop=1 + len(own),
        )
        for word, own in every.items()
    )
    return replace(made, tokenization=replace(made.tokenization, words=words))


VERBS = ("walk", "jump", "paint", "laugh", "climb", "search", "follow", "knock")


def test_words_that_are_equal_but_for_case_or_have_a_stem_in_common_are_one_group() -> None:
    assert merged(["May", "may", "play", "plays", "playing", "June"]) == [{"May", "may"}, {"play", "plays", "playing"}]


def test_words_are_one_group_that_have_their_tokens_or_the_first_of_them_in_common() -> None:
    pieces = {
        "Strasse": ("str", "asse"),
        "Straße": ("str", "aße"),
        "kids": ("▁", "kid", "s"),
        "kiddo": ("▁", "kid", "do"),
    }
    assert merged([*pieces], [cut(pieces)]) == [{"Strasse", "Straße"}, {"kids", "kiddo"}]
    # A space of its own and special tokens tell nothing.
    assert merged(["one", "red"], [cut({"one": ("▁", "one"), "red": ("▁", "red")})]) == []


def test_nothing_is_passed_on() -> None:
    """*alpha* and *beta* have a piece each in common with *middle*, which is the second of its group."""
    pieces = {"alpha": ("m", "a"), "middle": ("m", "z"), "beta": ("q", "b")}
    other = {"alpha": ("u", "a"), "middle": ("q", "z"), "beta": ("q", "b")}
    assert merged([*pieces], [cut(pieces), cut(other)]) == [{"alpha", "middle"}]


def test_equal_states_at_the_embedding_are_one_group() -> None:
    states = making.hidden_states([np.random.default_rng(0).normal(size=(2 + len(FILLERS), 4)).astype(np.float32)])
    states.states[0][1] = states.states[0][0]
    known = replace(
        states.tokenization, words=tuple(replace(each, start=0, stop=0) for each in states.tokenization.words)
    )
    assert merged(["one", "red"], [replace(states, tokenization=known)]) == [{"one", "red"}]


def test_declared_words_are_one_group_whatever_they_are() -> None:
    declared = [["happy", "unhappy", "no word of these"], ["calm", "quiet"]]
    assert merged(["happy", "unhappy", "calm", "quiet"], declared=declared) == [{"happy", "unhappy"}, {"calm", "quiet"}]
    # What else has a stem in common with one of them belongs to it.
    assert merged(["happy", "unhappy", "unhappily"], declared=declared[:1]) == [{"happy", "unhappy", "unhappily"}]


@pytest.mark.parametrize("n", [7, 6])
def test_where_a_group_would_hold_more_than_a_tenth_only_declared_words_are_merged(n: int) -> None:
    forms = ["play", "plays", "played", "player", "playing", "playful", "players"][:n]
    words = (*forms, "happy", "unhappy", *FILLERS[: 43 - n - 2])
    found = groups_of(words, declared=[["happy", "unhappy"]])
    n_merged = len(words) - 1 - found.labels.max()
    assert (n_merged, [words[row] for row in found.too_large]) == ((1, forms) if n == 7 else (6, []))


def test_what_too_many_words_have_in_common_joins_none_and_others_still_are_groups() -> None:
    """Years that share their first token, beside verbs in two forms, a pair that is near and one that was declared."""
    years = [f"19{n}" for n in range(70, 83)]
    verbs = [f"{verb}{ending}" for verb in VERBS for ending in ("", "s")]
    words = (*years, *verbs, "sofa", "couch", "calm", "quiet", *FILLERS)
    states = cut({**{year: ("19", year[2:]) for year in years}, **{word: (word,) for word in words[len(years) :]}})
    capture = [(states, np.arange(len(words)))]
    found = groups_of(words, capture, declared=[("calm", "quiet")], near=[("sofa", "couch")])
    assert [words[row] for row in found.too_large] == years
    groups = [[words[row] for row in np.flatnonzero(found.labels == n)] for n in range(found.labels.max() + 1)]
    of_verbs = [[verb, f"{verb}s"] for verb in VERBS]
    assert [each for each in groups if len(each) > 1] == [*of_verbs, ["sofa", "couch"], ["calm", "quiet"]]


def test_forms_are_groups_however_short_the_list_is() -> None:
    """Eight verbs in four forms: each is an eighth of the words."""
    words = [f"{verb}{ending}" for verb in VERBS for ending in ("", "s", "ed", "ing")]
    found = groups_of(words)
    assert found.too_large == ()
    assert found.labels.tolist() == np.repeat(np.arange(len(VERBS)), 4).tolist()


def near(random: np.random.Generator, sources: Iterable[int], n_depths: int = 6, apart: float = 0.3) -> HiddenStates:
    """Words of one source have nearly the same state at every depth."""
    of = np.array([*sources])
    states = [
        (random.normal(size=(of.max() + 1, 32))[of] + apart * random.normal(size=(len(of), 32))).astype(np.float32)
        for _ in range(n_depths)
    ]
    return making.hidden_states(states)


def in_rows(states: HiddenStates, kinds: Iterable[int], *further: HiddenStates) -> list[set[int]]:
    names = [each.word for each in states.tokenization.words]
    found = near_together([states, *further], np.arange(len(names)), [(int(kind),) for kind in kinds])
    return [{names.index(word) for word in each} for each in found]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_two_to_four_words_of_nearly_the_same_states_belong_together(size: int) -> None:
    sources = np.repeat(np.arange(10), size)
    states = near(np.random.default_rng(size), sources)
    wanted = [set(range(first, first + size)) for first in range(0, len(sources), size)] if 1 < size < 5 else []
    assert in_rows(states, sources % 3) == wanted


def test_words_that_are_near_at_few_depths_stay_apart() -> None:
    random = np.random.default_rng(0)
    states = near(random, np.repeat(np.arange(10), 2), n_depths=6)
    others = near(random, range(20), n_depths=6)
    for n_near, n_found in ((2, 10), (1, 0)):
        late = replace(states, states=[*others.states[: 6 - n_near], *states.states[6 - n_near :]])
        assert len(in_rows(late, np.arange(20) // 2 % 3)) == n_found


@pytest.mark.parametrize("size", [2, 6, 7])
def test_words_of_one_state_at_the_embedding_belong_together_however_soon_they_part(size: int) -> None:
    """As words that are read at a token that they share, such as *-ness*."""
    random, sources = np.random.default_rng(0), np.repeat(np.arange(60 // size), size)
    apart, token = near(random, range(len(sources))), random.normal(size=(len(sources), 32)).astype(np.float32)
    states = replace(apart, states=[token[sources], *apart.states[1:]])
    wanted = [set(np.flatnonzero(sources == source).tolist()) for source in range(sources[-1] + 1)]
    assert in_rows(states, sources % 3) == (wanted if size <= 6 else [])
    assert in_rows(states, sources % 3, apart) == [], "in another template they are read elsewhere"


def test_words_are_near_that_are_so_in_most_templates() -> None:
    random = np.random.default_rng(0)
    one, other = (near(random, np.repeat(np.arange(10), 2)) for _ in range(2))
    apart = near(random, range(20))
    assert len(in_rows(apart, np.arange(20) // 2 % 3, one, other)) == 10
    assert in_rows(apart, np.arange(20) // 2 % 3, near(random, range(20)), one) == []


def test_a_category_whose_words_are_all_near_stays_apart() -> None:
    sources = np.repeat(np.arange(8), 3)
    states = near(np.random.default_rng(0), sources)
    assert in_rows(states, sources) == []
    assert in_rows(states, [*sources[:-3], 0, 0, 0]) == [{0, 1, 2}, {21, 22, 23}]


def test_words_of_several_categories_stay_apart() -> None:
    """A model may give a category's words the states of another's: that is what is asked."""
    states = near(np.random.default_rng(0), np.repeat(np.arange(10), 2))
    assert in_rows(states, [0, 1] * 10) == []
    assert in_rows(states, [0, 0, *[0, 1] * 9]) == [{0, 1}]


def test_states_that_tell_nothing_join_no_words() -> None:
    constant = making.hidden_states([np.ones((6, 4), dtype=np.float32)] * 3)
    infinite = making.hidden_states([np.full((6, 4), np.inf, dtype=np.float32)] * 3)
    assert in_rows(constant, [0, 0, 0, 1, 1, 1]) == in_rows(infinite, [0, 0, 0, 1, 1, 1]) == []
    assert in_rows(making.hidden_states([np.eye(2, 4, dtype=np.float32)]), [0, 1]) == []


def test_near_words_are_one_group_also_with_those_that_one_of_them_was_declared_with() -> None:
    words = ("sofa", "couch", "red", "crimson", *FILLERS)
    both = [("sofa", "couch"), ("red", "crimson")]
    assert groups_of(words, near=both).labels[:4].tolist() == [0, 0, 1, 1]
    assert groups_of(words, declared=[("sofa", "red")], near=both[:1]).labels[:4].tolist() == [0, 0, 0, 1]
