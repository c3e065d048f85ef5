"""The compare page: its slots, what the script needs to fill them, and the rows shown without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tokviz.pages.compare import compare_data
from tokviz.pages.compare.compare_data import OPENING, PATH, is_large, variance
from tokviz.pages.compare.curves import Curves, compare_curves, without_measures
from tokviz.pages.compare.layers import layers_page, link_to
from tokviz.pages.compare.pairs import Layers, layers
from tokviz.pages.compare.table import Metric, Ranked, metrics, table, table_notes
from tokviz.pages.findings.chosen import of_compared
from tokviz.pages.findings.lines import Line, lines
from tokviz.pages.frame.frame import Frame, contents, relative
from tokviz.pages.frame.index import captured, drawings
from tokviz.pages.frame.pictures import picture
from tokviz.pages.model.profile import ProfileView, profile_view
from tokviz.pages.model.related_data import SCRIPT as RELATED_SCRIPT
from tokviz.pages.model.related_data import choices
from tokviz.pages.text.extent import LAST_LAYER, last_captured, notice, span
from tokviz.pages.text.parts import Link, Option, Picture
from tokviz.pages.text.problems import why_no_picture
from tokviz.pages.text.wording import NBSP, capitalized, count, projection_label, the_depth
from tokviz.records import ContextReport, ModelReport, ProjectionReport, Report, depth_name


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
    contents: tuple[Link, ...]
    """Its parts, in their order."""
    stylesheet: str
    plates: str | None
    """JSON for the scripts that draw plates; None where images are shown."""
    plates_stylesheet: str | None
    noscript: str
    intro: str
    findings: tuple[Line, ...]
    """What models, or of one model contexts, differ in."""
    profile: ProfileView | None
    """None where nothing was measured."""
    related_choices: tuple[Option, ...]
    """Relations and orders that the slots show in place of all words."""
    related_stylesheet: str
    slots: tuple[Slot, ...]
    more: bool
    """Whether there is another capture to add."""
    data: str
    """JSON with ``<`` written as ``\\u003c``: what the script needs to show any capture."""
    rows: tuple[PlateRow, ...]
    table: tuple[Ranked, ...]
    """The captures, a column each."""
    metrics: tuple[Metric, ...]
    """The same by rows."""
    table_notes: tuple[str, ...]
    curves: Curves
    curves_heading: str
    curves_axis: str
    """What is at its two ends."""
    without_measures: str | None
    """Names the captures without measures."""
    layers: Layers | None
    more_layers: Link | None
    """Where they stand in a report of many models."""
    scripts: Mapping[str, str]
    """Path from the site's root → script, for each model whose part isn't in the page."""


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

Capture = tuple[ModelReport, ContextReport, ProjectionReport]


def compare_page(report: Report) -> ComparePage | None:
    """All captured models beside each other; None with fewer than two captures, which have nothing to be compared with."""
    models = captured(report)
    if sum(len(model.captures) for model in models) < 2:
        return None
    first = _first_captures(models)
    title = f"Compare · {report.title}"
    description = f"The same words in {count(len(models), 'model')}, side by side, layer by layer."
    curves, apart = compare_curves(report), layers_page(report)
    plates = drawings(
        report, PATH, "plates/plates.js", "plates/board.js", data=relative(PATH, "data"), longest=_longest(models)
    )
    related, ranked = choices(report, models), table(report, PATH)
    profile, here = profile_view(report, PATH), None if is_large(report) else layers(report)
    return ComparePage(
        contents=contents(
            ("Side by side", "main", True),
            ("Compared with chance", "profile", profile),
            ("Metrics", "table", True),
            (capitalized(span(report)), "curves", curves.rows),
            ("Layers compared", "layers", here or apart),
        ),
        frame=Frame(report=report, path=PATH, title=title, description=description, entries=_scripts(curves, related)),
        stylesheet=relative(PATH, "assets/compare/compare.css"),
        plates=plates,
        plates_stylesheet=relative(PATH, "assets/plates/plate.css") if plates else None,
        noscript=relative(PATH, "assets/compare/noscript.css"),
        intro=" ".join(filter(None, (_intro(models), notice(report)))),
        findings=lines(of_compared(report), PATH),
        profile=profile,
        related_choices=related,
        related_stylesheet=relative(PATH, "assets/relations.css"),
        slots=tuple(_slot(models, capture, number) for number, capture in enumerate(first)),
        more=sum(len(context.projections) for model in models for context in model.drawn) > len(first),
        data=compare_data.page_data(report, [(model.slug, context.states.context.name) for model, context, _ in first]),
        rows=tuple(_plate_row(capture) for capture in first),
        table=ranked,
        metrics=metrics(report, ranked),
        table_notes=table_notes(report),
        curves=curves,
        curves_heading=capitalized(span(report)),
        curves_axis=_axis(last_captured(report)),
        without_measures=without_measures(report),
        layers=here,
        more_layers=link_to(apart) if apart else None,
        scripts=compare_data.scripts(report, curves.scripts),
    )


def _scripts(curves: Curves, related: tuple[Option, ...]) -> tuple[str, ...]:
    return (*((RELATED_SCRIPT,) if related else ()), *SCRIPTS, *((CHOICE_SCRIPT,) if curves.choice else ()))


def _longest(captured: list[ModelReport]) -> dict[str, str]:
    """Of the names that titles of plots have: all plots leave space for them."""
    contexts = [context.states.context.label for model in captured for context in model.drawn]
    return {"model": max((model.display_name for model in captured), key=len), "context": max(contexts, key=len)}


def _intro(captured: list[ModelReport]) -> str:
    if len(captured) == 1:
        return f"{captured[0].display_name} next to itself: the same words in another context or another PCA."
    return "The same words in two models or more, at the same relative depth or the same layer."


def _axis(last: int | None) -> str:
    """``last``: the last depth of models of which not all layers were captured."""
    if last == 0:
        return "Each metric in the embedding."
    end = f"the {LAST_LAYER}" if last is None else the_depth(last)
    return f"Each metric over relative depth: 0{NBSP}% is the embedding, 100{NBSP}% {end}."


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
        label=f"Plot {number + 1}",
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
    alt = f"{_name(capture)}, {name}: {variance(shown, depth)}"
    problem = why_no_picture(shown.projection, depth)
    return RowPlate(
        depth=name, picture=picture(PATH, plate, alt) if plate else None, problem=None if plate else problem
    )
