"""What pages say of relations and orders, read back and held against the numbers."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from claims import metrics, plain, require_depths
from narrow import present
from related_fixture import ORDERS, RELATION, order_of, random_order, random_relation, related_report
from rendered import Rendered

from tokviz.pages.charts.measures import related_measures
from tokviz.pages.downloads.measured import relations_csv
from tokviz.pages.model import related
from tokviz.pages.model.relations import order_at, order_sentences, relation_at, relation_sentences
from tokviz.pages.text.sentences import depths_where
from tokviz.records import OrderMeasures, RelationMeasures
from tokviz.records.profile import profile_of

N_RECORDS = 400
NUMBER = r"−?\d+(?:\.\d+)?"
RANGE = rf"({NUMBER})(?:(?:–| to )({NUMBER}))?"


def span(found: tuple[str | None, ...]) -> tuple[float, float]:
    low, high = found
    assert low is not None
    return tuple(float(each.replace("−", "-")) for each in (low, high or low))  # type: ignore[return-value]


def assert_range(found: tuple[str | None, ...], values: np.ndarray, step: float = 0.01) -> None:
    low, high = span(found)
    assert low == pytest.approx(np.nanmin(values), abs=step / 2 + 1e-9)
    assert high == pytest.approx(np.nanmax(values), abs=step / 2 + 1e-9)


def check_relation(measured: RelationMeasures, n_left_out: int) -> str:
    said = [plain(each) for each in relation_sentences(measured, len(measured.rows) + n_left_out)]
    n_pairs, tested = len(measured.rows), measured.parallelism
    if n_pairs < 5:
        there = n_pairs or "none"
        assert said == [
            f"Not measured: at least 5 pairs of reference words are needed; of these, this capture has {there}."
        ]
        return "few"
    known = np.isfinite(tested.value)
    if not known.any():
        assert said[0].startswith("Not defined at any depth")
        return "undefined"
    n_against_chance = int(tested.claim.holds.any())
    verdict, against_chance = said[0], said[1 : 1 + n_against_chance]
    hits, *left_out = said[1 + n_against_chance :]
    assert left_out == [
        f"{n_pairs} of {n_pairs + n_left_out} pairs are measured here; of the others, not both words are reference words, or both are forms of another pair’s."
    ] * (n_left_out > 0)
    parallel = tested.claim.holds
    for chance in against_chance:
        found = re.fullmatch(
            rf"At (.+), the pairs’ differences are more parallel than with the same words paired at random \(mean cosine {RANGE}, at "
            rf"random {RANGE}\)\.",
            chance,
        )
        assert found, chance
        require_depths(found[1], parallel)
        assert_range(found.group(2, 3), tested.value[parallel])
        assert_range(found.group(4, 5), tested.null_mean[parallel])
    both = re.fullmatch(
        rf"Over all depths, the first word plus the mean difference of the other pairs finds {RANGE} of {n_pairs} second words "
        rf"among the {measured.n_candidates} words of their category; the first word alone finds {RANGE}\.",
        hits,
    )
    assert both, hits
    assert_range(both.group(1, 2), measured.hits, 1)
    assert_range(both.group(3, 4), measured.hits_of_source, 1)
    holds = parallel & measured.offset.holds
    for depth in range(len(holds)):
        check_relation_at(measured, depth, holds=bool(holds[depth]))
    if found := re.fullmatch(
        r"At (.+), a common difference leads from the first words to the second: the pairs’ differences are more parallel than "
        r"chance, and their mean leads to the second words better than the first words alone do\.",
        verdict,
    ):
        require_depths(found[1], holds)
        return "relation"
    assert not holds.any()
    if verdict.startswith(f"{n_pairs} pairs are too few to be tested at the level of this report: "):
        assert not (tested.claim.can_be_tested and measured.offset.can_be_tested)
        return "too few"
    assert tested.claim.can_be_tested
    if verdict.startswith("The pairs lie near each other"):
        assert np.median(measured.hits_of_source[known]) > n_pairs / 2
        return "near"
    assert verdict == "It isn’t shown that a common difference leads from the first words to the second."
    return "nothing"


def check_relation_at(measured: RelationMeasures, depth: int, *, holds: bool) -> None:
    said, tested = plain(relation_at(measured, depth)), measured.parallelism
    if np.isnan(tested.value[depth]):
        assert said == ""
        return
    found = re.fullmatch(
        rf"(The|It isn’t shown that the) pairs have a common difference here(: their differences are|, or that their differences are) more "
        rf"parallel than with the same words paired at random \(mean cosine ({NUMBER}), at random ({NUMBER})\)(?:, (and|but it isn’t "
        rf"shown that) the mean difference of the other pairs leads to the second words better than the first word alone "
        rf"\((\d+) of {len(measured.rows)} found, (\d+) without it\))?\.",
        said,
    )
    assert found, said
    is_parallel = bool(tested.claim.holds[depth])
    assert (found[1] == "The") == (found[5] == "and") == holds
    assert found[2].startswith(":") == (found[5] is not None) == is_parallel
    assert_range((found[3], None), tested.value[depth])
    assert_range((found[4], None), tested.null_mean[depth])
    if is_parallel:
        assert (int(found[6]), int(found[7])) == (measured.hits[depth], measured.hits_of_source[depth])


def check_order_at(measured: OrderMeasures, depth: int, *, holds: bool) -> None:
    said, r2 = plain(order_at(measured, depth)), measured.r2
    if np.isnan(r2.value[depth]):
        assert said == ""
        return
    found = re.fullmatch(
        rf"(The order can be read here|It isn’t shown that the order can be read here): leave-one-out R² is ({NUMBER})\."
        r"( It isn’t shown that its ends meet\.)?( Its ends meet\.)?( Its ends meet, and the words lie in a circle\.)?",
        said,
    )
    assert found, said
    assert found[1].startswith("The order") == holds
    assert_range((found[2], None), r2.value[depth])
    closing = measured.closing
    meets = closing is not None and holds and bool(closing.ends_meet.holds[depth])
    circle = closing is not None and meets and bool(closing.circle.holds[depth])
    expected = (closing is not None and holds and not meets, meets and not circle, circle)
    assert tuple(found[group] is not None for group in (3, 4, 5)) == expected


def check_closing(said: list[str], measured: OrderMeasures) -> list[str]:
    """Checks what is said of the ends of a cycle, and returns the rest."""
    closing = measured.closing
    if closing is None or not measured.r2.claim.holds.any():
        return said
    meets = measured.r2.claim.holds & closing.ends_meet.holds
    circle = meets & closing.circle.holds
    first, last = (f"word{measured.places[end]}" for end in (0, -1))
    if not meets.any():
        assert said[0] == f"It isn’t shown that the ends meet: that {last} lies near {first}."
        return said[1:]
    found = re.fullmatch(
        rf"At (.+), the ends meet: the last words, up to {last}, lie near the first, from {first} on\.", said[0]
    )
    assert found, said
    require_depths(found[1], meets)
    if not circle.any():
        return said[1:]
    found = re.fullmatch(r"At (.+), the words lie in a circle: those opposite each other are farthest apart\.", said[1])
    assert found, said
    require_depths(found[1], circle)
    return said[2:]


def check_order(measured: OrderMeasures) -> str:
    said, *left_out = map(plain, order_sentences(measured, order_of(measured)))
    n_words, r2 = len(measured.rows), measured.r2
    n_units, are_one = (
        measured.n_units,
        "forms of one word, and words that are declared to belong together, are one",
    )
    if n_units < 8:
        which = "reference words" if n_units == n_words else f"reference words ({are_one})"
        assert said == f"Not measured: at least 8 {which} are needed; of these, this capture has {n_units or 'none'}."
        return "few"
    if not np.isfinite(r2.value).any():
        assert said.startswith("Not defined at any depth: the words don’t differ, or one word alone ")
        return "undefined"
    n_left_out = measured.n_places - n_words
    left_out = check_closing(left_out, measured)
    assert left_out == [
        f"{n_words} of {measured.n_places} words are measured here; the others aren’t reference words."
    ] * (n_left_out > 0) + [f"They count as {n_units}: {are_one}, and left out together."] * (n_units < n_words)
    holds = r2.claim.holds
    for depth in range(len(holds)):
        check_order_at(measured, depth, holds=bool(holds[depth]))
    place = "place in the cycle" if measured.closing else "place"
    how = f"from the first {measured.n_components} principal components? of these {n_words} words"
    if found := re.fullmatch(
        rf"At (.+), a word’s {place} can be read {how}, better than permuted orders can: leave-one-out R² {RANGE}\.",
        said,
    ):
        require_depths(found[1], holds)
        assert_range(found.group(2, 3), r2.value[holds])
        return "order"
    assert not holds.any()
    if found := re.fullmatch(
        rf"It isn’t shown that a word’s {place} can be read {how} at any depth: leave-one-out R² is at most ({NUMBER})\.",
        said,
    ):
        assert_range((found[1], None), np.array([np.nanmax(r2.value)]))
        assert np.nanmax(r2.value) > 0
        return "not shown"
    assert re.fullmatch(
        rf"It isn’t shown that a word’s {place} can be read {how} at any depth: leave-one-out R² is nowhere above 0\.",
        said,
    )
    assert np.nanmax(r2.value) <= 0
    return "none"


def test_every_sentence_on_relations_is_true_of_random_numbers() -> None:
    random = np.random.default_rng(1)
    said = [check_relation(random_relation(random), index % 3) for index in range(N_RECORDS)]
    for kind in ("few", "undefined", "relation", "too few", "near", "nothing"):
        assert said.count(kind) >= 5, kind


def test_every_sentence_on_orders_is_true_of_random_numbers() -> None:
    random = np.random.default_rng(2)
    said = [check_order(random_order(random)) for _ in range(N_RECORDS)]
    for kind in ("few", "undefined", "order", "not shown", "none"):
        assert said.count(kind) >= 5, kind


def test_depths_are_named_up_to_three_runs() -> None:
    assert depths_where(np.array([1, 1, 1, 0, 1], dtype=bool)) == "the embedding, layers 0–1 and layer 3"
    assert depths_where(np.array([1, 0, 1, 0, 1, 0, 1], dtype=bool)) == "4 of 7\N{NO-BREAK SPACE}depths"
    assert depths_where(np.ones(3, dtype=bool)) == "every depth"


# --- files -----------------------------------------------------------------------------------------------------------


def test_the_table_has_a_row_per_depth_and_kind_and_spreadsheets_take_no_name_for_a_formula() -> None:
    report = replace(related_report(), relations=(replace(RELATION, name="=1+1"),))
    relations = report.models[0].contexts[0].relations
    assert relations is not None
    rows = list(csv.DictReader(io.StringIO(relations_csv(report.relations, report.orders, relations))))
    n_depths = report.models[0].contexts[0].states.n_depths
    assert len(rows) == n_depths * (1 + len(ORDERS))
    assert rows[0]["name_safe"] == "'=1+1"
    assert [row["hits"] != "" for row in rows] == [row["kind"] == "relation" for row in rows]
    assert [row["circle_announced"] != "" for row in rows] == [row["name"] == ORDERS[0].name for row in rows]
    expected = ["" if np.isnan(value) else f"{value:g}" for value in relations.orders[1].r2.claim.p_value]
    assert [row["p_value"] for row in rows[-n_depths:]] == expected
    pairs, cycle = relations.relations[0], relations.orders[0]
    assert cycle.closing is not None
    for column, holds in {
        "announced": pairs.parallelism.claim.holds,
        "gain_announced": pairs.offset.holds,
        "relation_announced": pairs.parallelism.claim.holds & pairs.offset.holds,
    }.items():
        assert [row[column] for row in rows[:n_depths]] == [f"{int(each)}" for each in holds]
    meets = cycle.r2.claim.holds & cycle.closing.ends_meet.holds
    for column, holds in {
        "announced": cycle.r2.claim.holds,
        "ends_meet_announced": meets,
        "circle_announced": meets & cycle.closing.circle.holds,
    }.items():
        assert [row[column] for row in rows[n_depths : 2 * n_depths]] == [f"{int(each)}" for each in holds]


def test_a_script_gets_the_words_and_where_they_lie() -> None:
    report = related_report()
    context = report.models[0].contexts[0]
    files = dict(related.files(report, report.models[0], context))
    key, content = re.fullmatch(r"tokvizData\((\".*?\"),(.*)\);\n", files["data/smol-30/alone/relations.js"]).groups()  # type: ignore[union-attr]
    items = json.loads(content)["items"]
    assert json.loads(key) == "smol-30/alone relations"
    assert [item["kind"] for item in items] == ["pairs", "circle", "line"]
    assert [item["key"] for item in items] == ["relation-pairs", "order-circle", "order-line"]
    relations = context.relations
    assert relations is not None
    assert len(items[0]["words"]) == 2 * len(relations.relations[0].rows)
    np.testing.assert_allclose(items[0]["places"][3], relations.relations[0].coordinates[3].ravel(), rtol=5e-3)
    assert items[0]["places"][2] is None  # not defined there


def test_where_nothing_was_measured_nothing_can_be_chosen() -> None:
    """Neither a list nor a script; of two models the one without relations has no choice."""
    report = related_report()
    with_none = replace(
        report.models[1],
        contexts=tuple(replace(each, relations=None, interventions=()) for each in report.models[1].contexts),
    )
    site = Rendered(replace(report, models=(report.models[0], with_none)))
    for page, n_choices in (*zip(site.models, (3, 0), strict=True), (site["compare/index.html"], 3)):
        assert len(page.all("[data-related-choice] optgroup option")) == n_choices
        assert bool(page.all("script[src*=related-]")) == (n_choices > 0)


# --- charts ---------------------------------------------------------------------------------------------------------


def test_curves_of_parallelism_are_above_the_chance_of_their_own_depth() -> None:
    """Chance differs between depths and models, and a chart has one line for it."""
    report = related_report()
    context = report.models[0].contexts[0]
    assert context.relations is not None
    tested = context.relations.relations[0].parallelism
    reading = related_measures(report.relations, report.orders)[0].reading(context)
    assert reading is not None
    assert reading.interval is not None
    np.testing.assert_allclose(reading.values, tested.value - tested.null_mean)
    np.testing.assert_allclose(reading.interval[0] - reading.values, tested.low - tested.value)
    np.testing.assert_allclose(reading.interval[1] - reading.values, tested.high - tested.value)
    assert set(np.asarray(reading.chance)) == {0}


# --- the compare page ------------------------------------------------------------------------------------------------


def test_the_compare_table_has_the_depth_that_its_dots_have() -> None:
    report = related_report()
    captures = metrics(Rendered(report)["compare/index.html"])
    model = report.models[1]
    for context in model.contexts:
        relations = context.relations
        assert relations is not None
        cells = captures[model.display_name, context.states.context.label]
        parallelism, circle = "First → second: parallelism", "A circle: R² of the order"
        names = list(cells)
        assert names[names.index(parallelism) :][:4] == [
            parallelism,
            circle,
            "A line: R² of the order",
            "Reference words",
        ]
        tested = relations.relations[0].parallelism
        depth = profile_of(present(context.geometry), relations).relations[0].depth
        assert float(cells[parallelism]["data-sort"]) == pytest.approx(tested.value[depth], rel=1e-4)
        claimed = int(relations.orders[0].r2.claim.holds.sum())
        note = f"claimed at {claimed} of {context.states.n_depths}\N{NO-BREAK SPACE}depths"
        assert cells[circle].noted[1].endswith(note)


def test_the_table_has_each_count_in_the_column_of_its_name() -> None:
    report = related_report()
    context = report.models[0].contexts[0]
    measured = present(context.relations)
    found = csv.DictReader(io.StringIO(relations_csv(report.relations, report.orders, measured)))
    (relation,) = measured.relations
    rows = [row for row in found if row["kind"] == "relation"]
    for column in ("hits", "hits_of_source", "gain"):
        np.testing.assert_allclose([float(row[column]) for row in rows], getattr(relation, column), rtol=1e-5)
    assert (relation.hits != relation.hits_of_source).any()
