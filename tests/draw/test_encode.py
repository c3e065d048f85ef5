"""Figures become lossless WebP in few colours, or SVG."""

from __future__ import annotations

from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from narrow import present
from PIL import Image

from tokviz.draw import encode


def figure(width: int = 300, height: int = 200, colorful: bool = True) -> Figure:
    drawn = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="white")
    if colorful:
        axes = drawn.add_axes((0.2, 0.2, 0.6, 0.6))
        axes.imshow(np.linspace(0, 1, 400).reshape(20, 20), cmap="viridis")
        axes.set_title("a title")
    return drawn


def decoded(data: bytes) -> np.ndarray:
    with Image.open(BytesIO(data)) as image:
        assert image.format == "WEBP"
        return np.asarray(image.convert("RGB"))


def test_what_is_decoded_is_what_was_encoded() -> None:
    drawn = figure()
    np.testing.assert_array_equal(decoded(encode.encode(drawn)), encode.few_colors(encode.render(drawn))[..., :3])


def test_few_colors_near_the_true_ones_and_paper_stays_white() -> None:
    drawn = figure()
    true, kept = encode.render(drawn)[..., :3].astype(int), decoded(encode.encode(drawn)).astype(int)
    assert len(np.unique(kept.reshape(-1, 3), axis=0)) <= 128
    np.testing.assert_array_equal((true == 255).all(axis=2), (kept == 255).all(axis=2))
    assert np.abs(true - kept).mean() < 2


def test_a_picture_of_few_colors_is_kept_exactly() -> None:
    drawn = Figure(figsize=(1, 1), dpi=72, facecolor="#3a8ff6")
    assert (decoded(encode.encode(drawn)) == (0x3A, 0x8F, 0xF6)).all()


def test_blank_paper() -> None:
    assert (decoded(encode.encode(figure(colorful=False))) == 255).all()


@pytest.mark.parametrize("size", [(300, 200), (1500, 1200), (716, 1000)])
def test_size_is_read_from_the_bytes(size: tuple[int, int]) -> None:
    assert encode.size(encode.encode(figure(*size))) == size


def test_the_same_figure_gives_the_same_bytes() -> None:
    assert encode.encode(figure()) == encode.encode(figure())


def test_no_metadata() -> None:
    with Image.open(BytesIO(encode.encode(figure()))) as image:
        assert not image.info.get("exif")
        assert not image.info.get("xmp")
        assert not image.info.get("icc_profile")


# --- SVG -----------------------------------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"


def figure_with_words() -> Figure:
    """Words that XML, or the comments in it, could trip over."""
    drawn = figure(1500, 1200, colorful=False)
    for row, word in enumerate(("James", "a--b-", "<b>&amp;", "]]>", "$x$", "שלום")):
        drawn.text(0.1, 0.1 * (row + 1), word, parse_math=False)
    return drawn


def test_a_drawing_says_what_it_is_and_has_outlines_for_letters() -> None:
    data = encode.encode_svg(figure_with_words(), "Tiny <1> · alone", "6 words & a line")
    ElementTree.fromstring(
        encode.encode_svg(figure_with_words(), "\x07\ufffe", "\ud800")
    )  # characters that XML refuses
    root = ElementTree.fromstring(data)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    elements = [present(root.find(f"{SVG}{tag}")) for tag in ("title", "desc")]
    named = {element.get("id"): element.text for element in elements}
    assert named[root.get("aria-labelledby")] == "Tiny <1> · alone"
    assert named[root.get("aria-describedby")] == "6 words & a line"
    assert not list(root.iter(f"{SVG}text"))
    assert len(list(root.iter(f"{SVG}use"))) > 10


def test_a_drawings_size_is_in_pixels() -> None:
    data = encode.encode_svg(figure_with_words(), "t", "d")
    assert encode.size(data) == (1500, 1200)
    assert ElementTree.fromstring(data).get("viewBox") == "0 0 1500 1200"


def test_a_drawing_names_no_host_no_date_and_no_program() -> None:
    text = encode.encode_svg(figure_with_words(), "t", "d").decode()
    for namespace in ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"):
        text = text.replace(f'="{namespace}"', "")
    for word in ("http", "//", "DOCTYPE", "atplotlib", "rdf", "<image"):
        assert word not in text


def test_the_same_drawing_has_the_same_bytes() -> None:
    first, second = (encode.encode_svg(figure_with_words(), "t", "d") for _ in range(2))
    assert first == second
