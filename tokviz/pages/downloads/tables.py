"""Records → CSV and JSON for readers who want the numbers, and scripts for the explorer."""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tokviz.pages.downloads import report_json
from tokviz.pages.downloads.lens_table import lens_csv
from tokviz.pages.downloads.template_table import templates_csv
from tokviz.pages.explore.explore_data import scripts
from tokviz.pages.frame.frame import data_path
from tokviz.pages.model import lens_data, profile_tables, related_data, word_map
from tokviz.pages.series import series_data
from tokviz.pages.text import data_text
from tokviz.pages.text.data_text import csv_fields, csv_numbers, csv_text, rounded, spreadsheet_safe
from tokviz.records import (
    SINK_WEIGHT,
    AddedMeasure,
    AttentionToFirst,
    CategoryMeasure,
    Change,
    Claim,
    ContextReport,
    Geometry,
    HiddenStates,
    MassiveActivations,
    ModelReport,
    Order,
    OrderMeasures,
    Relation,
    RelationMeasures,
    Relations,
    Report,
    SublayerUpdate,
    Tested,
    Updates,
    WordList,
    WordScores,
    depth_name,
)

_WITHOUT_PREFIX = ("spread", "massive")
"""Records whose measures have a column under their bare name."""
_CLAIMS = {"above_chance": "", "above_surface": "surface_"}
"""What comes before the columns of a claim."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a report asks of all its captures; the words as a capture has them."""

    words: WordList
    relations: Sequence[Relation]
    orders: Sequence[Order]


@dataclass(frozen=True)
class CaptureTable:
    """One that a capture may have."""

    name: str
    """Of its file, without the ending."""
    of: Callable[[ContextReport], Any]
    """What it shows of a capture; empty where there is nothing to show."""
    csv: Callable[[Any, ContextReport, Asked], str]
    differs: bool = True
    """Whether it is another one with neurons set to a value; else sites have it of the model as it is only."""


TABLES = (
    CaptureTable("coordinates", lambda of: of, lambda _, of, asked: coordinates_csv(of, asked.words)),
    CaptureTable("geometry", lambda of: of.geometry, lambda found, of, _: geometry_csv(of.states, found, of.added)),
    CaptureTable(
        "words_by_layer",
        lambda of: of.same_category,
        lambda found, _, asked: words_by_layer_csv(found, asked.words),
    ),
    CaptureTable(
        "relations",
        lambda of: of.relations,
        lambda found, _, asked: relations_csv(asked.relations, asked.orders, found),
    ),
    CaptureTable(
        "templates",
        lambda of: of.has_templates,
        lambda _, of, asked: templates_csv(of, asked.relations, asked.orders),
    ),
    CaptureTable(
        "lens",
        lambda of: of.lens if lens_data.has_lens(of) else None,
        lambda found, _, asked: lens_csv(found, asked.relations),
    ),
    CaptureTable("tokens", lambda of: of.states.tokenization.is_known, lambda _, of, __: tokens_csv(of), differs=False),
    CaptureTable("updates", lambda of: of.states.updates, lambda found, *_: updates_csv(found)),
    CaptureTable("writers", lambda of: of.states.updates, lambda found, *_: writers_csv(found)),
    CaptureTable("attention", lambda of: of.states.attention, lambda found, *_: attention_csv(found)),
    CaptureTable("loss", lambda of: of.loss and of.loss.changes, lambda _, of, __: loss_csv(of)),
)


def files(report: Report) -> dict[str, str]:
    """Path from the site's root → text, for every file under ``data/``."""
    written = {
        "data/report.json": report_json.text(report),
        **scripts(report),
        **series_data.files(report),
        **profile_tables.files(report),
    }
    written |= word_map.files(report) | lens_data.files(report)
    for model, context in _captured(report.models):
        words = report.words.of(context.states.tokenization)
        asked = Asked(words=words, relations=report.relations, orders=report.orders)
        for table in _tables(context):
            written[_path(model, context, table)] = table.csv(table.of(context), context, asked)
        written |= related_data.files(report, model, context)
    return written


def downloads(models: Sequence[ModelReport]) -> dict[str, str]:
    """``SLUG/CONTEXT/coordinates.csv`` → path from the site's root."""
    paths = [_path(model, context, table) for model, context in _captured(models) for table in _tables(context)]
    return {path.removeprefix("data/"): path for path in paths}


def _path(model: ModelReport, context: ContextReport, table: CaptureTable) -> str:
    return data_path(model.slug, context.states.context.name, f"{table.name}.csv")


def _tables(context: ContextReport) -> list[CaptureTable]:
    """Those that a site has of a capture."""
    return [table for table in TABLES if table.of(context) and (table.differs or context.rule is None)]


def coordinates_csv(context: ContextReport, words: WordList) -> str:
    """A row per depth and word: coordinates in the depth's own basis and in the embedding's, to 6 digits.

    The depths' modules stand in ``geometry_csv``: here each would be repeated for every word.
    ``word`` is as in the configuration, ``text_safe`` the same for spreadsheets, here and in ``tokens_csv``.
    """
    states = context.states
    projections = [entry.projection for entry in context.projections]
    header = ["depth", "layer", "word", "text_safe", "categories", "reference"]
    for projection in projections:
        header += [f"{projection.name}_{column}" for column in ("pc1", "pc2", "embedding_pc1", "embedding_pc2")]
    nothing = np.empty((states.n_depths, len(words.words), 0))
    arrays = [array for each in projections for array in (each.coordinates, each.grid_coordinates)]
    values = np.concatenate([nothing, *arrays], axis=2)
    facts = [
        csv_fields([word, spreadsheet_safe(word), _category_keys(words, row), int(states.tokenization.reference[row])])
        for row, word in enumerate(words.words)
    ]
    lines = [csv_text(header, ())]
    for depth in range(states.n_depths):
        of_depth = csv_fields([depth, depth_name(depth)])
        lines += [
            f"{of_depth}{of_word}{of_row}" for of_word, of_row in zip(facts, csv_numbers(values[depth]), strict=True)
        ]
    return "".join(lines)


def tokens_csv(context: ContextReport) -> str:
    """A row per word: its text, tokens and the position that is read."""
    tokenization = context.states.tokenization
    return csv_text(
        ["word", "text_safe", "text", "n_tokens", "position", "word_pieces", "pieces", "ids"],
        (
            [
                word.word,
                spreadsheet_safe(word.word),
                word.text,
                word.n_tokens,
                tokenization.position(row),
                data_text.spaced(word.word_pieces),
                data_text.spaced(word.pieces),
                data_text.spaced(word.ids),
            ]
            for row, word in enumerate(tokenization.words)
        ),
    )


def words_by_layer_csv(scores: WordScores, words: WordList) -> str:
    """A row per word with a category, a column per depth: how many of its ``nearest`` words share a category with it."""
    depths = [depth_name(depth) for depth in range(len(scores.values))]
    return csv_text(
        ["word", "text_safe", "categories", "nearest", *depths],
        (
            [word, spreadsheet_safe(word), _category_keys(words, row), scores.most]
            + [None if value == scores.UNKNOWN else int(value) for value in scores.values[:, row]]
            for row, word in enumerate(words.words)
            if words.memberships[row]
        ),
    )


def geometry_csv(states: HiddenStates, geometry: Geometry, added: Sequence[AddedMeasure] = ()) -> str:
    """A row per depth, a column per measure; dimensions, words and the like are separated by spaces."""
    columns: dict[str, Iterable[Any]] = {
        "depth": range(states.n_depths),
        "layer": map(depth_name, range(states.n_depths)),
        "module": states.module_paths,
        "stage": _stage_numbers(geometry, states.n_depths),
        **dict(_columns(geometry, [word.word for word in states.tokenization.words])),
        **{f"added_{each.column}": each.value for each in added},
        **{f"added_{each.column}_chance": each.chance for each in added if each.chance is not None},
    }
    return csv_text(list(columns), ([_plain(value) for value in row] for row in zip(*columns.values(), strict=True)))


def relations_csv(relations: Sequence[Relation], orders: Sequence[Order], measured: Relations) -> str:
    """A row per relation or order and depth; of an order ``value`` is its R², of a relation its parallelism."""
    found = [
        *(
            ("relation", each.name, len(own.rows), _tested(own.parallelism) | _relation(own))
            for each, own in zip(relations, measured.relations, strict=True)
        ),
        *(
            ("order", each.name, len(own.rows), _tested(own.r2) | _order(own))
            for each, own in zip(orders, measured.orders, strict=True)
        ),
    ]
    rows = (
        [kind, name, spreadsheet_safe(name), depth, depth_name(depth), n]
        + [_plain(columns[column][depth]) if column in columns else None for column in _RELATED]
        for kind, name, n, columns in found
        for depth in range(len(columns["value"]))
    )
    return csv_text(["kind", "name", "name_safe", "depth", "layer", "n", *_RELATED], rows)


_OF_TESTED = ("value", "low", "high", "null_mean", "p_value", "announced")
_OF_TEMPLATES = ("lowest_template", "highest_template")
_OF_RELATION = ("hits", "hits_of_source", "gain", "gain_p_value", "gain_announced", "relation_announced")
_OF_ORDER = ("closeness", "ends_meet_p_value", "ends_meet_announced", "circle_p_value", "circle_announced")
_RELATED = (*_OF_TESTED, *_OF_TEMPLATES, *_OF_RELATION, *_OF_ORDER)


def _tested(tested: Tested) -> dict[str, np.ndarray]:
    of_claim = (tested.claim.p_value, tested.claim.holds)
    found = dict(zip(_OF_TESTED, (tested.value, tested.low, tested.high, tested.null_mean, *of_claim), strict=True))
    if tested.templates is not None:
        found |= dict(zip(_OF_TEMPLATES, (tested.templates.min(axis=0), tested.templates.max(axis=0)), strict=True))
    return found


def _relation(found: RelationMeasures) -> dict[str, np.ndarray]:
    of_offset = (found.offset.p_value, found.offset.holds)
    columns = (found.hits, found.hits_of_source, found.gain, *of_offset, found.holds)
    return dict(zip(_OF_RELATION, columns, strict=True))


def _order(found: OrderMeasures) -> dict[str, np.ndarray]:
    """Nothing of an order that isn't cyclic."""
    if found.closing is None:
        return {}
    ends_meet = (found.closing.ends_meet.p_value, found.ends_meet)
    circle = (found.closing.circle.p_value, found.is_circle)
    return dict(zip(_OF_ORDER, (found.closing.closeness, *ends_meet, *circle), strict=True))


def updates_csv(updates: Updates) -> str:
    """A row per layer and sublayer; means over the words that were run, at the token that is read and at position 0."""
    header = ["layer", "module", "kind", "norm", "norm_at_0", "cosine", "cosine_at_0"]
    return csv_text(
        [*header, "stream_norm", "stream_norm_at_0", "sum_error", "marked"],
        (
            [
                number,
                each.path,
                each.kind,
                *map(rounded, (each.norm, each.norm_at_0, each.cosine, each.cosine_at_0)),
                *map(rounded, (layer.stream_norm, layer.stream_norm_at_0, layer.sum_error)),
                int(layer.marked),
            ]
            for number, layer in enumerate(updates.layers)
            for each in layer.sublayers
        ),
    )


def attention_csv(attention: Sequence[AttentionToFirst]) -> str:
    """A row per template and layer: the weight for position 0, mean over heads and words, and the share of heads with a large one."""
    return csv_text(
        ["template", "template_safe", "layer", "weight", f"heads_above_{SINK_WEIGHT}", "words"],
        (
            [each.template, spreadsheet_safe(each.template), layer, rounded(mean), rounded(share), len(each.words)]
            for each in attention
            for layer, (mean, share) in enumerate(zip(each.mean, each.share, strict=True))
        ),
    )


def loss_csv(context: ContextReport) -> str:
    """A row for the model as it is and for each change of its neurons: the next-token loss, nats per token, means over passages.

    ``change`` and its standard error are against the model as it is, on the same passages.
    """
    loss, done = context.loss, context.intervened("off")
    if loss is None or loss.intact is None:
        return ""
    layer = done.states.intervention.layer if done and done.states.intervention else None
    size = [loss.n_passages, loss.n_tokens]
    changed = (
        [
            *(each.rule, layer, data_text.spaced(each.neurons)),
            *map(rounded, (loss.intact + each.difference, each.difference, each.standard_error)),
            *size,
        ]
        for each in loss.changes
    )
    header = ["intervention", "layer", "neurons", "loss", "change", "standard_error", "passages", "tokens"]
    return csv_text(header, [["unchanged", None, None, rounded(loss.intact), None, None, *size], *changed])


def writers_csv(updates: Updates) -> str:
    """A row per marked layer, dimension and writer; shares are of what its sublayer adds there.

    Of neurons and experts the largest contributions come first, and activations are means; of attention there are all heads.
    """
    rows = (
        [number, kind, path, layer.dimensions[place], *map(_plain, values)]
        for number, layer in enumerate(updates.layers)
        for each in layer.sublayers
        for place in range(len(layer.dimensions))
        for kind, path, found in _written(each, place)
        for values in _with_shares(found, each.parts[place])
    )
    header = ["layer", "writer", "module", "dimension", "index", "contribution", "share", "cumulative_share"]
    return csv_text([*header, "activation"], rows)


_Written = list[tuple[int, float, float]]
"""Index, contribution, activation (NaN where there is none)."""


def _written(sublayer: SublayerUpdate, place: int) -> Iterable[tuple[str, str, _Written]]:
    """Who writes a sublayer's part of a dimension: what they are, in which module."""
    neurons, experts, heads = sublayer.neurons, sublayer.experts, sublayer.heads
    if neurons is not None:
        activations = neurons.activations[place]
        found = zip(neurons.indices[place], neurons.contributions[place], activations, strict=True)
        yield "neuron", neurons.path, list(found)
    if experts is not None:
        pairs = zip(experts.indices[place], experts.contributions[place], strict=True)
        yield "expert", experts.path, [(index, value, math.nan) for index, value in pairs]
    if heads is not None:
        yield "head", heads.path, [(index, value, math.nan) for index, value in enumerate(heads.contributions[place])]


def _with_shares(written: _Written, part: float) -> Iterable[tuple[int, float, float, float, float]]:
    """With the share of the sublayer's part, and the shares so far, before the activation."""
    so_far = 0.0
    for index, value, activation in written:
        share = value / part if part else math.nan
        so_far += share
        yield index, value, share, so_far, activation


def _columns(record: Any, words: Sequence[str], prefix: str = "") -> Iterable[tuple[str, Iterable[Any]]]:
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
                yield f"{own}lowest_template", value.min(axis=0)
                yield f"{own}highest_template", value.max(axis=0)
        elif isinstance(value, Claim):
            yield from _of_claim(value, f"{prefix}{_CLAIMS[field.name]}")
        elif dataclasses.is_dataclass(value):
            own = "" if field.name in _WITHOUT_PREFIX else f"{field.name}_"
            yield from _columns(value, words, f"{prefix}{own}")
        elif field.name == "pictures":
            for picture in value:
                yield from _columns(picture, words, f"{prefix}{picture.projection}_")
    yield from _derived(record, words, prefix)


def _of_claim(claim: Claim, prefix: str) -> Iterable[tuple[str, Iterable[Any]]]:
    yield f"{prefix}p_value", claim.p_value
    yield f"{prefix}announced", claim.holds


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


def _stage_numbers(geometry: Geometry, n_depths: int) -> list[int]:
    """Per depth the number of its stage, from 1."""
    starts = [stage.first_depth for stage in geometry.stages]
    return [bisect.bisect_right(starts, depth) for depth in range(n_depths)]


def _plain(value: Any) -> Any:
    if isinstance(value, np.bool_):
        return int(value)
    return rounded(float(value)) if isinstance(value, float | np.floating) else value


def _captured(models: Sequence[ModelReport]) -> Iterable[tuple[ModelReport, ContextReport]]:
    return ((model, context) for model in models for context in model.captures)


def _category_keys(words: WordList, row: int) -> str:
    return " ".join(words.categories[index].key for index in words.memberships[row])
