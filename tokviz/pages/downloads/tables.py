"""Records → CSV and JSON for readers who want the numbers; and all that a site has in ``data/``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, count, repeat
from typing import Any

import numpy as np

from tokviz.pages.change import change_data
from tokviz.pages.downloads import plots_notebook, report_json, word_by_word
from tokviz.pages.downloads.measured import geometry_csv, lens_csv, relations_csv, templates_csv
from tokviz.pages.explore.explore_data import scripts
from tokviz.pages.frame.frame import data_path
from tokviz.pages.model import lens, profile_tables, related, word_map
from tokviz.pages.series import series_data
from tokviz.pages.text.data_text import csv_fields, csv_numbers, csv_text, spaced, spreadsheet_safe
from tokviz.records import (
    SINK_WEIGHT,
    AttentionToFirst,
    ContextReport,
    ModelReport,
    Order,
    Relation,
    Report,
    SublayerUpdate,
    Updates,
    WordList,
    WordScores,
    depth_name,
)


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
        "words_by_layer", lambda of: of.same_category, lambda found, _, of: words_by_layer_csv(found, of.words)
    ),
    CaptureTable(
        "relations", lambda of: of.relations, lambda found, _, of: relations_csv(of.relations, of.orders, found)
    ),
    CaptureTable(
        "word_by_word", lambda of: of.paired, lambda found, _, of: word_by_word.of_capture(found, of.words.categories)
    ),
    CaptureTable(
        "templates", lambda of: of.has_templates, lambda _, of, asked: templates_csv(of, asked.relations, asked.orders)
    ),
    CaptureTable(
        "lens", lambda of: of.lens if lens.has_lens(of) else None, lambda found, _, of: lens_csv(found, of.relations)
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
        **plots_notebook.files(report),
        **scripts(report),
        **series_data.files(report),
        **profile_tables.files(report),
        **word_by_word.files(report),
        **change_data.files(report),
    }
    written |= word_map.files(report) | lens.files(report)
    for model, context in _captured(report.models):
        words = report.words.of(context.states.tokenization)
        asked = Asked(words=words, relations=report.relations, orders=report.orders)
        for table in _tables(context):
            written[_path(model, context, table)] = table.csv(table.of(context), context, asked)
        written |= related.files(report, model, context)
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
    rows = (
        (
            *(each.word, spreadsheet_safe(each.word), each.text, each.n_tokens, tokenization.position(row)),
            *map(spaced, (each.word_pieces, each.pieces, each.ids)),
        )
        for row, each in enumerate(tokenization.words)
    )
    return csv_text(["word", "text_safe", "text", "n_tokens", "position", "word_pieces", "pieces", "ids"], rows)


def words_by_layer_csv(scores: WordScores, words: WordList) -> str:
    """A row per word with a category, a column per depth: how many of its ``nearest`` words share a category with it."""
    depths = [depth_name(depth) for depth in range(len(scores.values))]
    return csv_text(
        ["word", "text_safe", "categories", "nearest", *depths],
        (
            [word, spreadsheet_safe(word), _category_keys(words, row), scores.most]
            + [None if value == scores.UNKNOWN else value for value in scores.values[:, row]]
            for row, word in enumerate(words.words)
            if words.memberships[row]
        ),
    )


def updates_csv(updates: Updates) -> str:
    """A row per layer and sublayer; means over the words that were run, at the token that is read and at position 0."""
    header = ["layer", "module", "kind", "norm", "norm_at_0", "cosine", "cosine_at_0"]
    rows = (
        (
            *(number, each.path, each.kind, each.norm, each.norm_at_0, each.cosine, each.cosine_at_0),
            *(layer.stream_norm, layer.stream_norm_at_0, layer.sum_error, layer.marked),
        )
        for number, layer in enumerate(updates.layers)
        for each in layer.sublayers
    )
    return csv_text([*header, "stream_norm", "stream_norm_at_0", "sum_error", "marked"], rows)


def attention_csv(attention: Sequence[AttentionToFirst]) -> str:
    """A row per template that was measured, and layer: the weight for position 0, mean over heads and words, and the share of heads with a large one."""
    return csv_text(
        ["template", "template_safe", "layer", "weight", f"heads_above_{SINK_WEIGHT}", "words"],
        (
            (each.template, spreadsheet_safe(each.template), layer, mean, share, len(each.words))
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
    rows: list[tuple[Any, ...]] = [("unchanged", None, None, loss.intact, None, None)]
    rows += [
        (each.rule, layer, spaced(each.neurons), loss.intact + each.difference, each.difference, each.standard_error)
        for each in loss.changes
    ]
    header = ["intervention", "layer", "neurons", "loss", "change", "standard_error", "passages", "tokens"]
    return csv_text(header, ((*row, loss.n_passages, loss.n_tokens) for row in rows))


def writers_csv(updates: Updates) -> str:
    """A row per marked layer, dimension and writer; shares are of what its sublayer adds there.

    Of neurons and experts the largest contributions come first, and activations are means; of attention there are all heads.
    """
    rows = (
        (number, kind, path, dimension, *values)
        for number, layer in enumerate(updates.layers)
        for each in layer.sublayers
        for place, dimension in enumerate(layer.dimensions)
        for kind, path, *values in _written(each, place)
    )
    header = ["layer", "writer", "module", "dimension", "index", "contribution", "share", "cumulative_share"]
    return csv_text([*header, "activation"], rows)


def _written(sublayer: SublayerUpdate, place: int) -> Iterator[tuple[Any, ...]]:
    """Who writes a sublayer's part of a dimension, in which module, how much, which share, the shares so far, and the activation."""
    neurons, experts, heads, part = sublayer.neurons, sublayer.experts, sublayer.heads, sublayer.parts[place]
    found: list[tuple[str, str, Iterable[int], Sequence[float], Iterable[float | None]]] = []
    if neurons is not None:
        own = neurons.activations[place]
        found.append(("neuron", neurons.path, neurons.indices[place], neurons.contributions[place], own))
    if experts is not None:
        found.append(("expert", experts.path, experts.indices[place], experts.contributions[place], repeat(None)))
    if heads is not None:
        found.append(("head", heads.path, count(), heads.contributions[place], repeat(None)))
    for kind, path, indices, values, activations in found:
        shares = [value / part if part else math.nan for value in values]
        # Of heads there are as many as contribute.
        for each in zip(indices, values, shares, accumulate(shares), activations, strict=False):
            yield kind, path, *each


def _captured(models: Sequence[ModelReport]) -> Iterable[tuple[ModelReport, ContextReport]]:
    return ((model, context) for model in models for context in model.captures)


def _category_keys(words: WordList, row: int) -> str:
    return " ".join(words.categories[index].key for index in words.memberships[row])
