"""The findings of a report, and of each of its models: one for each question, what it opens with first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tokviz.pages.findings.changes import of_changes
from tokviz.pages.findings.differences import of_contexts, of_layers, of_models
from tokviz.pages.findings.finding import Found, strongest
from tokviz.pages.findings.neurons import of_break
from tokviz.pages.findings.related import of_related
from tokviz.pages.findings.words import of_words
from tokviz.records import SLOTS, ModelReport, Report, Slot


def findings(report: Report, models: Sequence[ModelReport] | None = None) -> tuple[Found, ...]:
    """At most one for each slot; none where no model could be captured.

    First comes the author's choice, else what is found of words and categories, else what is found at all; where nothing is
    announced of the words, that is said last. ``models``: that they are about, and that others are held against; by default all.
    """
    captured = [model for model in (report.models if models is None else models) if model.contexts]
    if not captured:
        return ()
    by_slot: dict[Slot, Found | None] = {
        "change": strongest([*of_changes(report, captured)]),
        "words": of_words(report, captured),
        "contexts": strongest([each for model in captured for each in of_contexts(model)]),
        "models": strongest([*of_models(report, captured)]),
        "break": strongest([each for model in captured for each in of_break(report, model)]),
        "order": strongest([each for model in captured for each in of_related(report, model)]),
        "layers": strongest([each for model in captured for each in of_layers(report, model)]),
    }
    lead = report.opening.lead if report.opening else None
    found = [each for slot in SLOTS if (each := by_slot[slot]) is not None]
    # A model's page opens with what is found of itself.
    found.sort(
        key=lambda each: (each.slot == "change" and models is not None, each.slot != lead, not each.is_announced)
    )
    is_beside_others = len(report.all_models if models is None else models) > 1
    return tuple(
        replace(each, number=number, is_beside_others=is_beside_others) for number, each in enumerate(found, start=1)
    )


def lead(report: Report) -> Found | None:
    """What the first page opens with."""
    return next(iter(findings(report)), None)
