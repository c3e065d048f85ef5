"""Records → finished view records for templates: text, formatted numbers, relative links. No HTML."""

from __future__ import annotations

from tokviz.pages.cards import PageCard, cards
from tokviz.pages.excerpt import excerpts
from tokviz.pages.frame.frame import model_path
from tokviz.pages.model.page import note_addresses
from tokviz.pages.site import build, with_downloads

__all__ = ["PageCard", "build", "cards", "excerpts", "model_path", "note_addresses", "with_downloads"]
