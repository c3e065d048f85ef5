"""A configured source → the base model, ready for hooks, its tokenizer and its card.

Nothing that comes with a checkpoint is executed: only safetensors and GGUF weights are read, and code from a
repository is never trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokviz.config import ModelConfig
from tokviz.models import in_memory
from tokviz.models.card import make_card
from tokviz.models.downloads import nothing_shared, require_room
from tokviz.models.failures import explained
from tokviz.models.hub import waiting_is_said
from tokviz.models.origin import Origin
from tokviz.models.refusals import (
    check_sha256,
    refuse_foreign_code,
    refuse_other_inputs,
    refuse_unreadable,
    refuse_untrue_header,
)
from tokviz.models.tokenizer import load_tokenizer, require_offsets
from tokviz.models.weights import Weights, load_weights, weights_in_memory
from tokviz.records import ModelCard

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model to capture from."""

    module: nn.Module
    """The base model without its head, in evaluation mode; of an encoder-decoder the encoder, of a model that also
    takes images its language part."""
    tokenizer: Any
    card: ModelCard
    base_model_prefix: str
    """What comes before the module's paths in the whole model, such as ``model``."""
    head: Any = None
    """The model that ``module`` is a part of, with the matrix that predicts the next token; None where there is none, or it
    wasn't asked for."""


@dataclass(frozen=True, kw_only=True)
class Folders:
    """Where files may be written while a model is loaded; they are needed for as long as it is."""

    offload: Path | None = None
    """For weights that don't fit in memory and can't be read from the checkpoint as they are (experts that are stacked while
    loading, GGUF files)."""
    downloads: Path | None = None
    """For the files of this hub model alone. What the shared Hugging Face cache has is read from there; nothing is written to it."""


_NO_FOLDERS = Folders()


def check(model: ModelConfig, base: Path) -> None:
    """Find out what can be known of a source without a library: whether it is there, and which files it has.

    Raises
    ------
    SourceError : ``load`` would fail with the same words.
    """
    refuse_unreadable(Origin.of(model, base))


def load(
    model: ModelConfig,
    base: Path,
    device: str,
    folders: Folders = _NO_FOLDERS,
    *,
    with_head: bool = False,
    say: Callable[[str], None] | None = None,
) -> LoadedModel:
    """Load weights and tokenizer; a hub model in the local cache is taken from there, as it is.

    Parameters
    ----------
    model : as configured.
    base : the config's folder.
    device : ``cpu``, ``cuda``, …; ``model.device_map`` has priority over it.
    folders : where files may be written.
    with_head : whether the output matrix is loaded, too, where the checkpoint has one.
    say : takes the line that is said where the Hub is waited for.

    Raises
    ------
    SourceError : one line with what to do; its cause is the library's own error.
    """
    origin = Origin.of(model, base, folders.downloads)
    if origin.location.kind == "memory":
        return _from_memory(origin)
    refuse_unreadable(origin)
    with explained(origin), nothing_shared() if folders.downloads else nullcontext():
        config, tokenizer = config_and_tokenizer(origin, say)
        require_room(origin)
        check_sha256(origin)
        return _load(origin, config, tokenizer, device, folders.offload, with_head)


def config_and_tokenizer(origin: Origin, say: Callable[[str], None] | None) -> tuple[Any, Any]:
    """What transformers makes of a source's config, and its tokenizer; to be called within ``explained``.

    Parameters
    ----------
    say : takes the line that is said where the Hub is waited for.

    Raises
    ------
    SourceError : the model is refused for what its config says, or its tokenizer can't be used.
    """
    from transformers import AutoConfig

    refuse_untrue_header(origin)
    with waiting_is_said(origin, say):
        refuse_foreign_code(origin)
        config = AutoConfig.from_pretrained(**origin.arguments)
        refuse_other_inputs(origin, config)
        return config, load_tokenizer(origin, config)


def _load(
    origin: Origin, config: Any, tokenizer: Any, device: str, offload: Path | None, with_head: bool
) -> LoadedModel:
    weights = load_weights(origin, config, offload, with_head=with_head)
    if not origin.model.placement:
        weights.part.to(device)
        if weights.head is not None:
            weights.head.get_output_embeddings().to(device)
    return _ready(origin, weights, tokenizer)


def _from_memory(origin: Origin) -> LoadedModel:
    """The caller's own model, where it is and as it is, but in evaluation mode."""
    found = in_memory.require(origin.model.source)
    found.require_unchanged()
    refuse_other_inputs(origin, found.model.config)
    require_offsets(found.tokenizer, origin.model.source)
    return _ready(origin, weights_in_memory(origin.model.source, found.model, found.hooks), found.tokenizer)


def _ready(origin: Origin, weights: Weights, tokenizer: Any) -> LoadedModel:
    (weights.part if weights.head is None else weights.head).eval()
    return LoadedModel(
        module=weights.part,
        tokenizer=tokenizer,
        card=make_card(origin, weights, tokenizer),
        base_model_prefix=".".join(name for name in (weights.whole.base_model_prefix, weights.path) if name),
        head=weights.head,
    )
