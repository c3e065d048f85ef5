"""Cosine distances between words, and each word’s nearest."""

from __future__ import annotations

import numpy as np


def cosine_distances(states: np.ndarray) -> np.ndarray:
    """``(n_words, width)`` → ``(n_words, n_words)`` float64: 1 − cosine, 0 on the diagonal."""
    exact = states.astype(np.float64)
    norms = np.linalg.norm(exact, axis=1, keepdims=True)
    unit = np.divide(exact, norms, out=np.zeros_like(exact), where=norms > 0)
    distances = np.maximum(1 - unit @ unit.T, 0)
    np.fill_diagonal(distances, 0)
    return np.asarray(distances)


def nearest(distances: np.ndarray, k: int) -> np.ndarray:
    """``(n_words, n_words)`` → ``(n_words, k)`` int64: each word's nearest others, nearest first."""
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    if k < len(others) - 1:
        some = np.argpartition(others, k, axis=1)[:, :k]
        order = np.argsort(np.take_along_axis(others, some, axis=1), axis=1, kind="stable")
        return np.take_along_axis(some, order, axis=1)
    return np.argsort(others, axis=1, kind="stable")[:, :k]
