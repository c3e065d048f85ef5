"""``[[series]]``: one model at several steps of its training, or after several trainings."""

from __future__ import annotations

from collections.abc import Sequence
from posixpath import normpath
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, TypeAdapter, ValidationError, model_validator

from tokviz.config.fields import LONGEST_LABEL, Label, Mistakes, Name, Revision, Source, at_most, refuse_repeats
from tokviz.config.names import slug
from tokviz.config.tables import DtypeName, ModelConfig, Table
from tokviz.text import shown

MOST_SERIES, MOST_CHECKPOINTS = 20, 200
SeriesPlates = Literal["ends", "all", "maps"]
RENAME = '; give one of them another "name"'
_LISTS = {"sources": "sources", "revisions": "revisions of one source"}


def _step_or_label(value: Any) -> int | str:
    """One mistake for what is neither, in place of one for each type."""
    for each in (_STEP, _LABEL):
        try:
            return each.validate_python(value, strict=True)
        except ValidationError:
            continue
    raise ValueError(f"expected a step, or a label in quotes, got {shown(value)}")


Step = Annotated[int, Field(ge=0, le=10**18)]
_STEP: TypeAdapter[int] = TypeAdapter(Step)
_LABEL: TypeAdapter[str] = TypeAdapter(Label)
StepOrLabel = Annotated[Step | Label, PlainValidator(_step_or_label, json_schema_input_type=Step | Label)]
StepPair = Annotated[list[StepOrLabel], Field(min_length=2, max_length=2)]


class CheckpointConfig(ModelConfig):
    """A checkpoint of a series as a model."""

    folder: str = Field(exclude=True)
    """Its folders' name; of its name alone two labels without Latin letters would have one folder."""

    @property
    def slug(self) -> str:
        return self.folder


class SeriesConfig(Table):
    """``[[series]]``: each checkpoint is captured like a model, and all of them stand on one page."""

    name: Name
    """How readers see it."""
    source: Source | None = None
    """The hub id whose ``revisions`` are the checkpoints."""
    revisions: Annotated[list[Revision], at_most(MOST_CHECKPOINTS, "revisions")] | None = None
    """Of ``source``: its branches, tags or commits, in the order of training."""
    sources: Annotated[list[Source], at_most(MOST_CHECKPOINTS, "sources")] | None = None
    """In place of both: where each checkpoint is, as in ``[[models]]``."""
    steps: Annotated[list[Step], at_most(MOST_CHECKPOINTS, "steps")] | None = None
    """After how many steps each checkpoint was saved, ascending."""
    labels: Annotated[list[Label], at_most(MOST_CHECKPOINTS, "labels")] | None = None
    """In place of ``steps``, where trainings follow each other: ``["base", "SFT", "DPO"]``."""
    unit: Literal["steps", "tokens"] = "steps"
    """What ``steps`` counts."""
    reference_step: StepOrLabel | None = None
    """The step, or label, on whose axes the words of all checkpoints are shown; by default the last one, and a further checkpoint then
    has all plots drawn anew."""
    changes: Annotated[list[StepPair], at_most(MOST_CHECKPOINTS, "pairs")] | None = None
    """Pairs of steps, or of labels, before and after, that have a page on what changed between them; by default the first checkpoint
    and the last."""
    plates: SeriesPlates = "ends"
    """Of which checkpoints plots are also drawn as images: the first, the last and the reference one, all, or none."""
    keep_weights: bool = True
    """As in ``[[models]]``: ``false`` downloads each checkpoint, captures it, and removes it again."""
    dtype: DtypeName = "auto"
    """As in ``[[models]]``."""
    tokenizer: Source | None = None
    """As in ``[[models]]``, for all checkpoints."""

    @model_validator(mode="after")
    def _names_checkpoints(self) -> SeriesConfig:
        mistakes = Mistakes()
        if self.sources is None and (self.source is None or self.revisions is None):
            mistakes.add(
                (), 'expected "source" with "revisions", or "sources", got neither; add where the checkpoints are'
            )
        elif self.sources is not None and (self.source is not None or self.revisions is not None):
            mistakes.add(("sources",), 'expected "source" with "revisions", or "sources", got both; remove one')
        if (self.steps is None) == (self.labels is None):
            got = "neither" if self.steps is None else "both"
            mistakes.add((), f'expected "steps" or "labels", got {got}; a checkpoint has one of them')
        mistakes.refuse()
        self._check_lists()
        return self

    def _check_lists(self) -> None:
        mistakes = Mistakes()
        key, n = (
            ("revisions", len(self.revisions)) if self.revisions is not None else ("sources", len(self.sources or ()))
        )
        if n < 2:
            mistakes.add((key,), f"expected at least two {_LISTS[key]}, got {n}; a model alone belongs in [[models]]")
        named = "steps" if self.steps is not None else "labels"
        n_named = len(self.steps or self.labels or ())
        if n_named != n:
            mistakes.add((named,), f"expected as many as there are {key}, {n}, got {n_named}")
        for index, (before, after) in enumerate(zip(self.steps or (), (self.steps or ())[1:], strict=False)):
            if after <= before:
                mistakes.add(("steps", index + 1), f"expected ascending steps, got {after} after {before}")
        if self.reference_step is not None and self.reference_step not in (self.steps or self.labels or ()):
            mistakes.add(("reference_step",), f'expected one of "{named}", got {shown(self.reference_step)}')
        self._check_changes(mistakes)
        _find_repeats(mistakes, key, self.revisions or self.sources or ())
        _find_repeats(mistakes, "labels", self.labels or ())
        for each in self.checkpoint_labels:
            if len(f"{self.name} {each}") > LONGEST_LABEL:
                mistakes.add(
                    ("name",), f"expected at most {LONGEST_LABEL} characters with {shown(each)} after it; shorten it"
                )
                break
        mistakes.refuse()

    def _check_changes(self, mistakes: Mistakes) -> None:
        known = self.steps or self.labels or ()
        named = "steps" if self.steps is not None else "labels"
        for index, pair in enumerate(self.changes or ()):
            for each in pair:
                if each not in known:
                    mistakes.add(("changes", index), f'expected two of "{named}", got {shown(each)}')
            if pair[0] == pair[1]:
                mistakes.add(("changes", index), f"expected two different ones, got {shown(pair[0])} twice")
            if pair in (self.changes or ())[:index]:
                mistakes.add(
                    ("changes", index), f"the pair {shown(pair[0])}, {shown(pair[1])} stands twice; remove one"
                )

    @property
    def changed_pairs(self) -> list[tuple[int, int]] | None:
        """The indices of checkpoints before and after; None for the ends."""
        every = list(self.steps or self.labels or ())
        return None if self.changes is None else [(every.index(one), every.index(other)) for one, other in self.changes]

    @property
    def slug(self) -> str:
        """Its folder's name."""
        return slug(self.name, "series")

    @property
    def checkpoint_labels(self) -> tuple[str, ...]:
        """How readers see each checkpoint: ``step 1,000``."""
        if self.labels is not None:
            return tuple(self.labels)
        pattern = "step {:,}" if self.unit == "steps" else "{:,} tokens"
        return tuple(pattern.format(step) for step in self.steps or ())

    @property
    def _plain_labels(self) -> tuple[str, ...]:
        """The same in the names of models: ``step 1000``."""
        return tuple(each.replace(",", "") if self.steps else each for each in self.checkpoint_labels)

    @property
    def checkpoint_keys(self) -> tuple[str, ...]:
        """The same in addresses: ``step-1000``, ``sft``."""
        if self.labels is not None:
            return tuple(slug(label, "checkpoint") for label in self.labels)
        return tuple(f"{self.unit.removesuffix('s')}-{step}" for step in self.steps or ())

    @property
    def has_start(self) -> bool:
        """Whether the first checkpoint is from before the training."""
        return self.steps is not None and self.steps[:1] == [0]

    @property
    def reference(self) -> int:
        """The index of the checkpoint on whose axes all are shown."""
        every = list(self.steps or self.labels or ())
        return len(every) - 1 if self.reference_step is None else every.index(self.reference_step)

    @property
    def models(self) -> tuple[ModelConfig, ...]:
        """Each checkpoint as a model; nothing is measured of it that only one model's page shows."""
        places: list[dict[str, str | None]] = [{"source": each} for each in self.sources or ()]
        places += [{"source": self.source, "revision": each} for each in self.revisions or ()]
        return tuple(
            CheckpointConfig.model_validate(
                {
                    **place,
                    "name": f"{self.name} {label}",
                    "folder": slug(f"{self.slug} {slug(label, 'checkpoint')}"),
                    "dtype": self.dtype,
                    "tokenizer": self.tokenizer,
                    "keep_weights": self.keep_weights,
                    # Where there is no step 0 to hold the others against.
                    "untrained": None if index == 0 and not self.has_start else False,
                    "lens": False,
                }
            )
            for index, (place, label) in enumerate(zip(places, self._plain_labels, strict=True))
        )


def refuse_shared_folders(series: Sequence[SeriesConfig]) -> None:
    """Raise if two series, or checkpoints of two, would have the same folder."""
    mistakes = Mistakes()
    taken: dict[str, int] = {}
    for index, each in enumerate(series):
        same = next((model.slug for model in each.models if model.slug in taken), None)
        if same is not None and series[taken[same]].slug != each.slug:
            text = f"the slug {shown(same)} is already taken by a checkpoint of series.{taken[same]}{RENAME}"
            mistakes.add((index,), text)
        taken |= {model.slug: index for model in each.models if model.slug not in taken}
    refuse_repeats("series", "slug", [each.slug for each in series], RENAME, mistakes)


def _find_repeats(mistakes: Mistakes, key: str, values: Sequence[str]) -> None:
    """Labels are repeated, too, where they stand in addresses alike; folders in another spelling."""
    first: dict[str, int] = {}
    for index, value in enumerate(values):
        same = first.setdefault(slug(value, "checkpoint") if key == "labels" else normpath(value), index)
        if same != index:
            mistakes.add((key, index), f"expected {key} that differ, got {shown(value)} after {shown(values[same])}")
