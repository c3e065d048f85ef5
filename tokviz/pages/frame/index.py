"""What pages say to scripts of models, contexts and projections, and what scripts need that draw plates in place of images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tokviz.pages.frame.frame import data_path, late_scripts, relative
from tokviz.pages.text import data_text
from tokviz.pages.text.wording import projection_label
from tokviz.records import ContextReport, ModelReport, ProjectionReport, Renditions, Report
from tokviz.records.look import PHONE_PLATE_SIZE

MOST_DRAWN = 1000
"""Words of a plate that is drawn in the page; of longer lists the images are shown."""


def captured(report: Report) -> list[ModelReport]:
    """The models that can be chosen."""
    return [model for model in report.models if model.contexts]


def model_entry(model: ModelReport) -> dict[str, Any]:
    """How scripts know a model."""
    return {"slug": model.slug, "name": model.display_name}


def context_entry(context: ContextReport) -> dict[str, Any]:
    """How scripts know a context."""
    return {"name": context.states.context.name, "label": context.states.context.label}


def related_flag(context: ContextReport) -> dict[str, Any]:
    """Of a context whose relations and orders can be shown."""
    return {"related": True} if context.relations else {}


def projection_entry(shown: ProjectionReport) -> dict[str, Any]:
    """How scripts know a projection."""
    return {"name": shown.projection.name, "label": projection_label(shown.projection.name)}


def words_entry(report: Report, page: str) -> dict[str, Any]:
    """Where the words are, and what their categories are called."""
    return {
        "words": relative(page, "data/words.js"),
        "categories": [category.label for category in report.words.categories],
    }


def data_folder(model: ModelReport, page: str) -> str:
    """Where the scripts with a model's numbers are."""
    return relative(page, data_path(model.slug))


def strip_entry(strip: Renditions | None, page: str) -> dict[str, Any] | None:
    """Where the small picture of all depths is, for wide screens and for phones.

    With ``dark`` there is one for the dark theme, named with ``-dark`` after ``_strip``.
    """
    if strip is None:
        return None
    forms = {
        form: {"src": relative(page, image.path), "size": [image.width, image.height]}
        for form, image in (("wide", strip.wide), ("phone", strip.phone))
    }
    return {**forms, "dark": True} if strip.dark else forms


def can_draw(report: Report) -> bool:
    """Whether plates are drawn in pages; else their images are shown."""
    n_words, n_categories = len(report.words.words), len(report.words.categories)
    is_captured = report.words.vocabulary is None and any(model.contexts for model in report.all_models)
    return is_captured and n_categories > 0 and n_words <= MOST_DRAWN


def with_room_for_phones(report: Report) -> Report:
    """A first look has no plates for phones yet: where its pages draw them, they have the room that they have in the whole report."""
    if not (report.underway and can_draw(report)):
        return report
    width, height = PHONE_PLATE_SIZE

    def of_projection(shown: ProjectionReport) -> ProjectionReport:
        plates = [
            each and replace(each, phone=replace(each.phone, width=width, height=height)) for each in shown.plates
        ]
        return replace(shown, plates=tuple(plates))

    def of_context(context: ContextReport) -> ContextReport:
        return replace(context, projections=tuple(map(of_projection, context.projections)))

    models = [replace(model, contexts=tuple(map(of_context, model.contexts))) for model in report.models]
    return replace(report, models=tuple(models))


def drawings(report: Report, page: str, loader: str, *scripts: str, **more: Any) -> str | None:
    """JSON with names, and where scripts and coordinates are; None where images are shown.

    ``scripts``: those that the ``loader`` loads when it draws, by paths within the assets; ``more``: what its own scripts need.
    """
    if not can_draw(report):
        return None
    return data_text.embedded({"scripts": late_scripts(page, loader, *scripts), **words_entry(report, page), **more})
