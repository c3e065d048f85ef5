"""What the pages say of the measures: rulers, trust, stages, why contexts differ, curves, definitions."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pytest
from geometry_fixture import DIMENSIONS, undefined
from hypothesis import given
from hypothesis import strategies as st
from narrow import present
from report_fixture import SENTENCE, Views, hostile_report, model_report, sample_report

from tokviz.pages.charts.alt import alt_text
from tokviz.pages.charts.axis import path
from tokviz.pages.charts.measures import MEASURES, Reading
from tokviz.pages.charts.scale import OF_A_MODEL, OF_ALL_MODELS, Layout, Scale, outline, spread_out
from tokviz.pages.model.page import ModelPage
from tokviz.pages.text import glossary, wording
from tokviz.pages.text.parts import Link

N_LAYERS = 30
EMERGENCE = 11
"""The layer."""


@pytest.fixture(scope="module")
def site() -> Views:
    return Views(sample_report())


@pytest.fixture(scope="module")
def model(site: Views) -> ModelPage:
    return site.models[0]


def spaced(words: str) -> str:
    return words.replace(wording.NBSP, " ")


def percent(length: str) -> float:
    return float(length.removesuffix("%"))


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (wording.score(0.3149), "0.31"),
        (wording.score(-0.041), "−0.04"),
        (wording.score(-0.001), "0.00"),
        (wording.score(float("nan")), "–"),
        (wording.percent(0.9991), "99.9 %"),
        (wording.percent(float("nan")), "–"),
        (wording.whole_percent(0.96), "96 %"),
        (wording.whole_percent(0.525), "53 %"),  # as score has it: 0.53
        (wording.whole_percent(-0.04), "−4 %"),
        (wording.number(24_107.6), "24,108"),
        (wording.number(99.96), "100"),
        (wording.number(35.24), "35.2"),
        (wording.number(5.0), "5.00"),
        (wording.number(0.5192), "0.519"),
        (wording.number(4.2e-5), "4.20 × 10⁻⁵"),
        (wording.number(-2.5e12), "−2.50 × 10¹²"),
        (wording.number(float("nan")), "–"),
        (wording.number(0.0), "0"),
        (wording.ranged(np.array([0.12, np.nan, 0.52]), wording.score), "0.12–0.52"),
        (wording.ranged(np.array([0.871, 0.918]), wording.whole_percent), "87–92 %"),
        (wording.ranged(np.array([0.501, 0.5]), wording.score), "0.50"),
        (wording.ranged(np.array([-0.04, 0.1]), wording.score), "−0.04 to 0.10"),
    ],
)
def test_numbers_have_as_many_digits_as_mean_something(got: str, wanted: str) -> None:
    assert spaced(got) == wanted


def test_projections_are_spoken_of_in_words() -> None:
    assert wording.projection_label("without_massive") == "without massive or dominant dimensions"
    names = ("standardized", "centered", "unit_norm", "without_massive")
    meanings = {glossary.projection_term(name).meaning for name in names}
    assert len(meanings) == 4
    assert not any("of this report’s own" in meaning for meaning in meanings)


def test_four_projections_are_four_choices() -> None:
    report, names = sample_report(), ("standardized", "centered", "unit_norm", "without_massive")
    model = model_report("m", "M", 3, report.words, (SENTENCE,), projections=names, measured=True)
    page = Views(dataclasses.replace(report, models=(model,), projections=names)).models[0]
    options = page.switches[0].options
    assert [option.label for option in options][2:] == ["unit norm", "without massive or dominant dimensions"]
    assert [panel.projection for panel in page.panels] == list(names)


# --- the ruler -----------------------------------------------------------------------------------------------------


def test_bands_cover_the_ruler_and_meet_half_way_between_two_layers(model: ModelPage) -> None:
    bands = present(model.panels[0].ruler.measured).bands
    assert [band.name for band in bands] == ["1", "2", "3"]
    edges = [(percent(band.left), percent(band.left) + percent(band.width)) for band in bands]
    assert edges[0][1] == pytest.approx(4.4 + 91.2 * (EMERGENCE + 0.5) / N_LAYERS, abs=0.01)
    assert edges[0][1] == pytest.approx(edges[1][0], abs=0.01)
    assert edges[1][1] == pytest.approx(edges[2][0], abs=0.01)


def test_the_emergence_layer_is_marked_at_its_tick(model: ModelPage) -> None:
    ruler = model.panels[0].ruler
    mark = present(present(ruler.measured).mark)
    assert mark.x == ruler.ticks[EMERGENCE + 1].x
    assert mark.text == "massive from layer 11"
    assert present(model.panels[2].ruler.measured).mark is None


def places(line: str) -> list[tuple[float, float]]:
    """Where the points of a line are, by the steps between them."""
    found, x, y = [], 0.0, 0.0
    for step, numbers in re.findall(r"([Mlh])([^Mlh]+)", line):
        across, *down = map(float, re.findall(r"-?(?:\d+(?:\.\d)?|\.\d)", numbers))
        x, y = (0.0, 0.0) if step == "M" else (x, y)
        x, y = round(x + across, 1), round(y + sum(down), 1)
        found.append((x, y))
    return found


def test_a_sparkline_has_a_point_over_every_tick_and_stays_inside(model: ModelPage) -> None:
    for spark in present(model.panels[0].ruler.measured).sparks:
        first, _, *others = places(spark.line)
        points = [first, *others]
        assert [x / 10 for x, _ in points] == [
            pytest.approx(percent(tick.x), abs=0.01) for tick in model.panels[0].ruler.ticks
        ]
        assert all(0 <= y <= 100 for _, y in points)


def test_a_gap_in_a_measure_is_a_gap_in_its_line() -> None:
    assert path([0, 1, 2, 3], [5.0, np.nan, 6.0, 7.0]) == "M0 5h.1M2 6h.1l.9 1"


# --- trust ---------------------------------------------------------------------------------------------------------


def test_under_each_plate_stands_how_far_to_trust_it(model: ModelPage) -> None:
    strip = spaced(" · ".join(model.panels[0].slides[EMERGENCE + 1].trust))
    assert strip == (
        "PC1 48.8 %, PC2 8.3 % of the variance · category purity 0.31 in the plot, "
        "0.53 in all dimensions (chance 0.10) · trustworthiness 0.83"
    )


def test_without_measures_the_variance_is_told() -> None:
    assert [spaced(part) for part in Views(hostile_report()).models[0].panels[0].slides[0].trust] == [
        "PC1 48.8 %, PC2 8.3 % of the variance"
    ]


# --- the story -----------------------------------------------------------------------------------------------------


def test_a_stage_says_its_layers_once_and_shows_its_middle(model: ModelPage) -> None:
    stage = model.stories[0].stages[1]
    assert (stage.name, stage.span) == ("2", "layers 11–28")
    assert spaced(stage.lead) == (
        "Massive activations emerge at layer 11; in the plot, 31 % of a word’s nearest neighbors share its category "
        "(by chance 10 %)."
    )
    assert spaced(stage.sentence).startswith("Dimension")
    assert "PC1 holds 48.8 % of the variance (standardized)" in spaced(stage.sentence)
    assert spaced(present(stage.beginning)) == (
        "In 96 % of subsamples of the words, CKA shows that a stage begins here or one layer away."
    )
    assert present(stage.plate).link == Link(text="layer 19", href="#alone/layer-19")
    assert model.stories[0].stages[0].beginning is None
    assert model.stories[0].stages[2].beginning == (
        "This stage begins where massive activations end, by rule; CKA alone shows no boundary here."
    )


def test_the_emergence_is_badged_with_its_number_ratio_and_dimensions(model: ModelPage) -> None:
    (badge,) = model.stories[0].stages[1].badges
    assert badge.link.text == "Layer 11: massive activations emerge"
    assert badge.link.href == "#alone/layer-11"
    assert spaced(badge.detail) == (
        f"largest |x| 24,108, 13,498 × a typical token’s median of 1.79, dimensions {DIMENSIONS[0]}, {DIMENSIONS[1]}"
    )
    assert model.stories[0].stages[2].badges[0].link.text == "Layer 29: massive activations end"


def test_a_sink_at_position_0_is_not_said_to_be_the_words(model: ModelPage) -> None:
    (badge,) = model.stories[1].stages[0].badges
    assert badge.link.text == "Layer 11: massive activations emerge at position 0, not in the words"
    assert badge.link.href == "#sentence/layer-11"


def test_why_the_contexts_differ_is_said_in_plain_words(model: ModelPage) -> None:
    difference = present(model.difference)
    said = spaced(" ".join(difference.paragraphs))
    assert difference.heading == "Why words alone and words in a sentence differ"
    assert "From layer 11 to layer 28" in said
    assert "at layer 11 and in the same dimensions 12, 45" in said
    assert "in the plot: 31 % and 50 %" in said


def test_nothing_is_explained_where_nothing_differs() -> None:
    report = sample_report()
    model = model_report("m", "M", 6, report.words, (SENTENCE,), measured=True)
    page = Views(dataclasses.replace(report, models=(model,), contexts=(SENTENCE,))).models[0]
    assert page.difference is None
    assert len(page.stories) == 1


# --- curves and definitions ------------------------------------------------------------------------------------------


def test_every_chart_states_its_finding_for_every_context(model: ModelPage) -> None:
    charts = present(model.curves).charts
    titles = [chart.heading for chart in charts]
    assert len(titles) == len(set(titles)) == len(MEASURES) - 1, "all but the one for models with other words"
    for chart in charts:
        names = ["alone", "in a sentence", "neurons off", "at their mean"]
        assert [present(curve.name).text for curve in chart.curves] == names
        assert len({(curve.style, curve.dash) for curve in chart.curves}) == 4
        assert "Alone: " in chart.alt
        assert "Alone, without the variation of two neurons: " in chart.alt
        assert "In a sentence: " in chart.alt
        assert chart.emergence is not None
    purity = charts[0]
    assert "Alone: 0.85 at the embedding, 0.50 at layer 29" in purity.alt
    assert [curve.interval is not None for curve in purity.curves] == [True, True, False, False]


def test_captions_have_the_numbers_of_what_was_measured() -> None:
    report = sample_report()
    model = report.models[0]
    contexts = tuple(
        dataclasses.replace(context, geometry=dataclasses.replace(present(context.geometry), n_neighbours=7))
        for context in model.contexts
    )
    site = Views(dataclasses.replace(report, models=(dataclasses.replace(model, contexts=contexts),)))
    assert "each word’s 7 nearest" in present(site.models[0].curves).charts[0].caption
    assert "each word’s 7 nearest" in present(site.compare).curves.rows[0].caption
    defined = {term.name: term.meaning for term in site.method.measures}
    assert "each word’s 7 nearest" in defined["Neighbors of the same category (purity)"]
    assert "each word’s 7 nearest" in defined["Trustworthiness"]


def test_a_single_context_needs_no_name_at_its_curve() -> None:
    report = sample_report()
    model = dataclasses.replace(report.models[1], contexts=report.models[1].contexts[:1])
    (page,) = Views(dataclasses.replace(report, models=(model,))).models
    curves = present(page.curves)
    assert {curve.name for chart in curves.charts for curve in chart.curves} == {None}
    assert present(curves.guide).startswith("Shaded: the stages. ")


def test_a_description_says_where_a_curve_begins_and_ends_and_its_extremes_between() -> None:
    curves = [
        ("Rising", np.array([np.nan, 0.1, 0.2])),
        ("A hump", np.array([0.1, 0.9, 0.2])),
        ("Nothing", np.array([np.nan, np.nan])),
    ]
    assert alt_text("Mean cosine", curves, wording.score) == (
        "Mean cosine. Rising: 0.10 at layer 0, 0.20 at layer 1. "
        "A hump: 0.10 at the embedding, 0.20 at layer 1, highest 0.90 at layer 0. Nothing: not defined."
    )


def scale_of(
    name: str, *values: float, interval: tuple[np.ndarray, np.ndarray] | None = None, thresholds: tuple[float, ...] = ()
) -> Scale:
    (measure,) = [measure for measure in MEASURES if measure.name == name]
    return Scale.of(measure, [Reading(values=np.array(values), interval=interval, chance=None, thresholds=thresholds)])


@pytest.mark.parametrize(
    ("scale", "texts"),
    [
        (scale_of("Category purity", 0.1, 1.0 + 1e-12), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (scale_of("Mean cosine", -0.05, 0.4), ["−0.5", "0.0", "0.5", "1.0"]),
        (scale_of("Silhouette", 0.1, np.nan), ["−0.2", "0.0", "0.2", "0.4"]),
        (scale_of("Effective rank", 99.5), ["0", "20", "40", "60", "80", "100"]),
        (scale_of("Effective rank", 1100.0), ["0", "500", "1,000", "1,500"]),
        (scale_of("Mean norm", 2.3, 40_000.0), ["1", "10", "100", "1,000", "10,000", "10⁵"]),
        (scale_of("Mean norm", 0.02, 0.0), ["0.01", "0.1"]),
        (scale_of("Mean norm", 1e-9, 1e3), ["10⁻⁹", "10⁻⁶", "10⁻³", "1", "1,000"]),
        (scale_of("Mean norm", 0.0), ["1", "10"]),
        (scale_of("Largest activation ÷ typical", 20.0, thresholds=(300.0, 1000.0)), ["10", "100", "1,000"]),
    ],
)
def test_axes_end_at_or_past_the_values_and_have_round_numbers(scale: Scale, texts: list[str]) -> None:
    assert [text for _, text in scale.ticks()] == texts
    shares = [share for share, _ in scale.ticks()]
    assert shares[0] == 0
    assert shares[-1] <= 1 + 1e-9


def test_an_axis_holds_the_intervals_and_places_what_is_defined() -> None:
    scale = scale_of("Category purity", 0.5, interval=(np.array([-0.1]), np.array([1.2])))
    shares = scale.shares(np.array([-0.1, 1.2, np.nan]))
    assert 0 <= shares[0] < shares[1] <= 1
    assert np.isnan(shares[2])
    assert np.isnan(scale_of("Mean norm", 1.0, 10.0).shares(np.array([0.0]))).all()


def test_a_gap_in_a_measure_is_a_gap_in_its_interval() -> None:
    low, high = np.array([1.0, 1, np.nan, 1, 1]), np.array([2.0, 2, 2, 2, 2])
    assert outline([0, 1, 2, 3, 4], low, high) == "M0 2h1l0-1h-1ZM3 2h1l0-1h-1Z"
    assert outline([0, 1], np.full(2, np.nan), np.full(2, np.nan)) is None


def test_a_label_with_room_stays_where_it_is() -> None:
    assert spread_out([20.0, 118.0, 122.0], gap=13, top=10, bottom=122) == [20.0, 109.0, 122.0]
    assert spread_out([122.0, 20.0, 118.0], gap=13, top=10, bottom=122) == [122.0, 20.0, 109.0]
    assert spread_out([50.0, 54.0], gap=13, top=10, bottom=122) == [45.5, 58.5]
    assert spread_out([0.0], gap=13, top=10, bottom=122) == [10.0]
    assert spread_out([], gap=13, top=10, bottom=122) == []


GAP, TOP, BOTTOM = 13.0, 10.0, 170.0
heights = st.floats(TOP, BOTTOM)


@given(wanted=st.lists(heights, min_size=1, max_size=13))
def test_labels_keep_their_order_and_distance(wanted: list[float]) -> None:
    placed = np.array(spread_out(wanted, gap=GAP, top=TOP, bottom=BOTTOM))
    in_order = placed[np.argsort(wanted, kind="stable")]
    assert (np.diff(in_order) > GAP - 1e-9).all()
    assert TOP <= in_order[0] <= in_order[-1] <= BOTTOM


@given(wanted=st.lists(heights, min_size=1, max_size=13))
def test_a_label_that_no_other_can_reach_stays_exactly(wanted: list[float]) -> None:
    placed = spread_out(wanted, gap=GAP, top=TOP, bottom=BOTTOM)
    for index, height in enumerate(wanted):
        others = [other for position, other in enumerate(wanted) if position != index]
        # However they are pushed, labels reach no farther than they are long together.
        if all(abs(other - height) >= GAP * len(wanted) for other in others):
            assert placed[index] == height


@given(data=st.data(), wanted=st.lists(heights, min_size=1, max_size=13))
def test_no_other_arrangement_moves_labels_less(data: st.DataObject, wanted: list[float]) -> None:
    placed = np.array(spread_out(wanted, gap=GAP, top=TOP, bottom=BOTTOM))
    spare = st.floats(0, BOTTOM - TOP - GAP * (len(wanted) - 1))
    free = data.draw(st.lists(spare, min_size=len(wanted), max_size=len(wanted)))
    other = np.empty(len(wanted))
    other[np.argsort(wanted, kind="stable")] = TOP + np.sort(free) + GAP * np.arange(len(wanted))
    # What fits is a convex set, so its best arrangement is best against a small step towards any other.
    for step in (1.0, 0.01):
        cost, mixed = ((placed - wanted) ** 2).sum(), (1 - step) * placed + step * other
        assert cost <= ((mixed - wanted) ** 2).sum() + 1e-6


@given(wanted=st.lists(heights, min_size=1, max_size=13))
def test_labels_that_are_apart_stay(wanted: list[float]) -> None:
    placed = spread_out(wanted, gap=GAP, top=TOP, bottom=BOTTOM)
    assert spread_out(placed, gap=GAP, top=TOP, bottom=BOTTOM) == pytest.approx(placed)


def test_labels_that_do_not_fit_share_the_room() -> None:
    placed = spread_out([40.0] * 5, gap=13, top=10, bottom=50)
    assert placed == pytest.approx([10, 20, 30, 40, 50])


@pytest.mark.parametrize("layout", [OF_A_MODEL, OF_ALL_MODELS])
def test_a_chart_grows_with_its_names(layout: Layout) -> None:
    assert layout.with_room_for(2) == layout
    for n_names in (12, 20):
        grown = layout.with_room_for(n_names)
        assert grown.bottom - grown.top >= 13 * (n_names - 1)
        assert math.isclose(grown.height - grown.bottom, layout.height - layout.bottom)


def test_what_is_not_defined_leaves_a_dash_or_no_curve() -> None:
    report = sample_report()
    model = report.models[1]
    contexts = tuple(
        dataclasses.replace(
            context,
            geometry=dataclasses.replace(
                measured,
                purity=undefined(measured),
                silhouette=undefined(measured),
                pictures=tuple(
                    dataclasses.replace(picture, purity=undefined(measured)) for picture in measured.pictures
                ),
            ),
        )
        for context in model.contexts
        for measured in [present(context.geometry)]
    )
    site = Views(dataclasses.replace(report, models=(dataclasses.replace(model, contexts=contexts),)))
    assert len(present(site.models[0].curves).charts) == len(MEASURES) - 1 - 3, "three aren't defined"
    assert spaced(" · ".join(site.models[0].panels[0].slides[1].trust[1:])) == "trustworthiness 0.83"
    assert present(site.models[0].panels[0].ruler.measured).sparks[0].name == "purity not defined"
    assert "nan" not in _strings(site.models[0])


def _strings(record: object) -> list[str]:
    if isinstance(record, str):
        return [] if record.startswith(("../", "#", "images/")) else re.findall(r"[A-Za-z]+", record)
    if dataclasses.is_dataclass(record):
        return [each for field in dataclasses.fields(record) for each in _strings(getattr(record, field.name))]
    return [each for item in record for each in _strings(item)] if isinstance(record, tuple) else []


def test_the_method_page_defines_what_was_measured_and_where_it_comes_from(site: Views) -> None:
    sources = " ".join(source.text for term in site.method.measures for source in term.sources)
    for source in (
        "Roy & Vetterli 2007",
        "2402.17762",
        "Rousseeuw 1987",
        "Venna & Kaski 2001",
        "Kornblith",
        "Song et al.",
    ):
        assert source in sources
    assert spaced(site.method.measured_on).startswith(
        "All metrics are computed on the reference words of a context: 116 words"
    )


def test_a_page_without_measures_stays_as_it_was() -> None:
    site = Views(hostile_report())
    page = site.models[0]
    assert (page.stories, page.difference, page.curves) == ((), None, None)
    assert page.panels[0].ruler.measured is None
    assert site.method.measures == ()
