"""How well a model predicts text: next-token cross-entropy, as it is and with neurons set to a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.capture.batch_check import tolerance_for
from tokviz.capture.hooks import first_tensor, forward, hooked
from tokviz.capture.interventions import neurons_set
from tokviz.capture.memory import reused_memory
from tokviz.capture.products import fast_products
from tokviz.capture.structure import Structure
from tokviz.capture.tokens import special_around
from tokviz.errors import CaptureError
from tokviz.records import LEAST_PASSAGES, PASSAGE_TOKENS

if TYPE_CHECKING:
    import torch
    from torch import nn

_TRIED_TOKENS = 16
"""Of a passage: enough to see what a model does."""
LOGIT_BYTES = 2**27
"""The most bytes of logits, in float32, that one forward pass may produce; a single passage always may."""
_NO_DIFFERENCE = 1e-4
"""Nats per token by which the loss of a passage may differ when the layers before one aren't run again."""


@dataclass(frozen=True, kw_only=True)
class Passages:
    """A text in pieces of one length."""

    ids: np.ndarray
    """``(n_passages, n_tokens)`` int64."""
    n_before: int
    """How many tokens of each passage aren't predicted: those that the tokenizer puts before a text, or else the first."""
    on_progress: Callable[[int], None] = lambda _: None
    """Takes how many more of them are done, in all settings."""

    @property
    def n_predicted(self) -> int:
        """Tokens that are predicted, in all passages together."""
        return int(self.ids.size) - len(self.ids) * self.n_before


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Neurons of one matrix that are set to a value, see ``neurons_set``."""

    neurons: tuple[int, ...]
    at_position_0: tuple[float, ...] | None = None
    """None for zero at every position."""


def passages(
    tokenizer: Any, text: str, most: int, least: int = LEAST_PASSAGES, n_tokens: int = PASSAGE_TOKENS
) -> Passages:
    """Cut a text, tokenized once, into passages.

    Each begins with the tokens that the tokenizer puts before every text, such as ``<s>``, where it does; they count among
    the passage's ``n_tokens``.

    Parameters
    ----------
    most : how many are taken; of more, so many are spread evenly over the text.

    Raises
    ------
    CaptureError : there are fewer than ``least``, or fewer that differ.
    """
    before, _ = special_around(tokenizer)
    ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    n_own = n_tokens - len(before)
    n_passages = len(ids) // n_own
    if n_passages < least:
        raise CaptureError(f"expected a text of at least {least * n_own:,} tokens, got {len(ids):,}; take a longer one")
    rows = np.linspace(0, n_passages - 1, min(n_passages, most)).round().astype(int)
    own = np.array(ids[: n_passages * n_own], dtype=np.int64).reshape(n_passages, n_own)[rows]
    if (n_different := len(np.unique(own, axis=0))) < min(least, most):
        raise CaptureError(
            f"expected a text of at least {least} passages of {n_own} tokens that differ, got {n_different}; take one that doesn't repeat itself"
        )
    first = np.tile(np.array(before, dtype=np.int64), (len(rows), 1))
    return Passages(ids=np.hstack([first, own]), n_before=max(1, len(before)))


def sees_ahead(module: nn.Module, text: Passages) -> bool:
    """Whether a token's last hidden state depends on the tokens after it, as in encoders: no next token is predicted there."""
    import torch

    half = _TRIED_TOKENS // 2
    ids = torch.from_numpy(text.ids[[0, 0], :_TRIED_TOKENS])
    ends = text.ids[:, half:_TRIED_TOKENS]
    ids[1, half:] = torch.from_numpy(ends[(ends != ends[0]).any(axis=1).argmax()])
    states = first_tensor(forward(module, ids, torch.ones_like(ids)))
    if states is None:
        raise CaptureError(f"{type(module).__name__}: expected hidden states (batch, tokens, width), got none")
    one, other = states[:, :half].double()
    return bool((one - other).norm() > tolerance_for(states.dtype) * one.norm())


def losses(
    head: nn.Module, structure: Structure, layer: int, matrix: nn.Module, settings: Sequence[Setting], text: Passages
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The loss of each passage, as the model is and in each setting.

    The layers before ``layer`` give the same in every setting: where the model can go on from what they gave, they run once.

    Parameters
    ----------
    head : the model with its output matrix, in evaluation mode; its own forward pass makes the logits.
    structure : of its base model.
    layer : the one that ``matrix`` is in.
    matrix : whose inputs the neurons are.

    Returns
    -------
    ``(n_passages,)`` float64, nats per token; and the same of each setting.

    Raises
    ------
    CaptureError : a loss is NaN or infinite.
    """
    import torch

    ids = torch.from_numpy(text.ids)
    vocabulary = head.get_output_embeddings().weight.shape[0]  # type: ignore[operator]
    size = max(1, LOGIT_BYTES // (4 * vocabulary * PASSAGE_TOKENS))
    goes_on = _goes_on(head, structure, layer, ids[:1, :_TRIED_TOKENS], text.n_before)
    before = structure.layers[:layer] if goes_on else ()
    intact: list[np.ndarray] = []
    changed: list[list[np.ndarray]] = [[] for _ in settings]
    with reused_memory(ids.device):  # logits are large: a pass would get other memory for them than the last one
        for start in range(0, len(ids), size):
            batch = ids[start : start + size]
            with _noted(before) as outputs:
                intact.append(_losses(head, batch, text.n_before))
            with _given(before, outputs):
                for setting, found in zip(settings, changed, strict=True):
                    with neurons_set(matrix, setting.neurons, at_position_0=setting.at_position_0):
                        found.append(_losses(head, batch, text.n_before))
            text.on_progress(len(batch))
    every = [np.concatenate(each) for each in (intact, *changed)]
    if not all(np.isfinite(each).all() for each in every):
        raise CaptureError(f"{type(head).__name__}: expected finite losses, got some that aren't")
    return every[0], every[1:]


def _losses(head: nn.Module, ids: torch.Tensor, n_before: int) -> np.ndarray:
    """``(n_passages,)`` float64: the mean over the tokens after the first ``n_before``."""
    import torch
    from torch.nn import functional

    with fast_products():
        logits = forward(head, ids, torch.ones_like(ids)).logits
    of_each = (
        functional.cross_entropy(row[n_before - 1 : -1].float(), own[n_before:].to(row.device)).item()
        for row, own in zip(logits, ids, strict=True)
    )
    return np.array(list(of_each))


def _goes_on(head: nn.Module, structure: Structure, layer: int, ids: torch.Tensor, n_before: int) -> bool:
    """Whether the model can go on from what the layers before ``layer`` gave, seen with the beginning of a passage."""
    before = structure.layers[:layer]
    runs_twice = len(set(structure.layers)) < structure.n_layers  # such a block gives several states
    if runs_twice or not before:
        return False
    with _noted(before) as outputs:
        whole = _losses(head, ids, n_before)
    try:
        with _given(before, outputs):
            rest = _losses(head, ids, n_before)
    except Exception:  # noqa: BLE001 - later layers may need more of the earlier ones than their output
        return False
    return bool(np.abs(whole - rest).max() <= _NO_DIFFERENCE)


@contextmanager
def _noted(blocks: Sequence[nn.Module]) -> Iterator[list[Any]]:
    """Keep what the last of some blocks gives."""
    outputs: list[Any] = []
    with hooked({blocks[-1]: lambda _block, _inputs, output: outputs.append(output)} if blocks else {}):
        yield outputs


@contextmanager
def _given(blocks: Sequence[nn.Module], outputs: Sequence[Any]) -> Iterator[None]:
    """Within the block the blocks do nothing but return a copy of what the last of them gave: the others' isn't used.

    Weights that are read in every pass aren't read for them.
    """
    import torch
    from torch.utils._pytree import tree_map_only

    def give(*_: Any, **__: Any) -> Any:
        # A copy, since the next layer may add to what it gets in place.
        return tree_map_only(torch.Tensor, torch.clone, outputs[0])

    own = [block.__dict__.get("forward") for block in blocks]  # accelerate puts one there
    for block in blocks:
        block.forward = give
    try:
        yield
    finally:
        for block, before in zip(blocks, own, strict=True):
            del block.forward
            if before is not None:
                block.forward = before
