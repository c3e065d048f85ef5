"""Neurons set to a value while a model runs; afterwards it is as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn


@contextmanager
def switched_off(
    matrix: nn.Module, neurons: Sequence[int], at_position_0: Sequence[float] | None = None
) -> Iterator[None]:
    """Within the block some inputs of a matrix, neurons of an MLP, are zero at every token.

    Parameters
    ----------
    at_position_0 : instead of that, their values at position 0; at other positions they are as they are.
    """

    def change(_: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        activations: torch.Tensor = arguments[0].clone()
        if at_position_0 is None:
            activations[..., list(neurons)] = 0
        else:
            activations[:, 0, list(neurons)] = activations.new_tensor(at_position_0)
        return (activations, *arguments[1:])

    handle = matrix.register_forward_pre_hook(change)
    try:
        yield
    finally:
        handle.remove()
