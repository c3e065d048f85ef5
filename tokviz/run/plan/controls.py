"""Which captures are made of a model's untrained controls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tokviz.config import CheckpointConfig, ModelConfig
from tokviz.records import HiddenStates, ModelCard, Untrained

MOST_PARAMETERS = 1_000_000_000
"""Of larger models there are controls only where they are asked for by the model's own table."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """One untrained model."""

    kind: Literal["random", "own_embedding"]
    seed: int

    def key_parts(self, model: ModelConfig) -> Mapping[str, Any]:
        """What the key of its states is made of, beside the key of the model's own."""
        scale = {} if model.initializer_range is None else {"initializer_range": model.initializer_range}
        return {"control": self.kind, "seed": self.seed, **scale}


CONTROLS = (
    Control(kind="random", seed=0),
    *(Control(kind="own_embedding", seed=1 + index) for index in range(Untrained.N_SEEDS)),
)
"""All that are made of a model, in the order in which they are."""


def controls_of(model: ModelConfig) -> tuple[Control, ...]:
    """Those that a model may have; checkpoints are held against one without any training, and against each other."""
    return CONTROLS[:1] if isinstance(model, CheckpointConfig) else CONTROLS


@dataclass(frozen=True, kw_only=True)
class Controls:
    """What there is of them in one context."""

    random: HiddenStates | None
    own_embedding: tuple[HiddenStates, ...]
    problems: tuple[str, ...]
    """Why some are missing."""
    note: str
    """How their weights were drawn, as a sentence; empty where that isn't known."""


def are_wanted(asked: bool | None, card: ModelCard) -> bool:
    """Whether a model has controls: as it was asked, or for None where it isn't too large, as far as its size is known."""
    if asked is not None:
        return asked
    return card.n_parameters is not None and card.n_parameters <= MOST_PARAMETERS
