"""Layer × layer similarity of pairs of models as heatmaps, and one number for each pair; of many models on a page of its own."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from tokviz.config import MOST_MODELS_IN_ALL_PAIRS
from tokviz.pages.compare.compare_data import is_large
from tokviz.pages.frame.frame import Frame, Values
from tokviz.pages.text.catalogue import Fact, sentence
from tokviz.pages.text.wording import count, joined_by_and, ranged, score
from tokviz.records import BestMatch, LayerSimilarity, ModelSimilarity, NotCompared, Report, depth_name

PATH = "compare/layers/index.html"
LEVELS = 21
"""Shades of a heatmap: 0, 0.05, … 1."""


def layers_page(report: Report) -> Values | None:
    """The page of its own, in a report of many models; None where the compare page says it, or no models were compared."""
    found = layers(report) if is_large(report) else None
    if found is None:
        return None
    description = "How alike the models arrange the words, layer by layer."
    frame = Frame(report=report, path=PATH, title=f"Layers compared · {report.title}", description=description)
    return Values(frame=frame, layers=found)


def layers(report: Report) -> dict[str, Any] | None:
    """What the template takes of how alike models are; None where no models were to be compared.

    ``shared`` is of the first pair, ``failed`` says which pairs aren't compared, and why.
    """
    if not report.similarities and not report.not_compared:
        return None
    return {
        "shared": report.similarities[0].shared if report.similarities else None,
        "all_pairs": len(report.models) <= MOST_MODELS_IN_ALL_PAIRS,
        "summaries": [*_summaries(report)],
        "pairs": [
            _pair(report, each, each.single_token) for each in report.similarities if each.single_token is not None
        ],
        "failed": [f"{pair_name(report, each)}: {each.failure}." for each in report.not_compared],
    }


def pair_name(report: Report, pair: ModelSimilarity | NotCompared) -> str:
    """``Smol and mini, in a sentence``."""
    label = next((each.label for each in report.contexts if each.name == pair.context), pair.context)
    return f"{joined_by_and(_names(report, pair))}, {label}"


def _names(report: Report, pair: ModelSimilarity | NotCompared) -> list[str]:
    names = {model.slug: model.display_name for model in report.models}
    return [names[pair.model_a], names[pair.model_b]]


def _summaries(report: Report) -> Iterator[dict[str, Any]]:
    """Model × model, a table per context; only where there are more than two models. A column per model that was compared with several.

    ``known``: what was found of two models, by their slugs in both orders; ``has_cka``: of few words there is none.
    """
    slugs = {slug for similarity in report.similarities for slug in (similarity.model_a, similarity.model_b)}
    models = [model for model in report.models if model.slug in slugs]
    all_pairs = len(report.models) <= MOST_MODELS_IN_ALL_PAIRS
    for context in report.contexts if len(models) > 2 else ():
        known = {
            pair: each.shared
            for each in report.similarities
            if each.context == context.name
            for pair in ((each.model_a, each.model_b), (each.model_b, each.model_a))
        }
        n_compared = Counter(slug for slug, _ in known)
        if known:
            yield {
                "label": context.label,
                "has_cka": any(np.isfinite(each.cka_summary.value) for each in known.values()),
                "known": known,
                "columns": [model for model in models if all_pairs or n_compared[model.slug] > 1],
                "rows": models,
            }


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


def _permuted(best: BestMatch) -> Fact | tuple[()]:
    """``, with words permuted within categories 0.47, with all words permuted 0.01``; nothing where it isn't known."""
    if not np.isfinite(best.value):
        return ()
    return Fact("compare.layers.permuted", within=best.within_categories, chance=best.chance)


def _beyond(layers: LayerSimilarity) -> Fact:
    """What is announced of a pair, over the words of one token in both."""
    claim, n_words = layers.beyond_categories, layers.n_words
    if layers.shares_embedding:
        return Fact("compare.layers.same_embedding")
    if not np.isfinite(claim.score).any():
        few = Fact("compare.layers.few", n=n_words) if n_words else Fact("compare.layers.no_word")
        return Fact("compare.layers.not_tested", few=few if n_words < layers.least_words else ())
    by = tuple(name for name, holds in zip(("CKA", "mutual neighbors"), claim.holds, strict=True) if holds)
    return Fact("compare.layers.alike", by=by) if by else Fact("compare.layers.not_shown")


# --- one pair ------------------------------------------------------------------------------------------------------


def _pair(report: Report, similarity: ModelSimilarity, single_token: LayerSimilarity) -> dict[str, Any]:
    shared, names = similarity.shared, _names(report, similarity)
    # Where all words are one token in both models, there is no other row.
    is_single = shared.n_words == single_token.n_words
    is_known = any(np.isfinite(each).any() for each in (single_token.cka, single_token.neighbours))
    rows = [(count(shared.n_words, "shared reference word"), shared)]
    if is_known and not is_single:
        rows.append((f"{count(single_token.n_words, 'word')} of one token in both", single_token))
    stated = Fact(
        "compare.layers.best_match",
        cka=_cka(shared),
        neighbors=_estimate(shared.neighbours_summary),
        permuted=_permuted(shared.cka_summary),
        neighbors_permuted=_permuted(shared.neighbours_summary),
        beyond=_beyond(single_token),
    )
    return {
        "heading": pair_name(report, similarity),
        "sentence": sentence([stated]),
        "is_single_token": is_single,
        "rows": [(label, found, [*_heatmaps(found, names)]) for label, found in rows],
    }


def _heatmaps(found: LayerSimilarity, names: list[str]) -> Iterator[dict[str, Any]]:
    """The same words, by both measures: every depth of one model against every depth of another.

    The deeper one runs along the width, and has a dot at each best match.
    """
    for title, matrix, best, said in (
        ("CKA", found.cka, found.cka_summary, _cka(found)),
        ("Mutual neighbors", found.neighbours, found.neighbours_summary, _estimate(found.neighbours_summary)),
    ):
        is_turned = matrix.shape[0] > matrix.shape[1]
        cells, (y_name, x_name) = (matrix.T, names[::-1]) if is_turned else (matrix, names)
        is_known = np.isfinite(best.value)
        permuted = (
            f"; within categories {score(best.within_categories)}; chance {score(best.chance)}" if is_known else ""
        )
        yield {
            "title": title,
            "summary": said + permuted,
            "alt": f"{title} of {x_name} (across) and {y_name} (up): {_best_match_text(cells, x_name, y_name)}",
            "names": (x_name, y_name),
            "n_depths": cells.shape[::-1],
            "shades": _shades(cells),
            "best": _best_dots(cells),
        }


def _best_match_text(matrix: np.ndarray, x_name: str, y_name: str) -> str:
    if not np.isfinite(matrix).any():
        return "not defined"
    row, column = np.unravel_index(np.nanargmax(matrix), matrix.shape)
    return (
        f"{depth_name(int(column))} of {x_name} and {depth_name(int(row))} of {y_name} are most alike, "
        f"{score(matrix[row, column])}"
    )


def _shades(matrix: np.ndarray) -> dict[int, str]:
    """By shade the cells that have it, as path data in units of cells.

    Runs of one shade in a row become one line, as thick as a cell; the embedding is at the bottom.
    """
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
