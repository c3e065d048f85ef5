"""``[[interventions]]``: what a user may write there, and what is said when it is wrong."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tokviz.config import InterventionConfig, ReportConfig, load, validated
from tokviz.errors import ConfigError

WORDS = '[words]\nmonths = ["May", "June", "July"]\n'
MODEL = '[[models]]\nsource = "org/name"\n'
TABLE = '[[interventions]]\nmodel = "name"\nlayer = 11\nneurons = [1229, 1487]\n'
ANOTHER = TABLE.replace("11", "12")
FORMS = 'expected "auto", "off", or tables [[interventions]] with two brackets, as often as there are, got '
VALUES = 'expected "zero", "mean" or a number from -3e+38 to 3e+38, got '


def written(folder: Path, text: str) -> Path:
    path = folder / "report.toml"
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str) -> ReportConfig:
    return load(written(folder, text))


def refusal(folder: Path, text: str, **settings: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text), **settings)
    return str(caught.value).replace(f"{folder}{os.sep}", "").split("\n")


def test_each_model_has_its_own_in_their_order(tmp_path: Path) -> None:
    other = '[[models]]\nsource = "org/other"\nname = "The Other"\n'
    text = TABLE + TABLE.replace('"name"', '"The Other"') + 'value = "mean"\nlabel = "at their mean"\n'
    text += ANOTHER + "value = -2\n" + ANOTHER + 'value = 0.5\nlabel = "half"\n'
    config = loaded(tmp_path, WORDS + MODEL + other + text)
    name, the_other = config.models
    assert [(each.layer, each.value, each.label) for each in config.by_hand(name)] == [
        (11, "zero", None),
        (12, -2.0, None),
        (12, 0.5, "half"),
    ]
    assert config.by_hand(the_other) == (
        InterventionConfig(model="The Other", layer=11, neurons=[1229, 1487], value="mean", label="at their mean"),
    )
    assert config.switches_off
    assert {"half", "at their mean"} <= set(config.drawn_texts)


def test_a_word_asks_for_none_by_hand(tmp_path: Path) -> None:
    for word, switches_off in (("auto", True), ("off", False)):
        config = loaded(tmp_path, f'interventions = "{word}"\n' + WORDS + MODEL)
        assert config.by_hand(config.models[0]) == ()
        assert config.switches_off is switches_off
    assert loaded(tmp_path, WORDS + MODEL).interventions == "auto"


@pytest.mark.parametrize(
    ("value", "got"),
    [
        ('"on"', "'on'"),
        ("3", "3"),
        ("true", "True"),
        ("nan", "nan"),
        ("[]", "an empty list"),
        ('{ model = "name" }', "{'model': 'name'}"),
    ],
)
def test_what_is_neither_a_word_nor_tables_is_one_line(tmp_path: Path, value: str, got: str) -> None:
    text = f"interventions = {value}\n" + WORDS + MODEL
    assert refusal(tmp_path, text) == [f"report.toml:1: interventions: {FORMS}{got}"]


def test_entries_that_are_no_tables_are_told_one_by_one(tmp_path: Path) -> None:
    assert refusal(tmp_path, 'interventions = [3,\n "off"]\n' + WORDS + MODEL) == [
        "report.toml: 2 mistakes",
        "  report.toml:1: interventions.0: expected a table, got 3",
        "  report.toml:2: interventions.1: expected a table, got 'off'",
    ]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (TABLE + "layers = 3\n", "9: interventions.0.layers: unknown key; did you mean 'layer'?"),
        (TABLE + 'title = "x"\n', "9: interventions.0.title: unknown key; it belongs before the first table"),
        (TABLE.replace("layer = 11\n", ""), "5: interventions.0.layer: expected a value, got none; add it"),
        (TABLE.replace("11", "-1"), "7: interventions.0.layer: expected at least 0, got -1"),
        (TABLE.replace("11", "100_001"), "7: interventions.0.layer: expected at most 100,000, got 100001"),
        (TABLE.replace("11", '"11"'), "7: interventions.0.layer: expected a whole number, got '11'"),
        (TABLE.replace("11", "true"), "7: interventions.0.layer: expected a whole number, got True"),
        (TABLE.replace("1229, 1487", ""), "8: interventions.0.neurons: expected at least one entry, got 0: []"),
        (TABLE.replace("[1229, 1487]", "3"), "8: interventions.0.neurons: expected a list, got 3"),
        (TABLE.replace("1487", "1229"), "8: interventions.0.neurons.1: the neuron 1229 stands twice; remove one"),
        (TABLE.replace("1487", "-1"), "8: interventions.0.neurons.1: expected at least 0, got -1"),
        (TABLE.replace("1487", "1.0"), "8: interventions.0.neurons.1: expected a whole number, got 1.0"),
        (
            TABLE.replace("1229, 1487", ", ".join(map(str, range(65)))),
            "8: interventions.0.neurons: expected at most 64 neurons, got 65",
        ),
        (TABLE + 'value = "none"\n', f"9: interventions.0.value: {VALUES}'none'"),
        (TABLE + "value = true\n", f"9: interventions.0.value: {VALUES}True"),
        (TABLE + "value = inf\n", f"9: interventions.0.value: {VALUES}inf"),
        (TABLE + "value = nan\n", f"9: interventions.0.value: {VALUES}nan"),
        (TABLE + "value = 1e39\n", f"9: interventions.0.value: {VALUES}1e+39"),
        (TABLE + "value = [0]\n", f"9: interventions.0.value: {VALUES}[0]"),
        (TABLE + 'label = " "\n', "9: interventions.0.label: expected text that is not only spaces, got ' '"),
        (
            TABLE.replace('"name"', '"org/name"'),
            "6: interventions.0.model: expected the name of a model, one of name, got 'org/name'",
        ),
        (
            TABLE + ANOTHER + TABLE.replace("1229, 1487", "1487, 1229") + "value = 0\n",
            "13: interventions.2: sets the same neurons to the same value as interventions.0; remove one",
        ),
        (
            TABLE + 'label = "a"\n' + ANOTHER + 'label = "a"\n',
            "14: interventions.1.label: the label 'a' is already taken by interventions.0; choose another",
        ),
    ],
)
def test_a_mistake_in_a_table_is_one_line(tmp_path: Path, table: str, said: str) -> None:
    (line,) = refusal(tmp_path, WORDS + MODEL + table)
    assert line.startswith(f"report.toml:{said}")


def test_all_mistakes_of_the_tables_are_told_at_once(tmp_path: Path) -> None:
    text = WORDS + MODEL + TABLE.replace('"name"', '"nobody"') + ANOTHER + ANOTHER
    assert [line.partition(": expected")[0] for line in refusal(tmp_path, text)] == [
        "report.toml: 2 mistakes",
        "  report.toml:6: interventions.0.model",
        "  report.toml:13: interventions.2: sets the same neurons to the same value as interventions.1; remove one",
    ]
    text = WORDS + MODEL + TABLE.replace("11", "-1") + 'value = "x"\nlable = "y"\n'
    assert [line.partition(": expected")[0] for line in refusal(tmp_path, text)] == [
        "report.toml: 3 mistakes",
        "  report.toml:10: interventions.0.lable: unknown key; did you mean 'label'?",
        "  report.toml:7: interventions.0.layer",
        "  report.toml:9: interventions.0.value",
    ]


def test_at_most_a_hundred_are_taken(tmp_path: Path) -> None:
    tables = [TABLE.replace("11", str(layer)) for layer in range(101)]
    assert len(loaded(tmp_path, WORDS + MODEL + "".join(tables[:100])).interventions) == 100
    (line,) = refusal(tmp_path, WORDS + MODEL + "".join(tables))
    assert line == "report.toml:5: interventions: expected at most 100 interventions, got 101"


def test_the_same_label_may_stand_for_two_models_and_the_same_neurons_for_two_values(tmp_path: Path) -> None:
    label = 'label = "without the two"\n'
    other = TABLE.replace('"name"', '"other"') + label
    text = WORDS + MODEL + MODEL.replace("name", "other") + TABLE + label + other + TABLE + "value = 1\n"
    assert len(loaded(tmp_path, text).interventions) == 3


def test_a_whole_vocabulary_has_none(tmp_path: Path) -> None:
    (line,) = refusal(tmp_path, "[words]\nvocabulary = true\n" + MODEL + TABLE)
    assert line.startswith('report.toml:5: interventions: expected "auto" or "off" beside "vocabulary = true"')
    assert line.endswith("got 1 of [[interventions]]; remove them")


def test_other_models_take_the_tables_of_the_configured_ones_away(tmp_path: Path) -> None:
    path = written(tmp_path, WORDS + MODEL + MODEL.replace("name", "other") + TABLE + ANOTHER.replace("name", "other"))
    assert load(path, models=("some/model",)).interventions == "auto"
    assert load(path, models=("some/model",)).switches_off
    config = load(path, models=("some/model", "./other.gguf"))
    assert [each.model for each in config.by_hand(config.models[1])] == ["other"]
    # A mistake in a table is reported at its line, whichever models there are.
    wrong = TABLE + ANOTHER.replace("layer = 12", "layer = -1")
    (line,) = refusal(tmp_path, WORDS + MODEL + wrong, models=("some/model",))
    assert line == "report.toml:11: interventions.1.layer: expected at least 0, got -1"


def test_a_notebook_may_have_them_too() -> None:
    values = {
        "words": {"months": ["May"]},
        "models": [{"source": "org/name"}],
        "interventions": [{"model": "name", "layer": 0, "neurons": [1], "value": 10**5_000}],
    }
    start = time.process_time()
    with pytest.raises(ConfigError, match=r"interventions\.0\.value: expected \"zero\""):
        validated(values, Path("study(…)"))
    assert time.process_time() - start < 1


@pytest.mark.parametrize("end", ["-off", "-mean", "-by-hand-1", "-by-hand-007"])
def test_names_that_captures_with_neurons_changed_take_are_refused(tmp_path: Path, end: str) -> None:
    contexts = "".join(
        f'[[contexts]]\nname = "{name}"\ntemplate = "{name} {{word}}"\n' for name in ("alone" + end, "alone")
    )
    (line,) = refusal(tmp_path, WORDS + MODEL + contexts)
    assert line.startswith(f"report.toml:6: contexts.0.name: the name 'alone{end}' is taken by captures of 'alone' ")
    assert line.endswith("with neurons changed; choose another name")
    # Without the other context it is a name like any other.
    assert (
        loaded(tmp_path, WORDS + MODEL + contexts.replace('name = "alone"', 'name = "aside"')).contexts[0].name
        == "alone" + end
    )


@pytest.mark.parametrize("name", ["alone-by-hand", "alone-by-hand-x", "alone-offside", "alone.off", "off", "mean"])
def test_names_that_only_look_like_those_are_names(tmp_path: Path, name: str) -> None:
    contexts = "".join(f'[[contexts]]\nname = "{each}"\ntemplate = "{each} {{word}}"\n' for each in ("alone", name))
    assert len(loaded(tmp_path, WORDS + MODEL + contexts).contexts) == 2
