"""Records → finished view records for templates: text, formatted numbers, relative links. No HTML."""

from __future__ import annotations

from tokviz.pages.excerpt import excerpt_path, excerpts
from tokviz.pages.frame.frame import model_path
from tokviz.pages.model.page import note_addresses
from tokviz.pages.previews import Preview, previews
from tokviz.pages.site import build

__all__ = ["Preview", "build", "excerpt_path", "excerpts", "model_path", "note_addresses", "previews"]
