"""The model hub's address, what works without it, and a line while it is silent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tokviz.models.origin import Origin

PATIENCE_SECONDS = 4.0
"""So long the Hub may be silent before that is said; what is asked of it first are files of some kilobytes."""
WITHOUT_NETWORK = (
    "without a network, name a folder that holds the weights, set HF_HUB_OFFLINE=1 to use what has been downloaded before, or "
    "begin with the sample: tokviz init the-sample --template sample"
)


@contextmanager
def waiting_is_said(origin: Origin, say: Callable[[str], None] | None) -> Iterator[None]:
    """Within the block small files are asked of the Hub: if that takes long, a line says so, once; it goes on waiting."""
    if say is None or origin.location.kind != "hub":
        yield
        return
    line = (
        f"{origin.model.source}: {endpoint()} has not answered yet; still waiting (Ctrl-C ends it; {WITHOUT_NETWORK})"
    )
    timer = threading.Timer(PATIENCE_SECONDS, say, [line])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def endpoint() -> str:
    """The address of the Hub, which ``HF_ENDPOINT`` sets."""
    from huggingface_hub import constants

    return constants.ENDPOINT
