"""``tokviz publish``: nothing is sent unasked, nobody's files are lost; Pages are a bare repository, the Hub a stand-in."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import space_server
from invoking import run
from space_server import NAME, TOKEN, Hub
from typer.testing import Result

from tokviz.cli import sending
from tokviz.run.publishing import publish
from tokviz.run.publishing.github_pages import _Branch

FIRST = {"data/report.json": '{"generator": "tokviz 1"}', "index.html": "first", "models/a/index.html": "a"}
SECOND = {"data/report.json": '{"generator": "tokviz 1"}', "index.html": "second", "models/b/index.html": "b"}

pytestmark = pytest.mark.process


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a report in ``site/``, and ``pages.git``, which is empty."""
    for key in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{key}_NAME", "A Test")
        monkeypatch.setenv(f"GIT_{key}_EMAIL", "test@example.org")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    git("init", "--bare", "--quiet", "pages.git")
    publish.publish(dict(FIRST), Path("site"))
    return tmp_path


def git(*arguments: str, at: str = ".") -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=at, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def on_pages() -> set[str]:
    return set(git("ls-tree", "-r", "--name-only", "gh-pages", at="pages.git").splitlines())


def push(files: dict[str, str]) -> None:
    """Somebody commits to the branch."""
    git("clone", "--quiet", "--branch", "gh-pages", "pages.git", "other")
    for name, content in files.items():
        (Path("other") / name).write_text(content, encoding="utf-8")
    git("add", "--all", "--force", at="other")
    git("commit", "--quiet", "--message", "mine", at="other")
    git("push", "--quiet", at="other")


PAGES = ("publish", "pages", "--remote", "./pages.git")


def test_what_would_be_sent_is_said_and_nothing_is_sent_without_a_terminal(folder: Path) -> None:
    planned = run(*PAGES, "--dry-run")
    assert planned.exit_code == 0, planned.stderr
    assert planned.stdout.splitlines() == [
        f"site → the branch gh-pages of {folder / 'pages.git'}",
        "  the branch gh-pages is not there yet, and is made",
        "  4 new files and 0 changed files: 0.0 MB",
        "Nothing was sent.",
    ]
    unasked = run(*PAGES)
    assert unasked.exit_code == 1
    assert unasked.stderr == (
        "error: expected a terminal to ask at whether to send this, got none; --yes sends it without asking\n"
    )
    assert git("branch", at="pages.git") == ""


def test_a_remote_beside_the_repository_is_found_from_its_top(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("init", "--quiet", "report")
    git("remote", "add", "origin", "../pages.git", at="report")
    (folder / "report" / "below").mkdir()
    monkeypatch.chdir(folder / "report" / "below")
    planned = run("publish", "pages", "--output", "../../site", "--dry-run")
    assert planned.exit_code == 0, planned.stderr
    assert planned.stdout.splitlines()[0].endswith(f"the branch gh-pages of {folder / 'pages.git'}")


def test_a_terminal_is_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_has_terminal", lambda: True)
    for answer, is_sent in ((False, False), (True, True)):
        monkeypatch.setattr("typer.confirm", lambda _question, answer=answer: answer)
        done = run(*PAGES)
        assert (done.exit_code, "Nothing was sent." in done.stdout) == (int(not is_sent), not is_sent)
        assert bool(git("branch", at="pages.git")) == is_sent


def test_pages_get_the_report_and_lose_only_what_an_earlier_one_wrote(folder: Path) -> None:
    Path("site/about.html").write_text("mine, sent with the report", encoding="utf-8")
    sent = run(*PAGES, "--yes")
    assert sent.exit_code == 0, sent.stderr
    assert "choose Pages, Deploy from a branch, gh-pages" in sent.stdout
    assert on_pages() == {*FIRST, "data/manifest.json", "about.html"}
    assert run(*PAGES, "--yes").stdout.splitlines()[1:] == [
        "  already there: 5 files",
        "It is there already; nothing is to be sent.",
    ]
    push({"CNAME": "report.example.org", "models/a/index.html": "changed by hand"})
    publish.publish(dict(SECOND), Path("site"))
    Path("site/about.html").write_text("mine, and newer", encoding="utf-8")
    again = run(*PAGES, "--yes")
    assert again.exit_code == 0, again.stderr
    assert "  left as they are: 2 files that tokviz did not write" in again.stdout  # one is no longer as it was written
    assert on_pages() == {*SECOND, "data/manifest.json", "about.html", "CNAME", "models/a/index.html"}
    assert git("show", "gh-pages:about.html", at="pages.git") == "mine, and newer"
    assert git("show", "gh-pages:index.html", at="pages.git") == "second"
    assert git("rev-list", "--count", "gh-pages", at="pages.git") == "3"
    publish.publish({**SECOND, "models/c/index.html": "c"}, Path("site"))
    run(*PAGES, "--yes")
    publish.publish(dict(SECOND), Path("site"))
    assert "  removed: 1 file of an earlier report: models/c/index.html" in run(*PAGES, "--yes").stdout
    assert "models/c/index.html" not in on_pages()


def test_somebodys_page_is_not_replaced(folder: Path) -> None:
    git("init", "--quiet", "--initial-branch", "gh-pages", "mine")
    Path("mine/index.html").write_text("my home page", encoding="utf-8")
    git("add", "--all", at="mine")
    git("commit", "--quiet", "--message", "mine", at="mine")
    git("push", "--quiet", "../pages.git", "gh-pages", at="mine")
    for options in ((), ("--dry-run",), ("--yes",)):
        refused = run(*PAGES, *options)
        assert refused.exit_code == 1
        assert refused.stderr.startswith(
            "error: index.html: expected nothing of that name there, or what tokviz wrote,"
        )
    assert on_pages() == {"index.html"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("pages",),
            "error: --remote: expected a remote of the git repository around this folder, or an address, got 'origin'",
        ),
        (("pages", "--remote", "./none.git"), "error: git ls-remote: expected it to succeed, got: fatal: "),
        (
            ("pages", "--branch", "a b"),
            "error: --branch: expected a name that git takes for a branch, got 'a b'; choose",
        ),
        (("pages", "--branch", ""), "error: --branch: expected a name that git takes for a branch, got ''; choose"),
        (("here",), "error: expected pages or space:OWNER/NAME as the place, got 'here'; correct it"),
        (
            (*PAGES[1:], "--output", "nowhere"),
            "error: nowhere: expected a report, found none; make it first: tokviz build",
        ),
    ],
)
def test_what_is_no_place_or_no_report_is_one_line(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    refused = run("publish", *arguments)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert refused.stderr.startswith(said)


# --- a Space -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(folder: Path) -> Iterator[Hub]:
    with space_server.served(str(folder / "hub")) as found:
        yield found


def to_space(*options: str) -> Result:
    return run("publish", f"space:{NAME}", *options)


def test_a_space_is_made_and_gets_the_report(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = to_space("--dry-run")
    assert planned.exit_code == 0, planned.stderr
    assert f"  the Space {NAME} is not there yet, and is made: static, and for everybody to see" in planned.stdout
    refused = to_space("--yes")
    assert refused.exit_code == 1
    assert "log in with hf auth login, or set HF_TOKEN to a token that may write" in refused.stderr
    assert hub.files is None
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    sent = to_space("--yes")
    assert sent.exit_code == 0, sent.stderr
    assert sent.stdout.endswith(f"Sent; it stands at {hub.address}/spaces/{NAME}\n")
    assert hub.files is not None
    assert {*hub.files} == {*FIRST, "data/manifest.json", "README.md", ".gitattributes"}


def test_a_space_loses_only_what_an_earlier_report_wrote(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    to_space("--yes")
    assert hub.files is not None
    hub.files["mine.html"] = b"mine"
    publish.publish(dict(SECOND), Path("site"))
    n_writes = len(hub.writes)
    planned = to_space("--dry-run")
    assert "  removed: 1 file of an earlier report: models/a/index.html\n" in planned.stdout
    assert len(hub.writes) == n_writes
    assert to_space("--yes").exit_code == 0
    assert {*hub.files} == {*SECOND, "data/manifest.json", "README.md", ".gitattributes", "mine.html"}
    assert hub.files["index.html"] == b"second"
    hub.files["index.html"] = b"changed by hand"
    publish.publish(dict(FIRST), Path("site"))
    refused = to_space("--yes")
    assert refused.exit_code == 1
    assert refused.stderr.startswith(
        "error: index.html: expected nothing of that name there, or what tokviz wrote, got other"
    )


def test_a_space_that_runs_a_program_is_refused(hub: Hub) -> None:
    hub.files, hub.sdk = {}, "gradio"
    refused = to_space("--yes")
    assert refused.stderr == f"error: {NAME}: expected a static Space, got one that runs gradio; choose another name\n"


def test_a_password_in_an_address_is_not_said(tmp_path: Path) -> None:
    address = "https://zoe:secret-k7@example.org/zoe/report.git"
    branch = _Branch(tmp_path, address, "gh-pages", is_there=False)
    assert branch.name == "the branch gh-pages of https://example.org/zoe/report.git"
    assert "secret" not in " ".join((branch.name, *branch.notes))
