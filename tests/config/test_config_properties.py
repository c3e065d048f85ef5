"""Whatever is given as a configuration, it is read, or refused in short lines that name the file: nothing else comes of it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import ROOT
from hypothesis import example, given
from hypothesis import strategies as st

from tokviz.config import InterventionConfig, ReportConfig, load, validated
from tokviz.config.mistakes import LONGEST_MISTAKE, MOST_MISTAKES
from tokviz.config.names import LONGEST_SLUG, slug
from tokviz.config.source import KeyPath, lines_of
from tokviz.errors import ConfigError

SAMPLE = (ROOT / "report.toml").read_text(encoding="utf-8")
IN_TABLES = ("source", "name", "template", "note", "notes", "label", "dtype", *InterventionConfig.model_fields)
KEYS = st.sampled_from([*ReportConfig.model_fields, *IN_TABLES])
ANY_TEXT = st.text(st.characters(), max_size=20)  # with surrogates, control characters and noncharacters
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.dates() | st.times()
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | ANY_TEXT, inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configs")


def refused_or_read(folder: Path, content: str | bytes) -> None:
    path = folder / "report.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    try:
        config = load(path)
    except ConfigError as error:
        check_lines(str(error), str(path))
    else:
        assert config.files[0] == path


def check_lines(said: str, file: str) -> None:
    lines = said.split("\n")
    assert lines[0].startswith(file)
    assert len(lines) <= MOST_MISTAKES + 2
    for line in lines:
        assert len(line) <= LONGEST_MISTAKE
        assert line.isprintable()
    if len(lines) > 1:
        assert re.fullmatch(r".*: [\d,]+ mistakes", lines[0])
        more = re.fullmatch(r"  and [\d,]+ more", lines[-1])
        assert all(line.startswith(f"  {file}") for line in (lines[1:-1] if more else lines[1:]))


@given(st.binary(max_size=200))
def test_any_bytes(folder: Path, content: bytes) -> None:
    refused_or_read(folder, content)


@given(st.text("[]{}=.,\n\"'\\# ab01-_:\t\r\ufeff\ud800\x00é", max_size=80))
@example("a." * 50_000 + "a = 1")
@example("a = " + "[" * 5_000)
@example("a = " + "9" * 5_000)
@example("a = 0x" + "f" * 5_000)
def test_any_text_of_tomls_characters(folder: Path, text: str) -> None:
    refused_or_read(folder, text)


@given(st.data())
def test_a_config_with_some_of_it_changed(folder: Path, data: st.DataObject) -> None:
    text = SAMPLE.replace('"notes/', '"missing/')
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        stop = start + data.draw(st.integers(0, 30))
        text = (
            text[:start]
            + data.draw(st.sampled_from(["", "\n", '"', "[", "]", "=", "\\u0000", "\ufffe", "#", "3"]))
            + text[stop:]
        )
    refused_or_read(folder, text)


@given(st.dictionaries(KEYS, TREES, max_size=6))
@example({"words": {"a": [float("nan"), 10**5_000]}, "models": [{"source": "\ud800"}]})
def test_any_values(values: dict[str, Any]) -> None:
    file = Path("study(…)")
    try:
        validated(values, file)
    except ConfigError as error:
        check_lines(str(error), str(file))


OF_A_MODEL = ("notes", "source")
OF_THE_REPORT = ("words", "contexts", "models", "compare", "title", "layers", "interventions")


@given(TREES, st.sampled_from([*OF_THE_REPORT, *OF_A_MODEL, *InterventionConfig.model_fields]))
@example(10**5_000, "value")
@example([10**5_000], "neurons")
@example(float("nan"), "value")
def test_one_value_of_a_valid_configuration(value: Any, key: str) -> None:
    changed: dict[str, Any] = {"model": "one", "layer": 1, "neurons": [3]}
    model: dict[str, Any] = {"source": "org/one"}
    values: dict[str, Any] = {"words": {"months": ["May"]}, "models": [model], "interventions": [changed]}
    (model if key in OF_A_MODEL else values if key in OF_THE_REPORT else changed)[key] = value
    file = Path("study(…)")
    try:
        config = validated(values, file)
    except ConfigError as error:
        check_lines(str(error), str(file))
    else:
        assert config.pairs is not None
        assert config.drawn_texts
        by_hand = [each for model in config.models for each in config.by_hand(model)]
        assert by_hand == (config.interventions if isinstance(config.interventions, list) else [])


# --- in which line a key stands --------------------------------------------------------------------------------------


def paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield (*path, key)
        yield from paths(inner, (*path, key))


def check_places(text: str) -> None:
    """Every key and entry is found, and none in a line before its table or after the end."""
    wanted = set(paths(tomllib.loads(text)))
    lines = lines_of(text, wanted)
    assert set(lines) == wanted
    for path, line in lines.items():
        key = path[-1]
        if isinstance(key, str) and re.fullmatch(r"[a-z]+", key):
            assert key in text.split("\n")[line - 1]


def test_every_key_of_the_sample_is_found() -> None:
    check_places(SAMPLE)


BARE = st.sampled_from(["a", "b", "c", "words", "k-1", '"q.\\u0041"', "'l #['"])
TOML_KEYS = st.lists(BARE, min_size=1, max_size=3).map(".".join)
TOML_VALUES = st.recursive(
    st.sampled_from(
        ["1", "1.5", "-inf", "true", '"#]"', "'}'", '"""\n["a"]\n\\""""', "'''x\n=y'''", '""', "1979-05-27 07:32:00"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda each: "[ # one\n" + ",\n".join(each) + "\n]")
        | st.lists(st.tuples(TOML_KEYS, inner), max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key} = {value}" for key, value in pairs) + "}"
        )
    ),
    max_leaves=6,
)
TOML_LINES = (
    st.tuples(TOML_KEYS, TOML_VALUES).map(lambda pair: f"{pair[0]} = {pair[1]} # a = [1")
    | TOML_KEYS.map(lambda key: f"[{key}]")
    | TOML_KEYS.map(lambda key: f" [[ {key} ]]")
    | st.just("# a comment = [")
)


@given(st.lists(TOML_LINES, max_size=8).map("\n".join))
def test_every_key_of_any_valid_file_is_found(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    check_places(text)


# --- names of folders ------------------------------------------------------------------------------------------------

WINDOWS_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{digit}" for name in ("com", "lpt") for digit in range(10))}


@pytest.mark.slow
@given(ANY_TEXT | st.text("conaux.1/\\ -_", max_size=12) | st.text(max_size=300))
@example("report.json")
@example("words.js")
@example("manifest.json")
@example("preview.png")
@example("CON")
@example("nul.txt")
@example("com1.tar.gz")
@example("a.")
@example("..")
@example("x" * 50_000)
@example("con" + "x" * 60)
@example("a" * 38 + ".-" + "b" * 60)
def test_a_model_of_any_name_has_a_folder_that_every_system_can_hold(name: str) -> None:
    found = slug(name)
    assert re.fullmatch(r"[a-z0-9._-]+", found)
    assert found == slug(name)
    assert len(found) <= LONGEST_SLUG
    assert found[-1] not in ".-_"
    assert found[0] not in ".-_"
    assert found.partition(".")[0] not in WINDOWS_DEVICES
    assert found not in {"report.json", "words.js", "manifest.json", "preview.png"}
