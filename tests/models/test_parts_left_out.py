"""Checkpoints without the part that isn't run: an encoder's own are loaded, a part that nobody stored bounds what they take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from families import Tiny
from safetensors.numpy import load_file, save_file

from tokviz import models
from tokviz.config import ModelConfig
from tokviz.errors import SourceError


def encoder_alone(tiny: Tiny, family: str, folder: Path) -> Path:
    tiny.copy(family, folder)
    weights = load_file(folder / "model.safetensors")
    save_file(
        {name: each for name, each in weights.items() if "decoder." not in name},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    return folder


def test_an_encoder_without_its_decoder_is_loaded(tiny: Tiny, tmp_path: Path) -> None:
    encoder_alone(tiny, "t5", tmp_path / "t5")
    card = models.load(ModelConfig(source="t5"), tmp_path, "cpu").card
    assert any("Only the encoder of this encoder-decoder model runs" in note for note in card.notes)


def test_a_part_that_nobody_stored_is_bounded_by_what_is_stored(tiny: Tiny, tmp_path: Path) -> None:
    folder = encoder_alone(tiny, "led", tmp_path / "led")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"decoder_layers": 20, "decoder_ffn_dim": 1_000_000}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(SourceError, match=r"expected weights for the [0-9,]+ numbers that the config asks for, found"):
        models.load(ModelConfig(source="led"), tmp_path, "cpu")
