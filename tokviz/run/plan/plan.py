"""What a report consists of, what of it is stored, and why the rest must be made.

The tree is model → context → projections, measures and pictures, and beside it the comparisons of models. A projection's
key depends on the captured states and a picture's on the projection, so a branch reaches as far as what is stored, and
grows when its model has been captured (``Plan.grow``). Whoever runs, describes or prunes a report walks this tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic

from tokviz import models
from tokviz.config import ModelConfig, ReportConfig
from tokviz.draw.coverage import Coverage
from tokviz.draw.typefaces import Typefaces
from tokviz.errors import SourceError, TokvizError
from tokviz.records import (
    AddedMeasure,
    Context,
    Differences,
    HiddenStates,
    LayerSimilarity,
    Loss,
    Picture,
    Projection,
)
from tokviz.run.plan import interventions
from tokviz.run.plan.added import added_measures
from tokviz.run.plan.interventions import Wanted
from tokviz.run.plan.losses import LossText
from tokviz.run.plan.options import Options
from tokviz.run.plan.pictures import Subject, Subjects, Whole, heat_map
from tokviz.run.plan.products import MEASURES, Inputs, measure_keys
from tokviz.run.plan.related import related
from tokviz.run.store import keys
from tokviz.run.store.disk import shown_path
from tokviz.run.store.plain import Record
from tokviz.run.store.store import Store

_NOT_MEASURED, _NOT_COMPARED = "not measured yet", "not compared yet"


@dataclass(frozen=True, kw_only=True)
class Job(Generic[Record]):
    """A projection or a measure."""

    key: str
    kind: type[Record]
    due: str | None
    """Why it must be made, or None when the store has it."""


@dataclass(frozen=True, kw_only=True)
class PictureJob:
    """One image of the site."""

    subject: Subject
    form: str
    path: str
    """From the site's root."""
    picture: Picture
    key: str
    due: str | None
    """Why it must be drawn, or None when the store has it."""


@dataclass(frozen=True, kw_only=True)
class Captured:
    """What follows from the stored states of one model × context."""

    inputs: Inputs
    projections: Mapping[str, Job[Projection]]
    """By name, in the order of the configuration."""
    drawn: tuple[str, ...]
    """The projections that the report has pictures of."""
    measures: Mapping[str, Job[Any]]
    """By their names in ``MEASURES``, those that are asked for."""
    added: tuple[Job[AddedMeasure], ...]
    """Of other packages; none of what others are only compared with."""

    @property
    def states(self) -> HiddenStates:
        return self.inputs.states

    @property
    def all_measures(self) -> tuple[Job[Any], ...]:
        return (*self.measures.values(), *self.added)


@dataclass(frozen=True, kw_only=True)
class InterventionPlan:
    """A context's words with neurons set to a value."""

    wanted: Wanted
    context: Context
    """With a name and a label of its own."""
    key: str
    """Of the states."""
    due: str | None
    """Why the states must be captured, or None when the store has them, or why there can't be any."""
    failure: str | None
    """Why the model gave no states so."""
    captured: Captured | None


@dataclass(frozen=True, kw_only=True)
class ContextPlan:
    """One model × context."""

    model: ModelConfig
    context: Context
    key: str
    """Of the states."""
    due: str | None
    """Why the states must be captured, or None when the store has them."""
    captured: Captured | None
    """None where no states are stored; those of files that have changed since count until they are captured again."""
    may_break: bool
    """Whether a break in it is to be switched off: the first one of a model is."""
    interventions: tuple[InterventionPlan, ...] = ()
    """As far as they are known; those of a break follow from the states."""
    loss: Job[Loss] | None = None
    """Of the model with the break's neurons set to a value; None where they aren't. Due only where the model can be loaded."""

    @property
    def all_captured(self) -> dict[str, Captured]:
        """What follows from the states, and from those with neurons set to a value; by their keys."""
        if self.captured is None:
            return {}
        others = {each.key: each.captured for each in self.interventions if each.captured is not None}
        return {self.key: self.captured, **others}

    @property
    def all_due(self) -> str | None:
        """Why the model must run for this context, or None."""
        of_interventions = next((each.due for each in self.interventions if each.due), None)
        return self.due or of_interventions or (self.loss.due if self.loss else None)


@dataclass(frozen=True, kw_only=True)
class ModelPlan:
    """A model in all contexts."""

    model: ModelConfig
    contexts: tuple[ContextPlan, ...]

    @property
    def due(self) -> list[ContextPlan]:
        """The contexts that the model must run for."""
        return [context for context in self.contexts if context.all_due]

    @property
    def captured(self) -> dict[str, Captured]:
        """What follows from all states that are stored: of each context, and of it with neurons set to a value."""
        return {key: captured for context in self.contexts for key, captured in context.all_captured.items()}

    @property
    def inputs(self) -> list[Inputs]:
        """What models are compared by: the contexts whose states are stored and up to date."""
        return [each.captured.inputs for each in self.contexts if each.captured and not each.due]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two models in one context."""

    slugs: tuple[str, str]
    inputs: tuple[Inputs, Inputs]
    shared: Job[LayerSimilarity]
    """Over the words that both share."""
    single_token: Job[LayerSimilarity] | None
    """Over those that are one token in both; None where the pair isn't compared in detail."""
    differences: Job[Differences]
    """Between their profiles."""

    @property
    def states(self) -> tuple[HiddenStates, HiddenStates]:
        return self.inputs[0].states, self.inputs[1].states

    @property
    def context(self) -> str:
        """Its name."""
        return self.inputs[0].states.context.name

    @property
    def jobs(self) -> list[Job[Any]]:
        return [job for job in (self.shared, self.single_token, self.differences) if job is not None]


class Plan:
    """The tree of one report; ``models`` are those of the configuration, in its order."""

    def __init__(self, config: ReportConfig, options: Options, store: Store) -> None:
        self.config, self.options, self.store = config, options, store
        self.loss_text = LossText.of(config)
        self.fonts = Typefaces(Coverage(options.cache / "fonts"), own=config.font_file)
        """This machine's; which characters they have is kept beside what is stored."""
        self.models = tuple(self._model(model) for model in config.models)

    # --- captures ----------------------------------------------------------------------------------------------------

    def _model(self, model: ModelConfig) -> ModelPlan:
        identity = models.identity(model, self.options.base)
        found: list[tuple[Context, str, HiddenStates | None, str | None]] = []
        for context in self.config.context_list:
            key = keys.states_key(model, context, self.config.word_list, self.config.read, self.config.n_depths)
            states = self._stored(key, context)
            found.append((context, key, states, self._due(states, identity)))
        return ModelPlan(model=model, contexts=self._contexts(model, found))

    def _stored(self, key: str, context: Context) -> HiddenStates | None:
        """The states under the context's present name and label, which aren't part of their key."""
        states = self.store.find_states(key)
        return states and replace(states, context=context)

    def _due(self, states: HiddenStates | None, identity: str | None) -> str | None:
        """``identity``: of the model's weights as they are now; None when they aren't on this machine."""
        if states is None:
            return "not captured yet"
        if self.options.force:
            return "forced"
        return "the model's files changed" if identity not in (None, states.card.identity) else None

    def _contexts(
        self, model: ModelConfig, found: Sequence[tuple[Context, str, HiddenStates | None, str | None]]
    ) -> tuple[ContextPlan, ...]:
        """``found``: of each context its key, what is stored, and why it is due."""
        stored = [states for _, _, states, _ in found]
        known = [states for states in stored if states is not None]
        broken = interventions.first_breaking([states if due is None else None for _, _, states, due in found])
        plans = []
        for index, (context, key, states, due) in enumerate(found):
            may_break = self.switches_off and (broken is None or index <= broken)
            ordinary = None if states is None else _ordinary(states, known)
            captured = None if states is None else self._branch(states, ordinary)
            asked = () if states is None else self._wanted(model, states, key, breaks=may_break and index == broken)
            plans.append(
                ContextPlan(
                    model=model,
                    context=context,
                    key=key,
                    due=due,
                    captured=captured,
                    may_break=may_break,
                    interventions=tuple(self._intervention(key, states, ordinary, each) for each in asked if states),
                    loss=self._loss(model, states) if states and may_break and index == broken else None,
                )
            )
        return tuple(plans)

    def _loss(self, model: ModelConfig, states: HiddenStates) -> Job[Loss] | None:
        key = self.loss_text.key(states)
        if key is None:
            return None
        missing = not self.store.has(key, Loss) and self._is_at_hand(model)
        return Job(key=key, kind=Loss, due=_NOT_MEASURED if missing else None)

    def _is_at_hand(self, model: ModelConfig) -> bool:
        """Whether the model can be loaded, as far as is known: what was captured elsewhere is shown without its loss, too."""
        try:
            models.check(model, self.options.base)
            models.require_packages(model)
        except SourceError:
            return False
        return models.identity(model, self.options.base) is not None

    @property
    def switches_off(self) -> bool:
        """In a draft nothing is measured, and so nothing is compared with what it would be."""
        return self.config.switches_off and not self.options.is_draft

    def by_hand(self, model: ModelConfig) -> tuple[Wanted, ...]:
        """What the author wants to see of a model with neurons set to a value."""
        return () if self.options.is_draft else interventions.by_hand(self.config.by_hand(model))

    def _wanted(self, model: ModelConfig, states: HiddenStates, key: str, *, breaks: bool) -> tuple[Wanted, ...]:
        """``key``: of the states."""
        every = (*(interventions.of_break(states) if breaks else ()), *self.by_hand(model))
        failed = {each for each in every if self.store.failure(keys.intervention_key(key, each.key_parts))}
        drawn = interventions.drawn(each for each in every if each not in failed)
        return tuple(replace(each, is_drawn=each in drawn) for each in every)

    def _intervention(
        self, intact_key: str, intact: HiddenStates, ordinary: HiddenStates | None, wanted: Wanted
    ) -> InterventionPlan:
        key = keys.intervention_key(intact_key, wanted.key_parts)
        context = wanted.context(intact.context)
        states, failure = self._stored(key, context), self.store.failure(key)
        due = None
        if failure is None and (states is None or states.card.identity != intact.card.identity):
            due = f"{wanted.described} not captured yet"
        # Against the same ordinary words: those of the model as it is.
        captured = None if states is None or due else self._branch(states, ordinary, wanted)
        return InterventionPlan(wanted=wanted, context=context, key=key, due=due, failure=failure, captured=captured)

    def grow(self, model: ModelPlan) -> ModelPlan:
        """The plan of a model whose contexts have all been captured by now.

        Raises
        ------
        TokvizError : somebody removed the states meanwhile.
        """
        if not model.due:
            return model
        found = []
        for context in model.contexts:
            states = self._stored(context.key, context.context)
            if states is None:
                raise TokvizError(
                    f"{shown_path(self.store.root)}: the hidden states of {model.model.display_name} vanished while in use; run "
                    "again"
                )
            found.append((context.context, context.key, states, None))
        return replace(model, contexts=self._contexts(model.model, found))

    # --- projections and measures ------------------------------------------------------------------------------------

    def _branch(self, states: HiddenStates, ordinary: HiddenStates | None, wanted: Wanted | None = None) -> Captured:
        words, every = self.config.words_of(states), tuple(self.config.projections)
        is_control = wanted is not None and wanted.rule == "control"
        inputs = Inputs(
            states=states,
            ordinary=ordinary,
            words=words,
            related=related(self.config, words, states),
            measured=every if wanted is None else () if is_control else every[:1],
        )
        return Captured(
            inputs=inputs,
            projections={name: self.projection(inputs, name) for name in every},
            drawn=every if wanted is None or wanted.is_drawn else (),
            measures=self.measures(inputs),
            added=() if is_control else tuple(self._added(inputs)),
        )

    def projection(self, inputs: Inputs, name: str) -> Job[Projection]:
        key = keys.projection_key(inputs.states, name, inputs.ordinary)
        return self._job(key, Projection, "not projected yet")

    def measures(self, inputs: Inputs) -> dict[str, Job[Any]]:
        """By their names, those that are asked for."""
        return {
            name: self._job(key, MEASURES[name].record, _NOT_MEASURED) for name, key in measure_keys(inputs).items()
        }

    def _added(self, inputs: Inputs) -> Iterator[Job[AddedMeasure]]:
        for each in added_measures():
            yield self._job(keys.added_key(inputs.states, inputs.words, each.key_parts), AddedMeasure, _NOT_MEASURED)

    def _job(self, key: str, kind: type[Record], reason: str) -> Job[Record]:
        due = "forced" if self.options.force else None if self.store.has(key, kind) else reason
        return Job(key=key, kind=kind, due=due)

    # --- pictures ----------------------------------------------------------------------------------------------------

    def pictures(
        self, model: ModelConfig, captured: Captured, projection: Projection, forms: tuple[str, ...] | None = None
    ) -> list[PictureJob]:
        """A job per plate, grid and strip of one projection, in ``forms`` or those of the options.

        Where neurons of a layer were set to a value, there is no grid, and the plates begin at that layer: before it nothing
        is other than in the model as it is.
        """
        done = captured.states.intervention
        subjects = Subjects(
            model=model,
            states=captured.states,
            projection=projection,
            words=captured.inputs.words,
            look=self.config.look,
        )
        jobs = []
        for subject, form, plain in subjects.pictures(self.options.forms if forms is None else forms):
            if done and (subject is Whole.GRID or (isinstance(subject, int) and subject <= done.layer)):
                continue
            jobs.append(self._picture(subject, form, subjects.path(subject, form), plain))
        return jobs

    def heat_map(
        self, model: ModelConfig, captured: Captured, made: Mapping[str, Any] | None = None
    ) -> PictureJob | None:
        """A job for what is known of each word of a capture with pictures; ``made``: its measures, by default the stored ones."""
        made = made or {name: self.store.find(job.key, job.kind) for name, job in captured.measures.items()}
        scores, geometry = made.get("same_category"), made.get("geometry")
        if scores is None or geometry is None or not captured.drawn:
            return None
        named = heat_map(model, captured.states, captured.inputs.words, scores, geometry, self.config.look)
        return named and self._picture(Whole.HEAT_MAP, named[1].form, *named)

    def _picture(self, subject: Subject, form: str, path: str, plain: Picture) -> PictureJob:
        picture = self.fonts.with_fonts(plain)
        key = keys.picture_key(picture)
        due = "not drawn yet" if self.store.find_image(key) is None else "forced" if self.options.force else None
        return PictureJob(subject=subject, form=form, path=path, picture=picture, key=key, due=due)

    # --- comparisons -------------------------------------------------------------------------------------------------

    def comparisons(self, captured: Mapping[str, Sequence[Inputs]]) -> list[Comparison]:
        """Every pair of the configuration in every context.

        Parameters
        ----------
        captured : per model's slug its captures, one in each context; none of a model that failed.
        """
        return [
            self.comparison(slugs, inputs, in_detail=in_detail)
            for slugs, in_detail in self.config.pairs
            for inputs in _side_by_side(captured[slugs[0]], captured[slugs[1]])
        ]

    def comparison(self, slugs: tuple[str, str], inputs: tuple[Inputs, Inputs], *, in_detail: bool) -> Comparison:
        states, words = (inputs[0].states, inputs[1].states), (inputs[0].words, inputs[1].words)
        pairs = (inputs[0].related.pairs, inputs[1].related.pairs)
        orders = (inputs[0].related.orders, inputs[1].related.orders)

        def job(*, single_token: bool) -> Job[LayerSimilarity]:
            key = keys.similarity_key(*states, words[0], single_token=single_token)
            return self._job(key, LayerSimilarity, _NOT_COMPARED)

        return Comparison(
            slugs=slugs,
            inputs=inputs,
            shared=job(single_token=False),
            single_token=job(single_token=True) if in_detail else None,
            differences=self._job(keys.differences_key(states, words, pairs, orders), Differences, _NOT_COMPARED),
        )


def _side_by_side(a: Sequence[Inputs], b: Sequence[Inputs]) -> Iterator[tuple[Inputs, Inputs]]:
    """Both models' captures in each context that both have."""
    by_name = {each.states.context.name: each for each in b}
    return ((each, by_name[each.states.context.name]) for each in a if each.states.context.name in by_name)


def _ordinary(states: HiddenStates, captured: Sequence[HiddenStates]) -> HiddenStates | None:
    """The states themselves, or those of another context of the model, if words aren't at position 0 there.

    At position 0 many models build an attention sink: massive is measured against words that stand elsewhere.
    """
    candidates = [states, *captured]
    return next((candidate for candidate in candidates if candidate.tokenization.reads_elsewhere), None)
