"""The rulers of a model's page, the compare page and the explorer in a real browser: one geometry, one rule for labels."""

from __future__ import annotations

import dataclasses
import re

import pytest
from report_fixture import ALONE, TEMPLATES, model_report, sample_report, word_list, write_site

from tokviz.pages.axis import RULER, has_number, length, place
from tokviz.records import depth_name

ASSETS = TEMPLATES / "assets"
N_LAYERS = (6, 30, 61)
ONE, ANOTHER = "deep-{n}/alone/standardized", "deep-6/alone/standardized"
PAGES = {
    "model": ("models/deep-{n}/index.html#alone/{at}", ".panel[data-current] .ruler", ".panel[data-current] output"),
    "compare": (f"compare/index.html#a={ONE}&b={ANOTHER}&by=layer&at={{at}}", ".compare-ruler", ".slot-depth"),
    "explore": (f"explore/index.html#a={ONE}&at={{at}}", ".explore .ruler", ".view-depth"),
}
"""Of each page the address that shows a depth, its ruler, and where it says which depth it shows."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    words = word_list(n_categories=2, n_words=4)
    models = tuple(model_report(f"deep-{n}", f"Deep-{n}", n, words, (ALONE,), measured=n == 30) for n in N_LAYERS)
    report = dataclasses.replace(sample_report(), words=words, contexts=(ALONE,), models=models, downloads={})
    return write_site(report, tmp_path_factory.mktemp("rulers"))


@pytest.fixture
def open_at(open_page, site):
    """Opens a page of a model at a depth and waits until it is shown."""

    def opened(kind, n_layers, depth):
        address, ruler, shown = PAGES[kind]
        page = open_page(site, address.format(n=n_layers, at=depth_name(depth).replace(" ", "-")))
        expect_depth(page, shown, depth)
        return page, page.locator(ruler), shown

    return opened


def expect_depth(page, shown, depth):
    page.wait_for_function(
        "([where, name]) => document.querySelector(where).textContent === name", arg=[shown, depth_name(depth)]
    )


def ticks(ruler):
    """Where the ticks of the axis stand, from left to right."""
    lines = ruler.locator("svg svg:last-of-type > line:not(.axis, .mark)")
    return sorted(
        lines.evaluate_all("(all) => all.map((each) => each.getAttribute('x1'))"), key=lambda x: float(x[:-1])
    )


def labels(ruler):
    """What is written on the axis, from left to right."""
    found = ruler.locator("text:not([class])").evaluate_all(
        "(all) => all.map((each) => [each.getBoundingClientRect().left, each.textContent])"
    )
    return [text for _, text in sorted(found)]


@pytest.mark.parametrize("kind", PAGES)
@pytest.mark.parametrize("n_layers", N_LAYERS)
def test_a_click_at_a_tick_shows_its_depth(open_at, kind, n_layers):
    """Also at a neighbour of the current depth, which the slider's handle covers where there are many layers."""
    page, ruler, shown = open_at(kind, n_layers, 3)
    assert ticks(ruler) == [length(place(depth, n_layers)) for depth in range(n_layers + 1)]
    box = ruler.bounding_box()
    for depth in (0, 1, n_layers // 2, n_layers - 1, n_layers):
        page.mouse.click(box["x"] + box["width"] * place(depth, n_layers) / 100, box["y"] + box["height"] - 20)
        expect_depth(page, shown, depth)
        assert page.evaluate("(ruler) => ruler.querySelector('output').style.left", ruler.element_handle()) == (
            f"{float(length(place(depth, n_layers))[:-1]):g}%"
        )


@pytest.mark.parametrize("n_layers", N_LAYERS)
def test_the_same_depths_are_named_on_every_page(open_at, n_layers):
    expected = ["embedding", *(str(depth - 1) for depth in range(1, n_layers) if has_number(depth, n_layers))]
    expected.append(f"layer {n_layers - 1}")
    if n_layers == 30:
        assert expected == ["embedding", "5", "10", "15", "20", "25", "layer 29"]
    for kind in PAGES:
        _, ruler, _ = open_at(kind, n_layers, 3)
        assert labels(ruler) == expected, kind


def test_no_style_script_or_template_repeats_the_geometry():
    files = [*ASSETS.glob("*.css"), *ASSETS.glob("*.js"), *TEMPLATES.glob("*.html")]
    numbers = "|".join(re.escape(f"{number:g}") for number in (RULER.axis_start, RULER.axis_length))
    for path in files:
        assert not re.search(rf"(?<![\d.])(?:{numbers})(?!\d)", path.read_text(encoding="utf-8")), path


def test_scripts_and_styles_read_only_variables_that_every_page_has():
    written = set(re.findall(r"--[\w-]+", RULER.style()))
    script = (ASSETS / "common.js").read_text(encoding="utf-8")
    assert set(re.findall(r'variable\("(--[\w-]+)"\)', script)) == written
    styles = "".join(path.read_text(encoding="utf-8") for path in ASSETS.glob("*.css"))
    assert {"--axis-start", "--axis-length"} <= set(re.findall(r"var\((--[\w-]+)", styles))
