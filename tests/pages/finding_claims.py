"""What the first page opens with, held against the records and not against the code that gathers them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from change_claims import check_change
from claims import require
from fact_checks import check_sentence
from writers_claims import breaking_context, check_found

from tokviz.pages.findings.finding import Found
from tokviz.pages.first.choice import Choice
from tokviz.pages.first.multiples import row_fact, row_sentences
from tokviz.pages.text.catalogue import Fact, sentence
from tokviz.records import SLOTS, CategoryMeasure, ContextReport, Geometry, ModelReport, Paired, PairedMeasures, Report

MOST_WORDS = 14


def check_findings(found: Sequence[Found], report: Report, models: Sequence[ModelReport]) -> None:
    """One answer for each question that has one, none for others, and no headline that is longer than a glance."""
    slots = [each.slot for each in found]
    require(len({*slots}) == len(slots), str(slots))
    order = [slot for slot in SLOTS if slot in slots]
    announced = [each.slot for each in found if each.is_announced]
    lead = report.opening.lead if report.opening else None
    require(announced == sorted(announced, key=lambda slot: (slot != lead, order.index(slot))), str(slots))
    unsure = [each.slot for each in found if not each.is_announced]
    require(unsure in ([], ["words"], ["change"], ["change", "words"]), str(slots))
    require(unsure == slots[len(slots) - len(unsure) :], str(slots))
    _check_answered(slots, report, models)
    for each in found:
        _check_length(each)
        is_of_one = each.other is None and not each.is_of_all and each.is_announced and len(report.all_models) > 1
        names_it = each.sentence.startswith(f"In {each.model.name}, ")
        require(names_it == is_of_one or (len(models) == 1 and not names_it), each.sentence)
        _CHECKS[each.slot](each, report)


def _check_answered(slots: Sequence[str], report: Report, models: Sequence[ModelReport]) -> None:
    captured = [model for model in models if model.contexts]
    contexts = [each for model in captured for each in model.contexts]
    asked = {model.slug for model in models}
    of_asked = [each for each in report.differences if asked & {each.model_a, each.model_b}]
    pairs = [each.paired for each in of_asked if each.changed is None]
    known = {
        "change": any(each.changed for each in of_asked),
        "words": bool(purities(captured)) or any(each.states.n_depths > 1 for each in contexts[:1]),
        "contexts": _any(each.paired.first_context for each in contexts if each.paired),
        "models": _any(pairs),
        "break": any(map(breaking_context, captured)),
        "order": any(_read(each) for each in contexts),
        "layers": _any(each.paired.untrained for each in contexts if each.paired)
        or _any(each.paired.embedding for each in contexts if each.paired),
    }
    require({*slots} == {name for name, has in known.items() if has}, str(slots), known)


def _any(pairs: Iterator[PairedMeasures | None] | Sequence[PairedMeasures | None]) -> bool:
    return any(bool(of.overall.holds.any()) for each in pairs if each for of in (each.purity, each.silhouette))


def _read(context: ContextReport) -> bool:
    found = context.relations
    if found is None:
        return False
    holds = [*(each.holds for each in found.orders), *(each.holds for each in found.relations)]
    return any(bool(each.any()) for each in holds)


def _check_length(found: Found) -> None:
    """A model's name counts as one word, as do a context's label and a number with its unit."""
    said = found.sentence.removeprefix(f"In {found.model.name}, ")
    labels = [each.states.context.label for each in (found.context, found.beside) if each]
    for name in (found.model.name, *((found.other.name,) if found.other else ()), *labels):
        said = said.replace(name, "X")
    require(len(said.split(" ")) <= MOST_WORDS, found.sentence)


def purities(models: Sequence[ModelReport]) -> list[CategoryMeasure]:
    """Those of which a value is known."""
    measured = [each.geometry.purity for model in models for each in model.contexts if each.geometry]
    return [each for each in measured if np.isfinite(each.value).any()]


def _check_words(found: Found, report: Report) -> None:
    kind = found.headline.kind.removeprefix("findings.words.")
    if not found.is_announced:
        known = purities([found.model] if not found.is_of_all else report.models)
        require(not any(each.above_chance.holds.any() for each in known), found.sentence)
        tested = any(each.above_chance.can_be_tested and np.isfinite(each.above_chance.p_value).any() for each in known)
        return require(kind == ("none" if tested else "not_tested" if known else "not_measured"), found.sentence)
    geometry = found.context.geometry
    assert geometry is not None
    assert found.depth is not None
    purity = geometry.purity
    holds = _beyond(purity) if kind == "beyond_surface" else purity.above_chance.holds
    require(bool(holds[found.depth]), found.sentence, holds)
    require(kind == "beyond_surface" or not any(_beyond(of).any() for of in purities([found.model])), found.sentence)
    numbers = [f.values for f in found.evidence if "chance" in f.values]
    expected = (found.depth, purity.value[found.depth], purity.null_mean[found.depth])
    np.testing.assert_equal(
        [tuple(each[name] for name in ("depth", "value", "chance")) for each in numbers], [expected]
    )
    require(
        ("every layer" in found.sentence or "every captured layer" in found.sentence) <= bool(holds.all()),
        found.sentence,
    )


def _beyond(purity: CategoryMeasure) -> np.ndarray:
    return np.asarray(purity.above_chance.holds & purity.above_surface.holds)


def _check_contexts(found: Found, _: Report) -> None:
    assert found.beside is not None
    assert found.depth is not None
    changed, first = found.context, found.beside
    sign = 1
    if changed is found.model.contexts[0]:
        changed, first, sign = first, changed, -1
    require(first is found.model.contexts[0], first.states.context.name)
    assert changed.paired is not None
    _check_paired(found, changed.paired.first_context, sign)
    labels = [each.states.context.label for each in (found.context, found.beside)]
    require(found.sentence.index(labels[0]) < found.sentence.rindex(labels[1]), found.sentence)


def _check_layers(found: Found, _: Report) -> None:
    paired = found.context.paired
    assert paired is not None
    of = paired.untrained if "untrained" in found.sentence else paired.embedding
    higher = " by category more " in found.sentence or " further apart " in found.sentence
    _check_paired(found, of, 1 if higher else -1)


def _check_models(found: Found, report: Report) -> None:
    assert found.other is not None
    slugs = (found.model.slug, found.other.slug)
    pair = next(
        each
        for each in report.differences
        if {each.model_a, each.model_b} == {*slugs} and each.context == found.context.states.context.name
    )
    first = pair.model_a == slugs[0]
    _check_paired(found, pair.paired, 1 if first else -1, column=0 if first else 1)
    require(found.sentence.index(found.model.name) < found.sentence.rindex(found.other.name), found.sentence)


def _check_paired(found: Found, held: PairedMeasures | None, sign: int, column: int = 0) -> None:
    """The difference at its depth is announced, has the sign that is said, and these numbers."""
    assert held is not None
    name = found.headline.kind.rpartition(".")[2]
    of: Paired = getattr(held, name).overall
    (at,) = np.flatnonzero(held.depths[:, column] == found.depth)[:1] if column == 0 else [_surest(of)]
    require(bool(of.holds[0, at]), found.sentence, of.holds)
    require(np.sign(of.value[0, at]) == sign, found.sentence, of.value)
    (evidence,) = found.evidence
    np.testing.assert_equal(evidence.values["size"], abs(of.value[0, at]))
    np.testing.assert_equal(evidence.values["bounds"], sorted([abs(of.low[0, at]), abs(of.high[0, at])]))
    check_sentence([evidence], found.said)


def _surest(of: Paired) -> int:
    return int(np.where(of.holds[0], np.minimum(abs(of.low[0]), abs(of.high[0])), -1).argmax())


def _check_break(found: Found, report: Report) -> None:
    check_found(found.breaks, found.model)
    assert found.breaks is not None
    require(found.depth == found.breaks.layer + 1, str(found.depth))
    require(f"layer {found.breaks.layer}" in found.sentence, found.sentence)


def _check_order(found: Found, report: Report) -> None:
    assert found.context.relations is not None
    assert found.depth is not None
    label = str(found.headline.values["label"])
    every = [*zip(report.orders, found.context.relations.orders, strict=True)]
    read = [each.holds for asked, each in every if asked.label == label]
    pairs = zip(report.relations, found.context.relations.relations, strict=True)
    read += [each.holds for asked, each in pairs if asked.label == label]
    require(any(bool(holds[found.depth]) for holds in read), found.sentence, read)


_CHECKS = {
    "change": check_change,
    "words": _check_words,
    "contexts": _check_contexts,
    "models": _check_models,
    "break": _check_break,
    "order": _check_order,
    "layers": _check_layers,
}


def _jump(geometry: Geometry | None) -> int | None:
    """The depth of the largest growth after layer 0, if it is by ten times at least."""
    norms = geometry.spread.mean_norm[1:].tolist() if geometry else []
    growth = [after / before if before > 0 and math.isfinite(after) else 0.0 for before, after in pairwise(norms)]
    return growth.index(max(growth)) + 2 if growth and max(growth) >= 10 else None


# --- the rows of the picture -----------------------------------------------------------------------------------------


def check_rows(said: Found, chosen: Choice) -> None:
    """Each row's facts, and that neighbors are counted only where they are claimed to be above chance somewhere."""
    told = [(row, row_fact(said, chosen, row)) for row in chosen.rows]
    for row, stated in told:
        check_row(stated, row, said, chosen)
    require(row_sentences(said, chosen) == tuple(sentence([stated]) for _, stated in told if stated), "sentences")


def check_row(stated: Fact | None, row: ContextReport, said: Found, chosen: Choice) -> None:
    """Of one row."""
    if row.geometry is None:
        return require(stated is None, str(stated))
    what = stated.values["what"] if stated else ()
    if stated:
        require((stated.kind, stated.values["label"]) == ("first.row.of", chosen.label(row)), str(stated))
    for fact in what:
        _check_row_fact(fact, row.geometry, chosen)
    _require_nothing_left_out(what, row.geometry, said, chosen)
    if stated:
        check_sentence([stated], sentence([stated]))


def _check_row_fact(fact: Fact, geometry: Geometry, chosen: Choice) -> None:
    kind, spread, purity = fact.kind.removeprefix("first.row."), geometry.spread, geometry.purity
    depth = fact.values.get("depth", chosen.marked)  # neighbors after another fact are of its depth
    require(depth in chosen.depths, str(fact), chosen.depths)
    shares = {"share": purity.value[depth], "chance": purity.null_mean[depth]}
    held = spread.pc1_share[depth]
    jump = {
        "before": spread.mean_norm[depth - 1],
        "after": spread.mean_norm[depth],
        "variance": Fact("first.row.held", share=held) if math.isfinite(held) else (),
    }
    values = {
        "variance": {"depth": depth, "share": held},
        "norm": {"depth": depth, "norm": spread.mean_norm[depth]},
        "and_neighbors": shares,
        "neighbors": {"depth": depth, **shares},
        "fewest": {"depth": depth, **shares},
        "jump": {"depth": depth, **jump},
        "and_jump": {"depth": depth, **jump},
    }
    np.testing.assert_equal(dict(fact.values), values[kind])
    require(kind not in ("variance", "norm") or depth == chosen.marked, str(fact), chosen.marked)
    require("jump" not in kind or depth == _jump(geometry), str(fact), spread.mean_norm)


def _require_nothing_left_out(what: tuple[Fact, ...], geometry: Geometry, said: Found, chosen: Choice) -> None:
    kinds, holds = [each.kind.removeprefix("first.row.") for each in what], geometry.purity.above_chance.holds
    if said.breaks and chosen.marked is not None:
        first = "variance" if said.breaks.flattens else "norm"
        require(kinds == [first, *(["and_neighbors"] if holds[chosen.marked] else [])], str(what), holds)
        return
    shares = [each.values["share"] for each in what if "share" in each.values]
    shown = geometry.purity.value[list(chosen.depths)]
    clear = [float(geometry.purity.value[each]) for each in chosen.depths if holds[each]]
    extremes = list(dict.fromkeys([max(clear), float(np.nanmin(shown))])) if clear else []
    require((shares[:1], shares[-1:]) == (extremes[:1], extremes[-1:]), str(what), shown)
    jumps = ["and_jump" if shares else "jump"] * (_jump(geometry) in chosen.depths)
    require(kinds == [*["neighbors", "fewest"][: len(shares)], *jumps], str(what), geometry.spread.mean_norm)
