"""The rulers of a model's page, the compare page and the explorer in a real browser: one geometry, one rule for labels."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, OpenPage, box_of, wait_for_frames
from playwright.sync_api import Locator, Page, expect
from report_fixture import ALONE, TEMPLATES, model_report, sample_report, word_list, write_site

from tokviz.pages.charts.axis import RULER, has_number, length, place
from tokviz.records import depth_name

pytestmark = pytest.mark.thorough

ASSETS = TEMPLATES / "assets"
N_LAYERS = (6, 30, 61)
Ruler = tuple[Page, Locator, Locator]
"""A page, its ruler, and where it says which depth it shows."""
PAGES = {
    "model": ("models/deep/index.html", ".panel[data-current] .ruler", ".panel[data-current] output"),
    "compare": ("compare/index.html", ".compare-ruler", ".slot-depth"),
    "explore": ("explore/index.html", ".explore .ruler", ".view-depth"),
}
"""Per page: its path, its ruler, and where it says which depth of the first model it shows."""


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The folder of a site per number of layers: a model that has this number, and one of six layers."""
    words = word_list(n_categories=2, n_words=4)
    folders = {}
    for n in N_LAYERS:
        models = tuple(
            model_report(name, name.title(), layers, words, (ALONE,), measured=n == 30)
            for name, layers in (("deep", n), ("shallow", 6))
        )
        report = dataclasses.replace(sample_report(), words=words, contexts=(ALONE,), models=models, downloads={})
        folders[n] = write_site(report, tmp_path_factory.mktemp(f"rulers-{n}"))
    return folders


@pytest.fixture
def open_ruler(open_page: OpenPage, sites: dict[int, Path]) -> Callable[[str, int], Ruler]:
    """Opens one of ``PAGES``, of the site whose first model has that number of layers."""

    def opened(kind: str, n_layers: int) -> Ruler:
        path, ruler, shown = PAGES[kind]
        page = open_page(sites[n_layers], path)
        if kind == "compare":
            page.get_by_role("radio", name="layer number").check()
        depth = page.locator(shown).first
        expect(depth).not_to_be_empty()
        return page, page.locator(ruler), depth

    return opened


def ticks(ruler: Locator) -> list[str]:
    """Where the ticks of the axis stand, from left to right."""
    lines = ruler.locator("svg svg:last-of-type > line:not(.axis, .mark)")
    found: list[str] = lines.evaluate_all("(all) => all.map((each) => each.getAttribute('x1'))")
    return sorted(found, key=lambda x: float(x.removesuffix("%")))


def labels(ruler: Locator) -> list[str]:
    """What is written on the axis, from left to right."""
    found = ruler.locator("text:not([class]), text.tight").evaluate_all(
        "(all) => all.map((each) => [each.getBoundingClientRect().left, each.textContent])"
    )
    return [text for _, text in sorted(found)]


def named(n_layers: int) -> list[str]:
    """The depths that the ruler of every page names."""
    between = [str(depth - 1) for depth in range(1, n_layers) if has_number(depth, n_layers)]
    return ["embedding", *between, f"layer {n_layers - 1}"]


TOUCHING = """(ruler) => {
    const texts = [...ruler.querySelectorAll("text")].filter((each) => each.getClientRects().length).map((each) => {
        const { left, right, top, height } = each.getBoundingClientRect();
        // Of letters, without the room above and below them.
        return { text: each.textContent, left, right, top: top + 0.25 * height, bottom: top + 0.8 * height };
    });
    const points = [...ruler.querySelectorAll(".spark, .chance")].flatMap((path) => {
        const matrix = path.getScreenCTM();
        const length = path.getTotalLength();
        return Array.from({ length: 2000 }, (_, step) => path.getPointAtLength(length * step / 1999).matrixTransform(matrix));
    });
    const found = [];
    for (const [index, one] of texts.entries()) {
        if (points.some(({ x, y }) => x > one.left && x < one.right && y > one.top && y < one.bottom)) found.push(`${one.text}: a curve`);
        for (const other of texts.slice(index + 1)) {
            if (one.left < other.right + 2 && other.left < one.right + 2 && one.top < other.bottom && other.top < one.bottom) {
                found.push(`${one.text}: ${other.text}`);
            }
        }
    }
    return found;
}"""
"""Texts of a ruler that lie on a curve or on each other."""
UNDER_LABEL = """(ruler) => {
    const label = ruler.querySelector(".depth-label");
    if (!label) return [];
    const range = document.createRange();
    range.selectNodeContents(label);
    const over = range.getBoundingClientRect();
    return [...ruler.querySelectorAll("text:not([class]), text.tight")].filter((each) => {
        const { left, right, width } = each.getBoundingClientRect();
        return width && getComputedStyle(each).visibility === "visible" && left < over.right + 1 && right > over.left - 1;
    }).map(({ textContent }) => textContent);
}"""
"""What can be read of an axis though the name of the current depth lies on it."""


@pytest.mark.parametrize("kind", PAGES)
@pytest.mark.parametrize("n_layers", N_LAYERS)
def test_a_click_at_a_tick_shows_its_depth_and_nothing_lies_on_another_name(
    open_ruler: Callable[[str, int], Ruler], kind: str, n_layers: int
) -> None:
    """Clicks also beside the current depth, where the slider's handle covers other depths if there are many layers."""
    page, ruler, shown = open_ruler(kind, n_layers)
    assert labels(ruler) == named(n_layers)
    assert ticks(ruler) == [length(place(depth, n_layers)) for depth in range(n_layers + 1)]
    box = box_of(ruler)
    for depth in (0, 1, n_layers // 2, n_layers - 1, n_layers):
        page.mouse.click(box["x"] + box["width"] * place(depth, n_layers) / 100, box["y"] + box["height"] - 20)
        expect(shown).to_have_text(depth_name(depth))
        label, at = box_of(ruler.locator("output").first), box["x"] + box["width"] * place(depth, n_layers) / 100
        assert label["x"] - 1 <= at <= label["x"] + label["width"] + 1, "it stands at its tick"
        assert box["x"] - 1 <= label["x"]
        assert label["x"] + label["width"] <= box["x"] + box["width"] + 1
        wait_for_frames(page)
        assert ruler.evaluate(UNDER_LABEL) == []
    for width in (DESKTOP["width"], PHONE["width"], 320):
        page.set_viewport_size({"width": width, "height": 844})
        wait_for_frames(page)
        if n_layers == 30 and kind != "compare":
            expect(ruler.locator(".mark-name, .spark-name")).to_have_count(4)
        assert ruler.evaluate(TOUCHING) == [], width


def test_of_an_axis_that_rulers_share_nothing_is_read_under_the_current_name(
    open_page: OpenPage, sites: dict[int, Path]
) -> None:
    page = open_page(sites[30], f"{PAGES['model'][0]}#alone/layer-1/centered")
    expect(page.locator(".panel[data-current] .depth-label")).to_have_text("layer 1")
    expect(page.locator(".panel[data-current] .ruler use").first).to_be_attached()
    name = page.locator(".of-ruler > text").first
    expect(name).to_have_text("embedding")
    expect(name).to_have_css("visibility", "hidden")
    page.locator(".panel[data-current] .track").focus()
    page.keyboard.press("End")
    expect(name).to_have_css("visibility", "visible")


def test_every_fifth_of_thirty_layers_is_named() -> None:
    assert named(30) == ["embedding", "5", "10", "15", "20", "25", "layer 29"]


def test_no_style_script_or_template_repeats_the_geometry() -> None:
    files = [*ASSETS.rglob("*.css"), *ASSETS.rglob("*.js"), *TEMPLATES.glob("*.html")]
    numbers = "|".join(re.escape(f"{number:g}") for number in (RULER.axis_start, RULER.axis_length))
    for path in files:
        assert not re.search(rf"(?<![\d.])(?:{numbers})(?!\d)", path.read_text(encoding="utf-8")), path


def test_scripts_and_styles_read_only_variables_that_every_page_has() -> None:
    written = set(re.findall(r"--[\w-]+", RULER.style()))
    script = (ASSETS / "common.js").read_text(encoding="utf-8")
    assert set(re.findall(r'variable\("(--[\w-]+)"\)', script)) == written
    styles = "".join(path.read_text(encoding="utf-8") for path in ASSETS.rglob("*.css"))
    assert {"--axis-start", "--axis-length"} <= set(re.findall(r"var\((--[\w-]+)", styles))
