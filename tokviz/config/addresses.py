"""The addresses on a model's page at which an author may say something."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from tokviz.config.fields import Mistakes
from tokviz.config.tables import ContextConfig, ModelConfig
from tokviz.text import shown


def check_addresses(
    mistakes: Mistakes,
    index: int,
    model: ModelConfig,
    contexts: Sequence[ContextConfig],
    projections: Sequence[str],
    keys: Collection[str],
) -> None:
    """As far as known before anything is captured: the number of layers and stages is checked later.

    Parameters
    ----------
    keys : of the report, which don't belong below ``[models.notes]``.
    """
    names = {context.slug for context in contexts}
    depth = rf"(embedding|layer-[0-9]{{1,6}}|grid)(/({'|'.join(projections)}))?|stage-[0-9]{{1,6}}"
    for address in model.notes:
        context, _, rest = address.partition("/")
        if address == "curves" or (context in names and re.fullmatch(depth, rest)):
            continue
        if address in keys or address in ModelConfig.model_fields:
            mistakes.add((index, "notes", address), "expected an address; this key belongs before [models.notes]")
            continue
        first = contexts[0].slug
        mistakes.add(
            (index, "notes", address),
            f"expected an address such as {first}/embedding, {first}/layer-3, {first}/layer-3/{projections[-1]}, "
            f"{first}/stage-2, {first}/grid or curves, got {shown(address)}",
        )
