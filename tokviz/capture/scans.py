"""Scans in chunks no longer than the texts need.

A state-space layer of the Mamba-2 kind computes its scan in chunks of a fixed length (Dao and Gu 2024, arXiv 2405.21060), and so does
linear attention by a gated delta rule (Yang, Kautz and Hatamizadeh 2024, arXiv 2412.06464). Transformers' own code fills up the last
one: a text of 5 tokens costs as much time and memory as one of 256. A shorter chunk that holds the whole text gives the same states
but for rounding. That is checked in each scan, once per length.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tokviz.capture.batch_check import relative_difference, tolerance_for

if TYPE_CHECKING:
    import torch
    from torch import nn

SHORTEST = 16
"""Tokens of the shortest chunk; all are powers of two from here on, which kernels that replace transformers' code need."""

_OF_TEXTS = ("query", "key", "value", "g", "beta")
"""What a function of a gated delta rule gets of each text: ``(n_texts, n_tokens, n_heads, …)``."""

_is_same: WeakKeyDictionary[nn.Module, dict[int, bool]] = WeakKeyDictionary()
"""Per scan: whether a chunk of so many tokens gives what the model's own gives."""


def scans_of(module: nn.Module) -> list[nn.Module]:
    """The layers of a model that scan in chunks: a parameter ``A_log``, and a length of chunks."""
    return [each for each in module.modules() if hasattr(each, "A_log") and chunk_of(each) is not None]


def chunk_of(scan: nn.Module) -> int | None:
    """The length of its chunks: its ``chunk_size``, or that of the functions that compute the scan; None where there is neither."""
    own = vars(scan).get("chunk_size")
    if type(own) is int:
        return own
    functions, now = _functions_beside(type(scan).__module__), vars(sys.modules[type(scan).__module__])
    return next((_signature(now[name]).parameters["chunk_size"].default for name in functions), None)


def _set_chunk(scan: nn.Module, size: int) -> None:
    if "chunk_size" in vars(scan):
        scan.chunk_size = size  # type: ignore[assignment]
        return
    place = type(scan).__module__
    for name, (function, own) in _functions_beside(place).items():
        shortened = function if size == own else functools.partial(_of_one_chunk(function), chunk_size=size)
        setattr(sys.modules[place], name, shortened)


@functools.cache
def _functions_beside(place: str) -> dict[str, tuple[Callable[..., Any], int]]:
    """The functions of a Python module that compute something in chunks, by their names, with the length that is their default.

    Layers that look them up there, as those of linear attention do, take no length of chunks.
    """
    from torch import nn

    found: dict[str, tuple[Callable[..., Any], int]] = {}
    for name, function in vars(sys.modules[place]).items():
        if (inspect.isfunction(function) or isinstance(function, nn.Module)) and function.__module__ == place:
            own = _signature(function).parameters.get("chunk_size")
            if own is not None and type(own.default) is int:
                found[name] = (function, own.default)
    return found


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """Also of what the package ``kernels`` makes of a function: a module whose ``forward`` has its parameters."""
    return inspect.signature(getattr(function, "forward", function))


def _of_one_chunk(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a gated delta rule that makes no states where each text is within one chunk, from nothing and to no end.

    Transformers' own code makes the state after each text, 2 MB in Qwen3-Next, which nobody reads, and computes with the zeros before it:
    two thirds of its time. What a token gives then follows from its text alone (Yang, Kautz and Hatamizadeh 2024, section 3.3).
    """
    import torch

    signature = _signature(function)

    def computed(*arguments: Any, **named: Any) -> Any:
        given = signature.bind(*arguments, **named)
        given.apply_defaults()
        options = {**given.arguments, **given.arguments.get("kwargs", {})}
        of_texts: list[Any] = [options.pop(name, None) for name in _OF_TEXTS]
        if (
            not all(isinstance(each, torch.Tensor) and each.device.type == "cpu" for each in of_texts)
            or any(isinstance(each, torch.Tensor) for each in options.values())
            or options.get("output_final_state")
            or of_texts[0].shape[1] > options["chunk_size"]
            or of_texts[3].ndim != 3  # a decay of each dimension is another rule
        ):
            return function(*arguments, **named)
        query, key, value, decay, rate = (each.transpose(1, 2).float() for each in of_texts)
        if options.get("use_qk_l2norm_in_kernel"):
            query, key = (each * torch.rsqrt((each * each).sum(-1, keepdim=True) + 1e-6) for each in (query, key))
        query, key = (each.repeat_interleave(value.shape[1] // each.shape[1], dim=1) for each in (query, key))
        past = decay.cumsum(-1)
        # Masked before: what lies ahead would overflow.
        later = torch.ones(past.shape[-1], past.shape[-1], dtype=torch.bool).triu(1)
        left = (past[..., :, None] - past[..., None, :]).masked_fill(later, -torch.inf).exp()
        system = (key * rate[..., None]) @ key.transpose(-1, -2) * left
        written = torch.linalg.solve_triangular(system, value * rate[..., None], upper=False, unitriangular=True)
        read = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2) * left
        return (read @ written).transpose(1, 2).to(of_texts[0].dtype).contiguous(), None

    computed.__signature__ = signature  # type: ignore[attr-defined]
    return computed


def chunk_for(n_tokens: int) -> int:
    """The shortest chunk that holds texts of so many tokens."""
    return max(SHORTEST, 1 << (n_tokens - 1).bit_length())


def awaits_check(module: nn.Module, n_tokens: int) -> bool:
    """Whether the first pass over texts of so many tokens will check scans, which takes the memory of the model's own chunk."""
    chunk = chunk_for(n_tokens)
    return any(chunk not in _is_same.get(each, {}) for each in _longer(module, chunk))


def _longer(module: nn.Module, chunk: int) -> dict[nn.Module, int]:
    """The scans whose own chunk is longer, with its length."""
    return {each: own for each in scans_of(module) if (own := chunk_of(each)) is not None and own > chunk}


@contextmanager
def short_chunks(module: nn.Module, ids: torch.Tensor, *, may_check: bool) -> Iterator[None]:
    """Within the block, scans of ``ids``, ``(batch, tokens)``, have chunks as short as that allows; the model's own afterwards.

    A length that a scan meets for the first time is checked on the last text, which costs that text a scan with the
    model's own chunk; where the results differ, or without ``may_check``, the scan keeps its own.
    """
    n_texts, n_tokens = ids.shape
    chunk = chunk_for(n_tokens)
    own = _longer(module, chunk)

    def shorten(scan: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        known = _is_same.setdefault(scan, {})
        if chunk not in known and may_check:
            last = [_last_of(n_texts, each) for each in arguments]
            last_named = {name: _last_of(n_texts, each) for name, each in named.items()}
            known[chunk] = _gives_the_same(scan, (own[scan], chunk), last, last_named)
        # Functions are shared with the scan before.
        _set_chunk(scan, chunk if known.get(chunk, False) else own[scan])

    handles = []
    try:
        handles = [scan.register_forward_pre_hook(shorten, with_kwargs=True) for scan in own]
        yield
    finally:
        for handle in handles:
            handle.remove()
        for scan, size in own.items():
            _set_chunk(scan, size)


def _last_of(n_texts: int, argument: Any) -> Any:
    """The last text's part of what a module gets for all of them."""
    import torch

    is_of_texts = isinstance(argument, torch.Tensor) and argument.ndim > 1 and len(argument) == n_texts
    return argument[-1:] if is_of_texts else argument


def _gives_the_same(scan: nn.Module, chunks: tuple[int, int], arguments: list[Any], named: dict[str, Any]) -> bool:
    """Whether a scan returns the same with its own chunk and with another one, within the tolerance of the check of batches."""
    import torch

    own, chunk = chunks

    with torch.no_grad(), _unhooked(scan):
        _set_chunk(scan, own)
        expected = scan.forward(*arguments, **named)
        _set_chunk(scan, chunk)
        try:
            found = scan.forward(*arguments, **named)
        except Exception:  # noqa: BLE001 - a kernel may refuse this length with any error
            return False
        finally:
            _set_chunk(scan, own)
    if not isinstance(expected, torch.Tensor) or not isinstance(found, torch.Tensor):
        return False
    difference = relative_difference(found.float().cpu().numpy(), expected.float().cpu().numpy())
    return difference <= tolerance_for(expected.dtype)


@contextmanager
def _unhooked(module: nn.Module) -> Iterator[None]:
    """Within the block, nobody's hooks see what the module's parts return."""
    hooks = {each: (each._forward_hooks, each._forward_pre_hooks) for each in module.modules()}
    try:
        for each in hooks:
            each._forward_hooks, each._forward_pre_hooks = type(each._forward_hooks)(), type(each._forward_pre_hooks)()
        yield
    finally:
        for each, (after, before) in hooks.items():
            each._forward_hooks, each._forward_pre_hooks = after, before
