"""What changed between two models of one form, before and after: in which categories, at which depths, and how surely."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tokviz.pages.findings.differences import MEASURES
from tokviz.pages.findings.finding import Found, short
from tokviz.pages.findings.words import of_context
from tokviz.pages.text.facts import Fact
from tokviz.pages.text.sentences import depths_where
from tokviz.records import (
    Changed,
    ContextReport,
    LayerSimilarity,
    ModelDifferences,
    ModelReport,
    Report,
    depth_name,
)

LEAST = 0.05
"""More or less is said only of a difference whose whole band lies beyond this."""
MOST_NAMED = 3
"""Of more categories it is said how many they are."""


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Two models in one context; all differences are after less before."""

    report: Report
    pair: ModelDifferences
    before: ModelReport
    after: ModelReport

    @property
    def changed(self) -> Changed:
        assert self.pair.changed is not None
        return self.pair.changed

    @property
    def contexts(self) -> tuple[ContextReport, ContextReport]:
        """Before and after."""
        one, other = (
            next(each for each in model.contexts if each.states.context.name == self.pair.context)
            for model in (self.before, self.after)
        )
        return one, other

    @property
    def similarity(self) -> LayerSimilarity | None:
        """How like each other their layers are; None where that isn't known."""
        asked = {self.before.slug, self.after.slug}, self.pair.context
        every = self.report.similarities
        return next((each.shared for each in every if ({each.model_a, each.model_b}, each.context) == asked), None)

    @property
    def n_depths(self) -> int:
        return len(self.changed.is_same)

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the categories that were compared."""
        found = self.pair.paired
        return tuple(self.report.words.categories[index].label for index in found.categories) if found else ()

    def band(self, measure: str, *, by_category: bool) -> np.ndarray:
        """``(3, n, n_depths)``: lower end, difference and upper end, a row for all words or for each category."""
        assert self.pair.paired is not None
        of = getattr(self.pair.paired, measure)
        paired = of.by_category if by_category else of.overall
        return np.array([-paired.high, -paired.value, -paired.low])

    @cached_property
    def measure(self) -> str:
        """The first by which a category, or all words, are beyond ``LEAST``; else the first by which anything is shown; else purity."""
        for is_strong in (True, False):
            for each in MEASURES:
                if any(self._signs(each, by_category=of, is_strong=is_strong).any() for of in (True, False)):
                    return each
        return next(iter(MEASURES))

    def _signs(self, measure: str, *, by_category: bool, is_strong: bool = True) -> np.ndarray:
        """``(n, n_depths)`` int: 1 where more is announced, −1 where less, each with all of the band beyond ``LEAST`` if it is strong."""
        if self.pair.paired is None:
            return np.zeros((0, self.n_depths), dtype=int)
        of = getattr(self.pair.paired, measure)
        holds = (of.by_category if by_category else of.overall).holds
        low, _, high = self.band(measure, by_category=by_category)
        least = LEAST if is_strong else 0.0
        return np.where(holds & (low > least), 1, np.where(holds & (high < -least), -1, 0))

    @cached_property
    def by_category(self) -> np.ndarray:
        """``(n_categories, n_depths)`` int: where a category is kept more apart, 1, or less, −1."""
        return self._signs(self.measure, by_category=True)

    @cached_property
    def overall(self) -> np.ndarray:
        """``(n_depths,)`` int, the same of all words."""
        signs = self._signs(self.measure, by_category=False)
        return signs[0] if len(signs) else np.zeros(self.n_depths, dtype=int)

    @cached_property
    def depth(self) -> int:
        """Where the change is surest: what the page opens with."""
        if self.pair.paired is not None:
            for by_category, signs in ((True, self.by_category), (False, self.overall[None])):
                if signs.any():
                    return int(np.argmax(self._nearest(by_category=by_category, signs=signs)))
        if self.movers.any():
            return int(np.argmax(self.movers.sum(axis=1)))
        if self.pair.paired is not None and not self.changed.is_same.all():
            size = np.abs(self.band(self.measure, by_category=False)[1, 0])
            return int(np.argmax(np.where(np.isfinite(size), size, -1.0)))
        return self.n_depths - 1

    def _nearest(self, *, by_category: bool, signs: np.ndarray) -> np.ndarray:
        """``(n_depths,)``: how far from 0 the nearer ends of announced bands are, summed over rows."""
        low, _, high = self.band(self.measure, by_category=by_category)
        return np.asarray(np.where(signs != 0, np.minimum(np.abs(low), np.abs(high)), 0.0).sum(axis=0))

    @cached_property
    def movers(self) -> np.ndarray:
        """``(n_depths, n_words)`` bool: which words are announced to have other neighbors."""
        return self.changed.movers

    @property
    def margin(self) -> float:
        """How far the change is from none; 0 where none is shown."""
        if self.by_category.any():
            return float(self._nearest(by_category=True, signs=self.by_category).max())
        if self.overall.any():
            return float(self._nearest(by_category=False, signs=self.overall[None]).max())
        return 0.0

    @property
    def named(self) -> tuple[np.ndarray, np.ndarray]:
        """Which categories are kept less apart at that depth, and which more: ``(n_categories,)`` bool each."""
        signs = self.by_category[:, self.depth] if self.by_category.size else np.zeros(len(self.labels), dtype=int)
        return signs < 0, signs > 0

    # --- in words ----------------------------------------------------------------------------------------------------

    @property
    def headline(self) -> Fact:
        both: dict[str, Fact | str] = {"one": self.after.name, "other": self.before.name}
        both |= {"context": of_context(self.report, self.contexts[0].states.context, in_brackets=True)}
        if self.changed.is_same.all():
            return Fact("change.identical", **both)
        less, more = self.named
        if (less | more).any():
            kind = "change.differs" if less.any() and more.any() else "change.less" if less.any() else "change.more"
            alike = self.by_category == self.by_category[:, [self.depth]]
            places = self._where(alike[less | more].all(axis=0)), Fact("change.at", where=depth_name(self.depth))
            names = self._which(less | more)
            return short(*(Fact(kind, where=where, which=which, **both) for which in names for where in places))
        if self.overall.any():
            sign = self.overall[self.depth]
            where, kind = self._where(self.overall == sign), "change.less" if sign < 0 else "change.more"
            return Fact(kind, where=where, which=Fact("change.categories"), **both)
        return self._none_is_sure(both)

    def _none_is_sure(self, both: dict[str, Fact | str]) -> Fact:
        """No change of a category or of all is beyond ``LEAST``."""
        if n := int(self.movers.any(axis=0).sum()):
            return Fact("change.moved", n=n, **both)
        if self.pair.paired is None:
            return Fact("change.without_categories", **both)
        bands = [self.band(self.measure, by_category=each) for each in (False, True)]
        ends = np.concatenate([np.abs(each[[0, 2]]).max(axis=0) for each in bands])
        if not np.isfinite(ends).any():
            return Fact("change.too_few", **both)
        signs = [self._signs(self.measure, by_category=each, is_strong=False) for each in (False, True)]
        shown = np.concatenate(signs) != 0
        if shown.any():
            where, most = self._where(shown.any(axis=0)), _rounded_up(float(ends[shown].max()))
            return Fact("change.small", where=where, measure=Fact(f"change.measures.{self.measure}"), most=most, **both)
        most = float(np.nanmax(np.where(np.isfinite(ends), ends, np.nan)))
        if most <= LEAST and np.isfinite(ends).all():
            return Fact("change.within", least=LEAST, **both)
        return Fact("change.not_shown", most=_rounded_up(most), **both)

    def _where(self, holds: np.ndarray) -> Fact:
        last = self.n_depths - 1
        if holds.all():
            return Fact("change.every_depth")
        if holds[1:].all():
            return Fact("change.every_layer")
        if holds[last] and holds.sum() == 1:
            return Fact("change.last_layer")
        return Fact("change.at", where=depths_where(holds))

    def _which(self, rows: np.ndarray) -> tuple[Fact, ...]:
        """Names of categories, and shorter."""
        names = [label for label, each in zip(self.labels, rows, strict=True) if each]
        if rows.all() and len(rows) > 1:
            return (Fact("change.all_categories", n=len(rows)),)
        counted = Fact("change.some", n=len(names), of=len(rows))
        return (Fact("change.named", names=names), counted) if len(names) <= MOST_NAMED else (counted,)

    @property
    def evidence(self) -> tuple[Fact, ...]:
        """On what the headline rests; none where both models are the same, or nothing was compared."""
        if self.changed.is_same.all():
            return ()
        return (*self._evidence_of_categories(), *self._evidence_of_movers())

    def _evidence_of_categories(self) -> Iterator[Fact]:
        if self.pair.paired is None:
            return
        depth, measure = self.depth, Fact(f"paired.measures.{self.measure}")
        low, value, high = self.band(self.measure, by_category=False)[:, 0, depth].tolist()
        if np.isfinite([low, value, high]).all():
            bounds = np.array([low, high])
            yield Fact("change.overall", measure=measure, depth=depth, value=value, bounds=bounds)
        less, more = self.named
        bands = self.band(self.measure, by_category=True)[:, :, depth]
        for row in np.flatnonzero(less | more).tolist()[:MOST_NAMED]:
            low, value, high = bands[:, row].tolist()
            yield Fact("change.category", name=self.labels[row], value=value, bounds=np.array([low, high]))

    def _evidence_of_movers(self) -> Iterator[Fact]:
        movers = self.movers[self.depth]
        if movers.any():
            lost = self.changed.lost[self.depth][movers]
            yield Fact("change.movers", n=int(movers.sum()), depth=self.depth, k=self.changed.moved.k, lost=lost)

    def found(self) -> Found:
        """As a finding of the report."""
        return Found(
            slot="change",
            headline=self.headline,
            evidence=self.evidence,
            model=self.after,
            context=self.contexts[1],
            depth=self.depth,
            other=self.before,
            other_depth=self.depth,
            margin=self.margin,
            is_announced=bool(self.margin or self.movers.any() or self.changed.is_same.all()),
        )


def _rounded_up(value: float) -> float:
    """To two decimals, as sentences write it: what is "at most" must not be less."""
    return math.ceil(100 * value - 1e-9) / 100


def shifts(report: Report) -> tuple[Shift, ...]:
    """Of each pair of models that are before and after, in each context, then of the ends of series; in the report's order."""
    models = {model.slug: model for model in report.all_models}
    pairs = (*report.differences, *(pair for series in report.series for pair in series.changes))
    return tuple(
        Shift(report=report, pair=pair, before=models[pair.model_a], after=models[pair.model_b])
        for pair in pairs
        if pair.changed is not None
    )


def of_changes(report: Report, models: Sequence[ModelReport]) -> Iterator[Found]:
    """Of each pair of which one is among ``models``."""
    asked = {model.slug for model in models}
    for each in shifts(report):
        if not asked.isdisjoint((each.before.slug, each.after.slug)):
            yield each.found()
