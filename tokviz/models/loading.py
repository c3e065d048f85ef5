"""A configured source → the base model, ready for hooks, its tokenizer and its card.

Nothing that comes with a checkpoint is executed: only safetensors and GGUF weights are read, and code from a
repository is never trusted.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokviz.config import ModelConfig
from tokviz.errors import SourceError, TokvizError
from tokviz.models import in_memory
from tokviz.models.card import make_card
from tokviz.models.downloads import nothing_shared
from tokviz.models.failures import explained, hub_failure, hub_unasked, not_downloaded
from tokviz.models.hub import is_offline, waiting_is_said
from tokviz.models.identity import identity_of_listed
from tokviz.models.limits import ended_after, limited
from tokviz.models.location import snapshot
from tokviz.models.origin import Origin
from tokviz.models.refusals import refuse_foreign_code, refuse_other_inputs, refuse_unreadable, refuse_untrue_header
from tokviz.models.staging import Staged
from tokviz.models.tokenizer import load_tokenizer, require_offsets
from tokviz.models.weights import Weights, load_weights, weights_in_memory
from tokviz.records import ModelCard
from tokviz.text import error_line

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


@dataclass(frozen=True, kw_only=True)
class Use:
    """What a model is loaded for, besides its states."""

    with_head: bool = False
    """Whether the output matrix is loaded, too, where the checkpoint has one."""
    texts: Sequence[str] = ()
    """What its tokenizer is going to read: it is tried on them where it can do no harm."""
    decodes: bool = False
    """Whether it is also going to write each of its tokens."""


one_at_a_time = threading.RLock()
"""Held while a model is loaded or described: limits, and settings of the libraries meanwhile, are the whole process's."""
_NO_FOLDERS, _OF_STATES = Folders(), Use()


def check(model: ModelConfig, base: Path) -> None:
    """Find out what can be known of a source without a library: whether it is there, and which files it has.

    Raises
    ------
    SourceError : ``load`` would fail with the same words, or its files are such that looking at them fails.
    """
    try:
        origin = Origin.of(model, base)
        refuse_unreadable(origin)
        if origin.location.kind == "hub" and is_offline() and not ((found := snapshot(model)) and found.is_dir()):
            raise SourceError(f"{model.source}: {not_downloaded(model)}")
    except TokvizError:
        raise
    except Exception as error:
        raise SourceError(
            f"{model.source}: expected a model's files, got some that can't be looked at: {error_line(error)}; fetch them again"
        ) from error


def load(
    model: ModelConfig,
    base: Path,
    device: str,
    folders: Folders = _NO_FOLDERS,
    use: Use = _OF_STATES,
    say: Callable[[str], None] | None = None,
) -> LoadedModel:
    """Load weights and tokenizer; a hub model in the local cache is taken from there, as it is.

    Parameters
    ----------
    model : as configured.
    base : the config's folder.
    device : ``cpu``, ``cuda``, …; ``model.device_map`` has priority over it.
    folders : where files may be written.
    use : what it is loaded for.
    say : takes the line that is said where the Hub is waited for.

    Raises
    ------
    SourceError : one line with what to do; its cause is the library's own error.
    """
    origin = Origin.of(model, base, folders.downloads)
    if origin.location.kind == "memory":
        return _from_memory(origin)
    refuse_unreadable(origin)
    place = _place(folders.offload)
    try:
        with one_at_a_time, explained(origin, place), nothing_shared() if folders.downloads else nullcontext():
            staged, config, tokenizer = staged_and_read(origin, place, say, use)
            staged = staged.with_weights()
            loaded = _load(staged, config, tokenizer, device, folders.offload, use.with_head)
            staged.require_unchanged()
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    # Weights that don't fit in memory are read from there in every pass.
    weakref.finalize(loaded.module, shutil.rmtree, place, ignore_errors=True)
    return loaded


def _place(offload: Path | None) -> Path:
    """An empty folder for the listed files."""
    if offload is not None:
        offload.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="tokviz-listed-", dir=offload))


def staged_and_read(
    origin: Origin, place: Path, say: Callable[[str], None] | None, use: Use = _OF_STATES
) -> tuple[Staged, Any, Any]:
    """A source's listed files, what transformers makes of its config, and its tokenizer; to be called within ``explained``.

    Parameters
    ----------
    place : an empty folder for the files.
    say : takes the line that is said where the Hub is waited for.
    use : what the tokenizer is going to read and write.

    Raises
    ------
    SourceError : the model is refused for what its config says, or its tokenizer can't be used.
    """
    from transformers import AutoConfig

    refuse_untrue_header(origin)
    with waiting_is_said(origin, say):
        with ended_after(0):
            staged = Staged.of(origin, place / "model")
        source = origin.model.source
        with hub_unasked(source), limited(source), ended_after(0):
            refuse_foreign_code(source, staged.arguments)
            config = AutoConfig.from_pretrained(**staged.arguments)
            # Transformers chooses the classes of some tokenizers by a model's id.
            config.name_or_path = source
            refuse_other_inputs(origin, config)
        if origin.model.tokenizer is not None:
            staged = replace(staged, of_tokenizer=_staged_tokenizer(origin, place / "tokenizer"))
        with hub_unasked(source), limited(source), ended_after(0):
            tokenizer = load_tokenizer(staged, staged.of_tokenizer or staged, config, use.texts, decodes=use.decodes)
        staged.require_unchanged()
        return staged, config, tokenizer


def _staged_tokenizer(origin: Origin, folder: Path) -> Staged:
    """The files of the tokenizer that the configuration names."""
    place = origin.of_tokenizer
    where = f"{origin.model.source}: tokenizer: "
    try:
        return Staged.of(place, folder, is_tokenizer=True)
    except SourceError as error:
        raise SourceError(f"{where}{error}") from error
    except Exception as error:
        of_hub = hub_failure(place, error)
        if of_hub is None:
            raise
        raise SourceError(f"{where}{place.model.source}: {of_hub}") from error


def _load(
    staged: Staged, config: Any, tokenizer: Any, device: str, offload: Path | None, with_head: bool
) -> LoadedModel:
    origin = staged.origin
    with hub_unasked(origin.model.source):
        weights = load_weights(staged, config, offload, with_head=with_head)
    if not origin.model.placement:
        weights.part.to(device)
        if weights.head is not None:
            weights.head.get_output_embeddings().to(device)
    return _ready(origin, weights, tokenizer, identity_of_listed(staged))


def _from_memory(origin: Origin) -> LoadedModel:
    """The caller's own model, where it is and as it is, but in evaluation mode."""
    found = in_memory.require(origin.model.source)
    found.require_unchanged()
    refuse_other_inputs(origin, found.model.config)
    require_offsets(found.tokenizer, origin.model.source)
    weights = weights_in_memory(origin.model.source, found.model, found.callers_code)
    return _ready(origin, weights, found.tokenizer, found.identity)


def _ready(origin: Origin, weights: Weights, tokenizer: Any, identity: str) -> LoadedModel:
    (weights.part if weights.head is None else weights.head).eval()
    return LoadedModel(
        module=weights.part,
        tokenizer=tokenizer,
        card=make_card(origin, weights, tokenizer, identity),
        base_model_prefix=".".join(name for name in (weights.whole.base_model_prefix, weights.path) if name),
        head=weights.head,
    )
