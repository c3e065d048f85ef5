"""Relations and orders through the whole run: which words count, what is made again, and where it is seen."""

from __future__ import annotations

import csv
from pathlib import Path

import families
import pytest
from command import generate

import tokviz

FIRST = ["red", "blue", "green", "pink", "brown", "gray"]
SECOND = ["May", "June", "July", "March", "April", "August", "firefighter"]
CONFIG = f"""
[[contexts]]
name = "alone"
template = "{{word}}"

[[relations]]
name = "pair"
label = "LABEL → X"
pairs = {[list(pair) for pair in zip(FIRST, SECOND, strict=False)]}

[[orders]]
name = "line"
words = {[*SECOND[:6], *FIRST[:3]]}

[words]
first = {FIRST}
second = {SECOND}
""".replace("'", '"')

READ = 'read = "first"\n'
"""So that all words are read at one position, however a tiny tokenizer cuts them."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a report of two tiny models, made once."""
    folder = tmp_path_factory.mktemp("related")
    for name in ("llama", "gpt2"):
        families.build(name, folder / name)
    write(folder)
    made = generate(folder, "--jobs", "1")
    assert made.returncode == 0, made.stderr
    return folder


def write(folder: Path, label: str = "First → second", pairs: str = "") -> None:
    models = "".join(f'[[models]]\nsource = "./{name}"\n' for name in ("llama", "gpt2"))
    text = CONFIG.replace("LABEL → X", label).replace('["gray", "August"]', pairs or '["gray", "August"]')
    (folder / "report.toml").write_text(READ + models + text, encoding="utf-8")


def test_pages_tables_and_downloads_have_them(folder: Path) -> None:
    site = folder / "site"
    for path, expected in {
        "models/llama/index.html": ("Relations and orders", "First → second", "relations.csv", "relations.svg"),
        "compare/index.html": ("Parallelism, First → second", "Order, Line"),
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


def test_a_label_measures_nothing_again_and_another_pair_does(folder: Path) -> None:
    write(folder, label="A new label")
    again = generate(folder, "--dry-run")
    assert "metrics: up to date" in again.stdout
    assert "measure (" not in again.stdout
    assert generate(folder, "--jobs", "1").returncode == 0
    assert "A new label" in (folder / "site/models/llama/index.html").read_text(encoding="utf-8")
    write(folder, pairs='["gray", "firefighter"]')
    again = generate(folder, "--dry-run")
    assert "measure (not measured yet)" in again.stdout
    write(folder)


def test_a_report_without_any_says_nothing_of_them(folder: Path) -> None:
    text = (folder / "report.toml").read_text(encoding="utf-8")
    before, rest = text.split("[[relations]]")
    (folder / "without.toml").write_text(before + "[words]" + rest.split("[words]")[1], encoding="utf-8")
    made = generate(folder, "--config", "without.toml", "--output", "without", "--jobs", "1")
    assert made.returncode == 0, made.stderr
    assert "0 new captures, 0 new images" in made.stdout
    assert not list((folder / "without" / "data").rglob("relations.*"))
    for page in (folder / "without").rglob("index.html"):
        assert "Relations" not in page.read_text(encoding="utf-8"), page


def test_a_notebook_has_their_table(folder: Path) -> None:
    write(folder)
    study = tokviz.study(folder / "report.toml", cache=folder / ".cache", quiet=True)
    frame = study["gpt2"]["alone"].to_pandas("relations")
    with (folder / "site/data/gpt2/alone/relations.csv").open(encoding="utf-8", newline="") as file:
        expected = [row["value"] for row in csv.DictReader(file)]
    assert frame["value"].tolist() == pytest.approx([float(value) for value in expected])
    assert set(frame["name"]) == {"pair", "line"}
