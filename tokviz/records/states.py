"""Models, their hidden states and projections.

Made in ``capture/running.py``, ``measure/pca.py`` and ``models/card.py``; shown by ``pages/frame/pictures.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tokviz.records.fields import Count, FileName, Length, Tolerance
from tokviz.records.updates import AttentionToFirst, Intervention, Updates
from tokviz.records.words import Context, Tokenization
from tokviz.text import counted

NOT_KNOWN = "not known"
"""What a card says of states that were not captured here."""
N_EXTREMES = 4
"""How many of the largest dimensions at position 0 are kept per word and depth."""


def require_shape(name: str, array: np.ndarray, shape: tuple[int | None, ...]) -> None:
    """Raise ``ValueError`` with both shapes unless ``array`` has ``shape`` (``None`` stands for any size)."""
    fits = array.ndim == len(shape) and all(want in (None, got) for want, got in zip(shape, array.shape, strict=False))
    if not fits:
        raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a reader must know of a model to trust or repeat its pictures; plain values, stored as JSON."""

    source: str
    """As configured: hub id, folder, file or ``package:NAME/PATH``; in a report its public form, without this machine's
    folders."""
    identity: str
    """What tells these weights from others: hub commit, SHA-256, or size and time of the files."""
    revision: str | None
    architecture: str
    """Class name of the model that ran, such as ``LlamaModel``."""
    model_type: str
    n_layers: Count
    width: Count
    embedding_width: Count
    n_parameters: Count | None
    """None where it isn't known, as of states that were not captured here; so is ``vocabulary_size``."""
    vocabulary_size: Count | None
    dtype: str
    """Of the computation, such as ``float32``."""
    checkpoint_dtype: str | None
    """Of the weights on disk where they were not quantised, such as ``bfloat16``."""
    quantization: str | None
    """Such as ``Q4_1 GGUF``; named wherever the model is. None when the weights are not quantised."""
    tokenizer: str
    notes: tuple[str, ...] = ()
    """Sentences for the page: which experts' kernel ran, float16 weights that were run in float32, …"""
    versions: tuple[tuple[str, str], ...] = ()
    """Package and version, of those that made the states."""
    widths: tuple[int, ...] = ()
    """Of the embedding and of each layer, where layers differ in it, as given states may; else empty."""

    @property
    def least_and_most(self) -> tuple[int, int]:
        """The narrowest and the widest of all depths."""
        every = self.widths or (self.embedding_width, self.width)
        return min(every), max(every)


@dataclass(frozen=True, kw_only=True)
class CapturedBatch:
    """The states of some words, as ``capture`` yields them; the batches of a capture cover each row once."""

    rows: np.ndarray
    """``(n_batch,)`` int64: which words."""
    states: tuple[np.ndarray, ...]
    """Per depth ``(n_batch, width)`` float32."""
    position0_values: np.ndarray
    """``(n_depths, n_batch, N_EXTREMES)`` float32: the largest |x| of the state *at position 0*, descending."""
    position0_dimensions: np.ndarray
    """``(n_depths, n_batch, N_EXTREMES)`` int32: in which dimensions."""

    def __post_init__(self) -> None:
        n_batch, n_depths = len(self.rows), len(self.states)
        for depth, state in enumerate(self.states):
            require_shape(f"states[{depth}]", state, (n_batch, None))
        for name in ("position0_values", "position0_dimensions"):
            require_shape(name, getattr(self, name), (n_depths, n_batch, N_EXTREMES))


Batching = Literal["padded", "equal_lengths", "one_by_one"]
"""How words go through the model together: padded to one length, only with words of their length, or each alone."""


@dataclass(frozen=True, kw_only=True)
class BatchComparison:
    """How far the states of some words of a batch differ from those that they have when they are run alone."""

    batching: Batching
    n_words: Count
    """How many words were run again."""
    difference: Length
    """The largest ‖together − alone‖ / ‖alone‖ over those words and all depths."""
    word: str
    depth: Count
    """Where it is the largest."""
    median_difference: Length
    """The median over those words of each one's largest difference."""
    accepted: bool
    """Whether the words may go through the model together in this way."""


@dataclass(frozen=True, kw_only=True)
class BatchCheck:
    """How the words of a capture went through the model, and how far that can be trusted."""

    batching: Batching
    """What the stored states come from."""
    tolerance: Tolerance
    """What the largest difference is held against in float32, and the median in bfloat16."""
    comparisons: tuple[BatchComparison, ...] = ()
    """One for each way that was tried; the last is of the stored states unless it wasn't accepted. None where each word went
    alone from the start, and for words of equal length where weights are read in every pass."""
    mask_difference: Length | None = None
    """The largest relative difference, over the depths of the longest word, between a mask that hides nothing and none;
    None where that was not tried, as of weights that are read in every pass."""


@dataclass(frozen=True, kw_only=True, repr=False)
class HiddenStates:
    """The hidden states of all words of one context in one model."""

    card: ModelCard
    context: Context
    tokenization: Tokenization
    module_paths: tuple[str, ...]
    """Per depth the module's path, as in the post: ``model.embed_tokens``, ``model.layers.0``, …"""
    states: Sequence[np.ndarray]
    """Per depth ``(n_words, width)`` float32; a stored capture reads one depth at a time from its file."""
    position0_values: np.ndarray
    """``(n_depths, n_words, N_EXTREMES)`` float32: the largest |x| at position 0 of each word's sequence, descending."""
    position0_dimensions: np.ndarray
    """``(n_depths, n_words, N_EXTREMES)`` int32: in which dimensions."""
    captured_at: str
    """ISO 8601, UTC."""
    batch_check: BatchCheck | None
    """None of states that were not captured here."""
    digest: str
    """SHA-256 of the stored states; what is made from them is keyed by it."""
    updates: Updates | None = None
    """What each sublayer adds; None where that wasn't measured, as of weights that are read in every pass."""
    attention: tuple[AttentionToFirst, ...] = ()
    """How much of it goes to position 0: in this context, or with a break's neurons off in each of the model's. None of a
    context whose words are read there, and of a model without weights of attention."""
    intervention: Intervention | None = None
    """What was done to the model meanwhile; None for the model as it is."""

    def __post_init__(self) -> None:
        n_depths, n_words = len(self.module_paths), len(self.tokenization.words)
        if len(self.states) != n_depths:
            raise ValueError(f"states: expected {n_depths} depths, got {len(self.states)}")
        for name in ("position0_values", "position0_dimensions"):
            require_shape(name, getattr(self, name), (n_depths, n_words, N_EXTREMES))

    @property
    def n_depths(self) -> int:
        return len(self.module_paths)

    def __repr__(self) -> str:
        around = repr(self.context.template) if self.tokenization.is_known else self.context.label
        return (
            f"HiddenStates({self.card.source}, {around}: {len(self.tokenization.words)} words, "
            f"{self.n_depths} depths × {counted(self.card.least_and_most, 'dimension')})"
        )


ProblemKind = Literal["few_words", "few_dimensions", "equal_states", "no_basis", "other_width", "not_drawn"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a depth has no picture."""

    kind: ProblemKind
    expected: int | None = None
    """Words, or dimensions: how many would have been needed."""
    got: int | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Projection:
    """The 2-D coordinates of all words at all depths, for one model × context × projection."""

    name: FileName
    coordinates: np.ndarray
    """``(n_depths, n_words, 2)`` float64, in each depth's own basis; NaN where a depth can't be projected."""
    explained_variance_ratio: np.ndarray
    """``(n_depths, 2)`` float64 in 0–1, of PC1 and PC2 over the reference words."""
    grid_coordinates: np.ndarray
    """``(n_depths, n_words, 2)`` float64, every depth in the *embedding's* basis; NaN where widths differ."""
    reference: np.ndarray
    """``(n_words,)`` bool: the words that the bases were fitted on."""
    problems: tuple[Problem | None, ...]
    """Per depth why it can't be projected, or None."""
    grid_problems: tuple[Problem | None, ...]
    """Per depth why it can't be shown in the embedding's basis, or None."""
    left_out: tuple[tuple[int, ...], ...]
    """Per depth the dimensions that were left out before the basis was fitted."""

    @property
    def is_scaled(self) -> bool:
        """Whether all dimensions count the same, as they do where neighbours are counted in all dimensions."""
        return self.name == "standardized"

    def __post_init__(self) -> None:
        n_depths, n_words = len(self.problems), len(self.reference)
        require_shape("coordinates", self.coordinates, (n_depths, n_words, 2))
        require_shape("grid_coordinates", self.grid_coordinates, (n_depths, n_words, 2))
        require_shape("explained_variance_ratio", self.explained_variance_ratio, (n_depths, 2))
        for name in ("grid_problems", "left_out"):
            if len(getattr(self, name)) != n_depths:
                raise ValueError(f"{name}: expected {n_depths} depths, got {len(getattr(self, name))}")

    def __repr__(self) -> str:
        ratios = 100 * self.explained_variance_ratio[:, 0]
        shown = ratios[np.isfinite(ratios)]
        shares = f"; PC1 holds {shown.min():.1f}–{shown.max():.1f} % of the variance" if shown.size else ""
        return (
            f"Projection({self.name}: {len(self.problems)} depths × {len(self.reference)} words, "
            f"{int(self.reference.sum())} of them reference words{shares})"
        )
