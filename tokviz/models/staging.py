"""A model's listed files → a folder that holds nothing else, which is all that the libraries are given.

Settings are written anew, without the keys that lead to other files; weights and vocabularies are links to the files themselves.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BufferedReader
from pathlib import Path
from typing import Any

from tokviz.config import exists, expanded, kind_of_place
from tokviz.config.files import FILE
from tokviz.errors import SourceError
from tokviz.models.fetching import fetch_weights, listed
from tokviz.models.files import CONFIG, INDEX, KNOWN, OTHER_WEIGHTS, WEIGHTS, ModelFiles, read_object
from tokviz.models.location import IDENTIFIED, files_like
from tokviz.models.opened import of_status, opened, signature
from tokviz.models.origin import Origin
from tokviz.models.refusals import check_sha256, refuse_several_files
from tokviz.text import one_line, shown, texts_within

_BY_KEY = (CONFIG, "tokenizer_config.json", "special_tokens_map.json")
"""Settings that transformers hands on to a class, key by key."""
_DROPPED = re.compile(r".*name_or_path|.*_files?|is_local|local_files_only")
"""Keys of any settings that would name files or a place; transformers finds a model's files by their names."""
_REFUSED = ("configuration_files", "fast_tokenizer_files", "init_inputs", "fusion_config", "attribute_map")
"""Keys that name versions of a file, one of which would take its place; files, by their order alone; a change of classes for
all models that come after; and other names for any of these keys, and those below."""
_RUN_BY = re.compile(r"_?(attn|experts)_implementation(_internal)?")
_KNOWN_TO_RUN = ("eager", "sdpa", "batched_mm", "grouped_mm")
"""What runs attention and experts without asking the Hub for a kernel, or a compiler for one."""
_CLASS, _TOKENIZER = "tokenizer_class", re.compile(r"(?!Auto)\w*(Tokenizer(Fast)*|Backend)")
"""The key that names a class of transformers, any of which it would make, and the names of tokenizers."""
_TEXTS = re.compile(r".*_tokens?|added_tokens_decoder|chat_template|content|auto_map|id2label")
"""Keys of what is text, or a name in code that is never run."""
_ELSEWHERE = re.compile(r"(hf[-_]hub|local-dir):", re.IGNORECASE)
"""How a place elsewhere is named to timm, which makes the image parts of some models."""
_BLANKS = re.compile(r"[\x00-\x20]+")
"""What the name of a place may have in it, and lose before it is read."""
_OPTION = re.compile(r"(?:^|\s)(?:--[\w-]+|-\w)[\s\"'=]*")
"""What may stand before a path: some tokenizers hand a text to a program's library as its options."""
_LONGEST_PATH = 4096
_NOTES = "(?!train|param|token|sample|step|example|positions|ctx)"
"""How what is counted begins that is no part of a model."""
_COUNTED = (
    (re.compile(r"pretraining_tp|\w+_(cycles|loops|iters|repeats)|(\w+_)?num_chunks_(before|after)"), 1_000),
    (re.compile(r"(?!attention_|audio_|acoustic_)(\w+_)?chunk_(size|length)"), 4_096),
    (re.compile(r"attention_window(_size)?|local_radius"), 8_192),
    (re.compile(r"extra_ids"), 10_000),
    (re.compile(r"attention_chunk_size|(\w+_)?block_size|default_num_special_tokens"), 100_000),
    (re.compile(rf"(n|num)_{_NOTES}\w+|\w+_(dim|heads)"), 1_000_000),
)
"""What settings count of parts of a model, and more than any model has of it: lists and tables of that length are made, and a text
is padded to windows, blocks and chunks. Llama 4's ``attention_chunk_size`` only hides tokens; those of audio see no words."""
_TOKENS = re.compile(r".*_tokens?|added_tokens_decoder|extra_special_tokens")
_LONGEST_TOKEN, _MOST_TOKENS, _MOST_CHARACTERS = 10_000, 100_000, 5_000_000
"""Characters of a token, and how many tokens and characters there may be beside the vocabulary: adding more takes minutes and
gigabytes, for want of which the library of tokenizers ends the process."""
_UNREAD = re.compile(r"(.*config.*|tokenizer\..+|chat_template)\.json")
"""Names of other versions of settings, and of settings of images, sounds and chats: nobody asks for them, so that they aren't opened."""
_ADDED, _MISTRAL = "added_tokens.json", "tekken.json"


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A source whose settings lie in a folder of their own; its weights come when they are due."""

    origin: Origin
    files: ModelFiles
    folder: Path
    held: Held = field(default_factory=lambda: Held(), compare=False, repr=False)
    """The listed files, open."""
    of_tokenizer: Staged | None = None
    """Where the tokenizer is, if it isn't the model's own."""

    @classmethod
    def of(cls, origin: Origin, folder: Path, *, is_tokenizer: bool = False) -> Staged:
        """List the files of a source, and put its settings into an empty ``folder``.

        ``is_tokenizer``: whether that is all that is wanted of it.

        Raises
        ------
        SourceError : see ``listed`` and ``stage_settings``; other errors are those that ``explained`` explains.
        """
        files = listed(origin, is_tokenizer=is_tokenizer)
        folder.mkdir()
        # Weights that are read in every pass are opened by their path as long as the model is there.
        in_every_pass = origin.model.device_map is not None or origin.model.max_memory is not None
        staged = cls(origin=origin, files=files, folder=folder, held=Held(by_path=in_every_pass))
        stage_settings(origin.model.source, files, folder, staged.held)
        return staged

    def with_weights(self) -> Staged:
        """The same with its weights, which are downloaded where they aren't here; raises ``SourceError`` for another checksum."""
        refuse_several_files(self.origin, self.files)
        files = fetch_weights(self.origin, self.files)
        check_sha256(self.origin, files, self.held.opened)
        of_weights = {path: files.signature[path] for path in files.weights_paths if path in files.signature}
        known = of_weights | self.files.signature
        return replace(self, files=replace(files, signature=known)).linked()

    def require_unchanged(self) -> None:
        """Raise ``SourceError`` where a file was changed or exchanged since it was listed, or came: it need not be what was read."""
        where = self.origin.model.source
        if (changed := self._changed()) is None and self.of_tokenizer is not None:
            where = f"{where}: tokenizer: {self.of_tokenizer.origin.model.source}"
            changed = self.of_tokenizer._changed()
        if changed is not None:
            raise SourceError(
                f"{where}: expected files that stay as they are while they are read, got another {one_line(changed.name)} meanwhile; run "
                "again"
            )

    def _changed(self) -> Path | None:
        known, paths, origin = self.files.signature, self.files.paths, self.origin
        now = signature(paths)
        for path in paths:
            if path in known and (now.get(path) != known[path] or self.held.is_other(path, known[path])):
                return path
        # A commit is known by its name, a GGUF file alone; else the identity has every file of the folder.
        if origin.location.is_gguf or (origin.path is None and origin.model.sha256 is None):
            return None
        return next((path for path in files_like(self.files.folder, IDENTIFIED) if path not in known), None)

    def linked(self) -> Staged:
        """The same with its weights, which are here, beside the settings."""
        stage_weights(self.files, self.folder, self.held)
        return self

    @property
    def has_weights(self) -> bool:
        """Whether they are on this machine, so that they can be staged without a download."""
        return bool(self.files.weights) and all(path.is_file() for path in self.files.weights_paths)

    @property
    def n_mapped(self) -> int:
        """Bytes of the safetensors files on this machine, as torch maps them: whole, whatever is in them."""
        return sum(path.stat().st_size for path in self.files.weights_paths if path.is_file() and not self.gguf_file)

    @property
    def gguf_file(self) -> Path | None:
        """The GGUF file; None for every other source."""
        return self.folder / self.files.weights[0] if self.origin.location.is_gguf else None

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of every ``from_pretrained``: a folder of listed files, and no code from it is trusted."""
        gguf = {} if self.gguf_file is None else {"gguf_file": self.gguf_file.name}
        return {
            "pretrained_model_name_or_path": str(self.folder),
            "trust_remote_code": False,
            "local_files_only": True,
            **gguf,
        }


def stage_settings(source: str, files: ModelFiles, folder: Path, held: Held) -> None:
    """Put configuration and tokenizer files into an empty ``folder``; a GGUF file, too, as it is both.

    Raises
    ------
    SourceError : they ask for what isn't listed.
    OSError, ValueError, TypeError, RecursionError : they can't be read.
    """
    for name in files.settings:
        if name in _BY_KEY:
            values = _without_places(
                f"{source}: {name}", read_object(files.folder / name, held.opened), (files.folder, folder)
            )
            (folder / name).write_text(json.dumps(values), encoding="utf-8")
            continue
        if name == _ADDED:
            _refuse_tokens(
                f"{source}: {name}", "added_tokens_decoder", list(read_object(files.folder / name, held.opened))
            )
        elif name == _MISTRAL:
            for key, value in _keys_of(read_object(files.folder / name, held.opened).get("config")):
                _refuse_count(f"{source}: {name}", key, value)
        if _UNREAD.fullmatch(name) and name not in KNOWN:
            _link(files.folder / name, folder / name)
        else:
            held.link(files.folder / name, folder / name, is_known=name in KNOWN)
    if not files.settings:
        stage_weights(files, folder, held)


def stage_weights(files: ModelFiles, folder: Path, held: Held) -> None:
    """Put the weights beside the settings."""
    if files.weight_map is not None:
        (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": files.weight_map}), encoding="utf-8")
    for name in files.weights:
        is_single = files.weight_map is None and name.endswith(".safetensors")
        held.link(files.folder / name, folder / (WEIGHTS if is_single else name))


class Held:
    """Files that are held open, so that a link leads to the very file that was opened, whatever takes its path meanwhile."""

    _OPEN, _MOST, _MOST_OTHERS = Path("/proc"), 200, 100
    """Where a system names the open files of a process; others' links go by path. Of more files, too: a process may have few open, and
    anything may lie beside a model whose weights come last."""

    def __init__(self, *, by_path: bool = False) -> None:
        self._by_path = by_path
        self._open: list[BufferedReader] = []
        self._signatures: dict[Path, set[tuple[int, ...]]] = {}

    def opened(self, file: Path) -> BufferedReader:
        """For reading; which file that was is remembered, and who asked closes it."""
        content = opened(file)
        self._signatures.setdefault(file, set()).add(of_status(os.fstat(content.fileno())))
        return content

    def link(self, file: Path, place: Path, *, is_known: bool = True) -> None:
        """Put a link to a file at a place where nothing is yet.

        ``is_known``: whether every model has such a file; the others leave room for these.
        """
        if os.path.lexists(place):
            return
        target = None
        if (
            not self._by_path
            and len(self._open) < (self._MOST if is_known else self._MOST_OTHERS)
            and (own := self._OPEN / str(os.getpid()) / "fd").is_dir()
        ):
            self._open.append(self.opened(file))
            target = own / str(self._open[-1].fileno())
        _link(file, place, target)

    def is_other(self, file: Path, known: tuple[int, ...]) -> bool:
        """Whether a file that was opened isn't the one that was known."""
        return not self._signatures.get(file, set()) <= {known}

    def __del__(self) -> None:
        for each in self._open:
            each.close()


def _link(file: Path, place: Path, target: Path | None = None) -> None:
    """``target``: what leads to the file, if not its path."""
    if os.path.lexists(place):
        return
    try:
        place.symlink_to(target or file.resolve())
    except OSError:  # Windows lets not everyone make such links, and some disks have none
        try:
            os.link(file.resolve(), place)
        except OSError:
            shutil.copyfile(file, place)


def _without_places(where: str, values: dict[str, Any], folders: Sequence[Path]) -> dict[str, Any]:
    """The values that change states; raises ``SourceError`` where they ask for what isn't listed.

    ``where``: begins the message; ``folders``: from which a path may begin.
    """
    for key, value in _texts_of(values):
        problem = _problem(key, value, folders)
        if problem:
            # Failures are shown in the published report, which must not name this machine's folders.
            named = re.sub(r".*[/\\](?=.*[/\\])", "…/", value[:_LONGEST_PATH], flags=re.DOTALL)
            raise SourceError(f"{where} asks for {problem}, {key} = {shown(named)}; remove that from the file")
    for key, value in _keys_of(values):
        _refuse_count(where, key, value)
        _refuse_tokens(where, key, value)
        if (key in _REFUSED and value) or (key == _CLASS and _is_other_class(value)):
            raise SourceError(
                f"{where} asks for other files or code than are listed, {key} = {shown(value)}; remove that from "
                "the file"
            )
    return {key: _dropped(value) for key, value in values.items() if not _is_dropped(key)}


def _refuse_count(where: str, key: str, value: Any) -> None:
    counts = value if isinstance(value, list) else [value]
    for name, most in _COUNTED:
        if name.fullmatch(key) and any(isinstance(each, int | float) and each > most for each in counts):
            raise SourceError(
                f"{where}: expected {key} of a model, at most {most:,}, got {shown(value)}; check that the file is this model's"
            )


def _refuse_tokens(where: str, key: str, value: Any) -> None:
    if not _TOKENS.fullmatch(key):
        return
    lengths = [len(text) for text in texts_within(value)]
    if len(lengths) > _MOST_TOKENS or max(lengths, default=0) > _LONGEST_TOKEN or sum(lengths) > _MOST_CHARACTERS:
        raise SourceError(
            f"{where}: expected at most {_MOST_TOKENS:,} tokens of at most {_LONGEST_TOKEN:,} characters in {key}, "
            f"{_MOST_CHARACTERS:,} in all, got more; fetch the file again"
        )


def _dropped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _dropped(each) for key, each in value.items() if isinstance(each, int) or not _is_dropped(key)}
    return [_dropped(each) for each in value] if isinstance(value, list) else value


def _is_dropped(key: str) -> bool:
    return key == OTHER_WEIGHTS or _DROPPED.fullmatch(key) is not None


def _keys_of(values: Any) -> Iterator[tuple[str, Any]]:
    """Every key at any depth, with its value."""
    if isinstance(values, list):
        for value in values:
            yield from _keys_of(value)
    elif isinstance(values, Mapping):
        for key, value in values.items():
            yield key, value
            yield from _keys_of(value)


def _is_other_class(name: Any) -> bool:
    """Whether transformers has something of that name that is no tokenizer; it passes over a name that it doesn't know."""
    import transformers

    if not isinstance(name, str) or _TOKENIZER.fullmatch(name):
        return False
    return not {name, re.sub("(Fast)+$", "", name)}.isdisjoint(dir(transformers))


def _texts_of(values: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in the settings that may be more than text, with the key that it stands below."""
    if isinstance(values, str):
        yield key, values
    elif isinstance(values, list):
        for value in values:
            yield from _texts_of(value, key)
    elif isinstance(values, Mapping):
        for name, value in values.items():
            is_of_run = _RUN_BY.fullmatch(key) is not None  # of each part of the model
            if not _TEXTS.fullmatch(name) or is_of_run:
                yield from _texts_of(value, key if is_of_run else name)


def _problem(key: str, value: str, folders: Sequence[Path]) -> str | None:
    """What a text asks for that no list can hold; None where it asks for nothing."""
    if _RUN_BY.fullmatch(key) and value not in _KNOWN_TO_RUN:
        return f"a kernel that isn't one of {', '.join(_KNOWN_TO_RUN)}"
    if _is_dropped(key):
        return None
    # On Windows even to look whether a path of another machine is there would connect to it.
    if _ELSEWHERE.match(_BLANKS.sub("", value)) or value.startswith(("\\\\", "//")):
        return "files of another place"
    options = [each.strip(" \"'") for each in _OPTION.split(value)[1:]]
    if _is_place(value, folders) or any(exists(expanded(each)) for each in options if each):
        return "files that aren't the model's own"
    return None


def _is_place(text: str, folders: Sequence[Path]) -> bool:
    if len(text) >= _LONGEST_PATH:
        return False
    if not _may_be_path(text):  # a bare name would be looked for where the process runs
        return kind_of_place(Path(text)) == FILE
    return any(map(exists, (expanded(text), *(folder / text for folder in folders))))


def _may_be_path(value: str) -> bool:
    """Whether it may lead to another folder; a label may be a mere slash."""
    return any(mark in value for mark in ("/", "\\", "~")) and any(character.isalnum() for character in value)
