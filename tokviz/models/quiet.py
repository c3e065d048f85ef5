"""Transformers without its progress bars and warnings; the notes of the model card say what matters."""

from __future__ import annotations

import logging as library_logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Silence transformers and its dependencies, and restore their settings at the end; the Hub's download bars stay."""
    from transformers import utils

    others = [library_logging.getLogger(name) for name in ("huggingface_hub", "accelerate")]
    levels = [other.level for other in others]

    logging: Any = utils.logging  # half of its functions are untyped
    verbosity, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(library_logging.CRITICAL)  # errors hold what a model's files say, as it is
    logging.disable_progress_bar()
    for other in others:
        other.setLevel(library_logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        for other, level in zip(others, levels, strict=True):
            other.setLevel(level)
        if had_bars:
            logging.enable_progress_bar()
