"""What the pages say where a measure isn't given, and of how sure those are that are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from narrow import present
from rendered import Part, Rendered
from report_fixture import sample_report

from tokviz.records import ModelReport, RefitCriteria, Stage, StageCriteria

N_LAYERS = 30


def replaced(model: ModelReport, **changes: Any) -> ModelReport:
    """With other measures in its first context."""
    first, *others = model.contexts
    geometry = replace(present(first.geometry), **changes)
    return replace(model, contexts=(replace(first, geometry=geometry), *others))


def page_with(**changes: Any) -> Part:
    report = sample_report()
    return Rendered(replace(report, models=(replaced(report.models[0], **changes),))).models[0]


def notes_of_charts(page: Part) -> str:
    return " ".join(note.plain for note in page.all("#curves .told > .note"))


def test_where_words_have_the_very_same_state_it_is_said_that_they_have_no_neighbours() -> None:
    shares = np.ones(N_LAYERS + 1)
    shares[[0, 3]] = 0.2
    page = page_with(with_neighbours=shares)
    assert "too many words have identical states here" in page.at("alone/layer-2").texts("figcaption span")[1]
    assert "category purity" in page.at("alone/layer-1").texts("figcaption span")[1]
    assert "Purity is not given at 2 depths of the words alone" in notes_of_charts(page)


def test_too_few_words_for_cka_are_said_and_everything_else_stands() -> None:
    change = present(sample_report().models[0].contexts[0].geometry).change
    nothing = np.full(N_LAYERS + 1, np.nan)
    stages = (Stage(first_depth=0, last_depth=N_LAYERS, recurrence=np.nan, cka_within=np.nan, cka_before=np.nan),)
    page = page_with(
        n_compared=12,
        cka=np.full((N_LAYERS + 1, N_LAYERS + 1), np.nan),
        change=replace(change, cka=nothing),
        stages=stages,
    )
    assert "CKA" not in page.at("alone/stage-1").text
    assert "Change from the previous depth (CKA) needs at least 16 words, and there are 12" in notes_of_charts(page)


def test_the_method_page_says_what_its_words_mean_and_how_sure_its_numbers_are() -> None:
    report = sample_report()
    changes = {
        "refit_criteria": RefitCriteria(n_parts=7, kept_share=0.4, most_kept=99),
        "least_with_neighbours": 0.3,
        "stage_criteria": StageCriteria(
            least_change=0.05,
            least_ratio=3.0,
            n_around=3,
            tolerance=1,
            n_subsamples=40,
            kept_share=0.7,
            least_recurrence=0.9,
            least_words=21,
        ),
    }
    site = Rendered(replace(report, models=(replaced(report.models[0], **changes),)))
    terms = site["method/index.html"].under("measures").terms
    said = {name: meaning.replace("\N{NO-BREAK SPACE}", " ") for name, meaning in terms.items()}
    assert "7 parts of the words, each 40 % of every category (of long lists 99 words)" in said["Intervals"]
    assert (
        "Values are claimed from p ≤ 0.005 in 2 families: categories against chance (62 values); "
        in said["What is claimed"]
    )
    assert "fewer than 30 % of the words" in said["Neighbors of the same category (purity)"]
    assert "at least 21 words" in said["Change (1 − CKA)"]
    assert "eigenvalues" in said["Effective rank"]
    assert "each word’s own maximum, median over words" in said["Massive activations"]
    assert "Euclidean" in said["Trustworthiness"]
    assert "k / (n − 1)" in said["Similarity of two models"]
