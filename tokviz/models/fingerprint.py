"""What tells a model that is in memory from another one: its weights, its buffers, and its modules with their plain values."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from tokviz.errors import SourceError

_NO_VALUE = {"training", "gradient_checkpointing", "max_seq_len_cached", "name_or_path"}
"""Attributes of modules that change no state in evaluation mode."""
_DEEPEST = 8
"""How deep values lie in plain ones: a list may hold itself."""
_MOST_HOOKS = 3
"""How many of a caller's hooks are named."""


def own_hooks(model: Any) -> tuple[str, ...]:
    """The caller's forward hooks, as ``save at model.layers.0``, without those of transformers.

    Those stay on a model after a call with ``output_hidden_states`` or ``gradient_checkpointing_enable``, and change no state.
    """
    from torch.nn.modules import module as of_all

    places = [("every module", of_all._global_forward_hooks), ("every module", of_all._global_forward_pre_hooks)]
    for path, module in model.named_modules():
        where = path or type(module).__name__
        places += [(where, module._forward_hooks), (where, module._forward_pre_hooks)]
    return tuple(
        f"{_name_of(hook)} at {where}"
        for where, hooks in places
        for hook in hooks.values()
        if not str(getattr(hook, "__module__", "")).startswith("transformers.")
    )


def _name_of(hook: Any) -> str:
    while isinstance(hook, functools.partial):
        hook = hook.func
    return str(getattr(hook, "__qualname__", type(hook).__qualname__))


def some_hooks(hooks: Sequence[str]) -> str:
    """The first of a caller's hooks, and how many more there are, as part of a sentence."""
    more = f" and {len(hooks) - _MOST_HOOKS:,} more" if len(hooks) > _MOST_HOOKS else ""
    return f"{', '.join(hooks[:_MOST_HOOKS])}{more}"


@contextmanager
def offloaded_weights_noted(model: Any) -> Iterator[dict[str, str]]:
    """The SHA-256 of each weight that accelerate brings in meanwhile, by its name, so that reading it once is enough."""
    noted: dict[str, str] = {}
    hooks = list(_offloading(model))
    maps = [hook.weights_map for _, hook in hooks]
    for (path, hook), weights in zip(hooks, maps, strict=True):
        hook.weights_map = _Noted(weights, path, noted)
    try:
        yield noted
    finally:
        for (_, hook), weights in zip(hooks, maps, strict=True):
            hook.weights_map = weights


def is_offloaded(model: Any) -> bool:
    """Whether accelerate keeps some weights elsewhere and brings them in for each pass."""
    return any(True for _ in _offloading(model))


def require_values(model: Any) -> None:
    """Raise ``SourceError`` where weights have no values, neither here nor where accelerate keeps them."""
    elsewhere = tuple(path for path, _ in _offloading(model))
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if tensor.is_meta and not name.startswith(elsewhere):
            raise SourceError(
                f"model: expected weights with values, but {name} is on torch’s meta device; load it with from_pretrained"
            )


def _offloading(model: Any) -> Iterator[tuple[str, Any]]:
    """The path of each module whose weights accelerate keeps elsewhere, and accelerate's hook on it."""
    for path, module in model.named_modules():
        hook = vars(module).get("_hf_hook")
        for each in getattr(hook, "hooks", (hook,)):
            if getattr(each, "offload", False) and each.weights_map is not None:
                yield f"{path}." if path else "", each


class _Noted(Mapping[str, Any]):
    """Weights of a module that are elsewhere; what is read is noted."""

    def __init__(self, weights: Mapping[str, Any], path: str, noted: dict[str, str]) -> None:
        self._weights, self._path, self._noted = weights, path, noted

    def __getitem__(self, name: str) -> Any:
        weight = self._weights[name]
        if self._path + name not in self._noted:
            self._noted[self._path + name] = _content(self._path + name, weight)
        return weight

    def __contains__(self, name: object) -> bool:
        return name in self._weights

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)


def fingerprint(model: Any, tokenizer: Any, noted: Mapping[str, str]) -> str:
    """SHA-256 of all that the hidden states depend on, but for code: the same in any process and on any device.

    Parameters
    ----------
    noted : what ``offloaded_weights_noted`` has seen of weights that are elsewhere; the others are read now.

    Raises
    ------
    SourceError : some weights have no values, or are of a kind that can't be read.
    """
    digest = hashlib.sha256(type(model).__name__.encode())
    contents: dict[Any, str] = {}
    for name, value in sorted((dict(model.named_buffers()) | model.state_dict()).items()):
        digest.update(f"{name} ".encode())
        for part in _parts(value):
            if getattr(part, "is_meta", False):
                content = noted.get(name) or _content_elsewhere(model, name)
            elif hasattr(part, "data_ptr") and not part.is_quantized:
                place = (part.device, part.data_ptr(), part.dtype, part.shape, part.stride())
                content = contents[place] = contents.get(place) or _content(name, part)  # tied weights are read once
            else:
                content = _content(name, part)
            digest.update(content.encode())
    for path, module in model.named_modules():
        plain = {
            name: value
            for name, value in vars(module).items()
            if not name.startswith("_") and name not in _NO_VALUE and _is_plain(value)
        }
        # Sets have no order, and tuples are lists in JSON.
        text = json.dumps(plain, sort_keys=True, default=partial(sorted, key=str))
        digest.update(f"{path} {type(module).__qualname__} {text}".encode())
    digest.update("\n".join(own_hooks(model)).encode())
    digest.update(model.config.to_json_string().encode())
    digest.update(_text_of(tokenizer).encode())
    return digest.hexdigest()


def _text_of(tokenizer: Any) -> str:
    """All of a tokenizer but how its last call has cut and padded texts, which every call sets anew."""
    if not tokenizer.is_fast:
        return repr(tokenizer)
    text: str = tokenizer.backend_tokenizer.to_str()
    before, mark, after = text.partition('"added_tokens":')  # what comes before: version, truncation, padding
    return after if mark else before


def _is_plain(value: Any, deepest: int = _DEEPEST) -> bool:
    if isinstance(value, dict):
        return deepest > 0 and all(isinstance(key, str) and _is_plain(each, deepest - 1) for key, each in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return deepest > 0 and all(_is_plain(each, deepest - 1) for each in value)
    return value is None or isinstance(value, bool | int | float | str)


def _parts(value: Any) -> Iterator[Any]:
    """A tensor; of the packed weights of quantized modules, each."""
    if isinstance(value, list | tuple):
        for each in value:
            yield from _parts(each)
    else:
        yield value


def _content_elsewhere(model: Any, name: str) -> str:
    weight = weight_elsewhere(model, name)
    if weight is None:
        raise SourceError(
            f"model: expected weights in memory, but accelerate keeps {name} elsewhere; name its source instead"
        )
    return _content(name, weight)


def weight_elsewhere(model: Any, name: str) -> Any:
    """A weight that accelerate keeps elsewhere; None where it has none of that name."""
    for path, hook in _offloading(model):
        if name.startswith(path):
            with suppress(KeyError):
                return hook.weights_map[name.removeprefix(path)]
    return None


def _content(name: str, value: Any) -> str:
    """SHA-256 of a tensor's type, shape and values; of anything else that a module stores, what it is."""
    import torch

    if not isinstance(value, torch.Tensor):
        if value is None or isinstance(value, bool | int | float | str | torch.dtype):
            return str(value)
        raise SourceError(f"model: expected tensors as weights, got {type(value).__name__} for {name}; name its source")
    digest = hashlib.sha256(f"{value.dtype} {tuple(value.shape)}".encode())
    try:
        dense = value.detach().dequantize() if value.is_quantized else value.detach()
        dense = dense.resolve_conj().resolve_neg()  # as they are, not as they are to be read
        digest.update(dense.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    except (RuntimeError, NotImplementedError, TypeError) as error:
        raise SourceError(
            f"model: expected dense weights, got {type(value).__name__} ({value.layout}) for {name}; name its source"
        ) from error
    return digest.hexdigest()
