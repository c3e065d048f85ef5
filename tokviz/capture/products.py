"""Products with weights, in float32 on a processor: made by oneDNN, which comes with PyTorch, instead of MKL.

MKL uses half the width of AVX-512 where the processor isn't Intel's. Both err in the last digits of float32: the losses of
SmolLM2 differ by less than 1e-6. Hidden states are captured without: by standardizing, a rounding may become a thousandth.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

LEAST_OPERATIONS = 2**22
"""Multiplications from which a product gains more than choosing who makes it takes."""


def fast_products() -> AbstractContextManager[Any]:
    """Within the block ``linear`` is oneDNN's where that is faster; nothing may be derived by its inputs."""
    mode = _mode()
    return nullcontext() if mode is None else mode()


@cache
def _mode() -> Callable[[], AbstractContextManager[Any]] | None:
    """A class whose instances are entered; None where oneDNN isn't faster, or can't be asked."""
    import torch
    from torch.nn import functional
    from torch.overrides import TorchFunctionMode

    if not torch.backends.mkldnn.is_available() or "AVX512" not in torch.backends.cpu.get_cpu_capability():
        return None
    multiply: Any = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    if multiply is None:
        return None

    class FastProducts(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
            if function is functional.linear and not named and _suits(*arguments):
                inputs, weight, *bias = arguments
                return multiply(inputs, weight, bias[0] if bias else None, "none", [], "")
            return function(*arguments, **(named or {}))

    return FastProducts


def _suits(inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> bool:
    """Whether all are plain float32 on the processor, of the shapes that oneDNN takes, and large enough."""
    import torch

    every = (inputs, weight) if bias is None else (inputs, weight, bias)
    return (
        weight.dim() == 2
        and inputs.numel() * weight.shape[0] >= LEAST_OPERATIONS
        # Of a bias oneDNN takes as many numbers in a row as there are outputs, whatever its shape and strides.
        and (bias is None or (bias.shape == weight.shape[:1] and bias.is_contiguous()))
        and not torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
        and all(
            type(each) in (torch.Tensor, torch.nn.Parameter)
            and each.dtype is torch.float32
            and each.device.type == "cpu"
            and each.layout is torch.strided
            for each in every
        )
    )
