"""What a change page loads, the places of words on common axes, and what it lets readers download."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tokviz.pages.explore import explore_data
from tokviz.pages.findings.changes import Shift, shifts
from tokviz.pages.findings.differences import MEASURES
from tokviz.pages.frame.frame import change_path
from tokviz.pages.text.data_text import csv_text, script, spreadsheet_safe
from tokviz.records import Report, depth_name

SIDES = ("before", "after")
Table = tuple[list[str], Iterable[list[Any]]]
"""Of a file the columns after those of the depth, and the rows, each of which begins with its depth."""


def slug_of(shift: Shift, side: str) -> str:
    """How scripts name a side: also the folder of its scripts, from that of all data."""
    return f"{_folder(shift)}/{side}"


def _folder(shift: Shift) -> str:
    """Of its page, and within that of all data."""
    return posixpath.dirname(change_path(shift.before.slug, shift.after.slug))


def of_sides(found: Sequence[Shift]) -> dict[str, str]:
    """Path from the site's root → script, of both sides in all contexts."""
    written: dict[str, str] = {"data/words.js": script("words", explore_data.words(found[0].report.words))}
    for each in found:
        for side, (_, context, shown) in zip(SIDES, each.sides, strict=True):
            written |= explore_data.places(slug_of(each, side), replace(context, projections=(shown,)))
    return written


# --- downloads ---------------------------------------------------------------------------------------------------


def tables_of(shift: Shift) -> dict[str, str]:
    """File's name → path from the site's root."""
    names = ["depths.csv", *(["categories.csv"] if shift.labels else []), "words.csv"]
    return {name: f"data/{_folder(shift)}/{shift.pair.context}/{name}" for name in names}


def files(report: Report) -> dict[str, str]:
    """Path from the site's root → text."""
    made = ((path, csv_of(each, name)) for each in shifts(report) for name, path in tables_of(each).items())
    return dict(made)


def csv_of(shift: Shift, name: str) -> str:
    """One of these files."""
    header, rows = {"depths.csv": _depths, "categories.csv": _categories, "words.csv": _words}[name](shift)
    return csv_text(["depth", "layer", *header], ([depth, depth_name(depth), *row] for depth, *row in rows))


def _measures(shift: Shift) -> tuple[str, ...]:
    return tuple(MEASURES) if shift.pair.paired else ()


def _band_header(shift: Shift) -> list[str]:
    return [f"{each}{part}" for each in _measures(shift) for part in ("_change", "_low", "_high", "_announced")]


def _bands(shift: Shift, *, by_category: bool) -> list[list[list[Any]]]:
    """For all words, or for each category: at each depth the values of these columns."""
    found = []
    for each in _measures(shift):
        paired = getattr(shift.pair.paired, each)
        low, value, high = shift.band(each, by_category=by_category)
        found += [value, low, high, (paired.by_category if by_category else paired.overall).holds]
    n = len(shift.labels) if by_category else 1
    return [[[of[row][depth] for of in found] for depth in range(shift.n_depths)] for row in range(n)]


def _depths(shift: Shift) -> Table:
    changed, (bands,) = shift.changed, _bands(shift, by_category=False)
    shares = np.hstack([each.explained_variance_ratio for each in (changed.before, changed.after)]).tolist()
    alike = zip(changed.cka, changed.neighbours, changed.is_centered, strict=True)
    together = zip(range(shift.n_depths), changed.is_same, bands, alike, shares, strict=True)
    of_shares = [f"{side}_{axis}_share" for side in SIDES for axis in ("pc1", "pc2")]
    header = ["identical", *_band_header(shift), "cka", "neighbors_kept", "centered", *of_shares]
    return header, ([depth, is_same, *band, *kept, *own] for depth, is_same, band, kept, own in together)


def _categories(shift: Shift) -> Table:
    compared = shift.pair.paired.categories if shift.pair.paired else ()
    keys = [shift.report.words.categories[index].key for index in compared]
    return ["category", "category_safe", *_band_header(shift)], (
        [depth, key, spreadsheet_safe(key), *values]
        for key, of_depths in zip(keys, _bands(shift, by_category=True), strict=True)
        for depth, values in enumerate(of_depths)
    )


def _words(shift: Shift) -> Table:
    changed, words = shift.changed, shift.report.words.of(shift.contexts[0].states.tokenization).words
    return ["word", "text_safe", "neighbors_lost", "neighbors", "score", "announced"], (
        [depth, word, spreadsheet_safe(word), None if lost < 0 else lost, changed.moved.k, score, moved]
        for depth in range(shift.n_depths)
        for word, lost, score, moved in zip(
            words, changed.lost[depth], changed.score[depth], shift.movers[depth], strict=True
        )
    )
