"""Captures that are held against each other word by word: which words, in which groups, at which depths; see ``paired``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tokviz.measure.groups import groups_of
from tokviz.measure.held import held
from tokviz.measure.labels import Categories
from tokviz.measure.left_out import LeftOut
from tokviz.measure.paired import PairedWords, agreed, aligned, compare, measured
from tokviz.measure.profile import Side, shared_words
from tokviz.records import CategoriesHeld, HiddenStates, PairedCapture, PairedMeasures, Untrained

_MOST_KEPT = 2**28
"""Bytes of what is kept for the next comparison: of fifty models with long lists all would be gigabytes."""


class PairedComparer:
    """Compares captures, and keeps what was measured of the last ones: with many models most share the same words.

    Parameters
    ----------
    seed : of samples and signs.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._kept: dict[tuple[str, bytes], tuple[LeftOut, ...]] = {}

    def compare(
        self,
        a: Side,
        b: Side,
        groups: Sequence[Sequence[str]] = (),
        depths: np.ndarray | None = None,
        *,
        with_kept: bool = True,
    ) -> PairedMeasures:
        """``a`` less ``b``, over the words with a category that are reference words in all templates of both.

        Parameters
        ----------
        a, b : in the same templates, or ``b`` in one that stands for all.
        groups : words that belong together, as written.
        depths : ``(n, 2)`` int64, the pairs of depths; by default those of equal relative depth.
        with_kept : whether it means anything how many neighbors are kept from the depth before.
        """
        rows_a, rows_b = shared_words(a, b, self._seed)
        names = [a.states.tokenization.words[row].word for row in rows_a]
        words = PairedWords(
            words=tuple(names),
            memberships=tuple(a.memberships[row] for row in rows_a),
            grouped=groups_of(names, [(a.states, rows_a), (b.states, rows_b)], groups),
            seed=self._seed,
        )
        n_a, n_b = a.states.n_depths, b.states.n_depths
        return compare(
            [self._measured(each, rows_a, words) for each in a.templates],
            [self._measured(each, rows_b, words) for each in b.templates],
            aligned(n_a, n_b) if depths is None else depths,
            words,
            same_form=with_kept and n_a == n_b,
        )

    def _measured(self, states: HiddenStates, rows: np.ndarray, words: PairedWords) -> tuple[LeftOut, ...]:
        key = (states.digest, rows.tobytes() + words.grouped.labels.tobytes())
        found = self._kept.pop(key, None) or measured(states.states, rows, words.units)
        self._kept[key] = found  # the latest stands last
        while len(self._kept) > 1 and sum(map(_n_bytes, self._kept.values())) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return found


def _n_bytes(found: tuple[LeftOut, ...]) -> int:
    return sum(each.influence.nbytes + each.without.nbytes for each in found)


def of_capture(
    capture: Side,
    first_context: Sequence[HiddenStates],
    untrained: Sequence[HiddenStates],
    groups: Sequence[Sequence[str]] = (),
) -> PairedCapture:
    """What the capture of a model as it is is held against.

    Parameters
    ----------
    first_context : of the same model, in all templates; empty of that one itself.
    untrained : after the model's own embedding random layers, and its own permuted, each of all seeds, with the words in the first
        template.
    groups : words that belong together, as written.
    """
    comparer = PairedComparer()
    layers = np.arange(1, capture.states.n_depths)
    to_embedding = np.stack([layers, np.zeros_like(layers)], axis=1)
    first = replace(capture, templates=capture.templates[:1])
    n = len(capture.templates)
    # One stands for all where there aren't as many.
    beside = tuple(first_context if n in (1, len(first_context)) else first_context[:1])
    # How many neighbors random layers keep follows from the scale of their weights alone.
    controls = [
        comparer.compare(first, replace(first, templates=(each,)), groups, with_kept=False) for each in untrained
    ]
    return PairedCapture(
        embedding=comparer.compare(capture, capture, groups, to_embedding, with_kept=False),
        first_context=comparer.compare(capture, replace(capture, templates=beside), groups) if beside else None,
        held=_held(capture),
        untrained=agreed(controls) if len(controls) == 2 * Untrained.N_SEEDS else None,
    )


def _held(capture: Side) -> CategoriesHeld:
    rows, _ = shared_words(capture, capture, 0)
    words = capture.states.tokenization.words
    categories = Categories(
        memberships=tuple(capture.memberships[row] for row in rows), words=tuple(words[row].word for row in rows)
    )
    return held(capture.templates, rows, categories)


def of_intervention(changed: Side, unchanged: HiddenStates, groups: Sequence[Sequence[str]] = ()) -> PairedCapture:
    """A capture with neurons set to a value, held against the model as it is."""
    found = PairedComparer().compare(changed, replace(changed, templates=(unchanged,)), groups)
    return PairedCapture(unchanged=found)
