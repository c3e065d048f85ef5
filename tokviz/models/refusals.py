"""What is refused before anything is loaded: weights that can run code, a wrong checksum, a model's own code."""

from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path

from tokviz.errors import SourceError
from tokviz.models.failures import explain
from tokviz.models.location import files_like, weights_files
from tokviz.models.origin import Origin

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_CONVERT = (
    "convert them where you trust them, with AutoModel.from_pretrained(…).save_pretrained(…), "
    "or with the Hub's space safetensors/convert"
)


def refuse_unsafe(origin: Origin) -> None:
    """Check the source's files as far as that needs no library.

    Raises
    ------
    SourceError : the weights are missing or pickled, a hub id names something in the current folder, or ``sha256``
        is configured and the weights differ.
    """
    source = origin.model.source
    if origin.path is not None:
        _refuse_unreadable_weights(source, origin.path)
    elif Path(source).exists():
        # transformers would take it for the model, though it isn't the config's.
        raise SourceError(
            f"{source}: expected a hub id, but the current folder holds something of that name; "
            "run from another folder, or name a path from the config's folder"
        )
    if origin.model.sha256:
        _check_sha256(origin)


def _refuse_unreadable_weights(source: str, path: Path) -> None:
    if path.is_file():
        return
    if not (path / "config.json").is_file():
        raise SourceError(f"{source}: expected a model's folder with a config.json, found none; check the path")
    if weights_files(path):
        return
    for patterns, found in ((_PICKLES, "pickled ones, which can run code"), (("*.gguf",), "GGUF files")):
        names = [file.name for file in files_like(path, patterns)]
        if names:
            remedy = _CONVERT if patterns is _PICKLES else "name one of the files as the source"
            raise SourceError(
                f"{source}: expected safetensors weights in the folder, found only {found} ({names[0]}); {remedy}"
            )
    raise SourceError(f"{source}: expected *.safetensors in the folder, found no weights; add them")


def _check_sha256(origin: Origin) -> None:
    source, expected = origin.model.source, origin.model.sha256
    files = weights_files(origin.path) if origin.path else [_download_single_file(origin)]
    if len(files) != 1:
        raise SourceError(
            f"{source}: sha256 is of one weights file, found {len(files)}; remove it and pin a revision instead"
        )
    with files[0].open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise SourceError(
            f"{source}: expected sha256 {expected}, got {found} of {files[0].name}; "
            "fetch the file again, or correct sha256 if the weights were meant to change"
        )


def _download_single_file(origin: Origin) -> Path:
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(origin.model.source, "model.safetensors", revision=origin.revision))
    except Exception as error:
        raise SourceError(explain(origin, error)) from error


def refuse_foreign_code(origin: Origin) -> None:
    """Refuse a checkpoint that only its own code can run; one that transformers also knows runs with transformers' code.

    Raises
    ------
    SourceError : transformers doesn't know the model type.
    """
    from transformers import CONFIG_MAPPING, PreTrainedConfig

    source = origin.model.source
    values, _ = PreTrainedConfig.get_config_dict(**origin.arguments)
    kind = values.get("model_type")
    if kind in CONFIG_MAPPING:
        return
    if "auto_map" in values:
        raise SourceError(
            f"{source}: its model type {kind!r} runs only with code from the checkpoint, which tokviz never "
            "runs; choose a model that transformers itself has, or a newer transformers"
        )
    raise SourceError(
        f"{source}: expected a model type that transformers {importlib.metadata.version('transformers')} knows, "
        f"got {kind!r}; a newer transformers may have it"
    )
