"""A loaded model for tests, and what must be as it was after anything that is done with it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import families
import numpy as np
import torch
from tiny_tokenizers import byte_level
from transformers import LlamaConfig, LlamaForCausalLM

import tokviz
from tokviz.notebook import Capture

WORDS = {"colors": ["red", "blue", "green", "pink"], "months": ["May", "June", "July", "March"]}


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A model that nobody has touched, to be copied, and what was captured of it."""

    model: Any
    tokenizer: Any
    cache: Path
    folder: Path
    """For files of a case."""

    def copy(self) -> Any:
        return copy.deepcopy(self.model)

    def study(self, model: Any, tokenizer: Any = None) -> Capture:
        found = tokviz.study(
            model, WORDS, tokenizer=tokenizer or self.tokenizer, cache=self.cache, name="Mine", quiet=True
        )
        return found["Mine"]["alone"]

    def call(self, model: Any, **options: Any) -> Any:
        return model(**self.tokenizer("a text", return_tensors="pt"), **options)


def made(folder: Path) -> Bench:
    """With a tiny model of random weights, that has been captured once."""
    torch.manual_seed(0)
    sizes = families.SIZES | {"hidden_size": 16, "intermediate_size": 24, "head_dim": 4, "num_hidden_layers": 2}
    model = LlamaForCausalLM(LlamaConfig(**sizes, attention_dropout=0.5)).eval()
    bench = Bench(model=model, tokenizer=byte_level(), cache=folder / "cache", folder=folder)
    bench.study(model)
    return bench


def everything(model: Any) -> list[Any]:
    """What must be as it was: hooks, modes, attributes; values, dtype, device and gradients of all tensors."""
    tensors = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
    return [
        *(
            (path, id(module), module.training, sorted(map(str, vars(module))), list(module._forward_hooks.items()))
            for path, module in model.named_modules()
        ),
        *(list(module._forward_pre_hooks.items()) for module in model.modules()),
        *(vars(module).get("forward") for module in model.modules()),
        *(
            (name, each.is_meta or id(each), each.dtype, each.device, each.requires_grad, contents(each))
            for name, each in tensors
        ),
        *((name, each.grad is None, contents(each.grad)) for name, each in tensors if each.is_leaf),
        model.config.to_json_string(),
        model.config._attn_implementation,
    ]


def contents(tensor: torch.Tensor | None) -> bytes | None:
    if tensor is None or tensor.is_meta:
        return None
    return tensor.detach().resolve_conj().reshape(-1).contiguous().view(torch.uint8).numpy().tobytes()


def states(capture: Capture) -> np.ndarray:
    return np.stack(list(capture.states.states))


def by_hand(model: Any, capture: Capture) -> np.ndarray:
    """The states of the words' last tokens, each word run alone; ``(n_depths, n_words, width)``."""
    base = model.base_model
    found: list[list[torch.Tensor]] = []
    hooked = [base.embed_tokens, *base.layers]
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    for word in capture.states.tokenization.words:
        outputs: list[torch.Tensor] = []
        handles = [
            module.register_forward_hook(lambda _module, _inputs, output, to=outputs: to.append(output))
            for module in hooked
        ]
        with torch.inference_mode():
            base(input_ids=torch.tensor([word.ids]))
        for handle in handles:
            handle.remove()
        found.append([(output[0] if isinstance(output, tuple) else output)[0, word.stop - 1] for output in outputs])
    for module, is_training in modes:
        module.training = is_training
    return torch.stack([torch.stack(depths) for depths in found], dim=1).float().numpy()
