"""What is particular to GGUF files."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

_PLAIN_TYPES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@contextmanager
def parsed_once() -> Iterator[None]:
    """Let transformers parse a GGUF file once instead of three times.

    Config, tokenizer and weights each make a ``GGUFReader`` of the same file, and the weights' names are looked up in
    a table that is built again for every module; both depend on nothing but their arguments. For SmolLM2's 98 MB this
    takes a load from 27 to 9 seconds of one core. The loader's own progress bar can't be turned off otherwise.
    """
    import gguf
    import tqdm
    from transformers import modeling_gguf_pytorch_utils as loader

    with ExitStack() as stack:
        for name in ("GGUFReader", "get_tensor_name_map"):
            stack.enter_context(_replaced(gguf, name, functools.cache(getattr(gguf, name))))
        if hasattr(loader, "tqdm"):
            stack.enter_context(_replaced(loader, "tqdm", functools.partial(tqdm.tqdm, disable=True)))
        yield


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
