"""A checkpoint's weights → the base model, and the part of it that words pass through."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tokviz.errors import SourceError
from tokviz.models.callers_code import some_of
from tokviz.models.fitting import (
    PACKED,
    WITH_PARTS_LEFT_OUT,
    at_most,
    headers_of,
    refuse_large_tables,
    refuse_more_numbers,
    refuse_other_gguf,
    refuse_other_numbers,
    refuse_unused_layers,
)
from tokviz.models.gguf_file import quantization_and_dtype
from tokviz.models.limits import ended_after, limited
from tokviz.models.refusals import refuse_without_text
from tokviz.models.staging import Staged
from tokviz.text import one_line, with_visible_directions


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A base model with its weights, as transformers makes it."""

    whole: Any
    """The module as the checkpoint has it, with decoder and vision part, without its head."""
    part: Any
    """The module in ``whole`` that words pass through; ``whole`` itself for most models."""
    path: str
    """Where ``part`` is in ``whole``; empty for most models."""
    checkpoint_dtype: str | None
    """Of the weights on disk; None when they are quantised."""
    quantization: str | None
    """Such as ``Q4_1 GGUF``; None when the weights are not quantised."""
    notes: tuple[str, ...]
    """Sentences for the model card."""
    head: Any
    """``whole`` with the output matrix that predicts the next token; None where there is none, or it wasn't asked for."""


def load_weights(staged: Staged, config: Any, offload: Path | None, *, with_head: bool) -> Weights:
    """Load the base model, once the headers of its weights are known to be those of its config.

    Parameters
    ----------
    staged : with its weights.
    config : transformers' own, of the whole model.
    offload : a folder for weights that don't fit in memory, see ``load``.
    with_head : whether the output matrix is loaded, too, where the checkpoint has one.

    Raises
    ------
    SourceError : the checkpoint lacks weights that words pass through or has them in other shapes, or that part of the
        model takes no text or doesn't say how large it is.
    """
    model = staged.origin.model
    more_notes: tuple[str, ...] = ()
    with limited(model.source, staged.n_mapped), ended_after(0):
        if staged.gguf_file is not None:
            on_meta = refuse_other_gguf(staged, config)
        else:
            on_meta, more_notes = _on_meta(staged, config)
        load = partial(_from_pretrained, staged, config, offload, _class_with_head(config) if with_head else None)
    # What the model has place for, whatever else is in the files.
    n_bytes = sum(each.numel() * each.element_size() for each in on_meta.parameters())
    dtype_note: str | None
    with ended_after(n_bytes):
        if staged.gguf_file is not None:
            (whole, head), dtype_note = _load_gguf(load, model.dtype)
            quantization, checkpoint_dtype = quantization_and_dtype(staged.gguf_file)
        else:
            (whole, head), checkpoint_dtype, dtype_note = _load_safetensors(load, model.dtype, config)
            quantization = quantization_of(whole.config)
            if _quantization_config(config):
                checkpoint_dtype = None
    notes = ((dtype_note,) if dtype_note else ()) + more_notes
    return _weights(model.source, whole, head, checkpoint_dtype, quantization, notes)


def weights_in_memory(source: str, model: Any, callers_code: Sequence[str] = ()) -> Weights:
    """The base model of one that is loaded; raises ``SourceError`` as ``load_weights`` does.

    ``callers_code``: what of its code isn't the libraries', as ``save at model.layers.0``.
    """
    notes = ["The model was passed in memory: where its weights come from is not recorded."]
    if callers_code:
        notes.append(f"Code of the caller’s own ran while it was captured: {some_of(callers_code)}.")
    base = model.base_model
    base = vars(base)["_modules"].get("_orig_mod", base)  # compiled by itself
    has_head = base is not model and model.get_output_embeddings() is not None
    head = model if has_head and not model.config.is_encoder_decoder else None
    quantization = quantization_of(model.config) or _quantized_by_torch(model)
    return _weights(source, base, head, None, quantization, tuple(notes))


def _weights(
    source: str,
    whole: Any,
    head: Any,
    checkpoint_dtype: str | None,
    quantization: str | None,
    notes: tuple[str, ...],
) -> Weights:
    part, path = _part_that_runs(whole)
    _refuse_unknown_sizes(source, part)
    if path:
        kind = "encoder of this encoder-decoder" if whole.config.is_encoder_decoder else "language part of this"
        notes = (*notes, f"Only the {kind} model runs, {path}.")
    return Weights(
        whole=whole,
        part=part,
        path=path,
        checkpoint_dtype=checkpoint_dtype,
        quantization=quantization,
        notes=notes,
        head=head,
    )


def without_weights(staged: Staged, config: Any) -> Any:
    """The module that words pass through: it takes no memory, and can't run.

    Where its weights are on this machine their names, shapes and types are read, and compared with the config.

    Raises ``SourceError``, as ``load_weights`` does.
    """
    with limited(staged.origin.model.source, staged.n_mapped):
        if staged.gguf_file is not None:
            refuse_other_gguf(staged, config)
        if staged.gguf_file is None and staged.has_weights:
            whole, _ = _on_meta(staged.linked(), config)
        else:
            whole = _of_config(config)
    part, _ = _part_that_runs(whole)
    _refuse_unknown_sizes(staged.origin.model.source, part)
    return part


def _of_config(config: Any) -> Any:
    import torch
    from transformers import AutoModel

    with torch.device("meta"):
        return AutoModel.from_config(config)


def _on_meta(staged: Staged, config: Any) -> tuple[Any, tuple[str, ...]]:
    """The whole base model without values, once it is known to be that of its weights' headers; and notes on them."""
    source, headers = staged.origin.model.source, headers_of(staged)
    _refuse_layers_without_tensors(source, config, len(headers))
    unexpected: set[str] = set()
    is_quantized = _is_known_quantization(config)
    with at_most(source, len(headers)):
        if is_quantized:  # what is stored has other shapes and types
            whole = _of_config(config)
        else:
            on_meta = staged.origin.model.model_copy(update={"device_map": "meta", "max_memory": None})
            without_values = replace(staged, origin=replace(staged.origin, model=on_meta))
            whole, _, unexpected = _loaded(without_values, config, None, None, "auto")
    _refuse_layers_without_tensors(source, config, len(headers) - len(unexpected))
    refuse_large_tables(source, whole)
    _, path = _part_that_runs(whole)
    notes = refuse_unused_layers(source, whole, path, {*unexpected, *headers})
    n_found = sum(math.prod(each.shape) for each in headers.values())
    if is_quantized:
        refuse_more_numbers(source, whole, n_found, PACKED)
    else:
        refuse_more_numbers(source, whole, n_found, WITH_PARTS_LEFT_OUT)
        refuse_other_numbers(source, whole, headers, unexpected)
    return whole, notes


def _refuse_layers_without_tensors(source: str, config: Any, n_tensors: int) -> None:
    """Refuse more layers than a model has that shares weights among them; ``n_tensors``: those that are its."""
    n_layers = getattr(config.get_text_config(), "num_hidden_layers", None)
    if isinstance(n_layers, int) and n_layers > max(n_tensors, _MOST_SHARED):
        raise SourceError(
            f"{source}: expected a config of the {n_tensors:,} tensors in its weights files, got {n_layers:,} layers; check that "
            "config.json and the weights belong together"
        )


def _class_with_head(config: Any) -> Any:
    """The class of transformers that loads the checkpoint with its output matrix; None where its config names none.

    None also where that class is not the base model of ``AutoModel`` and a matrix: states are those of the base model.
    """
    import torch
    import transformers

    for kind in ("CAUSAL_LM", "IMAGE_TEXT_TO_TEXT"):
        found = getattr(transformers, f"MODEL_FOR_{kind}_MAPPING").get(type(config), None)
        # GGUF files name no class.
        if found is None or found.__name__ not in (config.architectures or [found.__name__]):
            continue
        try:
            with torch.device("meta"):
                head = found(copy.deepcopy(config))
        except Exception:  # noqa: BLE001 - it can't be made without weights, so that nothing is known of it
            return None
        base: Any = transformers.MODEL_MAPPING.get(type(config), None)
        return found if type(head.base_model) is base else None
    return None


_MOST_SHARED = 200
"""Layers of a model whose layers share their weights, so that it stores fewer tensors than it has layers."""
_Loaded = tuple[Any, Any]
"""The whole base model, and the same with its head or None."""


def _load_gguf(load: Callable[[str], _Loaded], configured_dtype: str) -> tuple[_Loaded, str]:
    """The whole base model with its head, and a note."""
    dtype = "float32" if configured_dtype == "auto" else configured_dtype
    return load(dtype), f"The weights come from a GGUF file and were run in {dtype}."


def _load_safetensors(
    load: Callable[[str], _Loaded], configured_dtype: str, config: Any
) -> tuple[_Loaded, str | None, str | None]:
    """The whole base model with its head, the dtype of the weights on disk as far as it is known, and a note."""
    on_disk = dtype_name(config.dtype or config.get_text_config().dtype)
    dtype = "float32" if configured_dtype == "auto" and on_disk == "float16" else configured_dtype
    whole, head = load(dtype)
    loaded = dtype_name(whole.dtype)
    if dtype == "auto" and loaded == "float16":
        # The config doesn't name the dtype; the weights themselves do.
        on_disk, dtype = loaded, "float32"
        whole, head = load(dtype)
    note = None
    if on_disk == "float16" and dtype == "float32":
        note = "The checkpoint's float16 weights were run in float32, since hidden states overflow float16."
    return (whole, head), on_disk or (loaded if dtype == "auto" else None), note


def _from_pretrained(staged: Staged, config: Any, offload: Path | None, with_head: Any, dtype: str) -> _Loaded:
    whole, head, _ = _loaded(staged, config, offload, with_head, dtype)
    return whole, head


def _loaded(staged: Staged, config: Any, offload: Path | None, with_head: Any, dtype: str) -> tuple[Any, Any, set[str]]:
    """The whole base model, the same with its head or None, and the stored tensors that neither has a place for."""
    from transformers import AutoModel

    source = staged.origin.model.source
    loaded, report = (with_head or AutoModel).from_pretrained(
        **staged.arguments,
        config=config,
        dtype=dtype,
        **staged.origin.model.placement,
        offload_folder=offload,
        use_safetensors=True,
        use_kernels=False,  # code of the Hub, by default
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # refused here, with names and shapes
    )
    missing, mismatched = report["missing_keys"], report["mismatched_keys"]
    whole, head = loaded, None
    if with_head is not None:
        whole, prefix = loaded.base_model, f"{loaded.base_model_prefix}."
        random = {*missing, *(name for name, *_ in mismatched)}
        head = loaded if all(name.startswith(prefix) for name in random) else None
        missing = {name.removeprefix(prefix) for name in missing if name.startswith(prefix)}
        mismatched = {(name.removeprefix(prefix), *shapes) for name, *shapes in mismatched if name.startswith(prefix)}
    _refuse_other_shapes(source, mismatched)
    _refuse_missing(source, whole, missing)
    return whole, head, set(report["unexpected_keys"])


def _refuse_other_shapes(source: str, mismatched: set[tuple[str, Sequence[int], Sequence[int]]]) -> None:
    """``mismatched``: of each weight its name, its shape on disk, and the one that the config asks for."""
    if mismatched:
        name, found, expected = min(mismatched)
        more = f" (and {len(mismatched) - 1} more)" if len(mismatched) > 1 else ""
        raise SourceError(
            f"{source}: expected weights of the shapes that config.json gives, {tuple(expected)} for {name}, got "
            f"{tuple(found)}{more}; check that config.json and the weights belong together"
        )


def _refuse_missing(source: str, whole: Any, missing: set[str]) -> None:
    """Refuse random weights where words pass through; a pooler comes after all that is shown."""
    _, path = _part_that_runs(whole)
    used = sorted(key for key in missing if key.startswith(path) and "pooler" not in key.split("."))
    if used:
        more = f" and {len(used) - 1} more" if len(used) > 1 else ""
        raise SourceError(
            f"{source}: expected weights for all of {type(whole).__name__}, found none for {used[0]}{more}; "
            "random ones would mislead: check that config.json and the weights belong together"
        )


def _refuse_unknown_sizes(source: str, part: Any) -> None:
    """Refuse a module whose config lacks what every stack of layers over token embeddings has."""
    refuse_without_text(source, part)
    needed = ("num_hidden_layers", "hidden_size", "vocab_size")
    config = getattr(part, "config", None)
    lacking = [name for name in needed if not isinstance(getattr(config, name, None), int)]
    if lacking:
        raise SourceError(
            f"{source}: expected a stack of layers over token embeddings, but the config of {type(part).__name__} has no "
            f"{' and no '.join(lacking)}; this kind of model can't be captured"
        )
    try:
        part.get_input_embeddings()
    except (NotImplementedError, AttributeError) as error:
        raise SourceError(
            f"{source}: expected a token embedding from get_input_embeddings() of {type(part).__name__}, got none; this kind "
            "of model can't be captured"
        ) from error


def _part_that_runs(whole: Any) -> tuple[Any, str]:
    """The module that words pass through, and its path in ``whole``; ``(whole, "")`` for most models."""
    part = whole
    if whole.config.is_encoder_decoder:
        part = whole.get_encoder()
    elif (text_config := whole.config.get_text_config()) is not whole.config:
        # The outermost comes first: its layers have the same config, but are no models by themselves.
        models = (module for module in whole.modules() if getattr(module, "config", None) is text_config)
        part = next((module for module in models if hasattr(module, "get_input_embeddings")), whole)
    return part, next(path for path, module in whole.named_modules() if module is part)


# --- how weights are stored --------------------------------------------------------------------------------------


_NO_ABBREVIATIONS = {"bitsandbytes", "compressed-tensors", "quantized"}
"""Ways to quantise whose names aren't written in capitals."""


_LONGEST_METHOD, _MOST_BITS = 40, 64
"""Characters of a quantization's name, and bits of a number."""


def quantization_of(config: Any) -> str | None:
    """How a safetensors checkpoint is quantised by its config: ``MXFP4``, ``GPTQ 4-bit``, …, or None."""
    values = _quantization_config(config)
    if not values:
        return None
    method = values.get("quant_method", "quantized")
    method = str(getattr(method, "value", method))  # transformers' own objects have an enum there, files a string
    # It stands beside the model's name, in every picture.
    method = with_visible_directions(one_line(method[:_LONGEST_METHOD]))
    name = method if method in _NO_ABBREVIATIONS else method.upper()
    bits = values.get("bits") or (4 if values.get("load_in_4bit") else 8 if values.get("load_in_8bit") else None)
    is_number = isinstance(bits, (int, float)) and not isinstance(bits, bool) and 0 < bits <= _MOST_BITS
    return f"{name} {bits:.4g}-bit" if is_number else name


def _quantized_by_torch(model: Any) -> str | None:
    """``int8 (torch)`` where modules were replaced by torch's quantized ones."""
    found = {
        str(getattr(vars(module)["_modules"].get("_packed_params"), "dtype", None) or module.weight().dtype)
        .removeprefix("torch.")
        .removeprefix("q")
        for module in model.modules()
        if ".quantized." in type(module).__module__ and callable(getattr(module, "weight", None))
    }
    return f"{' and '.join(sorted(found))} (torch)" if found else None


def _quantization_config(config: Any) -> dict[str, Any]:
    values = getattr(config, "quantization_config", None) or {}
    return values if isinstance(values, dict) else values.to_dict()


def _is_known_quantization(config: Any) -> bool:
    """Whether transformers knows the method; it passes over one that it doesn't know, and takes the weights as they are."""
    from transformers.quantizers.auto import AUTO_QUANTIZER_MAPPING

    values = _quantization_config(config)
    method = values.get("quant_method")
    is_known = str(getattr(method, "value", method)) in AUTO_QUANTIZER_MAPPING
    return is_known or bool(values.get("load_in_4bit") or values.get("load_in_8bit"))


def dtype_name(dtype: Any) -> str | None:
    """``float32`` for ``torch.float32``; None for None."""
    return None if dtype is None else str(dtype).removeprefix("torch.")
