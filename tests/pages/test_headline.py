"""What the first page opens with, and how the second of two plates is turned."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import headline_claims
import numpy as np
import pytest
from narrow import present
from report_fixture import Views, many_models_report, one_depth_report, sample_report, tiny_report
from scipy.spatial import procrustes

from tokviz.config import validated
from tokviz.errors import ConfigError
from tokviz.pages import notes
from tokviz.pages.first.turning import Turn, least_turn
from tokviz.pages.first.two_states import two_states
from tokviz.pages.model.headline import NEIGHBORS, headline, unshown_states
from tokviz.records import ModelReport, Opening, Report

SAID = "Two neurons do it."
SHOWN = ("smol-30/alone/layer-10", "smol-30/alone-mean/layer-11")


def by_author(report: Report, *states: str) -> Report:
    return dataclasses.replace(report, opening=Opening(sentence=SAID, states=states))


def only(*models: ModelReport) -> Report:
    return dataclasses.replace(sample_report(), models=models)


def read(report: Report) -> tuple[str, tuple[str, ...]]:
    said = present(headline(report))
    labels = [each.label for each in two_states(report, said.states, "index.html").states] if said.states else []
    return said.sentence.replace("\N{NO-BREAK SPACE}", " "), tuple(labels)


def test_a_report_opens_with_its_finding_and_the_two_states_that_show_it() -> None:
    deep, encoder, lost = sample_report().models
    assert read(sample_report()) == (
        "Two of 1,536 neurons in layer 11 put 99.7 % of the words’ variance into one direction; without their variation it is 20.0 %.",
        ("Layer 11, unchanged", "Layer 11, without the variation of two neurons"),
    )
    alone = dataclasses.replace(deep.contexts[0], interventions=())
    assert read(only(dataclasses.replace(deep, contexts=(alone,)))) == (
        "Two of 1,536 neurons in layer 11 write 99.8 % of the MLP’s update to dimension 12; the mean norm goes from 17.1 to 24,410.",
        ("Layer 10", "Layer 11"),
    )
    calm = only(dataclasses.replace(encoder, contexts=encoder.contexts[1:]))
    sentence, labels = read(calm)
    assert sentence.startswith(
        f"In the embedding of {encoder.display_name}, 85 % of a word’s nearest neighbors share its category;"
    )
    assert present(headline(calm)).note == NEIGHBORS
    assert len(labels) == 2
    assert read(one_depth_report())[1] == ()
    assert headline(only(lost)) is None
    assert read(many_models_report(50))[1] == ("Layer 11, unchanged", "Layer 11, without the variation of two neurons")


def test_a_models_page_opens_with_where_categories_hold_if_nothing_breaks() -> None:
    report = sample_report()
    deep, encoder, lost = report.models
    calm = dataclasses.replace(encoder, contexts=encoder.contexts[1:])
    own = next(page for page in Views(only(calm)).models if page.name == calm.display_name)
    said, counted, _ = present(own.opening).partition(" Neighbors are counted in all dimensions.")
    assert counted
    headline_claims.check_headline(said, only(calm))
    assert calm.display_name not in said
    by_name = {page.name: page for page in Views(report).models}
    assert by_name[deep.display_name].opening is None, "it has a finding"
    assert by_name[lost.display_name].opening is None


def test_what_was_not_measured_is_not_said() -> None:
    model = tiny_report().models[1]
    contexts = tuple(dataclasses.replace(each, geometry=None) for each in model.contexts)
    report = only(dataclasses.replace(model, contexts=contexts))
    assert read(report) == (
        "Compare how the words lie before the first layer and after the last.",
        ("Embedding", "Layer 1"),
    )


def test_the_author_chooses_sentence_and_states() -> None:
    report = sample_report()
    assert read(by_author(report)) == (SAID, ("Layer 11, unchanged", "Layer 11, without the variation of two neurons"))
    assert read(by_author(report, *SHOWN)) == (
        SAID,
        ("Layer 10, unchanged", "Layer 11, without the variation of two neurons"),
    )
    others = ("mini-6/sentence/embedding/centered", "smol-30/alone/layer-3")
    assert read(by_author(report, *others))[1] == (
        "Embedding, mini-encoder-6, words in a sentence, centered",
        "Layer 3, Smol-135M-Instruct (Q4_1 GGUF), words alone, standardized",
    )


def test_where_a_state_can_not_be_shown_the_report_speaks_for_itself() -> None:
    report = sample_report()
    for missing in ("lost/alone/layer-3", "mini-6/alone/layer-2"):  # a model that failed, a depth without a picture
        changed = by_author(report, missing, SHOWN[0])
        assert unshown_states(changed) == (missing,)
        assert headline(changed) == headline(report)


def test_a_state_that_no_capture_has_is_refused(tmp_path: Path) -> None:
    report = sample_report()
    models = [{"source": f"org/{model.slug}"} for model in report.models]
    contexts = [{"name": context.name, "template": context.template} for context in report.contexts]
    values = {"words": {"months": ["May", "June", "July"]}, "models": models, "contexts": contexts}

    def check(state: str) -> None:
        finding = {"sentence": SAID, "states": [state, SHOWN[0]]}
        notes.check(validated({**values, "finding": finding}, tmp_path / "report.toml"), report, {})

    for state in (SHOWN[1], "lost/alone/layer-99"):
        check(state)
    for state, near in (("smol-30/alone/layer-30", "layer-3"), ("mini-6/alone-mean/layer-3", "mini-6/alone/layer-3")):
        with pytest.raises(
            ConfigError, match=f"finding.states.0: expected a state that was captured, got '{state}'.*{near}"
        ):
            check(state)


# --- turning -----------------------------------------------------------------------------------------------------------


def test_a_turn_is_found_again_and_what_is_left_is_as_scipy_has_it() -> None:
    random = np.random.default_rng(5)
    still = random.normal(size=(40, 2)) * (3, 1) + (5, -2)
    for is_mirrored in (False, True):
        for degrees in (-179, -64, 0, 30, 180):
            turn = Turn(is_mirrored=is_mirrored, degrees=degrees, residual=math.nan)
            found = least_turn(still @ turn.matrix * 1e4, still)
            assert (found.is_mirrored, found.degrees) == (is_mirrored, degrees)
            assert found.residual < 1e-9
    moved = still @ [[0.2, 1], [1, 0.4]] + random.normal(size=still.shape)
    assert least_turn(still, moved).residual == pytest.approx(procrustes(still, moved)[2], abs=1e-4)


def test_without_words_enough_or_apart_nothing_is_turned() -> None:
    words = np.random.default_rng(5).normal(size=(9, 2))
    gone = np.where(np.arange(9)[:, None] < 7, np.nan, words)
    for still, moved in ((words, words * 0 + 3.3), (words[:2], words[:2][::-1]), (words, gone)):
        found = least_turn(still, moved)
        assert found.is_none
        assert math.isnan(found.residual)
