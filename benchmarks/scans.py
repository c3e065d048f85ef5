"""Capture of a tiny Falcon-H1 whose scan has the usual sizes, against the same with the model's own chunk of 256 tokens."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any
from unittest.mock import patch

import sample
from table import Row, side_by_side

TARGET = 0.1
N_WORDS = 24
SCAN: dict[str, Any] = {
    "mamba_n_heads": 128,
    "mamba_d_head": 8,
    "mamba_d_ssm": 1024,
    "mamba_d_state": 256,
    "mamba_chunk_size": 256,
}


def run(rounds: int = 3) -> list[Row]:
    import transformers

    from tokviz import capture
    from tokviz.capture import hooks
    from tokviz.records import Tokenization, TokenizedWord

    sizes: dict[str, Any] = {
        "vocab_size": 512,
        "num_hidden_layers": 1,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
    }
    config = transformers.FalconH1Config(**sizes, **SCAN)
    texts = [word for category in sample.words().values() for word in category][:N_WORDS]
    words = tuple(
        TokenizedWord(word=text, text=text, ids=ids, pieces=tuple(text), start=0, stop=len(ids))
        for text in texts
        if (ids := tuple(text.encode()))
    )
    tokenization = Tokenization(words=words, read="last")

    def ours() -> None:
        module = transformers.FalconH1Model(config).eval()  # anew: what is checked once per model counts
        structure = capture.find_structure(module, "")
        for _ in capture.capture(module, structure, tokenization, 65_536):
            pass

    def with_own_chunk() -> None:
        with patch.object(hooks, "short_chunks", return_value=nullcontext()):
            ours()

    name = "a tiny Falcon-H1 with the usual scan: capture / with its own chunk"
    return [side_by_side(name, TARGET, ours, with_own_chunk, rounds=rounds)]


if __name__ == "__main__":
    print(*run(), sep="\n")
