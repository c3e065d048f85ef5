"""One file to send: it has what was found and what is seen, needs no other file, and says what is too large."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from browser import OpenPage
from invoking import run

SITE = Path(__file__).parent.parent.parent / "site"
LARGER = "smollm2-135m-instruct"


def export(folder: Path, *options: str, site: Path = SITE) -> tuple[int, str, str]:
    done = run("export", str(folder / "report.html"), "--site", str(site), *options)
    return (
        done.exit_code,
        (folder / "report.html").read_text(encoding="utf-8") if done.exit_code == 0 else "",
        done.stderr,
    )


def test_it_has_the_findings_every_layer_the_grid_and_the_charts(tmp_path: Path) -> None:
    code, text, _ = export(tmp_path, "--model", LARGER, "--context", "in a sentence")
    assert code == 0
    report = json.loads((SITE / "data/report.json").read_text(encoding="utf-8"))
    announced = [each["sentence"] for each in report["findings"] if each["announced"]]
    assert announced
    assert all(each in text for each in announced)
    assert re.findall(r"<figcaption>((?:embedding|layer \d+))</figcaption>", text) == [
        "embedding",
        *(f"layer {layer}" for layer in range(30)),
    ]
    page = (SITE / f"models/{LARGER}/index.html").read_text(encoding="utf-8")
    # Charts of what each layer adds, and of the lens, are of the context that their part of the page is about.
    assert text.count('<figure class="chart"') == page.count('<figure class="chart" id="curves/') > 10
    assert "Size of each update" in page
    assert "Size of each update" not in text
    assert len(text.encode()) <= 4_000_000


def test_it_asks_for_nothing_and_runs_nothing(tmp_path: Path) -> None:
    _, text, _ = export(tmp_path)
    without_pictures = re.sub(r'"data:image/webp;base64,[^"]*"', '""', text)
    assert not re.search(r"<script|<link|<iframe|\bsrc=\"[^\"]|url\(|@import|javascript:| on\w+=", without_pictures)
    assert "default-src 'none'" in text


@pytest.mark.browser
def test_its_pictures_are_seen_without_scripts(tmp_path: Path, open_page: OpenPage) -> None:
    export(tmp_path, "--layers", "0..2")
    page = open_page(tmp_path, "report.html", java_script_enabled=False, folded=True)
    seen = page.locator("img").evaluate_all("(all) => all.map((each) => each.naturalWidth)")
    assert len(seen) == 4
    assert all(width > 500 for width in seen)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--model", "smollm3"), "no model 'smollm3'; known: smollm2-135m-instruct, all-minilm-l6-v2"),
        (("--change", LARGER, "all-minilm-l6-v2"), "--change: expected a model before and one after that the report compares so"),
        (("--change", "a", "b", "--layers", "1..2"), "--change: expected no model, context, projection or layers beside it"),
        (("--layers", "9..3"), "--layers: expected the earlier layer first"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_one_line(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    code, _, error = export(tmp_path, *options)
    assert code == 1
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "report.html").exists()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    done = run("export", str(tmp_path / "report.pdf"), "--site", str(SITE))
    assert (done.exit_code, "expected a name that ends in .html" in done.stderr) == (1, True)


def test_of_each_finding_it_says_of_which_words_it_is(tmp_path: Path) -> None:
    export(tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    report = json.loads((SITE / "data" / "report.json").read_text(encoding="utf-8"))
    named = [each for each in report["findings"] if each["announced"] and each["context"]]
    assert named
    for each in named:
        name = next(one["name"] for one in report["models"] if one["slug"] == each["model"])
        label = next(one["label"] for one in report["contexts"] if one["name"] == each["context"])
        assert f"{each['sentence']}</strong> {name} · words {label}. " in text


def test_an_earlier_one_is_replaced_and_nobodys_own_page(tmp_path: Path) -> None:
    assert [export(tmp_path)[0] for _ in range(2)] == [0, 0]
    (tmp_path / "report.html").write_text("<p>My page on tokviz</p>", encoding="utf-8")
    code, _, error = export(tmp_path)
    assert (code, "got one that tokviz didn't write; name another" in error) == (1, True)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "<p>My page on tokviz</p>"


def test_what_is_too_large_names_what_takes_how_much(tmp_path: Path) -> None:
    site = shutil.copytree(SITE, tmp_path / "site")
    for plate in (site / f"images/{LARGER}/alone/standardized").glob("*.webp"):
        plate.write_bytes(plate.read_bytes().ljust(150_000, b"\0"))
    code, _, error = export(tmp_path, site=site)
    assert code == 1
    assert re.search(
        r"expected at most 4 MB, got \d\.\d \(plots \d\.\d, the grid \d\.\d, charts \d\.\d\); choose fewer layers",
        error,
    )
