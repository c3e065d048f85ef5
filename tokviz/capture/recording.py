"""What goes into one forward pass, and what its hooks record."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.capture.hooks import Hook
from tokviz.capture.structure import Structure
from tokviz.errors import CaptureError
from tokviz.records import N_EXTREMES, CapturedBatch, Tokenization, TokenizedWord

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class PaddedWords:
    """The words of one forward pass, padded to one length.

    Padding on the right keeps every position. What is fed there is masked, or comes after every token that is read.
    """

    rows: np.ndarray
    """``(n_batch,)`` int64: which words of the tokenization."""
    words: tuple[TokenizedWord, ...]
    read: str
    """As in ``Tokenization``."""
    ids: torch.Tensor
    """``(n_batch, tokens)`` int64."""
    mask: torch.Tensor
    """``(n_batch, tokens)`` int64: 1 for a word's sequence, 0 for padding."""
    positions: torch.Tensor
    """``(n_batch,)`` int64: the token that is read, where it is one."""

    @classmethod
    def of(cls, tokenization: Tokenization, rows: np.ndarray) -> PaddedWords:
        """Pad the words in ``rows``, ``(n_batch,)`` int64."""
        import torch

        words = tuple(tokenization.words[row] for row in rows)
        ids = torch.zeros((len(words), max(len(word.ids) for word in words)), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for index, word in enumerate(words):
            ids[index, : len(word.ids)] = torch.tensor(word.ids)
            mask[index, : len(word.ids)] = 1
        positions = torch.from_numpy(tokenization.positions[rows])
        return cls(rows=rows, words=words, read=tokenization.read, ids=ids, mask=mask, positions=positions)

    def read_states(self, outputs: torch.Tensor) -> torch.Tensor:
        """Pick each word's state: ``(n_batch, tokens, width)`` → ``(n_batch, width)`` float32."""
        import torch

        if self.read == "mean":
            spans = (tokens[word.start : word.stop] for tokens, word in zip(outputs, self.words, strict=True))
            return torch.stack([span.float().mean(0) for span in spans])
        index = torch.arange(len(self.words), device=outputs.device)
        return outputs[index, self.positions.to(outputs.device)].float()

    def tokens_read(self) -> tuple[torch.Tensor, torch.Tensor]:
        """What is read, among all tokens of the batch: ``(n_read,)`` int64, and each one's share in its word's state, float64."""
        import torch

        n_tokens = self.ids.shape[1]
        if self.read != "mean":
            return torch.arange(len(self.words)) * n_tokens + self.positions, torch.ones(len(self.words)).double()
        tokens = [n_tokens * index + at for index, word in enumerate(self.words) for at in range(word.start, word.stop)]
        shares = [1 / word.n_tokens for word in self.words for _ in range(word.n_tokens)]
        return torch.tensor(tokens), torch.tensor(shares, dtype=torch.float64)


class LastDepthReached(Exception):
    """Ends a forward pass at the last depth that is needed."""


class Recorder:
    """Records the states of a batch of words at every depth during one forward pass.

    ``hooks`` go on the model's modules; ``captured`` returns what they recorded.
    """

    def __init__(self, structure: Structure, batch: PaddedWords) -> None:
        n_depths, n_batch = structure.n_layers + 1, len(batch.words)
        self._structure = structure
        self._batch = batch
        # A module that runs several times gives one depth in each run.
        self._due = {module: deque(depths) for module, depths in structure.depths_of.items()}
        self._states: dict[int, np.ndarray] = {}
        self._position0_values = np.zeros((n_depths, n_batch, N_EXTREMES), dtype=np.float32)
        self._position0_dimensions = np.full((n_depths, n_batch, N_EXTREMES), -1, dtype=np.int32)

    @property
    def hooks(self) -> dict[nn.Module, Hook]:
        """A forward hook for the embedding and for each layer."""
        return dict.fromkeys(self._due, self._on_output)

    def captured(self) -> CapturedBatch:
        """Return the recorded states; raises ``CaptureError`` when a module did not run."""
        depths = range(self._structure.n_layers + 1)
        missing = [self._structure.describe(depth) for depth in depths if depth not in self._states]
        if missing:
            raise CaptureError(f"{missing[0]}: expected an output in every forward pass, got none")
        return CapturedBatch(
            rows=self._batch.rows,
            states=tuple(self._states[depth] for depth in depths),
            position0_values=self._position0_values,
            position0_dimensions=self._position0_dimensions,
        )

    def _on_output(self, module: nn.Module, _inputs: Any, output: Any) -> None:
        depth, outputs = self._next_depth(module), self._structure.states_from(module, output, self._batch.ids.shape[1])
        if depth is None and module is self._structure.embedding:
            return  # LED embeds what it pads the words with, after the words
        if depth is None or outputs is None or outputs.shape[:-1] != self._batch.ids.shape:
            raise CaptureError(self._unexpected(module, depth, output, outputs))
        states, at_position0 = self._batch.read_states(outputs), outputs[:, 0].float()
        if not bool(states.isfinite().all() and at_position0.isfinite().all()):
            raise CaptureError(self._not_finite(depth, outputs.dtype))
        self._states[depth] = states.cpu().numpy()
        self._record_extremes(depth, at_position0)
        if depth == self._structure.n_layers and not self._structure.is_whole:
            raise LastDepthReached

    def _next_depth(self, module: nn.Module) -> int | None:
        """The depth that this run of the module gives; None when it has run too often."""
        due = self._due[module]
        return due.popleft() if due else None

    def _record_extremes(self, depth: int, at_position0: torch.Tensor) -> None:
        """Record the largest values of ``(n_batch, width)`` states, and where they are."""
        largest = at_position0.abs().topk(min(N_EXTREMES, at_position0.shape[-1]))
        n_found = largest.values.shape[-1]
        self._position0_values[depth, :, :n_found] = largest.values.cpu().numpy()
        self._position0_dimensions[depth, :, :n_found] = largest.indices.cpu().numpy()

    def _unexpected(self, module: nn.Module, depth: int | None, output: Any, outputs: torch.Tensor | None) -> str:
        depths = self._structure.depths_of[module]
        found = "more" if depth is None else type(output).__name__ if outputs is None else tuple(outputs.shape)
        return (
            f"{self._structure.module_paths[depths[0]]}: expected {len(depths)} output(s) of shape "
            f"(batch, tokens, width) with {tuple(self._batch.ids.shape)} first, got {found}"
        )

    def _not_finite(self, depth: int, dtype: torch.dtype) -> str:
        name = str(dtype).removeprefix("torch.")
        remedy = "the weights may be damaged" if name == "float32" else 'set dtype = "float32" for this model'
        return (
            f"{self._structure.describe(depth)}: expected finite hidden states, got NaN or infinity in {name}; {remedy}"
        )
