"""A site on a local server that does as GitHub Pages does: under a sub-path, text compressed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

PREFIX = "/some/report/"
"""Sites on GitHub Pages stand under the name of their repository."""
COMPRESSED = {".html", ".css", ".js", ".json", ".csv", ".svg"}


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The site's address."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            file = site / self.path.partition("?")[0].partition("#")[0].removeprefix(PREFIX)
            file = file / "index.html" if file.is_dir() else file
            if not self.path.startswith(PREFIX) or not file.is_file():
                self.send_error(404)
                return
            content = file.read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", self.guess_type(file))
            self.send_header("Cache-Control", "max-age=600")
            if file.suffix in COMPRESSED:
                content = gzip.compress(content)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(ConnectionError):  # Lighthouse may have seen enough
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
        server.shutdown()
