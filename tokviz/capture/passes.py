"""Which words, and which contexts, go through a model together in one forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tokviz.capture.hooks import is_streamed
from tokviz.capture.structure import Structure
from tokviz.records import Batching, Tokenization

if TYPE_CHECKING:
    from torch import nn

STATE_BYTES_STREAMED = 2**30
"""The most bytes of hidden states, over all depths, that one forward pass may produce where weights are streamed."""
STATE_BYTES_IN_MEMORY = 2**27
"""The same where weights are in memory: a larger pass needs more memory and saves no time."""
TOKENS_IN_MEMORY = 8_192
"""The most tokens of one forward pass where weights are in memory, for the same reason."""
PASS_BYTES = 2**30
"""The most memory that a pass may be expected to take where weights are in memory: more saves no time."""
SHARE_OF_FREE_MEMORY = 0.5
"""How much of the free memory a pass may be expected to take: what is expected is rough, and other processes need some."""
DISK_BYTES_PER_SECOND = 2e9
"""Roughly what an ordinary SSD reads."""
CORE_OPERATIONS_PER_SECOND = 5e10
"""Roughly what one processor core computes in float32."""


@dataclass(frozen=True, kw_only=True)
class PassLimits:
    """The most that goes through the model in one forward pass; a single word always may."""

    n_tokens: int
    """Padding included."""
    n_words: int

    @classmethod
    def of(cls, module: nn.Module, structure: Structure, token_budget: int) -> PassLimits:
        """The limits for a model: ``token_budget``, and what the memory for hidden states allows."""
        state_bytes = STATE_BYTES_STREAMED
        if not is_streamed(module):
            state_bytes, token_budget = STATE_BYTES_IN_MEMORY, min(token_budget, TOKENS_IN_MEMORY)
        width: int = module.config.hidden_size  # type: ignore[union-attr, assignment]
        bytes_per_word = (structure.n_layers + 1) * width * np.dtype(np.float32).itemsize
        return cls(n_tokens=token_budget, n_words=max(1, state_bytes // bytes_per_word))

    def within_memory(self, one: int, two: int, free: int | None) -> PassLimits:
        """Lower the number of words to what fits, from the bytes that passes of one and of two of the longest take."""
        budget = PASS_BYTES if free is None else min(PASS_BYTES, int(free * SHARE_OF_FREE_MEMORY))
        per_word = max(two - one, 1)
        fixed = max(one - per_word, 0)
        return replace(self, n_words=max(1, min(self.n_words, (budget - fixed) // per_word)))

    def batches(self, lengths: np.ndarray, batching: Batching) -> list[np.ndarray]:
        """Group words of similar length, the shortest first.

        Parameters
        ----------
        lengths : ``(n_words,)`` int64: tokens of each word's sequence.

        Returns
        -------
        Per forward pass ``(n_batch,)`` int64, the rows of its words.
        """
        batches: list[list[int]] = []
        for row in np.argsort(lengths, kind="stable").tolist():
            if batches and self._has_room(batches[-1], row, lengths, batching):
                batches[-1].append(row)
            else:
                batches.append([row])
        return [np.array(batch, dtype=np.int64) for batch in batches]

    def _has_room(self, batch: list[int], row: int, lengths: np.ndarray, batching: Batching) -> bool:
        if batching == "one_by_one" or (batching == "equal_lengths" and lengths[batch[0]] != lengths[row]):
            return False
        # Lengths ascend, so the whole batch would be padded to this row's.
        return len(batch) < self.n_words and (len(batch) + 1) * int(lengths[row]) <= self.n_tokens


def some_reference_words(tokenization: Tokenization, most: int) -> np.ndarray:
    """``(n,)`` int64: the rows of the reference words or, of more than ``most``, of so many, spread evenly over the list."""
    rows = np.flatnonzero(tokenization.reference)
    spread = np.linspace(0, len(rows) - 1, min(len(rows), most)).round().astype(int)
    return np.asarray(rows[spread])


def sharing_passes(module: nn.Module, tokenizations: Sequence[Tokenization]) -> list[list[int]]:
    """Decide which contexts go through the model together; returns lists of their indices.

    Where weights are in memory, each context goes alone. Where they are streamed, contexts share the passes, and so the
    reading of the weights, as long as padding the shorter texts costs less time than reading the weights once more: on
    GPUs always, on processors where the texts have about the same length.
    """
    import torch

    if not is_streamed(module):
        return [[index] for index in range(len(tokenizations))]
    if torch.accelerator.is_available():
        return [list(range(len(tokenizations)))]
    most_padding = _tokens_computed_while_weights_are_read(module)
    longest = [max(len(word.ids) for word in each.words) for each in tokenizations]
    groups: list[list[int]] = []
    for index in sorted(range(len(tokenizations)), key=longest.__getitem__):
        if groups:
            n_words = sum(len(tokenizations[other].words) for other in groups[-1])
            if n_words * (longest[index] - longest[groups[-1][-1]]) <= most_padding:
                groups[-1].append(index)
                continue
        groups.append([index])
    return groups


def _tokens_computed_while_weights_are_read(module: nn.Module) -> float:
    """How many tokens the processor computes in the time that reading all weights once takes."""
    import torch

    bytes_per_weight = next(module.parameters()).element_size()
    operations_per_weight = 2  # a multiplication and an addition for every token
    seconds_per_weight = bytes_per_weight / DISK_BYTES_PER_SECOND
    return seconds_per_weight * CORE_OPERATIONS_PER_SECOND * torch.get_num_threads() / operations_per_weight
