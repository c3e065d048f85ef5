"""Words from text, CSV and JSON: the same words as from TOML, and mistakes with the line in which they are."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from command import CONFIG
from hypothesis import given, settings
from hypothesis import strategies as st
from invoking import run

from tokviz.config import load
from tokviz.config.source import KeyPath
from tokviz.config.words_files import WordsFileError, reader_of

MODEL = '[[models]]\nsource = "org/name"\n'
WORDS = {"colors": ["red", "green"], "First names": ["Mary", "Zoë"]}
SAME = {
    "words.txt": "# colors\nred\ngreen\n\n# First names\n  Mary \nZoë",
    "again.TXT": "\ufeff#colors\r\nred\r\n# First names\r\nMary\r\nZoë\r\n# colors\r\ngreen\r\n",
    "words.csv": 'word,category\nred,colors\n"green",colors\nMary,First names\nZoë,First names\n\n',
    "more.csv": "Category;frequency;Word\ncolors;3;red\ncolors;;green\nFirst names;1;Mary\nFirst names;1;Zoë\n",
    "words.tsv": "word\tcategory\nred\tcolors\ngreen\tcolors\nMary\tFirst names\nZoë\tFirst names\n",
    "words.json": json.dumps(WORDS),
    "full.json": '{"colors": {"words": ["red", "green"]},\n "First names": ["Mary", "Zo\\u00eb"]}',
}


@pytest.mark.parametrize("name", SAME)
def test_every_format_gives_the_same_words(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(SAME[name].encode())
    (tmp_path / "report.toml").write_text(f'words = "{name}"\n{MODEL}', encoding="utf-8")
    for config in (load(tmp_path / "report.toml"), load(tmp_path / "report.toml", words_file=file)):
        assert {key: list(category.words) for key, category in config.words.items()} == WORDS
        assert file in config.files


def test_words_above_the_first_category_are_in_one_named_as_the_file(tmp_path: Path) -> None:
    (tmp_path / "animals.txt").write_text("dog\ncat\n", encoding="utf-8")
    (tmp_path / "report.toml").write_text(f'words = "animals.txt"\n{MODEL}', encoding="utf-8")
    assert {key: each.words for key, each in load(tmp_path / "report.toml").words.items()} == {
        "animals": ["dog", "cat"]
    }


BAD: dict[str, tuple[str, str | bytes | None, str]] = {
    "a category without a name": ("w.txt", "red\n#\ngreen\n", "w.txt:2: expected the name of a category after #"),
    "a category without words": ("w.txt", "# a\nred\n# b\n", "w.txt:3: words.b: expected at least one word"),
    "a word twice in lines": ("w.txt", "# a\nred\n\nred\n", "w.txt:4: words.a.1: the word 'red' stands twice"),
    "no words": ("w.txt", "\n\n", "w.txt: words: "),
    "no UTF-8": ("w.txt", b"red\ngr\xfcn\n", "w.txt: expected UTF-8 text, got byte 0xfc in line 2"),
    "no names of columns": ("w.csv", "red,colors\n", "w.csv:1: expected a first line that names the columns word and"),
    "an empty table": ("w.csv", "", "w.csv:1: expected a first line that names the columns word and category, got"),
    "a row without a word": ("w.csv", "word,category\nred,a\n,a\n", "w.csv:3: expected a word and its category, got no word"),
    "a row without a category": ("w.csv", "word,category\nred\n", "w.csv:2: expected a word and its category, got no cat"),
    "a quotation mark in a row": ("w.csv", 'word,category\n"re"d,a\n', "w.csv:2: not valid CSV: "),
    "a word twice in rows": ("w.csv", "word,category\nred,a\ntwo,b\nred,a\n", "w.csv:4: words.a.1: the word 'red' stands"),
    "a line break in a word": ("w.csv", 'word,category\nred,a\n"ice\ncream",a\n', "w.csv:3: words.a.1: expected text without"),
    "a separator of lines in a word": ("w.txt", "red\nice\u2028cream\n", "w.txt:2: words.w.1: expected text without control"),
    "a next line in a word": ("w.txt", "red\nice\x85cream\n", "w.txt:2: words.w.1: expected text without control"),
    "a comma that is missing": ("w.json", '{"a": ["red"],\n "b": ["x" "y"]}', "w.json:2: not valid JSON: Expecting ','"),
    "TOML in it": ("w.json", 'a = ["red"]', "w.json:1: not valid JSON: Expecting value in column 1"),
    "a list": ("w.json", '["red", "green"]', 'w.json:1: expected an object such as {"colors": ["red", "green"]}'),
    "a category twice": ("w.json", '{"a": ["red"],\n "a": ["x"]}', "w.json:2: the category 'a' stands twice"),
    "a number": ("w.json", '{"a": ["red"],\n "b": [\n"x",\n 3]}', "w.json:4: words.b.1: expected text in quotes, got 3"),
    "an unknown key": ("w.json", '{"a": {"words": ["x"],\n "colour": 3}}', "w.json:2: words.a.colour: unknown key"),
    "many brackets": ("w.json", "[" * 100_000, "w.json: expected numbers of at most 4,300 digits and at most 20 brackets"),
    "brackets for a path of their own": ("w.json", '{"a": ' + "[" * 900 + "1" + "]" * 900 + "}", "and at most 20 brackets within each other"),
    "another format": ("w.yaml", "a:\n - red\n", "w.yaml: expected a file whose name ends in .toml, .txt, .csv, .tsv or .json"),
    "a file that isn't there": ("w.csv", None, "w.csv: expected a file of words, found none; create it"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    file, content, said = BAD[name]
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(file).write_bytes(content if isinstance(content, bytes) else content.encode())
    Path("report.toml").write_text(f'words = "{file}"\n{MODEL}', encoding="utf-8")
    Path("other.toml").write_text(f'[words]\na = ["b"]\n{MODEL}', encoding="utf-8")
    for options in ((), ("--config", "other.toml", "--words", file)):
        done = run("plan", *options)
        assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
        assert said in done.stderr


def test_a_category_that_stands_twice_among_many_is_found_in_a_moment() -> None:
    read = reader_of(Path("w.json"))
    assert read is not None
    names = [f"a{index}" for index in range(60_000)]
    text = "{" + ",\n".join(f'"{name}": []' for name in (*names, "a59999")) + "}"
    before = time.process_time()
    with pytest.raises(WordsFileError, match="the category 'a59999' stands twice") as caught:
        read("w", text)
    assert caught.value.line == 60_001
    assert time.process_time() - before < 10


@settings(max_examples=15)
@given(
    st.dictionaries(st.text(), st.dictionaries(st.text(), st.lists(st.text()) | st.integers()) | st.lists(st.text()))
)
def test_the_line_of_each_entry_of_json_is_known(words: dict[str, object]) -> None:
    text = json.dumps(words, indent=1)
    read = reader_of(Path("w.json"))
    assert read is not None
    lines = text.split("\n")
    found = read("w", text).lines
    wanted = {*paths(words, ())}
    assert found.keys() == wanted
    for path, line in found.items():
        value, last = value_at(words, path), path[-1]
        begins = json.dumps(last) + ":" if isinstance(last, str) else json.dumps(value)
        assert lines[line - 1].strip().startswith(begins)


def paths(value: object, path: KeyPath) -> list[KeyPath]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [each for key, part in parts for each in ((*path, key), *paths(part, (*path, key)))]


def value_at(value: object, path: KeyPath) -> object:
    for key in path:
        value = value[key]  # type: ignore[index]
    return value


def test_models_are_named_without_an_option(tmp_path: Path, llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(llama.parent)
    Path("report.toml").write_text(CONFIG + MODEL, encoding="utf-8")
    Path("words.txt").write_text("# colors\nred\ngreen\n", encoding="utf-8")
    by_option = run("plan", "--model", "./llama", "--model", "Two=org/two", "--words", "words.txt")
    assert by_option.stdout.splitlines()[3] == "llama (./llama)"
    for arguments in (("plan", "./llama", "Two=org/two"), ("build", "./llama", "--dry-run", "--model", "Two=org/two")):
        assert run(*arguments, "--words", "words.txt").stdout == by_option.stdout
