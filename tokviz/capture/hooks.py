"""Forward passes with hooks on some modules."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tokviz.capture.memory import limited_to_free_memory

if TYPE_CHECKING:
    import torch
    from torch import nn

Hook = Callable[["nn.Module", Any, Any], None]


def is_streamed(module: nn.Module) -> bool:
    """Whether weights are read from disk, or moved to where they run, in every forward pass."""
    return any(parameter.device.type == "meta" for parameter in module.parameters())


@contextmanager
def hooked(hooks: dict[nn.Module, Hook]) -> Iterator[None]:
    """Register forward hooks and remove them at the end, also after an error."""
    handles = [hooked_module.register_forward_hook(hook) for hooked_module, hook in hooks.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def forward(module: nn.Module, ids: torch.Tensor, mask: torch.Tensor | None) -> None:
    """Run ``ids`` and ``mask``, both ``(batch, tokens)`` int64; the hooks see the result."""
    import torch

    # The class's own signature: accelerate wraps the instance's ``forward``.
    accepted = inspect.signature(type(module).forward).parameters
    # Offloaded weights are on the "meta" device; the layers move their inputs to where they run.
    device = next((p.device for p in module.parameters() if p.device.type != "meta"), ids.device)
    options: dict[str, Any] = {}
    if "attention_mask" in accepted and mask is not None:
        options["attention_mask"] = mask.to(device)
    if "use_cache" in accepted:
        # With neither mask nor cache, decoders look for packed sequences in the values of the ids.
        options["use_cache"] = mask is None and getattr(module.config, "is_decoder", True)
    with torch.inference_mode(), limited_to_free_memory(device):
        module(input_ids=ids.to(device), **options)


def first_tensor(output: Any) -> torch.Tensor | None:
    """A block's hidden states, ``(batch, tokens, width)``: its output, or the first of a tuple or ``ModelOutput``.

    None when there is no tensor with three dimensions.
    """
    import torch

    if not isinstance(output, torch.Tensor):
        try:
            output = output[0]
        except (TypeError, KeyError, IndexError):
            return None
    return output if isinstance(output, torch.Tensor) and output.ndim == 3 else None
