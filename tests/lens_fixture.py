"""What each layer would say, without a model: made-up records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from claiming import decided

from tokviz.records import ContextReport, Lens, LensMeasure, ModelReport, WordList

REASON = "the model is not a decoder"


def with_lens(model: ModelReport, words: WordList) -> ModelReport:
    """Words alone are named in the first half of the depths, all others everywhere; at the embedding the halves of the text disagree."""

    def read(context: ContextReport) -> ContextReport:
        n_depths = context.states.n_depths
        last = n_depths // 2 if context.states.context.name == "alone" else n_depths
        return replace(context, lens=lens(n_depths, words, last))

    contexts = (
        replace(read(context), interventions=tuple(map(read, context.interventions))) for context in model.contexts
    )
    return replace(model, contexts=tuple(contexts))


def without_lens(model: ModelReport) -> ModelReport:
    """Of which no context has one."""
    nothing = [
        Lens(reason=REASON, read=np.zeros(len(each.states.tokenization.words), dtype=bool)) for each in model.contexts
    ]
    contexts = (replace(each, lens=own) for each, own in zip(model.contexts, nothing, strict=True))
    return replace(model, contexts=tuple(contexts))


def lens(n_depths: int, words: WordList, last: int) -> Lens:
    """All words but the last one are read; at depths from 1 to ``last`` they are named as they should be, elsewhere by the next name."""
    n_words, n_categories = len(words.words), len(words.categories)
    right = (np.arange(n_depths) > 0) & (np.arange(n_depths) < last)
    own = np.array([each[0] for each in words.memberships])
    read = np.arange(n_words) < n_words - 1
    measured = measure(n_words - 1, right)
    return Lens(
        names=tuple(f"Ġ{category.key}" for category in words.categories),
        read=read,
        named=measured,
        untrained=np.full(n_depths, 0.11),
        own=measure(n_words - 1, right, 0.9),
        own_rank=np.where(right, 0.0, 5.0),
        own_rank_logit=np.full(n_depths, 20.0),
        top_names=_tops(right, own, read, n_categories),
        top_words=_tops(right, np.arange(n_words), read, n_words - 1),
    )


def measure(n: int, holds: np.ndarray, value: float = 0.7) -> LensMeasure:
    """Announced where it holds, near chance elsewhere, and not firm at the embedding."""
    n_depths = len(holds)
    values = np.where(holds, value + np.arange(n_depths) / 500, 0.15)
    agreement = np.where(np.arange(n_depths) > 0, 0.97, 0.6)
    return LensMeasure(
        n=n,
        value=values,
        low=values - 0.08,
        high=values + 0.08,
        halves=np.stack([values - 0.02, values + 0.02]),
        agreement=agreement,
        null_mean=np.full(n_depths, 0.12),
        logit=np.linspace(0.1, 0.6, n_depths),
        claim=decided(holds, "lens"),
    )


def _tops(right: np.ndarray, own: np.ndarray, read: np.ndarray, n: int) -> np.ndarray:
    """``(n_depths, n_words, Lens.N_TOP)``: from its own one on, or from the next."""
    first = own[None, :] + np.where(right, 0, 1)[:, None]
    tops = (first[:, :, None] + np.arange(Lens.N_TOP)) % n
    places = np.arange(Lens.N_TOP) < n
    return np.where(read[None, :, None] & places, tops, -1).astype(np.int32)
