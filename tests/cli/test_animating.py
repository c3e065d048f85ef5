"""``tokviz animate``: an animation of the plots of a site that is there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from invoking import run_in
from PIL import Image
from report_fixture import sample_report, write_site

from tokviz.cli import animating
from tokviz.run import animation
from tokviz.run.made_report import Asked

pytestmark = pytest.mark.slow
REPORT = "data/report.json"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a site of models of 30 and 6 layers, and one that failed."""
    folder = tmp_path_factory.mktemp("made")
    write_site(sample_report(), folder / "site")
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy without what isn't looked at."""
    kept = tmp_path / "project"
    (kept / "site" / "data").mkdir(parents=True)
    shutil.copyfile(made / "site" / REPORT, kept / "site" / REPORT)
    shutil.copytree(made / "site" / "images" / "mini-6", kept / "site" / "images" / "mini-6")
    return kept


def test_the_headline_is_of_the_same_plots(project: Path) -> None:
    site = project / "site"
    report = json.loads((site / REPORT).read_bytes())
    first, second = report["projections"][:2]
    of_it = {
        "announced": True,
        "model": "mini-6",
        "context": "alone",
        "other_model": None,
        "beside": None,
        "projection": None,
    }
    report["findings"] = [
        of_it | {"announced": False, "sentence": "Nothing."},
        of_it | {"other_model": "smol-30", "sentence": "More than in another."},
        of_it | {"projection": second, "sentence": "In the second."},
        of_it | {"sentence": "In the first."},
    ]
    (site / REPORT).write_text(json.dumps(report), encoding="utf-8")
    for projection, headline in ((first, "In the first."), (second, "In the second.")):
        found = animation.find(site, Asked(model="mini-6", context="alone", projection=projection))
        assert found.animation.headline == headline


def n_frames(file: Path) -> int:
    with Image.open(file) as image:
        return int(getattr(image, "n_frames", 1))


def said(project: Path, *arguments: str) -> str:
    """What is wrong with these arguments, in one line; nothing is written."""
    before = sorted(project.rglob("*"))
    found = run_in(project, "animate", *arguments)
    assert found.exit_code == 1
    assert sorted(project.rglob("*")) == before
    line = found.stderr.splitlines()[-1]  # before it, that a longer work has begun
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


def test_by_itself_it_shows_all_layers_of_the_first_model_in_its_first_context(made: Path, project: Path) -> None:
    shutil.copytree(made / "site" / "images" / "smol-30" / "alone", project / "site" / "images" / "smol-30" / "alone")
    found = run_in(project, "animate")
    assert found.exit_code == 0, found.stderr
    file = project / "smol-30-alone.gif"
    assert n_frames(file) == 31
    assert file.stat().st_size <= 3_000_000
    assert found.stdout.startswith(
        "smol-30-alone.gif: Smol-135M-Instruct, alone, standardized, embedding to layer 29, 0."
    )
    with Image.open(file) as image:
        assert image.width == 716, "of the plots for phones, whose text is larger"


def test_what_is_asked_for_is_shown(project: Path) -> None:
    asked = ("Mini-encoder-6", "In a sentence", "--projection", "centered", "--layers", "embedding..1")
    found = run_in(project, "animate", *asked, "--output", "a.webp")
    assert found.exit_code == 0, found.stderr
    assert found.stdout.startswith("a.webp: mini-encoder-6, sentence, centered, embedding to layer 1, 0.")
    assert n_frames(project / "a.webp") == 3
    with Image.open(project / "a.webp") as image:
        assert image.format == "WEBP"
    assert run_in(project, "animate", "mini-6", "--projection", "centered").exit_code == 0
    assert (project / "mini-6-alone-centered.gif").is_file()


def test_the_frames_are_the_plots_that_are_there(project: Path) -> None:
    """And nothing else that the site holds: those for wide screens where there are no others."""
    folder = project / "site/images/mini-6/alone/standardized"
    for file in folder.iterdir():
        if not file.name.endswith("-phone.webp"):
            file.unlink()
    assert run_in(project, "animate", "mini-6").exit_code == 0
    for file in folder.iterdir():
        wide = file.with_name(file.name.replace("-phone", ""))
        Image.new("RGB", (640, 480), "white").save(wide, lossless=True)
        file.unlink()
    assert run_in(project, "animate", "mini-6", "--output", "wide.gif").exit_code == 0
    with Image.open(project / "wide.gif") as image:
        assert image.width == 640


def test_layers_without_a_plot_are_left_out_and_that_is_said(project: Path) -> None:
    """The second model has none at layer 2."""
    found = run_in(project, "animate", "mini-6")
    assert n_frames(project / "mini-6-alone.gif") == 6
    assert "(1 without a plot left out)" in found.stdout
    assert "left out" not in run_in(project, "animate", "mini-6", "--layers", "3..5").stdout
    assert said(project, "mini-6", "--layers", "1..2") == (
        "mini-6, alone: expected plots of two layers or more, found 1; choose others with --layers"
    )


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["smol-31"], "no model 'smol-31'; known: smol-30, mini-6, lost; did you mean 'smol-30'?"),
        (
            ["lost"],
            "lost: has no plots, as it failed: nobody/lost-7B: expected a hub id or a folder, found neither; check the spelling",
        ),
        (["mini-6", "alonf"], "no context 'alonf' of mini-6; known: alone, sentence; did you mean 'alone'?"),
        (["--projection", "umap"], "no projection 'umap'; known: standardized, centered"),
        (["mini-6", "--layers", "0..9"], "--layers: no '9' in mini-6; known: embedding, layer-0 … layer-5"),
        (["mini-6", "--layers", "first..3"], "--layers: no 'first' in mini-6; known: embedding, layer-0 … layer-5"),
        (["--layers", "3"], "--layers: expected A..B, such as 5..12 or embedding..11, got '3'; correct it"),
        (["--layers", "5..3"], "--layers: expected the earlier layer first, and two or more, got '5..3'; correct it"),
        (["--layers", "3..3"], "--layers: expected the earlier layer first, and two or more, got '3..3'; correct it"),
        (["mini-6", "--output", "a.png"], "--output a.png: expected a name that ends in .gif or .webp; name another"),
        (
            ["mini-6", "--output", "folder.gif"],
            "folder.gif: expected a file to write, or nothing, got a folder; name another",
        ),
        (
            ["--site", "nowhere"],
            "nowhere: expected a report, found no data/report.json; make one with tokviz build, or name its folder with --site",
        ),
    ],
)
def test_what_is_not_there_is_told_with_what_is(project: Path, arguments: list[str], line: str) -> None:
    (project / "folder.gif").mkdir()
    assert said(project, *arguments) == line


@pytest.mark.parametrize("name", ["layers.gif", "layers.webp"])
def test_an_earlier_animation_is_replaced_and_nobodys_own_file(project: Path, name: str) -> None:
    arguments = ("animate", "mini-6", "alone", "--layers", "0..1", "--output", name)
    assert [run_in(project, *arguments).exit_code for _ in range(2)] == [0, 0]
    for content in (b"mine, of tokviz", next((project / "site" / "images").rglob("*.webp")).read_bytes()):
        (project / name).write_bytes(content)
        assert said(project, *arguments[1:]) == (
            f"{name}: expected a file to write, or nothing, got one that tokviz didn't write; name another, or move it away"
        )
        assert (project / name).read_bytes() == content


def test_of_many_models_some_are_named(project: Path) -> None:
    file = project / "site" / REPORT
    report = json.loads(file.read_text(encoding="utf-8"))
    report["models"] = [{**report["models"][0], "slug": f"m{index}", "name": f"M{index}"} for index in range(40)]
    file.write_text(json.dumps(report), encoding="utf-8")
    line = said(project, "x")
    assert line == f"no model 'x'; known: {', '.join(f'm{index}' for index in range(12))} and 28 more"


def without(key: str) -> Any:
    def change(report: dict[str, Any]) -> object:
        del report[key]
        return report

    return change


@pytest.mark.parametrize(
    "change",
    [
        without("models"),
        without("title"),
        lambda report: [report],
        lambda report: {**report, "models": []},
        lambda report: {**report, "models": 3},
        lambda report: {**report, "models": [{**report["models"][0], "contexts": [{}]}]},
    ],
)
def test_another_report_json_is_refused_in_a_line(project: Path, change: Any) -> None:
    file = project / "site" / REPORT
    report = json.loads(file.read_text(encoding="utf-8"))
    del report["models"][0]  # of the next one there are images
    file.write_text(json.dumps(change(report)), encoding="utf-8")
    assert said(project).endswith("make it again")


def test_nothing_outside_the_site_is_read(project: Path) -> None:
    file = project / "site" / REPORT
    text = file.read_text(encoding="utf-8")
    shutil.move(project / "site" / "images" / "mini-6", project / "images")
    file.write_text(text.replace("images/mini-6/", "../images/"), encoding="utf-8")
    assert said(project, "mini-6") == "site/data/report.json: expected a report of this tokviz; make it again"


@pytest.mark.parametrize("content", ["", "{", "[]", "\N{REPLACEMENT CHARACTER}"])
def test_a_damaged_report_json_is_refused_in_a_line(project: Path, content: str) -> None:
    (project / "site" / REPORT).write_text(content, encoding="utf-8")
    assert said(project) == "site/data/report.json: expected a report of this tokviz; make it again"


def test_a_missing_or_damaged_image_is_named(project: Path) -> None:
    images = project / "site/images/mini-6/alone/standardized"
    file = images / "mini-6__model.layers.1-phone.webp"
    file.write_bytes(b"no image")
    line = said(project, "mini-6")
    assert line.startswith("expected images of a report, can't read one: ")
    assert "mini-6__model.layers.1-phone.webp" in line
    file.unlink()
    (images / "mini-6__model.layers.1.webp").unlink()
    assert said(project, "mini-6") == (
        "site/images/mini-6/alone/standardized/mini-6__model.layers.1.webp: expected an image, found none; make the report again "
        "with tokviz build"
    )


def test_what_cant_be_made_light_enough_is_not_written(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(animating, "MOST_BYTES", 1000)
    assert said(project, "mini-6", "--layers", "0..1") == "2 plots take more than 0 MB; choose fewer with --layers"
