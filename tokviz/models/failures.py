"""An error that a library raised while loading → one line that says what to do."""

from __future__ import annotations

import importlib.metadata
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tokviz.config import ModelConfig
from tokviz.errors import ModelError, SourceError, TokvizError
from tokviz.models.files import INDEX, is_setting
from tokviz.models.gguf_file import parsed_once
from tokviz.models.hub import WITHOUT_NETWORK, endpoint, is_offline, kernels_unasked, offline
from tokviz.models.location import files_like
from tokviz.models.origin import Origin
from tokviz.models.quiet import quiet_transformers
from tokviz.text import one_line

_FOLDERS = re.compile(r"(?<![\w./])/(?!/)(?:[^\s/'\"]+/)+")
"""The folders of an absolute path; an address and a hub id have none."""
_PANIC = "PanicException"
"""What an error of Rust's becomes in Python, which isn't an ``Exception``."""
_NOT_MADE = (AttributeError, TypeError, KeyError, IndexError, NotImplementedError, AssertionError, ZeroDivisionError)
"""What transformers' own code raises where it can't make a model from its config; a damaged file raises others."""


_MOST_LOOKED_AT, _MOST_BYTES = 20, 10_000_000
"""Files of settings, and bytes of one, that are searched for brackets within each other."""


@contextmanager
def failing_alone(source: str) -> Iterator[None]:
    """Whatever a model's files make of a library or of tokviz meanwhile is that model's failure.

    Raises
    ------
    TokvizError : as within the block. ModelError : any other error, but for an interruption.
    """
    try:
        yield
    except TokvizError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            raise
        what = said(error, None, None)
        line = (
            f"expected a model whose words go through it, got {what} on the way; choose another model, or report this"
        )
        if isinstance(error, MemoryError):
            line = f"expected words that go through it in the memory that is free, got {what}; free some, or ask for fewer words"
        raise ModelError(f"{source}: {line}") from error


@contextmanager
def explained(origin: Origin, staged: Path) -> Iterator[None]:
    """What the libraries raise meanwhile becomes a ``SourceError`` in plain words; they say little, ask for no kernels, and parse a GGUF file once.

    ``staged``: the folder that they are given.
    """
    with quiet_transformers(), kernels_unasked(), parsed_once() if origin.gguf_file else nullcontext():
        try:
            yield
        except SourceError:
            raise
        except Exception as error:
            raise SourceError(_explain(origin, staged, error)) from error
        except BaseException as error:
            if type(error).__name__ != _PANIC:
                raise
            raise SourceError(_explain(origin, staged, RuntimeError(str(error)))) from error


def _explain(origin: Origin, staged: Path, error: Exception) -> str:
    """Describe ``error`` in one line for the user; the caller keeps it as the cause."""
    from huggingface_hub.errors import StrictDataclassError

    source, text = origin.model.source, said(error, origin.path, staged)
    of_hub = hub_failure(origin, error)
    if of_hub is not None:
        return f"{source}: {of_hub}"
    nested = too_nested(error, origin.path)
    if nested is not None:
        return f"{source}: {nested}"
    if isinstance(error, ImportError):
        return f"{source}: loading needs a package that isn't installed here: {text}"
    if isinstance(error, (*_NOT_MADE, StrictDataclassError)):
        return (
            f"{source}: transformers {importlib.metadata.version('transformers')} can't make the model from its config.json "
            f"({text}); check that the file is this model's, or choose another model"
        )
    if isinstance(error, MemoryError):
        return (
            f"{source}: expected a model that can be made in the memory that is free, got one that takes more; check config.json and "
            "tokenizer_config.json for numbers that no model has, or free some memory"
        )
    remedy = "choose another model" if isinstance(error, RuntimeError) else "check that the files are whole"
    return f"{source}: expected files that a model can be loaded of, got {text}; {remedy}"


def too_nested(error: Exception, path: Path | None) -> str | None:
    """Which file holds brackets within each other that Python's reader gave up on; None for any other error."""
    if not isinstance(error, RecursionError) or (path is not None and path.is_file()):  # GGUF has no brackets
        return None
    files = files_like(path, ("*.json",)) if path is not None else []
    read = [file for file in files if is_setting(file.name) or file.name == INDEX]
    few = read[:_MOST_LOOKED_AT]  # nothing limits what is done for the message
    named = next((one_line(file.name) for file in few if _is_too_nested(file)), "its files")
    return f"expected at most some hundred brackets within each other, got more in {named}; fetch the files again"


def _is_too_nested(file: Path) -> bool:
    try:
        if file.stat().st_size > _MOST_BYTES:
            return False
        json.loads(file.read_bytes())
    except RecursionError:
        return True
    except (OSError, ValueError):
        return False
    return False


def hub_failure(origin: Origin, error: Exception) -> str | None:
    """Why the Hub didn't give what was asked of it; None where it was not the Hub."""
    if origin.path is not None:
        return None
    causes = list(causes_of(error))
    found = (each(origin.model, causes) for each in (_refused_by_hub, _out_of_reach))
    return next((line for line in found if line is not None), None)


def _refused_by_hub(model: ModelConfig, causes: Sequence[BaseException]) -> str | None:
    from huggingface_hub import errors

    if _any_of(causes, errors.GatedRepoError):
        return (
            f"the model is gated; accept its terms at {endpoint()}/{model.source}, then log in with hf auth login, or set "
            "HF_TOKEN to a token that may read it"
        )
    if _any_of(causes, errors.RevisionNotFoundError):
        return f"expected a commit, branch or tag, got revision {_revision(model)}, which the Hub doesn't know"
    if _any_of(causes, errors.RepositoryNotFoundError):
        return (
            "expected a folder or a model on the Hub, found neither; check the spelling, "
            "and log in with hf auth login, or set HF_TOKEN, if the model is private"
        )
    return None


def not_downloaded(model: ModelConfig) -> str:
    """What is said of a model that must come from the Hub, where the environment forbids to ask it."""
    return (
        f"expected the model in the local Hugging Face cache at revision {_revision(model)}, found it "
        "missing or incomplete, and HF_HUB_OFFLINE forbids downloads; unset it for one run, or name a folder"
    )


def _out_of_reach(model: ModelConfig, causes: Sequence[BaseException]) -> str | None:
    if is_offline() and _any_of(causes, OSError):
        return not_downloaded(model)
    if _can_not_connect(causes):
        return (
            "expected a folder or a model on the Hub, found no such folder and can't reach the Hub; "
            f"check the spelling and the connection; {WITHOUT_NETWORK}"
        )
    return None


@contextmanager
def hub_unasked(source: str) -> Iterator[None]:
    """Meanwhile libraries can't ask the Hub: what is listed of a model is here, and its settings may name anything else.

    Raises
    ------
    SourceError : one tried.
    """
    from huggingface_hub.errors import OfflineModeIsEnabled

    with offline():
        try:
            yield
        except Exception as error:
            if not _any_of(list(causes_of(error)), OfflineModeIsEnabled):
                raise
            raise SourceError(
                f"{source}: expected a model of its own files alone, got one whose settings ask the Hub for another one's; "
                "choose another model"
            ) from error


def is_out_of_reach(error: BaseException) -> bool:
    """Whether an error means that the Hub can't be reached."""
    return _can_not_connect(list(causes_of(error)))


def _can_not_connect(causes: Sequence[BaseException]) -> bool:
    from huggingface_hub import errors

    kinds = {kind.__name__ for cause in causes for kind in type(cause).__mro__}
    is_of_client = not kinds.isdisjoint(("ConnectError", "TimeoutException"))  # its library has changed its name before
    return is_of_client or _any_of(
        causes, errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, ConnectionError, TimeoutError
    )


def _revision(model: ModelConfig) -> str:
    return repr(model.revision or "main")


def _any_of(causes: Sequence[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(cause, kinds) for cause in causes)


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """The error itself and those that led to it, latest first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__


def said(error: BaseException, path: Path | None, staged: Path | None) -> str:
    """What a library's error says, in one line without this machine's folders; its type's name where it says nothing.

    ``path``: of the source; ``staged``: the folder that libraries are given in its place.
    """
    text = " ".join(str(error).split())
    # Failures are shown in the published report, which must not name this machine's folders.
    text = text if staged is None else text.replace(str(staged), "…")
    for folder, name in ((path, path.name), (path.parent, "…")) if path is not None else ():
        if folder.name:  # else it is "." or "/", which stand elsewhere, too
            text = re.sub(rf"(?<![\w./\\-]){re.escape(str(folder))}(?![\w-])", name.replace("\\", r"\\"), text)
    text = _FOLDERS.sub("…/", text)
    return f"{type(error).__name__}: {one_line(text)}" if text else type(error).__name__
