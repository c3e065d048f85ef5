"""Which captures are made of a model's untrained controls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tokviz.records import HiddenStates, ModelCard, Untrained

MOST_PARAMETERS = 1_000_000_000
"""Of larger models there are controls only where they are asked for by the model's own table."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """One untrained model."""

    kind: Literal["random", "own_embedding"]
    seed: int

    @property
    def key_parts(self) -> Mapping[str, Any]:
        """What the key of its states is made of, beside the key of the model's own."""
        return {"control": self.kind, "seed": self.seed}


CONTROLS = (
    Control(kind="random", seed=0),
    *(Control(kind="own_embedding", seed=1 + index) for index in range(Untrained.N_SEEDS)),
)
"""All that are made of a model, in the order in which they are."""


@dataclass(frozen=True, kw_only=True)
class Controls:
    """What there is of them in one context."""

    random: HiddenStates | None
    own_embedding: tuple[HiddenStates, ...]
    problems: tuple[str, ...]
    """Why some are missing."""


def are_wanted(asked: bool | None, card: ModelCard) -> bool:
    """Whether a model has controls: as it was asked, or for None where it isn't too large, as far as its size is known."""
    if asked is not None:
        return asked
    return card.n_parameters is not None and card.n_parameters <= MOST_PARAMETERS
