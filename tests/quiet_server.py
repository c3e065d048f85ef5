"""A server of the tests: one that asks it may go away meanwhile."""

from __future__ import annotations

import sys
from http.server import ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """Says nothing of connections that were closed early, which would stand in what a test reads of standard error."""

    request_queue_size = 128
    """A page's requests come all at once, each on a connection of its own: on a busy machine a short queue refuses some."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
