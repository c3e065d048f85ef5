"""Why two contexts of a model differ: facts, and two paragraphs made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tokviz.pages.model.events import dimensions, dimensions_named
from tokviz.pages.text.facts import Fact
from tokviz.pages.text.parts import Section
from tokviz.pages.text.stage_facts import typical
from tokviz.pages.text.trust import purity_in_plot
from tokviz.pages.text.wording import NBSP, number, the_depth, whole_percent
from tokviz.records import CategoryMeasure, ContextReport, Geometry, ModelReport


def difference(model: ModelReport) -> Section | None:
    """In plain words, when massive activations at position 0 are what tells one context from another; else None."""
    stated = difference_facts(model)
    if not stated:
        return None
    one, other = (fact.subject[0] for fact in stated[0] if fact.kind in {"read first", "read later"})
    return Section(heading=f"Why words {one} and words {other} differ", paragraphs=tuple(map(paragraph, stated)))


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


def paragraph(stated: tuple[Fact, ...]) -> str:
    """What states these facts; each part begins with what parts it from the one before."""
    return f"{''.join(_SAID[fact.kind](fact) for fact in stated).removeprefix('. ')}."


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
    span = (the_depth(depth), *([the_depth(last)] if last > depth else []))
    yield Fact(kind="read first", subject=(labels[0],))
    yield Fact(kind="massive", subject=(typical(massive), *span), values=(massive.massive_ratio, float(largest[depth])))
    if depth:
        yield Fact(kind="before", values=(float(largest[depth - 1]),))
    peak = int(np.argmax(others.massive.largest))
    yield Fact(kind="read later", subject=(labels[1], the_depth(peak)), values=(float(others.massive.largest[peak]),))
    shared, start = _shared_dimensions(geometry, others, depth), others.position0.emergence_depth
    if shared and start is not None:
        yield Fact(kind="instead", subject=(the_depth(start),))
        yield dimensions(shared)
    yield Fact(kind="medians")


def _shared_dimensions(geometry: Geometry, others: Geometry, depth: int) -> tuple[int, ...]:
    """Those massive in the words of one context, and at position 0 of the texts of the other."""
    first = others.position0.emergence_depth
    if first is None:
        return ()
    return tuple(sorted(set(geometry.massive.dimensions[depth]) & set(others.position0.dimensions[first])))


_PURITIES: tuple[tuple[str, Callable[[Geometry], CategoryMeasure | None]], ...] = (
    ("in all dimensions", lambda geometry: geometry.purity),
    ("in the plot", purity_in_plot),
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
        if index:
            yield Fact(kind="neighbors there", subject=(where,), values=shares)
        else:
            yield Fact(kind="neighbors", subject=(the_depth(depth), where, *labels), values=shares)


# --- what says it ----------------------------------------------------------------------------------------------------


def _say_massive(fact: Fact) -> str:
    (whose, first, *last), (times, largest) = fact.subject, fact.values
    span = f"From {first} to {' '.join(last)}" if last else f"At {first}"
    more = f"more than {number(times)} times {whose}; it is {number(largest)} at {first}"
    return f". {span} the largest |x| of such a token is {more}"


def _say_later(fact: Fact) -> str:
    label, where = fact.subject
    most = f"their largest |x| is at most {number(fact.value)}, at {where}"
    return f". In the context “{label}”, they are read later, and {most}"


def _say_neighbors(fact: Fact) -> str:
    (depth, where, one, other), (of_one, of_other) = fact.subject, map(whole_percent, fact.values)
    shares = f"{of_one} for words {one}, {of_other} for words {other}"
    return f". Nearest neighbors of the same category at {depth}, {where}: {shares}"


def _say_neighbors_there(fact: Fact) -> str:
    (where,), (of_one, of_other) = fact.subject, map(whole_percent, fact.values)
    return f"; {where}: {of_one} and {of_other}"


_SAID: dict[str, Callable[[Fact], str]] = {
    "read first": lambda fact: (
        f". In the context “{fact.subject[0]}”, the reference words are read at the first token of their text, position{NBSP}0"
    ),
    "massive": _say_massive,
    "before": lambda fact: f" and {number(fact.value)} at the previous depth",
    "read later": _say_later,
    "instead": lambda fact: (
        f". Instead, the token at position{NBSP}0 of their texts becomes massive, at {fact.subject[0]} and in the same"
    ),
    "dimensions": lambda fact: f" {dimensions_named(fact)}",
    "medians": lambda _: ". All these values are medians over words",
    "neighbors": _say_neighbors,
    "neighbors there": _say_neighbors_there,
}
