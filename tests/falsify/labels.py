"""Captures of models under labels that have nothing to do with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import making
import numpy as np

from falsify.announced import Announcement
from falsify.case import N_NULL, Case, Kind
from falsify.reports import DIFFERENCES, Asked, decided, inputs_of, labelled, named, of_words
from falsify.sample import Sample
from tokviz.measure.labels import begins_with_capital
from tokviz.records import Category, Directions, HiddenStates, WordList
from tokviz.run.kinds.lenses import Lenses, LensInputs
from tokviz.run.plan.inputs import Inputs
from tokviz.run.plan.related import Related

ENDINGS = ("", "s", "ing")


def _is_false(announced: Announcement) -> bool:
    of_lens = announced.kind == "lens" and announced.what.startswith("named")  # words keep their own tokens
    return announced.kind in ("categories", "categories, each", "surface", "differences") or of_lens


def within_case(number: int, sample: Sample) -> Case:
    """Capitalized words have the labels of one another, other words too."""
    random = np.random.default_rng((1, number))
    words, labels = sample.words.words, np.array([own[0] for own in sample.words.memberships])
    capitalized = np.array([begins_with_capital(word) for word in words])
    for rows in (np.flatnonzero(capitalized), np.flatnonzero(~capitalized)):
        labels[rows] = labels[random.permutation(rows)]
    return _case(sample, labels.tolist())


def among_all(number: int, sample: Sample) -> Case:
    """Words have the labels of any others."""
    random = np.random.default_rng((2, number))
    return _case(sample, random.permutation([own[0] for own in sample.words.memberships]).tolist())


def of_unlike_sizes(number: int, sample: Sample) -> Case:
    """As many categories, of any size, each of words of one case."""
    random = np.random.default_rng((3, number))
    capitalized = np.array([begins_with_capital(word) for word in sample.words.words])
    shares = random.dirichlet(np.full(4, 1.5), size=2)
    drawn = [np.searchsorted(shares[int(is_one)].cumsum()[:-1], random.random()) for is_one in capitalized]
    return _case(sample, [int(4 * is_one + own) for is_one, own in zip(capitalized, drawn, strict=True)])


def of_families(number: int, sample: Sample) -> Case:
    """A category for all forms of a word, which lie beside each other, whatever category that is."""
    random = np.random.default_rng((4, number))
    rows = random.permutation(len(sample.words.words))[:40]
    capitalized = np.array([begins_with_capital(sample.words.words[row]) for row in rows])
    own = 3 * capitalized + random.integers(3, size=len(rows))
    forms = [(f"{sample.words.words[row]}{ending}", int(row)) for row in rows for ending in ENDINGS]
    words = labelled([name for name, _ in forms], np.repeat(own, len(ENDINGS)).tolist())
    row_of = dict(forms)

    def with_forms(states: HiddenStates) -> HiddenStates:
        found = of_words(states, [row_of[name] for name in words.words])
        tokens = tuple(
            replace(token, word=name) for token, name in zip(found.tokenization.words, words.words, strict=True)
        )
        apart = [0.1 * state.std(axis=0) * random.normal(size=state.shape) for state in found.states]
        moved = [(state + each).astype(state.dtype) for state, each in zip(found.states, apart, strict=True)]
        return replace(found, tokenization=replace(found.tokenization, words=tokens), states=moved)

    return _case_of(sample, words, with_forms, lambda _: None)


_SIZES = (
    *((30, 12, 12, 12, 12), (13,) * 6, (40, 8, 8, 8), (10, 10, 20, 20, 20), (13,) * 4, (25, 25, 10, 10, 10)),
    *((60, 4, 4, 4, 4, 4), (40, 3, 3, 3, 3, 3, 3), (60, 5, 5, 5, 5)),
)


def beside_tight_ones(number: int, _: Sample) -> Case:
    """One category or two are tight; the words of the others, of which one may have capitals, are anywhere else, and so each other's nearest."""
    random, sizes = np.random.default_rng((7, number)), _SIZES[number % len(_SIZES)]
    n_tight = 2 if sizes[0] == sizes[1] != sizes[2] else 1
    labels = np.repeat(np.arange(len(sizes)), sizes)
    means = 1.5 * random.normal(size=(len(sizes), 48)) * (np.arange(len(sizes)) < n_tight)[:, None]
    own, states = random.normal(size=(len(labels), 48)), []
    for _depth in range(6):
        own = 0.8 * own + 0.6 * random.normal(size=own.shape)
        states.append((means[labels] + own).astype(np.float32))
    capitals = n_tight + 1 if number // len(_SIZES) % 2 else -1
    initials = ["W" if label == capitals else "w" for label in labels]
    words = labelled([f"{row:03d}{initial}ord" for row, initial in enumerate(initials)], labels.tolist())
    made = named(making.hidden_states(states, positions=[1] * len(labels)), words.words)
    report = decided({"one": [inputs_of(made, words)]}, words)
    held = report.models[0].contexts[0].holds_categories
    is_false = held is not None and bool(held[n_tight:].any())
    return Case(report=report, is_false=lambda each: is_false and each.kind == "categories, each")


def near_undeclared(number: int, _: Sample) -> Case:
    """Twos, threes or fours whose states are nearly the same in either model, as of words that mean the same; categories are drawn for each.

    They are so at all depths, at the last two of six, or in two of three templates.
    """
    random = np.random.default_rng((8, number))
    size, n_sets, n_categories = 2 + number % 3, int(random.integers(10, 31)), int(random.integers(3, 7))
    sources = np.repeat(np.arange(n_sets), size)
    labels = (random.permutation(n_sets) % n_categories)[sources]
    words = labelled([f"{row:03d}word" for row in range(len(labels))], labels.tolist())

    begin, n_templates = 4 * (number // 3 % 3 == 1), 3 if number // 3 % 3 == 2 else 1

    def captured(begin: int) -> HiddenStates:
        own, alone = random.normal(size=(n_sets, 64)), random.normal(size=(len(sources), 64))
        states, apart = [], random.uniform(0.1, 0.5)
        for depth in range(6):
            own, alone = (0.8 * each + 0.6 * random.normal(size=each.shape) for each in (own, alone))
            near = own[sources] + apart * random.normal(size=alone.shape)
            states.append((alone if depth < begin else near).astype(np.float32))
        return named(making.hidden_states(states, positions=[1] * len(labels)), words.words)

    def model() -> Inputs:
        first, *further = (captured(6 if n_templates > 1 and index == 0 else begin) for index in range(n_templates))
        others = tuple(f"{{word}} {index}" for index in range(len(further)))
        first = replace(first, context=replace(first.context, further_templates=others))
        return replace(inputs_of(first, words), further=tuple(further))

    report = decided({"one": [model()], "other": [model()]}, words, Asked(compares=frozenset({DIFFERENCES})))
    return Case(
        report=report,
        is_false=lambda each: _is_false(each) or (each.kind.startswith("paired") and ".kept." not in each.what),
    )


def at_one_token(number: int, _: Sample) -> Case:
    """Words that are read at a token which two to six of them share, and part from layer to layer; a category is drawn for each token."""
    random = np.random.default_rng((40, number))
    n_tokens, n_categories = int(random.integers(12, 31)), int(random.integers(3, 7))
    sources = np.repeat(np.arange(n_tokens), 2 + number % 5)
    labels = (random.permutation(n_tokens) % n_categories)[sources]
    words = labelled([f"{row:03d}word" for row in range(len(labels))], labels.tolist())

    def model() -> Inputs:
        tokens, state, states = random.normal(size=(n_tokens, 64)), np.zeros((len(sources), 64)), []
        kept = random.uniform(0.3, 0.9)
        for depth in range(6):
            states.append((kept**depth * tokens[sources] + state).astype(np.float32))
            state = 0.8 * state + 0.6 * random.normal(size=state.shape)
        return inputs_of(named(making.hidden_states(states, positions=[1] * len(sources)), words.words), words)

    report = decided({"one": [model()], "other": [model()]}, words, Asked(compares=frozenset({DIFFERENCES})))
    return Case(
        report=report,
        is_false=lambda each: _is_false(each) or (each.kind.startswith("paired") and ".kept." not in each.what),
    )


def in_a_second_list(number: int, _: Sample) -> Case:
    """Words in two forms, by their letters or declared; a category is drawn for both, and the second form stands in a list of such forms, too."""
    random = np.random.default_rng((9, number))
    n_words, n_categories = int(random.integers(30, 61)), int(random.integers(3, 7))
    own = random.permutation(n_words) % n_categories
    texts = [f"{row:03d}word" for row in range(n_words)]
    others = [f"{row:03d}{'words' if number % 2 else 'other'}" for row in range(n_words)]
    of_lists = [[(texts[row], others[row]) for row in np.flatnonzero(own == index)] for index in range(n_categories)]
    lists = [*([word for both in each for word in both] for each in of_lists), others]
    words = WordList(
        categories=tuple(
            Category(key=f"category_{index}", label=f"Category {index + 1}", words=tuple(each))
            for index, each in enumerate(lists)
        ),
        groups=() if number % 2 else tuple(zip(texts, others, strict=True)),
    )
    source = {word: row for row, both in enumerate(zip(texts, others, strict=True)) for word in both}
    sources = np.array([source[word] for word in words.words])

    def model() -> Inputs:
        state, states = random.normal(size=(n_words, 48)), []
        for _depth in range(6):
            state = 0.8 * state + 0.6 * random.normal(size=state.shape)
            states.append((state[sources] + 0.3 * random.normal(size=(len(sources), 48))).astype(np.float32))
        return inputs_of(named(making.hidden_states(states, positions=[1] * len(sources)), words.words), words)

    report = decided({"one": [model()], "other": [model()]}, words, Asked(compares=frozenset({DIFFERENCES})))
    return Case(report=report, is_false=lambda each: _is_false(each) or each.kind.startswith("paired"))


def _case(sample: Sample, labels: Sequence[int]) -> Case:
    words = labelled(sample.words.words, labels)
    rows = [sample.words.words.index(word) for word in words.words]
    n_categories = len(words.categories)
    return _case_of(sample, words, lambda states: of_words(states, rows), lambda lens: _with_names(lens, n_categories))


def _case_of(
    sample: Sample,
    words: WordList,
    made: Callable[[HiddenStates], HiddenStates],
    read: Callable[[LensInputs | None], LensInputs | None],
) -> Case:
    """``made``: a capture's states of these words; ``read``: what they are read with."""
    models = {
        slug: [
            replace(
                each,
                states=(states := made(each.states)),
                further=tuple(map(made, each.further)),
                against=tuple(map(made, each.against)),
                given={**each.given, Lenses: read(each.of(Lenses))},
                ordinary=states if each.ordinary is not None else None,
                words=words,
                related=Related(pairs=(), orders=()),
            )
            for each in captures
        ]
        for slug, captures in sample.captures.items()
    }
    return Case(report=decided(models, words, Asked(compares=frozenset({DIFFERENCES}))), is_false=_is_false)


def _with_names(lens: LensInputs | None, n: int) -> LensInputs | None:
    """The first ``n`` names, as many as there are categories."""
    if lens is None or lens.names is None:
        return lens
    n_all = len(lens.names.ids)
    states = of_words(lens.names.states, [*range(n), *range(n_all, n_all + n)])
    return replace(lens, names=Directions(states=states))


NULL = (
    Kind(
        name="labels shuffled within case",
        contents="both models of the sample; false: categories, surface, differences",
        make=within_case,
        n_reports=N_NULL,
    ),
    Kind(
        name="labels shuffled among all words",
        contents="the same",
        make=among_all,
        n_reports=N_NULL,
    ),
    Kind(
        name="labels of unlike sizes",
        contents="the same",
        make=of_unlike_sizes,
        n_reports=N_NULL,
    ),
    Kind(
        name="categories beside a tight one",
        contents="random states, but for one or two tight categories of four to nine; false: another one by itself",
        make=beside_tight_ones,
        n_reports=N_NULL,
    ),
    Kind(
        name="near words that aren't declared",
        contents="20–120 words in twos to fours of nearly equal states, also at the last layers alone or in two of three templates, two models; "
        "false: categories, surface, differences but neighbors kept",
        make=near_undeclared,
        n_reports=N_NULL,
    ),
    Kind(
        name="words read at one token",
        contents="24–180 words in twos to sixes of one state at the embedding, two models; false: categories, surface, differences but "
        "neighbors kept",
        make=at_one_token,
        n_reports=N_NULL,
    ),
    Kind(
        name="forms in a second list",
        contents="30–60 words in two forms, the second also in a list of its own, two models; false: categories, surface, differences",
        make=in_a_second_list,
        n_reports=N_NULL,
    ),
    Kind(
        name="forms of a word in one category",
        contents="the same; 40 words in three forms each",
        make=of_families,
        n_reports=N_NULL,
    ),
)
