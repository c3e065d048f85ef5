"""How well a model predicts text as it is, and with neurons set to a value.

Made in ``run/kinds/losses.py``; shown by ``pages/model/without.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PASSAGE_TOKENS = 128
"""How long the passages are whose loss is measured."""
LEAST_PASSAGES, MOST_PASSAGES = 8, 32
"""How many are taken, unless the author says otherwise."""
LossRule = Literal["off", "off_at_0", "mean", "control", "random"]
"""What was done to the model: the rules of ``InterventionRule``, a break's neurons set to zero at position 0 only, and as many
others, drawn at random, set to zero."""


@dataclass(frozen=True, kw_only=True)
class LossChange:
    """The next-token loss with some neurons set to a value, against that of the model as it is, on the same passages."""

    rule: LossRule
    neurons: tuple[int, ...]
    difference: float
    """Mean over the passages of the loss so minus the loss of the model as it is, nats per token."""
    standard_error: float
    """Of that mean: the standard deviation of the passages' differences ÷ √(their number)."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Next-token cross-entropy of a model, in nats per token, and how neurons that are set to a value change it."""

    n_passages: int = 0
    n_tokens: int = 0
    """How many tokens were predicted, in all passages together."""
    intact: float | None = None
    """Mean over the passages, of the model as it is; None where there is none."""
    changes: tuple[LossChange, ...] = ()
    reason: str | None = None
    """Why there is none: ``the model is not a decoder``."""

    def changed_by(self, rule: LossRule) -> LossChange | None:
        """The first change of that rule."""
        return next((each for each in self.changes if each.rule == rule), None)
