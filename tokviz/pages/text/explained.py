"""Marks the terms of the glossary where they first stand on a page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from tokviz.pages.text.glossary import GLOSSARY, GlossaryEntry


class Explainer:
    """Makes each term a button where it first stands on a page; its definition opens without a script."""

    def __init__(self) -> None:
        self._new: dict[GlossaryEntry, re.Pattern[str]] = {}
        self.begin()

    def begin(self) -> None:
        """On a new page, on which nothing is explained yet."""
        self._new = {entry: re.compile(rf"(?<!\w){entry.pattern}(?!\w)", re.IGNORECASE) for entry in GLOSSARY}

    def explained(self) -> tuple[GlossaryEntry, ...]:
        """The terms that have been explained on this page so far."""
        return tuple(entry for entry in GLOSSARY if entry not in self._new)

    # With the context, so that the template's compiler doesn't work it out once and for all.
    @pass_context
    def explain(self, _: Context, text: str) -> Markup:
        """A sentence, escaped, with its new terms as buttons."""
        done, parts = 0, []
        for start, stop, entry in self._found(text):
            term = f'<button type="button" class="term" popovertarget="{entry.id}">{escape(text[start:stop])}</button>'
            parts += [escape(text[done:start]), Markup(term)]
            done = stop
            del self._new[entry]
        return Markup("").join([*parts, escape(text[done:])])

    def _found(self, text: str) -> Iterator[tuple[int, int, GlossaryEntry]]:
        """In the order of the text; of two that overlap the first."""
        matches = [(match, entry) for entry, pattern in self._new.items() if (match := pattern.search(text))]
        end = 0
        for match, entry in sorted(matches, key=lambda each: each[0].start()):
            if match.start() >= end:
                yield match.start(), match.end(), entry
                end = match.end()
