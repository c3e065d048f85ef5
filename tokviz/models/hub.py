"""The model hub's address, what works without it, and a line while it is silent."""

from __future__ import annotations

import os
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tokviz.config import ModelConfig
from tokviz.errors import SourceError
from tokviz.models.location import is_whole_in_cache, locate
from tokviz.models.origin import Origin

PATIENCE_SECONDS = 4.0
"""So long the Hub may be silent before that is said; what is asked of it first are files of some kilobytes."""
WITHOUT_NETWORK = (
    "without a network, name a folder that holds the weights, set HF_HUB_OFFLINE=1 to use what has been downloaded before, or "
    "begin with the sample: tokviz init the-sample --template sample"
)


class Once:
    """Hands on the first line that it is given, and no other: the same of the Hub isn't said twice."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say: Callable[[str], None] | None = say

    def __call__(self, line: str) -> None:
        say, self._say = self._say, None
        if say is not None:
            say(line)


def try_to_connect(model: ModelConfig, base: Path, say: Callable[[str], None]) -> threading.Thread | None:
    """Find out meanwhile whether the Hub can be reached, if a model must come from there; where it can't, a line says so.

    Libraries take seconds to load before the Hub is asked for anything. Nothing is sent; behind a proxy nothing is tried.
    """
    try:
        if locate(model, base).kind != "hub" or is_whole_in_cache(model):
            return None
    except SourceError:
        return None
    if is_offline() or urllib.request.getproxies().get(_scheme()):
        return None
    thread = threading.Thread(target=_connect, args=[model.source, say], daemon=True)
    thread.start()
    return thread


def _connect(source: str, say: Callable[[str], None]) -> None:
    address = urlsplit(endpoint())
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname or "", port), PATIENCE_SECONDS).close()
    except (OSError, ValueError):
        say(_waiting(source))


def _scheme() -> str:
    return urlsplit(endpoint()).scheme


def endpoint() -> str:
    """The address of the Hub, as huggingface_hub reads it, found without the cost of importing it."""
    return os.environ.get("HF_ENDPOINT") or "https://huggingface.co"


def is_offline() -> bool:
    """Whether the environment forbids to ask the Hub."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


_offline_lock = threading.Lock()
_n_offline = 0
"""How many blocks are within ``offline``, in all threads."""
_was_offline: bool = False


@contextmanager
def offline() -> Iterator[None]:
    """Meanwhile huggingface_hub answers with an error instead of asking the Hub."""
    global _n_offline, _was_offline
    from huggingface_hub import constants

    with _offline_lock:
        if _n_offline == 0:
            _was_offline = constants.HF_HUB_OFFLINE
        _n_offline += 1
        constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        with _offline_lock:
            _n_offline -= 1
            if _n_offline == 0:
                constants.HF_HUB_OFFLINE = _was_offline


_no_kernels_lock = threading.Lock()
_n_without_kernels = 0
"""How many blocks are within ``kernels_unasked``, in all threads."""


@contextmanager
def kernels_unasked() -> Iterator[None]:
    """Meanwhile transformers takes the package ``kernels`` for one that isn't installed.

    Some types of models ask it for code of the Hub, or of the Hub's cache, as soon as their module is imported, others with their first
    pass, whatever their settings say.
    """
    global _n_without_kernels
    from transformers.integrations import hub_kernels  # noqa: F401 - as it is for those who ask for kernels themselves
    from transformers.utils import import_utils

    asked: Any = import_utils.is_kernels_available  # it keeps what it found, for all modules
    with _no_kernels_lock:
        if _n_without_kernels == 0:
            found = import_utils._is_package_available
            import_utils._is_package_available = lambda *_, **__: (False, "N/A")
            try:
                asked.cache_clear()
                asked()
            finally:
                import_utils._is_package_available = found
        _n_without_kernels += 1
    try:
        yield
    finally:
        with _no_kernels_lock:
            _n_without_kernels -= 1
            if _n_without_kernels == 0:
                asked.cache_clear()


def _waiting(source: str) -> str:
    return f"{source}: {endpoint()} has not answered yet; still waiting (Ctrl-C ends it; {WITHOUT_NETWORK})"


@contextmanager
def waiting_is_said(origin: Origin, say: Callable[[str], None] | None) -> Iterator[None]:
    """Within the block small files are asked of the Hub: if that takes long, a line says so, once; it goes on waiting."""
    if say is None or origin.location.kind != "hub" or is_offline():
        yield
        return
    timer = threading.Timer(PATIENCE_SECONDS, say, [_waiting(origin.model.source)])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
