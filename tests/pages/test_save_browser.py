"""What a reader takes away of a plot: its link, and the picture as it is seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from browser import COUNT_SHIFTS, PHONE, OpenPage, expect_accessible, layout_shift, served, wait_until_quiet
from explore_page import explorer
from PIL import Image
from plates_page import CATEGORIES, COMPARE, MODEL, NAMES, SLUG, drawn, expect_drawn, slide, write_sample
from playwright.sync_api import Browser, Locator, Page, expect
from report_fixture import ALONE, model_report, sample_report, word_list, write_site

from tokviz.pages.frame.index import MOST_DRAWN

pytestmark = pytest.mark.thorough

SVG = "{http://www.w3.org/2000/svg}"
CLIPBOARD = ["clipboard-read", "clipboard-write"]
NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined });"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("saved"))


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as address:
        yield address


def saved(page: Page, plot: Locator, form: str, folder: Path) -> Path:
    """The file that a plot is saved as."""
    with page.expect_download() as download:
        plot.get_by_role("button", name=f"Save as {form}").click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    expect(plot.get_by_role("status")).to_have_text("Saved.")
    return file


def tree_of(file: Path) -> ElementTree.Element:
    """Of a drawing that any program can open: it refers to nothing of the page."""
    text = file.read_text(encoding="utf-8")
    for reference in ("var(", "currentColor", "light-dark", "class=", "style=", "url(http", "font-face"):
        assert reference not in text, reference
    return ElementTree.fromstring(text)


def texts_of(tree: ElementTree.Element, group: str) -> list[str]:
    return [text.text or "" for text in tree.findall(f"{SVG}g[@id='{group}']/{SVG}text")]


def size_of(tree: ElementTree.Element) -> tuple[float, float]:
    return float(tree.attrib["width"]), float(tree.attrib["height"])


def pixels_of(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def assert_drawn(pixels: np.ndarray, size: tuple[float, float], ground: tuple[int, int, int]) -> None:
    """Two pixels for each of the page's, on that ground, and something in all quarters."""
    height, width = pixels.shape[:2]
    assert (width, height) == tuple(round(2 * each) for each in size)
    assert tuple(pixels[0, 0]) == ground
    inked = (pixels != ground).any(axis=2)
    for part in (inked[: height // 2], inked[height // 2 :], inked[:, : width // 2], inked[:, width // 2 :]):
        assert 0.005 < part.mean() < 0.3


def test_a_plot_is_saved_as_it_is_seen(open_page: OpenPage, site: Path, tmp_path: Path) -> None:
    """From disk, where a page can't read its own files."""
    page = drawn(open_page, site, f"{MODEL}#alone/layer-11", accept_downloads=True)
    plot = slide(page, "alone/layer-11")
    file = saved(page, plot, "SVG", tmp_path)
    assert file.name == f"{SLUG}-alone-layer-11-standardized.svg"
    tree = tree_of(file)
    names = plot.locator(NAMES).all_text_contents()
    assert len(names) > 80
    assert texts_of(tree, "names") == names
    assert texts_of(tree, "key") == list(CATEGORIES)
    assert texts_of(tree, "head") == ["SmolLM2-135M-Instruct (Q4_1 GGUF)", "· alone · layer 11"]
    assert {"PC1\u200248.8\u00a0%", "PC2\u20028.3\u00a0%"} < set(texts_of(tree, "axes"))
    assert texts_of(tree, "foot") == ["Standardized PCA"]
    notes = " ".join(texts_of(tree, "notes"))
    assert notes.startswith("hollow: several tokens and read at a different position")
    assert "point at" not in notes
    assert "massive activations emerge" in (tree.findtext(f"{SVG}desc") or "")
    assert len(tree.findall(f"{SVG}g[@id='marks']/{SVG}path")) == 116
    assert all(float(text.attrib["textLength"]) > 0 for text in tree.iter(f"{SVG}text"))

    # One category alone, and a word that was found.
    page.get_by_label("Find a word").fill("Canada")
    plot.get_by_role("button", name="Countries").click()
    tree = tree_of(saved(page, plot, "SVG", tmp_path))
    assert set(texts_of(tree, "names")) == set(plot.locator(NAMES).all_text_contents())
    assert len(texts_of(tree, "names")) < 20
    faint = [path for path in tree.findall(f"{SVG}g[@id='marks']/{SVG}path") if path.get("opacity") == "0.22"]
    assert len(faint) > 90
    assert texts_of(tree, "point") == ["Canada", "Countries · one token: ␣Canada"]
    [pressed] = [text.text for text in tree.iter(f"{SVG}text") if "text-decoration" in text.attrib]
    assert pressed == "Countries"
    assert_drawn(pixels_of(saved(page, plot, "PNG", tmp_path)), size_of(tree), (255, 255, 255))


def without_coordinates(browser: Browser, base: str) -> Page:
    page = browser.new_page()
    page.route("**/coordinates-standardized.js", lambda route: route.abort())
    page.goto(f"{base}{MODEL}#alone/layer-11", wait_until="networkidle")
    expect(slide(page, "alone/layer-11").locator("img")).to_be_visible()
    return page


def test_what_cannot_be_drawn_is_saved_as_png(browser: Browser, address: str, tmp_path: Path) -> None:
    page = without_coordinates(browser, address)
    plot = slide(page, "alone/layer-11")
    file = saved(page, plot, "PNG", tmp_path)
    assert file.name.endswith("__model.layers.11.png")
    assert pixels_of(file).size > 0
    with page.expect_download() as download:
        plot.get_by_role("button", name="Save as SVG").click()
    assert download.value.suggested_filename == file.name
    expect(plot.get_by_role("status")).to_have_text("Saved as PNG.")
    page.close()


def test_from_disk_the_image_of_what_cannot_be_drawn_is_opened(browser: Browser, site: Path) -> None:
    page = without_coordinates(browser, f"{site.as_uri()}/")
    plot = slide(page, "alone/layer-11")
    with page.context.expect_page() as opened:
        plot.get_by_role("button", name="Save as PNG").click()
    assert opened.value.url.endswith("__model.layers.11.webp")
    expect(plot.get_by_role("status")).to_have_text("Opened; save it from there.")
    page.close()


def test_on_a_phone_in_the_dark_it_is_saved_dark(open_page: OpenPage, site: Path, tmp_path: Path) -> None:
    page = drawn(open_page, site, f"{MODEL}#alone/layer-3+sentence", viewport=PHONE, color_scheme="dark")
    plot = slide(page, "sentence/layer-3")
    tree = tree_of(saved(page, plot, "SVG", tmp_path))
    assert size_of(tree)[0] <= PHONE["width"]
    assert texts_of(tree, "head") == ["SmolLM2-135M-Instruct (Q4_1 GGUF)", "in a sentence · layer 3"]
    assert texts_of(tree, "key") == list(CATEGORIES)
    file = saved(page, plot, "PNG", tmp_path)
    assert file.name == f"{SLUG}-sentence-layer-3-standardized.png"
    assert_drawn(pixels_of(file), size_of(tree), (26, 29, 33))


# --- links -----------------------------------------------------------------------------------------------------------


def copied(page: Page, plot: Locator) -> str:
    plot.get_by_role("button", name="Copy link").click()
    expect(plot.get_by_role("status")).to_have_text("Copied.")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def test_a_link_says_what_is_shown_at_once(open_page: OpenPage, address: str) -> None:
    """The browser's own address follows a little later."""
    page = drawn(open_page, address, f"{MODEL}#alone/layer-11+sentence", permissions=CLIPBOARD)
    page.get_by_role("button", name="Next").click()
    assert copied(page, slide(page, "sentence/layer-12")) == f"{address}{MODEL}#alone/layer-12+sentence"
    page.get_by_role("radio", name="centered").check()
    link = copied(page, slide(page, "alone/layer-12/centered"))
    assert link == f"{address}{MODEL}#alone/layer-12/centered+sentence"
    wait_until_quiet(page)
    assert page.url == link
    page.goto(f"{address}{COMPARE}")
    expect_drawn(page)
    page.get_by_role("button", name="Next").click()
    link = copied(page, page.locator("[data-slot]").nth(1))
    wait_until_quiet(page)
    assert page.url == link
    assert f"a={SLUG}/alone/standardized&b=" in link
    page.get_by_role("button", name="Add a plot").click()
    assert "&c=" in copied(page, page.locator("[data-slot]").nth(2))


def test_where_copying_is_refused_the_address_is_selected(open_page: OpenPage, address: str) -> None:
    page = drawn(open_page, address, f"{MODEL}#alone/layer-11", viewport=PHONE, before=NO_CLIPBOARD + COUNT_SHIFTS)
    wait_until_quiet(page)
    before = layout_shift(page)
    button = slide(page, "alone/layer-11").get_by_role("button", name="Copy link")
    button.click()
    dialog = page.get_by_role("dialog", name="Link to this plot")
    field = dialog.get_by_role("textbox")
    expect(field).to_have_value(f"{address}{MODEL}#alone/layer-11")
    expect(field).to_be_focused()
    assert field.evaluate("(each) => each.selectionEnd - each.selectionStart") == len(field.input_value())
    expect_accessible(page, ".viewer, dialog", schemes=("light",))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    assert layout_shift(page) - before < 0.01


def test_a_plot_of_the_page_has_its_slides_link(open_page: OpenPage, tmp_path: Path) -> None:
    """Wherever the carousel stands."""
    site = write_site(sample_report(n_words=4), tmp_path)
    page = open_page(site, "models/smol-30/index.html#alone/layer-3")
    plot = page.locator(".twins figure").nth(1)
    plot.scroll_into_view_if_needed()
    expect(plot.locator("svg[role=img]")).to_be_visible()
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    plot.get_by_role("button", name="Copy link").click()
    expect(plot.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("copied.split('#')[1]") == "alone-mean/layer-11"
    assert saved(page, plot, "PNG", tmp_path).name == "smol-30-alone-mean-layer-11-standardized.png"
    # Where there is none, nothing is saved.
    page.goto(f"{(site / COMPARE).as_uri()}#a=mini-6/alone/standardized&by=layer&at=layer-2")
    slot = page.locator("[data-slot]").first
    expect(slot.locator(".problem")).to_be_visible()
    slot.get_by_role("button", name="Save as PNG").click()
    expect(slot.get_by_role("status")).to_have_text("There is no plot here.")


def test_of_long_lists_there_are_the_link_and_the_image(open_page: OpenPage, tmp_path: Path) -> None:
    words = word_list(n_categories=1, n_words=MOST_DRAWN + 1)
    one = model_report("one", "One", 2, words, (ALONE,))
    site = write_site(replace(sample_report(), words=words, models=(one,), downloads={}), tmp_path)
    page = open_page(site, "models/one/index.html#alone/layer-1")
    plot = slide(page, "alone/layer-1")
    expect(plot.get_by_role("button")).to_have_text(["Copy link"])
    assert (plot.get_by_role("link", name="Download").get_attribute("href") or "").endswith("one__model.layers.1.webp")


# --- the explorer ----------------------------------------------------------------------------------------------------


def test_the_explorers_plot_is_saved_with_title_and_key(open_page: OpenPage, address: str, tmp_path: Path) -> None:
    page = explorer(open_page)(
        address, f"#a={SLUG}/alone/standardized&at=layer-11&pin=May&hide=0,1", permissions=CLIPBOARD
    )
    view = page.locator("[data-view]")
    file = saved(page, view, "SVG", tmp_path)
    assert file.name == f"{SLUG}-alone-layer-11-standardized.svg"
    tree = tree_of(file)
    assert texts_of(tree, "title") == ["SmolLM2-135M-Instruct (Q4_1 GGUF)", "· alone · standardized PCA · layer 11"]
    assert {"PC1\u200248.8\u00a0%", "PC2\u20028.3\u00a0%"} < set(texts_of(tree, "axes"))
    assert texts_of(tree, "key")[:7] == list(CATEGORIES[2:])
    assert texts_of(tree, "key")[-1] == "trails: from layer to layer, each in its own axes"
    assert texts_of(tree, "names") == ["May", "May"], "its rim, and the word"
    seen = page.locator(".plot-over .labels text").evaluate_all(
        "(all) => all.filter((each) => each.getClientRects().length).map((each) => each.textContent)"
    )
    assert len(seen) > 20
    assert texts_of(tree, "labels") == seen
    marks = tree.findall(f"{SVG}g[@id='marks']/{SVG}path")
    assert len(marks) == page.locator(".plot-marks > g:not([style*=none])").count()
    assert len(tree.findall(f"{SVG}g[@id='trails']/{SVG}path")) > 5
    assert_drawn(pixels_of(saved(page, view, "PNG", tmp_path)), size_of(tree), (255, 255, 255))
    link = copied(page, view)
    assert "pin=May" in link
    assert "hide=0,1" in link

    # What is drawn as pixels is saved as shapes, too.
    page.evaluate("Explore.MOST_IN_SVG = 10")
    view.locator("[data-part=context]").select_option("sentence")
    expect(page.locator(".plot-marks > g")).to_have_count(0)
    file = saved(page, view, "SVG", tmp_path)
    assert len(tree_of(file).findall(f"{SVG}g[@id='marks']/{SVG}path")) == len(marks)
    assert re.search(r"-sentence-layer-11-", file.name)
