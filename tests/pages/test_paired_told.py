"""What pages say of captures that are held against each other word by word: nothing but what is announced, with its numbers."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from claiming import decided
from claims import plain
from narrow import present
from paired_fixture import ERROR, N_CATEGORIES, measure, measures
from profile_fixture import difference
from report_fixture import sample_report

from tokviz.pages.charts.word_by_word import difference_charts
from tokviz.pages.compare.curves import compare_curves
from tokviz.pages.compare.differing import differing
from tokviz.pages.downloads import word_by_word
from tokviz.pages.text.catalogue import sentence
from tokviz.pages.text.paired_facts import _of_categories, of_model, of_models
from tokviz.records import (
    CategoriesHeld,
    Differences,
    ModelDifferences,
    ModelReport,
    PairedCapture,
    PairedMeasure,
    Report,
)


def told(purity: PairedMeasure, **more: PairedMeasure) -> str:
    """Of a capture whose layers are held against its embedding, from layer 0 on."""
    n = purity.overall.value.shape[1]
    found = measures(purity, [(depth, 0) for depth in range(1, n + 1)], **more)
    report = sample_report()
    model = report.models[0]
    context = replace(model.contexts[0], paired=PairedCapture(embedding=found), interventions=())
    lead, rest = of_model(report, replace(model, contexts=(context,)))
    return "\n".join((*lead, *rest))


def categories(report: Report, n: int) -> list[str]:
    return [each.label for each in report.words.categories[:n]]


def test_a_difference_has_its_depths_its_size_where_it_is_surest_and_its_interval() -> None:
    said = told(measure([0.02, -0.1, -0.25, -0.2], [False, True, True, True]))
    assert said.split("\n")[0] == (
        "Words alone. Category purity is lower than at the embedding at layers 1–3, by 0.25 at layer 2 (interval 0.17–0.33)."
    )


def test_both_signs_are_told_the_surer_one_first() -> None:
    said = told(measure([0.1, -0.3, 0.2], [True, True, True]))
    assert "is lower than at the embedding at layer 1, by 0.30 at layer 1 (interval 0.22–0.38), but higher at " in said
    assert "but higher at layer 0 and layer 2, by 0.20 at layer 2 (interval 0.12–0.28)." in said


def test_where_nothing_is_shown_it_is_told_how_large_a_difference_may_be() -> None:
    said = told(measure([0.02, -0.05], [False, False]))
    assert "No difference in category purity is shown from the embedding; one of up to 0.13 remains possible.\n" in said


def test_it_is_told_which_categories_have_too_few_words_that_count_as_several() -> None:
    found = measure([0.0], [False])
    few = replace(
        found,
        overall=replace(found.overall, freedom=np.array([0])),
        by_category=replace(found.by_category, n_groups=np.array([3, 4, 1])),
    )
    first, _, last = categories(sample_report(), 3)
    said = f"it takes 24 in all and 4 of each category, counting words that belong together as one; {first} and {last} have fewer."
    assert said in told(few)
    assert "have fewer" not in told(replace(few, by_category=found.by_category))


@pytest.mark.parametrize("value", [-0.95, 0.95])
def test_no_share_can_differ_by_more_than_1(value: float) -> None:
    nothing = measure([0.0], [False])
    assert "by 0.95 at layer 0 (interval 0.87–1.00)." in told(measure([value], [True]))
    assert "by 0.95 at layer 0 (interval 0.87–1.00)." in told(nothing, kept=measure([value], [True]))
    assert "by 0.95 at layer 0 (interval 0.87–1.03)." in told(nothing, silhouette=measure([value], [True]))
    assert "one of up to 1.00 remains possible" in told(measure([value], [False]))


def test_few_words_have_no_answer() -> None:
    few = measure([np.nan, np.nan], [False, False])
    few = replace(few, overall=replace(few.overall, freedom=np.zeros(1, dtype=np.int64)))
    said = told(few)
    assert (
        "can’t be said of so few words: it takes 24 in all and 4 of each category, counting words that belong together as one."
        in said
    )
    assert "No difference" not in said


def test_categories_are_named_where_it_is_shown_for_some_and_counted_as_each_where_for_all() -> None:
    names = categories(sample_report(), N_CATEGORIES)
    some = told(measure([-0.25], [True], [True, False, True]))
    assert f"by category this is shown for {names[0]} and {names[2]}." in some
    assert "by category this is shown for each." in told(measure([-0.25], [True], [True] * 3))
    one = told(measure([0.0], [False], [False, True, False]))
    assert f"one of up to 0.08 remains possible; by category this is shown for {names[1]}." in one


def test_other_measures_are_told_where_they_are_shown() -> None:
    said = told(measure([0.0], [False]), silhouette=measure([0.2], [True]))
    assert (
        "The silhouette above chance is higher than at the embedding at layer 0, by 0.20 at layer 0 (interval 0.12–0.28)."
        in said
    )
    assert "neighbors that are kept" not in said


@pytest.mark.parametrize(("sign", "first", "second"), [(1, "small", "large"), (-1, "large", "small")])
def test_of_two_models_the_higher_one_is_named_first_and_depths_are_the_deeper_ones(
    sign: int, first: str, second: str
) -> None:
    found = measures(measure([0.0, sign * 0.3, 0.0], [False, True, False]), [(0, 0), (0, 1), (1, 2)])
    assert of_models(sample_report(), found, ("small", "large")).startswith(
        f"Category purity is higher in {first} than in {second} at layer 0 of large, by 0.30 at layer 0 "
    )


def test_the_page_says_what_counts_as_one_word() -> None:
    report = sample_report()
    found = measures(measure([0.1], [True]), [(1, 0)])
    context = replace(report.models[0].contexts[0], paired=PairedCapture(embedding=found))
    changed = replace(report.models[0], contexts=(context,))
    last = of_model(report, changed)[1][-1]
    assert (
        "have nearly the same states, or were declared to belong together, count as one: 116 words count as 110 (happy with unhappy). Other synonyms"
        in plain(last)
    )
    named = replace(found, groups=(("green", "Greece"), ("happy", "unhappy")))
    context = replace(context, paired=PairedCapture(embedding=named))
    last = of_model(report, replace(changed, contexts=(context,)))[1][-1]
    assert "count as 110 (green with Greece and happy with unhappy). Other synonyms" in plain(last)
    too_large = replace(found, too_large=tuple("abcdefghijkl"))
    context = replace(context, paired=PairedCapture(embedding=too_large))
    assert (
        "12 words begin alike or share a token: so many don’t count as one."
        in of_model(report, replace(changed, contexts=(context,)))[1][-1]
    )


@pytest.mark.parametrize(
    ("holds", "said"),
    [
        (
            [[1, 1, 0], [1, 1, 0], [0, 1, 1]],
            "Each of three categories is above chance by itself at layer 0.",
        ),
        (
            [[1, 1, 0], [0, 1, 0], [0, 0, 0]],
            "At layer 0, two of three categories are above chance by themselves: {0} and {1}; at no depth this is shown for {2}.",
        ),
        (
            [[1, 1, 0], [0, 1, 0], [0, 0, 1]],
            "At layer 0, two of three categories are above chance by themselves: {0} and {1}.",
        ),
        (
            [[0, 0, 0]] * 3,
            "None of three categories is shown to be above chance by itself.",
        ),
    ],
)
def test_categories_that_keep_together_are_named_at_the_depth_where_most_do(holds: list[list[int]], said: str) -> None:
    report = sample_report()
    of_report = report.models[0].contexts[0]
    geometry = present(of_report.geometry)
    n = len(geometry.purity.value)
    every = np.zeros((3, n), dtype=bool)
    every[:, :3] = holds
    found = CategoriesHeld(
        categories=(0, 1, 2),
        n_words=(8, 8, 8),
        purity=np.full((3, n), 0.5),
        chance=np.full((3, n), 0.1),
        mixed=np.zeros((3, n)),
        claim=decided(every.ravel(), "categories, each"),
    )
    above = replace(geometry.purity.above_chance, holds=np.ones(n, dtype=bool))
    geometry = replace(geometry, purity=replace(geometry.purity, above_chance=above))
    context = replace(of_report, paired=PairedCapture(held=found), geometry=geometry)
    nowhere = replace(geometry, purity=replace(geometry.purity, above_chance=replace(above, holds=~above.holds)))
    assert not present(replace(context, geometry=nowhere).holds_categories).any()
    (lead, *_), _ = of_model(report, replace(report.models[0], contexts=(context,)))
    assert said.format(*categories(report, 3)) in lead


LACKING = "it takes eight words, and other categories with words of their case."


@pytest.mark.parametrize(
    ("holds", "n_words", "said"),
    [
        ([1, 0, 0], (8, 8, 8), "one of two categories is above chance by itself: {0}; at no depth this is shown for {1}; it can’t be tested for {2}: "),
        ([0, 0, 0], (8, 8, 8), "None of two categories is shown to be above chance by itself; it can’t be tested for {2}: "),
        ([1, 0, 0], (8, 2, 1), "one of one categories is above chance by itself: {0}; it can’t be tested for {1} and {2}: "),
        ([1, 1, 0], (8, 2, 1), "two of two categories are above chance by themselves: {0} and {1}; it can’t be tested for {2}: "),
    ],
)  # fmt: skip
def test_a_category_that_can_not_be_tested_is_not_said_to_fail(
    holds: list[int], n_words: tuple[int, ...], said: str
) -> None:
    report = sample_report()
    names = categories(report, 3)
    every = np.repeat(np.array(holds, dtype=bool)[:, None], 3, axis=1)
    every[:, 2] = False
    claim = decided(every.ravel(), "categories, each")
    score = np.where(np.arange(9) < 6, 1.0, np.nan)
    found = CategoriesHeld(
        categories=(0, 1, 2),
        n_words=n_words,
        purity=np.full((3, 3), 0.5),
        chance=np.full((3, 3), 0.1),
        mixed=np.zeros((3, 3)),
        claim=replace(claim, score=score),
    )
    told = sentence([_of_categories(report, found, found.holds, failing=True)])
    assert said.format(*names) + LACKING in told


def test_where_all_categories_hold_at_some_depths_those_are_named_that_fail_elsewhere() -> None:
    report = sample_report()
    holds = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=bool)
    found = CategoriesHeld(
        categories=(0, 1, 2),
        n_words=(8, 8, 8),
        purity=np.full((3, 3), 0.5),
        chance=np.full((3, 3), 0.1),
        mixed=np.zeros((3, 3)),
        claim=decided(holds.ravel(), "categories, each"),
    )
    _, fails, _ = categories(report, 3)
    said = "Each of three categories is above chance by itself at the embedding and layer 1; elsewhere it isn’t always shown for {}."
    assert sentence([_of_categories(report, found, holds, failing=True)]) == said.format(fails)
    assert sentence([_of_categories(report, found, holds, failing=False)]) == said.partition(";")[0] + "."


# --- charts and tables -------------------------------------------------------------------------------------------------


def held() -> tuple[Report, ModelReport]:
    """A model whose first context is held against its embedding, from layer 0 on."""
    report = sample_report()
    model = report.models[0]
    found = measures(measure([0.02, -0.25], [False, True], [False, True, False]), [(1, 0), (2, 0)])
    context = replace(model.contexts[0], paired=PairedCapture(embedding=found), interventions=())
    return report, replace(model, contexts=(context,))


def test_a_chart_has_a_curve_for_each_thing_that_a_capture_is_held_against() -> None:
    _, model = held()
    (chart,) = difference_charts(model)
    assert "− embedding" in chart.svg
    assert "Category purity, word by word." in chart.svg
    assert "0.02 at layer 0, −0.25 at layer 1" in chart.svg
    assert difference_charts(replace(model, contexts=(replace(model.contexts[0], paired=None),))) == ()


def test_the_compare_page_has_a_curve_for_each_pair_of_few_models() -> None:
    report = sample_report()
    found = measures(measure([0.02, -0.25], [False, True]), [(0, 0), (1, 1)])
    one, other, *_ = report.models
    name = one.contexts[0].states.context.name
    pair = ModelDifferences(
        model_a=one.slug,
        model_b=other.slug,
        context=name,
        differences=Differences(
            purity=difference(0.1, 0.1, is_shown=False),
            silhouette=difference(0.0, 0.1, is_shown=False),
            relations=(),
            orders=(),
        ),
        paired=found,
    )

    def rows(apart: Report) -> list[dict[str, Any]]:
        shown: list[dict[str, Any]] = compare_curves(apart, differing(apart, [one, other]))["rows"]
        return shown

    row, *others = rows(replace(report, differences=(pair,)))
    (chart,) = row["charts"]
    assert row["name"] == "Differences, word by word"
    assert chart.heading == f"{one.contexts[0].states.context.label}: category purity"
    assert row["name"] not in {each["name"] for each in others}
    assert f"{one.display_name} − {other.display_name}: 0.02 at the embedding, −0.25" in chart.svg
    apart = replace(found, purity=measure([0.02, -0.25], [False, False]), silhouette=found.purity)
    (chart,) = rows(replace(report, differences=(replace(pair, paired=apart),)))[0]["charts"]
    assert chart.heading.endswith(": the silhouette above chance"), "the measure that is told of"
    assert row["name"] not in {each["name"] for each in rows(replace(report, differences=()))}


def test_a_table_has_every_difference_with_its_band() -> None:
    report, model = held()
    paired_capture = model.contexts[0].paired
    assert paired_capture is not None
    rows = list(csv.DictReader(io.StringIO(word_by_word.of_capture(paired_capture, report.words.categories))))
    assert len([each for each in rows if not each["category"]]) == 3 * 2
    [shown] = [each for each in rows if each["announced"] == "1" and not each["category"]]
    assert (shown["against"], shown["measure"], shown["depth"], shown["other_depth"]) == (
        "embedding",
        "purity",
        "2",
        "0",
    )
    assert [float(shown[name]) for name in ("difference", "standard_error", "low", "high")] == pytest.approx(
        [-0.25, ERROR, -0.33, -0.17], abs=1e-4
    )
    of_category = [each["category"] for each in rows if each["category"]]
    assert of_category == [report.words.categories[1].key]
