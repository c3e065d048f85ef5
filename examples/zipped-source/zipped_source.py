"""A kind of source for tokviz: ``zip:model.zip`` is a checkpoint in a ZIP file, unpacked once beside it."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile


def unpacked(path: str, base: Path) -> Path:
    """The folder that holds the checkpoint; unpacked again where the ZIP file is newer.

    Parameters
    ----------
    path : what stands behind ``zip:``, relative to ``base``, the folder of report.toml.
    """
    file = base / Path(path).expanduser()
    folder = file.with_suffix("")
    marker = folder / ".unpacked"
    if not marker.exists() or marker.stat().st_mtime < file.stat().st_mtime:
        with ZipFile(file) as archive:
            archive.extractall(folder)
        marker.touch()
    configs = [config.parent for config in folder.rglob("config.json")]
    if not configs:
        raise FileNotFoundError(f"expected a config.json in {file.name}, found none")
    return min(configs, key=lambda each: len(each.parts))
