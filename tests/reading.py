"""Words, states and directions of a lens, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import making
import numpy as np

from tokviz.records import Directions, HiddenStates, Tokenization, TokenizedWord


def states_of(depths: Sequence[np.ndarray], tokens: Sequence[Sequence[int]], names: Sequence[str]) -> HiddenStates:
    """Words of these tokens, after another one.

    Parameters
    ----------
    depths : ``(n_words, width)`` each.
    tokens : of each word.
    names : the words.
    """
    words = tuple(
        TokenizedWord(word=name, text=name, ids=(0, *own), pieces=("x",) * (1 + len(own)), start=1, stop=1 + len(own))
        for name, own in zip(names, tokens, strict=True)
    )
    made = making.hidden_states([each.astype(np.float32) for each in depths], positions=[1] * len(words))
    return replace(made, tokenization=Tokenization(words=words, read="last"))


def directions_of(ids: Sequence[int], halves: Sequence[tuple[np.ndarray, np.ndarray]]) -> Directions:
    """``halves``: of each depth ``(n_tokens, width)``, from either half of the text."""
    tokenization = Directions.targets(tuple(ids), tuple(f"t{each}" for each in ids))
    stored = [np.vstack(both).astype(np.float32) for both in halves]
    return Directions(states=replace(making.hidden_states(stored), tokenization=tokenization))


def same(directions: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Both halves alike."""
    return [(each, each) for each in directions]
