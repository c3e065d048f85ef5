"""``[finding]``: what a user may write there, and what is said when it is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tokviz.config import ReportConfig, load
from tokviz.errors import ConfigError

REPORT = (
    '{before}[[models]]\nsource = "org/name"\n[[contexts]]\nname = "alone"\ntemplate = " {{word}}"\n'
    '[words]\nmonths = ["May", "June", "July"]\n{words}[finding]\n{finding}\n'
)
SENTENCE = 'sentence = "Two neurons do it."\n'


def loaded(folder: Path, finding: str, before: str = "", words: str = "", models: tuple[str, ...] = ()) -> ReportConfig:
    path = folder / "report.toml"
    path.write_text(REPORT.format(finding=finding, before=before, words=words), encoding="utf-8")
    return load(path, models=models)


def test_a_sentence_and_two_states_are_read(tmp_path: Path) -> None:
    states = ["name/alone/embedding", "name/alone-off/layer-11/centered"]
    finding = loaded(tmp_path, f"{SENTENCE}states = {states}").finding
    assert finding is not None
    assert (finding.sentence, finding.states) == ("Two neurons do it.", states)
    assert loaded(tmp_path, SENTENCE, models=("org/other",)).finding is None, (
        "it speaks of the models that are replaced"
    )


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        ("", "8: finding.sentence: expected a value, got none; add it"),
        (
            f'sentence = "{"word " * 26}"',
            "9: finding.sentence: expected at most 25 words, got 26; shorten the sentence",
        ),
        (f"{SENTENCE}state = []", "10: finding.state: unknown key; did you mean 'states'?"),
        (f'{SENTENCE}states = ["name/alone/layer-1"]', "10: finding.states: expected at least 2 entries, got 1: "),
        (f"{SENTENCE}states = {['name/alone/layer-1'] * 2}", "10: finding.states: expected two different states, got "),
        (
            "{model}",
            "expected the folder of a model, one of name, as in name/alone/layer-3, got 'nam' in 'nam/alone/layer-1'",
        ),
        ("{context}", "expected a context after the model, one of alone, as in name/alone/layer-3, got 'sentence' in "),
        ("{depth}", "expected \"embedding\" or a layer after the context, as in name/alone/layer-3, got 'layer-x' in "),
        (
            "{projection}",
            "expected nothing after the layer, or one of standardized, centered, as in name/alone/layer-3, got ",
        ),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, finding: str, said: str) -> None:
    wrong = {
        "{model}": "nam/alone/layer-1",
        "{context}": "name/sentence/layer-1",
        "{depth}": "name/alone/layer-x",
        "{projection}": "name/alone/layer-1/unit",
    }
    if finding in wrong:
        said = f"10: finding.states.1: {said}"
        finding = f'{SENTENCE}states = ["name/alone/embedding", "{wrong[finding]}"]'
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, finding)
    line = str(caught.value).replace(f"{tmp_path}{os.sep}", "")
    assert line.startswith(f"report.toml:{said}")
    assert "\n" not in line


def test_what_is_never_captured_is_refused_before_anything_is(tmp_path: Path) -> None:
    states = f'{SENTENCE}states = ["name/alone/embedding", "name/%s"]'
    with pytest.raises(ConfigError, match=r"one of alone, .* got 'alone-off'"):
        loaded(tmp_path, states % "alone-off/layer-1", before='interventions = "off"\n')
    of_vocabulary = 'vocabulary = true\nlayers = ["embedding", 0, 1]\n'
    with pytest.raises(ConfigError, match=r"up to layer-1, .* got 'layer-2'"):
        loaded(tmp_path, states % "alone/layer-2", words=of_vocabulary)
    assert loaded(tmp_path, states % "alone/layer-1", words=of_vocabulary).finding is not None
