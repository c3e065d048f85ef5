"""What is said of captures that are held against each other word by word: facts, which the catalogue puts into words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tokviz.pages.text.catalogue import Fact, sentence
from tokviz.pages.text.sentences import depths_where
from tokviz.records import (
    CategoriesHeld,
    ContextReport,
    ModelReport,
    Paired,
    PairedMeasure,
    PairedMeasures,
    Report,
    Untrained,
)
from tokviz.text import isolated

_PURITY = {"purity": "paired.measures.purity"}
"""Spoken of also where no difference is shown."""
_OTHERS = {"silhouette": "paired.measures.silhouette", "kept": "paired.measures.kept"}


@dataclass(frozen=True, kw_only=True)
class _Held:
    """One capture, and what it is held against."""

    found: PairedMeasures
    kind: str
    """Of what it is held against, as the catalogue has it in ``than`` and ``from_what``."""
    named: Mapping[str, object]
    """What these name; of two models their names, in the order in which they were compared."""
    names: tuple[str, str] | None = None
    """Of two models."""

    def where(self, holds: np.ndarray) -> object:
        """``holds``: ``(n,)`` bool, of each pair of depths; as depths of the model that has more of them."""
        everywhere = np.zeros(self.depths.max() + 1, dtype=bool)
        everywhere[self.depths[holds]] = True
        named = depths_where(everywhere)
        if self.names is None or len(set(self._last)) == 1:
            return named
        return Fact("paired.parts.depths_of", depths=named, model=self.names[self._deeper])

    @property
    def depths(self) -> np.ndarray:
        """``(n,)`` int64: how the pairs of depths are named."""
        return np.asarray(self.found.depths[:, self._deeper if self.names else 0])

    @property
    def _last(self) -> list[int]:
        return self.found.depths.max(axis=0).tolist()  # type: ignore[no-any-return]

    @property
    def _deeper(self) -> int:
        """Which of two models has more depths; of equal ones the first."""
        return int(self._last[1] > self._last[0])


def of_model(report: Report, model: ModelReport) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Paragraphs on the purity of a model's contexts; and on other measures, neurons set to a value, and what counts as one word."""
    lead, more = [], []
    grouped = ""
    for context in model.contexts:
        for each in (context, *context.interventions):
            held = tuple(_held(each, model.contexts[0]))
            of_purity, of_others = (_sentences(report, held, measures) for measures in (_PURITY, _OTHERS))
            words, kept = f"Words {each.states.context.label}. ", categories_that_hold(report, each, failing=True)
            of_purity = f"{sentence([kept]) if kept else ''} {of_purity}".strip()
            if each.rule is None:
                lead += [f"{words}{of_purity}"] if of_purity else []
                more += [f"{words}{of_others}"] if of_others else []
            else:
                more += [f"{words}{of_purity} {of_others}".strip()] if held else []
            grouped = grouped or next((sentence(_groups(one.found)) for one in held), "")
    return tuple(lead), (*more, grouped) if grouped else ()


def of_models(report: Report, found: PairedMeasures, names: tuple[str, str]) -> str:
    """What two models differ in; ``names``: of both, in the order in which they were compared."""
    named = {"one": names[0], "other": names[1]}
    held = _Held(found=found, kind="models", named=named, names=names)
    return _sentences(report, [held], _PURITY | _OTHERS)


def _held(capture: ContextReport, first: ContextReport) -> Iterator[_Held]:
    of_first = Fact("paired.parts.in_first_sentence") if capture.has_templates else ""
    for name, named in (
        ("untrained", {"seeds": 2 * Untrained.N_SEEDS, "in_first_sentence": of_first}),
        ("unchanged", {}),
        ("first_context", {"context": first.states.context.label}),
        ("embedding", {}),
    ):
        if (found := getattr(capture.paired, name, None)) is not None:
            yield _Held(found=found, kind=name, named=named)


def _sentences(report: Report, every: Sequence[_Held], measures: Mapping[str, str]) -> str:
    """``measures``: their fields, and how sentences call them."""
    return " ".join(sentence([fact]) for each in every for fact in _facts(report, each, measures))


def _facts(report: Report, held: _Held, measures: Mapping[str, str]) -> Iterator[Fact]:
    for name, key in measures.items():
        measure = getattr(held.found, name)
        if measure.overall.holds.any():
            for_categories = _categories(report, held.found, measure.by_category)
            yield Fact(
                "paired.shown", measure=Fact(key), **_changes(held, measure.overall), for_categories=for_categories
            )
        elif name in _PURITY:
            yield _not_shown(report, held, measure, Fact(key))


def _not_shown(report: Report, held: _Held, found: PairedMeasure, measure: Fact) -> Fact:
    from_what, overall = Fact(f"paired.from_what.{held.kind}", **held.named), found.overall
    reach = np.maximum(np.abs(overall.low), np.abs(overall.high))
    if overall.is_too_few[0] or not np.isfinite(reach).any():
        least = {"groups": PairedMeasures.LEAST_GROUPS, "in_each": PairedMeasures.LEAST_IN_EACH}
        are_few = found.by_category.n_groups < PairedMeasures.LEAST_IN_EACH
        names = _named(report, held.found, are_few)
        fewer = Fact("paired.fewer", names=names, n=len(names)) if 0 < len(names) <= MOST_NAMED else ""
        return Fact("paired.too_few", measure=measure, from_what=from_what, fewer=fewer, **least)
    most = float(np.nanmax(reach))
    for_categories = _categories(report, held.found, found.by_category)
    return Fact("paired.not_shown", measure=measure, from_what=from_what, most=most, for_categories=for_categories)


def _changes(held: _Held, overall: Paired) -> dict[str, object]:
    """Where it is higher and where lower; the surest difference first."""
    value, low, high, holds = (each[0] for each in (overall.value, overall.low, overall.high, overall.holds))
    ends = np.abs([low, high])
    sure = np.where(holds, ends.min(axis=0), -1)
    change: dict[str, object] = {"change": "", "other_change": ""}
    for part in change:
        at = int(sure.argmax())
        if sure[at] < 0:
            break
        alike = holds & (np.sign(value) == np.sign(value[at]))
        kind, than = _kind(held, value[at] > 0, is_first=part == "change")
        numbers = {"size": abs(float(value[at])), "depth": int(held.depths[at]), "bounds": np.sort(ends[:, at])}
        change[part] = Fact(kind, where=held.where(alike), **numbers, **than)
        sure = np.where(alike, -1, sure)
    return change


def _kind(held: _Held, is_higher: np.bool_, *, is_first: bool) -> tuple[str, dict[str, Fact]]:
    """The sentence's key, and what is named in it; two models are named the higher one first."""
    if held.names is not None:
        one, other = held.names if is_higher else held.names[::-1]
        than = Fact(f"paired.than.{held.kind}", one=one, other=other)
        return "paired.higher" if is_first else "paired.but_higher_in", {"than": than}
    if is_first:
        return "paired.higher" if is_higher else "paired.lower", {
            "than": Fact(f"paired.than.{held.kind}", **held.named)
        }
    return "paired.but_higher" if is_higher else "paired.but_lower", {}


def _categories(report: Report, found: PairedMeasures, by_category: Paired) -> Fact | str:
    """Those that it is shown for, each by itself."""
    holds = np.asarray(by_category.holds.any(axis=1))
    names = _named(report, found, holds)
    if not names:
        return ""
    if holds.all() and len(names) > 1:
        return Fact("paired.for_each_category")
    return Fact("paired.for_categories", names=names)


def _named(report: Report, found: PairedMeasures, are_meant: np.ndarray) -> list[str]:
    return [
        report.words.categories[index].label for index, each in zip(found.categories, are_meant, strict=True) if each
    ]


MOST_NAMED = 9
"""Of more categories it is said how many they are."""


def categories_that_hold(report: Report, context: ContextReport, *, failing: bool = False) -> Fact | None:
    """Which, and where: at the depth where most do. None where that wasn't tested.

    Parameters
    ----------
    failing : whether those are named, too, that don't hold at some depths, where all do at others.
    """
    held, holds = context.paired.held if context.paired else None, context.holds_categories
    if held is None or holds is None or not np.isfinite(held.claim.score).any():
        return None
    return _of_categories(report, held, holds, failing=failing)


def _of_categories(report: Report, held: CategoriesHeld, holds: np.ndarray, *, failing: bool) -> Fact:
    everywhere, anywhere, always = (
        np.asarray(each) for each in (holds.all(axis=0), holds.any(axis=1), holds.all(axis=1))
    )
    names = [report.words.categories[index].label for index in held.categories]
    if everywhere.any():
        fail = [name for name, each in zip(names, always, strict=True) if not each]
        elsewhere = (
            Fact("paired.held.elsewhere", names=fail)
            if failing and 0 < len(fail) < min(len(names), MOST_NAMED + 1)
            else ""
        )
        return Fact("paired.held.each", n=len(names), where=depths_where(everywhere), elsewhere=elsewhere)
    is_tested = held.is_tested.tolist()
    lacking = [name for name, each in zip(names, is_tested, strict=True) if not each]
    rest = Fact("paired.held.rest", names=lacking) if 0 < len(lacking) <= MOST_NAMED else ""
    if not holds.any():
        return Fact("paired.held.none", n=sum(is_tested), rest=rest)
    depth = int(holds.sum(axis=0).argmax())
    found = [name for name, each in zip(names, holds[:, depth], strict=True) if each]
    never = [name for name, *each in zip(names, anywhere, is_tested, strict=True) if each == [False, True]]
    return Fact(
        "paired.held.some",
        n=len(found),
        of=sum(is_tested),
        depth=depth,
        names=Fact("paired.held.names", names=found) if len(found) <= MOST_NAMED else "",
        never=Fact("paired.held.never", names=never) if 0 < len(never) <= MOST_NAMED else "",
        rest=rest,
    )


def _groups(found: PairedMeasures) -> list[Fact]:
    each = [" with ".join(isolated(word) for word in group) for group in found.groups]
    named = Fact("paired.grouped", names=tuple(each)) if 0 < len(each) <= MOST_NAMED else ""
    too_large = [Fact("paired.too_large", words=len(found.too_large))] if found.too_large else []
    return [Fact("paired.groups", groups=found.n_groups, words=found.n_words, named=named), *too_large]
