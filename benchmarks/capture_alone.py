"""Capture against one forward pass per word with hooks, as the post did it, on a model that is loaded already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sample
from table import Row, side_by_side

TARGET = 0.2


def run(rounds: int = 5) -> list[Row]:
    from tokviz import capture, models
    from tokviz.capture import tokens
    from tokviz.config import ModelConfig
    from tokviz.records import Context

    loaded = models.load(ModelConfig(source=str(sample.smollm2())), sample.HERE, "cpu")
    structure = capture.find_structure(loaded.module, loaded.base_model_prefix)
    words = tuple(word for category in sample.words().values() for word in category)
    context = Context(name="alone", label="alone", template=" {word}")

    def ours() -> None:
        tokenization = tokens.tokenize(loaded.tokenizer, words, context, "last")
        for _ in capture.capture(loaded.module, structure, tokenization, 65_536):
            pass

    def word_by_word() -> None:
        import torch

        states: dict[int, list[object]] = {}

        def keep(depth: int) -> Callable[[torch.nn.Module, object, Any], None]:
            def hook(module: torch.nn.Module, inputs: object, output: Any) -> None:
                tensor = output[0] if isinstance(output, tuple) else output
                states.setdefault(depth, []).append(tensor[0, -1].float().numpy())

            return hook

        modules = (structure.embedding, *structure.layers)
        handles = [module.register_forward_hook(keep(depth)) for depth, module in enumerate(modules)]
        with torch.no_grad():
            for word in words:
                loaded.module(**loaded.tokenizer(f" {word}", return_tensors="pt"))
        for handle in handles:
            handle.remove()

    return [side_by_side("capture alone / a forward pass per word", TARGET, ours, word_by_word, rounds=rounds)]


if __name__ == "__main__":
    print(*run(), sep="\n")
