"""What pages say of relations and orders, read back and held against the numbers."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from claims import plain
from related_fixture import ORDERS, RELATION, random_order, random_relation, related_report

from tokviz.pages import related_plots, tables
from tokviz.pages.compare_table import columns, table
from tokviz.pages.relations import order_sentences, relation_sentences, where
from tokviz.records import OrderMeasures, RelationMeasures

N_RECORDS = 400
NUMBER = r"−?\d+(?:\.\d+)?"
RANGE = rf"({NUMBER})(?:(?:–| to )({NUMBER}))?"


def span(found: tuple[str | None, ...]) -> tuple[float, float]:
    low, high = found
    assert low is not None
    return tuple(float(each.replace("−", "-")) for each in (low, high or low))  # type: ignore[return-value]


def depths_named(text: str, n_depths: int) -> list[int] | int:
    """The depths that a text names, or how many."""
    if text == "every depth":
        return list(range(n_depths))
    if counted := re.fullmatch(r"(\d+) of (\d+) depths?", text):
        assert int(counted[2]) == n_depths
        return int(counted[1])
    found: list[int] = []
    for part in re.split(r", | and (?=layer|the emb)", text.replace("embedding and layer 0", "embedding to layer 0")):
        if both := re.fullmatch(r"the embedding to layer (\d+)", part):
            found += range(int(both[1]) + 2)
        elif part == "the embedding":
            found.append(0)
        elif one := re.fullmatch(r"layer (\d+)", part):
            found.append(int(one[1]) + 1)
        else:
            several = re.fullmatch(r"layers (\d+)–(\d+)", part)
            assert several, part
            found += range(int(several[1]) + 1, int(several[2]) + 2)
    return found


def assert_depths(text: str, flags: np.ndarray) -> None:
    named = depths_named(text, len(flags))
    assert named == (int(flags.sum()) if isinstance(named, int) else np.flatnonzero(flags).tolist()), text


def assert_range(found: tuple[str | None, ...], values: np.ndarray, step: float = 0.01) -> None:
    low, high = span(found)
    assert low == pytest.approx(np.nanmin(values), abs=step / 2 + 1e-9)
    assert high == pytest.approx(np.nanmax(values), abs=step / 2 + 1e-9)


def check_relation(measured: RelationMeasures) -> str:
    said = [plain(each) for each in relation_sentences(measured)]
    n_pairs, tested = len(measured.rows), measured.parallelism
    if n_pairs < 5:
        assert said == [
            f"Not measured: {n_pairs} pair{'s' * (n_pairs != 1)} of reference words here, and at least 5 are needed."
        ]
        return "few"
    known = np.isfinite(tested.value)
    if not known.any():
        assert said[0].startswith("Not defined at any depth")
        return "undefined"
    verdict, chance, hits = said
    parallel = known & (tested.p_value < 0.05)
    if found := re.fullmatch(
        rf"The pairs’ differences are more parallel than those of the same words paired at random at (.+) \(mean cosine there "
        rf"{RANGE}, at random {RANGE}; p < 0.05, corrected for the number of depths\)\.",
        chance,
    ):
        assert_depths(found[1], parallel)
        assert_range(found.group(2, 3), tested.value[parallel])
        assert_range(found.group(4, 5), tested.null_mean[parallel])
    else:
        found = re.fullmatch(
            rf"At no depth are the pairs’ differences more parallel than those of the same words paired at random \(mean "
            rf"cosine {RANGE}, at random {RANGE}; p ≥ 0.05, corrected for the number of depths\)\.",
            chance,
        )
        assert found, chance
        assert not parallel.any()
        assert_range(found.group(1, 2), tested.value[known])
        assert_range(found.group(3, 4), tested.null_mean[known])
    both = re.fullmatch(
        rf"The first word plus the mean difference of the other pairs finds {RANGE} of {n_pairs} second words; the first word "
        rf"alone finds {RANGE} of {n_pairs} second words, among {measured.n_candidates} words\.",
        hits,
    )
    assert both, hits
    assert_range(both.group(1, 2), measured.hits[known], 1)
    assert_range(both.group(3, 4), measured.hits_of_source[known], 1)
    holds = parallel & (measured.hits > measured.hits_of_source)
    if found := re.fullmatch(
        r"A common difference leads from the first words to the second at (.+): it is more parallel than chance, and finds more "
        r"of the second words than the first words alone do\.",
        verdict,
    ):
        assert_depths(found[1], holds)
        return "relation"
    assert not holds.any()
    if verdict.startswith("The pairs lie near each other"):
        assert np.median(measured.hits_of_source[known]) > n_pairs / 2
        return "near"
    assert verdict == "It isn’t shown that a common difference leads from the first words to the second."
    return "nothing"


def check_order(measured: OrderMeasures, *, cyclic: bool) -> str:
    (said,) = map(plain, order_sentences(measured, cyclic=cyclic))
    n_words, r2 = len(measured.rows), measured.r2
    if n_words < 8:
        assert said.startswith(f"Not measured: {n_words} word")
        return "few"
    if not np.isfinite(r2.value).any():
        assert said == "Not defined at any depth: the words don’t differ."
        return "undefined"
    holds = (r2.value > 0) & (r2.p_value < 0.05)
    place = "place on the circle" if cyclic else "place"
    how = f"from {measured.n_components} principal components? of these {n_words} words"
    if found := re.fullmatch(
        rf"A word’s {place} can be read {how} at (.+): leave-one-out R² {RANGE} there \(p < 0.05 against permuted orders, "
        r"corrected for the number of depths\)\.",
        said,
    ):
        assert_depths(found[1], holds)
        assert_range(found.group(2, 3), r2.value[holds])
        return "order"
    assert not holds.any()
    if found := re.fullmatch(
        rf"It isn’t shown that a word’s {place} can be read {how} at any depth: leave-one-out R² is at most ({NUMBER}), which "
        r"permuted orders reach too \(p ≥ 0.05, corrected for the number of depths\)\.",
        said,
    ):
        assert_range((found[1], None), np.array([np.nanmax(r2.value)]))
        assert np.nanmax(r2.value) > 0
        return "not shown"
    assert re.fullmatch(
        rf"A word’s {place} can’t be read {how} at any depth: leave-one-out R² is nowhere above 0\.", said
    )
    assert np.nanmax(r2.value) <= 0
    return "none"


def test_every_sentence_on_relations_is_true_of_random_numbers() -> None:
    random = np.random.default_rng(1)
    said = [check_relation(random_relation(random)) for _ in range(N_RECORDS)]
    for kind in ("few", "undefined", "relation", "near", "nothing"):
        assert said.count(kind) >= 5, kind


def test_every_sentence_on_orders_is_true_of_random_numbers() -> None:
    random = np.random.default_rng(2)
    said = [check_order(random_order(random), cyclic=bool(index % 2)) for index in range(N_RECORDS)]
    for kind in ("few", "undefined", "order", "not shown", "none"):
        assert said.count(kind) >= 5, kind


def test_depths_are_named_up_to_three_runs() -> None:
    assert where(np.array([1, 1, 1, 0, 1], dtype=bool)) == "the embedding to layer 1 and layer 3"
    assert where(np.array([1, 0, 1, 0, 1, 0, 1], dtype=bool)) == "4 of 7\N{NO-BREAK SPACE}depths"
    assert where(np.ones(3, dtype=bool)) == "every depth"


# --- files -----------------------------------------------------------------------------------------------------------


def test_the_table_has_a_row_per_depth_and_kind_and_spreadsheets_take_no_name_for_a_formula() -> None:
    report = replace(related_report(), relations=(replace(RELATION, name="=1+1"),))
    relations = report.models[0].contexts[0].relations
    assert relations is not None
    rows = list(csv.DictReader(io.StringIO(tables.relations_csv(report.relations, report.orders, relations))))
    n_depths = report.models[0].contexts[0].states.n_depths
    assert len(rows) == n_depths * (1 + len(ORDERS))
    assert rows[0]["name_safe"] == "'=1+1"
    assert [row["hits"] != "" for row in rows] == [row["kind"] == "relation" for row in rows]
    expected = ["" if np.isnan(value) else f"{value:g}" for value in relations.orders[1].r2.p_value]
    assert [row["p_value"] for row in rows[-n_depths:]] == expected


def test_a_script_gets_the_words_and_where_they_lie() -> None:
    report = related_report()
    context = report.models[0].contexts[0]
    files = dict(related_plots.files(report, report.models[0], context))
    key, content = re.fullmatch(r"tokvizData\((\".*?\"),(.*)\);\n", files["data/smol-30/alone/relations.js"]).groups()  # type: ignore[union-attr]
    items = json.loads(content)["items"]
    assert json.loads(key) == "smol-30/alone relations"
    assert [item["kind"] for item in items] == ["pairs", "circle", "line"]
    relations = context.relations
    assert relations is not None
    assert len(items[0]["words"]) == 2 * len(relations.relations[0].rows)
    np.testing.assert_allclose(items[0]["places"][3], relations.relations[0].coordinates[3].ravel(), rtol=5e-3)
    assert items[0]["places"][2] is None  # not defined there


def test_the_image_without_scripts_is_an_svg_of_the_size_that_the_page_says() -> None:
    report = related_report()
    context = report.models[0].contexts[0]
    assert context.relations is not None
    drawn = ET.fromstring(related_plots.strip(report, context.relations, report.words))
    size = related_plots.strip_size(3, context.states.n_depths)
    assert tuple(float(drawn.get(name, "")) for name in ("width", "height")) == pytest.approx(size, abs=1)
    texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"embedding", "layer 29", RELATION.label} <= set(texts)
    xs = [float(element.get("cx", "")) for element in drawn.iter("{http://www.w3.org/2000/svg}circle")]
    assert min(xs) > 0
    assert max(xs) < size[0]


# --- the compare page ------------------------------------------------------------------------------------------------


def test_the_compare_table_has_the_depth_that_is_furthest_above_chance() -> None:
    report = related_report()
    names = [column.label for column in columns(report)]
    at = names.index("First → second: parallelism")
    assert names[at + 1 : at + 4] == ["A circle: R² of the order", "A line: R² of the order", "Reference words"]
    rows = {(row.model.text, row.context): row.cells for row in table(report, "compare/index.html")}
    model = report.models[1]
    for context in model.contexts:
        relations = context.relations
        assert relations is not None
        cells = rows[model.display_name, context.states.context.label]
        assert len(cells) == len(names) - 1  # caveats stand apart
        tested = relations.relations[0].parallelism
        depth = int(np.nanargmax(tested.value - tested.null_mean))
        assert float(cells[at].sort) == pytest.approx(tested.value[depth], rel=1e-4)
        claimed = int((relations.orders[0].r2.p_value[relations.orders[0].r2.value > 0] < 0.05).sum())
        assert cells[at + 1].note.endswith(f"claimed at {claimed} of {context.states.n_depths}\N{NO-BREAK SPACE}depths")
