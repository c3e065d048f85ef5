"""What is particular to GGUF files."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

_LONG_ROW = 4096
"""Bytes."""
_PLAIN_TYPES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@contextmanager
def parsed_once() -> Iterator[None]:
    """Let transformers parse a GGUF file once instead of several times, and faster.

    Config, tokenizer and weights each read the same file and its vocabulary, and the weights' names are looked up in a table
    that is built again for every module; both depend on nothing but their arguments. The loader's own progress bar can't be
    turned off otherwise.
    """
    import gguf
    import tqdm
    from transformers import modeling_gguf_pytorch_utils as loader

    replacements = [
        (gguf, "GGUFReader", functools.cache(_reader_class())),
        (gguf, "get_tensor_name_map", functools.cache(gguf.get_tensor_name_map)),
        (gguf, "dequantize", _in_long_rows(gguf.dequantize)),
        (loader, "load_gguf_checkpoint", _settings_read_once(loader.load_gguf_checkpoint)),
    ]
    if hasattr(loader, "tqdm"):
        replacements.append((loader, "tqdm", functools.partial(tqdm.tqdm, disable=True)))
    with ExitStack() as stack:
        for owner, name, value in replacements:
            stack.enter_context(_replaced(owner, name, value))
        yield


def _reader_class() -> Any:
    """The reader of gguf on a plain array: it makes some 250,000 slices of a file, each four times as fast as of a memmap."""
    import gguf

    class Reader(gguf.GGUFReader):
        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, np.asarray(value) if name == "data" else value)

    return Reader


def _in_long_rows(dequantize: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """More at a time than 16 rows, which gguf takes: of a narrow matrix that is little.

    Blocks don't know of rows: whatever the length of a row, the numbers are the same.
    """

    def dequantized(data: np.ndarray, qtype: Any) -> np.ndarray:
        n_rows, n_joined = math.prod(data.shape[:-1]), 1
        while n_rows % (2 * n_joined) == 0 and 2 * n_joined * data.shape[-1] <= _LONG_ROW:
            n_joined *= 2
        if n_joined == 1 or data.dtype != np.uint8:
            return dequantize(data, qtype)
        found = dequantize(data.reshape(-1, n_joined * data.shape[-1]), qtype)
        return found.reshape(*data.shape[:-1], -1)

    return dequantized


def _settings_read_once(load: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """What a file says besides its tensors: the whole vocabulary among it, token by token."""
    settings = functools.cache(load)

    def loaded(path: str, return_tensors: bool = False, **options: Any) -> dict[str, Any]:
        if return_tensors or options:
            return load(path, return_tensors, **options)
        return copy.deepcopy(settings(path))

    return loaded


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Set ``owner.name`` to ``value`` and restore it at the end, also after an error."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def quantization_and_dtype(path: Path) -> tuple[str | None, str | None]:
    """How a GGUF file stores its weights: ``("Q4_1 GGUF", None)``, or ``(None, "float16")`` where they are not quantised.

    The name is the header's if gguf knows it, else that of the type of most weights.
    """
    import gguf

    reader: Any = gguf.GGUFReader(str(path))
    sizes: dict[str, int] = {}
    for tensor in reader.tensors:
        name = tensor.tensor_type.name
        sizes[name] = sizes.get(name, 0) + tensor.n_elements
    if sizes.keys() <= _PLAIN_TYPES.keys():
        # The norms stay in float32 beside weights in half precision.
        return None, _PLAIN_TYPES[max(sizes, key=sizes.__getitem__)]
    field = reader.get_field("general.file_type")
    named = {int(kind): kind.name.removeprefix("MOSTLY_") for kind in gguf.LlamaFileType if kind.name != "GUESSED"}
    name = named.get(int(field.contents())) if field else None
    commonest = max(sizes.keys() - _PLAIN_TYPES.keys(), key=sizes.__getitem__)
    return f"{name if name and name not in {'ALL_F32', 'F16', 'BF16'} else commonest} GGUF", None
