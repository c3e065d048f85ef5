"""Which definitions of numbers the method page has, in which order, and on how many words they were measured."""

from __future__ import annotations

from tokviz.pages.charts.measures import MEASURES, added_measures, related_measures
from tokviz.pages.text.glossary import (
    CHANCE,
    CORRECTED,
    PROCRUSTES,
    PROFILE,
    SIMILARITY,
    UPDATES,
    intervals,
    stages,
    trustworthiness,
)
from tokviz.pages.text.parts import Term
from tokviz.pages.text.wording import count
from tokviz.records import Geometry, Report

_PLACED = (
    "PC1’s share of the variance",
    "Mean norm",
    "Largest activation ÷ typical",
    "Largest share of one dimension",
    "Category purity",
    "Silhouette",
    "Change from the previous depth",
)
"""Measures whose definitions have their place among the others; those of any other measure follow the first one."""


def _definitions(geometry: Geometry) -> tuple[Term, ...]:
    """With the thresholds that ``geometry`` was measured with."""
    of = {measure.name: measure.definition(geometry) for measure in MEASURES if measure.definition}
    variance, norm, massive, dominant, purity, silhouette, change = (of.pop(name) for name in _PLACED)
    return (
        *(variance, *of.values(), norm, massive, dominant, purity, silhouette),
        *(CHANCE, intervals(geometry), trustworthiness(geometry), change),
        *(PROCRUSTES, stages(geometry), SIMILARITY),
    )


def measures(report: Report) -> tuple[Term, ...]:
    """The definitions, if anything was measured."""
    geometries = _measured(report)
    if not geometries:
        return ()
    geometry = geometries[0]
    contexts = [context for model in report.models for context in model.contexts]
    is_related = any(context.relations for context in contexts)
    related = related_measures(report.relations, report.orders) if is_related else ()
    return (
        *_definitions(geometry),
        *dict.fromkeys(each.definition(geometry) for each in related if each.definition),
        *((CORRECTED,) if is_related else ()),
        *((PROFILE,) if any(context.profile for context in contexts) else ()),
        *(UPDATES if any(context.states.updates for context in contexts) else ()),
        *(each.definition(geometry) for each in added_measures(contexts) if each.definition),
    )


def measured_on(report: Report) -> str:
    """How many words, how many shuffles."""
    geometries = _measured(report)
    if not geometries:
        return ""
    sizes = sorted({(geometry.n_measured, geometry.n_reference) for geometry in geometries})
    fewest, most = sizes[0][0], sizes[-1][0]
    words = count(most, "word") if fewest == most else f"{fewest:,} to {count(most, 'word')}"
    text = f"All metrics are computed on the reference words of a context: {words}."
    if any(measured < reference for measured, reference in sizes):
        compared = max(geometry.n_compared for geometry in geometries)
        text += (
            f" Longer lists are measured on a sample of {most:,}, and stages are found on {compared:,}, "
            f"drawn with seed {geometries[0].seed}."
        )
    if report.words.vocabulary is not None:
        text += " How well categories hold together is measured on the words of categories only."
    return f"{text} Chance is the mean of {count(geometries[0].n_permutations, 'shuffle')}."


def _measured(report: Report) -> list[Geometry]:
    return [context.geometry for model in report.models for context in model.contexts if context.geometry is not None]
