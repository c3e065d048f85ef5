"""Artefacts on disk, each under a key made of all that made it, each with a checksum.

``ROOT/states/KEY/``
    ``states.safetensors`` (a float32 tensor ``(n_words, width)`` per depth, named ``depth.000`` …, and the statistics
    at position 0) and ``states.json`` (everything else).
``ROOT/projections/KEY.CHECKSUM.safetensors``, ``ROOT/measures/KEY.CHECKSUM.json``, ``ROOT/images/KEY.CHECKSUM.webp``
    One file each; the checksum of its content stands in its name.
``ROOT/fonts/…``
    Which characters the fonts of this machine have (``tokviz.draw.coverage``).

Files appear whole (written beside, then renamed), so a run that is killed leaves nothing half-made.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from tokviz.draw.coverage import Coverage
from tokviz.draw.typefaces import Typefaces
from tokviz.errors import StoreError
from tokviz.records import (
    CapturedBatch,
    Context,
    HiddenStates,
    ModelCard,
    Projection,
    Tokenization,
)
from tokviz.run.plain import Record, from_plain, to_plain
from tokviz.run.states_file import StatesWriter, StoredDepths

FORMAT = 1
_CHECKSUM_LENGTH = 16
_KINDS_OF_FILES = ("projections", "measures", "images")
_OWN_NAME = re.compile(r"(?P<partial>\.)?(?P<key>[0-9a-f]{32})(\..*)?")
"""Of files and folders that this room made: a key, and what follows it; half-made with a dot before."""
_STATES_FILES = ("states.safetensors", "states.json")


class Store:
    """The cache folder. Reading never writes; a damaged artefact counts as absent."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._checked: set[Path] = set()
        self.typefaces = Typefaces(Coverage(root / "fonts"))
        """This machine's fonts; which characters they have is written by ``keep_coverage`` alone."""

    # --- hidden states -------------------------------------------------------------------------------------------

    def find_states(self, key: str) -> HiddenStates | None:
        """The stored capture, its states still on disk; None when there is none or it can't be read."""
        folder = self.root / "states" / key
        try:
            stored = json.loads((folder / "states.json").read_text(encoding="utf-8"))
            file = folder / "states.safetensors"
            if stored["format"] != FORMAT or file.stat().st_size != stored["n_bytes"]:
                return None
            with safe_open(file, framework="numpy") as tensors:
                values, dimensions = tensors.get_tensor("position0.values"), tensors.get_tensor("position0.dimensions")
            return HiddenStates(
                card=from_plain(ModelCard, stored["card"]),
                context=from_plain(Context, stored["context"]),
                tokenization=from_plain(Tokenization, stored["tokenization"]),
                module_paths=tuple(stored["module_paths"]),
                states=StoredDepths(file, len(stored["module_paths"])),
                position0_values=values,
                position0_dimensions=dimensions,
                captured_at=stored["captured_at"],
                digest=stored["digest"],
            )
        except (OSError, ValueError, KeyError, TypeError, SafetensorError):
            return None

    def states_are_intact(self, key: str) -> bool:
        """Whether the states' file still has the checksum that it was written with; reads the whole file."""
        folder = self.root / "states" / key
        stored = json.loads((folder / "states.json").read_text(encoding="utf-8"))
        return _file_sha256(folder / "states.safetensors") == str(stored["sha256"])

    def put_states(
        self,
        key: str,
        batches: Iterable[CapturedBatch],
        *,
        card: ModelCard,
        context: Context,
        tokenization: Tokenization,
        module_paths: tuple[str, ...],
        captured_at: str,
    ) -> HiddenStates:
        """Write a capture batch by batch, never holding more than one batch, and give it back as stored.

        Raises
        ------
        StoreError : the disk is full or read-only, or the batches don't cover every word.
        """
        with self.writing_states(
            key,
            card=card,
            context=context,
            tokenization=tokenization,
            module_paths=module_paths,
            captured_at=captured_at,
        ) as add:
            for batch in batches:
                add(batch)
        found = self.find_states(key)
        if found is None:
            raise StoreError(f"{self.root}: the hidden states just written can't be read back; is the disk sound?")
        return found

    @contextlib.contextmanager
    def writing_states(
        self,
        key: str,
        *,
        card: ModelCard,
        context: Context,
        tokenization: Tokenization,
        module_paths: tuple[str, ...],
        captured_at: str,
    ) -> Iterator[Callable[[CapturedBatch], None]]:
        """As ``put_states``, for batches of several captures that come in turns: each is there when its block ends."""
        folder = self.root / "states" / key
        partial = folder.with_name(f".{key}.{uuid.uuid4().hex}")  # machines that share the folder share process ids
        try:
            partial.mkdir(parents=True)
            writing = StatesWriter(partial / "states.safetensors", len(tokenization.words))
            yield writing.add
            writing.finish()
            sha256 = _file_sha256(partial / "states.safetensors")
            described = {
                "card": to_plain(card),
                "context": to_plain(context),
                "tokenization": to_plain(tokenization),
                "module_paths": module_paths,
            }
            made_of = json.dumps([sha256, described["tokenization"], module_paths], ensure_ascii=False)
            stored = {
                "format": FORMAT,
                "captured_at": captured_at,
                "sha256": sha256,
                "n_bytes": (partial / "states.safetensors").stat().st_size,
                # What is made from the states depends on the tokens and paths too, not on the bytes alone.
                "digest": hashlib.sha256(made_of.encode()).hexdigest(),
                **described,
            }
            (partial / "states.json").write_text(json.dumps(stored, ensure_ascii=False), encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            partial.replace(folder)
        except OSError as error:
            raise StoreError(f"{self.root}: can't store hidden states: {error.strerror or error}") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def packed_states(self, key: str) -> dict[str, bytes]:
        """A capture's files as they are, by name, to be sent to another machine's store."""
        folder = self.root / "states" / key
        return {name: (folder / name).read_bytes() for name in _STATES_FILES}

    def put_packed_states(self, key: str, files: dict[str, bytes]) -> None:
        """Keep what ``packed_states`` gave elsewhere.

        Raises
        ------
        StoreError : the disk is full or read-only, or the files were damaged on their way.
        """
        folder = self.root / "states" / key
        partial = folder.with_name(f".{key}.{uuid.uuid4().hex}")
        try:
            partial.mkdir(parents=True)
            for name in _STATES_FILES:
                (partial / name).write_bytes(files[name])
            shutil.rmtree(folder, ignore_errors=True)
            partial.replace(folder)
        except OSError as error:
            raise StoreError(f"{self.root}: can't store hidden states: {error.strerror or error}") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        if self.find_states(key) is None or not self.states_are_intact(key):
            raise StoreError(f"{folder}: hidden states came damaged from another machine; run again")

    # --- projections ---------------------------------------------------------------------------------------------

    def has_projection(self, key: str) -> bool:
        return self._intact("projections", key) is not None

    def find_projection(self, key: str) -> Projection | None:
        path = self._intact("projections", key)
        if path is None:
            return None
        arrays = load(path.read_bytes())
        described = json.loads(arrays.pop("described").tobytes())
        return Projection(
            **arrays,
            name=described["name"],
            problems=tuple(described["problems"]),
            grid_problems=tuple(described["grid_problems"]),
        )

    def put_projection(self, key: str, projection: Projection) -> None:
        arrays = {
            field.name: np.ascontiguousarray(value)
            for field in dataclasses.fields(projection)
            if isinstance(value := getattr(projection, field.name), np.ndarray)
        }
        described = {name: getattr(projection, name) for name in ("name", "problems", "grid_problems")}
        arrays["described"] = np.frombuffer(json.dumps(described).encode(), dtype=np.uint8)
        self._put("projections", key, ".safetensors", save(arrays))

    # --- measures -------------------------------------------------------------------------------------------------

    def has_measures(self, key: str) -> bool:
        return self._intact("measures", key) is not None

    def find_measures(self, key: str, kind: type[Record]) -> Record | None:
        """A record of that kind, such as ``Geometry``."""
        path = self._intact("measures", key)
        return None if path is None else from_plain(kind, json.loads(path.read_text(encoding="utf-8")))

    def put_measures(self, key: str, record: Any) -> None:
        self._put("measures", key, ".json", json.dumps(to_plain(record), ensure_ascii=False).encode())

    # --- images --------------------------------------------------------------------------------------------------

    def find_image(self, key: str) -> Path | None:
        """The image's file, its content checked; it is copied from there, never held in memory."""
        return self._intact("images", key)

    def put_image(self, key: str, data: bytes) -> None:
        # A file is found by its key; its ending is for people who look into the cache.
        self._put("images", key, ".svg" if data.startswith(b"<svg") else ".webp", data)

    # --- what is no longer used ------------------------------------------------------------------------------------

    def prune(self, used: set[tuple[str, str]]) -> dict[str, tuple[int, int]]:
        """Remove every artefact but those used, and what a killed run left half-made; nothing else in the folder.

        Parameters
        ----------
        used : kind (``states``, ``projections``, ``measures``, ``images``) and key of what stays.

        Returns
        -------
        Per kind how many artefacts went, and their bytes.
        """
        removed = {}
        for kind in ("states", *_KINDS_OF_FILES):
            folder = self.root / kind
            doomed = [
                entry
                for entry in (folder.iterdir() if folder.is_dir() else ())
                if (match := _OWN_NAME.fullmatch(entry.name)) and (match["partial"] or (kind, match["key"]) not in used)
            ]
            sizes = [
                sum(file.stat().st_size for file in (entry.rglob("*") if entry.is_dir() else [entry]) if file.is_file())
                for entry in doomed
            ]
            try:
                for entry in doomed:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            except OSError as error:
                raise StoreError(f"{folder}: can't remove: {error.strerror or error}") from error
            removed[kind] = (len(doomed), sum(sizes))
        self.__dict__.pop("_files", None)
        return removed

    # --- one file, one artefact ----------------------------------------------------------------------------------

    @cached_property
    def _files(self) -> dict[tuple[str, str], Path]:
        """What is there, by kind and key: one listing instead of a question to the disk for every artefact."""
        found = {}
        for kind in _KINDS_OF_FILES:
            folder = self.root / kind
            for entry in os.scandir(folder) if folder.is_dir() else ():
                if not entry.name.startswith("."):
                    found[kind, entry.name.split(".")[0]] = Path(entry.path)
        return found

    def _intact(self, kind: str, key: str) -> Path | None:
        """The artefact's file if it still has the content that it was written with; checked once a run."""
        path = self._files.get((kind, key))
        if path is None or path in self._checked:
            return path
        try:
            intact = _checksum(path.read_bytes()) == path.name.split(".")[1]
        except OSError:
            intact = False
        if not intact:
            del self._files[kind, key]
            return None
        self._checked.add(path)
        return path

    def _put(self, kind: str, key: str, suffix: str, data: bytes) -> None:
        path = self.root / kind / f"{key}.{_checksum(data)}{suffix}"
        partial = path.with_name(f".{key}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(data)
            partial.replace(path)
            older = self._files.get((kind, key))
            if older is not None and older != path:
                older.unlink(missing_ok=True)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise StoreError(f"{path.parent}: can't store: {error.strerror or error}") from error
        self._files[kind, key] = path
        self._checked.add(path)


def _checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_CHECKSUM_LENGTH]


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
