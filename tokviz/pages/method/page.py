"""The method page: words, tokens, contexts, projections, provenance, citation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from tokviz.pages.charts.measures import MEASURES, added_measures, lens_measures, related_measures
from tokviz.pages.charts.reading import terms
from tokviz.pages.frame.frame import (
    MOST_MODELS_IN_NAV,
    Frame,
    Values,
    contents,
    downloads,
    model_path,
    relative,
    series_path,
)
from tokviz.pages.model.lens import has_lens
from tokviz.pages.text import extent, glossary, landmarks
from tokviz.pages.text.catalogue import Fact, text
from tokviz.pages.text.extent import words_in_all
from tokviz.pages.text.glossary import term
from tokviz.pages.text.parts import Term
from tokviz.pages.text.wording import MOST_NAMED, MOST_WORDS_IN_SIGHT, count, joined
from tokviz.records import ContextReport, Geometry, ModelReport, Report, Tokenization

MOST_TOKEN_ROWS = 3000
"""In all tables of tokens together. Of more words they show only those that need an explanation, and of these as many: a
page of a hundred thousand rows is of no use, and hard on a phone."""
UPDATES = ("method.updates", "method.neurons", "method.set_to_a_value", "method.loss", "method.attention")
"""Terms on sublayers, and on neurons that write."""
_PLACED = ("explained_variance", "mean_norm", "ratio", "top_share", "purity", "silhouette", "change")
"""Measures whose definitions have their place among the others; those of any other measure follow the first one."""


def method_page(report: Report) -> Values:
    """The method page: words, tokens, projections, definitions, provenance."""
    page = "method/index.html"
    captured = [context for model in report.all_models for context in model.contexts]
    known = [context.states.tokenization for context in captured if context.states.tokenization.is_known]
    contexts = [context for context in report.contexts if context.name not in report.without_template]
    categories = landmarks.marked(report)
    every_word = (*report.words.words, *(word for category in categories for word in category.words))
    measures, files = _measures(report), downloads(report, page)
    citation = None if report.underway else _bibtex(report, captured)
    steps = [
        (replace(each.model, name=f"{series.name}, {each.label}"), relative(page, series_path(series.slug)))
        for series in report.series
        for each in series.checkpoints
    ]
    return Values(
        contents=contents(
            ("Words", "words", True),
            ("Contexts", "contexts", contexts),
            ("Hidden states", "states", contexts),
            ("Projections", "projections", True),
            ("Metrics", "measures", measures),
            ("Terms", "terms", True),
            ("Tokens", "tokens", known),
            ("Provenance", "provenance", True),
            ("Downloads", "downloads", files),
            ("How to cite", "cite", citation),
        ),
        frame=Frame(
            report=report,
            path=page,
            title=f"Method · {report.title}",
            description=f"How the plots of “{report.title}” were made.",
            entries=("contents.js", "copy.js"),
        ),
        n_words=words_in_all(report),
        landmarks=landmarks.missing(report),
        categories=categories,
        most_in_sight=MOST_WORDS_IN_SIGHT,
        contexts=contexts,
        example=every_word[0] if every_word else "word",
        notice=extent.notice(report),
        tokens=[*_tokens(report, page)],
        reading=" ".join({text(_reading(each)): None for each in known}),
        terms=[*_reading_terms(report)],
        trails=[term("method.trails")] if report.is_explorable else [],
        measures=measures,
        measured_on=_measured_on(report),
        glossary=[each for each in glossary.GLOSSARY if each is not glossary.LENS or any(map(has_lens, captured))],
        folded=len(report.all_models) > MOST_MODELS_IN_NAV,
        provenance=[*((model, relative(page, model_path(model.slug))) for model in report.models), *steps],
        downloads=files,
        notebook=next((each.href for each in files if each.text.endswith(".ipynb")), None),
        citation=citation,
    )


def _reading_terms(report: Report) -> Iterator[Term]:
    """How plots are read."""
    has_models = bool(report.models) or not report.series
    yield from (term("method.point"), term("method.components"))
    if has_models:
        yield term("method.from_layer_to_layer")
    if report.series:
        yield term("method.from_one_to_another")
    yield from (term(f"method.projections.{name}") for name in report.projections)
    yield from (term("method.hollow_marks"), term("method.position_0", contexts=_position_0(report)))
    if has_models:
        yield glossary.grid_term(is_partial=extent.last_captured(report) is not None)


def _reading(tokenization: Tokenization) -> Fact:
    """Which token of a word, or of its text, is read."""
    index = tokenization.index
    if index is None:
        return Fact(f"scope.read.{tokenization.read}")
    return Fact("scope.read.index", index=str(index).replace("-", "−"))


def _tokens(report: Report, page: str) -> Iterator[dict[str, Any]]:
    """Of each capture the rows of words that its table shows, how many there are of which kind, and the address of the file with all."""
    every = [(model, each) for model in _told(report) for each in model.contexts if each.states.tokenization.is_known]
    n_rows = sum(len(context.states.tokenization.words) for _, context in every)
    most = MOST_TOKEN_ROWS // len(every) if n_rows > MOST_TOKEN_ROWS else None
    for model, context in every:
        found = context.states.tokenization
        several, outside = found.n_tokens > 1, ~found.reference
        rows = list(range(len(found.words))) if most is None else np.flatnonzero(several | outside)[:most].tolist()
        file = report.downloads.get(f"{model.slug}/{context.states.context.name}/tokens.csv")
        yield {
            "model": model,
            "context": context.states.context,
            "tokenization": found,
            "several": int(several.sum()),
            "outside": int(outside.sum()),
            "rows": rows,
            "file": relative(page, file) if file else None,
        }


def _measures(report: Report) -> tuple[Term, ...]:
    """The definitions, if anything was measured."""
    geometries = _measured(report)
    if not geometries:
        return ()
    contexts = [context for model in _told(report) for context in model.contexts]
    is_related = any(context.relations for context in contexts)
    related = related_measures(report.relations, report.orders) if is_related else ()
    return (
        *_definitions(report, geometries),
        *terms(related, geometries).values(),
        *((term("method.corrected"),) if is_related else ()),
        *((term("method.profile"),) if any(context.profile for context in contexts) else ()),
        *((term("change.method"),) if any(each.changed for each in report.differences) else ()),
        *((term("method.untrained"),) if any(context.untrained for context in contexts) else ()),
        *(terms(lens_measures(()), geometries).values() if any(map(has_lens, contexts)) else ()),
        *((term("method.series"),) if report.series else ()),
        *(map(term, UPDATES) if any(context.states.updates for context in contexts) else ()),
        *terms(added_measures(contexts), geometries).values(),
    )


def _measured_on(report: Report) -> dict[str, Any]:
    """How many words, how many shuffles; empty where nothing was measured."""
    geometries = _measured(report)
    if not geometries:
        return {}
    sizes = sorted((geometry.n_measured, geometry.n_reference) for geometry in geometries)
    return {
        "fewest": sizes[0][0],
        "most": sizes[-1][0],
        "is_sample": any(measured < reference for measured, reference in sizes),
        "compared": max(geometry.n_compared for geometry in geometries),
        "first": geometries[0],
    }


def _measured(report: Report) -> list[Geometry]:
    return [context.geometry for model in _told(report) for context in model.contexts if context.geometry is not None]


def _told(report: Report) -> list[ModelReport]:
    """The models, and of each series one checkpoint: all have the same tokens, and are measured alike."""
    found = list(report.models)
    for series in report.series:
        if series.shown:
            last = series.shown[-1]
            found.append(replace(last.model, name=f"{series.name}, {last.label}"))
    return found


def _definitions(report: Report, geometries: Sequence[Geometry]) -> tuple[Term, ...]:
    """With the thresholds that captures were measured with."""
    of, first = terms(MEASURES, geometries), geometries[0]
    variance, norm, massive, dominant, purity, silhouette, change = (of.pop(name) for name in _PLACED)
    return (
        *(variance, *of.values(), norm, massive, dominant, purity, silhouette),
        term("method.chance"),
        term("method.surface"),
        glossary.decisions(report.families, glossary.family_labels(report)),
        term("method.intervals", first.refit_criteria),
        term("method.trustworthiness", n=tuple(each.n_neighbours for each in geometries)),
        change,
        term("method.procrustes"),
        term("method.stages", first.stage_criteria),
        term("method.similarity"),
    )


def _bibtex(report: Report, captured: list[ContextReport]) -> str:
    dates = [datetime.fromisoformat(context.states.captured_at) for context in captured]
    fields = {"title": f"{{{_bibtex_text(report.title)}}}"}
    if report.author:
        fields["author"] = _bibtex_text(report.author)
    if dates:
        fields["year"] = f"{max(dates).year}"
        fields["month"] = f"{max(dates):%b}".lower()
    if report.site_url:
        fields["url"] = report.site_url
    fields["note"] = f"Made with tokviz {report.version}"
    key = re.sub(r"[^a-z0-9]+", "-", report.title.lower()).strip("-") or "report"
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@misc{{{key},", *lines, "}"])


def _bibtex_text(text: str) -> str:
    return re.sub(r"([\\{}$&%#_])", r"\\\1", text)


def _position_0(report: Report) -> str:
    """Which of the report's words stand there: that depends on tokenizers, some of which begin each text with a token."""
    # Checkpoints of a series have the same tokens.
    of_series = [(each.name, each.shown[-1].model) for each in report.series if each.shown]
    models = [*((model.display_name, model) for model in report.models), *of_series]
    where = []
    for context in report.contexts:
        captured = [
            (name, each.states.tokenization)
            for name, model in models
            for each in model.contexts
            if each.states.context.name == context.name
        ]
        first = [name for name, tokenization in captured if tokenization.reads_position_0]
        if first:
            several = "every model" if len(first) == len(captured) else count(len(first), "model")
            whose = joined(first) if len(first) <= MOST_NAMED else several
            where.append(f"in the context “{context.label}” of {whose}")
    if not where and not all(each.states.tokenization.is_known for _, model in models for each in model.contexts):
        return "Which of this report’s words are read there is not known."
    whole = "In this report" if report.underway is None else "In the models shown so far"
    if not where:
        return f"{whole} no context’s reference words are read there."
    return (
        f"{whole}, the reference words are read at position 0 {'; '.join(where)}. Their plots may show the "
        "position more than the words."
    )
