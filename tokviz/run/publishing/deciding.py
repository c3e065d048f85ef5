"""What a report announces: decided once, when all of its captures and pairs of models are measured."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from tokviz.records import ContextReport, ModelReport, ModelSimilarity, Report, SeriesReport

Record = TypeVar("Record")
_MEASURES = ("geometry", "relations", "paired", "untrained", "lens")


def decide(report: Report) -> Report:
    """The same report with every claim decided, and the families that they belong to.

    A claim holds among all captures and pairs of the report: one more model may take from what is announced of the others.
    """
    from tokviz.measure.decisions import claims_in, decide, with_decisions

    contexts = [
        each for model in report.all_models for context in model.contexts for each in _with_interventions(context)
    ]
    measures = (getattr(each, name) for each in contexts for name in _MEASURES)
    changes = tuple(each for series in report.series for each in series.changes)
    similarities = tuple(map(_told, report.similarities))
    records = (*measures, similarities, report.differences, changes)
    claims = [each for record in records for each in claims_in(record)]
    families = decide(claims)

    def decided(context: ContextReport) -> ContextReport:
        found = {name: with_decisions(getattr(context, name), families) for name in _MEASURES}
        return replace(context, **found, interventions=tuple(map(decided, context.interventions)))

    def decided_model(model: ModelReport) -> ModelReport:
        return replace(model, contexts=tuple(map(decided, model.contexts)))

    def decided_series(series: SeriesReport) -> SeriesReport:
        return replace(
            series,
            checkpoints=tuple(replace(each, model=decided_model(each.model)) for each in series.checkpoints),
            changes=with_decisions(series.changes, families),
        )

    return replace(
        report,
        models=tuple(map(decided_model, report.models)),
        series=tuple(map(decided_series, report.series)),
        similarities=with_decisions(similarities, families),
        differences=with_decisions(report.differences, families),
        families=tuple(families.values()),
    )


def decide_alone(record: Record) -> Record:
    """A record of measures as if it were all of a report: what is announced of it by itself."""
    from tokviz.measure.decisions import claims_in, decide, with_decisions

    return with_decisions(record, decide(claims_in(record)))


def _told(pair: ModelSimilarity) -> ModelSimilarity:
    """The same, without a test where no page says what came of it, as in the summaries of many models."""
    if pair.single_token is not None:
        return pair
    return replace(pair, shared=replace(pair.shared, beyond_categories=pair.shared.beyond_categories.untold))


def _with_interventions(context: ContextReport) -> tuple[ContextReport, ...]:
    return context, *context.interventions
