"""The heat map of words and layers: what a page says of it, and what its script is given."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from narrow import present
from rendered import Part, Rendered
from report_fixture import large_report, one_depth_report, sample_report, tiny_report

from tokviz.pages.downloads import tables
from tokviz.pages.model import word_map
from tokviz.records import Category, ContextReport, Report, WordList, WordScores


def given(report: Report, slug: str, context: str) -> dict[str, object]:
    """What the script of a capture passes on."""
    text = word_map.files(report)[f"data/{slug}/{context}/scores.js"]
    key, found = json.loads(f"[{text[text.index('(') + 1 : text.rindex(')')]}]")
    assert key == f"{slug}/{context} scores"
    return dict(found)


def section(report: Report) -> Part:
    """Of the first model's page."""
    return Rendered(report).models[0].one("#words-by-layer")


def with_scores(report: Report, scores: WordScores | None) -> Report:
    def changed(context: ContextReport) -> ContextReport:
        return replace(context, same_category=scores)

    models = tuple(
        replace(model, contexts=tuple(changed(context) for context in model.contexts)) for model in report.models
    )
    return replace(report, models=models)


def test_a_script_has_each_words_counts_and_each_categorys_means() -> None:
    report = sample_report()
    scores = present(report.models[0].contexts[0].same_category)
    found = given(report, "smol-30", "alone")
    assert (found["most"], found["last"]) == (5, 30)
    assert found["mark"] == present(report.models[0].contexts[0].geometry).massive.emergence_depth
    words = found["words"]
    assert isinstance(words, list)
    assert [[int(one) for one in word] for word in words] == scores.values.T.tolist()
    means = np.array(found["categories"])
    assert means == pytest.approx(scores.values.reshape(31, 9, 13).mean(axis=2).T, abs=0.005)


def test_an_unknown_count_is_a_space_and_a_mean_of_none_is_null() -> None:
    report = tiny_report()
    values = np.zeros((4, 6), dtype=np.int16)
    values[2, :3] = WordScores.UNKNOWN
    found = given(with_scores(report, WordScores(values=values, most=1)), "tiny-3", "alone")
    assert found["words"] == ["00 0"] * 3 + ["0000"] * 3
    assert found["categories"] == [[0.0, 0.0, None, 0.0], [0.0] * 4]


def test_what_is_known_of_the_sample_is_light() -> None:
    report = sample_report()
    sizes = [len(text.encode()) for text in word_map.files(report).values()]
    assert len(sizes) == 2, "of the model with neighbors"
    section = Rendered(report).files["models/smol-30/index.html"].split('id="words-by-layer"')[1].split("</section>")[0]
    assert sum(sizes) + len(section) < 20_000
    large = large_report(400, 30)
    context = large.models[0].contexts[0]
    scores = WordScores(values=np.full((31, 400), 5, dtype=np.int16), most=5)
    assert context.same_category is None
    assert 2 * len(given_text(with_scores(large, scores))) < 40_000


def given_text(report: Report) -> str:
    (text,) = word_map.files(report).values()
    return text


def test_more_than_400_words_are_shown_by_category() -> None:
    report = large_report(401, 30)
    scores = WordScores(values=np.full((31, 401), 5, dtype=np.int16), most=5)
    report = with_scores(report, scores)
    shown = section(report)
    assert not shown.all("button:not(.term)")
    assert "With 401\N{NO-BREAK SPACE}words, only categories have rows." in shown.texts(".caption")
    assert given(report, "large", "alone")["words"] is None


@pytest.mark.parametrize("scores", [None, WordScores(values=np.full((1, 117), -1, dtype=np.int16), most=5)])
def test_where_nothing_is_known_there_is_no_section(scores: WordScores | None) -> None:
    report = with_scores(one_depth_report(), scores)
    site = Rendered(report)
    for page in (*site.models, site["explore/index.html"]):
        assert not page.all("[data-word-map], link[href*=word-map]")
    assert word_map.files(report) == {}


def test_the_capture_with_a_break_comes_first_and_what_is_beside_it_can_be_chosen() -> None:
    report = sample_report()
    deep = report.models[0]
    alone = deep.contexts[0]
    scores = present(alone.same_category)
    changed = tuple(replace(each, same_category=scores) for each in alone.interventions)
    deep = replace(deep, contexts=(replace(alone, interventions=changed), *deep.contexts[1:]))
    shown = section(replace(report, models=(deep, *report.models[1:])))
    captures = json.loads(shown.one("[data-word-map-data]").text)["captures"]
    assert [each["name"] for each in captures] == ["alone", "alone-mean", "sentence"]
    assert [each["value"] for each in shown.all("[data-beside-map] option")] == ["alone-mean", "sentence"]
    assert shown.one("[data-beside-map] [selected]")["value"] == "alone-mean"
    assert not section(report).all("[data-beside-map]"), "of two captures both are seen"


def test_the_table_has_a_row_for_each_word_with_a_category_and_a_column_for_each_depth() -> None:
    words = WordList(categories=(Category(key="few", label="Few", words=("b", "=c")),), vocabulary=("a", "b", "=c"))
    scores = WordScores(values=np.array([[-1, 1, 0], [-1, 1, -1]], dtype=np.int16), most=1)
    assert tables.words_by_layer_csv(scores, words).splitlines() == [
        "word,text_safe,categories,nearest,embedding,layer 0",
        "b,b,few,1,1,1",
        "=c,'=c,few,1,0,",
    ]


def test_of_a_vocabulary_it_is_said_which_tokens_are_compared() -> None:
    report = tiny_report()
    scores = WordScores(values=np.array([[1, 1, 0, 0, -1, -1]] * 4, dtype=np.int16), most=1)
    landmarks = tuple(replace(each, words=each.words[:1]) for each in report.words.categories)
    words = replace(report.words, categories=landmarks, vocabulary=())
    shown = section(with_scores(replace(report, words=words), scores))
    assert shown.texts(".caption")[1] == (
        "Of the vocabulary, 4\N{NO-BREAK SPACE}tokens with a category are compared, with each other."
    )
    assert shown.texts("[data-category] .heat-name") == ["Category 1", "Category 2"]


def test_by_chance_is_what_words_drawn_at_random_from_those_that_are_looked_at_would_give() -> None:
    """However the words were read: nine categories of 13 are looked at together."""
    shown = section(sample_report()).texts(".caption")[0]
    assert shown.endswith(f" Of 5 words drawn at random about {5 * 12 / 116:.1f} would.")
