"""The explorer in the dark theme: its ground and colors, in SVG, on the canvas, and saved; and what stays light."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import numpy as np
import pytest
from browser import COUNT_SHIFTS, OpenAt, OpenPage, layout_shift, wait_until_quiet
from explore_page import explorer
from narrow import present
from PIL import Image
from playwright.sync_api import Page, expect

from tokviz.records import look

CSS = (Path(__file__).parents[2] / "templates" / "assets" / "plates" / "plate.css").read_text(encoding="utf-8")
Theme = Literal["light", "dark"]
Color = tuple[int, ...]
THEMES: tuple[Theme, ...] = ("light", "dark")
STATE = "#a=smol-30/alone/standardized&at=layer-11&pin=word0a,word1b&word=word2c"

COLORS = """() => {
    const of = (selector, property) => [...document.querySelectorAll(selector)].map((each) => getComputedStyle(each)[property]);
    const marks = [...document.querySelectorAll('.plot-marks > g > path:first-child')].map((path) => {
        const { fill, stroke } = getComputedStyle(path);
        return path.classList.contains('hollow') ? stroke : fill;
    });
    const card = '.explore-card :is(button, select, p, legend, label span, strong, code)';
    return {
        ground: of('.explore-card', 'backgroundColor'), marks,
        legend: of('.legend svg path', 'fill'), pins: of('.pins svg path:first-child', 'fill'),
        trails: of('.trails path', 'stroke'), names: of('.plot-over .names text, .plot-over .labels text', 'fill'), axes: of('.plot-axes text', 'fill'),
        rims: of('.plot-over .names text', 'stroke'), rings: of('.rings circle', 'stroke'), texts: of(card, 'color'),
    };
}"""
"""What is seen, by part of the card."""

PAINTED = """() => {
    const canvas = document.querySelector('canvas');
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    const counts = {};
    for (let at = 0; at < data.length; at += 4) {
        const color = `rgb(${data[at]}, ${data[at + 1]}, ${data[at + 2]})`;
        if (data[at + 3] === 255) counts[color] = (counts[color] ?? 0) + 1;
    }
    return Object.keys(counts).filter((color) => counts[color] > 20);
}"""
"""The colors of the canvas that more than a few pixels have."""


def rgb(color: str) -> Color:
    """Of `#1a1d21` or `rgb(26, 29, 33)`."""
    if color.startswith("#"):
        return tuple(bytes.fromhex(color[1:] if len(color) == 7 else 2 * color[1:]))
    return tuple(int(number) for number in re.findall(r"\d+", color))


def contrast(one: str, two: str) -> float:
    first, second = ("#" + bytes(rgb(color)).hex() for color in (one, two))
    return look.contrast(first, second)


def pairs(name: str) -> dict[Theme, list[Color]]:
    """The colors of a custom property of `plate.css`, of each category where it has several."""
    found = re.findall(rf"--{name}: light-dark\((#\w+), (#\w+)\)", CSS)
    return dict(zip(THEMES, ([rgb(each) for each in column] for column in zip(*found, strict=True)), strict=True))


HUES = pairs("hue")
NAMES = pairs("name")
GROUND = {theme: ground for theme, [ground] in pairs("plate-ground").items()}


@pytest.fixture
def explore(open_page: OpenPage) -> OpenAt:
    return explorer(open_page)


def assert_in_theme(page: Page, theme: Theme) -> None:
    """Expect a ground, marks and words in the theme's colors, and that all text can be read."""
    wait_until_quiet(page)
    seen: dict[str, list[str]] = page.evaluate(COLORS)
    [ground] = seen["ground"]
    assert rgb(ground) == GROUND[theme]
    n_categories = len(seen["legend"])
    assert [rgb(each) for each in seen["legend"]] == HUES[theme][:n_categories]
    assert {rgb(each) for each in seen["marks"]} == set(HUES[theme][:n_categories])
    assert [rgb(each) for each in seen["pins"]] == HUES[theme][:2]
    assert {rgb(each) for each in seen["trails"]} == set(HUES[theme][:2])
    assert len(seen["names"]) > 3
    assert {rgb(each) for each in seen["names"]} <= set(NAMES[theme])
    assert {rgb(each) for each in seen["rims"]} == {GROUND[theme]}
    for part in ("names", "axes", "texts", "rings"):
        assert {each: contrast(each, ground) for each in seen[part] if contrast(each, ground) < 4.5} == {}, part


def test_the_explorer_has_the_colors_of_the_theme_at_once(explore: OpenAt, site: Path) -> None:
    """Also when the reader or the system changes it, and nothing moves; on paper and in forced colors it is light."""
    page = explore(site, STATE, color_scheme="dark", before=COUNT_SHIFTS)
    assert_in_theme(page, "dark")
    choice = page.get_by_label("Theme")
    choice.select_option("light")
    assert_in_theme(page, "light")
    choice.select_option("system")
    assert_in_theme(page, "dark")
    page.emulate_media(color_scheme="light")
    assert_in_theme(page, "light")
    assert layout_shift(page) == 0
    page.emulate_media(color_scheme="dark", media="print")
    assert_in_theme(page, "light")
    page.emulate_media(media="screen", forced_colors="active")
    assert_in_theme(page, "light")


def assert_painted(page: Page, theme: Theme) -> None:
    wait_until_quiet(page)
    painted = {rgb(each) for each in page.evaluate(PAINTED)}
    other = THEMES[theme == "light"]
    n_categories = page.locator(".legend svg").count()
    assert set(HUES[theme][:n_categories]) <= painted
    assert not painted & set(HUES[other])


@pytest.mark.thorough
def test_so_has_what_a_canvas_shows(explore: OpenAt, site: Path) -> None:
    page = explore(site, STATE, color_scheme="dark")
    page.evaluate("Explore.MOST_IN_SVG = 10")
    page.locator("[data-part=context]").select_option("sentence")
    expect(page.locator(".plot-marks > g")).to_have_count(0)
    assert_painted(page, "dark")
    page.get_by_label("Theme").select_option("light")
    assert_painted(page, "light")
    page.get_by_label("Theme").select_option("dark")
    assert_painted(page, "dark")
    # Paper is light, and nothing is drawn again once a browser prints.
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert_painted(page, "light")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert_painted(page, "dark")
    page.emulate_media(forced_colors="active")
    assert_painted(page, "light")


@pytest.mark.thorough
@pytest.mark.parametrize("theme", THEMES)
def test_a_plot_is_saved_in_the_theme(explore: OpenAt, site: Path, tmp_path: Path, theme: Theme) -> None:
    page = explore(site, STATE, color_scheme=theme)
    view = page.locator("[data-view]")
    files = {}
    for form in ("SVG", "PNG"):
        with page.expect_download() as download:
            view.get_by_role("button", name=f"Save as {form}").click()
        files[form] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[form])
    text = files["SVG"].read_text(encoding="utf-8")
    assert not re.search(r"var\(|light-dark|class=|style=", text)
    tree = ElementTree.fromstring(text)
    svg = "{http://www.w3.org/2000/svg}"
    ground = present(tree.find(f"{svg}rect")).attrib["fill"]
    assert rgb(ground) == GROUND[theme]
    inks = [each.attrib["fill"] for each in tree.iter(f"{svg}text") if each.attrib["fill"] != "none"]
    assert len(inks) > 10
    assert {each for each in inks if contrast(each, ground) < 4.5} == set()
    marks = {rgb(path.attrib["fill"]) for path in tree.findall(f"{svg}g[@id='marks']/{svg}path")}
    assert len(marks & set(HUES[theme])) > 1
    assert marks <= {*HUES[theme], GROUND[theme]}
    with Image.open(files["PNG"]) as image:
        pixels = np.asarray(image.convert("RGB"))
    assert tuple(pixels[0, 0]) == GROUND[theme]
    assert 0.005 < (pixels != GROUND[theme]).any(axis=2).mean() < 0.3
