"""Loaded models: which one each of them is, so that its states are found again, and only its own."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from tokviz import models
from tokviz.errors import CaptureError
from tokviz.models import AtHand
from tokviz.models.in_memory import PREFIX
from tokviz.run.work.progress import Reporter

if TYPE_CHECKING:
    import torch

_MOST_IDS = 8
_TOLERANCE, _TOLERANCE_HALF = 1e-4, 1e-2
"""The largest relative difference that kernels may make between two passes over the same tokens, in float32 and in 16 bits."""


def identified(model: Any, tokenizer: Any, progress: Reporter) -> AtHand:
    """Find out which model a loaded one is.

    All that can be read of it is hashed. Where code of the caller's own stands in it, or what can't be read, nobody knows whether
    two models of one hash are the same: its states are this study's alone then, and it must give the same ones twice.

    Parameters
    ----------
    model : a ``PreTrainedModel``, with a head or without, on any device; also one that is compiled, or wrapped by PEFT.
    tokenizer : the model's fast tokenizer.

    Raises
    ------
    SourceError : it is no such model, or its weights have no values.
    CaptureError : it gives other states each time.
    """
    model = models.unwrapped(model, tokenizer)
    with models.lock_of(model):
        models.require_values(model)
        if models.is_offloaded(model):
            progress.say(
                f"{type(model).__name__}: reading all weights once, as accelerate keeps some on disk or in other memory"
            )
        looked_at = _look_at(model, tokenizer)
        callers_code, (digest, is_whole) = looked_at
        is_certain = is_whole and not callers_code
        # Where weights are elsewhere, a pass would read them once more.
        output = None if is_certain or models.is_offloaded(model) else _output(model)
        if (apart := _difference(model, output)) > 0:
            raise CaptureError(
                f"model: expected the same hidden states each time, got some that differ by {100 * apart:.2g} % in two passes "
                "over the same tokens; turn off what is random in it, such as dropout"
            )
    return AtHand(
        model=model,
        tokenizer=tokenizer,
        identity=PREFIX + hashlib.sha256(f"{digest} {'' if is_certain else secrets.token_hex()}".encode()).hexdigest(),
        is_as_it_was=partial(_is_as_it_was, model, tokenizer, looked_at, output),
        callers_code=callers_code,
    )


def _look_at(model: Any, tokenizer: Any) -> tuple[tuple[str, ...], tuple[str, bool]]:
    return models.callers_code(model, tokenizer), models.fingerprint(model, tokenizer)


def _is_as_it_was(model: Any, tokenizer: Any, looked_at: Any, output: torch.Tensor | None) -> bool:
    with models.lock_of(model):
        return _look_at(model, tokenizer) == looked_at and not _difference(model, output)


def _output(model: Any) -> torch.Tensor | None:
    """Its output for the first few tokens of its vocabulary; None where it fails: the capture says why."""
    import torch

    from tokviz.capture import hooks

    part = models.weights_in_memory(type(model).__name__, model).part
    ids = torch.arange(min(_MOST_IDS, part.config.vocab_size), device="cpu")[None]
    with models.quiet_transformers(), models.with_settings_of_its_own(), models.evaluated(model), suppress(Exception):
        return hooks.first_tensor(hooks.forward(part, ids, torch.ones_like(ids)))
    return None


def _difference(model: Any, output: torch.Tensor | None) -> float:
    """How far its output is from what it was; 0 where that is rounding, or not known."""
    if output is None or (again := _output(model)) is None:
        return 0.0
    if again.shape != output.shape:
        return float("inf")
    apart = float((again - output).float().norm() / output.float().norm())
    return apart if apart > (_TOLERANCE_HALF if output.element_size() == 2 else _TOLERANCE) else 0.0
