"""A model's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tokviz.pages.charts.curves import model_charts
from tokviz.pages.charts.measures import related_measures
from tokviz.pages.charts.word_by_word import difference_charts
from tokviz.pages.findings.chosen import findings
from tokviz.pages.findings.lines import Line, lines
from tokviz.pages.frame.frame import Frame, contents, downloads, model_path, relative
from tokviz.pages.frame.index import context_entry, data_folder, drawings, model_entry, projection_entry
from tokviz.pages.frame.pictures import Shown, grid_id, panels, slide_id
from tokviz.pages.model.batches import batch_notes
from tokviz.pages.model.difference import difference
from tokviz.pages.model.lens import LensSection, lens_section
from tokviz.pages.model.nearest import NearestWords, nearest_words
from tokviz.pages.model.profile_found import measures
from tokviz.pages.model.related_data import SCRIPT as CHOICE_SCRIPT
from tokviz.pages.model.related_data import choices
from tokviz.pages.model.relations import RelatedSection, related_section
from tokviz.pages.model.story import Story, stage_id, stories
from tokviz.pages.model.word_map import WordMap, word_map
from tokviz.pages.model.writers import WritersSection, writers_section
from tokviz.pages.text import extent, paired_facts
from tokviz.pages.text.extent import undrawn_note
from tokviz.pages.text.glossary import grid_term
from tokviz.pages.text.landmarks import without_token
from tokviz.pages.text.parts import Link, Option
from tokviz.pages.text.without_training import untrained_sentences
from tokviz.pages.text.wording import (
    MOST_WORDS_IN_SIGHT,
    count,
    day,
    outside_reference,
    projection_label,
    shortened,
    weights_format,
)
from tokviz.records import ModelCard, ModelReport, Report, Tokenization, WordList
from tokviz.text import isolated


@dataclass(frozen=True, kw_only=True)
class Words:
    """Some words and what they have in common; a long list is folded."""

    summary: str
    words: str
    folded: bool


@dataclass(frozen=True, kw_only=True)
class WordNotes:
    """What a reader must know about the words of one context, or of all."""

    heading: str
    notes: tuple[str, ...]
    lists: tuple[Words, ...]
    """Of several tokens, ``firefighter (2)``, outside the reference words, and landmarks without a token; empty when there are none."""
    all_alike: bool
    """Whether every word is known to be one token, read where the others are."""


@dataclass(frozen=True, kw_only=True)
class ModelPage:
    """All that a model’s page shows."""

    frame: Frame
    name: str
    facts: str
    findings: tuple[Line, ...]
    """What was found of it, what it opens with first."""
    note: str | None
    failure: str | None
    switches: list[tuple[str, str, dict[str, str], bool]]
    """Only those with something to choose: of each the panels' attribute that it chooses by, its legend, the options, the first of which is
    chosen, and whether two of them can be seen side by side."""
    panels: tuple[Shown, ...]
    contents: tuple[Link, ...]
    """Its parts, in their order."""
    plates: str | None
    """JSON for the scripts that draw plates: names, and where the coordinates are; None where images are shown."""
    stylesheet: str | None
    """Of plates that are drawn."""
    writers: WritersSection | None
    word_map: WordMap | None
    lens: LensSection | None
    stories: tuple[Story, ...]
    """Empty when nothing has been measured, as ``difference`` and ``curves`` are."""
    difference: tuple[str, tuple[str, ...]] | None
    """Why the contexts differ, when massive activations are the reason."""
    curves: dict[str, Any] | None
    differences: tuple[str, ...]
    """What purity differs from, a paragraph for each context."""
    more_differences: tuple[str, ...]
    """Of other measures and with neurons set to a value; and what untrained models tell of it."""
    nearest: NearestWords | None
    """Beside the first chart."""
    curves_note: str | None
    related: RelatedSection | None
    related_choices: tuple[Option, ...]
    """Relations and orders that the carousel shows in place of all words."""
    grids: tuple[Shown, ...]
    grids_heading: str
    model_in_brief: str
    """One line of facts; empty of a model that failed."""
    card: list[tuple[Any, ...]]
    """Of each row a label, what stands beside it, and maybe that it is code."""
    notes: tuple[str, ...]
    words: tuple[WordNotes, ...]
    downloads: tuple[Link, ...]


SCRIPTS = ("plates/plates.js", "carousel.js", "contents.js", "parts.js", "switches.js", "lightbox.js", "shortcuts.js")
DRAWING_SCRIPTS = ("plates/board.js", "plates/carousel.js")
"""What ``plates/plates.js`` loads to draw."""
CURVES = "curves"
MOST_WORDS = 500
"""Of a folded list; all words are in tokens.csv."""


def note_addresses(model: ModelReport) -> tuple[str, ...]:
    """Where on a model's page its author may say something: depths, stages, the grids, the curves."""
    found: list[str] = []
    for context in model.contexts:
        name = context.states.context.name
        stages = context.geometry.stages if context.geometry else ()
        for projection in (None, *(shown.projection.name for shown in context.projections)):
            found += [slide_id(name, depth, projection) for depth in range(context.states.n_depths)]
            found.append(grid_id(name, projection))
        found += [stage_id(name, number) for number in range(len(stages))]
    return (*found, CURVES)


def _untrained(report: Report, model: ModelReport) -> tuple[str, ...]:
    names = [each.said for each in measures(report)]
    found = (untrained_sentences(context, names) for context in model.contexts)
    notes = dict.fromkeys(each.untrained.note for each in model.contexts if each.untrained and each.untrained.note)
    told = [" ".join(each) for each in found if each]
    return (*told[:-1], " ".join([*told[-1:], *notes])) if told or notes else ()


def _charts(report: Report, model: ModelReport) -> dict[str, Any] | None:
    charts = model_charts(model, related_measures(report.relations, report.orders))
    return charts and {**charts, "charts": (*charts["charts"], *difference_charts(model))}


def model_page(report: Report, model: ModelReport) -> ModelPage:
    """The page of one model, failed ones included."""
    page = model_path(model.slug)
    card = model.card
    facts, is_partial = extent.facts(model), any(map(extent.is_partial, model.contexts))
    chosen = findings(report, [model])
    found = lines(chosen, page)
    said = found[0].sentence if found else f"{model.display_name}, layer by layer: {facts}"
    description = said if card else f"{model.display_name} failed."
    plates, writers = _plates(report, model, page), writers_section(model, page)
    related = choices(report, [model])
    shown, told, curves, drawn = (
        panels(report, model, page),
        stories(report, model, page),
        _charts(report, model),
        tuple(each for each in panels(report, model, page) if each.shown.grid and not each.context.states.intervention),
    )
    relations, of_words = related_section(report, model, page), word_map(report, model, page)
    lens = lens_section(report, model, page)
    differences, more_differences = paired_facts.of_model(report, model)
    return ModelPage(
        contents=contents(
            ("Layer by layer", "main", shown),
            ("Captured layers" if is_partial else "All layers", "layers", drawn),
            (writers.place if writers else "", "writers", writers),
            ("Charts", "curves", curves),
            ("Relations and orders", "relations", relations),
            ("Word by layer", "words-by-layer", of_words),
            (lens.heading if lens else "", "lens", lens and lens.stylesheet),
            ("Stages", "stages", told),
            ("Small print", "model", card),
        ),
        frame=Frame(
            report=report,
            path=page,
            title=f"{model.display_name} · {report.title}",
            description=description,
            entries=(*((CHOICE_SCRIPT,) if related else ()), *SCRIPTS) if card else (),
            opens=found[0].slide if found else "",
        ),
        findings=found,
        note=model.note,
        name=model.display_name,
        facts=facts,
        failure=model.failure,
        switches=_switches(model),
        panels=shown,
        plates=plates,
        stylesheet=relative(page, "assets/plates/plate.css") if plates else None,
        writers=writers,
        word_map=of_words,
        lens=lens,
        stories=told,
        difference=difference(model),
        curves=curves,
        differences=differences,
        more_differences=(*more_differences, *_untrained(report, model)),
        nearest=next((each for one in chosen if (each := nearest_words(one, report.words))), None),
        curves_note=model.notes.get(CURVES),
        related=relations,
        related_choices=related,
        grids=drawn,
        grids_heading=grid_term(is_partial=is_partial).name,
        model_in_brief=f"{weights_format(card)}, computed in {card.dtype}" if card else "",
        card=_card_rows(model, card) if card else [("Source", model.source, True)],
        notes=(*card.notes, *undrawn_note(report)) if card else (),
        words=_word_notes(report, model),
        downloads=downloads(report, page, model.slug),
    )


def _plates(report: Report, model: ModelReport, page: str) -> str | None:
    if not model.contexts:
        return None
    contexts = [
        {**context_entry(context), "projections": [projection_entry(shown) for shown in context.projections]}
        for context in model.drawn
    ]
    drawn = {**model_entry(model), "data": data_folder(model, page), "contexts": contexts}
    return drawings(report, page, "plates/plates.js", *DRAWING_SCRIPTS, models=[drawn])


def _switches(model: ModelReport) -> list[tuple[str, str, dict[str, str], bool]]:
    if not model.contexts:
        return []
    is_measured = any(context.geometry is not None for context in model.contexts)
    contexts = {context.states.context.name: context.states.context.label for context in model.drawn}
    names = [shown.projection.name for shown in model.contexts[0].projections]
    projections = {name: projection_label(name) for name in names}
    choices = [("context", "Words", contexts, is_measured), ("projection", "PCA", projections, False)]
    return [each for each in choices if len(each[2]) > 1]


def _card_rows(model: ModelReport, card: ModelCard) -> list[tuple[Any, ...]]:
    width = f"{card.width:,}"
    if card.embedding_width != card.width:
        width += f" (embedding {card.embedding_width:,})"
    return [
        ("Source", card.source, True),
        ("Weights’ identity", card.identity, True),
        ("Architecture", f"{card.architecture} ({card.model_type})" if card.model_type else card.architecture),
        ("Layers", f"{card.n_layers:,}"),
        ("Width", width),
        *([("Parameters", f"{card.n_parameters:,}")] if card.n_parameters else []),
        ("Weights on disk", weights_format(card)),
        ("Computed in", card.dtype),
        ("Tokenizer", _tokenizer(card)),
        ("Captured", day(model.contexts[0].states.captured_at)),
    ]


def _tokenizer(card: ModelCard) -> str:
    return f"{card.tokenizer}, vocabulary of {card.vocabulary_size:,}" if card.vocabulary_size else card.tokenizer


def _word_notes(report: Report, model: ModelReport) -> tuple[WordNotes, ...]:
    """What several contexts have in common stands once, above what each has of its own."""
    lists = [_word_lists(report.words, context.states.tokenization) for context in model.contexts]
    first, *others = lists or [()]
    shared = tuple(words for words in first if others and all(words in each for each in others))
    notes = [WordNotes(heading="Words in all contexts", notes=(), lists=shared, all_alike=False)] if shared else []
    for context, some in zip(model.contexts, lists, strict=True):
        tokenization = context.states.tokenization
        said = (*tokenization.notes, *batch_notes(context.states.batch_check))
        own = tuple(words for words in some if words not in shared)
        all_alike = bool((tokenization.n_tokens == 1).all() and tokenization.reference.all())
        if said or own or all_alike:
            heading = f"Words {context.states.context.label}"
            notes.append(WordNotes(heading=heading, notes=said, lists=own, all_alike=all_alike))
    return tuple(notes)


def _word_lists(words: WordList, tokenization: Tokenization) -> tuple[Words, ...]:
    several = [f"{isolated(word.word)} ({word.n_tokens})" for word in tokenization.words if word.n_tokens > 1]
    lists = (
        _words("Words of several tokens (number of tokens)", several),
        _words(
            "Words outside the reference words, read at a different position than most",
            outside_reference(tokenization),
        ),
        _words(
            "Words of the categories that no token stands for, so that they are not marked",
            without_token(words, tokenization),
        ),
    )
    return tuple(each for each in lists if each.words)


def _words(summary: str, words: Sequence[str]) -> Words:
    folded = len(words) > MOST_WORDS_IN_SIGHT
    return Words(
        summary=f"{summary}: {count(len(words), 'word')}" if folded else summary,
        words=shortened(words, MOST_WORDS),
        folded=folded,
    )
