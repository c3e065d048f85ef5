"""``[[relations]]`` and ``[[orders]]``: what a user may write there, and what is said when it is wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tokviz.config import ReportConfig, load
from tokviz.errors import ConfigError

FIRST, SECOND = [f"a{i}" for i in range(8)], [f"b{i}" for i in range(8)]
WORDS = f'[words]\nfirst = {FIRST}\nsecond = {SECOND}\nthird = ["b0", "c"]\n'.replace("'", '"')
MODEL = '[[models]]\nsource = "org/name"\n'
GROUPS = '[["a0", "a1"], ["b0", "b1", "c"]]'
PAIRS = [[a, b] for a, b in zip(FIRST, SECOND, strict=True)]


def relation(pairs: list[list[str]] = PAIRS, name: str = "pair") -> str:
    return f'[[relations]]\nname = "{name}"\npairs = {pairs}\n'.replace("'", '"')


def order(more: str, name: str = "order") -> str:
    return f'[[orders]]\nname = "{name}"\n{more}\n'.replace("'", '"')


def written(folder: Path, text: str) -> Path:
    path = folder / "report.toml"
    path.write_text(text + MODEL + WORDS, encoding="utf-8")
    return path


def loaded(folder: Path, text: str, **settings: Any) -> ReportConfig:
    return load(written(folder, text), **settings)


def test_a_relation_is_looked_for_among_the_words_of_the_targets_category(tmp_path: Path) -> None:
    config = loaded(tmp_path, relation(PAIRS[:5], name="first_to_second"))
    (found,) = config.relation_list
    assert (found.name, found.label) == ("first_to_second", "First to second")
    assert found.pairs == tuple((a, b) for a, b in PAIRS[:5])
    assert found.candidates == tuple(SECOND)


def test_an_order_is_that_of_a_category_or_of_words(tmp_path: Path) -> None:
    text = order('category = "first"\ncyclic = true\nlabel = "A → H"', "one") + order(
        f"words = {SECOND[::-1]}", "other"
    )
    one, other = loaded(tmp_path, text).order_list
    assert (one.words, one.cyclic, one.label) == (tuple(FIRST), True, "A → H")
    assert (other.words, other.cyclic, other.label) == (tuple(SECOND[::-1]), False, "Other")


def test_groups_are_words_that_belong_together(tmp_path: Path) -> None:
    config = loaded(tmp_path, f"groups = {GROUPS}\n")
    assert config.word_list.groups == (("a0", "a1"), ("b0", "b1", "c"))


def test_other_words_take_relations_and_orders_away(tmp_path: Path) -> None:
    words = tmp_path / "words.toml"
    words.write_text('months = ["May", "June"]\n', encoding="utf-8")
    text = f"groups = {GROUPS}\n" + relation() + order('category = "first"')
    config = loaded(tmp_path, text, words_file=words)
    assert (config.relation_list, config.order_list, config.word_list.groups) == ((), (), ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (relation(PAIRS[:4]), "relations.0.pairs: expected at least 5 entries, got 4"),
        (relation([*PAIRS[:4], ["a4"]]), "relations.0.pairs.4: expected at least 2 entries, got 1"),
        (
            relation([*PAIRS[:4], ["a4", "nowhere"]]),
            "relations.0.pairs.4: expected a word of [words], got 'nowhere'; add it to a category, or leave it out here",
        ),
        (
            relation([*PAIRS[:4], ["a0", "b4"]]),
            "relations.0.pairs.4: the first word 'a0' stands in two pairs; remove one, as pairs count as independent",
        ),
        (
            relation([*PAIRS[:4], ["b4", "b4"]]),
            "relations.0.pairs.4: expected two different words, got 'b4' twice",
        ),
        (
            relation([*PAIRS[:4], ["b0", "a0"]]),
            "relations.0.pairs.4: the pair stands twice, here the other way round; remove one, as pairs count as independent",
        ),
        (
            relation([*PAIRS[:4], ["a4", "a5"]]),
            "relations.0.pairs: expected second words that are all in one category, since each is looked for among its words",
        ),
        (relation() + relation(), "relations.1: the name 'pair' is already taken by relations.0; remove or rename one"),
        (
            relation() + relation().replace('"pair"', '"other"\nlabel = "Pair"'),
            "relations.1.label: the label 'Pair' stands twice, and readers couldn't tell which is meant; change one",
        ),
        (order(""), 'orders.0: expected "category", whose words stand in their order, or "words", got neither'),
        (
            order(f'category = "first"\nwords = {FIRST}'),
            'orders.0: expected "category", whose words stand in their order, or "words", got both',
        ),
        (
            order('category = "frist"'),
            "orders.0.category: expected the key of a category, one of first, second, third, got 'frist'",
        ),
        (order('category = "third"'), "orders.0.category: expected 8 to 200 words, got 2"),
        (order(f"words = {[*FIRST, 'x']}"), "orders.0.words.8: expected a word of [words], got 'x'"),
        (order(f"words = {[*FIRST, 'a0']}"), "orders.0.words.8: the word 'a0' stands twice; remove one"),
        (relation() + "cyclic = true\n", "relations.0.cyclic: unknown key; known keys are name, label, pairs"),
        (
            order('category = "first"\npairs = []'),
            "orders.0.pairs: unknown key; known keys are name, label, category, words, cyclic",
        ),
        (order('category = "first"\ncyclic = "yes"'), "orders.0.cyclic: expected true or false, got 'yes'"),
        (
            "[orders]\ncategory = 'first'\n",
            "orders: expected [[orders]] with two brackets, as often as there are, got {",
        ),
        (
            'groups = [["a0", "x"]]\n',
            "groups.0: expected a word of [words], got 'x'; add it to a category, or leave it out here",
        ),
        ('groups = [["a0", "a1"], ["b0", "a1"]]\n', "groups.1: the word 'a1' stands twice in the groups; remove one"),
        ('groups = [["a0"]]\n', "groups.0: expected at least 2 entries, got 1"),
        ("relations = 3\n", "relations: expected [[relations]] with two brackets, as often as there are, got 3"),
    ],
)
def test_a_mistake_is_one_line_that_says_where_and_what_to_do(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    (line,) = str(caught.value).replace(f"{tmp_path}{os.sep}", "").split("\n")
    place, _, rest = line.partition(": ")
    assert f"{place.split(':')[0]}: {rest}".startswith(f"report.toml: {said}"), line
