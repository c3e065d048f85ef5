"""Layer × layer similarity of pairs of models as heatmaps, and one number for each pair."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass

import numpy as np

from tokviz.config import MOST_MODELS_IN_ALL_PAIRS
from tokviz.pages.text.wording import UNKNOWN, count, joined_by_and, ranged, score
from tokviz.records import BestMatch, LayerSimilarity, ModelReport, ModelSimilarity, NotCompared, Report, depth_name

LEVELS = 21
"""Shades of a heatmap: 0, 0.05, … 1."""


@dataclass(frozen=True, kw_only=True)
class Heatmap:
    """Every depth of one model against every depth of another."""

    title: str
    summary: str
    alt: str
    names: tuple[str, str]
    """Of the model along the width, which is the deeper one, and of the other."""
    n_depths: tuple[int, int]
    """Of both."""
    shades: dict[int, str]
    """The cells that have one shade, as path data in units of cells."""
    best: str
    """Path data: a dot at the best match of each depth of the deeper model."""


@dataclass(frozen=True, kw_only=True)
class HeatmapRow:
    """The same words, by both measures."""

    label: str
    heatmaps: tuple[Heatmap, ...]
    is_single_token: bool
    """Whether all of the words are one token in both models, so that there is no other row."""
    n_sampled: int | None
    """Of so many words that not all are compared."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two models in one context."""

    heading: str
    sentence: str
    rows: tuple[HeatmapRow, ...]


@dataclass(frozen=True, kw_only=True)
class SummaryTable:
    """Model × model, one number by each measure."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Layers:
    """All that says how alike models are."""

    shared: LayerSimilarity | None
    """Of the first pair; None where none was compared."""
    all_pairs: bool
    """Whether each model was compared with each other one."""
    are_tested: bool
    """Whether any were compared over the words of one token in both."""
    summaries: tuple[SummaryTable, ...]
    pairs: tuple[Pair, ...]
    failed: tuple[str, ...]
    """Which pairs aren't compared, and why."""


def layers(report: Report) -> Layers | None:
    """None where no models were to be compared."""
    if not report.similarities and not report.not_compared:
        return None
    return Layers(
        shared=report.similarities[0].shared if report.similarities else None,
        all_pairs=len(report.models) <= MOST_MODELS_IN_ALL_PAIRS,
        are_tested=any(each.single_token is not None for each in report.similarities),
        summaries=_summaries(report),
        pairs=tuple(
            _pair(report, each, each.single_token) for each in report.similarities if each.single_token is not None
        ),
        failed=tuple(f"{pair_name(report, each)}: {each.failure}." for each in report.not_compared),
    )


def pair_name(report: Report, pair: ModelSimilarity | NotCompared) -> str:
    """``Smol and mini, in a sentence``."""
    label = next((each.label for each in report.contexts if each.name == pair.context), pair.context)
    return f"{joined_by_and(_names(report, pair))}, {label}"


def _names(report: Report, pair: ModelSimilarity | NotCompared) -> list[str]:
    names = {model.slug: model.display_name for model in report.models}
    return [names[pair.model_a], names[pair.model_b]]


def _summaries(report: Report) -> tuple[SummaryTable, ...]:
    """Model × model, one table per context; only where there are more than two models. A column per model that was compared with several."""
    slugs = {slug for similarity in report.similarities for slug in (similarity.model_a, similarity.model_b)}
    models = [model for model in report.models if model.slug in slugs]
    known = {
        context.label: {
            frozenset((each.model_a, each.model_b)): each.shared
            for each in report.similarities
            if each.context == context.name
        }
        for context in report.contexts
    }
    if len(models) < 3:
        return ()
    all_pairs = len(report.models) <= MOST_MODELS_IN_ALL_PAIRS
    return tuple(_summary(models, label, found, all_pairs=all_pairs) for label, found in known.items() if found)


def _summary(
    models: list[ModelReport], label: str, known: dict[frozenset[str], LayerSimilarity], *, all_pairs: bool
) -> SummaryTable:
    n_compared = Counter(slug for pair in known for slug in pair)
    columns = [model for model in models if all_pairs or n_compared[model.slug] > 1]
    # Of few words there is none.
    has_cka = any(np.isfinite(each.cka_summary.value) for each in known.values())

    def cell(row: ModelReport, column: ModelReport) -> str:
        found = known.get(frozenset((row.slug, column.slug)))
        if row is column or not found:
            return "" if row is column else UNKNOWN
        return " · ".join(map(_beside, (found.cka_summary, found.neighbours_summary)[not has_cka :]))

    return SummaryTable(
        heading=f"{'CKA · mutual' if has_cka else 'Mutual'} neighbors, words {label} (in brackets: words permuted within categories)",
        columns=tuple(model.display_name for model in columns),
        rows=tuple((row.display_name, tuple(cell(row, column) for column in columns)) for row in models),
    )


def _beside(best: BestMatch) -> str:
    """``0.55 (0.47)``."""
    return f"{score(best.value)} ({score(best.within_categories)})" if np.isfinite(best.value) else UNKNOWN


def _cka(layers: LayerSimilarity) -> str:
    summary = layers.cka_summary
    if layers.n_compared < layers.least_words and not np.isfinite(summary.value):
        return f"needs at least {count(layers.least_words, 'word')}"
    return _estimate(summary)


def _estimate(best: BestMatch) -> str:
    if not np.isfinite(best.value):
        return "not defined"
    if not np.isfinite(best.low):
        return score(best.value)
    return f"{score(best.value)} ({ranged(np.array([best.low, best.high]), score)})"


def _permuted(best: BestMatch) -> str:
    """``, with words permuted within categories 0.47, with all words permuted 0.01``."""
    within, chance = score(best.within_categories), score(best.chance)
    known = np.isfinite(best.value)
    return f", with words permuted within categories {within}, with all words permuted {chance}" if known else ""


def _beyond(layers: LayerSimilarity) -> str:
    """What is announced of a pair, over the words of one token in both."""
    claim, n_words = layers.beyond_categories, layers.n_words
    if layers.shares_embedding:
        return " Their words have the same embedding, so that layers are alike beyond categories anyway: that isn’t tested."
    if not np.isfinite(claim.score).any():
        few = f"only {count(n_words, 'reference word')} {'is' if n_words == 1 else 'are'}"
        why = f", as {few if n_words else 'no reference word is'} one token in both models"
        return f" Whether they are alike beyond categories isn’t tested{why if n_words < layers.least_words else ''}."
    by = [name for name, holds in zip(("CKA", "mutual neighbors"), claim.holds, strict=True) if holds]
    return f" They are {f'alike beyond categories by {joined_by_and(by)}' if by else 'not shown to be alike beyond categories'}."


# --- one pair ------------------------------------------------------------------------------------------------------


def _pair(report: Report, similarity: ModelSimilarity, single_token: LayerSimilarity) -> Pair:
    shared, names = similarity.shared, _names(report, similarity)
    of_shared = count(shared.n_words, "shared reference word")
    of_single = f"{count(single_token.n_words, 'word')} of one token in both"
    is_single = shared.n_words == single_token.n_words
    is_known = any(np.isfinite(each).any() for each in (single_token.cka, single_token.neighbours))
    cka, neighbours = shared.cka_summary, shared.neighbours_summary
    return Pair(
        heading=pair_name(report, similarity),
        sentence=f"Mean best match: CKA {_cka(shared)}{_permuted(cka)}; mutual neighbors "
        f"{_estimate(neighbours)}{_permuted(neighbours)}.{_beyond(single_token)}",
        rows=(
            _row(of_shared, shared, names, is_single=is_single),
            *([_row(of_single, single_token, names)] if is_known and not is_single else []),
        ),
    )


def _row(label: str, layers: LayerSimilarity, names: list[str], *, is_single: bool = False) -> HeatmapRow:
    chance = f"; chance {score(layers.chance)}" if np.isfinite(layers.chance) else ""
    within = [
        f"; within categories {score(each.within_categories)}" if np.isfinite(each.value) else ""
        for each in (layers.cka_summary, layers.neighbours_summary)
    ]
    neighbours = f"{_estimate(layers.neighbours_summary)}{within[1]}{chance}"
    return HeatmapRow(
        label=label,
        heatmaps=(
            _heatmap("CKA", f"{_cka(layers)}{within[0]}", layers.cka, names),
            _heatmap("Mutual neighbors", neighbours, layers.neighbours, names),
        ),
        is_single_token=is_single,
        n_sampled=layers.n_compared if layers.n_compared < layers.n_words else None,
    )


def _heatmap(title: str, summary: str, matrix: np.ndarray, names: list[str]) -> Heatmap:
    """The deeper model runs along the width."""
    y_name, x_name = names
    if matrix.shape[0] > matrix.shape[1]:
        matrix, y_name, x_name = matrix.T, x_name, y_name
    n_rows, n_columns = matrix.shape
    return Heatmap(
        title=title,
        summary=summary,
        alt=f"{title} of {x_name} (across) and {y_name} (up): {_best_match_text(matrix, x_name, y_name)}",
        names=(x_name, y_name),
        n_depths=(n_columns, n_rows),
        shades=_shades(matrix),
        best=_best_dots(matrix),
    )


def _best_match_text(matrix: np.ndarray, x_name: str, y_name: str) -> str:
    if not np.isfinite(matrix).any():
        return "not defined"
    row, column = np.unravel_index(np.nanargmax(matrix), matrix.shape)
    return (
        f"{depth_name(int(column))} of {x_name} and {depth_name(int(row))} of {y_name} are most alike, "
        f"{score(matrix[row, column])}"
    )


def _shades(matrix: np.ndarray) -> dict[int, str]:
    """Runs of one shade in a row become one line, as thick as a cell; the embedding is at the bottom."""
    levels = np.where(np.isfinite(matrix), np.rint(np.clip(matrix, 0, 1) * (LEVELS - 1)), -1).astype(int)[::-1]
    n_columns = levels.shape[1]
    paths: dict[int, list[str]] = {}
    ends: dict[int, tuple[int, int]] = {}
    for y, row in enumerate(levels):
        starts = [0, *(np.flatnonzero(np.diff(row)) + 1), n_columns]
        for start, stop in itertools.pairwise(starts):
            level = int(row[start])
            x_before, y_before = ends.get(level, (0, 0))
            move = f"m{start - x_before} {y - y_before}" if level in ends else f"M{start} {y}.5"
            paths.setdefault(level, []).append(f"{move}h{stop - start}")
            ends[level] = (stop, y)
    return {level: "".join(parts) for level, parts in sorted(paths.items()) if level >= 0}


def _best_dots(matrix: np.ndarray) -> str:
    return "".join(
        f"M{column + 0.5:g} {len(matrix) - 0.5 - int(np.nanargmax(values)):g}h0"
        for column, values in enumerate(matrix.T)
        if np.isfinite(values).any()
    )
