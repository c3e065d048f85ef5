"""The compare page's table of captures: what was measured, and what stands against comparing it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tokviz.pages.charts.measure import Measure
from tokviz.pages.charts.measures import MEASURES, lens_measures, related_measures
from tokviz.pages.frame.frame import model_path, relative
from tokviz.pages.frame.pictures import slide_id
from tokviz.pages.model.lens_data import has_lens
from tokviz.pages.text.extent import end_name, is_partial
from tokviz.pages.text.findings import finding_of
from tokviz.pages.text.parts import Link
from tokviz.pages.text.without_training import best_layer
from tokviz.pages.text.wording import NBSP, NUMBERS, UNKNOWN, count, number, percent, ranged, score, whole_percent
from tokviz.records import (
    ContextReport,
    Geometry,
    Lens,
    MassiveActivations,
    ModelReport,
    Report,
    Tested,
    depth_name,
)
from tokviz.text import isolated


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A value of the table, and what captures are sorted by."""

    text: str
    note: str
    """A second line, small: an interval, a layer."""
    sort: str
    """Empty when unknown, which comes last."""


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """One model × context: a column of the table."""

    model: Link
    context: str
    cells: tuple[Cell, ...]
    """One per metric."""
    caveats: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A row of the table."""

    label: str
    cells: tuple[Cell, ...]
    """One per capture."""
    is_order: bool
    """Whether the captures are sorted by it, the greatest first."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """All of it."""

    captures: tuple[Ranked, ...]
    """A column each."""
    metrics: tuple[Metric, ...]
    """The same by rows."""
    notes: tuple[str, ...]


def table(report: Report, page: str) -> Table:
    """What was measured of each capture."""
    ranked = _ranked(report, page)
    return Table(captures=ranked, metrics=metrics(report, ranked), notes=table_notes(report))


def labels(report: Report) -> tuple[str, ...]:
    """Of the metrics; relations and orders have one each."""
    return tuple(label.format(last=end_name(report)) for each in _rows(report) for label in each.labels)


@dataclass(frozen=True)
class _Rows:
    """Some of the table: what they are called, and how their cells are made of a capture."""

    labels: tuple[str, ...]
    cells: Callable[[ModelReport, ContextReport], tuple[Cell, ...]]


def _rows(report: Report) -> Iterator[_Rows]:
    """Those of the measures that have some, and what only this table has."""
    yield from _of_measures(MEASURES)
    if any(context.untrained for model in report.models for context in model.contexts):
        yield _Rows(("Purity with all weights random", "Purity with random layers"), _of_controls)
    yield _Rows(("Massive activations written by", "Norm left with them at zero"), _written)
    yield from _of_measures(related_measures(report.relations, report.orders))
    if _has_lens(report):
        yield from _of_measures(lens_measures(()))
    yield _Rows(("Reference words",), _reference_words)


def _of_measures(measures: Sequence[Measure]) -> Iterator[_Rows]:
    return (_Rows(each.rows, partial(_cells, each)) for each in measures if each.rows)


def _has_lens(report: Report) -> bool:
    return any(has_lens(context) for model in report.models for context in model.contexts)


def _ranked(report: Report, page: str) -> tuple[Ranked, ...]:
    """The captures, best category purity first; those without measures come last. In the report's order where nothing is to be ranked."""
    captures = [(model, context) for model in report.models for context in model.contexts]
    ranked = sorted(captures, key=lambda capture: -_best(capture[1].geometry)) if is_ranked(report) else captures
    rows = tuple(_rows(report))
    return tuple(
        Ranked(
            model=Link(text=model.display_name, href=relative(page, _best_slide(model, context))),
            context=context.states.context.label,
            cells=tuple(cell for each in rows for cell in each.cells(model, context)),
            caveats=_caveats(context),
        )
        for model, context in ranked
    )


def is_ranked(report: Report) -> bool:
    """Whether category purity is shown to be above chance in any capture: an order of what is by chance says nothing."""
    measured = (context.geometry for model in report.models for context in model.contexts)
    return any(bool(each.purity.above_chance.holds.any()) for each in measured if each is not None)


def metrics(report: Report, ranked: Sequence[Ranked]) -> tuple[Metric, ...]:
    """The table by rows."""
    rows = zip(*(each.cells for each in ranked), strict=True)
    return tuple(
        Metric(label=label, cells=cells, is_order=index == 0 and is_ranked(report))
        for index, (label, cells) in enumerate(zip(labels(report), rows, strict=True))
    )


_CLAIMED = "“Claimed at 3 of 31 depths”: that many depths pass the test that the method page describes."


def table_notes(report: Report) -> tuple[str, ...]:
    """What the metrics are, as far as the report has them."""
    counts = sorted(
        {context.geometry.n_neighbours for model in report.models for context in model.contexts if context.geometry}
    )
    if not counts:
        return ("This report has no metrics; the table lists what was captured.",)
    # Of fewer words that can be measured, fewer neighbors count, and chance is higher.
    several = f" (from {counts[0]} to {counts[-1]}, by how many words are measured: don’t compare their shares)"
    of_which = count(counts[0], "nearest neighbor") if len(counts) == 1 else f"nearest neighbors{several}"
    what = f"of a word’s {of_which}, the share that is of its category; mean over the reference words"
    if counts == [1]:
        what = "the share of the reference words whose nearest neighbor is of their category"
    purity = f"Category purity: {what}, with its 95\N{NO-BREAK SPACE}% interval. “In the plot”: the same in the first projection’s two dimensions."
    related = (
        (
            "Parallelism: of the depth where it is furthest above chance. R²: of the depth where it is largest. "
            + _CLAIMED,
        )
        if report.relations or report.orders
        else ()
    )
    lens = (
        (
            "Category named: the share of words whose category’s name the lens reads first, of the depth where that is furthest above "
            "chance, among those where the two halves of its text agree." + (f" {_CLAIMED}" if not related else ""),
        )
        if _has_lens(report)
        else ()
    )
    picked = (
        "The best depth is picked out of many, which favors the deeper model a little; the mean over depths does not."
    )
    by_chance = (
        "Category purity is not shown to be above chance in any model, so the columns are in the report’s order and nothing "
        "follows from small differences between them."
    )
    return (
        purity,
        picked if is_ranked(report) else by_chance,
        *related,
        *lens,
    )


def _best(geometry: Geometry | None) -> float:
    depth = _peak(geometry.purity.value) if geometry else None
    return -math.inf if geometry is None or depth is None else float(geometry.purity.value[depth])


def _peak(values: np.ndarray) -> int | None:
    """The depth of the greatest value, the first of several."""
    return int(np.nanargmax(values)) if np.isfinite(values).any() else None


def _best_slide(model: ModelReport, context: ContextReport) -> str:
    depth = _peak(context.geometry.purity.value) if context.geometry else None
    return f"{model_path(model.slug)}#{slide_id(context.states.context.name, depth or 0)}"


# --- cells -----------------------------------------------------------------------------------------------------------


def _unknown(why: str = "not defined") -> Cell:
    return Cell(text=UNKNOWN, note=why, sort="")


def _number(value: float, text: str, note: str = "") -> Cell:
    return Cell(text=text, note=note, sort=f"{value:.6g}")


def _cells(measure: Measure, _: ModelReport, context: ContextReport) -> tuple[Cell, ...]:
    """Of a measure's rows: where nothing else is said of its kind, its value at the best depth."""
    kind = measure.key.partition(" ")[0]
    if kind == "lens":
        return (_named(context.lens),)
    geometry = context.geometry
    reading = measure.reading(context)
    if geometry is None or (reading is None and kind in ("relation", "order")):
        return tuple(_unknown("not measured") for _ in measure.rows)
    if reading and isinstance(reading.measured, Tested):
        return (_best_of(reading.measured, with_chance=kind == "relation"),)
    special = {"purity": _purity, "effective_rank": _last_rank, "ratio": _ratio}.get(kind)
    return special(measure, context, geometry) if special else (_at_best(measure, context),)


def _at_best(measure: Measure, context: ContextReport, *, with_interval: bool = False) -> Cell:
    reading = measure.reading(context)
    depth = _peak(reading.values) if reading else None
    if reading is None or depth is None:
        return _unknown()
    value, note = float(reading.values[depth]), depth_name(depth)
    if with_interval and reading.interval and np.isfinite(reading.interval[0][depth]):
        note = f"{ranged(np.array([end[depth] for end in reading.interval]), measure.write)}, {note}"
    return _number(value, measure.write(value), note)


def _purity(measure: Measure, context: ContextReport, geometry: Geometry) -> tuple[Cell, Cell]:
    """At the best depth, and the mean over depths."""
    best, values, chance = (
        _at_best(measure, context, with_interval=True),
        geometry.purity.value,
        geometry.purity.null_mean,
    )
    if not np.isfinite(values).any():
        return best, _unknown()
    average, note = float(np.nanmean(values)), ""
    if np.isfinite(chance).any():
        note = f"chance {score(float(np.nanmean(chance)))}"
    return best, _number(average, score(average), note)


def _last_rank(_: Measure, context: ContextReport, geometry: Geometry) -> tuple[Cell]:
    rank = float(geometry.spread.effective_rank[context.states.n_depths - 1])
    share = f"of {count(geometry.n_measured, 'word')}"
    return (_number(rank, number(rank), share) if np.isfinite(rank) else _unknown(),)


def _of_controls(_: ModelReport, context: ContextReport) -> tuple[Cell, Cell]:
    """Where the model itself is best after a layer: with all weights random; with random layers, the median over seeds."""
    untrained, geometry = context.untrained, context.geometry
    if untrained is None or geometry is None:
        return _unknown("not captured"), _unknown("not captured")
    random, layers, depth = _unknown(), _unknown(), best_layer(geometry.purity.value)
    if depth is None:
        return random, layers
    if untrained.random is not None and np.isfinite(value := float(untrained.random.purity[depth])):
        random = _number(value, score(value), f"one draw, {depth_name(depth)}")
    seeds = np.array([each.purity[depth] for each in untrained.own_embedding])
    if len(seeds) and np.isfinite(seeds).all():
        middle = float(np.median(seeds))
        layers = _number(
            middle, score(middle), f"{ranged(seeds, score)} in {count(len(seeds), 'seed')}, {depth_name(depth)}"
        )
    return random, layers


def _best_of(tested: Tested, *, with_chance: bool) -> Cell:
    """The best value, against chance if that isn't 0, and at how many depths it is shown to hold."""
    holds = tested.claim.holds
    depth = _peak(tested.value - tested.null_mean if with_chance else tested.value)
    if depth is None:
        return _unknown()
    chance = f", chance {score(tested.null_mean[depth])}" if with_chance else ""
    # Of a relation more is claimed than that its differences are parallel.
    shown = "above chance" if with_chance else "claimed"
    note = f"{depth_name(depth)}{chance}; {shown} at {int(holds.sum())} of {count(len(holds), 'depth')}"
    return _number(float(tested.value[depth]), score(tested.value[depth]), note)


def _named(lens: Lens | None) -> Cell:
    """The share of words whose category is named, where that is furthest above chance; only where the lens is firm."""
    measure = lens.named if lens else None
    if measure is None:
        return _unknown(f"no lens: {lens.reason}" if lens and lens.reason else "not read")
    above = np.where(measure.is_firm, measure.value - measure.null_mean, np.nan)
    depth = _peak(above)
    if depth is None:
        return _unknown("the halves of the text disagree")
    holds = measure.holds
    note = f"{depth_name(depth)}, chance {whole_percent(measure.null_mean[depth])}; claimed at {int(holds.sum())} of {count(len(holds), 'depth')}"
    return _number(float(measure.value[depth]), whole_percent(measure.value[depth]), note)


def _ratio(_: Measure, context: ContextReport, geometry: Geometry) -> tuple[Cell, Cell]:
    massive = geometry.massive
    depth, emergence = _peak(massive.ratio), _emergence(context, massive)
    if depth is None:
        return _unknown(), emergence
    against = "" if massive.typical_is_ordinary else ", relative to the words’ own median"
    note = f"|x|{NBSP}{number(massive.largest[depth])}, {depth_name(depth)}{against}"
    return _number(float(massive.ratio[depth]), f"{number(massive.ratio[depth])}{NBSP}×", note), emergence


def _emergence(context: ContextReport, massive: MassiveActivations) -> Cell:
    """Of massive activations; and how often a dimension is dominant, which it may be without being massive."""
    dominant = [depth for depth, dimension in enumerate(massive.dominant) if dimension is not None]
    often = f"a dominant dimension at {len(dominant)} of {count(len(massive.dominant), 'depth')}"
    if massive.emergence_depth is None:
        share = f", {ranged(massive.top_share[dominant], whole_percent)} of Σ{NBSP}x²" if dominant else ""
        so_far = [f"up to {depth_name(context.states.n_depths - 1)}"] if is_partial(context) else []
        return Cell(text="none", note="; ".join([*so_far, *([f"{often}{share}"] if dominant else [])]), sort="")
    last = len(massive.massive) - 1 if massive.end_depth is None else massive.end_depth - 1
    note = f"to {depth_name(last)}" if last > massive.emergence_depth else "only there"
    note += f"; {often}" if dominant else ""
    return Cell(text=depth_name(massive.emergence_depth), note=note, sort=f"{massive.emergence_depth}")


def _written(model: ModelReport, context: ContextReport) -> tuple[Cell, Cell]:
    """Who writes the massive values, and what of the norm is left without them."""
    emerges = context.geometry is not None and context.geometry.massive.emergence_depth is not None
    found = finding_of(model) if emerges else None
    if found is None or found.context != context.states.context:
        return _unknown(""), _unknown("")
    note = f"{percent(found.share)} of dimension {found.dimension}, layer {found.layer}"
    if found.n_neurons is None:
        return _number(1, f"expert {found.expert} of {found.n_experts}", note), _unknown("not tried")
    n_named = len(found.neurons)
    writers = _number(n_named, f"{NUMBERS[n_named]} of {count(found.n_neurons, 'neuron')}", note)
    if not math.isfinite(found.without):
        return writers, _unknown("not tried")
    left = found.without / found.after
    return writers, _number(left, percent(left), f"{number(found.without)} of {number(found.after)}")


def _reference_words(_: ModelReport, context: ContextReport) -> tuple[Cell]:
    geometry = context.geometry
    n = geometry.n_reference if geometry else int(context.states.tokenization.reference.sum())
    return (Cell(text=f"{n:,}", note="", sort=f"{n}"),)


# --- what stands against a comparison ------------------------------------------------------------------------------


def _caveats(context: ContextReport) -> tuple[str, ...]:
    state = context.states
    card, tokens = state.card, state.tokenization
    several = int((tokens.n_tokens > 1).sum())
    outside = int((~tokens.reference).sum())
    caveats = [f"{card.width:,} dimensions{f', {card.tokenizer}' if tokens.is_known else ''}"]
    if several:
        caveats.append(f"{count(several, 'word')} of several tokens")
    if outside:
        caveats.append(f"{count(outside, 'word')} outside the reference words")
    special = _special_tokens(context)
    if special:
        caveats.append(special)
    if not tokens.positions[tokens.reference].any():
        caveats.append("words are read at position 0, where many models build an attention sink")
    if card.quantization:
        caveats.append(f"quantized weights ({card.quantization})")
    if context.geometry and not context.geometry.massive.typical_is_ordinary:
        caveats.append("no context with typical tokens to compare large values with")
    return tuple(caveats)


def _special_tokens(context: ContextReport) -> str | None:
    """What the tokenizer adds: special pieces at the ends of the first word's sequence that its text doesn't hold."""
    word = context.states.tokenization.words[0]
    edges = (*(word.pieces[:1] if word.start > 0 else ()), *(word.pieces[-1:] if word.stop < len(word.pieces) else ()))
    added = [each for each in edges if _is_special(each) and word.pieces.count(each) > word.text.count(each)]
    return f"adds {' and '.join(map(isolated, dict.fromkeys(added)))}" if added else None


def _is_special(piece: str) -> bool:
    """``[CLS]``, ``<s>``, ``<|begin_of_text|>``; not ``<unk>`` and ``<0xE6>``, which stand for characters of the text."""
    is_of_text = piece[1:-1].lower() == "unk" or piece.startswith("<0x")
    return len(piece) > 2 and (piece[0], piece[-1]) in {("[", "]"), ("<", ">")} and not is_of_text
