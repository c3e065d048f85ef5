"""``[[series]]``: what a user may write there, and what is said when it is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tokviz.config import ReportConfig, SeriesConfig, load
from tokviz.config.schema import json_schema
from tokviz.errors import ConfigError

WORDS = '[words]\nmonths = ["May", "June", "July"]\n'
NAMED = '[[series]]\nname = "tiny"\n'
SOURCES = 'sources = ["ckpt-0", "ckpt-10", "ckpt-1000"]\n'
REVISIONS = 'source = "org/name"\nrevisions = ["step0", "step10", "step1000"]\n'
STEPS = "steps = [0, 10, 1000]\n"
LABELS = 'labels = ["base", "SFT", "DPO, twice"]\n'
SERIES = NAMED + SOURCES + STEPS
MODEL = '[[models]]\nsource = "org/name"\n'
NEITHER = 'expected "source" with "revisions", or "sources", got neither; add where the checkpoints are'
BOTH = 'expected "source" with "revisions", or "sources", got both; remove one'
NO_STEP = "expected a step, or a label in quotes, got"


def written(folder: Path, text: str) -> Path:
    path = folder / "report.toml"
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str = SERIES) -> ReportConfig:
    return load(written(folder, WORDS + text))


def only(folder: Path, text: str = SERIES) -> SeriesConfig:
    (series,) = loaded(folder, text).series
    return series


def refusal(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text))
    return str(caught.value).replace(f"{folder}{os.sep}", "").split("\n")


def test_what_holds_by_default(tmp_path: Path) -> None:
    series = only(tmp_path)
    assert (series.slug, series.unit, series.plates, series.dtype, series.tokenizer) == (
        "tiny",
        "steps",
        "ends",
        "auto",
        None,
    )
    assert series.checkpoint_labels == ("step 0", "step 10", "step 1,000")
    assert series.checkpoint_keys == ("step-0", "step-10", "step-1000")
    assert series.reference == 2
    assert loaded(tmp_path, MODEL).series == []


def test_each_checkpoint_is_a_model(tmp_path: Path) -> None:
    config = loaded(tmp_path, SERIES + 'dtype = "float32"\ntokenizer = "tokens"\n' + MODEL)
    assert [each.slug for each in config.all_models] == ["name", "tiny-step-0", "tiny-step-10", "tiny-step-1000"]
    checkpoints = config.series[0].models
    assert [each.source for each in checkpoints] == ["ckpt-0", "ckpt-10", "ckpt-1000"]
    assert {(each.dtype, each.tokenizer, each.untrained, each.lens) for each in checkpoints} == {
        ("float32", "tokens", False, False)
    }
    assert {each.display_name for each in checkpoints} <= set(config.drawn_texts)
    assert config.pairs == ()


def test_revisions_of_a_hub_source(tmp_path: Path) -> None:
    models = only(tmp_path, NAMED + REVISIONS + STEPS).models
    assert [(each.source, each.revision) for each in models] == [
        ("org/name", "step0"),
        ("org/name", "step10"),
        ("org/name", "step1000"),
    ]


def test_tokens_and_labels_stand_in_names_and_addresses(tmp_path: Path) -> None:
    tokens = only(tmp_path, SERIES + 'unit = "tokens"\n')
    assert tokens.checkpoint_labels == ("0 tokens", "10 tokens", "1,000 tokens")
    assert tokens.checkpoint_keys == ("token-0", "token-10", "token-1000")
    assert [each.slug for each in tokens.models] == ["tiny-0-tokens", "tiny-10-tokens", "tiny-1000-tokens"]
    labels = only(tmp_path, NAMED + SOURCES + LABELS)
    assert labels.checkpoint_labels == ("base", "SFT", "DPO, twice")
    assert labels.checkpoint_keys == ("base", "sft", "dpo-twice")
    assert labels.models[2].display_name == "tiny DPO, twice"


def test_names_and_labels_without_latin_letters_have_folders_of_their_own(tmp_path: Path) -> None:
    of_labels = only(tmp_path, NAMED + SOURCES + 'labels = ["א", "ב", "ג"]\n')
    assert len({each.slug for each in of_labels.models}) == 3
    names = ("א", "ב")
    both = loaded(tmp_path, "".join(f'[[series]]\nname = "{name}"\n{SOURCES}{STEPS}' for name in names))
    assert len({each.slug for each in both.all_models}) == 6


@pytest.mark.parametrize(
    ("named", "reference", "index"),
    [(STEPS, "0", 0), (STEPS, "1000", 2), (LABELS, '"SFT"', 1), (LABELS, '"base"', 0)],
)
def test_the_reference_is_a_step_or_a_label(tmp_path: Path, named: str, reference: str, index: int) -> None:
    series = only(tmp_path, f"{NAMED}{SOURCES}{named}reference_step = {reference}\n")
    assert series.reference == index


def test_other_models_take_its_place(tmp_path: Path) -> None:
    config = load(written(tmp_path, WORDS + SERIES), models=["org/other"])
    assert config.series == []
    assert [each.source for each in config.models] == ["org/other"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (NAMED + STEPS, f"3: series.0: {NEITHER}"),
        (NAMED + 'source = "org/name"\n' + STEPS, f"3: series.0: {NEITHER}"),
        (NAMED + 'revisions = ["a", "b", "c"]\n' + STEPS, f"3: series.0: {NEITHER}"),
        (SERIES + REVISIONS, f"5: series.0.sources: {BOTH}"),
        (SERIES + 'source = "org/name"\n', f"5: series.0.sources: {BOTH}"),
        (NAMED + SOURCES, '3: series.0: expected "steps" or "labels", got neither; a checkpoint has one of them'),
        (SERIES + LABELS, '3: series.0: expected "steps" or "labels", got both; a checkpoint has one of them'),
        (
            NAMED + 'sources = ["a"]\nsteps = [0]\n',
            "5: series.0.sources: expected at least two sources, got 1; a model alone belongs in [[models]]",
        ),
        (
            NAMED + 'source = "org/name"\nrevisions = []\nsteps = []\n',
            "6: series.0.revisions: expected at least two revisions of one source, got 0; a model alone belongs in [[models]]",
        ),
        (
            NAMED + SOURCES + "steps = [0, 10]\n",
            "6: series.0.steps: expected as many as there are sources, 3, got 2",
        ),
        (
            NAMED + REVISIONS + 'labels = ["base"]\n',
            "7: series.0.labels: expected as many as there are revisions, 3, got 1",
        ),
        (
            NAMED + SOURCES + "steps = [0, 10, 10]\n",
            "6: series.0.steps.2: expected ascending steps, got 10 after 10",
        ),
        (NAMED + SOURCES + "steps = [-1, 10, 20]\n", "6: series.0.steps.0: expected at least 0, got -1"),
        (NAMED + SOURCES + "steps = [0, 1.5, 20]\n", "6: series.0.steps.1: expected a whole number, got 1.5"),
        (NAMED + SOURCES + 'steps = [0, 1, "2"]\n', "6: series.0.steps.2: expected a whole number, got '2'"),
        (
            NAMED + 'sources = ["a", "b", "a"]\n' + STEPS,
            "5: series.0.sources.2: expected sources that differ, got 'a' after 'a'",
        ),
        (
            NAMED + SOURCES + 'labels = ["base", "SFT", "sft"]\n',
            "6: series.0.labels.2: expected labels that differ, got 'sft' after 'SFT'",
        ),
        (
            NAMED + SOURCES + 'labels = ["base", " ", "SFT"]\n',
            "6: series.0.labels.1: expected text that is not only spaces, got ' '",
        ),
        (SERIES + "reference_step = 5\n", '7: series.0.reference_step: expected one of "steps", got 5'),
        (
            SERIES + 'reference_step = "step 10"\n',
            "7: series.0.reference_step: expected one of \"steps\", got 'step 10'",
        ),
        (
            NAMED + SOURCES + LABELS + "reference_step = 0\n",
            '7: series.0.reference_step: expected one of "labels", got 0',
        ),
        (SERIES + "changes = [[0, 7]]\n", '7: series.0.changes.0: expected two of "steps", got 7'),
        (SERIES + "changes = [[5]]\n", "7: series.0.changes.0: expected at least 2 entries, got 1: [5]"),
        (SERIES + "reference_step = -5\n", f"7: series.0.reference_step: {NO_STEP} -5"),
        (SERIES + "reference_step = true\n", f"7: series.0.reference_step: {NO_STEP} True"),
        (SERIES + "reference_step = [10]\n", f"7: series.0.reference_step: {NO_STEP} [10]"),
        (SERIES + 'plates = "some"\n', "7: series.0.plates: expected 'ends', 'all' or 'maps', got 'some'"),
        (SERIES + 'unit = "epochs"\n', "7: series.0.unit: expected 'steps' or 'tokens', got 'epochs'"),
        (SERIES + 'revision = ["a"]\n', "7: series.0.revision: unknown key; did you mean 'revisions'?"),
        ("[[series]]\n" + SOURCES + STEPS, "3: series.0.name: expected a value, got none; add it"),
        (
            SERIES.replace("tiny", "n" * 198),
            "4: series.0.name: expected at most 200 characters with 'step 0' after it; shorten it",
        ),
        (
            NAMED + 'sources = ["a"' + ', "b"' * 200 + "]\nsteps = [0, 1]\n",
            "5: series.0.sources: expected at most 200 sources, got 201",
        ),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, table: str, said: str) -> None:
    assert refusal(tmp_path, WORDS + table) == [f"report.toml:{said}"]


def test_one_bracket_is_told(tmp_path: Path) -> None:
    (line,) = refusal(tmp_path, WORDS + SERIES.replace("[[series]]", "[series]"))
    assert line.startswith("report.toml:3: series: expected [[series]] with two brackets, as often as there are, got ")


def test_all_mistakes_of_a_table_are_told_at_once(tmp_path: Path) -> None:
    assert refusal(tmp_path, WORDS + NAMED + "sources = []\nsteps = [10, 0]\nreference_step = 3\n") == [
        "report.toml: 4 mistakes",
        "  report.toml:5: series.0.sources: expected at least two sources, got 0; a model alone belongs in [[models]]",
        "  report.toml:6: series.0.steps: expected as many as there are sources, 0, got 2",
        "  report.toml:6: series.0.steps.1: expected ascending steps, got 0 after 10",
        '  report.toml:7: series.0.reference_step: expected one of "steps", got 3',
    ]


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (SERIES + SERIES, "7: series.1: the slug 'tiny' is already taken by series.0"),
        (
            SERIES + SERIES.replace("tiny", "tiny step").replace(STEPS, 'labels = ["0", "1", "2"]\n'),
            "7: series.1: the slug 'tiny-step-0' is already taken by a checkpoint of series.0",
        ),
        (
            MODEL.replace("name", "other") + SERIES + MODEL.replace("name", "tiny-step-10"),
            "9: models.1: the slug 'tiny-step-10' is already taken by a checkpoint",
        ),
    ],
)
def test_names_that_would_share_a_folder_are_refused(tmp_path: Path, tables: str, said: str) -> None:
    assert refusal(tmp_path, WORDS + tables) == [f'report.toml:{said}; give one of them another "name"']


def test_a_report_needs_a_model_or_a_series(tmp_path: Path) -> None:
    (line,) = refusal(tmp_path, WORDS)
    assert "models: expected at least one model, got none" in line
    assert loaded(tmp_path).models == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[words]\nvocabulary = true\n" + SERIES,
            '3: series: expected lists of words for a series, got "vocabulary = true"; remove one of them',
        ),
        (
            'compare = [["tiny step 0", "tiny step 10"]]\n' + WORDS + SERIES,
            '1: compare: expected no pairs where there is no [[models]], as a series compares its checkpoints itself; remove "compare"',
        ),
        (
            "lens = true\n" + WORDS + SERIES,
            "1: lens: expected none where there is no [[models]], as checkpoints aren't read with a lens; remove it",
        ),
        (
            "untrained = true\n" + WORDS + SERIES,
            "1: untrained: expected no untrained models where there is no [[models]], as checkpoints are held against the first one; remove it",
        ),
        (
            WORDS + SERIES + '[[interventions]]\nmodel = "tiny step 0"\nlayer = 0\nneurons = [1]\n',
            "7: interventions: expected none where there is no [[models]], as neurons of checkpoints are left as they are; remove them",
        ),
    ],
)
def test_what_a_series_cannot_have_is_told(tmp_path: Path, text: str, said: str) -> None:
    assert refusal(tmp_path, text) == [f"report.toml:{said}"]


def test_editors_know_its_keys() -> None:
    properties = json_schema()["$defs"]["SeriesConfig"]["properties"]
    assert set(properties) == set(SeriesConfig.model_fields)
    kinds = {each["type"] for each in properties["reference_step"]["anyOf"]}
    assert kinds == {"integer", "string"}
