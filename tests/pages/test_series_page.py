"""The page of a series: what it says and lists, and how much of it there is."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from report_fixture import FOLDERS, Views, model_report, sample_report
from series_fixture import series_report

from tokviz import pages
from tokviz.pages import render
from tokviz.pages.first.page import IndexPage
from tokviz.pages.series import series_data
from tokviz.pages.series.page import SeriesPage
from tokviz.records import Context, ContextReport, ControlCurves, Report, SeriesReport, Untrained

MOST_BYTES = 256 * 1024
"""Of the page of 60 checkpoints of 40 layers."""


def page_of(report: Report) -> SeriesPage:
    return Views(report).series[0]


def index_of(report: Report) -> IndexPage:
    return Views(report).index


@cache
def small() -> Report:
    return series_report()


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


def test_what_is_the_same_in_all_contexts_is_said_once() -> None:
    assert page_of(small()).said == (
        "In all contexts categories hold from step 16 on, first at every depth.",
        "Words alone: values are massive at every checkpoint, first at layer 0. Words in a sentence: no value is massive.",
    )


def test_it_says_how_sure_what_holds_is() -> None:
    n = small().series[0].checkpoints[0].model.contexts[0].geometry
    assert n is not None
    assert page_of(small()).certainty.endswith(
        f"categories against {n.n_permutations:,} shuffles of them over the words."
    )
    assert page_of(changed(small(), geometry=None)).certainty == ""


def test_it_says_that_each_plot_has_its_own_scale() -> None:
    viewer = page_of(small()).viewer
    assert viewer
    assert "Each plot has its own scale" in viewer.axes_note


def test_the_first_page_explains_the_plots_that_there_are() -> None:
    names = [term.name for term in index_of(small()).reading]
    assert "From checkpoint to checkpoint" in names
    assert not {"From layer to layer", "All layers in the embedding’s axes"} & set(names)
    names = [term.name for term in index_of(replace(sample_report(), series=small().series)).reading]
    assert {"From checkpoint to checkpoint", "From layer to layer", "All layers in the embedding’s axes"} <= set(names)
    names = [term.name for term in index_of(sample_report()).reading]
    assert "From checkpoint to checkpoint" not in names


def test_of_a_single_context_it_is_said_of_which() -> None:
    report = replace(
        small(), contexts=(Context(name="sentence", label="in a sentence", template="The word is {word}"),)
    )
    assert page_of(report).said == (
        "Words in a sentence: categories hold from step 16 on, first at every depth.",
        "Words in a sentence: no value is massive.",
    )


def test_checkpoints_with_the_same_massive_values_share_a_row() -> None:
    (writers,) = page_of(small()).writers
    assert [(row.checkpoint, row.cells) for row in writers.rows] == [
        ("step 0 to step 128", ("layer 0", "12, 45", "", ""))
    ]


def test_heads_have_the_unit_once_and_the_last_layer_is_told() -> None:
    page = page_of(small())
    assert (page.unit, page.columns) == ("Step", ("0", "16", "32", "64", "128"))
    assert [row.depth for row in page.maps[0].rows] == ["embedding", "layer 0", "layer 1", "layer 2 (last)"]
    assert [each.context for each in page.maps] == ["alone"] * 4 + ["sentence"] * 4


def test_labels_are_their_own_heads() -> None:
    (series,) = small().series
    named = replace(series, unit=None, checkpoints=tuple(replace(each, step=None) for each in series.checkpoints))
    page = page_of(replace(small(), series=(named,)))
    assert (page.unit, page.columns[1]) == ("Checkpoint", "step 16")


def test_where_nothing_is_measured_nothing_is_said() -> None:
    report = changed(small(), geometry=None)
    page = page_of(report)
    assert (page.findings, page.said, page.charts, page.maps, page.writers) == ((), (), (), (), ())
    assert page.viewer is not None
    assert "found" not in {link.href for link in page.contents}
    assert index_of(report).finding is None


def test_a_page_beside_models_has_its_finding_with_the_series() -> None:
    alone = index_of(small())
    assert alone.finding is not None
    (series,) = alone.series
    assert (alone.finding.about, series.finding, len(series.rows)) == ("Grown", "", 2)
    model = model_report("tiny-3", "Tiny-3", 3, small().words, small().contexts, measured=True)
    (series,) = index_of(replace(small(), models=(model,))).series
    assert series.finding == alone.finding.sentence
    assert [row.href for row in series.rows] == [
        f"series/grown/index.html#alone/embedding/step-{step}" for step in (0, 128)
    ]


@pytest.mark.slow
def test_many_checkpoints_of_a_deep_model_are_a_light_page() -> None:
    report = series_report(n_checkpoints=60, n_layers=40)
    page = page_of(report)
    written = render.render(pages.build(report), FOLDERS)["series/grown/index.html"]
    assert len(written.encode()) <= MOST_BYTES
    assert [bool(each.rows) for each in page.maps] == [True] + [False] * 7
    assert [len(group.rows) for group in page.strips] == [24, 24]
    assert page.late_maps == "../../data/series/grown-maps.js"
    late = maps_of(series_data.files(report)["data/series/grown-maps.js"])
    assert [len(each["rows"]) for each in late] == [41] * 8
    cells = [part for cell in page.maps[0].rows[7].cells for part in (cell.text, cell.style)]
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
    page = page_of(report)
    assert page.viewer is None
    assert page.faults[0] == "Step 0: expected a folder"
    assert [each.text.startswith("Fewer than two different checkpoints") for each in page.findings] == [True]
    assert index_of(report).series[0].rows == ()


def test_each_context_has_its_finding_its_charts_and_its_template() -> None:
    page = page_of(small())
    names = ["alone", "sentence"]
    assert [each.context for each in page.findings] == [each.context for each in page.charts] == names
    assert page.findings[1].text.startswith("Words in a sentence: categories hold")
    assert [(each.context, each.text) for each in page.templates] == [
        ("sentence", "Each word is read in “The word is …”.")
    ]


def test_charts_have_curves_at_three_depths_over_the_logarithm_of_steps() -> None:
    page = page_of(small())
    purity = page.charts[0].charts[0]
    assert purity.heading == "Category purity"
    assert [each.name.text for each in purity.curves if each.name] == ["embedding", "layer 1", "layer 2"]
    assert purity.dotted
    ticks = {each.text: float(each.x) for each in purity.depths}
    assert list(ticks) == ["0", "16", "32", "64", "128"]
    gaps = np.diff(list(ticks.values()))
    assert np.allclose(gaps, gaps[0], atol=0.2)
    assert purity.alt.startswith("Category purity, over the checkpoints. Embedding: 0.")
    (series,) = small().series
    assert "at step 0, " in page_of(replace(small(), series=(with_falling_purity(series),))).charts[0].charts[0].alt


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


def test_tokens_are_counted_in_millions_and_labels_are_at_equal_distances() -> None:
    (series,) = small().series
    steps = (10**7, 10**8, 2 * 10**9, 3 * 10**10, 10**12)
    counted = tuple(replace(each, step=step) for each, step in zip(series.checkpoints, steps, strict=True))
    chart = page_of(replace(small(), series=(replace(series, unit="tokens", checkpoints=counted),))).charts[0].charts[0]
    assert [each.text for each in chart.depths] == ["10\u00a0M", "2\u00a0B", "30\u00a0B", "1\u00a0T"]
    named = tuple(replace(each, step=None) for each in series.checkpoints)
    page = page_of(replace(small(), series=(replace(series, unit=None, checkpoints=named),)))
    assert [each.text for each in page.charts[0].charts[0].depths] == ["step 0", "step 128"]
    assert page.charts_note.endswith(" Checkpoints are at equal distances.")


def test_what_there_is_without_training_is_told_where_no_checkpoint_is_from_before_it() -> None:
    report = changed(small(), untrained=untrained())
    assert not any("weights random" in each for each in page_of(report).said)
    (series,) = report.series
    page = page_of(replace(report, series=(replace(series, checkpoints=series.checkpoints[1:], reference=3),)))
    assert "In all contexts with all weights random, purity is 0.20–0.25." in page.said
    assert "all random" in {each.name.text for each in page.charts[0].charts[0].curves if each.name}


def untrained() -> Untrained:
    curve = np.array([0.2, 0.25, 0.25, 0.22])
    curves = ControlCurves(
        purity=curve, silhouette=curve, effective_rank=curve, relations=np.empty((0, 4)), orders=np.empty((0, 4))
    )
    return Untrained(random=curves, own_embedding=(), training=None, layers=None)


def test_one_scale_holds_the_plots_of_all_checkpoints() -> None:
    (series,) = small().series
    viewer = page_of(small()).viewer
    assert viewer
    common = json.loads(viewer.data)["extents"]["alone"]
    drawn = [each.model.contexts[0].projections[0].projection for each in series.shown]
    for depth in range(4):
        low, span = common[depth][0], common[depth][1]
        of_all = np.concatenate([each.coordinates[depth, each.reference, 0] for each in drawn])
        assert np.allclose([low, low + span], [of_all.min(), of_all.max()], rtol=1e-5)


def test_where_step_0_is_left_out_it_says_that_there_is_nothing_to_compare_with() -> None:
    (series,) = small().series
    first, *others = series.checkpoints
    report = replace(small(), series=(replace(series, checkpoints=(replace(first, left_out=True), *others)),))
    assert "In all contexts nothing from before the training was captured to compare with." in page_of(report).said


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
    assert "In all contexts with all weights random, purity is 0.20–0.25." in page.said
    assert "All random, gray: the last layer of the model with all weights random, drawn once." in page.charts_note
    assert "all weights random: 0.22 throughout" in page.charts[0].charts[0].alt


def test_a_rounded_number_of_tokens_has_the_unit_of_what_it_is_rounded_to() -> None:
    (series,) = small().series
    steps = (0, 999_653_376, 2 * 10**9, 3 * 10**9, 10**10)
    counted = tuple(replace(each, step=step) for each, step in zip(series.checkpoints, steps, strict=True))
    page = page_of(replace(small(), series=(replace(series, unit="tokens", checkpoints=counted),)))
    assert [each.text for each in page.charts[0].charts[0].depths][:2] == ["0", "1\u00a0B"]
    assert "0, which has no place on it, stands at the left" in page.charts_note
