"""A tiny model in which nearly all tokens become large: one dimension holds most of their length, and no ratio tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import families
import tiny_tokenizers
import torch
import transformers

from tokviz.models import quiet_transformers

N_LAYERS = 6
DIMENSION = 7
"""It grows in every token, whatever the word is and wherever it stands."""
EMERGENCE, RISE = 1, 3
"""The layers after which it is large among small ones, and larger among large ones."""


def build(folder: Path, *, bos: bool) -> Path:
    """Save a GPT-2 with planted weights into ``folder``, with a tokenizer that begins each text with a token or doesn't.

    After layer ``EMERGENCE`` |x| of ``DIMENSION`` is about 950 and the median about 0.1; after layer ``RISE`` about 27,000 in a
    length of which it makes nine tenths, and the median about 160.
    """
    families.build("gpt2", folder, N_LAYERS)
    with quiet_transformers():
        model = transformers.GPT2LMHeadModel.from_pretrained(folder)
    signs = torch.where(torch.arange(model.config.n_embd) % 2 == 0, 1.0, -1.0)
    blocks: Any = model.transformer.h
    emergence, rise = blocks[EMERGENCE].mlp.c_proj, blocks[RISE].mlp.c_proj
    with torch.no_grad():
        for block in blocks:
            # As they are, layers would add more than is planted.
            block.mlp.c_proj.weight.mul_(0.01)
            block.attn.c_proj.weight.mul_(0.01)
        emergence.bias[DIMENSION] = 950
        rise.bias.copy_(160 * signs)
        rise.bias[DIMENSION] = 28_000
        rise.bias[DIMENSION + 4] = 9_000
        # The words differ in it, by what they differ in before, so that it rules a PCA that leaves dimensions as they are.
        blocks[RISE].ln_2.weight.fill_(100)
        blocks[RISE].ln_2.weight[DIMENSION] = 0
        rise.weight[:, DIMENSION] *= 1e5
    with quiet_transformers():
        model.save_pretrained(folder)
    if bos:
        tiny_tokenizers.byte_level_bos().save_pretrained(folder)
    return folder
