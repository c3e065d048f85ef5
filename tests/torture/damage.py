"""Ways to damage a file, region by region: all of them are listed, so that a trial's number names one."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

REGION_DAMAGES = ("a bit flipped", "zeroed", "cut off", "removed", "repeated")
FILE_DAMAGES = ("emptied", "appended", "deleted", "swapped")
_N_BLOCKS = 8
"""Into which a file without a structure is divided."""


@dataclass(frozen=True, kw_only=True)
class Region:
    name: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A change of JSON that leaves it JSON: what stands at a path becomes something else."""

    path: tuple[str | int, ...]
    value: Any


def regions(name: str, data: bytes) -> list[Region]:
    """The parts of a file, by its kind; together they are all of it."""
    if name.endswith(".safetensors"):
        return _tensors(data)
    if data.lstrip()[:1] == b"{":
        return _fields(data, 0)
    if start := _checksum_length(data):
        return [Region(name="checksum", start=0, end=start), *_fields(data, start)]
    size = max(1, len(data) // _N_BLOCKS)
    ends = [*(size * index for index in range(1, _N_BLOCKS)), len(data)]
    return [Region(name=f"block {index}", start=size * index, end=end) for index, end in enumerate(ends)]


def json_of(data: bytes) -> Any:
    """What a file says, after its checksum."""
    return json.loads(data[_checksum_length(data) :])


def _checksum_length(data: bytes) -> int:
    """Of the line that what is kept of fonts begins with."""
    return 65 if data[64:66] == b"\n{" else 0


def _tensors(data: bytes) -> list[Region]:
    """The header's length, the header, each tensor."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    tensors = sorted((each["data_offsets"], name) for name, each in header.items() if name != "__metadata__")
    return [
        Region(name="length", start=0, end=8),
        Region(name="header", start=8, end=start),
        *(Region(name=name, start=start + first, end=start + last) for (first, last), name in tensors if last > first),
    ]


def _fields(data: bytes, start: int) -> list[Region]:
    """From each name of the two outer levels to the next."""
    names = [("{", start)]
    position = start
    for name in _names(json_of(data), 2):
        found = data.find(json.dumps(name, ensure_ascii=False).encode() + b":", position)
        if found >= 0:
            names.append((name, found))
            position = found + 1
    ends = [position for _, position in names[1:]] + [len(data)]
    return [Region(name=name, start=first, end=end) for (name, first), end in zip(names, ends, strict=True)]


def _names(content: Any, depth: int) -> Iterator[str]:
    if isinstance(content, dict) and depth:
        for name, value in content.items():
            yield name
            yield from _names(value, depth - 1)


def damaged(data: bytes, region: Region, damage: str) -> bytes:
    """What becomes of the file; never the same bytes."""
    before, inside, after = data[: region.start], data[region.start : region.end], data[region.end :]
    if damage == "a bit flipped":
        middle = len(inside) // 2
        inside = inside[:middle] + bytes([inside[middle] ^ 1]) + inside[middle + 1 :]
    elif damage == "zeroed":
        inside = bytes(len(inside)) if any(inside) else b"\xff" * len(inside)
    elif damage == "cut off":
        inside = after = b""
    elif damage == "removed":
        inside = b""
    elif damage == "repeated":
        inside += inside
    return before + inside + after


# --- JSON that stays JSON --------------------------------------------------------------------------------------------


def edits(content: Any, path: tuple[str | int, ...] = ()) -> Iterator[Edit]:
    """Every value changed, once in its kind and once into another; of a list the first entry, the last and its length."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield from edits(value, (*path, name))
    elif isinstance(content, list) and content:
        yield Edit(path=path, value=content[:-1])
        for index in {0, len(content) - 1}:
            yield from edits(content[index], (*path, index))
    if path:
        yield Edit(path=path, value=_other(content))
        yield Edit(path=path, value=None if content is not None else [])


def _other(value: Any) -> Any:
    """Of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return 0.0 if math.isnan(value) else value + 1
    if isinstance(value, str):
        return f"{value}x"
    return {} if isinstance(value, dict) and value else [0]


def edited(data: bytes, edit: Edit) -> bytes:
    """The file with the change; a checksum before the JSON stays as it is."""
    start = _checksum_length(data)
    content = json_of(data)
    inner = content
    for step in edit.path[:-1]:
        inner = inner[step]
    inner[edit.path[-1]] = edit.value
    return data[:start] + json.dumps(content, ensure_ascii=False).encode()
