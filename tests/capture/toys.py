"""Models of three linear layers, some of them built in ways that capture refuses."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import nn

from tokviz.records import Tokenization, TokenizedWord


class Toy(nn.Module):
    """Three linear layers after an embedding."""

    def __init__(self, width: int = 3, n_layers: int = 3, error: Exception | None = None, fails_above: int = 2) -> None:
        super().__init__()
        self.config = SimpleNamespace(num_hidden_layers=n_layers, hidden_size=width)
        self.embed = nn.Embedding(8, width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(3))
        self.error, self.fails_above = error, fails_above

    def get_input_embeddings(self) -> nn.Embedding:
        return self.embed

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        if self.error and len(input_ids) > self.fails_above:
            raise self.error
        state: torch.Tensor = self.embed(input_ids)
        for layer in self.layers:
            state = layer(state)
        return state


class Turned(Toy):
    """Works on ``(tokens, batch, width)``, as the encoder of FSMT does."""

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        state: torch.Tensor = self.embed(input_ids).transpose(0, 1)
        for layer in self.layers:
            state = layer(state)
        return state.transpose(0, 1)


class Windowed(Toy):
    """Pads its sequences to four tokens, as Longformer does, or puts one before them."""

    def __init__(self, *, padded_after: bool = True) -> None:
        super().__init__()
        self.padded_after = padded_after

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        n_tokens = input_ids.shape[1]
        n_more = -n_tokens % 4
        state: torch.Tensor = nn.functional.pad(
            self.embed(input_ids), (0, 0, 0, n_more) if self.padded_after else (0, 0, n_more, 0), value=1.0
        )
        for layer in self.layers:
            state = layer(state)
        return state[:, :n_tokens] if self.padded_after else state[:, n_more:]


class Streamed(Toy):
    """Keeps two streams of hidden states side by side; the second isn't that of the embedding."""

    def __init__(self, *, first: bool, active: int | None = None) -> None:
        super().__init__()
        self.axis = 0 if first else 2
        if active is not None:
            self.config.altup_active_idx = active

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        state: torch.Tensor = self.embed(input_ids)
        state = torch.stack((state, 2 * state), dim=self.axis)
        for layer in self.layers:
            state = layer(state)
        return state.mean(self.axis)


class Doubled(Toy):
    """Two lists of three: it is not clear which of them are the layers."""

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(3) for _ in range(3))

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        state: torch.Tensor = self.embed(input_ids)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            state = norm(layer(state))
        return state


def toy_words(n_words: int = 4) -> Tokenization:
    word = TokenizedWord(word="a", text="a", ids=(1, 2), pieces=("a", "b"), start=0, stop=2)
    return Tokenization(words=(word,) * n_words, read="last")
