"""What pages of every kind are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import SimpleNamespace


class Values(SimpleNamespace):
    """What the template of a page takes: records, and what is said of them, by the names that it has for them."""

    frame: Frame


@dataclass(frozen=True, kw_only=True)
class Link:
    """A text and where it leads."""

    text: str
    href: str
    current: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A label and what stands beside it; ``code`` is set in a fixed-width face."""

    label: str
    value: str
    code: bool = False


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What surrounds every page. All links are relative to the page."""

    path: str
    """Where the page stands, from the site's root."""
    title: str
    """For the browser's tab."""
    description: str
    home: Link | None
    """The report's title; None on the index, whose heading says it."""
    nav: tuple[Link, ...] = ()
    """The pages of the header; empty until all of them are known."""
    theme: str
    """The script that chooses light or dark before anything is drawn."""
    fonts: str
    """The script that asks for the fonts early; it runs before the stylesheet is there."""
    opening: str | None
    """The script that draws at once what the address asks for; None where an address asks for nothing but a place of the page."""
    has_keys: bool
    """Whether the page has a list of its keys."""
    stylesheet: str
    screens: str
    """How pages adapt to a window, to forced colours and to paper."""
    noscript: str
    look: OwnLook | None
    """Colours, shapes, sizes and a font of the author's."""
    own_stylesheet: str | None
    """The one of the author's theme, after all others."""
    geometry: InlineStyle
    """Measures of rulers, as CSS variables."""
    scripts: tuple[str, ...]
    made_with: Link
    draft: bool
    license: Link | None
    """An empty address: the licence has none."""
    card: Card | None
    """None when nobody knows where the site will stand."""


@dataclass(frozen=True, kw_only=True)
class OwnLook:
    """What the author chose in place of what pages have by themselves."""

    stylesheet: str | None
    n_hues: int | None
    """How many colours of categories it has, where these are the author's."""
    shapes: str | None
    """Per category the path of its shape, with ``|`` between them, where these are the author's."""
    fills: bool
    """Whether each axis is stretched to its plot."""
    font: str | None
    """The name of the file, among the fonts of the assets."""


@dataclass(frozen=True, kw_only=True)
class InlineStyle:
    """A style block of a page, and the hash by which the page's content security policy knows it."""

    css: str
    sha256: str
    """In base64."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """How other sites show the page where it is linked to; addresses are whole."""

    url: str
    site: str
    """The report's title."""
    title: str
    kind: str
    """``website`` or ``article``."""
    image: Source | None
    alt: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """An image file and its size in pixels."""

    src: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The same picture for wide screens and for phones."""

    alt: str
    wide: Source
    phone: Source
    svg: str | None = None
    """The address of the same picture as SVG, where there is one."""
    dark: Picture | None = None
    """The same on the dark ground, for the dark theme; without it the image is turned over there."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One choice of a switch or a select."""

    value: str
    label: str
    checked: bool


@dataclass(frozen=True, kw_only=True)
class Switch:
    """A choice between panels."""

    key: str
    """``context`` or ``projection``: the panels' attribute that it chooses by."""
    legend: str
    options: tuple[Option, ...]
    pair: bool
    """Whether two of the options can be seen side by side."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading and the paragraphs under it."""

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Term:
    """A word of the report's language and what it means."""

    name: str
    meaning: str
    sources: tuple[Link, ...] = ()
    """The works that defined it."""

    @property
    def lead(self) -> str:
        """What is in sight: its first sentence, or all of it where that is little."""
        return self._parts[0]

    @property
    def rest(self) -> str:
        """What is folded: how it is computed, tested and drawn."""
        return self._parts[1]

    @property
    def _parts(self) -> tuple[str, str]:
        end = _SENTENCE_END.search(self.meaning)
        if end is None or len(self.meaning.split()) <= MOST_WORDS_OF_A_TERM:
            return self.meaning, ""
        return self.meaning[: end.start()], self.meaning[end.end() :]


MOST_WORDS_OF_A_TERM = 45
"""Of a longer meaning the first sentence is in sight."""
_SENTENCE_END = re.compile(r"(?<=[.?])\s+(?=[A-Z“])")
