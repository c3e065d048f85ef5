"""What follows from the checkpoints of a series once they are captured, and under which keys it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tokviz.config import SeriesConfig
from tokviz.errors import ModelError
from tokviz.records import Drift, Projection, StepAxes
from tokviz.run.plan import captures, pairs
from tokviz.run.plan.options import SVG
from tokviz.run.plan.pairs import Comparer, Comparison, misfit
from tokviz.run.plan.pictures import Whole
from tokviz.run.plan.report import Plan
from tokviz.run.plan.steps import Step
from tokviz.run.plan.tree import Captured, ModelPlan, PictureJob


@dataclass(frozen=True, kw_only=True)
class SeriesPlan:
    """One series of a report."""

    config: SeriesConfig
    checkpoints: tuple[Mapping[str, Captured], ...]
    """Of each checkpoint what is captured, by the context's name; nothing of one that failed or doesn't fit."""
    misfits: Mapping[int, ModelError]
    """By index, why captured checkpoints don't fit the reference."""
    plan: Plan

    @classmethod
    def of(cls, config: SeriesConfig, models: Mapping[str, ModelPlan | None], plan: Plan) -> SeriesPlan:
        """``models``: by slug, None where one failed."""
        plans = [models[each.slug] for each in config.models]
        found = tuple(
            {each.context.name: each.captured for each in model.contexts if each.captured} if model else {}
            for model in plans
        )
        every = cls(config=config, checkpoints=found, misfits={}, plan=plan)
        misfits = {index: misfit for index in range(len(found)) if (misfit := every._misfit(index))}
        fitting = tuple({} if index in misfits else each for index, each in enumerate(found))
        return cls(config=config, checkpoints=fitting, misfits=misfits, plan=plan)

    @property
    def reference(self) -> int | None:
        """The index of the checkpoint on whose axes the others are shown: the last one where that one isn't captured."""
        known = [index for index, each in enumerate(self.checkpoints) if each]
        return self.config.reference if self.config.reference in known else known[-1] if known else None

    @property
    def projection(self) -> str:
        """Which one fits the axes: the report's first one that takes no dimensions out."""
        return next((each for each in self.plan.config.projections if each != captures.WITHOUT_MASSIVE), "centered")

    @property
    def captured(self) -> list[tuple[int, str]]:
        """The index of each checkpoint with each context that it is captured in."""
        return [(index, name) for index, each in enumerate(self.checkpoints) for name in each]

    @property
    def ends(self) -> tuple[int, int] | None:
        """The first and the last checkpoint in charts: a later one with the same states stands for an earlier one."""
        last = {
            tuple(each[name].states.digest for name in each): at for at, each in enumerate(self.checkpoints) if each
        }
        shown = sorted(last.values())
        return (shown[0], shown[-1]) if len(shown) > 1 else None

    @property
    def steps(self) -> list[Step[Any]]:
        """All that is made of its checkpoints together, but for pictures."""
        made: list[Step[Any]] = [self.axes(index, name) for index, name in self.captured]
        if not self.plan.options.measures:
            return made
        made += [self.drift(name) for name in dict.fromkeys(name for _, name in self.captured)]
        return made + [step for each in self.changes for step in (each.paired, each.changed) if step]

    def _misfit(self, index: int) -> ModelError | None:
        """Why a checkpoint can't stand beside the reference: it isn't the same model with the same tokenizer."""
        if self.reference is None or not self.checkpoints[index]:
            return None
        label = self.config.checkpoint_labels[self.reference]
        for name, other in self.checkpoints[self.reference].items():
            if name not in self.checkpoints[index]:
                continue
            own, reference = (each.inputs.templates for each in (self.checkpoints[index][name], other))
            found = misfit(own, reference, f"{label}, the reference")
            if found:
                return ModelError(f"{found}; leave it out, or name another reference_step")
        return None

    def axes(self, index: int, context: str) -> Step[StepAxes]:
        assert self.reference is not None
        own, reference = (self.checkpoints[each][context].inputs for each in (index, self.reference))
        return pairs.axes(own, reference, self.projection)

    def drift(self, context: str) -> Step[Drift]:
        """How far the checkpoints are apart, of those that are captured in a context."""
        return pairs.drift([each[context].inputs for each in self.checkpoints if context in each])

    @property
    def changes(self) -> list[Comparison]:
        """Checkpoints before and after, in each context that both have: those that are asked for, or the ends in charts."""
        asked = self.config.changed_pairs
        pairs = ([self.ends] if self.ends else []) if asked is None else asked
        return [each for pair in pairs for each in self._from_to(*pair)]

    def _from_to(self, first: int, last: int) -> list[Comparison]:
        slugs, comparer = (self.config.models[first].slug, self.config.models[last].slug), Comparer()
        return [
            Comparison(
                slugs=slugs,
                inputs=(each.inputs, self.checkpoints[last][name].inputs),
                in_detail=False,
                comparer=comparer,
                is_change=True,
            )
            for name, each in self.checkpoints[first].items()
            if name in self.checkpoints[last]
        ]

    def pictures(
        self, index: int, context: str, axes: Projection, forms: tuple[str, ...] | None = None
    ) -> list[PictureJob]:
        """The strip of a checkpoint, and its plates where they are asked for."""
        model, captured = self.config.models[index], self._titled(self.checkpoints[index][context])
        jobs = self.plan.pictures(model, captured, axes, forms)
        return [each for each in jobs if isinstance(each.subject, Whole) or index in self._drawn]

    def n_pictures(self, index: int, n_depths: int) -> int:
        """How many these are before the axes are known, whose pictures have other keys."""
        per_form = n_depths if index in self._drawn else 0
        return sum(per_form + 2 * (form != SVG) for form in self.plan.options.forms)

    def _titled(self, captured: Captured) -> Captured:
        """Its images say whose axes they have."""
        states = captured.states
        label = f"{states.context.label}, axes of {self.config.checkpoint_labels[self.reference or 0]}"
        titled = replace(states, context=replace(states.context, label=label))
        return replace(captured, inputs=replace(captured.inputs, states=titled))

    @property
    def _drawn(self) -> frozenset[int]:
        """The checkpoints whose plots are also images: where one of the ends isn't captured, the next one that is."""
        known = [index for index, each in enumerate(self.checkpoints) if each]
        ends = (known[0], self.reference or 0, known[-1]) if known else ()
        return frozenset({"ends": ends, "all": known, "maps": ()}[self.config.plates])
