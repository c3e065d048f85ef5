"""What is captured of a model beside a study: with neurons set to a value, or untrained."""

from __future__ import annotations

from contextlib import nullcontext

from tokviz.config import ReportConfig
from tokviz.errors import TokvizError
from tokviz.models import AtHand
from tokviz.run import pipeline
from tokviz.run.plan.plan import Plan
from tokviz.run.store.store import Store
from tokviz.run.work.progress import reporter


def captured_beside(config: ReportConfig, plan: Plan, in_memory: AtHand | None, *, quiet: bool) -> Plan:
    """The plan of a configuration of one model, all that it asks for captured.

    Parameters
    ----------
    plan : of the study, whose store is used.
    in_memory : the model itself, where the caller had loaded it.
    quiet : whether nothing is said.

    Raises
    ------
    TokvizError : the model can't be captured so.
    """
    asked = Plan(config, plan.options, plan.store)
    if not asked.models[0].due:
        return asked
    evaluated = in_memory.evaluated() if in_memory else nullcontext()
    with reporter(quiet=quiet) as progress, evaluated:
        outcome = pipeline.capture_only(config, plan.options, progress)
    if outcome.failures:
        raise TokvizError("; ".join(str(failed.failure) for failed in outcome.failures))
    return Plan(config, plan.options, Store(plan.store.root))
