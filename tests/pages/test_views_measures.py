"""What the pages say of the measures: rulers, trust, stages, why contexts differ, curves, definitions."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from geometry_fixture import DIMENSIONS, undefined
from hypothesis import given
from hypothesis import strategies as st
from narrow import present
from rendered import Part, Rendered, line_points
from report_fixture import SENTENCE, hostile_report, model_report, sample_report

from tokviz.pages.charts.axis import outline, path
from tokviz.pages.charts.curves import alt_text
from tokviz.pages.charts.measures import MEASURES
from tokviz.pages.charts.reading import Reading
from tokviz.pages.charts.scale import Scale, spread_out
from tokviz.pages.explore.explore_data import scripts
from tokviz.pages.text import glossary, wording
from tokviz.records import Context, ContextReport

N_LAYERS = 30
EMERGENCE = 11
"""The layer."""


@pytest.fixture(scope="module")
def site() -> Rendered:
    return Rendered(sample_report())


@pytest.fixture(scope="module")
def model(site: Rendered) -> Part:
    return site.models[0]


def ruler(page: Part, panel: str) -> Part:
    return page.at(panel).one(".ruler")


def details(page: Part, stage: str) -> list[str]:
    """The paragraphs of a stage's numbers."""
    return [each.plain for each in page.at(stage).all("details p")]


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
        # All are said to be all, and none to be none, only where that is so.
        (wording.whole_percent(0.99722), "99.7 %"),
        (wording.whole_percent(0.99996), "99.996 %"),
        (wording.whole_percent(1.0), "100 %"),
        (wording.whole_percent(0.003), "0.3 %"),
        (wording.whole_percent(0.0), "0 %"),
        (wording.whole_percent(1e-9), "0 %"),
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
    assert got.replace(wording.NBSP, " ") == wanted


def test_projections_are_spoken_of_in_words() -> None:
    assert wording.projection_label("without_massive") == "without massive or dominant dimensions"
    names = ("standardized", "centered", "unit_norm", "without_massive")
    meanings = {glossary.term(f"method.projections.{name}").meaning for name in names}
    assert len(meanings) == 4
    assert not any("of this report’s own" in meaning for meaning in meanings)


def test_four_projections_are_four_choices() -> None:
    report, names = sample_report(), ("standardized", "centered", "unit_norm", "without_massive")
    model = model_report("m", "M", 3, report.words, (SENTENCE,), projections=names, measured=True)
    (page,) = Rendered(replace(report, models=(model,), projections=names)).models
    options = page.texts("[data-switch=projection] label")
    assert options[2:] == ["unit norm", "without massive or dominant dimensions"]
    assert [panel["data-projection"] for panel in page.all(".panel")] == list(names)


# --- the ruler -----------------------------------------------------------------------------------------------------


def test_bands_cover_the_ruler_and_meet_half_way_between_two_layers(model: Part) -> None:
    measured = ruler(model, "alone/standardized")
    assert measured.texts(".band-name") == ["1", "2", "3"]
    edges = [(percent(band["x"]), percent(band["x"]) + percent(band["width"])) for band in measured.all(".band")]
    assert len(edges) == 3
    assert edges[0][1] == pytest.approx(4.4 + 91.2 * (EMERGENCE + 0.5) / N_LAYERS, abs=0.01)
    assert edges[0][1] == pytest.approx(edges[1][0], abs=0.01)
    assert edges[1][1] == pytest.approx(edges[2][0], abs=0.01)


def ticks(page: Part) -> list[str]:
    return [tick["x1"] for tick in page.all("[id=axis] line:not(.axis)")]


def test_the_emergence_layer_is_marked_at_its_tick(model: Part) -> None:
    alone, sentence = (ruler(model, f"{context}/standardized") for context in ("alone", "sentence"))
    assert alone.one(".mark")["x1"] == ticks(model)[EMERGENCE + 1]
    assert alone.texts(".mark-name")[0] == "massive from layer 11"
    assert not sentence.all(".mark, .mark-name")


def test_a_sparkline_has_a_point_over_every_tick_and_stays_inside(model: Part) -> None:
    sparks = ruler(model, "alone/standardized").all(".spark")
    assert len(sparks) == 2
    for spark in sparks:
        first, _, *others = line_points(spark["d"])
        points = [first, *others]
        assert [x / 10 for x, _ in points] == [pytest.approx(percent(tick), abs=0.01) for tick in ticks(model)]
        assert all(0 <= y <= 100 for _, y in points)


def test_a_gap_in_a_measure_is_a_gap_in_its_line() -> None:
    assert path([0, 1, 2, 3], [5.0, np.nan, 6.0, 7.0]) == "M0 5h.1M2 6h.1l.9 1"


# --- trust ---------------------------------------------------------------------------------------------------------


def trust(page: Part, slide: str) -> list[str]:
    return [each.plain for each in page.at(slide).all("figcaption span")]


def test_under_each_plate_stands_how_far_to_trust_it(model: Part) -> None:
    assert trust(model, "alone/layer-11") == [
        "PC1 48.8 %, PC2 8.3 % of the variance",
        "category purity 0.31 in the plot, 0.53 in all dimensions (chance 0.10)",
        "trustworthiness 0.83",
    ]


def test_without_measures_the_variance_is_told() -> None:
    assert trust(Rendered(hostile_report()).models[0], "odd/embedding") == ["PC1 48.8 %, PC2 8.3 % of the variance"]


# --- the story -----------------------------------------------------------------------------------------------------


def test_a_stage_says_its_layers_once_and_shows_its_middle(model: Part) -> None:
    stage = model.at("alone/stage-2")
    assert (stage.one("th").element.text, stage.one("th small").text) == ("2", "layers 11–28")
    assert stage.all("p")[0].plain == (
        "Massive activations emerge at layer 11; in the plot, 31 % of a word’s nearest neighbors share its category "
        "(by chance 10 %)."
    )
    _, sentence, beginning = details(model, "alone/stage-2")
    assert sentence.startswith("Dimension")
    assert "PC1 holds 48.8 % of the variance (standardized)" in sentence
    assert beginning == "In 96 % of subsamples of the words, CKA shows that a stage begins here or one layer away."
    plate = stage.one("a:has(img)")
    assert (plate.text, plate["href"]) == ("layer 19", "#alone/layer-19")
    assert not any("begins" in each for each in details(model, "alone/stage-1"))
    assert details(model, "alone/stage-3")[-1] == (
        "This stage begins where massive activations end, by rule; CKA alone shows no boundary here."
    )


def test_the_emergence_is_badged_with_its_number_ratio_and_dimensions(model: Part) -> None:
    assert model.at("alone/stage-2").one("details a")["href"] == "#alone/layer-11"
    assert details(model, "alone/stage-2")[0] == (
        "Layer 11: massive activations emerge: median largest |x| 24,108, 13,498 × a typical token’s median of 1.79, "
        f"dimensions {DIMENSIONS[0]}, {DIMENSIONS[1]}"
    )
    assert model.at("alone/stage-3").texts("details a") == ["Layer 29: massive activations end"]


def test_a_sink_at_position_0_is_not_said_to_be_the_words(model: Part) -> None:
    badge = model.at("sentence/stage-1").one("details a")
    assert badge.text == "Layer 11: massive activations emerge at position 0, not in the words"
    assert badge["href"] == "#sentence/layer-11"


def test_why_the_contexts_differ_is_said_in_plain_words(model: Part) -> None:
    difference = model.one(".difference")
    assert difference.one("h2").text == "Why words alone and words in a sentence differ"
    assert "From layer 11 to layer 28" in difference.plain
    assert "at layer 11 and in the same dimensions 12, 45" in difference.plain
    assert "in the plot: 31 % and 50 %" in difference.plain


def test_nothing_is_explained_where_nothing_differs() -> None:
    report = sample_report()
    model = model_report("m", "M", 6, report.words, (SENTENCE,), measured=True)
    (page,) = Rendered(replace(report, models=(model,), contexts=(SENTENCE,))).models
    assert not page.all(".difference")
    assert len(page.all("#stages table")) == 1


# --- curves and definitions ------------------------------------------------------------------------------------------


def test_every_chart_states_its_finding_for_every_context(model: Part) -> None:
    charts, titles = model.all("#curves .chart"), model.texts("#curves .chart h3")
    assert len(titles) == len(set(titles)) == len(MEASURES) - 1, "all but the one for models with other words"
    for chart in charts:
        assert chart.texts(".end") == ["alone", "in a sentence", "neurons off", "at their mean"]
        assert len({curve["class"] for curve in chart.all(".curve[class*=dash]")}) == 4
        alt = chart.one("svg")["aria-label"]
        for whose in ("Alone", "Alone, two neurons held constant", "In a sentence"):
            assert f"{whose}: " in alt
        assert len(chart.all(".mark")) == 1
    purity = charts[0]
    assert "Alone: 0.85 at the embedding, 0.50 at layer 29" in purity.one("svg")["aria-label"]
    assert [each["class"] for each in purity.all(".interval")] == ["interval style-0", "interval style-1"]
    assert [each["class"].split()[:2] for each in purity.all(".end")][:2] == [["end", "style-0"], ["end", "style-1"]]


def with_neighbors(context: ContextReport, k: int) -> ContextReport:
    """Also where its neurons are set to a value."""
    changed = tuple(with_neighbors(each, k) for each in context.interventions)
    return replace(context, geometry=replace(present(context.geometry), n_neighbours=k), interventions=changed)


@pytest.mark.parametrize(
    ("of_first", "of_second", "stated"),
    [
        (7, 7, "each word’s 7 nearest"),
        (3, 7, "each word’s nearest neighbors (3 to 7, by how many words are measured)"),
    ],
)
def test_captions_have_the_numbers_of_what_was_measured(of_first: int, of_second: int, stated: str) -> None:
    report = sample_report()
    models = tuple(
        replace(
            model,
            contexts=(
                with_neighbors(model.contexts[0], of_first),
                *(with_neighbors(each, of_second) for each in model.contexts[1:]),
            ),
        )
        for model in report.models[:2]
    )
    site = Rendered(replace(report, models=models))
    defined = site["method/index.html"].under("measures").terms
    purity = (
        site.models[0].all("#curves figcaption")[0].text,
        site["compare/index.html"].all(".measure .caption")[0].text,
        defined["Neighbors of the same category (purity)"],
    )
    assert all(stated in said for said in purity)
    assert ("3–7 nearest" if of_first == 3 else "7 nearest") in defined["Trustworthiness"]


def test_a_single_context_needs_no_name_at_its_curve(model: Part) -> None:
    report = sample_report()
    single = replace(report.models[1], contexts=report.models[1].contexts[:1])
    (page,) = Rendered(replace(report, models=(single,))).models
    assert page.all("#curves .curve")
    assert not page.all("#curves .end")
    guide = "Shaded: the stages. "
    assert any(said.startswith(guide) for said in page.texts("#curves details p"))
    assert not any(said.startswith(guide) for said in model.texts("#curves details p"))


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


def test_a_chart_grows_with_its_names(model: Part) -> None:
    contexts = tuple(Context(name=f"c-{index}", label=f"context {index}", template="{word}") for index in range(12))
    many = model_report("m", "M", 1, sample_report().words, contexts, projections=("standardized",), measured=True)
    report = replace(sample_report(), contexts=contexts, projections=("standardized",), models=(many,), downloads={})
    charts = [page.all("#curves svg")[0] for page in (model, Rendered(report).models[0])]
    heights = [float(chart["viewbox"].split()[3]) for chart in charts]
    lines = [[float(each) for each in re.findall(r" ([\d.]+)h", chart.all(".grid-line")[0]["d"])] for chart in charts]
    names = sorted(float(name["y"]) for name in charts[1].all(".end"))
    assert min(np.diff(names)) >= 12.9
    assert (len(names), min(lines[1]) <= names[0], names[-1] <= max(lines[1])) == (12, True, True)
    assert heights[1] - max(lines[1]) == pytest.approx(heights[0] - max(lines[0]))


def test_what_is_not_defined_leaves_a_dash_or_no_curve() -> None:
    report = sample_report()
    model = report.models[1]
    contexts = tuple(
        replace(
            context,
            geometry=replace(
                measured,
                purity=undefined(measured),
                silhouette=undefined(measured),
                pictures=tuple(replace(picture, purity=undefined(measured)) for picture in measured.pictures),
            ),
        )
        for context in model.contexts
        for measured in [present(context.geometry)]
    )
    undefined_report = replace(report, models=(replace(model, contexts=contexts),))
    site = Rendered(undefined_report)
    (page,) = site.models
    assert len(page.all("#curves .chart")) == len(MEASURES) - 1 - 3, "three aren't defined"
    assert trust(page, "alone/layer-0")[1:] == ["trustworthiness 0.83"]
    assert ruler(page, "alone/standardized").texts(".spark-name")[0] == "purity not defined"
    assert "purity not defined" in scripts(undefined_report)[f"data/{model.slug}/alone/words.js"]
    # Words such as “explanation” have it further in.
    assert not re.search(r"(?<![a-z]{2})nan", site.files[f"models/{model.slug}/index.html"])


def test_the_method_page_defines_what_was_measured_and_where_it_comes_from(site: Rendered) -> None:
    measures = site["method/index.html"].under("measures")
    sources = " ".join(measures.texts("cite a"))
    for source in (
        "Roy & Vetterli 2007",
        "2402.17762",
        "Rousseeuw 1987",
        "Venna & Kaski 2001",
        "Kornblith",
        "Song et al.",
    ):
        assert source in sources
    assert measures.plain.startswith("All metrics are computed on the reference words of a context: 116 words")


def test_a_page_without_measures_stays_as_it_was() -> None:
    site = Rendered(hostile_report())
    assert not site.models[0].all("#stages, .difference, #curves, .ruler-measured, .band, .spark")
    assert not site["method/index.html"].all("#measures")
