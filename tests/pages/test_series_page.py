"""The page of a series: what it says and lists, and how much of it there is."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from rendered import Part, Rendered
from report_fixture import model_report, sample_report
from series_fixture import series_report

from tokviz.pages.series import series_data
from tokviz.records import Context, ContextReport, ControlCurves, Report, SeriesReport, Untrained

MOST_BYTES = 256 * 1024
"""Of the page of 60 checkpoints of 40 layers."""


PAGE = "series/grown/index.html"


def page_of(report: Report) -> Part:
    return Rendered(report)[PAGE]


def index_of(report: Report) -> Part:
    return Rendered(report)["index.html"]


@cache
def small() -> Report:
    return series_report()


@pytest.fixture(scope="module")
def page() -> Part:
    """Of the small report."""
    return page_of(small())


def said(page: Part) -> list[str]:
    return page.texts("#found .text p")


def charts(page: Part) -> list[Part]:
    """Those that are seen first."""
    return page.all("#charts [data-current] figure")


def ticks(chart: Part) -> list[Part]:
    """Of the horizontal axis."""
    return chart.all("svg text[dy='17']")


def changed(report: Report, **changes: object) -> Report:
    """With changes in every capture of its series."""

    def capture(context: ContextReport) -> ContextReport:
        return replace(context, **changes)  # type: ignore[arg-type]

    (series,) = report.series
    checkpoints = tuple(
        replace(each, model=replace(each.model, contexts=tuple(map(capture, each.model.contexts))))
        for each in series.checkpoints
    )
    return replace(report, series=(replace(series, checkpoints=checkpoints),))


def test_what_is_the_same_in_all_contexts_is_said_once(page: Part) -> None:
    assert said(page) == [
        "In all contexts categories hold from step 16 on, first at every depth.",
        "Words alone: values are massive at every checkpoint, first at layer 0. Words in a sentence: no value is massive.",
    ]


def test_it_says_how_sure_what_holds_is(page: Part) -> None:
    n = small().series[0].checkpoints[0].model.contexts[0].geometry
    assert n is not None
    assert page.one("#found > .note").text.endswith(
        f"categories against {n.n_permutations:,} shuffles of them over the words."
    )


def test_it_says_that_each_plot_has_its_own_scale(page: Part) -> None:
    assert "Each plot has its own scale" in page.one("[data-series] p.note").text


def method_terms(report: Report) -> list[str]:
    return Rendered(report)["method/index.html"].under("projections").texts("dt")


def test_the_method_page_explains_the_plots_that_there_are() -> None:
    names = method_terms(small())
    assert "From checkpoint to checkpoint" in names
    assert not {"From layer to layer", "All layers in the embedding’s axes"} & set(names)
    names = method_terms(replace(sample_report(), series=small().series))
    assert {"From checkpoint to checkpoint", "From layer to layer", "All layers in the embedding’s axes"} <= set(names)
    assert "From checkpoint to checkpoint" not in method_terms(sample_report())


def test_of_a_single_context_it_is_said_of_which() -> None:
    report = replace(
        small(), contexts=(Context(name="sentence", label="in a sentence", template="The word is {word}"),)
    )
    assert said(page_of(report)) == [
        "Words in a sentence: categories hold from step 16 on, first at every depth.",
        "Words in a sentence: no value is massive.",
    ]


def test_checkpoints_with_the_same_massive_values_share_a_row(page: Part) -> None:
    assert page.one(".series-writers tbody").table == [["step 0 to step 128", "layer 0", "12, 45", "", ""]]


def test_heads_have_the_unit_once_and_the_last_layer_is_told(page: Part) -> None:
    first, *_ = page.all("#maps table")
    assert first.table[0] == ["Step", "0", "16", "32", "64", "128"]
    assert first.texts("tbody th") == ["embedding", "layer 0", "layer 1", "layer 2 (last)"]
    assert [each["data-context"] for each in page.all("#maps .series-map")] == ["alone"] * 4 + ["sentence"] * 4


def test_where_nothing_is_measured_nothing_is_said() -> None:
    site = Rendered(changed(small(), geometry=None))
    page = site[PAGE]
    assert page.all("[data-series]")
    assert not page.all(".finding, #found, #charts, #maps, [href='#found']")
    assert not site["index.html"].all(".finding-first")


def test_a_page_beside_models_has_its_finding_with_the_series() -> None:
    alone = index_of(small())
    about, *_ = alone.texts(".finding-first .about")
    assert (about, len(alone.all(".model-strips .strip-row"))) == ("Grown", 2)
    assert not alone.all(".of-series")
    model = model_report("tiny-3", "Tiny-3", 3, small().words, small().contexts, measured=True)
    *_, series = index_of(replace(small(), models=(model,))).all(".model-strips")
    assert series.one(".of-series").text == alone.one(".finding-first .headline").text
    assert [each["href"] for each in series.all(".strip-row a")] == [
        f"series/grown/index.html#alone/embedding/step-{step}" for step in (0, 128)
    ]


@pytest.mark.thorough
@pytest.mark.slow
def test_many_checkpoints_of_a_deep_model_are_a_light_page() -> None:
    report = series_report(n_checkpoints=60, n_layers=40)
    site = Rendered(report)
    page = site[PAGE]
    assert len(site.files[PAGE].encode()) <= MOST_BYTES
    maps = page.all("#maps table")
    assert [bool(each.all("tbody tr")) for each in maps] == [True] + [False] * 7
    assert [len(group.all(".series-strip")) for group in page.all(".series-strips")] == [24, 24]
    assert page.one("#maps")["data-late-maps"] == "../../data/series/grown-maps.js"
    late = maps_of(series_data.files(report)["data/series/grown-maps.js"])
    assert [len(each["rows"]) for each in late] == [41] * 8
    cells = [part for cell in maps[0].all("tbody tr")[7].all("td") for part in (cell.text, " ".join(cell.classes))]
    assert late[0]["rows"][7] == ["layer 6", *cells]


def maps_of(script: str) -> list[dict[str, list[list[str]]]]:
    found: list[dict[str, list[list[str]]]] = json.loads(script[script.index("[") : script.rindex("]") + 1])
    return found


def test_a_series_without_captures_says_so() -> None:
    (series,) = small().series
    lost = tuple(
        replace(each, model=replace(each.model, contexts=(), failure="expected a folder"))
        for each in series.checkpoints
    )
    failed: SeriesReport = replace(series, checkpoints=lost)
    report = replace(small(), series=(failed,))
    site = Rendered(report)
    page = site[PAGE]
    assert not page.all("[data-series]")
    first, *_ = page.texts(".model-head .problem")
    assert first == "Step 0: expected a folder"
    assert page.one(".finding").text.startswith("Fewer than two different checkpoints")
    assert not site["index.html"].all(".strip-row")


def test_each_context_has_its_finding_its_charts_and_its_template(page: Part) -> None:
    for part in (".finding", "#charts"):
        assert [each["data-context"] for each in page.all(f"{part} .series-of")] == ["alone", "sentence"]
    assert page.texts(".finding p")[1].startswith("Words in a sentence: categories hold")
    template = page.one("[data-series] p.series-of")
    assert (template["data-context"], template.text) == ("sentence", "Each word is read in “The word is …”.")


def test_charts_have_curves_at_three_depths_over_the_logarithm_of_steps(page: Part) -> None:
    purity, *_ = charts(page)
    assert purity.one("h3").text == "Category purity"
    assert purity.texts("svg .end") == ["embedding", "layer 1", "layer 2"]
    assert purity.all("svg .chance")
    assert [each.text for each in ticks(purity)] == ["0", "16", "32", "64", "128"]
    gaps = np.diff([float(each["x"]) for each in ticks(purity)])
    assert np.allclose(gaps, gaps[0], atol=0.2)
    assert purity.one("svg")["aria-label"].startswith("Category purity, over the checkpoints. Embedding: 0.")
    (series,) = small().series
    falling, *_ = charts(page_of(replace(small(), series=(with_falling_purity(series),))))
    assert "at step 0, " in falling.one("svg")["aria-label"]


def with_falling_purity(series: SeriesReport) -> SeriesReport:
    changed = []
    for share, each in zip(np.linspace(1, 0.5, len(series.checkpoints)), series.checkpoints, strict=True):
        contexts = []
        for context in each.model.contexts:
            assert context.geometry is not None
            purity = replace(context.geometry.purity, value=share * context.geometry.purity.value)
            contexts.append(replace(context, geometry=replace(context.geometry, purity=purity)))
        changed.append(replace(each, model=replace(each.model, contexts=tuple(contexts))))
    return replace(series, checkpoints=tuple(changed))


def test_tokens_are_counted_in_millions_and_labels_are_their_own_heads_at_equal_distances() -> None:
    (series,) = small().series
    steps = (10**7, 10**8, 2 * 10**9, 3 * 10**10, 10**12)
    counted = tuple(replace(each, step=step) for each, step in zip(series.checkpoints, steps, strict=True))
    chart, *_ = charts(page_of(replace(small(), series=(replace(series, unit="tokens", checkpoints=counted),))))
    assert [each.text for each in ticks(chart)] == ["10\u00a0M", "2\u00a0B", "30\u00a0B", "1\u00a0T"]
    named = tuple(replace(each, step=None) for each in series.checkpoints)
    page = page_of(replace(small(), series=(replace(series, unit=None, checkpoints=named),)))
    assert page.all("#maps table")[0].table[0][:3] == ["Checkpoint", "step 0", "step 16"]
    assert [each.text for each in ticks(charts(page)[0])] == ["step 0", "step 128"]
    assert page.one("#charts > .note").text.endswith(" Checkpoints are at equal distances.")


def test_what_there_is_without_training_is_told_where_no_checkpoint_is_from_before_it() -> None:
    report = changed(small(), untrained=untrained())
    assert not any("weights random" in each for each in said(page_of(report)))
    (series,) = report.series
    page = page_of(replace(report, series=(replace(series, checkpoints=series.checkpoints[1:], reference=3),)))
    assert "In all contexts with all weights random, purity is 0.20–0.25." in said(page)
    assert "all random" in charts(page)[0].texts("svg .end")


def untrained() -> Untrained:
    curve = np.array([0.2, 0.25, 0.25, 0.22])
    curves = ControlCurves(
        purity=curve, silhouette=curve, effective_rank=curve, relations=np.empty((0, 4)), orders=np.empty((0, 4))
    )
    return Untrained(random=curves, own_embedding=(), layers=None)


def test_one_scale_holds_the_plots_of_all_checkpoints(page: Part) -> None:
    (series,) = small().series
    common = json.loads(page.one("[data-series-data]").text)["extents"]["alone"]
    drawn = [each.model.contexts[0].projections[0].projection for each in series.shown]
    for depth in range(4):
        low, span = common[depth][0], common[depth][1]
        of_all = np.concatenate([each.coordinates[depth, each.reference, 0] for each in drawn])
        assert np.allclose([low, low + span], [of_all.min(), of_all.max()], rtol=1e-5)


def test_where_step_0_is_left_out_it_says_that_there_is_nothing_to_compare_with() -> None:
    (series,) = small().series
    first, *others = series.checkpoints
    report = replace(small(), series=(replace(series, checkpoints=(replace(first, left_out=True), *others)),))
    assert "In all contexts nothing from before the training was captured to compare with." in said(page_of(report))


def test_an_untrained_model_counts_whose_checkpoint_is_left_out() -> None:
    (series,) = changed(small(), untrained=untrained()).series
    first, *others = series.checkpoints
    only_first = tuple(
        replace(
            each, model=replace(each.model, contexts=tuple(replace(own, untrained=None) for own in each.model.contexts))
        )
        for each in others
    )
    report = replace(small(), series=(replace(series, checkpoints=(replace(first, left_out=True), *only_first)),))
    page = page_of(report)
    assert "In all contexts with all weights random, purity is 0.20–0.25." in said(page)
    assert (
        "All random, gray: the last layer of the model with all weights random, drawn once."
        in page.one("#charts > .note").text
    )
    assert "all weights random: 0.22 throughout" in charts(page)[0].one("svg")["aria-label"]


def test_a_rounded_number_of_tokens_has_the_unit_of_what_it_is_rounded_to() -> None:
    (series,) = small().series
    steps = (0, 999_653_376, 2 * 10**9, 3 * 10**9, 10**10)
    counted = tuple(replace(each, step=step) for each, step in zip(series.checkpoints, steps, strict=True))
    page = page_of(replace(small(), series=(replace(series, unit="tokens", checkpoints=counted),)))
    assert [each.text for each in ticks(charts(page)[0])][:2] == ["0", "1\u00a0B"]
    assert "0, which has no place on it, stands at the left" in page.one("#charts > .note").text
