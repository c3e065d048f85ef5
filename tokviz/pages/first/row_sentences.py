"""What was measured of each row of the first page's picture, in a sentence of its facts: of the words' first template, as plots are."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tokviz.pages.findings.finding import Found
from tokviz.pages.first.choice import Choice
from tokviz.pages.model.unnamed import UnnamedFact, the_same
from tokviz.pages.text.findings import norm_jump
from tokviz.pages.text.wording import capitalized, number, percent, the_depth, whole_percent
from tokviz.records import CategoryMeasure, ContextReport, Geometry

VARIANCE, NORM, JUMP, NEIGHBORS = "variance", "norm", "jump", "neighbors"
_VARIANCE_MEANT = "Variance: how far the vectors that stand for the words lie from their mean, over all dimensions as they are, without scaling."
_NORM_MEANT = "The norm is the length of the vector that stands for a word."
_MEANT = {
    VARIANCE: _VARIANCE_MEANT,
    NORM: _NORM_MEANT,
    JUMP: f"{_NORM_MEANT} {_VARIANCE_MEANT}",
    NEIGHBORS: "Neighbors are counted in all dimensions, each scaled to the same standard deviation.",
}


def row_sentences(said: Found, chosen: Choice) -> tuple[str, ...]:
    """One for each row of which something is known."""
    return tuple(sentence(facts) for row in chosen.rows if (facts := tuple(row_facts(said, chosen, row))))


def what_is_meant(said: Found, chosen: Choice) -> str:
    """By words of these sentences, and of the one above them."""
    used = {fact.kind for row in chosen.rows for fact in row_facts(said, chosen, row)}
    if said.slot == "words" and said.evidence:
        used.add(NEIGHBORS)
    return " ".join(meant for kind, meant in _MEANT.items() if kind in used)


def row_facts(said: Found, chosen: Choice, row: ContextReport) -> Iterator[UnnamedFact]:
    """At the finding's layer what its sentence is about, and neighbors; else where most and fewest are, and a jump of the norm."""
    geometry = row.in_first_template.geometry
    label = f"{chosen.label(row)}{', first sentence' if row.has_templates else ''}"
    if geometry is None:
        return
    if said.breaks is None or chosen.marked is None:
        yield from _best_and_least(geometry.purity, label, chosen.depths)
        yield from _jump(geometry, label, chosen.depths)
        return
    kind = VARIANCE if said.breaks.flattens else NORM
    value = (geometry.spread.pc1_share if said.breaks.flattens else geometry.spread.mean_norm)[chosen.marked]
    if math.isfinite(value):
        yield UnnamedFact(kind=kind, subject=(label, the_depth(chosen.marked)), values=(float(value),))
        if geometry.purity.above_chance.holds[chosen.marked]:
            yield _neighbors(geometry.purity, label, chosen.marked)


def _best_and_least(purity: CategoryMeasure, label: str, depths: tuple[int, ...]) -> Iterator[UnnamedFact]:
    """Among the depths that are shown; nothing where none is claimed to be above chance."""
    clear = [each for each in depths if purity.above_chance.holds[each]]
    known = [each for each in depths if math.isfinite(purity.value[each])]
    if clear:
        most, fewest = max(clear, key=purity.value.__getitem__), min(known, key=purity.value.__getitem__)
        yield _neighbors(purity, label, most)
        if fewest != most:
            yield _neighbors(purity, label, fewest)


def _jump(geometry: Geometry, label: str, depths: tuple[int, ...]) -> Iterator[UnnamedFact]:
    """Where the mean norm jumps, if the depth is shown; that no few neurons are known to write it doesn't make it small."""
    depth = norm_jump(geometry)
    if depth in depths and depth is not None:
        before, after = geometry.spread.mean_norm[depth - 1 : depth + 1]
        values = (float(before), float(after), float(geometry.spread.pc1_share[depth]))
        yield UnnamedFact(kind=JUMP, subject=(label, the_depth(depth)), values=values)


def _neighbors(purity: CategoryMeasure, label: str, depth: int) -> UnnamedFact:
    values = (float(purity.value[depth]), float(purity.null_mean[depth]))
    return UnnamedFact(kind=NEIGHBORS, subject=(label, the_depth(depth)), values=values)


def sentence(facts: tuple[UnnamedFact, ...]) -> str:
    """``Alone: at layer 11 one direction holds 99.7 % of the variance, and 67 % of … share its category.``; a jump comes last."""
    label = capitalized(the_same(each.subject[0] for each in facts))
    jumps = [each for each in facts if each.kind == JUMP]
    said = [_at_a_depth([each for each in facts if each.kind != JUMP])] if len(jumps) < len(facts) else []
    said += map(_at_a_jump, jumps)
    first, *others = said
    return f"{label}: {'. '.join([first, *map(capitalized, others)])}."


def _at_a_jump(fact: UnnamedFact) -> str:
    before, after, pc1 = fact.values
    held = f", and one direction holds {percent(pc1)} of the variance" if math.isfinite(pc1) else ""
    return f"{_at(fact.subject[1])} the mean norm jumps from {number(before)} to {number(after)}{held}"


def _at_a_depth(facts: list[UnnamedFact]) -> str:
    first, *others = facts
    if any(each.kind != NEIGHBORS for each in others):
        raise ValueError(f"{facts}: expected neighbors after the first fact")
    if first.kind == NEIGHBORS:
        share = whole_percent(first.values[0])
        also = [f"; {_at(each.subject[1])}, {whole_percent(each.values[0])} ({_chance(each)})" for each in others]
        return f"{_at(first.subject[1])}, {share} of {SHARING} ({_chance(first)}){''.join(also)}"
    where = _at(the_same(each.subject[1] for each in facts))
    what = (
        f"one direction holds {percent(first.values[0])} of the variance"
        if first.kind == VARIANCE
        else f"the mean norm is {number(first.values[0])}"
    )
    also = [f", and {whole_percent(each.values[0])} of {SHARING} ({_chance(each)})" for each in others]
    return f"{where} {what}{''.join(also)}"


SHARING = "a word’s nearest neighbors share its category"


def _at(where: str) -> str:
    return f"in {where}" if where == the_depth(0) else f"at {where}"


def _chance(fact: UnnamedFact) -> str:
    return f"chance: {whole_percent(fact.values[1])}"
