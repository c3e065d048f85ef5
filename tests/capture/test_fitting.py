"""Texts that a model can't take are refused before a forward pass."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from torch import nn

from tokviz.capture import find_structure, require_fitting
from tokviz.errors import CaptureError
from tokviz.records import Context, Tokenization, TokenizedWord

ALONE = Context(name="alone", label="alone", template="{word}")
SIZES: dict[str, Any] = {
    "vocab_size": 40,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "max_position_embeddings": 10,
    "pad_token_id": 1,
}
SMALL = {"vocab_size": 40, "d_model": 32, "encoder_layers": 1, "encoder_ffn_dim": 64, "encoder_attention_heads": 4}
MODELS = {
    "Bert": (SIZES, 10),
    "Roberta": (SIZES, 8),
    "GPT2": ({"vocab_size": 40, "n_embd": 32, "n_layer": 1, "n_head": 4, "n_positions": 10}, 10),
    "OPT": (SIZES | {"ffn_dim": 64, "word_embed_proj_dim": 32}, 10),
    "Bart": (SMALL | {"max_position_embeddings": 10, "decoder_layers": 1, "decoder_attention_heads": 4}, 10),
    "Llama": (SIZES, None),
    "T5": ({"vocab_size": 40, "d_model": 32, "d_kv": 8, "num_layers": 1, "num_heads": 4}, None),
}
"""Config and how many tokens its positions are for."""


def model(name: str) -> nn.Module:
    config = getattr(transformers, f"{name}Config")(**MODELS[name][0])
    whole: Any = getattr(transformers, f"{name}Model")(config).eval()
    part: nn.Module = whole.get_encoder() if config.is_encoder_decoder else whole
    return part


def text_of(ids: tuple[int, ...]) -> Tokenization:
    word = TokenizedWord(word="w", text="w", ids=ids, pieces=("w",) * len(ids), start=0, stop=1)
    return Tokenization(words=(word,), read="last")


@pytest.mark.parametrize("name", MODELS)
def test_a_text_is_refused_exactly_where_positions_end(name: str) -> None:
    module, (_, n_positions) = model(name), MODELS[name]
    structure = find_structure(module, "")
    fits, beyond = (3,) * (n_positions or 50), (3,) * ((n_positions or 50) + 1)
    require_fitting(module, structure, text_of(fits), ALONE)
    module(input_ids=torch.tensor([fits]))
    if n_positions is None:
        require_fitting(module, structure, text_of(beyond), ALONE)
        return
    with pytest.raises(
        CaptureError,
        match=f"at most {n_positions} tokens, the positions .* got {n_positions + 1} with the template '{{word}}'; shorten it",
    ):
        require_fitting(module, structure, text_of(beyond), ALONE)
    with pytest.raises((IndexError, RuntimeError)):
        module(input_ids=torch.tensor([beyond]))


def test_an_id_beyond_the_embedding_is_named_with_its_token() -> None:
    module = model("Llama")
    structure = find_structure(module, "")
    require_fitting(module, structure, text_of((39,)), ALONE)
    with pytest.raises(CaptureError, match=r"word 'w' in context 'alone': expected ids below 40, .* got 40 for 'w'"):
        require_fitting(module, structure, text_of((39, 40)), ALONE)
