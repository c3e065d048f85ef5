"""What a report knows of itself, put in place of ``{n_words}`` and the like in its author's texts."""

from __future__ import annotations

from collections.abc import Sequence

from tokviz.config import PLACEHOLDER
from tokviz.pages.text.wording import n_captured, vocabulary_sizes
from tokviz.records import ModelReport, WordList


class Placeholders:
    """The numbers of one report."""

    def __init__(self, words: WordList, models: Sequence[ModelReport]) -> None:
        n_layers = [model.card.n_layers for model in models if model.card]
        n_words = [len(words.words)] if words.vocabulary is None else vocabulary_sizes(models)
        self._values = {
            "n_words": _range(n_words),
            "n_categories": f"{len(words.categories):,}",
            "n_models": f"{n_captured(models):,}",
            "n_layers": _range(n_layers),
        }

    def filled(self, text: str) -> str:
        """The text with the report's numbers."""
        return PLACEHOLDER.sub(lambda found: self._values.get(found[1], found[0]), text)


def _range(numbers: Sequence[int]) -> str:
    """``30``, or ``6–30`` where models differ."""
    low, high = min(numbers, default=0), max(numbers, default=0)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"
