"""The compare page: its slots, what the script needs to fill them, and the rows shown without scripts."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

from tokviz.pages import json_text
from tokviz.pages.charts import ChartRow, Key, chart_rows, keys, without_measures
from tokviz.pages.compare_pairs import LEVELS, Pair, SummaryTable, pairs, similarity_notes, summaries
from tokviz.pages.compare_table import COLUMNS, Column, RankRow, table, table_notes
from tokviz.pages.drawings import drawings
from tokviz.pages.frame import frame, relative
from tokviz.pages.parts import Frame, Option, Picture
from tokviz.pages.pictures import picture
from tokviz.pages.problems import problems, why_no_picture
from tokviz.pages.wording import count, percent, projection_label, score
from tokviz.records import ContextReport, Image, ModelReport, ProjectionReport, Renditions, Report, depth_name


@dataclass(frozen=True, kw_only=True)
class Select:
    """One of a slot's choices; ``part`` is ``model``, ``context`` or ``projection``."""

    part: str
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place for one model × context × projection, filled as the page opens."""

    label: str
    selects: tuple[Select, ...]
    name: str
    """Beside its strip: ``SmolLM2-135M-Instruct (Q4_1 GGUF), alone, standardized``."""
    depth: str
    picture: Picture | None
    """Hidden where ``problem`` says why; None when the capture has no pictures at all."""
    problem: str | None
    strip: Picture | None


@dataclass(frozen=True, kw_only=True)
class RowPlate:
    """One depth in a row of plates, or why it has no picture."""

    depth: str
    picture: Picture | None
    problem: str | None


@dataclass(frozen=True, kw_only=True)
class PlateRow:
    """All plates of a capture, to scroll through where there are no scripts."""

    name: str
    plates: tuple[RowPlate, ...]


@dataclass(frozen=True, kw_only=True)
class ComparePage:
    """All that the compare page shows."""

    frame: Frame
    stylesheet: str
    plates: str | None
    """JSON for the scripts that draw plates; None where images are shown."""
    plates_stylesheet: str | None
    noscript: str
    intro: str
    slots: tuple[Slot, ...]
    more: bool
    """Whether there is another capture to add."""
    data: str
    """JSON with ``<`` written as ``\\u003c``: what the script needs to show any capture."""
    rows: tuple[PlateRow, ...]
    columns: tuple[Column, ...]
    table: tuple[RankRow, ...]
    table_notes: tuple[str, ...]
    keys: tuple[Key, ...]
    chart_rows: tuple[ChartRow, ...]
    without_measures: str | None
    """Names the captures without measures."""
    pairs: tuple[Pair, ...]
    summaries: tuple[SummaryTable, ...]
    shades: tuple[str, ...]
    """The levels of a heatmap's scale, for its legend."""
    similarity_notes: tuple[str, ...]
    method: str


PATH = "compare/index.html"
SCRIPTS = ("common.js", "captures.js", "plates.js", "compare.js", "table-sort.js", "lightbox.js", "shortcuts.js")
OPENING = 0.5
"""The relative depth that the page opens at."""

Capture = tuple[ModelReport, ContextReport, ProjectionReport]


def compare_page(report: Report) -> ComparePage | None:
    """All captured models beside each other; None when no model could be captured."""
    captured = [model for model in report.models if model.contexts]
    if not captured:
        return None
    first = _first_captures(captured)
    title = f"Compare · {report.title}"
    description = f"The same words in {count(len(captured), 'model')}, side by side and in step."
    similarity = pairs(report)
    plates = drawings(report, PATH, (), data=relative(PATH, "data"))
    return ComparePage(
        frame=frame(report, PATH, title, description, scripts=SCRIPTS),
        stylesheet=relative(PATH, "assets/compare.css"),
        plates=plates,
        plates_stylesheet=relative(PATH, "assets/plate.css") if plates else None,
        noscript=relative(PATH, "assets/compare-noscript.css"),
        intro=_intro(captured),
        slots=tuple(_slot(captured, capture, number) for number, capture in enumerate(first)),
        more=sum(len(context.projections) for model in captured for context in model.drawn) > len(first),
        data=_data(captured),
        rows=tuple(_plate_row(capture) for capture in first),
        columns=COLUMNS,
        table=table(report, PATH),
        table_notes=table_notes(report),
        keys=keys(report),
        chart_rows=chart_rows(report),
        without_measures=without_measures(report),
        pairs=similarity,
        summaries=summaries(report),
        shades=tuple(str(level) for level in range(LEVELS)),
        similarity_notes=similarity_notes(report) if report.similarities else (),
        method=relative(PATH, "method/index.html"),
    )


def _intro(captured: list[ModelReport]) -> str:
    if len(captured) == 1:
        return f"{captured[0].display_name} beside itself: the same words in another context, or seen by another PCA."
    return "The same words in two models or more, at the same share of their depth or at the same layer."


def _first_captures(captured: list[ModelReport]) -> list[Capture]:
    """The first two models; of a single model two contexts, or two projections, or what there is."""
    starts = [(model, context, context.projections[0]) for model in captured for context in model.contexts[:1]]
    if len(starts) == 1:
        model = captured[0]
        starts = [(model, context, context.projections[0]) for context in model.contexts]
    if len(starts) == 1:
        model, context, _ = starts[0]
        starts = [(model, context, shown) for shown in context.projections]
    return starts[:2]


# --- what opens ----------------------------------------------------------------------------------------------------


def _slot(captured: list[ModelReport], capture: Capture, number: int) -> Slot:
    model, context, shown = capture
    depth = round(OPENING * (context.states.n_depths - 1))
    plate = _row_plate(capture, depth)
    name = _name(capture)
    strip_alt = f"{name}: all {count(context.states.n_depths, 'depth')}, without labels"
    contexts = [(each.states.context.name, each.states.context.label) for each in model.drawn]
    projections = [(each.projection.name, projection_label(each.projection.name)) for each in context.projections]
    return Slot(
        label=f"Picture {number + 1}",
        selects=(
            _select("model", "Model", [(each.slug, each.display_name) for each in captured], model.slug),
            _select("context", "Words", contexts, context.states.context.name),
            _select("projection", "PCA", projections, shown.projection.name),
        ),
        name=name,
        depth=plate.depth,
        picture=plate.picture or next((each.picture for each in _plate_row(capture).plates if each.picture), None),
        problem=plate.problem,
        strip=picture(PATH, shown.strip, strip_alt) if shown.strip else None,
    )


def _name(capture: Capture) -> str:
    model, context, shown = capture
    return f"{model.display_name}, {context.states.context.label}, {projection_label(shown.projection.name)}"


def _select(part: str, label: str, options: list[tuple[str, str]], chosen: str) -> Select:
    return Select(
        part=part,
        label=label,
        options=tuple(Option(value=value, label=text, checked=value == chosen) for value, text in options),
    )


def _plate_row(capture: Capture) -> PlateRow:
    _, context, _ = capture
    return PlateRow(
        name=_name(capture),
        plates=tuple(_row_plate(capture, depth) for depth in range(context.states.n_depths)),
    )


def _row_plate(capture: Capture, depth: int) -> RowPlate:
    _, _, shown = capture
    plate = shown.plates[depth]
    name = depth_name(depth)
    alt = f"{_name(capture)}, {name}: {_variance(shown, depth)}"
    problem = why_no_picture(shown.projection, depth)
    return RowPlate(
        depth=name, picture=picture(PATH, plate, alt) if plate else None, problem=None if plate else problem
    )


def _variance(shown: ProjectionReport, depth: int) -> str:
    pc1, pc2 = (percent(ratio) for ratio in shown.projection.explained_variance_ratio[depth])
    return f"PC1 {pc1}, PC2 {pc2} of the variance"


# --- what the script fills slots from ----------------------------------------------------------------------------------


def _data(captured: list[ModelReport]) -> str:
    models = [
        {
            "slug": model.slug,
            "name": model.display_name,
            "contexts": [
                {
                    "name": context.states.context.name,
                    "label": context.states.context.label,
                    "last": context.states.n_depths - 1,
                    "projections": [_projection(context, shown) for shown in context.projections],
                }
                for context in model.drawn
            ],
        }
        for model in captured
    ]
    return json_text.embedded({"opening": OPENING, "models": models})


def _projection(context: ContextReport, shown: ProjectionReport) -> dict[str, Any]:
    depths = range(context.states.n_depths)
    return {
        "name": shown.projection.name,
        "label": projection_label(shown.projection.name),
        "wide": _plates(shown.plates, "wide"),
        "phone": _plates(shown.plates, "phone"),
        "strip": _strip(shown.strip),
        "captions": [_caption(context, shown, depth) if shown.plates[depth] else "" for depth in depths],
        "problems": {str(depth): problems(shown.projection)[depth] for depth in depths if not shown.plates[depth]},
    }


def _caption(context: ContextReport, shown: ProjectionReport, depth: int) -> str:
    caption = _variance(shown, depth)
    geometry = context.geometry
    of_picture = geometry and next(
        (each for each in geometry.pictures if each.projection == shown.projection.name), None
    )
    if geometry and of_picture:
        space, flat = geometry.purity.value[depth], of_picture.purity.value[depth]
        if math.isfinite(space) and math.isfinite(flat):
            caption += f" · category purity {score(flat)} here, {score(space)} in the full space"
    return caption


def _plates(plates: tuple[Renditions | None, ...], form: str) -> dict[str, Any]:
    """All paths of one form, their common beginning and end said once: ten models stay light."""
    found: list[Image | None] = [getattr(plate, form) if plate else None for plate in plates]
    images = [image for image in found if image]
    paths = [relative(PATH, image.path) for image in images]
    before = _common_beginning(paths)
    after = _common_beginning([path[len(before) :][::-1] for path in paths])[::-1]
    return {
        "size": [images[0].width, images[0].height] if images else [1, 1],
        "before": before,
        "after": after,
        "between": [
            relative(PATH, image.path)[len(before) :].removesuffix(after) if image else None for image in found
        ],
    }


def _common_beginning(texts: list[str]) -> str:
    together = itertools.takewhile(lambda characters: len(set(characters)) == 1, zip(*texts, strict=False))
    return "".join(characters[0] for characters in together) if len(texts) > 1 else ""


def _strip(strip: Renditions | None) -> dict[str, Any] | None:
    if strip is None:
        return None
    forms = {"wide": strip.wide, "phone": strip.phone}
    return {
        form: {"src": relative(PATH, image.path), "size": [image.width, image.height]} for form, image in forms.items()
    }
