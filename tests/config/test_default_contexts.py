"""Where no contexts are configured: alone and in sentences, if these fit the words."""

from __future__ import annotations

from pathlib import Path

import pytest
from narrow import present

from tokviz.config.loading import load
from tokviz.config.tables import SENTENCES
from tokviz.config.types import ReportConfig
from tokviz.errors import ConfigError

MODELS = [{"source": "org/name"}]


def names(words: list[str], **more: object) -> list[str]:
    values = {"words": {"some": words}, "models": MODELS, **more}
    return [each.name for each in ReportConfig.model_validate(values).contexts]


def test_words_are_read_alone_and_in_five_sentences() -> None:
    values = {"words": {"some": ["red", "ice cream", "C3PO"]}, "models": MODELS}
    alone, sentence = ReportConfig.model_validate(values).contexts
    assert alone.template == " {word}"
    assert present(sentence.templates) == list(SENTENCES)
    assert sentence.record.label == "in a sentence"


@pytest.mark.parametrize(
    ("n_foreign", "expected"), [(0, ["alone", "sentence"]), (1, ["alone", "sentence"]), (2, ["alone"]), (10, ["alone"])]
)
def test_english_sentences_are_not_put_around_words_of_other_languages(n_foreign: int, expected: list[str]) -> None:
    foreign = ["été", "über", "año", "красный", "赤", "čaj", "niño", "été2", "façade", "Ångström"]
    assert names([*foreign[:n_foreign], *(f"word{index}" for index in range(10 - n_foreign))]) == expected


def test_numbers_and_signs_are_of_no_language() -> None:
    assert names(["1", "2", "½", "→", "3"]) == ["alone", "sentence"]


def test_a_whole_vocabulary_is_read_alone() -> None:
    values = {"words": {}, "vocabulary": True, "models": MODELS}
    assert [each.name for each in ReportConfig.model_validate(values).contexts] == ["alone"]


def test_contexts_that_are_configured_are_all_there_are(tmp_path: Path) -> None:
    assert names(["red"], contexts=[{"name": "own", "template": "{word}"}]) == ["own"]
    config = tmp_path / "report.toml"
    config.write_text('contexts = []\n[words]\na = ["b"]\n[[models]]\nsource = "org/name"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="contexts: expected at least one entr"):
        load(config)


def test_notes_may_speak_of_them(tmp_path: Path) -> None:
    config = tmp_path / "report.toml"
    config.write_text(
        '[words]\na = ["b", "c"]\n[[models]]\nsource = "org/name"\n[models.notes]\n"sentence/layer-1" = "Look."\n',
        encoding="utf-8",
    )
    assert load(config).models[0].notes == {"sentence/layer-1": "Look."}
