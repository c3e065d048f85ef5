"""At which depths something holds, and in which sentences of a context."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from tokviz.pages.text.wording import count, in_words, joined_by_and
from tokviz.records import depth_name
from tokviz.text import isolated

MOST_RUNS = 3
"""Where something holds at more runs of depths, the depths are counted."""
MOST_TEMPLATES = 3
"""More sentences are counted, not named."""


def over_sentences(
    holds: np.ndarray, template_holds: np.ndarray | None, templates: Sequence[str], what: str = "this is shown"
) -> tuple[str, ...]:
    """Where each sentence of a context by itself says what their median does, or which ones say otherwise.

    ``holds``: ``(n_depths,)`` bool, of the median; ``template_holds``: ``(n_templates, n_depths)`` bool, of each sentence,
    None with one; ``what``: is announced, as a clause before its depths.
    """
    if template_holds is None:
        return ()
    shown, alone = bool(holds.any()), np.asarray(template_holds.any(axis=1))
    others = np.flatnonzero(alone != shown).tolist()
    n = in_words(len(alone))
    if not others:
        everywhere = np.asarray(template_holds.all(axis=0))
        where = depths_where(everywhere) if everywhere.any() else "other depths"
        return (f"In each of the {n} sentences by itself, {what} at {where}.",) if shown else ()
    named = joined_by_and([in_quotes(templates[index]) for index in others])
    which = named if len(others) <= MOST_TEMPLATES else f"{in_words(len(others))} of {n}"
    itself = "itself" if len(others) == 1 else "themselves"
    return (f"But in {which} by {itself}, {what} at {'no' if shown else 'some'} depth.",)


def in_quotes(template: str) -> str:
    """``“I saw …”``."""
    return f"“{isolated(template.replace('{word}', '…').strip())}”"


def depths_name(first: int, last: int) -> str:
    """``embedding``, ``layer 1``, ``embedding to layer 4``, ``layers 2–8``."""
    if first == last:
        return depth_name(first)
    if first == 0:
        return f"embedding {'and' if last == 1 else 'to'} {depth_name(last)}"
    return f"layers {first - 1}–{last - 1}"


def depths_where(depths: np.ndarray) -> str:
    """``(n_depths,)`` bool → ``the embedding, layers 0–3 and layer 8``, ``20 of 31 depths``, ``every depth``."""
    if depths.all():
        return "every depth"
    found = [*runs(depths)]
    if len(found) > MOST_RUNS:
        return f"{int(depths.sum())} of {count(len(depths), 'depth')}"
    layers = [depths_name(max(run[0], 1), run[-1]) for run in found if run[-1] > 0]
    return joined_by_and([*(["the embedding"] if depths[0] else []), *layers])


def runs(holds: np.ndarray) -> Iterator[range]:
    """Neighboring places at which something holds, ``(n,)`` bool."""
    edges = [0, *(np.flatnonzero(np.diff(holds)) + 1).tolist(), len(holds)]
    return (range(first, stop) for first, stop in pairwise(edges) if stop > first and holds[first])
