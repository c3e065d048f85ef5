"""What the compare page's profile says, read back: every sentence and every dot against the records that they come from."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from claims import SCORE, FalseClaim, plain, require

from tokviz.pages.model.profile import ProfileBlock, ProfileView
from tokviz.records import Difference, ModelReport, Peak, Report

LEVEL = 0.05
MOST_NAMED = 8
ZERO, EDGE = 24.0, 4.0
"""Where chance is in a dot's plot, and the leftmost place of a dot, in pixels."""
_BY = rf"by ({SCORE})"
_Claims = Iterator[tuple[str, str]]
_RANGE = rf"({SCORE})(?:(?:–| to )({SCORE}))?"


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
    for compared in report.similarities:
        above = compared.shared.neighbours_summary.value - compared.shared.chance
        if compared.context == context and math.isfinite(above):
            for slug in (compared.model_a, compared.model_b):
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
    for block, context in zip(view.blocks, measured, strict=True):
        found = numbers(report, context.name)
        check_sentences([plain(each) for each in block.sentences], found)
        check_dots(view, block, found)


# --- sentences -------------------------------------------------------------------------------------------------------


def check_sentences(sentences: Sequence[str], found: Numbers) -> None:
    """Each is true, and together they leave out no measure."""
    said = [claim for sentence in sentences for claim in _claims(sentence, found)]
    measures = list(found.peaks[0])
    for measure in measures:
        known = [each[measure] for each in found.apart.values()]
        if known:
            require(any(kind == "apart" and of == measure for kind, of in said), measure, "not said what differs")
    if len(found.models) <= MOST_NAMED and any(
        math.isfinite(each.value) for own in found.peaks for each in own.values()
    ):
        require(sum(kind == "chance" for kind, _ in said) == 1, "whether values are above chance")
    require(("similarity", "") in said or len(found.models) < 3 or len(found.alike) < 3, "similarity")


def _claims(sentence: str, found: Numbers) -> _Claims:
    """What it speaks of: ``apart`` and a measure, ``chance``, ``similarity``; raises where it is false."""
    measures = "|".join(map(re.escape, found.peaks[0]))
    names = "|".join(re.escape(name) for name in sorted(found.names, key=len, reverse=True))
    for pattern, check in _FORMS:
        if match := re.fullmatch(pattern.replace("NAME", names).replace("MEASURE", measures), sentence):
            yield from check(match, found, measures, names)
            return
    raise FalseClaim(sentence)


def _check_two(match: re.Match[str], found: Numbers, measures: str, _: str) -> _Claims:
    first, second, rest = match.groups()
    item = rf"({measures}) \({_BY}, 95 % interval {_RANGE}\)"
    listed = _items(item, rest, match[0])
    for measure, by, low, high in listed:
        difference = _between(found, first, second)[measure]
        require(difference.p_value < LEVEL and difference.value > 0, match[0], difference)
        _require_scores(match[0], (by, low, high or low), (difference.value, difference.low, difference.high))
        yield "apart", measure
    shown = [key for key, each in _between(found, first, second).items() if _is_shown(each) and each.value > 0]
    require(len(shown) == len(listed), match[0], shown)


def _check_open(match: re.Match[str], found: Numbers, measures: str, _: str) -> _Claims:
    (both,) = found.apart.values()
    item = rf"({measures}) \((?:it may be up to ({SCORE})|it may be of any size)\)"
    open_ones = [key for key, each in both.items() if math.isfinite(each.value) and not _is_shown(each)]
    listed = _items(item, match[1], match[0])
    require([measure for measure, _ in listed] == open_ones, match[0], open_ones)
    for measure, most in listed:
        largest = max(abs(both[measure].low), abs(both[measure].high))
        if most:
            _require_scores(match[0], (most,), (largest,))
        require(bool(most) == (largest < 1), match[0], largest)
        yield "apart", measure


def _check_unknown(match: re.Match[str], found: Numbers, measures: str, _: str) -> _Claims:
    for (measure,) in _items(rf"({measures})", match[1], match[0]):
        require(not any(math.isfinite(each[measure].value) for each in found.apart.values()), match[0])
        yield "apart", measure


def _check_none(match: re.Match[str], found: Numbers, measures: str, _: str) -> _Claims:
    for (measure,) in _items(rf"({measures})", match[1], match[0]):
        known = [each[measure] for each in found.apart.values()]
        require(any(math.isfinite(each.value) for each in known), match[0])
        require(not any(map(_is_shown, known)), match[0])
        yield "apart", measure


def _check_extremes_of(match: re.Match[str], found: Numbers, _: str, names: str) -> _Claims:
    yield "apart", _check_extremes(match[0], match[1], match[2], found, names)


def _check_near(match: re.Match[str], found: Numbers, measures: str, _: str) -> _Claims:
    _check_near_chance(match[0], match[1], found, measures)
    yield "chance", ""


def _check_all_above(match: re.Match[str], found: Numbers, _: str, __: str) -> _Claims:
    require(not any(_is_near(each) for own in found.peaks for each in own.values()), match[0])
    yield "chance", ""


def _check_alike(match: re.Match[str], found: Numbers, _: str, __: str) -> _Claims:
    most, most_value, least, least_value = match.groups()
    require(found.alike[most] == max(found.alike.values()), match[0], found.alike)
    require(found.alike[least] == min(found.alike.values()), match[0], found.alike)
    _require_scores(match[0], (most_value, least_value), (found.alike[most], found.alike[least]))
    yield "similarity", ""


def _check_several(match: re.Match[str], found: Numbers, _: str, names: str) -> _Claims:
    yield "apart", _check_ahead(match[0], match[1], match[2], found, names)


_FORMS: tuple[tuple[str, Callable[[re.Match[str], Numbers, str, str], _Claims]], ...] = (
    (r"(NAME) is further above chance than (NAME) in (.+)\.", _check_two),
    (r"No difference is shown in (.+)\.", _check_open),
    (r"Not compared, as the models share too few words or have no value: (.+)\.", _check_unknown),
    (r"No two models are shown to differ in (.+)\.", _check_none),
    (r"(?i:(MEASURE)): furthest above chance is (.+)", _check_extremes_of),
    (r"Not shown to be above chance: (.+)\.", _check_near),
    (r"All values are shown to be above chance\.", _check_all_above),
    (
        (
            rf"On average most like the others is (NAME) \(({SCORE})\), least (NAME) \(({SCORE})\); whether that differs isn’t "
            r"tested\."
        ),
        _check_alike,
    ),
    (r"(?i:(MEASURE)): (.+)", _check_several),
)


def _check_ahead(sentence: str, said: str, rest: str, found: Numbers, names: str) -> str:
    """``A is further above chance than B (by 0.13) and C (by 0.20); D than E (by 0.07). No difference …``"""
    measure = next(each for each in found.peaks[0] if each.lower() == said.lower())
    clauses, _, others = rest.partition(". ")
    listed = []
    for clause in clauses.removesuffix(".").split("; "):
        match = re.fullmatch(rf"({names}) (?:is further above chance )?than (.+)", clause)
        if match is None:
            raise FalseClaim(sentence)
        for second, by in _items(rf"({names}) \({_BY}\)", match[2], sentence):
            difference = _between(found, match[1], second)[measure]
            require(_is_shown(difference) and difference.value > 0, sentence, difference)
            _require_scores(sentence, (by,), (difference.value,))
            listed.append((match[1], second))
    known = [each[measure] for each in found.apart.values() if math.isfinite(each[measure].value)]
    n_shown = sum(map(_is_shown, known))
    require(len(set(listed)) == len(listed) == n_shown, sentence, n_shown)
    rest_of_pairs = len(known) - n_shown
    noun = "pair" if rest_of_pairs == 1 else "pairs"
    expected = f"No difference is shown between the other {rest_of_pairs} {noun}." if rest_of_pairs else ""
    require(others == expected, sentence, expected)
    return measure


def _check_extremes(sentence: str, said: str, rest: str, found: Numbers, names: str) -> str:
    measure = next(each for each in found.peaks[0] if each.lower() == said.lower())
    match = re.fullmatch(
        rf"({names}) \(({SCORE})\), least ({names}) \(({SCORE})\)(?: \(these two (are|aren’t) shown to differ\))?; "
        r"(\d+) of (\d+) models are shown to be above chance\.(?: (\d+) of (\d+) pairs? of models are shown to differ\.)?",
        rest,
    )
    if match is None:
        raise FalseClaim(sentence)
    first, most, last, least, verdict, n_above, n_models, n_shown, n_pairs = match.groups()
    above = {
        name: own[measure].value - own[measure].chance
        for name, own in zip(found.names, found.peaks, strict=True)
        if math.isfinite(own[measure].value)
    }
    require(above[first] == max(above.values()) and above[last] == min(above.values()), sentence, above)
    _require_scores(sentence, (most, least), (above[first], above[last]))
    known = {pair: each[measure] for pair, each in found.apart.items() if math.isfinite(each[measure].value)}
    both = next((each for pair, each in known.items() if set(pair) == {first, last}), None)
    require((verdict is None) == (both is None), sentence, both)
    require(both is None or (verdict == "are") == _is_shown(both), sentence, both)
    clear = [own[measure] for own in found.peaks if math.isfinite(own[measure].value) and not _is_near(own[measure])]
    require((int(n_above), int(n_models)) == (len(clear), len(above)), sentence, len(clear))
    if known:
        require((int(n_shown), int(n_pairs)) == (sum(map(_is_shown, known.values())), len(known)), sentence)
    return measure


def _check_near_chance(sentence: str, rest: str, found: Numbers, measures: str) -> None:
    listed = {}
    for part in rest.split("; "):
        match = re.fullmatch(rf"({measures}) in (.+)", part)
        if match is None:
            raise FalseClaim(sentence)
        listed[match[1]] = match[2]
    for measure in found.peaks[0]:
        known = [(name, own[measure]) for name, own in zip(found.names, found.peaks, strict=True)]
        near = [name for name, each in known if math.isfinite(each.value) and _is_near(each)]
        require((measure in listed) == bool(near), sentence, near)
        if near and not listed[measure].startswith("all "):
            require([name for name in found.names if name in re.split(", | and ", listed[measure])] == near, sentence)
        elif near:
            require(len(near) == len([name for name, each in known if math.isfinite(each.value)]), sentence, near)


def _items(item: str, text: str, sentence: str) -> list[tuple[str, ...]]:
    """Of ``a, b and c`` the groups of each; anything else is a false claim."""
    require(re.fullmatch(rf"{item}(?:(?:, {item})* and {item})?", text), sentence)
    return [groups if isinstance(groups, tuple) else (groups,) for groups in re.findall(item, text)]


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
