"""Which images of a site are asked for as an animation: its ``data/report.json`` says which there are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL.Image import DecompressionBombError

from tokviz.draw import draw_animation
from tokviz.draw.coverage import Coverage
from tokviz.draw.typefaces import Typefaces
from tokviz.errors import TokvizError
from tokviz.pages.cards import how_animated
from tokviz.records import Animation, depth_name
from tokviz.run import made_report
from tokviz.run.made_report import Asked
from tokviz.text import error_line


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
    report = made_report.read(site)
    with made_report.understood(site):
        plots = made_report.plots(report, asked)
        model, context, projection = plots.model, plots.context["name"], plots.projection["name"]
        chosen = plots.chosen
        if len(chosen) < 2:
            raise TokvizError(
                f"{model['slug']}, {context}: expected plots of two layers or more, found {len(chosen)}; choose others with --layers"
            )
        animation = Animation(
            files=tuple(made_report.file(site, path, for_phones=True) for _, path in chosen),
            depths=tuple(depth for depth, _ in chosen),
            n_depths=len(plots.projection["plates"]),
            how=how_animated(projection),
            source=str(report["title"]),
            address=made_report.address_of(report),
            headline=_headline(report, model["slug"], context, projection),
        )
        other = "" if plots.is_first else f"-{projection}"
        ends = f"{depth_name(chosen[0][0])} to {depth_name(chosen[-1][0])}"
        return Found(
            animation=Typefaces(Coverage()).with_fonts_for_animation(animation),
            name=f"{model['slug']}-{context}{other}",
            what=f"{model['name']}, {context}, {projection}, {ends}",
            n_lacking=plots.last + 1 - plots.first - len(chosen),
        )


def make(found: Found, ending: str, most_bytes: int) -> bytes | None:
    """The file's content; None where even its smallest form has more bytes.

    Raises
    ------
    TokvizError : an image can't be read.
    """
    try:
        return draw_animation(found.animation, ending, most_bytes)
    except (OSError, DecompressionBombError) as error:
        raise TokvizError(
            f"expected images of a report, can't read one: {error_line(error)}; make the report again with tokviz build"
        ) from error


def _headline(report: dict[str, Any], model: str, context: str, projection: str) -> str:
    """What was found first of a capture, and of nothing besides, if plots of this projection show it."""
    shown = {"model": model, "context": context, "other_model": None, "beside": None, "announced": True}
    own = (each for each in report["findings"] if shown.items() <= each.items())
    seen = (each for each in own if (each["projection"] or report["projections"][0]) == projection)
    return next((str(each["sentence"]) for each in seen), "")
