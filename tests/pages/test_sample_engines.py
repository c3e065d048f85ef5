"""The committed sample in Chromium, Firefox and WebKit: one scale in every plot, keys after each control, movement, and its length."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import PHONE, served
from engines import ENGINES, NOTE_ERRORS, Engine, begun, click, scroll_through, unfold, wait_for
from weighing import LONGEST, MOST_WORDS, WORDS

COMMITTED = Path(__file__).parents[2] / "site"
SLUG, ENCODER = "smollm2-135m-instruct", "all-minilm-l6-v2"
MODEL, COMPARE, EXPLORE = f"models/{SLUG}/index.html", "compare/index.html", "explore/index.html"
FRAME = "frame.html"
FLAT = "alone/layer-11/centered"


@pytest.fixture(scope="module", params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with begun(request.param) as found:
        yield found


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    host = tmp_path_factory.mktemp("host")
    (host / "report").symlink_to(COMMITTED)
    (host / FRAME).write_text("<!doctype html><head><iframe width={width} height={height}></iframe>".format(**PHONE))
    with served(host, first_script=NOTE_ERRORS) as root:
        yield f"{root}report/"


# --- one scale -------------------------------------------------------------------------------------------------------

PLOTS = """() => {
    const near = [...document.querySelectorAll('main svg')].filter((each) =>
        each.getClientRects().length && Math.abs(each.getBoundingClientRect().left) < innerWidth);
    const at = (element) => { const { e, f } = element.getScreenCTM(); return [e, f]; };
    const texts = (root) => [...root.querySelectorAll('text')].map((text) => text.textContent);
    // Of a path whose vertices are words.
    const vertices = (path) => {
        const matrix = path.getScreenCTM(), found = [];
        const numbers = path.getAttribute('d').replaceAll('h0', ' ').match(/-?[\\d.]+/g).map(Number);
        for (let index = 0; index < numbers.length; index += 2) {
            const { x, y } = new DOMPoint(numbers[index], numbers[index + 1]).matrixTransform(matrix);
            found.push([x, y]);
        }
        return found;
    };
    const plots = [];
    for (const svg of near) {
        const [marks, dots] = ['.plate-marks', '.plate-dots'].map((part) => svg.querySelector(part));
        const link = svg.closest('a[href]');
        if (svg.matches('.plot-marks') && svg.firstChild) {
            if (!document.querySelector('.plot-axes text')) continue; // its axes come a moment later
            const address = new URLSearchParams(location.hash.slice(1));
            plots.push({ name: address.get('a') + '/' + address.get('at'), words: [...svg.children].map(at), band: [], axes: texts(document.querySelector('.plot-axes')) });
        } else if (marks) {
            const band = [...svg.querySelectorAll('.plate-band > g')].map(at);
            plots.push({ name: svg.dataset.name, words: [...marks.children].map(at), band, axes: texts(svg) });
        } else if (dots) plots.push({ name: link.href, paths: [...dots.children].map(vertices) });
        else if (svg.closest('.glance-row')) plots.push({ name: link.href, paths: [...svg.children].map(vertices) });
    }
    return plots;
}"""
"""Of each plot that is drawn, where its words are in pixels: each by itself, or all of a category in their order."""
NAMES = (
    rf"(?P<slug>{SLUG}|{ENCODER})-(?P<context>.+)-(?P<depth>embedding|layer-\d+)-(?P<projection>\w+)$",
    r".*models/(?P<slug>[^/]+)/(?:index\.html)?#(?P<context>[^/]+)/(?P<depth>[^/]+)(?:/(?P<projection>\w+))?$",
    r"(?P<slug>[^/]+)/(?P<context>[^/]+)/(?P<projection>\w+)/(?P<depth>.+)$",
)
"""What plots are known by: a file's name, a slide's address, the explorer's."""
COUNTS = {"index.html": 21, f"{MODEL}#{FLAT}": 8, f"{MODEL}#sentence/layer-3": 7, COMPARE: 2}
"""How many plots a page has, at least."""
SEEN = [
    *(("chromium", path) for path in COUNTS),
    *((name, path) for name in ("firefox", "webkit") for path in [*COUNTS] if path != f"{MODEL}#sentence/layer-3"),
]
"""Engines and addresses: one of each kind of plot in all engines."""
EXPLORED = [f"{SLUG}/alone/centered&at=layer-11", f"{ENCODER}/sentence/standardized&at=layer-2"]


@cache
def table(slug: str, context: str) -> dict[str, list[dict[str, str]]]:
    """Rows by layer."""
    found = defaultdict(list)
    with (COMMITTED / "data" / slug / context / "coordinates.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["layer"]].append(row)
    return found


def rows_of(name: str) -> tuple[list[dict[str, str]], str]:
    """The words of a plot, and its projection."""
    found = next(match for each in NAMES if (match := re.match(each, name)))
    rows = table(found["slug"], found["context"])[found["depth"].replace("-", " ")]
    return rows, found["projection"] or "standardized"


def numbers(rows: list[dict[str, str]], projection: str) -> np.ndarray:
    """PC1 and PC2, ``(n_words, 2)``."""
    return np.array([[float(row[f"{projection}_pc{axis}"]) for axis in (1, 2)] for row in rows])


def assert_scaled(plot: dict[str, Any]) -> None:
    rows, projection = rows_of(plot["name"])
    inside = np.array([row["reference"] == "1" for row in rows])
    values = numbers(rows, projection)
    if "paths" in plot:
        assert_on_one_scale(rows, inside, values, plot)
        return
    across, up = pixels(values[inside], np.array(plot["words"])[inside])
    factor = next((float(each[1]) for text in plot["axes"] if (each := re.match(r"PC2 ×([\d.]+)", text))), 1)
    assert up / across == pytest.approx(factor, rel=0.01, abs=0 if factor == 1 else 0.5), plot["name"]
    ratio = np.ptp(values[inside, 1]) / np.ptp(values[inside, 0])
    assert (factor > 1) == (ratio < 0.25), plot["name"]
    if plot["band"]:
        assert pixels(values[inside], np.array(plot["band"])[inside]) == pytest.approx((across, across), rel=0.01)


def pixels(values: np.ndarray, places: np.ndarray) -> tuple[float, float]:
    """For one of PC1, and for one of PC2."""
    across, up = (float(np.polyfit(values[:, axis], places[:, axis], 1)[0]) for axis in (0, 1))
    return across, -up


def assert_on_one_scale(
    rows: list[dict[str, str]], inside: np.ndarray, values: np.ndarray, plot: dict[str, Any]
) -> None:
    """Of a small plot, whose words stand on whole or tenths of pixels: one scale explains all places."""
    categories = list(dict.fromkeys(row["categories"] for row in rows))
    assert len(plot["paths"]) == len(categories), plot["name"]
    pairs = []
    for category, path in zip(categories, plot["paths"], strict=True):
        own = [index for index, row in enumerate(rows) if row["categories"] == category]
        own = own if len(own) == len(path) else [index for index in own if inside[index]]
        pairs += [(values[index], place) for index, place in zip(own, path, strict=True) if inside[index]]
    known, places = (np.array(each) for each in zip(*pairs, strict=True))
    longer = int(np.argmax(np.ptp(known, axis=0)))
    unit = abs(pixels(known, places)[longer])
    left = places - known * unit * (1, -1)
    assert np.ptp(left, axis=0).max() < 0.02 * np.ptp(places[:, longer]), plot["name"]


@pytest.mark.thorough
@pytest.mark.parametrize(("engine", "path"), SEEN, indirect=["engine"], scope="module")
def test_both_axes_of_every_plot_have_one_scale_or_the_factor_that_it_prints(
    engine: Engine, address: str, path: str
) -> None:
    engine.resize(1280, 900)
    engine.go(address + path)
    unfold(engine)
    scroll_through(engine)
    wait_for(engine, f"({PLOTS})().length >= {COUNTS[path]}")
    for plot in engine.run(PLOTS):
        assert_scaled(plot)
    assert engine.run("() => window.errors") == []


@pytest.mark.parametrize("view", EXPLORED)
def test_so_have_those_of_the_explorer(engine: Engine, address: str, view: str) -> None:
    engine.resize(1280, 900)
    engine.go(f"{address}{EXPLORE}#a={view}")
    wait_for(engine, f"({PLOTS})().length > 0 && location.hash.includes('at=')")
    [plot] = engine.run(PLOTS)
    assert_scaled(plot)
    assert engine.run("() => window.errors") == []


# --- keys after each control -----------------------------------------------------------------------------------------

DEPTH = {MODEL: ".panel[data-current] output", COMPARE: ".slot-depth", EXPLORE: ".view-depth"}
FRAGMENTS = {
    MODEL: "#alone/layer-5",
    COMPARE: f"#a={SLUG}/alone/standardized&b={SLUG}/sentence/standardized&by=layer&at=layer-5",
    EXPLORE: f"#a={SLUG}/alone/standardized&at=layer-5",
}
CONTROLS = {
    MODEL: (
        *(".switch label:has([value=sentence])", ".switch label:has([value=centered])", "[data-pair-select]"),
        *("[data-related-choice]", "[data-theme-choice]", "[data-step='-1']"),
    ),
    COMPARE: (
        *(".switch label:has([value=layer])", "select[data-part=context]", "select[data-part=projection]"),
        *("[data-related-choice]", "[data-theme-choice]"),
    ),
    EXPLORE: ("select[data-part=context]", "select[data-part=projection]", ".legend button", "[name=trails] + span"),
}
"""Links, buttons and radio buttons are clicked; lists get the focus, as they have after a choice. Chromium's are in
test_compare_browser.py, and what chooses a relation in test_related_browser.py."""


@pytest.mark.parametrize("engine", ["firefox", "webkit"], indirect=True, scope="module")
@pytest.mark.parametrize("path", CONTROLS)
def test_arrow_keys_change_the_layer_after_each_control(engine: Engine, address: str, path: str) -> None:
    engine.resize(1280, 900)
    depth = f"document.querySelector('{DEPTH[path]}')?.textContent.trim()"
    engine.go(f"{address}{path}{FRAGMENTS[path]}")
    wait_for(engine, f"{depth} === 'layer 5' && document.readyState === 'complete'")
    for control in CONTROLS[path]:
        if control.startswith((".switch", "[data-step", ".legend", "[name=")):
            click(engine, control)
        else:
            engine.run(f'() => document.querySelector("{control}").focus()')
        chosen = "() => [...document.querySelectorAll('select, :checked')].map((each) => each.value).join()"
        before, first = engine.run(chosen), engine.run(f"() => {depth}")
        engine.press("ArrowRight")
        wait_for(engine, f"{depth} === 'layer {int(first.removeprefix('layer ')) + 1}'")
        assert engine.run(chosen) == before, control


# --- movement --------------------------------------------------------------------------------------------------------

PLACES = f"""() => [...document.querySelectorAll("[id='{FLAT}'] .plate-marks > g")]
    .map((mark) => mark.getAttribute('transform').match(/-?[\\d.]+/g).map(Number))"""


def test_a_step_moves_the_words_and_ends_at_the_still_plot(engine: Engine, address: str) -> None:
    engine.resize(1280, 900)
    engine.go(f"{address}{MODEL}#{FLAT}")
    wait_for(engine, f"({PLACES})().length === 116")
    still = engine.run(PLACES)
    engine.press("ArrowLeft")
    before = "[id='alone/layer-10/centered'] .plate-key:not([inert])"
    wait_for(engine, f'document.querySelector("{before}") && !document.querySelector(".moving")')
    engine.run(
        """() => {
            window.moves = 0;
            new MutationObserver((changes) => {
                for (const { target } of changes) window.moves += target.classList.contains('moving') ? 1 : 0;
            }).observe(document.querySelector('main'), { subtree: true, attributes: true, attributeFilter: ['class'] });
        }"""
    )
    engine.press("ArrowRight")
    wait_for(engine, "window.moves > 0 && !document.querySelector('.moving')")
    np.testing.assert_allclose(engine.run(PLACES), still, atol=0.11)


# --- its length ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_fonts(engine: Engine, address: str) -> Engine:
    """Of who has seen a page, with the fonts of all."""
    engine.go(address + MODEL)
    wait_for(engine, "document.fonts.status === 'loaded'")
    return engine


@pytest.mark.parametrize("path", [MODEL, COMPARE])
def test_a_page_is_read_to_its_end(with_fonts: Engine, address: str, path: str) -> None:
    """As who has its fonts already sees it; a phone's in a frame, since not every engine's window can be so narrow."""
    engine = with_fonts
    engine.resize(1280, 900)
    engine.go(address + path)
    assert_not_too_long(engine, "window", 1280)
    engine.go(f"{address.removesuffix('report/')}{FRAME}")
    engine.run(f"() => {{ document.querySelector('iframe').src = '{address}{path}'; }}")
    window, width = "document.querySelector('iframe').contentWindow", PHONE["width"]
    wait_for(engine, f"{window}.location.href.endsWith('{path}') && {window}.document.readyState === 'complete'")
    # Some engines' scroll bars take room.
    engine.run(
        f"() => {{ document.querySelector('iframe').width = {2 * width} - {window}.document.documentElement.clientWidth; }}"
    )
    assert_not_too_long(engine, window, width)


def assert_not_too_long(engine: Engine, window: str, width: int) -> None:
    scroll_through(engine, window)
    assert engine.run(f"() => {window}.document.documentElement.clientWidth") in range(width - 20, width + 1)
    assert engine.run(f"() => {window}.document.documentElement.scrollHeight") <= LONGEST[width], width
    assert engine.run(f"() => ({WORDS})({window}.document)") <= MOST_WORDS, width
