"""A report that stands in a folder: its ``data/report.json`` says what there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from jinja2 import UndefinedError

from tokviz.errors import TokvizError, UnknownNameError
from tokviz.records import depth_name
from tokviz.run.publishing.manifest import REPORT
from tokviz.run.store import disk
from tokviz.run.store.disk import shown_path
from tokviz.text import shown, suggestion, texts_within, visible

_LONGEST_TEXT = 20_000
"""Characters of anything that a report says of itself."""
MOST_NAMED = 12
"""More names than these aren't listed in a message."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is typed; None for what is left out."""

    model: str | None = None
    context: str | None = None
    projection: str | None = None
    layers: str | None = None
    """``A..B``."""


@dataclass(frozen=True, kw_only=True)
class Plots:
    """Of one capture in one projection."""

    model: dict[str, Any]
    context: dict[str, Any]
    label: str
    """Of the context, as readers see it."""
    projection: dict[str, Any]
    is_first: bool
    """Whether it is the capture's first projection."""
    first: int
    last: int
    """Depths that are asked for."""

    @property
    def chosen(self) -> list[tuple[int, str]]:
        """Each depth that has a plot, and its path from the site's root."""
        plates: list[str | None] = self.projection["plates"]
        return [(depth, path) for depth in range(self.first, self.last + 1) if (path := plates[depth])]


@contextmanager
def understood(site: Path) -> Iterator[None]:
    """A report of another version, or a damaged one, is one line."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, UndefinedError) as error:
        if isinstance(error, TokvizError):
            raise
        raise TokvizError(f"{shown_path(site / REPORT)}: expected a report of this tokviz; make it again") from error


def plots(report: dict[str, Any], asked: Asked) -> Plots:
    """The plots of one capture; raises ``TokvizError`` where there is nothing of that name."""
    model = named("model", asked.model, [(each, (each["slug"], each["name"])) for each in report["models"]])
    if not model["contexts"]:
        raise TokvizError(f"{model['slug']}: has no plots, as it failed: {model['failure']}")
    labels = {each["name"]: each["label"] for each in report["contexts"]}
    contexts = [(each, (each["name"], labels.get(each["name"], each["name"]))) for each in model["contexts"]]
    context = named("context", asked.context, contexts, of=model["slug"])
    projections = [(each, (each["name"],)) for each in context["projections"]]
    projection = named("projection", asked.projection, projections)
    for each in (model["slug"], context["name"], projection["name"]):
        if re.fullmatch(r"\w[\w.-]*", each) is None:
            raise ValueError(f"{each}: expected the name of a folder")
    first, last = span(asked.layers, len(projection["plates"]), model["slug"])
    return Plots(
        model=model,
        context=context,
        label=labels.get(context["name"], context["name"]),
        projection=projection,
        is_first=projection is projections[0][0],
        first=first,
        last=last,
    )


def address_of(report: dict[str, Any]) -> str:
    """Where it stands on the web, for people; empty where that isn't known."""
    return re.sub(r"^https?://", "", report["site_url"] or "").rstrip("/")


def read(site: Path) -> dict[str, Any]:
    """What the report says of itself; raises ``TokvizError`` where there is none in the folder."""
    file = site / REPORT
    if not disk.is_regular(file):
        raise TokvizError(
            f"{shown_path(site)}: expected a report, found no {REPORT}; make one with tokviz build, or name its folder with --site"
        )
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        report = None
    # All of it can stand in a picture, a page and a terminal.
    are_fit = (len(text) <= _LONGEST_TEXT and visible(text) == text for text in texts_within(report))
    if not isinstance(report, dict) or not all(are_fit):
        raise TokvizError(f"{shown_path(file)}: expected a report of this tokviz; make it again")
    return report


def named(
    kind: str, name: str | None, known: Sequence[tuple[dict[str, Any], tuple[str, ...]]], of: str = ""
) -> dict[str, Any]:
    """The one that has that name, whatever its capital letters; the first where none is named."""
    if name is None:
        if not known:
            raise TokvizError(f"the report has no {kind}; make it again")
        return known[0][0]
    for each, names in known:
        if name.casefold() in (own.casefold() for own in names):
            return each
    first = [names[0] for _, names in known]
    raise UnknownNameError(
        f"no {kind} {shown(name)}{f' of {of}' if of else ''}; known: {listed(first)}{suggestion(name, first)}"
    )


def listed(names: Sequence[str]) -> str:
    """The first of them, and how many more there are; empty without any."""
    if len(names) <= MOST_NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED} more"


def span(layers: str | None, n_depths: int, model: str) -> tuple[int, int]:
    """First and last depth of ``A..B``."""
    if layers is None:
        return 0, n_depths - 1
    ends = layers.split("..")
    if len(ends) != 2:
        raise TokvizError(f"--layers: expected A..B, such as 5..12 or embedding..11, got {shown(layers)}; correct it")
    first, last = (_depth(end, n_depths, model) for end in ends)
    if first >= last:
        raise TokvizError(
            f"--layers: expected the earlier layer first, and two or more, got {shown(layers)}; correct it"
        )
    return first, last


def _depth(name: str, n_depths: int, model: str) -> int:
    """Of ``embedding``, ``layer-12`` or ``12``."""
    typed = name.strip().lower().replace(" ", "-")
    number = re.fullmatch(r"(?:layer-)?([0-9]{1,6})", typed)
    depth = 0 if typed == "embedding" else int(number[1]) + 1 if number else None
    if depth is None or depth >= n_depths:
        last = depth_name(n_depths - 1).replace(" ", "-")
        known = {1: "embedding", 2: "embedding, layer-0"}.get(n_depths, f"embedding, layer-0 … {last}")
        raise UnknownNameError(f"--layers: no {shown(name)} in {model}; known: {known}")
    return depth


def file(site: Path, path: str, *, for_phones: bool = False) -> Path:
    """An image; a phone's form of a plot, whose text is larger, or the one that there is.

    Raises
    ------
    TokvizError : it isn't there.
    """
    if ".." in PurePosixPath(path).parts:
        raise ValueError(path)
    for each in (re.sub(r"\.webp$", "-phone.webp", path), path) if for_phones else (path,):
        if disk.is_within(site, each):
            return site / each
    raise TokvizError(
        f"{shown_path(site / path)}: expected an image, found none; make the report again with tokviz build"
    )
