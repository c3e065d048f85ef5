"""Whether the texts that are to be fed fit into a model: its embedding has their ids, its positions their length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tokviz.capture.structure import Structure
from tokviz.errors import CaptureError
from tokviz.records import Context, Tokenization
from tokviz.text import shown

if TYPE_CHECKING:
    from torch import nn

_LEAST_IN_ALL = 0.5
_MOST_RESERVED = 2
"""Tables of positions may have so many rows more than the config gives, before those of the tokens."""


def require_fitting(module: nn.Module, structure: Structure, tokenization: Tokenization, context: Context) -> None:
    """Refuse texts that a model can't take, before any is captured.

    Where ids or positions are looked up beyond a table's end, a GPU is lost to the process, and no error says why.

    Raises
    ------
    CaptureError : a token's id is beyond the embedding, or a text is longer than the table of positions.
    """
    n_ids = _n_rows(structure.embedding)
    for word in tokenization.words:
        beyond = [index for index, token in enumerate(word.ids) if n_ids is not None and token >= n_ids]
        if beyond:
            raise CaptureError(
                f"word {word.word!r} in context {context.name!r}: expected ids below {n_ids:,}, as many as "
                f"{type(module).__name__} has embeddings, got {word.ids[beyond[0]]:,} for {word.pieces[beyond[0]]!r} from "
                "the tokenizer; check that tokenizer and weights belong together"
            )
    longest = max(tokenization.words, key=lambda word: len(word.ids))
    n_positions = most_tokens(module, structure.embedding)
    if n_positions is not None and len(longest.ids) > n_positions:
        raise CaptureError(
            f"word {longest.word!r} in context {context.name!r}: expected a text of at most {n_positions:,} tokens, the "
            f"positions that {type(module).__name__} has, got {len(longest.ids):,} with the template "
            f"{shown(context.template)}; shorten it or the word"
        )


def require_alike(context: Context, templates: Mapping[str, Tokenization]) -> None:
    """Refuse templates of one context whose words can't be measured together.

    Parameters
    ----------
    templates : by their text the context's words in each.

    Raises
    ------
    CaptureError : words are read at position 0 in some only, or fewer than half of those that are measured in the first template
        are measured in all.
    """
    first, *others = (templates[each] for each in context.templates)
    for template, other in zip(context.further_templates, others, strict=True):
        if other.reads_position_0 != first.reads_position_0:
            raise CaptureError(
                f"context {context.name!r}: expected words at position 0 in all of its templates or in none, as many models build an "
                f"attention sink there, got {template!r} beside {context.template!r}; put text before the word, or make it a context "
                "of its own"
            )
    n_first, n_all = int(first.reference.sum()), int(first.reference_beside(others).sum())
    if n_all < _LEAST_IN_ALL * n_first:
        kept = [int(first.reference_beside([each]).sum()) for each in others]
        worst = context.further_templates[kept.index(min(kept))]
        raise CaptureError(
            f"context {context.name!r}: expected templates in which most words are read at the position that most words share, got "
            f"{n_all} of {n_first} words in all of them, {min(kept)} of them in {worst!r}; change or remove that template"
        )


def _n_rows(embedding: Any) -> int | None:
    """How many ids a table of embeddings has vectors for; None for what isn't a table."""
    n_rows = getattr(embedding, "num_embeddings", None)
    return n_rows if isinstance(n_rows, int) else None


def most_tokens(module: Any, embedding: nn.Module) -> int | None:
    """How many tokens a learned table of positions is for; None without one: rotary positions, say, have no end."""
    n_positions = getattr(module.config, "max_position_embeddings", None)
    if not isinstance(n_positions, int):
        return None
    for path, table in module.named_modules():
        n_rows = None if table is embedding or not ("pos" in path or "wpe" in path) else _n_rows(table)
        if n_rows is not None and n_positions <= n_rows <= n_positions + _MOST_RESERVED:
            # RoBERTa counts positions from the one after that of padding.
            padding = table.padding_idx
            return min(n_positions, n_rows - (0 if padding is None else padding + 1))
    return None
