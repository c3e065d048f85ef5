"""The committed sample: its images, which are most of the repository, change only by ``make sample``; its text by ``make sample-text``.

python tests/sample_files.py images   # note which images were made, for test_sample_files.py
python tests/sample_files.py text     # put the committed images back among pages and data that were made again
"""

from __future__ import annotations

import hashlib
import subprocess
import sys

from command import ROOT

from tokviz.run.publishing import manifest
from tokviz.run.store import disk

SITE = ROOT / "site"
IMAGES = "site/images"
DIGEST = ROOT / "tests" / "sample-images.sha256"
Blobs = dict[str, str]
"""Path of an image from the repository's root → the name that git gives its content."""


def committed() -> Blobs:
    """The images in git's index."""
    lines = _git("ls-files", "-s", "--", IMAGES).splitlines()
    return {path: line.split()[1] for line, _, path in (line.partition("\t") for line in lines)}


def made() -> Blobs:
    """The images in the folder."""
    paths = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / IMAGES).rglob("*") if path.is_file())
    names = _git("hash-object", "--no-filters", "--stdin-paths", given="\n".join(paths)).splitlines()
    return dict(zip(paths, names, strict=True))


def digest(images: Blobs) -> str:
    """Of the images and their paths."""
    return hashlib.sha256(repr(sorted(images.items())).encode()).hexdigest()


def keep_committed_images() -> str | None:
    """Put them in the place of those that were made, and into the manifest; why that can't be, or None."""
    if differing := sorted(made().keys() ^ committed().keys()):
        return f"{differing[0]}: expected the images that are committed, got others; make sample draws and commits them"
    _git("checkout-index", "--force", "--", *committed())
    files = sorted(path for path in disk.files_in(SITE) if path != SITE / manifest.PATH)
    digests = {path.relative_to(SITE).as_posix(): disk.file_sha256(path) for path in files}
    (SITE / manifest.PATH).write_bytes(manifest.to_json(digests).encode())
    return None


def _git(*arguments: str, given: str | None = None) -> str:
    command = ["git", "-c", "core.quotepath=off", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, input=given).stdout


def main() -> str | None:
    if sys.argv[1:] == ["text"]:
        return keep_committed_images()
    DIGEST.write_text(f"{digest(made())}\n", encoding="utf-8")
    return None


if __name__ == "__main__":
    sys.exit(main())
