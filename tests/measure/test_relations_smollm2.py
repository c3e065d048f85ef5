"""The sample report's decoder: capitals lie near their countries, and the months on a circle, but not everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import relations_by_hand as by_hand
import smollm2

from tokviz import config
from tokviz.measure.relations import measure
from tokviz.records import HiddenStates, OrderMeasures, RelationMeasures
from tokviz.run.plan.related import related

REPORT = config.load(Path(smollm2.ROOT) / "report.toml")
LAYER_11 = 12
"""Its depth."""


@pytest.fixture(scope="module")
def capitals(smollm2_states: dict[str, HiddenStates]) -> dict[str, RelationMeasures]:
    """By the context's name."""
    return {name: _measured(states)[0] for name, states in smollm2_states.items()}


@pytest.fixture(scope="module")
def months(smollm2_states: dict[str, HiddenStates]) -> dict[str, OrderMeasures]:
    return {name: _measured(states)[1] for name, states in smollm2_states.items()}


def _measured(states: HiddenStates) -> tuple[RelationMeasures, OrderMeasures]:
    asked = related(REPORT, REPORT.words_of(states), states)
    found = measure(states, asked.pairs, asked.orders)
    return found.relations[0], found.orders[0]


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
        own = [(row[a], row[b]) for a, b in pairs]
        assert relation.parallelism.value[depth] == pytest.approx(by_hand.parallelism(exact, own), abs=1e-6)
        expected = by_hand.hits(exact, own, [row[word] for word in candidates if word in row])
        assert (relation.hits[depth], relation.hits_of_source[depth]) == expected
        aims = by_hand.on_a_circle(12)
        predicted = by_hand.held_out(exact, [row[word] for word in ordered], aims)
        assert order.r2.value[depth] == pytest.approx(by_hand.r2(aims, predicted), abs=1e-3)


def test_in_a_sentence_pairs_are_parallel_and_near_each_other(capitals: dict[str, RelationMeasures]) -> None:
    found = capitals["sentence"]
    assert found.parallelism.value.min() > 0.24
    assert found.parallelism.value.max() < 0.36
    assert (found.parallelism.p_value_uncorrected < 0.01).mean() > 0.9
    # The countries alone find nearly all of their capitals, so that no relation is claimed.
    assert found.hits_of_source.min() >= 8
    assert found.hits.min() >= 8
    assert not found.holds.any()


def test_alone_pairs_are_like_shuffled_ones_from_layer_11_on(capitals: dict[str, RelationMeasures]) -> None:
    found = capitals["alone"].parallelism
    assert found.value[LAYER_11] == pytest.approx(0.071, abs=0.002)
    assert found.p_value_uncorrected[LAYER_11:].min() > 0.1
    assert found.p_value[LAYER_11:].min() > 0.3


def test_months_lie_on_a_circle_early_in_a_sentence_and_not_in_the_embedding(months: dict[str, OrderMeasures]) -> None:
    found = months["sentence"]
    assert found.r2.value[0] < 0
    assert found.r2.value[1:4].min() >= 0.85
    assert found.holds[1:21].all()
    assert not found.holds[25:].any()
    assert not months["alone"].holds[LAYER_11:].any()


def test_the_introduction_has_the_measured_numbers(
    capitals: dict[str, RelationMeasures], months: dict[str, OrderMeasures]
) -> None:
    text = " ".join((smollm2.ROOT / "notes" / "introduction.md").read_text(encoding="utf-8").split())
    found = re.search(r"states at layers 0–(\d+) \(leave-one-out R² ([\d.]+)–([\d.]+) at layers 0–2\)", text)
    assert found, text
    order = months["sentence"]
    assert np.flatnonzero(order.holds).tolist() == list(range(1, int(found[1]) + 2))
    early = order.r2.value[1:4]
    assert (float(found[2]), float(found[3])) == (round(early.min(), 2), round(early.max(), 2))
    assert "it isn't shown that one common difference leads" in text
    assert not any(each.holds.any() for each in capitals.values())
