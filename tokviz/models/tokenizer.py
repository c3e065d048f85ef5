"""A model's tokenizer, or the one that the configuration names for it."""

from __future__ import annotations

from typing import Any

from tokviz.errors import SourceError
from tokviz.models.failures import hub_failure, said, too_nested
from tokviz.models.location import files_like
from tokviz.models.origin import Origin

_FILES = ("tokenizer*", "vocab*", "merges.txt", "tekken.json", "*.model", "*.tiktoken", "*.spm", "*bpe*")
_EXPECTED = "expected tokenizer files (tokenizer.json, tokenizer.model, vocab.json, …)"
_REMEDY = 'add them, or name a tokenizer for this model in the config: tokenizer = "org/name", or a folder'


def load_tokenizer(origin: Origin, config: Any) -> Any:
    """Load the tokenizer of a model.

    Parameters
    ----------
    config : transformers' own, of the whole model.

    Raises
    ------
    SourceError : there is none, it can't be read, or it doesn't say which characters its tokens stand for.
    """
    from transformers import AutoTokenizer

    place = origin.of_tokenizer
    is_elsewhere = origin.model.tokenizer is not None
    where = f"{origin.model.source}: tokenizer: {place.model.source}" if is_elsewhere else origin.model.source
    has_config = is_elsewhere and (place.path is None or (place.path / "config.json").is_file())
    # A GGUF file contains the config, too: with this one it is not parsed once more.
    options = {} if has_config else {"config": config}
    try:
        tokenizer = AutoTokenizer.from_pretrained(**place.arguments, **options)
    except Exception as error:
        raise SourceError(_unreadable(place, where, error)) from error
    require_offsets(tokenizer, where)
    # Where transformers finds no files, it makes a tokenizer that has none but special tokens.
    if not set(tokenizer.get_vocab()) - set(tokenizer.all_special_tokens):
        raise SourceError(f"{where}: {_EXPECTED}, found none; {_REMEDY}")
    return tokenizer


def require_offsets(tokenizer: Any, where: str) -> None:
    """Refuse a tokenizer that doesn't say which characters its tokens stand for; ``where`` begins the ``SourceError``."""
    if not tokenizer.is_fast:
        raise SourceError(f"{where}: {_without_offsets(tokenizer)}")


def _unreadable(place: Origin, where: str, error: Exception) -> str:
    if place.path is not None and place.path.is_dir() and not files_like(place.path, _FILES):
        return f"{where}: {_EXPECTED}, found none; {_REMEDY}"
    of_hub = hub_failure(place, error)
    if of_hub is not None:
        return f"{where}: {of_hub}"
    nested = too_nested(error, place.path)
    if nested is not None:
        return f"{where}: {nested}"
    return f"{where}: the tokenizer can't be read: {said(error, place.path)}; {_REMEDY}"


def _without_offsets(tokenizer: Any) -> str:
    name = type(tokenizer).__name__
    texts = ("the word", "日本")
    lengths = [len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts]
    for unit, expected in (("bytes", [len(text.encode()) for text in texts]), ("characters", [*map(len, texts)])):
        if lengths == expected:
            return (
                f"expected a model with a vocabulary of words and their parts, but this one reads {unit} ({name}) and has no "
                "tokens of its own; choose another model"
            )
    return (
        f"expected a tokenizer that gives character offsets (a tokenizer.json), got {name} without; "
        "save the model's fast tokenizer beside the weights"
    )
