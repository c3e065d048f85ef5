"""Neurons set to a value while a model runs; afterwards it is as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.capture.hooks import forward
from tokviz.capture.recording import LastDepthReached, PaddedWords
from tokviz.capture.scans import short_chunks
from tokviz.capture.structure import Structure
from tokviz.errors import CaptureError
from tokviz.records import Tokenization

if TYPE_CHECKING:
    import torch
    from torch import nn


@contextmanager
def neurons_set(
    matrix: nn.Module, neurons: Sequence[int], value: float = 0.0, at_position_0: Sequence[float] | None = None
) -> Iterator[None]:
    """Within the block some inputs of a matrix, neurons of an MLP, have a value at every token.

    Parameters
    ----------
    at_position_0 : instead of that, their values at position 0; at other positions they are as they are.
    """

    def change(_: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        activations: torch.Tensor = arguments[0].clone()
        if at_position_0 is None:
            activations[..., list(neurons)] = value
        elif activations.ndim != 3:
            raise CaptureError(
                f"{type(matrix).__name__}: expected activations with an axis of tokens, to set neurons at position 0, "
                f"got {tuple(activations.shape)}"
            )
        else:
            activations[:, 0, list(neurons)] = activations.new_tensor(at_position_0)
        return (activations, *arguments[1:])

    handle = matrix.register_forward_pre_hook(change)
    try:
        yield
    finally:
        handle.remove()


def mean_at_position_0(
    module: nn.Module,
    matrix: nn.Module,
    neurons: Sequence[int],
    tokenization: Tokenization,
    batches: Sequence[np.ndarray],
) -> tuple[float, ...]:
    """The mean of some inputs of a matrix at position 0, over the words of ``batches``, from ``words_to_run``."""
    total, n_words = np.zeros(len(neurons)), 0

    def note(_: nn.Module, arguments: tuple[Any, ...]) -> None:
        nonlocal total
        total += arguments[0][:, 0, list(neurons)].double().sum(0).cpu().numpy()
        raise LastDepthReached

    handle = matrix.register_forward_pre_hook(note)
    try:
        for rows in batches:
            batch = PaddedWords.of(tokenization, rows)
            with suppress(LastDepthReached):
                forward(module, batch.ids, batch.mask)
            n_words += len(rows)
    finally:
        handle.remove()
    return tuple(map(float, total / max(n_words, 1)))


def layer_without(
    module: nn.Module,
    structure: Structure,
    layer: int,
    matrix: nn.Module,
    draws: Sequence[Sequence[int]],
    batches: Sequence[PaddedWords],
) -> list[np.ndarray]:
    """What a layer gives when some of its neurons are zero, several times over: the layer alone is run again.

    Parameters
    ----------
    matrix : whose inputs they are.
    draws : each the neurons that are set to zero together.

    Returns
    -------
    Per draw ``(n_words, width)`` float32, the words in the order of ``batches``.
    """
    import torch

    found: list[list[np.ndarray]] = [[] for _ in draws]
    block = structure.layers[layer]
    for batch in batches:
        with _called(block) as calls, suppress(LastDepthReached):
            forward(module, batch.ids, batch.mask)
        arguments, named = calls[0]
        for neurons, states in zip(draws, found, strict=True):
            chunks = short_chunks(block, batch.ids, may_check=True)
            with neurons_set(matrix, neurons), torch.inference_mode(), chunks:
                output = structure.states_from(block, block(*arguments, **named), batch.ids.shape[1])
            if output is not None:
                states.append(batch.read_states(output).cpu().numpy())
    return [np.concatenate(states) for states in found]


@contextmanager
def _called(block: nn.Module) -> Iterator[list[tuple[tuple[Any, ...], dict[str, Any]]]]:
    """Note what a block is called with, and end the forward pass there."""
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def note(_: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        calls.append((arguments, named))
        raise LastDepthReached

    handle = block.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield calls
    finally:
        handle.remove()
