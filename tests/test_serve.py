"""The local server: it makes the report again when something changes, says what went wrong, and goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest
from browser import served as folder_served
from command import SMALL_CONFIG, done, generate_blank, wait_for
from families import Tiny
from invoking import run_in
from narrow import present
from playwright.sync_api import Browser, Page, Route, expect

from tokviz.serve import SiteServer, make, watched

ROOT = Path(__file__).parent.parent
OTHER_WORDS = ('"nurse"', '"nurse", "baker"')


@pytest.fixture(scope="module")
def project(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program, beside a config with a tiny model."""
    folder = tmp_path_factory.mktemp("program")
    for name in ("tokviz", "templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "generate.py", folder)
    tiny.copy("qwen3", folder / "qwen3")
    (folder / "words").mkdir()
    (folder / "words" / "few.toml").write_text(
        SMALL_CONFIG[SMALL_CONFIG.index("people =") : SMALL_CONFIG.index("[[contexts]]")]
    )
    contexts = SMALL_CONFIG[SMALL_CONFIG.index("[[contexts]]") :]
    head = 'title = "A test"\nintro = "intro.md"\nwords = "words/few.toml"\nprojections = ["centered"]\n'
    head += "plate_size = [750, 600]\n"
    (folder / "intro.md").write_text("First words.\n", encoding="utf-8")
    (folder / "report.toml").write_text(f'{head}{contexts}\n[[models]]\nsource = "qwen3"\n', encoding="utf-8")
    # The same code: what it makes is found by the copy. With other words, too: no server waits for PyTorch.
    for old, new in (OTHER_WORDS, OTHER_WORDS[::-1]):
        replace(folder / "words" / "few.toml", old, new)
        done(generate_blank(folder))
    return folder


class Served:
    """A running ``python -m tokviz.serve``."""

    def __init__(self, project: Path) -> None:
        command = [sys.executable, "-m", "tokviz.serve", "--port", "0", "--jobs", "1"]
        self.process = subprocess.Popen(
            command, cwd=project, env={**os.environ, "PYTHONPATH": str(project)}, text=True, encoding="utf-8",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._said: Queue[str] = Queue()
        Thread(target=self._listen, daemon=True).start()
        self.port = int(self.wait_for(r"site at http://127\.0\.0\.1:(\d+)/")[1])
        script = reload_script(self.get())
        self.wait_for("new images")
        # The server tells open pages to reload shortly afterward.
        assert wait_for(lambda: "location.reload" in self.get(script), 30)

    def _listen(self) -> None:
        for line in present(self.process.stdout):
            self._said.put(line)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The next line that matches; all lines before it are passed over."""
        lines = []
        end = time.monotonic() + 150
        while time.monotonic() < end:
            try:
                lines.append(self._said.get(timeout=0.2))
            except Empty:
                continue
            if found := re.search(pattern, lines[-1]):
                assert not any("Traceback" in line or "  File " in line for line in lines)
                return found
        raise AssertionError(f"nothing matched {pattern!r} in: {''.join(lines)}")

    def get(self, path: str = "/") -> str:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        return connection.getresponse().read().decode()

    def shows(self, text: str, path: str) -> bool:
        return text in self.get(path)

    def wait_for_page(self, text: str, path: str = "/") -> str:
        """A page, once it holds ``text``: the site is swapped in a moment after it is announced."""
        end = time.monotonic() + 60
        while text not in (page := self.get(path)):
            assert time.monotonic() < end, page
            time.sleep(0.1)
        return page


@pytest.fixture(scope="module")
def served(project: Path) -> Iterator[Served]:
    running = Served(project)
    yield running
    running.process.terminate()
    running.process.wait(timeout=30)


def replace(path: Path, old: str, new: str) -> None:
    """As editors save: another file takes the place of the first."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    draft = path.with_suffix(".draft")
    draft.write_text(text.replace(old, new), encoding="utf-8")
    draft.replace(path)


def page_of(served: Served) -> str:
    """The index without the script of the server, whose address changes a moment after the site does."""
    return re.sub(r"<script src=./\.reload/.*</script>", "", served.get())


def reload_script(page: str) -> str:
    return present(re.search(r'<script src="(/\.reload/\d+\.js)" defer>', page))[1]


@pytest.mark.thorough
@pytest.mark.process
def test_a_changed_template_is_a_changed_page_and_open_pages_reload(project: Path, served: Served) -> None:
    script = reload_script(served.get())
    assert "location.reload" not in served.get(script)
    replace(project / "templates" / "index.html", "<h2>The models</h2>", "<h2>All the models</h2>")
    served.wait_for("0 new images")
    served.wait_for_page("<h2>All the models</h2>")
    assert wait_for(lambda: "location.reload" in served.get(script), 30)
    assert "location.reload" not in served.get(reload_script(served.get()))


@pytest.mark.process
def test_the_site_on_disk_knows_nothing_of_it(project: Path, served: Served) -> None:
    for path in (project / "site").rglob("*.html"):
        assert ".reload" not in path.read_text(encoding="utf-8")
    assert ".reload" in served.get("/method/")
    assert served.get("/assets/site.css") == (project / "site" / "assets" / "site.css").read_text(encoding="utf-8")


@pytest.mark.process
@pytest.mark.parametrize(
    ("path", "old", "new", "page", "seen"),
    [
        ("intro.md", "First words.", "Other words.", "/", "Other words."),
        ("report.toml", '"A test"', '"Another test"', "/", "Another test"),
        ("tokviz/pages/site.py", '"Overview"', '"The overview"', "/", "The overview"),
        ("words/few.toml", *OTHER_WORDS, "/method/", "baker"),
    ],
)
def test_notes_config_code_and_words_count_too(
    project: Path, served: Served, path: str, old: str, new: str, page: str, seen: str
) -> None:
    assert seen not in served.get(page)
    replace(project / path, old, new)
    served.wait_for_page(seen, page)


MISTAKES = [
    ("report.toml", 'intro = "intro.md"', "intro = 7", "error: report.toml:[0-9]+: intro: "),
    ("templates/index.html", "{% block main %}", "{% blok main %}", "error: .*unknown tag 'blok'"),
    ("tokviz/pages/text/wording.py", "def millions(", "def millions(:", "error: SyntaxError"),
]


@pytest.mark.process
def test_a_mistake_is_one_line_and_the_server_goes_on_to_the_next_and_to_none(project: Path, served: Served) -> None:
    before = served.get("/assets/site.css"), page_of(served)
    for path, old, new, said in MISTAKES:
        replace(project / path, old, new)
        line = served.wait_for(said)[0]
        assert (served.get("/assets/site.css"), page_of(served)) == before
        shown = partial(served.shows, json.dumps(line)[1:-1], reload_script(served.get()))
        assert wait_for(shown, 30), "the page shows it, too"
        replace(project / path, new, old)
    served.wait_for("new images")
    assert wait_for(lambda: 'const problem = "";' in served.get(reload_script(served.get())), 30)


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = run_in(tmp_path, "serve", "--port", port)
    assert refused.exit_code == 1
    assert refused.stderr == f"error: port {port}: Address already in use; choose another with --port\n"


# --- who asks, and for what --------------------------------------------------------------------------------------


@contextmanager
def listening(folder: Path) -> Iterator[SiteServer]:
    server = SiteServer(folder, 0)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def asked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Ask]:
    """Asks a server in this process, whose errors would show; the site has links to a file and a folder outside of it."""
    site, outside = tmp_path / "site", tmp_path / "outside"
    for folder in (site, outside):
        (folder / "models").mkdir(parents=True)
        (folder / "index.html").write_text(f"<body>{folder.name}</body>", encoding="utf-8")
        (folder / "models" / "notes.txt").write_text(folder.name, encoding="utf-8")
    (site / "latin.html").write_bytes(b"<body>caf\xe9</body>")
    (site / "index").mkdir()
    (site / "file.txt").symlink_to(outside / "models" / "notes.txt")
    (site / "page.html").symlink_to(outside / "index.html")
    (site / "folder").symlink_to(outside)
    (site / "loop.txt").symlink_to(site / "loop.txt")
    (site / "own.txt").symlink_to(site / "models" / "notes.txt")
    (site / "index" / "index.html").symlink_to(outside / "index.html")
    (site / "pipes").mkdir()
    for pipe in ("pipe.js", "pipe.html", "pipes/index.html"):
        os.mkfifo(site / pipe)
    (site / "device.txt").symlink_to("/dev/zero")
    (site / "pipe.txt").symlink_to("pipe.js")
    (site / "script.js").write_text("const secret = 1;", encoding="utf-8")
    with listening(site) as server:
        yield Ask(server)
    assert capfd.readouterr().err == ""


class Ask:
    """Asks for a path as it stands; clients of the standard library would refuse some, and name the host themselves."""

    def __init__(self, server: SiteServer) -> None:
        self.port = server.server_port

    def __call__(self, path: str = "/", *hosts: str, method: str = "GET", headers: str = "") -> tuple[int, bytes]:
        """Status and body; the server's own host is named unless others are; further headers stand in lines."""
        named = "".join(f"Host: {host}\r\n" for host in hosts or (f"127.0.0.1:{self.port}",) if host)
        others = "".join(f"{line}\r\n" for line in headers.splitlines())
        head, body = self.send(f"{method} {path} HTTP/1.1\r\n{named}{others}Connection: close\r\n\r\n".encode())
        return int(head.split()[1]), body

    def send(self, request: bytes) -> tuple[bytes, bytes]:
        """Head and body of the answer, which lets nobody else have it nor take it for what it isn't."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert {b"Cross-Origin-Resource-Policy: same-origin", b"X-Content-Type-Options: nosniff"} <= {
            *head.splitlines()
        }
        return head, body


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost", "[::1]"])
def test_it_answers_to_its_own_names(asked: Ask, host: str) -> None:
    status, body = asked("/", f"{host}:{asked.port}")
    assert (status, b"site" in body) == (200, True)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/", "/models/notes.txt", "/.reload/1.js", "/nothing"])
def test_it_answers_to_no_other(asked: Ask, path: str, method: str) -> None:
    port = asked.port
    for hosts in (
        ("evil.example",), (f"evil.example:{port}",), (f"localhost.evil.example:{port}",), ("127.0.0.1",),
        (f"127.0.0.1:{port + 1}",), ("",), (f"127.0.0.1:{port}", "evil.example"), (f"a@127.0.0.1:{port}",),
    ):  # fmt: skip
        status, body = asked(path, *hosts, method=method)
        assert status == 403, hosts
        assert body.count(b"\n") == (method == "GET")
        assert b"site" not in body


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/%00", "/models/%00/notes.txt", "/" + "a" * 5000, "models", "http://evil.example/", "*"]
)
def test_a_path_of_no_file_is_refused_without_a_traceback(asked: Ask, path: str, method: str) -> None:
    assert asked(path, method=method)[0] == 400
    assert asked()[0] == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path",
    [
        *("/loop.txt", "/file.txt", "/page.html", "/folder/", "/folder", "/folder/models/notes.txt", "/index/"),
        *(
            "/../outside/models/notes.txt",
            "/%2e%2e/outside/models/notes.txt",
            "/models/",
            "/models",
            "/nothing",
            "/%zz",
        ),
        *("/..%5coutside/index.html", "/%ff", "//outside/index.html", "/models/notes.txt/"),
        *("/pipe.js", "/pipe.html", "/pipe.txt", "/pipes/", "/pipes", "/pipes/index.html", "/device.txt"),
    ],
)
def test_nothing_outside_the_site_is_shown_and_no_folder_listed(asked: Ask, path: str, method: str) -> None:
    status, body = asked(path, method=method)
    assert status == 404
    assert b"outside" not in body
    assert b"notes.txt" not in body


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path",
    ["/.git/config", "/.env", "/%2egit/config", "/models/.own", "/models/../.env", "/to-git", "/.link", "/.nojekyll"],
)
def test_what_is_hidden_in_the_sites_folder_is_not_shown(asked: Ask, tmp_path: Path, path: str, method: str) -> None:
    site = tmp_path / "site"
    (site / ".git").mkdir()
    for name in (".git/config", ".env", "models/.own", ".nojekyll"):
        (site / name).write_text("secret", encoding="utf-8")
    (site / "to-git").symlink_to(site / ".git" / "config")
    (site / ".link").symlink_to(site / "models" / "notes.txt")
    status, body = asked(path, method=method)
    assert status == 404
    assert b"secret" not in body


def test_a_site_below_a_hidden_folder_is_shown(tmp_path: Path) -> None:
    site = tmp_path / ".reports" / "site"
    site.mkdir(parents=True)
    (site / "index.html").write_text("<body>site</body>", encoding="utf-8")
    with listening(site) as server:
        assert Ask(server)()[0] == 200


@pytest.mark.process
@pytest.mark.parametrize(("code", "said"), [(0, None), (3, None), (1, "error: the last line")])
def test_a_report_without_a_model_that_failed_is_a_new_report(
    monkeypatch: pytest.MonkeyPatch, code: int, said: str | None
) -> None:
    script = f"print('error: a model' if {code} == 3 else 'error: the last line'); raise SystemExit({code})"
    monkeypatch.setattr("tokviz.serve.COMMAND", ("-c", script))
    assert make([]) == said


@pytest.mark.parametrize("title", ["Слова и слои: " * 14, "言葉と層" * 49, "a/" * 5_000, "a\0b"])
def test_a_text_that_no_file_is_named_by_is_no_file_to_watch(tmp_path: Path, title: str) -> None:
    config = tmp_path / "report.toml"
    config.write_text(f'title = {json.dumps(title, ensure_ascii=False)}\nintro = "intro.md"\n', encoding="utf-8")
    (tmp_path / "intro.md").touch()
    assert {tmp_path / "intro.md", config} == {path for path in watched(config) if path.is_relative_to(tmp_path)}


@pytest.mark.parametrize("arguments", [("--words", "words.txt"), ("--words=words.txt",)])
def test_a_file_that_the_command_names_is_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("words.txt").touch()
    Path("model").mkdir()
    found = watched(tmp_path / "report.toml", ["Mine=model", *arguments])
    assert {path for path in found if path.is_relative_to(tmp_path)} == {
        tmp_path / name for name in ("report.toml", "words.txt")
    }


def test_files_are_sent_as_they_are(asked: Ask) -> None:
    assert asked("/models/notes.txt?v=1") == asked("/own.txt") == (200, b"site")
    assert asked("/models/notes.txt", method="HEAD") == asked("/", method="HEAD") == (200, b"")
    assert b"caf\xe9" in asked("/latin.html")[1]
    assert asked("/index", method="POST")[0] == 501


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("", 200),
        ("Sec-Fetch-Site: same-origin", 200),
        ("Sec-Fetch-Site: none\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: document", 200),
        # As it comes through the proxy of a notebook's server.
        ("Sec-Fetch-Site: same-origin\nOrigin: https://hub.example", 200),
        ("Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: document", 200),
        ("Sec-Fetch-Site: same-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: iframe", 200),
        ("Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: object", 403),
        ("Sec-Fetch-Site: same-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: embed", 403),
        ("Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors\nSec-Fetch-Dest: script", 403),
        ("Sec-Fetch-Site: same-site\nSec-Fetch-Mode: no-cors\nSec-Fetch-Dest: script", 403),
        ("Sec-Fetch-Site: cross-site", 403),
        ("Sec-Fetch-Site: cross-site\nOrigin: http://127.0.0.1:PORT", 403),
        ("Sec-Fetch-Site: elsewhere", 403),
        ("Sec-Fetch-Site:", 403),
        ("Sec-Fetch-Site: same-origin, cross-site", 403),
        ("Sec-Fetch-Site: same-origin\n cross-site", 403),
        ("Sec-Fetch-Site: same-origin\nSec-Fetch-Site: cross-site", 403),
        ("Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Mode: no-cors", 403),
        ("Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: document\nSec-Fetch-Dest: embed", 403),
        *((f"Origin: http://{name}:PORT", 200) for name in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]")),
        ("Origin: null", 403),
        ("Origin:", 403),
        ("Origin: http://127.0.0.1", 403),
        ("Origin: http://127.0.0.1:1", 403),
        ("Origin: https://127.0.0.1:PORT", 403),
        ("Origin: 127.0.0.1:PORT", 403),
        ("Origin: http://127.0.0.1:PORT.evil.example", 403),
        ("Origin: http://evil.example", 403),
        ("Origin: http://127.0.0.1:PORT\nOrigin: http://127.0.0.1:PORT", 403),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_pages_of_others_may_lead_to_it_but_read_nothing(asked: Ask, headers: str, status: int, method: str) -> None:
    for path in ("/script.js", "/", "/.reload/1.js", "/nothing"):
        got, body = asked(path, method=method, headers=headers.replace("PORT", str(asked.port)))
        assert got == (404 if path == "/nothing" and status == 200 else status)
        if status == 403:
            assert body.count(b"\n") == (method == "GET")
            assert b"secret" not in body


@pytest.mark.parametrize(
    "request_",
    [
        *(b"nonsense\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1 x\r\n\r\n"),
        *(b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: " + b"a" * 70000 + b"\r\n\r\n"),
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\nOrigin: \xff\r\n\r\n",
        *(
            method + b" / HTTP/1.1\r\n\r\n"
            for method in (b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"get", b"\xff")
        ),
    ],
)
def test_what_is_no_request_for_a_file_is_refused_without_a_traceback(asked: Ask, request_: bytes) -> None:
    head, body = asked.send(request_)
    assert 400 <= int(head.split()[1]) <= 505
    assert b"secret" not in body
    assert asked()[0] == 200


def test_scripts_and_styles_have_their_types_on_any_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As in a slim container, or on a Windows whose registry takes scripts for plain text.
    monkeypatch.setattr("mimetypes.guess_type", lambda *_, **__: ("text/plain", None))
    types = {"js": "text/javascript", "css": "text/css", "webp": "image/webp", "svg": "image/svg+xml"}
    for suffix in types:
        (tmp_path / f"a.{suffix}").write_bytes(b"")
    with listening(tmp_path) as server:
        for suffix, kind in types.items():
            head, _ = Ask(server).send(
                f"GET /a.{suffix} HTTP/1.0\r\nHost: 127.0.0.1:{server.server_port}\r\n\r\n".encode()
            )
            assert f"\r\nContent-type: {kind}\r\n".encode() in head


def test_before_there_is_a_site_a_page_waits_for_it(tmp_path: Path) -> None:
    with listening(tmp_path / "site") as server:
        status, body = Ask(server)("/models/tiny/")
    assert status == 503
    assert b"There is no report yet" in body
    assert reload_script(body.decode())


@pytest.mark.thorough
@pytest.mark.process
@pytest.mark.usefixtures("heeds_interrupts")
def test_a_signal_in_the_midst_of_making_leaves_nothing_of_its_own(tiny: Tiny, tmp_path: Path) -> None:
    tiny.copy("qwen3", tmp_path / "qwen3")
    (tmp_path / "report.toml").write_text(f'{SMALL_CONFIG}[[models]]\nsource = "qwen3"\n', encoding="utf-8")
    own = tmp_path / "temporary"
    own.mkdir()
    with subprocess.Popen(
        [sys.executable, "-m", "tokviz", "serve", "--port", "0"], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(own)}, start_new_session=True,
    ) as running:  # fmt: skip
        for line in present(running.stdout):
            if line.startswith("Loading PyTorch"):
                break
        os.killpg(running.pid, signal.SIGINT)
        try:
            assert running.wait(30) == 130
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)  # or it would be waited for all the same
            raise
    assert list(own.glob("tokviz-*")) == []


def test_a_page_that_is_not_there_yet_is_waited_for_like_a_site(tmp_path: Path) -> None:
    put_site(tmp_path, "Title")
    with listening(tmp_path) as server:
        found = [Ask(server)(path) for path in ("/models/tiny/", "/models/tiny/index.html", "/data/tiny.csv")]
    assert [status for status, _ in found] == [404] * 3
    assert [bool(reload_script(body.decode())) for _, body in found[:2]] == [True, True]
    assert b"<script" not in found[2][1]


@pytest.mark.thorough
def test_what_went_wrong_lies_over_the_page_until_it_is_mended(browser: Browser, tmp_path: Path) -> None:
    policy = "default-src 'none'; script-src 'self'; style-src 'self'"
    (tmp_path / "index.html").write_text(
        f'<!doctype html><meta http-equiv="Content-Security-Policy" content="{policy}"><body>A page.</body>',
        encoding="utf-8",
    )
    server = SiteServer(tmp_path, 0)
    Thread(target=server.serve_forever, daemon=True).start()
    page = browser.new_page()
    page.goto(server.address)
    alert = page.get_by_role("alert")
    expect(alert).to_have_count(0)
    server.problem = "error: report.toml: 2 mistakes\n  one </script>\n  two"
    expect(alert).to_have_text(server.problem)
    assert page.evaluate("getComputedStyle(document.querySelector('pre')).position") == "fixed"
    alert.press("Escape")
    expect(alert).to_have_count(0)
    server.problem = "error: another"
    expect(alert).to_have_text("error: another")
    server.problem = ""
    expect(page.locator("#tokviz-problem")).to_have_count(0)
    page.goto("about:blank")
    page.close()
    server.shutdown()
    server.server_close()


def put_site(folder: Path, title: str, above: str = "") -> None:
    """A page, and a new list of what was written."""
    section = '<h2>Read</h2><p style="height: 3000px">…</p>'
    page = f"<!doctype html><body><main><h1>{title}</h1>{above}{section}</main></body>"
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text(page, encoding="utf-8")
    (folder / "data/new").write_text(above, encoding="utf-8")
    (folder / "data/new").replace(folder / "data/manifest.json")


READ = "document.querySelector('h2').getBoundingClientRect().top"


def reading(browser: Browser, server: SiteServer) -> tuple[Page, float]:
    """A page that is scrolled to what is read, and where that stands."""
    page = browser.new_page()
    page.goto(server.address)
    page.evaluate("scrollTo(0, 60)")
    return page, page.evaluate(READ)


@pytest.mark.thorough
def test_a_site_that_takes_anothers_place_is_shown_where_it_was_being_read(browser: Browser, tmp_path: Path) -> None:
    put_site(tmp_path, "Title")
    with listening(tmp_path) as server:
        page, before = reading(browser, server)
        put_site(tmp_path, "Title", '<section style="height: 2000px">What was found</section>')
        expect(page.get_by_text("What was found")).to_have_count(1)
        page.wait_for_function(f"Math.abs({READ} - {before}) < 2")
        assert page.evaluate("scrollY") > 1900
        page.close()


@pytest.mark.thorough
def test_what_is_read_stays_while_the_new_page_is_still_being_made(browser: Browser, tmp_path: Path) -> None:
    slides = "".join(
        f'<figcaption style="position: absolute; top: 90px; left: {width}px">Slide {width}</figcaption>'
        for width in range(0, 60_000, 2_000)
    )
    track = f'<div style="position: relative; height: 120px; width: 500px; overflow: hidden">{slides}</div>'
    put_site(tmp_path, "Title", track)
    late = (
        "addEventListener('load', () => setTimeout(() => document.getElementById('late').style.height = '1900px', 700))"
    )
    with listening(tmp_path) as server:
        page, before = reading(browser, server)
        put_site(
            tmp_path,
            "Title",
            f'<section id="late">New</section>{track.replace("Slide 0<", "Another<")}<script>{late}</script>',
        )
        page.wait_for_function("document.getElementById('late')?.offsetHeight === 1900")
        page.wait_for_function(f"Math.abs({READ} - {before}) < 2")
        page.mouse.wheel(0, 300)  # from now on it is the reader who says what is read
        page.wait_for_function(f"{READ} < {before} - 200")
        page.close()


@pytest.mark.thorough
def test_what_was_opened_and_typed_is_there_again(browser: Browser, tmp_path: Path) -> None:
    parts = "<details><summary>Part A</summary>a</details><details><summary>Part B</summary>b</details>"
    heard = '<output id="heard"></output><script>document.querySelector("input").oninput = ({ target }) => document.querySelector("output").value = target.value;</script>'
    field = '<label for="find">Find</label><input id="find" type="search">'
    put_site(tmp_path, "Title", parts + field + heard)
    with listening(tmp_path) as server:
        page = browser.new_page()
        page.goto(server.address)
        page.get_by_text("Part B").click()
        page.locator("#find").fill("red")
        assert page.evaluate("document.activeElement.id") == "find"
        put_site(tmp_path, "Title", f"<p>New.</p>{parts}{field}{heard}")
        expect(page.get_by_text("New.")).to_have_count(1)
        expect(page.locator("#heard")).to_have_text("red")
        assert page.locator("#find").input_value() == "red"
        assert page.evaluate("document.activeElement.id") == "find"
        assert page.locator("details").evaluate_all("found => found.map((each) => each.open)") == [False, True]
        page.close()


@pytest.mark.thorough
def test_what_lies_over_the_page_stays_until_it_is_closed(browser: Browser, tmp_path: Path) -> None:
    put_site(tmp_path, "Title", "<dialog>A plot</dialog>")
    with listening(tmp_path) as server:
        page = browser.new_page()
        page.goto(server.address)
        page.evaluate("document.querySelector('dialog').showModal()")
        put_site(tmp_path, "Title", "<p>New.</p><dialog>A plot</dialog>")
        page.wait_for_timeout(2500)
        expect(page.locator("dialog")).to_be_visible()
        page.evaluate("document.querySelector('dialog').close()")
        expect(page.get_by_text("New.")).to_have_count(1)
        page.close()


def assert_stays(
    browser: Browser, folder: Path, looks: tuple[str, str], said: str, read: str, at: int, width: int = 1280
) -> None:
    """What is read stands at the same height of the window when one look at a site takes the place of another.

    Parameters
    ----------
    looks : what both have above their text, before and after.
    said : only the second has it.
    read : a selector; its first element is scrolled to ``at``.
    """
    top = f"document.querySelector({json.dumps(read)}).getBoundingClientRect().top"
    put_site(folder, "Title", looks[0])
    with listening(folder) as server:
        page = browser.new_page(viewport={"width": width, "height": 844 if width == 390 else 800})
        page.goto(server.address)
        page.evaluate(f"scrollBy(0, {top} - {at})")
        assert abs(page.evaluate(top) - at) < 1
        put_site(folder, "Title", looks[1])
        expect(page.get_by_text(said)).to_have_count(1)
        page.wait_for_function(f"Math.abs({top} - {at}) < 2")
        page.close()


def empty(height: int, said: str = "") -> str:
    return f'<p style="height: {height}px">{said}</p>'


@pytest.mark.thorough
def test_of_a_plot_that_grows_the_top_stays_and_not_what_stands_below_it(browser: Browser, tmp_path: Path) -> None:
    def with_plot(height: int, above: str) -> str:
        return f'{above}<div role="group" id="plot" style="height: {height}px">Plot</div><p>Copy link</p>'

    looks = with_plot(250, empty(400)), with_plot(500, empty(900, "New."))
    assert_stays(browser, tmp_path, looks, "New.", "#plot", 80, width=390)


@pytest.mark.thorough
@pytest.mark.parametrize("height", [820, 1_100])
def test_a_plot_that_begins_above_the_window_stays_though_all_its_words_change(
    browser: Browser, tmp_path: Path, height: int
) -> None:
    def with_plot(said: str, above: int, below: str) -> str:
        plot = f'<figure style="margin: 0; height: {height}px"><p>{said}</p></figure>'
        grid = f'<section id="alone/grid"><h3>Grid {said}</h3>{plot}</section>'
        return f'{empty(above)}{grid}{below}<ul aria-label="On this page"></ul><h2>The small print</h2>'

    between = '<section style="height: 900px">What was found.</section>'
    looks = with_plot("a", 300, ""), with_plot("b", 500, between)
    assert_stays(browser, tmp_path, looks, "What was found.", "figure", 400 - height)


@pytest.mark.thorough
def test_the_heading_that_is_read_stays_though_the_part_that_it_stands_in_grows_above_it(
    browser: Browser, tmp_path: Path
) -> None:
    def with_part(caption: str, above: int) -> str:
        part = f"<p>{caption}</p><h2>Base</h2><p>8 layers</p>"
        return f'{empty(above)}<section aria-label="Models" style="height: 900px">{part}</section>'

    looks = with_part("One.", 500), with_part("All.<br>Of<br>several lines.", 1000)
    assert_stays(browser, tmp_path, looks, "several lines.", "section h2", 280)


@pytest.mark.thorough
@pytest.mark.parametrize("what", ['role="group" id="plot">', 'role="application" aria-label="{} words"><p>Words</p>'])
def test_a_plot_stays_rather_than_the_legend_beside_it(browser: Browser, tmp_path: Path, what: str) -> None:
    def with_legend(above: str, height: int) -> str:
        plot = f'<div class="plot" style="width: 800px; height: 400px" {what.format(height)}</div>'
        legend = f'<div><div style="height: {height}px"></div><div aria-label="Categories"><button>Colors</button></div></div>'
        return f'{above}<div style="display: flex">{plot}{legend}</div>'

    looks = with_legend(empty(400), 110), with_legend(empty(900, "New."), 10)
    assert_stays(browser, tmp_path, looks, "New.", ".plot", 150)


@pytest.mark.thorough
def test_one_open_part_of_several_that_are_told_apart_by_their_labels_stays_so(
    browser: Browser, tmp_path: Path
) -> None:
    def glossary(above: str, state: str) -> str:
        return (
            f"{above}<dl>"
            + "".join(
                f'<dt>{term}</dt><dd><details {state if term == "PC1" else ""}><summary aria-label="{term} in detail">In detail</summary>'
                f'<p class="{term}" style="height: 500px">{term} is long.</p></details></dd>'
                for term in ("Hollow", "PC1", "Trails")
            )
            + "</dl>"
        )

    assert_stays(browser, tmp_path, (glossary("", "open"), glossary(empty(300, "New."), "")), "New.", ".PC1", -200)


@pytest.mark.thorough
def test_a_caption_stays_where_its_plot_grows(browser: Browser, tmp_path: Path) -> None:
    def with_plot(height: int, said: str) -> str:
        plot = f'<div style="height: {height}px"></div><figcaption>{said}</figcaption>'
        return f'{empty(400)}<section aria-label="Plot 1"><figure>{plot}</figure></section>'

    looks = with_plot(250, "PC1 6 %"), with_plot(463, "PC1 6 % of the variance")
    assert_stays(browser, tmp_path, looks, "of the variance", "figcaption", 275, width=390)


@pytest.mark.thorough
def test_a_caption_stays_though_its_paragraph_is_another_and_its_plots_are_more(
    browser: Browser, tmp_path: Path
) -> None:
    def figure(rows: int, words: str) -> str:
        return (
            f'<section id="first"><figure>{empty(100) * rows}<figcaption><p>{words}</p></figcaption></figure></section>'
        )

    looks = figure(4, "As it was."), f"{empty(300)}{figure(6, 'As it is.')}"
    assert_stays(browser, tmp_path, looks, "As it is.", "figcaption", 250)


@pytest.mark.thorough
def test_a_small_plot_of_a_layer_stays_though_others_stand_before_it_and_its_projection_is_another(
    browser: Browser, tmp_path: Path
) -> None:
    def glance(layers: tuple[int, ...], projection: str) -> str:
        plots = "".join(
            f'<a href="models/m/index.html#alone/layer-{layer}{projection}" style="display: block; height: 150px"><svg></svg></a>'
            for layer in layers
        )
        return f'<section id="first"><figure class="glance"><div>{plots}</div></figure></section>'

    looks = glance((0, 3, 7), ""), f"<p>New.</p>{glance((10, 11, 0, 3, 7), '/centered')}"
    assert_stays(browser, tmp_path, looks, "New.", "[href*=layer-3]", 200, width=390)


@pytest.mark.thorough
def test_a_row_of_a_table_stays_though_rows_before_it_grow(browser: Browser, tmp_path: Path) -> None:
    def table(height: int) -> str:
        rows = (("Before", height), ("Emotions", 130), ("After", 130))
        cells = "".join(
            f'<tr style="height: {size}px"><th scope="row">{name}</th><td style="width: 900px">happy</td></tr>'
            for name, size in rows
        )
        return f'<div role="group" aria-label="Words by category"><table>{cells}</table></div>'

    looks = f"{empty(400)}{table(90)}", f"{empty(440, 'New.')}{table(134)}"
    assert_stays(browser, tmp_path, looks, "New.", "tr:nth-child(2) th", 200)


@pytest.mark.thorough
def test_what_stands_in_several_parts_is_known_by_its_part(browser: Browser, tmp_path: Path) -> None:
    def strips(model: str) -> str:
        strip = '<p>in a sentence</p><div style="height: 90px"></div>'
        return f"<article><h3>{model}</h3>{strip}</article>"

    problem = '<article style="height: 130px"><h3>Broken</h3></article>'
    above, below = empty(500) + strips("Base"), strips("Tuned")
    assert_stays(browser, tmp_path, (above + below, above + problem + below), "Broken", "article p", 200)


@pytest.mark.thorough
def test_a_list_that_is_open_stays_so_when_there_is_more_in_it(browser: Browser, tmp_path: Path) -> None:
    def downloads(n: int, state: str) -> str:
        files = "".join(f'<li class="file-{number}">file-{number}.csv</li>' for number in range(n))
        return f"<details {state}><summary>{n} files</summary><ul>{files}</ul></details>"

    looks = downloads(60, "open"), empty(300, "New.") + downloads(80, "")
    assert_stays(browser, tmp_path, looks, "80 files", ".file-50", 260)


@pytest.mark.thorough
@pytest.mark.parametrize("at_first", ["whole", "none"])
def test_a_page_whose_site_is_replaced_while_it_loads_shows_the_next(
    browser: Browser, tmp_path: Path, at_first: str
) -> None:
    if at_first == "whole":
        put_site(tmp_path, "Title")
    with listening(tmp_path) as server:
        page = browser.new_page()

        def replace_first(route: Route) -> None:
            put_site(tmp_path, "Title", "<p>The next.</p>")
            route.continue_()

        page.route("**/.reload/**", replace_first, times=1)
        page.goto(server.address)
        expect(page.get_by_text("The next.")).to_have_count(1)
        page.close()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("said", "scrolled", "opens"),
    [
        ('<p class="draft">A first look</p>', 0, "#alone/layer-3"),
        ('<p class="draft">A first look</p>', 900, "#alone/layer-3"),
        ("", 0, ""),
    ],
)
def test_plots_of_a_first_look_that_are_looked_at_stay(
    browser: Browser, tmp_path: Path, said: str, scrolled: int, opens: str
) -> None:
    plots = "<div data-viewer>Plots</div>"
    told = "document.querySelector('[data-viewer]').addEventListener('address', ({ detail }) => { detail.fragment = '#alone/layer-3'; });"
    put_site(tmp_path, "Title", f"{said}{plots}<script>{told}</script>")
    with listening(tmp_path) as server:
        page = browser.new_page()
        page.goto(server.address)
        page.evaluate(f"scrollTo(0, {scrolled})")
        put_site(tmp_path, "Title", f"<p>New.</p>{plots}")
        expect(page.get_by_text("New.")).to_have_count(1)
        assert page.evaluate("location.hash") == opens
        page.close()


@pytest.mark.thorough
def test_what_is_read_stays_where_it_is_though_words_stand_twice_and_marks_have_names(
    browser: Browser, tmp_path: Path
) -> None:
    marks = '<svg width="10" height="10"><defs><marker id="mark-2"><path d="M0 0"/></marker></defs></svg>'
    put_site(tmp_path, "Title", f"{marks}<h2>Read</h2><p>Above.</p>")
    with listening(tmp_path) as server:
        page = browser.new_page()
        page.goto(server.address)
        page.evaluate("scrollTo(0, 1500)")
        put_site(tmp_path, "Title", f"{marks}<h2>Read</h2><p>Above.</p><p>New.</p>")
        expect(page.get_by_text("New.")).to_have_count(1)
        page.wait_for_timeout(300)
        assert page.evaluate("history.scrollRestoration") == "auto"
        assert page.evaluate("scrollY") > 1000
        page.close()


@pytest.mark.thorough
def test_a_first_look_stands_beside_a_complete_report(browser: Browser, tmp_path: Path) -> None:
    whole, early = tmp_path / "site", tmp_path / "early"
    put_site(whole, "The whole report")
    with listening(whole) as server, listening(early) as beside:
        server.early, beside.instead = beside, server.address
        page = browser.new_page()
        page.goto(server.address)
        link = page.get_by_role("link", name="A first look at the next report")
        expect(link).to_have_count(0)
        put_site(early, "The first look")
        link.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("The first look")
        other = browser.new_page()
        other.goto(server.address)
        beside_it = other.get_by_role("link", name="A first look at the next report")
        expect(beside_it).to_have_count(1)
        # The next report stands, and the process that made it hasn't ended.
        put_site(whole, "The whole report", "<p>The next.</p>")
        expect(other.get_by_text("The next.")).to_have_count(1)
        expect(other.get_by_role("heading", level=1)).to_have_text("The whole report")
        expect(beside_it).to_have_count(0)
        other.close()
        shutil.rmtree(early)
        expect(page.get_by_role("heading", level=1)).to_have_text("The whole report")
        expect(link).to_have_count(0)
        page.close()


@pytest.mark.thorough
def test_where_nothing_that_was_read_is_in_the_next_report_a_page_is_as_far_down(
    browser: Browser, tmp_path: Path
) -> None:
    whole, early = tmp_path / "site", tmp_path / "early"
    put_site(early, "Title", empty(4000, "The first look"))
    with listening(whole) as server, listening(early) as beside:
        server.early, beside.instead = beside, server.address
        page = browser.new_page()
        page.goto(beside.address)
        page.evaluate("scrollTo(0, 1500)")
        put_site(whole, "Title", empty(4000, "The whole report"))
        shutil.rmtree(early)
        expect(page.get_by_text("The whole report")).to_have_count(1)
        page.wait_for_function("scrollY === 1500")
        page.close()


# --- the pages of others, in a browser ---------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("127.0.0.1", "localhost")])
def test_a_page_of_another_site_opens_the_report_but_reads_nothing(
    browser: Browser, tmp_path: Path, names: tuple[str, str]
) -> None:
    theirs, ours = names
    with listening(ROOT / "site") as server, folder_served(tmp_path) as other:
        report = f"http://{ours}:{server.server_port}/"
        (tmp_path / "index.html").write_text(
            f'''<!doctype html><title>Another site</title><a href="{report}explore/">The report</a>
            <script src="{report}data/words.js" onload="document.title = 'read'" onerror="document.title = 'refused'"></script>''',
            encoding="utf-8",
        )
        page = browser.new_page()
        statuses: dict[str, int] = {}
        page.on("response", lambda response: statuses.update({response.url: response.status}))
        page.goto(other.replace("127.0.0.1", theirs))
        expect(page).to_have_title("refused")
        statuses.clear()
        page.get_by_role("link").click()
        page.wait_for_url(f"{report}explore/**")
        page.wait_for_load_state("load")
        expect(page.locator("svg, canvas").first).to_be_visible()
        assert len([url for url in statuses if url.endswith(".js")]) > 10
        assert {url: status for url, status in statuses.items() if status != 200} == {}
        page.close()


def test_a_notebook_shows_it_in_a_frame(browser: Browser, tmp_path: Path) -> None:
    with listening(ROOT / "site") as server, folder_served(tmp_path) as notebook:
        (tmp_path / "index.html").write_text(f'<iframe src="{server.address}"></iframe>', encoding="utf-8")
        page = browser.new_page()
        refused: list[str] = []
        page.on("response", lambda response: refused.append(response.url) if response.status == 403 else None)
        page.goto(notebook.replace("127.0.0.1", "localhost"), wait_until="load")
        expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_be_visible()
        page.close()
    assert refused == []
