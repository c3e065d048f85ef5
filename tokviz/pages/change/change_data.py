"""What a change page loads, the places of words on common axes, and what it lets readers download."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tokviz.pages.explore import explore_data
from tokviz.pages.findings.changes import Shift, shifts
from tokviz.pages.findings.differences import MEASURES
from tokviz.pages.frame.frame import change_path
from tokviz.pages.text import data_text
from tokviz.pages.text.data_text import csv_text, spreadsheet_safe
from tokviz.records import Report, depth_name

SIDES = ("before", "after")


def slug_of(shift: Shift, side: str) -> str:
    """How scripts name a side: also the folder of its scripts, from that of all data."""
    return f"{_folder(shift)}/{side}"


def _folder(shift: Shift) -> str:
    """Of its page, and within that of all data."""
    return posixpath.dirname(change_path(shift.before.slug, shift.after.slug))


def of_sides(found: Sequence[Shift]) -> dict[str, str]:
    """Path from the site's root → script, of both sides in all contexts."""
    written: dict[str, str] = {"data/words.js": data_text.script("words", explore_data.words(found[0].report.words))}
    for each in found:
        for side, (_, context, shown) in zip(SIDES, each.sides, strict=True):
            written |= explore_data.places(slug_of(each, side), replace(context, projections=(shown,)))
    return written


# --- downloads ---------------------------------------------------------------------------------------------------


def tables_of(shift: Shift) -> dict[str, str]:
    """File's name → path from the site's root."""
    return {name: f"data/{_folder(shift)}/{shift.pair.context}/{name}" for name in ("depths.csv", "words.csv")}


def files(report: Report) -> dict[str, str]:
    """Path from the site's root → text."""
    made = ((path, csv_of(each, name)) for each in shifts(report) for name, path in tables_of(each).items())
    return dict(made)


def csv_of(shift: Shift, name: str) -> str:
    """One of these files."""
    return csv_text(_header(shift), _rows(shift)) if name == "depths.csv" else csv_text(_WORDS, _word_rows(shift))


def _header(shift: Shift) -> list[str]:
    bands = [f"{measure}{part}" for measure in _measures(shift) for part in ("_change", "_low", "_high", "_announced")]
    shares = [f"{side}_{axis}_share" for side in ("before", "after") for axis in ("pc1", "pc2")]
    return ["depth", "layer", "identical", *bands, "cka", "neighbors_kept", "centered", *shares]


def _measures(shift: Shift) -> tuple[str, ...]:
    return tuple(MEASURES) if shift.pair.paired else ()


def _rows(shift: Shift) -> Iterator[list[Any]]:
    changed = shift.changed
    bands = {each: shift.band(each, by_category=False)[:, 0] for each in _measures(shift)}
    holds = {each: getattr(shift.pair.paired, each).overall.holds[0] for each in bands}
    for depth in range(shift.n_depths):
        row: list[Any] = [depth, depth_name(depth), changed.is_same[depth]]
        for name, (low, value, high) in bands.items():
            row += [value[depth], low[depth], high[depth], holds[name][depth]]
        row += [changed.cka[depth], changed.neighbours[depth], changed.is_centered[depth]]
        for each in (changed.before, changed.after):
            row += each.explained_variance_ratio[depth].tolist()
        yield row


_WORDS = ("depth", "layer", "word", "text_safe", "neighbors_lost", "neighbors", "score", "announced")


def _word_rows(shift: Shift) -> Iterator[list[Any]]:
    changed, words = shift.changed, shift.report.words.of(shift.contexts[0].states.tokenization).words
    lost, score = changed.lost, changed.score
    for depth in range(shift.n_depths):
        for row, word in enumerate(words):
            yield [
                *(depth, depth_name(depth), word, spreadsheet_safe(word)),
                *(None if lost[depth, row] < 0 else lost[depth, row], changed.moved.k),
                *(score[depth, row], shift.movers[depth, row]),
            ]
