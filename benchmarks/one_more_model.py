"""A model added to eight against all nine anew, with small models: 4 layers, 116 words, one context."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path

import sample
from table import Row, side_by_side

TARGET = 0.15


def run(rounds: int = 3) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        models = {f"model-{number}": _small_model(work / f"model-{number}", seed=number) for number in range(9)}
        eight, nine = work / "eight.toml", work / "nine.toml"
        eight.write_text(sample.config(dict(list(models.items())[:8])), encoding="utf-8")
        nine.write_text(sample.config(models), encoding="utf-8")
        sample.generate(work, "--config", eight, "--cache", "eight", "--output", "site")
        numbers = itertools.count()
        # Copies are made before the clock runs.
        caches = [shutil.copytree(work / "eight", work / f"cache-{number}") for number in range(rounds + 1)]

        def added() -> None:
            sample.generate(work, "--config", nine, "--cache", caches[next(numbers)], "--output", "site")

        def anew() -> None:
            with tempfile.TemporaryDirectory(dir=work) as fresh:
                sample.generate(work, "--config", nine, "--cache", fresh, "--output", "site")

        return [side_by_side("one model added to eight / all nine anew", TARGET, added, anew, rounds=rounds)]


def _small_model(folder: Path, seed: int) -> Path:
    """Random weights in Llama's shape, with the sample model's tokenizer."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(sample.smollm2())
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=4,
        )
    ).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


if __name__ == "__main__":
    print(*run(), sep="\n")
