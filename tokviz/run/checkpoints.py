"""What is made of a series once its checkpoints are captured: common axes with their plots, and how far they are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tokviz.config import SeriesConfig
from tokviz.records import (
    Checkpoint,
    Differences,
    Drift,
    Fault,
    HiddenStates,
    SeriesReport,
    StepAxes,
)
from tokviz.run.measuring.results import Comparer, recall
from tokviz.run.plan.plan import Plan
from tokviz.run.plan.series import SeriesPlan
from tokviz.run.publishing import site
from tokviz.run.publishing.public import public_text
from tokviz.run.publishing.site import Images, Made, Products
from tokviz.run.work.picture_queue import PictureQueue


@dataclass(frozen=True, kw_only=True)
class SeriesMade:
    """A series, with what is made of its checkpoints."""

    config: SeriesConfig
    made: tuple[Made, ...]
    """Of each checkpoint."""
    residuals: tuple[Mapping[str, np.ndarray], ...]
    """Of each checkpoint ``StepAxes.residual``, by the keys of its products."""
    reference: int
    faults: tuple[Fault, ...] = ()
    growth: tuple[tuple[str, Differences], ...] = ()


def make_series(config: SeriesConfig, by_slug: Mapping[str, Made], plan: Plan, queue: PictureQueue) -> SeriesMade:
    """Put all checkpoints of a series on common axes, have them drawn, and compare them.

    Parameters
    ----------
    by_slug : all that was made of models and checkpoints.
    """
    made = [by_slug[each.slug] for each in config.models]
    series = SeriesPlan.of(config, {each.plan.model.slug: None if each.failure else each.plan for each in made}, plan)
    for index, each in enumerate(made):
        if misfit := series.misfit(index):
            made[index] = Made(plan=each.plan, failure=f"{each.plan.model.source}: {misfit}")
            series = SeriesPlan.of(
                config, {each.plan.model.slug: None if each.failure else each.plan for each in made}, plan
            )
    residuals: list[Mapping[str, np.ndarray]] = []
    for index, each in enumerate(made):
        made[index], found = _on_axes(index, each, series, queue)
        residuals.append(found)
    if plan.options.is_draft:
        return SeriesMade(config=config, made=tuple(made), residuals=tuple(residuals), reference=series.reference or 0)
    faults, left_out = _faults(series)
    shown = [index for index, each in enumerate(series.checkpoints) if each and index not in left_out]
    return SeriesMade(
        config=config,
        made=tuple(made),
        residuals=tuple(residuals),
        reference=series.reference or 0,
        faults=faults,
        growth=tuple(_growth(series, shown)),
    )


def _on_axes(index: int, made: Made, series: SeriesPlan, queue: PictureQueue) -> tuple[Made, Mapping[str, np.ndarray]]:
    """A checkpoint with its plots on common axes."""
    if made.failure:
        return made, {}
    products: dict[str, Products] = {}
    residuals: dict[str, np.ndarray] = {}
    for key, each in made.products.items():
        name = each.captured.states.context.name
        job, own, reference = series.axes(index, name)
        axes = recall(series.plan.store, job, lambda: _step_axes(own.states, reference.states, series.projection))  # noqa: B023 - called at once
        pictures = series.pictures(index, name, axes.reference)
        for picture in pictures:
            if picture.due:
                queue.submit(picture.key, picture.picture)
        products[key] = replace(each, shown=((axes.reference, tuple(pictures)), (axes.own, ())))
        residuals[key] = axes.residual
    return replace(made, products=products), residuals


def _step_axes(states: HiddenStates, reference: HiddenStates, projection: str) -> StepAxes:
    from tokviz.measure.series import step_axes

    return step_axes(states, reference, projection)


def _faults(series: SeriesPlan) -> tuple[tuple[Fault, ...], frozenset[int]]:
    """What is wrong with the checkpoints that were captured everywhere, and which of them are in no chart."""
    from tokviz.measure.series import faults

    contexts = [context.name for context in series.plan.config.context_list]
    known = [index for index, each in enumerate(series.checkpoints) if all(name in each for name in contexts)]
    if len(known) < 2:
        return (), frozenset()
    drifts = [_drift(series, name) for name in contexts]
    digests = [tuple(series.checkpoints[index][name].states.digest for name in contexts) for index in known]
    found = faults(drifts, digests)
    found = tuple(replace(each, checkpoints=tuple(known[place] for place in each.checkpoints)) for each in found)
    return found, left_out(found)


def left_out(faults: Sequence[Fault]) -> frozenset[int]:
    """The checkpoints that have the states of a later one."""
    return frozenset(index for each in faults if each.kind == "same" for index in each.checkpoints[:-1])


def _drift(series: SeriesPlan, context: str) -> Drift:
    def make() -> Drift:
        from tokviz.measure.series import drift

        return drift([each.states for each in inputs])

    job, inputs = series.drift(context)
    return recall(series.plan.store, job, make)


def _growth(series: SeriesPlan, shown: Sequence[int]) -> list[tuple[str, Differences]]:
    if len(shown) < 2:
        return []
    comparer = Comparer(series.plan.store)
    return [
        (name, comparer.differences(series.growth(name, shown[0], shown[-1])))
        for name in series.checkpoints[shown[0]]
        if name in series.checkpoints[shown[-1]]
    ]


def report_of(made: SeriesMade, plan: Plan, images: Images) -> SeriesReport:
    """What is published of a series."""
    config = made.config
    gone = left_out(made.faults)
    checkpoints = []
    for index, (key, label, each) in enumerate(
        zip(config.checkpoint_keys, config.checkpoint_labels, made.made, strict=True)
    ):
        model = site.model_report(each, images, plan.options.base, plan.store)
        checkpoints.append(
            Checkpoint(
                key=key,
                label=label,
                step=config.steps[index] if config.steps else None,
                model=replace(model, name=label)
                if not each.failure
                else replace(model, name=label, failure=public_text(each.failure, each.plan.model, plan.options.base)),
                residuals=tuple(made.residuals[index].values()),
                left_out=index in gone,
            )
        )
    return SeriesReport(
        slug=config.slug,
        name=config.name,
        unit=config.unit if config.steps else None,
        checkpoints=tuple(checkpoints),
        reference=made.reference,
        faults=made.faults,
        growth=made.growth,
    )
