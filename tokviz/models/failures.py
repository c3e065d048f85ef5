"""What a library raised while loading → one line that says what to do."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tokviz.config import ModelConfig
from tokviz.models.location import Location

_FOLDERS = re.compile(r"(?<![\w./])/(?!/)(?:[^\s/'\"]+/)+")
"""The folders of an absolute path; an address and a hub id have none."""


def explain(model: ModelConfig, location: Location, error: Exception) -> str:
    """One line for the person at the keyboard; ``error`` is kept as the cause by the caller."""
    return (_explain_hub(model, error) if location.path is None else None) or (
        f"{model.source}: loading failed: {_one_line(error, location.path)}"
    )


def _explain_hub(model: ModelConfig, error: Exception) -> str | None:
    from huggingface_hub import errors

    source, revision = model.source, model.revision or "main"
    causes = list(_causes(error))

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if caused_by(errors.GatedRepoError):
        return (
            f"{source}: the model is gated; accept its terms at https://huggingface.co/{source}, "
            "then set HF_TOKEN to a token that may read it"
        )
    if caused_by(errors.RevisionNotFoundError):
        return f"{source}: expected a commit, branch or tag, got revision {revision!r}, which the Hub doesn't know"
    if caused_by(errors.RepositoryNotFoundError):
        return (
            f"{source}: expected a folder or a model on the Hub, found neither; check the spelling, "
            "and set HF_TOKEN if the model is private"
        )
    if _is_offline():
        return (
            f"{source}: expected the model in the local Hugging Face cache at revision {revision!r}, found it missing "
            "or incomplete, and HF_HUB_OFFLINE forbids downloads; unset it for one run, or name a folder"
        )
    if caused_by(errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, ConnectionError, TimeoutError):
        return (
            f"{source}: expected a folder or a model on the Hub, found no such folder and can't reach the Hub; "
            "check the spelling or the connection, or name a folder that holds the weights"
        )
    if "safetensors" in str(error) and "does not appear to have a file" in str(error):
        return (
            f"{source}: expected safetensors weights on the Hub, found none; only safetensors and local .gguf files "
            "are read: convert the weights with the Hub's space safetensors/convert, or name a .gguf file"
        )
    return None


def _is_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__


def _one_line(error: Exception, path: Path | None) -> str:
    text = " ".join(str(error).split())
    # Failures stand in the published report, which must not tell of this machine's folders.
    if path is not None:
        text = text.replace(str(path), path.name).replace(str(path.parent), "…")
    text = _FOLDERS.sub("…/", text)
    return f"{type(error).__name__}: {text[:300]}"
