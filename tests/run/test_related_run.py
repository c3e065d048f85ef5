"""Relations and orders through the whole run: which words count, what is made again, and where it is seen."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command import done, generate_blank
from families import Tiny
from invoking import foreseen
from making import hidden_states
from related_fixture import CONFIG

import tokviz
from tokviz.config import load
from tokviz.run.plan.related import related

pytestmark = pytest.mark.process

READ = 'read = "first"\nplate_size = [750, 600]\n'
"""So that all words are read at one position, however a tiny tokenizer cuts them."""


@pytest.fixture(scope="module")
def folder(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a report of two tiny models, made once."""
    folder = tmp_path_factory.mktemp("related")
    for name in ("llama", "gpt2"):
        tiny.copy(name, folder / name)
    write(folder)
    done(generate_blank(folder))
    return folder


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    """A copy of it, times included: a model's identity has them."""
    return Path(shutil.copytree(folder, tmp_path / "own"))


def write(folder: Path, label: str = "First → second", pairs: str = "") -> None:
    models = "".join(f'[[models]]\nsource = "./{name}"\n' for name in ("llama", "gpt2"))
    text = CONFIG.replace("LABEL → X", label).replace('["gray", "August"]', pairs or '["gray", "August"]')
    (folder / "report.toml").write_text(READ + models + text, encoding="utf-8")


def test_pages_tables_and_downloads_have_them(folder: Path) -> None:
    site = folder / "site"
    for path, expected in {
        "models/llama/index.html": ("Relations and orders", "First → second", "relations.csv"),
        "compare/index.html": ("Parallelism above chance, First → second", "Order, Line"),
        "method/index.html": ("Relations between words", "Orders of words", "2405.14860", "2308.09124"),
    }.items():
        text = (site / path).read_text(encoding="utf-8")
        for each in expected:
            assert each in text, (path, each)
    with (site / "data/gpt2/alone/relations.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["name"] for row in rows} == {"pair", "line"}
    assert {row["n"] for row in rows} == {"6", "9"}
    assert (site / "data/gpt2/alone/relations.js").stat().st_size < 10_000


def test_a_label_measures_nothing_again_and_another_pair_does(own: Path) -> None:
    write(own, label="A new label")
    again = foreseen(own)
    assert "metrics: up to date" in again
    assert "comparisons of models: up to date" in again
    assert "measure (" not in again
    done(generate_blank(own))
    assert "A new label" in (own / "site/models/llama/index.html").read_text(encoding="utf-8")
    write(own, pairs='["gray", "firefighter"]')
    assert "measure (not measured yet)" in foreseen(own)


def test_a_report_without_any_says_nothing_of_them(own: Path) -> None:
    text = (own / "report.toml").read_text(encoding="utf-8")
    before, rest = text.split("[[relations]]")
    (own / "without.toml").write_text(before + "[words]" + rest.split("[words]")[1], encoding="utf-8")
    made = done(generate_blank(own, "--config", "without.toml", "--output", "without"))
    assert "0 new captures, 0 new images" in made
    assert not list((own / "without" / "data").rglob("relations.*"))
    for page in (own / "without").rglob("index.html"):
        assert "Relations" not in page.read_text(encoding="utf-8"), page


def test_a_notebook_has_their_table(folder: Path) -> None:
    study = tokviz.study(folder / "report.toml", cache=folder / ".cache", quiet=True)
    frame = study["gpt2"]["alone"].to_pandas("relations")
    with (folder / "site/data/gpt2/alone/relations.csv").open(encoding="utf-8", newline="") as file:
        expected = [row["value"] for row in csv.DictReader(file)]
    assert frame["value"].tolist() == pytest.approx([float(value) for value in expected])
    assert set(frame["name"]) == {"pair", "line"}


def test_words_of_a_vocabulary_that_are_one_token_count_once(tmp_path: Path) -> None:
    """Both “Red” and “red” are the token “red” of a vocabulary that has no other."""
    names = [f"w{i}" for i in range(6)]
    text = f"""
[[models]]
source = "org/name"
[[relations]]
name = "pair"
pairs = {[["red", "May"], ["Red", "June"], ["may", "MAY"], *([a, b] for a, b in zip(names[:3], names[3:], strict=True))]}
[[orders]]
name = "line"
words = {["Red", "red", "May", *names]}
[words]
vocabulary = true
all = {["red", "Red", "may", "MAY", "May", "June", *names]}
""".replace("'", '"')
    (tmp_path / "report.toml").write_text(text, encoding="utf-8")
    config = load(tmp_path / "report.toml")
    words = replace(config.word_list, vocabulary=(" red", " may", " june", *(f" {name}" for name in names)))
    found = related(config, words, hidden_states([np.zeros((len(words.words), 4), dtype=np.float32)]).tokenization)
    assert found.pairs[0].pairs.tolist() == [[0, 1], [3, 6], [4, 7], [5, 8]]
    assert found.orders[0].words.tolist() == [0, 1, 3, 4, 5, 6, 7, 8]
    assert found.orders[0].places.tolist() == [0, 2, 3, 4, 5, 6, 7, 8]


def test_pairs_in_other_forms_count_once(tmp_path: Path) -> None:
    text = """
[words.men]
words = ['king', 'King', 'kings', 'actor', 'uncle']
[words.women]
words = ['queen', 'Queen', 'queens', 'actress', 'aunt']
[[relations]]
name = 'gender'
label = 'Gender'
pairs = [['king', 'queen'], ['King', 'Queen'], ['kings', 'queens'], ['actor', 'actress'], ['uncle', 'aunt']]
[[models]]
source = './llama'
""".replace("'", '"')
    (tmp_path / "report.toml").write_text(text, encoding="utf-8")
    config = load(tmp_path / "report.toml")
    words = config.word_list
    found = related(config, words, hidden_states([np.zeros((len(words.words), 4), dtype=np.float32)]).tokenization)
    named = [[words.words[row] for row in pair] for pair in found.pairs[0].pairs]
    assert named == [["king", "queen"], ["actor", "actress"], ["uncle", "aunt"]]
