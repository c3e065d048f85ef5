"""The compare page: what models differ in, their plots side by side, and what is folded; of one model its address leads to that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tokviz.pages.compare import compare_data
from tokviz.pages.compare.compare_data import is_large, variance
from tokviz.pages.compare.curves import compare_curves
from tokviz.pages.compare.differing import PATH, Capture, differing
from tokviz.pages.compare.layers import layers, layers_page
from tokviz.pages.compare.table import table
from tokviz.pages.frame.frame import Frame, Values, contents, model_path, relative
from tokviz.pages.frame.index import captured, drawings
from tokviz.pages.frame.pictures import picture
from tokviz.pages.model.profile import profile_view
from tokviz.pages.model.related import SCRIPT as RELATED_SCRIPT
from tokviz.pages.model.related import choices
from tokviz.pages.text.extent import last_captured, notice, span
from tokviz.pages.text.parts import Link, Picture
from tokviz.pages.text.problems import why_no_picture
from tokviz.pages.text.wording import capitalized, count, projection_label
from tokviz.records import ModelReport, ProjectionReport, Report, depth_name

SCRIPTS = (
    "compare/compare.js",
    "compare/tables.js",
    "contents.js",
    "parts.js",
    "switches.js",
    "plates/plates.js",
    "take.js",
    "lightbox.js",
    "shortcuts.js",
)
"""Of the page as it opens; ``CHOICE_SCRIPT`` is added where curves are chosen."""
CHOICE_SCRIPT = "compare/curves.js"


def moved_page(report: Report) -> Values | None:
    """To the page of the only model; None where there is none, or another to compare it with."""
    models = captured(report)
    if len(models) != 1:
        return None
    (model,) = models
    title, description = f"{model.display_name} · {report.title}", "There is one model here to look at."
    return Values(
        frame=Frame(report=report, path=PATH, title=title, description=description),
        to=Link(text=model.display_name, href=relative(PATH, model_path(model.slug))),
    )


def compare_page(report: Report) -> Values | None:
    """All captured models beside each other; None with fewer than two.

    With it come ``scripts``, path from the site's root → text, for each model whose part isn't in the page.
    """
    models = captured(report)
    if len(models) < 2:
        return None
    apart, found = layers_page(report), differing(report, models)
    curves = compare_curves(report, found)
    related, profile = choices(report, models), profile_view(report, PATH)
    here = None if is_large(report) else layers(report)
    several = "Model by model" if found.pairs or any(len(each.standing.models) > 2 for each in found.contexts) else ""
    return Values(
        contents=contents(
            ("Side by side", "main", True),
            (several, "differences", several),
            (capitalized(span(report)), "curves", curves["rows"]),
            ("Compared with chance", "profile", profile),
            ("Metrics", "table", True),
            ("Layers compared", "layers", here or apart),
        ),
        frame=Frame(
            report=report,
            path=PATH,
            title=f"Compare · {report.title}",
            description=f"The same words in {count(len(models), 'model')}, side by side, layer by layer.",
            entries=(
                *((RELATED_SCRIPT,) if related else ()),
                *SCRIPTS,
                *((CHOICE_SCRIPT,) if curves["choice"] else ()),
            ),
        ),
        models=models,
        notice=notice(report),
        differing=found,
        profile=profile,
        related_choices=related,
        plates=drawings(
            report, PATH, "plates/plates.js", "plates/board.js", data=relative(PATH, "data"), longest=_longest(models)
        ),
        slots=tuple(_slot(capture, found.share) for capture in found.opening),
        # Whether there is another capture to add.
        more=sum(len(context.projections) for model in models for context in model.drawn) > len(found.opening),
        data=compare_data.page_data(report, found),
        table=table(report),
        curves=curves,
        span=span(report),
        last=last_captured(report),
        layers=here,
        apart=apart,
        scripts=compare_data.scripts(report, curves["scripts"]),
    )


def _longest(models: Sequence[ModelReport]) -> dict[str, str]:
    """Of the names that titles of plots have: all plots leave space for them."""
    contexts = [context.states.context.label for model in models for context in model.drawn]
    return {"model": max((model.display_name for model in models), key=len), "context": max(contexts, key=len)}


def _slot(capture: Capture, share: float) -> dict[str, Any]:
    """A place for one model × context × projection, filled as the page opens: of each depth a plate, or why there is none."""
    model, context, shown = capture
    n_depths = context.states.n_depths
    name = f"{model.display_name}, {context.states.context.label}, {projection_label(shown.projection.name)}"
    return {
        "capture": capture,
        "name": name,
        "depth": int(np.floor(share * (n_depths - 1) + 0.5)),
        "plates": [_plate(shown, name, depth) for depth in range(n_depths)],
        "strip": picture(PATH, shown.strip, f"{name}: all {count(n_depths, 'depth')}, without labels")
        if shown.strip
        else None,
    }


def _plate(shown: ProjectionReport, name: str, depth: int) -> Picture | str:
    plate = shown.plates[depth]
    if plate is None:
        return why_no_picture(shown.projection, depth) or ""
    return picture(PATH, plate, f"{name}, {depth_name(depth)}: {variance(shown, depth)}")
