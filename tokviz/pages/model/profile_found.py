"""How far the models are above chance, gathered by context and measure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tokviz.config import MOST_MODELS_IN_ALL_PAIRS
from tokviz.records import (
    Context,
    ContextReport,
    Difference,
    ModelReport,
    PairedMeasures,
    Peak,
    Profile,
    Report,
    depth_name,
)
from tokviz.records.measures import effect_of


@dataclass(frozen=True, kw_only=True)
class ProfileMeasure:
    """A measure as the page names it."""

    label: str
    unit: str
    said: str
    """In a sentence."""
    column: str
    """In a file."""


Kind = Literal["above", "chance", "untested"]
"""Shown to be above chance; not shown to be; not asked."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """The effect of one measure in one model; NaN where it isn't known."""

    effect: float
    kind: Kind
    note: str
    """The depth."""

    @property
    def is_known(self) -> bool:
        """Whether there is a number."""
        return math.isfinite(self.effect)


@dataclass(frozen=True, kw_only=True)
class Found:
    """One model in one context; a value per measure."""

    slug: str
    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True, kw_only=True)
class ProfilePair:
    """Two models in one context; a difference per measure but the similarity."""

    a: Found
    b: Found
    differences: tuple[Difference, ...]
    paired: PairedMeasures | None = None


@dataclass(frozen=True, kw_only=True)
class Compared:
    """All models of one context."""

    label: str
    measures: tuple[ProfileMeasure, ...]
    """The last one is the similarity to the others."""
    models: tuple[Found, ...]
    pairs: tuple[ProfilePair, ...]


def compared(report: Report) -> tuple[Compared, ...]:
    """Of each context the models that were measured; contexts without any are left out."""
    found = (_of_context(report, context) for context in report.contexts)
    return tuple(each for each in found if each.models)


def measures(report: Report) -> tuple[ProfileMeasure, ...]:
    """In the order of ``Profile.peaks``, and the similarity."""
    n_models = sum(bool(model.contexts) for model in report.models)
    others = "others" if n_models > 2 else "other model"
    if len(report.models) > MOST_MODELS_IN_ALL_PAIRS:
        others = "first model"
    return (
        ProfileMeasure(label="Purity above chance", unit="1: all neighbors", said="category purity", column="purity"),
        ProfileMeasure(label="Silhouette above chance", unit="of categories", said="silhouette", column="silhouette"),
        *(
            ProfileMeasure(label=each.label, unit=unit, said=f"the {kind} “{each.label}”", column=f"{kind} {each.name}")
            for kind, unit, asked in (
                ("relation", "pairs, parallelism", report.relations),
                ("order", "order, R²", report.orders),
            )
            for each in asked
        ),
        ProfileMeasure(label=f"Like the {others}", unit="shared neighbors", said="similarity", column="similarity"),
    )


def _of_context(report: Report, context: Context) -> Compared:
    models = {
        model.slug: Found(
            slug=model.slug,
            name=model.display_name,
            values=(*_values(report, each, each.profile), _similarity(report, model, context)),
        )
        for model in report.models
        for each in model.contexts
        if each.states.context.name == context.name and each.profile is not None
    }
    pairs = (each for each in report.differences if each.context == context.name)
    return Compared(
        label=context.label,
        measures=measures(report),
        models=tuple(models.values()),
        pairs=tuple(
            ProfilePair(
                a=models[each.model_a], b=models[each.model_b], differences=each.differences.all, paired=each.paired
            )
            for each in pairs
            if {each.model_a, each.model_b} <= models.keys()
        ),
    )


def _values(report: Report, context: ContextReport, profile: Profile) -> tuple[Value, ...]:
    """Relations and orders that weren't measured have no value."""
    n_asked = 0 if context.relations else len(report.relations) + len(report.orders)
    unknown = Value(effect=float("nan"), kind="untested", note="")
    return (*map(_value, profile.peaks), *(unknown,) * n_asked)


def _value(peak: Peak) -> Value:
    return Value(
        effect=peak.effect,
        kind="above" if peak.is_above_chance else "chance",
        note="" if peak.depth is None else depth_name(peak.depth),
    )


def _similarity(report: Report, model: ModelReport, context: Context) -> Value:
    """Mean over the other models; of many the similarity to the first one, which has none itself."""
    first = next(each for each in report.models if each.contexts)
    are_many = len(report.models) > MOST_MODELS_IN_ALL_PAIRS
    pair = {model.slug, first.slug} if are_many else {model.slug}
    known = [
        each.shared
        for each in report.similarities
        if each.context == context.name
        and pair <= {each.model_a, each.model_b}
        and not (are_many and model is first)
        and math.isfinite(each.shared.neighbours_summary.value - each.shared.neighbours_summary.chance)
    ]
    value, chance = (
        np.array([getattr(each.neighbours_summary, name) for each in known]) for name in ("value", "chance")
    )
    effect = float(np.mean(effect_of(value, chance, 1.0))) if known else float("nan")
    return Value(effect=effect, kind="untested", note="")
