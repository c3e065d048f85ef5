"""torch and transformers, loaded without the searches for unused objects that take a sixth of the time."""

from __future__ import annotations

import gc


def load_libraries() -> None:
    """Load torch and what transformers needs for nearly any model.

    What they make stays, so that Python need not search it for unused objects meanwhile.

    Raises
    ------
    ModuleNotFoundError : one isn't installed.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        import torch  # noqa: F401 - importing is the point
        from transformers import masking_utils, modeling_utils  # noqa: F401
    finally:
        if was_enabled:
            gc.enable()
