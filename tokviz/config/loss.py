"""``[loss]``: the text on which it is measured how well a model predicts the next token."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tokviz.config.tables import Table
from tokviz.records import LEAST_PASSAGES

LEAST_CHARACTERS = 8_000
"""In languages with an alphabet more than eight passages of 128 tokens."""
MOST_TAKEN = 1_000
"""Passages: each is read by the model six times."""


class LossConfig(Table):
    """``[loss]``: how well models predict text with a break's neurons set to a value."""

    text: str | None = None
    """The name of a text file of at least 8,000 characters, UTF-8, relative to the config; after loading the text itself. By
    default a text that comes with tokviz."""
    passages: Annotated[int, Field(ge=LEAST_PASSAGES, le=MOST_TAKEN)] | None = None
    """How many passages of 128 tokens are taken of it, spread evenly: by default about as many tokens as are captured, from 8
    passages to 32."""
