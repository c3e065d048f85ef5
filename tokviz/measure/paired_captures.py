"""Captures that are held against each other word by word: which words, in which groups, at which depths; see ``paired``."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

import numpy as np

from tokviz.measure.geometry import categories_of
from tokviz.measure.groups import groups_of, near_together, with_near
from tokviz.measure.held import held
from tokviz.measure.left_out import LeftOut
from tokviz.measure.paired import PairedWords, agreed, aligned, compare, first_depths, measured
from tokviz.measure.profile import Side, shared_words
from tokviz.records import CategoriesHeld, HiddenStates, PairedCapture, PairedMeasures, Untrained

_MOST_KEPT = 2**28
"""Bytes of what is kept for the next comparison: of fifty models with long lists all would be gigabytes."""


class PairedComparer:
    """Compares captures, and keeps what was measured of the last ones: most are held against several others, over the same words.

    Parameters
    ----------
    seed : of samples and signs.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._words: PairedWords | None = None
        self._kept: dict[tuple[str, bytes, Hashable, bool], tuple[tuple[LeftOut, ...], int]] = {}
        """With its size in bytes."""
        self._near: dict[Hashable, tuple[tuple[str, ...], ...]] = {}
        """Of captures over some of their words: each is held against several others."""

    def compare(
        self,
        a: Side,
        b: Side,
        depths: np.ndarray | None = None,
        *,
        with_kept: bool = True,
        near_in_both: bool = True,
    ) -> PairedMeasures:
        """``a`` less ``b``, over the words with a category that are reference words in all templates of both.

        Parameters
        ----------
        a, b : in the same templates, or ``b`` in one that stands for all; words belong together as ``a`` has it.
        depths : ``(n, 2)`` int64, the pairs of depths; by default those of equal relative depth.
        with_kept : whether it means anything how many neighbors are kept from the depth before.
        near_in_both : whether words are one, too, whose states are nearly the same in ``b``; those of ``a`` are.
        """
        rows_a, rows_b = shared_words(a, b, self._seed)
        memberships = tuple(a.memberships[row] for row in rows_a)
        near = self._near_together(a, rows_a, memberships)
        if near_in_both:
            near += self._near_together(b, rows_b, memberships)
        names = [a.states.tokenization.words[row].word for row in rows_a]
        words = self._drawn(
            PairedWords(
                words=tuple(names),
                memberships=memberships,
                grouped=groups_of(names, [(a.states, rows_a), (b.states, rows_b)], a.groups, near),
                seed=self._seed,
            )
        )
        n_a, n_b = a.states.n_depths, b.states.n_depths
        with_kept = with_kept and n_a == n_b
        of_b = [self._measured((each, rows_b), words, with_kept) for each in b.templates]
        like = [(states, rows_b, found) for states, found in zip(b.templates, of_b, strict=True)]
        like += like[:1] * (len(a.templates) - len(like))
        of_a = [
            self._measured((each, rows_a), words, with_kept, other)
            for each, other in zip(a.templates, like, strict=False)
        ]
        return compare(of_a, of_b, aligned(n_a, n_b) if depths is None else depths, words, same_form=with_kept)

    def _near_together(
        self, side: Side, rows: np.ndarray, memberships: tuple[tuple[int, ...], ...]
    ) -> tuple[tuple[str, ...], ...]:
        """As ``near_together`` has it, looked for once."""
        key = tuple(each.digest for each in side.templates), rows.tobytes(), memberships
        if key not in self._near:
            self._near[key] = near_together(side.templates, rows, memberships)
        return self._near[key]

    def _drawn(self, words: PairedWords) -> PairedWords:
        """The last ones where they are the same: signs and shuffles are drawn once."""
        if self._words is None or self._words.key != words.key:
            self._words = words
        return self._words

    def _measured(
        self,
        capture: tuple[HiddenStates, np.ndarray],
        words: PairedWords,
        with_kept: bool,
        like: tuple[HiddenStates, np.ndarray, tuple[LeftOut, ...]] | None = None,
    ) -> tuple[LeftOut, ...]:
        """Of a capture and its rows; ``like``: another one, its rows and what was measured of it, which may have the same states first."""
        states, rows = capture
        key, other = ((states.digest, rows.tobytes(), words.key, kept) for kept in (with_kept, True))
        key = key if key in self._kept else other if other in self._kept else key
        if key in self._kept:
            found, n_bytes = self._kept.pop(key)
        else:
            first = [] if like is None else first_depths(like[2], _n_alike(capture, like[:2]))
            found = measured(states.states, rows, words.units, with_kept=with_kept, first=first)
            n_bytes = _n_bytes(found)
        self._kept[key] = found, n_bytes  # the latest stands last
        while len(self._kept) > 1 and sum(size for _, size in self._kept.values()) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return found


_COMPARER = PairedComparer()
"""Of this process: captures of one model are held against the same others."""


def _n_alike(one: tuple[HiddenStates, np.ndarray], other: tuple[HiddenStates, np.ndarray]) -> int:
    """At how many depths from the first on two captures have the same states."""
    (of_one, rows), (of_other, other_rows) = one, other
    depths = range(min(of_one.n_depths, of_other.n_depths))
    alike = (np.array_equal(of_one.states[depth][rows], of_other.states[depth][other_rows]) for depth in depths)
    return sum(1 for _ in takewhile(bool, alike))


def _n_bytes(found: tuple[LeftOut, ...]) -> int:
    arrays = (array for each in found for array in (each.influence, each.without, *_of_words(each)))
    return sum(array.nbytes for array in arrays)


def _of_words(found: LeftOut) -> Iterator[np.ndarray]:
    for each in found.words:
        if each is not None:
            yield from (each.own, each.left_out, each.changed, each.known, *(values for _, values in each.refits))


def of_capture(
    capture: Side,
    first_context: Sequence[HiddenStates],
    untrained: Sequence[HiddenStates],
) -> PairedCapture:
    """What the capture of a model as it is is held against.

    Parameters
    ----------
    first_context : of the same model, in all templates; empty of that one itself.
    untrained : after the model's own embedding random layers, and its own permuted, each of all seeds, with the words in the first
        template.
    """
    layers = np.arange(1, capture.states.n_depths)
    to_embedding = np.stack([layers, np.zeros_like(layers)], axis=1)
    first = replace(capture, templates=capture.templates[:1])
    n = len(capture.templates)
    # One stands for all where there aren't as many.
    beside = tuple(first_context if n in (1, len(first_context)) else first_context[:1])
    # First with neighbors kept, which the others don't ask for.
    to_first = _COMPARER.compare(capture, replace(capture, templates=beside)) if beside else None
    # How many neighbors random layers keep follows from the scale of their weights alone. All are compared by the same groups.
    controls = [
        _COMPARER.compare(first, replace(first, templates=(each,)), with_kept=False, near_in_both=False)
        for each in untrained
    ]
    return PairedCapture(
        embedding=_COMPARER.compare(capture, capture, to_embedding, with_kept=False),
        first_context=to_first,
        held=_held(capture),
        untrained=agreed(controls) if len(controls) == 2 * Untrained.N_SEEDS else None,
    )


def _held(capture: Side) -> CategoriesHeld:
    rows, _ = shared_words(capture, capture, 0)
    categories = categories_of(capture.states, capture.memberships, rows, capture.groups)
    return held(capture.templates, rows, with_near(categories, capture.templates, rows))


def of_intervention(changed: Side, unchanged: HiddenStates) -> PairedCapture:
    """A capture with neurons set to a value, held against the model as it is."""
    found = _COMPARER.compare(changed, replace(changed, templates=(unchanged,)))
    return PairedCapture(unchanged=found)
