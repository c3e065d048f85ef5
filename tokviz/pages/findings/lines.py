"""Findings as pages list them: what was found, of what, on what it rests, and a link to where it is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokviz.pages.findings.finding import Found
from tokviz.pages.frame.frame import model_path, relative
from tokviz.pages.frame.pictures import slide_id


@dataclass(frozen=True, kw_only=True)
class Line:
    """One of them."""

    sentence: str
    about: str
    evidence: str
    """Empty where nothing was measured."""
    href: str | None
    """None where it is about all depths."""


def lines(found: Sequence[Found], page: str) -> tuple[Line, ...]:
    """``page``: the path of the page that shows them."""
    return tuple(
        Line(sentence=each.sentence, about=each.about, evidence=each.said, href=_address(each, page)) for each in found
    )


def _address(found: Found, page: str) -> str | None:
    if found.depth is None:
        return None
    slide = slide_id(found.context.states.context.name, found.depth)
    beside = f"+{found.beside.states.context.name}" if found.beside else ""
    target = model_path(found.model.slug)
    return f"{'' if target == page else relative(page, target)}#{slide}{beside}"
