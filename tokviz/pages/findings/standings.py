"""Which models are shown to differ, in each context by one measure, and what is said of all of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tokviz.config import MOST_MODELS_IN_ALL_PAIRS
from tokviz.pages.findings.differences import MEASURES, Shown, ahead, of_pair
from tokviz.pages.findings.words import of_context
from tokviz.pages.text import catalogue, paired_facts
from tokviz.pages.text.catalogue import Fact
from tokviz.records import Context, ModelDifferences, ModelReport, PairedMeasures, Report


@dataclass(frozen=True, kw_only=True)
class Lead:
    """One model that is shown ahead of another, at the depths where that is surest."""

    pair: ModelDifferences
    shown: Shown

    @property
    def share(self) -> float:
        """Of the way through the layers, where it is."""
        deeper = self.shown.depths[:, self.shown.depths[-1].argmax()]
        return float(deeper[self.shown.at] / max(1, deeper[-1]))


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The models of one context that were compared word by word."""

    context: Context
    measure: str
    """The first one by which any of them differ; category purity where none do."""
    models: tuple[ModelReport, ...]
    """In the report's order."""
    pairs: Mapping[tuple[str, str], ModelDifferences]
    """By the slugs of the first and the second."""

    def ahead(self, one: ModelReport, other: ModelReport) -> Lead | None:
        """Where the first is shown to have more than the second."""
        for slugs in ((one.slug, other.slug), (other.slug, one.slug)):
            pair = self.pairs.get(slugs)
            is_higher = slugs[0] == one.slug
            if pair and pair.paired and (shown := ahead(pair.paired, self.measure, is_higher=is_higher)):
                return Lead(pair=pair, shown=shown)
        return None

    def compared(self, one: ModelReport, other: ModelReport) -> PairedMeasures | None:
        """What was tested of two models; None where that wasn't, or could not be with so few words."""
        pair = self.pairs.get((one.slug, other.slug)) or self.pairs.get((other.slug, one.slug))
        found = pair.paired if pair else None
        return found if found and not getattr(found, self.measure).overall.is_too_few[0] else None

    @cached_property
    def leads(self) -> tuple[Lead, ...]:
        """All that are shown, the surest first."""
        found = (
            Lead(pair=pair, shown=shown)
            for pair in self.pairs.values()
            for is_higher in (True, False)
            if pair.paired and (shown := ahead(pair.paired, self.measure, is_higher=is_higher))
        )
        return tuple(sorted(found, key=lambda lead: -lead.shown.margin))

    @property
    def said(self) -> str:
        """``category purity``."""
        return catalogue.text(Fact(f"paired.measures.{self.measure}"))

    @property
    def reference(self) -> ModelReport:
        """The one that others are held against: it is in most pairs; of equal ones the first."""
        n_pairs = Counter(slug for slugs in self.pairs for slug in slugs)
        return max(self.models, key=lambda model: n_pairs[model.slug])


def standings(report: Report) -> tuple[Standing, ...]:
    """One for each context in which any two models were compared word by word."""
    found = []
    for context in report.contexts:
        compared = [each for each in report.differences if each.context == context.name and each.paired]
        pairs = {(each.model_a, each.model_b): each for each in compared}
        models = tuple(
            model for model in report.models if any(each.states.context.name == context.name for each in model.contexts)
        )
        every = [Standing(context=context, measure=each, models=models, pairs=pairs) for each in MEASURES]
        if pairs:
            found.append(next((each for each in every if each.leads), every[0]))
    return tuple(found)


def told(report: Report, standing: Standing) -> tuple[str, str]:
    """The one sentence on a context, and what it rests on: of two models, of several, or of many against one."""
    evidence = ""
    if standing.leads:
        surest = standing.leads[0]
        found = of_pair(report, surest.pair, surest.shown)
        if len(standing.models) == 2:
            return found.sentence, found.said
        evidence = found.said
    elif len(standing.models) == 2:
        (pair,) = standing.pairs.values()
        assert pair.paired is not None
        one, other = (
            next(each for each in standing.models if each.slug == slug) for slug in next(iter(standing.pairs))
        )
        said = paired_facts.of_models(report, pair.paired, (one.name, other.name))
        # Beside what is said of other words.
        return (f"Words {standing.context.label}.", said) if len(report.contexts) > 1 else (said, "")
    many = len(report.models) > MOST_MODELS_IN_ALL_PAIRS
    fact = _against_one(report, standing) if many else _of_several(report, standing)
    return catalogue.sentence([fact]), evidence


def _of_several(report: Report, standing: Standing) -> Fact:
    """Who is shown ahead of most others, and nowhere behind any."""
    models = standing.models
    behind = {one.slug: [other for other in models if standing.ahead(one, other)] for one in models}
    beaten = {other.slug for others in behind.values() for other in others}
    undefeated = [model for model in models if behind[model.slug] and model.slug not in beaten]
    kind, context = f"findings.standing.{standing.measure}", of_context(report, standing.context)
    if not undefeated:
        return Fact(f"{kind}_{'divided' if beaten else 'none'}", context=context)
    best = max(undefeated, key=lambda model: len(behind[model.slug]))
    others = [each for each in models if each is not best and each not in behind[best.slug]]
    tested = [each for each in others if standing.compared(best, each)]
    return Fact(
        kind,
        context=context,
        best=best.name,
        behind=_further("these", behind[best.slug]) if others else Fact("findings.standing.every_other"),
        apart=_further("apart", tested),
        untested=_further("untested", [each for each in others if each not in tested]),
    )


def _against_one(report: Report, standing: Standing) -> Fact:
    """How many are shown to have more or less than the one that they are held against."""
    reference = standing.reference
    others = [each for each in standing.models if each is not reference and standing.compared(reference, each)]
    more = [each.slug for each in others if standing.ahead(each, reference)]
    less = [each.slug for each in others if standing.ahead(reference, each)]
    if not more and not less:
        return Fact("findings.standing.purity_none", context=of_context(report, standing.context))
    return Fact(
        f"findings.standing.{standing.measure}_counts",
        context=of_context(report, standing.context),
        of=len(others),
        reference=reference.name,
        more=len(more),
        less=len(less),
        rest=len(others) - len({*more, *less}),
    )


def _further(kind: str, models: Sequence[ModelReport]) -> Fact | str:
    return Fact(f"findings.standing.{kind}", names=[model.name for model in models]) if models else ""
