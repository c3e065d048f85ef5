"""The one list of files that are read of a model, made before a library is: its configuration, its tokenizer's files, its weights.

Whatever else lies in the folder, and whatever place a configuration names, isn't read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any

from tokviz.errors import SourceError
from tokviz.models.location import COMMIT, IDENTIFIED, MOST_OF_INDEX, Location, files_like
from tokviz.models.opened import Signature, opened, signature
from tokviz.text import one_line, shown

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
OTHER_WEIGHTS = "transformers_weights"
"""The key of a configuration that names weights of another file name."""
ADAPTER = "adapter_config.json"
_SHARED_BLOB, _MARK_OF_SHARED = re.compile(r"[0-9a-f]{64}"), ".huggingface-shared-blobs"
_INDEX = ".index.json"
"""How the name of a file ends that says which weights are where."""
KNOWN = (
    CONFIG,
    WEIGHTS,
    INDEX,
    ADAPTER,
    "generation_config.json",
    *(f"{name}.json" for name in ("tokenizer", "tokenizer_config", "special_tokens_map", "added_tokens")),
)
"""Names that libraries look for; on some disks another case is the same file."""
MOST_BYTES = 1_000_000_000
"""Of all listed files but weights: vocabularies have some tens of millions."""
MOST_FILES = 10_000
"""Of all kinds that are read; each is looked at several times before a model is loaded."""
MOST_WEIGHTS_FILES = 2_000
"""The largest models have some hundred."""
_MOST_BYTES = {CONFIG: 10_000_000, ADAPTER: 1_000_000}
_MOST_OF_OTHERS = MOST_OF_INDEX
"""Bytes of settings that are read here, which take some forty times as many of memory; vocabularies, which are read by their libraries,
may be larger."""
_MOST_VALUES = {b"{": 1_000_000, b"[": 1_000_000, b",": 5_000_000}
"""Of a file that is read here: a hundred million bytes of empty tables take gigabytes."""
LEAST_WRITTEN = 1 / 8
_LARGE = 2**26
"""Of a file with more bytes that part is on the disk: file systems that compress make weights a third smaller at most."""
_NOT_OF_STATES = (ADAPTER, "generation_config.json", f"*{_INDEX}", "*processor_config.json")
"""Settings that no hidden state depends on; an adapter's would have its weights loaded, too."""


@dataclass(frozen=True, kw_only=True)
class ModelFiles:
    """What is read of a model; every name is one directly in ``folder``."""

    folder: Path
    settings: tuple[str, ...]
    """Configuration and tokenizer files; none beside a GGUF file, which holds them itself."""
    weights: tuple[str, ...]
    """``.safetensors`` files, or the one ``.gguf``; none where there are none."""
    weight_map: dict[str, str] | None = None
    """Of weights in several files, which file has which tensor."""
    signature: Signature = field(default_factory=dict, compare=False)
    """Of all of them, and of others of these kinds, as they were before anything was asked of them."""

    @property
    def paths(self) -> list[Path]:
        return [self.folder / name for name in (*self.settings, *self.weights)]

    @property
    def weights_paths(self) -> list[Path]:
        return [self.folder / name for name in self.weights]


def list_files(
    source: str,
    location: Location,
    folder: Path | None = None,
    names: Collection[str] | None = None,
    *,
    is_tokenizer: bool = False,
) -> ModelFiles:
    """List what is read of a model or of a tokenizer.

    Parameters
    ----------
    source : as messages begin.
    folder : where the files of a hub model are downloaded to.
    names : which files its repository has; None where that can't be asked.
    is_tokenizer : whether the list is without weights.

    Raises
    ------
    SourceError : a file leads out of the folder, or the weights' names do, or one of them isn't there.
    OSError, ValueError, TypeError, RecursionError : configuration or index can't be read.
    """
    path = folder or location.path
    assert path is not None, "a hub model has been looked for"
    if path.is_file():
        if location.kind != "package":
            _refuse_links_out(source, path.parent, [path.name])
        _refuse_unwritten(source, path.parent, [path.name])
        return ModelFiles(folder=path.parent, settings=(), weights=(path.name,), signature=signature([path]))
    found = files_like(path, IDENTIFIED)
    if len(found) > MOST_FILES:
        raise SourceError(
            f"{source}: expected at most {MOST_FILES:,} files of a model ({', '.join(IDENTIFIED)}), got {len(found):,}; remove what is no "
            "model's"
        )
    before = signature(found)
    here = {each.name for each in found}
    may_link_out = location.kind == "package"  # whoever installs packages may link their files
    _refuse_other_case(source, here)
    settings = tuple(each.name for each in found if is_setting(each.name))
    _refuse_closed_and_large(source, path, settings)
    if not may_link_out:  # before any is read
        _refuse_links_out(source, path, [*settings, *(name for name in sorted(here) if name.endswith(_INDEX))])
    chosen = _Weights(source, path, here if folder is None else names, here)
    weights, weight_map = ((), None) if is_tokenizer else chosen.listed()
    files = ModelFiles(folder=path, settings=settings, weights=weights, weight_map=weight_map, signature=before)
    if not may_link_out:
        _refuse_links_out(source, path, weights)
    _refuse_unwritten(source, path, weights)
    return files


def is_setting(name: str) -> bool:
    """Whether a file of that name is read as configuration or for the tokenizer."""
    file = Path(name)
    is_read = file.name == name and any(file.match(pattern) for pattern in IDENTIFIED)
    return is_read and file.suffix != ".safetensors" and not any(file.match(each) for each in _NOT_OF_STATES)


@dataclass(frozen=True)
class _Weights:
    """What is chosen of a folder's weights, as transformers chooses."""

    source: str
    folder: Path
    names: Collection[str] | None
    here: Collection[str]

    def listed(self) -> tuple[tuple[str, ...], dict[str, str] | None]:
        """The names of the files, and the index of several."""
        named = read_config(self.folder).get(OTHER_WEIGHTS) if CONFIG in self.here else None
        names = self.here if self.names is None else self.names
        if named is not None:
            return self._named(named)
        if WEIGHTS in names:
            return (WEIGHTS,), None
        return self._indexed(INDEX) if INDEX in names else ((), None)

    def _named(self, named: Any) -> tuple[tuple[str, ...], dict[str, str] | None]:
        where = f"which {CONFIG} names as its weights ({OTHER_WEIGHTS})"
        if isinstance(named, str) and named.endswith(_INDEX) and Path(named).name == named:
            self._require_there(named, where)
            return self._indexed(named)
        self._require_plain(named, where)
        self._require_there(named, where)
        return (named,), None

    def _indexed(self, index: str) -> tuple[tuple[str, ...], dict[str, str]]:
        read, where = _read_json(self.folder / index), f"which {one_line(index)} names"
        weight_map = read.get("weight_map") if isinstance(read, dict) else None
        if not isinstance(weight_map, dict) or not weight_map:
            raise SourceError(
                f"{self.source}: expected a weight_map in {one_line(index)}, found none; fetch the file again"
            )
        for name in weight_map.values():
            self._require_plain(name, where)
        files = tuple(sorted(set(weight_map.values())))
        if len(files) > MOST_WEIGHTS_FILES:
            raise SourceError(
                f"{self.source}: expected weights in at most {MOST_WEIGHTS_FILES:,} files, got {len(files):,}, {where}; save them in fewer"
            )
        for name in files:
            self._require_there(name, where)
        return files, weight_map

    def _require_plain(self, name: Any, where: str) -> None:
        is_plain = isinstance(name, str) and Path(name).name == name and "\\" not in name and "\0" not in name
        if not is_plain or not name.endswith(".safetensors"):
            raise SourceError(
                f"{self.source}: expected *.safetensors directly in the model's folder, got {_shown(name)}, {where}; no other file is read "
                "as weights: copy it there as safetensors, and name it so"
            )

    def _require_there(self, name: str, where: str) -> None:
        if self.names is not None and name not in self.names:
            raise SourceError(f"{self.source}: expected {one_line(name)}, {where}, found none; copy or download it")


def _shown(name: Any) -> str:
    """A name in a message, which may be published, without this machine's folders."""
    return shown(f"…/{Path(name).name}" if isinstance(name, str) and Path(name).is_absolute() else name)


def _refuse_links_out(source: str, path: Path, names: Iterable[str]) -> None:
    """Refuse a symbolic link to a file elsewhere."""
    for name in names:
        if not is_own(path / name):
            raise SourceError(
                f"{source}: expected files of the model's own folder, got a link out of it: {one_line(name)}; copy what it "
                "leads to, or name the folder that this is in"
            )


def _refuse_unwritten(source: str, path: Path, names: Iterable[str]) -> None:
    """Refuse a file most of which was never written: it has any size, and is read and hashed for days."""
    for name in names:
        found = (path / name).stat() if (path / name).is_file() else None
        on_disk = 512 * getattr(found, "st_blocks", 0)  # Windows, and some servers of files, don't know
        if found and on_disk and found.st_size > _LARGE and on_disk < LEAST_WRITTEN * found.st_size:
            raise SourceError(
                f"{source}: expected a file that is on the disk as a whole, got {one_line(name)} with {on_disk:,} of its {found.st_size:,} "
                "bytes there; copy or download it again"
            )


def _refuse_closed_and_large(source: str, path: Path, settings: Iterable[str]) -> None:
    for name in settings:
        if not os.path.lexists(path / name):
            raise SourceError(
                f"{source}: expected files that stay as they are while they are read, found no {one_line(name)} any more; run again"
            )
        if not os.access(path / name, os.R_OK):
            raise SourceError(
                f"{source}: expected files that may be read, got a closed one: {one_line(name)}; change its permissions"
            )
    refuse_large(source, {name: (path / name).stat().st_size for name in settings})


def refuse_large(source: str, sizes: Mapping[str, int]) -> None:
    """Raise ``SourceError`` for settings of more bytes, by their names, than any model has."""
    n_bytes = 0
    for name, size in sizes.items():
        n_bytes += size
        if n_bytes > MOST_BYTES:
            raise SourceError(
                f"{source}: expected settings of at most {MOST_BYTES:,} bytes in all, got {n_bytes:,} up to {one_line(name)}; remove what is "
                "no model's"
            )


def _refuse_other_case(source: str, names: Iterable[str]) -> None:
    for name in names:
        known = next((each for each in KNOWN if each.casefold() == name.casefold() and each != name), None)
        if known:
            raise SourceError(f"{source}: expected {known}, got {one_line(name)}; rename or remove it")


def is_own(file: Path) -> bool:
    """Whether a file is no link out of its folder; a snapshot of the Hugging Face cache links to that cache's blobs."""
    folder, target = file.parent.resolve(), file.resolve()
    return target.is_relative_to(folder) or any(_is_blob(target, each) for each in (folder, *folder.parents))


def _is_blob(target: Path, snapshot: Path) -> bool:
    """Whether a file is where huggingface_hub puts those of ``models--…/snapshots/COMMIT``.

    That is in ``blobs`` beside the snapshots, under a name that the server gives; or, of a cache whose repositories share theirs, in
    ``blobs/ab/ab…`` beside the repositories, where a folder of the same name may be anybody's.
    """
    repository = snapshot.parent.parent
    is_snapshot = COMMIT.fullmatch(snapshot.name) and snapshot.parent.name == "snapshots"
    if not is_snapshot or not repository.name.startswith("models--"):
        return False
    shared = repository.parent / "blobs"
    is_shared = _SHARED_BLOB.fullmatch(target.name) and target.parent == shared / target.name[:2]
    return target.parent == repository / "blobs" or bool(is_shared and (shared / _MARK_OF_SHARED).is_file())


def read_config(folder: Path) -> dict[str, Any]:
    """The values of a model's ``config.json``; raises ``OSError``, ``ValueError``, ``TypeError`` or ``RecursionError``."""
    return read_object(folder / CONFIG)


def read_object(file: Path, opening: Callable[[Path], BufferedReader] = opened) -> dict[str, Any]:
    """The values of a file of settings, which ``opening`` opens; raises as ``read_config`` does."""
    values = _read_json(file, opening)
    if not isinstance(values, dict):
        raise ValueError(f"{file.name} holds no JSON object")  # noqa: TRY004 - a mistake of a file
    return values


def too_many_values(content: bytes) -> str | None:
    """What JSON has more of than any model's, so that it isn't parsed; None of what may be."""
    found = ((sign, most) for sign, most in _MOST_VALUES.items() if content.count(sign) > most)
    return next((f"more than {most:,} times “{sign.decode()}”" for sign, most in found), None)


def _read_json(file: Path, opening: Callable[[Path], BufferedReader] = opened) -> Any:
    most = _MOST_BYTES.get(file.name, _MOST_OF_OTHERS)
    with opening(file) as opened_file:
        if os.fstat(opened_file.fileno()).st_size > most:
            raise ValueError(f"{file.name} has more than {most / 1e6:,.0f} MB")
        content = opened_file.read()
    try:
        if too_many := too_many_values(content):
            raise ValueError(too_many)
        return json.loads(content.decode("utf-8"))
    except ValueError as error:
        raise ValueError(f"{file.name} is no valid JSON: {error}") from error
