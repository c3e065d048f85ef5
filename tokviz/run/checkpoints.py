"""What is made of a series once its checkpoints are captured: common axes with their plots, and how far they are apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tokviz.config import SeriesConfig
from tokviz.records import (
    Checkpoint,
    Drift,
    Fault,
    ModelPair,
    SeriesReport,
)
from tokviz.run.making import Making
from tokviz.run.plan.pairs import Comparison
from tokviz.run.plan.report import Plan
from tokviz.run.plan.series import SeriesPlan
from tokviz.run.plan.steps import Step, Unmade
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
    reference: int
    projection: str
    faults: tuple[Fault, ...] = ()
    changes: tuple[ModelPair, ...] = ()
    not_compared: tuple[str, ...] = ()


def make_series(config: SeriesConfig, by_slug: Mapping[str, Made], making: Making) -> SeriesMade:
    """Put all checkpoints of a series on common axes, have them drawn, and compare them.

    Parameters
    ----------
    by_slug : all that was made of models and checkpoints.
    """
    plan = making.plan
    made = [by_slug[each.slug] for each in config.models]
    series = _series(config, made, plan)
    for index, misfit in series.misfits.items():
        failed = made[index].plan
        made[index] = Made(plan=failed, failure=f"{failed.model.source}: {misfit}")
    made = [
        each if each.failure else making.guarded(each.plan, partial(_on_axes, index, each, series, making.queue))
        for index, each in enumerate(made)
    ]
    series = _series(config, made, plan)
    on_axes = SeriesMade(config=config, made=tuple(made), reference=series.reference or 0, projection=series.projection)
    if not plan.options.measures:
        return on_axes
    drifts = {f"how far its checkpoints are apart, {name}": series.drift(name) for name in _drifting(series)}
    wanted: dict[str, Step[Any]] = dict(drifts)
    for each in series.changes:
        steps = {"differences of words": each.paired, "what changed": each.changed}
        wanted |= {_named(what, each): step for what, step in steps.items() if step}
    found = plan.steps.meanwhile(wanted, making.helpers, each_alone=True).wait()
    are_known = not any(isinstance(found[name], Unmade) for name in drifts)
    return replace(
        on_axes,
        faults=_faults(series, [found[name] for name in drifts]) if are_known else (),
        changes=tuple(_changes(series, found)),
        not_compared=tuple(
            f"Expected to measure {name}, got {made.reason} on the way; where memory ran out, ask for fewer words or free some"
            for name, made in found.items()
            if isinstance(made, Unmade)
        ),
    )


def _changes(series: SeriesPlan, found: Mapping[str, Any]) -> Iterator[ModelPair]:
    """What changed from one checkpoint to another, as far as it could be made."""
    for each in series.changes:
        paired, changed = (found.get(_named(what, each)) for what in ("differences of words", "what changed"))
        if not any(isinstance(one, Unmade) for one in (paired, changed)):
            yield ModelPair(
                model_a=each.slugs[0],
                model_b=each.slugs[1],
                context=each.context,
                paired=paired,
                changed=changed,
            )


def _named(what: str, compared: Comparison) -> str:
    """What is made, of which context and which checkpoints: a message says so where it can't be made."""
    return f"{what}, {compared.context} ({' and '.join(compared.slugs)})"


def _series(config: SeriesConfig, made: Sequence[Made], plan: Plan) -> SeriesPlan:
    return SeriesPlan.of(config, {each.plan.model.slug: None if each.failure else each.plan for each in made}, plan)


def _on_axes(index: int, made: Made, series: SeriesPlan, queue: PictureQueue) -> Made:
    products: dict[str, Products] = {}
    for key, each in made.products.items():
        name = each.captured.states.context.name
        axes = series.plan.steps(series.axes(index, name))
        pictures = series.pictures(index, name, axes.reference)
        for picture in pictures:
            if picture.due:
                queue.submit(picture.key, picture.picture)
        shown = ((axes.reference, tuple(pictures)), (axes.own, ()))
        products[key] = replace(each, shown=shown, residual=axes.residual)
    return replace(made, products=products)


def _everywhere(series: SeriesPlan) -> tuple[list[str], list[int]]:
    """The contexts, and the checkpoints that were captured in all of them."""
    contexts = [context.name for context in series.plan.config.context_list]
    return contexts, [index for index, each in enumerate(series.checkpoints) if all(name in each for name in contexts)]


def _drifting(series: SeriesPlan) -> list[str]:
    """The contexts in which it matters how far checkpoints are apart."""
    contexts, known = _everywhere(series)
    # Trainings that follow each other, such as a merge of two, need not lead away from each other.
    return contexts if series.config.steps and len(known) > 1 else []


def _faults(series: SeriesPlan, drifts: Sequence[Drift]) -> tuple[Fault, ...]:
    """What is wrong with the checkpoints that were captured everywhere."""
    from tokviz.measure.series import faults

    contexts, known = _everywhere(series)
    if len(known) < 2:
        return ()
    digests = [tuple(series.checkpoints[index][name].states.digest for name in contexts) for index in known]
    found = faults(drifts, digests)
    return tuple(replace(each, checkpoints=tuple(known[place] for place in each.checkpoints)) for each in found)


def report_of(made: SeriesMade, plan: Plan, images: Images) -> SeriesReport:
    """What is published of a series."""
    config = made.config
    left_out = {index for each in made.faults for index in each.left_out}
    checkpoints = tuple(
        Checkpoint(
            key=config.checkpoint_keys[index],
            label=label,
            step=config.steps[index] if config.steps else None,
            model=replace(site.model_report(each, images, plan.options.base, plan.store), name=label),
            residuals=tuple(of.residual for of in each.products.values() if of.residual is not None),
            left_out=index in left_out,
        )
        for index, (label, each) in enumerate(zip(config.checkpoint_labels, made.made, strict=True))
    )
    return SeriesReport(
        slug=config.slug,
        name=config.name,
        unit=config.unit if config.steps else None,
        checkpoints=checkpoints,
        reference=made.reference,
        projection=made.projection,
        wanted_reference=None if made.reference == config.reference else config.reference,
        faults=made.faults,
        changes=made.changes,
        not_compared=tuple(public_text(each, config.models[0], plan.options.base) for each in made.not_compared),
    )
