"""The compare page: what stands in it, what is left out, and what it weighs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import html5lib
import numpy as np
import pytest
from narrow import present
from rendered import Part, Rendered
from report_fixture import beyond_categories, compared_report, many_models_report, sample_report

from tokviz.pages.charts.measures import BETWEEN_MODELS
from tokviz.records import BestMatch, ContextReport, Report, TokenizedWord

PAGE = "compare/index.html"
NOTHING = BestMatch(**dict.fromkeys(("value", "low", "high", "chance", "within_categories"), float("nan")))
"""What is alike where it isn't defined."""
CONTEXTS = {"smol-30": ["alone", "sentence", "alone-mean"], "mini-6": ["alone", "sentence"]}


def without_geometry(report: Report, slug: str) -> Report:
    models = tuple(
        replace(model, contexts=tuple(replace(context, geometry=None) for context in model.contexts))
        if model.slug == slug
        else model
        for model in report.models
    )
    return replace(report, models=models)


def page_of(report: Report) -> Part:
    return Rendered(report)[PAGE]


def layers_of(report: Report) -> Part:
    return page_of(report).one(".pairs")


def sentences(layers: Part) -> list[str]:
    """What is said of each pair."""
    return [each.plain for each in layers.all(".caption") if each.text.startswith("Mean best match")]


def captures(page: Part) -> list[tuple[str, str]]:
    """Model and context of each column of the table of metrics."""
    return [(each.one("a").text, each.one("small").text) for each in page.all(".ranking thead th")]


def cells(page: Part, metric: str) -> dict[tuple[str, str], Part]:
    """A row of that table, by capture."""
    (row,) = (row for row in page.all(".ranking tbody tr") if row.one("th").text == metric)
    return dict(zip(captures(page), row.all("td"), strict=True))


@pytest.fixture(scope="module")
def page() -> Part:
    return page_of(compared_report())


@pytest.fixture(scope="module")
def many() -> Rendered:
    return Rendered(many_models_report())


@pytest.mark.slow
@pytest.mark.parametrize("make", [compared_report, many_models_report])
def test_the_page_is_valid_html(make: Callable[[], Report]) -> None:
    html5lib.HTMLParser(strict=True).parse(Rendered(make()).files[PAGE])


def test_the_first_two_models_stand_side_by_side(page: Part) -> None:
    assert page.texts("[data-strip] p") == [
        "Smol-135M-Instruct (Q4_1 GGUF), alone, standardized",
        "mini-encoder-6, alone, standardized",
    ]
    assert [len(row.all("figure")) for row in page.all("noscript section")] == [31, 7]


@pytest.mark.parametrize("n_failed", [0, 1])
def test_the_address_of_one_model_leads_to_it(n_failed: int) -> None:
    report = sample_report()
    models = (report.models[1], *report.models[2 : 2 + n_failed])
    site = Rendered(replace(report, site_url="https://example.org/", models=models, similarities=(), differences=()))
    (link,) = site[PAGE].all("main a")
    assert (link.text, link["href"]) == ("mini-encoder-6", "../models/mini-6/index.html")
    refresh = site[PAGE].one("[http-equiv=refresh]")
    assert refresh["content"] == f"0; url={link['href']}", "without scripts, too"
    assert not any("Compare" in page.texts("header nav a") for page in (site["index.html"], site[PAGE], *site.models))
    assert "compare/" not in site.files["sitemap.xml"]
    html5lib.HTMLParser(strict=True).parse(site.files[PAGE])


def test_without_any_capture_there_is_no_page() -> None:
    report = sample_report()
    assert PAGE not in Rendered(replace(report, models=report.models[2:], similarities=()))


def test_the_script_finds_every_picture_in_the_data(page: Part) -> None:
    report = compared_report()
    data = json.loads(page.one("[data-captures]").text)
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


def test_ten_models_make_a_light_page(many: Rendered) -> None:
    assert len(many.files[PAGE].encode()) < 700 * 1024


# --- curves ------------------------------------------------------------------------------------------------------


def test_every_measure_has_a_chart_per_context_with_a_curve_per_model(page: Part) -> None:
    rows = page.all(".measure")
    assert len(rows) == len(BETWEEN_MODELS)
    for row in rows:
        assert row.texts(".chart figcaption") == ["alone", "in a sentence"]
        charts = row.all(".chart")
        assert len({tuple((each.text, each["y"]) for each in chart.all("text:not(.end)")) for chart in charts}) == 1
        for chart in charts:
            assert chart.texts(".end") == ["Smol", "mini"]
            assert len({curve["class"] for curve in chart.all(".curve")}) == 2
            assert len(chart.all(".leader")) == 2
    assert len(rows[0].all(".chart")[0].all(".interval")) == 2


def test_a_chart_says_in_words_what_it_shows(page: Part) -> None:
    values = present(compared_report().models[1].contexts[0].geometry).purity.value
    alt = page.all(".chart svg")[0]["aria-label"]
    assert alt.startswith("Category purity over relative depth, words alone. Smol-135M-Instruct (Q4_1 GGUF): ")
    assert f"mini-encoder-6: {values[0]:.2f} at the embedding, {values[-1]:.2f} at layer 5" in alt


def test_names_at_the_ends_do_not_overlap(many: Rendered) -> None:
    charts = many[PAGE].all(".measure .chart")
    assert charts
    for chart in charts:
        assert min(np.diff(sorted(float(name["y"]) for name in chart.all(".end")))) >= 12.9


def test_a_model_without_measures_is_left_out_and_named() -> None:
    page = page_of(without_geometry(compared_report(), "mini-6"))
    assert page.texts(".keys li") == ["Smol-135M-Instruct (Q4_1 GGUF)"]
    assert "Not measured, so without curves: mini-encoder-6 (alone), mini-encoder-6 (in a sentence)." in page.text
    nothing = page_of(without_geometry(without_geometry(compared_report(), "mini-6"), "smol-30"))
    assert not nothing.all(".measure")
    assert "no metrics" in nothing.texts(".ranking .caption")[0]


# --- layer against layer -------------------------------------------------------------------------------------------


def test_a_heatmap_tells_its_best_match_and_the_pair_its_number(page: Part) -> None:
    layers = page.one(".pairs")
    (sentence,) = sentences(layers)
    assert "CKA 0.62 (0.58–0.66)" in sentence
    assert layers.texts("h4") == ["116\xa0shared reference words", "90\xa0words of one token in both"]
    heatmap = layers.all(".heatmap")[0]
    assert heatmap.one("svg svg")["viewbox"] == "0 0 31 7"
    best = "layer 29 of Smol-135M-Instruct (Q4_1 GGUF) and layer 5 of mini-encoder-6 are most alike, 0.90"
    assert best in heatmap.one("[role=img]")["aria-label"]


def test_the_cells_of_a_heatmap_cover_it_once(page: Part) -> None:
    shades = page.all(".heatmap")[0].all("path[class|=heat]")
    assert sorted(cell for shade in shades for cell in _cells(shade["d"])) == [
        (x, y) for x in range(31) for y in range(7)
    ]
    assert (shades[-1]["class"], shades[-1]["d"]) == ("heat-18", "M30 0.5h1")


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
    layers = layers_of(replace(report, similarities=(same,)))
    assert len(layers.all("h4")) == 1
    assert "one token in both" in layers.texts(".caption")[-1]


def test_an_undefined_similarity_says_so() -> None:
    report = compared_report()
    empty = replace(
        present(report.similarities[0].single_token),
        n_words=2,
        cka=np.full((31, 7), np.nan),
        neighbours=np.full((31, 7), np.nan),
        cka_summary=NOTHING,
        neighbours_summary=NOTHING,
        beyond_categories=beyond_categories(np.full(2, np.nan), np.zeros(2, dtype=bool)),
    )
    similarity = replace(report.similarities[0], single_token=empty)
    layers = layers_of(replace(report, similarities=(similarity,)))
    assert len(layers.all(".heatmap")) == 2, "empty ones aren't shown"
    assert "isn’t tested, as only 2 reference words are one token in both models" in layers.plain


def test_models_of_one_embedding_are_not_said_to_be_alike_beyond_categories() -> None:
    report = compared_report()
    same = replace(present(report.similarities[0].single_token), shares_embedding=True)
    layers = layers_of(replace(report, similarities=(replace(report.similarities[0], single_token=same),)))
    assert (
        "Most of their words have the same embedding, or almost, so that layers are alike beyond categories anyway"
        in layers.plain
    )
    assert "They are alike beyond categories" not in layers.plain
    assert "They are alike beyond categories by CKA" in layers_of(report).plain


def four_models_report() -> Report:
    """Those of many that are compared: the first one with each other."""
    report = many_models_report(6)
    named = {slug for each in report.similarities for slug in (each.model_a, each.model_b)}
    return replace(report, models=tuple(model for model in report.models if model.slug in named))


@pytest.fixture(scope="module")
def four() -> Part:
    return layers_of(four_models_report())


def test_more_than_two_models_get_a_table_of_models_by_models(page: Part, four: Part) -> None:
    names, first, second, *_ = four.one("table").table
    assert names[1:3] == ["Model number 0 (Q4_1 GGUF)", "Model number 1"]
    assert first[1:3] == ["", "0.62 (0.47) · 0.31 (0.29)"]
    assert second[3] == "–"
    assert four.texts("h3")[0].startswith("CKA · mutual neighbors")
    assert not page.all(".pairs table")


def test_a_pair_that_is_not_in_detail_counts_in_the_summary_only(four: Part) -> None:
    report = four_models_report()
    first, *others = (replace(each, single_token=None) for each in report.similarities)
    detailed, brief = (
        layers_of(replace(report, similarities=(each, *others))) for each in (report.similarities[0], first)
    )
    assert (len(sentences(detailed)), len(sentences(brief))) == (1, 0)
    assert brief.all(".caption")
    for layers in (detailed, brief):
        assert layers.one("table").table == four.one("table").table


def test_where_no_pair_has_cka_the_table_of_models_leaves_it_out() -> None:
    report = four_models_report()
    without = tuple(
        replace(each, shared=replace(each.shared, cka_summary=NOTHING), single_token=None)
        for each in report.similarities
    )
    few = layers_of(replace(report, similarities=without))
    assert few.one("h3").text.startswith("Mutual neighbors")
    assert "·" not in few.one("table").table[1][2]


def test_many_models_are_compared_on_a_page_of_its_own(many: Rendered) -> None:
    assert len(sentences(many["compare/layers/index.html"])) == 3
    assert not sentences(many[PAGE])


def test_too_few_words_for_cka_are_told() -> None:
    report = compared_report()
    similarity = report.similarities[0]
    few = replace(similarity.shared, n_words=12, n_compared=12, cka=np.full((31, 7), np.nan), cka_summary=NOTHING)
    layers = layers_of(replace(report, similarities=(replace(similarity, shared=few),)))
    [sentence] = sentences(layers)
    assert sentence.startswith("Mean best match: CKA needs at least 16 words; mutual neighbors 0.31")
    assert [path["d"] for path in layers.all(".heatmap")[0].all("path")] == [""], "no best match"


# --- the table -----------------------------------------------------------------------------------------------------


def test_the_table_ranks_captures_by_what_was_measured(page: Part) -> None:
    best = cells(page, "Best category purity")
    values = [float(cell["data-sort"]) for cell in best.values()]
    assert len(values) == 4
    assert values == sorted(values, reverse=True)
    links = [link["href"] for link in page.all(".ranking thead a")]
    for (name, label), link in zip(best, links, strict=True):
        (model,) = [model for model in compared_report().models if model.display_name == name]
        (context,) = [each for each in model.contexts if each.states.context.label == label]
        purity = present(context.geometry).purity.value
        cell = best[name, label]
        assert cell.text.removesuffix(cell.one("small").text) == f"{purity.max():.2f}"
        assert f"layer-{int(purity.argmax()) - 1}" in link or purity.argmax() == 0


def test_the_table_warns_of_what_differs(page: Part) -> None:
    caveats = cells(page, "Caveats")
    alone = caveats["Smol-135M-Instruct (Q4_1 GGUF)", "alone"].text.split("; ")
    assert "1\xa0word of several tokens" in alone
    assert "quantized weights (Q4_1 GGUF)" in alone
    assert any("position 0" in caveat for caveat in alone)
    assert "position 0" not in caveats["mini-encoder-6", "in a sentence"].text


@pytest.mark.parametrize(
    ("text", "pieces", "said"),
    [
        ("cat", ("[CLS]", "cat", "[SEP]"), "adds [CLS] and [SEP]"),
        (" cat", ("<s>", "▁cat"), "adds <s>"),
        ("<|im_start|>user cat<|im_end|>", ("<|im_start|>", "user", "Ġcat", "<|im_end|>"), None),
        ("<s>cat</s>", ("<s>", "<s>", "▁cat", "</s>"), "adds <s>"),
        (" cat", ("<\u202eliame>", "▁cat"), "adds \u2068<\u202eliame>\u2069"),
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
    caveats = cells(page_of(replace(report, models=(model, *others))), "Caveats")
    own = caveats[model.display_name, states.context.label].text.split("; ")
    assert [each for each in own if each.startswith("adds")] == ([said] if said else [])


def test_what_is_by_chance_is_not_ranked(page: Part) -> None:
    report = compared_report()

    def by_chance(context: ContextReport) -> ContextReport:
        geometry = present(context.geometry)
        claim = replace(geometry.purity.above_chance, holds=np.zeros_like(geometry.purity.above_chance.holds))
        return replace(context, geometry=replace(geometry, purity=replace(geometry.purity, above_chance=claim)))

    models = tuple(replace(each, contexts=tuple(map(by_chance, each.contexts))) for each in report.models)
    at_chance = page_of(replace(report, models=models))
    assert captures(at_chance) == [
        (model.display_name, each.states.context.label) for model in models for each in model.contexts
    ]
    assert not at_chance.all("[data-sort-by=descending]")
    notes = at_chance.texts(".ranking .caption")
    assert any("not shown to be above chance in any model" in note for note in notes)
    assert [each["data-sort-by"] for each in page.all(".ranking [data-sort-by]")][:2] == ["descending", ""]


def test_captures_without_measures_come_last() -> None:
    page = page_of(without_geometry(compared_report(), "mini-6"))
    assert [model for model, _ in captures(page)[2:]] == ["mini-encoder-6"] * 2
    assert [cell["data-sort"] for cell in cells(page, "Best category purity").values()][2] == ""


def test_models_with_other_numbers_of_neighbors_are_not_to_be_compared() -> None:
    """Of fewer words that can be measured fewer neighbors count, of which chance gives a larger share."""
    report = compared_report()
    [first, second, *others] = report.models
    context = second.contexts[0]
    fewer = replace(context, geometry=replace(present(context.geometry), n_neighbours=1))
    changed = replace(second, contexts=(fewer, *second.contexts[1:]))
    pages = [page_of(replace(report, models=(first, model, *others))) for model in (second, changed)]
    same, other = (each.texts(".ranking .caption")[0] for each in pages)
    known = ("5 nearest neighbors that", "nearest neighbors (1 to 5, by how many words are measured) that")
    for each, said in zip(pages, known, strict=True):
        assert any(f"each word’s {said} share its category" in caption for caption in each.texts(".caption"))
    assert "of a word’s 5\N{NO-BREAK SPACE}nearest neighbors, the share" in same
    alone = tuple(replace(each, geometry=replace(present(each.geometry), n_neighbours=1)) for each in first.contexts)
    unmeasured = tuple(replace(each, geometry=None) for each in second.contexts)
    models = (replace(first, contexts=alone), replace(second, contexts=unmeasured))
    only = replace(report, models=models, similarities=(), differences=())
    one = page_of(only).texts(".ranking .caption")[0]
    assert "the share of the reference words whose nearest neighbor is of their category" in one
    assert "nearest neighbors (from 1 to 5, by how many words are measured: don’t compare their shares)" in other
