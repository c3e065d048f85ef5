"""The main paths through a report in Firefox and WebKit; nearly all of them are tested in Chromium elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import PHONE, served
from carousel_page import write_noted
from engines import ENGINES, NOTE_ERRORS, Engine, begun, choose, click, wait_for

FRAME = "frame.html"
MODEL = "models/smol-30/index.html"
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


def test_the_carousel_by_link_button_key_and_ruler_and_two_panels_side_by_side(engine: Engine, address: str) -> None:
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
    click(engine, ".switch label:has(input[value=sentence])")
    click(engine, ".switch label:has(input[value=centered])")
    wait_for_layer(engine, "embedding")
    wait_for(engine, f"{SHOWN}[0].dataset.context === 'sentence' && {SHOWN}[0].dataset.projection === 'centered'")
    choose(engine, "[data-pair-select]", "alone")
    wait_for_layer(engine, "embedding", n_panels=2)
    click(engine, "[data-step='1']")
    wait_for_layer(engine, "layer 0", n_panels=2)


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


LARGE = "document.querySelector('dialog.lightbox .plate-svg')"


def test_a_plot_has_words_that_can_be_read_is_saved_and_enlarged(engine: Engine, address: str) -> None:
    """As PNG, with words in the page's font, and as SVG; what downloads is kept from doing so."""
    engine.go(f"{address}{MODEL}#alone/layer-11")
    wait_for_layer(engine, "layer 11")
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
    expect_enlarged_and_left(engine, slide)


def expect_enlarged_and_left(engine: Engine, slide: str) -> None:
    """By a click on its plate and by keys."""
    click(engine, f"{slide} a.plate", at=(0.01, 0.01))
    wait_for(engine, "document.querySelector('dialog.lightbox')?.open")
    before = engine.run(f"() => {LARGE}.clientWidth")
    engine.press("+")
    wait_for(engine, f"{LARGE}.clientWidth > {before}")
    engine.press("ArrowRight")
    wait_for(engine, f"{LARGE}.textContent.includes('layer 12')")
    engine.press("Escape")
    wait_for(engine, "!document.querySelector('dialog.lightbox')?.open")
    wait_for_layer(engine, "layer 12")


def test_on_the_first_page_an_essays_plots_are_stepped_the_theme_is_chosen_and_a_thumbnail_leads_to_its_layer(
    engine: Engine, address: str
) -> None:
    """The theme is kept there."""
    background, track = "getComputedStyle(document.body).backgroundColor", "document.querySelector('.place-frames')"
    engine.go(f"{address}index.html")
    wait_for(engine, "document.querySelectorAll('.place-steps').length === 1")
    engine.run("() => document.querySelectorAll('.place-steps button')[1].click()")
    wait_for(engine, "document.querySelector('.place-steps output').value === 'layer 11'")
    wait_for(engine, f"Math.round({track}.scrollLeft / {track}.clientWidth) === 1")
    choose(engine, "[data-theme-choice]", "light")
    light = engine.run(f"() => {background}")
    choose(engine, "[data-theme-choice]", "dark")
    wait_for(engine, f"{background} !== '{light}'")
    click(engine, ".strip-row a[aria-label='layer 11']")
    wait_for(engine, "location.hash === '#alone/layer-11'")
    wait_for_layer(engine, "layer 11")
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
