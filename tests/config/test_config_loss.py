"""``[loss]``: the author's text for models to predict, and what is said of one that doesn't fit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tokviz.bundled import LOSS_TEXT
from tokviz.config import ReportConfig, load
from tokviz.errors import ConfigError
from tokviz.run.kinds.losses import LossText

REST = '[words]\nmonths = ["May", "June"]\n[[models]]\nsource = "org/name"\n'
LONG = "It rained on the day of the fair. " * 250


def loaded(folder: Path, text: str) -> ReportConfig:
    (folder / "report.toml").write_text(f"{text}\n{REST}", encoding="utf-8")
    return load(folder / "report.toml")


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    return str(caught.value).replace(f"{folder}{os.sep}", "")


def test_a_text_of_ones_own_is_read_beside_the_config(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_bytes(b"\xef\xbb\xbf" + LONG.encode().replace(b" fair", b"\r\nfair"))
    config = loaded(tmp_path, '[loss]\ntext = "own.txt"\npassages = 12')
    assert LossText.of(config) == LossText(text=LONG.replace(" fair", "\nfair"), n_passages=12)
    assert tmp_path / "own.txt" in config.files


def test_without_one_it_is_that_of_tokviz(tmp_path: Path) -> None:
    theirs = LossText(text=LOSS_TEXT.read_text(encoding="utf-8"), n_passages=None)
    assert LossText.of(loaded(tmp_path, "")) == theirs
    assert LossText.of(loaded(tmp_path, "[loss]")) == theirs


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "own.txt: expected a text file, found none; create it or name another"),
        (b"", "own.txt: expected a text of at least 8,000 characters, got 0; take a longer one"),
        (b"short \n", "own.txt: expected a text of at least 8,000 characters, got 5; take a longer one"),
        (b"one\ntw\xff", "own.txt: expected UTF-8 text, got byte 0xff in line 2; save the file as UTF-8"),
        (b"x" * 2_000_001, "own.txt: expected a file of at most 2 MB, got 2 MB"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_line(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "own.txt").write_bytes(content)
    assert refusal(tmp_path, '[loss]\ntext = "own.txt"') == f"report.toml:2: loss.text: {said}"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("text = 3", "loss.text: expected text in quotes, got 3"),
        ('text = ""', "loss.text: "),
        ('text = "."', "loss.text: "),
        ("passages = 7", "loss.passages: "),
        ('txt = "own.txt"', "loss.txt: unknown key; did you mean 'text'?"),
    ],
)
def test_mistakes_of_the_table_name_the_key(tmp_path: Path, table: str, said: str) -> None:
    refused = refusal(tmp_path, f"[loss]\n{table}")
    assert f"report.toml:2: {said}" in refused
    assert "\n" not in refused
