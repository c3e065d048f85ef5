"""``lens``, ``[lens]``: whether it is read what each layer would say, and on which text that is fitted."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from tokviz.config.tables import Table
from tokviz.text import shown


class LensConfig(Table):
    """``[lens]``, or ``lens = true`` for what is the default: a Jacobian lens of each model."""

    text: str | None = None
    """The name of a text file of at least 8,000 characters and 2,048 tokens, UTF-8, relative to the config, that the lens is fitted
    on; after loading the text itself. By default the text that the loss is measured on."""


def _from_short_form(lens: Any) -> Any:
    if isinstance(lens, bool):
        return {} if lens else None
    if lens is None or isinstance(lens, (dict, LensConfig)):
        return lens
    raise ValueError(f"expected true, false, or a table [lens], got {shown(lens)}")


def _fits_the_words(lens: LensConfig | None, info: ValidationInfo) -> LensConfig | None:
    is_asked = lens is not None or any(model.lens for model in info.data.get("models", ()))
    if is_asked and info.data.get("vocabulary"):
        raise ValueError(
            'expected none beside "vocabulary = true", as only lists of words are read, got one; remove it'
        )
    if lens is not None and info.data.get("models") == []:
        raise ValueError(
            "expected none where there is no [[models]], as checkpoints aren't read with a lens; remove it"
        )
    return lens


LensOrTrue = Annotated[
    LensConfig | None,
    BeforeValidator(_from_short_form, json_schema_input_type=bool | LensConfig),
    AfterValidator(_fits_the_words),
    Field(validate_default=True),
]
