"""The words whose neighbors change most, beside a model's first chart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from narrow import present
from rendered import Rendered
from report_fixture import sample_report

from tokviz.pages.findings.chosen import findings
from tokviz.pages.findings.finding import Found
from tokviz.pages.model.nearest import N_NAMED, N_WORDS, nearest_words
from tokviz.records import ContextReport, ModelReport, Neighbours, Report, WordScores

MOST = 5


@pytest.fixture(scope="module")
def report() -> Report:
    """The sample's first model with neighbors drawn by chance, of which the counts are those of the record."""
    report = sample_report()
    first = report.models[0]
    contexts = tuple(with_neighbours(report, each, seed) for seed, each in enumerate(first.contexts))
    return replace(report, models=(replace(first, contexts=contexts),))


def with_neighbours(report: Report, context: ContextReport, seed: int) -> ContextReport:
    n_depths, words = context.states.n_depths, report.words
    random = np.random.default_rng(seed)
    n = len(words.words)
    rows = np.array(
        [
            [random.choice(np.delete(np.arange(n), row), MOST, replace=False) for row in range(n)]
            for _ in range(n_depths)
        ]
    )
    of = np.array([own[0] for own in words.memberships])
    counts = (of[rows] == of[np.newaxis, :, np.newaxis]).sum(axis=2).astype(np.int16)
    return replace(context, neighbours=Neighbours(rows=rows), same_category=WordScores(values=counts, most=MOST))


def found_in(model: ModelReport, report: Report, depth: int = 2) -> Found:
    found, *_ = findings(report, [model])
    return replace(found, context=model.contexts[0], depth=depth, breaks=None)


def test_rows_are_what_the_records_have(report: Report) -> None:
    (model,) = report.models
    context, other = model.contexts[:2]
    shown = present(nearest_words(found_in(model, report), report.words))
    assert shown["columns"] == ["the embedding, alone", "layer 1, alone", "layer 1, in a sentence"]
    assert len(shown["rows"]) == N_WORDS
    assert shown["most"] == MOST
    words = report.words.words
    for word, cells in shown["rows"]:
        row = words.index(word)
        for cell, (of, depth) in zip(cells, ((context, 0), (context, 2), (other, 2)), strict=True):
            named = ", ".join(words[each] for each in present(of.neighbours).rows[depth, row, :N_NAMED])
            assert cell == f"{named} ({present(of.same_category).values[depth, row]})"


def test_no_word_that_is_left_out_changes_more_unless_its_category_is_there(report: Report) -> None:
    (model,) = report.models
    shown = present(nearest_words(found_in(model, report), report.words))
    counts = present(model.contexts[0].same_category).values.astype(int)
    change = np.abs(counts[2] - counts[0])
    rows = [report.words.words.index(word) for word, _ in shown["rows"]]
    categories = [report.words.memberships[row][0] for row in rows]
    assert len(set(categories)) == N_WORDS
    assert list(change[rows]) == sorted(change[rows], reverse=True)
    for row, own in enumerate(report.words.memberships):
        assert change[row] <= change[rows[-1]] or own[0] in categories


def test_words_that_are_read_at_another_position_in_any_column_are_no_examples(report: Report) -> None:
    (model,) = report.models
    shown = present(nearest_words(found_in(model, report), report.words))
    (first, *_), (other, *_) = (
        [word for word, _ in shown["rows"]],
        [each.states.tokenization for each in model.contexts[1:]],
    )
    words = list(other.words)
    words[report.words.words.index(first)] = replace(words[report.words.words.index(first)], start=1, stop=2)
    moved = replace(
        model.contexts[1], states=replace(model.contexts[1].states, tokenization=replace(other, words=tuple(words)))
    )
    contexts = (model.contexts[0], moved, *model.contexts[2:])
    assert not moved.states.tokenization.reference[report.words.words.index(first)]
    rows = present(nearest_words(found_in(replace(model, contexts=contexts), report), report.words))["rows"]
    assert first not in [word for word, _ in rows]
    assert len(rows) == N_WORDS


def test_a_break_is_held_against_the_depth_before_it(report: Report) -> None:
    (model,) = report.models
    found = found_in(model, report, depth=3)
    broken = next((each for each in findings(report, [model]) if each.breaks), None)
    shown = present(nearest_words(replace(found, breaks=present(broken).breaks), report.words))
    assert shown["columns"][0] == "layer 1, alone"


def test_where_nothing_changes_or_nothing_is_known_there_is_no_table(report: Report) -> None:
    (model,) = report.models
    found = found_in(model, report)
    scores = present(found.context.same_category)
    still = replace(scores, values=np.full_like(scores.values, 2))
    unknown = replace(scores, values=np.full_like(scores.values, WordScores.UNKNOWN))
    for context in (
        replace(found.context, same_category=still),
        replace(found.context, same_category=unknown),
        replace(found.context, neighbours=None),
    ):
        assert nearest_words(replace(found, context=context), report.words) is None
    assert nearest_words(replace(found, depth=0), report.words) is None
    assert nearest_words(replace(found, depth=None), report.words) is None


def test_it_stands_beside_the_first_chart_in_place_of_the_next_two(report: Report) -> None:
    page = Rendered(report).models[0]
    assert len(page.all("#curves .beside .chart")) == 1
    assert page.one(".nearest table").all("tbody tr")
    (model,) = report.models
    without = replace(model, contexts=tuple(replace(each, neighbours=None) for each in model.contexts))
    plain = Rendered(replace(report, models=(without,))).models[0]
    assert not plain.all(".nearest, .beside")
    assert len(plain.one("#curves > .multiples").all(".chart")) == 3
