"""The catalogue of sentences: each is used, each that is used is there, and it has exactly the values of its fact."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest
from fact_checks import keys

from tokviz.pages.text import catalogue
from tokviz.pages.text.catalogue import Fact, sentence, source, text

FILES = sorted(catalogue.FOLDER.iterdir())
PAGES = [file.stem for file in FILES if file.stem not in ("glossary", "sources")]
MOST_LINES = {("findings", "first", "model", "compare"): 600, ("change",): 62, (): 701}
"""Of the rooms of findings, of models, of the first page and of the compare page; of what changed between two models; and of all else."""
MOST_CHARACTERS = 140


@pytest.fixture(scope="module")
def code() -> list[ast.AST]:
    files = sorted(catalogue.FOLDER.parent.rglob("*.py"))
    return [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]


def test_every_sentence_is_used_and_every_used_one_is_there(code: list[ast.AST]) -> None:
    literals = {node.value for node in code if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    places = {each for each in literals if re.fullmatch(rf"({'|'.join(PAGES)})(\.\w+)+\.?(?<!\.js)(?<!\.css)", each)}
    known = {key for page in PAGES for key in keys(page)}
    # A key may end with what a record calls it: f"method.projections.{name}".
    tables = tuple(each for each in places if each.endswith("."))
    assert {each for each in places if not each.endswith(".")} <= known
    assert {each for each in known - places if not each.startswith(tables)} == set()
    assert [each for each in tables if not any(key.startswith(each) for key in known)] == []


def test_every_source_is_named_and_every_named_one_is_there(code: list[ast.AST]) -> None:
    named = {
        each.value
        for node in code
        if isinstance(node, ast.keyword) and node.arg == "sources" and isinstance(node.value, ast.Tuple)
        for each in node.value.elts
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }
    for each in catalogue.read("method").values():
        named |= set(each.get("sources", ())) if isinstance(each, dict) else set()
    assert named == {key for works in catalogue.read("sources").values() for key in works}
    for key in named:
        assert source(key).href.startswith("https://")


@pytest.mark.parametrize("page", PAGES)
def test_every_sentence_says_how_its_values_are_written(page: str) -> None:
    for key in keys(page):
        assert catalogue._template(key if isinstance(catalogue.entry(key), str) else f"{key}.meaning"), key


def test_the_catalogue_is_short() -> None:
    own = {stem for part in MOST_LINES for stem in part}
    for part, most in MOST_LINES.items():
        files = [file for file in FILES if (file.stem in part if part else file.stem not in own)]
        assert 0 < sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files) <= most
    lines = [line for file in FILES for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line for line in lines if len(line) > MOST_CHARACTERS] == []
    assert "\N{NO-BREAK SPACE}" not in "".join(lines), "a reader doesn't see it: write ~"


LEAD, SOME, SHARES = "stages.lead.massive", Fact("stages.some", n=2, of=3), (0.1, 0.2)


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        (Fact(LEAD), r"expected \['some'\], got \[\]"),
        (Fact(LEAD, some=(), more=SOME), r"expected \['some'\], got \['more', 'some'\]"),
        (Fact(LEAD, others=SOME), r"expected \['some'\], got \['others'\]"),
        (Fact(LEAD, some=Fact("stages.some", n=2)), r"expected \['n', 'of'\], got \['n'\]"),
        (Fact(LEAD, some=0.5), "got 0.5: say in the sentence how it is written"),
        (Fact(LEAD, some=(1, 2)), "expected a text, a whole number or facts"),
        (Fact(LEAD, some=True), "expected a text, a whole number or facts"),
    ],
)
def test_a_sentence_has_the_values_of_its_fact_and_no_others(fact: Fact, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        text(fact)


@pytest.mark.parametrize("kind", ["stages.lead.enormous", "stages.lead", "stages", "nowhere.at_all"])
def test_there_is_no_sentence_of_another_kind(kind: str) -> None:
    with pytest.raises(KeyError):
        text(Fact(kind))


def test_a_work_that_is_not_in_the_catalogue_is_not_left_out_without_a_word() -> None:
    with pytest.raises(KeyError, match="nobody_1900"):
        tuple(map(source, ("efron_1982", "nobody_1900")))


def test_facts_become_one_sentence_from_a_capital_to_a_full_stop() -> None:
    chance = Fact("stages.lead.chance", shares=SHARES)
    assert sentence([Fact(LEAD, some=SOME), chance]) == (
        "The words have massive activations at 2 of 3 depths (by chance 10–20\N{NO-BREAK SPACE}%)."
    )


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        ("is|are", 1, "is"),
        ("is|are", 0, "are"),
        ("is|are", (4, 5), "are"),
        ("range score", (-0.5, 0.25), "−0.50 to 0.25"),
        ("joined_by_and", (1, 2, 3), "1, 2 and 3"),
        ("depths", (0, 4), "embedding to layer 3"),
        ("", Fact("stages.own"), "the words’ own"),
        ("", (SOME, SOME), " at 2 of 3 depths at 2 of 3 depths"),
    ],
)
def test_a_value_is_written_as_the_sentence_says(form: str, value: Any, expected: str) -> None:
    assert catalogue._writer(form)(value) == expected
