"""Findings as pages list them: what was found, of what, on what it rests, and a link to where it is seen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tokviz.pages.findings.finding import Found
from tokviz.pages.frame.frame import card_path, change_path, model_path, relative
from tokviz.pages.frame.pictures import slide_id
from tokviz.pages.text.wording import capitalized


@dataclass(frozen=True, kw_only=True)
class Line:
    """One of them."""

    sentence: str
    about: str
    """Of which model, where the page isn't its own, and words."""
    evidence: str
    """Empty where nothing was measured."""
    slide: str
    """Where it is seen, as the model's page names it; empty where it is about all depths."""
    href: str | None
    card: str | None
    """The address of its image; None where there is none."""


def lines(found: Sequence[Found], page: str, cards: Collection[str] = ()) -> tuple[Line, ...]:
    """``page``: the path of the page that shows them; ``cards``: the images of findings that there are."""
    return tuple(_line(each, page, cards) for each in found)


def _line(found: Found, page: str, cards: Collection[str]) -> Line:
    slide, target = "", model_path(found.model.slug)
    if found.depth is not None:
        beside = f"+{found.beside.states.context.name}" if found.beside else ""
        slide = f"{slide_id(found.context.states.context.name, found.depth, found.projection)}{beside}"
    if found.slot == "change" and found.other:
        target = change_path(found.other.slug, found.model.slug)
    is_of_page = target == page and found.other is None and found.is_announced
    about = capitalized(found.which_words) if is_of_page else found.about
    href = f"{'' if target == page else relative(page, target)}#{slide}" if slide else None
    card = card_path(page, found.number)
    return Line(
        sentence=found.sentence,
        about=about,
        evidence=found.said,
        slide=slide,
        href=href,
        card=relative(page, card) if card in cards else None,
    )
