"""What a series says in words: what appears when, who writes it, and what is wrong with its checkpoints."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal

import numpy as np

from tokviz.pages.text.catalogue import Fact, clause, sentence, text
from tokviz.pages.text.sentences import depths_where
from tokviz.pages.text.wording import capitalized
from tokviz.records import LEVEL, BreakingNeurons, Checkpoint, ContextReport, Fault, Report, SeriesReport

Facts = tuple[Fact, ...]


def finding(report: Report, series: SeriesReport, name: str | None = None) -> str:
    """When categories and massive values appear in a context, by default the report's first; empty where nothing is measured, as in a draft."""
    context = next(each for each in report.contexts if name in (None, each.name))
    if len(series.shown) < 2:
        return text(Fact("series.too_few"))
    if not _is_measured(series, context.name):
        return ""
    appear = {"categories": _categories(series, context.name), "massive": _massive(series, context.name)}
    return text(Fact("series.finding", context=context.label, **appear))


def paragraphs(report: Report, series: SeriesReport, names: Sequence[str]) -> tuple[str, ...]:
    """Paragraphs on these contexts, one of each kind; what is the same in several contexts is said once."""
    labels = {each.name: each.label for each in report.contexts}
    kinds = (_categories, _massive, _untrained, partial(_relations, report), _writers)
    known = [name for name in names if _is_measured(series, name)] if len(series.shown) > 1 else []
    return tuple(filter(None, (_merged({name: kind(series, name) for name in known}, labels) for kind in kinds)))


def _is_measured(series: SeriesReport, name: str) -> bool:
    return any(found.geometry is not None for each in series.shown if (found := each.context(name)))


def _merged(stated: Mapping[str, Facts], labels: Mapping[str, str]) -> str:
    """``Words alone and words as a girl: …; words as a color: …``, without those of which nothing is said."""
    told = {name: clause(facts) for name, facts in stated.items()}
    different = list(dict.fromkeys(told.values()))
    if len(different) == 1 and len(told) > 1:
        return text(Fact("series.in_all_contexts", told=different[0])) if different[0] else ""
    of_contexts = {each: tuple(labels[name] for name in told if told[name] == each) for each in different if each}
    facts = (
        Fact("series.in_contexts", contexts=tuple(Fact("series.context", context=each) for each in contexts), told=each)
        for each, contexts in of_contexts.items()
    )
    return " ".join(map(text, facts))


def _since(series: SeriesReport, holds: Callable[[Checkpoint], bool]) -> tuple[Fact, Checkpoint] | None:
    """When something holds at the checkpoints that are shown, and the first of them; None where at none."""
    flags = [holds(each) for each in series.shown]
    if not any(flags):
        return None
    n, first = sum(flags), flags.index(True)
    start = series.shown[first]
    if n == len(flags):
        return Fact("series.when.always"), start
    if not all(flags[first:]):
        return Fact("series.when.comes_back" if flags[-1] else "series.when.ends", n=n, of=len(flags)), start
    return Fact("series.when.last" if n == 1 else "series.when.since", checkpoint=start.label), start


def _categories(series: SeriesReport, name: str) -> Facts:
    found = _since(series, lambda each: bool(_purity_holds(each, name).any()))
    if found is None:
        return (Fact("series.told.no_categories"),)
    when, first = found
    where = Fact("series.told.first_at", depths=depths_where(_purity_holds(first, name)))
    return (Fact("series.told.categories", when=when, where=where if when.kind == "series.when.since" else ()),)


def _purity_holds(checkpoint: Checkpoint, name: str) -> np.ndarray:
    found = checkpoint.context(name)
    if found is None or found.geometry is None:
        return np.zeros(1, dtype=bool)
    return found.geometry.purity.above_chance.holds


def _massive(series: SeriesReport, name: str) -> Facts:
    found = _since(series, lambda each: emergence(each.context(name)) is not None)
    if found is None:
        return (Fact("series.told.not_massive"),)
    when, first = found
    # Of values that come and go it is the first checkpoint's depth.
    comes_and_goes = when.kind in ("series.when.comes_back", "series.when.ends")
    checkpoint = Fact("series.told.at_checkpoint", checkpoint=first.label) if comes_and_goes else ()
    return (Fact("series.told.massive", when=when, checkpoint=checkpoint, depth=emergence(first.context(name))),)


def emergence(context: ContextReport | None) -> int | None:
    """The first massive depth."""
    return context.geometry.massive.emergence_depth if context and context.geometry else None


def breaking(context: ContextReport | None) -> BreakingNeurons | None:
    """The neurons that write a context's massive values, where few do."""
    return context.states.updates.breaking if context and context.states.updates else None


def _untrained(series: SeriesReport, name: str) -> Facts:
    """What there is without any training, where no checkpoint that is shown is from before it."""
    if series.shown[0].step == 0:
        return ()
    found = untrained(series, name)
    if found is None or found.untrained is None or found.untrained.random is None:
        return (Fact("series.told.nothing_before"),)
    purity = found.untrained.random.purity
    if not np.isfinite(purity).any():
        return ()
    of_first = Fact("series.told.of_first") if found.has_templates else ()
    return (Fact("series.told.all_random", purity=(np.nanmin(purity), np.nanmax(purity)), of_first=of_first),)


def untrained(series: SeriesReport, name: str) -> ContextReport | None:
    """A capture beside which stands one with all weights random; its own checkpoint may be left out of all charts.

    None where a checkpoint from before the training is shown, which takes its place.
    """
    if series.shown[0].step == 0:
        return None
    found = (each.context(name) for each in series.checkpoints)
    return next((each for each in found if each and each.untrained and each.untrained.random), None)


def _relations(report: Report, series: SeriesReport, name: str) -> Facts:
    """From when on relations and orders hold, those that ever do."""

    def holds(kind: Literal["relations", "orders"], index: int, checkpoint: Checkpoint) -> bool:
        context = checkpoint.context(name)
        return bool(context and context.relations and getattr(context.relations, kind)[index].holds.any())

    relations = _held(series, [each.label for each in report.relations], partial(holds, "relations"))
    orders = _held(series, [each.label for each in report.orders], partial(holds, "orders"))
    return (
        *((Fact("series.told.relations", held=relations),) if relations else ()),
        *((Fact("series.told.orders", held=orders),) if orders else ()),
    )


def _held(series: SeriesReport, labels: Sequence[str], holds: Callable[[int, Checkpoint], bool]) -> Facts:
    """``Months and Hours from step 512 on``: what holds from when on."""
    found = [_since(series, partial(holds, index)) for index in range(len(labels))]
    labels_by_when = [(each[0], label) for each, label in zip(found, labels, strict=True) if each is not None]
    return tuple(
        Fact("series.told.held", labels=tuple(label for other, label in labels_by_when if other == when), when=when)
        for index, (when, _) in enumerate(labels_by_when)
        if when not in [earlier for earlier, _ in labels_by_when[:index]]
    )


def _writers(series: SeriesReport, name: str) -> Facts:
    """Whether the same neurons, in whatever order, write the break at all checkpoints that have one."""
    known = [(each, found) for each in series.shown if (found := breaking(each.context(name)))]
    if len(known) < 2:
        return ()
    runs = itertools.groupby(known, lambda each: ({*each[1].neurons}, each[1].layer, each[1].dimension))
    changes = [
        (each.label, {"neurons": found.neurons, "layer": found.layer, "dimension": found.dimension})
        for each, found in (next(run) for _, run in runs)
    ]
    (_, same), n = changes[0], len(known)
    if len(changes) == 1:
        checkpoints = Fact("series.told.both") if n == 2 else Fact("series.told.all", n=n)
        return (Fact("series.told.same_writers", checkpoints=checkpoints, **same),)
    first, *further = (Fact("series.told.writer", checkpoint=label, **each) for label, each in changes)
    return (Fact("series.told.writers", n=n, of=len(series.shown), first=first, further=tuple(further)),)


def certainty(series: SeriesReport) -> str:
    """How sure what holds is; empty where nothing is measured."""
    found = (context.geometry for each in series.shown for context in each.model.contexts if context.geometry)
    geometry = next(found, None)
    if geometry is None:
        return ""
    return text(Fact("series.certainty", level=LEVEL, shuffles=geometry.n_permutations))


# --- what is wrong ---------------------------------------------------------------------------------------------------


def faults(series: SeriesReport) -> tuple[str, ...]:
    """What readers must know before anything else."""
    return tuple(sentence([_fault(series, each)]) for each in series.faults)


def _fault(series: SeriesReport, fault: Fault) -> Fact:
    *others, last = (series.checkpoints[index].label for index in fault.checkpoints)
    if fault.kind == "exchanged":
        return Fact("series.problems.exchanged", one=others[0], other=last)
    are_ends = fault.checkpoints[0] == 0 and fault.checkpoints[-1] == len(series.checkpoints) - 1
    why = Fact("series.problems.mistaken" if are_ends else "series.problems.untrained_between")
    return Fact("series.problems.same", others=tuple(others), last=last, why=why)


def failures(series: SeriesReport) -> tuple[str, ...]:
    """Why checkpoints couldn't be captured."""
    failed = tuple(
        text(Fact("series.problems.failed", checkpoint=_named(each), failure=each.model.failure))
        for each in series.checkpoints
        if each.model.failure
    )
    if series.wanted_reference is None:
        return failed
    wanted, found = (series.checkpoints[index] for index in (series.wanted_reference, series.reference))
    if found.model.failure:
        return failed
    return (*failed, text(Fact("series.problems.no_reference", wanted=_named(wanted), reference=found.label)))


def _named(checkpoint: Checkpoint) -> str:
    """At the beginning of a sentence; labels of the author's stay as they are."""
    return checkpoint.label if checkpoint.step is None else capitalized(checkpoint.label)


def summary(series: SeriesReport) -> str:
    """``11 checkpoints, from step 0 to step 512``; ``10 of 11 checkpoints, …`` where some failed or are left out."""
    shown = series.shown or series.checkpoints
    n, n_all = len(series.shown), len(series.checkpoints)
    which = Fact("series.summary.one", checkpoint=shown[0].label)
    if len(shown) > 1:
        which = Fact("series.summary.between", first=shown[0].label, last=shown[-1].label)
    if n == n_all:
        return text(Fact("series.summary.all", n=n, which=which))
    return text(Fact("series.summary.some", n=n, of=n_all, which=which))
