"""The addresses of an essay: what ``models/qwen3-4b/#alone/embedding..layer-5`` and the like ask for.

What stands before the # is the page, as "Copy link" gives it (without one the first model's), and what stands after it is one place of that page or several: ``A..B``
is every layer between two, ``A,B`` these, ``A+B`` these side by side. A place after the first needs only what differs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import parse_qsl

from tokviz.pages.frame.pictures import depth_address
from tokviz.text import shown, suggestion

Kind = Literal["plots", "grid", "chart", "finding"]

_DEPTH = re.compile(r"embedding|layer-(0|[1-9]\d{0,5})")
_MODEL = re.compile(r"models/([^/]+)/(index\.html)?")
_INDEX, _COMPARE = ("", "index.html"), ("compare/", "compare/index.html")
_BESIDE = "abcdefghijklmnopqrstuvwxyz"
FIRST = ""
"""Instead of a model's name: the first one of the report, where the address names no page."""
MOST_KNOWN = 12
"""So many names are listed."""
EXAMPLES = "alone, alone/layer-6, alone/embedding..layer-5, alone/layer-6,layer-33, alone/layer-6+sentence, alone/grid or curves/…"
"""What can follow a model's page; ``alone`` and ``sentence`` are names of contexts."""


class PlaceError(ValueError):
    """An address leads to nothing that the report has; the message says what came, and what is known."""


@dataclass(frozen=True, kw_only=True)
class Plots:
    """Plots of one capture, in one projection."""

    slug: str
    """Of the model, or ``FIRST``."""
    context: str
    first: str | None
    """``embedding`` or ``layer-6``; None for all depths."""
    last: str | None
    projection: str | None
    """None for the one that is shown first."""
    share: float | None = None
    """How far along the depths its one plot is, 0 to 1, where that is asked for instead of a depth."""
    is_last_at_most: bool = False
    """Whether of a model with fewer layers the last one is meant, as on the compare page."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What an address asks for."""

    kind: Kind
    plots: tuple[Plots, ...] = ()
    """Of a grid one, whose depths say nothing."""
    are_beside: bool = False
    """Side by side, not one after the other."""
    slug: str = ""
    """Whose chart."""
    name: str = ""
    """Of the chart, or the finding's number."""

    @property
    def slugs(self) -> tuple[str, ...]:
        """The models that it names."""
        named = [self.slug, *(each.slug for each in self.plots)]
        return tuple(dict.fromkeys(each for each in named if each != FIRST))


def parse(target: str) -> Asked:
    """What the address of a picture in an essay asks for; ``PlaceError`` where it has no such form."""
    path, _, fragment = target.lstrip("/").partition("#")
    if path in _INDEX and fragment.startswith("finding"):
        number = re.fullmatch(r"finding-([1-9]\d?)", fragment)
        if number is None:
            raise PlaceError(f"expected #finding-1 or another finding of the first page, got {shown(target)}")
        return Asked(kind="finding", name=number[1])
    if path in _INDEX:
        return _of_model(target, FIRST, fragment)
    if path in _COMPARE:
        return _compared(target, fragment)
    found = _MODEL.fullmatch(path)
    if found is None:
        raise PlaceError(
            f"expected a place of a model’s page, such as models/NAME/#{EXAMPLES.split(', ')[1]}, got {shown(target)}"
        )
    return _of_model(target, found[1], fragment)


def _of_model(target: str, slug: str, fragment: str) -> Asked:
    place, extra, _ = fragment.partition("&")
    if extra:
        raise PlaceError(
            f"expected a place that has images, got {shown(target)}; a link can lead to it: leave out the ! before it, or what follows the &"
        )
    if not place:
        raise PlaceError(f"expected a place after the #, such as {EXAMPLES}, got {shown(target)}")
    if place == "curves" or place.startswith("curves/"):
        return Asked(kind="chart", slug=slug, name=place.partition("/")[2])
    context, _, rest = place.partition("/")
    if rest == "grid" or rest.startswith("grid/"):
        projection = rest.partition("/")[2] or None
        grid = Plots(slug=slug, context=context, first=None, last=None, projection=projection)
        return Asked(kind="grid", plots=(grid,))
    if "," in place and "+" in place:
        raise PlaceError(f"expected places one after the other (,) or side by side (+), got both in {shown(target)}")
    pieces = [*_pieces(target, slug, re.split(r"[,+]", place))]
    # A projection that one place names is that of those that name none, as "Copy link" has it.
    named = next((each.projection for each in pieces if each.projection), None)
    plots = tuple(replace(each, projection=each.projection or named) for each in pieces)
    return Asked(kind="plots", plots=plots, are_beside="+" in place)


def _pieces(target: str, slug: str, pieces: Iterable[str]) -> Iterator[Plots]:
    context, first, last = "", None, None
    for piece in pieces:
        parts = piece.split("/")
        if not (context and _is_depths(parts[0])):
            context, *parts = parts
        if parts and _is_depths(parts[0]):
            ends, *parts = parts
            first, _, end = ends.partition("..")
            last = end or first
        projection = parts.pop(0) if parts else None
        if parts or not context or projection == "":
            raise PlaceError(f"expected a place such as {EXAMPLES}, got {shown(target)}")
        yield Plots(slug=slug, context=context, first=first, last=last, projection=projection)


def _is_depths(text: str) -> bool:
    """Whether it is meant as a depth, or as a range of them."""
    return text.startswith(("embedding", "layer-")) or ".." in text


def _compared(target: str, fragment: str) -> Asked:
    """Of the compare page: #a=model/context/projection&b=…&by=relative&at=0.42."""
    wanted = dict(parse_qsl(fragment))
    unknown = [name for name in wanted if name not in (*_BESIDE, "by", "at")]
    named = [wanted[letter].split("/") for letter in _BESIDE if letter in wanted]
    if unknown or len(named) < 2 or any(len(each) not in (2, 3) for each in named):
        raise PlaceError(
            f"expected #a=MODEL/CONTEXT/PROJECTION&b=MODEL/CONTEXT/PROJECTION&at=0.5 of the compare page, got {shown(target)}"
        )
    at = wanted.get("at", "embedding")
    depth = at if _DEPTH.fullmatch(at) else None
    share = None if depth else _share(target, at)
    plots = tuple(
        Plots(
            slug=slug,
            context=context,
            first=depth,
            last=depth,
            projection=rest[0] if rest else None,
            share=share,
            is_last_at_most=True,
        )
        for slug, context, *rest in named
    )
    return Asked(kind="plots", plots=plots, are_beside=True)


def _share(target: str, at: str) -> float:
    try:
        share = float(at)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise PlaceError(f"expected at=embedding, a layer, or a share of the depth from 0 to 1, got {shown(target)}")
    return share


def depths_of(plots: Plots, n_depths: int) -> range:
    """The depths that are asked for; ``PlaceError`` where there is no such depth, or a range runs backwards."""
    if plots.share is not None:
        depth = math.floor(plots.share * (n_depths - 1) + 0.5)  # as the compare page rounds
        return range(depth, depth + 1)
    if plots.first is None or plots.last is None:
        return range(n_depths)
    first, last = _depth(plots, plots.first, n_depths), _depth(plots, plots.last, n_depths)
    if first > last:
        raise PlaceError(f"expected the earlier layer first, got {plots.first}..{plots.last}")
    return range(first, last + 1)


def _depth(plots: Plots, name: str, n_depths: int) -> int:
    known = [depth_address(depth) for depth in range(n_depths)]
    if plots.is_last_at_most and name not in known:
        return n_depths - 1
    if name not in known:
        ends = ", ".join(known[:2]) + (f" … {known[-1]}" if len(known) > 2 else "")
        raise PlaceError(f"no {shown_part(name)} in {plots.slug}; known: {ends}")
    return known.index(name)


def among(name: str, names: Collection[str]) -> str:
    """``; did you mean 'alone'?; known: alone, sentence``: what a name may have meant."""
    first, n_more = [*names][:MOST_KNOWN], len(names) - MOST_KNOWN
    more = f", and {n_more:,} more" if n_more > 0 else ""
    return f"{suggestion(name, names)}; known: {', '.join(first) or 'none'}{more}"


def shown_part(name: str) -> str:
    """A part of an address, as a message has it."""
    return name if _DEPTH.fullmatch(name) else shown(name)
