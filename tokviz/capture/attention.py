"""How much attention goes to position 0, layer by layer: a forward pass of its own over a few words."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.capture.hooks import forward
from tokviz.capture.passes import some_reference_words
from tokviz.capture.recording import LastDepthReached, PaddedWords
from tokviz.capture.structure import PLAIN, Structure
from tokviz.records import SINK_WEIGHT, AttentionToFirst, Tokenization

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.utils.hooks import RemovableHandle

MOST_WORDS = 12
"""Of more reference words so many are run, spread evenly."""
MOST_PAIRS = 2**20
"""Of tokens in one pass, over its words: each has a weight in every head."""
_ROUNDING = 0.02
"""By which weights in narrow types may sum to more than one."""


def attention_to_first(
    module: nn.Module, structure: Structure, tokenization: Tokenization, template: str
) -> AttentionToFirst | None:
    """The weight of the token that is read for position 0, over at most ``MOST_WORDS`` reference words.

    None where the words are read at position 0 themselves, where no layer has weights of attention, and where the model
    can't return them. Attention computes them only if it runs "eagerly"; afterwards the model runs as before. Where heads
    have a learnt sink beside the tokens, as in gpt-oss, its weight belongs to none of them: a row sums to less than one.

    Parameters
    ----------
    module : the base model that ``structure`` was found in, with all its weights in memory.
    template : of the context that ``tokenization`` is in, for the record.
    """
    if tokenization.reads_position_0:
        return None
    rows = some_reference_words(tokenization, MOST_WORDS)
    longest = max(len(tokenization.words[row].ids) for row in rows)
    n_words = max(1, MOST_PAIRS // longest**2)
    meter = _WeightMeter(structure)
    try:
        with _eager(module):
            for start in range(0, len(rows), n_words):
                meter.run(module, PaddedWords.of(tokenization, rows[start : start + n_words]))
    except Exception:  # noqa: BLE001 - families fail in ways of their own, and the weights are beside the capture
        return None
    found = meter.means()
    if np.isnan(found).all():
        return None
    return AttentionToFirst(
        template=template,
        words=tuple(tokenization.words[row].word for row in rows),
        mean=tuple(map(float, found[:, 0])),
        share=tuple(map(float, found[:, 1])),
    )


@contextmanager
def _eager(module: Any) -> Iterator[None]:
    """Within the block attention returns its weights; afterwards each part of the model runs as it did."""
    before = [(config, config._attn_implementation_internal) for config in _configs(module)]
    try:
        module.set_attn_implementation("eager")
        yield
    finally:
        for config, implementation in before:
            config._attn_implementation_internal = implementation


def _configs(module: nn.Module) -> list[Any]:
    """Of the model and of its parts, each once; parts that aren't models of their own have theirs in another."""
    found: dict[int, Any] = {}
    waiting = [config for each in module.modules() if (config := getattr(each, "config", None)) is not None]
    while waiting:
        config = waiting.pop()
        if id(config) not in found and hasattr(config, "_attn_implementation_internal"):
            found[id(config)] = config
            waiting += [inner for name in config.sub_configs if (inner := getattr(config, name, None)) is not None]
    return list(found.values())


class _WeightMeter:
    """Sums over words, per layer, of the weights for position 0 and of how many heads have a large one."""

    _batch: PaddedWords

    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self._sums = np.zeros((structure.n_layers, 2))
        self._n_words = np.zeros(structure.n_layers)
        self._waiting: dict[nn.Module, deque[int]] = {}
        self._layer: int | None = None
        """Which is running, until its weights are found."""

    def run(self, module: nn.Module, batch: PaddedWords) -> None:
        self._batch = batch
        self._waiting = {}
        for layer, block in enumerate(self._structure.layers):
            self._waiting.setdefault(block, deque()).append(layer)
        with self._hooks(), suppress(LastDepthReached):
            forward(module, batch.ids, batch.mask, with_weights=True)

    def means(self) -> np.ndarray:
        """``(n_layers, 2)``: the weight, and the share of heads; NaN for a layer whose weights weren't found."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self._sums / self._n_words[:, None])

    @contextmanager
    def _hooks(self) -> Iterator[None]:
        handles: list[RemovableHandle] = []
        for block in self._waiting:
            if self._structure.layouts.get(block, PLAIN) != PLAIN and self._structure.layouts[block].n_streams is None:
                continue  # it works on other tokens than were fed, or has them first
            handles.append(block.register_forward_pre_hook(self._begin))
            handles += [inner.register_forward_hook(self._look) for inner in block.modules()]
        handles += [block.register_forward_hook(self._end) for block in self._waiting]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _begin(self, block: nn.Module, _: Any) -> None:
        self._layer = self._waiting[block].popleft()

    def _look(self, _: nn.Module, _arguments: Any, output: Any) -> None:
        if self._layer is None or not isinstance(output, (tuple, list)):
            return
        weights = next((found for value in output if (found := _weights_read(value, self._batch)) is not None), None)
        if weights is not None:
            to_first = weights[..., 0].double().cpu().numpy()
            self._sums[self._layer] += to_first.mean(1).sum(), (to_first > SINK_WEIGHT).mean(1).sum()
            self._n_words[self._layer] += len(to_first)
            self._layer = None

    def _end(self, block: nn.Module, _arguments: Any, _output: Any) -> None:
        if not self._structure.is_whole and block is self._structure.layers[-1] and not self._waiting[block]:
            raise LastDepthReached


def _weights_read(value: Any, batch: PaddedWords) -> torch.Tensor | None:
    """``(n_batch, n_heads, tokens)``: the weights of the token that is read; None of anything else than weights."""
    import torch

    n_words, n_tokens = batch.ids.shape
    is_square = isinstance(value, torch.Tensor) and value.ndim == 4 and value.is_floating_point()
    if not is_square or value.shape[0] != n_words or tuple(value.shape[2:]) != (n_tokens, n_tokens):
        return None
    weights = batch.read_states(value.transpose(1, 2))
    is_shared_out = bool((weights >= 0).all() and (weights.sum(-1) <= 1 + _ROUNDING).all())
    return weights if is_shared_out else None
