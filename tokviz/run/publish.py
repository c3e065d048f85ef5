"""A staged tree → ``site/``, swapped in whole: readers see the old site or the new one, never a mixture."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from tokviz.errors import PublishError

MARKER = "data/report.json"
"""A folder that holds this file, written by tokviz, may be replaced."""
KEPT = ("CNAME",)
"""Files that GitHub Pages or its user puts into the site; they are carried over."""

Content = str | bytes | Path
"""A text, a file's bytes, or a file to copy."""


def check_replaceable(output: Path) -> None:
    """Raise ``PublishError`` when ``output`` holds something that tokviz didn't write; called before any work is done."""
    if not output.exists():
        if not output.parent.is_dir():
            raise PublishError(
                f"{output}: expected its parent folder to exist; create {output.parent} or choose another --output"
            )
        return
    if not output.is_dir():
        raise PublishError(f"{output}: expected a folder, got a file; choose another --output")
    if output.is_symlink():
        raise PublishError(f"{output}: expected a folder, got a link; give --output the folder itself")
    if any(output.iterdir()) and not _is_ours(output):
        raise PublishError(
            f"{output}: expected an empty folder or an earlier report, got other files; they would be lost: "
            "choose another --output"
        )


def _is_ours(output: Path) -> bool:
    try:
        return str(json.loads((output / MARKER).read_text(encoding="utf-8"))["generator"]).startswith("tokviz")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def publish(files: Mapping[str, Content], output: Path) -> None:
    """Write all files beside ``output``, then swap them in.

    Parameters
    ----------
    files : path from the site's root, with forward slashes → content.
    output : the site's folder. Whatever fails, it holds the old site whole or the new one whole.

    Raises
    ------
    PublishError : the disk is full, a folder is read-only, …
    """
    check_replaceable(output)
    output = output.absolute()
    staging, old = output.with_name(f".{output.name}-new"), output.with_name(f".{output.name}-old")
    try:
        _recover(output, staging, old)
        for path, content in files.items():
            _write(staging / path, content)
        for name in KEPT:
            if (output / name).is_file():
                shutil.copyfile(output / name, staging / name)
        _swap(staging, output, old)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise PublishError(
            f"{output}: can't write the site: {error.strerror or error}; the old one is untouched"
        ) from error


def _recover(output: Path, staging: Path, old: Path) -> None:
    """Undo what a run left that was killed while it published."""
    if old.exists() and not output.exists():
        old.replace(output)
    for leftover in (staging, old):
        if leftover.exists():
            shutil.rmtree(leftover)


def _write(path: Path, content: Content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Path):
        shutil.copyfile(content, path)
    else:
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def _swap(staging: Path, output: Path, old: Path) -> None:
    """Two renames; when the second fails the first is undone, and when the run is killed between them the next undoes it."""
    if not output.exists():
        staging.replace(output)
        return
    output.replace(old)
    try:
        staging.replace(output)
    except OSError:
        old.replace(output)
        raise
    shutil.rmtree(old, ignore_errors=True)
