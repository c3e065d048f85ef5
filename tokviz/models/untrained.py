"""The untrained model: what a loaded model would be without its training, in all of its weights or in its layers alone.

The weights are new ones, as the model's class draws them before training. What a class forgets would have the values that stood
in memory before, so that all weights are NaN at first, and each must be a number at the end.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tokviz.errors import SourceError
from tokviz.models.fingerprint import weight_elsewhere
from tokviz.models.loading import LoadedModel
from tokviz.text import error_line

if TYPE_CHECKING:
    import torch
    from torch import nn


class TooLittleMemoryError(SourceError):
    """There is too little memory for an untrained model now."""


class UntrainedModel:
    """A model of the same configuration as a loaded one: one module, which is given new weights again and again.

    It is whole, in memory and on the device of the loaded model, and of its dtype; float32 where that one is quantised or
    float16. The weights of a seed are the same on every device, and torch's own generators stay as they are.

    Parameters
    ----------
    loaded : stays as it is.
    layers : its blocks, as ``Structure.layers`` has them.
    scale : ``initializer_range``, which its class draws weights with, in place of that of its config.

    Raises
    ------
    TooLittleMemoryError : so it is now.
    SourceError : the class can't be made from its config alone.
    """

    def __init__(self, loaded: LoadedModel, layers: Sequence[nn.Module], scale: float | None = None) -> None:
        import torch

        self._loaded: Any = loaded.module
        config: Any = copy.deepcopy(loaded.module.config)
        if scale is not None:
            config.initializer_range = scale
        self._config = config
        self._is_default = scale is None and loaded.card.source.endswith(".gguf")
        blocks = set(layers)
        self._layers = tuple(f"{path}." for path, module in self._loaded.named_modules() if module in blocks)
        whole = (each.device for each in self._loaded.parameters() if not each.is_meta)
        self._device = next(whole, torch.device("cpu"))
        self._module = self._made(_dtype_of(loaded))

    @property
    def notes(self) -> tuple[str, ...]:
        """How its weights are drawn, as far as that is known."""
        scale = getattr(self._config, "initializer_range", None)
        if not isinstance(scale, float):
            return ()
        # Not a standard deviation of all weights: classes scale some of them, or draw them otherwise.
        default = ", a default of transformers, as a GGUF file doesn’t hold the model’s own" if self._is_default else ""
        return (
            f"Random weights are drawn by {self._name}’s own initialization, with an initializer_range of {scale:.3g}{default}.",
        )

    @property
    def _name(self) -> str:
        return type(self._loaded).__name__

    def _made(self, dtype: torch.dtype) -> Any:
        import psutil
        import torch
        from transformers.initialization import no_init_weights

        n_bytes = sum(each.numel() for each in self._loaded.parameters()) * dtype.itemsize
        free = psutil.virtual_memory().available
        if n_bytes > free:
            raise TooLittleMemoryError(
                f"{self._name}: expected {n_bytes / 1e9:.1f} GB of memory for an untrained model of this size, found "
                f"{free / 1e9:.1f} GB; close other programs, or set untrained = false for this model"
            )
        config = self._config
        if hasattr(config, "quantization_config"):
            del config.quantization_config
        try:
            with _seeded(0), _default_dtype(dtype), torch.device("cpu"), no_init_weights():
                module = type(self._loaded)(config)
            module.tie_weights()
        except Exception as error:
            raise SourceError(
                f"{self._name}: expected a class that is made from its config alone, got {error_line(error)}; there is no "
                "untrained model of this kind"
            ) from error
        return module.eval()

    def random(self, seed: int) -> nn.Module:
        """All weights as the class draws them before training; the module is the same at each call.

        Raises ``SourceError`` where the class leaves weights unset.
        """
        import torch

        module = self._module.to("cpu")
        with _seeded(seed), torch.no_grad():
            for weight in _floating(module):
                weight.fill_(float("nan"))
            for each in module.modules():
                each._is_hf_initialized = False
            module.initialize_weights()
            for each in module.modules():
                _set_by_torch(each)
        unset = [path for path, weight in module.named_parameters() if _is_unset(weight)]
        if unset:
            more = f" and {len(unset) - 1} more" if len(unset) > 1 else ""
            raise SourceError(
                f"{self._name}: expected its class to draw all weights of an untrained model, got none for {unset[0]}{more}"
            )
        on_device: nn.Module = module.to(self._device)
        return on_device

    def own_embedding(self, seed: int) -> nn.Module:
        """The layers as in ``random``; what isn't in a layer, such as embeddings and their norms, has the loaded model's weights.

        Raises ``SourceError``, as ``random`` does, and where such weights are quantised or have other names.
        """
        import torch

        module = self.random(seed)
        with torch.no_grad():
            for path, weight in (*module.named_parameters(), *module.named_buffers()):
                if not path.startswith(self._layers):
                    weight.copy_(self._value(path, weight))
        return module

    def permuted(self, seed: int) -> nn.Module:
        """The loaded model's weights, in its layers each in another order: a matrix's rows and its columns, each on their own.

        What stands in the matrices, and how long and how dependent their rows are, stays; what they have to do with each other and with
        the embedding is lost. The module is that of ``random``. Raises ``SourceError`` where weights are quantised or have other names.
        """
        import torch

        module = self._module.to("cpu")
        generator = torch.Generator().manual_seed(seed)
        parameters = dict(module.named_parameters())
        with torch.no_grad():
            for path, weight in (*parameters.items(), *module.named_buffers()):
                value = self._value(path, weight)
                if path.startswith(self._layers) and path in parameters:
                    for axis, n in enumerate(value.shape):
                        value = value.index_select(axis, torch.randperm(n, generator=generator).to(value.device))
                weight.copy_(value)
        on_device: nn.Module = module.to(self._device)
        return on_device

    @cached_property
    def _own(self) -> dict[str, Any]:
        """The loaded model's weights by their paths."""
        return dict(self._loaded.named_parameters()) | dict(self._loaded.named_buffers())

    def _value(self, path: str, weight: torch.Tensor) -> torch.Tensor:
        """Of the loaded model, to be put in place of ``weight``."""
        own = self._own.get(path)
        if own is not None and own.is_meta:
            own = weight_elsewhere(self._loaded, path)
        if own is None or own.shape != weight.shape or own.is_floating_point() != weight.is_floating_point():
            raise SourceError(
                f"{self._name}: expected weights outside of its layers that are not quantised, got none of the shape "
                f"{tuple(weight.shape)} for {path}; the layers alone can't be made untrained"
            )
        value: torch.Tensor = own
        return value


def _dtype_of(loaded: LoadedModel) -> torch.dtype:
    import torch

    module: Any = loaded.module
    found = next((each.dtype for each in module.parameters() if each.is_floating_point()), torch.float32)
    return torch.float32 if loaded.card.quantization or found == torch.float16 else found


def _floating(module: nn.Module) -> Iterator[torch.Tensor]:
    return (weight for weight in module.parameters() if weight.is_floating_point())


def _is_unset(weight: torch.Tensor) -> bool:
    return weight.is_floating_point() and bool(weight.sum().isnan())  # a tenth of the time of weight.isnan().any()


def _set_by_torch(module: Any) -> None:
    """What the class of the model leaves as torch made it, as T5's embedding."""
    weights = dict(module.named_parameters(recurse=False))
    if hasattr(module, "reset_parameters") and any(map(_is_unset, weights.values())):
        kept = {name: weight.clone() for name, weight in weights.items() if not _is_unset(weight)}
        module.reset_parameters()
        for name, value in kept.items():
            weights[name].copy_(value)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Torch's generator of the CPU begins with a seed; afterwards it is as it was."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
