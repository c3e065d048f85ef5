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


def test_a_sentence_and_what_the_picture_shows_are_read(tmp_path: Path) -> None:
    rows, depths = ["name/alone", "name/alone-mean"], ["embedding", "layer-11"]
    finding = loaded(tmp_path, f'{SENTENCE}rows = {rows}\ndepths = {depths}\nprojection = "centered"').finding
    assert finding is not None
    read = (finding.sentence, finding.rows, finding.depths, finding.projection)
    assert read == ("Two neurons do it.", rows, depths, "centered")
    only_lead = loaded(tmp_path, 'lead = "break"').finding
    assert only_lead is not None
    assert (only_lead.lead, finding.lead) == ("break", None)
    only_depths = loaded(tmp_path, f"depths = {depths}").finding
    assert only_depths is not None
    assert only_depths.sentence is None
    assert loaded(tmp_path, SENTENCE, models=("org/other",)).finding is None, (
        "it speaks of the models that are replaced"
    )


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        (
            "",
            "8: finding: expected a sentence, rows, depths, a projection or a lead, got none; add one or remove the table",
        ),
        (
            f'sentence = "{"word " * 26}"',
            "9: finding.sentence: expected at most 25 words, got 26; shorten the sentence",
        ),
        (
            'lead = "breaks"',
            "9: finding.lead: expected 'change', 'words', 'contexts', 'models', 'break', 'order' or 'layers', got 'breaks'",
        ),
        ("row = []", "9: finding.row: unknown key; did you mean 'rows'?"),
        ("rows = []", "9: finding.rows: expected at least one entry, got 0: "),
        (f"rows = {['name/alone'] * 5}", "9: finding.rows: expected at most 4 rows, got 5"),
        (f"rows = {['name/alone'] * 2}", "9: finding.rows.1: 'name/alone' stands twice; remove one"),
        ('depths = ["embedding"]', "9: finding.depths: expected at least 2 entries, got 1: "),
        (f"depths = {[f'layer-{each}' for each in range(10)]}", "9: finding.depths: expected at most 9 depths, got 10"),
        (
            'depths = ["embedding", "layer-x"]',
            '9: finding.depths.1: expected "embedding" or a layer, as in layer-3, got ',
        ),
        (
            'projection = "unit"',
            "9: finding.projection: expected one of the report's projections, standardized, centered, got 'unit'",
        ),
        (
            'rows = ["nam/alone"]',
            "9: finding.rows.0: expected the folder of a model, one of name, as in name/alone, got 'nam' in 'nam/alone'",
        ),
        (
            'rows = ["name/sentence"]',
            "9: finding.rows.0: expected a context after the model, one of alone, as in name/alone, got 'sentence' in ",
        ),
        (
            'rows = ["name/alone", "other/alone"]',
            "9: finding.rows.1: expected the folder of a model, one of name, as in name/alone, got 'other' in ",
        ),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, finding: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, finding)
    line = str(caught.value).replace(f"{tmp_path}{os.sep}", "")
    assert line.startswith(f"report.toml:{said}")
    assert "\n" not in line


def test_rows_are_of_one_model(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"finding.rows.1: expected rows of one model, name, .* got 'other' in "):
        loaded(tmp_path, 'rows = ["name/alone", "other/alone"]', before='[[models]]\nsource = "org/other"\n')


def test_what_is_never_captured_is_refused_before_anything_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"one of alone, .* got 'alone-off'"):
        loaded(tmp_path, 'rows = ["name/alone-off"]', before='interventions = "off"\n')
    of_vocabulary = 'vocabulary = true\nlayers = ["embedding", 0, 1]\n'
    with pytest.raises(ConfigError, match=r"up to layer-1, got 'layer-2'"):
        loaded(tmp_path, 'depths = ["embedding", "layer-2"]', words=of_vocabulary)
    assert loaded(tmp_path, 'depths = ["embedding", "layer-1"]', words=of_vocabulary).finding is not None
