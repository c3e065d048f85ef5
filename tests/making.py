"""Small records for tests: a capture of made-up states."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tokviz.records import (
    N_EXTREMES,
    BatchCheck,
    BatchComparison,
    CapturedBatch,
    Category,
    Context,
    HiddenStates,
    ModelCard,
    Tokenization,
    TokenizedWord,
    WordList,
)
from tokviz.run.store.artefacts import Store
from tokviz.run.store.states_file import CaptureDescription

WORDS = WordList(
    categories=(
        Category(key="months", label="Months", words=("May", "June", "July")),
        Category(key="colors", label="Colors", words=("red", "green", "orange")),
        Category(key="fruits", label="Fruits", words=("orange", "apple")),
    )
)
ALONE = Context(name="alone", label="alone", template=" {word}")


BATCH_CHECK = BatchCheck(
    batching="padded",
    tolerance=1e-3,
    comparisons=(
        BatchComparison(
            batching="padded",
            n_words=3,
            difference=4e-6,
            word="seven",
            depth=2,
            median_difference=3e-6,
            accepted=True,
        ),
    ),
    mask_difference=0.0,
)


def card(**changes: Any) -> ModelCard:
    values = {
        "source": "org/tiny",
        "identity": "commit:1",
        "revision": None,
        "architecture": "TinyModel",
        "model_type": "tiny",
        "n_layers": 2,
        "width": 8,
        "embedding_width": 8,
        "n_parameters": 1000,
        "vocabulary_size": 100,
        "dtype": "float32",
        "checkpoint_dtype": "float32",
        "quantization": None,
        "tokenizer": "TinyTokenizer",
        "notes": ("A note.",),
        "versions": (("torch", "2.13"),),
    }
    return ModelCard(**{**values, **changes})


def tokenization(words: Sequence[str] = WORDS.words) -> Tokenization:
    """Every word is one token at position 0, but the last: two tokens, read at position 1."""
    made = []
    for row, word in enumerate(words):
        pieces = (f"Ġ{word}",) if row < len(words) - 1 else (f"Ġ{word[:1]}", word[1:])
        made.append(
            TokenizedWord(
                word=word, text=f" {word}", ids=tuple(range(len(pieces))), pieces=pieces, start=0, stop=len(pieces)
            )
        )
    return Tokenization(words=tuple(made), read="last", notes=("A tokenizer's note.",))


def depths(n_depths: int = 3, n_words: int = len(WORDS.words), width: int = 8, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.normal(size=(n_words, width)).astype(np.float32) for _ in range(n_depths)]


def batches(states: Sequence[np.ndarray], size: int = 4) -> Iterator[CapturedBatch]:
    """The words in reverse order, a few at a time, as a token budget may have it."""
    rows = np.arange(len(states[0]))[::-1]
    for start in range(0, len(rows), size):
        some = rows[start : start + size]
        values = np.zeros((len(states), len(some), N_EXTREMES), np.float32)
        values[:, :, 0] = some
        yield CapturedBatch(
            rows=some,
            states=tuple(state[some] for state in states),
            position0_values=values,
            position0_dimensions=np.full_like(values, 7, dtype=np.int32),
        )


def put(store: Store, key: str = "k", states: Sequence[np.ndarray] | None = None, **changes: Any) -> HiddenStates:
    """A stored capture of ``states``."""
    states = depths() if states is None else states
    values = {
        "card": card(),
        "context": ALONE,
        "tokenization": tokenization(),
        "module_paths": ("model.embed_tokens", *(f"model.layers.{index}" for index in range(len(states) - 1))),
        "captured_at": "2026-01-02T03:04:05Z",
        "batch_check": BATCH_CHECK,
    }
    return write(store, key, batches(states), CaptureDescription(**{**values, **changes}))


def write(store: Store, key: str, captured: Iterable[CapturedBatch], description: CaptureDescription) -> HiddenStates:
    with store.states_writer(key, description) as writer:
        for batch in captured:
            writer.add(batch)
    found = store.find_states(key)
    assert found is not None
    return found


def hidden_states(
    states: Sequence[np.ndarray],
    *,
    context: str = "alone",
    positions: Sequence[int] | None = None,
    n_tokens: Sequence[int] | None = None,
    position0: Sequence[np.ndarray] | None = None,
) -> HiddenStates:
    """A capture of ``states``; words are read at ``positions`` (0 unless told), and what is there is position 0."""
    n_words = len(states[0])
    positions = [0] * n_words if positions is None else positions
    n_tokens = [1] * n_words if n_tokens is None else n_tokens
    words = tuple(
        TokenizedWord(
            word=f"word{row}",
            text=f"word{row}",
            ids=tuple(range(position + 1)),
            pieces=tuple("x" * (position + 1)),
            start=position + 1 - count,
            stop=position + 1,
        )
        for row, (position, count) in enumerate(zip(positions, n_tokens, strict=True))
    )
    at_start = states if position0 is None else position0
    order = [np.argsort(-np.abs(state), axis=1, kind="stable")[:, :N_EXTREMES] for state in at_start]
    values = [np.abs(np.take_along_axis(state, best, axis=1)) for state, best in zip(at_start, order, strict=True)]
    return HiddenStates(
        card=card(n_layers=len(states) - 1),
        context=Context(name=context, label=context, template="{word}"),
        tokenization=Tokenization(words=words, read="last"),
        module_paths=tuple(f"depth.{depth}" for depth in range(len(states))),
        states=states,
        position0_values=np.stack(values).astype(np.float32),
        position0_dimensions=np.stack(order).astype(np.int32),
        captured_at="2026-01-02T03:04:05Z",
        batch_check=BATCH_CHECK,
        digest=hashlib.sha256(b"".join(np.ascontiguousarray(state).tobytes() for state in states)).hexdigest(),
    )


def webp(text: str) -> bytes:
    """What begins as an image does, and tells it from others."""
    return b"RIFF\0\0\0\0WEBP" + text.encode()


def gaussian(n_depths: int = 6, n_words: int = 60, width: int = 32, seed: int = 0) -> list[np.ndarray]:
    """Per depth an independent cloud."""
    random = np.random.default_rng(seed)
    return [random.normal(size=(n_words, width)).astype(np.float32) for _ in range(n_depths)]
