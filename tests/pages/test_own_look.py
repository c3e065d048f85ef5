"""An author's own colors, shapes, plates and font on pages: in either theme, drawn or as images; and nothing without them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import report_fixture
from browser import OpenPage, served, wait_until_quiet
from hypothesis import given
from hypothesis import strategies as st
from plates_page import MODEL, drawn, slide, write_sample
from playwright.sync_api import Page, expect
from related_fixture import related_report
from report_fixture import FOLDERS, sample_report, tiny_report, write_site

from tokviz import pages
from tokviz.notebook import inline
from tokviz.pages import render
from tokviz.records import Look, Marks, Report
from tokviz.records.look import DARK_GROUND, SHAPES, contrast

OWN = Look(
    marks=Marks(palette=("#e69f00", "#56b4e9", "#f0e442", "#101060"), shapes=("star", "circle")),
    plate_size=(1600, 900),
    font="assets/fonts/own.ttf",
)
Theme = Literal["light", "dark"]
GROUNDS: dict[Theme, str] = {"light": "#ffffff", "dark": DARK_GROUND}
FONT = Path(__file__).parents[2] / "tokviz" / "draw" / "fonts" / "TokvizSans-Bold.ttf"


def rendered(report: Report) -> dict[str, str]:
    return render.render(pages.build(report), FOLDERS)


def test_without_a_choice_pages_have_nothing_of_it() -> None:
    made = rendered(tiny_report())
    assert "assets/look.css" not in made
    opened = [
        page.partition("<html")[2].partition(">")[0] for path, page in made.items() if path.endswith("index.html")
    ]
    assert {re.sub(r' data-opens="[^"]+"', "", each) for each in opened} == {' lang="en"'}
    assert not any("look.css" in page for page in made.values())


def test_every_page_takes_the_choice_after_its_own_styles_and_before_a_theme_s() -> None:
    made = rendered(replace(tiny_report(), look=OWN, own_styles=True))
    found = [page for path, page in made.items() if path.endswith("index.html")]
    assert len(found) >= 6
    for page in found:
        *_, look, theme = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page.partition("</head>")[0])
        assert (look.endswith("assets/look.css"), theme.endswith("assets/theme.css")) == (True, True)


def test_only_what_was_chosen_is_said() -> None:
    report = tiny_report()
    markers = rendered(replace(report, look=Look(marks=Marks(shapes=("star",)))))
    assert "assets/look.css" not in markers
    assert f'<html lang="en" data-shapes="{SHAPES["star"]}|' in markers["index.html"]
    size = rendered(replace(report, look=Look(plate_size=(1600, 1000))))
    assert size["assets/look.css"] == ":root { --shape: 1.6; }\n"
    assert '<html lang="en">' in size["index.html"]


def test_the_legend_of_the_first_page_has_colors_and_shapes() -> None:
    page = render.render_page(pages.build(replace(sample_report(), look=OWN)).pages[0], FOLDERS)
    found = re.findall(r'<path class="hue-(\d)" d="([^"]+)"/></svg>Category (\d)', page)
    shapes = [SHAPES[shape] for shape in OWN.marks.shapes]
    # Both lists begin again at the fifth category, which is not to look like the first.
    assert [int(hue) for hue, _, _ in found] == [0, 1, 2, 3, 0, 1, 2, 3, 0]
    assert [shapes.index(shape) for _, shape, _ in found] == [0, 1, 0, 1, 1, 0, 1, 0, 0]


@given(st.integers(0, 0xFFFFFF))
def test_any_color_can_be_read_on_either_ground(code: int) -> None:
    marks = Marks(palette=(f"#{code:06x}",))
    mark, name = marks.dark_colors(0)
    assert contrast(marks.name_color(0), GROUNDS["light"]) >= 4.5
    assert contrast(name, GROUNDS["dark"]) >= 4.5
    assert contrast(mark, GROUNDS["dark"]) >= 3


def test_a_notebook_s_explorer_has_the_choice_within_it() -> None:
    document = inline.explorer(replace(sample_report(), look=OWN), FOLDERS, 700).document
    assert ":root .hue-3 { --hue: #101060" in document
    assert 'data-hues="4"' in document
    assert "look.css" not in document
    assert "@font-face" not in document


# --- in a browser --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the sample's words, in an own look."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(report_fixture.SIZES["plate"], "wide", OWN.plate_size)
        folder = write_sample(tmp_path_factory.mktemp("look"), look=OWN)
    (folder / "assets" / "fonts" / "own.ttf").write_bytes(FONT.read_bytes())
    return folder


COLORS = """(root) => {
    const of = (selector, property) => [...root.querySelectorAll(selector)].map((each) => getComputedStyle(each)[property]);
    return {
        marks: of('.plate-marks .full', 'fill'), shapes: [...root.querySelectorAll('.plate-categories path')].map((each) => each.getAttribute('d')),
        key: of('.plate-categories button', 'color'), names: of('.plate-names text', 'fill'),
    };
}"""


def hexadecimal(color: str) -> str:
    return "#" + bytes(int(channel) for channel in re.findall(r"\d+", color)[:3]).hex()


def assert_plates_have_one_shape(page: Page) -> None:
    """Before and after they are fetched."""
    ratios: list[float] = page.evaluate(
        """() => [...document.querySelectorAll('.panel[data-current] .slide')].map((slide) => {
            const seen = slide.querySelector('.plate-svg[role=img]') ?? slide.querySelector('img');
            const late = getComputedStyle(slide.querySelector('figure'), '::before');
            const box = seen.getBoundingClientRect();
            return box.height ? box.width / box.height : parseFloat(late.width) / parseFloat(late.height);
        })"""
    )
    assert len(ratios) > 20
    assert ratios == pytest.approx([16 / 9] * len(ratios), rel=0.01)


def test_drawn_plates_have_one_shape_colors_and_markers_and_can_be_read(site: Path, open_page: OpenPage) -> None:
    page = drawn(open_page, site, MODEL)
    assert_plates_have_one_shape(page)
    for theme, ground in GROUNDS.items():
        page.emulate_media(color_scheme=theme)
        wait_until_quiet(page)
        seen: dict[str, list[str]] = slide(page, "alone/embedding").evaluate(COLORS)
        expected = {
            "light": set(OWN.marks.palette),
            "dark": {OWN.marks.dark_colors(category)[0] for category in range(4)},
        }[theme]
        assert {hexadecimal(color) for color in seen["marks"]} == expected
        shapes = [SHAPES[OWN.marks.shape(category)] for category in range(9)]
        assert seen["shapes"] == shapes
        for color in (*seen["key"], *seen["names"]):
            assert contrast(hexadecimal(color), ground) >= 4.5


def test_so_has_the_explorer(site: Path, open_page: OpenPage) -> None:
    page = open_page(site, "explore/index.html")
    page.locator(".plot-marks path").first.wait_for()
    for theme in GROUNDS:
        page.emulate_media(color_scheme=theme)
        wait_until_quiet(page)
        found: list[str] = page.locator(".legend svg path").evaluate_all(
            "(all) => all.map((each) => getComputedStyle(each).fill)"
        )
        expected = [OWN.marks.palette[category % 4] for category in range(9)]
        if theme == "dark":
            expected = [OWN.marks.dark_colors(category)[0] for category in range(9)]
        assert [hexadecimal(color) for color in found] == expected


def test_labels_are_set_in_the_font(site: Path, open_page: OpenPage) -> None:
    with served(site) as address:
        page = drawn(open_page, address, MODEL)
        plate = slide(page, "alone/embedding").locator(".plate-svg[role=img]")
        loaded = page.evaluate(
            "[...document.fonts].filter((each) => each.family.includes('Own')).map((each) => each.status)"
        )
        assert loaded == ["loaded"]
        assert "Own Sans" in str(plate.locator("text").first.evaluate("(text) => getComputedStyle(text).fontFamily"))


def test_plots_of_relations_have_its_colors(tmp_path: Path, open_page: OpenPage) -> None:
    two = Look(marks=Marks(palette=("#101060", "#bb0044")))
    page = open_page(
        write_site(replace(related_report(), look=two), tmp_path), "models/smol-30/index.html#alone/layer-11"
    )
    page.locator("#relations h2").scroll_into_view_if_needed()
    expect(page.locator(".related-plot svg")).to_have_count(3)
    found: list[str] = page.locator(".related-name").evaluate_all(
        "(all) => all.map((each) => getComputedStyle(each).fill)"
    )
    assert {hexadecimal(color) for color in found} == {two.marks.name_color(0), two.marks.name_color(1)}
