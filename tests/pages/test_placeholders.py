"""A report's numbers in its author's texts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_fixture import sample_report

from tokviz.config import ReportConfig
from tokviz.pages import notes
from tokviz.pages.text.placeholders import Placeholders


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{n_words} words in {n_categories} categories", "117 words in 9 categories"),
        ("{n_models} models of {n_layers} layers", "2 models of 6–30 layers"),
        ("{n_words}, {word}, {n_other} and {}", "117, {word}, {n_other} and {}"),
    ],
)
def test_placeholders_are_filled(text: str, filled: str) -> None:
    report = sample_report()
    assert Placeholders(report.words, report.models).filled(text) == filled


def test_one_model_has_one_number_of_layers() -> None:
    report = sample_report()
    assert Placeholders(report.words, report.models[:1]).filled("{n_layers}") == "30"
    assert Placeholders(replace(report.words, categories=()), ()).filled("{n_words} {n_models} {n_layers}") == "0 0 0"


def test_the_introduction_holds_them_too() -> None:
    values = {"words": {"a": ["b"]}, "models": [{"source": "a/b"}], "intro": "Of **{n_words}** words."}
    report = sample_report()
    html = notes.introduction(ReportConfig.model_validate(values), Placeholders(report.words, report.models))
    assert html == ("<p>Of <strong>117</strong> words.</p>\n",)
