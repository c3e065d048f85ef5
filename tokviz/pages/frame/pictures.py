"""Rulers, slides and panels: what a model's carousel and the index's strips are made of."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.pages.charts.axis import Ruler, log_range
from tokviz.pages.frame.frame import model_path, relative
from tokviz.pages.text.extent import is_partial
from tokviz.pages.text.parts import Picture, Source
from tokviz.pages.text.problems import why_no_picture
from tokviz.pages.text.sentences import depths_name
from tokviz.pages.text.trust import TRUSTWORTHINESS, finding, trust, variance_held
from tokviz.pages.text.wording import (
    count,
    named_or_counted,
    neurons_named,
    number,
    outside_reference,
    projection_label,
    the_depth,
)
from tokviz.records import (
    ContextReport,
    Image,
    Intervention,
    ModelReport,
    ProjectionReport,
    Renditions,
    Report,
    depth_name,
)


@dataclass(frozen=True, kw_only=True)
class Slide:
    """One depth's plate, or the reason why there is none."""

    id: str
    name: str
    module: str
    trust: tuple[str, ...]
    """How far the picture can be trusted: variance, neighbours, trustworthiness; empty without a picture."""
    picture: Picture | None
    problem: str | None
    note: str | None
    """The author's words, as safe HTML; so wherever a record has a note."""
    first: bool
    """Shown when the page opens: fetched at once."""
    on_paper: bool
    """Whether it is printed."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One context × projection of a model."""

    id: str
    context: str
    projection: str
    heading: str
    current: bool
    explore: str | None
    """The explorer's address of this panel, up to and with the depth: carousel.js keeps it in step."""
    ruler: Ruler
    own: tuple[str, ...]
    """Parts of the ruler that no panel before it has: ``axis``, ``measures``."""
    slides: tuple[Slide, ...]
    look: str
    """What to look for while stepping through the layers."""
    notes: tuple[str, ...]
    """What else to know of this panel, such as words at position 0."""
    hollow: str | None
    """Which marks are hollow on plates."""
    has_relations: bool


@dataclass(frozen=True, kw_only=True)
class GridFigure:
    """All layers of one context × projection in the embedding's basis."""

    context: str
    projection: str
    heading: str
    """``alone, standardized``."""
    current: bool
    picture: Picture
    caption: str
    id: str
    """``alone/grid``."""
    note: str | None


LOOK = "Which words form clusters, and which lie apart? Does the plot change gradually from layer to layer, or all at once?"

TRUST_NOTE = f"The line under the plot says how far to trust it (purity, {TRUSTWORTHINESS})."

RULER_NOTE = (
    "Above the axis: the numbered stages; purity, the share of each word’s nearest neighbors that are of its "
    "category, in all dimensions (dotted: chance); and the mean norm, log scale."
)


def picture(page: str, renditions: Renditions, alt: str) -> Picture:
    """The renditions of an image, as links from ``page``."""

    def source(image: Image) -> Source:
        return Source(src=relative(page, image.path), width=image.width, height=image.height)

    svg = relative(page, renditions.svg.path) if renditions.svg else None
    dark = picture(page, renditions.dark, alt) if renditions.dark else None
    return Picture(alt=alt, wide=source(renditions.wide), phone=source(renditions.phone), svg=svg, dark=dark)


def slide_id(context: str, depth: int, projection: str | None = None) -> str:
    """``alone/layer-12``; other projections than the first add their name."""
    name = f"{context}/{depth_name(depth).replace(' ', '-')}"
    return f"{name}/{projection}" if projection else name


def grid_id(context: str, projection: str | None = None) -> str:
    """``alone/grid``; other projections than the first add their name."""
    return f"{context}/grid/{projection}" if projection else f"{context}/grid"


def _note(model: ModelReport, address: str, projection: str) -> str | None:
    """What the author says at an address in every projection, and in this one."""
    said = [model.notes[key] for key in (address, f"{address}/{projection}") if key in model.notes]
    return "\n".join(said) or None


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One model × context × projection, as ``page`` shows it."""

    report: Report
    model: ModelReport
    context: ContextReport
    shown: ProjectionReport
    page: str
    """Path from the site's root."""

    @property
    def projection_in_address(self) -> str | None:
        """The projection's name, which the first one's addresses leave out."""
        name = self.shown.projection.name
        return None if name == self.report.projections[0] else name

    def slide_id(self, depth: int) -> str:
        return slide_id(self.context.states.context.name, depth, self.projection_in_address)

    def ruler(self, *, with_measures: bool = True) -> Ruler:
        """The depth axis; its ticks link to the slides on the model's page."""
        state = self.context.states
        target = model_path(self.model.slug)
        ids = [self.slide_id(depth) for depth in range(state.n_depths)]
        # Norms have one scale in all of a model's captures, so that their rulers compare.
        norms = [each.geometry.spread.mean_norm for each in self.model.captures if each.geometry is not None]
        return Ruler(
            strip=self._strip(),
            last=state.n_depths - 1,
            hrefs=tuple(f"#{each}" if target == self.page else relative(self.page, f"{target}#{each}") for each in ids),
            geometry=self.context.in_first_template.geometry if with_measures else None,
            norms=log_range(norms),
        )

    def brief_ruler(self) -> Ruler:
        """The same, as light as it can be."""
        state = self.context.states
        slides = relative(self.page, f"{model_path(self.model.slug)}#{state.context.name}/")
        return Ruler(strip=self._strip(), last=state.n_depths - 1, slides=slides)

    def _strip(self) -> Picture | None:
        last = self.context.states.n_depths - 1
        alt = (
            f"{self.model.display_name}, {self.context.states.context.label}: the words at {count(last + 1, 'depth')}, "
            f"{depths_name(0, last)}, without labels"
        )
        return picture(self.page, self.shown.strip, alt) if self.shown.strip else None

    def panel(self, *, current: bool) -> Panel:
        """``current``: whether the page opens with it."""
        name, label = self.context.states.context.name, self.context.states.context.label
        projection = self.shown.projection.name
        explorer = relative(self.page, "explore/index.html")
        slides = tuple(
            self._slide(depth, first=current and depth == 0) for depth in range(self.context.states.n_depths)
        )
        # Terms are explained in the panel that the page opens with.
        is_explained = current and any(TRUSTWORTHINESS in part for slide in slides for part in slide.trust)
        return Panel(
            id=f"{name}/{projection}",
            context=name,
            projection=projection,
            heading=f"{label}, {projection_label(projection)}",
            current=current,
            explore=f"{explorer}#a={self.model.slug}/{name}/{projection}&at=embedding"
            if self.report.is_explorable
            else None,
            ruler=self.ruler(),
            own=(
                *(("axis",) if current else ()),
                *(("measures",) if self.shown is self.context.projections[0] else ()),
            ),
            slides=slides,
            look=f"{LOOK} {TRUST_NOTE}" if is_explained else LOOK,
            notes=self._notes(),
            hollow=self._hollow(),
            has_relations=self.context.relations is not None,
        )

    def _slide(self, depth: int, *, first: bool) -> Slide:
        projection, state = self.shown.projection, self.context.states
        plate = self.shown.plates[depth]
        alt = finding(self.model, self.context, projection, depth)
        return Slide(
            id=self.slide_id(depth),
            name=depth_name(depth),
            module=state.module_paths[depth],
            trust=trust(projection, self.context.geometry, depth) if plate else (),
            picture=picture(self.page, plate, alt) if plate else None,
            problem=None if plate else why_no_picture(projection, depth),
            note=_note(self.model, slide_id(state.context.name, depth), projection.name),
            first=first,
            on_paper=depth in _on_paper(self.context),
        )

    def _notes(self) -> tuple[str, ...]:
        tokenization, done = self.context.states.tokenization, self.context.states.intervention
        notes = []
        if done is not None:
            others = self.report.is_explorable and len(self.report.projections) > 1
            notes.append(_what_was_done(done, others=others))
        elif tokenization.reads_position_0:
            notes.append(_at_position_0(self.model))
        if self.context.geometry is not None:
            of_first = " All of it is of the first sentence, as the plots are." if self.context.has_templates else ""
            notes.append(f"{RULER_NOTE}{of_first}")
        return tuple(notes)

    def _hollow(self) -> str | None:
        outside = outside_reference(self.context.states.tokenization)
        if not outside:
            return None
        return f"Hollow, because read at a different position than most words: {named_or_counted(outside)}."


MOST_ON_PAPER = 10


def _on_paper(context: ContextReport) -> tuple[int, ...]:
    """The depths that are printed: both ends, the two about a break, and where stages begin, as far as there are not too many."""
    chosen = [0, context.states.n_depths - 1]
    if context.geometry is not None:
        emergence = context.geometry.massive.emergence_depth
        chosen += [] if emergence is None else [max(emergence - 1, 0), emergence]
        chosen += [stage.first_depth for stage in context.geometry.stages]
    return tuple(dict.fromkeys(chosen))[:MOST_ON_PAPER]


def _at_position_0(model: ModelReport) -> str:
    note = (
        "The reference words are read at position 0, where many models build an attention sink: from some layer on, "
        "the plot may show this position more than the words."
    )
    others = [each.states for each in model.contexts if not each.states.tokenization.reads_position_0]
    return f"{note} Compare with the words {others[0].context.label}." if others else note


def panels(report: Report, model: ModelReport, page: str) -> tuple[Panel, ...]:
    """All context × projection panels of a model; the first is the one shown."""
    pairs = [(context, shown) for context in model.drawn for shown in context.projections]
    return tuple(
        Shown(report=report, model=model, context=context, shown=shown, page=page).panel(current=index == 0)
        for index, (context, shown) in enumerate(pairs)
    )


def _what_was_done(done: Intervention, *, others: bool) -> str:
    """What a reader must know of plates of a model that was changed.

    Parameters
    ----------
    others : whether the explorer has the same words in other projections.
    """
    one = len(done.neurons) == 1
    mean = f"set to {'its' if one else 'their'} mean over the words, at position 0"
    how = {"zero": "set to zero", "mean": mean}.get(str(done.value)) or f"set to {number(float(done.value))}"
    span = "the embedding" if done.layer == 0 else f"the embedding to {the_depth(done.layer)}"
    said = (
        f"This is a changed model: {neurons_named(done.neurons)} of layer {done.layer} {'is' if one else 'are'} {how}. "
        f"Before that layer nothing differs, so the plots of {span} are those of the unchanged model."
    )
    return f"{said} Plotted in this PCA only; the explorer has the others." if others else said


def grids(model: ModelReport, page: str) -> tuple[GridFigure, ...]:
    """All layers in the embedding's basis, as many figures as there are panels."""
    figures = []
    for context in model.contexts:
        for shown in context.projections:
            if shown.grid is None:
                continue
            heading = f"{context.states.context.label}, {projection_label(shown.projection.name)}"
            alt = (
                f"{model.display_name}, {heading}: all {count(context.states.n_depths, 'depth')} "
                "in the embedding’s axes, one plot each"
            )
            figures.append(
                GridFigure(
                    context=context.states.context.name,
                    projection=shown.projection.name,
                    heading=heading,
                    current=context is model.contexts[0] and shown is context.projections[0],
                    picture=picture(page, shown.grid, alt),
                    caption=_grid_caption(context, shown),
                    id=grid_id(
                        context.states.context.name,
                        None if shown is context.projections[0] else shown.projection.name,
                    ),
                    note=_note(model, grid_id(context.states.context.name), shown.projection.name),
                )
            )
    return tuple(figures)


def _grid_caption(context: ContextReport, shown: ProjectionReport) -> str:
    pc1, pc2 = variance_held(shown.projection, 0)
    return (
        f"Every {'captured ' if is_partial(context) else ''}depth along the embedding’s own PC1 and PC2, which hold {pc1} and {pc2} of the variance there. How long does the "
        "embedding’s arrangement last, and where does the number above a plot jump? Where the words fall on a line, one direction "
        "outweighs all others."
    )
