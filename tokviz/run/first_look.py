"""A first look at a report that is still being made: plots of the models that are captured first, in one projection.

It is a report of its own, of what the whole one has too: nothing is made for it that the whole one doesn't use. It announces
nothing, as what is announced is decided over all that a report measures.
"""

from __future__ import annotations

from dataclasses import replace

from tokviz import models
from tokviz.config import ModelConfig, ReportConfig
from tokviz.run.plan.report import Plan
from tokviz.run.publishing import manifest

SECONDS = 60.0
"""After which no further model is captured for it, and the least until it is made again with further ones."""
SHARE = 0.05
"""Of the time that may go into making it again."""


def is_due(plan: Plan) -> bool:
    """Whether one is asked for, and a model of it must be captured, or an earlier one stands, perhaps of another report."""
    options = plan.options
    if not options.early or not options.measures or options.force or options.place.is_cluster:
        return False
    slugs = {each.slug for each in _shown(plan)}
    is_old = bool(slugs) and manifest.is_unfinished(options.output)
    return is_old or not slugs.isdisjoint(each.model.slug for each in plan.models if each.due)


def of(plan: Plan) -> Plan:
    """The plan of the look."""
    return Plan(
        _config(plan.config, _shown(plan)),
        replace(plan.options, is_first_look=True, forms=("wide",), excerpts=False, cards=False),
        plan.store,
    )


def _shown(plan: Plan) -> list[ModelConfig]:
    """Without those that would be downloaded once more for the rest."""
    return [each for each in plan.config.models if not models.is_downloaded_apart(each, plan.options.base)]


def _config(config: ReportConfig, shown: list[ModelConfig]) -> ReportConfig:
    """Without the author's own words, which may speak of what isn't there yet."""
    without_notes = [each.model_copy(update={"note": None, "notes": {}}) for each in shown]
    return config.model_copy(
        update={
            "models": without_notes,
            "series": [],
            "projections": config.projections[:1],
            "compare": None,
            "changes": None,
            "intro": None,
            "subtitle": None,
            "description": None,
            "finding": None,
        }
    )
