"""Layer by layer on a page of its own, in a report of many models."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.pages.compare.compare_data import is_large
from tokviz.pages.compare.differing import PATH as COMPARE
from tokviz.pages.compare.pairs import Layers, layers
from tokviz.pages.frame.frame import Frame, relative
from tokviz.pages.text.parts import Link
from tokviz.pages.text.wording import capitalized, count
from tokviz.records import Report


@dataclass(frozen=True, kw_only=True)
class LayersPage:
    """All that the page shows."""

    frame: Frame
    stylesheet: str
    layers: Layers
    compare: str


PATH = "compare/layers/index.html"


def layers_page(report: Report) -> LayersPage | None:
    """How alike models are; None where the compare page says it, or no models were compared."""
    found = layers(report) if is_large(report) else None
    if found is None:
        return None
    title, description = (
        f"Layers compared · {report.title}",
        "How alike the models arrange the words, layer by layer.",
    )
    return LayersPage(
        frame=Frame(report=report, path=PATH, title=title, description=description),
        stylesheet=relative(PATH, "assets/compare/compare.css"),
        layers=found,
        compare=relative(PATH, COMPARE),
    )


def link_to(page: LayersPage) -> Link:
    """From the compare page: what is there."""
    found = page.layers
    what = ["every model against every other"] if found.summaries else []
    what += [f"{count(len(found.pairs), 'pair')} layer by layer"] if found.pairs else []
    what += [f"{count(len(found.failed), 'pair')} not compared"] if found.failed else []
    return Link(text=capitalized(" and ".join(what)), href=relative(COMPARE, PATH))
