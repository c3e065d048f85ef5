"""One term for each thing: what readers see has none of the words that ``docs/terms.md`` says are not used."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest
import reference
from controls_fixture import controlled_report
from narrow import present
from rendered import Rendered
from report_fixture import HOSTILE, TEMPLATES, compared_report, hostile_report, sample_report

ROOT = Path(__file__).parents[2]
SEEN = ("alt", "aria-label", "aria-roledescription", "title", "content")
"""Attributes that readers see or hear."""
REPORTS = {
    "sample": sample_report(),
    "compared": compared_report(),
    "hostile": hostile_report(),
    "controlled": controlled_report(),
}
SCRIPTS = sorted(path for path in (TEMPLATES / "assets").rglob("*.js") if path.parent.name != "vendor")
SITES = {name: Rendered(report) for name, report in REPORTS.items()}


def not_used() -> list[str]:
    rows = re.findall(
        r"^\| .+ \| .+ \| (.+) \|$", (ROOT / "docs" / "terms.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    return [word for row in rows[1:] for word in row.split(", ")]


WORDS = re.compile(rf"(?<![\w./#-])(?:{'|'.join(map(re.escape, not_used()))})(?![\w/-]|\.\w)", re.IGNORECASE)


DATA = "… neighbours"
"""The key of a script with numbers, which nobody reads."""


def tree_of(html: str) -> Element:
    tree: Element = html5lib.parse(html, namespaceHTMLElements=False)
    return tree


def visible(element: Element) -> Iterator[str]:
    """Texts and attributes, without code."""
    if element.tag in {"script", "style", "code", "pre"} or not isinstance(element.tag, str):
        return
    yield from (value for name, value in element.attrib.items() if name in SEEN)
    yield element.text or ""
    for child in element:
        yield from visible(child)
        yield child.tail or ""


def messages(source: str) -> Iterator[str]:
    """The strings of a module that have a space, but for docstrings; what stands in braces is code."""
    documented = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, present(node.end_lineno) + 1)
    }
    for token in tokenize.generate_tokens(iter(source.splitlines(keepends=True)).__next__):
        if token.type == tokenize.STRING and token.start[0] not in documented and " " in token.string:
            yield re.sub(r"\{[^{}]*\}", "…", token.string).replace(DATA, "")


def scripts(source: str) -> Iterator[str]:
    """The strings of a script that have a space."""
    without_comments = re.sub(r"^\s*//.*$", "", source, flags=re.MULTILINE)
    for text in re.findall(r'"[^"\n]* [^"\n]*"|`[^`\n]* [^`\n]*`', without_comments):
        yield re.sub(r"\$\{[^{}]*\}", "…", text).replace(DATA, "")


def prose(markdown: str) -> str:
    """Without code, addresses and what quotes a message or a file."""
    without_blocks = re.sub(r"^( *)```.*?^\1```", "", markdown, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`]*`|\]\([^)]*\)|\{[^}]*\}", " ", without_blocks)


def test_words_that_are_not_used_are_found() -> None:
    """So that the tests below can fail."""
    assert {"picture", "neighbour", "the depth before"} <= set(not_used())
    assert WORDS.findall("The picture, a Plate; in the full space.") == ["picture", "Plate", "full space"]
    assert not WORDS.findall("images/picture.webp, .plate, plate-layer, as it isn’t")
    page = tree_of('<p class="plate">A <b title="picture">plot</b> here<code>plate</code></p>')
    assert [text for text in visible(page) if text] == ["A ", "picture", "plot", " here"]
    assert list(messages('"""A plate here."""\nx = f"{plate(1)} is a plot"\n')) == ['f"… is a plot"']


@pytest.mark.parametrize(("report", "path"), [(name, path) for name, site in SITES.items() for path in site.paths])
def test_a_page_has_one_term_for_each_thing(report: str, path: str) -> None:
    said = " ".join(visible(tree_of(SITES[report].files[path]))).replace(HOSTILE, "")
    assert WORDS.findall(said) == []


@pytest.mark.parametrize("module", sorted((ROOT / "tokviz" / "pages").rglob("*.py")), ids=lambda path: path.name)
def test_messages_have_one_term_for_each_thing(module: Path) -> None:
    assert [text for text in messages(module.read_text(encoding="utf-8")) if WORDS.search(text)] == []


@pytest.mark.parametrize(
    "file", sorted((ROOT / "tokviz" / "pages" / "catalogue").iterdir()), ids=lambda path: path.stem
)
def test_the_catalogue_has_one_term_for_each_thing(file: Path) -> None:
    said = re.sub(r"^[^\s=]+ = |^\[.*|#.*|\{[^{}]*\}", "…", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert WORDS.findall(said) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_have_one_term_for_each_thing(script: Path) -> None:
    assert [text for text in scripts(script.read_text(encoding="utf-8")) if WORDS.search(text)] == []


@pytest.mark.parametrize("path", ["notes/introduction.md", "notes/smollm2.md", "report.toml"])
def test_the_samples_notes_have_one_term_for_each_thing(path: str) -> None:
    assert WORDS.findall((ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "manual").rglob("*.md")), ids=lambda path: path.stem)
def test_the_manual_has_one_term_for_each_thing(page: Path) -> None:
    assert WORDS.findall(prose(page.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "made", [reference.config, reference.command, reference.python], ids=lambda made: made.__name__
)
def test_the_reference_has_one_term_for_each_thing(made: Callable[[], str]) -> None:
    assert WORDS.findall(prose(made())) == []
