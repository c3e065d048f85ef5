"""A local server that makes the report again when something it depends on changes, and reloads open pages.

    tokviz serve [--config report.toml] [--output site] [--port 8000] [any option of tokviz build]

Each report is made by the command in a process of its own, so that changed Python code counts too. What makes pages
reload is added by the server; nothing of it is written to the site.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from email.message import Message
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Annotated, Any, BinaryIO
from urllib.parse import unquote

import typer

from tokviz.bundled import IS_INSTALLED, PACKAGE, TEMPLATES
from tokviz.config import exists, expanded, install, read_toml
from tokviz.errors import ConfigError, PublishError
from tokviz.reloading import AGAIN, ANEW, NO_PAGE, NONE_YET
from tokviz.run.publishing import manifest
from tokviz.run.store import disk
from tokviz.text import texts_within

SCRIPT = PACKAGE.parent / "generate.py"
"""The command of a checkout."""
CODE = (TEMPLATES, PACKAGE) if IS_INSTALLED else (TEMPLATES, PACKAGE, SCRIPT)
COMMAND = ("-P", "-m", "tokviz", "build") if IS_INSTALLED else (str(SCRIPT),)
"""``-P``: a folder in the current one isn't taken for the program, whatever its name."""
RELOAD = "/.reload/"
"""Addresses below it are scripts that ask again each second, until the page that they stand in is out of date."""
NO_SITE = "0"
"""The version where no site stands."""
TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""Browsers take scripts and styles of no other type, and what the machine says of them may be wrong or missing."""
WHO_ASKS = ("Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Origin")
"""Headers that a page can't set itself."""


class SiteServer(ThreadingHTTPServer):
    """Serves a folder on this machine only."""

    problem = ""
    """Why the report couldn't be made, as pages show it."""
    early: SiteServer | None = None
    """Of a first look at the next report, which stands beside the one of this server."""
    instead = ""
    """The address to go to while there is no report."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        super().__init__(("127.0.0.1", port), partial(_Handler, directory=str(folder)))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    @property
    def version(self) -> str:
        """Of the site, as it is now: it changes with each site that is put in place, a first look too."""
        try:
            return str((self.folder / manifest.PATH).stat().st_mtime_ns)
        except OSError:
            return NO_SITE

    def is_own(self, hosts: Sequence[str]) -> bool:
        """Whether a request with these ``Host`` headers was meant for this server.

        A page of another host whose name is made to lead here (DNS rebinding) sends that host's name.
        """
        port = "(:80)?" if self.server_port == 80 else f":{self.server_port}"
        return len(hosts) == 1 and bool(re.fullmatch(rf"(localhost|127\.0\.0\.1|\[::1\]){port}", hosts[0].lower()))

    def may_read(self, headers: Message) -> bool:
        """Whether the report's own pages ask, or someone goes to one: pages of other sites could run its data as a script.

        The resource isolation policy of https://web.dev/articles/fetch-metadata. What comes through a proxy has the proxy's
        origin; of a browser that doesn't say from where it asks, an origin is all that is known.
        """
        if any(len(headers.get_all(name, [])) > 1 for name in WHO_ASKS):
            return False
        site, mode, destination, origin = (headers.get(name) for name in WHO_ASKS)
        if site is None:
            return origin is None or self._is_own_origin(origin)
        if site in ("cross-site", "same-site"):  # another port of this machine is the same site
            return mode == "navigate" and destination not in ("object", "embed")
        return site in ("same-origin", "none")

    def _is_own_origin(self, origin: str) -> bool:
        scheme, _, host = origin.partition("://")
        return scheme == "http" and self.is_own([host])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that hangs up before it has all of a file."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(SimpleHTTPRequestHandler):
    server: SiteServer
    default_request_version = "HTTP/1.0"
    """What a request without one is taken for: an answer to an older one has no headers."""
    extensions_map = SimpleHTTPRequestHandler.extensions_map | TYPES

    def send_head(self) -> BinaryIO | None:
        """Send status and headers, of GET and HEAD alike; what is to follow, or None when all is sent."""
        if problem := self._problem():
            return self._refuse(HTTPStatus.FORBIDDEN, problem)
        path = self.path.partition("?")[0]
        if path.startswith(RELOAD):
            return self._answer(self._script(path).encode(), "text/javascript")
        try:
            return self._send_file(path)
        except (FileNotFoundError, RuntimeError):  # the latter: links that lead to each other
            if not exists(Path(self.directory) / "index.html"):
                return self._answer_without_site()
            return self._answer_missing(path)
        except (OSError, ValueError):  # too long, or with a character that no file's name has
            return self._refuse(HTTPStatus.BAD_REQUEST, "expected the path of a file in the site")

    def _problem(self) -> str | None:
        """Why this request gets nothing, or None where it may."""
        address = self.server.address
        if not self.server.is_own(self.headers.get_all("Host", [])):
            return f"expected a request to {address}, got another host"
        if not self.server.may_read(self.headers):
            return f"expected a request from the report's own pages, got one from another site; open {address} itself"
        return None

    def _send_file(self, path: str) -> BinaryIO | None:
        file = self._file(path)
        if file.suffix != ".html":
            return super().send_head()
        return self._answer_page(file.read_bytes())

    def _answer_page(self, content: bytes, status: HTTPStatus = HTTPStatus.OK) -> BinaryIO:
        """With what makes it reload."""
        script = f'<script src="{RELOAD}{self.server.version}.js" defer></script>\n</body>'
        return self._answer(content.replace(b"</body>", script.encode()), "text/html", status)

    def _file(self, path: str) -> Path:
        """What is asked for: a file, or a folder whose page stands at the same path with a slash at its end.

        Raises
        ------
        FileNotFoundError : there is nothing to show: a folder has no listing, a symbolic link may lead out of the site, and what is
            hidden (``.git``) is no page's.
        ValueError, OSError : no file can have that path.
        """
        if not path.startswith("/") or "\0" in unquote(path):
            raise ValueError(path)
        root = Path(self.directory).resolve()
        named = Path(self.translate_path(path))
        file = named.resolve()
        page = file / "index.html"
        if file.is_dir() and page.is_file():
            file = page.resolve() if path.endswith("/") else file
        elif not file.is_file():
            raise FileNotFoundError(path)
        if not file.is_relative_to(root) or _is_hidden(named, Path(self.directory)) or _is_hidden(file, root):
            raise FileNotFoundError(path)
        return file

    def _answer(self, content: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> BinaryIO:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return BytesIO(content)

    def _script(self, path: str) -> str:
        """What makes a page ask again, or load itself anew; ``path``: of the script that asks."""
        if path != f"{RELOAD}{self.server.version}.js":
            return ANEW
        early = self.server.early
        # An older one is a look at the report that stands here by now.
        is_next = early is not None and int(early.version) > int(self.server.version)
        address = early.address if early and is_next else ""
        return AGAIN % {"path": path, "problem": json.dumps(self.server.problem), "early": json.dumps(address)}

    def _answer_missing(self, path: str) -> BinaryIO:
        if path.endswith(("/", ".html")):
            return self._answer_page(NO_PAGE.encode(), HTTPStatus.NOT_FOUND)
        return self._refuse(HTTPStatus.NOT_FOUND, "no such file in the site")

    def _answer_without_site(self) -> BinaryIO:
        if not self.server.instead:
            return self._answer_page(NONE_YET.encode(), HTTPStatus.SERVICE_UNAVAILABLE)
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", self.server.instead.rstrip("/") + self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return BytesIO()

    def _refuse(self, status: HTTPStatus, line: str) -> BinaryIO:
        return self._answer(f"{line}\n".encode(), "text/plain", status)

    def end_headers(self) -> None:
        """Every answer, that to a malformed request too, is for the report's own pages and as what it is sent."""
        self.send_header("Cache-Control", "no-store")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing of what is asked."""


def _is_hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


# --- making the report -------------------------------------------------------------------------------------------


def make(arguments: list[str]) -> str | None:
    """Run the command, whose words go to standard error; why there is no new site, or None where there is one.

    Code that does not run shows a traceback, of which only the last line is said.
    """
    command = [sys.executable, *COMMAND, *arguments]
    errors: list[str] = []
    last, in_traceback = "", False
    # Not waited for where a signal strikes: it gets the signal, too, and what is ours is tidied up meanwhile.
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace"
    )
    assert run.stdout is not None
    with run.stdout as said:
        for line in said:
            in_traceback = in_traceback or bool(re.match(r"\W*Traceback \(|  File ", line))
            last = line.strip() or last
            if not in_traceback:
                print(line, end="", file=sys.stderr, flush=True)
                if errors or line.startswith("error: "):
                    errors.append(line)
    run.wait()
    if in_traceback:
        errors = [f"error: {last}"]
        print(errors[0], file=sys.stderr, flush=True)
    made = run.returncode in (0, 3)  # 3: the report stands, but a model failed
    return None if made else "".join(errors).strip() or f"error: {last}"


# --- what is watched ---------------------------------------------------------------------------------------------


def watched(config: Path, arguments: Sequence[str] = ()) -> set[Path]:
    """The config, the files that it or the command names (words, introduction, notes), and the folders and files of the program."""
    try:
        _, values = read_toml(config)
    except ConfigError:
        values = {}  # the command says what is wrong with it
    named = [config.parent / expanded(text) for text in texts_within(values)]
    named += [expanded(part) for each in arguments for part in (each, each.partition("=")[2]) if part]
    return {path.absolute() for path in (config, *CODE, *(path for path in named if exists(path) and path.is_file()))}


def _folders(paths: set[Path]) -> set[Path]:
    """Folders to watch, each without those below it: a config may stand beside a large cache.

    An editor that saves a file puts another in its place, so that the file itself can't be watched.
    """
    whole = {path for path in paths if _is_folder(path)}
    below = {folder for path in whole for folder in path.rglob("*") if folder.is_dir()}
    folders = whole | below | {path.parent for path in paths - whole}
    return {folder for folder in folders if _is_folder(folder) and folder.name != "__pycache__"}


def _is_folder(path: Path) -> bool:
    return exists(path) and path.is_dir()


def _is_of(path: Path, paths: set[Path]) -> bool:
    return path in paths or (path.suffix != ".pyc" and any(parent in paths for parent in path.parents))


# --- the command -------------------------------------------------------------------------------------------------


def serve(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="The report's configuration.")] = Path("report.toml"),
    output: Annotated[Path, typer.Option(help="The site's folder.")] = Path("site"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8000,
) -> None:
    """Show the report at a local address; make it again when its config, notes, templates or the program change.

    Takes the models and options of `build`, too. Pages of other sites may lead to the report, or show it in a frame, but read nothing of it.
    """
    config, output = expanded(config), expanded(output)
    if importlib.util.find_spec("watchfiles") is None:
        print(f"error: watchfiles is not installed; {install('serve')}", file=sys.stderr)
        raise typer.Exit(1)
    try:
        disk.placed(output)
    except PublishError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    # The report says by which command it was made, so defaults are not spelled out.
    given = {"--config": (config, Path("report.toml")), "--output": (output, Path("site"))}
    arguments = [word for name, (path, usual) in given.items() if path != usual for word in (name, str(path))]
    arguments += context.args
    try:
        server = SiteServer(output, port)
    except OSError as error:
        print(f"error: port {port}: {error.strerror}; choose another with --port", file=sys.stderr)
        raise typer.Exit(1) from None
    folder = TemporaryDirectory(prefix="tokviz-")
    server.early = SiteServer(Path(folder.name, "site"), 0)
    server.early.instead = server.address
    for each in (server, server.early):
        Thread(target=each.serve_forever, daemon=True).start()
    print(
        f"{disk.shown_path(output)} at {server.address}, made again when something changes; Ctrl-C ends it", flush=True
    )
    with folder, suppress(KeyboardInterrupt):
        while True:
            _watch(config, [*arguments, "--early-in", str(server.early.folder)], server)


def _watch(config: Path, arguments: list[str], server: SiteServer) -> None:
    """Make the report, and again at each change, until there are other files to watch."""
    from watchfiles import watch

    paths = watched(config, arguments)
    folders = _folders(paths)
    due = True
    # The first set comes at once and is empty; from then on, what changes while the report is made is kept.
    for changed in watch(*folders, recursive=False, watch_filter=None, rust_timeout=200, yield_on_timeout=True):
        if due or any(_is_of(Path(path), paths) for _, path in changed):
            due = False
            server.problem = make(arguments) or ""
            if server.early is not None:
                shutil.rmtree(server.early.folder, ignore_errors=True)
        if watched(config, arguments) != paths or _folders(paths) != folders:
            return


if __name__ == "__main__":
    application = typer.Typer(add_completion=False)
    application.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(serve)
    application()
