"""Layer × layer similarity of pairs of models as heatmaps, and one number for each pair."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass

import numpy as np

from tokviz.config import MOST_MODELS_IN_ALL_PAIRS
from tokviz.pages.text.wording import UNKNOWN, count, joined_by_and, ranged, score
from tokviz.records import BestMatch, LayerSimilarity, ModelReport, ModelSimilarity, NotCompared, Report, depth_name


@dataclass(frozen=True, kw_only=True)
class Shade:
    """The cells of a heatmap that have one shade, as path data in units of cells."""

    level: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Heatmap:
    """Every depth of one model against every depth of another."""

    title: str
    summary: str
    alt: str
    columns: str
    """How many cells wide."""
    rows: str
    column_ends: tuple[str, str]
    row_ends: tuple[str, str]
    shades: tuple[Shade, ...]
    best: str
    """Path data: a dot at the best match of each depth of the deeper model."""
    x_name: str
    y_name: str


@dataclass(frozen=True, kw_only=True)
class HeatmapRow:
    """The same words, by both measures."""

    label: str
    heatmaps: tuple[Heatmap, ...]
    note: str | None


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two models in one context."""

    heading: str
    sentence: str
    rows: tuple[HeatmapRow, ...]
    folded: bool


@dataclass(frozen=True, kw_only=True)
class SummaryTable:
    """Model × model, one number by each measure."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Layers:
    """All that says how alike models are."""

    notes: tuple[str, ...]
    summaries: tuple[SummaryTable, ...]
    pairs: tuple[Pair, ...]
    failed: tuple[str, ...]
    """Which pairs aren't compared, and why."""
    shades: tuple[str, ...]
    """The levels of a heatmap's scale, for its legend."""


LEVELS = 21
"""Shades of a heatmap: 0, 0.05, … 1."""
MOST_OPEN = 2
"""More pairs than these are folded."""


def layers(report: Report) -> Layers | None:
    """None where no models were to be compared."""
    shown, tables = _pairs(report), _summaries(report)
    failed = tuple(f"{pair_name(report, each)}: {each.failure}." for each in report.not_compared)
    if not shown and not tables and not failed:
        return None
    shades = tuple(str(level) for level in range(LEVELS))
    notes = _notes(report) if shown or tables else ()
    return Layers(notes=notes, summaries=tables, pairs=shown, failed=failed, shades=shades)


def pair_name(report: Report, pair: ModelSimilarity | NotCompared) -> str:
    """``Smol and mini, in a sentence``."""
    names = {model.slug: model.display_name for model in report.models}
    label = next((each.label for each in report.contexts if each.name == pair.context), pair.context)
    return f"{names[pair.model_a]} and {names[pair.model_b]}, {label}"


def _pairs(report: Report) -> tuple[Pair, ...]:
    """Every pair that was compared in detail, in every context; the first ones open."""
    models = {model.slug: model for model in report.models}
    detailed = [(each, each.single_token) for each in report.similarities if each.single_token is not None]
    return tuple(
        _pair(report, similarity, single_token, models, folded=index >= MOST_OPEN)
        for index, (similarity, single_token) in enumerate(detailed)
    )


def _notes(report: Report) -> tuple[str, ...]:
    """What the heatmaps show, and what they rest on."""
    shared = report.similarities[0].shared
    what = (
        "Each cell compares a layer of one model with a layer of the other: are the words arranged alike? Debiased "
        "linear CKA of standardized states is 1 if one arrangement is the other, rotated and scaled, and about 0 if they have nothing in "
        f"common; it needs at least {count(shared.least_words, 'word')}. Mutual neighbors: {_in_common(shared.n_neighbours)}, "
        "by chance k / (n − 1) for k neighbors among n words."
    )
    if len(report.models) > MOST_MODELS_IN_ALL_PAIRS:
        tested = (
            "Of so many models each is compared with the first one, and with others where the author asked for it; in the summary it isn’t "
            "tested whether two are alike beyond categories."
        )
    elif not _are_tested(report):
        tested = "Of so many models it isn’t tested whether any two are alike beyond categories."
    else:
        tested = (
            "A pair is called alike beyond categories if its number is higher than that, over the words of one token in both models (words "
            "that share a token are alike in any two models), by the report’s one rule for what is announced."
        )
    rests = (
        "Only words that are reference words of both models count; if some of them are several tokens in a model, a "
        "second row leaves these out. For each layer of the deeper model, a dot marks its best match in the other. The number of a pair is the mean best "
        "match, each model counting half, with its 95\N{NO-BREAK SPACE}% interval. The best of many is above 0 even for unrelated models, and "
        "categories alone make models alike: so the same number is given with the words of one model permuted, all of them or "
        f"only within categories. {tested}"
    )
    return (what, rests)


def _in_common(k: int) -> str:
    """What mutual neighbors are a share of."""
    if k == 1:
        return "the share of words whose nearest word is the same in both models"
    return f"the share of a word’s {k} nearest words that both models have in common"


def _are_tested(report: Report) -> bool:
    """Whether any models were compared over the words of one token in both."""
    return any(each.single_token is not None for each in report.similarities)


def _summaries(report: Report) -> tuple[SummaryTable, ...]:
    """Model × model, one table per context; only where there are more than two models.

    A column per model that was compared with several.
    """
    slugs = {slug for similarity in report.similarities for slug in (similarity.model_a, similarity.model_b)}
    models = [model for model in report.models if model.slug in slugs]
    if len(models) < 3:
        return ()
    n_all = len(report.models)
    return tuple(
        _summary(models, [each for each in report.similarities if each.context == context.name], context.label, n_all)
        for context in report.contexts
        if any(each.context == context.name for each in report.similarities)
    )


def _summary(models: list[ModelReport], similarities: list[ModelSimilarity], label: str, n_all: int) -> SummaryTable:
    """``n_all``: the models of the report, also those that failed."""
    known = {frozenset((each.model_a, each.model_b)): each.shared for each in similarities}

    columns = models
    if n_all > MOST_MODELS_IN_ALL_PAIRS:  # most of these are compared with the first one only
        n_compared = Counter(slug for pair in known for slug in pair)
        columns = [model for model in models if n_compared[model.slug] > 1]
    # Of few words there is none.
    has_cka = any(np.isfinite(each.cka_summary.value) for each in known.values())

    def cell(row: ModelReport, column: ModelReport) -> str:
        if row is column:
            return ""
        found = known.get(frozenset((row.slug, column.slug)))
        if not found:
            return UNKNOWN
        both = (found.cka_summary, found.neighbours_summary)
        return " · ".join(map(_beside, both if has_cka else both[1:]))

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
    if not np.isfinite(best.value):
        return ""
    return (
        f", with words permuted within categories {score(best.within_categories)}, with all words permuted "
        f"{score(best.chance)}"
    )


def _beyond(layers: LayerSimilarity) -> str:
    """What is announced of a pair, over the words of one token in both."""
    claim = layers.beyond_categories
    if layers.shares_embedding:
        return " Their words have the same embedding, so that layers are alike beyond categories anyway: that isn’t tested."
    if not np.isfinite(claim.score).any():
        return f" Whether they are alike beyond categories isn’t tested{_too_few(layers)}."
    by = [name for name, holds in zip(("CKA", "mutual neighbors"), claim.holds, strict=True) if holds]
    if not by:
        return " They are not shown to be alike beyond categories."
    return f" They are alike beyond categories by {joined_by_and(by)}."


def _too_few(layers: LayerSimilarity) -> str:
    """Why nothing is announced, if there are too few words of one token in both."""
    n_words = layers.n_words
    if n_words >= layers.least_words:
        return ""
    few = (
        f"only {count(n_words, 'reference word')} {'is' if n_words == 1 else 'are'}"
        if n_words
        else "no reference word is"
    )
    return f", as {few} one token in both models"


# --- one pair ------------------------------------------------------------------------------------------------------


def _pair(
    report: Report,
    similarity: ModelSimilarity,
    single_token: LayerSimilarity,
    models: dict[str, ModelReport],
    *,
    folded: bool,
) -> Pair:
    names = [models[slug].display_name for slug in (similarity.model_a, similarity.model_b)]
    same_words = similarity.shared.n_words == single_token.n_words
    shared = _row(count(similarity.shared.n_words, "shared reference word"), similarity.shared, names)
    n_single = count(single_token.n_words, "word")
    single = _row(f"{n_single} of one token in both", single_token, names)
    note = "All of these words are one token in both models."
    only = HeatmapRow(
        label=shared.label, heatmaps=shared.heatmaps, note=f"{shared.note} {note}" if shared.note else note
    )
    is_known = any(np.isfinite(each).any() for each in (single_token.cka, single_token.neighbours))
    rows = (only,) if same_words else (shared, single) if is_known else (shared,)
    return Pair(
        heading=pair_name(report, similarity),
        sentence=_sentence(similarity.shared, single_token),
        rows=rows,
        folded=folded,
    )


def _sentence(layers: LayerSimilarity, single_token: LayerSimilarity) -> str:
    cka, neighbours = layers.cka_summary, layers.neighbours_summary
    return (
        f"Mean best match: CKA {_cka(layers)}{_permuted(cka)}; mutual neighbors {_estimate(neighbours)}{_permuted(neighbours)}."
        f"{_beyond(single_token)}"
    )


def _row(label: str, layers: LayerSimilarity, names: list[str]) -> HeatmapRow:
    note = f"Compared on a sample of {layers.n_compared:,}." if layers.n_compared < layers.n_words else None
    chance = f"; chance {score(layers.chance)}" if np.isfinite(layers.chance) else ""
    within = [
        f"; within categories {score(each.within_categories)}" if np.isfinite(each.value) else ""
        for each in (layers.cka_summary, layers.neighbours_summary)
    ]
    return HeatmapRow(
        label=label,
        heatmaps=(
            _heatmap("CKA", f"{_cka(layers)}{within[0]}", layers.cka, names),
            _heatmap(
                "Mutual neighbors",
                f"{_estimate(layers.neighbours_summary)}{within[1]}{chance}",
                layers.neighbours,
                names,
            ),
        ),
        note=note,
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
        columns=str(n_columns),
        rows=str(n_rows),
        column_ends=("embedding", depth_name(n_columns - 1)),
        row_ends=("embedding", depth_name(n_rows - 1)),
        shades=_shades(matrix),
        best=_best_dots(matrix),
        x_name=x_name,
        y_name=y_name,
    )


def _best_match_text(matrix: np.ndarray, x_name: str, y_name: str) -> str:
    if not np.isfinite(matrix).any():
        return "not defined"
    row, column = np.unravel_index(np.nanargmax(matrix), matrix.shape)
    return (
        f"{depth_name(int(column))} of {x_name} and {depth_name(int(row))} of {y_name} are most alike, "
        f"{score(matrix[row, column])}"
    )


def _shades(matrix: np.ndarray) -> tuple[Shade, ...]:
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
    return tuple(Shade(level=str(level), path="".join(parts)) for level, parts in sorted(paths.items()) if level >= 0)


def _best_dots(matrix: np.ndarray) -> str:
    return "".join(
        f"M{column + 0.5:g} {len(matrix) - 0.5 - int(np.nanargmax(values)):g}h0"
        for column, values in enumerate(matrix.T)
        if np.isfinite(values).any()
    )
