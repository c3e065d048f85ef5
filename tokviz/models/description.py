"""What a source is and whether it can be captured, found out without reading its weights."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from tokviz.config import ModelConfig, install
from tokviz.errors import SourceError
from tokviz.models.failures import explained, hub_unasked
from tokviz.models.hub import Once, try_to_connect
from tokviz.models.loading import check, one_at_a_time, staged_and_read
from tokviz.models.location import snapshot, weights_files
from tokviz.models.opened import signature
from tokviz.models.origin import Origin
from tokviz.models.weights import without_weights


@dataclass(frozen=True, kw_only=True)
class Description:
    """What can be told of a source before a run."""

    kind: Literal["hub", "folder", "gguf", "package", "memory"] | None
    """None where there is nothing at that place."""
    is_here: bool = True
    """Whether its weights are on this machine; those of a hub model may have to be downloaded."""
    n_bytes: int | None = None
    """Of the files with weights."""
    architecture: str | None = None
    n_layers: int | None = None
    width: int | None = None
    n_parameters: int | None = None
    """All four are of the part that words pass through."""
    problem: str | None = None
    """Why it can't be captured, as far as that can be known before its weights are read."""


def describe(model: ModelConfig, base: Path, say: Callable[[str], None] | None = None) -> Description:
    """Look at a source: its files, its config and its tokenizer, which of a hub model are downloaded if they aren't here.

    Some files end the process that reads with them: whoever goes on with other models asks in one of its own.

    Parameters
    ----------
    base : the config's folder.
    say : takes the line that is said where the Hub is waited for.
    """
    try:
        origin = Origin.of(model, base)
    except SourceError as error:
        return Description(kind=None, problem=str(error))
    found = _files(origin)
    if say is not None:
        say = Once(say)
        try_to_connect(model, base, say)
    try:
        check(model, base)
        require_packages(model)
        return _with_architecture(origin, found, say)
    except SourceError as error:
        return replace(found, problem=str(error))


def require_packages(model: ModelConfig) -> None:
    """Raise ``SourceError`` where torch and transformers can't load any model, without importing them."""
    try:
        are_here = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
    except ModuleNotFoundError:
        are_here = False
    if not are_here:
        raise SourceError(f"{model.source}: torch and transformers are not installed; {install('models')}")


def _files(origin: Origin) -> Description:
    path = origin.path or snapshot(origin.model)
    try:
        files = weights_files(path) if path and path.exists() else []
    except OSError:  # ``check`` says why
        files = []
    n_bytes = sum(size for _, _, size, *_ in signature(files).values())
    return Description(kind=origin.location.kind, is_here=bool(files), n_bytes=n_bytes if files else None)


def _with_architecture(origin: Origin, found: Description, say: Callable[[str], None] | None) -> Description:
    """The same with what transformers makes of the config; raises ``SourceError``, as ``load`` does."""
    with one_at_a_time, tempfile.TemporaryDirectory(prefix="tokviz-listed-") as folder, explained(origin, Path(folder)):
        staged, config, _ = staged_and_read(origin, Path(folder), say)
        with hub_unasked(origin.model.source):
            part: Any = without_weights(staged, config)
    return replace(
        found,
        architecture=type(part).__name__,
        n_layers=part.config.num_hidden_layers,
        width=part.config.hidden_size,
        n_parameters=sum(parameter.numel() for parameter in part.parameters()),
    )
