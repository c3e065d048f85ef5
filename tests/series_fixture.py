"""A series made of synthetic states and placeholder pictures, so that its page can be tested without a model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from report_fixture import ALONE, SENTENCE, model_report, sample_report, word_list

from tokviz.records import Checkpoint, ModelReport, Report, SeriesReport

AXES = ("reference", "own")


def series_report(n_checkpoints: int = 5, n_layers: int = 3) -> Report:
    """No model but one series, of 18 words in two contexts: at its first checkpoint categories hold nowhere, and plots of the ends are
    images.
    """
    words, contexts = word_list(n_categories=3, n_words=6), (ALONE, SENTENCE)
    steps = [0, *(2**power for power in range(4, n_checkpoints + 3))]
    models = [
        model_report(f"grown-step-{step}", f"step {step:,}", n_layers, words, contexts, projections=AXES, measured=True)
        for step in steps
    ]
    models[0] = _without_categories(models[0])
    models[1:-1] = map(_without_images, models[1:-1])
    checkpoints = tuple(
        Checkpoint(
            key=f"step-{step}",
            label=model.name,
            step=step,
            model=model,
            residuals=tuple(np.linspace(0, 0.5, n_layers + 1) for _ in contexts),
        )
        for step, model in zip(steps, models, strict=True)
    )
    series = SeriesReport(
        slug="grown",
        name="Grown",
        unit="steps",
        checkpoints=checkpoints,
        reference=n_checkpoints - 1,
        projection="centered",
    )
    return replace(
        sample_report(),
        subtitle=None,
        words=words,
        contexts=contexts,
        models=(),
        series=(series,),
        downloads={},
    )


def _without_categories(model: ModelReport) -> ModelReport:
    contexts = []
    for context in model.contexts:
        assert context.geometry is not None
        purity = context.geometry.purity
        claim = replace(purity.above_chance, holds=np.zeros_like(purity.above_chance.holds))
        geometry = replace(context.geometry, purity=replace(purity, above_chance=claim))
        contexts.append(replace(context, geometry=geometry))
    return replace(model, contexts=tuple(contexts))


def _without_images(model: ModelReport) -> ModelReport:
    contexts = []
    for context in model.contexts:
        shown = tuple(replace(each, plates=(None,) * len(each.plates)) for each in context.projections)
        contexts.append(replace(context, projections=shown))
    return replace(model, contexts=tuple(contexts))
