"""The compare page: what models differ in, their plots side by side, and what is folded; of one model its address leads to that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tokviz.pages.compare import compare_data
from tokviz.pages.compare.compare_data import is_large, variance
from tokviz.pages.compare.curves import Curves, compare_curves
from tokviz.pages.compare.differing import PATH, Capture, Differing, differing
from tokviz.pages.compare.layers import LayersPage, layers_page
from tokviz.pages.compare.pairs import Layers, layers
from tokviz.pages.compare.table import Table, table
from tokviz.pages.frame.frame import Frame, contents, model_path, relative
from tokviz.pages.frame.index import captured, drawings
from tokviz.pages.frame.pictures import picture
from tokviz.pages.model.profile import ProfileView, profile_view
from tokviz.pages.model.related_data import SCRIPT as RELATED_SCRIPT
from tokviz.pages.model.related_data import choices
from tokviz.pages.text.extent import last_captured, notice, span
from tokviz.pages.text.parts import Link, Option, Picture
from tokviz.pages.text.problems import why_no_picture
from tokviz.pages.text.wording import capitalized, count, projection_label
from tokviz.records import ModelReport, Report, depth_name


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place for one model × context × projection, filled as the page opens."""

    capture: Capture
    depth: int
    plates: tuple[Picture | str, ...]
    """Of each depth, or why there is none."""
    strip: Picture | None

    @property
    def name(self) -> str:
        """``SmolLM2-135M-Instruct (Q4_1 GGUF), alone, standardized``."""
        return _name(self.capture)


@dataclass(frozen=True, kw_only=True)
class ComparePage:
    """All that the compare page shows."""

    frame: Frame
    contents: tuple[Link, ...]
    """Its parts, in their order."""
    models: tuple[ModelReport, ...]
    """Those to choose from."""
    notice: str
    """What readers must know of the words' plots; empty where there is nothing."""
    differing: Differing
    profile: ProfileView | None
    """None where nothing was measured."""
    related_choices: tuple[Option, ...]
    """Relations and orders that the slots show in place of all words."""
    plates: str | None
    """JSON for the scripts that draw plates; None where images are shown."""
    slots: tuple[Slot, ...]
    more: bool
    """Whether there is another capture to add."""
    data: str
    """JSON with ``<`` written as ``\\u003c``: what the script needs to show any capture."""
    table: Table
    curves: Curves
    span: str
    last: int | None
    """The last depth of models of which not all layers were captured."""
    layers: Layers | None
    apart: LayersPage | None
    """Where they stand in a report of many models."""
    scripts: Mapping[str, str]
    """Path from the site's root → script, for each model whose part isn't in the page."""


@dataclass(frozen=True, kw_only=True)
class MovedPage:
    """An address that leads to another page."""

    frame: Frame
    to: Link


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


def moved_page(report: Report) -> MovedPage | None:
    """To the page of the only model; None where there is none, or another to compare it with."""
    models = captured(report)
    if len(models) != 1:
        return None
    (model,) = models
    title, description = f"{model.display_name} · {report.title}", "There is one model in this report."
    return MovedPage(
        frame=Frame(report=report, path=PATH, title=title, description=description),
        to=Link(text=model.display_name, href=relative(PATH, model_path(model.slug))),
    )


def compare_page(report: Report) -> ComparePage | None:
    """All captured models beside each other; None with fewer than two."""
    models = captured(report)
    if len(models) < 2:
        return None
    apart, found = layers_page(report), differing(report, models)
    curves = compare_curves(report, found)
    related, profile = choices(report, models), profile_view(report, PATH)
    here = None if is_large(report) else layers(report)
    several = "Model by model" if found.pairs or any(len(each.standing.models) > 2 for each in found.contexts) else ""
    return ComparePage(
        contents=contents(
            ("Side by side", "main", True),
            (several, "differences", several),
            (capitalized(span(report)), "curves", curves.rows),
            ("Compared with chance", "profile", profile),
            ("Metrics", "table", True),
            ("Layers compared", "layers", here or apart),
        ),
        frame=Frame(
            report=report,
            path=PATH,
            title=f"Compare · {report.title}",
            description=f"The same words in {count(len(models), 'model')}, side by side, layer by layer.",
            entries=(*((RELATED_SCRIPT,) if related else ()), *SCRIPTS, *((CHOICE_SCRIPT,) if curves.choice else ())),
        ),
        models=tuple(models),
        notice=notice(report),
        differing=found,
        profile=profile,
        related_choices=related,
        plates=drawings(
            report, PATH, "plates/plates.js", "plates/board.js", data=relative(PATH, "data"), longest=_longest(models)
        ),
        slots=tuple(_slot(capture, found.share) for capture in found.opening),
        more=sum(len(context.projections) for model in models for context in model.drawn) > len(found.opening),
        data=compare_data.page_data(report, found),
        table=table(report, PATH),
        curves=curves,
        span=span(report),
        last=last_captured(report),
        layers=here,
        apart=apart,
        scripts=compare_data.scripts(report, curves.scripts),
    )


def _longest(models: Sequence[ModelReport]) -> dict[str, str]:
    """Of the names that titles of plots have: all plots leave space for them."""
    contexts = [context.states.context.label for model in models for context in model.drawn]
    return {"model": max((model.display_name for model in models), key=len), "context": max(contexts, key=len)}


def _name(capture: Capture) -> str:
    model, context, shown = capture
    return f"{model.display_name}, {context.states.context.label}, {projection_label(shown.projection.name)}"


def _slot(capture: Capture, share: float) -> Slot:
    _, context, shown = capture
    n_depths = context.states.n_depths
    strip_alt = f"{_name(capture)}: all {count(n_depths, 'depth')}, without labels"
    return Slot(
        capture=capture,
        depth=int(np.floor(share * (n_depths - 1) + 0.5)),
        plates=tuple(_plate(capture, depth) for depth in range(n_depths)),
        strip=picture(PATH, shown.strip, strip_alt) if shown.strip else None,
    )


def _plate(capture: Capture, depth: int) -> Picture | str:
    _, _, shown = capture
    plate = shown.plates[depth]
    if plate is None:
        return why_no_picture(shown.projection, depth) or ""
    return picture(PATH, plate, f"{_name(capture)}, {depth_name(depth)}: {variance(shown, depth)}")
