"""Scans in chunks no longer than the texts need.

A state-space layer of the Mamba-2 kind computes its scan in chunks of a fixed length (Dao and Gu 2024, arXiv 2405.21060), and
transformers' own code fills up the last one: a text of 5 tokens costs as much time and memory as one of 256. A shorter chunk
that holds the whole text gives the same states but for rounding. That is checked in each scan, once per length.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tokviz.capture.batch_check import relative_difference, tolerance_for

if TYPE_CHECKING:
    import torch
    from torch import nn

SHORTEST = 16
"""Tokens of the shortest chunk; all are powers of two from here on, which kernels that replace transformers' code need."""

_is_same: WeakKeyDictionary[nn.Module, dict[int, bool]] = WeakKeyDictionary()
"""Per scan: whether a chunk of so many tokens gives what the model's own gives."""


def scans_of(module: nn.Module) -> list[nn.Module]:
    """The layers of a model that scan in chunks: Mamba-2's parameter ``A_log``, and a number as ``chunk_size``."""
    return [each for each in module.modules() if hasattr(each, "A_log") and type(vars(each).get("chunk_size")) is int]


def chunk_for(n_tokens: int) -> int:
    """The shortest chunk that holds texts of so many tokens."""
    return max(SHORTEST, 1 << (n_tokens - 1).bit_length())


def awaits_check(module: nn.Module, n_tokens: int) -> bool:
    """Whether the first pass over texts of so many tokens will check scans, which takes the memory of the model's own chunk."""
    chunk = chunk_for(n_tokens)
    longer = (each for each in scans_of(module) if each.chunk_size > chunk)  # type: ignore[operator]
    return any(chunk not in _is_same.get(each, {}) for each in longer)


@contextmanager
def short_chunks(module: nn.Module, ids: torch.Tensor, *, may_check: bool) -> Iterator[None]:
    """Within the block, scans of ``ids``, ``(batch, tokens)``, have chunks as short as that allows; the model's own afterwards.

    A length that a scan meets for the first time is checked on the last text, which costs that text a scan with the
    model's own chunk; where the results differ, or without ``may_check``, the scan keeps its own.
    """
    n_texts, n_tokens = ids.shape
    chunk = chunk_for(n_tokens)
    own: dict[nn.Module, int] = {each: each.chunk_size for each in scans_of(module) if each.chunk_size > chunk}  # type: ignore[misc, operator]

    def check(scan: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        known = _is_same.setdefault(scan, {})
        if chunk not in known:
            last = [_last_of(n_texts, each) for each in arguments]
            last_named = {name: _last_of(n_texts, each) for name, each in named.items()}
            known[chunk] = _gives_the_same(scan, chunk, last, last_named)
        if known[chunk]:
            scan.chunk_size = chunk  # type: ignore[assignment]

    handles = []
    try:
        for scan in own:
            if _is_same.get(scan, {}).get(chunk, False):
                scan.chunk_size = chunk  # type: ignore[assignment]
            elif may_check:
                handles.append(scan.register_forward_pre_hook(check, with_kwargs=True))
        yield
    finally:
        for handle in handles:
            handle.remove()
        for scan, size in own.items():
            scan.chunk_size = size  # type: ignore[assignment]


def _last_of(n_texts: int, argument: Any) -> Any:
    """The last text's part of what a module gets for all of them."""
    import torch

    is_of_texts = isinstance(argument, torch.Tensor) and argument.ndim > 1 and len(argument) == n_texts
    return argument[-1:] if is_of_texts else argument


def _gives_the_same(scan: nn.Module, chunk: int, arguments: list[Any], named: dict[str, Any]) -> bool:
    """Whether a scan returns the same with this chunk as with its own, within the tolerance of the check of batches."""
    import torch

    own = scan.chunk_size
    with torch.no_grad(), _unhooked(scan):
        expected = scan.forward(*arguments, **named)
        scan.chunk_size = chunk  # type: ignore[assignment]
        try:
            found = scan.forward(*arguments, **named)
        except Exception:  # noqa: BLE001 - a kernel may refuse this length with any error
            return False
        finally:
            scan.chunk_size = own
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
