"""The compare page's table of captures: what was measured, and what stands against comparing it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tokviz.pages.charts.measures import MEASURES, lens_measures, related_measures
from tokviz.pages.charts.reading import Measure
from tokviz.pages.frame.pictures import slide_id
from tokviz.pages.model.lens import has_lens
from tokviz.pages.text.extent import end_name, is_partial
from tokviz.pages.text.findings import finding_of
from tokviz.pages.text.without_training import best_layer
from tokviz.pages.text.wording import NBSP, NUMBERS, UNKNOWN, count, number, percent, ranged, score, whole_percent
from tokviz.records import ContextReport, Geometry, Lens, MassiveActivations, ModelReport, Report, Tested, depth_name
from tokviz.records.measures import effect_of
from tokviz.text import counted, isolated


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A value of the table, and what captures are sorted by."""

    text: str
    note: str = ""
    """A second line, small: an interval, a layer."""
    sort: str = ""
    """Empty when unknown, which comes last."""


def table(report: Report) -> dict[str, Any]:
    """What the template takes: of each capture its slide, what was measured, by the names of rows, and what stands against comparing it.

    Best category purity first; those without measures come last. In the report's order where nothing is to be ranked.
    """
    captures = [(model, context) for model in report.models for context in model.contexts]
    measured = [context.geometry for _, context in captures if context.geometry]
    ranked = is_ranked(report)
    return {
        "columns": [
            (
                (model, context, slide_id(context.states.context.name, _best(context)[1])),
                {name.format(last=end_name(report)): cell for name, cell in _cells(report, model, context)},
                [*_caveats(context)],
            )
            for model, context in (sorted(captures, key=lambda each: -_best(each[1])[0]) if ranked else captures)
        ],
        "is_ranked": ranked,
        # Among which purity is counted, the fewest first; none where nothing was measured.
        "n_neighbours": sorted({each.n_neighbours for each in measured}),
        "has_related": bool(report.relations or report.orders),
        "has_lens": any(has_lens(context) for _, context in captures),
    }


def is_ranked(report: Report) -> bool:
    """Whether category purity is shown to be above chance in any capture: an order of what is by chance says nothing."""
    measured = (context.geometry for model in report.models for context in model.contexts)
    return any(bool(each.purity.above_chance.holds.any()) for each in measured if each is not None)


def _cells(report: Report, model: ModelReport, context: ContextReport) -> Iterator[tuple[str, Cell]]:
    """Those of the measures that have rows, and what only this table has."""
    every = [each for model in report.models for each in model.contexts]
    yield from _of_measures(MEASURES, context)
    if any(each.untrained for each in every):
        yield from zip(
            ("Purity with all weights random", "Purity with random layers"), _of_controls(context), strict=True
        )
    yield from zip(("Large values written by", "Norm left with these at zero"), _written(model, context), strict=True)
    yield from _of_measures(related_measures(report.relations, report.orders), context)
    if any(map(has_lens, every)):
        yield from _of_measures(lens_measures(()), context)
    n_reference = context.geometry.n_reference if context.geometry else context.states.tokenization.reference.sum()
    yield "Reference words", Cell(text=f"{n_reference:,}", sort=f"{n_reference}")


def _of_measures(measures: Sequence[Measure], context: ContextReport) -> Iterator[tuple[str, Cell]]:
    return (row for each in measures if each.rows for row in zip(each.rows, _of_measure(each, context), strict=True))


def _best(context: ContextReport) -> tuple[float, int]:
    """The highest category purity, and its depth."""
    purity = context.geometry.purity.value if context.geometry else np.empty(0)
    depth = _peak(purity)
    return (-math.inf, 0) if depth is None else (float(purity[depth]), depth)


def _peak(values: np.ndarray) -> int | None:
    """The depth of the greatest value, the first of several."""
    return int(np.nanargmax(values)) if np.isfinite(values).any() else None


# --- cells -----------------------------------------------------------------------------------------------------------


def _unknown(why: str = "not defined") -> Cell:
    return Cell(text=UNKNOWN, note=why)


def _number(value: float, text: str, note: str = "") -> Cell:
    return Cell(text=text, note=note, sort=f"{value:.6g}")


def _of_measure(measure: Measure, context: ContextReport) -> tuple[Cell, ...]:
    """Of its rows: where nothing else is said of its kind, its value at the best depth."""
    kind = measure.key.partition(" ")[0]
    if kind == "lens":
        return (_named(context.lens),)
    geometry, reading = context.geometry, measure.reading(context)
    if geometry is None or (reading is None and kind in ("relation", "order")):
        return (_unknown("not measured"),) * len(measure.rows)
    if reading and isinstance(reading.measured, Tested):
        return (_best_of(reading.measured, with_chance=kind == "relation"),)
    if kind == "ratio":
        return _ratio(geometry.massive), _emergence(context, geometry.massive)
    if kind == "effective_rank":
        rank, share = float(geometry.spread.effective_rank[-1]), f"of {count(geometry.n_measured, 'word')}"
        return (_number(rank, number(rank), share) if np.isfinite(rank) else _unknown(),)
    best = _at_best(measure, context, with_interval=kind == "purity")
    return (best, _mean(geometry)) if kind == "purity" else (best,)


def _at_best(measure: Measure, context: ContextReport, *, with_interval: bool = False) -> Cell:
    reading = measure.reading(context)
    depth = _peak(reading.values) if reading else None
    if reading is None or depth is None:
        return _unknown()
    value, note = float(reading.values[depth]), depth_name(depth)
    if with_interval and reading.interval and np.isfinite(reading.interval[0][depth]):
        note = f"{ranged(np.array([end[depth] for end in reading.interval]), measure.write)}, {note}"
    return _number(value, measure.write(value), note)


def _mean(geometry: Geometry) -> Cell:
    """Of purity over depths."""
    values, chance = geometry.purity.value, geometry.purity.null_mean
    if not np.isfinite(values).any():
        return _unknown()
    average = float(np.nanmean(values))
    return _number(average, score(average), f"chance {score(np.nanmean(chance))}" if np.isfinite(chance).any() else "")


def _of_controls(context: ContextReport) -> tuple[Cell, Cell]:
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
    depth = _peak(effect_of(tested.value, tested.null_mean, 1.0) if with_chance else tested.value)
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


def _ratio(massive: MassiveActivations) -> Cell:
    depth = _peak(massive.ratio)
    if depth is None:
        return _unknown()
    against = "" if massive.typical_is_ordinary else ", relative to the words’ own median"
    note = f"|x|{NBSP}{number(massive.largest[depth])}, {depth_name(depth)}{against}"
    return _number(float(massive.ratio[depth]), f"{number(massive.ratio[depth])}{NBSP}×", note)


def _emergence(context: ContextReport, massive: MassiveActivations) -> Cell:
    """Of massive activations; and how often a dimension is dominant, which it may be without being massive."""
    dominant = [depth for depth, dimension in enumerate(massive.dominant) if dimension is not None]
    often = f"a dominant dimension at {len(dominant)} of {count(len(massive.dominant), 'depth')}"
    if massive.emergence_depth is None:
        share = f", {ranged(massive.top_share[dominant], whole_percent)} of Σ{NBSP}x²" if dominant else ""
        so_far = [f"up to {depth_name(context.states.n_depths - 1)}"] if is_partial(context) else []
        # Without a context of typical tokens large values aren't known to be massive: neurons may write them all the same.
        none = "none" if massive.typical_is_ordinary else "not known"
        return Cell(text=none, note="; ".join([*so_far, *([f"{often}{share}"] if dominant else [])]))
    last = len(massive.massive) - 1 if massive.end_depth is None else massive.end_depth - 1
    note = f"to {depth_name(last)}" if last > massive.emergence_depth else "only there"
    note += f"; {often}" if dominant else ""
    return Cell(text=depth_name(massive.emergence_depth), note=note, sort=f"{massive.emergence_depth}")


def _written(model: ModelReport, context: ContextReport) -> tuple[Cell, Cell]:
    """Who writes the large values, and what of the norm is left without them."""
    found = finding_of(model)
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


# --- what stands against a comparison ------------------------------------------------------------------------------


def _caveats(context: ContextReport) -> Iterator[str]:
    card, tokens = context.states.card, context.states.tokenization
    yield f"{counted(card.least_and_most, 'dimension')}{f', {card.tokenizer}' if tokens.is_known else ''}"
    if several := int((tokens.n_tokens > 1).sum()):
        yield f"{count(several, 'word')} of several tokens"
    if outside := int((~tokens.reference).sum()):
        yield f"{count(outside, 'word')} outside the reference words"
    if special := _special_tokens(context):
        yield special
    if not tokens.positions[tokens.reference].any():
        yield "words are read at position 0, where many models build an attention sink"
    if card.quantization:
        yield f"quantized weights ({card.quantization})"
    if context.geometry and not context.geometry.massive.typical_is_ordinary:
        yield "no context with typical tokens to compare large values with"


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
