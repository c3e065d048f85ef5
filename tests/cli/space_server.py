"""A stand-in of what the Hub does for Spaces: one Space, kept in memory, with its files and commits."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from unittest import mock
from urllib.parse import unquote, urlsplit

import huggingface_hub.constants
from quiet_server import Server

TOKEN = "hf_of_a_test"
NAME = "you/report"


@dataclass
class Hub:
    """What the stand-in has."""

    address: str = ""
    files: dict[str, bytes] | None = None
    """Of the Space; None where there is none."""
    sdk: str = "static"
    n_commits: int = 0
    writes: list[str] = field(default_factory=list)
    """What it was asked to change."""

    @property
    def commit(self) -> str:
        return f"{self.n_commits:040x}"


@contextmanager
def served(cache: str) -> Iterator[Hub]:
    """The stand-in; huggingface_hub asks it in place of the real one."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    with Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        hub.address = f"http://127.0.0.1:{server.server_port}"
        values: dict[str, Any] = {
            "ENDPOINT": hub.address,
            "HUGGINGFACE_CO_URL_TEMPLATE": f"{hub.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}",
            "HF_HUB_CACHE": cache,
            "HF_TOKEN_PATH": f"{cache}-token",
            "HF_HUB_OFFLINE": False,
        }
        with mock.patch.multiple(huggingface_hub.constants, **values):
            try:
                yield hub
            finally:
                server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self._read(with_content=False)

    def do_GET(self) -> None:
        self._read(with_content=True)

    def _read(self, *, with_content: bool) -> None:
        path, files = unquote(urlsplit(self.path).path), self.hub.files
        if files is None:
            return self._send(404, b"", {"X-Error-Code": "RepoNotFound"})
        if path.startswith(f"/api/spaces/{NAME}/tree/"):
            return self._send_json([_entry(name, content) for name, content in files.items()])
        if path.startswith(f"/api/spaces/{NAME}"):
            return self._send_json(
                {"_id": "1", "id": NAME, "sha": self.hub.commit, "sdk": self.hub.sdk, "siblings": []}
            )
        content = files.get(path.rpartition(f"/resolve/{self.hub.commit}/")[2])
        if content is None:
            return self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": self.hub.commit}
        return self._send(200, content, headers, with_content=with_content)

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        path = urlsplit(self.path).path
        if path.endswith("/preupload/main"):
            wanted = json.loads(sent)["files"]
            modes = [{"path": each["path"], "uploadMode": "regular", "shouldIgnore": False} for each in wanted]
            return self._send_json({"files": modes})
        if path == "/api/validate-yaml":
            return self._send_json({"errors": [], "warnings": []})
        self.hub.writes.append(path)
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._send(401, b"", {})
        if path == "/api/repos/create":
            assert json.loads(sent)["sdk"] == "static"
            self.hub.files = {"README.md": b"---\nsdk: static\n---\n", ".gitattributes": b""}
            return self._send_json({"url": f"{self.hub.address}/spaces/{NAME}"})
        return self._commit([json.loads(line) for line in sent.splitlines()])

    def _commit(self, operations: list[dict[str, Any]]) -> None:
        assert self.hub.files is not None
        for each in operations:
            value = each["value"]
            if each["key"] == "header" and value.get("parentCommit", self.hub.commit) != self.hub.commit:
                return self._send(412, b"", {})
            if each["key"] == "file":
                self.hub.files[value["path"]] = base64.b64decode(value["content"])
            if each["key"] == "deletedFile":
                del self.hub.files[value["path"]]
        self.hub.n_commits += 1
        self._send_json({"commitUrl": f"{self.hub.address}/spaces/{NAME}/commit/1", "commitOid": self.hub.commit})

    def _send_json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, code: int, content: bytes, headers: dict[str, str], *, with_content: bool = True) -> None:
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_content:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def _entry(name: str, content: bytes) -> dict[str, object]:
    digest = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return {"type": "file", "path": name, "size": len(content), "oid": digest}
