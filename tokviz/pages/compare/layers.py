"""Layer by layer on a page of its own, in a report of many models."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.pages.compare.compare_data import is_large
from tokviz.pages.compare.pairs import Layers, layers
from tokviz.pages.frame.frame import Frame
from tokviz.records import Report

PATH = "compare/layers/index.html"


@dataclass(frozen=True, kw_only=True)
class LayersPage:
    """All that the page shows."""

    frame: Frame
    layers: Layers


def layers_page(report: Report) -> LayersPage | None:
    """How alike models are; None where the compare page says it, or no models were compared."""
    found = layers(report) if is_large(report) else None
    if found is None:
        return None
    description = "How alike the models arrange the words, layer by layer."
    frame = Frame(report=report, path=PATH, title=f"Layers compared · {report.title}", description=description)
    return LayersPage(frame=frame, layers=found)
