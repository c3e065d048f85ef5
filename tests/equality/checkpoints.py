"""Tiny checkpoints for the cases, built once into a folder that both checkouts read: names, sizes and times are the same for both."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import families
import series_checkpoints
import torch
import transformers
from planting import LAYER, answering, mlp_inputs, plant_conv1d
from tiny_tokenizers import whole_words

from equality.cases import MANY_WORDS, WORDS
from tokviz.capture.tokens import tokenize
from tokviz.models import quiet_transformers
from tokviz.records import Context

OF_OWN_TOKENS = ("albert", "falcon_h1", "gemma3_text", "led", "mamba", "opt_narrow", "qwen3", "qwen3_moe")
"""Families with their own tokenizers, which split most words; those below know each word of the cases as one token."""
N_FIFTY = 50


def build(folder: Path) -> None:
    """All that the cases name, in ``folder``; some six seconds."""
    for name in OF_OWN_TOKENS:
        families.build(name, folder / name)
    for name in ("bert", "llama", "t5"):
        families.build(name, folder / name)
        _know(folder / name, WORDS)
    families.build("llama", folder / "short", n_layers=2, seed=1)
    _know(folder / "short", WORDS)
    families.build("llama", folder / "large", n_layers=2)
    _know(folder / "large", MANY_WORDS, n_tokens=1024)
    for number in range(N_FIFTY):
        families.build("llama", folder / "fifty" / f"{number:02}", n_layers=1, seed=number)
    series_checkpoints.build(folder / "series")
    for step in series_checkpoints.STEPS:
        _know(folder / "series" / f"step-{step}", WORDS)
    _break_everywhere(folder / "break")
    _break_first(folder / "break-first")


def _know(folder: Path, words: Iterable[str], n_tokens: int | None = None) -> None:
    """Give a checkpoint a tokenizer with a token for each word, and a larger vocabulary if it needs one."""
    if n_tokens:
        whole = _whole(folder)
        torch.manual_seed(0)
        whole.resize_token_embeddings(n_tokens, mean_resizing=False)
        _save(whole, folder)
    for file in folder.glob("*token*"):
        file.unlink()
    whole_words(words).save_pretrained(folder)


def _break_everywhere(folder: Path) -> None:
    """Two neurons that write a huge value at every position."""
    families.build("gpt2", folder, seed=2)
    _know(folder, WORDS)
    whole = _whole(folder)
    plant_conv1d(whole.transformer, [3, 9], dimension=5, sizes=[90.0, 30.0])
    _save(whole, folder)


def _break_first(folder: Path) -> None:
    """Two neurons that write a huge value at words alone, at position 0."""
    families.build("llama", folder, seed=3)
    _know(folder, WORDS)
    whole = _whole(folder)
    mlp = whole.model.layers[LAYER].mlp
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    alone = Context(name="alone", label="alone", template=" {word}")
    rows = answering(mlp_inputs(whole.model, mlp, tokenize(tokenizer, WORDS, alone, "last")))
    with torch.no_grad():
        for matrix in (mlp.gate_proj, mlp.up_proj):
            matrix.weight[[9, 40]] = rows
        mlp.down_proj.weight[21, [9, 40]] = torch.tensor([900.0, 300.0])
    _save(whole, folder)


def _whole(folder: Path) -> Any:
    with quiet_transformers():
        return transformers.AutoModelForCausalLM.from_pretrained(folder)


def _save(whole: Any, folder: Path) -> None:
    with quiet_transformers():
        whole.save_pretrained(folder)
