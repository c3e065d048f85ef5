"""The compare page as data and as a file: what stands in it, what is left out, and what it weighs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from xml.etree.ElementTree import Element

import html5lib
import numpy as np
import pytest
from narrow import present
from report_fixture import (
    FOLDERS,
    Views,
    beyond_categories,
    compared_report,
    hostile_report,
    many_models_report,
    sample_report,
    twice,
)

from tokviz import pages
from tokviz.pages import render
from tokviz.pages.charts.measures import BETWEEN_MODELS
from tokviz.pages.compare.page import ComparePage
from tokviz.pages.compare.pairs import Layers
from tokviz.records import BestMatch, ContextReport, Report, TokenizedWord

PAGE = "compare/index.html"
CONTEXTS = {"smol-30": ["alone", "sentence", "alone-mean"], "mini-6": ["alone", "sentence"]}


def hostile_pair() -> Report:
    return twice(hostile_report())


def without_geometry(report: Report, slug: str) -> Report:
    models = tuple(
        replace(model, contexts=tuple(replace(context, geometry=None) for context in model.contexts))
        if model.slug == slug
        else model
        for model in report.models
    )
    return replace(report, models=models)


def page_of(report: Report) -> ComparePage:
    return present(Views(report).compare)


def layers_of(report: Report) -> Layers:
    """Of the compare page, or of the page of its own that a report of many models has."""
    site = Views(report)
    return site.layers.layers if site.layers else present(present(site.compare).layers)


def rendered(report: Report) -> str:
    return render.render(pages.build(report), FOLDERS)[PAGE]


def parse(html: str) -> Element:
    tree: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    return tree


def described(html: str) -> list[str]:
    """The descriptions of all charts and heatmaps."""
    return [present(each.get("aria-label")) for each in parse(html).iter() if each.get("role") == "img"]


@pytest.mark.slow
@pytest.mark.parametrize("make", [sample_report, compared_report, many_models_report, hostile_pair])
def test_the_page_is_valid_html(make: Callable[[], Report]) -> None:
    parse(rendered(make()))


def test_the_first_two_models_stand_side_by_side() -> None:
    page = page_of(compared_report())
    assert [slot.name for slot in page.slots] == [
        "Smol-135M-Instruct (Q4_1 GGUF), alone, standardized",
        "mini-encoder-6, alone, standardized",
    ]
    assert [len(row.plates) for row in page.rows] == [31, 7]


def test_a_single_model_is_set_beside_itself() -> None:
    report = sample_report()
    page = page_of(replace(report, models=report.models[:1]))
    assert [slot.name.split(", ")[1] for slot in page.slots] == ["alone", "in a sentence"]
    assert "Compare" in [link.text for link in page.frame.nav]


def test_a_single_capture_has_nothing_to_be_compared_with() -> None:
    site = Views(hostile_report())
    assert site.compare is None
    assert "Compare" not in [link.text for link in site.index.frame.nav]


def test_without_any_capture_there_is_no_page() -> None:
    report = sample_report()
    report = replace(report, models=report.models[2:], similarities=())
    assert Views(report).compare is None
    assert PAGE not in render.render(pages.build(report), FOLDERS)


def test_the_script_finds_every_picture_in_the_data() -> None:
    report = compared_report()
    data = json.loads(page_of(report).data)
    assert [model["slug"] for model in data["models"]] == ["smol-30", "mini-6"]
    for model, shown in zip(report.models, data["models"], strict=False):
        assert [each["name"] for each in shown["contexts"]] == CONTEXTS[model.slug]
        for context, listed in zip(model.drawn, shown["contexts"], strict=True):
            assert listed["last"] == context.states.n_depths - 1
            for projection, plates in zip(context.projections, listed["projections"], strict=True):
                for depth, plate in enumerate(projection.plates):
                    for form in ("wide", "phone"):
                        between = plates[form]["between"][depth]
                        if plate is None:
                            assert between is None
                            assert "needs at least 3 words" in plates["problems"][str(depth)]
                        else:
                            path = plates[form]["before"] + between + plates[form]["after"]
                            assert path == f"../{getattr(plate, form).path}"


def test_what_authors_write_cannot_end_the_data() -> None:
    assert "<" not in page_of(hostile_pair()).data


def test_ten_models_make_a_light_page() -> None:
    assert len(rendered(many_models_report()).encode()) < 700 * 1024


# --- curves ------------------------------------------------------------------------------------------------------


def test_every_measure_has_a_chart_per_context_with_a_curve_per_model() -> None:
    page = page_of(compared_report())
    assert len(page.curves.rows) == len(BETWEEN_MODELS)
    for row in page.curves.rows:
        assert [chart.heading for chart in row.charts] == ["alone", "in a sentence"]
        assert len({chart.values for chart in row.charts}) == 1
        for chart in row.charts:
            assert [present(curve.name).text for curve in chart.curves] == ["Smol", "mini"]
            assert len({curve.style for curve in chart.curves}) == 2
            assert all(curve.leader for curve in chart.curves)
    assert [curve.interval is not None for curve in page.curves.rows[0].charts[0].curves] == [True, True]


def test_a_chart_says_in_words_what_it_shows() -> None:
    report = compared_report()
    values = present(report.models[1].contexts[0].geometry).purity.value
    chart = page_of(report).curves.rows[0].charts[0]
    assert chart.alt.startswith("Category purity over relative depth, words alone. Smol-135M-Instruct (Q4_1 GGUF): ")
    assert f"mini-encoder-6: {values[0]:.2f} at the embedding, {values[-1]:.2f} at layer 5" in chart.alt


def test_names_at_the_ends_do_not_overlap() -> None:
    for row in page_of(many_models_report()).curves.rows:
        for chart in row.charts:
            heights = sorted(float(curve.name.y) for curve in chart.curves if curve.name)
            assert min(np.diff(heights)) >= 12.9


def test_a_model_without_measures_is_left_out_and_named() -> None:
    page = page_of(without_geometry(compared_report(), "mini-6"))
    assert [key.name for key in page.curves.keys] == ["Smol-135M-Instruct (Q4_1 GGUF)"]
    assert "mini-encoder-6 (alone), mini-encoder-6 (in a sentence)" in present(page.without_measures)
    nothing = page_of(without_geometry(without_geometry(compared_report(), "mini-6"), "smol-30"))
    assert nothing.curves.rows == ()
    assert "no metrics" in nothing.table_notes[0]


# --- layer against layer -------------------------------------------------------------------------------------------


def test_a_heatmap_tells_its_best_match_and_the_pair_its_number() -> None:
    (pair,) = layers_of(compared_report()).pairs
    assert "CKA 0.62 (0.58–0.66)" in pair.sentence
    assert [row.label for row in pair.rows] == ["116\xa0shared reference words", "90\xa0words of one token in both"]
    heatmap = pair.rows[0].heatmaps[0]
    assert (heatmap.columns, heatmap.rows) == ("31", "7")
    assert (
        "layer 29 of Smol-135M-Instruct (Q4_1 GGUF) and layer 5 of mini-encoder-6 are most alike, 0.90" in heatmap.alt
    )


def test_the_cells_of_a_heatmap_cover_it_once() -> None:
    heatmap = layers_of(compared_report()).pairs[0].rows[0].heatmaps[0]
    cells = [cell for shade in heatmap.shades for cell in _cells(shade.path)]
    assert sorted(cells) == [(x, y) for x in range(31) for y in range(7)]
    assert [(shade.level, shade.path) for shade in heatmap.shades][-1] == ("18", "M30 0.5h1")


def _cells(path: str) -> Iterator[tuple[int, int]]:
    """Those that a path runs through: one absolute move, then runs with relative moves between them."""
    x, y = 0, 0
    for move, dx, dy, run in re.findall(r"([Mm])(-?\d+) (\d+)(?:\.5)?h(\d+)", path):
        x, y = (int(dx), int(dy)) if move == "M" else (x + int(dx), y + int(dy))
        yield from ((x + step, y) for step in range(int(run)))
        x += int(run)


def test_words_that_are_all_one_token_are_shown_once() -> None:
    report = compared_report()
    same = replace(report.similarities[0], single_token=report.similarities[0].shared)
    (pair,) = layers_of(replace(report, similarities=(same,))).pairs
    assert len(pair.rows) == 1
    assert "one token in both" in present(pair.rows[0].note)


@pytest.mark.slow
def test_a_pair_that_is_not_in_detail_counts_in_the_summary_only() -> None:
    report = many_models_report()
    brief = tuple(replace(each, single_token=None) for each in report.similarities[1:])
    layers = layers_of(replace(report, similarities=(report.similarities[0], *brief)))
    assert len(layers.pairs) == 1
    assert layers_of(replace(report, similarities=brief)).pairs == ()
    assert layers_of(replace(report, similarities=brief)).notes
    assert layers.summaries == layers_of(report).summaries


def test_an_undefined_similarity_says_so() -> None:
    report = compared_report()
    nothing = BestMatch(**dict.fromkeys(("value", "low", "high", "chance", "within_categories"), float("nan")))
    empty = replace(
        present(report.similarities[0].single_token),
        n_words=2,
        cka=np.full((31, 7), np.nan),
        neighbours=np.full((31, 7), np.nan),
        cka_summary=nothing,
        neighbours_summary=nothing,
        beyond_categories=beyond_categories(np.full(2, np.nan), np.zeros(2, dtype=bool)),
    )
    html = rendered(replace(report, similarities=(replace(report.similarities[0], single_token=empty),)))
    assert html.count('class="heatmap"') == 2, "empty ones aren't shown"
    assert "isn’t tested, as only 2\N{NO-BREAK SPACE}reference words are one token in both models" in html


def test_where_no_pair_has_cka_the_table_of_models_leaves_it_out() -> None:
    report = many_models_report()
    nothing = BestMatch(**dict.fromkeys(("value", "low", "high", "chance", "within_categories"), float("nan")))
    without = tuple(
        replace(each, shared=replace(each.shared, cka_summary=nothing), single_token=None)
        for each in report.similarities
    )
    (usual, *_), (few, *_) = (
        layers_of(replace(report, similarities=each)).summaries for each in (report.similarities, without)
    )
    assert usual.heading.startswith("CKA · mutual neighbors")
    assert few.heading.startswith("Mutual neighbors")
    assert "·" not in few.rows[0][1][1]


def test_too_few_words_for_cka_are_told() -> None:
    report = compared_report()
    nothing = BestMatch(**dict.fromkeys(("value", "low", "high", "chance", "within_categories"), float("nan")))
    similarity = report.similarities[0]
    few = replace(similarity.shared, n_words=12, n_compared=12, cka=np.full((31, 7), np.nan), cka_summary=nothing)
    [pair] = layers_of(replace(report, similarities=(replace(similarity, shared=few),))).pairs
    assert pair.sentence.replace("\N{NO-BREAK SPACE}", " ").startswith(
        "Mean best match: CKA needs at least 16 words; mutual neighbors 0.31"
    )
    heatmap = pair.rows[0].heatmaps[0]
    assert (heatmap.shades, heatmap.best) == ((), "")


def test_more_than_two_models_get_a_table_of_models_by_models() -> None:
    (summary,) = layers_of(many_models_report()).summaries
    assert summary.columns[:2] == ("Model number 0 (Q4_1 GGUF)", "Model number 1")
    assert summary.rows[0][1][:2] == ("", "0.62 (0.47) · 0.31 (0.29)")
    assert summary.rows[1][1][2] == "–"
    assert layers_of(compared_report()).summaries == ()


# --- the table -----------------------------------------------------------------------------------------------------


def test_the_table_ranks_captures_by_what_was_measured() -> None:
    report = compared_report()
    rows = page_of(report).table
    best = [float(row.cells[0].sort) for row in rows]
    assert len(rows) == 4
    assert best == sorted(best, reverse=True)
    for row in rows:
        (model,) = [model for model in report.models if model.display_name == row.model.text]
        (context,) = [each for each in model.contexts if each.states.context.label == row.context]
        purity = present(context.geometry).purity.value
        assert row.cells[0].text == f"{purity.max():.2f}"
        assert f"layer-{int(purity.argmax()) - 1}" in row.model.href or purity.argmax() == 0


def test_the_table_warns_of_what_differs() -> None:
    caveats = {(row.model.text, row.context): row.caveats for row in page_of(compared_report()).table}
    alone = caveats["Smol-135M-Instruct (Q4_1 GGUF)", "alone"]
    assert "1\xa0word of several tokens" in alone
    assert "quantized weights (Q4_1 GGUF)" in alone
    assert any("position 0" in caveat for caveat in alone)
    assert not any("position 0" in caveat for caveat in caveats["mini-encoder-6", "in a sentence"])


@pytest.mark.parametrize(
    ("text", "pieces", "said"),
    [
        ("cat", ("[CLS]", "cat", "[SEP]"), "adds [CLS] and [SEP]"),
        (" cat", ("<s>", "▁cat"), "adds <s>"),
        ("<|im_start|>user cat<|im_end|>", ("<|im_start|>", "user", "Ġcat", "<|im_end|>"), None),
        ("<s>cat</s>", ("<s>", "<s>", "▁cat", "</s>"), "adds <s>"),
        ("東 cat 東", ("<unk>", "▁cat", "▁", "<unk>"), None),
        ("東 cat", ("[UNK]", "cat"), None),
        ("cat東", ("▁cat", "<0xE6>", "<0x9D>", "<0xB1>"), None),
    ],
)
def test_a_caveat_names_what_the_tokenizer_adds_and_not_what_the_template_holds(
    text: str, pieces: tuple[str, ...], said: str | None
) -> None:
    at = next(index for index, piece in enumerate(pieces) if piece.endswith("cat"))
    cut = TokenizedWord(word="cat", text=text, ids=tuple(range(len(pieces))), pieces=pieces, start=at, stop=at + 1)
    report = compared_report()
    model, *others = report.models
    context, *further = model.contexts
    tokens = context.states.tokenization
    states = replace(context.states, tokenization=replace(tokens, words=(cut, *tokens.words[1:])))
    model = replace(model, contexts=(replace(context, states=states), *further))
    (row,) = [
        row
        for row in page_of(replace(report, models=(model, *others))).table
        if (row.model.text, row.context) == (model.display_name, states.context.label)
    ]
    assert [each for each in row.caveats if each.startswith("adds")] == ([said] if said else [])


def test_what_is_by_chance_is_not_ranked() -> None:
    report = compared_report()

    def by_chance(context: ContextReport) -> ContextReport:
        geometry = present(context.geometry)
        claim = replace(geometry.purity.above_chance, holds=np.zeros_like(geometry.purity.above_chance.holds))
        return replace(context, geometry=replace(geometry, purity=replace(geometry.purity, above_chance=claim)))

    models = tuple(replace(each, contexts=tuple(map(by_chance, each.contexts))) for each in report.models)
    page = page_of(replace(report, models=models))
    captures = [(model.display_name, each.states.context.label) for model in models for each in model.contexts]
    assert [(each.model.text, each.context) for each in page.table] == captures
    assert not any(each.is_order for each in page.metrics)
    assert any("not shown to be above chance in any model" in note for note in page.table_notes)
    assert [each.is_order for each in page_of(report).metrics][:2] == [True, False]


def test_captures_without_measures_come_last() -> None:
    rows = page_of(without_geometry(compared_report(), "mini-6")).table
    assert [row.model.text for row in rows[2:]] == ["mini-encoder-6"] * 2
    assert rows[2].cells[0].sort == ""


def test_models_with_other_numbers_of_neighbors_are_not_to_be_compared() -> None:
    """Of fewer words that can be measured fewer neighbors count, of which chance gives a larger share."""
    report = compared_report()
    [first, second, *others] = report.models
    context = second.contexts[0]
    fewer = replace(context, geometry=replace(present(context.geometry), n_neighbours=1))
    changed = replace(second, contexts=(fewer, *second.contexts[1:]))
    same, other = (
        page_of(replace(report, models=(first, model, *others))).table_notes[0] for model in (second, changed)
    )
    assert "of a word’s 5\N{NO-BREAK SPACE}nearest neighbors, the share" in same
    alone = tuple(replace(each, geometry=replace(present(each.geometry), n_neighbours=1)) for each in first.contexts)
    only = replace(report, models=(replace(first, contexts=alone),), similarities=(), differences=())
    one = page_of(only).table_notes[0]
    assert "the share of the reference words whose nearest neighbor is of their category" in one
    assert "nearest neighbors (from 1 to 5, by how many words are measured: don’t compare their shares)" in other
