"""What a model's layers give for some fixed tokens, in few numbers: whether they still compute what they did."""

from __future__ import annotations

import hashlib
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.capture.fitting import most_tokens
from tokviz.capture.hooks import forward, hooked
from tokviz.capture.structure import Structure
from tokviz.errors import CaptureError
from tokviz.records import Probe
from tokviz.text import error_line

if TYPE_CHECKING:
    import torch
    from torch import nn

N_TOKENS = 32
N_SUMS = 8
"""Sums of each token's state with random signs, of which the length of a difference follows within a third
(Achlioptas 2003, doi:10.1016/S0022-0000(03)00025-4)."""
STRIDE = 7919
"""Between the ids of tokens that follow each other: a prime, so that they are from all over a vocabulary."""
TOLERANCES = {"float64": 1e-4, "float32": 1e-4, "float16": 2e-3}
"""The largest relative difference of a token's state that other threads, kernels or devices may make."""
TOLERANCE_OTHERWISE = 1e-2


def probe(module: nn.Module, structure: Structure) -> Probe:
    """Run the fixed tokens through a model.

    Parameters
    ----------
    module : the base model that ``structure`` was found in, in evaluation mode.

    Raises
    ------
    CaptureError : the forward pass failed, or a layer gave no states.
    """
    import torch

    n_ids = int(getattr(structure.embedding, "num_embeddings", 0) or module.config.vocab_size)  # type: ignore[union-attr, arg-type]
    n_tokens = min(N_TOKENS, most_tokens(module, structure.embedding) or N_TOKENS)
    ids = (torch.arange(1, n_tokens + 1) * STRIDE % n_ids)[None]
    name = type(module).__name__
    due = {hooked_module: deque(depths) for hooked_module, depths in structure.depths_of.items()}
    sums: dict[int, np.ndarray] = {}

    def note(called: nn.Module, _inputs: Any, output: Any) -> None:
        states = structure.states_from(called, output, n_tokens)
        if due[called] and states is not None:
            if states.shape[:2] != ids.shape:  # a hook of the caller's runs the model, too
                raise CaptureError(
                    f"{name}: expected one forward pass over {n_tokens} tokens, got another in its midst"
                )
            sums[due[called].popleft()] = _sums(states[0])

    with hooked(dict.fromkeys(due, note)):
        try:
            forward(module, ids, torch.ones_like(ids))
        except CaptureError:
            raise
        except Exception as error:
            raise CaptureError(
                f"{name}: the forward pass over {n_tokens} tokens failed: {error_line(error)}"
            ) from error
    missing = [depth for depth in range(structure.n_layers + 1) if depth not in sums]
    if missing:
        raise CaptureError(f"{structure.describe(missing[0])}: expected an output in every forward pass, got none")
    dtype = next(each.dtype for each in module.parameters() if each.is_floating_point())
    return Probe(
        dtype=str(dtype).removeprefix("torch."), sums=np.stack([sums[depth] for depth in range(structure.n_layers + 1)])
    )


def _sums(states: torch.Tensor) -> np.ndarray:
    """``(n_tokens, width)`` → ``(n_tokens, N_SUMS)`` float32."""
    values = states.float().cpu().numpy().astype(np.float64)
    width = values.shape[1]
    bits = hashlib.shake_256(b"signs").digest(-(-width * N_SUMS // 8))
    signs = np.unpackbits(np.frombuffer(bits, dtype=np.uint8))[: width * N_SUMS].reshape(width, N_SUMS) * 2.0 - 1
    with np.errstate(invalid="ignore", over="ignore"):
        return (values @ signs).astype(np.float32)


def difference(one: Probe, other: Probe) -> float:
    """The largest ‖one − other‖ / ‖other‖ over depths and tokens; infinite where they are of models of another kind."""
    if one.dtype != other.dtype or one.sums.shape != other.sums.shape:
        return float("inf")
    known = np.isfinite(other.sums)
    if not np.array_equal(known, np.isfinite(one.sums)):
        return float("inf")
    before = np.where(known, other.sums, 0).astype(np.float64)
    apart = np.linalg.norm(np.where(known, one.sums, 0) - before, axis=-1)
    lengths = np.maximum(np.linalg.norm(before, axis=-1), np.finfo(np.float32).tiny)
    return float((apart / lengths).max())


def agree(one: Probe, other: Probe) -> bool:
    """Whether two outcomes differ by no more than rounding."""
    return difference(one, other) <= TOLERANCES.get(other.dtype, TOLERANCE_OTHERWISE)
