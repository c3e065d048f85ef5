"""Whether words that go through the model together have the states that each has alone.

Most models ignore padding that is masked or comes after a word. Some don't: Fourier mixing takes no mask, a convolution reads
the neighbours of a token, a mask may switch an attention that looks both ways to one that looks back only. Without padding,
too, words may change each other: activations may be quantized over a whole batch, a hook may take its mean. So a few words are
run again alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tokviz.records import BatchComparison, Batching, CapturedBatch

if TYPE_CHECKING:
    import torch

MOST_PROBES = 3
"""How many words of a batch are run again alone."""
TOLERANCE = 1e-3
"""The largest ‖together − alone‖ / ‖alone‖ that is accepted in float32, where rounding gives 1e-7 to 2e-5."""
TOLERANCE_HALF = 0.1
"""The same where the model runs in bfloat16, for the median over the words. Rounding gives up to 0.06 there, and more in a
word that it sends to other experts; padding that is read changes nearly every padded word."""


def is_half(dtype: torch.dtype) -> bool:
    """Whether the model runs in 16 bits."""
    return dtype.itemsize == 2


def tolerance_for(dtype: torch.dtype) -> float:
    """The relative difference that rounding may make."""
    return TOLERANCE_HALF if is_half(dtype) else TOLERANCE


def probes_in(rows: np.ndarray, lengths: np.ndarray, batching: Batching) -> np.ndarray:
    """Choose the words of a batch that are run again alone.

    Parameters
    ----------
    rows : ``(n_batch,)`` int64: the words of the batch.
    lengths : ``(n_words,)`` int64: tokens of each word's sequence.

    Returns
    -------
    Of padded words those with the most, a middling and the least padding; of words of equal length the first ones; none
    where the batch is one word, or each word goes alone.
    """
    if batching == "equal_lengths":
        return rows[:MOST_PROBES] if len(rows) > 1 else rows[:0]
    padded = rows[lengths[rows] < lengths[rows].max()]
    padded = padded[np.argsort(lengths[padded], kind="stable")]
    chosen = np.unique(np.linspace(0, len(padded) - 1, min(MOST_PROBES, len(padded))).round().astype(np.int64))
    return np.asarray(padded[chosen])


def probes_of_one_length(rows: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """As ``probes_in`` for a padded batch, but words that need no padding together: one more reading of the weights."""
    probes = probes_in(rows, lengths, "padded")
    if not len(probes):
        return probes
    return np.asarray(rows[lengths[rows] == lengths[probes[0]]][:MOST_PROBES])


def most_padded(batches: Sequence[np.ndarray], lengths: np.ndarray) -> int:
    """Index of the batch that has the word with the most padding; of the largest where nothing is padded."""
    return max(range(len(batches)), key=lambda index: (np.ptp(lengths[batches[index]]), len(batches[index])))


def compare(
    batching: Batching,
    together: Sequence[CapturedBatch],
    alone: Sequence[CapturedBatch],
    words: dict[int, str],
    dtype: torch.dtype,
) -> BatchComparison:
    """How far the states of some words depend on the words that they went through the model with.

    Parameters
    ----------
    together : what was captured in batches.
    alone : the same words, without padding.
    words : the words by their rows.
    dtype : of the computation.
    """
    found = []
    for row in words:
        pairs = zip(states_of(row, together), states_of(row, alone), strict=True)
        differences = [relative_difference(batched, single) for batched, single in pairs]
        found.append((max(differences), row, int(np.argmax(differences))))
    largest, row, depth = max(found)
    median = float(np.median([difference for difference, _, _ in found]))
    return BatchComparison(
        batching=batching,
        n_words=len(words),
        difference=largest,
        word=words[row],
        depth=depth,
        median_difference=median,
        accepted=(median if is_half(dtype) else largest) <= tolerance_for(dtype),
    )


def mask_difference(unmasked: CapturedBatch, masked: CapturedBatch) -> float:
    """The largest relative difference of the first word of two batches, over all depths; at position 0, too.

    A model that looks both ways shows at position 0 what follows there.
    """
    pairs = zip((*unmasked.states, *unmasked.position0_values), (*masked.states, *masked.position0_values), strict=True)
    return max(relative_difference(found[0], expected[0]) for found, expected in pairs)


def states_of(row: int, batches: Sequence[CapturedBatch]) -> list[np.ndarray]:
    """A word's states per depth, ``(width,)`` float32."""
    (batch,) = (batch for batch in batches if row in batch.rows)
    (index,) = np.flatnonzero(batch.rows == row)
    return [states[index] for states in batch.states]


def relative_difference(state: np.ndarray, expected: np.ndarray) -> float:
    """‖state − expected‖ / ‖expected‖; infinite where only ``expected`` is zero."""
    difference = float(np.linalg.norm(state.astype(np.float64) - expected))
    length = float(np.linalg.norm(expected.astype(np.float64)))
    if difference == 0:
        return 0.0
    return difference / length if length > 0 else float("inf")
