"""How a run goes about its work."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tokviz.bundled import TEMPLATES
from tokviz.run.store import disk
from tokviz.run.work import processes, workers

FORMS = ("wide", "phone")
SVG = "svg"
"""A form of plates and grids that is drawn where it is asked for: the wide one, as a drawing instead of pixels."""
DRAFT = "draft"
"""A form that takes the wide one's place: plates are small and without labels, grids and strips as in the report."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says; nothing here changes what the report says."""

    base: Path
    """The folder of the config: relative sources are looked for there."""
    output: Path
    cache: Path
    templates: Path = TEMPLATES
    place: workers.Place = field(default_factory=workers.Place)
    """Where pictures are drawn and, with a cluster, models are captured."""
    jobs: int = field(default_factory=processes.default_jobs)
    device: str = "cpu"
    force: bool = False
    waits: bool = True
    """Whether the run waits for another one that writes the same site or captures the same states; else it refuses."""
    forms: tuple[str, ...] = FORMS
    """Which forms of each picture are drawn; phones get the wide one where theirs is missing.
    ``(DRAFT,)`` makes a draft, which the pages say."""
    draws: bool = True
    apart: bool = False
    """Whether models are captured in a process of their own, so that one which ends it costs itself only."""
    excerpts: bool = False
    """Whether each carousel is written once more, as a fragment for a blog."""
    cards: bool = False
    """Whether each finding is drawn as an image of its own."""
    early: bool = False
    """Whether a first look is published before all else is made, where no complete report stands."""
    early_in: Path | None = None
    """Where it is published while one does."""
    foretells: bool = False
    """Whether it begins with what will be made, and how long that takes."""
    is_first_look: bool = False
    """Whether this is that look: plates in one form, nothing measured."""
    command: str = "python generate.py"

    def __post_init__(self) -> None:
        """Resolve the two folders once: the one that the run was started in may be within the site, and move with it."""
        object.__setattr__(self, "output", disk.placed(self.output))
        object.__setattr__(self, "cache", disk.placed(self.cache))

    @property
    def is_draft(self) -> bool:
        """A first look: pictures without labels, nothing measured."""
        return DRAFT in self.forms

    @property
    def measures(self) -> bool:
        """Whether anything is captured, measured and drawn besides plots."""
        return not (self.is_draft or self.is_first_look)
