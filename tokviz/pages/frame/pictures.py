"""Rulers, slides and panels: what a model's carousel and the index's strips are made of."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.pages.charts.axis import Ruler, norm_range
from tokviz.pages.frame.frame import model_path, relative
from tokviz.pages.text.parts import Picture, Source
from tokviz.pages.text.problems import why_no_picture
from tokviz.pages.text.sentences import depths_name
from tokviz.pages.text.trust import TRUSTWORTHINESS, finding, trust
from tokviz.pages.text.wording import count, outside_reference, projection_label
from tokviz.records import ContextReport, Image, ModelReport, ProjectionReport, Renditions, Report, depth_name

MOST_ON_PAPER = 10


def picture(page: str, renditions: Renditions, alt: str) -> Picture:
    """The renditions of an image, as links from ``page``."""

    def source(image: Image) -> Source:
        return Source(src=relative(page, image.path), width=image.width, height=image.height)

    svg = relative(page, renditions.svg.path) if renditions.svg else None
    dark = picture(page, renditions.dark, alt) if renditions.dark else None
    return Picture(alt=alt, wide=source(renditions.wide), phone=source(renditions.phone), svg=svg, dark=dark)


def slide_id(context: str, depth: int, projection: str | None = None) -> str:
    """``alone/layer-12``; other projections than the first add their name."""
    name = f"{context}/{depth_address(depth)}"
    return f"{name}/{projection}" if projection else name


def depth_address(depth: int) -> str:
    """``embedding`` or ``layer-12``."""
    return depth_name(depth).replace(" ", "-")


def grid_id(context: str, projection: str | None = None) -> str:
    """``alone/grid``; other projections than the first add their name."""
    return f"{context}/grid/{projection}" if projection else f"{context}/grid"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One model × context × projection, as ``page`` shows it."""

    report: Report
    model: ModelReport
    context: ContextReport
    shown: ProjectionReport
    page: str
    """Path from the site's root."""
    current: bool = False
    """Whether the page opens with it."""

    @property
    def heading(self) -> str:
        """``alone, standardized``."""
        return f"{self.context.states.context.label}, {projection_label(self.shown.projection.name)}"

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
        return Ruler(
            strip=self._strip(),
            last=state.n_depths - 1,
            hrefs=tuple(f"#{each}" if target == self.page else relative(self.page, f"{target}#{each}") for each in ids),
            geometry=self.context.in_first_template.geometry if with_measures else None,
            norms=norm_range(self.model.captures),
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

    # --- its plates, a slide per depth -----------------------------------------------------------------------------

    @property
    def own(self) -> list[str]:
        """Parts of the ruler that no panel before this one has."""
        is_first = {"axis": self.current, "measures": self.shown is self.context.projections[0]}
        return [name for name, is_own in is_first.items() if is_own]

    @property
    def explorer(self) -> str | None:
        """The explorer's address of these plots, up to and with the depth: carousel.js keeps it in step."""
        view = f"{self.model.slug}/{self.context.states.context.name}/{self.shown.projection.name}"
        return (
            f"{relative(self.page, 'explore/index.html')}#a={view}&at=embedding" if self.report.is_explorable else None
        )

    def plate(self, depth: int) -> Picture | None:
        plate = self.shown.plates[depth]
        return picture(self.page, plate, self.alt(depth)) if plate else None

    def alt(self, depth: int) -> str:
        """A plate in words."""
        return finding(self.model, self.context, self.shown.projection, depth)

    def problem(self, depth: int) -> str:
        """Why a depth has no plate."""
        return why_no_picture(self.shown.projection, depth)

    def trust(self, depth: int) -> tuple[str, ...]:
        """How far the plate can be trusted: variance, neighbours, trustworthiness."""
        return trust(self.shown.projection, self.context.geometry, depth)

    def note(self, depth: int) -> str | None:
        """The author's words, as safe HTML."""
        return self._said_at(slide_id(self.context.states.context.name, depth))

    def _said_at(self, address: str) -> str | None:
        """In every projection, and in this one."""
        notes, keys = self.model.notes, (address, f"{address}/{self.shown.projection.name}")
        return "\n".join(notes[key] for key in keys if key in notes) or None

    @property
    def on_paper(self) -> tuple[int, ...]:
        """The depths that are printed: both ends, the two about a break, and where stages begin, as far as there are not too many."""
        chosen = [0, self.context.states.n_depths - 1]
        if self.context.geometry is not None:
            emergence = self.context.geometry.massive.emergence_depth
            chosen += [] if emergence is None else [max(emergence - 1, 0), emergence]
            chosen += [stage.first_depth for stage in self.context.geometry.stages]
        return tuple(dict.fromkeys(chosen))[:MOST_ON_PAPER]

    @property
    def says_how_to_trust(self) -> bool:
        """Terms are explained in the panel that the page opens with."""
        plates = self.shown.plates if self.current else ()
        return any(TRUSTWORTHINESS in part for depth, plate in enumerate(plates) if plate for part in self.trust(depth))

    @property
    def has_notes(self) -> bool:
        return any(map(self.note, range(self.context.states.n_depths)))

    @property
    def outside(self) -> list[str]:
        """The words whose marks are hollow."""
        return outside_reference(self.context.states.tokenization)

    # --- its grid, all layers in the embedding's basis -------------------------------------------------------------

    @property
    def grid(self) -> Picture | None:
        n_depths = count(self.context.states.n_depths, "depth")
        alt = f"{self.model.display_name}, {self.heading}: all {n_depths} in the embedding’s axes, one plot each"
        return picture(self.page, self.shown.grid, alt) if self.shown.grid else None

    @property
    def grid_id(self) -> str:
        return grid_id(self.context.states.context.name, self.projection_in_address)

    @property
    def grid_note(self) -> str | None:
        return self._said_at(grid_id(self.context.states.context.name))


def panels(report: Report, model: ModelReport, page: str) -> tuple[Shown, ...]:
    """All that is drawn of a model; the first is the one shown."""
    pairs = [(context, shown) for context in model.drawn for shown in context.projections]
    return tuple(
        Shown(report=report, model=model, context=context, shown=shown, page=page, current=index == 0)
        for index, (context, shown) in enumerate(pairs)
    )
