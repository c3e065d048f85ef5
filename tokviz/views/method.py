"""The method page: words, tokens, contexts, projections, provenance, citation."""

from __future__ import annotations

import re
from datetime import datetime

from tokviz.records import ContextReport, ModelReport, Report, Tokenization
from tokviz.view_records import (
    CategoryWords,
    ContextExample,
    Link,
    MethodPage,
    Provenance,
    Row,
    TokenRow,
    TokenTable,
)
from tokviz.views.definitions import measured_on, measures
from tokviz.views.frame import downloads, frame, model_path, relative
from tokviz.views.text import (
    MOST_WORDS_IN_SIGHT,
    READ,
    count,
    day,
    joined,
    projection_term,
    visible_spaces,
)


def method_page(report: Report) -> MethodPage:
    page = "method/index.html"
    captured = [context for model in report.models for context in model.contexts]
    reads = dict.fromkeys(context.states.tokenization.read for context in captured)
    return MethodPage(
        frame=frame(
            report,
            page,
            f"Method · {report.title}",
            f"How the pictures of “{report.title}” were made.",
            scripts=("copy.js",),
        ),
        n_words=count(len(report.words.words), "word"),
        categories=tuple(
            CategoryWords(
                label=category.label,
                words=joined(category.words),
                count=f"{len(category.words):,}",
                beginning=f"{joined(category.words[:5])} …",
                folded=len(category.words) > MOST_WORDS_IN_SIGHT,
            )
            for category in report.words.categories
        ),
        contexts=tuple(
            ContextExample(
                label=context.label,
                template=visible_spaces(context.template),
                example=visible_spaces(context.fill(report.words.words[0])[0]),
            )
            for context in report.contexts
        ),
        token_tables=tuple(_token_table(model, context) for model in report.models for context in model.contexts),
        reading=" ".join(READ[read] for read in reads),
        projections=tuple(projection_term(name) for name in report.projections),
        measures=measures(report),
        measured_on=measured_on(report),
        provenance=tuple(_provenance(model, page) for model in report.models),
        command=report.command,
        downloads=downloads(report, page),
        citation=_bibtex(report, captured),
        version=report.version,
    )


def _token_table(model: ModelReport, context: ContextReport) -> TokenTable:
    tokenization = context.states.tokenization
    several = int((tokenization.n_tokens > 1).sum())
    outside = int((~tokenization.reference).sum())
    return TokenTable(
        heading=f"{model.display_name}, {context.states.context.label}",
        summary=f"{count(len(tokenization.words), 'word')}, {several:,} of several tokens, "
        f"{outside:,} outside the reference words",
        notes=tokenization.notes,
        rows=tuple(_token_row(tokenization, row) for row in range(len(tokenization.words))),
    )


def _token_row(tokenization: Tokenization, row: int) -> TokenRow:
    word = tokenization.words[row]
    return TokenRow(
        word=word.word,
        pieces=word.word_pieces,
        n_tokens=f"{word.n_tokens}",
        position=f"{tokenization.position(row)}",
        note="" if tokenization.reference[row] else "not a reference word",
    )


def _provenance(model: ModelReport, page: str) -> Provenance:
    link = Link(text=model.display_name, href=relative(page, model_path(model.slug)))
    card = model.card
    if card is None:
        rows = (
            Row(label="Source", value=model.source, code=True),
            Row(label="Failed", value=model.failure or "It has not been captured."),
        )
        return Provenance(model=link, rows=rows)
    versions = ", ".join(f"{package} {version}" for package, version in card.versions)
    rows = (
        Row(label="Source", value=card.source, code=True),
        Row(label="Weights’ identity", value=card.identity, code=True),
        *((Row(label="Revision", value=card.revision, code=True),) if card.revision else ()),
        Row(label="Weights on disk", value=card.quantization or card.checkpoint_dtype or "not stated"),
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
