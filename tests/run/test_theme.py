"""A theme: templates and assets of an author's own come before those of tokviz."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from subprocess import CompletedProcess

import families
import pytest
from command import generate
from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "theme"
CONFIG = """
title = "Themed"
theme = "{theme}"
[words]
a = ["red", "blue", "green"]
b = ["May", "June", "July"]
[[models]]
name = "Tiny"
source = "{source}"
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose report has been made once, with the example's theme."""
    folder = tmp_path_factory.mktemp("themed")
    families.build("llama", folder / "model")
    shutil.copytree(EXAMPLE, folder / "theme")
    (folder / "report.toml").write_text(CONFIG.format(theme="theme", source="model"), encoding="utf-8")
    ran = run(folder)
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "project", copy_function=shutil.copy2)
    return tmp_path / "project"


def run(folder: Path) -> CompletedProcess[str]:
    return generate(folder, "--jobs", "1")


def test_its_blocks_and_assets_are_on_every_page(made: Path) -> None:
    for path in (made / "site").rglob("index.html"):
        page = path.read_text(encoding="utf-8")
        assert page.count('<p class="masthead">Notes on language models</p>') == 1, path
        assert page.count('<header class="site-header">') == 1, path
        *_, last = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page.partition("</head>")[0])
        assert last.endswith("assets/theme.css"), path
    assert (made / "site" / "assets" / "theme.css").read_text() == (EXAMPLE / "assets" / "theme.css").read_text()
    assert (made / "site" / "assets" / "site.css").is_file()


def test_its_color_and_font_are_seen(made: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((made / "site" / "index.html").as_uri())
    seen = page.evaluate(
        "[getComputedStyle(document.querySelector('.skip')).color, getComputedStyle(document.querySelector('h1')).fontFamily]"
    )
    page.close()
    assert seen[0] == "rgb(122, 46, 107)"
    assert seen[1].startswith('"Palatino Linotype"')


def test_an_asset_of_its_own_takes_the_place_of_one(project: Path) -> None:
    own = "/* mine */"
    (project / "theme" / "assets" / "plate.css").write_text(own, encoding="utf-8")
    assert run(project).returncode == 0
    assert (project / "site" / "assets" / "plate.css").read_text(encoding="utf-8") == own


def test_nothing_but_assets_is_published_of_it(project: Path) -> None:
    (project / "theme" / "assets" / ".env").write_text("secret", encoding="utf-8")
    (project / "elsewhere.css").write_text("secret", encoding="utf-8")
    (project / "theme" / "assets" / "link.css").symlink_to(project / "elsewhere.css")
    assert run(project).returncode == 0
    assert not (project / "site" / "assets" / ".env").exists()
    assert not (project / "site" / "assets" / "link.css").exists()


def test_a_change_of_it_draws_nothing_again(project: Path) -> None:
    base = project / "theme" / "base.html"
    base.write_text(
        base.read_text(encoding="utf-8").replace("Notes on language models", "Another name"), encoding="utf-8"
    )
    ran = run(project)
    assert "0 new captures, 0 new images" in ran.stdout
    assert "Another name" in (project / "site" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{% extends 'tokviz/base.html' %}\n{% blok header %}", r"theme/base\.html, line 2: .*unknown tag 'blok'"),
        (
            "{% extends 'tokviz/base.html' %}\n\n{% block header %}{{ page.nothing }}{% endblock %}",
            r"theme/base\.html, line 3: .*nothing",
        ),
        ("{% extends 'tokviz/bse.html' %}", r"tokviz/bse\.html"),
        ("{% extends 'tokviz/base.html' %}{% block header %}{{ 1 // 0 }}{% endblock %}", r"theme/base\.html, line 1: "),
    ],
)
def test_a_mistake_in_it_is_one_line_and_the_old_site_stays(project: Path, content: str, said: str) -> None:
    before = (project / "site" / "index.html").read_bytes()
    (project / "theme" / "base.html").write_text(content, encoding="utf-8")
    ran = run(project)
    assert ran.returncode == 1
    assert re.search(rf"error: .*{said}.*; mend the template, or leave theme out$", ran.stderr.strip().splitlines()[-1])
    assert "Traceback" not in ran.stderr
    assert (project / "site" / "index.html").read_bytes() == before


@pytest.mark.parametrize(
    ("theme", "got"), [("nowhere", "nothing of that name"), ("model", "one without any"), ("report.toml", "a file")]
)
def test_a_theme_that_is_none_is_told(project: Path, theme: str, got: str) -> None:
    (project / "report.toml").write_text(CONFIG.format(theme=theme, source="model"), encoding="utf-8")
    ran = run(project)
    assert ran.returncode == 1
    assert re.search(
        rf"theme.*expected a folder with templates .*got {got}; make it, or leave theme out",
        ran.stderr.replace("\n", " "),
    )


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "assets/fonts",
            "theme/assets/fonts: expected a folder, as tokviz has one of this name, got a file; rename it",
        ),
        (
            "assets/site.css/mine.css",
            "theme/assets/site.css: expected a file, as tokviz has one of this name, got a folder",
        ),
        (
            "assets/plate.js/a/b.js",
            "theme/assets/plate.js: expected a file, as tokviz has one of this name, got a folder",
        ),
    ],
)
def test_an_asset_in_the_way_of_one_is_told_before_any_work(project: Path, path: str, said: str) -> None:
    place = project / "theme" / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("mine", encoding="utf-8")
    refused(project, said)


@pytest.mark.parametrize("path", ["theme.css", "my-page.html", "assets/style.css", "templates/base.html"])
def test_a_theme_of_unknown_files_is_told(project: Path, path: str) -> None:
    shutil.rmtree(project / "theme")
    (project / "theme" / path).parent.mkdir(parents=True)
    (project / "theme" / path).write_text("mine", encoding="utf-8")
    refused(
        project,
        f"theme: expected a template or an asset that pages take, such as base.html or assets/theme.css, got {path}",
    )


def refused(project: Path, said: str) -> None:
    for option in ("--dry-run", "--jobs=1"):
        ran = generate(project, option)
        assert ran.returncode == 1
        (line,) = ran.stderr.strip().splitlines()
        assert said in line
        assert line.endswith(", or leave theme out")


def test_a_site_is_not_written_over_it(project: Path) -> None:
    (project / "report.toml").write_text(CONFIG.format(theme="site/theme", source="model"), encoding="utf-8")
    shutil.copytree(EXAMPLE, project / "site" / "theme")
    ran = run(project)
    assert ran.returncode == 1
    assert "it holds the theme theme" in ran.stderr
    assert (project / "site" / "theme" / "base.html").is_file()
