"""What is captured of a model beside its states: each kind has a file that says when it is due, and how it is made.

Whoever adds one gives it a file and a place in ``KINDS``.
"""

from typing import Any

from tokviz.run.kinds.base import Kind
from tokviz.run.kinds.controls import UntrainedModels
from tokviz.run.kinds.interventions import Interventions
from tokviz.run.kinds.lenses import Lenses
from tokviz.run.kinds.losses import LossText

__all__ = ["KINDS", "Interventions", "Lenses", "LossText", "UntrainedModels"]

KINDS: tuple[type[Kind[Any, Any]], ...] = (Interventions, Lenses, UntrainedModels, LossText)
"""In the order in which they are made."""
