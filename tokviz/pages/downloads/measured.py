"""What is measured at every depth, as tables."""

from __future__ import annotations

import bisect
import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tokviz.pages.charts.measures import WITHIN_A_MODEL, related_measures
from tokviz.pages.text.data_text import csv_text, spreadsheet_safe
from tokviz.records import (
    AddedMeasure,
    CategoryMeasure,
    Change,
    Claim,
    ContextReport,
    Geometry,
    HiddenStates,
    Lens,
    LensMeasure,
    MassiveActivations,
    Order,
    OrderMeasures,
    Relation,
    RelationMeasures,
    Relations,
    depth_name,
)

_WITHOUT_PREFIX = ("spread", "massive", "parallelism", "r2", "closing")
"""Records whose measures have a column under their bare name."""
_CLAIMS = {
    "claim": "",
    "above_chance": "",
    "above_surface": "surface_",
    "offset": "gain_",
    "exchanged": "names_",
    "ends_meet": "ends_meet_",
    "circle": "circle_",
}
"""What comes before the columns of a claim."""


# --- one row per depth -----------------------------------------------------------------------------------------------


def geometry_csv(states: HiddenStates, geometry: Geometry, added: Sequence[AddedMeasure] = ()) -> str:
    """A row per depth, a column per measure; dimensions, words and the like are separated by spaces."""
    starts = [stage.first_depth for stage in geometry.stages]
    columns: dict[str, Iterable[Any]] = {
        "depth": range(states.n_depths),
        "layer": map(depth_name, range(states.n_depths)),
        "module": states.module_paths,
        "stage": [bisect.bisect_right(starts, depth) for depth in range(states.n_depths)],
        **dict(_columns(geometry, [word.word for word in states.tokenization.words])),
        **{f"added_{each.column}": each.value for each in added},
        **{f"added_{each.column}_chance": each.chance for each in added if each.chance is not None},
    }
    return csv_text(list(columns), zip(*columns.values(), strict=True))


def _columns(record: Any, words: Sequence[str] = (), prefix: str = "") -> Iterable[tuple[str, Iterable[Any]]]:
    """Name and values of a column for each ``(n_depths,)`` array of a record of measures, and of the records in it.

    What a depth has several of comes after its record's numbers.
    """
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if isinstance(value, np.ndarray):
            if value.ndim == 1:
                yield f"{prefix}{field.name}", value
            elif field.name.endswith("templates"):
                own = prefix if field.name == "templates" else f"{prefix}{field.name.removesuffix('_in_templates')}_"
                yield from ((f"{own}lowest_template", value.min(axis=0)), (f"{own}highest_template", value.max(axis=0)))
        elif isinstance(value, Claim):
            own = f"{prefix}{_CLAIMS[field.name]}"
            yield from ((f"{own}p_value", value.p_value), (f"{own}announced", value.holds))
        elif dataclasses.is_dataclass(value):
            own = "" if field.name in _WITHOUT_PREFIX else f"{field.name}_"
            yield from _columns(value, words, f"{prefix}{own}")
        elif field.name == "pictures":
            for picture in value:
                yield from _columns(picture, words, f"{prefix}{picture.projection}_")
    yield from _derived(record, words, prefix)


def _derived(record: Any, words: Sequence[str], prefix: str) -> Iterable[tuple[str, Iterable[Any]]]:
    """What isn't one number per depth in the record."""
    if isinstance(record, CategoryMeasure):
        yield f"{prefix}effect", record.effect
        yield f"{prefix}surface", itertools.repeat(record.surface, len(record.value))
    elif isinstance(record, MassiveActivations):
        yield f"{prefix}dimensions", (" ".join(map(str, dimensions)) for dimensions in record.dimensions)
        yield f"{prefix}dominant", record.dominant
    elif isinstance(record, Change):
        moved = [" ".join(words[row] for row in rows) for rows in record.moved]
        yield f"{prefix}moved", moved
        yield f"{prefix}moved_safe", map(spreadsheet_safe, moved)
    elif isinstance(record, RelationMeasures):
        yield "relation_announced", record.holds
    elif isinstance(record, OrderMeasures):
        if record.beyond:
            yield from (("beyond_looks", record.beyond.r2), ("beyond_announced", record.is_beyond))
        if record.closing:
            yield from (("ends_meet_announced", record.ends_meet), ("circle_announced", record.is_circle))
    elif isinstance(record, LensMeasure):
        yield from zip(("first_half", "second_half"), record.halves, strict=True)
        yield from (("firm", record.is_firm), ("logit_lens", record.logit))
        yield from (("p_value", record.p_value), ("announced", record.holds))  # with names exchanged, too


# --- one row per thing and depth -------------------------------------------------------------------------------------

_RELATED = (
    *("value", "low", "high", "null_mean", "p_value", "announced", "lowest_template", "highest_template"),
    *("hits", "hits_of_source", "gain", "gain_p_value", "gain_announced", "relation_announced"),
    *("beyond_looks", "beyond_p_value", "beyond_announced"),
    *("closeness", "ends_meet_p_value", "ends_meet_announced", "circle_p_value", "circle_announced"),
)
_READ = (
    *("value", "low", "high", "first_half", "second_half", "agreement", "firm", "null_mean", "p_value", "announced"),
    *("logit_lens", "untrained", "own_rank", "own_rank_logit_lens", "lowest_template", "highest_template"),
)


def relations_csv(relations: Sequence[Relation], orders: Sequence[Order], measured: Relations) -> str:
    """A row per relation or order and depth; of an order ``value`` is its R², of a relation its parallelism."""
    every = [("relation", each.name) for each in relations] + [("order", each.name) for each in orders]
    found: list[RelationMeasures | OrderMeasures] = [*measured.relations, *measured.orders]
    rows = [(*named, len(own.rows), dict(_columns(own))) for named, own in zip(every, found, strict=True)]
    return _by_depth(rows, _RELATED)


def lens_csv(lens: Lens, relations: Sequence[Relation]) -> str:
    """A row per depth of what was measured: categories named, the words themselves, and each relation."""
    found = [("category", "", lens.named), ("word", "", lens.own)]
    found += [("relation", each.name, own) for each, own in zip(relations, lens.relations, strict=False)]
    ranks = {"own_rank": lens.own_rank, "own_rank_logit_lens": lens.own_rank_logit}
    beside = {"category": {"untrained": lens.untrained}, "word": ranks}
    rows = [(kind, name, own.n, dict(_columns(own)) | beside.get(kind, {})) for kind, name, own in found if own]
    return _by_depth(rows, _READ)


def _by_depth(found: Iterable[tuple[str, str, int, Mapping[str, Any]]], header: Sequence[str]) -> str:
    """Kind, name, how many words or pairs it is of, and columns; a field is empty where a kind has no such column."""
    rows = (
        [kind, name, spreadsheet_safe(name), depth, depth_name(depth), n]
        + [None if columns.get(each) is None else columns[each][depth] for each in header]
        for kind, name, n, columns in found
        for depth in range(len(columns["value"]))
    )
    return csv_text(["kind", "name", "name_safe", "depth", "layer", "n", *header], rows)


def templates_csv(context: ContextReport, relations: Sequence[Relation], orders: Sequence[Order]) -> str:
    """A row per measure, template and depth; ``announced`` is what would be announced of this template alone."""
    rows: list[list[Any]] = []
    templates = context.states.context.templates
    for measure in (*WITHIN_A_MODEL, *related_measures(relations, orders)):
        reading = measure.reading(context)
        if reading is None:
            continue
        values, holds = reading.each_template, reading.template_holds
        if reading.measured:
            values = reading.measured.templates
        if values is None:
            continue
        for index, depth in np.ndindex(values.shape):
            names = [text for each in (measure.key, templates[index]) for text in (each, spreadsheet_safe(each))]
            announced = None if holds is None else holds[index, depth]
            rows.append([*names, depth, depth_name(depth), values[index, depth], announced])
    header = ["measure", "measure_safe", "template", "template_safe"]
    return csv_text([*header, "depth", "layer", "value", "announced"], rows)
