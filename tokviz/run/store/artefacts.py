"""Artefacts on disk, each under a key made of all that made it, each with a checksum.

``ROOT/states/KEY/``
    ``states.safetensors`` (a float32 tensor ``(n_words, width)`` per depth, named ``depth.000`` …, and the statistics
    at position 0) and ``states.json`` (everything else).
``ROOT/projections/KEY.CHECKSUM.safetensors``, ``ROOT/measures/KEY.CHECKSUM.json``, ``ROOT/images/KEY.CHECKSUM.webp``,
``ROOT/previews/KEY.CHECKSUM.png``
    One file each; the checksum of its content stands in its name.
``ROOT/reports/ID.CHECKSUM.json``
    Which artefacts a report used when it was made last; the file's time says when.
``ROOT/timings/KEY.CHECKSUM.json``
    How long the phases of the last runs took, next to what was foreseen.
``ROOT/tokviz-cache.txt``
    Says that this is a cache (``tokviz.run.store.entries``, which has the names of all these files).
``ROOT/fonts/…``
    Which characters the fonts of this machine have (``tokviz.draw.coverage``).

Files appear whole (written beside, then renamed), so a run that is killed leaves nothing half-made.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tokviz.errors import DamagedStatesError, StoreError
from tokviz.records import HiddenStates, Projection
from tokviz.run.store import disk, entries
from tokviz.run.store.disk import shown_path
from tokviz.run.store.entries import DESCRIPTION, STATES, SUFFIXES, Entry, checksum
from tokviz.run.store.images import is_drawn
from tokviz.run.store.plain import Record, from_plain, to_plain
from tokviz.run.store.states_file import (
    POSITION0,
    CaptureDescription,
    StatesWriter,
    StoredDepths,
    StoredDescription,
    depth_tensor,
    made_beside,
    make_way,
    partial_beside,
    read_description,
    read_tensor,
    require_fit,
    write_description,
)

PREVIEWS = "previews"
"""What other sites show beside links."""

_REPORTS, _MEASURES, _IMAGES = "reports", "measures", "images"
_TIMINGS, _ALL_RUNS = "timings", "0" * 32
_NOTES = (_REPORTS, _TIMINGS)
"""What is kept of runs, and never unused."""
LEFT_BEHIND = "left behind"
"""What killed runs leave half-made; nobody uses it when nothing runs."""
_UNREADABLE = (
    *(OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError),
    *(SafetensorError, DamagedStatesError),
)
"""What reading raises where a file isn't what it should be."""
_A_MOMENT = 2_000_000_000
"""Nanoseconds: the coarsest time that a file system gives a folder."""
_DESCRIBED = ("name", "problems", "grid_problems", "left_out")
"""What a projection holds besides arrays."""


Use = tuple[str, str]
"""An artefact's kind (``states``, ``projections``, ``measures``, ``images``, ``previews``) and key."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class UsedBy:
    """What a report used when it was made last."""

    config: str
    output: str
    used: frozenset[Use]
    at: float
    """Seconds since 1970."""


class Store:
    """The cache folder. Reading never writes; a damaged artefact counts as absent.

    What keeps something raises ``StoreError`` where the disk is full or read-only.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._checked: set[Path] = set()
        self._readable: set[Path | None] = set()
        """Projections and measures that were found to be records of their kind."""
        self._damaged: dict[str, tuple[int, ...]] = {}
        """By key which files those were: another process may have captured them again."""
        self._used: set[Use] = set()
        self._files: dict[Use, Path] = {}
        self._names: dict[str, set[str]] = {}
        """Per kind: the names in its folder that were looked at."""
        self._listed: dict[str, int] = {}
        """Per kind: the time of its folder when it was listed, in nanoseconds since 1970."""

    # --- hidden states -------------------------------------------------------------------------------------------

    def find_states(self, key: str) -> HiddenStates | None:
        """The stored capture, its states still on disk; None when there is none or it can't be read."""
        if key in self._damaged and self._damaged[key] == self._written(key):
            return None
        folder = self._states_folder(key)
        try:
            stored = read_description(folder)
            digests, file = stored["digests"], folder / STATES
            values, dimensions = (read_tensor(file, name, digests[name]) for name in POSITION0)
            described = from_plain(StoredDescription, stored)
            found = HiddenStates(
                **{field.name: getattr(described, field.name) for field in dataclasses.fields(described)},
                states=StoredDepths(
                    file, [digests[depth_tensor(depth)] for depth in range(len(described.module_paths))]
                ),
                position0_values=values,
                position0_dimensions=dimensions,
            )
            require_fit(found)
        except _UNREADABLE:
            return None
        self._used.add(("states", key))
        return found

    def states_are_intact(self, key: str) -> bool:
        """Whether there is a capture whose states are all as they were written; reads the whole file."""
        found = self.find_states(key)
        try:
            return found is not None and all(state is not None for state in found.states)
        except DamagedStatesError:
            return False

    def count_as_absent(self, error: DamagedStatesError) -> None:
        """From now on the capture is as if it weren't there; its files stay until it is captured again."""
        key = error.folder.name
        self._damaged[key] = self._written(key)

    def _written(self, key: str) -> tuple[int, ...]:
        """Which file a capture's states are in, and when it was written."""
        try:
            found = (self._states_folder(key) / STATES).stat()
        except OSError:
            return ()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def states_writer(self, key: str, description: CaptureDescription) -> StatesWriter:
        self._damaged.pop(key, None)
        self._used.add(("states", key))
        return StatesWriter(self._states_folder(key), description)

    def put_failure(self, key: str, reason: str, identity: str | None = None) -> None:
        """Keep that there are no states under a key, and why: it isn't tried again with the same weights.

        Parameters
        ----------
        identity : of the weights, where the key doesn't follow from it.
        """
        self._used.add(("states", key))
        write_description(self._states_folder(key), {"failure": reason, "identity": identity})

    def failure(self, key: str, identity: str | None = None) -> str | None:
        """Why there are no states under a key; None where there are, or nothing was tried with the weights of that identity."""
        try:
            description = read_description(self._states_folder(key))
        except _UNREADABLE:
            return None
        reason, known = description.get("failure"), description.get("identity")
        if identity is not None and known not in (None, identity):
            return None
        self._used.add(("states", key))
        return str(reason) if reason is not None else None

    def keys(self, kind: str) -> list[str]:
        """The keys of all stored artefacts of a kind, and of captures that are known to fail."""
        return [each.key for each in entries.entries(self.root) if each.kind == kind and each.key is not None]

    def packed_states(self, key: str) -> dict[str, bytes]:
        """A capture's files as they are, by name, to be sent to another machine's store."""
        folder = self._states_folder(key)
        return {name: disk.read_regular(folder / name) for name in (STATES, DESCRIPTION) if (folder / name).exists()}

    def put_packed_states(self, key: str, files: dict[str, bytes]) -> None:
        """Keep what ``packed_states`` gave elsewhere; raises ``StoreError`` also where the files were damaged on their way."""
        folder = self._states_folder(key)
        with made_beside(folder) as partial:
            for name, content in files.items():
                (partial / name).write_bytes(content)
        self._damaged.pop(key, None)
        if self.failure(key) is None and not self.states_are_intact(key):
            raise StoreError(f"{shown_path(folder)}: hidden states came damaged from another machine; run again")

    def packed_measure(self, key: str) -> bytes | None:
        """What is measured, of whatever kind, as it is stored, to be sent to another machine's store."""
        path = self._intact(_MEASURES, key)
        return path.read_bytes() if path else None

    def put_packed_measure(self, key: str, data: bytes) -> None:
        self._put(_MEASURES, key, ".json", data)

    def _states_folder(self, key: str) -> Path:
        return self.root / "states" / key

    # --- projections and measures ---------------------------------------------------------------------------------

    def has(self, key: str, kind: type) -> bool:
        """Whether there is a projection or a measure of that kind, such as ``Geometry``."""
        return self._intact(folder_of(kind), key) in self._readable or self.find(key, kind) is not None

    def find(self, key: str, kind: type[Record]) -> Record | None:
        path = self._intact(folder_of(kind), key)
        if path is None:
            return None
        try:
            if kind is Projection:
                found: Any = _unpacked(path.read_bytes())
            else:
                found = from_plain(kind, json.loads(path.read_text(encoding="utf-8")))
        except _UNREADABLE:
            return None
        self._readable.add(path)
        return found  # type: ignore[no-any-return]  # its type is known to the caller only

    def put(self, key: str, record: object) -> None:
        if isinstance(record, Projection):
            self._put(folder_of(Projection), key, ".safetensors", _packed(record))
        else:
            data = json.dumps(to_plain(record), ensure_ascii=False).encode()
            self._put(folder_of(type(record)), key, ".json", data)

    # --- images --------------------------------------------------------------------------------------------------

    def find_image(self, key: str) -> Path | None:
        """The image's file, its content checked; it is copied from there, never held in memory."""
        return self._intact(_IMAGES, key)

    def put_image(self, key: str, data: bytes) -> None:
        # A file is found by its key; its ending is for people who look into the cache.
        self._put(_IMAGES, key, ".svg" if data.startswith(b"<svg") else ".webp", data)

    def find_preview(self, key: str) -> Path | None:
        return self._intact(PREVIEWS, key)

    def put_preview(self, key: str, data: bytes) -> None:
        self._put(PREVIEWS, key, ".png", data)

    # --- who uses what ---------------------------------------------------------------------------------------------

    def note_use(self, identity: str, config: str, output: str) -> None:
        """Keep which artefacts were found or made since this store was opened, as a report's.

        Parameters
        ----------
        identity : 32 hexadecimal digits; takes the place of what was kept under the same.
        config, output : where the report's configuration and its site are, to tell people.
        """
        content = {"config": config, "output": output, "used": sorted(self._used)}
        self._put(_REPORTS, identity, ".json", json.dumps(content).encode())  # paths may hold what is no text

    def reports(self) -> list[UsedBy]:
        """What each report used; one whose file can't be read isn't known."""
        found = []
        self._list_again(_REPORTS)
        for kind, identity in list(self._files):
            if kind == _REPORTS and (path := self._intact(kind, identity)):
                with contextlib.suppress(*_UNREADABLE):
                    content = json.loads(path.read_text(encoding="utf-8"))
                    used = frozenset((str(kind), str(key)) for kind, key in content["used"])
                    found.append(
                        UsedBy(config=content["config"], output=content["output"], used=used, at=path.stat().st_mtime)
                    )
        return found

    # --- how long runs took ----------------------------------------------------------------------------------------

    def put_timings(self, runs: Mapping[str, Sequence[float]]) -> None:
        self._put(_TIMINGS, _ALL_RUNS, ".json", json.dumps(runs).encode())

    def timings(self) -> dict[str, list[float]]:
        """By phase, how many times as long as foreseen the last runs took; nothing of what can't be read."""
        path = self._intact(_TIMINGS, _ALL_RUNS)
        if path is None:
            return {}
        try:
            found = json.loads(path.read_text(encoding="utf-8")).items()
            return {str(name): [float(each) for each in ratios] for name, ratios in found if ratios}
        except _UNREADABLE:
            return {}

    # --- what is no longer used ------------------------------------------------------------------------------------

    def unused(self, used: AbstractSet[Use]) -> dict[str, list[Entry]]:
        """Every artefact but those used, per kind, and under ``LEFT_BEHIND`` what killed runs left half-made.

        What isn't as it was stored may be somebody's, and isn't among them.
        """
        found: dict[str, list[Entry]] = {kind: [] for kind in ("states", *SUFFIXES) if kind not in _NOTES}
        found[LEFT_BEHIND] = []
        for entry in entries.entries(self.root):
            if entry.key is None:
                found[LEFT_BEHIND].append(entry)
            elif entry.kind not in _NOTES and (entry.kind, entry.key) not in used and entry.is_as_stored:
                found[entry.kind].append(entry)
        return found

    # --- one file, one artefact ----------------------------------------------------------------------------------

    def _file(self, kind: str, key: str) -> Path | None:
        """Where it is: from a listing, as long as the folder hasn't changed, instead of a question to the disk for every artefact."""
        if (kind, key) not in self._files:
            self._list_again(kind)
        return self._files.get((kind, key))

    def _list_again(self, kind: str) -> None:
        """Find what this process and others have written since the last time, if anything."""
        folder, names = self.root / kind, self._names.setdefault(kind, set())
        try:
            changed = folder.stat().st_mtime_ns
            if self._listed.get(kind) == changed:
                return
            # A run asks before each picture that it draws: only what is new is looked at.
            with os.scandir(folder) as found:
                new = {file.name for file in found} - names
            for file in new:
                name = entries.artefact(kind, file)
                if name and disk.is_regular(folder / file):
                    self._files[kind, name["key"]] = folder / file
                names.add(file)
        except OSError:
            return
        # What is written in the same moment may leave the folder's time as it is.
        self._listed[kind] = changed if time.time_ns() - changed > _A_MOMENT else 0

    def _intact(self, kind: str, key: str) -> Path | None:
        """The artefact's file if it still has the content that it was written with; checked once a run."""
        path = self._file(kind, key)
        if path is None:
            return None
        if path in self._checked:
            self._used.add((kind, key))
            return path
        try:
            data = disk.read_regular(path)
            intact = checksum(data) == path.name.split(".")[1] and (kind != _IMAGES or is_drawn(data))
        except OSError:
            intact = False
        if not intact:
            del self._files[kind, key]
            self._names[kind].discard(path.name)
            return None
        self._checked.add(path)
        self._used.add((kind, key))
        return path

    def _put(self, kind: str, key: str, suffix: str, data: bytes) -> None:
        path = self.root / kind / f"{key}.{checksum(data)}{suffix}"
        partial = partial_beside(path.with_name(key))
        older = self._file(kind, key)  # asked before the new one stands there, too
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(data)
            if not disk.is_regular(path):
                make_way(path)
            partial.replace(path)
            if older is not None and older != path:
                older.unlink(missing_ok=True)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise StoreError(f"{shown_path(path.parent)}: can't store: {error.strerror or error}") from error
        self._files[kind, key] = path
        self._checked.add(path)
        self._used.add((kind, key))


def folder_of(kind: type) -> str:
    """Where projections are kept, and what is measured."""
    return "projections" if kind is Projection else _MEASURES


def _packed(projection: Projection) -> bytes:
    arrays = {
        field.name: np.ascontiguousarray(value)
        for field in dataclasses.fields(projection)
        if isinstance(value := getattr(projection, field.name), np.ndarray)
    }
    described = {name: to_plain(getattr(projection, name)) for name in _DESCRIBED}
    arrays["described"] = np.frombuffer(json.dumps(described).encode(), dtype=np.uint8)
    return save(arrays)


def _unpacked(data: bytes) -> Projection:
    arrays = load(data)
    described = json.loads(arrays.pop("described").tobytes())
    hints = get_type_hints(Projection, include_extras=True)
    values: dict[str, Any] = {name: from_plain(hints[name], described[name]) for name in _DESCRIBED}
    return Projection(**{**arrays, **values})
