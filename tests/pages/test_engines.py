"""The main paths through a report in Firefox and WebKit; nearly all of them are tested in Chromium elsewhere."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import PHONE, served
from carousel_page import write_noted
from engines import ENGINES, Engine, begun, choose, click, wait_for
from plates_page import COMPARE, DATA, SLUG, content, write_sample
from plates_page import MODEL as SAMPLE_MODEL

FRAME = "frame.html"
MODEL = "models/smol-30/index.html"
NOTE_ERRORS = """
window.errors = [];
addEventListener("error", (event) => errors.push(event.message || `not loaded: ${event.target.src || event.target.href}`), true);
addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => errors.push(`refused: ${event.blockedURI}`));
"""
"""The first script of every page that is served: not every engine lets its console be read."""
SHOWN = "[...document.querySelectorAll('.panel:is([data-current], [data-beside])')]"


@pytest.fixture(scope="module", params=[name for name in ENGINES if name != "chromium"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with begun(request.param) as found:
        yield found


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[str]:
    """The address of the site under a sub-path."""
    host = site.parent.parent
    (host / FRAME).write_text("<!doctype html><head><iframe width={width} height={height}></iframe>".format(**PHONE))
    with served(host, first_script=NOTE_ERRORS) as address:
        yield f"{address}some/report/"


@pytest.fixture
def address(engine: Engine, server: str) -> Iterator[str]:
    """The site's address; at the end no error may have occurred on the page that was opened last."""
    engine.resize(1280, 900)
    yield server
    assert engine.run("() => window.errors") == []


def wait_for_layer(engine: Engine, name: str, n_panels: int = 1) -> None:
    """Wait until all panels that are shown stand still at a layer."""
    wait_for(
        engine,
        f"""!document.querySelector('[data-opening]') && {SHOWN}.length === {n_panels} && {SHOWN}.every((panel) => {{
            const track = panel.querySelector('.track');
            const slide = panel.querySelectorAll('.slide')[Math.round(track.scrollLeft / track.clientWidth)];
            return slide.getAttribute('aria-label') === '{name}' && Math.abs(slide.getBoundingClientRect().left - track.getBoundingClientRect().left) < 1;
        }})""",
    )


def test_the_carousel_by_link_button_key_and_ruler(engine: Engine, address: str) -> None:
    engine.go(f"{address}{MODEL}#alone/layer-11")
    wait_for_layer(engine, "layer 11")
    click(engine, "[data-step='1']")
    wait_for_layer(engine, "layer 12")
    engine.press("ArrowLeft")
    wait_for_layer(engine, "layer 11")
    click(engine, ".panel[data-current] input[type=range]", at=(0.998, 0.5))
    wait_for_layer(engine, "layer 29")
    engine.press("Home")
    wait_for_layer(engine, "embedding")
    wait_for(engine, "location.hash === '#alone/embedding'")


def test_a_jump_is_not_undone_by_a_scroll_that_no_reader_made(engine: Engine, address: str) -> None:
    """As WebKit snaps back to the slide before while the new one is laid out."""
    engine.go(f"{address}{MODEL}#alone/layer-11")
    wait_for_layer(engine, "layer 11")
    track = f"{SHOWN}[0].querySelector('.track')"
    engine.run(f"() => addEventListener('keydown', () => {track}.scrollBy({{ left: -{track}.clientWidth }}))")
    engine.press("ArrowRight")
    wait_for(engine, "location.hash === '#alone/layer-12'")
    wait_for_layer(engine, "layer 12")
    engine.run(
        f"() => new Promise((done) => setTimeout(done, 600)).then(() => {track}.scrollBy({{ left: {track}.clientWidth }}))"
    )
    wait_for_layer(engine, "layer 13")


def test_words_projection_and_two_panels_side_by_side(engine: Engine, address: str) -> None:
    engine.go(f"{address}{MODEL}#alone/layer-11")
    wait_for_layer(engine, "layer 11")
    click(engine, ".switch label:has(input[value=sentence])")
    click(engine, ".switch label:has(input[value=centered])")
    wait_for_layer(engine, "layer 11")
    wait_for(engine, f"{SHOWN}[0].dataset.context === 'sentence' && {SHOWN}[0].dataset.projection === 'centered'")
    choose(engine, "[data-pair-select]", "alone")
    wait_for_layer(engine, "layer 11", n_panels=2)
    click(engine, "[data-step='1']")
    wait_for_layer(engine, "layer 12", n_panels=2)


LARGE = "document.querySelector('dialog.lightbox .plate-svg')"


def test_a_plate_is_enlarged_and_left(engine: Engine, address: str) -> None:
    engine.go(f"{address}{MODEL}#alone/layer-11")
    wait_for_layer(engine, "layer 11")
    wait_for(engine, "document.querySelector(\"[id='alone/layer-11'] .plate[data-drawn] > svg\")")
    click(engine, "[id='alone/layer-11'] a.plate", at=(0.01, 0.01))
    wait_for(engine, "document.querySelector('dialog.lightbox')?.open")
    before = engine.run(f"() => {LARGE}.clientWidth")
    engine.press("+")
    wait_for(engine, f"{LARGE}.clientWidth > {before}")
    engine.press("ArrowRight")
    wait_for(engine, f"{LARGE}.textContent.includes('layer 12')")
    engine.press("Escape")
    wait_for(engine, "!document.querySelector('dialog.lightbox')?.open")
    wait_for_layer(engine, "layer 12")


def test_a_plot_has_words_that_can_be_read_and_is_saved(engine: Engine, address: str) -> None:
    """As PNG, with words in the page's font, and as SVG; what downloads is kept from doing so."""
    engine.go(f"{address}{MODEL}#alone/layer-11")
    slide = "[id='alone/layer-11']"
    wait_for(engine, f"""document.querySelector("{slide} .plate[data-drawn] > svg")""")
    sizes = engine.run(
        """() => [...document.querySelectorAll('.plate[data-drawn] > svg text')].filter((each) => each.getClientRects().length)
            .map((each) => parseFloat(getComputedStyle(each).fontSize))"""
    )
    assert len(sizes) > 60
    assert min(sizes) >= 11
    engine.run(
        """() => {
            window.blobs = [];
            URL.createObjectURL = (blob) => { blobs.push(blob); return "data:,"; };
            HTMLAnchorElement.prototype.click = () => {};
        }"""
    )
    for number, form in enumerate(("png", "svg"), start=1):
        click(engine, f"{slide} [data-form={form}]")
        wait_for(engine, f"blobs.length === {number}")
    engine.run(
        """() => {
            const [png, svg] = blobs;
            createImageBitmap(png).then((image) => {
                const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
                const context = canvas.getContext("2d");
                context.drawImage(image, 0, 0);
                const { data } = context.getImageData(0, 0, image.width, image.height);
                window.inked = data.filter((value, index) => index % 4 === 0 && value < 250).length;
                window.size = [image.width, image.height];
            });
            svg.text().then((text) => { window.drawing = new DOMParser().parseFromString(text, "image/svg+xml").documentElement; });
        }"""
    )
    wait_for(engine, "window.size && window.drawing")
    width, height = engine.run("() => [drawing.getAttribute('width'), drawing.getAttribute('height')].map(Number)")
    assert engine.run("() => size") == [round(2 * width), round(2 * height)]
    assert 0.01 < engine.run("() => inked") / (4 * width * height) < 0.3
    names = "() => [...{root}.querySelectorAll('{names} text')].map((text) => text.textContent)"
    written = engine.run(names.format(root="drawing", names="#names"))
    assert len(written) > 20
    assert written == engine.run(names.format(root=f'document.querySelector("{slide}")', names=".plate-names"))


def test_the_theme_is_chosen_and_kept(engine: Engine, address: str) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    engine.go(f"{address}index.html")
    choose(engine, "[data-theme-choice]", "light")
    light = engine.run(f"() => {background}")
    choose(engine, "[data-theme-choice]", "dark")
    wait_for(engine, f"{background} !== '{light}'")
    engine.go(f"{address}{MODEL}")
    assert engine.run("() => document.documentElement.dataset.theme") == "dark"
    choose(engine, "[data-theme-choice]", "")


def test_compare_in_step(engine: Engine, address: str) -> None:
    depths = "[...document.querySelectorAll('.slot-depth')].map((each) => each.textContent).join()"
    engine.go(f"{address}compare/index.html")
    wait_for(engine, f"{depths} === 'layer 14,layer 2'")
    click(engine, "[data-compare] [data-step='1']")
    wait_for(engine, f"{depths} === 'layer 15,layer 2'")
    engine.press("End")
    wait_for(engine, f"{depths} === 'layer 29,layer 5'")
    choose(engine, "[data-slot] select[data-part=context]", "sentence")
    wait_for(engine, "location.hash.includes('smol-30/sentence')")
    click(engine, "[data-add]")
    wait_for(engine, f"{depths}.split(',').length === 3")


def test_the_explorer_finds_pins_and_plays(engine: Engine, address: str) -> None:
    engine.go(f"{address}explore/index.html")
    wait_for(engine, "document.querySelector('[data-explore][data-ready]')")
    click(engine, "#find")
    for letter in "word3b":
        engine.press(letter)
    wait_for(engine, "document.querySelectorAll('#found [role=option]').length === 1")
    engine.press("ArrowDown")
    engine.press("Enter")
    wait_for(engine, "document.querySelectorAll('.trails path').length > 0")
    wait_for(engine, "location.hash.includes('pin=word3b')")
    engine.press("Escape")
    choose(engine, "select[data-part=model]", "mini-6")
    wait_for(engine, "document.querySelector('.view-depth').textContent === 'layer 1'")
    click(engine, "[data-play]")
    wait_for(engine, "document.querySelector('.view-depth').textContent === 'layer 5'")
    wait_for(engine, "document.querySelector('[data-play]').getAttribute('aria-pressed') === 'false'")


def test_a_thumbnail_of_the_first_page_leads_to_its_layer(engine: Engine, address: str) -> None:
    engine.go(f"{address}index.html")
    click(engine, ".strip-row a[aria-label='layer 11']")
    wait_for(engine, "location.hash === '#alone/layer-11'")
    wait_for_layer(engine, "layer 11")


def test_pages_from_disk_need_no_server(engine: Engine, site: Path) -> None:
    engine.go(f"{(site / MODEL).as_uri()}#sentence/layer-3")
    wait_for_layer(engine, "layer 3")
    engine.press("ArrowRight")
    wait_for_layer(engine, "layer 4")
    engine.go((site / "explore/index.html").as_uri())
    wait_for(engine, "document.querySelectorAll('.plot-marks > g').length === 117")


@pytest.mark.parametrize("path", ["index.html", MODEL, "compare/index.html", "explore/index.html", "method/index.html"])
def test_a_page_fits_a_phone(engine: Engine, address: str, path: str) -> None:
    """In a frame, since not every engine's window can be so narrow."""
    engine.go(f"{address.removesuffix('some/report/')}{FRAME}")
    frame = "document.querySelector('iframe')"
    wait_for(engine, f"{frame} !== null")
    engine.run(f"() => {{ {frame}.src = '{address}{path}'; }}")
    wait_for(engine, f"{frame}.contentWindow.location.href === '{address}{path}'")
    wait_for(engine, f"{frame}.contentDocument.readyState === 'complete'")
    root = f"{frame}.contentDocument.documentElement"
    assert engine.run(f"() => {root}.scrollWidth - {root}.clientWidth") == 0
    assert engine.run(f"() => {frame}.contentWindow.errors") == []


# --- one scale for both axes -----------------------------------------------------------------------------------------

PLOTS = """() => [...document.querySelectorAll('.plate-svg:has(.plate-marks), .plot-marks:has(g)')]
    .filter((each) => each.getClientRects().length && Math.abs(each.getBoundingClientRect().left) < innerWidth)
    .filter((each) => each.matches('.plate-svg') || document.querySelector('.plot-axes text')) // which come a moment later
    .map((each) => {
        const isExplored = each.matches('.plot-marks');
        const marks = isExplored ? each : each.querySelector('.plate-marks');
        const axes = isExplored ? document.querySelectorAll('.plot-axes text') : each.querySelectorAll('.plate-axes text');
        const at = (element) => { const { e, f } = element.getScreenCTM(); return [e, f]; };
        return {
            name: each.dataset.name,
            marks: [...marks.children].map(at),
            band: [...each.querySelectorAll('.plate-band > g')].map(at),
            axes: [...axes].map((text) => text.textContent),
        };
    })"""
"""Where words are in the plots that are shown, in pixels, and what the plots' axes say."""
EXPLORED = f"{SLUG}-alone-layer-11-centered"
PLACES = {
    f"{SAMPLE_MODEL}#alone/layer-11/centered": EXPLORED,
    COMPARE: f"{SLUG}-alone-layer-14-standardized",
    f"explore/index.html#a={SLUG}/alone/centered&at=layer-11": EXPLORED,
}
"""The plots that are looked at, by the address that shows each."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site with the words and coordinates of the sample report."""
    with served(write_sample(tmp_path_factory.mktemp("scale")), first_script=NOTE_ERRORS) as address:
        yield address


def coordinates(name: str) -> tuple[np.ndarray, np.ndarray]:
    """PC1 and PC2 of the words of a plot, ``(n_words, 2)``, and which of them lie within its axes for certain."""
    slug, context, depth, projection = re.fullmatch(r"(.+)-(alone|sentence)-(layer-\d+|embedding)-(\w+)", name).groups()  # type: ignore[union-attr]
    data = content(DATA / slug / context / f"coordinates-{projection}.js")
    row = 0 if depth == "embedding" else int(depth.removeprefix("layer-")) + 1
    steps = np.frombuffer(base64.b64decode(data["places"]), "<u2").reshape(len(data["extents"]), -1, 2)[row]
    low1, span1, low2, span2, *_ = data["extents"][row]
    return [low1, low2] + steps / 65535 * [span1, span2], ((steps > 0) & (steps < 65535)).all(axis=1)


def pixels(values: np.ndarray, places: Any, inside: np.ndarray) -> tuple[float, float]:
    """For one of PC1, and for one of PC2."""
    found = np.array(places)
    across, up = (float(np.polyfit(values[inside, axis], found[inside, axis], 1)[0]) for axis in (0, 1))
    return across, -up


@pytest.mark.parametrize("path", PLACES)
def test_both_axes_of_a_plot_have_one_scale_or_the_factor_that_it_prints(
    engine: Engine, sample: str, path: str
) -> None:
    engine.resize(1280, 900)
    engine.go(sample + path)
    wait_for(engine, f"({PLOTS})().some((each) => (each.name ?? '{EXPLORED}') === '{PLACES[path]}')")
    for plot in engine.run(PLOTS):
        values, inside = coordinates(plot.get("name") or EXPLORED)
        across, up = pixels(values, plot["marks"], inside)
        factor = next((float(each[1]) for text in plot["axes"] if (each := re.match(r"PC2 ×([\d.]+)", text))), 1)
        assert up / across == pytest.approx(factor, rel=0.01, abs=0 if factor == 1 else 0.5)
        if plot["band"]:
            assert pixels(values, plot["band"], inside) == pytest.approx((across, across), rel=0.01)
    assert engine.run("() => window.errors") == []


# --- the viewer in one window of a laptop: ruler, plot, its line, and what the author says of the layer ------------------

LAPTOP = (1280, 800)
BOXES = """() => Object.fromEntries(Object.entries({
    ruler: ".panel[data-current] .ruler", plot: ".slide:not([inert]) .plate", line: ".slide:not([inert]) figcaption",
    note: ".panel[data-current] .look .voice", steps: ".steps",
}).map(([name, selector]) => {
    const found = [...document.querySelectorAll(selector)].find((each) => each.getClientRects().length);
    const box = found?.getBoundingClientRect();
    return [name, box ? [box.left, box.top + scrollY, box.right, box.bottom + scrollY] : null];
}))"""
"""Left, top, right and bottom of what is shown."""


@pytest.fixture(scope="module")
def noted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As who has its fonts already sees it: a first visit may show others."""
    site = write_noted(tmp_path_factory.mktemp("noted"))
    styles = site / "assets" / "site.css"
    styles.write_text(
        styles.read_text(encoding="utf-8").replace("font-display: optional", "font-display: block"), encoding="utf-8"
    )
    return site


@pytest.mark.parametrize("engine", ["firefox", "webkit", "chromium"], indirect=True, scope="module")
def test_all_of_it_is_seen_at_once_and_no_button_moves(engine: Engine, noted: Path) -> None:
    engine.resize(*LAPTOP)
    with served(noted) as address:
        engine.go(f"{address}{MODEL}")
        wait_for(engine, "document.querySelector('.plate[data-drawn] > svg')")
        first = engine.run(BOXES)
        assert first["note"] is None, "the author says nothing of the embedding"
        engine.go(f"{address}{MODEL}#alone/layer-10")
        wait_for(engine, "document.querySelector('.plate[data-drawn] > svg')")
        before = engine.run(BOXES)
        click(engine, "[data-step='1']")
        wait_for(engine, "document.querySelector('.panel[data-current] .look .voice:not([hidden])')")
        shown = engine.run(BOXES)
        for name in ("ruler", "plot", "line", "note"):
            assert shown[name][3] <= LAPTOP[1], name
        assert shown["note"][0] >= shown["plot"][2], "beside the plot"
        assert abs(shown["note"][1] - shown["plot"][1]) < 30, "at its top"
        assert shown["plot"][2] - shown["plot"][0] >= 500
        for name in ("ruler", "steps"):
            assert shown[name] == before[name] == first[name], name
