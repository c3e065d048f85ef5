"""A stand-in of the model hub: one server of this machine that huggingface_hub asks in place of the real one."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from unittest import mock

import huggingface_hub.constants
import huggingface_hub.hf_api
from quiet_server import Server
from transformers.utils import hub as transformers_hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_of_a_test"


@dataclass
class Hub:
    """What the stand-in has, and what it was asked."""

    address: str = ""
    models: dict[str, Path] = field(default_factory=dict)
    """Id → the folder of its files."""
    revisions: dict[str, dict[str, Path]] = field(default_factory=dict)
    """Id → branch → the folder of its files there."""
    moved: dict[str, str] = field(default_factory=dict)
    """Branch → the one that it is now equal to."""
    gated: set[str] = field(default_factory=set)
    """Ids that only ``TOKEN`` opens."""
    may_answer: threading.Event = field(default_factory=threading.Event)
    cut: str | None = None
    """The file of which half is sent, and the rest when ``may_answer`` is set again."""
    lost: set[str] = field(default_factory=set)
    """Files that are listed, and can't be had."""
    is_cut: threading.Event = field(default_factory=threading.Event)
    """Whether that half has been sent."""
    asked: list[str] = field(default_factory=list)

    def found(self, name: str, revision: str) -> tuple[str, Path] | None:
        """Commit and folder of a branch or a commit; None where there is no such model."""
        if name in self.models:
            return COMMIT, self.models[name]
        asked = self.moved.get(revision, revision)
        for branch, folder in self.revisions.get(name, {}).items():
            if asked in (branch, commit_of(branch)):
                return commit_of(branch), folder
        return None


def commit_of(branch: str) -> str:
    """Of a branch of ``Hub.revisions``."""
    return hashlib.sha1(branch.encode(), usedforsecurity=False).hexdigest()


@contextmanager
def served(cache: Path) -> Iterator[Hub]:
    """The stand-in, with an empty ``cache`` for what is fetched from it."""
    hub = Hub()
    hub.may_answer.set()
    handler = type("Handler", (_Handler,), {"hub": hub})
    with Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        hub.address = f"http://127.0.0.1:{server.server_port}"
        with asked_in_place(hub.address, cache):
            try:
                yield hub
            finally:
                hub.may_answer.set()
                server.shutdown()


@contextmanager
def asked_in_place(address: str, cache: Path) -> Iterator[None]:
    """As if ``HF_ENDPOINT`` and ``HF_HUB_CACHE`` had been set before huggingface_hub was imported."""
    values: dict[str, Any] = {
        "ENDPOINT": address,
        "HUGGINGFACE_CO_URL_TEMPLATE": f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}",
        "HF_HUB_CACHE": str(cache),
        "HF_HUB_OFFLINE": False,
    }
    environment = {"HF_ENDPOINT": address, "HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": ""}
    clients = [
        huggingface_hub.hf_api.api,
        *([transformers_hub.hf_api()] if hasattr(transformers_hub, "hf_api") else []),
    ]
    with (
        mock.patch.multiple(huggingface_hub.constants, **values),
        mock.patch.dict("os.environ", environment),
        ExitStack() as patched,
    ):
        for client in clients:  # they have read the address
            patched.enter_context(mock.patch.object(client, "endpoint", address))
        yield


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_GET(self) -> None:
        self._answer(with_content=True)

    def do_HEAD(self) -> None:
        self._answer(with_content=False)

    def _answer(self, *, with_content: bool) -> None:
        if "org/" in self.path:  # huggingface_hub has questions of its own
            self.hub.asked.append(self.path)
        self.hub.may_answer.wait(60)
        name, _, place = self.path.lstrip("/").partition("/resolve/")
        revision, _, path = place.partition("/")
        commit, folder = self.hub.found(name, revision) or (COMMIT, None)
        token = self.headers.get("Authorization", "")
        if name.startswith("api/"):
            self._list(name.removeprefix("api/models/").partition("?")[0], with_content)
        elif folder is None:
            self._refuse(401, "RepoNotFound", with_content)
        elif name in self.hub.gated and token != f"Bearer {TOKEN}":
            self._refuse(403 if token else 401, "GatedRepo", with_content)
        elif path in self.hub.lost:
            self._send(500, {}, b"", with_content)
        elif not (found := folder / path).is_file():
            self._refuse(404, "EntryNotFound", with_content, commit)
        else:
            headers = {"ETag": f'"{commit[:8]}-{found.name}"', "X-Repo-Commit": commit}
            self._send(200, headers, found.read_bytes(), with_content, is_cut=path == self.hub.cut)

    def _list(self, path: str, with_content: bool) -> None:
        """The files of a commit."""
        name, _, commit = path.partition("/tree/")
        found = self.hub.found(name, commit)
        if found is None:
            self._refuse(404, "EntryNotFound", with_content)
            return
        files = [
            {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": file.name}
            for file in found[1].iterdir()
        ]
        self._send(200, {"X-Repo-Commit": found[0]}, json.dumps(files).encode(), with_content)

    def _refuse(self, code: int, kind: str, with_content: bool, commit: str = COMMIT) -> None:
        self._send(code, {"X-Error-Code": kind, "X-Repo-Commit": commit}, b"", with_content)

    def _send(
        self, code: int, headers: dict[str, str], content: bytes, with_content: bool, *, is_cut: bool = False
    ) -> None:
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_content and is_cut:
            half = len(content) // 2
            self.wfile.write(content[:half])
            self.hub.may_answer.clear()
            self.hub.is_cut.set()
            self.hub.may_answer.wait(60)
            content = content[half:]
        if with_content:
            with suppress(ConnectionError):  # whoever asked may have been killed
                self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""
