"""On what a headline on a change rests: the numbers of what it names, and what else changed or may have."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.pages.findings.differences import MEASURES
from tokviz.pages.text.catalogue import Fact
from tokviz.pages.text.sentences import depths_where
from tokviz.pages.text.wording import in_words, joined_by_and

if TYPE_CHECKING:
    from tokviz.pages.findings.changes import Shift

LEAST = 0.05
"""More or less is said only of a difference whose whole band lies beyond this."""
MOST_NAMED = 3
"""Of more categories it is said how many they are."""


def evidence_of(shift: Shift) -> Iterator[Fact]:
    """On what the headline rests; none where both models are the same."""
    if not shift.changed.is_same.all():
        if shift.pair.paired is not None:
            yield from _of_categories(shift)
        yield from _of_movers(shift)


def bounded(band: np.ndarray) -> dict[str, Any]:
    """``(3,)``, lower end, difference and upper end, as sentences take them."""
    low, value, high = band.tolist()
    return {"value": value, "bounds": (low, high)}


def rounded_up(value: float) -> float:
    """To two decimals, as sentences write it: what is "at most" must not be less."""
    return math.ceil(100 * value - 1e-9) / 100


def _of_categories(shift: Shift) -> Iterator[Fact]:
    depth, named = shift.depth, np.flatnonzero(shift.named).tolist()
    measured = {"measure": Fact(f"paired.measures.{shift.measure}"), "depth": depth}
    bands = shift.band(shift.measure, by_category=True)[:, :, depth]
    for row in named[:MOST_NAMED]:
        own = {"name": shift.labels[row], **bounded(bands[:, row]), **_shown(shift, row)}
        yield Fact("change.category", **own) if row != named[0] else Fact("change.first_category", **own, **measured)
    if len(named) > MOST_NAMED:
        yield Fact("change.further_ones", n=len(named) - MOST_NAMED)
    overall = shift.band(shift.measure, by_category=False)[:, 0]
    is_shown = bool(shift.told[1].any())
    if np.isfinite(overall[:, depth]).all():
        own = bounded(overall[:, depth])
        if named:
            yield Fact("change.also_overall", elsewhere=_overall_elsewhere(shift, overall), **own)
        else:
            kind, shown = ("change.overall", _shown(shift)) if is_shown else ("change.estimated", {})
            yield Fact(kind, **own, **measured, **shown)
    if not is_shown:
        yield from _remaining(shift)
    if named:
        yield from _of_others(shift, np.isfinite(bands).all(axis=0) & ~shift.named)
    # Where nothing is shown, the headline says so.
    if (is_shown or shift.n_movers) and (untested := shift.never_tested):
        few = len(untested) <= MOST_NAMED
        yield Fact(
            "paired.not_tested", which=joined_by_and(untested) if few else f"{in_words(len(untested))} categories"
        )


def _shown(shift: Shift, row: int | None = None) -> dict[str, Any]:
    """All depths at which a change of a category is shown, or of all words, by the headline's measure; nothing where there is one."""
    signs = shift.signs_of(shift.measure, by_category=row is not None, is_strong=False)[row or 0]
    return {"shown": Fact("change.shown_at", where=depths_where(signs != 0)) if (signs != 0).sum() > 1 else ""}


def _of_others(shift: Shift, others: np.ndarray) -> Iterator[Fact]:
    """Categories that the headline doesn't name: which change at its depth, or else by how much they may; then which change elsewhere."""
    told, here = shift.named.copy(), np.arange(shift.n_depths) == shift.depth
    for depths in (here, ~here):
        found = _changed(shift, depths, told)
        told[[row for _, row, _ in found]] = True
        if depths is here and not found and others.any():
            most = rounded_up(float(shift.ends(shift.measure, by_category=True)[others, shift.depth].max()))
            yield Fact("change.others", most=most, depth=shift.depth)
        yield from (fact for _, _, fact in found[:MOST_NAMED])
        if len(found) > MOST_NAMED:
            yield Fact("change.further_ones", n=len(found) - MOST_NAMED)


def _changed(shift: Shift, depths: np.ndarray, told: np.ndarray) -> list[tuple[float, int, Fact]]:
    """How surely, the category, and what is said, surest first: each once, by the first metric that shows it, where that is surest."""
    found, left = list[tuple[float, int, Fact]](), ~told
    for measure in MEASURES:
        by = "" if measure == shift.measure else Fact("change.by", measure=Fact(f"change.measures.{measure}"))
        bands, signs = shift.band(measure, by_category=True), shift.signs_of(measure, by_category=True, is_strong=False)
        nearest = np.where((signs != 0) & depths, np.minimum(np.abs(bands[0]), np.abs(bands[2])), -1.0)
        for row in np.flatnonzero(left & (nearest >= 0).any(axis=1)).tolist():
            at = int(nearest[row].argmax())
            fact = Fact("change.too", name=shift.labels[row], depth=at, by=by, **bounded(bands[:, row, at]))
            found.append((float(nearest[row, at]), row, fact))
            left[row] = False
    return sorted(found, key=lambda each: -each[0])


def _overall_elsewhere(shift: Shift, band: np.ndarray) -> Fact | str:
    """Where a change over all words is shown, if it isn't at the headline's depth."""
    signs = shift.signs_of(shift.measure, by_category=False, is_strong=False)[0]
    if signs[shift.depth] or not signs.any():
        return ""
    depth = int(np.argmax(np.where(signs != 0, np.minimum(np.abs(band[0]), np.abs(band[2])), -1.0)))
    return Fact("change.elsewhere", depth=depth, **bounded(band[:, depth]))


def _remaining(shift: Shift) -> Iterator[Fact]:
    """The tested category that may have changed most, where that is more than all words together may have, and not little."""
    ends = np.stack([shift.ends(each, by_category=True) for each in MEASURES])
    ends[:, :, shift.changed.is_same] = 0.0
    ends[:, ~np.isfinite(ends).all(axis=(0, 2))] = -1.0
    if not ends.size:
        return
    measure, row, depth = np.unravel_index(int(np.argmax(ends)), ends.shape)
    if ends.max() > max(float(shift.ends_of_all.max(initial=-1.0)), LEAST):
        yield Fact(
            "change.remaining",
            most=rounded_up(float(ends.max())),
            name=shift.labels[row],
            measure=Fact(f"paired.measures.{list(MEASURES)[measure]}"),
            depth=int(depth),
        )


def _of_movers(shift: Shift) -> Iterator[Fact]:
    lost, k, in_first = shift.changed.lost, shift.changed.moved.k, Fact("change.of_first") if shift.is_of_first else ""
    known = lost >= 0
    if shift.n_movers:
        # Where the page opens, if words moved there, else where most did.
        depth = shift.depth if shift.movers[shift.depth].any() else int(shift.movers.sum(axis=1).argmax())
        movers = shift.movers[depth]
        n = int(movers.sum())
        yield Fact(
            "change.movers", n=n, lost=lost[depth][movers], which=shift.counted(n), depth=depth, k=k, first=in_first
        )
    elif known.any():
        # One without distinct neighbors at any depth has none to lose.
        n_asked, n_words = int(known.any(axis=0).sum()), shift.asked[1]
        which = Fact("change.none_of_asked", asked=n_asked) if n_asked < n_words else Fact("change.none_of_all")
        share = np.where(known, lost, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1) / k
        most = int(share.argmax())
        yield Fact("change.no_movers", which=which, share=float(share[most]), depth=most, k=k, in_first=in_first)
