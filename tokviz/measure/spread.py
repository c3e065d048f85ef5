"""How words lie in the full space at one depth: rank, directions, and what PC1 is made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def principal(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Plain centred PCA.

    Parameters
    ----------
    states : ``(n_words, width)``.

    Returns
    -------
    The singular values, ``(min(n_words, width),)`` float64, ascending; and PC1's loadings, ``(width,)`` float64 of unit
    length, NaN when all states are alike.
    """
    centred, products = _centred(states)
    n_words, width = centred.shape
    values, vectors = np.linalg.eigh(products)
    if values[-1] <= 0:
        return np.zeros(len(values)), np.full(width, np.nan)
    loadings = centred.T @ vectors[:, -1] if n_words <= width else vectors[:, -1]
    return np.sqrt(np.maximum(values, 0)), loadings / np.linalg.norm(loadings)


def singular_values(states: np.ndarray) -> np.ndarray:
    """Those of ``principal`` without PC1, in a third of the time."""
    return np.asarray(np.sqrt(np.maximum(np.linalg.eigvalsh(_centred(states)[1]), 0)))


def _centred(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centred states, and their products: of words × words and dimensions × dimensions the smaller one is enough."""
    centred = states.astype(np.float64)
    centred -= centred.mean(axis=0)
    n_words, width = centred.shape
    return centred, np.asarray(centred @ centred.T if n_words <= width else centred.T @ centred)


def effective_rank(singular_values: np.ndarray) -> float:
    """Exp of the entropy of the centred states' singular values, normalised to sum to one.

    Roy & Vetterli 2007, The effective rank: a measure of effective dimensionality. 1 when all words lie on a line.
    """
    positive = singular_values[singular_values > 0]
    if len(positive) == 0:
        return float("nan")
    shares = positive / positive.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def first_share(singular_values: np.ndarray) -> float:
    """How much of the variance the largest of the centred states' singular values holds; NaN without variance."""
    total = (singular_values**2).sum()
    return float((singular_values**2).max() / total) if total > 0 else float("nan")


def mean_cosine(distances: np.ndarray) -> float:
    """Mean over all pairs of words, from their cosine distances ``(n_words, n_words)``."""
    n_words = len(distances)
    if n_words < 2:
        return float("nan")
    return float(1 - distances.sum() / (n_words * (n_words - 1)))


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
    scores = (exact - exact.mean(axis=0)) @ principal(states)[1]
    total = (scores**2).sum()
    if not total > 0:
        return float("nan")
    groups = (scores[at_position_0], scores[~at_position_0])
    return float(sum(len(group) * group.mean() ** 2 for group in groups) / total)
