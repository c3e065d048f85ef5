"""What a reader sees in plates, grids and strips."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import colors
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.textpath import TextPath
from narrow import present

from tokviz.draw import encode, figures, legend, style
from tokviz.draw.density import landmarks
from tokviz.draw.labels import spread_out
from tokviz.draw.sheet import ticks
from tokviz.records import Grid, Plate, Points, Strip

ROOT = Path(__file__).parents[2]
SYLLABLES = ("ka", "ber", "lin", "to", "ris", "men", "sa", "un", "gol", "ve")
CSS_WIDTH = 358
"""Of a picture on a phone with a 390-pixel screen."""


def points(n_words: int = 116, n_categories: int = 9, elsewhere: tuple[int, ...] = (), **changes: Any) -> Points:
    random = np.random.default_rng(5)
    words = tuple("".join(random.choice(SYLLABLES, random.integers(1, 4))) + str(row) for row in range(n_words))
    reference = np.ones(n_words, bool)
    reference[list(elsewhere)] = False
    values = {
        "words": words,
        "memberships": tuple((row * n_categories // n_words,) for row in range(n_words)),
        "categories": tuple(f"Category {index}" for index in range(n_categories)),
        "reference": reference,
        "several_tokens": np.zeros(n_words, bool),
    }
    return Points(**{**values, **changes})


def clustered(of: Points, seed: int = 0, tightness: float = 0.15) -> np.ndarray:
    """Coordinates like a model's: categories in clusters, some of them on top of each other."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(len(of.categories), 2))
    first = [categories[0] for categories in of.memberships]
    return 20 * (centres[first] + tightness * random.normal(size=(len(first), 2)))


def plate(of: Points | None = None, coordinates: np.ndarray | None = None, **changes: Any) -> Plate:
    of = points() if of is None else of
    values = {
        "form": "wide",
        "model": "SmolLM2-135M-Instruct (Q4_1 GGUF)",
        "context": "alone",
        "depth": "layer 11",
        "points": of,
        "coordinates": clustered(of) if coordinates is None else coordinates,
        "explained_variance_ratio": (0.1234, 0.05),
    }
    return Plate(**{**values, **changes})


def grid(n_depths: int = 31, form: str = "wide", of: Points | None = None, **changes: Any) -> Grid:
    of = points() if of is None else of
    values = {
        "form": form,
        "model": "SmolLM2-135M-Instruct",
        "context": "alone",
        "points": of,
        "depths": ("embedding", *(f"layer {layer}" for layer in range(n_depths - 1))),
        "coordinates": np.stack([clustered(of, seed) for seed in range(n_depths)]),
        "problems": (None,) * n_depths,
        "explained_variance_ratio": (0.1, 0.05),
    }
    return Grid(**{**values, **changes})


def texts(figure: Figure) -> dict[str, Text]:
    return {text.get_text(): text for text in figure.findobj(Text) if text.get_text()}


def labels(figure: Figure, of: Points) -> dict[str, Text]:
    return {text: artist for text, artist in texts(figure).items() if text.strip("←↑→↓↖↗↘↙ ") in of.words}


def extents(artists: list[Text]) -> np.ndarray:
    """``(n, 4)``: left, top, right and bottom of each text's ink, from the outlines of its letters."""
    boxes = []
    for artist in artists:
        left, baseline = artist.get_position()
        ink = TextPath((0, 0), artist.get_text().replace("$", "S"), prop=artist.get_fontproperties()).get_extents()
        boxes.append((left + ink.x0, baseline - ink.y1, left + ink.x1, baseline - ink.y0))
    return np.array(boxes)


def marks(figure: Figure) -> list[PathCollection]:
    return [artist for artist in figure.axes[0].collections if isinstance(artist, PathCollection)]


def overlapping_pairs(boxes: np.ndarray) -> int:
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    overlap = ((low < boxes[:, 2:]) & (high > boxes[:, :2])).all(axis=2)
    return int(overlap.sum() - len(boxes)) // 2


def pixels(figure: Figure) -> np.ndarray:
    return encode.rendered(figure)[..., :3]


def spines(figure: Figure) -> tuple[np.ndarray, np.ndarray]:
    """The rows and columns of pixels that the axes' lines fill."""
    drawn = (pixels(figure) == np.round(np.array(colors.to_rgb(style.SPINE)) * 255)).all(axis=2)
    return np.flatnonzero(drawn.mean(axis=1) > 0.5), np.flatnonzero(drawn.mean(axis=0) > 0.4)


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
@pytest.mark.parametrize("tightness", [0.03, 0.15, 1.0])
def test_every_word_is_named_and_no_two_labels_overlap(seed: int, tightness: float) -> None:
    of = points(elsewhere=(7,))
    figure = figures.draw(plate(of, clustered(of, seed, tightness)))
    named = labels(figure, of)
    assert len(named) == len(of.words)
    assert overlapping_pairs(extents(list(named.values()))) == 0


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


def test_phone_text_is_at_least_nine_css_pixels() -> None:
    for form_of in (plate(form="phone"), grid(form="phone")):
        figure = figures.draw(form_of)
        width = figure.get_figwidth() * figure.dpi
        sizes = [
            float(artist.get_fontsize()) * figure.dpi / 72 * CSS_WIDTH / width for artist in texts(figure).values()
        ]
        assert min(sizes) >= 9


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


def test_no_count_where_all_words_are_named() -> None:
    assert not any("words are named" in text for text in texts(figures.draw(plate())))


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
    assert any("beyond the axes" in text for text in texts(figure))


@pytest.mark.parametrize(
    ("several", "elsewhere", "note"),
    [
        ((), (), None),
        ((1,), (), "several tokens"),
        ((), (1,), "read at another position"),
        ((1,), (1,), "several tokens and read at another position"),
        ((1, 2), (1,), "several tokens or read at another position"),
    ],
)
def test_hollow_marks_are_explained(several: tuple[int, ...], elsewhere: tuple[int, ...], note: str | None) -> None:
    tokens = np.zeros(116, bool)
    tokens[list(several)] = True
    of = points(elsewhere=elsewhere, several_tokens=tokens)
    assert legend.hollow_note(of) == note
    said = " ".join(texts(figures.draw(plate(of))))
    assert (f"hollow: {note}".split()[1] in said) == (note is not None)
    hollow = [mark for mark in marks(figures.draw(plate(of))) if (np.asarray(mark.get_facecolor()) == 1).all()]
    assert sum(len(np.asarray(mark.get_offsets())) for mark in hollow) == len({*several, *elsewhere})


def test_a_word_of_two_categories_shows_both() -> None:
    of = points(n_words=2, n_categories=2, memberships=((0, 1), (1,)))
    picture = pixels(figures.draw(plate(of, np.array([[0.0, 0], [1, 1]]))))
    area = picture[84:1136, 80:1262].reshape(-1, 3)
    for category, least in ((0, 20), (1, 60)):
        hue = np.round(np.array(colors.to_rgb(style.hue(category))) * 255)
        assert (np.abs(area - hue).max(axis=1) <= 2).sum() > least


def test_a_dollar_sign_is_a_dollar_sign() -> None:
    words = ("$x$", "a$b", "$\\frac{", "plain")
    of = points(n_words=4, n_categories=2, words=words, categories=("$5", "C$"))
    figure = figures.draw(plate(of, np.array([[0.0, 0], [1, 1], [2, 0], [3, 1]]), model="$model$", context="$"))
    assert set(words) <= texts(figure).keys()
    assert encode.encode(figure)
    dollars = pixels(figures.draw(plate(of, np.array([[0.0, 0], [1, 1], [2, 0], [3, 1]]))))
    assert (dollars < 255).any()


@pytest.mark.parametrize("n_categories", [1, 9, 24, 60])
@pytest.mark.parametrize("form", ["wide", "phone"])
def test_the_legend_is_beside_the_points_and_within_the_picture(form: str, n_categories: int) -> None:
    named = tuple(f"Category {index}, with a label that is very long" for index in range(n_categories))
    of = points(n_words=120, n_categories=n_categories, categories=named)
    figure = figures.draw(plate(of, form=form))
    written = [artist for text, artist in texts(figure).items() if text.startswith("Cat")]
    boxes = extents(written)
    assert len(written) == 1 if n_categories == 1 else len(figure.findobj(Text)) > n_categories
    assert (boxes >= 0).all()
    assert (boxes[:, 2] <= figure.bbox.width).all()
    assert (boxes[:, 3] <= figure.bbox.height).all()
    rows, _ = spines(figure)
    if form == "wide":
        assert (boxes[:, 0] > 1262).all()
    else:
        assert (boxes[:, 1] > rows.max()).all()


def test_long_model_names_stay_in_the_picture() -> None:
    model = "an-organisation-with-a-long-name/" + "a-model-with-a-very-long-name-" * 8
    for form in ("wide", "phone"):
        figure = figures.draw(plate(form=form, model=model))
        title = next(artist for text, artist in texts(figure).items() if text.startswith("an-org"))
        assert "…" in title.get_text()
        assert title.get_window_extent().x1 <= figure.bbox.width
        assert any("layer 11" in text for text in texts(figure))


def test_axes_are_named_with_their_share_of_the_variance() -> None:
    said = {" ".join(text.split()) for text in texts(figures.draw(plate()))}
    assert {"PC1 12.3 %", "PC2 5.0 %"} <= said


@pytest.mark.parametrize("scale", [1e-9, 0.01, 1.0, 1e5, 1e9])
@pytest.mark.parametrize("form", ["wide", "phone"])
def test_tick_labels_are_few_and_stay_in_the_picture(scale: float, form: str) -> None:
    of = points()
    figure = figures.draw(plate(of, clustered(of) * scale, form=form))
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


# --- colours, markers and fonts ------------------------------------------------------------------------------------


def contrast(color: str) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colors.to_rgb(color)]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_marks_and_labels_stand_out_on_white() -> None:
    for category in range(20):
        assert contrast(style.hue(category)) >= 3
        assert contrast(style.label_color(category)) >= 4.5


def test_ninety_categories_differ_in_hue_or_shape() -> None:
    pairs = {(style.hue(index), np.asarray(style.outline(index).vertices).round(6).tobytes()) for index in range(90)}
    assert len(pairs) == 90


# Full dichromacy, Machado et al. 2009, on linear RGB.
SIGHTS = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize("sight", SIGHTS)
def test_hues_are_told_apart_by_all_eyes(sight: str) -> None:
    def oklab(color: str) -> np.ndarray:
        rgb = np.array(colors.to_rgb(color))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        seen = np.clip(np.asarray(SIGHTS[sight]) @ linear, 0, 1)
        cones = np.cbrt(
            np.array([[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]]) @ seen
        )
        lab: np.ndarray = (
            np.array([[0.21045, 0.79362, -0.00407], [1.978, -2.42859, 0.45059], [0.0259, 0.78277, -0.80868]]) @ cones
        )
        return lab

    nearest = min(np.linalg.norm(oklab(a) - oklab(b)) for a, b in combinations(style.HUES, 2))
    assert nearest > 0.1


def test_marks_have_equal_weight() -> None:
    def ink(category: int) -> int:
        of = points(n_words=1, n_categories=10, memberships=((category,),))
        picture = pixels(figures.draw(plate(of, np.zeros((1, 2)), labelled=False)))[90:1130, 80:1255]
        return int((255 - picture.min(axis=2).astype(int)).sum() / (255 - min(_rgb(category))))

    inks = [ink(category) for category in range(10)]
    assert max(inks) / min(inks) < 1.45


def _rgb(category: int) -> list[float]:
    return [channel * 255 for channel in colors.to_rgb(style.hue(category))]


def test_farthest_points_come_first_and_each_once() -> None:
    coordinates = np.array([[0.0, 0], [0.1, 0], [10, 0], [0, 10], [0, 0]])
    assert set(spread_out(coordinates, 3)) >= {2, 3}
    assert sorted(spread_out(coordinates, 5)) == [0, 1, 2, 3, 4]


# --- the grid ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["wide", "phone"])
@pytest.mark.parametrize("n_depths", [1, 7, 31, 120, 400])
def test_a_grid_has_a_panel_for_each_depth_and_fits_webp(form: str, n_depths: int) -> None:
    picture = grid(n_depths, form, points(n_words=12, n_categories=3))
    figure = figures.draw(picture)
    assert figure.bbox.height <= 16_383
    assert set(picture.depths) <= texts(figure).keys()
    boxes = extents(list(texts(figure).values()))
    assert (boxes[:, 2] <= figure.bbox.width).all()
    assert (boxes[:, 3] <= figure.bbox.height).all()


def test_a_grid_shows_where_the_spread_jumps() -> None:
    of = points()
    base = clustered(of)
    picture = grid(4, of=of, coordinates=np.stack([base, base * 1.5, base * 150, base * 160]))
    written = texts(figures.draw(picture))
    assert {"×1.5", "×150", "×160"} <= written.keys()
    bold = {text for text, artist in written.items() if artist.get_fontproperties().get_weight() == "bold"}
    assert {"layer 1", "×150"} <= bold
    assert not {"layer 0", "×1.5", "layer 2", "×160"} & bold


def test_a_depth_that_cannot_be_shown_says_why() -> None:
    coordinates = np.stack([clustered(points(), seed) for seed in range(3)])
    coordinates[0] = np.nan
    picture = grid(3, coordinates=coordinates, problems=("narrower than the layers", None, None))
    said = " ".join(texts(figures.draw(picture)))
    assert "narrower" in said
    assert "nan" not in said


def test_a_distant_word_does_not_squash_a_panel() -> None:
    of = points(elsewhere=(0,))
    coordinates = np.stack([clustered(of, seed) for seed in range(3)])
    usual = pixels(figures.draw(grid(3, of=of, coordinates=coordinates)))
    coordinates[1, 0] = (1e7, 1e7)
    moved = pixels(figures.draw(grid(3, of=of, coordinates=coordinates)))
    assert (usual != moved).any(axis=2).mean() < 0.001


# --- strips --------------------------------------------------------------------------------------------------------


def panel_centres(figure: Figure) -> tuple[np.ndarray, float]:
    """The middles of the panels' frames along x, and their side, read off the pixels."""
    picture = pixels(figure)
    frame = (picture == np.round(np.array(colors.to_rgb(style.HAIRLINE)) * 255)).all(axis=2)
    edges = np.flatnonzero(frame.mean(axis=0) > 0.6)
    left, right = edges[::2], edges[1::2]
    return (left + right + 1) / 2, float((right - left + 1).mean())


@pytest.mark.parametrize(
    ("form", "n_depths", "n_panels", "width"),
    [
        ("wide", 31, 31, 2200),
        ("wide", 7, 7, 2200),
        ("wide", 121, 60, 2200),
        ("phone", 31, 9, 1074),
        ("phone", 7, 7, 1074),
    ],
)
def test_panels_of_all_models_stand_on_one_axis_of_depth(form: str, n_depths: int, n_panels: int, width: int) -> None:
    of = points(n_words=20)
    figure = figures.draw(
        Strip(form=form, points=of, coordinates=np.stack([clustered(of, s) for s in range(n_depths)]))
    )
    assert figure.bbox.width == width
    centres, side = panel_centres(figure)
    pad = 0.044 * width
    assert len(centres) == n_panels
    assert centres[0] == pytest.approx(pad, abs=1)
    assert centres[-1] == pytest.approx(width - pad, abs=1)
    relative = (centres - pad) / (width - 2 * pad) * (n_depths - 1)
    shown = np.linspace(0, n_depths - 1, n_panels)
    np.testing.assert_allclose(relative, shown, atol=0.04 * n_depths / 7)
    np.testing.assert_allclose(np.diff(centres), np.diff(centres).mean(), atol=1.5)
    assert side == pytest.approx(min(2 * pad, 0.94 * (width - 2 * pad) / (n_panels - 1)), abs=1)
    assert not texts(figure)


def test_a_strip_leaves_depths_without_coordinates_empty() -> None:
    of = points(n_words=20)
    coordinates = np.stack([clustered(of, seed) for seed in range(3)])
    coordinates[1] = np.nan
    figure = figures.draw(Strip(form="phone", points=of, coordinates=coordinates))
    assert len(panel_centres(figure)[0]) == 3


# --- all -----------------------------------------------------------------------------------------------------------

SCRIPT = """
import hashlib, sys
sys.path[:0] = ["tests/draw", "tests", "."]
import numpy as np
import test_figures as t
from tokviz.draw import encode, figures
of = t.points()
coordinates = np.stack([t.clustered(of, seed) for seed in range(3)])
pictures = [t.plate(), t.plate(form="phone"), t.grid(3), t.Strip(form="wide", points=of, coordinates=coordinates)]
for picture in pictures:
    print(hashlib.sha256(encode.encode(figures.draw(picture))).hexdigest())
drawing = t.plate(form="svg")
print(hashlib.sha256(encode.encode_svg(figures.draw(drawing), *figures.described(drawing))).hexdigest())
"""


def test_the_same_picture_has_the_same_bytes_in_every_process() -> None:
    runs = [
        subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert len(runs[0].split()) == 5
    assert runs[0] == runs[1]


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


def test_drawing_leaves_no_global_state() -> None:
    code = "import sys; sys.path.insert(0, '.'); import tokviz.draw.figures, tokviz.draw.encode; print('matplotlib.pyplot' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


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
    assert len(encode.encode(figures.draw(picture))) <= most * 1024


# --- thousands of words ----------------------------------------------------------------------------------------------


def written(figure: Figure) -> list[str]:
    return [artist.get_text() for artist in figure.findobj(Text) if artist.get_text()]


def shades(figure: Figure) -> list[PolyCollection]:
    """The hexagons of each panel; the boxes behind labels and the scale count nothing."""
    return [found for found in figure.findobj(PolyCollection) if found.get_array() is not None]


def test_thousands_of_words_are_shown_by_their_density_with_landmarks_of_every_category() -> None:
    of = points(4000)
    coordinates = clustered(of, tightness=0.6)
    coordinates[17] = 1e6
    figure = figures.draw(plate(of, coordinates))
    (hexagons,) = shades(figure)
    counts = present(hexagons.get_array())
    assert counts.sum() >= 0.99 * 4000
    named = [word for word in written(figure) if word in of.words]
    assert {of.memberships[of.words.index(word)] for word in named} == set(of.memberships)
    assert f"{len(named)} of 4,000 words are named" in " ".join(written(figure))
    assert f"1 to {counts.max():,.0f} words" in written(figure)
    # One word far off doesn't squash the rest.
    assert max(float(text.replace("−", "-")) for text in written(figure) if text.lstrip("−").isdigit()) < 1000


def test_the_same_landmarks_stand_at_every_depth() -> None:
    of = points(4000)
    marked = landmarks(of, 90)
    assert len(marked) == 90
    assert sorted(np.bincount(of.first[marked])) == [10] * 9
    few = points(4000, memberships=tuple((row,) if row < 9 else () for row in range(4000)))
    assert landmarks(few, 90).tolist() == list(range(9))


def test_without_categories_frequent_tokens_that_read_as_words_are_the_landmarks() -> None:
    words = tuple(f" word{'abc'[row % 3]}{'xyz'[row % 7 % 3]}" if row % 2 else f"##{row}" for row in range(6000))
    of = points(6000, words=words, memberships=((),) * 6000, categories=())
    marked = landmarks(of, 50)
    assert len(marked) == 50
    assert all(of.words[row].startswith(" word") and row < 5000 for row in marked)
    coordinates = np.random.default_rng(0).normal(size=(6000, 2))
    for form in ("wide", "phone"):
        figure = figures.draw(plate(of, coordinates, form=form))
        assert len(shades(figure)) == 1
        assert any(text.startswith("word") for text in written(figure))


def test_grids_and_strips_of_thousands_show_densities_too() -> None:
    of = points(4000)
    coordinates = np.stack([clustered(of, seed) for seed in range(3)])
    strip = figures.draw(Strip(form="wide", points=of, coordinates=coordinates))
    assert [present(found.get_array()).sum() for found in shades(strip)] == pytest.approx([4000] * 3, rel=0.02)
    grid = Grid(
        form="wide",
        model="m",
        context="alone",
        points=of,
        depths=("embedding", "layer 0", "layer 1"),
        coordinates=coordinates,
        problems=(None,) * 3,
        explained_variance_ratio=(0.2, 0.1),
    )
    figure = figures.draw(grid)
    assert len(shades(figure)) == 3
    assert any("Shades" in text for text in written(figure))
