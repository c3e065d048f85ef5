"""What the compare page's profile says: every fact and every dot, held against the records that they come from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from claims import require
from fact_checks import check_sentence
from rendered import Part

from tokviz.pages.model.profile import compared, facts
from tokviz.pages.text import catalogue
from tokviz.pages.text.catalogue import Fact
from tokviz.pages.text.paired_facts import of_models
from tokviz.records import Difference, ModelDifferences, ModelReport, Peak, Report

MOST_NAMED = 8
OF_CATEGORIES = {"category purity": "purity", "silhouette": "silhouette"}
"""What is said of a measure → its name."""
ZERO, EDGE = 24.0, 4.0
"""Where chance is in a dot's plot, and the leftmost place of a dot, in pixels."""


class Numbers(NamedTuple):
    """The records of one context."""

    models: list[ModelReport]
    peaks: list[dict[str, Peak]]
    """Per model what is said of a measure → its peak."""
    apart: dict[tuple[str, str], dict[str, Difference]]
    """Names of two models → per measure how much further above chance the first is."""
    shown: dict[tuple[str, str], dict[str, bool]]
    """The same → whether that is announced."""
    by_word: set[tuple[str, str]]
    """Names of two models that were compared word by word, too."""
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
    apart, shown = {}, {}
    for pair in report.differences:
        if pair.context == context and pair.model_a in names and pair.model_b in names:
            own = pair.differences
            all_of_them = (own.purity, own.silhouette, *own.relations, *own.orders)
            both_names = names[pair.model_a], names[pair.model_b]
            apart[both_names] = dict(zip(said, all_of_them, strict=True))
            shown[both_names] = _announced(pair, apart[both_names])
    alike: dict[str, list[float]] = {}
    for alike_pair in report.similarities:
        best = alike_pair.shared.neighbours_summary
        above = (best.value - best.chance) / (1 - best.chance) if best.chance < 1 else math.nan
        if alike_pair.context == context and math.isfinite(above):
            both = {alike_pair.model_a, alike_pair.model_b}
            # Of more than eight models each is held against the first one, which has nothing to be held against.
            first = next((each.slug for each in report.models if each.contexts), "")
            if len(report.models) > 8:
                both = both - {first} if first in both else set()
            for slug in both & names.keys():
                alike.setdefault(names[slug], []).append(above)
    return Numbers(
        [model for model, _ in found],
        [peaks for _, peaks in found],
        apart,
        shown,
        {
            (names[each.model_a], names[each.model_b])
            for each in report.differences
            if each.context == context and each.paired and {each.model_a, each.model_b} <= names.keys()
        },
        {name: sum(values) / len(values) for name, values in alike.items()},
    )


def _announced(pair: ModelDifferences, by_measure: dict[str, Difference]) -> dict[str, bool]:
    """Of categories only what is shown word by word, too."""
    return {
        measure: each.is_shown
        and (measure not in OF_CATEGORIES or _is_shown_by_word(pair, OF_CATEGORIES[measure], each.value))
        for measure, each in by_measure.items()
    }


def _is_shown_by_word(pair: ModelDifferences, field: str, value: float) -> bool:
    """At any depth, in the same direction."""
    if pair.paired is None:
        return False
    found = getattr(pair.paired, field).overall
    return any(own * value > 0 for own, holds in zip(found.value[0], found.holds[0], strict=True) if holds)


def check_profile(section: Part, report: Report) -> None:
    """Everything in the section."""
    measured = [context for context in report.contexts if numbers(report, context.name).models]
    names = [f"Words {context.label}" for context in measured]
    require(section.texts("[scope=rowgroup]") == names, "contexts", names)
    said = []
    for name, block, stated, context in zip(
        names, section.all("tbody"), map(facts, compared(report)), measured, strict=True
    ):
        found = numbers(report, context.name)
        check_facts(stated, found)
        heading = name if len(found.models) > 2 else f"{name}."
        every = [*_told_by_word(report, context.name, found), *map(catalogue.text, stated)]
        said += [" ".join([heading, *every])] if every else []
        check_dots(section, block.all("tr")[1:], found)
    require(section.texts(".said > div") == said, "sentences", said)


def _told_by_word(report: Report, context: str, found: Numbers) -> Iterator[str]:
    """What stands before it: of two models always, of several where it is shown, of many never."""
    names = {model.slug: model.display_name for model in found.models}
    for pair in report.differences:
        paired, both = pair.paired, (names.get(pair.model_a), names.get(pair.model_b))
        if pair.context != context or paired is None or None in both or len(names) > MOST_NAMED:
            continue
        if len(names) == 2 or paired.purity.overall.holds.any():
            yield of_models(report, paired, (str(both[0]), str(both[1])))


# --- sentences -------------------------------------------------------------------------------------------------------


class Statement(NamedTuple):
    """One thing that a sentence states."""

    kind: str
    """The kinds of its fact and of those that it is a part of: ``ahead by``."""
    values: dict[str, Any]
    """Its own, and those of the facts that it is a part of."""


def statements(fact: Fact, kind: str = "", **values: Any) -> Iterator[Statement]:
    """What a fact states, part by part."""
    kind = f"{kind} {fact.kind.removeprefix('model.profile.')}".strip()
    parts: list[Fact] = []
    own: dict[str, Any] = {}
    for name, value in fact.values.items():
        found = [each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, Fact)]
        parts += found
        own |= {} if found else {name: value}
    if fact.kind in WHOLE or not parts:
        yield Statement(kind, values | own)
    for part in parts:
        yield from statements(part, kind, **values, **own)


def check_facts(stated: Sequence[Fact], found: Numbers) -> None:
    """Each is true, none is left out, and each sentence has what its facts have."""
    every = [each for fact in stated for each in statements(fact)]
    for each in every:
        CHECKS[each.kind](each, found)
    require(all(every.count(each) == 1 for each in every), "said twice")
    for fact in stated:
        if leads := fact.values.get("leads"):
            kinds = [each.kind.rpartition(".")[2] for each in leads]
            require(kinds == ["lead", *["further_lead"] * (len(kinds) - 1)], "leads", kinds)
    _require_nothing_left_out(every, found)
    for fact in stated:
        check_sentence([fact], catalogue.text(fact))


def _require_nothing_left_out(every: Sequence[Statement], found: Numbers) -> None:
    def about(measure: str, *kinds: str) -> list[Statement]:
        return [each for each in every if each.kind in kinds and measure in _measures(each)]

    for measure in found.peaks[0]:
        known = _known(measure, found)
        valued = [own[measure] for own in found.peaks if math.isfinite(own[measure].value)]
        if len(found.models) > MOST_NAMED:
            require(bool(about(measure, "above_chance")) == bool(valued), measure, valued)
            require(bool(about(measure, "above_chance pairs_differ")) == bool(known and valued), measure, known)
            continue
        n_shown = _n_shown(measure, found)
        require(len(about(measure, *AHEAD)) == n_shown, measure, n_shown)
        require(bool(about(measure, "no_difference")) == _is_open(measure, found), measure, known)
        require(bool(about(measure, *NEAR)) == any(map(_is_near, valued)), measure)


def _measures(statement: Statement) -> tuple[str, ...]:
    """Those that it is about."""
    return statement.values.get("measures") or (statement.values["measure"],)


def _known(measure: str, found: Numbers) -> list[Difference]:
    """Where it could be told: in categories only word by word."""
    return [
        each[measure]
        for names, each in found.apart.items()
        if math.isfinite(each[measure].value) and (measure not in OF_CATEGORIES or names in found.by_word)
    ]


def _above(measure: str, found: Numbers) -> set[str]:
    return {name for name, own in zip(found.names, found.peaks, strict=True) if own[measure].is_above_chance}


def _n_shown(measure: str, found: Numbers) -> int:
    """How many pairs differ, where the one that is further above chance is above it at all."""
    above = _above(measure, found)
    return sum(
        found.shown[first, second][measure] and (first if each[measure].value > 0 else second) in above
        for (first, second), each in found.apart.items()
        if math.isfinite(each[measure].value)
    )


def _is_open(measure: str, found: Numbers) -> bool:
    """Whether two models that are both above chance were compared, in other than categories, and no two differ."""
    if measure in OF_CATEGORIES:
        return False
    above = _above(measure, found)
    both = [each[measure] for names, each in found.apart.items() if set(names) <= above]
    return any(math.isfinite(each.value) for each in both) and not _n_shown(measure, found)


def _check_ahead(each: Statement, found: Numbers) -> None:
    measure, size = each.values["measure"], each.values["size"]
    value, low, high = _between(found, each.values["ahead"], each.values["behind"])[measure]
    require(value > 0 and size == value, str(each), value)
    require(each.values.get("bounds") == ((low, high) if len(found.models) == 2 else None), str(each), (low, high))
    require(len(found.models) > 2 or low > 0, str(each), low)
    require(("of_several" in each.kind) == (len(found.models) > 2), str(each))


def _check_no_difference(each: Statement, found: Numbers) -> None:
    measures = each.values["measures"]
    require(len({*measures}) == len(measures), str(each))
    for measure in measures:
        require(_is_open(measure, found), str(each))


def _check_above_chance(each: Statement, found: Numbers) -> None:
    measure, n, of = (each.values[name] for name in ("measure", "n", "of"))
    known = [own[measure] for own in found.peaks if math.isfinite(own[measure].value)]
    require((n, of) == (sum(one.is_above_chance for one in known), len(known)), str(each), known)


def _check_pairs_differ(each: Statement, found: Numbers) -> None:
    measure, n, of = (each.values[name] for name in ("measure", "n", "of"))
    known = _known(measure, found)
    require((n, of) == (_n_shown(measure, found), len(known)), str(each), known)


def _check_near(each: Statement, found: Numbers) -> None:
    near = _near(each.values["measure"], found)
    require(each.values["names"] == tuple(near), str(each), near)


def _check_near_in_all(each: Statement, found: Numbers) -> None:
    measure, n = each.values["measure"], each.values["n"]
    n_known = sum(math.isfinite(own[measure].value) for own in found.peaks)
    require(n == len(_near(measure, found)) == n_known, str(each), n_known)


def _near(measure: str, found: Numbers) -> list[str]:
    """Names of the models that aren't shown to be above chance."""
    return [name for name, own in zip(found.names, found.peaks, strict=True) if _is_near(own[measure])]


WHOLE = ("model.profile.above_chance",)
"""What states something by itself, though it may have parts."""
AHEAD = (
    "ahead by",
    "ahead_of_several lead other",
    "ahead_of_several further_lead other",
)
NEAR = ("near_chance near", "near_chance near_in_all")
CHECKS: dict[str, Callable[[Statement, Numbers], None]] = {
    **dict.fromkeys(AHEAD, _check_ahead),
    "no_difference": _check_no_difference,
    "above_chance": _check_above_chance,
    "above_chance pairs_differ": _check_pairs_differ,
    **dict(zip(NEAR, (_check_near, _check_near_in_all), strict=True)),
}


def _between(found: Numbers, first: str, second: str) -> dict[str, tuple[float, float, float]]:
    """Of the measures in which they are shown to differ: value and interval, seen from the first."""
    is_turned = (first, second) not in found.apart
    names = (second, first) if is_turned else (first, second)
    return {
        measure: (-each.value, -each.high, -each.low) if is_turned else (each.value, each.low, each.high)
        for measure, each in found.apart[names].items()
        if found.shown[names][measure] and first in _above(measure, found)
    }


def _is_near(peak: Peak) -> bool:
    """Not shown to be above chance."""
    return math.isfinite(peak.value) and not peak.is_above_chance


def _require_scores(claim: str, texts: Sequence[str], values: Sequence[float]) -> None:
    for text, value in zip(texts, values, strict=True):
        require(abs(float(text.replace("−", "-")) - value) <= 0.0050001, claim, value)


# --- dots ------------------------------------------------------------------------------------------------------------


def check_dots(section: Part, rows: Sequence[Part], found: Numbers) -> None:
    """Each dot, ring and number of a context."""
    names = [row.one("th").text for row in rows]
    require(sorted(names) == sorted(found.names), "models", names)
    columns = section.all("thead th")[1:]
    for name, row in zip(names, rows, strict=True):
        peaks = list(found.peaks[found.names.index(name)].values())
        for column, cell in zip(columns, row.all("td"), strict=True):
            label, (_, tick) = column.one(".sort-label").text, column.all("svg text")
            shape, (text, _) = kind_of(cell), cell.noted
            if label.startswith("Like the "):
                effect = found.alike.get(name, math.nan)
                require(shape in ("rect", None), name, shape)
            else:
                peak = peaks[_index(label, found)]
                effect = peak.effect
                require((shape == "circle") == peak.is_above_chance, name, peak)
            if not math.isfinite(effect):
                require((text, shape, cell["data-sort"]) == ("–", None, ""), name)
                continue
            _require_scores(name, (text,), (effect,))
            require(abs(float(cell["data-sort"]) - effect) <= 0.006 * max(abs(effect), 0.01), name, cell["data-sort"])
            unit = (float(tick["x"]) - ZERO) / float(tick.text)
            (drawn,) = cell.all("circle, rect")
            x = float(drawn.get("cx") or drawn["x"])
            _require_place(name, x, max(ZERO + effect * unit, EDGE), unit)


def kind_of(cell: Part) -> str | None:
    """``circle``: above chance; ``ring``: not shown to be; ``rect``: not tested; None where nothing is drawn."""
    kinds = [each.get("class") or each.element.tag for each in cell.all("circle, rect")]
    return next(iter(kinds), None)


def _index(label: str, found: Numbers) -> int:
    keys = list(found.peaks[0])
    what = label.removesuffix(" above chance").lower()
    return next(index for index, key in enumerate(keys) if what in key.lower())


def _require_place(claim: str, x: float, expected: float, unit: float) -> None:
    """To a tenth of a pixel, and what that makes of the scale's own number."""
    require(abs(x - expected) <= 0.06 + 0.01 * abs(expected - ZERO), claim, (x, expected, unit))
