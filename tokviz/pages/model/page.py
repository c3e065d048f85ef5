"""A model's page."""

from __future__ import annotations

from typing import Any

from tokviz.pages.charts.curves import model_charts
from tokviz.pages.charts.measures import related_measures
from tokviz.pages.charts.word_by_word import difference_charts
from tokviz.pages.findings.chosen import findings
from tokviz.pages.findings.lines import lines
from tokviz.pages.frame.frame import Frame, Values, contents, downloads, model_path
from tokviz.pages.frame.index import context_entry, data_folder, drawings, model_entry, projection_entry
from tokviz.pages.frame.pictures import grid_id, panels, slide_id
from tokviz.pages.model.batches import batch_notes
from tokviz.pages.model.lens import HEADING, lens_section
from tokviz.pages.model.nearest import nearest_words
from tokviz.pages.model.profile_tables import measures
from tokviz.pages.model.related import SCRIPT as CHOICE_SCRIPT
from tokviz.pages.model.related import choices, related_section
from tokviz.pages.model.story import difference, stage_id, stories
from tokviz.pages.model.word_map import word_map
from tokviz.pages.model.writers import writers_section
from tokviz.pages.text import extent, paired_facts
from tokviz.pages.text.extent import undrawn_note
from tokviz.pages.text.glossary import grid_term
from tokviz.pages.text.landmarks import without_token
from tokviz.pages.text.without_training import untrained_sentences
from tokviz.pages.text.wording import MOST_WORDS_IN_SIGHT, outside_reference, projection_label, weights_format
from tokviz.records import NOT_KNOWN, ModelReport, Report, Tokenization, WordList
from tokviz.text import isolated

SCRIPTS = ("plates/plates.js", "carousel.js", "contents.js", "parts.js", "switches.js", "lightbox.js", "shortcuts.js")
DRAWING_SCRIPTS = ("plates/board.js", "plates/carousel.js")
"""What ``plates/plates.js`` loads to draw."""
CURVES = "curves"


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


def model_page(report: Report, model: ModelReport) -> Values:
    """The page of one model, failed ones included."""
    page = model_path(model.slug)
    card = model.card
    facts, is_partial = extent.facts(model), any(map(extent.is_partial, model.contexts))
    chosen = findings(report, [model])
    found = lines(chosen, page, report.cards)
    said = found[0].sentence if found else f"{model.display_name}, layer by layer: {facts}"
    related, shown, told = choices(report, [model]), panels(report, model, page), stories(model, page)
    drawn = [each for each in shown if each.shown.grid and not each.context.states.intervention]
    curves, writers = _charts(report, model), writers_section(model, page)
    relations, of_words = related_section(report, model, page), word_map(report, model, page)
    lens = lens_section(report, model, page)
    differences, more_differences = paired_facts.of_model(report, model)
    return Values(
        contents=contents(
            ("Layer by layer", "main", shown),
            ("Captured layers" if is_partial else "All layers", "layers", drawn),
            (writers["place"] if writers else "", "writers", writers),
            ("Charts", "curves", curves),
            ("Relations and orders", "relations", relations),
            ("Word by layer", "words-by-layer", of_words),
            (HEADING, "lens", lens and lens["limits"]),
            ("Stages", "stages", told),
            ("Small print", "model", card),
        ),
        frame=Frame(
            report=report,
            path=page,
            title=f"{model.display_name} · {report.title}",
            description=said if card else f"{model.display_name} failed.",
            entries=(*((CHOICE_SCRIPT,) if related else ()), *SCRIPTS) if card else (),
            opens=found[0].slide if found else "",
        ),
        # What it opens with comes first.
        findings=found,
        model=model,
        facts=facts,
        switches=_switches(model),
        panels=shown,
        plates=_plates(report, model, page),
        writers=writers,
        word_map=of_words,
        lens=lens,
        stories=told,
        difference=difference(model),
        curves=curves,
        # What purity differs from, a paragraph for each context; then of other measures, with neurons set to a value, and what untrained
        # models tell of it.
        differences=differences,
        more_differences=(*more_differences, *_untrained(report, model)),
        # Beside the first chart.
        nearest=next((each for one in chosen if (each := nearest_words(one, report.words))), None),
        related=relations,
        # What the carousel shows in place of all words.
        related_choices=related,
        grids=drawn,
        grids_heading=grid_term(is_partial=is_partial).name,
        model_in_brief=f"{weights_format(card)}, computed in {card.dtype}" if card and card.dtype != NOT_KNOWN else "",
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
    """Those with something to choose.

    Of each the panels' attribute that it chooses by, its legend, the options, the first of which is chosen, and whether two of them can be
    seen side by side.
    """
    if not model.contexts:
        return []
    is_measured = any(context.geometry is not None for context in model.contexts)
    contexts = {context.states.context.name: context.states.context.label for context in model.drawn}
    names = [shown.projection.name for shown in model.contexts[0].projections]
    projections = {name: projection_label(name) for name in names}
    choices = [("context", "Words", contexts, is_measured), ("projection", "PCA", projections, False)]
    return [each for each in choices if len(each[2]) > 1]


def _word_notes(report: Report, model: ModelReport) -> list[dict[str, Any]]:
    """What a reader must know of the words of all contexts, which stands once, and of those of each.

    Notes; lists of words; and whether every word is known to be one token, read where the others are.
    """
    lists = [_word_lists(report.words, context.states.tokenization) for context in model.contexts]
    first, *others = lists or [[]]
    shared = [words for words in first if others and all(words in each for each in others)]
    notes = [{"heading": "Words in all contexts", "notes": (), "lists": shared, "all_alike": False}] if shared else []
    for context, some in zip(model.contexts, lists, strict=True):
        tokenization = context.states.tokenization
        said = (*tokenization.notes, *batch_notes(context.states.batch_check))
        own = [words for words in some if words not in shared]
        all_alike = bool((tokenization.n_tokens == 1).all() and tokenization.reference.all())
        if said or own or all_alike:
            heading = f"Words {context.states.context.label}"
            notes.append({"heading": heading, "notes": said, "lists": own, "all_alike": all_alike})
    return notes


def _word_lists(words: WordList, tokenization: Tokenization) -> list[tuple[str, list[str], bool]]:
    """Of each what its words have in common, the words, and whether they are folded; those without any are left out."""
    several = [f"{isolated(word.word)} ({word.n_tokens})" for word in tokenization.words if word.n_tokens > 1]
    lists = {
        "Words of several tokens (number of tokens)": several,
        "Words read at a different position than the reference words": outside_reference(tokenization),
        "Words of the categories that no token stands for, so that they are not marked": [
            *without_token(words, tokenization)
        ],
    }
    return [(summary, found, len(found) > MOST_WORDS_IN_SIGHT) for summary, found in lists.items() if found]
