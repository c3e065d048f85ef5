"""The first page's picture: depths that tell what happens, one scale for both axes of a plot, sentences that are true of rows."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import claiming
import finding_claims
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from narrow import present
from rendered import Part, Rendered
from report_fixture import compared_report, large_report, one_depth_report, sample_report

from tokviz.pages.charts.axis import spread
from tokviz.pages.findings.chosen import lead
from tokviz.pages.first.choice import N_DEPTHS, choice
from tokviz.pages.first.multiples import what_is_meant
from tokviz.pages.frame.small_plots import HEIGHT, PAD, WIDTH, placed
from tokviz.pages.text import catalogue
from tokviz.records import Report, depth_name

PLACES = [f"at-{place}" for place in range(1, 8)]


def shown(report: Report) -> Part:
    """The picture."""
    return Rendered(report)["index.html"].one(".glance")


def rows(picture: Part) -> list[Part]:
    """Those of the captures, under the names of the depths."""
    return picture.all(".glance-row")[1:]


def depths(picture: Part) -> list[Part]:
    """Their names; each has its place where depths are rows, as a class."""
    return picture.all(".glance-row")[0].all("[class^=at-]")


@pytest.fixture(scope="module")
def compared() -> Part:
    return shown(compared_report())


# --- which depths ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("telling", "n_depths", "depths"),
    [
        ((11, 12, 29, 30), 31, (0, 6, 11, 12, 21, 29, 30)),  # the sample: embedding, 5, 10, 11, 20, 28, 29
        ((2, 3, 11, 12), 13, (0, 2, 3, 5, 7, 11, 12)),
        ((), 31, (0, 4, 8, 15, 19, 23, 30)),
        ((4,), 7, (0, 1, 2, 3, 4, 5, 6)),
        ((), 2, (0, 1)),
        ((), 1, (0,)),
    ],
)
def test_middles_fill_the_widest_gaps(telling: tuple[int, ...], n_depths: int, depths: tuple[int, ...]) -> None:
    assert spread(telling, n_depths, N_DEPTHS) == depths


@given(data=st.data(), n_depths=st.integers(1, 130))
def test_ends_and_what_tells_something_are_always_shown(data: st.DataObject, n_depths: int) -> None:
    telling = data.draw(st.lists(st.integers(0, n_depths - 1), max_size=5))
    depths = spread(telling, n_depths, N_DEPTHS)
    assert {0, n_depths - 1, *telling} <= set(depths)
    assert len(depths) == min(N_DEPTHS, n_depths)
    assert all(one < other for one, other in pairwise(depths))


def test_a_break_is_marked_and_comes_first_on_phones(compared: Part) -> None:
    chosen = present(choice(compared_report()))
    assert [row.states.context.name for row in chosen.rows] == ["alone", "alone-mean", "sentence"]
    assert (chosen.projection, chosen.marked) == ("centered", 12)
    assert {0, 11, 12, 30} <= set(chosen.depths)
    assert chosen.near[:2] == (11, 12)
    assert len(chosen.near) == 3
    assert compared.texts("b") == ["layer 11"]
    by_place = {name["class"]: name.text for name in depths(compared)}
    assert sorted(by_place) == PLACES
    assert [by_place[place] for place in PLACES[:3]] == [depth_name(depth) for depth in chosen.near]


def test_without_a_break_the_depths_are_those_where_categories_hold_best_and_least() -> None:
    _, encoder, _ = sample_report().models
    report = replace(sample_report(), models=(replace(encoder, contexts=encoder.contexts[1:]),))
    chosen, best = present(choice(report)), present(lead(report))
    purity = present(best.context.geometry).purity.value
    assert {0, best.depth, int(np.nanargmin(purity)), len(purity) - 1} <= set(chosen.depths)
    assert choice(one_depth_report()) is None


@pytest.mark.parametrize("best", [0, 3, 6])
def test_the_depth_of_the_sentence_is_marked_and_on_a_phone_among_the_first_three(best: int) -> None:
    report = holding_best(best)
    said, chosen, picture = present(lead(report)), present(choice(report)), shown(report)
    assert said.is_announced
    assert chosen.marked == said.depth == best
    assert len(chosen.near) == 3
    assert best in chosen.near
    assert [bool(name.all("b")) for name in depths(picture)] == [depth == best for depth in chosen.depths]
    in_order = [name["class"] for name in depths(picture)] == PLACES
    assert (picture.get("data-parted") is None) == in_order


def holding_best(best: int) -> Report:
    """Of an encoder whose categories hold best at a depth, and are shown to at all."""
    _, encoder, _ = sample_report().models
    context = encoder.contexts[1]
    geometry = present(context.geometry)
    purity = geometry.purity
    value = np.where(np.arange(7) == best, 0.9, 0.5)
    measure = replace(
        purity,
        value=value,
        above_chance=claiming.decided(np.ones(7, dtype=bool)),
        above_surface=claiming.decided(np.ones(7, dtype=bool)),
    )
    context = replace(context, geometry=replace(geometry, purity=measure))
    return replace(sample_report(), models=(replace(encoder, contexts=(context,)),))


# --- plots -----------------------------------------------------------------------------------------------------------


def test_both_axes_have_one_scale_and_the_words_fill_the_longer_one() -> None:
    random = np.random.default_rng(1)
    for size in ((1.0, 1.0), (7000.0, 12.0), (0.01, 4.0)):
        words = random.normal(size=(50, 2)) * size + (30, -5)
        found, span = placed(words, np.ones(50, dtype=bool))
        across, up = (np.polyfit(words[:, axis], found[:, axis], 1)[0] for axis in (0, 1))
        assert across == pytest.approx(-up, rel=1e-9)
        assert span == pytest.approx(np.ptp(words, axis=0).max())
        reach, room = np.ptp(found, axis=0), np.array([WIDTH, HEIGHT]) - 2 * PAD
        assert (reach / room).max() == pytest.approx(1)
        assert found.min() >= PAD - 1e-9


def test_words_that_do_not_set_the_scale_may_be_left_out_and_one_place_is_one_place() -> None:
    words = np.array([[0.0, 0.0], [1.0, 0.5], [100.0, 0.0], [0.5, 0.2]])
    found, span = placed(words, np.array([True, True, False, True]))
    assert span == 1
    assert np.isnan(found[2]).all()
    assert np.isfinite(found[[0, 1, 3]]).all()
    found, span = placed(np.full((3, 2), 7.7), np.ones(3, dtype=bool))
    assert span == 0
    assert (found == (WIDTH / 2, (HEIGHT) / 2)).all()


def test_every_plot_of_the_page_is_true_to_scale(compared: Part) -> None:
    report = compared_report()
    chosen = present(choice(report))
    for row, captured in zip(rows(compared), chosen.rows, strict=True):
        projection = chosen.shown(captured).projection
        for plot, depth in zip(row.all("a"), chosen.depths, strict=True):
            drawn = np.concatenate([[each.split() for each in _vertices(words["d"])] for words in plot.all("path")])
            reach = np.ptp(drawn.astype(float), axis=0)
            spans = np.ptp(projection.coordinates[depth][projection.reference], axis=0)
            scale = reach.max() / spans[reach.argmax()]
            assert reach == pytest.approx(spans * scale, abs=1.5)  # in units of a plot, whole numbers
            assert len({words["marker-mid"] for words in plot.all("path")}) == len(report.words.categories)


def _vertices(path: str) -> list[str]:
    return re.findall(r"\d+ \d+", path)


def test_plots_lead_to_their_places(compared: Part) -> None:
    place = present(choice(compared_report())).depths.index(12)
    plots = [row.all("a")[place] for row in rows(compared)]
    assert [plot["href"] for plot in plots] == [
        "models/smol-30/index.html#alone/layer-11/centered",
        "models/smol-30/index.html#alone-mean/layer-11",  # drawn in the first projection only
        "models/smol-30/index.html#sentence/layer-11/centered",
    ]
    assert [plot.one("svg")["aria-label"].split(":")[0] for plot in plots] == ["Layer 11"] * 3


def test_of_many_words_some_are_drawn_and_the_caption_says_so() -> None:
    picture = shown(large_report(n_words=1500, n_layers=3))
    n_drawn = sum(len(_vertices(words["d"])) for words in rows(picture)[0].all("a")[0].all("path"))
    assert 300 < n_drawn <= 400
    assert "Shown are 400 of 1,500" in picture.one("figcaption").plain


# --- sentences -------------------------------------------------------------------------------------------------------


def test_each_row_has_a_sentence_and_the_first_is_the_findings(compared: Part) -> None:
    report = compared_report()
    said, chosen = present(lead(report)), present(choice(report))
    first, second, third = compared.texts("figcaption li")
    finding_claims.check_rows(said, chosen)
    assert first.startswith("Alone: at layer 11 one direction holds 99.7")
    assert second.startswith("Alone, two neurons held constant: at layer 11 one direction holds 20.0")
    assert third.startswith("In a sentence: at layer 11")
    meant = catalogue.text(*what_is_meant(said, chosen))
    assert ("Variance: " in meant, "Neighbors are" in meant, "norm" in meant) == (True, True, False)


def test_nothing_is_said_of_categories_where_none_hold() -> None:
    _, encoder, _ = sample_report().models
    contexts = []
    for context in encoder.contexts:
        geometry = present(context.geometry)
        claim = replace(geometry.purity.above_chance, holds=np.zeros(context.states.n_depths, dtype=bool))
        contexts.append(
            replace(context, geometry=replace(geometry, purity=replace(geometry.purity, above_chance=claim)))
        )
    report = replace(sample_report(), models=(replace(encoder, contexts=tuple(contexts)),))
    assert present(lead(report)).sentence == "No grouping of the words by these categories is shown."
    assert present(choice(report)).rows == report.models[0].contexts, "none of them is best"
    picture = shown(report)
    (sentence,) = picture.texts("figcaption li")
    assert "jumps" in sentence
    assert "categor" not in sentence
    caption = picture.one("figcaption").text
    assert caption.endswith("Neighbors are counted in all dimensions, each scaled to the same standard deviation.")
    assert len(rows(picture)) == 2
