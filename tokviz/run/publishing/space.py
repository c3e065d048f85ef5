"""A site → a static Space of Hugging Face, in one commit."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tokviz.config import install
from tokviz.errors import PublishError
from tokviz.run.publishing import manifest
from tokviz.run.publishing.sending import Changes, Target
from tokviz.run.store import disk
from tokviz.text import error_line

_KIND = "space"


@contextmanager
def space(name: str, site: Path) -> Iterator[Target]:
    """The Space, as it is now; of its files those are fetched that differ from the site's.

    Parameters
    ----------
    name : ``OWNER/NAME``.

    Raises
    ------
    PublishError : huggingface_hub is missing, the Hub can't be read, or the Space isn't static.
    """
    try:
        from huggingface_hub import HfApi
    except ModuleNotFoundError:
        raise PublishError(f"expected the package huggingface_hub, found none; {install('models')}") from None
    api = HfApi()
    with tempfile.TemporaryDirectory(prefix="tokviz-") as folder:
        with _explained(name):
            commit = _fetch(api, name, site, Path(folder))
        yield _Space(api, name, Path(folder), commit)


class _Space(Target):
    def __init__(self, api: Any, name: str, folder: Path, commit: str | None) -> None:
        self.there, self._api, self._id, self._commit = folder, api, name, commit
        self.name = f"the Space {name} of {api.endpoint}"
        self.notes = (
            () if commit else (f"the Space {name} is not there yet, and is made: static, and for everybody to see",)
        )

    def send(self, site: Path, changes: Changes) -> str:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        with _explained(self._id):
            if self._commit is None:
                self._api.create_repo(self._id, repo_type=_KIND, space_sdk="static")
            self._api.create_commit(
                self._id,
                [
                    *(CommitOperationAdd(path, str(site / path)) for path in changes.sent),
                    *(CommitOperationDelete(path) for path in changes.removed),
                ],
                commit_message="The report, as tokviz made it",
                repo_type=_KIND,
                parent_commit=self._commit,
            )
        return f"Sent; it stands at {self._api.endpoint}/spaces/{self._id}"


def _fetch(api: Any, name: str, site: Path, folder: Path) -> str | None:
    """Put into ``folder`` what the Space has, and return its commit; None where there is no Space."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        found = api.space_info(name)
    except RepositoryNotFoundError:
        return None
    if found.sdk != "static":
        raise PublishError(f"{name}: expected a static Space, got one that runs {found.sdk}; choose another name")
    for file in api.list_repo_tree(name, recursive=True, revision=found.sha, repo_type=_KIND):
        if not hasattr(file, "blob_id"):
            continue  # a folder
        here, there = site / file.path, folder / file.path
        if disk.is_within(site, file.path) and _is_that(here, file) and file.path != manifest.PATH:
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(here, there)
        else:
            api.hf_hub_download(name, file.path, repo_type=_KIND, revision=found.sha, local_dir=folder)
    return str(found.sha)


def _is_that(here: Path, file: Any) -> bool:
    """Whether a file has the digest that the Hub gives: git's own or, of a large file, SHA-256."""
    if file.lfs is not None:
        return bool(disk.file_sha256(here) == file.lfs.sha256)
    content = here.read_bytes()
    digest = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return bool(digest == file.blob_id)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """What the client raises becomes a ``PublishError`` in one line."""
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    try:
        yield
    except PublishError:
        raise
    except LocalTokenNotFoundError as error:
        raise PublishError(_log_in(name)) from error
    except HfHubHTTPError as error:
        if error.response is not None and error.response.status_code in (401, 403):
            raise PublishError(_log_in(name)) from error
        raise PublishError(f"{name}: the Hub refused: {error_line(error)}; mend that and publish again") from error
    except Exception as error:
        raise PublishError(f"{name}: expected an answer of the Hub, got none: {error_line(error)}") from error


def _log_in(name: str) -> str:
    return (
        f"{name}: expected to be allowed to write there; log in with hf auth login, or set HF_TOKEN to a token that may write, "
        "and check the name"
    )
