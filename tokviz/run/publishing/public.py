"""What readers may see of the machine that made a report: the public form of paths, and of texts that name them."""

from __future__ import annotations

import re
import socket
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokviz.config import ModelConfig, expanded
from tokviz.records import HiddenStates

_LEFT_OUT = "…"
_OUTSIDE = re.compile(r"[/\\~]|[A-Za-z]:[/\\]|file:")
"""How a path begins that says where on a machine something is."""
_ADDED_KIND = re.compile(r"(?!package:|file:|https?:)[A-Za-z][\w.+-]+:(?!//)")
"""The beginning of a source of a kind that another package adds; one letter is a drive."""
_FOLDERS = re.compile(
    r"(?<![\w./~])(?:(?:/(?!/)|[A-Za-z]:[\\/](?!/)|\\\\)(?:[^\s/\\'\"]+[/\\])+|~[\w.-]*/(?:[^\s/\\'\"]+[/\\])*)"
)
"""The folders of a path of some machine in a text; an address and a hub id have none."""
_CLUSTER = re.compile(r"\b(?:tcp|tls|ucx|ray)://[^\s,;]+")
"""The address of a cluster or one of its workers."""


def public_source(source: str) -> str:
    """A source, or another path, as readers see it.

    A hub id, ``package:NAME/PATH`` and a plain relative path stay as they are: they say nothing of a machine. Of an
    absolute path, of one from somebody's home (``~``) and of one that leads out of the config's folder (``..``), the
    last part is shown.
    """
    if found := _ADDED_KIND.match(source):
        return f"{found[0]}{public_source(source[found.end() :])}"
    parts = [part for part in re.split(r"[/\\]", source) if part]
    if source.startswith("package:") or not (_OUTSIDE.match(source) or ".." in parts):
        return source
    last = parts[-1] if parts else ""
    return _LEFT_OUT if last in ("", ".", "..") or last.startswith("~") or last.endswith(":") else last


def public_states(states: HiddenStates, model: ModelConfig, base: Path) -> HiddenStates:
    """The states with the public form of what their card says of the model."""
    card = states.card
    notes = tuple(public_text(note, model, base) for note in card.notes)
    return replace(states, card=replace(card, source=public_source(card.source), notes=notes))


def public_record(record: Any, model: ModelConfig, base: Path) -> Any:
    """A record with the public form of why something of it is missing, where it says so."""
    if reason := getattr(record, "reason", None):
        record = replace(record, reason=public_text(reason, model, base))
    if problems := getattr(record, "problems", ()):
        record = replace(record, problems=tuple(public_text(each, model, base) for each in problems))
    return record


def public_text(text: str, model: ModelConfig, base: Path) -> str:
    """What is said of a model, without the folders and the host of this machine or of a cluster's.

    Parameters
    ----------
    base : the config's folder, from which the model's relative paths start.
    """
    sources = [source for source in (model.source, model.tokenizer) if source]
    for secret, shown in _secrets(sources, base):
        text = re.sub(rf"(?<![\w.~-]){re.escape(secret)}(?![\w-])", shown.replace("\\", r"\\"), text)
    text = _FOLDERS.sub(f"{_LEFT_OUT}/", text)
    return _CLUSTER.sub(_LEFT_OUT, text)


def _secrets(sources: Iterable[str], base: Path) -> list[tuple[str, str]]:
    """What must not be read, with what stands in its place; longer texts first, since they contain shorter ones."""
    found = {source: public_source(source) for source in sources if public_source(source) != source}
    for source in sources:
        path = base / expanded(source)
        for form in (path.absolute(), path.resolve()):
            found[str(form)] = public_source(str(form))
    host = socket.gethostname()
    places = [base, Path.cwd(), Path.home(), Path(tempfile.gettempdir())]
    found |= {str(form): _LEFT_OUT for place in places for form in (place.absolute(), place.resolve())}
    found |= {name: _LEFT_OUT for name in (host, host.partition(".")[0]) if name not in ("", "localhost")}
    found.pop("/", None)
    return sorted(found.items(), key=lambda pair: -len(pair[0]))
