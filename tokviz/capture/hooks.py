"""A forward pass with hooks, and what it gives."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn

Hook = Callable[["nn.Module", Any, Any], None]


def is_streamed(module: nn.Module) -> bool:
    """Whether weights are read from disk, or moved to where they run, in every forward pass."""
    return any(parameter.device.type == "meta" for parameter in module.parameters())


@contextmanager
def hooked(hooks: dict[nn.Module, Hook]) -> Iterator[None]:
    """Forward hooks that are gone afterwards, whatever happens."""
    handles = [part.register_forward_hook(hook) for part, hook in hooks.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def forward(module: nn.Module, ids: torch.Tensor, mask: torch.Tensor | None) -> None:
    """Run ``ids`` and ``mask``, both ``(batch, tokens)`` int64, for what the hooks see."""
    import torch

    # The class's own signature: accelerate wraps the instance's ``forward``.
    accepted = inspect.signature(type(module).forward).parameters
    # Offloaded weights lie on the "meta" device; the layers move their inputs to where they run.
    device = next((p.device for p in module.parameters() if p.device.type != "meta"), ids.device)
    options: dict[str, Any] = {}
    if "attention_mask" in accepted and mask is not None:
        options["attention_mask"] = mask.to(device)
    if "use_cache" in accepted:
        # Without mask and cache decoders look for packed sequences, in the values of the ids.
        options["use_cache"] = mask is None and getattr(module.config, "is_decoder", True)
    with torch.inference_mode():
        module(input_ids=ids.to(device), **options)


def first_tensor(output: Any) -> torch.Tensor | None:
    """A block's hidden states: its output, or the first of a tuple or ``ModelOutput``."""
    import torch

    if not isinstance(output, torch.Tensor):
        try:
            output = output[0]
        except (TypeError, KeyError, IndexError):
            return None
    return output if isinstance(output, torch.Tensor) and output.ndim == 3 else None


def one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}"
