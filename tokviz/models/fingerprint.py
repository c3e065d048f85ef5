"""What tells a model that is in memory from another one: its weights, its buffers, its modules with their values, its tokenizer."""

from __future__ import annotations

import functools
import hashlib
import json
import pickle
from collections.abc import Iterator
from contextlib import suppress
from types import BuiltinFunctionType, FunctionType
from typing import Any

from tokviz.errors import SourceError
from tokviz.models.callers_code import is_function_of_libraries

_NO_VALUE = {
    *("gradient_checkpointing", "_gradient_checkpointing_func", "_require_grads_hook", "_require_grads_hooks"),
    *("_compiled_call_impl", "_is_hf_initialized", "_output_capturing_hooks_installed"),
    *("_kernel_funcs", "_kernel_repo", "_kernels_device", "_kernels_mode", "_use_kernels"),
    *("generation_config", "max_seq_len_cached", "name_or_path", "peft_config"),
    *("hf_device_map", "to", "cuda", "npu", "xpu", "mlu", "sdaa", "musa"),
}
"""Attributes of modules that change no state in evaluation mode, or hold code, besides torch's own."""
_OF_ACCELERATE = {"_hf_hook", "_old_forward", "forward"}
"""What is in a module whose inputs or weights accelerate moves."""


def fingerprint(model: Any, tokenizer: Any) -> tuple[str, bool]:
    """SHA-256 of all that the hidden states depend on, but for code, and whether all of it could be read.

    It is the same in any process and on any device.
    """
    import torch

    digest, is_whole = hashlib.sha256(), True
    as_json = functools.partial(_as_json, dtype=str(model.dtype).removeprefix("torch."))

    def text_of(value: Any) -> str:
        nonlocal is_whole
        try:
            return json.dumps(value, sort_keys=True, default=as_json)
        except Exception:  # noqa: BLE001 - what a caller puts into a model may raise anything
            is_whole = False
            return "unreadable"

    weights = dict(model.named_parameters(remove_duplicate=False)) | dict(model.named_buffers(remove_duplicate=False))
    texts: dict[int, str] = {}
    for name, weight in sorted((weights | model.state_dict(keep_vars=True)).items()):
        if id(weight) not in texts:  # tied weights are read once
            is_elsewhere = isinstance(weight, torch.Tensor) and weight.is_meta
            found = weight_elsewhere(model, name) if is_elsewhere else None
            texts[id(weight)] = text_of(weight if found is None else found)
        digest.update(f"{name} {texts[id(weight)]}\n".encode())
    of_torch = vars(torch.nn.Module()).keys()
    for path, module in model.named_modules():
        without = of_torch | _NO_VALUE | (_OF_ACCELERATE if _is_only_moved(module) else set())
        values = {name: value for name, value in vars(module).items() if name not in without}
        digest.update(f"{path} {type(module).__mro__} {text_of(values)}\n".encode())
    digest.update(text_of(tokenizer).encode())
    return digest.hexdigest(), is_whole


def _as_json(value: Any, dtype: str) -> Any:
    """What ``json`` can't write, as what it can, or as what this is asked for again; raises for what can't be read.

    Parameters
    ----------
    dtype : of the model's weights.
    """
    import torch
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if type(value) in (torch.Tensor, torch.nn.Parameter):
        return _content(value)
    if isinstance(value, PreTrainedConfig):
        return json.loads(value.to_json_string(), object_hook=functools.partial(_as_before_saving, dtype=dtype))
    if isinstance(value, PreTrainedTokenizerBase):
        return _text_of(value)
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    is_function = isinstance(value, BuiltinFunctionType) or (
        isinstance(value, FunctionType) and is_function_of_libraries(value)
    )
    if is_function or isinstance(value, torch.dtype | torch.device):
        return pickle.dumps(value).hex()  # its name; a function that isn't found by that raises
    raise TypeError(type(value).__qualname__)


def _as_before_saving(config: dict[str, Any], dtype: str) -> dict[str, Any]:
    """A config's values without what ``save_pretrained`` writes there: the class's name, and the dtype that the weights have."""
    return {key: value for key, value in config.items() if key != "architectures" and (key, value) != ("dtype", dtype)}


def _text_of(tokenizer: Any) -> str:
    """All of a tokenizer but how its last call has cut and padded texts, which every call sets anew."""
    if not tokenizer.is_fast:
        return repr(tokenizer)
    text: str = tokenizer.backend_tokenizer.to_str()
    before, mark, after = text.partition('"added_tokens":')  # what comes before: version, truncation, padding
    return after if mark else before


def _content(tensor: Any) -> str:
    """SHA-256 of its type, shape and values; raises where it isn't dense."""
    import torch

    digest = hashlib.sha256(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
    dense = tensor.detach().dequantize() if tensor.is_quantized else tensor.detach()
    dense = dense.resolve_conj().resolve_neg()  # as they are, not as they are to be read
    digest.update(dense.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _is_only_moved(module: Any) -> bool:
    """Whether ``forward`` is accelerate's around the class's own, with nothing but hooks of accelerate's."""
    hook, own, forward = (vars(module).get(name) for name in ("_hf_hook", "_old_forward", "forward"))
    return (
        all(type(each).__module__ == "accelerate.hooks" for each in (hook, *getattr(hook, "hooks", ())))
        and getattr(own, "__func__", None) is type(module).forward
        and isinstance(forward, functools.partial)
        and getattr(forward.func, "__module__", "") == "accelerate.hooks"
    )


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


def weight_elsewhere(model: Any, name: str) -> Any:
    """A weight that accelerate keeps elsewhere; None where it has none of that name."""
    for path, hook in _offloading(model):
        if name.startswith(path):
            with suppress(KeyError):
                return hook.weights_map[name.removeprefix(path)]
    return None
