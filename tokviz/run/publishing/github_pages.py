"""A site → a branch of a git repository, from which GitHub Pages shows it.

The branch is fetched into a folder of its own and gets one more commit; it is never forced, so that what others pushed
meanwhile is not lost. Neither the working tree nor the branches of the report's own repository are touched.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tokviz.errors import PublishError
from tokviz.run.publishing.sending import Changes, Target, apply
from tokviz.text import one_line, shown

_GITHUB = re.compile(
    r"(?:https://(?:[^@/]*@)?|ssh://git@|git@)github\.com[:/](?P<owner>[^/]+)/(?P<name>[^/]+?)(?:\.git)?/?"
)


@contextmanager
def github_pages(remote: str, branch: str) -> Iterator[Target]:
    """The branch, as it is now.

    Parameters
    ----------
    remote : the name of a remote of the repository around the current folder, or an address.

    Raises
    ------
    PublishError : there is no git, no such remote, or it can't be read; or no branch can have that name.
    """
    unfit = f"--branch: expected a name that git takes for a branch, got {shown(branch)}; choose another"
    _git(Path(), "check-ref-format", f"refs/heads/{branch}", otherwise=unfit)
    address = _address(remote)
    who = [f"{key}={value}" for key in ("user.name", "user.email") if (value := _setting(key))]
    with tempfile.TemporaryDirectory(prefix="tokviz-") as name:
        folder = Path(name)
        _git(folder, "init", "--quiet")
        for setting in ("core.autocrlf=false", "commit.gpgsign=false", *who):
            _git(folder, "config", *setting.split("=", 1))
        is_there = bool(_git(folder, "ls-remote", "--heads", address, f"refs/heads/{branch}"))
        if is_there:
            _git(folder, "fetch", "--quiet", "--depth", "1", address, f"refs/heads/{branch}")
            _git(folder, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        yield _Branch(folder, address, branch, is_there=is_there)


class _Branch(Target):
    def __init__(self, folder: Path, address: str, branch: str, *, is_there: bool) -> None:
        self.there, self._address, self._branch = folder, address, branch
        self.name = f"the branch {branch} of {_shown(address)}"
        self.notes = () if is_there else (f"the branch {branch} is not there yet, and is made",)

    def send(self, site: Path, changes: Changes) -> str:
        apply(site, changes, self.there)
        _git(self.there, "add", "--all", "--force")
        _git(self.there, "commit", "--quiet", "--message", "The report, as tokviz made it")
        _git(self.there, "push", "--quiet", self._address, f"HEAD:refs/heads/{self._branch}")
        found = _GITHUB.fullmatch(self._address)
        settings = f"in the repository's settings choose Pages, Deploy from a branch, {self._branch}"
        if found is None:
            return f"Sent to {self.name}; {settings}"
        owner, name = found["owner"], found["name"]
        host = f"{owner.lower()}.github.io"
        return f"Sent; it will stand at https://{host}/{'' if name.lower() == host else f'{name}/'} ({settings})"


def _address(remote: str) -> str:
    if re.search(r"[:/\\]", remote):
        return _from(Path(), remote)
    try:
        return _from(Path(_git(Path(), "rev-parse", "--show-toplevel")), _git(Path(), "remote", "get-url", remote))
    except PublishError:
        raise PublishError(
            f"--remote: expected a remote of the git repository around this folder, or an address, got {remote!r}; add it with "
            f"git remote add {remote} git@github.com:you/report.git, or give the address"
        ) from None


def _from(folder: Path, address: str) -> str:
    """An absolute path, as git runs elsewhere; an address of the web as it stands."""
    return str((folder / address).resolve()) if (folder / address).exists() else address


def _shown(address: str) -> str:
    """Without a password."""
    return re.sub(r"(://)[^@/]*@", r"\1", address)


def _setting(key: str) -> str:
    try:
        return _git(Path(), "config", key)
    except PublishError:
        return ""


def _git(folder: Path, *arguments: str, otherwise: str | None = None) -> str:
    """What git prints; raises ``PublishError``, which says ``otherwise`` instead of git's reason where that is given."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, check=False, capture_output=True, text=True, encoding="utf-8",
            errors="replace",
        )  # fmt: skip
    except FileNotFoundError:
        raise PublishError("expected the program git, found none; install it") from None
    if done.returncode:
        if otherwise is not None:
            raise PublishError(otherwise)
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason given"]
        said = next((line for line in lines if re.match(r"(fatal|error| !)", line)), lines[-1])
        raise PublishError(f"git {arguments[0]}: expected it to succeed, got: {_shown(one_line(said.strip()))}")
    return done.stdout.strip()
