"""Why two contexts of a model differ: facts of two paragraphs, whose sentences are in ``catalogue/stages.toml``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tokviz.pages.model.story import dimensions
from tokviz.pages.text.catalogue import sentence, text
from tokviz.pages.text.facts import Fact
from tokviz.pages.text.stage_facts import whose
from tokviz.pages.text.trust import purity_in_plot
from tokviz.records import CategoryMeasure, ContextReport, Geometry, ModelReport


def difference(model: ModelReport) -> tuple[str, tuple[str, ...]] | None:
    """A heading and paragraphs under it. In plain words, when massive activations at position 0 are what tells one context from another; else None."""
    stated = difference_facts(model)
    if not stated:
        return None
    one, other = (fact.values["context"] for fact in stated[0] if "context" in fact.values)
    heading = text(Fact("stages.difference.heading", one=one, other=other))
    return heading, tuple(map(sentence, stated))


def difference_facts(model: ModelReport) -> tuple[tuple[Fact, ...], ...]:
    """By paragraph: how the largest |x| grows, and what follows for the words, as far as it is defined; empty with no such contexts."""
    first, further = _first(model, at_position_0=True), _first(model, at_position_0=False)
    if first is None or further is None:
        return ()
    (one, geometry), (other, others) = first, further
    depth = geometry.massive.emergence_depth
    if depth is None:
        return ()
    labels = one.states.context.label, other.states.context.label
    in_plots = labels[0] + _which(one), labels[1] + _which(other)
    paragraphs = _growth(geometry, others, depth, labels), _meaning(geometry, others, depth, in_plots)
    return tuple(stated for facts in paragraphs if (stated := tuple(facts)))


def _which(context: ContextReport) -> str:
    """What stands beside plots is of the first template, which they show."""
    return " (first sentence)" if context.has_templates else ""


def _first(model: ModelReport, *, at_position_0: bool) -> tuple[ContextReport, Geometry] | None:
    """The first context whose words are at position 0 and become massive there, or are elsewhere and don't; of its first template."""
    for context in model.contexts:
        geometry = context.geometry
        if geometry is None:
            continue
        stands_at_0, grows = context.states.tokenization.reads_position_0, geometry.massive.emergence_depth is not None
        if (stands_at_0, grows) == (at_position_0, at_position_0):
            return context, geometry.in_first_template
    return None


def _growth(geometry: Geometry, others: Geometry, depth: int, labels: tuple[str, str]) -> Iterator[Fact]:
    massive, largest = geometry.massive, geometry.massive.largest
    last = len(largest) - 1 if massive.end_depth is None else massive.end_depth - 1
    values = {"times": massive.massive_ratio, "whose": whose(massive), "largest": float(largest[depth])}
    yield Fact("stages.difference.read_first", context=labels[0])
    if last > depth:
        yield Fact("stages.difference.massive_from", first=depth, last=last, **values)
    else:
        yield Fact("stages.difference.massive_at", first=depth, **values)
    if depth:
        yield Fact("stages.difference.before", largest=float(largest[depth - 1]))
    peak = int(np.argmax(others.massive.largest))
    most = float(others.massive.largest[peak])
    yield Fact("stages.difference.read_later", context=labels[1], largest=most, depth=peak)
    shared, start = _shared_dimensions(geometry, others, depth), others.position0.emergence_depth
    if shared and start is not None:
        yield Fact("stages.difference.instead", depth=start, dimensions=dimensions(shared))
    yield Fact("stages.difference.medians")


def _shared_dimensions(geometry: Geometry, others: Geometry, depth: int) -> tuple[int, ...]:
    """Those massive in the words of one context, and at position 0 of the texts of the other."""
    first = others.position0.emergence_depth
    if first is None:
        return ()
    return tuple(sorted(set(geometry.massive.dimensions[depth]) & set(others.position0.dimensions[first])))


_PURITIES: tuple[tuple[str, Callable[[Geometry], CategoryMeasure | None]], ...] = (
    ("stages.in_all_dimensions", lambda geometry: geometry.purity),
    ("stages.in_the_plot", purity_in_plot),
)


def _meaning(geometry: Geometry, others: Geometry, depth: int, labels: tuple[str, str]) -> Iterator[Fact]:
    """How well categories hold there in both; nothing where they are in neither shown to be above chance."""
    known = {
        where: (float(one.value[depth]), float(other.value[depth]))
        for where, read in _PURITIES
        if (one := read(geometry))
        and (other := read(others))
        and np.isfinite([one.value[depth], other.value[depth]]).all()
        and (one.above_chance.holds[depth] or other.above_chance.holds[depth])
    }
    for index, (where, shares) in enumerate(known.items()):
        values = {"where": Fact(where), "one": shares[0], "other": shares[1]}
        if index:
            yield Fact("stages.difference.neighbors_there", **values)
        else:
            contexts = {"one_context": labels[0], "other_context": labels[1]}
            yield Fact("stages.difference.neighbors", depth=depth, **values, **contexts)
