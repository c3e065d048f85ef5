"""Forward passes with hooks on some modules."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokviz.capture.memory import limited_to_free_memory, reused_memory
from tokviz.capture.scans import short_chunks

if TYPE_CHECKING:
    import torch
    from torch import nn

Hook = Callable[["nn.Module", Any, Any], Any]
"""Gets the module, its inputs and its output; what it returns, unless None, takes the place of that output."""


@dataclass(frozen=True, kw_only=True)
class StreamLayout:
    """What the axes of a module's output are."""

    axes: tuple[str, ...] = ("batch", "tokens", "width")
    """Some models put the tokens first, some keep several streams of hidden states side by side."""
    is_padded: bool = False
    """Whether more tokens come out than were fed, after those that were."""
    n_streams: int | None = None
    stream: int | None = None
    """Which of several streams is read; None for their mean."""

    @property
    def kind(self) -> tuple[tuple[str, ...], bool]:
        """What two layouts have in common that differ in the number of their streams only."""
        return self.axes, self.is_padded

    def fits(self, shape: Sequence[int], n_words: int, n_tokens: int) -> bool:
        """Whether a module that was fed ``n_words`` × ``n_tokens`` has returned an output of this layout."""
        sizes = dict(zip(self.axes, shape, strict=False))
        if len(shape) != len(self.axes) or sizes["batch"] != n_words:
            return False
        return sizes["tokens"] > n_tokens if self.is_padded else sizes["tokens"] == n_tokens

    def states(self, output: Any, n_tokens: int) -> torch.Tensor | None:
        """A module's output as ``(batch, tokens, width)``; None where it has not as many axes as the layout."""
        tensor = first_tensor(output)
        if tensor is None or tensor.ndim != len(self.axes):
            return None
        axes = list(self.axes)
        if "streams" in axes:
            axis = axes.index("streams")
            tensor = tensor.mean(axis) if self.stream is None else tensor.select(axis, self.stream)
            axes.remove("streams")
        if axes[0] == "tokens":
            tensor = tensor.transpose(0, 1)
        return tensor[:, :n_tokens] if self.is_padded else tensor


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


def forward(
    module: nn.Module,
    ids: torch.Tensor,
    mask: torch.Tensor | None,
    *,
    with_weights: bool = False,
    with_gradients: bool = False,
) -> Any:
    """Run ``ids`` and ``mask``, both ``(batch, tokens)`` int64; the hooks see what each module returns.

    ``with_weights`` asks for the weights of attention, which some families return then only; ``with_gradients`` keeps what
    is needed to derive by what hooks add.
    """
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
    if with_weights and "output_attentions" in accepted:
        options["output_attentions"] = True
    with (
        torch.inference_mode(not with_gradients),
        torch.set_grad_enabled(with_gradients),
        # Weights that are read meanwhile are mapped, each as its whole file, which would count.
        nullcontext() if is_streamed(module) else limited_to_free_memory(device),
        reused_memory(device),
        # Without a mask there may be a cache, which a check would change.
        short_chunks(module, ids, may_check=mask is not None),
    ):
        return module(input_ids=ids.to(device), **options)


def first_tensor(output: Any) -> torch.Tensor | None:
    """A block's hidden states: its output, or the first of a tuple or ``ModelOutput``.

    None when there is no tensor with three dimensions, or four where there are several streams.
    """
    import torch

    if not isinstance(output, torch.Tensor):
        try:
            output = output[0]
        except (TypeError, KeyError, IndexError):
            return None
    return output if isinstance(output, torch.Tensor) and output.ndim in (3, 4) else None
