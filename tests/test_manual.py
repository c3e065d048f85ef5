"""The manual: it builds without a warning, leads nowhere else, and says what the program is and prints."""

from __future__ import annotations

import ast
import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import link_check
import package_index
import pytest
import reference
import typer.main
from browser import OpenPage, served
from report_fixture import tiny_report

import tokviz
from tokviz import config as configuration
from tokviz.cli import flags
from tokviz.cli.application import application
from tokviz.config.tables import Table
from tokviz.pages.downloads import tables

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parent.parent
MANUAL = ROOT / "docs" / "manual"
PAGES = {path.relative_to(MANUAL).as_posix(): path.read_text(encoding="utf-8") for path in MANUAL.rglob("*.md")}
PROGRAM: Any = typer.main.get_command(application)


def build(root: Path, output: Path) -> subprocess.CompletedProcess[str]:
    command = ["mkdocs", "build", "--strict", "-f", str(root / "docs" / "mkdocs.yml"), "-d", str(output)]
    return subprocess.run(
        [sys.executable, "-P", "-m", *command],
        cwd=root, check=False, capture_output=True, text=True, timeout=120, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample report with the manual in a folder of it, as the workflow publishes them."""
    folder = tmp_path_factory.mktemp("pages") / "site"
    shutil.copytree(ROOT / "site", folder)
    built = build(ROOT, folder / "manual")
    assert built.returncode == 0, built.stderr
    assert not re.search(r"^WARNING", built.stderr, re.MULTILINE)
    return folder


def fenced(language: str) -> list[tuple[str, str]]:
    """Path of a page, and each of its examples in a language."""
    pattern = re.compile(rf"^( *)```{language}\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
    return [(path, found[1]) for path, text in PAGES.items() for found in pattern.findall(text)]


# --- what is built -------------------------------------------------------------------------------------------------------


@pytest.mark.process
def test_no_link_of_the_manual_is_broken(published: Path) -> None:
    assert link_check.broken(published, (published / "manual").rglob("*.html"), least=500) == []


@pytest.mark.process
def test_pages_request_nothing_from_other_hosts(published: Path) -> None:
    for page in (published / "manual").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.findall(r"<(?:script|img|link|iframe|source)[^>]+(?:src|href)=\"?(?:https?:)?//[^>]*", text) == []


@pytest.mark.process
def test_every_key_of_a_config_is_in_the_reference(published: Path) -> None:
    page = (published / "manual" / "reference" / "config.html").read_text(encoding="utf-8")
    assert set(reference.TABLES) == set(Table.__subclasses__())
    for table, header in reference.TABLES.items():
        above = "" if header == "The report" else re.sub(r"[^a-z]+", "-", header.lower()).strip("-") + "-"
        for key in table.model_fields:
            assert f'id="{above}{key}"' in page, f"{header}.{key}"


@pytest.mark.process
def test_every_option_of_every_command_is_in_the_reference(published: Path) -> None:
    page = (published / "manual" / "reference" / "command.html").read_text(encoding="utf-8")
    sections = dict(zip(*[iter(re.split(r'<h2 id="(\w+)">', page)[1:])] * 2, strict=True))
    assert sections.keys() == PROGRAM.commands.keys()
    for name, command in PROGRAM.commands.items():
        for option in [
            option
            for each in command.params
            if not getattr(each, "hidden", False)
            for option in each.opts
            if option.startswith("--")
        ]:
            assert f"<code>{option}" in sections[name], f"{name} {option}"


@pytest.mark.process
def test_every_public_name_is_in_the_reference(published: Path) -> None:
    page = (published / "manual" / "reference" / "python.html").read_text(encoding="utf-8")
    for name in tokviz.notebook.__all__:
        assert f'id="{name.lower()}"' in page
    for member in ("project", "measure", "without", "draw", "explore", "to_pandas"):
        assert f'id="capture-{member}"' in page


@pytest.mark.process
def test_what_is_not_explained_ends_the_build(tmp_path: Path) -> None:
    for folder in ("docs", "tokviz", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "site", tmp_path / "site", ignore=shutil.ignore_patterns("images", "*.js"))
    file = tmp_path / "tokviz" / "config" / "tables.py"
    text = '"""The author\'s words on the model: Markdown, or the name of a ``.md`` file."""'
    before = file.read_text(encoding="utf-8")
    assert before.count(text) == 1
    file.write_text(before.replace(text, ""), encoding="utf-8")
    built = build(tmp_path, tmp_path / "manual")
    assert built.returncode != 0
    assert re.search("expected a text that explains the key note", built.stderr)


def test_neither_is_a_name_of_python_or_an_option_without_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their pages are filled in as that of the keys is, which ends the build."""
    reference.python()
    monkeypatch.setattr(tokviz.Capture.draw_grid, "__doc__", None)
    with pytest.raises(reference.MissingTextError, match=r"a text that explains tokviz\.Capture\.draw_grid"):
        reference.python()
    reference.command()
    _, option = get_args(flags.Config)
    monkeypatch.setattr(option, "help", None)
    with pytest.raises(reference.MissingTextError, match="a text that explains --config"):
        reference.command()


# --- what is said --------------------------------------------------------------------------------------------------------


def test_commands_of_the_manual_are_those_of_the_program() -> None:
    lines = [line.strip() for _, text in (*fenced("sh"), *fenced("bash"), *fenced("bat")) for line in text.splitlines()]
    called = [shlex.split(line, comments=True) for line in lines if line.startswith("tokviz ")]
    assert len(called) > 20
    of_build = {option for each in PROGRAM.commands["build"].params for option in each.opts}
    for _, *arguments in called:
        name = arguments[0] if not arguments[0].startswith("-") else "build"
        known = {option for each in PROGRAM.commands[name].params for option in each.opts}
        if name == "serve":
            known |= of_build
        options = {word.partition("=")[0] for word in arguments if word.startswith("--")}
        assert options <= {*known, "--help"}, shlex.join(arguments)


def test_examples_of_configs_are_toml() -> None:
    examples = fenced("toml")
    assert len(examples) > 10
    for path, text in examples:
        assert tomllib.loads(text), path


def test_the_whole_example_of_a_config_is_valid(tmp_path: Path) -> None:
    example = next(text for path, text in fenced("toml") if path == "reference/config.md")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "introduction.md").write_text("Words.", encoding="utf-8")
    (tmp_path / "report.toml").write_text(example, encoding="utf-8")
    report = configuration.load(tmp_path / "report.toml")
    assert [category.key for category in report.word_list.categories] == ["colors", "girl_first_names"]


def test_names_in_notebooks_exist() -> None:
    examples = "\n".join(text for path, text in fenced("python") if path == "how-to/notebooks.md")
    ast.parse(examples)
    assert {name for name in re.findall(r"tokviz\.(\w+)", examples) if not hasattr(tokviz, name)} == set()
    used = set(re.findall(r"alone\.(\w+)", examples))
    assert len(used) > 6
    assert {name for name in used if not hasattr(tokviz.Capture, name)} == set()


def strings(beginnings: set[str]) -> list[str]:
    """Every text in the code of the program, with ``…`` where a value stands, but for files with no line that has one of the beginnings."""

    def text(node: ast.AST) -> str:
        if isinstance(node, ast.JoinedStr):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""

    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tokviz").rglob("*.py")]
    trees = [ast.parse(source) for source in sources if any(each in source for each in beginnings)]
    return [found for tree in trees for node in ast.walk(tree) if (found := text(node))]


@pytest.mark.slow
def test_messages_that_are_explained_are_those_that_the_program_prints() -> None:
    headings = re.findall(r"^### `(.+)`$", PAGES["troubleshooting.md"], re.MULTILINE)
    assert len(headings) > 25
    parts = {heading: [part.strip() for part in heading.split(" …") if len(part.strip()) > 5] for heading in headings}
    known = strings({part.strip("… ")[:20] for each in parts.values() for part in each})
    for heading, own in parts.items():
        assert own
        assert all(any(part in text for text in known) for part in own), heading


def headers() -> Iterator[tuple[str, str]]:
    """Names and first lines of the tables: as the code writes them now, and of the committed sample, which has more kinds."""
    for path, text in tables.files(tiny_report()).items():
        if path.endswith(".csv"):
            yield Path(path).name, text.splitlines()[0]
    for file in (ROOT / "site" / "data").rglob("*.csv"):
        with file.open(encoding="utf-8") as opened:
            yield file.name, opened.readline()


def _with_groups(name: str) -> str:
    return re.escape(name).replace("PROJECTION", "(?:standardized|centered)").replace("…", "(.+)")


def _filled(names: list[str], part: str) -> list[str]:
    return [name.replace("…", part) for name in names if "…" in name]


def test_every_column_of_the_tables_is_explained() -> None:
    rows = re.findall(r"^\| (`.+?) \| (.+) \|$", PAGES["reference/files.md"], re.MULTILINE)
    explained = [
        (name, re.findall(r"`([^`]+)`", meaning)) for names, meaning in rows for name in re.findall(r"`([^`]+)`", names)
    ]

    def is_explained(column: str) -> bool:
        """By its name; where that has an ellipsis, what it stands for is named beside it, or with another name that is explained."""
        for name, beside in explained:
            match = re.fullmatch(_with_groups(name), column)
            if match and all(
                part.isdigit()
                or part in beside
                or column in beside
                or any(map(is_explained, [part, *_filled(beside, part)]))
                for part in match.groups()
            ):
                return True
        return False

    for name, header in headers():
        assert [column for column in next(csv.reader([header])) if not is_explained(column)] == [], name


# --- README --------------------------------------------------------------------------------------------------------------


def test_readme_is_an_introduction_whose_links_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    links = re.findall(r"\]\((?!\w+:)([^)#]+)\)", text)
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_on_a_package_index_links_of_readme_lead_to_the_repository() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = package_index.absolute(text, "https://example.org/tokviz/")
    targets = re.findall(r"\]\(([^)]+)\)", shown)
    assert [target for target in targets if not target.startswith("https://")] == []
    assert "(https://example.org/tokviz/raw/HEAD/docs/model.webp)" in shown
    assert "(https://example.org/tokviz/blob/HEAD/CONTRIBUTING.md)" in shown


@pytest.mark.parametrize("repository", ["", "https://example.org/tokviz/"])
def test_the_index_is_given_addresses_only_if_there_is_a_repository(tmp_path: Path, repository: str) -> None:
    shutil.copy(ROOT / "README.md", tmp_path)
    setting = f'[tool.tokviz]\nreleased = false\nrepository = "{repository}"\n'
    (tmp_path / "pyproject.toml").write_text(setting, encoding="utf-8")
    metadata: dict[str, Any] = {}
    package_index.Readme(str(tmp_path), {}).update(metadata)
    assert metadata["readme"]["content-type"] == "text/markdown"
    assert ("](CONTRIBUTING.md)" in metadata["readme"]["text"]) == (not repository)
    assert metadata["urls"].get("Issues") == ("https://example.org/tokviz/issues" if repository else None)


def test_search_is_offered_only_where_it_works(published: Path, open_page: OpenPage) -> None:
    from_disk = open_page(published / "manual", "faq.html")
    assert from_disk.locator(".md-search").is_hidden()
    assert from_disk.locator("[for=__search]:visible").count() == 0
    with served(published / "manual") as address:
        on_the_web = open_page(address, "faq.html")
        on_the_web.locator(".md-search__input").click()
        on_the_web.keyboard.type("checkpoint")
        on_the_web.locator(".md-search-result__link").first.wait_for()
