"""Hidden states in which no stage begins: of models with random weights."""

from __future__ import annotations

from functools import reduce
from typing import Any

import families
import numpy as np
import torch
import transformers

ARCHITECTURES = (
    "llama", "qwen3", "gpt2", "gpt_neox", "gemma3_text", "mistral", "olmo3", "phi3", "opt", "bloom", "bert", "modernbert",
)  # fmt: skip
SCALES = (1.0, 5.0)
"""Of the usual random weights: with the first, layers change little; with the second, as much as trained ones or more."""


def untrained_states(
    architecture: str, seed: int, *, n_layers: int = 12, n_words: int = 116, scale: float = 5.0, before: int = 0
) -> list[np.ndarray]:
    """The states of words that are one token each in a model of random weights.

    Parameters
    ----------
    architecture : a name in ``families.BY_NAME`` whose config lists nothing per layer.
    scale : of all weight matrices against the usual random ones.
    before : how many tokens, the same ones for all words, stand before the word.

    Returns
    -------
    ``n_layers + 1`` arrays ``(n_words, width)`` float32: the embedding's output and each layer's.
    """
    family = families.BY_NAME[architecture]
    torch.manual_seed(seed)
    config = family.config()
    config.num_hidden_layers = n_layers
    if getattr(config, "layer_types", None):
        config.layer_types = ["full_attention"] * n_layers
    whole = getattr(transformers, family.whole)(config).eval()
    random = np.random.default_rng(seed)
    tokens = random.choice(np.arange(10, 500), n_words + before, replace=False)
    ids = np.concatenate([np.broadcast_to(tokens[n_words:], (n_words, before)), tokens[:n_words, None]], axis=1)
    found: list[np.ndarray] = []

    def keep(_module: torch.nn.Module, _input: Any, output: Any) -> None:
        states = output if isinstance(output, torch.Tensor) else output[0]
        found.append(states[:, -1].numpy().copy())

    *path, last = family.first_layer.split(".")
    first = [family.embedding, *(".".join([*path, str(int(last) + index)]) for index in range(n_layers))]
    for name in first:
        reduce(getattr, name.split("."), whole).register_forward_hook(keep)
    with torch.no_grad():
        for name, parameter in whole.named_parameters():
            if parameter.ndim > 1 and name.endswith("weight"):
                parameter.mul_(scale)
        whole(input_ids=torch.from_numpy(np.ascontiguousarray(ids)))
    return found


def planted_states(
    seed: int, n_depths: int, starts: tuple[int, ...], *, change: float = 0.16, drift: float = 0.02, n_words: int = 116
) -> list[np.ndarray]:
    """States that drift from depth to depth, and change much more at ``starts``.

    Gaussian states X are mixed with new ones: linear CKA of X with √c X + √(1 − c) N is c but for chance.

    Parameters
    ----------
    starts : the depths after the changes.
    change, drift : 1 − CKA from a depth to the next, there and elsewhere.

    Returns
    -------
    ``n_depths`` arrays ``(n_words, 64)`` float64.
    """
    random = np.random.default_rng(seed)
    states = [random.normal(size=(n_words, 64))]
    for depth in range(1, n_depths):
        kept = 1 - (change if depth in starts else drift)
        states.append(np.sqrt(kept) * states[-1] + np.sqrt(1 - kept) * random.normal(size=(n_words, 64)))
    return states
