"""The header of a safetensors file, which says how long the file is: a copy that was cut off is known without a library.

The format: https://huggingface.co/docs/safetensors/index#format
"""

from __future__ import annotations

import json
from pathlib import Path

_LONGEST = 100_000_000
"""Bytes of a header: safetensors reads no longer one."""
_POINTER = b"version https://git-lfs"


def problem(path: Path) -> str | None:
    """What was found instead of a whole file, and what to do; None where nothing is missing, or can't be known."""
    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(len(_POINTER))
        if start == _POINTER:
            return "got a pointer of Git LFS to it; run: git lfs pull"
        length = int.from_bytes(start[:8], "little")
        if length > _LONGEST:
            return None
        file.seek(8)
        header = file.read(length)
    if n_bytes >= 8 + length + _end(header):
        return None
    return f"got only {n_bytes:,} bytes of it; copy or download it again"


def _end(header: bytes) -> int:
    """The end of the last tensor, in bytes after the header; 0 where the header can't be read."""
    try:
        tensors = json.loads(header)
        return max(int(tensor["data_offsets"][1]) for name, tensor in tensors.items() if name != "__metadata__")
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return 0
