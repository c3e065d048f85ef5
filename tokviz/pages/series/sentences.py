"""What a series says in words: what appears when, who writes it, and what is wrong with its checkpoints."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tokviz.pages.text.sentences import depths_where
from tokviz.pages.text.wording import capitalized, joined_by_and, neurons_named, ranged, score, the_depth, whole_percent
from tokviz.records import LEVEL, BreakingNeurons, Checkpoint, ContextReport, Report, SeriesReport
from tokviz.text import counted

EVERYWHERE = "at every checkpoint"
"""Not “from the start”: a series may begin long after its training did."""


def finding(report: Report, series: SeriesReport, name: str | None = None) -> str:
    """When categories and massive values appear in a context, by default the report's first; empty where nothing is measured, as in a draft."""
    context = next(each for each in report.contexts if name in (None, each.name))
    if len(series.shown) < 2:
        return "Fewer than two different checkpoints were captured, so nothing is said of training."
    if not _is_measured(series, context.name):
        return ""
    return f"Words {context.label}: {_categories(series, context.name)}; {_massive(series, context.name)}."


def said(report: Report, series: SeriesReport, names: Sequence[str]) -> tuple[str, ...]:
    """What is told of all contexts, a paragraph of each kind; what is the same in several is said once.

    Parameters
    ----------
    names : of the contexts that are shown.
    """
    labels = {each.name: f"words {each.label}" for each in report.contexts}
    kinds: tuple[Callable[[str], str], ...] = (
        lambda name: _categories(series, name),
        lambda name: _massive(series, name),
        lambda name: _growth(series, name),
        lambda name: _untrained(series, name),
        lambda name: _relations(report, series, name),
        lambda name: _writers(series, name),
    )
    known = [name for name in names if _is_measured(series, name)] if len(series.shown) > 1 else []
    return tuple(filter(None, (_merged({name: kind(name) for name in known}, labels) for kind in kinds)))


def _is_measured(series: SeriesReport, name: str) -> bool:
    return any(each.geometry is not None for each in _contexts(series, name))


def _merged(texts: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """``Words alone and words as a girl: …; words as a color: …``, without those of which nothing is said."""
    whose: dict[str, list[str]] = {}
    for name, text in texts.items():
        whose.setdefault(text, []).append(labels[name])
    if len(whose) == 1 and len(texts) > 1:
        (text,) = whose
        return f"In all contexts {text}." if text else ""
    return " ".join(f"{capitalized(joined_by_and(found))}: {text}." for text, found in whose.items() if text)


@dataclass(frozen=True, kw_only=True)
class Since:
    """When something holds."""

    when: str
    """In words."""
    first: Checkpoint
    kind: Literal["always", "from here on", "last only", "at times"]


def since(series: SeriesReport, holds: Callable[[Checkpoint], bool]) -> Since | None:
    """At which of the checkpoints that are shown something holds; None where at none."""
    shown = series.shown
    flags = [holds(each) for each in shown]
    if not any(flags):
        return None
    n, first = sum(flags), flags.index(True)
    if n == len(flags):
        return Since(when=EVERYWHERE, first=shown[0], kind="always")
    if not all(flags[first:]):
        at_last = "the last one among them" if flags[-1] else "and not at the last one"
        return Since(when=f"at {n} of {len(flags)} checkpoints, {at_last}", first=shown[first], kind="at times")
    if n == 1:
        return Since(when=f"at {shown[-1].label} only", first=shown[-1], kind="last only")
    return Since(when=f"from {shown[first].label} on", first=shown[first], kind="from here on")


def _categories(series: SeriesReport, name: str) -> str:
    found = since(series, lambda each: bool(_purity_holds(each, name).any()))
    if found is None:
        return "categories aren’t shown to hold at any checkpoint"
    where = f", first at {depths_where(_purity_holds(found.first, name))}" if found.kind == "from here on" else ""
    return f"categories hold {found.when}{where}"


def _purity_holds(checkpoint: Checkpoint, name: str) -> np.ndarray:
    found = checkpoint.context(name)
    if found is None or found.geometry is None:
        return np.zeros(1, dtype=bool)
    return found.geometry.purity.above_chance.holds


def _massive(series: SeriesReport, name: str) -> str:
    found = since(series, lambda each: emergence(each.context(name)) is not None)
    if found is None:
        return "no value is massive"
    depth = emergence(found.first.context(name))
    assert depth is not None
    # Of values that come and go it is the first checkpoint's depth.
    at = f"{found.first.label}, " if found.kind == "at times" else ""
    return f"values are massive {found.when}, first at {at}{the_depth(depth)}"


def emergence(context: ContextReport | None) -> int | None:
    """The first massive depth."""
    return context.geometry.massive.emergence_depth if context and context.geometry else None


def breaking(context: ContextReport | None) -> BreakingNeurons | None:
    """The neurons that write a context's massive values, where few do."""
    return context.states.updates.breaking if context and context.states.updates else None


def _growth(series: SeriesReport, name: str) -> str:
    found = dict(series.growth).get(name)
    if found is None or not found.purity.is_shown:
        return ""
    first, last = series.shown[0], series.shown[-1]
    further = "higher" if found.purity.value > 0 else "lower"
    return f"compared with chance, purity is {further} at {last.label} than at {first.label}"


def _untrained(series: SeriesReport, name: str) -> str:
    """What there is without any training, where no checkpoint that is shown is from before it."""
    if series.shown[0].step == 0:
        return ""
    found = untrained(series, name)
    if found is None or found.untrained is None or found.untrained.random is None:
        return "nothing from before the training was captured to compare with"
    purity = found.untrained.random.purity
    of_first = " in the first sentence" if found.has_templates else ""
    return f"with all weights random, purity is {ranged(purity, score)}{of_first}" if np.isfinite(purity).any() else ""


def untrained(series: SeriesReport, name: str) -> ContextReport | None:
    """A capture beside which stands one with all weights random; its own checkpoint may be left out of all charts.

    None where a checkpoint from before the training is shown, which takes its place.
    """
    if series.shown[0].step == 0:
        return None
    found = (each.context(name) for each in series.checkpoints)
    return next((each for each in found if each and each.untrained and each.untrained.random), None)


def _contexts(series: SeriesReport, name: str) -> Iterator[ContextReport]:
    return (found for each in series.shown if (found := each.context(name)) is not None)


def _relations(report: Report, series: SeriesReport, name: str) -> str:
    """From when on relations and orders hold, those that ever do."""
    relations, orders = dict[str, list[str]](), dict[str, list[str]]()
    for index, relation in enumerate(report.relations):
        found = since(series, lambda each, at=index: _relation_holds(each.context(name), at))  # type: ignore[misc]
        if found:
            relations.setdefault(found.when, []).append(relation.label)
    for index, order in enumerate(report.orders):
        found = since(series, lambda each, at=index: _order_holds(each.context(name), at))  # type: ignore[misc]
        if found:
            orders.setdefault(found.when, []).append(order.label)
    kinds = (("these relations hold", relations), ("these orders can be read", orders))
    return "; ".join(f"{said}: {_listed(labels)}" for said, labels in kinds if labels)


def _listed(found: Mapping[str, Sequence[str]]) -> str:
    """``Months and Hours from step 512 on``: what holds from when on."""
    return joined_by_and([f"{joined_by_and(labels)} {when}" for when, labels in found.items()])


def _relation_holds(context: ContextReport | None, index: int) -> bool:
    return bool(context and context.relations and context.relations.relations[index].holds.any())


def _order_holds(context: ContextReport | None, index: int) -> bool:
    return bool(context and context.relations and context.relations.orders[index].holds.any())


def _writers(series: SeriesReport, name: str) -> str:
    """Whether the same neurons write the break at all checkpoints that have one."""
    known = [(each, found) for each in series.shown if (found := breaking(each.context(name)))]
    if len(known) < 2:
        return ""
    places = {(found.layer, found.dimension, frozenset(found.neurons)) for _, found in known}
    if len(places) == 1:
        found = known[0][1]
        return (
            f"at {'both' if len(known) == 2 else f'all {len(known)}'} checkpoints at which few neurons write the break they are the same: "
            f"{neurons_named(found.neurons)} of "
            f"layer {found.layer}, dimension {found.dimension}"
        )
    changes = [
        f"at {after.label} {neurons_named(found.neurons)} of layer {found.layer}, dimension {found.dimension}"
        for (_, before), (after, found) in itertools.pairwise(known)
        if (before.layer, before.dimension, frozenset(before.neurons))
        != (found.layer, found.dimension, frozenset(found.neurons))
    ]
    start = known[0][1]
    return (
        f"few neurons write the break at {len(known)} of {len(series.shown)} checkpoints: at {known[0][0].label} "
        f"{neurons_named(start.neurons)} of layer {start.layer}, dimension {start.dimension}; then {joined_by_and(changes)}"
    )


def certainty(series: SeriesReport) -> str:
    """How sure what holds is; empty where nothing is measured."""
    found = (context.geometry for each in series.shown for context in each.model.contexts if context.geometry)
    geometry = next(found, None)
    if geometry is None:
        return ""
    return (
        "What is said to hold or to be read, and bold numbers of categories, relations and orders, are tested together at a level of "
        f"{whole_percent(LEVEL)} for the whole report: categories against {geometry.n_permutations:,} shuffles of them over the words."
    )


# --- what is wrong ---------------------------------------------------------------------------------------------------


def faults(series: SeriesReport) -> tuple[str, ...]:
    """What readers must know before anything else."""
    return tuple(
        _fault(series, each.kind, [series.checkpoints[index] for index in each.checkpoints]) for each in series.faults
    )


def _fault(series: SeriesReport, kind: str, found: Sequence[Checkpoint]) -> str:
    labels = [each.label for each in found]
    if kind == "exchanged":
        return (
            f"{capitalized(labels[0])} and {labels[1]} seem to be exchanged: with them in each other’s place, embeddings change more "
            "steadily from checkpoint to checkpoint. Look up which weights were loaded."
        )
    is_first = found[0] is series.checkpoints[0] and found[-1] is series.checkpoints[-1]
    others = joined_by_and(labels[:-1])
    what = (
        "they can’t both be what they are called"
        if is_first
        else "either nothing was trained between them, or one of them isn’t what it is called"
    )
    are_left_out = f"{capitalized(others)} {'is' if len(labels) == 2 else 'are'} left out of all charts."
    return f"{capitalized(others)} and {labels[-1]} have the same hidden states: {what}. {are_left_out}"


def failures(series: SeriesReport) -> tuple[str, ...]:
    """Of checkpoints that couldn't be captured."""
    failed = [f"{_named(each)}: {each.model.failure}" for each in series.checkpoints if each.model.failure]
    if series.wanted_reference is None:
        return tuple(failed)
    wanted, found = (series.checkpoints[index] for index in (series.wanted_reference, series.reference))
    if found.model.failure:
        return tuple(failed)
    return (*failed, f"{_named(wanted)} isn’t there to be the reference: all axes are those of {found.label}.")


def _named(checkpoint: Checkpoint) -> str:
    """At the beginning of a sentence; labels of the author's stay as they are."""
    return checkpoint.label if checkpoint.step is None else capitalized(checkpoint.label)


def summary(series: SeriesReport) -> str:
    """``11 checkpoints, from step 0 to step 512``; ``10 of 11 checkpoints, …`` where some failed or are left out."""
    shown = series.shown or series.checkpoints
    n, n_all = len(series.shown), len(series.checkpoints)
    counted_all = counted(n_all, "checkpoint")
    which = f", from {shown[0].label} to {shown[-1].label}" if len(shown) > 1 else f": {shown[0].label}"
    return f"{counted_all if n == n_all else f'{n} of {counted_all}'}{which}"
