"""What a report consists of, what of it is stored, and why the rest must be made.

The tree is model → context → projections, measures and pictures, and beside it the comparisons of models. A projection's
key depends on the captured states and a picture's on the projection, so a branch reaches as far as what is stored, and
grows when its model has been captured (``Plan.grow``). Whoever runs, describes or prunes a report walks this tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tokviz import models
from tokviz.config import ModelConfig, ReportConfig
from tokviz.draw.coverage import Coverage
from tokviz.draw.typefaces import Typefaces
from tokviz.errors import SourceError, TokvizError
from tokviz.records import Context, HiddenStates, Loss, Picture, Projection
from tokviz.run.plan import captures, interventions
from tokviz.run.plan.controls import Controls, are_wanted, controls_of
from tokviz.run.plan.inputs import Inputs
from tokviz.run.plan.interventions import Wanted
from tokviz.run.plan.lenses import Lenses, LensInputs
from tokviz.run.plan.losses import LossText
from tokviz.run.plan.options import Options
from tokviz.run.plan.pairs import Comparer, Comparison
from tokviz.run.plan.pictures import Subject, Subjects, Whole, heat_map
from tokviz.run.plan.related import related
from tokviz.run.plan.steps import FORCED, Steps
from tokviz.run.plan.tree import (
    Captured,
    ContextPlan,
    ControlPlan,
    FitPlan,
    InterventionPlan,
    LossPlan,
    ModelPlan,
    PictureJob,
    TemplatePlan,
)
from tokviz.run.store import keys
from tokviz.run.store.disk import shown_path
from tokviz.run.store.store import Store


class Plan:
    """The tree of one report; ``models`` are those of the configuration, then the checkpoints of its series."""

    def __init__(self, config: ReportConfig, options: Options, store: Store) -> None:
        self.config, self.options, self.store = config, options, store
        self.steps = Steps(store, is_forced=options.force)
        self.loss_text = LossText.of(config)
        self.lenses = Lenses.of(config)
        self.checkpoints = frozenset(model.slug for each in config.series for model in each.models)
        """The slugs of models of which only that is made which their series shows."""
        self.fonts = Typefaces(Coverage(options.cache / "fonts"), own=config.font_file)
        """This machine's; which characters they have is kept beside what is stored."""
        self.models = tuple(self._model(model) for model in config.all_models)

    # --- captures ----------------------------------------------------------------------------------------------------

    def _model(self, model: ModelConfig) -> ModelPlan:
        identity = models.identity(model, self.options.base)
        found = [
            [
                self._template(model, each, identity, is_measured_only=index > 0)
                for index, each in enumerate(self._in_each_template(context))
            ]
            for context in self.config.context_list
        ]
        return ModelPlan(model=model, contexts=self._contexts(model, found))

    def _in_each_template(self, context: Context) -> list[Context]:
        """The context itself, then what it is in each of its further templates, which are measured: none in a draft."""
        further = () if self.options.is_draft else context.further_templates
        first = replace(context, further_templates=further)
        return [first, *(replace(context, template=each, further_templates=()) for each in further)]

    def _template(
        self, model: ModelConfig, context: Context, identity: str | None, *, is_measured_only: bool
    ) -> TemplatePlan:
        key = keys.states_key(
            model,
            context,
            self.config.word_list,
            self.config.read,
            self.config.n_depths,
            is_measured_only=is_measured_only,
        )
        states = self._stored(key, context)
        return TemplatePlan(context=context, key=key, states=states, due=self._due(states, identity))

    def _stored(self, key: str, context: Context) -> HiddenStates | None:
        """The states under the context's present name and label, which aren't part of their key."""
        states = self.store.find_states(key)
        return states and replace(states, context=context)

    def _due(self, states: HiddenStates | None, identity: str | None) -> str | None:
        """``identity``: of the model's weights as they are now; None when they aren't on this machine."""
        if states is None:
            return "not captured yet"
        if self.options.force:
            return FORCED
        return None if models.is_same(identity, states.card.identity) else "the model's files changed"

    def _contexts(self, model: ModelConfig, found: Sequence[Sequence[TemplatePlan]]) -> tuple[ContextPlan, ...]:
        """``found``: of each context its templates, the one that is drawn first."""
        firsts = [templates[0] for templates in found]
        known = [each.states for each in firsts if each.states is not None]
        broken = interventions.first_breaking([each.states if each.due is None else None for each in firsts])
        fits = tuple(self._fits(model, firsts))
        lens = self._lens(model, fits)
        plans = []
        for index, (first, *further) in enumerate(found):
            key, states = first.key, first.states
            may_break = self.switches_off(model) and (broken is None or index <= broken)
            ordinary = None if states is None else _ordinary(states, known)
            controls = () if states is None else tuple(self._controls(model, key, states))
            captured = None
            if states is not None:
                captured = self.branch(
                    states,
                    ordinary,
                    further=_all_states(further),
                    controls=_states_of(controls),
                    lens=lens,
                    is_checkpoint=model.slug in self.checkpoints,
                )
            asked = () if states is None else self._wanted(model, states, key, breaks=may_break and index == broken)
            plans.append(
                ContextPlan(
                    model=model,
                    context=first.context,
                    key=key,
                    due=first.due,
                    captured=captured,
                    may_break=may_break,
                    further=tuple(further),
                    controls=controls,
                    interventions=tuple(
                        self._intervention(key, (states, ordinary), each, lens) for each in asked if states
                    ),
                    fits=fits if index == 0 else (),
                    loss=self._loss(model, states) if states and may_break and index == broken else None,
                )
            )
        return tuple(plans)

    def untrained(self, model: ModelConfig) -> bool | None:
        """Whether a model's untrained controls are captured; None where that follows from its size.

        In a draft nothing is measured, and of a vocabulary it would take long.
        """
        if self.options.is_draft or self.config.vocabulary:
            return False
        if model.untrained is not None:
            return model.untrained
        return None if self.config.untrained or model.slug in self.checkpoints else False

    def _controls(self, model: ModelConfig, intact_key: str, intact: HiddenStates) -> Iterator[ControlPlan]:
        for each in controls_of(model) if are_wanted(self.untrained(model), intact.card) else ():
            key = keys.control_key(intact_key, each.key_parts(model))
            states, failure = self.store.find_states(key), self.store.failure(key)
            is_there = states is not None and states.card.identity == intact.card.identity
            due = None if is_there or failure or not self._is_at_hand(model) else "untrained model not captured yet"
            yield ControlPlan(control=each, key=key, states=states if is_there else None, due=due, failure=failure)

    def reads_lens(self, model: ModelConfig) -> bool:
        """Whether it is read what a model's layers would say."""
        asked = self.config.lens is not None if model.lens is None else model.lens
        return self.lenses is not None and asked and not self.options.is_draft

    def _fits(self, model: ModelConfig, firsts: Sequence[TemplatePlan]) -> Iterator[FitPlan]:
        """``firsts``: in each context; as long as some were never captured it isn't known what is read."""
        known = [each.states for each in firsts if each.states is not None and each.due in (None, FORCED)]
        is_forced = any(each.due == FORCED for each in firsts)
        if self.lenses is None or not self.reads_lens(model) or len(known) < len(firsts):
            return
        card = known[0].card
        with_random = are_wanted(self.untrained(model), card)
        for fit in self.lenses.fits(model, card, [each.tokenization for each in known], with_random=with_random):
            states, failure = self.store.find_states(fit.key), self.store.failure(fit.key)
            reason = FORCED if is_forced else None if states or failure else "lens not fitted yet"
            due = reason if reason and self._is_at_hand(model) else None
            yield FitPlan(fit=fit, states=states, due=due, failure=failure)

    def _lens(self, model: ModelConfig, fits: Sequence[FitPlan]) -> LensInputs | None:
        """None as long as some are due, and where none is asked for."""
        if not fits or any(each.due for each in fits):
            return None
        found = {each.fit.kind: each.states for each in fits}
        reason = next((each.failure for each in fits if each.fit.kind == "names"), None)
        return None if reason is None and found["names"] is None else LensInputs.of(found, reason)

    def _loss(self, model: ModelConfig, states: HiddenStates) -> LossPlan | None:
        key = self.loss_text.key(states)
        if key is None:
            return None
        missing = not self.store.has(key, Loss) and self._is_at_hand(model)
        return LossPlan(key=key, due="not measured yet" if missing else None)

    def _is_at_hand(self, model: ModelConfig) -> bool:
        """Whether the model can be loaded, as far as is known: what was captured elsewhere is shown without its loss, too."""
        try:
            models.check(model, self.options.base)
            models.require_packages(model)
        except SourceError:
            return False
        base = self.options.base
        return models.identity(model, base) is not None or models.is_downloaded_apart(model, base)

    def switches_off(self, model: ModelConfig) -> bool:
        """In a draft nothing is measured, and so nothing is compared with what it would be; checkpoints are compared with each other."""
        return self.config.switches_off and not self.options.is_draft and model.slug not in self.checkpoints

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
        self,
        intact_key: str,
        intact_and_ordinary: tuple[HiddenStates, HiddenStates | None],
        wanted: Wanted,
        lens: LensInputs | None,
    ) -> InterventionPlan:
        intact, ordinary = intact_and_ordinary
        key = keys.intervention_key(intact_key, wanted.key_parts)
        context = wanted.context(intact.context)
        states, failure = self._stored(key, context), self.store.failure(key)
        due = None
        if failure is None and (states is None or states.card.identity != intact.card.identity):
            due = f"{wanted.described} not captured yet"
        # Against the same ordinary words: those of the model as it is.
        captured = None if states is None or due else self.branch(states, ordinary, wanted, lens=lens)
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
        for each in model.contexts:
            templates = [(each.context, each.key), *((other.context, other.key) for other in each.further)]
            found.append([self._captured_template(model.model, *template) for template in templates])
        return replace(model, contexts=self._contexts(model.model, found))

    def _captured_template(self, model: ModelConfig, context: Context, key: str) -> TemplatePlan:
        states = self._stored(key, context)
        if states is None:
            raise TokvizError(
                f"{shown_path(self.store.root)}: the hidden states of {model.display_name} vanished while in use; run again"
            )
        return TemplatePlan(context=context, key=key, states=states, due=None)

    # --- projections and measures ------------------------------------------------------------------------------------

    def branch(
        self, states: HiddenStates, ordinary: HiddenStates | None, wanted: Wanted | None = None, **beside: Any
    ) -> Captured:
        """What follows from stored states.

        Parameters
        ----------
        ordinary : as in ``Inputs``.
        wanted : what was done to the model.
        beside : other fields of ``Inputs``.
        """
        words = self.config.words_of(states)
        every = () if beside.get("is_checkpoint") else tuple(self.config.projections)  # whose plots are on common axes
        is_control = wanted is not None and wanted.rule == "control"
        further = [each.tokenization for each in beside.get("further", ())]
        inputs = Inputs(
            states=states,
            ordinary=ordinary,
            words=words,
            related=related(self.config, words, states.tokenization, further),
            measured=every if wanted is None else () if is_control else every[:1],
            **beside,
        )
        return Captured(
            inputs=inputs,
            projections={name: captures.projection(inputs, name) for name in every},
            drawn=every if wanted is None or wanted.is_drawn else (),
            measures=captures.measures(inputs),
            added=captures.added(inputs),
        )

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
        made = made or {name: self.steps.stored(step) for name, step in captured.measures.items()}
        scores, geometry = made.get("same_category"), made.get("geometry")
        if scores is None or geometry is None or not captured.drawn:
            return None
        named = heat_map(model, captured.states, captured.inputs.words, scores, geometry, self.config.look)
        return named and self._picture(Whole.HEAT_MAP, named[1].form, *named)

    def _picture(self, subject: Subject, form: str, path: str, plain: Picture) -> PictureJob:
        picture = self.fonts.with_fonts(plain)
        key = keys.picture_key(picture)
        due = "not drawn yet" if self.store.find_image(key) is None else FORCED if self.options.force else None
        return PictureJob(subject=subject, form=form, path=path, picture=picture, key=key, due=due)

    # --- comparisons -------------------------------------------------------------------------------------------------

    def comparisons(self, captured: Mapping[str, Sequence[Inputs]]) -> list[Comparison]:
        """Every pair of the configuration in every context.

        Parameters
        ----------
        captured : per model's slug its captures, one in each context; none of a model that failed.
        """
        comparer = Comparer()
        return [
            Comparison(slugs=slugs, inputs=inputs, in_detail=in_detail, comparer=comparer)
            for slugs, in_detail in self.config.pairs
            for inputs in _side_by_side(captured[slugs[0]], captured[slugs[1]])
        ]


def _side_by_side(a: Sequence[Inputs], b: Sequence[Inputs]) -> Iterator[tuple[Inputs, Inputs]]:
    """Both models' captures in each context that both have."""
    by_name = {each.states.context.name: each for each in b}
    return ((each, by_name[each.states.context.name]) for each in a if each.states.context.name in by_name)


def _all_states(templates: Sequence[TemplatePlan]) -> tuple[HiddenStates, ...]:
    """Those of all templates; none as long as some are due."""
    found = tuple(each.states for each in templates if each.states is not None and each.due is None)
    return found if len(found) == len(templates) else ()


def _states_of(controls: Sequence[ControlPlan]) -> Controls | None:
    """None as long as some are due, and where there are none."""
    if not controls or any(each.due for each in controls):
        return None
    found = {each.control: each.states for each in controls if each.states is not None}
    problems = dict.fromkeys(each.failure for each in controls if each.failure)
    if not found and not problems:
        return None
    return Controls(
        random=next((states for control, states in found.items() if control.kind == "random"), None),
        own_embedding=tuple(states for control, states in found.items() if control.kind == "own_embedding"),
        problems=tuple(problems),
        note=next((states.card.notes[-1] for states in found.values() if states.card.notes), ""),
    )


def _ordinary(states: HiddenStates, captured: Sequence[HiddenStates]) -> HiddenStates | None:
    """The states themselves, or those of another context of the model, if words aren't at position 0 there.

    At position 0 many models build an attention sink: massive is measured against words that stand elsewhere.
    """
    candidates = [states, *captured]
    return next((candidate for candidate in candidates if candidate.tokenization.reads_elsewhere), None)
