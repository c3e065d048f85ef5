"""What the compare page says of models that were compared word by word: of two, of several and of many, nothing but what is announced."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from claims import plain
from differing_fixture import LEAST, PEAK, Size, differing_report, untested
from narrow import present
from rendered import Part, Rendered
from repeating import times
from report_fixture import compared_report, many_models_report

from tokviz.records import Paired, Report

pytestmark = pytest.mark.slow

PAGE = "compare/index.html"
STRENGTH = (0.6, 0.51, 0.2, 0.15, 0.0)
"""Of five models: the first two, and the two in the middle, aren't told apart."""


def page_of(report: Report) -> Part:
    return Rendered(report)[PAGE]


def told(page: Part) -> list[str]:
    return [plain(each.text) for each in page.all(".finding strong")]


def by_strength(strength: Sequence[float], only: str = "alone") -> Size:
    """Differences of one context; none in the other."""
    return lambda one, other, context: (strength[one] - strength[other]) if context == only else 0.0


def opened(page: Part) -> tuple[list[tuple[str, ...]], list[str]]:
    """Model, context and projection that each slot opens with, and the depth that it names."""
    slots = page.all("[data-slot]")
    chosen = [tuple(option["value"] for option in slot.all("option[selected]")) for slot in slots]
    return chosen, [slot.one(".slot-depth").text for slot in slots]


def cells(page: Part, number: int) -> list[list[str]]:
    """Of a matrix, without the names."""
    return [row.texts("td") for row in page.all(".matrices table")[number].all("tbody tr")]


def of_two(size: float, measured: str = "purity") -> Report:
    return differing_report(2, lambda _, __, context: size if context == "sentence" else 0.0, measured=measured)


def only_in(report: Report) -> Report:
    """Its models without other contexts."""
    names = {each.name for each in report.contexts}
    models = tuple(
        replace(model, contexts=tuple(each for each in model.contexts if each.states.context.name in names))
        for model in report.models
    )
    return replace(report, models=models)


# --- two models ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("measured", ["purity", "silhouette"])
@pytest.mark.parametrize("sign", [1, -1])
def test_two_models_are_opened_where_they_are_shown_to_differ(measured: str, sign: int) -> None:
    page = page_of(of_two(0.4 * sign, measured))
    first, second = told(page)[0], plain(page.all(".finding")[1].text)
    more, less = ("Model number 0", "Model number 1")[::sign]
    said = {
        "purity": f"words in a sentence cluster more by category in {more} than {less}.",
        "silhouette": f"categories of words in a sentence lie further apart in {more} than {less}.",
    }[measured]
    assert first == f"At 0–100 % of depth, {said}"
    none = "No difference in category purity is shown between Model number 0 and Model number 1"
    assert second.startswith(f"Words alone. {none}"), "beside what is said of others"
    assert opened(page) == (
        [("model-0", "sentence", "standardized"), ("model-1", "sentence", "standardized")],
        ["layer 20", "layer 3"],
    )
    data = json.loads(page.one("[data-captures]").text)
    assert data["opening"] == PEAK
    assert page.one(".finding a")["href"] == (
        "#a=model-0/sentence/standardized&b=model-1/sentence/standardized&by=relative&at=0.7"
    )
    row, purity, silhouette, *_ = page.all(".measure")
    headings = row.texts("figcaption")
    assert (
        headings[1] == f"in a sentence: {'category purity' if measured == 'purity' else 'the silhouette above chance'}"
    )
    assert not [each for each in (row, purity) if each.element.xpath("ancestor::details")], "in sight"
    is_folded = bool(silhouette.element.xpath("ancestor::details"))
    assert is_folded == (measured != "silhouette"), "in sight where a sentence is about it"
    assert not page.all(".model-by-model")


def test_two_models_without_a_test_are_opened_halfway() -> None:
    report = untested(of_two(0.4))
    page = page_of(report)
    none = "No difference in category purity is shown between"
    said = [plain(each.text) for each in page.all(".finding")]
    assert [each.partition(none)[0] for each in said] == ["Words alone. ", "Words in a sentence. "]
    (alone,) = (each for each in report.contexts if each.name == "alone")
    of_one = replace(
        report, contexts=(alone,), differences=tuple(each for each in report.differences if each.context == "alone")
    )
    assert told(page_of(only_in(of_one)))[0].startswith(none)
    assert not page.all(".finding a")
    assert opened(page)[1] == ["layer 14", "layer 2"]
    assert [chosen[1] for chosen in opened(page)[0]] == ["alone", "alone"]


def test_the_surest_context_comes_first() -> None:
    def apart(sentence: float) -> Part:
        return page_of(differing_report(2, lambda _, __, context: 0.3 if context == "alone" else sentence))

    assert "words alone" in told(apart(0.2))[0]
    assert "words in a sentence" in told(apart(-0.4))[0], "a record changed"
    assert opened(apart(-0.4))[0][0][1] == "sentence"


def test_models_that_were_not_compared_word_by_word_are_set_side_by_side() -> None:
    page = page_of(compared_report())
    assert told(page) == []
    assert json.loads(page.one("[data-captures]").text)["tested"] is None


# --- several ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def five() -> Part:
    return page_of(differing_report(5, by_strength(STRENGTH)))


def test_the_best_of_several_is_named_with_those_that_are_not_told_apart(five: Part) -> None:
    first, second = told(five)
    assert first == (
        "Words alone cluster best by category in Model number 0, ahead of Model number 2, Model number 3 and Model number 4 "
        "at some layers; Model number 1 isn’t told apart from it."
    )
    assert second == "No model is shown to cluster words in a sentence more by category than another."
    assert [chosen[0] for chosen in opened(five)[0]] == ["model-0", "model-4"], "the surest difference"


def test_a_matrix_has_each_difference_that_is_shown(five: Part) -> None:
    alone, sentence = cells(five, 0), cells(five, 1)
    for one, row in enumerate(alone):
        for other, cell in enumerate(row):
            size = STRENGTH[one] - STRENGTH[other]
            if one == other:
                assert cell == ""
            else:
                said = f"{size:+.2f}".replace("-", "−") if abs(size) > LEAST else "not shown"
                assert cell == said, (one, other)
    assert {each for row in sentence for each in row} == {"", "not shown"}
    link = five.all(".matrices table")[0].all("tbody tr")[4].all("td a")[0]
    assert link["href"].startswith("#a=model-0/alone/standardized&b=model-4/alone/standardized&by=relative&at=0.7")


def test_another_record_makes_another_sentence_and_matrix() -> None:
    page = page_of(differing_report(5, by_strength((0.0, 0.5, 0.2, 0.15, 0.09))))
    assert told(page)[0].startswith(
        "Words alone cluster best by category in Model number 1, ahead of every other model"
    )
    assert cells(page, 0)[0] == ["", "−0.50", "−0.20", "−0.15", "not shown"]


def test_without_a_test_no_model_is_best() -> None:
    page = page_of(untested(differing_report(5, by_strength(STRENGTH))))
    assert told(page) == [
        "No model is shown to cluster words alone more by category than another.",
        "No model is shown to cluster words in a sentence more by category than another.",
    ]
    assert {each for row in cells(page, 0) for each in row} == {"", "not shown"}
    assert not page.all(".finding a")
    assert not page.all(".matrices a")


def test_the_next_measure_is_taken_where_the_first_shows_nothing() -> None:
    page = page_of(differing_report(3, by_strength(STRENGTH), measured="silhouette"))
    assert told(page)[0] == (
        "Categories of words alone lie furthest apart in Model number 0, ahead of Model number 2 at some layers; "
        "Model number 1 isn’t told apart from it."
    )
    assert page.all(".matrices h3")[0].text == "Words alone: the silhouette above chance"


def test_where_each_is_behind_another_none_is_best() -> None:
    def in_a_circle(one: int, other: int, context: str) -> float:
        return 0.0 if context != "alone" else -0.3 if (one, other) == (0, 2) else 0.3

    first, _ = told(page_of(differing_report(3, in_a_circle)))
    assert first == "No model is shown to cluster words alone best: each ahead somewhere is behind elsewhere."


def test_a_pair_that_was_not_tested_is_not_told_apart_or_alike() -> None:
    size = by_strength(STRENGTH)
    page = page_of(differing_report(4, lambda *each: None if each[:2] == (0, 1) else size(*each)))
    first, _ = told(page)
    assert first.endswith("at some layers; Model number 1 wasn’t tested against it.")
    assert cells(page, 0)[0][1] == cells(page, 0)[1][0] == "not tested"
    tested = json.loads(page.one("[data-captures]").text)["tested"]
    assert ["model-0", "model-1"] not in tested["alone"]
    assert ["model-0", "model-2"] in tested["alone"]


def test_too_few_words_are_no_test() -> None:
    report = differing_report(3, by_strength(STRENGTH))

    def few(paired: Paired) -> Paired:
        return replace(
            paired, freedom=paired.freedom * 0, claim=replace(paired.claim, holds=paired.claim.holds & False)
        )

    apart = tuple(
        replace(
            each,
            paired=replace(
                present(each.paired),
                purity=replace(present(each.paired).purity, overall=few(present(each.paired).purity.overall)),
            ),
        )
        for each in report.differences
    )
    page = page_of(replace(report, differences=apart))
    assert {each for row in cells(page, 0) for each in row} == {"", "not tested"}


def drawn(sizes: np.ndarray, one: int, other: int, _: str) -> float:
    return float(sizes[one, other])


@pytest.mark.thorough
def test_whatever_the_differences_a_page_shows_no_other() -> None:
    """Held against the records: each number of a matrix is an announced difference, and all of these are there."""
    random = np.random.default_rng(0)
    for _ in range(times(4)):  # of up to 42 cells each, all of which are looked at
        n = int(random.integers(3, 8))
        report = differing_report(n, partial(drawn, random.normal(0, 0.15, (n, n))))
        page = page_of(report)
        for at, context in enumerate(("alone", "sentence")):
            found = cells(page, at)
            assert len(found) == n
            for each in report.differences:
                if each.context != context:
                    continue
                one, other = (int(slug.partition("-")[2]) for slug in (each.model_a, each.model_b))
                paired = present(each.paired).purity.overall
                shown = paired.value[0][paired.holds[0]]
                largest = shown[np.abs(shown).argmax()] if len(shown) else None
                said = "not shown" if largest is None else f"{largest:+.2f}".replace("-", "−")
                back = said.translate(str.maketrans("+−", "−+"))
                assert (found[one][other], found[other][one]) == (said, back)


# --- many ------------------------------------------------------------------------------------------------------------


def of_many(one: int, other: int, context: str) -> float:
    """Of each third model less than of the reference, of each that leaves 1 more; of the others as much."""
    return 0.0 if context != "alone" else {0: 0.3, 1: -0.2}.get(other % 3, 0.01)


@pytest.fixture(scope="module")
def twelve() -> Part:
    return page_of(differing_report(12, of_many, asked=(3, 4)))


def rows(page: Part) -> dict[str, list[Part]]:
    return {row.one("th").text: row.all("td") for row in page.all(".model-by-model tbody tr")}


def test_of_many_it_is_counted_how_many_differ_from_the_reference(twelve: Part) -> None:
    first, second = told(twelve)
    assert first == (
        "Words alone are shown to cluster more by category than in Model number 0 in 4 of 11 models at some layers, and less in 3; "
        "4 aren’t told apart from it."
    )
    assert second.startswith("No model is shown to cluster words ")
    assert [chosen[0] for chosen in opened(twelve)[0]] == ["model-0", "model-3"]


def test_each_of_many_has_a_row_with_its_intervals(twelve: Part) -> None:
    found = rows(twelve)
    assert len(found) == 12 + 1
    reference = found["Model number 0 (Q4_1 GGUF)"]
    assert reference[0].text == ""
    assert reference[1].noted[0].startswith("0.")
    less, more, same = (found[name] for name in ("Model number 3", "Model number 1", "Model number 5"))
    assert [cell.one("div").text for cell in (less[0], more[0], same[0])] == [
        "−0.30−0.38 to −0.22",
        "+0.200.12–0.28",
        "not shown−0.09 to 0.07",
    ]
    assert (less[0]["data-sort"], more[0]["data-sort"]) == ("-0.3", "0.2")
    assert "href" in less[0].one("a").element.attrib
    for cells_of in (less, more, same):
        left, right = map(float, re.findall(r"[\d.]+(?= |H|$)", cells_of[0].one("path")["d"])[::2])
        assert left < float(cells_of[0].one("circle")["cx"]) < right
    assert "Model number 3less Model number 4" not in found


def test_no_interval_of_a_share_reaches_beyond_1() -> None:
    found = rows(page_of(differing_report(12, lambda _one, other, _context: 0.95 if other == 3 else -0.95)))
    less, more = (found[name][0].one("div").text for name in ("Model number 3", "Model number 5"))
    assert (less, more) == ("−0.95−1.00 to −0.87", "+0.950.87–1.00")


def test_a_pair_that_the_author_asked_for_has_a_row_of_its_own(twelve: Part) -> None:
    (name,) = [each for each in rows(twelve) if "less Model number 4" in each]
    assert name.startswith("Model number 3")
    tested = json.loads(twelve.one("[data-captures]").text)["tested"]["alone"]
    assert ["model-3", "model-4"] in tested
    assert len(tested) == 11 + 1
    assert "any other pair can be chosen above, but wasn’t tested" in twelve.one(".model-by-model .caption").text


def test_without_a_test_no_row_leads_to_a_difference() -> None:
    page = page_of(untested(differing_report(12, of_many)))
    assert told(page)[0].startswith("No model is shown to cluster words ")
    _, *others = rows(page).values()
    assert all(each[0].one("div").text.startswith("not shown") for each in others)
    assert not page.all(".model-by-model td a")


def test_many_that_failed_to_be_compared_have_rows_without_numbers() -> None:
    page = page_of(differing_report(12, lambda _, other, context: None if other == 2 else of_many(0, other, context)))
    assert rows(page)["Model number 2 (Q4_1 GGUF)"][0].text == "not tested"
    assert " of 10 models " in told(page)[0]


def test_many_models_that_were_not_compared_word_by_word_have_no_rows() -> None:
    assert not page_of(many_models_report(12)).all(".model-by-model")
