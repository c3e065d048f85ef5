"""What is refused before weights are read: files that can run code or hold no model, a wrong checksum, no words."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

from tokviz.config import exists, kind_of_place
from tokviz.config.files import IRREGULAR
from tokviz.errors import SourceError
from tokviz.models import gguf_header, safetensors_header
from tokviz.models.files import ADAPTER, INDEX, WEIGHTS, ModelFiles, is_own, list_files, read_object
from tokviz.models.location import files_like, weights_files
from tokviz.models.opened import opened
from tokviz.models.origin import Origin
from tokviz.text import one_line, shown

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
CONVERT = (
    "convert them where you trust them, with AutoModel.from_pretrained(…).save_pretrained(…), "
    "or with the Hub's space safetensors/convert"
)
_MOST_LAYERS = 1_000
_MOST_OF_HEADERS = 60_000_000
"""Bytes of all headers of a model's weights: a hundred thousand tensors take ten million."""
_INPUTS = {
    "input_values": "audio",
    "input_features": "audio",
    "audio_mel": "audio",
    "spectrogram": "audio",
    "pixel_values": "patches of images",
    "flattened_patches": "patches of images",
    "patch_embeds": "patches of images",
    "pixel_values_videos": "videos",
    "past_values": "series of numbers",
}
"""What a model takes instead of text, by the name of its main argument in transformers."""
_MODALITIES = {"audio": "audio", "image": "patches of images", "video": "videos", "time": "series of numbers"}
"""The same by the modality that its class declares."""


def refuse_unreadable(origin: Origin) -> None:
    """Check which files the source has, without a library and without reading the weights.

    Raises
    ------
    SourceError : the weights are missing or pickled, belong to an adapter, or a hub id names something in the current
        folder.
    """
    source = origin.model.source
    if origin.location.kind == "memory":
        return
    if origin.path is not None:
        _refuse_irregular(source, origin.path)
        _refuse_unreadable_weights(origin, origin.path)
    else:
        _refuse_shadowed(source, source)
    tokenizer = origin.of_tokenizer
    if tokenizer is origin:
        return
    if tokenizer.path is None:
        _refuse_shadowed(source, tokenizer.model.source)
    else:
        _refuse_irregular(f"{source}: tokenizer: {tokenizer.model.source}", tokenizer.path)


def _refuse_irregular(where: str, path: Path) -> None:
    """Refuse a folder that can't be read, what a library would wait for in it, and a path that tokenizers can't open."""
    if not path.is_dir():
        return
    if not os.access(path, os.R_OK | os.X_OK):
        raise SourceError(f"{where}: expected a folder that may be read, got a closed one; change its permissions")
    for file in sorted(path.glob("[!.]*")):
        if kind_of_place(file) == IRREGULAR:
            raise SourceError(f"{where}: expected files, got {IRREGULAR}: {one_line(file.name)}; remove it")
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        raise SourceError(
            f"{where}: expected a path of {sys.getfilesystemencoding()} text, as the library of tokenizers takes no other, got "
            "one with other bytes; rename its folders, or set PYTHONUTF8=1"
        ) from None


def _refuse_shadowed(source: str, name: str) -> None:
    """Refuse a hub id that transformers would take for something in the current folder, which isn't the config's."""
    if exists(Path(name)):
        where = "" if name == source else f"tokenizer: {name}: "
        raise SourceError(
            f"{source}: {where}expected a hub id, but the current folder holds something of that name; "
            "run from another folder, or name a path from the config's folder"
        )


def _refuse_unreadable_weights(origin: Origin, path: Path) -> None:
    source = origin.model.source
    if path.is_file():
        return
    adapter = path / ADAPTER
    if adapter.is_file() and all(file.name.startswith("adapter_") for file in weights_files(path)):
        raise SourceError(adapter_refusal(source, adapter))
    if not (path / "config.json").is_file():
        raise SourceError(f"{source}: expected a model's folder with a config.json, found none; check the path")
    if files := weights_files(path):
        with suppress(OSError, ValueError, TypeError, RecursionError):  # loading says so
            listed = list_files(source, origin.location).weights_paths
            if not listed:
                raise SourceError(
                    f"{source}: expected {WEIGHTS}, or several files and their {INDEX}, found only {one_line(files[0].name)}; "
                    "rename it, or add the index"
                )
            _refuse_cut_off(source, listed)
        return
    for patterns, found in ((_PICKLES, "pickled ones, which can run code"), (("*.gguf",), "GGUF files")):
        names = [file.name for file in files_like(path, patterns)]
        if names:
            remedy = CONVERT if patterns is _PICKLES else "name one of the files as the source"
            raise SourceError(
                f"{source}: expected safetensors weights in the folder, found only {found} ({one_line(names[0])}); {remedy}"
            )
    raise SourceError(f"{source}: expected *.safetensors in the folder, found no weights; add them")


def _refuse_cut_off(source: str, files: Sequence[Path]) -> None:
    """Refuse safetensors weights of which a part is missing, or whose headers are larger than any model's."""
    n_bytes = 0
    for file in files:
        found = None
        with suppress(OSError):  # loading says so
            n_bytes += safetensors_header.length(file)
            if n_bytes > _MOST_OF_HEADERS:
                raise SourceError(
                    f"{source}: expected headers of at most {_MOST_OF_HEADERS:,} bytes in all, got more up to {one_line(file.name)}; fetch "
                    "the files again"
                )
            found = safetensors_header.problem(file)
        if found:
            raise SourceError(f"{source}: expected the whole of {one_line(file.name)}, {found}")


def adapter_refusal(source: str, file: Path) -> str:
    """The refusal of a folder or repository that holds an adapter only; ``file`` is its configuration."""
    try:
        base = read_object(file).get("base_model_name_or_path") if is_own(file) else None
    except (OSError, ValueError, AttributeError, RecursionError):
        base = None
    base = one_line(base) if isinstance(base, str) else None
    # Where it was trained is a folder of somebody's machine as often as it is a hub id.
    named = re.split(r"[/\\]", base.rstrip("/\\")) if base and base.strip("/\\ .") else []
    of_base = f" to {'/'.join(named) if len(named) <= 2 else named[-1]}" if named else ""
    return (
        f"{source}: expected a model, got an adapter (PEFT){of_base}; merge it into its base model, with "
        "AutoPeftModel.from_pretrained(…).merge_and_unload().save_pretrained(…), and name the merged model's folder"
    )


def refuse_untrue_header(origin: Origin) -> None:
    """Raise ``SourceError`` for a GGUF file whose header can't be followed to its end."""
    found = gguf_header.problem(origin.gguf_file) if origin.gguf_file else None
    if found:
        raise SourceError(
            f"{origin.model.source}: expected a GGUF file whose header can be read to its end, got {found}; fetch it again"
        )


def refuse_several_files(origin: Origin, files: ModelFiles) -> None:
    """Refuse a checksum of weights in several files, before these are downloaded; raises ``SourceError``."""
    found = weights_files(origin.path) if origin.path else files.weights
    if origin.model.sha256 is not None and len(found) > 1:
        raise SourceError(
            f"{origin.model.source}: expected one weights file, as sha256 is of one, found {len(found)}; remove sha256, and pin a revision"
        )


def check_sha256(origin: Origin, files: ModelFiles, opening: Callable[[Path], BufferedReader] = opened) -> None:
    """Read the one weights file, which ``opening`` opens, and compare its checksum, where one is configured; raises ``SourceError``."""
    expected = origin.model.sha256
    if expected is None:
        return
    (path,) = files.weights_paths
    with opening(path) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise SourceError(
            f"{origin.model.source}: expected sha256 {expected}, got {found} of {path.name}; fetch the file again, or correct "
            "sha256 if the weights were meant to change"
        )


def refuse_foreign_code(source: str, arguments: dict[str, Any]) -> None:
    """Refuse a checkpoint that only its own code can run; one that transformers also knows runs with transformers' code.

    Parameters
    ----------
    arguments : of every ``from_pretrained``.

    Raises
    ------
    SourceError : transformers doesn't know the model type.
    """
    from transformers import CONFIG_MAPPING, PreTrainedConfig

    values, _ = PreTrainedConfig.get_config_dict(**arguments)
    kind = values.get("model_type")
    if kind in CONFIG_MAPPING:
        return
    if "auto_map" in values:
        raise SourceError(
            f"{source}: expected a model type that transformers itself has, got {shown(kind)}, which runs only with code from the "
            "checkpoint, which tokviz never runs; choose another model, or a newer transformers"
        )
    raise SourceError(
        f"{source}: expected a model type that transformers {importlib.metadata.version('transformers')} knows, "
        f"got {shown(kind)}; a newer transformers may have it"
    )


def refuse_other_inputs(origin: Origin, config: Any) -> None:
    """Refuse a model that words can't be fed to, before its weights are downloaded.

    Parameters
    ----------
    config : transformers' own, of the whole model.

    Raises
    ------
    SourceError : the model takes audio, images or the like, has more layers than any, or transformers has no base model of
        its type.
    """
    from transformers import MODEL_MAPPING

    source = origin.model.source
    if type(config) not in MODEL_MAPPING:
        raise SourceError(
            f"{source}: expected a type of model that transformers loads with AutoModel, got {shown(config.model_type)}, which "
            "it has only for a special purpose; choose another model"
        )
    n_layers = getattr(config.get_text_config(), "num_hidden_layers", None)
    if isinstance(n_layers, int) and n_layers > _MOST_LAYERS:
        raise SourceError(
            f"{source}: expected at most {_MOST_LAYERS:,} layers, got {n_layers:,} in its config, which would take hours to "
            "make; check that the file is this model's"
        )
    kind = MODEL_MAPPING[type(config)]
    refuse_without_text(source, kind[0] if isinstance(kind, tuple) else kind)


def refuse_without_text(source: str, model: Any) -> None:
    """Refuse a transformers class, or a module, that doesn't take the ids of tokens.

    Raises ``SourceError``.
    """
    kind: Any = model if isinstance(model, type) else type(model)
    if "input_ids" in inspect.signature(kind.forward).parameters:
        return
    main = getattr(kind, "main_input_name", "")
    declared = getattr(kind, "input_modalities", "text")
    modality = declared if isinstance(declared, str) else declared[0]
    # Perceiver takes anything as its inputs, whatever its class declares.
    by_modality = None if main == "inputs" else _MODALITIES.get(modality)
    by_input = None if isinstance(main, list) else _INPUTS.get(main)
    taken = (modality == "video" and by_modality) or by_input or by_modality or "no ids of tokens"
    raise SourceError(
        f"{source}: expected a model that reads text, but {kind.__name__} takes {taken}; choose another model"
    )
