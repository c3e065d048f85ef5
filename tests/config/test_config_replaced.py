"""Other words and models than the configured ones: named on the command line, with none of the sample's texts; names of any kind."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tokviz.config import load, model_of
from tokviz.errors import ConfigError

SAMPLE = Path(__file__).parent.parent.parent / "report.toml"
WORDS = 'Colors = ["red", "green"]\n"First names" = ["Mary"]\n"月" = ["一月"]\n'
MODEL = '[[models]]\nsource = "org/name"\n'


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.toml"
    path.write_text(WORDS, encoding="utf-8")
    return path


def test_the_texts_of_the_sample_speak_of_the_sample_only(words: Path) -> None:
    whole = load(SAMPLE)
    assert (
        whole.subtitle == "How language models arrange {n_words} everyday words, from the embedding to the last layer."
    )
    assert whole.intro
    assert any(model.notes for model in whole.models)
    for replaced in (
        load(SAMPLE, words_file=words),
        load(SAMPLE, models=("org/name",)),
        load(SAMPLE, models=("org/name",), words_file=words),
    ):
        assert replaced.title == "Tokens, layer by layer"
        assert (replaced.subtitle, replaced.description, replaced.intro, replaced.finding) == (None, None, None, None)
        assert not any(model.note or model.notes for model in replaced.models)
    assert [model.source for model in load(SAMPLE, words_file=words).models] == [model.source for model in whole.models]


def test_what_tells_nothing_of_words_and_models_stays(tmp_path: Path, words: Path) -> None:
    text = 'title = "Mine"\nauthor = "Me"\nlicense = "CC BY 4.0"\nprojections = ["centered"]\n'
    (tmp_path / "report.toml").write_text(f"{text}[words]\na = ['b']\n{MODEL}note = 'It is mine.'\n", encoding="utf-8")
    config = load(tmp_path / "report.toml", words_file=words)
    assert (config.title, config.author, config.license) == ("Tokens, layer by layer", "Me", "CC BY 4.0")
    assert config.projections == ["centered"]


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("org/name", {"source": "org/name"}),
        ("Mine=org/name", {"name": "Mine", "source": "org/name"}),
        ("Mine=org/name@v2", {"name": "Mine", "source": "org/name", "revision": "v2"}),
        ("gpt2@refs/pr/1", {"source": "gpt2", "revision": "refs/pr/1"}),
        ("My model, 4 bits=~/a=b.gguf", {"name": "My model, 4 bits", "source": "~/a=b.gguf"}),
        ("./a=b", {"source": "./a=b"}),
        (r"C:\models\a=b", {"source": r"C:\models\a=b"}),
        ("./me@home/model", {"source": "./me@home/model"}),
        ("package:name/path@x", {"source": "package:name/path@x"}),
        ("there=is", {"source": "there=is"}),
        ("there@is", {"source": "there@is"}),
        ("Mine=there@is", {"name": "Mine", "source": "there@is"}),
        ("x" * 5000, {"source": "x" * 5000}),
        ("a\0b", {"source": "a\0b"}),
    ],
)
def test_a_model_of_the_command_may_have_a_name_and_a_revision(
    tmp_path: Path, text: str, table: dict[str, str]
) -> None:
    for folder in ("there=is", "there@is"):
        (tmp_path / folder).mkdir()
    assert model_of(text, tmp_path) == table


def test_models_of_the_command_are_shown_by_their_names(tmp_path: Path, words: Path) -> None:
    (tmp_path / "report.toml").write_text(MODEL, encoding="utf-8")
    config = load(tmp_path / "report.toml", models=("The first=org/name@v1", "org/name@v2"), words_file=words)
    assert [(model.display_name, model.slug, model.revision) for model in config.models] == [
        ("The first", "the-first", "v1"),
        ("name", "name", "v2"),
    ]


def test_keys_of_any_kind_have_an_address_and_are_shown_as_they_are_written(tmp_path: Path, words: Path) -> None:
    contexts = '[[contexts]]\nname = "In a Text"\ntemplate = "a {word}"\n[[contexts]]\nname = "by_itself"\ntemplate = "{word}"\n'
    contexts += '[[contexts]]\nname = "CON"\ntemplate = "the {word}"\n'
    notes = '[models.notes]\n"in-a-text/layer-1" = "A note."\n'
    (tmp_path / "report.toml").write_text(f'words = "words.toml"\n{contexts}{MODEL}{notes}', encoding="utf-8")
    config = load(tmp_path / "report.toml")
    keys = [(category.key, category.label) for category in config.word_list.categories]
    assert keys[:2] == [("colors", "Colors"), ("first-names", "First names")]
    assert re.fullmatch(r"category-[0-9a-f]{8}", keys[2][0])
    assert keys[2][1] == "月"
    assert [(context.name, context.label) for context in config.context_list] == [
        ("in-a-text", "In a Text"),
        ("by_itself", "by itself"),
        ("context-con", "CON"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[words]\ncolors = ['red']\nColors = ['blue']\n" + MODEL,
            "report.toml:3: words.Colors: 'Colors' and 'colors' would both stand in addresses as 'colors'; rename one",
        ),
        (
            "[words]\na = ['red']\n"
            + MODEL
            + '[[contexts]]\nname = "A b"\ntemplate = "{word}"\n[[contexts]]\nname = "a-b"\ntemplate = "a {word}"\n',
            "report.toml:9: contexts.1.name: 'a-b' and 'A b' would both stand in addresses as 'a-b'; rename one",
        ),
        (
            "[words]\na = ['red']\n" + MODEL + 'name = "A b"\n' + MODEL + 'name = "a-b"\n',
            "report.toml:6: models.1: the slug 'a-b' is already taken by models.0; give one of them another \"name\"",
        ),
    ],
)
def test_names_that_would_have_the_same_address_are_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "report.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "report.toml")
    assert str(caught.value) == f"{tmp_path}{os.sep}{said}"
