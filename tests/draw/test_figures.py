"""What a reader sees in plates, and what holds for all pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command import done, python
from matplotlib import colors
from matplotlib.text import Text
from picture_fixture import (
    clustered,
    digests,
    extents,
    grid,
    labels,
    marks,
    overlapping_pairs,
    pixels,
    plate,
    points,
    spines,
    texts,
)

from tokviz.draw import draw_image, encode, figures, legend, sheet
from tokviz.draw.labels import spread_out
from tokviz.draw.plate_form import MOST_LABELS
from tokviz.draw.sheet import ticks
from tokviz.records import Grid, Marks, Plate, Strip

ROOT = Path(__file__).parents[2]

# --- plates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "size"), [("wide", (1500, 1200)), ("phone", (716, 1000))])
def test_a_plate_has_its_size(form: str, size: tuple[int, int]) -> None:
    height, width, _ = pixels(figures.draw(plate(form=form))).shape
    assert (width, height) == size


@pytest.mark.parametrize("form", ["wide", "phone"])
def test_only_points_move_between_plates_of_a_model(form: str) -> None:
    quiet = plate(form=form)
    of = points(elsewhere=(3,))
    far = clustered(of, seed=1) * 1000
    far[3] *= 50
    wild = plate(of, far, form=form, context="in a sentence", depth="embedding")
    for first, second in zip(spines(figures.draw(quiet)), spines(figures.draw(wild)), strict=True):
        assert len(first) == {"wide": 1, "phone": 2}[form]
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("tightness", "least"), [(0.03, 90), (0.15, 90), (1.0, 116)])
def test_words_are_named_where_they_have_space_and_no_two_labels_overlap(
    seed: int, tightness: float, least: int
) -> None:
    of = points(elsewhere=(7,))
    figure = figures.draw(plate(of, clustered(of, seed, tightness)))
    named = labels(figure, of)
    assert len(named) >= least
    assert overlapping_pairs(extents(list(named.values()))) == 0


@pytest.mark.parametrize("form", ["wide", "phone"])
def test_each_mark_stands_where_its_word_lies_in_the_color_of_its_category(form: str) -> None:
    """Four words of four categories at known places: PC1 to the right, PC2 upwards, both linear."""
    of, coordinates = points(n_words=4, n_categories=4), np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 5.0], [3.0, 2.0]])
    drawn = [
        (np.asarray(each.get_offsets())[0], tuple(np.asarray(each.get_facecolor())[0]))
        for each in marks(figures.draw(plate(of, coordinates, form=form)))
    ]
    (words, legend), n_words = (drawn[:4], drawn[4:]), len(of.words)
    assert [color for _, color in words] == [color for _, color in legend]
    assert len({color for _, color in words}) == n_words
    places = np.array([place for place, _ in words])
    across, up = places[1] - places[0], places[2] - places[0]
    assert across[0] > 200
    assert across[1] == pytest.approx(0)
    assert up[1] < -200
    assert up[0] == pytest.approx(0)
    np.testing.assert_allclose(places[3], places[0] + 0.3 * across + 0.4 * up, atol=1)


@pytest.mark.parametrize("seed", range(4))
def test_phone_labels_overlap_neither_each_other_nor_any_mark(seed: int) -> None:
    of = points()
    coordinates = clustered(of, seed)
    figure = figures.draw(plate(of, coordinates, form="phone"))
    named = labels(figure, of)
    boxes = extents(list(named.values()))
    assert 25 < len(named) < len(of.words)
    assert overlapping_pairs(boxes) == 0
    places = np.concatenate([collection.get_offsets() for collection in marks(figure)])
    assert len(places) == len(of.words) + len(of.categories)
    inside = (boxes[:, None, :2] < places) & (places < boxes[:, None, 2:])
    assert not inside.all(axis=2).any()


@pytest.mark.slow
def test_a_thousand_words_thin_out_to_labels_that_are_spread_and_counted() -> None:
    of = points(n_words=1000)
    coordinates = clustered(of, tightness=0.4)
    figure = figures.draw(plate(of, coordinates))
    named = labels(figure, of)
    assert 100 < len(named) <= 240
    assert overlapping_pairs(extents(list(named.values()))) == 0
    assert {of.words[coordinates[:, axis].argmax()] for axis in (0, 1)} <= set(named)
    said = " ".join(texts(figure))
    assert f"{len(named)} of 1,000 words" in said.replace("\n", " ")
    assert labels(figures.draw(plate(of, coordinates)), of).keys() == named.keys()


def test_as_many_words_as_a_wide_plate_names_all_have_their_space_where_they_are_spread() -> None:
    of = points(n_words=MOST_LABELS)
    figure = figures.draw(plate(of, np.random.default_rng(1).uniform(size=(MOST_LABELS, 2))))
    assert len(labels(figure, of)) == MOST_LABELS
    assert not any("words are named" in text for text in texts(figure))


def test_a_plate_can_do_without_labels() -> None:
    of = points()
    figure = figures.draw(plate(of, labelled=False))
    assert not labels(figure, of)
    assert not any("words are named" in text for text in texts(figure))


@pytest.mark.parametrize("form", ["wide", "phone"])
def test_a_distant_word_is_named_at_the_margin_and_does_not_set_the_limits(form: str) -> None:
    of = points(n_words=40, elsewhere=(0,))
    coordinates = clustered(of)
    ticks_before = texts(figures.draw(plate(of, coordinates, form=form))).keys() - set(of.words)
    coordinates[0] = (1e6, coordinates[1:, 1].mean())
    figure = figures.draw(plate(of, coordinates, form=form))
    assert f"{of.words[0]} →" in texts(figure)
    numbers = {text for text in ticks_before if text.lstrip("−").replace(",", "").isdigit()}
    assert numbers <= texts(figure).keys()
    assert "beyond the axes" in " ".join(texts(figure))


@pytest.mark.parametrize(
    ("several", "elsewhere", "note"),
    [
        ((), (), None),
        ((1,), (), "several tokens"),
        ((), (1,), "read at a different position"),
        ((1,), (1,), "several tokens and read at a different position"),
        ((1, 2), (1,), "several tokens or read at a different position"),
    ],
)
def test_hollow_marks_are_explained(several: tuple[int, ...], elsewhere: tuple[int, ...], note: str | None) -> None:
    tokens = np.zeros(116, bool)
    tokens[list(several)] = True
    of = points(elsewhere=elsewhere, several_tokens=tokens)
    assert legend.hollow_note(of) == note
    figure = figures.draw(plate(of, labelled=False))
    said = " ".join(texts(figure))
    assert (f"hollow: {note}".split()[1] in said) == (note is not None)
    hollow = [mark for mark in marks(figure) if (np.asarray(mark.get_facecolor()) == 1).all()]
    assert sum(len(np.asarray(mark.get_offsets())) for mark in hollow) == len({*several, *elsewhere})


def test_a_word_of_two_categories_shows_both() -> None:
    of = points(n_words=2, n_categories=2, memberships=((0, 1), (1,)))
    picture = pixels(figures.draw(plate(of, np.array([[0.0, 0], [1, 1]]))))
    area = picture[72:1140, 90:1280].reshape(-1, 3)
    for category, least in ((0, 20), (1, 60)):
        hue = np.round(np.array(colors.to_rgb(Marks().hue(category))) * 255)
        assert (np.abs(area - hue).max(axis=1) <= 2).sum() > least


def test_a_dollar_sign_is_a_dollar_sign() -> None:
    words = ("$x$", "a$b", "$\\frac{", "plain")
    of = points(n_words=4, n_categories=2, words=words, categories=("$5", "C$"))
    figure = figures.draw(plate(of, np.array([[0.0, 0], [1, 1], [2, 0], [3, 1]]), model="$model$", context="$"))
    assert set(words) <= texts(figure).keys()
    assert encode.encode(figure)
    assert (pixels(figure) < 255).any()


@pytest.mark.slow
@pytest.mark.parametrize("n_categories", [1, 9, 24, pytest.param(60, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("form", ["wide", "phone"])
def test_the_legend_is_beside_the_points_and_within_the_picture(form: str, n_categories: int) -> None:
    named = tuple(f"Category {index}, with a label that is very long" for index in range(n_categories))
    of = points(n_words=120, n_categories=n_categories, categories=named)
    figure = figures.draw(plate(of, form=form, labelled=False))
    written = [artist for text, artist in texts(figure).items() if text.startswith("Cat")]
    boxes = extents(written)
    assert len(written) == 1 if n_categories == 1 else len(figure.findobj(Text)) > n_categories
    assert (boxes >= 0).all()
    assert (boxes[:, 2] <= figure.bbox.width).all()
    assert (boxes[:, 3] <= figure.bbox.height).all()
    rows, _ = spines(figure)
    if form == "wide":
        assert (boxes[:, 0] > 1280).all()
    else:
        assert (boxes[:, 1] > rows.max()).all()


@pytest.mark.slow
def test_long_model_names_stay_in_the_picture() -> None:
    model = "an-organisation-with-a-long-name/" + "a-model-with-a-very-long-name-" * 8
    for form in ("wide", "phone"):
        figure = figures.draw(plate(form=form, model=model))
        title = next(artist for text, artist in texts(figure).items() if text.startswith("an-org"))
        assert "…" in title.get_text()
        assert extents([title])[0, 2] <= figure.bbox.width
        assert any("layer 11" in text for text in texts(figure))


@pytest.mark.parametrize("form", ["wide", "phone", "draft"])
def test_pasted_text_looks_as_matplotlib_draws_it(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = (
        "AVAWAy",
        "jjj",
        "firefighter",
        "−24,000",
        "Ὀδυσσεύς",
        "Ёлка",
        "שלום",
        "العربية",
        "(שלום)",
        "e\u0301 a\u0323",
    )
    of = points(n_words=10, n_categories=1, words=words)
    figure = figures.draw(plate(of, form=form))
    pasted = pixels(figure).astype(int)
    monkeypatch.setattr(sheet, "RendererAgg", type(None))
    away = np.abs(pasted - pixels(figure)).max(axis=2)
    assert (pasted < 255).any()
    assert away.max() <= 64, "only where two letters overlap, one covers the other a little less"
    assert (away > 4).sum() <= 100


def test_axes_are_named_with_their_share_of_the_variance() -> None:
    said = {" ".join(text.split()) for text in texts(figures.draw(plate()))}
    assert {"PC1 12.3 %", "PC2 5.0 %"} <= said


@pytest.mark.parametrize("scale", [1e-9, 0.01, 1.0, 1e5, 1e9])
@pytest.mark.parametrize("form", ["wide", "phone"])
def test_tick_labels_are_few_and_stay_in_the_picture(scale: float, form: str) -> None:
    of = points()
    figure = figures.draw(plate(of, clustered(of) * scale, form=form, labelled=False))
    boxes = extents(list(texts(figure).values()))
    assert (boxes[:, 0] >= 0).all()
    assert (boxes[:, 2] <= figure.bbox.width).all()


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-24_500, 31_000, ["−20,000", "0", "20,000"]),
        (-0.3, 0.9, ["0.0", "0.5"]),
        (-3, 17, ["0", "5", "10", "15"]),
        (-1.1e7, 2.1e7, ["−1×10⁷", "0", "1×10⁷", "2×10⁷"]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, expected: list[str]) -> None:
    assert [text for _, text in ticks(low, high)] == expected


@pytest.mark.parametrize("form", ["wide", "phone"])
@pytest.mark.parametrize(
    "coordinates",
    [
        np.zeros((3, 2)),
        np.full((3, 2), 1e5),
        np.array([[0.0, 5], [1, 5], [2, 5]]),
        np.array([[1e5, 0], [0, 1], [0, 0]]),
    ],
)
def test_odd_coordinates_are_drawn(coordinates: np.ndarray, form: str) -> None:
    of = points(n_words=3, n_categories=1)
    figure = figures.draw(plate(of, coordinates, form=form))
    assert len(labels(figure, of)) == 3


def test_one_word_is_drawn() -> None:
    of = points(n_words=1, n_categories=1)
    assert len(labels(figures.draw(plate(of, np.zeros((1, 2)))), of)) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_coordinates_that_are_not_finite_are_refused(value: float) -> None:
    coordinates = clustered(points())
    coordinates[4, 1] = value
    with pytest.raises(ValueError, match="layer 11: expected finite coordinates"):
        figures.draw(plate(coordinates=coordinates))


@pytest.mark.parametrize("picture", [plate(form="poster"), grid(3, form="poster")])
def test_an_unknown_form_is_refused(picture: Plate | Grid) -> None:
    with pytest.raises(ValueError, match="expected one of wide, phone"):
        figures.draw(picture)


def test_farthest_points_come_first_and_each_once() -> None:
    coordinates = np.array([[0.0, 0], [0.1, 0], [10, 0], [0, 10], [0, 0]])
    assert set(spread_out(coordinates, 3)) >= {2, 3}
    assert sorted(spread_out(coordinates, 5)) == [0, 1, 2, 3, 4]


# --- all -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.process
def test_the_same_picture_has_the_same_bytes_in_every_process_and_drawing_it_leaves_no_global_state() -> None:
    code = "import sys; sys.path.insert(0, 'tests/draw'); import picture_fixture; print(*picture_fixture.digests(), *sys.modules)"
    expected = digests()
    printed = done(python("-c", code)).split()
    assert printed[: len(expected)] == expected
    assert {"tokviz.draw.figures", "tokviz.draw.encode"} <= set(printed)
    assert "matplotlib.pyplot" not in printed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("picture", "most"), [(plate(form="svg"), 260), (grid(31, "svg"), 1100)], ids=["plate", "grid"]
)
def test_a_drawing_shows_what_the_wide_picture_does(picture: Plate | Grid, most: int) -> None:
    wide, drawing = figures.draw(replace(picture, form="wide")), figures.draw(picture)
    assert texts(wide).keys() == texts(drawing).keys()
    np.testing.assert_array_equal(pixels(wide), pixels(drawing))
    title, description = figures.described(picture)
    data = encode.encode_svg(drawing, title, description)
    assert encode.size(data) == pixels(wide).shape[1::-1]
    assert len(data) <= most * 1024
    assert title.startswith("SmolLM2")
    assert "116 words in 9 categories" in description
    for share in picture.explained_variance_ratio:
        assert f"{100 * share:.1f} %" in description


@pytest.mark.parametrize(
    ("picture", "most"),
    [
        (plate(), 70),
        (plate(form="phone"), 30),
        (grid(31), 300),
        (grid(31, "phone"), 125),
        (Strip(form="wide", points=points(), coordinates=grid(31).coordinates), 40),
        (Strip(form="phone", points=points(), coordinates=grid(31).coordinates), 20),
    ],
    ids=["plate", "plate-phone", "grid", "grid-phone", "strip", "strip-phone"],
)
def test_pictures_are_light(picture: Plate | Grid | Strip, most: int) -> None:
    assert len(draw_image(picture)) <= most * 1024
