"""Orders and relations that aren't there, or are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from string import ascii_lowercase

import numpy as np
from scipy.stats import rankdata

from falsify import related
from falsify.announced import BEYOND, CIRCLE, ENDS_MEET, READABLE, Announcement
from falsify.case import N_NULL, N_PLANTED, Case, Kind
from falsify.reports import Asked, asked_of, decided, inputs_of, labelled, named
from falsify.sample import Sample
from tokviz.measure.spaces import standardized
from tokviz.records import HiddenStates, OrderRows, PairRows, Report
from tokviz.run.plan.related import Related

SIGNAL = 10.0
"""Variance of what is planted over that of the noise."""
WIDTHS = (64, 576)
ORDER, RELATION = "order", "relation"
_WHERE = "one/alone 0"


def _ordered(number: int, paths: Sequence[str], planted: tuple[str, ...] = (), *, cyclic: bool = True) -> Case:
    """One of the paths, in one of the widths; ``cyclic``: whether it is asked for as a cycle."""
    path, width = paths[number % len(paths)], WIDTHS[number // len(paths) % len(WIDTHS)]
    random = np.random.default_rng((4, number, *map(ord, path)))
    states = related.ordered(path, random, width=width, signal=SIGNAL)
    false = related.PATHS[path][1]
    return Case(
        report=capture_report(states, [0] * related.N_ORDERED, orders=(replace(related.ORDER, cyclic=cyclic),)),
        is_false=lambda each: each.kind == ORDER and each.what in false,
        planted=tuple(Announcement(ORDER, what, _WHERE) for what in planted),
    )


def _paired(number: int, kinds: Sequence[str], *, planted: bool = False) -> Case:
    kind, width = kinds[number % len(kinds)], WIDTHS[number // len(kinds) % len(WIDTHS)]
    random = np.random.default_rng((5, number, *map(ord, kind)))
    states = related.paired(kind, random, width=width, signal=SIGNAL)
    labels = [0] * related.N_PAIRS + [1] * related.N_PAIRS
    return Case(
        report=capture_report(states, labels, pairs=(related.PAIRS,)),
        is_false=lambda each: each.kind == RELATION and not planted,
        planted=(Announcement(RELATION, "a relation", _WHERE),) if planted else (),
    )


def capture_report(
    states: HiddenStates,
    labels: list[int],
    pairs: Sequence[PairRows] = (),
    orders: Sequence[OrderRows] = (),
    groups: Sequence[tuple[str, ...]] = (),
) -> Report:
    """``labels``: of the first words; the others are in two more categories by turns; ``groups``: words that belong together."""
    names = [word.word for word in states.tokenization.words]
    n_others = len(names) - len(labels)
    first = 1 + max(labels)
    words = labelled(names, labels + sorted(first + index % 2 for index in range(n_others)))
    words = replace(words, groups=tuple(groups))
    models = {"one": [inputs_of(states, words, pairs, orders)]}
    return decided(models, words, asked_of(names, pairs, orders))


def _by_looks(number: int, *, categories: bool) -> Case:
    """Words whose states tell how common they are, in that order; or categories, whose words stand one category after the other."""
    random = np.random.default_rng((17, number, categories))
    n, width = (24 if categories else 12 + 12 * (number % 2)), WIDTHS[number // 2 % len(WIDTHS)]
    rare = np.sort(random.uniform(np.log(100), np.log(50_000), n))
    blocks = np.arange(n) // 8
    if categories:
        random.shuffle(rare)
    path = random.standard_normal((3, width))[blocks] if categories else np.outer(rare, random.standard_normal(width))
    return in_order(random, path, rare, blocks if categories else blocks * 0)


def _by_several_looks(number: int) -> Case:
    """Words in the order of a sum of looks, which their states tell: how common, how long, the alphabet from either end."""
    random = np.random.default_rng((20, number))
    n, n_looks, width = (12, 15, 24, 30)[number % 4], 2 + number // 4 % 3, WIDTHS[number // 12 % len(WIDTHS)]
    names = ["".join(random.choice(list(ascii_lowercase), random.integers(3, 12))) for _ in range(n)]
    rare = random.uniform(np.log(100), np.log(50_000), n)
    looks = np.stack([rare, [*map(len, names)], rankdata(names), rankdata([name[::-1] for name in names])], axis=1)
    looks = standardized(looks[:, :n_looks])
    by_sum = np.argsort(looks.sum(axis=1))
    path = looks[by_sum] @ random.standard_normal((n_looks, width))
    return in_order(random, path, rare[by_sum], np.zeros(n, dtype=np.int64), [names[row] for row in by_sum])


def in_order(
    random: np.random.Generator,
    path: np.ndarray,
    rare: np.ndarray,
    categories: np.ndarray,
    words: Sequence[str] = (),
    *,
    cyclic: bool = False,
) -> Case:
    """Words along a path ``(n, width)``, in that order, with ids of the logarithms ``rare``; that they are more than their looks is false."""
    states = related.along(path, random, signal=SIGNAL)
    if words:
        states = _first_named(states, words)
    rows = np.arange(len(path))
    order = OrderRows(words=rows, places=rows, n_places=len(rows), cyclic=cyclic, categories=categories)
    report = capture_report(with_ids(states, rare), categories.tolist(), orders=(order,))
    return Case(report=report, is_false=is_beyond)


def is_beyond(announced: Announcement) -> bool:
    """Whether it says that an order is more than its words' looks."""
    return announced.kind == ORDER and announced.what == BEYOND


def _first_named(states: HiddenStates, words: Sequence[str]) -> HiddenStates:
    """The first words by these names, the others numbered."""
    return named(states, [*words, *(f"{index}." for index in range(len(states.tokenization.words) - len(words)))])


_FORMS: tuple[Callable[[str], str], ...] = (str.capitalize, "{}s".format, lambda word: word[::-1])
"""Another form of a word: with a capital, in the plural, and a word that is declared to belong to it."""


def _of_forms(number: int) -> Case:
    """Words in an order at random, each beside another form with nearly the same states."""
    random = np.random.default_rng((19, number))
    n, width, form = 8 + number % 5, WIDTHS[number // 2 % len(WIDTHS)], _FORMS[number % len(_FORMS)]
    names = [
        "".join(each) for each in product(("ba", "ce", "di", "fo", "gul", "mek", "ran", "sip"), ("tum", "vo"), "x")
    ]
    of_order = [word for one in random.permutation(names)[:n].tolist() for word in (one, form(one))]
    path = np.repeat(random.standard_normal((n, width)), 2, axis=0)
    states = related.along(path, random, signal=SIGNAL)
    rows = np.arange(2 * n)
    order = OrderRows(words=rows, places=rows, n_places=2 * n, cyclic=False, categories=rows * 0)
    groups = [tuple(of_order[at : at + 2]) for at in range(0, 2 * n, 2)]
    report = capture_report(
        _first_named(states, of_order),
        [0] * (2 * n),
        orders=(order,),
        groups=groups if form is _FORMS[-1] else (),
    )
    return Case(report=report, is_false=lambda each: each.kind == ORDER)


def _more_than_looks(number: int) -> Case:
    """A line of words of any frequency and any five letters: numbered ones would tell their places."""
    random = np.random.default_rng((18, number))
    states = related.ordered("line", random, width=WIDTHS[number % len(WIDTHS)], signal=SIGNAL)
    letters = random.choice(list(ascii_lowercase), (len(states.tokenization.words), 5))
    states = named(states, ["".join(each) for each in letters])
    order = replace(related.ORDER, cyclic=False, categories=np.zeros(related.N_ORDERED, dtype=np.int64))
    rare = random.uniform(np.log(100), np.log(50_000), related.N_ORDERED)
    return Case(
        report=capture_report(with_ids(states, rare), [0] * related.N_ORDERED, orders=(order,)),
        is_false=lambda _: False,
        planted=(Announcement(ORDER, BEYOND, _WHERE),),
    )


def with_ids(states: HiddenStates, rare: np.ndarray) -> HiddenStates:
    """The first words' tokens have ids of these logarithms; the others stay."""
    words = list(states.tokenization.words)
    for row, each in enumerate(np.exp(rare).astype(int).tolist()):
        words[row] = replace(words[row], ids=(*words[row].ids[:-1], each))
    return replace(states, tokenization=replace(states.tokenization, words=tuple(words)))


# --- of the sample's captures ----------------------------------------------------------------------------------------


def shuffled(number: int, sample: Sample) -> Case:
    """The months, the capitals from west to east and the countries' capitals in another order, the same in all captures."""
    random = np.random.default_rng((6, number))
    asked = next(iter(sample.captures.values()))[0].related
    of_pairs = [random.permutation(len(each.pairs)) for each in asked.pairs]
    of_orders = [random.permutation(len(each.words)) for each in asked.orders]
    models = {
        slug: [replace(each, related=_in_other_order(each.related, of_pairs, of_orders)) for each in captures]
        for slug, captures in sample.captures.items()
    }
    return Case(
        report=decided(
            models, sample.words, Asked(relations=sample.config.relation_list, orders=sample.config.order_list)
        ),
        is_false=lambda each: each.kind in (ORDER, RELATION),
    )


def _in_other_order(found: Related, of_pairs: Sequence[np.ndarray], of_orders: Sequence[np.ndarray]) -> Related:
    return Related(
        pairs=tuple(
            replace(each, pairs=np.stack([each.pairs[:, 0], each.pairs[order, 1]], axis=1))
            for each, order in zip(found.pairs, of_pairs, strict=True)
        ),
        orders=tuple(
            replace(each, words=each.words[order]) for each, order in zip(found.orders, of_orders, strict=True)
        ),
    )


_OPEN = ("line", "arc of 180°", "arc of 270°", "there and back")
_CLUSTERS = ("clusters from the first word on", "clusters across the end")
_UNRELATED = tuple(kind for kind, false in related.PAIRED.items() if "relation" in false)


def _of(make: Callable[..., Case], *arguments: object, **options: object) -> Callable[[int, Sample], Case]:
    return lambda number, sample: make(number, *arguments, **options)


NULL = (
    Kind(
        name="orders: random walks",
        contents="twelve words, signal 10, in 64 and 576 dimensions; false: ends meet, circle",
        make=_of(_ordered, ("walk",)),
        n_reports=N_NULL,
    ),
    Kind(
        name="orders: lines and arcs",
        contents=f"the same with {', '.join(_OPEN)}; false: ends meet (but of the last), circle",
        make=_of(_ordered, _OPEN),
        n_reports=N_NULL,
    ),
    Kind(
        name="orders: clusters",
        contents="four of three words; false: circle, and ends meet where they begin with the first word",
        make=_of(_ordered, _CLUSTERS),
        n_reports=N_NULL,
    ),
    Kind(
        name="orders: noise",
        contents="noise, and words of a circle in another order; false: every claim of the order",
        make=_of(_ordered, ("noise", "shuffled circle")),
        n_reports=N_NULL,
    ),
    Kind(
        name="orders by frequency",
        contents="12 and 24 words by how common they are, which their states tell, signal 10; false: more than their looks",
        make=_of(_by_looks, categories=False),
        n_reports=N_NULL,
    ),
    Kind(
        name="orders by several looks",
        contents="12–30 words by a sum of how common and how long they are and their places in the alphabet, which their states tell; false: "
        "more than their looks",
        make=_of(_by_several_looks),
        n_reports=N_NULL,
    ),
    Kind(
        name="orders of categories",
        contents="three of eight words, one after the other, signal 10; false: more than their looks",
        make=_of(_by_looks, categories=True),
        n_reports=N_NULL,
    ),
    Kind(
        name="orders of two forms each",
        contents="8–12 words in an order at random, each beside the same with a capital, its plural or one that is declared to belong to it; "
        "false: every claim of the order",
        make=_of(_of_forms),
        n_reports=N_NULL,
    ),
    Kind(
        name="pairs without a relation",
        contents=f"twelve pairs: {', '.join(_UNRELATED)}; false: the relation",
        make=_of(_paired, _UNRELATED),
        n_reports=N_NULL,
    ),
    Kind(
        name="orders and pairs shuffled",
        contents="both models of the sample; false: every claim of orders and relations",
        make=shuffled,
        n_reports=N_NULL,
    ),
)
PLANTED = (
    Kind(
        name="circles",
        contents="a circle and an ellipse of half its width, signal 10; planted: readable, ends meet, circle",
        make=_of(_ordered, ("circle", "ellipse"), (READABLE, ENDS_MEET, CIRCLE)),
        n_reports=N_PLANTED,
    ),
    Kind(
        name="chains",
        contents="a line, a walk, an arc of 180°, signal 10; planted: readable",
        make=_of(_ordered, ("line", "walk", "arc of 180°"), (READABLE,), cyclic=False),
        n_reports=N_PLANTED,
    ),
    Kind(
        name="orders beyond looks",
        contents="a line of twelve words of any frequency, signal 10; planted: more than their looks",
        make=_of(_more_than_looks),
        n_reports=N_PLANTED,
    ),
    Kind(
        name="relations",
        contents="twelve pairs with one step, as long as words are, own differences half as long, signal 10; planted: the relation",
        make=_of(_paired, ("relation",), planted=True),
        n_reports=N_PLANTED,
    ),
)
