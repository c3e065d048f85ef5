"""The caller's own code in a loaded model: said where it is why the model can't be run, or may be."""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import CodeType
from typing import Any

from tokviz.errors import CaptureError, ModelError
from tokviz.models import in_memory
from tokviz.models.fingerprint import own_hooks, some_hooks
from tokviz.text import error_line

_LIBRARIES = {"accelerate", "tokviz", "torch", "transformers", *sys.stdlib_module_names}
_INSTALLED = {"site-packages", "dist-packages"}


@contextmanager
def callers_code_blamed(model: Any, *, without_cause: bool = False) -> Iterator[None]:
    """Errors within the block name the caller's code that raised them, or may have led to them.

    Parameters
    ----------
    without_cause : whether an error that isn't another's consequence may have to do with the caller's code, too: while the
        model is tried, for the first time.
    """
    try:
        yield
    except ModelError as error:
        is_told = isinstance(error.__cause__, ModelError) or (error.__cause__ is None and not without_cause)
        blamed = None if is_told else _blamed(error, model)
        if blamed is None:
            raise
        raise CaptureError(f"{type(model).__name__}: {blamed}") from error


def callers_code_blamed_of(source: str) -> AbstractContextManager[None]:
    """The same by a source, which may be of a model that the caller has loaded."""
    found = in_memory.find(source)
    return callers_code_blamed(found.model) if found else nullcontext()


def _blamed(error: ModelError, model: Any) -> str | None:
    """What to say; None where the model has no code of the caller's."""
    cause = error.__cause__
    frames = traceback.walk_tb(cause.__traceback__) if cause else ()
    own = [(frame.f_code, line) for frame, line in frames if not _is_of_library(frame.f_globals, frame.f_code)]
    if own:
        code, line = own[-1]
        return (
            f"{code.co_name}, in line {line} of {Path(code.co_filename).name}, raised {error_line(cause or error)}; correct or "
            "remove it"
        )
    for what, named in (
        ("forward hooks of the caller’s own", own_hooks(model)),
        ("a forward of the caller’s own", own_forwards(model)),
    ):
        if named:
            said = error_line(cause) if cause else str(error).replace("; this kind of model can't be captured", "")
            return f"{said}; it ran with {what} ({some_hooks(named)}): try without"
    return None


def own_forwards(model: Any) -> tuple[str, ...]:
    """What the caller has put in the place of modules' ``forward``, as ``patched at model.layers.0``."""
    found = []
    for path, module in model.named_modules():
        forward = vars(module).get("forward")
        while isinstance(forward, functools.partial):
            forward = forward.func
        package = str(getattr(forward, "__module__", "")).partition(".")[0]
        if forward is not None and package not in _LIBRARIES:
            name = getattr(forward, "__qualname__", type(forward).__qualname__)
            found.append(f"{name} at {path or type(module).__name__}")
    return tuple(found)


def _is_of_library(values: dict[str, Any], code: CodeType) -> bool:
    package = str(values.get("__name__", "")).partition(".")[0]
    return package in _LIBRARIES or not _INSTALLED.isdisjoint(Path(code.co_filename).parts)
