"""What a value of ``report.toml`` may be: text, addresses, names."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=60)]


def without_controls(text: str) -> str:
    """Control characters have no picture, and neither XML nor every browser takes them."""
    found = next((character for character in text if unicodedata.category(character) == "Cc"), None)
    if found is not None:
        raise ValueError(f"expected text without control characters, got {found!r} in {shown(text)}")
    return text


def _without_controls_in_lines(text: str) -> str:
    for line in re.split(r"\r?\n|\t", text):
        without_controls(line)
    return text


def site_address(address: str) -> str:
    """Where a site can stand: other addresses are made by adding to this one."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.query or parts.fragment or set(address) & set("\"'<>"):
        raise ValueError(f"expected an address such as https://you.github.io/report/, without ? and #, got {address!r}")
    return address


Text = Annotated[str, Field(min_length=1, pattern=r"\S"), AfterValidator(without_controls)]
Markdown = Annotated[str, Field(min_length=1), AfterValidator(_without_controls_in_lines)]
WebAddress = Annotated[str, Field(pattern=r"^https?://\S+$")]
MemorySize = Annotated[str, Field(pattern=r"^\d+(\.\d+)?[KMG]i?B$")]


def shown(value: Any) -> str:
    """As it stands in an error's line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
