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


def ranks(states: np.ndarray, pairs: Pairs, candidates: list[int]) -> np.ndarray:
    """``(2, n_pairs)``: the target's rank for the source plus the mean difference of the other pairs, and for the source alone."""
    centred = states - states.mean(axis=0)
    found = []
    for source, target in pairs:
        others = [centred[b] - centred[a] for a, b in pairs if a != source]
        guesses = (centred[source] + np.mean(others, axis=0), centred[source])
        found.append([_rank(guess, target, centred, [row for row in candidates if row != source]) for guess in guesses])
    return np.array(found).T


def _rank(guess: np.ndarray, target: int, centred: np.ndarray, candidates: list[int]) -> int:
    return sorted(candidates, key=lambda row: -cosine(guess, centred[row])).index(target) + 1


def held_out(
    states: np.ndarray,
    words: list[int],
    aims: np.ndarray,
    n_components: int | None = None,
    together: list[list[int]] | None = None,
) -> np.ndarray:
    """Each word's aims ``(n_words, n_aims)`` as a regression on the others has them, those left out that belong ``together``."""
    own = states[words] - states[words].mean(axis=0)
    n_components = n_components or min(5, (len(words) - 2) // 2)
    scores = own @ np.linalg.svd(own, full_matrices=False)[2][:n_components].T
    predicted = np.empty_like(aims)
    for word in range(len(words)):
        unit = next((each for each in together or [] if word in each), [word])
        kept = np.delete(np.arange(len(words)), unit)
        design = np.column_stack([np.ones(len(kept)), scores[kept]])
        coefficients = np.linalg.lstsq(design, aims[kept], rcond=None)[0]
        predicted[word] = np.array([1, *scores[word]]) @ coefficients
    return predicted


def r2(aims: np.ndarray, predicted: np.ndarray) -> float:
    return float(1 - ((aims - predicted) ** 2).sum() / ((aims - aims.mean(axis=0)) ** 2).sum())


def contrasts(states: np.ndarray, places: list[int], n_places: int) -> dict[str, float]:
    """How much farther apart far words are than others, by squared distance, as the issue that asked for it defines it."""
    found: dict[str, list[float]] = {"far": [], "crossing": [], "near": [], "quarter": []}
    for i, one in enumerate(places):
        for j in range(i + 1, len(places)):
            apart = abs(one - places[j])
            hop = min(apart, n_places - apart)
            distance = float(((states[i] - states[j]) ** 2).sum())
            if 5 * n_places / 12 <= apart <= 7 * n_places / 12:
                found["far"].append(distance)
            if hop <= n_places / 4:
                found["crossing" if apart > n_places / 2 else "near"].append(distance)
            if hop == n_places // 4:
                found["quarter"].append(distance)
    return {kind: float(np.mean(found["far"]) - np.mean(values)) for kind, values in found.items()}


def on_a_circle(n_words: int) -> np.ndarray:
    angles = 2 * np.pi * np.arange(n_words) / n_words
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)
