"""Words through the model, batch by batch: their states at every depth."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tokviz.capture.hooks import forward, hooked
from tokviz.capture.passes import PassLimits
from tokviz.capture.recording import LastDepthReached, PaddedWords, Recorder
from tokviz.capture.structure import Structure
from tokviz.errors import CaptureError
from tokviz.records import CapturedBatch, Tokenization
from tokviz.text import error_line

if TYPE_CHECKING:
    from torch import nn


def capture_together(
    module: nn.Module,
    structure: Structure,
    tokenizations: Sequence[Tokenization],
    token_budget: int,
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[tuple[int, CapturedBatch]]:
    """``capture`` in several contexts at once: yields a context's index and a batch of its words.

    Where the limits of a forward pass allow it, all contexts go in one pass, so that streamed weights are read once.
    """
    together = Tokenization(
        words=tuple(word for tokenization in tokenizations for word in tokenization.words),
        read=tokenizations[0].read,
    )
    first_rows = np.cumsum([0, *(len(tokenization.words) for tokenization in tokenizations)])
    for batch in capture(module, structure, together, token_budget, on_progress):
        for index, (start, stop) in enumerate(itertools.pairwise(first_rows)):
            if ((batch.rows >= start) & (batch.rows < stop)).any():
                yield index, _rows_between(batch, start, stop)


def _rows_between(batch: CapturedBatch, start: int, stop: int) -> CapturedBatch:
    """Only the words in rows ``start`` to ``stop``, which are counted from ``start`` on."""
    inside = np.flatnonzero((batch.rows >= start) & (batch.rows < stop))
    return CapturedBatch(
        rows=batch.rows[inside] - start,
        states=tuple(states[inside] for states in batch.states),
        position0_values=batch.position0_values[:, inside],
        position0_dimensions=batch.position0_dimensions[:, inside],
    )


def capture(
    module: nn.Module,
    structure: Structure,
    tokenization: Tokenization,
    token_budget: int,
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[CapturedBatch]:
    """Run all words through the model and yield their states, float32, in batches that cover each row once.

    Parameters
    ----------
    module : the base model that ``structure`` was found in, in evaluation mode.
    tokenization : the words; its ``read`` says which of a word's tokens counts.
    token_budget : the most tokens, padding included, of one forward pass. All words go in one pass if they fit, so
        that streamed weights are read once; else words of similar length go together. ``PassLimits`` may lower it.
    on_progress : called after each pass with the number of words in it.

    Raises
    ------
    CaptureError : a state is NaN or infinite, memory ran out, or the forward pass failed.
    """
    limits = PassLimits.of(module, structure, token_budget)
    for rows in limits.batches([len(word.ids) for word in tokenization.words]):
        yield _run_pass(module, structure, PaddedWords.of(tokenization, rows))
        if on_progress is not None:
            on_progress(len(rows))


def _run_pass(module: nn.Module, structure: Structure, batch: PaddedWords) -> CapturedBatch:
    recorder = Recorder(structure, batch)
    with hooked(recorder.hooks):
        try:
            forward(module, batch.ids, batch.mask)
        except LastDepthReached:
            pass  # the later layers are not needed
        except CaptureError:
            raise
        except Exception as error:
            raise CaptureError(_failed(module, batch, error)) from error
    return recorder.captured()


def _failed(module: nn.Module, batch: PaddedWords, error: Exception) -> str:
    import torch

    n_words, n_tokens = batch.ids.shape
    size = f"{n_words} words × {n_tokens} tokens"
    out_of_memory = isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error)
    if out_of_memory:
        return (
            f"{type(module).__name__}: memory ran out in a forward pass over {size}; "
            f'set token_budget in the config below {n_words * n_tokens}, or device_map = "auto" for this model'
        )
    return f"{type(module).__name__}: the forward pass over {size} failed: {error_line(error)}"
