"""What is known of each word at each depth: a heat map of words by category, and the scripts with its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from tokviz.pages.frame.frame import data_path, relative
from tokviz.pages.frame.index import context_entry, data_folder
from tokviz.pages.text import data_text
from tokviz.pages.text.catalogue import Fact, sentence
from tokviz.records import ContextReport, ModelReport, Report, WordList, WordScores

SCRIPT = "word-map.js"


def has_scores(context: ContextReport) -> bool:
    """Whether anything is known of a word."""
    scores = context.same_category
    return scores is not None and bool((scores.values != scores.UNKNOWN).any())


def word_map(report: Report, model: ModelReport, page: str) -> dict[str, Any] | None:
    """What the template takes of a model: with its captures, the one that is shown first; None where nothing is known of any word."""
    shown = _in_order(model)
    if not shown:
        return None
    data = {
        "slug": model.slug,
        "folder": data_folder(model, page),
        "words": relative(page, "data/words.js"),
        "captures": [{**context_entry(each), "neighbours": each.neighbours is not None} for each in shown],
    }
    # The script is fetched when the map is near.
    own = {"captures": shown, "script": f"assets/{SCRIPT}", "data": data_text.embedded(data)}
    return {**_section(report, shown[0]), **own}


def explorer_map(report: Report) -> dict[str, Any] | None:
    """The same for the explorer, whose scripts say what it shows."""
    known = (context for model in report.models for context in model.captures if has_scores(context))
    first = next(known, None)
    return None if first is None else {**_section(report, first), "captures": (), "script": None, "data": None}


def _section(report: Report, context: ContextReport) -> dict[str, Any]:
    """Its rows are the categories that have words, by their numbers; they open where words have rows, too."""
    words = report.words.of(context.states.tokenization)
    used = {category for own in words.memberships for category in own}
    return {
        "captions": [sentence([each]) for each in _captions(report, context, words)],
        "rows": [(index, category.label) for index, category in enumerate(words.categories) if index in used],
        "has_words": _has_words(report),
    }


def _captions(report: Report, context: ContextReport, words: WordList) -> Iterator[Fact]:
    """What a cell is, which words count, and why words have no rows."""
    scores = context.same_category
    if scores is None:
        return
    counted = (scores.values != scores.UNKNOWN).any(axis=0)
    if scores.most > 1:
        # Of a long list and of a vocabulary those with a count are compared among themselves.
        beside = np.ones_like(counted) if context.neighbours is not None and words.vocabulary is None else counted
        mean = scores.most * _shared_by_chance(words, counted, beside)
        chance = Fact("model.map.chance", n=scores.most, mean=f"{mean:.1f}")
        yield Fact("model.map.cell", shows=Fact("model.map.several", n=scores.most), chance=chance)
    else:
        yield Fact("model.map.cell", shows=Fact("model.map.nearest"), chance=())
    if _has_words(report):
        return
    n_counted, n_words = int(counted.sum()), len(words.words)
    if words.vocabulary is not None:
        yield Fact("model.map.tokens", n=n_counted)
    else:
        sampled = Fact("model.map.sampled", n=n_counted) if n_counted < n_words else ()
        yield Fact("model.map.no_rows", n=n_words, sampled=sampled)


def _shared_by_chance(words: WordList, counted: np.ndarray, beside: np.ndarray) -> float:
    """The share of words drawn at random among others that have a word's category, on average over words.

    Parameters
    ----------
    counted, beside : ``(n_words,)`` bool: the words, and those among which others are drawn.
    """
    of_counted, of_beside = (
        Counter(own for own, is_of in zip(words.memberships, which, strict=True) if is_of)
        for which in (counted, beside)
    )
    n_shared = sum(
        n * (sum(m for other, m in of_beside.items() if not set(own).isdisjoint(other)) - 1)
        for own, n in of_counted.items()
    )
    n_pairs = int(counted.sum()) * (int(beside.sum()) - 1)
    return n_shared / n_pairs if n_pairs else 0.0


def _has_words(report: Report) -> bool:
    return report.is_explorable and len(report.words.words) <= WordScores.MOST_ROWS


def _in_order(model: ModelReport) -> list[ContextReport]:
    """The captures with plots of which something is known: the context with a break first, then the same changed, then the others."""
    known = [each for each in model.drawn if has_scores(each)]
    contexts = [each for each in known if each.rule is None]
    changed = [each for each in known if each.rule is not None]
    if not contexts:
        return []
    broken = [each for each in contexts if any(each.interventions)]
    first = (broken or contexts)[0]
    return [first, *changed, *(each for each in contexts if each is not first)]


# --- the scripts with the numbers ------------------------------------------------------------------------------------


def files(report: Report) -> dict[str, str]:
    """Path from the site's root → script, for every capture that readers may choose and something is known of."""
    return {
        f"{data_path(model.slug, name)}/scores.js": data_text.script(
            f"{model.slug}/{name} scores", _scores(context, report.words.of(context.states.tokenization), report)
        )
        for model in report.models
        for context in model.captures
        if has_scores(context)
        for name in [context.states.context.name]
    }


def _scores(context: ContextReport, words: WordList, report: Report) -> dict[str, Any]:
    """A word's scores are characters, from ``0`` on; a space where there is none."""
    scores, geometry = context.same_category, context.geometry
    if scores is None:
        return {}
    means = scores.category_means(words)
    of_words = (row.tolist() for row in scores.values.T)
    return {
        "most": scores.most,
        "last": context.states.n_depths - 1,
        "stages": [stage.first_depth for stage in geometry.stages] if geometry else [],
        "mark": geometry.massive.emergence_depth if geometry else None,
        "categories": [[None if np.isnan(value) else round(float(value), 2) for value in row] for row in means],
        "words": ["".join(" " if value < 0 else chr(48 + value) for value in row) for row in of_words]
        if _has_words(report)
        else None,
    }
