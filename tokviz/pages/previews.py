"""What other sites show beside a link to a page: two plates, and above them what they are of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tokviz.pages.findings.chosen import lead
from tokviz.pages.text.extent import facts_line
from tokviz.records import Image, ModelReport, Report


@dataclass(frozen=True, kw_only=True)
class Preview:
    """All that is seen on one."""

    path: str
    """From the site's root."""
    title: str
    subtitle: str
    plates: tuple[Image, ...]
    slug: str | None
    """The model whose page it stands for; None for all other pages."""


REPORT_PATH = "images/preview.png"


def previews(report: Report) -> Iterator[Preview]:
    """The report's, and one for each model that has plates; none when nobody knows where the report will stand."""
    if not report.site_url:
        return
    plates = preview_plates(report.models)
    if plates:
        said = report.description or report.subtitle or ""
        yield Preview(path=REPORT_PATH, title=report.title, subtitle=said, plates=plates, slug=None)
    for model in report.models:
        plates = preview_plates([model])
        if plates:
            yield Preview(
                path=f"models/{model.slug}/preview.png",
                title=model.display_name,
                subtitle=said_of(report, model),
                plates=plates,
                slug=model.slug,
            )


def said_of(report: Report, model: ModelReport) -> str:
    """What was found of a model; where nothing was, what it is."""
    found = lead(report, [model])
    if found is not None and found.is_announced:
        return found.sentence
    return facts_line(model.card) if model.card else ""


def preview_plates(models: Sequence[ModelReport]) -> tuple[Image, ...]:
    """The two wide plates that say most.

    Before and after the first emergence of massive activations; of models without one, the embedding and the middle layer
    of the first.
    """
    shown = [
        (context.projections[0].plates, context.geometry.massive.emergence_depth if context.geometry else None)
        for model in models
        for context in model.contexts
    ]
    pairs = [(plates, (depth - 1, depth)) for plates, depth in shown if depth]
    pairs += [(plates, (0, len(plates) // 2)) for plates, _ in shown]
    for plates, depths in pairs:
        chosen = [plate.wide for depth in depths if (plate := plates[depth])]
        if len(chosen) == len(depths):
            return tuple(chosen)
    return ()
