"""What the compare page's profile says: every fact and every dot, held against the records that they come from."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest
from claims import require
from fact_checks import check_sentence

from tokviz.pages.model.profile import ProfileBlock, ProfileView
from tokviz.pages.model.profile_found import compared
from tokviz.pages.model.profile_sentences import Facts, facts, sentence
from tokviz.pages.text.facts import Fact
from tokviz.records import Difference, ModelReport, Peak, Report

LEVEL = 0.05
MOST_NAMED = 8
ZERO, EDGE = 24.0, 4.0
"""Where chance is in a dot's plot, and the leftmost place of a dot, in pixels."""


class Numbers(NamedTuple):
    """The records of one context."""

    models: list[ModelReport]
    peaks: list[dict[str, Peak]]
    """Per model what is said of a measure → its peak."""
    apart: dict[tuple[str, str], dict[str, Difference]]
    """Names of two models → per measure how much further above chance the first is."""
    alike: dict[str, float]
    """Name → mean similarity to the others, above chance; only of models that have one."""

    @property
    def names(self) -> list[str]:
        return [model.display_name for model in self.models]


def numbers(report: Report, context: str) -> Numbers:
    """From the records alone."""
    said = [
        "category purity",
        "silhouette",
        *(f"the relation “{each.label}”" for each in report.relations),
        *(f"the order “{each.label}”" for each in report.orders),
    ]
    found = []
    for model in report.models:
        for each in model.contexts:
            if each.states.context.name == context and each.profile:
                parts = each.profile
                peaks = (parts.purity, parts.silhouette, *parts.relations, *parts.orders)
                found.append((model, dict(zip(said, peaks, strict=True))))
    names = {model.slug: model.display_name for model, _ in found}
    apart = {}
    for pair in report.differences:
        if pair.context == context and pair.model_a in names and pair.model_b in names:
            own = pair.differences
            all_of_them = (own.purity, own.silhouette, *own.relations, *own.orders)
            apart[names[pair.model_a], names[pair.model_b]] = dict(zip(said, all_of_them, strict=True))
    alike: dict[str, list[float]] = {}
    for alike_pair in report.similarities:
        above = alike_pair.shared.neighbours_summary.value - alike_pair.shared.neighbours_summary.chance
        if alike_pair.context == context and math.isfinite(above):
            for slug in (alike_pair.model_a, alike_pair.model_b):
                if slug in names:
                    alike.setdefault(names[slug], []).append(above)
    return Numbers(
        [model for model, _ in found],
        [peaks for _, peaks in found],
        apart,
        {name: sum(values) / len(values) for name, values in alike.items()},
    )


def check_profile(view: ProfileView, report: Report) -> None:
    """Everything in the section."""
    measured = [context for context in report.contexts if numbers(report, context.name).models]
    require([block.label for block in view.blocks] == [context.label for context in measured], "contexts")
    for block, stated, context in zip(view.blocks, map(facts, compared(report)), measured, strict=True):
        found = numbers(report, context.name)
        check_facts(stated, found)
        require(block.sentences == tuple(map(sentence, stated)), block.label)
        check_dots(view, block, found)


# --- sentences -------------------------------------------------------------------------------------------------------


def check_facts(stated: Sequence[Facts], found: Numbers) -> None:
    """Each is true, none is left out, and each sentence has what its facts have."""
    every = [fact for group in stated for fact in group]
    for fact in every:
        CHECKS[fact.kind](fact, found)
    require(len(set(every)) == len(every), "said twice")
    _require_nothing_left_out(every, found)
    for group in stated:
        check_sentence(group, sentence(group))


def _require_nothing_left_out(every: Sequence[Fact], found: Numbers) -> None:
    of_kind: dict[str, list[Fact]] = {}
    for fact in every:
        of_kind.setdefault(fact.kind, []).append(fact)

    def about(measure: str, *kinds: str) -> list[Fact]:
        return [fact for kind in kinds for fact in of_kind.get(kind, []) if measure in fact.subject]

    for measure in found.peaks[0]:
        known = [each[measure] for each in found.apart.values() if math.isfinite(each[measure].value)]
        n_shown = sum(map(_is_shown, known))
        if len(found.models) > MOST_NAMED:
            valued = [own[measure] for own in found.peaks if math.isfinite(own[measure].value)]
            require(bool(about(measure, "pairs differ")) == (bool(known) and len(valued) > 1), measure, known)
            continue
        require(len(about(measure, "ahead", "ahead of several")) == n_shown, measure, n_shown)
        if found.apart:
            open_ones = about(measure, "not shown to differ", "no two differ", "other pairs", "not compared")
            require(bool(open_ones) == (n_shown < max(len(known), 1)), measure, known)
        near = any(math.isfinite(own[measure].value) and _is_near(own[measure]) for own in found.peaks)
        require(bool(about(measure, "near chance")) == near, measure)
    if len(found.models) <= MOST_NAMED and any(
        math.isfinite(each.value) for own in found.peaks for each in own.values()
    ):
        require(bool(of_kind.get("near chance")) != bool(of_kind.get("all above chance")), "chance")


def _check_ahead(fact: Fact, found: Numbers) -> None:
    first, second, measure = fact.subject
    difference = _between(found, first, second)[measure]
    require(_is_shown(difference) and difference.value > 0, str(fact), difference)
    require(fact.values == (difference.value,), str(fact), difference)
    require(
        fact.bounds == ((difference.low, difference.high) if len(found.models) == 2 else None), str(fact), difference
    )


def _check_not_shown_to_differ(fact: Fact, found: Numbers) -> None:
    (both,), (measure,) = found.apart.values(), fact.subject
    largest = max(abs(both[measure].low), abs(both[measure].high))
    require(math.isfinite(both[measure].value) and not _is_shown(both[measure]), str(fact), both)
    require(fact.values == ((largest,) if largest < 1 else ()), str(fact), largest)


def _check_not_compared(fact: Fact, found: Numbers) -> None:
    require(not any(math.isfinite(each[fact.subject[0]].value) for each in found.apart.values()), str(fact))


def _check_no_two_differ(fact: Fact, found: Numbers) -> None:
    known = [each[fact.subject[0]] for each in found.apart.values()]
    require(any(math.isfinite(each.value) for each in known) and not any(map(_is_shown, known)), str(fact), known)


def _check_other_pairs(fact: Fact, found: Numbers) -> None:
    known = [each[fact.subject[0]] for each in found.apart.values() if math.isfinite(each[fact.subject[0]].value)]
    n_shown = sum(map(_is_shown, known))
    require(n_shown and fact.values == (len(known) - n_shown,), str(fact), known)


def _above(fact: Fact, found: Numbers) -> dict[str, float]:
    """Of what a fact compares all models by."""
    measure = fact.subject[0]
    return {
        name: own[measure].value - own[measure].chance
        for name, own in zip(found.names, found.peaks, strict=True)
        if math.isfinite(own[measure].value)
    }


def _check_most(fact: Fact, found: Numbers) -> None:
    _check_place(fact, 0, found)


def _check_least(fact: Fact, found: Numbers) -> None:
    _check_place(fact, -1, found)


def _check_place(fact: Fact, place: int, found: Numbers) -> None:
    """Among those that are equal the order of the report decides."""
    name, value = sorted(_above(fact, found).items(), key=lambda item: -item[1])[place]
    require(fact.subject[-1] == name, str(fact), name)
    require(fact.values == pytest.approx((value,), abs=1e-12), str(fact), value)


def _check_both(fact: Fact, found: Numbers) -> None:
    measure, first, last = fact.subject
    require((fact.kind == "both differ") == _is_shown(_between(found, first, last)[measure]), str(fact))


def _check_above_chance(fact: Fact, found: Numbers) -> None:
    known = [own[fact.subject[0]] for own in found.peaks if math.isfinite(own[fact.subject[0]].value)]
    require(fact.values == (sum(not _is_near(each) for each in known), len(known)), str(fact), known)


def _check_pairs_differ(fact: Fact, found: Numbers) -> None:
    known = [each[fact.subject[0]] for each in found.apart.values() if math.isfinite(each[fact.subject[0]].value)]
    require(fact.values == (sum(map(_is_shown, known)), len(known)), str(fact), known)


def _check_near_chance(fact: Fact, found: Numbers) -> None:
    measure, *names = fact.subject
    known = [(name, own[measure]) for name, own in zip(found.names, found.peaks, strict=True)]
    near = [name for name, each in known if math.isfinite(each.value) and _is_near(each)]
    if names:
        require(names == near, str(fact), near)
    else:
        n_known = sum(math.isfinite(each.value) for _, each in known)
        require(fact.values == (len(near),) == (n_known,), str(fact), near)


def _check_all_above_chance(fact: Fact, found: Numbers) -> None:
    require(not any(_is_near(each) for own in found.peaks for each in own.values()), str(fact))


CHECKS: dict[str, Callable[[Fact, Numbers], None]] = {
    "ahead": _check_ahead,
    "ahead of several": _check_ahead,
    "not shown to differ": _check_not_shown_to_differ,
    "not compared": _check_not_compared,
    "no two differ": _check_no_two_differ,
    "other pairs": _check_other_pairs,
    "furthest": _check_most,
    "least": _check_least,
    "both differ": _check_both,
    "both not shown to differ": _check_both,
    "above chance": _check_above_chance,
    "pairs differ": _check_pairs_differ,
    "near chance": _check_near_chance,
    "all above chance": _check_all_above_chance,
}


def _between(found: Numbers, first: str, second: str) -> dict[str, Difference]:
    """Seen from the first."""
    if (first, second) in found.apart:
        return found.apart[first, second]
    return {
        measure: Difference(
            n=each.n,
            value=-each.value,
            low=-each.high,
            high=-each.low,
            p_value_uncorrected=each.p_value_uncorrected,
            p_value=each.p_value,
        )
        for measure, each in found.apart[second, first].items()
    }


def _is_shown(difference: Difference) -> bool:
    return difference.p_value < LEVEL


def _is_near(peak: Peak) -> bool:
    """Not shown to be above chance."""
    return math.isfinite(peak.value) and not (peak.p_value < LEVEL and peak.value > peak.chance)


def _require_scores(claim: str, texts: Sequence[str], values: Sequence[float]) -> None:
    for text, value in zip(texts, values, strict=True):
        require(abs(float(text.replace("−", "-")) - value) <= 0.0050001, claim, value)


# --- dots ------------------------------------------------------------------------------------------------------------


def check_dots(view: ProfileView, block: ProfileBlock, found: Numbers) -> None:
    """Each dot, ring, line and number."""
    require(sorted(row.model for row in block.rows) == sorted(found.names), "models")
    for row in block.rows:
        place = found.names.index(row.model)
        peaks = list(found.peaks[place].values())
        values = [(each.value - each.chance, each.low, each.high) for each in peaks]
        labels = [column.label for column in view.columns]
        for label, column, cell in zip(labels, view.columns, row.cells, strict=True):
            if label.startswith("Like the "):
                above, low, high = found.alike.get(row.model, math.nan), math.nan, math.nan
                require(cell.kind == "untested", row.model)
            else:
                index = _index(label, found)
                above, low, high = values[index]
                near = _is_near(peaks[index])
                require((cell.kind == "chance") == (near or not math.isfinite(above)), row.model, peaks[index])
            if not math.isfinite(above):
                require((cell.text, cell.x, cell.sort) == ("–", "", ""), row.model)
                continue
            _require_scores(row.model, (cell.text,), (above,))
            require(abs(float(cell.sort) - above) <= 0.006 * max(abs(above), 0.01), row.model, cell.sort)
            unit = (float(column.tick) - ZERO) / float(column.tick_label)
            _require_place(row.model, float(cell.x), max(ZERO + above * unit, EDGE), unit)
            if math.isfinite(low):
                start, end = map(
                    float, re.findall(r"[\d.]+(?=H| 17|$)", cell.interval.replace("M", "").replace(" 17", ""))
                )
                _require_place(row.model, start, max(ZERO + low * unit, 0.0), unit)
                _require_place(row.model, end, max(ZERO + high * unit, 0.0), unit)


def _index(label: str, found: Numbers) -> int:
    keys = list(found.peaks[0])
    return next(index for index, key in enumerate(keys) if label.lower() in key.lower())


def _require_place(claim: str, x: float, expected: float, unit: float) -> None:
    """To a tenth of a pixel, and what that makes of the scale's own number."""
    require(abs(x - expected) <= 0.06 + 0.01 * abs(expected - ZERO), claim, (x, expected, unit))
