"""Captures in which there is something to be found: categories, boundaries between stages, neurons that write massive values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from making import hidden_states
from planting import LAYER
from planting import PLANTED as MODELS
from planting import words as planting_words
from updating import measured

from falsify.announced import BOUNDARY, NEURONS, Announcement
from falsify.case import N_PLANTED, Case, Kind
from falsify.reports import decided, inputs_of, labelled, named
from falsify.sample import Sample
from falsify.stages import planted_states
from tokviz.measure import writers

SHARE = 0.2
CHANGE = 0.16
_WHERE = "one/alone"


def categories(number: int, sample: Sample) -> Case:
    """The sample's words in six depths, of whose variance a share is their category's."""
    random = np.random.default_rng((8, number))
    labels = [own[0] for own in sample.words.memberships]
    width = 64
    means, own = random.normal(size=(1 + max(labels), width)), random.normal(size=(len(labels), width))
    states = []
    for _ in range(6):
        own = 0.8 * own + 0.6 * random.normal(size=own.shape)
        states.append((np.sqrt(SHARE) * means[labels] + np.sqrt(1 - SHARE) * own).astype(np.float32))
    inputs = inputs_of(named(hidden_states(states), sample.words.words), sample.words)
    return Case(
        report=decided({"one": [inputs]}, sample.words),
        is_false=lambda each: each.kind == BOUNDARY,
        planted=(
            Announcement("categories", "purity.above_chance", _WHERE),
            Announcement("surface", "purity.above_surface", _WHERE),
        ),
    )


def boundaries(number: int, sample: Sample) -> Case:
    """States without categories that drift over sixteen depths, and change more at one or two of them."""
    random = np.random.default_rng((9, number))
    starts = (int(random.integers(4, 7)), int(random.integers(10, 13)))[: 1 + number % 2]
    states = [each.astype(np.float32) for each in planted_states(number, 16, starts, change=CHANGE)]
    inputs = inputs_of(named(hidden_states(states), sample.words.words), sample.words)
    return Case(
        report=decided({"one": [inputs]}, sample.words),
        is_false=lambda each: each.kind != BOUNDARY or all(abs(each.depths[0] - start) > 1 for start in starts),
        planted=tuple(Announcement(BOUNDARY, "a stage begins", _WHERE, (start,)) for start in starts),
    )


def neurons(number: int, sample: Sample) -> Case:
    """A tiny model in which two neurons of one layer write a massive value, with 0.7 and 0.3 of it."""
    make, plant = MODELS[list(MODELS)[number % len(MODELS)]]
    random, module = np.random.default_rng((10, number)), make(number)
    chosen = tuple(map(int, random.choice(64, 2, replace=False)))
    plant(module, list(chosen), int(random.integers(32)), [700.0, 300.0])
    tokenization = planting_words()
    updates, states, _ = measured(module, tokenization)
    of_words = [state[tokenization.reference] for state in states]
    updates = replace(updates, breaking=writers.breaking_neurons(updates, of_words))
    made = replace(hidden_states(states), tokenization=tokenization, updates=updates)
    names = [word.word for word in tokenization.words]
    listed = labelled(names, [index * 3 // len(names) for index in range(len(names))])
    # Ordinary words are measured where no model of three layers has grown: its own embedding.
    report = decided({"one": [replace(inputs_of(made, listed), ordinary=made)]}, listed)
    what = f"neurons {chosen}"
    return Case(
        report=report,
        is_false=lambda each: each.kind == NEURONS and each.what != what,
        planted=(Announcement(NEURONS, what, _WHERE, (LAYER + 1,)),),
    )


PLANTED = (
    Kind(
        name="categories",
        contents=f"{SHARE:.0%} of the words' variance is their category's; planted: purity above chance and above the surface",
        make=categories,
        n_reports=N_PLANTED,
    ),
    Kind(
        name="boundaries",
        contents=f"one or two changes of {CHANGE} in CKA among such of 0.02; false: categories, and stages that begin elsewhere",
        make=boundaries,
        n_reports=N_PLANTED,
    ),
    Kind(
        name="neurons",
        contents="two neurons that write a value of thousands in a tiny model; planted: these two, no others",
        make=neurons,
        n_reports=N_PLANTED,
    ),
)
