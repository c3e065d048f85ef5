"""What each layer adds made longer or shorter, so that layers of other weights add as much as those of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.capture.hooks import first_tensor, forward
from tokviz.capture.recording import PaddedWords
from tokviz.capture.structure import PLAIN, Structure
from tokviz.errors import CaptureError

if TYPE_CHECKING:
    import torch
    from torch import nn

Gain = Callable[[int, "torch.Tensor"], float]
"""Of the index of a layer, in the order in which they run, and what it adds."""


def update_norms(module: nn.Module, structure: Structure, batch: PaddedWords) -> np.ndarray:
    """``(n_layers,)`` float64: how long what each layer adds is, the median over words.

    Raises ``CaptureError`` where a layer doesn't add to the states that it is given.
    """
    norms = np.zeros(structure.n_layers)

    def note(layer: int, update: torch.Tensor) -> float:
        norms[layer] = _norm(structure, layer, update, batch)
        return 1.0

    _run(module, structure, batch, note)
    return norms


def gains_to(module: nn.Module, structure: Structure, batch: PaddedWords, norms: np.ndarray) -> tuple[float, ...]:
    """By which factors the layers add as much as ``norms`` says, from ``update_norms`` of another model.

    Each layer is given what those before it give with their factors. Raises ``CaptureError`` where a layer adds nothing.
    """
    gains = np.ones(structure.n_layers)

    def match(layer: int, update: torch.Tensor) -> float:
        own = _norm(structure, layer, update, batch)
        if not (np.isfinite(own) and own > 0):
            raise CaptureError(f"{structure.describe(layer + 1)}: expected a layer that adds something, got {own}")
        gains[layer] = norms[layer] / own
        return float(gains[layer])

    _run(module, structure, batch, match)
    return tuple(map(float, gains))


@contextmanager
def layers_scaled(structure: Structure, gains: Sequence[float]) -> Iterator[None]:
    """Within the block what each layer adds is multiplied by its gain, at every token."""
    with _with_gains(structure, lambda layer, _: gains[layer]):
        yield


def _norm(structure: Structure, layer: int, update: torch.Tensor, batch: PaddedWords) -> float:
    read = structure.states_from(structure.layers[layer], update, batch.ids.shape[1])
    if read is None:
        raise _no_update(structure, layer)
    return float(np.median(batch.read_states(read).double().norm(dim=-1).cpu().numpy()))


def _run(module: nn.Module, structure: Structure, batch: PaddedWords, gain: Gain) -> None:
    with _with_gains(structure, gain):
        forward(module, batch.ids, batch.mask)


@contextmanager
def _with_gains(structure: Structure, gain: Gain) -> Iterator[None]:
    """A block that runs several times has a gain of each of its runs."""
    runs: dict[nn.Module, list[int]] = {}
    for layer, block in enumerate(structure.layers):
        runs.setdefault(block, []).append(layer)
    given: dict[nn.Module, torch.Tensor | None] = {}
    ran: dict[nn.Module, int] = {}

    def start(*_: Any) -> None:
        ran.update(dict.fromkeys(runs, 0))

    def note(block: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        axes = len(structure.layouts.get(block, PLAIN).axes)
        tensors = (each for each in (*arguments, *named.values()) if isinstance(each, torch.Tensor))
        entering = next((each for each in tensors if each.ndim == axes and each.is_floating_point()), None)
        given[block] = None if entering is None else entering.clone()  # some blocks add in place

    def scale(block: nn.Module, _: Any, output: Any) -> Any:
        layer = runs[block][ran[block]]
        ran[block] += 1
        states, before = first_tensor(output), given.pop(block, None)
        if states is None or before is None or states.shape != before.shape:
            raise _no_update(structure, layer)
        update = states - before
        by = gain(layer, update)
        scaled = states if by == 1 else before + by * update
        if states is output:
            return scaled
        if not isinstance(output, tuple):
            raise _no_update(structure, layer)
        return (scaled, *output[1:])

    import torch

    handles = [structure.embedding.register_forward_pre_hook(start)]
    for block in runs:
        handles.append(block.register_forward_pre_hook(note, with_kwargs=True))
        handles.append(block.register_forward_hook(scale))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _no_update(structure: Structure, layer: int) -> CaptureError:
    return CaptureError(
        f"{structure.describe(layer + 1)}: expected a layer that adds to the states it is given, to set how much it adds; found "
        "another form"
    )
