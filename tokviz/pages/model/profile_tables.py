"""How far models are above chance, what differs between them and how alike they are, as tables for download."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tokviz.config import MOST_MODELS_IN_ALL_PAIRS
from tokviz.pages.text.data_text import csv_text, spreadsheet_safe
from tokviz.records import Difference, LayerSimilarity, ModelDifferences, Report, depth_name

FILES = PROFILE, DIFFERENCES, SIMILARITY = "profile.csv", "differences.csv", "similarity.csv"


@dataclass(frozen=True, kw_only=True)
class ProfileMeasure:
    """A measure as the page names it."""

    label: str
    unit: str
    said: str
    """In a sentence."""
    column: str
    """In a file."""


def measures(report: Report) -> tuple[ProfileMeasure, ...]:
    """In the order of ``Profile.peaks``, and the similarity."""
    others = "others" if sum(bool(model.contexts) for model in report.models) > 2 else "other model"
    if len(report.models) > MOST_MODELS_IN_ALL_PAIRS:
        others = "first model"
    asked = [("relation", "pairs, parallelism", each.label, each.name) for each in report.relations]
    asked += [("order", "order, R²", each.label, each.name) for each in report.orders]
    return (
        ProfileMeasure(label="Purity above chance", unit="1: all neighbors", said="category purity", column="purity"),
        ProfileMeasure(label="Silhouette above chance", unit="of categories", said="silhouette", column="silhouette"),
        *(
            ProfileMeasure(label=label, unit=unit, said=f"the {kind} “{label}”", column=f"{kind} {name}")
            for kind, unit, label, name in asked
        ),
        ProfileMeasure(label=f"Like the {others}", unit="shared neighbors", said="similarity", column="similarity"),
    )


def files(report: Report) -> dict[str, str]:
    """Path from the site's root → text."""
    written = {PROFILE: profile_csv, DIFFERENCES: differences_csv, SIMILARITY: similarity_csv}
    return {path: written[name](report) for name, path in downloads(report).items()}


def downloads(report: Report) -> dict[str, str]:
    """File's name → path from the site's root."""
    has_profiles = any(context.profile for model in report.models for context in model.contexts)
    there = (
        (PROFILE, has_profiles),
        (DIFFERENCES, bool(report.differences)),
        (SIMILARITY, bool(report.similarities)),
    )
    return {name: f"data/{name}" for name, is_there in there if is_there}


def profile_csv(report: Report) -> str:
    """A row per model, context and measure, at the depth where its effect is largest."""
    header = ["model", "model_safe", "context", "measure", "measure_safe", "depth", "layer"]
    return csv_text([*header, "value", "chance", "effect", "announced"], _rows(report))


def _rows(report: Report) -> Iterator[list[Any]]:
    named = measures(report)
    for model in report.models:
        for context in model.contexts:
            for measure, peak in zip(named, context.profile.peaks if context.profile else (), strict=False):
                yield [
                    model.slug,
                    spreadsheet_safe(model.slug),
                    context.states.context.name,
                    measure.column,
                    spreadsheet_safe(measure.column),
                    peak.depth,
                    None if peak.depth is None else depth_name(peak.depth),
                    *(peak.value, peak.chance, peak.effect, peak.is_above_chance),
                ]


def differences_csv(report: Report) -> str:
    """A row per pair of models, context and measure: by how much the effect is larger in the first than in the second.

    As pages do, it announces those alone whose higher model is shown to be above chance itself.
    """
    named = measures(report)
    above = {
        (model.slug, context.states.context.name, index)
        for model in report.models
        for context in model.contexts
        for index, peak in enumerate(context.profile.peaks if context.profile else ())
        if peak.is_above_chance
    }

    def is_said(pair: ModelDifferences, index: int, found: Difference) -> bool:
        return pair.shown[index] and (pair.model_a if found.value > 0 else pair.model_b, pair.context, index) in above

    rows = (
        [
            each.model_a,
            each.model_b,
            each.context,
            measure.column,
            spreadsheet_safe(measure.column),
            found.n,
            found.unit,
            *(found.value, found.error, found.low, found.high, found.claim.p_value[0], is_said(each, index, found)),
        ]
        for each in report.differences
        for index, (measure, found) in enumerate(zip(named, each.differences.all, strict=False))
    )
    header = ["model_a", "model_b", "context", "measure", "measure_safe", "n", "unit", "difference"]
    return csv_text([*header, "standard_error", "low", "high", "p_value", "announced"], rows)


def similarity_csv(report: Report) -> str:
    """A row per pair of models, context, words and measure: the mean best match, and what is left of it with words permuted."""
    rows = (
        [each.model_a, each.model_b, each.context, words, *row]
        for each in report.similarities
        for words, found in (("shared", each.shared), ("one_token", each.single_token))
        if found is not None
        for row in _best_matches(found)
    )
    header = ["model_a", "model_b", "context", "words", "n", "n_compared", "measure", "best_match", "low", "high"]
    return csv_text([*header, "chance", "within_categories", "p_value", "announced"], rows)


def _best_matches(found: LayerSimilarity) -> Iterator[list[Any]]:
    claim = found.beyond_categories
    for index, (measure, best) in enumerate((("cka", found.cka_summary), ("neighbors", found.neighbours_summary))):
        numbers = best.value, best.low, best.high, best.chance, best.within_categories, float(claim.p_value[index])
        yield [found.n_words, found.n_compared, measure, *numbers, claim.holds[index]]
