"""Mistakes that beginners make: each message says where it is, what was expected, what came, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from families import Tiny
from typer.testing import CliRunner

import tokviz
from tokviz.cli.application import application
from tokviz.errors import ConfigError

WORDS = '[words]\ncolors = ["red", "green"]\n'
MODEL = '[[models]]\nsource = "org/name"\n'


class Mistake(NamedTuple):
    """A report.toml and what must be said of it, part by part."""

    text: str
    place: str
    """File, line and key."""
    said: tuple[str, ...]


MISTAKES = {
    # the file
    "an empty file": Mistake(
        "", "report.toml: words", ("expected categories of words", "got none", "add a table [words]")
    ),
    "words without a model": Mistake(
        WORDS, "report.toml: models", ("expected at least one model", "got none", "add a table [[models]]")
    ),
    "a model without words": Mistake(
        MODEL, "report.toml: words", ("expected categories of words", "add a table [words]")
    ),
    "a quotation mark that is missing": Mistake(
        'title = "A\n' + WORDS + MODEL, "report.toml", ("not valid TOML", "line 1")
    ),
    "a comma that is missing": Mistake('[words]\na = ["b" "c"]\n' + MODEL, "report.toml", ("not valid TOML", "line 2")),
    "a key twice": Mistake('title = "A"\ntitle = "B"\n' + WORDS + MODEL, "report.toml", ("not valid TOML", "line 2")),
    "YAML": Mistake("title: A report\n", "report.toml", ("not valid TOML", "line 1")),
    "JSON": Mistake('{"title": "A"}\n', "report.toml", ("not valid TOML", "line 1")),
    "a text without quotation marks": Mistake(
        "title = A report\n" + WORDS + MODEL, "report.toml", ("not valid TOML", "line 1")
    ),
    "True as in Python": Mistake("[words]\nvocabulary = True\n" + MODEL, "report.toml", ("not valid TOML", "line 2")),
    # keys
    "a key with a typing error": Mistake(
        'titel = "A"\n' + WORDS + MODEL, "report.toml:1: titel", ("unknown key", "did you mean 'title'?")
    ),
    "a key that there isn't": Mistake(
        "layout = 3\n" + WORDS + MODEL, "report.toml:1: layout", ("unknown key", "known keys are title")
    ),
    "a key of the report below a table": Mistake(
        WORDS + 'title = "A"\n' + MODEL,
        "report.toml:3: words.title",
        ("expected a category", "move it before the first table"),
    ),
    "a key of the report in a model": Mistake(
        WORDS + MODEL + 'title = "A"\n',
        "report.toml:5: models.0.title",
        ("unknown key", "it belongs before the first table"),
    ),
    "a model's key with a typing error": Mistake(
        WORDS + MODEL + 'revison = "main"\n',
        "report.toml:5: models.0.revison",
        ("unknown key", "did you mean 'revision'?"),
    ),
    "a context's key with a typing error": Mistake(
        WORDS + MODEL + '[[contexts]]\nname = "a"\ntemplat = "{word}"\n',
        "report.toml:7: contexts.0.templat",
        ("unknown key", "did you mean 'template'?"),
    ),
    # texts and numbers
    "a title that is a number": Mistake(
        "title = 3\n" + WORDS + MODEL, "report.toml:1: title", ("expected text in quotes", "got 3")
    ),
    "an empty title": Mistake(
        'title = " "\n' + WORDS + MODEL, "report.toml:1: title", ("expected text that is not only spaces", "got")
    ),
    "a number in quotation marks": Mistake(
        'token_budget = "4096"\n' + WORDS + MODEL,
        "report.toml:1: token_budget",
        ("expected a whole number", "got '4096'"),
    ),
    "a number that is too small": Mistake(
        "token_budget = 1\n" + WORDS + MODEL, "report.toml:1: token_budget", ("expected at least 64", "got 1")
    ),
    "an address without https": Mistake(
        'site_url = "you.example.org/report"\n' + WORDS + MODEL,
        "report.toml:1: site_url",
        ("expected an address that starts with https://", "got 'you.example.org/report'"),
    ),
    "an introduction that isn't there": Mistake(
        'intro = "intro.md"\n' + WORDS + MODEL,
        "report.toml:1: intro",
        ("intro.md", "expected a file, found none", "create it or name another"),
    ),
    "a placeholder that there isn't": Mistake(
        'title = "{n_tokens} words"\n' + WORDS + MODEL, "report.toml:1: title", ("{n_words}", "got")
    ),
    "a theme that isn't there": Mistake(
        'theme = "mine"\n' + WORDS + MODEL,
        "report.toml:1: theme",
        ("expected a folder with templates", "got nothing of that name", "leave theme out"),
    ),
    "a color by its name": Mistake(
        'palette = ["navy"]\n' + WORDS + MODEL,
        "report.toml:1: palette.0",
        ("expected a color such as '#21319d'", "got 'navy'"),
    ),
    "a shape that there isn't": Mistake(
        'markers = ["circle", "o"]\n' + WORDS + MODEL,
        "report.toml:1: markers.1",
        ("expected 'circle', 'square'", "or 'triangle_right'", "got 'o'"),
    ),
    "a font by its name": Mistake(
        'font = "Arial"\n' + WORDS + MODEL,
        "report.toml:1: font",
        ("expected a .ttf or .otf file, found none", "create it or name another"),
    ),
    # words
    "a category without words": Mistake(
        "[words]\na = []\n" + MODEL, "report.toml:2: words.a", ("expected at least one word", "got an empty list")
    ),
    "a category that is one word": Mistake(
        '[words]\na = "red"\n' + MODEL, "report.toml:2: words.a", ("expected a list of words", "got 'red'")
    ),
    "a word that is a number": Mistake(
        "[words]\na = [1, 2]\n" + MODEL, "report.toml:2: words.a.0", ("expected text in quotes", "got 1")
    ),
    "a word twice": Mistake(
        '[words]\na = ["red", "red"]\n' + MODEL,
        "report.toml:2: words.a.1",
        ("the word 'red' stands twice", "remove one"),
    ),
    "an empty word": Mistake('[words]\na = ["red", ""]\n' + MODEL, "report.toml:2: words.a.1", ("expected", "got ''")),
    "a list of lists": Mistake(
        '[words]\na = [["red"]]\n' + MODEL, "report.toml:2: words.a.0", ("expected text in quotes", "got ['red']")
    ),
    "a list in place of categories": Mistake(
        'words = ["red", "green"]\n' + MODEL, "report.toml:1: words", ("expected", "got ['red', 'green']")
    ),
    "a file of words that isn't there": Mistake(
        'words = "w.toml"\n' + MODEL,
        "report.toml:1: words",
        ("w.toml", "expected a TOML file, found none", "create it"),
    ),
    "layers that are no numbers": Mistake(
        '[words]\nvocabulary = true\nlayers = ["first"]\n' + MODEL,
        "report.toml:3: words.layers",
        ('expected "embedding" and layers', "got 'first'"),
    ),
    "layers with a gap": Mistake(
        '[words]\nvocabulary = true\nlayers = ["embedding", 3]\n' + MODEL,
        "report.toml:3: words.layers",
        ('expected "embedding" and the layers from 0 on without a gap', "got ['embedding', 3]"),
    ),
    # contexts
    "a template without the word": Mistake(
        WORDS + '[[contexts]]\nname = "a"\ntemplate = "The"\n' + MODEL,
        "report.toml:5: contexts.0.template",
        ("expected a template that holds {word} exactly once", "got 'The'"),
    ),
    "a template with the word twice": Mistake(
        WORDS + '[[contexts]]\nname = "a"\ntemplate = "{word} {word}"\n' + MODEL,
        "report.toml:5: contexts.0.template",
        ("exactly once", "got '{word} {word}'"),
    ),
    "a context without a template": Mistake(
        WORDS + '[[contexts]]\nname = "a"\n' + MODEL,
        "report.toml:3: contexts.0.template",
        ("expected a text with {word} in it", "got none", "add template"),
    ),
    "two contexts of one name": Mistake(
        WORDS
        + '[[contexts]]\nname = "a"\ntemplate = "{word}"\n[[contexts]]\nname = "a"\ntemplate = " {word}"\n'
        + MODEL,
        "report.toml:6: contexts.1",
        ("a",),
    ),
    "one context's brackets": Mistake(
        WORDS + '[contexts]\nname = "a"\ntemplate = "{word}"\n' + MODEL,
        "report.toml:3: contexts",
        ("expected [[contexts]] with two brackets", "got {"),
    ),
    # models
    "one model's brackets": Mistake(
        WORDS + '[models]\nsource = "org/name"\n',
        "report.toml:3: models",
        ("expected [[models]] with two brackets", "got {"),
    ),
    "a model without a source": Mistake(
        WORDS + '[[models]]\nname = "A"\n',
        "report.toml:3: models.0.source",
        ("expected where the model is", "got none", "add source"),
    ),
    "a list of sources": Mistake(
        'models = ["org/name"]\n' + WORDS, "report.toml:1: models.0", ("expected a table", "got 'org/name'")
    ),
    "two models of one name": Mistake(
        WORDS + MODEL + MODEL,
        "report.toml:5: models.1",
        ("already taken by models.0", 'give one of them another "name"'),
    ),
    "a dtype that there isn't": Mistake(
        WORDS + MODEL + 'dtype = "fp8"\n', "report.toml:5: models.0.dtype", ("expected", "got 'fp8'")
    ),
    "a checksum that is none": Mistake(
        WORDS + MODEL + 'sha256 = "abc"\n',
        "report.toml:5: models.0.sha256",
        ("expected 64 lower-case hexadecimal digits", "got 'abc'"),
    ),
    "a note that isn't there": Mistake(
        WORDS + MODEL + 'note = "n.md"\n', "report.toml:5: models.0.note", ("n.md", "expected a file, found none")
    ),
    # what is shown
    "a projection that there isn't": Mistake(
        'projections = ["tsne"]\n' + WORDS + MODEL,
        "report.toml:1: projections.0",
        ("expected 'standardized', 'centered'", "got 'tsne'"),
    ),
    "no projection": Mistake(
        "projections = []\n" + WORDS + MODEL, "report.toml:1: projections", ("expected at least one entry", "got")
    ),
    "another token to read": Mistake(
        'read = "middle"\n' + WORDS + MODEL,
        "report.toml:1: read",
        ('expected "last", "first", "mean" or the index', "got 'middle'"),
    ),
    "models to compare that aren't there": Mistake(
        'compare = [["name", "other"]]\n' + WORDS + MODEL, "report.toml:1: compare", ("other",)
    ),
    "interventions that are a word": Mistake(
        'interventions = "on"\n' + WORDS + MODEL, "report.toml:1: interventions", ("got 'on'",)
    ),
    "neurons without a layer": Mistake(
        WORDS + MODEL + '[[interventions]]\nmodel = "name"\nneurons = [1]\n',
        "report.toml:5: interventions.0.layer",
        ("expected a value, got none", "add it"),
    ),
    "a finding of a model that isn't there": Mistake(
        WORDS + MODEL + '[finding]\nsentence = "A."\nrows = ["other/alone", "name/alone"]\n',
        "report.toml:7: finding.rows",
        ("other",),
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_config_says_where_and_what_and_what_to_do(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistake = MISTAKES[name]
    monkeypatch.chdir(tmp_path)
    Path("report.toml").write_text(mistake.text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        tokviz.load("report.toml")
    said = str(caught.value)
    lines = [line.strip() for line in said.splitlines()]
    line = next((each for each in lines if each.startswith(mistake.place)), "")
    assert line, said
    assert not [part for part in mistake.said if part not in line], line


def test_all_mistakes_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("report.toml").write_text(
        'titel = "A"\nread = "middle"\n[words]\na = []\n[[models]]\nname = "A"\n', encoding="utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        tokviz.load("report.toml")
    said = str(caught.value)
    assert said.startswith("report.toml: 4 mistakes")
    assert [part for part in ("titel", "read", "words.a", "models.0.source") if part not in said] == []


COMMANDS = {
    "no config": (["build"], ("report.toml", "expected a TOML file, found none", "tokviz init")),
    "another config": (["build", "--config", "r.toml"], ("r.toml", "expected a TOML file, found none")),
    "a folder as config": (["build", "--config", "."], ("expected a file, got a folder",)),
    "a source that is a path": (
        ["plan", "--model", "./nowhere", "--words", "words.toml"],
        ("./nowhere", "got a path where there is nothing"),
    ),
    "an address of a page": (
        ["plan", "--model", "https://huggingface.co/org/name", "--words", "words.toml"],
        ("expected a hub id, got the address of a page", 'write the id, "org/name"'),
    ),
    "no file of words": (
        ["plan", "--model", "model", "--words", "w.toml"],
        ("w.toml", "expected a TOML file, found none"),
    ),
    "a folder without a model": (
        ["plan", "--model", "empty", "--words", "words.toml"],
        ("empty", "expected a model's folder with a config.json, found none", "check the path"),
    ),
    "a device that isn't there": (
        ["build", "--model", "model", "--words", "words.toml", "--device", "cuda:7"],
        ("cuda:7", "expected"),
    ),
    "an output that is a file": (
        ["build", "--model", "model", "--words", "words.toml", "--output", "words.toml"],
        ("words.toml", "expected a folder"),
    ),
    "the cache in the site": (
        ["build", "--model", "model", "--words", "words.toml", "--output", "a", "--cache", "a/b"],
        ("--output a, --cache a/b", "expected two folders", "name another"),
    ),
    "an empty source": (["models", ""], ("'': expected a hub id, a folder, a .gguf file or package:NAME/PATH",)),
    "init over an older report": (["init", "started"], ("started", "report.toml")),
}


@pytest.fixture(scope="module")
def folder(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("beginner")
    tiny.copy("llama", folder / "model")
    (folder / "empty").mkdir()
    (folder / "started").mkdir()
    (folder / "started" / "report.toml").write_text("mine", encoding="utf-8")
    (folder / "words.toml").write_text('colors = ["red", "green"]\n', encoding="utf-8")
    return folder


def visible(folder: Path) -> list[Path]:
    """Without the cache and the files by which runs wait for each other."""
    return sorted(path for path in folder.rglob("*") if not any(part.startswith(".") for part in path.parts))


@pytest.mark.process
@pytest.mark.parametrize("name", COMMANDS)
def test_a_mistake_on_the_command_line_is_told_without_a_traceback(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, parts = COMMANDS[name]
    monkeypatch.chdir(folder)
    before = visible(folder)
    ran = CliRunner().invoke(application, arguments)
    said = f"{ran.stdout}{ran.stderr}"
    assert ran.exit_code == 1, said
    assert ran.exception is None or isinstance(ran.exception, SystemExit), said
    assert not [part for part in parts if part not in " ".join(said.split())], said
    assert visible(folder) == before
    assert (folder / "started" / "report.toml").read_text(encoding="utf-8") == "mine"


def test_there_are_sixty_of_them() -> None:
    assert len(MISTAKES) + len(COMMANDS) >= 60
