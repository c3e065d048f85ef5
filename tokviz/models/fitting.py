"""A configuration against the headers of its weights, before any weight is read: layers, shapes, and the types of numbers."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tokviz.errors import SourceError
from tokviz.models import safetensors_header
from tokviz.models.safetensors_header import Header
from tokviz.models.staging import Staged
from tokviz.text import counted, one_line

FLOATS = ("F64", "F32", "F16", "BF16")
"""What weights are that aren't quantized, as safetensors names it."""
_GGUF_INTEGERS = ("I8", "I16", "I32", "I64")
_GGUF_LAYER = re.compile(r"(?:enc\.)?blk\.(\d+)\.")
_MOST_PER_TENSOR, _MOST_ADDED = 8, 1000
"""A model may keep one stored tensor in several parameters, each set twice while loading, and have some that aren't stored."""
_ADDED_SHARE, _ADDED_NUMBERS = 0.1, 2_000_000
"""By how much a model may be larger than its GGUF file says: such files leave out what states don't depend on."""
_MOST_OF_TABLES = 4 * 10**9
"""Bytes: masks and angles of 2,048 positions take some hundred million in the models that keep them for each layer."""
_FURTHER_TOKENS = re.compile(r"(.*_)?(nextn|mtp)(_.*)?")
"""Keys of a configuration that say how many layers predict further tokens; they aren't run."""
_MOST_FURTHER = 100
PACKED = 16
"""How many weights of two bits an integer of 32 holds."""
WITH_PARTS_LEFT_OUT = 4
"""So many times as many numbers as are stored a model may have: checkpoints of an encoder alone lack the decoder, which isn't run."""
_OLD_BUFFERS = ("position_ids", "masked_bias", "num_batches_tracked")
_MASK_AXES = 4
"""Of the masks that old checkpoints of GPT-2 and the like hold, under the name of a bias."""


@contextmanager
def at_most(source: str, n_tensors: int) -> Iterator[None]:
    """Within the block no model is made that has far more parameters than there are tensors in its files.

    Raises
    ------
    SourceError : one is: making it would take minutes, only to find that weights are missing.
    """
    from torch.nn.modules.module import register_module_parameter_registration_hook

    own = threading.get_ident()  # the hook sees what other threads make, too
    most, n_made = _MOST_PER_TENSOR * n_tensors + _MOST_ADDED, 0

    def count(*_: Any) -> None:
        nonlocal n_made
        n_made += threading.get_ident() == own
        if n_made > most:
            raise SourceError(
                f"{source}: expected a config.json of the {counted(n_tensors, 'tensor')} in its weights files, got one of far more, perhaps "
                "by its number of layers; check that config.json and the weights belong together"
            )

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()


def headers_of(staged: Staged) -> dict[str, Header]:
    """Name → type and shape of every tensor in a source's safetensors files."""
    return {
        name: each for path in staged.files.weights_paths for name, each in safetensors_header.tensors(path).items()
    }


def refuse_unused_layers(source: str, whole: Any, path: str, names: set[str]) -> tuple[str, ...]:
    """Refuse layers that are stored and that the config leaves out; returns a note on those that it names as no part of the stack.

    Parameters
    ----------
    whole, path : the model as its config has it, and where in it is the part that words pass through.
    names : of tensors that the model has no place for.
    """
    part = whole.get_submodule(path)
    prefix = re.escape(f"{whole.base_model_prefix}.") if whole.base_model_prefix else ""
    beginning = re.escape(f"{path}.") if path else ""
    for place, n_layers in _stacks(part):
        layer = re.compile(rf"(?:{prefix})?{beginning}{re.escape(place)}\.(\d+)\.")
        unused = {int(found[1]) for name in names if (found := layer.match(name))}
        unused = {index for index in unused if index >= n_layers}
        if not unused:
            continue
        if unused in _of_further_tokens(part.config, n_layers) and _have_parts_of_their_own(layer, names, unused):
            verb = "predicts" if len(unused) == 1 else "predict"
            return (f"{counted(len(unused), 'layer')} after the last one {verb} further tokens, and did not run.",)
        raise SourceError(
            f"{source}: expected as many layers as follow from config.json, {n_layers:,}, found weights of {max(unused) + 1:,} "
            f"({place}.{min(unused)} and on); check that config.json and the weights belong together"
        )
    return ()


def _stacks(part: Any) -> Iterator[tuple[str, int]]:
    """The path of each list of modules that isn't within another one, and how many it has."""
    import torch

    found: list[str] = []
    for path, module in part.named_modules():
        is_within = any(path.startswith(f"{outer}.") for outer in found)
        if isinstance(module, torch.nn.ModuleList) and not is_within:
            found.append(path)
            yield path, len(module)


def _have_parts_of_their_own(layer: re.Pattern[str], names: set[str], unused: set[int]) -> bool:
    """Whether each of these layers has a tensor of a name that no layer of the stack has: what joins it to the next token."""
    parts: dict[int, set[str]] = {}
    for name in names:
        if found := layer.match(name):
            parts.setdefault(int(found[1]), set()).add(name[found.end() :])
    of_stack = set().union(*(own for index, own in parts.items() if index not in unused))
    return all(parts[index] - of_stack for index in unused)


def _of_further_tokens(config: Any, n_layers: int) -> list[set[int]]:
    """Which layers after the last one may predict further tokens: as many as a key of the config says."""
    values = config.get_text_config().to_dict()
    counts = {value for key, value in values.items() if _FURTHER_TOKENS.fullmatch(key) and type(value) is int}
    return [set(range(n_layers, n_layers + count)) for count in counts if 0 < count < _MOST_FURTHER]


def refuse_other_numbers(source: str, whole: Any, headers: Mapping[str, Header], unexpected: set[str]) -> None:
    """Refuse parameters that are stored as integers or truth values: without a known quantization they mean something else.

    ``unexpected``: tensors that the model has no place for.
    """
    odd = {name: header for name, header in headers.items() if header.dtype not in FLOATS and name not in unexpected}
    if not odd:
        return
    # What isn't learned, as masks and positions, is stored under its own name, but not always at the same place.
    of_model = [*whole.named_buffers(), *whole.named_parameters()]
    are_integers = {_leaf(name) for name, tensor in whole.named_parameters() if not tensor.is_floating_point()}
    unlearned = {_leaf(name) for name, _ in whole.named_buffers()} | are_integers | set(_OLD_BUFFERS)
    learned = {name for name, tensor in of_model if tensor.is_floating_point()}
    for name, header in sorted(odd.items()):
        is_mask = _leaf(name) == "bias" and len(header.shape) == _MASK_AXES
        if (_leaf(name) not in unlearned and not is_mask) or any(_is_of(name, each) for each in learned):
            raise SourceError(
                f"{source}: expected weights of floating-point numbers ({', '.join(FLOATS)}), or a config with the "
                f"quantization_config that they were made with, got {one_line(header.dtype)} for {one_line(name)}; fetch the files again, "
                "or name weights that aren't quantized"
            )


def _leaf(name: str) -> str:
    return name.rpartition(".")[2]


def _is_of(name: str, parameter: str) -> bool:
    return name == parameter or name.endswith(f".{parameter}") or parameter.endswith(f".{name}")


def refuse_more_numbers(source: str, whole: Any, n_found: int, most_per_number: int = 1) -> None:
    """Refuse a config of a far larger model than the numbers that are stored; raises ``SourceError``.

    ``most_per_number``: how many weights a stored number may hold.
    """
    n_asked = sum(each.numel() for each in whole.parameters())
    if n_asked > n_found * most_per_number * (1 + _ADDED_SHARE) + _ADDED_NUMBERS:
        raise SourceError(
            f"{source}: expected weights for the {n_asked:,} numbers that the config asks for, found {n_found:,}; check that the "
            "config and the weights belong together"
        )


def refuse_large_tables(source: str, whole: Any) -> None:
    """Refuse a config that asks for far larger tables of positions and the like than any model makes; raises ``SourceError``.

    They aren't stored, so that no file bounds them.
    """
    n_bytes = sum(each.numel() * each.element_size() for each in whole.buffers())
    if n_bytes > _MOST_OF_TABLES:
        raise SourceError(
            f"{source}: expected at most {_MOST_OF_TABLES / 1e9:,.0f} GB of tables that a model makes itself, as of positions, got "
            f"{n_bytes / 1e9:,.0f} GB; check config.json for numbers that no model has"
        )


# --- GGUF --------------------------------------------------------------------------------------------------------


def refuse_other_gguf(staged: Staged, config: Any) -> Any:
    """Refuse a GGUF file whose config has other layers than its tensors, tables of other sizes, or integers as weights.

    Returns the whole model without values; raises ``SourceError``.
    """
    import gguf
    import torch
    from transformers import AutoModel

    source = staged.origin.model.source
    tensors = gguf.GGUFReader(str(staged.gguf_file)).tensors
    integers = [each for each in tensors if each.tensor_type.name in _GGUF_INTEGERS]
    if integers:
        raise SourceError(
            f"{source}: expected weights of floating-point numbers, quantized or not, got {integers[0].tensor_type.name} for "
            f"{one_line(integers[0].name)}; fetch the file again, or choose another"
        )
    assert staged.gguf_file is not None
    n_bytes, n_stored_bytes = staged.gguf_file.stat().st_size, sum(int(each.n_bytes) for each in tensors)
    if n_stored_bytes > n_bytes:
        raise SourceError(
            f"{source}: expected tensors one after the other, got {n_stored_bytes:,} bytes of them in a file of {n_bytes:,}; fetch "
            "the file again"
        )
    stored = {int(found[1]) for each in tensors if (found := _GGUF_LAYER.match(each.name))}
    n_stored, n_layers = max(stored, default=-1) + 1, config.get_text_config().num_hidden_layers
    unused = {index for index in stored if index >= n_layers}
    is_further = unused in _of_further_tokens(config, n_layers)
    if is_further:
        is_further = _have_parts_of_their_own(_GGUF_LAYER, {each.name for each in tensors}, unused)
    if stored and n_stored != n_layers and not is_further:
        raise SourceError(
            f"{source}: expected as many layers as the file's header gives, {n_layers:,}, found weights of {n_stored:,}; fetch "
            "the file again"
        )
    with at_most(source, len(tensors)), torch.device("meta"):
        whole = AutoModel.from_config(config)
    refuse_more_numbers(source, whole, sum(int(each.n_elements) for each in tensors))
    refuse_large_tables(source, whole)
    return whole
