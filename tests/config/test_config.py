"""What a user may write in report.toml, and what is said when it is wrong."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from tokviz.config import ReportConfig, load, slugify, validated
from tokviz.errors import ConfigError
from tokviz.records import Category, WordList

WORDS = '[words]\nmonths = ["May", "June", "July"]\n'
MODEL = '[[models]]\nsource = "org/name"\n'
CONTEXT = '[[contexts]]\nname = "alone"\ntemplate = " {word}"\n'


def write(folder: Path, text: str, name: str = "report.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str) -> ReportConfig:
    return load(write(folder, text))


def test_the_short_form_gets_readable_defaults(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[words]\naction_verbs = ["run"]\n[[models]]\nsource = "Qwen/Qwen3-4B-Instruct-2507"\n')
    assert config.word_list.categories[0].label == "Action verbs"
    assert config.projections == ["standardized", "centered"]
    assert config.context_list[0].template == " {word}"
    assert (config.models[0].display_name, config.models[0].slug) == (
        "Qwen3-4B-Instruct-2507",
        "qwen3-4b-instruct-2507",
    )


def test_a_category_may_have_a_label_and_words_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    write(tmp_path / "words", '[months]\nlabel = "Months of the year"\nwords = ["May"]\n', "mine.toml")
    config = loaded(tmp_path, 'words = "words/mine.toml"\n' + MODEL)
    assert config.word_list.categories[0].label == "Months of the year"
    assert config.word_list.words == ("May",)


def test_a_word_of_two_categories_is_one_word_with_both(tmp_path: Path) -> None:
    words = loaded(tmp_path, '[words]\nfruits = ["apple", "orange"]\ncolors = ["red", "orange"]\n' + MODEL).word_list
    assert words.words == ("apple", "orange", "red")
    assert words.memberships == ((0,), (0, 1), (1,))


def test_models_and_words_of_the_command_replace_those_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, WORDS + MODEL)
    other = write(tmp_path, 'colors = ["red"]\n', "other.toml")
    config = load(path, models=("a/one", "b/two.gguf"), words_file=other)
    assert [model.slug for model in config.models] == ["one", "two"]
    assert config.word_list.words == ("red",)


def test_every_pair_of_a_few_models_is_shown_in_detail_and_of_many_only_those_that_are_named(tmp_path: Path) -> None:
    def in_detail(n_models: int, text: str = "") -> list[tuple[str, str]]:
        models = "".join(f'[[models]]\nsource = "org/M{index}"\n' for index in range(n_models))
        pairs = loaded(tmp_path, text + WORDS + models).pairs
        assert len({frozenset(pair) for pair, _ in pairs}) == len(pairs) == n_models * (n_models - 1) // 2
        return [pair for pair, detail in pairs if detail]

    assert in_detail(1) == []
    assert in_detail(3) == [("m0", "m1"), ("m0", "m2"), ("m1", "m2")]
    assert len(in_detail(6)) == 15
    assert in_detail(7) == []
    assert in_detail(7, 'compare = [["M6", "M2"]]\n') == [("m6", "m2")]


def test_of_more_than_eight_models_each_is_compared_with_the_first_that_can_be_and_as_named(tmp_path: Path) -> None:
    models = "".join(f'[[models]]\nsource = "org/M{index}"\n' for index in range(9))
    config = loaded(tmp_path, f'compare = [["M6", "M2"], ["M4", "M0"]]\n{WORDS}{models}')
    named = [("m6", "m2"), ("m4", "m0")]
    assert [pair for pair, detail in config.pairs if detail] == named
    assert [pair for pair, detail in config.pairs if not detail] == [
        ("m0", f"m{index}") for index in (1, 2, 3, 5, 6, 7, 8)
    ]
    without_first = [pair for pair, _ in config.pairs_among([f"m{index}" for index in range(1, 9)])]
    assert without_first == [("m6", "m2"), *(("m1", f"m{index}") for index in range(2, 9))]
    assert config.pairs_among([]) == ()


def test_a_tokenizer_may_be_named(tmp_path: Path) -> None:
    (model,) = loaded(tmp_path, WORDS + MODEL + 'tokenizer = "org/name"\n').models
    assert model.tokenizer == "org/name"
    for text, said in (
        ("tokenizer = true\n", "models.0.tokenizer: expected text in quotes"),
        ('tokeniser = "a"\n', "'tokenizer'"),
    ):
        with pytest.raises(ConfigError) as caught:
            loaded(tmp_path, WORDS + MODEL + text)
        assert said in str(caught.value)


def test_a_context_keeps_the_space_before_the_word(tmp_path: Path) -> None:
    (context,) = loaded(tmp_path, WORDS + MODEL + CONTEXT).context_list
    assert context.fill("May") == (" May", 1, 4)


def test_a_bound_on_memory_is_handed_on_in_the_words_of_transformers(tmp_path: Path) -> None:
    (model,) = loaded(tmp_path, WORDS + MODEL + 'max_memory = { cpu = "2GiB", 0 = "20GB" }\n').models
    assert model.placement == {"device_map": "auto", "max_memory": {"cpu": "2GiB", 0: "20GB"}}
    (model,) = loaded(tmp_path, WORDS + MODEL + 'device_map = "balanced"\n').models
    assert model.placement == {"device_map": "balanced", "max_memory": None}
    (model,) = loaded(tmp_path, WORDS + MODEL).models
    assert model.placement == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('max_memory = { cpu = "2 gigabytes" }\n', "a size such as '2GiB'"),
        ('max_memory = { gpu = "2GiB" }\n', "'cpu', 'mps' or the number of a GPU"),
        ("max_memory = { cpu = -1 }\n", "expected text in quotes, got -1"),
    ],
)
def test_a_mistaken_bound_on_memory_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"models\.0\.max_memory") as caught:
        loaded(tmp_path, WORDS + MODEL + text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("title = \n", "not valid TOML", "line 1"),
        (MODEL, "words", "add a table [words]"),
        (WORDS, "models", "add a table [[models]]"),
        ("[words]\n" + MODEL, "words", "at least one category"),
        ("[words]\nmonths = []\n" + MODEL, "words.months", "empty list"),
        ('[words]\nmonths = ["May", "May"]\n' + MODEL, "words.months", "'May' stands twice"),
        ('[words]\nmonths = ["May", " June"]\n' + MODEL, "words.months", "' June'"),
        ('[words]\nmonths = ["May", 3]\n' + MODEL, "words.months", "got 3"),
        ('[words]\nmonths = "May"\n' + MODEL, "words.months", "'May'"),
        (
            '[words]\n"Mo" = ["May"]\nmo = ["June"]\n' + MODEL,
            "words.mo",
            "'mo' and 'Mo' would both stand in addresses as 'mo'",
        ),
        ("words = 3\n" + MODEL, "words", "got 3"),
        (WORDS + MODEL + '[[contexts]]\nname = "x"\ntemplate = "no place"\n', "contexts.0.template", "exactly once"),
        (
            WORDS + MODEL + '[[contexts]]\nname = "x"\ntemplate = "{word} {word}"\n',
            "contexts.0.template",
            "exactly once",
        ),
        (WORDS + MODEL + CONTEXT + CONTEXT, "contexts.1", "'alone' is already taken"),
        (
            WORDS + MODEL + CONTEXT + CONTEXT.replace("alone", "Alone"),
            "contexts.1.name",
            "stand in addresses as 'alone'",
        ),
        (
            WORDS + MODEL + CONTEXT + CONTEXT.replace('"alone"', '"beside"'),
            "contexts.1.template",
            "begin with different templates, got",
        ),
        (
            WORDS + MODEL + CONTEXT + '[[contexts]]\nname = "x"\nlabel = "alone"\ntemplates = ["a {word}"]\n',
            "contexts.1.label",
            "the label 'alone' stands twice",
        ),
        (
            '[words.a]\nlabel = "C"\nwords = ["May"]\n[words.b]\nlabel = "C"\nwords = ["June"]\n' + MODEL,
            "words.b.label",
            "the label 'C' stands twice",
        ),
        ('title = "{n_word} words"\n' + WORDS + MODEL, "title", "one of the placeholders {n_words}, {n_categories}"),
        (WORDS + MODEL + '[[models]]\nsource = "other/NAME"\n', "models.1", "slug 'name' is already taken by models.0"),
        (
            WORDS + f'[[models]]\nsource = "x/y"\nname = "{"a" * 201}"\n',
            "models.0.name",
            "at most 200 characters, got 201",
        ),
        (WORDS + MODEL + 'name = "a\\u0007b"\n', "models.0.name", "without control characters"),
        ('title = "   "\n' + WORDS + MODEL, "title", "not only spaces"),
        ('site_url = "https://a.b/c?x=1"\n' + WORDS + MODEL, "site_url", "without ? and #"),
        ('site_url = "https://[::1"\n' + WORDS + MODEL, "site_url", "an address such as"),
        ('license_url = "https://a.b/"\n' + WORDS + MODEL, "license", "the license's name"),
        ("[words]\ncolors = 'red'\n" + MODEL, "words.colors", "expected a list of words"),
        (WORDS + '[models]\nsource = "x/y"\n', "models", "[[models]] with two brackets"),
        (WORDS + MODEL + '[models.notes]\n"alone/layer" = "x"\n', "models.0.notes", "such as alone/embedding"),
        (WORDS + MODEL + '[models.notes]\n"aside/layer-1" = "x"\n', "models.0.notes", "got 'aside/layer-1'"),
        (WORDS + MODEL + 'note = "missing.md"\n', "models.0.note", "missing.md"),
        (WORDS + MODEL + 'revison = "main"\n', "models.0.revison", "did you mean 'revision'?"),
        ('titel = "x"\n' + WORDS + MODEL, "titel", "did you mean 'title'?"),
        ('projections = ["tsne"]\n' + WORDS + MODEL, "projections.0", "'unit_norm' or 'without_massive'"),
        ('projections = ["centered", "centered"]\n' + WORDS + MODEL, "projections.1", "already taken"),
        (WORDS + MODEL + 'dtype = "float16"\n', "models.0.dtype", "'float16'"),
        (WORDS + MODEL + 'sha256 = "abc"\n', "models.0.sha256", "64 lower-case hexadecimal digits"),
        ('site_url = "example.org"\n' + WORDS + MODEL, "site_url", "https://"),
        ('intro = "missing.md"\n' + WORDS + MODEL, "intro", "missing.md"),
        ('words = "missing.toml"\n' + MODEL, "missing.toml", "expected a TOML file"),
        ('compare = [["name", "nobody"]]\n' + WORDS + MODEL, "compare.0", "one of name, got 'nobody'"),
        ('compare = [["name", "name"]]\n' + WORDS + MODEL, "compare.0", "two different models"),
        ("token_budget = 1\n" + WORDS + MODEL, "token_budget", "64"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(tmp_path: Path, text: str, key: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path) in message
    assert key in message
    assert said in message


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: expected a TOML file, found none"):
        load(tmp_path / "nowhere.toml")


def test_contexts_of_the_command_line_take_the_place_of_those_configured(tmp_path: Path) -> None:
    (tmp_path / "report.toml").write_text(
        'intro = "See [it](models/m/#alone)."\n[[contexts]]\nname = "old"\ntemplate = "{word}"\n[words]\nx = ["a", "b"]\n[[models]]\nsource = "m"\n'
    )
    asked = ["seen=I saw {word}", "seen=We saw {word}", "sum=1 = {word}", "alone= {word}"]
    config = load(tmp_path / "report.toml", contexts=asked)
    found = {each.name: each.templates for each in config.context_list}
    assert found == {"seen": ("I saw {word}", "We saw {word}"), "sum": ("1 = {word}",), "alone": (" {word}",)}
    assert config.intro is None


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["I saw {word}"], "--context: expected NAME=TEMPLATE, such as \"seen=I saw {word}\", got 'I saw {word}'"),
        (["seen=I saw"], "--context: expected a template that holds {word} exactly once, got 'I saw'"),
        (["a={word}", "A= {word}"], "--context: 'A' and 'a' would both stand in addresses as 'a'; rename one"),
    ],
)
def test_a_mistake_in_them_names_the_option(tmp_path: Path, asked: list[str], said: str) -> None:
    (tmp_path / "report.toml").write_text('[words]\nx = ["a", "b"]\n[[models]]\nsource = "m"\n')
    with pytest.raises(ConfigError, match=f"^{re.escape(said)}$"):
        load(tmp_path / "report.toml", contexts=asked)


def test_a_mistake_in_the_words_file_names_that_file(tmp_path: Path) -> None:
    path = write(tmp_path, WORDS + MODEL)
    other = write(tmp_path, 'colors = ["red", "red"]\n', "other.toml")
    with pytest.raises(ConfigError, match=r"other\.toml:1: words\.colors\.1: the word 'red' stands twice"):
        load(path, words_file=other)


@pytest.mark.parametrize(
    ("name", "text"),
    [("other.toml", '[words]\ncolors = ["red", "green"]\n'), ("other.json", '{"words": {"colors": ["red", "green"]}}')],
)
def test_a_words_file_has_no_table_of_words(tmp_path: Path, name: str, text: str) -> None:
    path, other = write(tmp_path, WORDS + MODEL), write(tmp_path, text, name)
    said = (
        r"other\.\w+: expected categories such as colors, got a table \[words\] around them; "
        r"remove it: a file of words has them at its top$"
    )
    with pytest.raises(ConfigError, match=rf"{said}"):
        load(path, words_file=other)
    with pytest.raises(ConfigError, match=rf"report\.toml:1: words: .*{said}"):
        loaded(tmp_path, f'words = "{name}"\n{MODEL}')
    other.write_text('{"words": {"words": ["red"]}}' if name.endswith("json") else '[words]\nwords = ["red"]\n')
    assert list(load(path, words_file=other).words) == ["words"]


def test_a_category_without_words_is_told_what_it_lacks(tmp_path: Path) -> None:
    said = r'report\.toml:1: words\.colors\.words: expected words, got none; add words = \["red", "green"\]$'
    with pytest.raises(ConfigError, match=said):
        loaded(tmp_path, '[words.colors]\nlabel = "Colors"\n' + MODEL)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Qwen3-4B-Instruct-2507", "qwen3-4b-instruct-2507"),
        ("Qwen2.5 7B!", "qwen2.5-7b"),
        ("Größe/x", "gr-e-x"),
        ("…", ""),
    ],
)
def test_slugs_are_safe_in_files_and_addresses(name: str, slug: str) -> None:
    assert slugify(name) == slug


# --- a whole vocabulary ----------------------------------------------------------------------------------------------


def test_a_vocabulary_stands_among_the_words_and_categories_are_landmarks(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[words]\nvocabulary = true\nlayers = [0, "embedding"]\nmonths = ["May"]\n' + MODEL)
    assert config.vocabulary
    assert config.n_depths == 2
    assert [category.key for category in config.word_list.categories] == ["months"]
    assert loaded(tmp_path, "[words]\nvocabulary = true\n" + MODEL).n_depths is None
    # A list of that name is a category like any other.
    listed = loaded(tmp_path, '[words]\nvocabulary = ["May"]\nlayers = ["June"]\n' + MODEL)
    assert not listed.vocabulary
    assert listed.word_list.words == ("May", "June")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[words]\nvocabulary = true\nlayers = [0, 5]\n", r"words\.layers: .* without a gap"),
        ("[words]\nvocabulary = true\nlayers = []\n", r"words\.layers: .* without a gap"),
        ("[words]\nvocabulary = false\n", "at least one category"),
        ('read = "mean"\n[words]\nvocabulary = true\n', 'read: expected "last" or "first"'),
        ("lens = true\n[words]\nvocabulary = true\n", 'lens: expected none beside "vocabulary = true"'),
        ("[lens]\n[words]\nvocabulary = true\n", 'lens: expected none beside "vocabulary = true"'),
        ('[words]\nvocabulary = true\n[[models]]\nsource = "org/b"\nlens = true\n', "lens: expected none beside"),
    ],
)
def test_a_mistaken_vocabulary_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        loaded(tmp_path, text + MODEL)


def test_landmarks_are_the_tokens_that_stand_for_their_words() -> None:
    categories = (Category(key="m", label="M", words=("May", "June", "Nowhere")),)
    words = WordList(categories=categories, vocabulary=("May", " May", "june", " the"))
    assert words.memberships == ((), (0,), (0,), ())


def test_a_name_in_another_script_has_an_address_of_its_own(tmp_path: Path) -> None:
    [model] = load(write(tmp_path, WORDS + '[[models]]\nsource = "x/y"\nname = "模型"\n')).models
    assert model.display_name == "模型"
    assert re.fullmatch(r"model-[0-9a-f]{8}", model.slug)


def test_markdown_stands_in_the_config_or_in_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("From a *file*.", encoding="utf-8")
    text = 'intro = "Two\\nlines."\n' + WORDS + MODEL + 'note = "note.md"\n[models.notes]\n"alone/grid" = "note.md"\n'
    config = load(write(tmp_path, text))
    assert config.intro == "Two\nlines."
    assert config.models[0].note == config.models[0].notes["alone/grid"] == "From a *file*."


def test_the_command_lines_address_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--site-url: expected an address"):
        load(write(tmp_path, WORDS + MODEL), site_url="foo")


def test_other_models_take_what_speaks_of_the_configured_ones_away(tmp_path: Path) -> None:
    path = write(tmp_path, 'intro = "About [it](models/name/)."\n' + WORDS + MODEL)
    assert load(str(path), models=("other/model",)).intro is None


def test_a_config_knows_every_file_that_it_was_read_from(tmp_path: Path) -> None:
    for name in ("intro.md", "note.md"):
        write(tmp_path, "A text.", name)
    words = write(tmp_path, 'colors = ["red"]\n', "mine.toml")
    other = write(tmp_path, 'colors = ["blue"]\n', "other.toml")
    text = 'intro = "intro.md"\nwords = "mine.toml"\n' + MODEL + 'note = "note.md"\n'
    text += '[models.notes]\n"alone/grid" = "note.md"\n"curves" = "Not a file."\n'
    path = write(tmp_path, text)
    notes = (tmp_path / "intro.md", tmp_path / "note.md")
    assert load(path).files == (path, words, *notes)
    assert load(path, words_file=other).files == (path, other)
    assert load(path, models=("a/b",)).files == (path, words)
    assert load(path).model_copy(update={"title": "x"}).files == (path, words, *notes)
    assert validated({"words": {"a": ["b"]}, "models": [{"source": "a/b"}]}, path).files == ()


# --- several mistakes ------------------------------------------------------------------------------------------------


def refusal(folder: Path, text: str, **settings: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text), **settings)
    return str(caught.value).replace(f"{folder}{os.sep}", "").split("\n")


def test_all_mistakes_are_told_with_their_lines_and_what_is_unknown_before_what_is_missing(tmp_path: Path) -> None:
    text = 'titel = "x"\ncompare = [["name", "name"]]\n[words]\nmonths = [\n  "May",\n  " June",\n  "May",\n]\n'
    text += "[[contexts]]\ntemplate = 'no word'\n" + MODEL + 'note = "missing.md"\n' + MODEL
    assert refusal(tmp_path, text) == [
        "report.toml: 8 mistakes",
        "  report.toml:13: models.0.note: missing.md: expected a file, found none; create it or name another",
        "  report.toml:1: titel: unknown key; did you mean 'title'?",
        "  report.toml:6: words.months.1: expected words without space around them, got ' June'",
        "  report.toml:7: words.months.2: the word 'May' stands twice; remove one",
        "  report.toml:10: contexts.0.template: expected a template that holds {word} exactly once, got 'no word'",
        "  report.toml:14: models.1: the slug 'name' is already taken by models.0; give one of them another \"name\"",
        "  report.toml:2: compare.0: expected two different models, got 'name' twice",
        "  report.toml:9: contexts.0.name: expected a value, got none; add it",
    ]


def test_of_many_mistakes_the_first_are_told(tmp_path: Path) -> None:
    lines = refusal(tmp_path, "".join(f"k{index} = 1\n" for index in range(1_500)) + WORDS + MODEL)
    assert (lines[0], len(lines), lines[-1]) == ("report.toml: 1,500 mistakes", 22, "  and 1,480 more")
    lines = refusal(tmp_path, "[words]\nmonths = [" + "'a', " * 1_201 + "]\n" + MODEL)
    assert (lines[0], len(lines), lines[-1]) == ("report.toml: 1,200 mistakes", 22, "  and 1,180 more")


def test_what_the_command_gave_is_told_by_its_option(tmp_path: Path) -> None:
    path = write(tmp_path, "[[models]]\n" + WORDS)
    for settings, said in (
        ({"models": ("org/name", " ")}, "--model: expected text that is not only spaces, got ' '"),
        ({"models": ("org/name", "x/name")}, "--model: the slug 'name' is already taken"),
        ({"models": ("\udcff",)}, "--model: expected text in UTF-8, got '\\udcff'"),
        ({"models": ("m",), "site_url": "https://a b/"}, "--site-url: expected an address"),
        ({"models": ("m",), "words_file": "a\0b"}, "'a\\x00b': expected the path of a file"),
    ):
        with pytest.raises(ConfigError) as caught:
            load(path, **settings)
        assert str(caught.value).startswith(said)


# --- keys in the wrong place -----------------------------------------------------------------------------------------


def test_a_key_of_the_report_after_words_is_no_category(tmp_path: Path) -> None:
    for key in ('projections = ["centered"]', 'title = "x"', 'author = ["a"]', "contexts = []"):
        said = refusal(tmp_path, WORDS + key + "\n" + MODEL)
        assert any("words." in line and "move it before the first table" in line for line in said)
    (line,) = refusal(tmp_path, WORDS + 'projections = ["centered"]\n' + MODEL)
    assert line.startswith(
        "report.toml:3: words.projections: expected a category, got a key of the report after [words]"
    )
    # What is a category beyond doubt may have any name.
    config = loaded(tmp_path, '[words.author]\nwords = ["Austen"]\n' + MODEL)
    assert [category.key for category in config.word_list.categories] == ["author"]
    other = write(tmp_path, 'title = ["Mr", "Mrs"]\n', "other.toml")
    assert list(load(write(tmp_path, WORDS + MODEL), words_file=other).words) == ["title"]


@pytest.mark.parametrize(
    ("table", "key"),
    [
        (CONTEXT, "projections = ['centered']"),
        (MODEL, "title = 'x'"),
        (MODEL + CONTEXT + "label = 'x'\n", "read = 'first'"),
    ],
)
def test_a_key_of_the_report_after_another_table_is_told_where_it_belongs(tmp_path: Path, table: str, key: str) -> None:
    (line, *_) = refusal(tmp_path, WORDS + ("" if MODEL in table else MODEL) + table + key + "\n")
    assert "unknown key; it belongs before the first table" in line


def test_a_key_after_the_notes_is_told_where_it_belongs(tmp_path: Path) -> None:
    for key in ("revision", "title"):
        (line,) = refusal(tmp_path, WORDS + MODEL + f'[models.notes]\n{key} = "main"\n')
        assert line.endswith(f"models.0.notes.{key}: expected an address; this key belongs before [models.notes]")


@pytest.mark.parametrize(
    "revision", ["/etc/passwd", "../../token", "a/../../b", "..", "C:/token", "C:token", r"\\there\token", r"a\..\b"]
)
def test_a_revision_leads_to_no_file_of_this_machine(tmp_path: Path, revision: str) -> None:
    (line,) = refusal(tmp_path, WORDS + MODEL + f"revision = '{revision}'\n")
    assert "models.0.revision: expected a commit, tag or branch of the Hub, such as main or refs/pr/1, got " in line
    series = f"[[series]]\nname = 's'\nsource = 'org/name'\nsteps = [0, 1]\nrevisions = ['main', '{revision}']\n"
    (line,) = refusal(tmp_path, WORDS + series)
    assert "series.0.revisions.1: expected a commit, tag or branch of the Hub" in line


@pytest.mark.parametrize("revision", ["main", "refs/pr/1", "feature/x", "v1.0", "a..b/…c", "step-100_000", "0" * 40])
def test_a_revision_may_have_any_name_of_a_branch(tmp_path: Path, revision: str) -> None:
    (tmp_path / "report.toml").write_text(WORDS + MODEL + f"revision = '{revision}'\n", encoding="utf-8")
    assert load(tmp_path / "report.toml").models[0].revision == revision


# --- text and names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "escape", ["\\u0000", "\\u0085", "\\uFFFE", "\\uFFFF", "\\uFDD0", "\\U0001FFFE", "\\U0010FFFF"]
)
@pytest.mark.parametrize(
    "text",
    [
        'title = "{}"\n' + WORDS + MODEL,
        'license = "a"\nlicense_url = "https://a/{}"\n' + WORDS + MODEL,
        'intro = "{}"\n' + WORDS + MODEL,
        '[words]\nmonths = ["a{}b"]\n' + MODEL,
        '[words.months]\nlabel = "{}"\nwords = ["May"]\n' + MODEL,
        WORDS + MODEL + '[[contexts]]\nname = "a"\ntemplate = "{}{{word}}"\n',
        WORDS + MODEL + 'note = "{}"\n',
        WORDS + MODEL + 'revision = "a{}"\n',
    ],
)
def test_no_text_holds_what_pages_cant(tmp_path: Path, text: str, escape: str) -> None:
    (line,) = refusal(tmp_path, text.replace("{}", escape).replace("{{word}}", "{word}"))
    assert re.search("without control characters|not only spaces|https://", line)


@pytest.mark.parametrize("sign", ["\\u202A", "\\u202E", "\\u202C", "\\u2066", "\\u2068", "\\u2069"])
@pytest.mark.parametrize(
    "text",
    [
        'title = "a{}"\n' + WORDS + MODEL,
        'description = "a{}"\n' + WORDS + MODEL,
        '[words]\n"a{}" = ["May"]\n' + MODEL,
        '[words.months]\nlabel = "a{}"\nwords = ["May"]\n' + MODEL,
        WORDS + MODEL + 'name = "a{}"\n',
        WORDS + MODEL + '[[contexts]]\nname = "a{}"\ntemplate = "{word}"\n',
        WORDS + MODEL + '[[contexts]]\nname = "a"\nlabel = "a{}"\ntemplate = "{word}"\n',
    ],
)
def test_no_label_turns_what_stands_after_it_around(tmp_path: Path, text: str, sign: str) -> None:
    (line,) = refusal(tmp_path, text.replace("{}", sign))
    assert f"expected text without signs that turn around what follows, got U+{sign[2:]}" in line
    assert line.isprintable()


def test_any_script_may_be_a_label_and_a_word(tmp_path: Path) -> None:
    texts = ("שלום", "مرحبا", "نص\u200cها", "👩\u200d👧", "क\u094d\u200d", "C++\u200e בעברית", "a\u200bb")
    words = ", ".join(f'"{text}"' for text in texts)
    for text in texts:
        found = loaded(tmp_path, f'title = "{text}"\n[words]\n"{text}" = [{words}]\n{MODEL}name = "{text}"\n')
        assert (found.title, found.models[0].name) == (text, text)
        assert found.word_list.words == texts


@pytest.mark.parametrize("sign", ["\\u200B", "\\uFEFF", "\\u2060", "\\u200D", "\\u202E", "\\u00AD\\u200B", "\\u3164"])
@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[words]\nmonths = ["May", "{}"]\n' + MODEL, "words.months.1"),
        ('[words.months]\nlabel = "{}"\nwords = ["May"]\n' + MODEL, "words.months.label"),
        (WORDS + MODEL + 'name = "{}"\n', "models.0.name"),
        ('title = "{}"\n' + WORDS + MODEL, "title"),
    ],
)
def test_what_nobody_sees_is_no_text(tmp_path: Path, text: str, key: str, sign: str) -> None:
    (line,) = refusal(tmp_path, text.replace("{}", sign))
    assert re.search(f"{key}: expected text (with characters that are seen|without signs that turn)", line)


@pytest.mark.parametrize("sign", ["\\u200B", "\\u2060", "\\uFEFF", "\\u00AD", "\\u200E", "\\u202C"])
def test_words_that_differ_in_nothing_that_is_seen_are_told(tmp_path: Path, sign: str) -> None:
    (line,) = refusal(tmp_path, f'[words]\nmonths = ["May", "M{sign}ay"]\n{MODEL}')
    assert "words.months.1: the word 'M" in line
    assert "looks like 'May', but for characters that nobody sees; remove them, or one of the two" in line


def test_words_that_differ_in_joiners_are_two(tmp_path: Path) -> None:
    words = ("نصها", "نص\u200cها", "👩👧", "👩\u200d👧", "☺", "☺\ufe0f")
    listed = ", ".join(f'"{word}"' for word in words)
    assert loaded(tmp_path, f"[words]\nx = [{listed}]\n{MODEL}").word_list.words == words


@pytest.mark.parametrize(
    "name", ["con", "nul.txt", "aux", "com1.tar.gz", "a.", "a..", "a\\\\b", "../a", "a/b", "", "x" * 33]
)
def test_a_context_needs_a_name_that_every_system_takes_for_a_folder(tmp_path: Path, name: str) -> None:
    (line,) = refusal(tmp_path, WORDS + MODEL + f'[[contexts]]\nname = "{name}"\ntemplate = "{{word}}"\n')
    assert line.startswith("report.toml:6: contexts.0.name: expected ")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("report.json", "model-report.json"),
        ("preview.png", "model-preview.png"),
        ("Words.JS", "model-words.js"),
        ("CON", "model-con"),
        ("nul.txt", "model-nul.txt"),
        ("com1", "model-com1"),
        ("console", "console"),
        ("Qwen2.5-7B.", "qwen2.5-7b"),
        ("distilbert-base-multilingual-cased-sentiments-student", "distilbert-base-multilingual-cased-sent-3f8d6bac"),
    ],
)
def test_a_models_folder_clashes_with_no_file_and_no_device(tmp_path: Path, name: str, slug: str) -> None:
    (model,) = loaded(tmp_path, WORDS + MODEL + f'name = "{name}"\n').models
    assert model.slug == slug


def test_what_is_longer_than_any_picture_or_file_can_hold_is_told(tmp_path: Path) -> None:
    long = "x" * 50_000
    for text in (
        f'title = "{long}"\n' + WORDS + MODEL,
        f'[words]\nmonths = ["{long}"]\n' + MODEL,
        f'[words]\n{long} = ["May"]\n' + MODEL,
        WORDS + f'[[models]]\nsource = "{long}"\n',
        WORDS + f'[[models]]\nsource = "{long[:3000]}"\n',
        WORDS + MODEL + f"{long} = 1\n",
        WORDS + MODEL + f'[models.notes]\n{long} = "x"\n',
        f'words = "{long}"\n' + MODEL,
        f'intro = "{long}.md"\n' + WORDS + MODEL,
    ):
        (line,) = refusal(tmp_path, text)
        assert len(line) < 300
        assert re.search(r"expected|unknown key", line)


@pytest.mark.parametrize("path", ["a\\u0000b", "folder/" * 120, "folder/" * 2_000], ids=["NUL", "long", "too long"])
@pytest.mark.parametrize(
    "text",
    [
        f'words = "PATH"\n{MODEL}',
        f'intro = "PATH.md"\n{WORDS}{MODEL}',
        f'theme = "PATH"\n{WORDS}{MODEL}',
        f'font = "PATH.ttf"\n{WORDS}{MODEL}',
        f'{WORDS}{MODEL}[loss]\ntext = "PATH"\n',
        f'{WORDS}{MODEL}[lens]\ntext = "PATH"\n',
        f'{WORDS}{MODEL}note = "PATH.md"\n',
    ],
    ids=["words", "intro", "theme", "font", "loss", "lens", "note"],
)
def test_a_path_in_a_config_that_can_be_none_is_told_in_short_lines(tmp_path: Path, text: str, path: str) -> None:
    for line in refusal(tmp_path, text.replace("PATH", path)):
        assert re.search("expected|2 mistakes", line)
        assert len(line) <= 300


def test_a_byte_order_mark_and_line_ends_of_other_systems_are_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "report.toml"
    path.write_bytes(b"\xef\xbb\xbf" + ('intro = "a.md"\n' + WORDS + MODEL).replace("\n", "\r\n").encode())
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbfOne\r\ntwo.")
    assert load(path).intro == "One\ntwo."


# --- one name in two forms -----------------------------------------------------------------------------------------------

COMPOSED, DECOMPOSED = "café", unicodedata.normalize("NFD", "café")
"""The same for a reader."""
TWICE = (
    f"{COMPOSED!r} stands twice, with accents as code points of their own (NFD) and without (NFC); remove or rename one"
)


ORDER = f'x = ["{COMPOSED}", "1", "2", "3", "4", "5", "6", "7"]\n{MODEL}[[orders]]\nname = "x"\nwords = '


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'[words]\n"{COMPOSED}" = ["a"]\n"{DECOMPOSED}" = ["b"]\n{MODEL}', f"words.{COMPOSED}: the category {TWICE}"),
        (f'[words]\nx = ["{COMPOSED}", "{DECOMPOSED}"]\n{MODEL}', f"words.x.1: the word {TWICE}"),
        (
            f"{WORDS}{MODEL}{CONTEXT.replace('alone', COMPOSED)}{CONTEXT.replace('alone', DECOMPOSED)}",
            f"contexts.1.name: {TWICE}",
        ),
        (
            f'{WORDS}{MODEL}name = "{COMPOSED}"\n{MODEL}name = "{DECOMPOSED}"\n',
            "the slug 'caf' is already taken by models.0; give one of them another \"name\"",
        ),
        (
            f'[words]\n{ORDER}["1", "2", "3", "4", "5", "6", "7", "{DECOMPOSED}"]\n',
            f"got {COMPOSED!r}; copy it from there, where its accents are other code points",
        ),
    ],
)
def test_what_looks_the_same_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    assert said in unicodedata.normalize("NFC", str(caught.value))
    assert "\n" not in str(caught.value)


def test_two_models_of_the_command_that_look_the_same_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--model: the slug 'caf' is already taken"):
        load(write(tmp_path, WORDS + MODEL), models=(f"{COMPOSED}=a/b", f"{DECOMPOSED}=c/d"))


def test_a_name_is_found_in_either_form_and_words_stay_as_they_are(tmp_path: Path) -> None:
    words = f'[words]\n"{DECOMPOSED}" = ["{DECOMPOSED}", "1", "2", "3", "4", "5", "6", "7"]\nother = ["{COMPOSED}"]\n'
    order = f'[[orders]]\nname = "x"\ncategory = "{COMPOSED}"\n'
    models = f'[[models]]\nsource = "./{DECOMPOSED}"\n{MODEL}'
    config = loaded(tmp_path, f'compare = [["{COMPOSED}", "name"]]\n{words}{models}{order}')
    assert [model.display_name for model in config.models] == [COMPOSED, "name"]
    assert config.models[0].source == f"./{DECOMPOSED}"
    assert config.word_list.words[0] == DECOMPOSED
    assert config.word_list.words[-1] == COMPOSED
    assert slugify(DECOMPOSED) == slugify(COMPOSED)


LINKED = {
    "intro": 'intro = "linked.md"\n' + WORDS + MODEL,
    "note": WORDS + MODEL + 'note = "linked.md"\n',
    "notes": WORDS + MODEL + '[models.notes]\n"alone/grid" = "linked.md"\n',
    "words": 'words = "linked.txt"\n' + MODEL,
    "font": 'font = "linked.ttf"\n' + WORDS + MODEL,
    "text": WORDS + MODEL + '[loss]\ntext = "linked.txt"\n',
}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets not everyone make links")
@pytest.mark.parametrize("key", LINKED)
def test_a_link_out_of_the_folder_is_not_read_into_a_report(tmp_path: Path, key: str) -> None:
    """A project that was fetched may lead to files of the machine that makes its report."""
    folder, secret = tmp_path / "project", tmp_path / "secret"
    folder.mkdir()
    secret.write_bytes({"font": b"\x00\x01\x00\x00", "text": b"cat dog " * 1001}.get(key, b"cat\ndog\n"))
    ending = re.search(r"linked(\.\w+)", LINKED[key])
    assert ending
    link = folder / f"linked{ending[1]}"
    link.symlink_to(secret)
    (folder / "report.toml").write_text(LINKED[key])
    with pytest.raises(ConfigError, match=r"expected a file in the folder of the configuration, got a link out of it"):
        load(folder / "report.toml")
    inside = folder / "kept" / "file"
    inside.parent.mkdir()
    secret.rename(inside)
    link.unlink()
    link.symlink_to(Path("kept") / "file")
    load(folder / "report.toml")
    (folder / "kept").rename(tmp_path / "kept")
    (folder / "kept").symlink_to(tmp_path / "kept")
    with pytest.raises(ConfigError, match="got a link out of it"):
        load(folder / "report.toml")
    (folder / "report.toml").write_text(LINKED[key].replace("linked.", "../project/../named."))
    (tmp_path / f"named{ending[1]}").symlink_to(tmp_path / "kept" / "file")
    load(folder / "report.toml")
