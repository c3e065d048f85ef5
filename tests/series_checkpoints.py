"""Checkpoints of a tiny model on disk, in which a neuron that writes a huge value appears, and another one takes its place later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from tiny_tokenizers import byte_level

from tokviz.models import quiet_transformers

STEPS = (0, 10, 100, 1000)
DIMENSION = 5
FIRST, LATER = (1, 7), (2, 9)
"""Layer and neuron of the value that appears, and of the one that takes its place."""
APPEARS, MOVES = 1, 3
"""From which checkpoint on."""


def build(folder: Path, n_layers: int = 3) -> None:
    """``step-0`` … in ``folder``: random weights that drift from step to step, and the huge value."""
    torch.manual_seed(0)
    gpt2 = transformers.GPT2Config(
        vocab_size=512,
        n_embd=16,
        n_layer=n_layers,
        n_head=2,
        n_positions=64,
        n_inner=16,
        bos_token_id=1,
        eos_token_id=1,
    )
    model: Any = transformers.GPT2LMHeadModel(gpt2).eval()
    parameters = [each for each in model.parameters() if each.ndim > 1]
    drift = [torch.randn_like(each) * each.std() / 4 for each in parameters]
    with torch.no_grad(), quiet_transformers():
        for parameter in parameters:
            parameter.mul_(5)
        for index, step in enumerate(STEPS):
            for parameter, change in zip(parameters, drift, strict=True):
                parameter.add_(change)
            written = None if index < APPEARS else FIRST if index < MOVES else LATER
            _save(model, folder / f"step-{step}", written)


def _save(model: Any, folder: Path, written: tuple[int, int] | None) -> None:
    before = {key: value.clone() for key, value in model.state_dict().items()}
    if written is not None:
        layer, neuron = written
        mlp = model.transformer.h[layer].mlp
        mlp.c_fc.bias[neuron] = 9.0
        mlp.c_proj.weight[neuron, DIMENSION] = 1000.0
    model.save_pretrained(folder)
    byte_level().save_pretrained(folder)
    model.load_state_dict(before)
