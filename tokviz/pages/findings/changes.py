"""What changed between two models of one form, before and after: in which categories, at which depths, and how surely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from tokviz.pages.findings.change_evidence import LEAST, MOST_NAMED, evidence_of, rounded_up
from tokviz.pages.findings.differences import MEASURES
from tokviz.pages.findings.finding import Found, short
from tokviz.pages.findings.words import of_context
from tokviz.pages.text.catalogue import Fact
from tokviz.pages.text.extent import is_partial
from tokviz.pages.text.sentences import depths_where
from tokviz.pages.text.wording import count, in_words
from tokviz.records import (
    Changed,
    ContextReport,
    ModelPair,
    ModelReport,
    PairedMeasures,
    ProjectionReport,
    Report,
    SeriesReport,
)

PURITY = "purity"
NEGLIGIBLE = 0.005
"""A smaller difference, which is written as 0.00, isn't told: models that differ by rounding have some."""


Side = tuple[ModelReport, ContextReport, ProjectionReport]
"""A model, its capture, and its words on common axes."""


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Two models in one context; all differences are after less before."""

    report: Report
    pair: ModelPair
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
    def sides(self) -> tuple[Side, Side]:
        """Before and after; words on common axes are drawn by scripts and on cards, not as images."""
        one, other = (
            (model, context, ProjectionReport(projection=shown, plates=(None,) * self.n_depths, grid=None, strip=None))
            for model, context, shown in zip(
                (self.before, self.after), self.contexts, (self.changed.before, self.changed.after), strict=True
            )
        )
        return one, other

    @cached_property
    def series(self) -> SeriesReport | None:
        """Whose ends they are; None where they are models of their own."""
        every = self.report.series
        return next((series for series in every if any(each is self.pair for each in series.changes)), None)

    @property
    def n_depths(self) -> int:
        return len(self.changed.is_same)

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the categories that were compared."""
        found = self.pair.paired
        return tuple(self.report.words.categories[index].label for index in found.categories) if found else ()

    def band(self, measure: str, *, by_category: bool) -> np.ndarray:
        """``(3, n, n_depths)``: lower end, difference and upper end, a row for all words or for each category.

        Identical states don't change at all.
        """
        assert self.pair.paired is not None
        of = getattr(self.pair.paired, measure)
        paired = of.by_category if by_category else of.overall
        found = np.array([-paired.high, -paired.value, -paired.low])
        return np.where(self.changed.is_same & np.isfinite(found), 0.0, found)

    @cached_property
    def _said(self) -> tuple[str, bool]:
        """The measure of the headline, and whether anything is beyond ``LEAST`` by it.

        The first by which anything is; else the first by which anything is shown, or purity.
        """
        for is_strong in (True, False):
            for each in MEASURES:
                if any(self.signs_of(each, by_category=of, is_strong=is_strong).any() for of in (True, False)):
                    return each, is_strong
        return next(iter(MEASURES)), False

    @property
    def measure(self) -> str:
        """That of the headline."""
        return self._said[0]

    def signs_of(self, measure: str, *, by_category: bool, is_strong: bool = True) -> np.ndarray:
        """``(n, n_depths)`` int: 1 where more is announced, −1 where less, each with all of the band beyond ``LEAST`` if it is strong."""
        if self.pair.paired is None:
            return np.zeros((0, self.n_depths), dtype=int)
        of = getattr(self.pair.paired, measure)
        holds = (of.by_category if by_category else of.overall).holds
        low, value, high = self.band(measure, by_category=by_category)
        least, holds = LEAST if is_strong else 0.0, holds & (np.abs(value) >= NEGLIGIBLE)
        return np.where(holds & (low > least), 1, np.where(holds & (high < -least), -1, 0))

    @cached_property
    def changes(self) -> np.ndarray:
        """``(n_categories, n_depths)`` bool: where a change of a category is shown, by any metric."""
        every = [self.signs_of(each, by_category=True, is_strong=False) for each in MEASURES]
        return np.asarray(np.any(every, axis=0))

    @cached_property
    def told(self) -> tuple[bool, np.ndarray]:
        """Whether the headline is about categories, and their signs, or else those of all words; no rows where nothing is shown."""
        measure, is_strong = self._said
        for by_category in (True, False):
            signs = self.signs_of(measure, by_category=by_category, is_strong=is_strong)
            if signs.any():
                return by_category, signs
        return False, np.zeros((0, self.n_depths), dtype=int)

    @cached_property
    def depth(self) -> int:
        """Where the change is surest, else where it is largest: what the page opens with."""
        if self.told[1].any():
            return int(np.argmax(self._nearest))
        if self.movers.any():
            return int(np.argmax(self.movers.sum(axis=1)))
        if self.pair.paired is not None and not self.changed.is_same.all():
            size = np.where(self.changed.is_same, np.nan, np.abs(self.band(self.measure, by_category=False)[1, 0]))
            if np.isfinite(size).any():
                return int(np.argmax(np.where(np.isfinite(size), size, -1.0)))
        return self.n_depths - 1

    @property
    def _nearest(self) -> np.ndarray:
        """``(n_depths,)``: how far the headline's bands are from 0, summed over rows."""
        by_category, signs = self.told
        low, _, high = self.band(self.measure, by_category=by_category)
        return np.asarray(np.where(signs != 0, np.minimum(np.abs(low), np.abs(high)), 0.0).sum(axis=0))

    @property
    def movers(self) -> np.ndarray:
        """``(n_depths, n_words)`` bool: which words are announced to have left their neighbors."""
        return self.changed.movers

    @property
    def n_movers(self) -> int:
        """At any depth."""
        return int(self.movers.any(axis=0).sum())

    @property
    def asked(self) -> tuple[int, int]:
        """Of how many words it was asked whether they moved, and how many there are."""
        return len(self.changed.rows), int(self.changed.before.reference.sum())

    @property
    def is_of_first(self) -> bool:
        """Whether movers and plots are of the first of several sentences."""
        return bool(self.contexts[0].states.context.further_templates)

    @property
    def margin(self) -> float:
        """How far the change is from none; 0 where none is beyond ``LEAST``."""
        return float(self._nearest.max()) if self._said[1] else 0.0

    @property
    def named(self) -> np.ndarray:
        """``(n_categories,)`` bool: which categories the headline is about, at its depth."""
        by_category, signs = self.told
        return signs[:, self.depth] != 0 if by_category else np.zeros(len(self.labels), dtype=bool)

    # --- in words ----------------------------------------------------------------------------------------------------

    @property
    def headline(self) -> Fact:
        both: dict[str, Fact | str | float] = {"one": self.after.name, "other": self.before.name}
        both |= {"context": of_context(self.report, self.contexts[0].states.context, in_brackets=True)}
        if self.changed.is_same.all():
            is_some = is_partial(self.contexts[0])
            return Fact("change.identical_where_captured" if is_some else "change.identical", **both)
        by_category, signs = self.told
        if not signs.any():
            return self._none_is_shown(both)
        rows = signs[:, self.depth] != 0
        now = signs[rows][:, [self.depth]]
        alike = (signs[rows] == now).all(axis=0)
        kind = "change.differs" if (now != now[0]).any() else "change.less" if now[0] < 0 else "change.more"
        names = self._which(rows) if by_category else (Fact("change.categories"),)
        at = Fact("change.at", where=depths_where(np.arange(self.n_depths) == self.depth))
        at_several = Fact("change.at", where=f"{int(alike.sum())} of {count(self.n_depths, 'depth')}")
        if not self._said[1]:
            return self._small(at, by_category, rows, both)
        both["by"] = "" if self.measure == PURITY else Fact("change.by_silhouette")
        places = self._where(alike), *([at_several] if alike.sum() > 1 else []), at
        return short(*(Fact(kind, where=where, which=which, **both) for which in names for where in places))

    def _small(self, at: Fact, by_category: bool, rows: np.ndarray, both: dict[str, Fact | str | float]) -> Fact:
        """A difference that is shown at the opened depth, and whose band reaches to less than ``LEAST``."""
        of = Fact(f"change.measures.{self.measure}")
        band = self.band(self.measure, by_category=by_category)[:, rows, self.depth]
        if rows.sum() > 1:
            most = rounded_up(float(np.abs(band).max()))
            small = {"where": at, "measure": of, "most": most, **both}
            return short(*(Fact("change.small", which=each, **small) for each in self._which(rows)))
        which = Fact("change.of_category", name=self.names_of(rows)[0]) if by_category else ""
        (low,), _, (high,) = band
        kind, ends = ("change.small_less", (-high, -low)) if high < 0 else ("change.small_more", (low, high))
        return Fact(kind, where=at, measure=of, which=which, bounds=tuple(map(float, ends)), **both)

    def _none_is_shown(self, both: dict[str, Fact | str | float]) -> Fact:
        """What remains possible, where both models' states aren't the same."""
        if n := self.n_movers:
            return Fact("change.moved", which=self.counted(n), n=n, **both)
        if self.pair.paired is None:
            return Fact("change.without_categories", **both)
        # Of each category, by every metric, and of all words where it is known at each depth.
        of_categories = np.concatenate([self.ends(each, by_category=True) for each in MEASURES])
        ends = np.concatenate([of_categories[:, ~self.changed.is_same], self.ends_of_all])
        are_known = np.isfinite(ends)
        if not are_known.any():
            return Fact("change.not_tested", **both)
        if not are_known.all() or len(self.labels) < len(self.report.words.categories):
            return Fact("change.not_all", untested=self._untested(), **both)
        if ends.max() <= LEAST:
            return Fact("change.within", least=LEAST, **both)
        of_all = self.ends_of_all
        kind, largest = ("change.not_shown_overall", of_all) if of_all.size else ("change.not_shown", ends)
        return Fact(kind, most=rounded_up(float(largest.max())), **both)

    @property
    def ends_of_all(self) -> np.ndarray:
        """``(n, n_such_depths)``: see ``ends``, by every metric: of all words, where states differ, if known at each such depth."""
        of_all = np.concatenate([self.ends(each, by_category=False) for each in MEASURES])[:, ~self.changed.is_same]
        return np.asarray(of_all[np.isfinite(of_all).all(axis=1)])

    def ends(self, measure: str, *, by_category: bool) -> np.ndarray:
        """``(n, n_depths)``: how far from 0 the far end of each band is."""
        low, _, high = self.band(measure, by_category=by_category)
        return np.asarray(np.maximum(np.abs(low), np.abs(high)))

    def _untested(self) -> Fact:
        """The categories that weren't tested by each measure at each depth; how many, where they are several."""
        ends = np.array([self.ends(each, by_category=True)[:, ~self.changed.is_same] for each in MEASURES])
        names = self._without(np.isfinite(ends).all(axis=(0, 2)))
        if not names:
            return Fact("paired.not_all")
        return Fact("paired.not_tested", which=names[0] if len(names) == 1 else f"{in_words(len(names))} categories")

    @property
    def never_tested(self) -> list[str]:
        """The categories of which no measure was tested at any depth."""
        ends = np.array([self.ends(each, by_category=True) for each in MEASURES])
        return self._without(np.isfinite(ends).any(axis=(0, 2)))

    @property
    def too_small(self) -> list[str]:
        """The categories that have too few groups of words to be tested by themselves."""
        found = self.pair.paired
        return self._without(found.purity.by_category.n_groups >= PairedMeasures.LEAST_IN_ONE) if found else []

    def _without(self, tested: np.ndarray) -> list[str]:
        known = self.names_of(tested)
        return [each.label for each in self.report.words.categories if each.label not in known]

    def _where(self, holds: np.ndarray) -> Fact:
        is_whole = not is_partial(self.contexts[0])
        if len(holds) > 1 and holds[1:].all():
            if not is_whole:
                return Fact("change.every_captured_layer")
            return Fact("change.every_depth" if holds[0] else "change.every_layer")
        if is_whole and holds[-1] and holds.sum() == 1:
            return Fact("change.last_layer")
        return Fact("change.at", where=depths_where(holds))

    def _which(self, rows: np.ndarray) -> tuple[Fact, ...]:
        """Names of categories, and shorter."""
        names, n = self.names_of(rows), len(self.report.words.categories)
        if len(names) == n > 1:
            return (Fact("change.all_categories", n=n),)
        counted = Fact("change.some", n=len(names), of=n)
        fewer = Fact("change.several", n=len(names))
        return (Fact("change.named", names=names), counted, fewer) if len(names) <= MOST_NAMED else (counted, fewer)

    def names_of(self, rows: np.ndarray) -> list[str]:
        return [label for label, each in zip(self.labels, rows, strict=True) if each]

    @property
    def evidence(self) -> tuple[Fact, ...]:
        return tuple(evidence_of(self))

    def counted(self, n_movers: int) -> Fact:
        n_asked, n_words = self.asked
        if n_asked < n_words:
            return Fact("change.of_asked", n=n_movers, asked=n_asked)
        return Fact("change.of_all", n=n_movers)

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
            is_announced=bool(self.told[1].any() or self.movers.any() or self.changed.is_same.all()),
            weight=self.n_movers,
        )


@lru_cache(1)  # pages, tables and cards ask for the same, of which much is computed once
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
