"""What the compare page's script fills its slots from: in the page, or of many models in a script each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from os.path import commonprefix
from typing import Any

from tokviz.pages.compare.differing import PATH, Differing
from tokviz.pages.frame.frame import relative
from tokviz.pages.frame.index import (
    captured,
    context_entry,
    data_folder,
    model_entry,
    projection_entry,
    related_flag,
    strip_entry,
)
from tokviz.pages.text import data_text
from tokviz.pages.text.extent import end_name
from tokviz.pages.text.problems import problems
from tokviz.pages.text.trust import category_purity, measures_in_plot, variance_held
from tokviz.pages.text.wording import score
from tokviz.records import ContextReport, Image, ModelReport, ProjectionReport, Renditions, Report

MOST_PLATES, MOST_MODELS = 400, 8
"""Of more the page has the pictures of the captures that it opens with; the others' come when they are chosen."""


def is_large(report: Report) -> bool:
    """Whether the page would be too heavy with all that it says."""
    models = captured(report)
    n_plates = sum(len(shown.plates) for model in models for context in model.drawn for shown in context.projections)
    return n_plates > MOST_PLATES or len(models) > MOST_MODELS


def page_data(report: Report, found: Differing) -> str:
    """JSON for a ``<script>`` of the page: what can be chosen, what it opens with, which pairs were tested, and the pictures."""
    apart = is_large(report)
    opened = {(model.slug, context.states.context.name) for model, context, _ in found.opening}
    models = [
        _model(model, [apart and (model.slug, context.states.context.name) not in opened for context in model.drawn])
        for model in captured(report)
    ]
    tested = found.tested if found.contexts else None
    data = {"opening": found.share, "end": end_name(report), "tested": tested, "models": models}
    return data_text.embedded(data)


def script_path(slug: str) -> str:
    """Of a model’s script, from the site’s root; ``compare/curves.js`` makes it, too."""
    return f"compare/models/{slug}.js"


def scripts(report: Report, curves: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Path from the site's root → script, for each model of a large report: its pictures, and its curves if some are chosen."""
    if not is_large(report):
        return {}
    return {
        script_path(model.slug): data_text.script(f"{model.slug} compared", _content(model, curves.get(model.slug)))
        for model in captured(report)
    }


def variance(shown: ProjectionReport, depth: int) -> str:
    """``PC1 12 %, PC2 7 % of the variance``."""
    pc1, pc2 = variance_held(shown.projection, depth)
    return f"PC1 {pc1}, PC2 {pc2} of the variance"


def _model(model: ModelReport, apart: Sequence[bool]) -> dict[str, Any]:
    """``apart``: of each context, whether a script has its pictures."""
    script = relative(PATH, script_path(model.slug))
    contexts = [_context(each, script if own else None) for each, own in zip(model.drawn, apart, strict=True)]
    found = {**model_entry(model), "contexts": contexts}
    if any(context.relations for context in model.drawn):
        found["data"] = data_folder(model, PATH)
    return found


def _context(context: ContextReport, script: str | None) -> dict[str, Any]:
    """With its pictures, unless a script has them."""
    projections = [
        {**projection_entry(shown), **({} if script else _pictures(context, shown))} for shown in context.projections
    ]
    return {
        **context_entry(context),
        "last": context.states.n_depths - 1,
        **related_flag(context),
        "projections": projections,
        **({"script": script} if script else {}),
    }


def _content(model: ModelReport, curves: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "pictures": [[_pictures(context, shown) for shown in context.projections] for context in model.drawn],
        "curves": curves,
    }


def _pictures(context: ContextReport, shown: ProjectionReport) -> dict[str, Any]:
    depths = range(context.states.n_depths)
    return {
        "wide": _plates(shown.plates, "wide"),
        "phone": _plates(shown.plates, "phone"),
        "strip": strip_entry(shown.strip, PATH),
        "captions": [_caption(context, shown, depth) if shown.plates[depth] else "" for depth in depths],
        "problems": {str(depth): problems(shown.projection)[depth] for depth in depths if not shown.plates[depth]},
    }


def _caption(context: ContextReport, shown: ProjectionReport, depth: int) -> str:
    caption = variance(shown, depth)
    geometry = context.geometry
    of_picture = measures_in_plot(shown.projection, geometry)
    if geometry and of_picture:
        space, flat = geometry.in_first_template.purity.value[depth], of_picture.purity.value[depth]
        if math.isfinite(space) and math.isfinite(flat):
            which = "dimensions" if shown.projection.is_scaled else "scaled dimensions"
            caption += f" · {category_purity(geometry)} {score(flat)} in the plot, {score(space)} in all {which}"
    return caption


def _plates(plates: tuple[Renditions | None, ...], form: str) -> dict[str, Any]:
    """All paths of one form, their common beginning and end said once: ten models stay light."""
    found: list[Image | None] = [getattr(plate, form) if plate else None for plate in plates]
    images = [image for image in found if image]
    paths = [relative(PATH, image.path) for image in images]
    several = paths if len(paths) > 1 else []
    before = commonprefix(several)  # noqa: RUF071 - characters are meant
    after = commonprefix([path[len(before) :][::-1] for path in several])[::-1]  # noqa: RUF071
    return {
        "size": [images[0].width, images[0].height] if images else [1, 1],
        "before": before,
        "after": after,
        "between": [each and relative(PATH, each.path)[len(before) :].removesuffix(after) for each in found],
    }
