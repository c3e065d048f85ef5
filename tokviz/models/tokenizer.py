"""A model's tokenizer, or the one that the configuration names for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tokviz.errors import SourceError
from tokviz.models.failures import said, too_nested
from tokviz.models.files import CONFIG
from tokviz.models.location import files_like
from tokviz.models.staging import Staged
from tokviz.models.tokenizer_trial import try_tokenizer

_FILES = ("tokenizer*", "vocab*", "merges.txt", "tekken.json", "*.model", "*.tiktoken", "*.spm", "*bpe*")
_EXPECTED = "expected tokenizer files (tokenizer.json, tokenizer.model, vocab.json, …)"
_STDOUT = 1
_REMEDY = 'add them, or name a tokenizer for this model in the config: tokenizer = "org/name", or a folder'


def load_tokenizer(
    staged: Staged, of_tokenizer: Staged, config: Any, texts: Sequence[str] = (), *, decodes: bool = False
) -> Any:
    """Load the tokenizer of a model.

    Parameters
    ----------
    staged, of_tokenizer : the model, and where its tokenizer is: the model itself, or what the configuration names.
    config : transformers' own, of the whole model.
    texts : what it is going to read.
    decodes : whether it is going to write each of its tokens, too.

    Raises
    ------
    SourceError : there is none, it can't be read, it ends the process that reads the texts, or it doesn't say which characters
        its tokens stand for.
    """
    from transformers import AutoTokenizer

    place, source = of_tokenizer.origin, staged.origin.model.source
    where = source if of_tokenizer is staged else f"{source}: tokenizer: {place.model.source}"
    try_tokenizer(of_tokenizer.folder, texts, where, decodes=decodes)
    # A GGUF file contains the config, too: with this one it is not parsed once more.
    options = {"config": config} if of_tokenizer is staged else _config_of(of_tokenizer)
    try:
        with _nothing_printed():
            tokenizer = AutoTokenizer.from_pretrained(**of_tokenizer.arguments, **options)
    except Exception as error:
        raise SourceError(_unreadable(of_tokenizer, where, error)) from error
    require_offsets(tokenizer, where)
    _without_dropout(tokenizer)
    # Where transformers finds no files, it makes a tokenizer that has none but special tokens.
    if not set(tokenizer.get_vocab()) - set(tokenizer.all_special_tokens):
        raise SourceError(f"{where}: {_EXPECTED}, found none; {_REMEDY}")
    return tokenizer


@contextmanager
def _nothing_printed() -> Iterator[None]:
    """The library that reads tokenizers prints names that stand in a model's files as they are, past Python's own output."""
    try:
        kept = os.dup(_STDOUT)
    except OSError:  # a process may have no output
        yield
        return
    if sys.stdout:
        sys.stdout.flush()
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), _STDOUT)
    try:
        yield
    finally:
        os.dup2(kept, _STDOUT)
        os.close(kept)


def _without_dropout(tokenizer: Any) -> None:
    """A model is trained with words cut at random, and used without."""
    model: Any = getattr(getattr(tokenizer, "backend_tokenizer", None), "model", None)
    if getattr(model, "dropout", None):
        model.dropout = None


def _config_of(of_tokenizer: Staged) -> dict[str, Any]:
    """Of the model that a tokenizer is taken from: its id, too, decides on the class of some tokenizers."""
    from transformers import AutoConfig

    if CONFIG not in of_tokenizer.files.settings:
        return {}
    try:
        config = AutoConfig.from_pretrained(**of_tokenizer.arguments)
    except Exception:  # noqa: BLE001 - a tokenizer may stand beside what is no model's
        return {}
    config.name_or_path = of_tokenizer.origin.model.source
    return {"config": config}


def require_offsets(tokenizer: Any, where: str) -> None:
    """Refuse a tokenizer that doesn't say which characters its tokens stand for; ``where`` begins the ``SourceError``."""
    if not tokenizer.is_fast:
        raise SourceError(f"{where}: {_without_offsets(tokenizer)}")


def _unreadable(staged: Staged, where: str, error: Exception) -> str:
    place = staged.origin
    if place.path is not None and place.path.is_dir() and not files_like(place.path, _FILES):
        return f"{where}: {_EXPECTED}, found none; {_REMEDY}"
    nested = too_nested(error, place.path)
    if nested is not None:
        return f"{where}: {nested}"
    return f"{where}: expected a tokenizer that can be read, got {said(error, place.path, staged.folder)}; {_REMEDY}"


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
