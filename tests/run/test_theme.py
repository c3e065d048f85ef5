"""A theme: templates and assets of an author's own come before those of tokviz."""

from __future__ import annotations

import os
import re
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from command import done, generate_blank
from families import Tiny
from invoking import run_in
from jinja2.exceptions import SecurityError
from playwright.sync_api import Browser
from report_fixture import TEMPLATES, one_depth_report

from tokviz import pages
from tokviz.config import load
from tokviz.errors import ConfigError, ThemeError
from tokviz.notebook import inline
from tokviz.pages import render
from tokviz.pages.site import SiteView
from tokviz.pages.text.glossary import Explainer

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "theme"
CONFIG = """
title = "Themed"
theme = "{theme}"
plate_size = [750, 600]
[words]
a = ["red", "blue", "green"]
b = ["May", "June", "July"]
[[models]]
name = "Tiny"
source = "{source}"
"""


WITH_UNKNOWN_NAME = "{% extends 'tokviz/base.html' %}\n\n{% block header %}{{ page.nothing }}{% endblock %}"


@pytest.fixture(scope="module")
def made(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose report has been made once, with the example's theme."""
    folder = tmp_path_factory.mktemp("themed")
    tiny.copy("llama", folder / "model")
    shutil.copytree(EXAMPLE, folder / "theme")
    (folder / "report.toml").write_text(CONFIG.format(theme="theme", source="model"), encoding="utf-8")
    done(generate_blank(folder))
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "project"))


@pytest.fixture
def unmade(tiny: Tiny, tmp_path: Path) -> Path:
    """The project without a report. Its tests make mistakes that are reported before a run starts."""
    shutil.copytree(EXAMPLE, tmp_path / "project" / "theme")
    (tmp_path / "project" / "model").symlink_to(tiny("llama"))
    (tmp_path / "project" / "report.toml").write_text(CONFIG.format(theme="theme", source="model"), encoding="utf-8")
    return tmp_path / "project"


@pytest.mark.process
def test_its_blocks_and_assets_are_on_every_page(made: Path) -> None:
    for path in (made / "site").rglob("index.html"):
        page = path.read_text(encoding="utf-8")
        assert page.count('<p class="masthead">Notes on language models</p>') == 1, path
        assert page.count('<header class="site-header">') == 1, path
        *_, last = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page.partition("</head>")[0])
        assert last.endswith("assets/theme.css"), path
    assert (made / "site" / "assets" / "theme.css").read_text() == (EXAMPLE / "assets" / "theme.css").read_text()
    assert (made / "site" / "assets" / "site.css").is_file()


@pytest.mark.process
def test_its_color_and_font_are_seen(made: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((made / "site" / "index.html").as_uri())
    seen = page.evaluate(
        "[getComputedStyle(document.querySelector('.skip')).color, getComputedStyle(document.querySelector('h1')).fontFamily]"
    )
    page.close()
    assert seen[0] == "rgb(122, 46, 107)"
    assert seen[1].startswith('"Palatino Linotype"')


@pytest.mark.process
def test_an_asset_of_its_own_takes_the_place_of_one(project: Path) -> None:
    own, published = (project / folder / "assets" / "plates" for folder in ("theme", "site"))
    own.mkdir()
    (own / "plate.css").write_text("/* mine */", encoding="utf-8")
    (own / "plate.js").write_text("// needs: common.js\nmine();", encoding="utf-8")
    done(generate_blank(project))
    assert (published / "plate.css").read_text(encoding="utf-8") == "/* mine */"
    assert (published / "plate.js").read_text(encoding="utf-8") == "mine();"


@pytest.mark.process
def test_nothing_but_assets_is_published_of_it(project: Path) -> None:
    (project / "theme" / "assets" / ".env").write_text("secret", encoding="utf-8")
    done(generate_blank(project))
    assert not (project / "site" / "assets" / ".env").exists()


@pytest.mark.process
def test_a_change_of_it_draws_nothing_again(project: Path) -> None:
    base = project / "theme" / "base.html"
    base.write_text(
        base.read_text(encoding="utf-8").replace("Notes on language models", "Another name"), encoding="utf-8"
    )
    assert "0 new captures, 0 new images" in done(generate_blank(project))
    assert "Another name" in (project / "site" / "index.html").read_text(encoding="utf-8")


@pytest.mark.process
def test_a_mistake_in_it_is_one_line_and_the_old_site_stays(project: Path) -> None:
    before = (project / "site" / "index.html").read_bytes()
    (project / "theme" / "base.html").write_text(WITH_UNKNOWN_NAME, encoding="utf-8")
    ran = generate_blank(project)
    assert ran.returncode == 1
    last = ran.stderr.strip().splitlines()[-1]
    assert re.search(r"error: .*theme/base\.html, line 3: .*nothing.*; mend the template, or leave theme out$", last)
    assert "Traceback" not in ran.stderr
    assert (project / "site" / "index.html").read_bytes() == before


@pytest.mark.process
@pytest.mark.parametrize(
    ("theme", "got"), [("nowhere", "nothing of that name"), ("model", "one without any"), ("report.toml", "a file")]
)
def test_a_theme_that_is_none_is_told(unmade: Path, theme: str, got: str) -> None:
    (unmade / "report.toml").write_text(CONFIG.format(theme=theme, source="model"), encoding="utf-8")
    ran = run_in(unmade)
    assert ran.exit_code == 1
    assert re.search(
        rf"theme.*expected a folder with templates .*got {got}; make it, or leave theme out",
        ran.stderr.replace("\n", " "),
    )


@pytest.mark.process
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
            "assets/plates/plate.js/a/b.js",
            "theme/assets/plates/plate.js: expected a file, as tokviz has one of this name, got a folder",
        ),
    ],
)
def test_an_asset_in_the_way_of_one_is_told_before_any_work(unmade: Path, path: str, said: str) -> None:
    place = unmade / "theme" / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("mine", encoding="utf-8")
    refused(unmade, said)


@pytest.mark.process
@pytest.mark.parametrize("path", ["theme.css", "my-page.html", "assets/style.css", "templates/base.html"])
def test_a_theme_of_unknown_files_is_told(unmade: Path, path: str) -> None:
    shutil.rmtree(unmade / "theme")
    (unmade / "theme" / path).parent.mkdir(parents=True)
    (unmade / "theme" / path).write_text("mine", encoding="utf-8")
    refused(
        unmade,
        f"theme: expected a template or an asset that pages take, such as base.html or assets/theme.css, got {path}",
    )


def refused(project: Path, said: str) -> None:
    for option in ("--dry-run", "--jobs=1"):
        ran = run_in(project, option)
        assert ran.exit_code == 1
        (line,) = ran.stderr.strip().splitlines()
        assert said in line
        assert line.endswith(", or leave theme out")


@pytest.mark.process
def test_a_site_is_not_written_over_it(project: Path) -> None:
    (project / "report.toml").write_text(CONFIG.format(theme="site/theme", source="model"), encoding="utf-8")
    shutil.copytree(EXAMPLE, project / "site" / "theme")
    ran = run_in(project)
    assert ran.exit_code == 1
    assert "it holds the theme theme" in ran.stderr
    assert (project / "site" / "theme" / "base.html").is_file()


@pytest.mark.parametrize("theme", ["/", "/proc"])
def test_a_theme_of_everything_is_told_soon(tmp_path: Path, theme: str) -> None:
    """A walk through a whole disk takes minutes, and what it meets there is no theme's."""
    path = tmp_path / "report.toml"
    path.write_text(f'theme = "{theme}"\n[words]\na = ["b"]\n[[models]]\nsource = "c/d"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=f"theme: expected a folder with templates .* leave theme out: {theme}$"):
        load(path)


# --- what may stand in a theme -----------------------------------------------------------------------------------

LEADS_OUT = "expected a file of the theme, got a link that leads out of it"
NO_FILE = "expected a file or a folder, got a pipe or a device"


@pytest.fixture
def theme(tmp_path: Path) -> Path:
    """A theme that changes something, beside a file and a folder that aren't of it."""
    (tmp_path / "outside" / "folder").mkdir(parents=True)
    (tmp_path / "outside" / "secret.css").write_text("secret", encoding="utf-8")
    (tmp_path / "theme" / "assets").mkdir(parents=True)
    (tmp_path / "theme" / "assets" / "theme.css").write_text("/* mine */", encoding="utf-8")
    return tmp_path / "theme"


def refusal(theme: Path) -> str:
    with pytest.raises(ThemeError) as caught:
        render.check_theme(theme, TEMPLATES)
    [line] = str(caught.value).splitlines()
    assert line.endswith(", or leave theme out")
    return line


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("index.html", "/etc/passwd"),
        ("assets/mine.css", "../../outside/secret.css"),
        ("assets/mine", "../../outside/folder"),
        (".hidden/part.html", "../../outside/secret.css"),
        ("part.html", "/nowhere/at/all"),
        ("part.html", "../theme-of-another/base.html"),
        ("up", ".."),
        ("two\nlines.html", "/etc/passwd"),
    ],
)
def test_a_link_that_leads_out_is_told(theme: Path, path: str, target: str) -> None:
    (theme / path).parent.mkdir(exist_ok=True)
    (theme / path).symlink_to(target)
    assert f"theme/{path}: {LEADS_OUT}".replace("\n", " ") in refusal(theme)


def test_a_chain_of_links_that_leads_out_is_told(theme: Path) -> None:
    (theme / "assets" / "a.css").symlink_to("b.css")
    (theme / "assets" / "b.css").symlink_to("inner/c.css")
    (theme / "assets" / "inner").symlink_to("../parts")
    (theme / "parts").mkdir()
    (theme / "parts" / "c.css").symlink_to("../../outside/secret.css")
    assert f"theme/assets/a.css: {LEADS_OUT}" in refusal(theme)


def test_links_within_it_are_fine(theme: Path) -> None:
    (theme / "parts").mkdir()
    (theme / "parts" / "mine.css").write_text("/* mine */", encoding="utf-8")
    (theme / "assets" / "mine.css").symlink_to("../parts/mine.css")
    (theme / "assets" / "parts").symlink_to(theme / "parts")
    (theme / "assets" / "loop.css").symlink_to("loop.css")
    (theme / ".#base.html").symlink_to("author@machine.1:2")  # an editor's mark
    theme.with_name("linked").symlink_to("theme")
    for folder in (theme, theme.with_name("linked")):
        render.check_theme(folder, TEMPLATES)
        mine = render.assets((folder, TEMPLATES))["assets/mine.css"]
        assert isinstance(mine, Path)
        assert mine.read_bytes() == b"/* mine */"


@pytest.mark.parametrize("path", ["base.html", "assets/site.css", "assets/mine", ".pipe"])
def test_a_pipe_is_told_and_not_opened(theme: Path, path: str) -> None:
    os.mkfifo(theme / path)
    assert f"theme/{path}: {NO_FILE}" in refusal(theme)


def test_a_name_of_two_lines_is_told_in_one(tmp_path: Path) -> None:
    (tmp_path / "theme").mkdir()
    (tmp_path / "theme" / "two\nlines.html").write_text("mine", encoding="utf-8")
    assert "got two lines.html; give it the name of one" in refusal(tmp_path / "theme")


@pytest.mark.process
def test_a_link_and_a_pipe_are_told_before_any_work(unmade: Path) -> None:
    (unmade / "theme" / "index.html").symlink_to("/etc/passwd")
    refused(unmade, f"theme/index.html: {LEADS_OUT}")
    (unmade / "theme" / "index.html").unlink()
    os.mkfifo(unmade / "theme" / "index.html")
    refused(unmade, f"theme/index.html: {NO_FILE}")


# --- what its templates may do -----------------------------------------------------------------------------------


@cache
def view() -> SiteView:
    return pages.build(one_depth_report())


def filled(theme: Path, header: str) -> str:
    """The first page, of a theme that fills one block."""
    text = f"{{% extends 'tokviz/base.html' %}}\n{{% block header %}}{header}{{% endblock %}}"
    (theme / "base.html").write_text(text, encoding="utf-8")
    return render.render(view(), (theme, TEMPLATES))["index.html"]


@pytest.mark.parametrize(
    "header",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ '' | attr('__class__') }}",
        "{{ [''] | map(attribute='__class__') | first }}",
        "{{ '{0.__class__}'.format(page) }}",
        "{{ self.__init__.__globals__ }}",
        "{{ page.__class__.__init__.__globals__ }}",
        "{{ explained.__func__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ [1].append(2) }}",
        "{{ {}.update(a=1) }}",
        "{{ range(10**9) | list }}",
        "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
        "{% include 'base.html' %}",
        "{{ 'words' | nothing }}",
        "{{ 10 ** 5000 }}",
        "{{ range(10 ** 5000) }}",
        pytest.param("{{ " + "(" * 5000 + ")" * 5000 + " }}", id="brackets"),
        pytest.param("{% for a in [1] %}" * 30 + "{% endfor %}" * 30, id="loops"),
    ],
)
def test_what_a_template_may_not_do_is_one_line(theme: Path, header: str) -> None:
    with pytest.raises(ThemeError) as caught:
        filled(theme, header)
    [line] = str(caught.value).splitlines()
    assert line.startswith(f"{theme}/base.html")
    assert line.endswith("; mend the template, or leave theme out")


@pytest.mark.parametrize(
    ("found", "name"), [(np.zeros(3), "tofile"), (np.float64(1), "tofile"), (Path("states"), "write_text")]
)
@pytest.mark.parametrize("text", ["{{ found.%s('a') }}", "{{ (found | attr('%s'))('a') }}", "{{ found['%s']('a') }}"])
def test_a_template_gets_at_no_file_by_what_records_hold(theme: Path, found: object, name: str, text: str) -> None:
    """Records hold arrays, which write themselves to any file."""
    jinja = render.environment((theme, TEMPLATES), Explainer())
    with pytest.raises(SecurityError):
        jinja.from_string(text % name).render(found=found)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{% extends 'tokviz/base.html' %}\n{% blok header %}", r"theme/base\.html, line 2: .*unknown tag 'blok'"),
        (WITH_UNKNOWN_NAME, r"theme/base\.html, line 3: .*nothing"),
        ("{% extends 'tokviz/bse.html' %}", r"tokviz/bse\.html"),
        ("{% extends 'tokviz/base.html' %}{% block header %}{{ 1 // 0 }}{% endblock %}", r"theme/base\.html, line 1: "),
    ],
)
def test_a_mistake_is_one_line_that_says_where(theme: Path, content: str, said: str) -> None:
    (theme / "base.html").write_text(content, encoding="utf-8")
    with pytest.raises(ThemeError, match=rf"^.*{said}.*; mend the template, or leave theme out$"):
        render.render(view(), (theme, TEMPLATES))


def test_a_template_that_extends_itself_is_one_line(theme: Path) -> None:
    (theme / "base.html").write_text("{% extends 'base.html' %}", encoding="utf-8")
    with pytest.raises(ThemeError, match=r"theme/base\.html"):
        render.render(view(), (theme, TEMPLATES))


@pytest.mark.parametrize("content", [b"caf\xe9", b"\xff\xfe<\x00"])
def test_a_template_of_another_encoding_is_one_line(theme: Path, content: bytes) -> None:
    (theme / "_parts.html").write_bytes(content)
    with pytest.raises(ThemeError, match=r"theme/_parts\.html: .*utf-8.*; mend the template, or leave theme out$"):
        render.render(view(), (theme, TEMPLATES))


def test_the_explorer_of_a_notebook_names_the_template_too(theme: Path) -> None:
    (theme / "_parts.html").write_text("{{ 1 / 0 }}", encoding="utf-8")
    with pytest.raises(ThemeError, match=r"theme/_parts\.html, line 1: .*; mend the template, or leave theme out$"):
        inline.explorer(one_depth_report(), (theme, TEMPLATES), 400)


def test_a_template_that_cannot_be_read_is_one_line(theme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(self: object, environment: object, template: str) -> None:
        raise PermissionError(13, "Permission denied", str(theme / template))

    (theme / "base.html").write_text("", encoding="utf-8")
    monkeypatch.setattr("jinja2.FileSystemLoader.get_source", opened)
    with pytest.raises(
        ThemeError, match=r"theme/\w+\.html: .*Permission denied.*; mend the template, or leave theme out$"
    ):
        render.render(view(), (theme, TEMPLATES))


def test_a_template_may_do_what_a_page_needs(theme: Path) -> None:
    (theme / "_mine.html").write_text(
        "{% macro box(text) %}<b>{{ text }}{{ caller() if caller is defined else '' }}</b>{% endmacro %}",
        encoding="utf-8",
    )
    page = filled(
        theme,
        """
        {%- from "_mine.html" import box %}{% import "tokviz/_parts.html" as parts %}
        {%- set seen = namespace(n=0) %}{% for link in frame.nav %}{% set seen.n = seen.n + loop.index %}{% endfor %}
        1{{ super() }}
        2{{ box("<i>") }}3{% call box("a") %}b{% endcall %}
        4{{ frame.nav | map(attribute="text") | join(", ") | upper }}
        5{{ parts.links(frame.nav[:1]) }}
        6{{ "a layer" | explain }}{{ "{0:>4}".format("7") }}{{ "%s" % 8 }}
        9{{ range(3) | list }}{{ {"a": 1} | tojson }}{{ "<u>" | safe }}{{ seen.n > 0 }}
        """,
    )
    for part in (
        '1<header class="site-header">', "2<b>&lt;i&gt;</b>3<b>ab</b>", "4OVERVIEW, ", '5<ul class="links">', "   78",
        "9[0, 1, 2]", '{"a": 1}', "<u>True",
    ):  # fmt: skip
        assert part in page


def test_with_a_theme_pages_of_tokviz_are_the_same(theme: Path) -> None:
    assert render.render(view(), (theme, TEMPLATES)) == render.render(view(), (TEMPLATES,))


def test_templates_of_tokviz_alone_are_not_held_back(theme: Path) -> None:
    assert not render.environment((TEMPLATES,), Explainer()).sandboxed
    assert render.environment((theme, TEMPLATES), Explainer()).sandboxed
