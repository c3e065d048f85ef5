"""Two models that differ in nothing, or share nothing but categories; and such that do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from falsify import differences, similar
from falsify.announced import Announcement
from falsify.case import N_NULL, N_PLANTED, Case, Kind
from falsify.reports import DIFFERENCES, SIMILARITY, Asked, asked_of, decided, inputs_of, labelled, of_words
from falsify.sample import Sample
from tokviz.measure.profile import Side
from tokviz.records import Report

SHARED = 0.5
N_CATEGORIES, N_EACH = 9, 13
_WHERE = "one-other/alone"


def alike(number: int, sample: Sample) -> Case:
    """From one distribution."""
    course: differences.Course = "even" if number % 2 else "early"
    return Case(
        report=_different(differences.alike(number, (6, 30), course)), is_false=lambda each: each.kind == DIFFERENCES
    )


def different(number: int, sample: Sample) -> Case:
    """By turns in their categories alone, and in a relation, too."""
    if number % 2:
        sides, measure = differences.different(number, (6, 30)), "relations 0"
    else:
        random = np.random.default_rng((11, number))
        world = differences.World.drawn(random)
        states = (
            world.model(random, n, noise=noise, related=0.0)
            for n, noise in zip((6, 30), differences.PLANTED_NOISE, strict=True)
        )
        one, other = map(differences.side, states)
        sides, measure = (one, other), "purity"
    return Case(
        report=_different(sides),
        is_false=lambda _: False,
        planted=(Announcement(DIFFERENCES, f"differences.{measure}.claim", _WHERE),),
    )


def _different(sides: tuple[Side, Side]) -> Report:
    names = [word.word for word in sides[0].states.tokenization.words]
    words = labelled(names, [own[0] for own in sides[0].memberships])
    models = {
        slug: [inputs_of(side.states, words, side.pairs, side.orders)]
        for slug, side in zip(("one", "other"), sides, strict=True)
    }
    asked = asked_of(names, sides[0].pairs, sides[0].orders, frozenset({DIFFERENCES}))
    return decided(models, words, asked)


# --- similarity ------------------------------------------------------------------------------------------------------


def permuted(number: int, sample: Sample) -> Case:
    """The sample's models; in the second one words have the states of others of their category, the same in both contexts."""
    first, second = sample.captures
    changed = []
    for each in sample.captures[second]:
        states = similar.permuted_within(each.states, sample.words.memberships, number)
        changed.append(replace(each, states=states, ordinary=states if each.ordinary is not None else None))
    models = {first: sample.captures[first], second: changed}
    asked = Asked(
        relations=sample.config.relation_list,
        orders=sample.config.order_list,
        compares=frozenset({SIMILARITY}),
    )
    return Case(
        report=decided(models, sample.words, asked),
        is_false=lambda each: each.kind == SIMILARITY,
    )


def made(number: int, shared: float) -> Case:
    """Made-up models, with the categories in common, and what tells words apart with that share of its variance."""
    sides = similar.sharing_categories(number, N_CATEGORIES * N_EACH, N_CATEGORIES, shared=shared)
    order = np.argsort(np.arange(N_CATEGORIES * N_EACH) % N_CATEGORIES, kind="stable")
    names = [sides[0].tokenization.words[row].word for row in order]
    words = labelled(names, [int(row) % N_CATEGORIES for row in order])
    models = {
        slug: [inputs_of(of_words(states, order.tolist()), words)]
        for slug, states in zip(("one", "other"), sides, strict=True)
    }
    planted = Announcement(SIMILARITY, "shared.beyond_categories", _WHERE)
    return Case(
        report=decided(models, words, Asked(compares=frozenset({SIMILARITY}))),
        is_false=lambda each: each.kind == SIMILARITY and not shared,
        planted=(planted,) if shared else (),
    )


def _sharing(shared: float) -> Callable[[int, Sample], Case]:
    return lambda number, sample: made(number, shared)


NULL = (
    Kind(
        name="models alike",
        contents="of 6 and 30 depths, from one distribution; false: differences",
        make=alike,
        n_reports=N_NULL,
    ),
    Kind(
        name="words permuted within categories",
        contents="the sample's models; false: similarity beyond categories",
        make=permuted,
        n_reports=N_NULL,
    ),
    Kind(
        name="models that share categories",
        contents="made-up, of 4 and 3 depths; false: similarity beyond categories",
        make=_sharing(0.0),
        n_reports=N_NULL,
    ),
)
PLANTED = (
    Kind(
        name="differences",
        contents="of 6 and 30 depths; planted by turns: 0.38 in purity's effect, with nine categories, and 0.48 in parallelism",
        make=different,
        n_reports=N_PLANTED,
    ),
    Kind(
        name="similarity",
        contents=f"made-up; of what tells words apart within categories {SHARED:.0%} of the variance is in common",
        make=_sharing(SHARED),
        n_reports=N_PLANTED,
    ),
)
