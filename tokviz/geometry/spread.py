"""How words lie in the full space at one depth: rank, norms, directions, and what PC1 is made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import eigh


def effective_rank(states: np.ndarray) -> float:
    """Exp of the entropy of the centred states' singular values, normalised to sum to one.

    Roy & Vetterli 2007, The effective rank: a measure of effective dimensionality. 1 when all words lie on a line.
    """
    _, smaller = _smaller_gram(states)
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(smaller), 0))
    if values.sum() == 0:
        return float("nan")
    shares = values[values > 0] / values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def mean_cosine(distances: np.ndarray) -> float:
    """Mean over all pairs of words, from their cosine distances ``(n_words, n_words)``."""
    n_words = len(distances)
    return float(1 - distances.sum() / (n_words * (n_words - 1)))


def pc1_loadings(states: np.ndarray) -> np.ndarray:
    """``(width,)`` float64 of unit length: PC1 of plain centred PCA; NaN when all states are alike."""
    centred, smaller = _smaller_gram(states)
    last = len(smaller) - 1
    values, vectors = eigh(smaller, subset_by_index=[last, last])
    if values[0] <= 0:
        return np.full(centred.shape[1], np.nan)
    loadings = vectors[:, 0] if len(smaller) == centred.shape[1] else centred.T @ vectors[:, 0]
    return np.asarray(loadings / np.linalg.norm(loadings))


def pc1_share(loadings: np.ndarray, dimensions: Sequence[int]) -> float:
    """How much of a component's squared length lies in some dimensions, 0–1."""
    if np.isnan(loadings).any():
        return float("nan")
    return float((loadings[list(dimensions)] ** 2).sum())


def pc1_of_position(states: np.ndarray, at_position_0: np.ndarray) -> float:
    """Correlation ratio η² of PC1 with being read at position 0: variance between the two groups over the total.

    Parameters
    ----------
    states : ``(n_words, width)``, all words, not only the reference words: those share a position.
    at_position_0 : ``(n_words,)`` bool.

    Returns
    -------
    0–1; NaN when one of the groups is empty or PC1 has no variance.
    """
    if at_position_0.all() or not at_position_0.any() or len(states) < 3:
        return float("nan")
    exact = states.astype(np.float64)
    scores = (exact - exact.mean(axis=0)) @ pc1_loadings(states)
    total = (scores**2).sum()
    if not total > 0:
        return float("nan")
    groups = (scores[at_position_0], scores[~at_position_0])
    return float(sum(len(group) * group.mean() ** 2 for group in groups) / total)


def _smaller_gram(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The centred states, and their words × words or dimensions × dimensions products, whichever is smaller."""
    centred = states.astype(np.float64)
    centred -= centred.mean(axis=0)
    n_words, width = centred.shape
    return centred, centred @ centred.T if n_words <= width else centred.T @ centred
