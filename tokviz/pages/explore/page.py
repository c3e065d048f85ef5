"""The explorer: what its scripts choose from, and links for readers without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tokviz.pages.frame import index
from tokviz.pages.frame.frame import Frame, Values, model_path, relative
from tokviz.pages.frame.pictures import Shown
from tokviz.pages.model.lens import has_tops, limits
from tokviz.pages.model.related import SCRIPT as CHOICE_SCRIPT
from tokviz.pages.model.related import choices
from tokviz.pages.model.word_map import SCRIPT as WORD_MAP_SCRIPT
from tokviz.pages.model.word_map import explorer_map, has_scores
from tokviz.pages.text import data_text
from tokviz.pages.text.parts import Link
from tokviz.pages.text.wording import count
from tokviz.records import ContextReport, ModelReport, Report

PATH = "explore/index.html"
UNCERTAIN = "Uncertain: the two halves of the text that it was fitted on disagree."
SCRIPTS = ("explore/explore.js", "take.js", "shortcuts.js")
"""What they need comes with them."""


def explore_page(report: Report) -> Values | None:
    """A scatter of any capture, to be touched; None when no model could be captured."""
    if not report.is_explorable:
        return None
    models = index.captured(report)
    model, context = models[0], models[0].contexts[0]
    n_words = count(len(report.words.words), "word")
    told = [each for model in models for each in model.contexts if has_tops(each)]
    related, of_words = choices(report, models), explorer_map(report)
    # What draws relations and orders is among them: a notebook has no files to load it from.
    scripts = [*SCRIPTS, *((CHOICE_SCRIPT, "related-plot.js") if related else ())]
    optional = {"relations.css": related, "word-map.css": of_words}
    styles = ["plates/plate.css", "explore/explore.css", *(name for name, needs in optional.items() if needs)]
    return Values(
        frame=Frame(
            report=report,
            path=PATH,
            title=f"Explore · {report.title}",
            description=f"{n_words} of {count(len(models), 'model')}, layer by layer: find a word, follow it, see its neighbors.",
            entries=(*scripts, *((WORD_MAP_SCRIPT,) if of_words else ())),
        ),
        stylesheets=[relative(PATH, f"assets/{name}") for name in styles],
        # Of the view that opens first.
        ruler=Shown(report=report, model=model, context=context, shown=context.projections[0], page=PATH).ruler(),
        data=data_text.embedded({**index.words_entry(report, PATH), "models": [_model(model) for model in models]}),
        related_choices=related,
        word_map=of_words,
        lens_limits=f"{limits(told)} {UNCERTAIN}" if told else "",
        # Where the same things are found without scripts.
        models=[
            (model.display_name, relative(PATH, model_path(model.slug)), [*_files(report, model)]) for model in models
        ],
    )


def _files(report: Report, model: ModelReport) -> Iterator[Link]:
    """Coordinates and tokens of each capture as CSV."""
    for context in (each.states.context for each in model.captures):
        for file in ("coordinates.csv", "tokens.csv"):
            if path := report.downloads.get(f"{model.slug}/{context.name}/{file}"):
                yield Link(text=f"{context.label}, {file}", href=relative(PATH, path))


# --- what the scripts choose from ------------------------------------------------------------------------------------


def _model(model: ModelReport) -> dict[str, Any]:
    return {
        **index.model_entry(model),
        "page": relative(PATH, model_path(model.slug)),
        "data": index.data_folder(model, PATH),
        "contexts": [_context(context) for context in model.captures],
    }


def _context(context: ContextReport) -> dict[str, Any]:
    return {
        **index.context_entry(context),
        "last": context.states.n_depths - 1,
        "neighbours": context.neighbours is not None,
        **index.related_flag(context),
        **({"scores": True} if has_scores(context) else {}),
        **({"lens": True} if has_tops(context) else {}),
        "opening": context.geometry.massive.emergence_depth if context.geometry else None,
        "projections": [
            {
                **index.projection_entry(shown),
                "strip": index.strip_entry(shown.strip, PATH),
                # The model's page has no plates of it.
                **({} if any(each is shown for each in context.drawn_projections) else {"undrawn": True}),
            }
            for shown in context.projections
        ],
    }
