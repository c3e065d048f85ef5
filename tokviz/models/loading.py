"""A configured source → the base model, ready for hooks, its tokenizer and its card.

Nothing that comes with a checkpoint is executed: only safetensors and GGUF weights are read, and code from a
repository is never trusted.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokviz.config import ModelConfig
from tokviz.errors import SourceError
from tokviz.models.failures import explain
from tokviz.models.gguf_file import parsed_once, quantization_and_dtype
from tokviz.models.location import Location, cached_commit, files_like, identity, locate, weights_files
from tokviz.models.quiet import quiet_transformers
from tokviz.records import ModelCard

if TYPE_CHECKING:
    from torch import nn

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_CONVERT = (
    "convert them where you trust them, with AutoModel.from_pretrained(…).save_pretrained(…), "
    "or with the Hub's space safetensors/convert"
)
_NO_ABBREVIATIONS = {"bitsandbytes", "compressed-tensors", "quantised"}
"""Ways to quantise whose names aren't written in capitals."""


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model to capture from."""

    module: nn.Module
    """The base model without its head, in evaluation mode; of an encoder-decoder the encoder, of a model that also
    takes images its language part."""
    tokenizer: Any
    card: ModelCard
    base_model_prefix: str
    """What stands before the module's paths in the whole model, such as ``model``."""


def load(model: ModelConfig, base: Path, device: str, offload: Path | None = None) -> LoadedModel:
    """Load weights and tokenizer; a hub model that the local cache holds is taken from there, as it is.

    Parameters
    ----------
    model : as configured.
    base : the config's folder.
    device : ``cpu``, ``cuda``, …; ``model.device_map`` goes before it.
    offload : a folder for weights that don't fit in memory and can't be read from the checkpoint as they are (experts
        that are stacked while loading, GGUF files); needed for as long as the model is.

    Raises
    ------
    SourceError : one line with what to do; its cause is the library's own error.
    """
    location = locate(model, base)
    if location.path is not None:
        _refuse_unreadable_weights(model, location.path)
    elif Path(model.source).exists():
        # transformers would take it for the model, though it isn't the config's.
        raise SourceError(
            f"{model.source}: expected a hub id, but the current folder holds something of that name; "
            "run from another folder, or name a path from the config's folder"
        )
    if model.sha256:
        _check_sha256(model, location)

    with quiet_transformers(), parsed_once() if location.is_gguf else nullcontext():
        try:
            return _load(model, base, location, device, offload)
        except SourceError:
            raise
        except Exception as error:
            raise SourceError(explain(model, location, error)) from error


def _load(model: ModelConfig, base: Path, location: Location, device: str, offload: Path | None) -> LoadedModel:
    from transformers import AutoConfig, AutoTokenizer

    origin = _origin(model, location)
    _refuse_foreign_code(model, origin)
    config = AutoConfig.from_pretrained(**origin)
    # GGUF files carry the config inside: handing it on spares parsing the file once more.
    whole, dtype_on_disk, notes = _load_weights(model, location, origin, config, offload)
    part, path = _part_that_runs(whole)
    if path:
        kind = "encoder of this encoder-decoder" if config.is_encoder_decoder else "language part of this"
        notes.append(f"Only the {kind} model runs, {path}.")
    if not model.placement:
        part.to(device)
    part.eval()
    tokenizer = AutoTokenizer.from_pretrained(**origin, config=config)

    prefix = ".".join(name for name in (whole.base_model_prefix, path) if name)
    card = _card(model, base, location, whole, part, tokenizer, dtype_on_disk, notes)
    return LoadedModel(module=part, tokenizer=tokenizer, card=card, base_model_prefix=prefix)


def _origin(model: ModelConfig, location: Location) -> dict[str, Any]:
    """The arguments that tell every ``from_pretrained`` where to look."""
    origin: dict[str, Any] = {"trust_remote_code": False}
    if location.path is None:
        return origin | {"pretrained_model_name_or_path": model.source, "revision": _revision(model)}
    if location.is_gguf:
        return origin | {"pretrained_model_name_or_path": str(location.path.parent), "gguf_file": location.path.name}
    return origin | {"pretrained_model_name_or_path": str(location.path)}


def _revision(model: ModelConfig) -> str:
    # The commit that ``identity`` named, even if the branch has moved on since: a name stands for what was captured.
    return cached_commit(model) or model.revision or "main"


# --- what is refused ---------------------------------------------------------------------------------------------


def _refuse_unreadable_weights(model: ModelConfig, path: Path) -> None:
    if path.is_file():
        return
    if not (path / "config.json").is_file():
        raise SourceError(f"{model.source}: expected a model's folder with a config.json, found none; check the path")
    if weights_files(path):
        return
    for patterns, found in ((_PICKLES, "pickled ones, which can run code"), (("*.gguf",), "GGUF files")):
        names = [file.name for file in files_like(path, patterns)]
        if names:
            remedy = _CONVERT if patterns is _PICKLES else "name one of the files as the source"
            raise SourceError(
                f"{model.source}: expected safetensors weights in the folder, found only {found} ({names[0]}); {remedy}"
            )
    raise SourceError(f"{model.source}: expected *.safetensors in the folder, found no weights; add them")


def _check_sha256(model: ModelConfig, location: Location) -> None:
    files = weights_files(location.path) if location.path else [_download_single_file(model)]
    if len(files) != 1:
        raise SourceError(
            f"{model.source}: sha256 is of one weights file, found {len(files)}; remove it and pin a revision instead"
        )
    with files[0].open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != model.sha256:
        raise SourceError(
            f"{model.source}: expected sha256 {model.sha256}, got {found} of {files[0].name}; "
            "fetch the file again, or correct sha256 if the weights were meant to change"
        )


def _download_single_file(model: ModelConfig) -> Path:
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(model.source, "model.safetensors", revision=_revision(model)))
    except Exception as error:
        raise SourceError(explain(model, Location(kind="hub", path=None), error)) from error


def _refuse_foreign_code(model: ModelConfig, origin: dict[str, Any]) -> None:
    """Refuse a checkpoint that only its own code can run; one that transformers knows too runs with transformers'."""
    from transformers import CONFIG_MAPPING, PreTrainedConfig

    values, _ = PreTrainedConfig.get_config_dict(**origin)
    kind = values.get("model_type")
    if kind in CONFIG_MAPPING:
        return
    if "auto_map" in values:
        raise SourceError(
            f"{model.source}: its model type {kind!r} runs only with code from the checkpoint, which tokviz never "
            "runs; choose a model that transformers itself has, or a newer transformers"
        )
    raise SourceError(
        f"{model.source}: expected a model type that transformers {importlib.metadata.version('transformers')} knows, "
        f"got {kind!r}; a newer transformers may have it"
    )


# --- weights -----------------------------------------------------------------------------------------------------


def _load_weights(
    model: ModelConfig, location: Location, origin: dict[str, Any], config: Any, offload: Path | None
) -> tuple[Any, str | None, list[str]]:
    """The whole base model, the dtype of the weights on disk where they aren't quantised, and notes."""
    from transformers import AutoModel

    def from_pretrained(dtype: str) -> Any:
        whole, report = AutoModel.from_pretrained(
            **origin,
            config=config,
            dtype=dtype,
            **model.placement,
            offload_folder=offload,
            use_safetensors=True,
            output_loading_info=True,
        )
        _refuse_missing(model, whole, report["missing_keys"])
        return whole

    if location.path is not None and location.is_gguf:
        _, on_disk = quantization_and_dtype(location.path)
        dtype: str = "float32" if model.dtype == "auto" else model.dtype
        return from_pretrained(dtype), on_disk, [f"The weights come from a GGUF file and were run in {dtype}."]

    on_disk = _name(config.dtype or config.get_text_config().dtype)
    dtype = "float32" if model.dtype == "auto" and on_disk == "float16" else model.dtype
    whole = from_pretrained(dtype)
    loaded = _name(whole.dtype)
    if dtype == "auto" and loaded == "float16":
        # The config didn't say, the weights themselves do.
        on_disk, dtype = loaded, "float32"
        whole = from_pretrained(dtype)
    note = "The checkpoint's float16 weights were run in float32, since hidden states overflow float16."
    notes = [note] if on_disk == "float16" and dtype == "float32" else []
    on_disk = on_disk or (loaded if dtype == "auto" else None)
    return whole, None if _quantization_config(config) else on_disk, notes


def _refuse_missing(model: ModelConfig, whole: Any, missing: set[str]) -> None:
    """Refuse random weights where words pass through; a pooler comes after all that is shown."""
    _, path = _part_that_runs(whole)
    used = sorted(key for key in missing if key.startswith(path) and "pooler" not in key.split("."))
    if used:
        more = f" and {len(used) - 1} more" if len(used) > 1 else ""
        raise SourceError(
            f"{model.source}: expected weights for all of {type(whole).__name__}, found none for {used[0]}{more}; "
            "random ones would mislead: check that config.json and the weights belong together"
        )


def _part_that_runs(whole: Any) -> tuple[Any, str]:
    """The module that words pass through, and its path in ``whole``; ``(whole, "")`` for most models."""
    part = whole
    if whole.config.is_encoder_decoder:
        part = whole.get_encoder()
    elif (text_config := whole.config.get_text_config()) is not whole.config:
        # Outermost first: its layers carry the same config, but are no models by themselves.
        models = (module for module in whole.modules() if getattr(module, "config", None) is text_config)
        part = next((module for module in models if hasattr(module, "get_input_embeddings")), whole)
    return part, next(path for path, module in whole.named_modules() if module is part)


# --- the card ----------------------------------------------------------------------------------------------------


def _card(
    model: ModelConfig,
    base: Path,
    location: Location,
    whole: Any,
    part: Any,
    tokenizer: Any,
    dtype_on_disk: str | None,
    notes: list[str],
) -> ModelCard:
    config = part.config
    packages = ["torch", "transformers", "tokenizers"]
    if location.path is not None and location.is_gguf:
        quantization, _ = quantization_and_dtype(location.path)
        packages.append("gguf")
    else:
        quantization = quantization_of(whole.config)
    embedding = part.get_input_embeddings()
    return ModelCard(
        source=model.source,
        # Known by now: what wasn't in the cache has been downloaded.
        identity=identity(model, base) or "unknown",
        revision=model.revision,
        architecture=type(whole).__name__,
        model_type=whole.config.model_type,
        n_layers=config.num_hidden_layers,
        width=config.hidden_size,
        embedding_width=getattr(embedding, "embedding_dim", config.hidden_size),
        n_parameters=sum(parameter.numel() for parameter in part.parameters()),
        vocabulary_size=config.vocab_size,
        dtype=str(_name(part.dtype)),
        checkpoint_dtype=dtype_on_disk,
        quantization=quantization,
        tokenizer=_tokenizer_name(tokenizer),
        notes=(*notes, *_more_notes(whole, part, quantization)),
        versions=tuple((package, importlib.metadata.version(package)) for package in packages),
    )


def _more_notes(whole: Any, part: Any, quantization: str | None) -> list[str]:
    notes = []
    # Mixture-of-experts models differ in the last digits by the kernel that ran.
    if whole._can_set_experts_implementation() or part._can_set_experts_implementation():
        notes.append(f"The experts ran with the kernel {part.config._experts_implementation}.")
    if "auto_map" in whole.config.to_dict():
        notes.append(
            f"The checkpoint carries code of its own; it was not run, transformers' {type(whole).__name__} was."
        )
    return notes


def _quantization_config(config: Any) -> dict[str, Any]:
    values = getattr(config, "quantization_config", None) or {}
    return values if isinstance(values, dict) else values.to_dict()


def quantization_of(config: Any) -> str | None:
    """How a safetensors checkpoint's config says that it is quantised: ``MXFP4``, ``GPTQ 4-bit``, …, or None."""
    values = _quantization_config(config)
    if not values:
        return None
    method = values.get("quant_method", "quantised")
    method = str(getattr(method, "value", method))  # transformers' own objects have an enum there, files a string
    name = method if method in _NO_ABBREVIATIONS else method.upper()
    bits = values.get("bits") or (4 if values.get("load_in_4bit") else 8 if values.get("load_in_8bit") else None)
    return f"{name} {bits}-bit" if bits else name


def _tokenizer_name(tokenizer: Any) -> str:
    """``GPT2Tokenizer (BPE)``: the class, and how it cuts where that is known."""
    name = type(tokenizer).__name__
    return f"{name} ({type(tokenizer.backend_tokenizer.model).__name__})" if tokenizer.is_fast else name


def _name(dtype: Any) -> str | None:
    return None if dtype is None else str(dtype).removeprefix("torch.")
