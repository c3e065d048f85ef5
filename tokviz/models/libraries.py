"""torch and transformers, loaded without the searches for unused objects that take a sixth of the time."""

from __future__ import annotations

import gc
from importlib import import_module

_MODULES = ("torch", "transformers.modeling_utils", "transformers.masking_utils")
"""With what they load, nearly all that any model needs."""


def load_libraries() -> None:
    """Load torch and transformers; what they make stays, so that Python need not search it for unused objects meanwhile.

    Raises
    ------
    ModuleNotFoundError : one isn't installed.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for module in _MODULES:
            import_module(module)
    finally:
        if was_enabled:
            gc.enable()
