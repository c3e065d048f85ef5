"""Words through the model, batch by batch: their states at every depth."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np

from tokviz.capture import batch_check
from tokviz.capture.hooks import forward, hooked, is_streamed
from tokviz.capture.memory import MemoryMeter, free_bytes, is_out_of_memory
from tokviz.capture.passes import PassLimits
from tokviz.capture.recording import LastDepthReached, PaddedWords, Recorder
from tokviz.capture.scans import awaits_check
from tokviz.capture.structure import Structure
from tokviz.errors import CaptureError
from tokviz.records import BatchCheck, BatchComparison, Batching, CapturedBatch, Tokenization
from tokviz.text import error_line

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of words that went through a model before."""

    check: BatchCheck | None
    limits: PassLimits | None


@dataclass(frozen=True, kw_only=True)
class RunningCapture:
    """The states of all words, once, and how far batches can be trusted."""

    check: BatchCheck
    limits: PassLimits
    """Of the forward passes."""
    batches: Iterator[CapturedBatch]

    def __iter__(self) -> Iterator[CapturedBatch]:
        return self.batches


@dataclass(frozen=True, kw_only=True)
class CaptureTogether:
    """The same of several contexts: each batch with the index of its context."""

    check: BatchCheck
    limits: PassLimits
    batches: Iterator[tuple[int, CapturedBatch]]

    def __iter__(self) -> Iterator[tuple[int, CapturedBatch]]:
        return self.batches


def capture_together(
    module: nn.Module,
    structure: Structure,
    tokenizations: Sequence[Tokenization],
    token_budget: int,
    on_progress: Callable[[int], None] | None = None,
) -> CaptureTogether:
    """``capture`` in several contexts at once: gives a context's index and a batch of its words.

    Where the limits of a forward pass allow it, all contexts go in one pass, so that streamed weights are read once.
    """
    together = Tokenization(
        words=tuple(word for tokenization in tokenizations for word in tokenization.words),
        read=tokenizations[0].read,
    )
    first_rows = np.cumsum([0, *(len(tokenization.words) for tokenization in tokenizations)])
    captured = capture(module, structure, together, token_budget, on_progress)
    batches = (
        (index, _rows_between(batch, start, stop))
        for batch in captured
        for index, (start, stop) in enumerate(itertools.pairwise(first_rows))
        if ((batch.rows >= start) & (batch.rows < stop)).any()
    )
    return CaptureTogether(check=captured.check, limits=captured.limits, batches=batches)


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
    known: Known | None = None,
) -> RunningCapture:
    """Run all words through the model; gives their states, float32, in batches that cover each row once.

    The batch with the most padding goes first, and some of its words are run again alone. Where their states differ, or
    nothing is padded, words of equal length go together; where even that makes a difference, each goes alone.

    Parameters
    ----------
    module : the base model that ``structure`` was found in, in evaluation mode.
    tokenization : the words; its ``read`` says which of a word's tokens counts.
    token_budget : the most tokens, padding included, of one forward pass. All words go in one pass if they fit, so
        that streamed weights are read once; else words of similar length go together. ``PassLimits`` may lower it.
    on_progress : called for each batch with the number of words in it.
    known : what was found when the same words went through this model before, or one like it, and is taken for granted.

    Raises
    ------
    CaptureError : a state is NaN or infinite, memory ran out with a single word, or the forward pass failed; also while
        the batches are read.
    """
    passes = _Passes(module, structure, tokenization)
    check, limits = (known.check, known.limits) if known else (None, None)
    mask_difference = None
    if check is None or limits is None:
        limits = PassLimits.of(module, structure, token_budget)
        if not is_streamed(module):
            limits, mask_difference = _measure_limits(passes, limits)
    if check is not None:
        rows_of_passes = limits.batches(passes.lengths, check.batching)
        batches = (batch for rows in rows_of_passes for batch in passes.run(rows))
        return RunningCapture(check=check, limits=limits, batches=_count(batches, on_progress))
    comparisons: list[BatchComparison] = []
    for batching in get_args(Batching):
        waiting = limits.batches(passes.lengths, batching)
        first = waiting.pop(batch_check.most_padded(waiting, passes.lengths))
        if batching == "padded" and not np.ptp(passes.lengths[first]):
            continue
        captured = list(passes.run(first))
        comparison = passes.compare(batching, first, captured)
        if comparison is not None:
            comparisons.append(comparison)
        if comparison is None or comparison.accepted:
            break
    check = BatchCheck(
        batching=batching,
        tolerance=batch_check.tolerance_for(passes.dtype),
        comparisons=tuple(comparisons),
        mask_difference=mask_difference,
    )
    later = (batch for rows in waiting for batch in passes.run(rows))
    every = itertools.chain(captured, later)
    return RunningCapture(check=check, limits=limits, batches=_count(every, on_progress))


def _count(batches: Iterator[CapturedBatch], on_progress: Callable[[int], None] | None) -> Iterator[CapturedBatch]:
    for batch in batches:
        yield batch
        if on_progress is not None:
            on_progress(len(batch.rows))


def _measure_limits(passes: _Passes, limits: PassLimits) -> tuple[PassLimits, float | None]:
    """The limits within the memory that is free, and whether a mask that hides nothing changes the states.

    One and two of the longest words are run, the two without a mask; their memory tells what more words will take.
    """
    row = int(passes.lengths.argmax())
    if passes.will_check_scans(row):
        list(passes.run(np.array([row])))
    meter = MemoryMeter(passes.device)
    single: list[CapturedBatch] = []
    unmasked: list[CapturedBatch] = []
    one = meter.peak_of(lambda: single.extend(passes.run(np.array([row]))))
    try:
        two = meter.peak_of(lambda: unmasked.extend(passes.run(np.array([row, row]), masked=False)))
    except CaptureError:  # a family that needs a mask
        two = meter.peak_of(lambda: list(passes.run(np.array([row, row]))))
    if one is not None and two is not None:
        limits = limits.within_memory(one, two, free_bytes(passes.device))
    return limits, batch_check.mask_difference(unmasked[0], single[0]) if unmasked else None


class _Passes:
    """Forward passes over some of a capture's words."""

    def __init__(self, module: nn.Module, structure: Structure, tokenization: Tokenization) -> None:
        self._module, self._structure, self._tokenization = module, structure, tokenization
        self._most_words: int | None = None
        self.lengths = np.array([len(word.ids) for word in tokenization.words], dtype=np.int64)
        parameter = next((each for each in module.parameters() if each.device.type != "meta"), None)
        self.device: torch.device = _processor() if parameter is None else parameter.device
        self.dtype: torch.dtype = next(each.dtype for each in module.parameters() if each.is_floating_point())

    def will_check_scans(self, row: int) -> bool:
        """Whether a pass over this word takes more memory than later ones will."""
        return awaits_check(self._module, int(self.lengths[row]))

    def run(self, rows: np.ndarray, *, masked: bool = True) -> Iterator[CapturedBatch]:
        """One pass over the words in ``rows``, ``(n_batch,)`` int64; several where memory runs out."""
        waiting = [rows]
        while waiting:
            rows = waiting.pop()
            n_words = len(rows)
            if self._most_words is None or n_words <= self._most_words:
                batch = self._try(rows, masked=masked)
                if batch is not None:
                    yield batch
                    continue
                self._most_words = n_words // 2
                _return_memory(self.device)
            half = n_words // 2
            waiting += [rows[half:], rows[:half]]

    def compare(
        self, batching: Batching, rows: np.ndarray, captured: Sequence[CapturedBatch]
    ) -> BatchComparison | None:
        """Run some of a batch's words again alone; None where nothing could differ."""
        if not is_streamed(self._module):
            probes = batch_check.probes_in(rows, self.lengths, batching)
            alone = [batch for row in probes for batch in self.run(np.array([row]))]
        elif batching == "padded":
            # Weights are read in every pass: one has to do.
            probes = batch_check.probes_of_one_length(rows, self.lengths)
            alone = list(self.run(probes)) if len(probes) else []
        else:
            return None
        if not len(probes):
            return None
        words = {int(row): self._tokenization.words[row].word for row in probes}
        return batch_check.compare(batching, captured, alone, words, self.dtype)

    def _try(self, rows: np.ndarray, *, masked: bool) -> CapturedBatch | None:
        """None where memory ran out that fewer words may not need."""
        batch = PaddedWords.of(self._tokenization, rows)
        recorder = Recorder(self._structure, batch)
        try:
            with hooked(recorder.hooks):
                forward(self._module, batch.ids, batch.mask if masked else None)
        except LastDepthReached:
            pass  # the later layers are not needed
        except CaptureError:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                if len(rows) > 1:
                    return None
                raise CaptureError(self._too_little_memory(batch)) from error
            n_words, n_tokens = batch.ids.shape
            raise CaptureError(
                f"{type(self._module).__name__}: the forward pass over {n_words} words × {n_tokens} tokens failed: "
                f"{error_line(error)}"
            ) from error
        return recorder.captured()

    def _too_little_memory(self, batch: PaddedWords) -> str:
        free = free_bytes(self.device)
        had = "" if free is None else f", with {free / 1e9:.1f} GB free before it"
        return (
            f"{type(self._module).__name__}: expected enough memory for a forward pass over one word of "
            f"{batch.ids.shape[1]} tokens, ran out of it{had}; close other programs, take a shorter context, or set "
            'dtype = "bfloat16" or device_map = "auto" for this model'
        )


def _processor() -> torch.device:
    import torch

    return torch.device("cpu")


def _return_memory(device: torch.device) -> None:
    """Give what a failed pass had reserved back to the device."""
    import torch

    if device.type == "cuda":
        torch.cuda.empty_cache()
