"""How large a source is, from the headers of its weights and the names of its files: no weight is read, and the Hub isn't asked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokviz.config import ModelConfig
from tokviz.errors import SourceError
from tokviz.models import gguf_header, safetensors_header
from tokviz.models.files import INDEX, list_files, read_object
from tokviz.models.location import is_whole_in_cache, locate, snapshot, weights_files

_UNREADABLE = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
    ArithmeticError,
    SourceError,
)
_MOST_OF_HEADERS = 30_000_000
"""Bytes of all headers that are read for it: this is before anything is said."""
_MOST_PER_BYTE = 8
"""Parameters in a byte of weights."""
_MOST_TO_DOWNLOAD = 10**15
_MOST_AXES = 8
_LAYER = re.compile(r"(?:^|\.)(\d+)\.")


@dataclass(frozen=True, kw_only=True)
class Size:
    """Of a model, as far as it is known."""

    n_parameters: int
    n_in_layers: int
    """Of these; the others are an embedding, an output matrix and the like."""
    n_layers: int
    width: int
    vocabulary: int
    is_decoder: bool
    is_gguf: bool


def size(model: ModelConfig, base: Path) -> Size | None:
    """What the headers of the weights tell; None where they aren't on this machine, or can't be read."""
    try:
        location = locate(model, base)
        path = snapshot(model) if location.kind == "hub" else location.path
        if path is None or (location.kind == "hub" and not is_whole_in_cache(model)):
            return None
        files = list_files(model.source, location, path).weights_paths
        most = _MOST_PER_BYTE * sum(each.stat().st_size for each in files)
        if location.is_gguf:
            return _of(gguf_header.shapes(files[0]), most, is_gguf=True)
        if sum(map(safetensors_header.length, files)) > _MOST_OF_HEADERS:
            return None
        shapes = {name: each.shape for file in files for name, each in safetensors_header.tensors(file).items()}
        return _of(shapes, most, is_gguf=False)
    except _UNREADABLE:
        return None


def bytes_to_download(model: ModelConfig, base: Path) -> int | None:
    """Of the weights; None where that isn't known without the Hub: there is no index of them here."""
    try:
        if locate(model, base).kind != "hub" or is_whole_in_cache(model):
            return 0
        folder = snapshot(model)
        index: Mapping[str, Any] = read_object(folder / INDEX) if folder else {}
        n_bytes = int(index["metadata"]["total_size"])
        here = sum(each.stat().st_size for each in weights_files(folder or base))
        return n_bytes - here if 0 <= n_bytes - here <= _MOST_TO_DOWNLOAD else None
    except _UNREADABLE:
        return None


def _of(shapes: Mapping[str, tuple[int, ...]], most: int, *, is_gguf: bool) -> Size | None:
    """``most`` parameters are in the files at most: a header may claim any."""
    if any(len(shape) > _MOST_AXES for shape in shapes.values()):
        return None
    n_parameters = sum(map(math.prod, shapes.values()))
    if n_parameters > most:
        return None
    layers = {name: int(found[1]) for name in shapes if (found := _LAYER.search(name))}
    tables = [shape for name, shape in shapes.items() if name not in layers and len(shape) == 2 and all(shape)]
    if not layers or not tables:
        return None
    largest = max(tables, key=math.prod)
    is_encoder = any("token_type" in name for name in shapes) or all("encoder" in name for name in layers)
    return Size(
        n_parameters=n_parameters,
        n_in_layers=sum(math.prod(shapes[name]) for name in layers),
        n_layers=len({*layers.values()}),
        width=min(largest),
        vocabulary=max(largest),
        is_decoder=not is_encoder,
        is_gguf=is_gguf,
    )
