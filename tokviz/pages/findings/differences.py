"""What differs, word by word: between contexts, between models, and between what layers do and what they were given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tokviz.pages.findings.finding import Found, short
from tokviz.pages.findings.words import of_context
from tokviz.pages.text.catalogue import Fact
from tokviz.pages.text.sentences import depths_where, runs
from tokviz.records import ModelDifferences, ModelReport, Paired, PairedMeasures, Report

MEASURES = {"purity": 1.0, "silhouette": 2.0}
"""Those that headlines are of, and how far each can range; the first that shows anything is taken."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A difference that is shown, at the pair of depths where it is surest."""

    measure: str
    paired: Paired
    depths: np.ndarray
    """``(n, 2)`` int64."""
    at: int
    is_higher: bool
    """Whether the first capture has more."""
    margin: float

    @property
    def alike(self) -> np.ndarray:
        """``(n,)`` bool: where it is shown in the same direction."""
        holds, value = self.paired.holds[0], self.paired.value[0]
        return np.asarray(holds & ((value > 0) == self.is_higher))

    @property
    def size(self) -> float:
        return abs(float(self.paired.value[0, self.at]))

    @property
    def of_first(self) -> np.ndarray:
        """``(n_depths,)`` bool: the same of each depth of the first capture."""
        found = np.zeros(int(self.depths[:, 0].max()) + 1, dtype=bool)
        found[self.depths[self.alike, 0]] = True
        return found

    def where(self) -> str:
        """As depths of the first capture."""
        return depths_where(self.of_first)

    def share(self) -> np.ndarray:
        """``(2,)`` float64: from where to where around the surest one, as shares of the depth."""
        run = next(run for run in runs(self.alike) if self.at in run)
        deeper = int(self.depths[-1, 1] > self.depths[-1, 0])
        return np.asarray(self.depths[[run[0], run[-1]], deeper] / max(1, int(self.depths[-1, deeper])))

    def evidence(self, kind: str, **more: object) -> Fact:
        bounds = tuple(sorted(abs(float(each[0, self.at])) for each in (self.paired.low, self.paired.high)))
        return Fact(kind, measure=Fact(f"paired.measures.{self.measure}"), size=self.size, bounds=bounds, **more)


def _shown(found: PairedMeasures | None) -> Shown | None:
    """By the first measure that shows anything."""
    every = (ahead(found, measure) for measure in MEASURES) if found else ()
    return next((each for each in every if each), None)


def ahead(found: PairedMeasures, measure: str, *, is_higher: bool | None = None) -> Shown | None:
    """The surest difference by a measure; ``is_higher``: only those by which the first capture has more, or has less."""
    paired: Paired = getattr(found, measure).overall
    value, holds = paired.value[0], paired.holds[0]
    if is_higher is not None:
        holds = holds & ((value > 0) == is_higher)
    if not holds.any():
        return None
    nearest = np.where(holds, np.minimum(np.abs(paired.low[0]), np.abs(paired.high[0])), -1.0)
    at = int(nearest.argmax())
    margin = float(nearest[at]) / MEASURES[measure]
    return Shown(
        measure=measure, paired=paired, depths=found.depths, at=at, is_higher=bool(value[at] > 0), margin=margin
    )


def of_contexts(model: ModelReport) -> Iterator[Found]:
    """Each context against the first one."""
    first, *others = model.contexts
    for context in others:
        shown = _shown(context.paired.first_context if context.paired else None)
        if shown is None:
            continue
        more, less = (context, first) if shown.is_higher else (first, context)
        names = {"more": more.states.context.label, "fewer": less.states.context.label}
        depth = int(shown.depths[shown.at, 0])
        kind = f"findings.contexts.{shown.measure}"
        yield Found(
            slot="contexts",
            headline=short(
                Fact(kind, where=shown.where(), **names), Fact(kind, where=Fact("findings.depth", depth=depth), **names)
            ),
            evidence=(shown.evidence("findings.higher", depth=depth),),
            model=model,
            context=more,
            depth=depth,
            beside=less,
            margin=shown.margin,
        )


def of_layers(report: Report, model: ModelReport) -> Iterator[Found]:
    """Each capture against untrained layers, and against its embedding."""
    for context in model.contexts:
        if context.paired is None:
            continue
        for name, found in {"untrained": context.paired.untrained, "embedding": context.paired.embedding}.items():
            shown = _shown(found)
            if shown is None:
                continue
            depth, n = int(shown.depths[shown.at, 0]), 1 if shown.of_first.all() else int(shown.of_first.sum())
            kind = f"findings.layers.{shown.measure}"
            values = {
                "context": of_context(report, context.states.context),
                "than": Fact(f"findings.than.{name}"),
                "change": Fact(
                    f"findings.more.{shown.measure}" if shown.is_higher else f"findings.less.{shown.measure}"
                ),
            }
            yield Found(
                slot="layers",
                headline=short(
                    Fact(kind, where=shown.where(), n=n, **values),
                    Fact(kind, where=Fact("findings.depth", depth=depth), n=1, **values),
                ),
                evidence=(shown.evidence("findings.higher" if shown.is_higher else "findings.lower", depth=depth),),
                model=model,
                context=context,
                depth=depth,
                other_depth=0 if name == "embedding" else None,
                margin=shown.margin,
            )


def of_models(report: Report, models: Sequence[ModelReport]) -> Iterator[Found]:
    """Each pair that was compared of which one is among ``models``, the one that has more first; none that is before and after."""
    asked = {model.slug for model in models}
    for each in report.differences:
        is_among = not asked.isdisjoint((each.model_a, each.model_b))
        if is_among and each.changed is None and (shown := _shown(each.paired)):
            yield of_pair(report, each, shown)


def of_pair(report: Report, pair: ModelDifferences, shown: Shown) -> Found:
    """Two models that are shown to differ."""
    index = 0 if shown.is_higher else 1
    slugs = (pair.model_a, pair.model_b)
    more, less = (next(each for each in report.models if each.slug == slugs[place]) for place in (index, 1 - index))
    context = next(each for each in more.contexts if each.states.context.name == pair.context)
    names = {"one": more.name, "other": less.name}
    where_read = of_context(report, context.states.context)
    kind = f"findings.models.{shown.measure}"
    depths = {"depth": int(shown.depths[shown.at, index]), "other_depth": int(shown.depths[shown.at, 1 - index])}
    return Found(
        slot="models",
        headline=Fact(kind, **names, context=where_read, where=Fact("findings.share", share=shown.share())),
        evidence=(shown.evidence("findings.higher_in", **depths, **names),),
        model=more,
        context=context,
        depth=depths["depth"],
        other=less,
        other_depth=depths["other_depth"],
        margin=shown.margin,
    )
