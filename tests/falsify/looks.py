"""Words of which all that a model shows is how they look: their tokens, how common they are, that two of them are one word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import families
import making
import numpy as np
from tiny_tokenizers import whole_words

from falsify.case import N_NULL, Case, Kind
from falsify.orders import in_order, is_beyond, with_ids
from falsify.reports import DIFFERENCES, Asked, asked_of, decided, inputs_of, labelled, named
from falsify.sample import Sample, captured_in
from falsify.stages import ARCHITECTURES
from tokviz.config import ReportConfig
from tokviz.records import OrderRows, WordList
from tokviz.run.plan.inputs import Inputs

N_LAYERS, N_DEPTHS, WIDTH = 6, 5, 48
CONTEXTS = [{"name": "alone", "template": "{word}"}, {"name": "sentence", "template": "The word is {word}"}]
_LETTERS = list("abcdefghiklmnoprstu")


def _names(random: np.random.Generator, n: int) -> list[str]:
    """Six letters each."""
    found: dict[str, None] = {}
    while len(found) < n:
        found["".join(random.choice(_LETTERS, 6))] = None
    return list(found)


# --- two words that are one ------------------------------------------------------------------------------------------


def _capital(word: str, _: str) -> str:
    return word.capitalize()


def _accented(word: str, _: str) -> str:
    return word.translate(str.maketrans("aeiou", "áéíóú"))


def _marked(word: str, _: str) -> str:
    return f"{word}!"


def _declared(_: str, other: str) -> str:
    return other


PARTNERS: tuple[Callable[[str, str], str], ...] = (_capital, _declared, _accented, _marked)


def pairs(number: int, _: Sample) -> Case:
    """Two models; pairs of words with nearly the same states, each in a category that is drawn at random."""
    random, partner = np.random.default_rng((51, number)), PARTNERS[number % len(PARTNERS)]
    n_categories, n_each = int(random.integers(3, 7)), int(random.integers(6, 9))
    n = n_categories * n_each
    names = _names(random, 2 * n)
    forms = [(word, partner(word, other)) for word, other in zip(names[:n], names[n:], strict=True)]
    labels = np.repeat(np.arange(n_categories), n_each)  # of names in no order
    texts = [word for both in forms for word in both]
    words = labelled(texts, np.repeat(labels, 2).tolist())
    if partner is _declared:
        words = replace(words, groups=tuple(forms))
    row_of = {text: row // 2 for row, text in enumerate(texts)}
    sources = [row_of[text] for text in words.words]
    models = {slug: [_drawn(random, n, sources, words)] for slug in ("one", "other")}
    report = decided(models, words, Asked(compares=frozenset({DIFFERENCES})))
    return Case(report=report, is_false=lambda _: True)


def _drawn(random: np.random.Generator, n: int, sources: Sequence[int], words: WordList) -> Inputs:
    own, states = random.normal(size=(n, WIDTH)), []
    for _ in range(N_DEPTHS):
        own = 0.8 * own + 0.6 * random.normal(size=own.shape)
        states.append((own[sources] + 0.25 * random.normal(size=(len(sources), WIDTH))).astype(np.float32))
    return inputs_of(named(making.hidden_states(states, positions=[1] * len(sources)), words.words), words)


# --- tokens ----------------------------------------------------------------------------------------------------------


_GRIDS = ("{own} {other}", "{other} {own}", "{other} {own} {same}")


def grid(number: int, _: Sample) -> Case:
    """A model with random weights, and words of each of some tokens with each of others; by category the first, second or middle one."""
    random = np.random.default_rng((52, number))
    n_own, n_others = int(random.integers(5, 9)), int(random.integers(5, 9))
    *names, same = _names(random, n_own + n_others + 1)
    form = _GRIDS[number // len(ARCHITECTURES) % len(_GRIDS)]
    words = {own: [form.format(own=own, other=other, same=same) for other in names[n_own:]] for own in names[:n_own]}
    report = _of_random_weights(number, {"words": words}, [*names, same])
    return Case(report=report, is_false=lambda each: each.kind == "surface")


_NUMERALS = ("{ten} {one}", "{one} {ten} {same}", "{same} {ten} {one}")


def numerals(number: int, _: Sample) -> Case:
    """The same with three or four times eight words in their order, as *twenty one*, *twenty two* and so on are, or dates of a year."""
    random = np.random.default_rng((53, number))
    *names, same = _names(random, 17)
    form = _NUMERALS[number // len(ARCHITECTURES) % len(_NUMERALS)]
    row = [form.format(ten=ten, one=one, same=same) for ten in names[: 3 + number % 2] for one in names[4:12]]
    asked: dict[str, Any] = {
        "words": {"numbers": row, "others": [f"{one} {two}" for one, two in zip(names[12:], names[4:8], strict=True)]},
        "orders": [{"name": "numbers", "category": "numbers"}],
    }
    return Case(report=_of_random_weights(number, asked, [*names, same]), is_false=is_beyond)


_RADICES = ((2, 2, 2, 2), (2, 2, 4), (4, 2, 2), (2, 2, 5), (2, 2, 2, 3), (2, 2, 2, 2, 2))


def counted(number: int, _: Sample) -> Case:
    """The same with 16 to 32 words that count in three to five tokens, as times do, or numbers in another base; some of them in Gray code."""
    random = np.random.default_rng((58, number))
    radices = _RADICES[number // len(ARCHITECTURES) % len(_RADICES)]
    is_gray, has_own = number % 2 == 1 and set(radices) == {2}, number % 2 == 0
    *names, same = _names(random, sum(radices) + 9)
    digits = np.indices(radices).reshape(len(radices), -1).T
    if is_gray:
        digits[:, 1:] ^= digits[:, :-1]
    first = np.cumsum((0, *radices[:-1])) if has_own else np.zeros(len(radices), dtype=np.int64)
    row = [" ".join([*(names[at] for at in first + word), *([same] if number % 3 == 0 else [])]) for word in digits]
    asked: dict[str, Any] = {
        "words": {
            "numbers": row,
            "others": [f"{one} {two}" for one, two in zip(names[-8:-4], names[-4:], strict=True)],
        },
        "orders": [{"name": "numbers", "category": "numbers"}],
    }
    return Case(report=_of_random_weights(number, asked, [*names, same]), is_false=is_beyond)


def _of_random_weights(number: int, asked: dict[str, Any], tokens: Sequence[str]) -> Any:
    config = ReportConfig.model_validate({"models": [{"source": "one"}], "contexts": CONTEXTS, **asked})
    with TemporaryDirectory(prefix="tokviz-falsify-") as name:
        folder = Path(name)
        families.build(ARCHITECTURES[number % len(ARCHITECTURES)], folder / "one", n_layers=N_LAYERS, seed=number)
        whole_words(np.random.default_rng(number).permutation(tokens).tolist()).save_pretrained(folder / "one")
        own = Sample(config=config, captures={})
        return decided(captured_in(own, folder, "one"), own.words, Asked(orders=config.order_list))


# --- spelling --------------------------------------------------------------------------------------------------------


def _by_alphabet(random: np.random.Generator, n: int) -> tuple[list[str], np.ndarray]:
    texts = sorted(_names(random, n))
    initials = [_LETTERS.index(text[0]) for text in texts]
    return texts, np.array(initials)[:, None] if random.random() < 0.5 else np.eye(len(_LETTERS))[initials]


def _by_length(random: np.random.Generator, n: int) -> tuple[list[str], np.ndarray]:
    texts = sorted((text + text[: number % 9] for number, text in enumerate(_names(random, n))), key=len)
    return texts, np.array([[len(text)] for text in texts])


def _by_ending(random: np.random.Generator, n: int) -> tuple[list[str], np.ndarray]:
    texts = sorted(_names(random, n), key=lambda text: text[::-1])
    return texts, np.eye(len(_LETTERS))[[_LETTERS.index(text[-1]) for text in texts]]


def _by_letters(random: np.random.Generator, n: int) -> tuple[list[str], np.ndarray]:
    texts = sorted(_names(random, n), key=lambda text: sum(text.count(each) for each in "aeiou"))
    return texts, np.array([[each in text for each in _LETTERS] for text in texts], dtype=np.float64)


_CYRILLIC = str.maketrans("".join(_LETTERS), "абцдефгхиклмнопрсту")
_SHAPES: tuple[Callable[[str], str], ...] = (
    *(str.upper, str.capitalize, lambda text: text.translate(_CYRILLIC)),
    *(lambda text: f"{text[:5]}{len(text)}", lambda text: f"{text[:3]}-{text[3:]}"),
)


def _by_shape(random: np.random.Generator, n: int) -> tuple[list[str], np.ndarray]:
    shapes = random.permutation(len(_SHAPES))[:4]
    which = np.arange(n) * len(shapes) // n
    texts = [_SHAPES[shapes[own]](text) for own, text in zip(which, _names(random, n), strict=True)]
    return texts, np.eye(len(shapes))[which]


_SPELLED = (_by_alphabet, _by_length, _by_ending, _by_letters, _by_shape)


def spelled(number: int, _: Sample) -> Case:
    """Words whose states tell how they are spelled, in that order; four categories of them, and orders in one of them and across."""
    random = np.random.default_rng((57, number))
    n_each = int(random.integers(12, 17))
    texts, told = _SPELLED[number % len(_SPELLED)](random, 4 * n_each)
    words = labelled(texts, np.repeat(np.arange(4), n_each).tolist())
    told = (told - told.mean(axis=0)) / told.std()
    path, own = told @ random.normal(size=(told.shape[1], WIDTH)), random.normal(size=(len(texts), WIDTH))
    states = list[np.ndarray]()
    while len(states) < N_DEPTHS:
        own = 0.8 * own + 0.6 * random.normal(size=own.shape)
        states.append((path + 0.4 * own).astype(np.float32))
    made = named(making.hidden_states(states, positions=[1] * len(texts)), texts)
    every = np.repeat(np.arange(4), n_each)
    orders = [
        OrderRows(words=rows, places=np.arange(len(rows)), n_places=len(rows), cyclic=False, categories=every[rows])
        for rows in (np.arange(n_each), np.arange(0, len(texts), 3))
    ]
    report = decided({"one": [inputs_of(made, words, orders=orders)]}, words, asked_of(words.words, orders=orders))
    return Case(report=report, is_false=lambda each: each.kind == "surface" or is_beyond(each))


# --- how common words are, and categories ------------------------------------------------------------------------------


def bands(number: int, _: Sample) -> Case:
    """Words of either case, whose states tell how common they are, on a line or along a curve; and which is their category."""
    random = np.random.default_rng((54, number))
    n_categories, n_each = int(random.integers(3, 8)), int(random.integers(8, 16))
    n = n_categories * n_each
    edges = np.linspace(np.log(100), np.log(50_000), 1 + n_categories)
    rare = np.concatenate([random.uniform(*ends, n_each) for ends in pairwise(edges)])
    texts = [word.capitalize() if random.random() < 0.5 else word for word in _names(random, n)]
    words = labelled(texts, np.repeat(np.arange(n_categories), n_each).tolist())
    told = (rare - rare.mean()) / rare.std()
    path = np.outer(told, random.normal(size=WIDTH)) + number % 2 * 0.7 * np.outer(told**2, random.normal(size=WIDTH))
    states, own = list[np.ndarray](), random.normal(size=(n, WIDTH))
    while len(states) < N_DEPTHS:
        own = 0.8 * own + 0.6 * random.normal(size=own.shape)
        states.append((path + 0.4 * own).astype(np.float32))
    made = with_ids(named(making.hidden_states(states, positions=[1] * n), texts), rare)
    return Case(report=decided({"one": [inputs_of(made, words)]}, words), is_false=lambda each: each.kind == "surface")


def by_rank(number: int, _: Sample) -> Case:
    """12, 16 or 24 words by how common they are, common ones and rare ones, which states tell along a curve."""
    random = np.random.default_rng((55, number))
    n = (12, 16, 24)[number % 3]
    common, rare = (random.choice(np.arange(*ends), n // 2, replace=False) for ends in ((120, 220), (20_000, 50_000)))
    ids = np.sort(np.log(np.concatenate([common, rare]) + 0.5))
    told = (ids - ids.mean()) / ids.std()
    near = np.exp(-(((told[:, None] - np.quantile(told, np.linspace(0, 1, 8))) / 0.25) ** 2))
    return in_order(random, near @ random.normal(size=(8, 64)), ids, np.zeros(n, dtype=np.int64))


def many_categories(number: int, _: Sample) -> Case:
    """Four to eight of three to five words, one category after the other: more than there are numbers to take out."""
    random = np.random.default_rng((56, number))
    n, size = ((12, 3), (20, 4), (24, 4), (24, 3), (30, 5))[number % 5]
    blocks = np.arange(n) // size
    path = random.normal(size=(n // size, 64))[blocks]
    return in_order(random, path, random.uniform(np.log(100), np.log(50_000), n), blocks, cyclic=bool(number % 2))


NULL = (
    Kind(
        name="pairs in one category",
        contents=(
            "two models, 18 to 48 pairs of words with nearly the same states: a word and the same with a capital, accents or a mark, or two "
            "that are declared to belong together; each pair in any of 3–6 categories; false: everything"
        ),
        make=pairs,
        n_reports=N_NULL,
    ),
    Kind(
        name="random weights, a grid of tokens",
        contents=(
            f"a model of one of {len(ARCHITECTURES)} architectures with {N_LAYERS} layers, words of each of 5–8 tokens with each of 5–8 "
            "others, in a third of the reports before one that all have; a category has one in common; false: above the words’ surface"
        ),
        make=grid,
        n_reports=N_NULL,
    ),
    Kind(
        name="random weights, numerals",
        contents="the same with 24 or 32 words in order, as numerals or dates are; false: more than their looks",
        make=numerals,
        n_reports=N_NULL,
    ),
    Kind(
        name="random weights, numbers of several tokens",
        contents="the same with 16 to 32 words that count in three to five tokens, also in Gray code; false: more than their looks",
        make=counted,
        n_reports=N_NULL,
    ),
    Kind(
        name="categories and orders by spelling",
        contents=(
            "four categories of 12–16 words and two orders by the alphabet, length, endings, letters or kinds of characters, which states "
            "tell; false: above the words’ surface, more than their looks"
        ),
        make=spelled,
        n_reports=N_NULL,
    ),
    Kind(
        name="categories by frequency",
        contents="3–7 categories of words of either case, by how common they are, which states tell; false: above the words’ surface",
        make=bands,
        n_reports=N_NULL,
    ),
    Kind(
        name="orders by frequency, along a curve",
        contents="12, 16 and 24 words by how common they are, signal 10; false: more than their looks",
        make=by_rank,
        n_reports=N_NULL,
    ),
    Kind(
        name="orders of many categories",
        contents="4–8 of three to five words, one after the other, signal 10; false: more than their looks",
        make=many_categories,
        n_reports=N_NULL,
    ),
)
