"""The method page: words, tokens, contexts, projections, provenance, citation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tokviz.pages.charts.measure import terms
from tokviz.pages.charts.measures import MEASURES, added_measures, lens_measures, related_measures
from tokviz.pages.frame.frame import MOST_MODELS_IN_NAV, contents, downloads, frame, model_path, relative, series_path
from tokviz.pages.model.lens_data import has_lens
from tokviz.pages.text import extent, glossary, landmarks
from tokviz.pages.text.catalogue import text
from tokviz.pages.text.extent import words_in_all
from tokviz.pages.text.facts import Fact
from tokviz.pages.text.families import family_labels
from tokviz.pages.text.glossary import GlossaryEntry, term
from tokviz.pages.text.parts import Frame, Link, Row, Term
from tokviz.pages.text.wording import (
    MOST_WORDS_IN_SIGHT,
    capitalized,
    count,
    day,
    joined,
    shortened,
    visible_spaces,
    weights_format,
    why_not_captured,
)
from tokviz.records import ContextReport, Geometry, ModelReport, Report, Tokenization
from tokviz.text import visible_piece


@dataclass(frozen=True, kw_only=True)
class CategoryWords:
    """The words of one category."""

    label: str
    words: str
    count: str
    beginning: str
    """The first words, in place of a folded list."""
    folded: bool


@dataclass(frozen=True, kw_only=True)
class ContextExample:
    """A context, its templates with leading and trailing spaces made visible, and what it gives for one word."""

    label: str
    templates: tuple[str, ...]
    """The one that is drawn first."""
    example: str


@dataclass(frozen=True, kw_only=True)
class TokenRow:
    """How one word is tokenised."""

    word: str
    pieces: tuple[str, ...]
    n_tokens: str
    position: str
    note: str


@dataclass(frozen=True, kw_only=True)
class TokenTable:
    """How the words of one model × context are tokenised."""

    heading: str
    """``SmolLM2-135M-Instruct, alone``."""
    summary: str
    notes: tuple[str, ...]
    rows: tuple[TokenRow, ...]
    rest: str | None
    """Which words aren't shown, up to the name of the file that has them all; None when there are none."""
    file: Link | None


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a model’s numbers come from."""

    model: Link
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MethodPage:
    """All that the method page shows."""

    frame: Frame
    contents: tuple[Link, ...]
    n_words: str
    categories: tuple[CategoryWords, ...]
    contexts: tuple[ContextExample, ...]
    notice: str
    """Which layers were captured; empty where all were."""
    token_tables: tuple[TokenTable, ...]
    reading: str
    """Which of a word's tokens is read, as a sentence."""
    projections: tuple[Term, ...]
    trails: tuple[Term, ...]
    """What the explorer's trails join; empty where there is no explorer."""
    measures: tuple[Term, ...]
    """Empty when nothing has been measured."""
    measured_on: str
    glossary: tuple[GlossaryEntry, ...]
    """The terms that other pages explain where they first stand."""
    provenance: tuple[Provenance, ...]
    folded: bool
    """Whether what there is per model is folded: there are many."""
    command: str
    downloads: tuple[Link, ...]
    citation: str
    version: str

    @property
    def has_templates(self) -> bool:
        """Whether a context has several."""
        return any(len(each.templates) > 1 for each in self.contexts)


MOST_TOKEN_ROWS = 3000
"""In all tables of tokens together. Of more words they show only those that need an explanation, and of these as many: a
page of a hundred thousand rows is of no use, and hard on a phone."""
MOST_WORDS_OF_A_CATEGORY = 1000
UPDATES = ("method.updates", "method.neurons", "method.set_to_a_value", "method.loss", "method.attention")
"""Terms on sublayers, and on neurons that write."""
_PLACED = (
    "explained_variance",
    "mean_norm",
    "ratio",
    "top_share",
    "purity",
    "silhouette",
    "change",
)
"""Measures whose definitions have their place among the others; those of any other measure follow the first one."""


def method_page(report: Report) -> MethodPage:
    """The method page: words, tokens, projections, definitions, provenance."""
    page = "method/index.html"
    captured = [context for model in report.all_models for context in model.contexts]
    known = [context.states.tokenization for context in captured if context.states.tokenization.is_known]
    reads = dict.fromkeys(tokenization.read for tokenization in known)
    contexts = _contexts(report)
    measures, files = _measures(report), downloads(report, page)
    return MethodPage(
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
            ("How to cite", "cite", True),
        ),
        frame=frame(
            report,
            page,
            f"Method · {report.title}",
            f"How the plots of “{report.title}” were made.",
            scripts=("contents.js", "copy.js"),
        ),
        n_words=_n_words(report),
        categories=tuple(
            CategoryWords(
                label=category.label,
                words=shortened(category.words, MOST_WORDS_OF_A_CATEGORY),
                count=f"{len(category.words):,}",
                beginning=f"{joined(category.words[:5])} …",
                folded=len(category.words) > MOST_WORDS_IN_SIGHT,
            )
            for category in landmarks.marked(report)
        ),
        contexts=contexts,
        notice=extent.notice(report),
        token_tables=_token_tables(report, page),
        reading=" ".join(text(Fact(f"scope.read.{read}")) for read in reads),
        projections=tuple(glossary.projection_term(name) for name in report.projections),
        trails=(term("method.trails"),) if report.is_explorable else (),
        measures=measures,
        measured_on=_measured_on(report),
        glossary=tuple(each for each in glossary.GLOSSARY if each is not glossary.LENS or any(map(has_lens, captured))),
        folded=len(report.all_models) > MOST_MODELS_IN_NAV,
        provenance=(
            *(_provenance(model, page, model_path(model.slug)) for model in report.models),
            *(
                _provenance(replace(each.model, name=f"{series.name}, {each.label}"), page, series_path(series.slug))
                for series in report.series
                for each in series.checkpoints
            ),
        ),
        command=report.command,
        downloads=files,
        citation=_bibtex(report, captured),
        version=report.version,
    )


def _contexts(report: Report) -> tuple[ContextExample, ...]:
    return tuple(
        ContextExample(
            label=context.label,
            templates=tuple(map(visible_spaces, context.templates)),
            example=visible_spaces(context.fill(_example(report))[0]),
        )
        for context in report.contexts
        if context.name not in report.without_template
    )


def _n_words(report: Report) -> str:
    words = words_in_all(report)
    if report.words.vocabulary is None:
        return f"{words}, each in at least one category:"
    nowhere, is_partial = landmarks.missing(report)
    without = f" No token stands for {shortened(nowhere, MOST_WORDS_IN_SIGHT)}." if nowhere else ""
    where = ", where a model has a token for them" if is_partial else ""
    named = f" Marked and named in the plots{where}:" if landmarks.marked(report) else ""
    return f"{capitalized(words)}, each fed as that one token; vocabularies have no explorer.{without}{named}"


def _example(report: Report) -> str:
    """The first word, whatever it is a word of."""
    words = [*report.words.words, *(word for category in landmarks.marked(report) for word in category.words)]
    return words[0] if words else "word"


def _token_tables(report: Report, page: str) -> tuple[TokenTable, ...]:
    every = [(model, context) for model in _told(report) for context in model.contexts]
    tables = [(model, context) for model, context in every if context.states.tokenization.is_known]
    n_rows = sum(len(context.states.tokenization.words) for _, context in tables)
    most = MOST_TOKEN_ROWS // len(tables) if n_rows > MOST_TOKEN_ROWS else None
    return tuple(_token_table(report, model, context, page, most) for model, context in tables)


def _token_table(report: Report, model: ModelReport, context: ContextReport, page: str, most: int | None) -> TokenTable:
    tokenization = context.states.tokenization
    rows = range(len(tokenization.words))
    shown: Sequence[int] = rows
    if most is not None:
        odd = [row for row in rows if tokenization.n_tokens[row] > 1 or not tokenization.reference[row]]
        shown = odd[:most]
    file = report.downloads.get(f"{model.slug}/{context.states.context.name}/tokens.csv")
    several = int((tokenization.n_tokens > 1).sum())
    outside = int((~tokenization.reference).sum())
    return TokenTable(
        heading=f"{model.display_name}, {context.states.context.label}",
        summary=f"{count(len(tokenization.words), 'word')}, {several:,} of several tokens, "
        f"{outside:,} outside the reference words",
        notes=tokenization.notes,
        rows=tuple(_token_row(tokenization, row) for row in shown),
        rest=None
        if len(shown) == len(rows)
        else f"Shown: {len(shown):,} of the words of several tokens or outside the reference words. All words are in",
        file=Link(text="tokens.csv", href=relative(page, file)) if file else None,
    )


def _token_row(tokenization: Tokenization, row: int) -> TokenRow:
    word = tokenization.words[row]
    return TokenRow(
        word=word.word,
        pieces=tuple(visible_piece(piece) for piece in word.word_pieces),
        n_tokens=f"{word.n_tokens}",
        position=f"{tokenization.position(row)}",
        note="" if tokenization.reference[row] else "not a reference word",
    )


def _measures(report: Report) -> tuple[Term, ...]:
    """The definitions, if anything was measured."""
    geometries = _measured(report)
    if not geometries:
        return ()
    geometry = geometries[0]
    contexts = [context for model in _told(report) for context in model.contexts]
    is_related = any(context.relations for context in contexts)
    related = related_measures(report.relations, report.orders) if is_related else ()
    return (
        *_definitions(report, geometry),
        *terms(related, geometry).values(),
        *((term("method.corrected"),) if is_related else ()),
        *((term("method.profile"),) if any(context.profile for context in contexts) else ()),
        *((term("method.untrained"),) if any(context.untrained for context in contexts) else ()),
        *(terms(lens_measures(()), geometry).values() if any(map(has_lens, contexts)) else ()),
        *((term("method.series"),) if report.series else ()),
        *(map(term, UPDATES) if any(context.states.updates for context in contexts) else ()),
        *terms(added_measures(contexts), geometry).values(),
    )


def _measured_on(report: Report) -> str:
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
    return [context.geometry for model in _told(report) for context in model.contexts if context.geometry is not None]


def _told(report: Report) -> list[ModelReport]:
    """The models, and of each series one checkpoint: all have the same tokens, and are measured alike."""
    found = list(report.models)
    for series in report.series:
        if series.shown:
            last = series.shown[-1]
            found.append(replace(last.model, name=f"{series.name}, {last.label}"))
    return found


def _definitions(report: Report, geometry: Geometry) -> tuple[Term, ...]:
    """With the thresholds that ``geometry`` was measured with."""
    of = terms(MEASURES, geometry)
    variance, norm, massive, dominant, purity, silhouette, change = (of.pop(name) for name in _PLACED)
    return (
        *(variance, *of.values(), norm, massive, dominant, purity, silhouette),
        term("method.chance"),
        term("method.surface"),
        glossary.decisions(report.families, family_labels(report)),
        glossary.intervals(geometry),
        term("method.trustworthiness", n=geometry.n_neighbours),
        change,
        term("method.procrustes"),
        glossary.stages(geometry),
        term("method.similarity"),
    )


def _provenance(model: ModelReport, page: str, path: str) -> Provenance:
    """``path``: of the page that shows it."""
    link = Link(text=model.display_name, href=relative(page, path))
    card = model.card
    if card is None:
        rows = (
            Row(label="Source", value=model.source, code=True),
            Row(label="Failed", value=why_not_captured(model)),
        )
        return Provenance(model=link, rows=rows)
    versions = ", ".join(f"{package} {version}" for package, version in card.versions)
    rows = (
        Row(label="Source", value=card.source, code=True),
        Row(label="Weights’ identity", value=card.identity, code=True),
        *((Row(label="Revision", value=card.revision, code=True),) if card.revision else ()),
        Row(label="Weights on disk", value=weights_format(card)),
        Row(label="Computed in", value=card.dtype),
        Row(label="Captured", value=day(model.contexts[0].states.captured_at)),
        *((Row(label="Software", value=versions),) if versions else ()),
    )
    return Provenance(model=link, rows=rows, notes=card.notes)


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
