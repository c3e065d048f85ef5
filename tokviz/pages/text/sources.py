"""The works that the method page names, as ``catalogue/sources.toml`` has them."""

from __future__ import annotations

from tokviz.pages.text.catalogue import read
from tokviz.pages.text.parts import Link

_ADDRESSES = {"doi": "https://doi.org/{}", "arxiv": "https://arxiv.org/abs/{}", "web": "{}"}


def source(key: str) -> Link:
    """A work, and where it is found."""
    place, (title, number) = next((place, works[key]) for place, works in read("sources").items() if key in works)
    return Link(text=f"{title}, arXiv {number}" if place == "arxiv" else title, href=_ADDRESSES[place].format(number))
