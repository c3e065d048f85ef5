"""The sample report's decoder, measured: the sink at layer 11, what comes before it, and its absence in a sentence."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import smollm2

from tokviz.measure import pca
from tokviz.measure.geometry import measure
from tokviz.pages.text.catalogue import sentence
from tokviz.pages.text.stage_facts import stage_facts
from tokviz.records import Geometry, HiddenStates, WordList

pytestmark = pytest.mark.thorough

SINK = 507
"""The dimension that the sink grows in."""


def after_layer(layer: int) -> int:
    return layer + 1


@pytest.fixture(scope="module")
def measured(smollm2_states: dict[str, HiddenStates]) -> dict[str, Geometry]:
    """The geometry of both contexts of the sample report, by the context's name."""
    words, ordinary = smollm2.words(), smollm2_states["sentence"]
    return {name: measured_in(smollm2_states[name], ordinary, words) for name in ("alone", "sentence")}


def measured_in(states: HiddenStates, ordinary: HiddenStates, words: WordList) -> Geometry:
    reference = states.tokenization.reference
    projections = [pca.project(states.states, reference, name) for name in ("standardized", "centered")]
    return measure(states, projections, words.memberships, ordinary)


def test_alone_the_words_become_a_sink_at_layer_11_and_cease_to_be_at_28_or_29(measured: dict[str, Geometry]) -> None:
    massive = measured["alone"].massive
    assert (massive.typical_context, massive.typical_is_ordinary) == ("sentence", True)
    assert massive.emergence_depth == after_layer(11)
    assert massive.step_down_depth in (after_layer(28), after_layer(29))
    assert massive.end_depth == massive.step_down_depth
    at = massive.emergence_depth
    assert massive.largest[at - 1] < 100
    assert massive.largest[at] == pytest.approx(24_108, rel=0.01)
    assert massive.ratio[at] == pytest.approx(13_500, rel=0.05)
    assert massive.dimensions[at] == (SINK,)
    assert massive.energy_share[at] > 0.95
    assert massive.dominant[at] == SINK


def test_alone_the_moderately_large_values_at_layers_2_to_8_is_found(measured: dict[str, Geometry]) -> None:
    massive = measured["alone"].massive
    first, last = massive.moderate_runs[0]
    assert (first, last) == (after_layer(2), after_layer(8))
    assert massive.dimensions[first] == (SINK,)


def test_alone_a_stage_begins_at_layer_11_and_says_why(measured: dict[str, Geometry]) -> None:
    geometry = measured["alone"]
    calm, stage, last = geometry.stages
    assert (calm.first_depth, stage.first_depth) == (0, after_layer(11))
    assert stage.recurrence == 1
    assert last.first_depth == geometry.massive.step_down_depth
    assert np.isnan(last.recurrence)  # by rule: CKA sees nothing there
    told = sentence(stage_facts(geometry, stage, None, at_position_0=True))
    assert told.startswith(f"Dimension {SINK} is massive")
    assert "a typical token’s median" in told


def test_alone_pc1_is_the_sink_and_the_picture_loses_what_the_full_space_keeps(measured: dict[str, Geometry]) -> None:
    geometry, at = measured["alone"], after_layer(11)
    assert geometry.pc1_in_massive[at] > 0.95
    standardized, centered = geometry.pictures
    assert centered.purity.value[at] == pytest.approx(0.14, abs=0.02)
    assert standardized.purity.value[at] == pytest.approx(0.31, abs=0.02)
    assert geometry.purity.low[at] > standardized.purity.high[at]
    assert geometry.purity.above_chance.score[at] > 20
    assert geometry.purity.value[[at, -1]] == pytest.approx([0.67, 0.66], abs=0.01)
    assert geometry.purity_raw.value[[at, -1]] == pytest.approx([0.72, 0.21], abs=0.01)
    assert geometry.purity.surface == pytest.approx(0.346, abs=0.005)
    assert geometry.purity.null_mean[at] == pytest.approx(0.2, abs=0.01)
    assert standardized.purity.value[at] < standardized.purity.surface


def test_in_a_sentence_no_word_is_massive_and_the_sink_stands_at_position_0(measured: dict[str, Geometry]) -> None:
    geometry = measured["sentence"]
    assert geometry.massive.emergence_depth is None
    assert geometry.massive.moderate_runs == ()
    assert geometry.position0.emergence_depth == after_layer(11)
    assert geometry.position0.dimensions[after_layer(11)] == (SINK,)
    assert geometry.pictures[0].purity.value[after_layer(11) :].min() > 0.5
    assert [stage.first_depth for stage in geometry.stages] == [0, after_layer(7)]


def test_every_number_is_there(measured: dict[str, Geometry]) -> None:
    """31 depths of 115 reference words: nothing is left undefined but what has no meaning."""
    for geometry in measured.values():
        assert (geometry.n_reference, geometry.n_measured, geometry.n_compared) == (115, 115, 115)
        records: list[Any] = [geometry.spread, geometry.silhouette, geometry.purity, geometry.massive]
        for picture in geometry.pictures:
            records += [picture.silhouette, picture.purity]
            assert np.isfinite(picture.trustworthiness).all()
        for record in records:
            for field in dataclasses.fields(record):
                values = getattr(record, field.name)
                if isinstance(values, np.ndarray):
                    assert np.isfinite(values).all(), field.name
        assert np.isfinite(geometry.change.cka[1:]).all()
        assert np.isfinite(geometry.change.procrustes[1:]).all()
