"""Relations and orders from their definitions, pair by pair and word by word: slow, and nothing of tokviz in it."""

from __future__ import annotations

import numpy as np

Pairs = list[tuple[int, int]]
"""Rows of source and target."""


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def parallelism(states: np.ndarray, pairs: Pairs) -> float:
    """Mean cosine between the differences of all pairs."""
    differences = [states[target] - states[source] for source, target in pairs]
    return float(np.mean([cosine(a, b) for i, a in enumerate(differences) for b in differences[i + 1 :]]))


def hits(states: np.ndarray, pairs: Pairs, candidates: list[int]) -> tuple[int, int]:
    """How many targets the source plus the mean difference of the other pairs finds, and the source alone."""
    centred = states - states.mean(axis=0)
    found = of_source = 0
    for source, target in pairs:
        others = [centred[b] - centred[a] for a, b in pairs if a != source]
        found += _nearest(centred[source] + np.mean(others, axis=0), centred, candidates) == target
        of_source += _nearest(centred[source], centred, candidates) == target
    return found, of_source


def _nearest(guess: np.ndarray, centred: np.ndarray, candidates: list[int]) -> int:
    return max(candidates, key=lambda row: cosine(guess, centred[row]))


def held_out(states: np.ndarray, words: list[int], aims: np.ndarray) -> np.ndarray:
    """Each word's aims ``(n_words, n_aims)`` as a regression on the others has them."""
    own = states[words] - states[words].mean(axis=0)
    n_components = min(5, (len(words) - 2) // 2)
    scores = own @ np.linalg.svd(own, full_matrices=False)[2][:n_components].T
    predicted = np.empty_like(aims)
    for word in range(len(words)):
        kept = np.delete(np.arange(len(words)), word)
        design = np.column_stack([np.ones(len(kept)), scores[kept]])
        coefficients = np.linalg.lstsq(design, aims[kept], rcond=None)[0]
        predicted[word] = np.array([1, *scores[word]]) @ coefficients
    return predicted


def r2(aims: np.ndarray, predicted: np.ndarray) -> float:
    return float(1 - ((aims - predicted) ** 2).sum() / ((aims - aims.mean(axis=0)) ** 2).sum())


def on_a_circle(n_words: int) -> np.ndarray:
    angles = 2 * np.pi * np.arange(n_words) / n_words
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)
