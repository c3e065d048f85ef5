"""Reports on two models that differ in nothing but noise, or in what is planted, word by word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import making
import numpy as np

from falsify import paired
from falsify.announced import Announcement
from falsify.case import N_NULL, N_PLANTED, Case, Kind
from falsify.paired import Made, World
from falsify.reports import DIFFERENCES, Asked, decided, inputs_of, labelled, named
from falsify.sample import Sample
from tokviz.run.plan.inputs import Inputs

SLUGS = ("one", "other")
WHERE = "one-other/alone"
OVERALL = Announcement("paired", "paired.purity.overall.claim", WHERE)
HELD = Announcement("categories, each", "held.claim", "one/alone")
BY_CATEGORY = Announcement("paired by category", "paired.purity.by_category.claim", WHERE)


def _captures(world: World, random: np.random.Generator) -> tuple[Inputs, Inputs]:
    """Both models, in as many templates as the world has."""
    words = replace(labelled(world.words, world.labels.tolist()), groups=tuple(map(tuple, world.declared)))
    positions = [1] * len(world.labels)
    sides = []
    for templates in world.drawn(random):
        first, *further = (named(making.hidden_states(each, positions=positions), world.words) for each in templates)
        sides.append(replace(inputs_of(first, words), further=tuple(further)))
    return sides[0], sides[1]


def _of(made: Made, planted: tuple[Announcement, ...] = ()) -> Callable[[int, Sample], Case]:
    def case(number: int, _: Sample) -> Case:
        random = np.random.default_rng((14, *made.__name__.encode(), number))
        one, other = _captures(made(random), random)
        report = decided({SLUGS[0]: [one], SLUGS[1]: [other]}, one.words, Asked(compares=frozenset({DIFFERENCES})))
        return Case(
            report=report,
            is_false=lambda each: (
                not planted
                and each.kind.startswith(("paired", DIFFERENCES))
                and not (made is paired.forms and ".kept." in each.what)
            ),
            planted=planted,
        )

    return case


def _null(name: str, contents: str, made: Made, false: str = "any difference") -> Kind:
    return Kind(name=name, contents=f"{contents}; false: {false}", make=_of(made), n_reports=N_NULL)


def _planted(name: str, contents: str, made: Made, planted: Announcement) -> Kind:
    return Kind(name=name, contents=contents, make=_of(made, (planted,)), n_reports=N_PLANTED)


def weaker(random: np.random.Generator) -> World:
    return replace(paired.nine(random), noise=(0.7, 1.3))


def weaker_of_few(random: np.random.Generator) -> World:
    return replace(paired.four(random), noise=(0.55, 1.6))


def dissolving(random: np.random.Generator) -> World:
    world = paired.one(random)
    strengths = np.ones((2, 9))
    strengths[1, 0] = 0.1
    return replace(world, strengths=strengths)


NULL = (
    _null(
        "equal models",
        "3–20 categories of 4–30 words, purity from chance to 1, noise of each model's own",
        paired.equal,
    ),
    _null("equal models, few words", "6 × 4 to 5 × 6 words", paired.small),
    _null("equal models, pairs", "each word twice, as another case or with an ending", paired.pairs),
    _null(
        "equal models, quadruples",
        "four words with nearly the same states, declared to belong together",
        paired.quadruples,
    ),
    _null(
        "models with nearer forms",
        "three forms of each word, by their letters or declared, nearer to each other in one model; no categories in either",
        paired.forms,
        "any difference but that of neighbors kept",
    ),
    _null("equal models, lists of one word", "1–5 categories of 10–40 words and 5–20 of one word each", paired.single),
    _null("equal models, few words in four forms", "6–9 words in four forms, dealt to two categories", paired.short),
    _null(
        "equal models, forms beside words that begin alike",
        "24 words in four forms, and a list of 13 words with one stem",
        paired.beside_many,
    ),
    _null("equal models, an outlier", "a word of one model thirty times as long as others", paired.outlier),
    _null("equal models, outliers", "two to six words of one model 5–1,000 times as long as others", paired.outliers),
    _null("equal models, hubs", "some words of one model near to half of all others", paired.hubs),
)
PLANTED = (
    _planted("categories that keep together", "9 × 13 words", paired.nine, HELD),
    _planted("a weaker model", "9 × 13 words, purity lower by about 0.3 in the second model", weaker, OVERALL),
    _planted("a weaker model, fewer words", "4 × 10 words, purity lower by about 0.4", weaker_of_few, OVERALL),
    _planted("a category that dissolves", "one of nine, by about 0.7 in the second model", dissolving, BY_CATEGORY),
)
