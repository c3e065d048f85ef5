"""Records → finished view records for templates: text, formatted numbers, relative links. No HTML."""

from __future__ import annotations

from collections.abc import Sequence

from tokviz.records import ModelCard, ModelReport, Report
from tokviz.view_records import (
    FactsRow,
    IndexPage,
    Link,
    ModelPage,
    ModelStrips,
    NotFoundPage,
    Option,
    Row,
    StripRow,
    Switch,
    Term,
    WordNotes,
    Words,
)
from tokviz.view_site import SiteView
from tokviz.views.compare import compare_page
from tokviz.views.curves import curves
from tokviz.views.method import method_page
from tokviz.views.pictures import grids, panels, strip_ruler
from tokviz.views.story import difference, stories
from tokviz.views.text import (
    MOST_WORDS_IN_SIGHT,
    count,
    day,
    downloads,
    frame,
    joined,
    millions,
    model_path,
    outside_reference,
    projection_label,
    projection_term,
    relative,
)

COLUMNS = (
    "Architecture",
    "Layers",
    "Width",
    "Parameters",
    "Weights",
    "Computed in",
    "Words of several tokens",
    "Captured",
)


def build(report: Report) -> SiteView:
    """Everything that the pages show, as text and links.

    Parameters
    ----------
    report : what the stages gathered; failed models included.

    Returns
    -------
    SiteView : one record per page.
    """
    return SiteView(
        index=_index_page(report),
        models=tuple(_model_page(report, model) for model in report.models),
        compare=compare_page(report),
        method=method_page(report),
        not_found=NotFoundPage(path="404.html", title=report.title, home=report.site_url or "index.html"),
    )


# --- the index ---------------------------------------------------------------------------------------------------


def _index_page(report: Report) -> IndexPage:
    page = "index.html"
    subtitle = report.subtitle or _default_subtitle(report)
    return IndexPage(
        frame=frame(report, page, report.title, subtitle),
        title=report.title,
        subtitle=subtitle,
        author=report.author,
        projection=projection_label(report.projections[0]),
        models=tuple(_strips(report, model, page) for model in report.models),
        intro=report.intro,
        columns=COLUMNS,
        table=tuple(_facts_row(model, page) for model in report.models),
        reading=_reading(report),
        method=relative(page, "method/index.html"),
    )


def _default_subtitle(report: Report) -> str:
    n_words = count(len(report.words.words), "word")
    n_models = count(len(report.models), "language model")
    return f"How {n_models} {'arranges' if len(report.models) == 1 else 'arrange'} {n_words}, from the embedding to the last layer."


def _strips(report: Report, model: ModelReport, page: str) -> ModelStrips:
    target = model_path(model.slug)
    rows = []
    for index, context in enumerate(model.contexts, start=1):
        shown = context.projections[0]
        ruler = strip_ruler(report, model, context, shown, page)
        label, href = context.states.context.label, ruler.ticks[0].href
        rows.append(StripRow(context=label, href=href, ruler=ruler, with_axis=index == len(model.contexts)))
    return ModelStrips(
        name=model.display_name,
        href=relative(page, target),
        facts=_facts_line(model.card) if model.card else "",
        failure=model.failure,
        strips=tuple(rows),
    )


def _facts_row(model: ModelReport, page: str) -> FactsRow:
    link = Link(text=model.display_name, href=relative(page, model_path(model.slug)))
    card = model.card
    if card is None:
        return FactsRow(model=link, cells=(), failure=model.failure or "It has not been captured.")
    tokenization = model.contexts[0].states.tokenization
    several = int((tokenization.n_tokens > 1).sum())
    cells = (
        card.architecture,
        f"{card.n_layers:,}",
        f"{card.width:,}",
        millions(card.n_parameters),
        card.quantization or card.checkpoint_dtype or "not stated",
        card.dtype,
        f"{several:,} of {len(tokenization.words):,}",
        day(model.contexts[0].states.captured_at),
    )
    return FactsRow(model=link, cells=cells, failure=None)


def _reading(report: Report) -> tuple[Term, ...]:
    return (
        Term(
            name="A point",
            meaning="A word. Its place comes from the model’s hidden state at that depth: the vector that stands for "
            "the word’s token after so many layers. Colour and shape tell the word’s category.",
        ),
        Term(
            name="PC1 and PC2",
            meaning="Hundreds of dimensions can’t be drawn, so each depth’s states are reduced to two by principal "
            "component analysis (PCA). PC1 is the direction in which the words differ most, PC2 the next. The "
            "percentage on an axis is the part of the variance that it holds; where the two hold little, near points "
            "may be far apart in the model.",
        ),
        Term(
            name="From layer to layer",
            meaning="Each depth has a PCA of its own, so look at which words lie together, not at where on the page. "
            "An axis is flipped where that keeps the words on the same side as in the layer before.",
        ),
        *(projection_term(name) for name in report.projections),
        Term(
            name="Hollow marks",
            meaning="Words that can’t be compared with the rest as they stand: those of several tokens, and those read "
            "at another position than most. PCA is fitted on the reference words, those read at the position that "
            "most words share; the others are drawn into the same picture without shaping it.",
        ),
        Term(
            name="Position 0",
            meaning="Many language models use the first token of a text as a resting place for attention (an attention "
            "sink): from some layer on, a few dimensions of its state become enormous, whatever the token is. A word "
            "fed alone stands at that very position. Its picture then shows the sink more than the word; the same "
            "words inside a sentence don’t.",
        ),
        Term(
            name="All layers in one basis",
            meaning="Further down on a model’s page: every depth along the embedding’s PC1 and PC2, each panel on its "
            "own scale. It shows how much of the embedding’s order is left, and how far the states have grown.",
        ),
    )


# --- a model -----------------------------------------------------------------------------------------------------


def _model_page(report: Report, model: ModelReport) -> ModelPage:
    page = model_path(model.slug)
    card = model.card
    facts = _facts_line(card) if card else ""
    description = f"{model.display_name}, layer by layer: {facts}" if card else f"{model.display_name} failed."
    return ModelPage(
        frame=frame(report, page, f"{model.display_name} · {report.title}", description, carousel=card is not None),
        name=model.display_name,
        facts=facts,
        failure=model.failure,
        switches=_switches(model),
        panels=panels(report, model, page),
        stories=stories(report, model, page),
        difference=difference(model),
        curves=curves(model),
        grids=grids(model, page),
        card=_card_rows(model, card) if card else (Row(label="Source", value=model.source, code=True),),
        notes=card.notes if card else (),
        words=_word_notes(model),
        downloads=downloads(report, page, model.slug),
        method=relative(page, "method/index.html"),
    )


def _facts_line(card: ModelCard) -> str:
    return " · ".join(
        (
            count(card.n_layers, "layer"),
            count(card.width, "dimension"),
            f"{millions(card.n_parameters)} parameters",
        )
    )


def _switches(model: ModelReport) -> tuple[Switch, ...]:
    if not model.contexts:
        return ()
    contexts = [(context.states.context.name, context.states.context.label) for context in model.contexts]
    projections = [
        (shown.projection.name, projection_label(shown.projection.name)) for shown in model.contexts[0].projections
    ]
    choices = (("context", "Words", contexts), ("projection", "PCA", projections))
    return tuple(
        Switch(
            key=key,
            legend=legend,
            options=tuple(
                Option(value=value, label=label, checked=index == 0) for index, (value, label) in enumerate(options)
            ),
            pair=key == "context" and any(context.geometry is not None for context in model.contexts),
        )
        for key, legend, options in choices
        if len(options) > 1
    )


def _card_rows(model: ModelReport, card: ModelCard) -> tuple[Row, ...]:
    states = model.contexts[0].states
    width = f"{card.width:,}"
    if card.embedding_width != card.width:
        width += f" (embedding {card.embedding_width:,})"
    return (
        Row(label="Source", value=card.source, code=True),
        Row(label="Weights’ identity", value=card.identity, code=True),
        Row(label="Architecture", value=f"{card.architecture} ({card.model_type})"),
        Row(label="Layers", value=f"{card.n_layers:,}"),
        Row(label="Width", value=width),
        Row(label="Parameters", value=f"{card.n_parameters:,}"),
        Row(label="Weights on disk", value=card.quantization or card.checkpoint_dtype or "not stated"),
        Row(label="Computed in", value=card.dtype),
        Row(label="Tokenizer", value=f"{card.tokenizer}, vocabulary of {card.vocabulary_size:,}"),
        Row(label="Captured", value=day(states.captured_at)),
    )


def _word_notes(model: ModelReport) -> tuple[WordNotes, ...]:
    notes = []
    for context in model.contexts:
        tokenization = context.states.tokenization
        several = [f"{word.word} ({word.n_tokens})" for word in tokenization.words if word.n_tokens > 1]
        lists = (
            _words("Of several tokens, with their number", several),
            _words("Outside the reference words, read at another position than most", outside_reference(tokenization)),
        )
        notes.append(
            WordNotes(
                heading=f"Words {context.states.context.label}",
                notes=tokenization.notes,
                lists=tuple(words for words in lists if words.words),
            )
        )
    return tuple(notes)


def _words(summary: str, words: Sequence[str]) -> Words:
    folded = len(words) > MOST_WORDS_IN_SIGHT
    return Words(
        summary=f"{summary}: {count(len(words), 'word')}" if folded else summary, words=joined(words), folded=folded
    )
