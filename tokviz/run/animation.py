"""Which images of a site are asked for as an animation: its ``data/report.json`` says which there are."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tokviz.draw import draw_animation
from tokviz.draw.coverage import Coverage
from tokviz.draw.typefaces import Typefaces
from tokviz.errors import TokvizError, UnknownNameError
from tokviz.pages.cards import how_animated
from tokviz.records import Animation, depth_name
from tokviz.run.store import disk
from tokviz.run.store.disk import shown_path
from tokviz.text import error_line, shown, suggestion

REPORT = "data/report.json"
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
class Found:
    """What was found of it."""

    animation: Animation
    name: str
    """For a file."""
    what: str
    """For people: model, context, layers."""
    n_lacking: int
    """Depths between the first and the last one that have no plot."""


def find(site: Path, asked: Asked) -> Found:
    """The images of one capture, in the order of its layers.

    Raises
    ------
    TokvizError : there is no report in the folder, or nothing of that name in it, or fewer than two plots.
    """
    report = _read(site)
    try:
        return _found(site, report, asked)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, TokvizError):
            raise
        raise TokvizError(f"{shown_path(site / REPORT)}: expected a report of this tokviz; make it again") from error


def make(found: Found, ending: str, most_bytes: int) -> bytes | None:
    """The file's content; None where even its smallest form has more bytes.

    Raises
    ------
    TokvizError : an image can't be read.
    """
    try:
        return draw_animation(found.animation, ending, most_bytes)
    except OSError as error:
        raise TokvizError(
            f"expected images of a report, can't read one: {error_line(error)}; make the report again with tokviz build"
        ) from error


def _read(site: Path) -> dict[str, Any]:
    file = site / REPORT
    if not disk.is_regular(file):
        raise TokvizError(
            f"{shown_path(site)}: expected a report, found no {REPORT}; make one with tokviz build, or name its folder with --site"
        )
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        report = None
    if not isinstance(report, dict):
        raise TokvizError(f"{shown_path(file)}: expected a report of this tokviz; make it again")
    return report


def _found(site: Path, report: dict[str, Any], asked: Asked) -> Found:
    models = report["models"]
    model = _named("model", asked.model, [(each, (each["slug"], each["name"])) for each in models])
    if not model["contexts"]:
        raise TokvizError(f"{model['slug']}: has no plots, as it failed: {model['failure']}")
    labels = {each["name"]: each["label"] for each in report["contexts"]}
    contexts = [(each, (each["name"], labels.get(each["name"], each["name"]))) for each in model["contexts"]]
    context = _named("context", asked.context, contexts, of=model["slug"])
    projections = [(each, (each["name"],)) for each in context["projections"]]
    projection = _named("projection", asked.projection, projections)
    plates: list[str | None] = projection["plates"]
    first, last = _span(asked.layers, len(plates), model["slug"])
    chosen = [(depth, path) for depth in range(first, last + 1) if (path := plates[depth])]
    if len(chosen) < 2:
        raise TokvizError(
            f"{model['slug']}, {context['name']}: expected plots of two layers or more, found {len(chosen)}; choose others with --layers"
        )
    address = re.sub(r"^https?://", "", report["site_url"] or "").rstrip("/")
    animation = Animation(
        files=tuple(_file(site, path) for _, path in chosen),
        depths=tuple(depth for depth, _ in chosen),
        n_depths=len(plates),
        how=how_animated(projection["name"]),
        source=str(report["title"]),
        address=address,
        headline=_headline(report, model["slug"], context["name"], projection["name"]),
    )
    other = "" if projection is projections[0][0] else f"-{projection['name']}"
    ends = f"{depth_name(chosen[0][0])} to {depth_name(chosen[-1][0])}"
    return Found(
        animation=Typefaces(Coverage()).with_fonts_for_animation(animation),
        name=f"{model['slug']}-{context['name']}{other}",
        what=f"{model['name']}, {context['name']}, {projection['name']}, {ends}",
        n_lacking=last + 1 - first - len(chosen),
    )


def _headline(report: dict[str, Any], model: str, context: str, projection: str) -> str:
    """What was found first of a capture, and of nothing besides, if plots of this projection show it."""
    shown = {"model": model, "context": context, "other_model": None, "beside": None, "announced": True}
    own = (each for each in report["findings"] if shown.items() <= each.items())
    seen = (each for each in own if (each["projection"] or report["projections"][0]) == projection)
    return next((str(each["sentence"]) for each in seen), "")


def _named(
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
        f"no {kind} {shown(name)}{f' of {of}' if of else ''}; known: {_listed(first)}{suggestion(name, first)}"
    )


def _listed(names: Sequence[str]) -> str:
    if len(names) <= MOST_NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED} more"


def _span(layers: str | None, n_depths: int, model: str) -> tuple[int, int]:
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


def _file(site: Path, path: str) -> Path:
    """A phone's form of a plot, whose text is larger, or the one that there is.

    Raises
    ------
    TokvizError : it isn't there.
    """
    if ".." in PurePosixPath(path).parts:
        raise ValueError(path)
    for each in (re.sub(r"\.webp$", "-phone.webp", path), path):
        if disk.is_within(site, each):
            return site / each
    raise TokvizError(
        f"{shown_path(site / path)}: expected an image, found none; make the report again with tokviz build"
    )
