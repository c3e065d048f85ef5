"""A carousel to take away: one fragment, at home in other people's Markdown and pages."""

from __future__ import annotations

import base64
import dataclasses
from io import BytesIO
from pathlib import Path

import html5lib
import pytest
from browser import PHONE, OpenPage
from markdown_it import MarkdownIt
from narrow import present
from PIL import Image
from report_fixture import FOLDERS, HOSTILE, hostile_report, images, sample_report, write_site

from tokviz import pages
from tokviz.pages import render
from tokviz.pages.text import markdown
from tokviz.records import Report


def fragments(report: Report, folder: Path) -> dict[str, str]:
    site = write_site(report, folder)
    pictures = {image.path: site / image.path for image in images(report)}
    return render.render_excerpts(pages.excerpts(report), FOLDERS, pictures)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return fragments(sample_report(), tmp_path_factory.mktemp("excerpt"))


@pytest.fixture
def post(sample: dict[str, str], tmp_path: Path) -> Path:
    """A blog post in Markdown with the fragment twice in it, as its generator would write it."""
    fragment = sample["data/smol-30/alone/excerpt.html"]
    markdown = f"Some *words*.\n\n{fragment}\n\nMore *words*.\n\n{fragment}\n\nThe end.\n"
    html = MarkdownIt("commonmark", {"html": True}).render(markdown)
    (tmp_path / "post.html").write_text(f"<!doctype html><title>A post</title>{html}", encoding="utf-8")
    return tmp_path


def test_there_is_one_of_every_model_and_context_and_of_the_essay(sample: dict[str, str]) -> None:
    assert sorted(sample) == [
        "data/essay.html",
        *(
            f"data/{model}/{context}/excerpt.html"
            for model in ("mini-6", "smol-30")
            for context in ("alone", "sentence")
        ),
    ]


ESSAY = """A [layer](models/smol-30/#alone/layer-3), [elsewhere](https://example.com/a?b=1&c).

    code

    after an empty line

![They *change*.](models/smol-30/#alone/layer-10..layer-12)

![](models/smol-30/#alone/layer-11+sentence)

![](#curves/silhouette)

![Lost.](models/lost/#alone)
"""


def test_the_essay_is_taken_away_whole(open_page: OpenPage, tmp_path: Path) -> None:
    report = dataclasses.replace(sample_report(), intro=tuple(markdown.parts(ESSAY, "index.html")))
    essay = fragments(report, tmp_path / "site")["data/essay.html"]
    assert not any(not line.strip() for line in essay.strip().splitlines())
    html = MarkdownIt("commonmark", {"html": True}).render(f"Before *it*.\n\n{essay}\n\nAfter *it*.\n")
    (tmp_path / "post.html").write_text(f"<!doctype html><title>A post</title>{html}", encoding="utf-8")
    page = open_page(tmp_path, "post.html")
    assert page.locator("pre").inner_text().strip() == "code\n\nafter an empty line"
    links = page.locator("a").evaluate_all("(links) => links.map((link) => link.getAttribute('href'))")
    home = "https://example.org/report/"
    assert links[:2] == [f"{home}models/smol-30/#alone/layer-3", "https://example.com/a?b=1&c"]
    assert all(link.startswith(f"{home}models/") for link in links[2:])
    steps, beside, chart, lost = page.locator("figure").all()
    steps.get_by_role("button", name="Next layer").click()
    assert steps.locator("output").text_content() == "layer 11"
    assert beside.locator("img").count() == 2
    assert beside.locator("button").count() == 0
    assert "Silhouette: a chart of the report." in (chart.text_content() or "")
    assert "expected a hub id or a folder" in (lost.text_content() or "")
    sources = page.locator("img").evaluate_all("(images) => images.map((image) => image.src.slice(0, 16))")
    assert sources == ["data:image/webp;"] * 5


def test_a_fragment_holds_its_pictures_and_asks_for_nothing(sample: dict[str, str]) -> None:
    tree = html5lib.parseFragment(sample["data/smol-30/alone/excerpt.html"], namespaceHTMLElements=False)
    sources = [image.get("src") for image in tree.iter("img")]
    assert len(sources) == 31
    assert all(source.startswith("data:image/webp;base64,") for source in sources)
    assert [link.get("href") for link in tree.iter("a")] == [
        "https://example.org/report/models/smol-30/#alone/layer-11"
    ]


def test_its_pictures_are_the_ones_of_the_site(sample: dict[str, str], tmp_path: Path) -> None:
    tree = html5lib.parseFragment(sample["data/smol-30/alone/excerpt.html"], namespaceHTMLElements=False)
    first = next(tree.iter("img"))
    with Image.open(BytesIO(base64.b64decode(first.get("src").partition(",")[2]))) as picture:
        assert picture.size == (int(first.get("width")), int(first.get("height"))) == (716, 1000)


def test_a_fragment_survives_markdown_and_works_twice_in_a_page(open_page: OpenPage, post: Path) -> None:
    page = open_page(post, "post.html")
    assert page.locator("em").count() == 2
    one, other = page.locator(".tokviz-excerpt").all()
    # Both open where the picture breaks.
    assert [each.locator("output").text_content() for each in (one, other)] == ["layer 11", "layer 11"]
    one.get_by_role("button", name="Next layer").click()
    one.get_by_role("button", name="Next layer").click()
    assert [each.locator("output").text_content() for each in (one, other)] == ["layer 13", "layer 11"]
    track = one.locator(".tokviz-track")
    assert track.evaluate("(track) => Math.round(track.scrollLeft / track.clientWidth)") == 14
    one.get_by_label("Depth").fill("0")
    assert one.locator("output").text_content() == "embedding"


def test_without_scripts_all_pictures_can_be_scrolled_to(open_page: OpenPage, post: Path) -> None:
    page = open_page(post, "post.html", viewport=PHONE, java_script_enabled=False)
    one = page.locator(".tokviz-excerpt").first
    assert not one.locator(".tokviz-controls").is_visible()
    track = present(one.locator(".tokviz-track").bounding_box())
    assert track["width"] <= PHONE["width"]
    last = present(one.locator(".tokviz-slide").nth(30).bounding_box())
    assert last["x"] == pytest.approx(track["x"] + 30 * track["width"])


def test_what_authors_and_tokenizers_write_breaks_neither_page_nor_generator(tmp_path: Path) -> None:
    [fragment] = fragments(hostile_report(), tmp_path).values()
    assert "{{" not in fragment
    assert "<script>alert" not in fragment
    assert not any(not line.strip() for line in fragment.strip().splitlines())
    text = "".join(html5lib.parseFragment(fragment, namespaceHTMLElements=False).itertext())
    assert HOSTILE in text


def test_a_depth_without_a_picture_says_why(sample: dict[str, str]) -> None:
    assert "at least 3 words" in sample["data/mini-6/alone/excerpt.html"]


def test_without_an_address_the_fragment_links_to_nothing(tmp_path: Path) -> None:
    report = dataclasses.replace(sample_report(), site_url=None)
    assert all("<a " not in fragment for fragment in fragments(report, tmp_path).values())
