"""The sample report's decoder: capitals lie near their countries, and the order of the months can be read, but not everywhere."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import relations_by_hand as by_hand
import smollm2
from scipy.spatial.distance import pdist

from tokviz import config
from tokviz.measure.decisions import SHARES, claims_in, decide, with_decisions
from tokviz.measure.relations import measure
from tokviz.measure.spaces import standardized
from tokviz.records import LEVEL, HiddenStates, OrderMeasures, RelationMeasures, Relations
from tokviz.run.plan.related import related

pytestmark = pytest.mark.thorough

REPORT = config.load(Path(smollm2.ROOT) / "report.toml")
LAYER_11 = 12
"""Its depth."""
LEVEL_OF_SHARE = LEVEL * SHARES["others"]
"""Beside the other questions of the sample report."""


@pytest.fixture(scope="module")
def decided(smollm2_states: dict[str, HiddenStates]) -> dict[str, Relations]:
    """By the context's name, at the sample report's level."""
    found = {name: _measured(states) for name, states in smollm2_states.items()}
    families = decide(claim for each in found.values() for claim in claims_in(each))
    families = {key: replace(each, level=LEVEL_OF_SHARE) for key, each in families.items()}
    return {name: with_decisions(each, families) for name, each in found.items()}


@pytest.fixture(scope="module")
def capitals(decided: dict[str, Relations]) -> dict[str, RelationMeasures]:
    return {name: each.relations[0] for name, each in decided.items()}


@pytest.fixture(scope="module")
def months(decided: dict[str, Relations]) -> dict[str, OrderMeasures]:
    return {name: each.orders[0] for name, each in decided.items()}


def _measured(states: HiddenStates) -> Relations:
    asked = related(REPORT, REPORT.words_of(states), states.tokenization)
    return measure(states, asked.pairs, asked.orders)


@pytest.mark.parametrize("context", ["alone", "sentence"])
def test_the_numbers_are_those_of_the_definitions(
    smollm2_states: dict[str, HiddenStates],
    capitals: dict[str, RelationMeasures],
    months: dict[str, OrderMeasures],
    context: str,
) -> None:
    states, words = smollm2_states[context], list(REPORT.word_list.words)
    pairs = [(words.index(a), words.index(b)) for a, b in REPORT.relation_list[0].pairs]
    candidates = [words.index(word) for word in REPORT.relation_list[0].candidates]
    ordered = [words.index(word) for word in REPORT.order_list[0].words]
    reference = np.flatnonzero(states.tokenization.reference)
    row = {word: index for index, word in enumerate(reference.tolist())}
    relation, order = capitals[context], months[context]
    assert (len(relation.rows), len(order.rows)) == (10, 12)
    for depth in range(states.n_depths):
        exact = states.states[depth][reference].astype(np.float64)
        compared = standardized(exact)
        own = [(row[a], row[b]) for a, b in pairs]
        assert relation.parallelism.value[depth] == pytest.approx(by_hand.parallelism(compared, own), abs=1e-6)
        ranks = by_hand.ranks(compared, own, [row[word] for word in candidates if word in row])
        assert (relation.hits[depth], relation.hits_of_source[depth]) == tuple((ranks == 1).sum(axis=1))
        assert relation.gain[depth] == pytest.approx((1 / ranks[0] - 1 / ranks[1]).mean())
        aims = by_hand.on_a_circle(12)
        predicted = by_hand.held_out(exact, [row[word] for word in ordered], aims)
        assert order.r2.value[depth] == pytest.approx(by_hand.r2(aims, predicted), abs=1e-3)


def test_pairs_are_parallel_and_near_each_other(capitals: dict[str, RelationMeasures]) -> None:
    found = capitals["sentence"]
    assert found.parallelism.value.min() == pytest.approx(0.25, abs=0.005)
    assert found.parallelism.value.max() == pytest.approx(0.43, abs=0.005)
    assert found.parallelism.claim.holds.all()
    # The countries alone find nearly all of their capitals, and no difference is shown to add anything.
    assert found.hits_of_source.min() >= 9
    assert not any(each.offset.holds.any() or each.holds.any() for each in capitals.values())


def test_alone_pairs_are_not_shown_to_be_parallel_from_layer_11_on(capitals: dict[str, RelationMeasures]) -> None:
    found = capitals["alone"].parallelism
    assert found.value[LAYER_11] == pytest.approx(0.24, abs=0.005)
    assert found.claim.holds[0]
    assert not found.claim.holds[LAYER_11:].any()


def test_the_order_of_the_months_is_read_early_in_a_sentence_and_not_in_the_embedding(
    months: dict[str, OrderMeasures],
) -> None:
    found = months["sentence"]
    assert found.r2.value[0] < 0
    assert found.r2.value[1:4].min() >= 0.85
    assert found.holds[1:7].all()
    assert not found.holds[25:].any()
    assert not months["alone"].holds[LAYER_11:].any()


def test_it_is_not_shown_that_december_lies_near_january(
    smollm2_states: dict[str, HiddenStates], months: dict[str, OrderMeasures]
) -> None:
    """At layers 0 and 2 other months are nearer to each other; where these two are near, the order can't be read."""
    for found in months.values():
        assert not found.ends_meet.any()
        assert not found.is_circle.any()
    order, states = months["sentence"], smollm2_states["sentence"]
    ranks = []
    for depth in (1, 3, 25):
        own = standardized(states.states[depth], np.asarray(states.tokenization.reference))[order.rows]
        ranks.append(int((pdist(own) < np.linalg.norm(own[0] - own[-1])).sum()) + 1)
    assert ranks[0] >= 20
    assert ranks[1] >= 20
    assert ranks[2] <= 6
    assert order.r2.value[25] < 0


def test_the_author_says_what_was_measured(
    capitals: dict[str, RelationMeasures], months: dict[str, OrderMeasures]
) -> None:
    text = " ".join((smollm2.ROOT / "report.toml").read_text(encoding="utf-8").split())
    # Where exactly is of the median over all sentences: tests/test_sample.py.
    assert re.search(r"in a sentence at layers 0–\d+", text)
    assert months["sentence"].holds[1:7].all()
    assert "it isn't shown that they lie in a circle, or that December lies near January" in text
    assert not any(each.ends_meet.any() for each in months.values())
    assert "it isn't shown that one common difference leads" in text
    assert not any(each.holds.any() for each in capitals.values())
