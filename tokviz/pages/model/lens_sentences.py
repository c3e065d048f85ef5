"""What is said of a model's lens: at which depths more words than by chance are read as their own category."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from tokviz.pages.model.lens_data import has_lens
from tokviz.pages.model.unnamed import UnnamedFact, the_same
from tokviz.pages.text.sentences import depths_where
from tokviz.pages.text.wording import joined_by_and, ranged, whole_percent
from tokviz.records import ContextReport, ModelReport

LIMITS = (
    "Layers are read with a Jacobian lens, an average linear reading fitted on running text: an average "
    "forecast, not this word’s output. A name may be read by association only: Paris often stands near France in text."
)


def facts(model: ModelReport) -> tuple[UnnamedFact, ...]:
    """What is announced of each context."""
    return tuple(_facts(model.contexts))


def _facts(contexts: Iterable[ContextReport]) -> Iterator[UnnamedFact]:
    for context in contexts:
        named = context.lens.named if context.lens else None
        if named is None:
            continue
        label, holds = context.states.context.label, named.holds
        if holds.any():
            shares = named.value[holds]
            values = (float(shares.min()), float(shares.max()))
            yield UnnamedFact(kind="read", subject=(label, depths_where(holds)), values=values)
        elif not context.states.tokenization.reads_position_0:  # of which ``limits`` says that nothing is announced
            yield UnnamedFact(kind="not shown" if named.can_be_tested else "not tested", subject=(label,))


def sentences(stated: tuple[UnnamedFact, ...]) -> tuple[str, ...]:
    """A sentence for each kind of fact."""
    kinds = dict.fromkeys(each.kind for each in stated)
    return tuple(sentence(tuple(each for each in stated if each.kind == kind)) for kind in kinds)


def sentence(stated: tuple[UnnamedFact, ...]) -> str:
    """The sentence that states these facts, which are of one kind.

    Raises
    ------
    KeyError, ValueError : facts that no sentence states together.
    """
    return _SENTENCES[the_same(each.kind for each in stated)](stated)


def _say_read(stated: tuple[UnnamedFact, ...]) -> str:
    parts = []
    for each in stated:
        label, where = each.subject
        low, high = each.values
        parts.append(f"words {label}, at {where} ({ranged(np.array([low, high]), whole_percent)} of them)")
    return f"More words than by chance are read as their own category: {'; '.join(parts)}."


def _say_not_shown(stated: tuple[UnnamedFact, ...]) -> str:
    return f"At no depth is it shown that more words than by chance are read as their own category: {_labels(stated)}."


def _say_not_tested(stated: tuple[UnnamedFact, ...]) -> str:
    return f"Whether more words than by chance are read as their own category can’t be tested with these words and categories: {_labels(stated)}."


def _labels(stated: tuple[UnnamedFact, ...]) -> str:
    labels = [label for each in stated for label in each.subject]
    return "; ".join(f"words {label}" for label in labels)


_SENTENCES = {"read": _say_read, "not shown": _say_not_shown, "not tested": _say_not_tested}


def limits(contexts: Iterable[ContextReport]) -> str:
    """What the lens doesn't say, and which words are read where it wasn't fitted."""
    labels = [
        each.states.context.label for each in contexts if has_lens(each) and each.states.tokenization.reads_position_0
    ]
    if not labels:
        return LIMITS
    return f"{LIMITS} Words {joined_by_and(list(dict.fromkeys(labels)))} are read at position 0, where it wasn’t fitted: nothing is announced of them."
