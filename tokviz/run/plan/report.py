"""What a report consists of, what of it is stored, and why the rest must be made.

The tree is model → context → projections, measures and pictures, and beside it the comparisons of models. A projection's
key depends on the captured states and a picture's on the projection, so a branch reaches as far as what is stored, and
grows when its model has been captured (``Plan.grow``). Whoever runs, describes or prunes a report walks this tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tokviz.config import ModelConfig, ReportConfig
from tokviz.draw.coverage import Coverage
from tokviz.draw.typefaces import Typefaces
from tokviz.errors import TokvizError
from tokviz.records import HiddenStates, Picture, Projection
from tokviz.run.kinds.base import FORCED, Capture, Kind
from tokviz.run.kinds.interventions import Interventions, Wanted
from tokviz.run.plan import captures, recipe
from tokviz.run.plan.inputs import Inputs
from tokviz.run.plan.options import FORMS, Options
from tokviz.run.plan.pairs import Comparer, Comparison, misfit, of_one_form, side_by_side
from tokviz.run.plan.pictures import Subject, Subjects, Whole, heat_map
from tokviz.run.plan.related import related
from tokviz.run.plan.request import Request, Template, requests
from tokviz.run.plan.steps import Steps
from tokviz.run.plan.tree import Captured, ContextPlan, ModelPlan, PictureJob
from tokviz.run.store import keys
from tokviz.run.store.artefacts import Store
from tokviz.run.store.disk import shown_path


class Plan:
    """The tree of one report; ``models`` are those of the configuration, then the checkpoints of its series."""

    def __init__(self, config: ReportConfig, options: Options, store: Store) -> None:
        self.config, self.options, self.store = config, options, store
        self.steps = Steps(store, is_forced=options.force)
        self.checkpoints = frozenset(model.slug for each in config.series for model in each.models)
        """The slugs of models of which only that is made which their series shows."""
        self.fonts = Typefaces(Coverage(options.cache / "fonts"), own=config.font_file)
        """This machine's; which characters they have is kept beside what is stored."""
        self.models = tuple(
            self._with_branches(each, recipe.captures(each, store)) for each in requests(config, options)
        )

    # --- captures ----------------------------------------------------------------------------------------------------

    @property
    def tells_failures(self) -> bool:
        """Whether a failed model is reported at once. The failure of an only model ends the run, whose error says it."""
        return len(self.models) > 1

    def grow(self, model: ModelPlan) -> ModelPlan:
        """The plan of a model whose contexts have all been captured by now.

        Raises
        ------
        TokvizError : somebody removed the states meanwhile.
        """
        if not model.due:
            return model
        # Nothing of it is due again: neither what was forced nor what came from other files.
        now = replace(model.request, is_forced=False, identity=None)
        contexts = recipe.captures(now, self.store)
        if any(each.due for context in contexts for each in context.templates):
            raise TokvizError(
                f"{shown_path(self.store.root)}: the hidden states of {model.model.display_name} vanished while in use; run again"
            )
        return self._with_branches(now, contexts)

    def _with_branches(self, request: Request, contexts: Sequence[ContextPlan]) -> ModelPlan:
        """With what follows from the states."""
        known = [each.first.states for each in contexts if each.first.states is not None]
        of_model = {kind: kind.given(found) for kind, found in contexts[0].beside.items() if kind.is_of_model}
        return ModelPlan(
            request=request,
            contexts=tuple(
                replace(each, all_captured=self._all_captured(each, contexts[0] if index else None, known, of_model))
                for index, each in enumerate(contexts)
            ),
        )

    def _all_captured(
        self,
        context: ContextPlan,
        first_context: ContextPlan | None,
        known: Sequence[HiddenStates],
        of_model: Mapping[type[Kind[Any, Any]], Any],
    ) -> dict[str, Captured]:
        """By the keys of the states.

        Parameters
        ----------
        first_context : of the same model; None of that one itself.
        known : the states of all contexts of the model.
        of_model : what measures get of what is captured once of a model.
        """
        states = context.first.states
        if states is None:
            return {}
        ordinary = _ordinary(states, known)
        of_context = {kind: kind.given(found) for kind, found in context.beside.items() if not kind.is_of_model}
        own = self.branch(
            states,
            ordinary,
            further=_all_states(context.further),
            against=() if first_context is None else _all_states(first_context.templates),
            given={**of_model, **of_context},
            is_checkpoint=context.model.slug in self.checkpoints,
        )
        # Against the same ordinary words: those of the model as it is.
        changed = {
            each.key: self.branch(each.states, ordinary, each.what, given=of_model, against=(states,))
            for each in context.of(Interventions)
            if each.states is not None
        }
        return {context.key: own, **changed}

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
        jobs, is_first_look = [], self.options.is_first_look
        for subject, form, plain in subjects.pictures(forms or (FORMS if is_first_look else self.options.forms)):
            # For phones a first look has what its pages don't draw: strips and grids, few beside the plates.
            if is_first_look and form == "phone" and isinstance(subject, int):
                continue
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
        """Every pair of the configuration in every context, and of each that is before and after.

        Parameters
        ----------
        captured : per model's slug its captures, one in each context; none of a model that failed.
        """
        names = {model.slug: model.display_name for model in self.config.models}
        comparer, known = Comparer(), {slug: captured[slug] for slug in names if captured.get(slug)}
        changes = self._changes(known)
        in_detail = {
            slugs[::-1] if slugs[::-1] in changes else slugs: is_detailed
            for slugs, is_detailed in self.config.pairs_among(known)
        }
        made = []
        for slugs in dict.fromkeys((*in_detail, *changes)):
            shared = list(side_by_side(known[slugs[0]], known[slugs[1]]))
            is_asked = slugs in changes
            wrong = [
                misfit(after.templates, before.templates, names[slugs[0]]) if is_asked else None
                for before, after in shared
            ]
            made += [
                Comparison(
                    slugs=slugs,
                    inputs=inputs,
                    in_detail=in_detail.get(slugs, False),
                    comparer=comparer,
                    is_change=is_asked and not each,
                    misfit=f"{each}; remove the pair from changes" if all(wrong) else None,
                )
                for inputs, each in zip(shared, wrong, strict=True)
            ]
        return made

    def _changes(self, captured: Mapping[str, Sequence[Inputs]]) -> tuple[tuple[str, str], ...]:
        """Before and after, by their slugs: as the configuration has them, or else each model with the first one of its form."""
        if self.config.vocabulary:
            return ()
        asked = self.config.changed_pairs
        if asked is not None:
            return tuple(each for each in asked if captured.keys() >= {*each})
        return tuple(of_one_form(captured))


def _all_states(templates: Sequence[Capture[Template]]) -> tuple[HiddenStates, ...]:
    """Those of all templates; none as long as some are due."""
    found = tuple(each.states for each in templates if each.states is not None and each.due is None)
    return found if len(found) == len(templates) else ()


def _ordinary(states: HiddenStates, captured: Sequence[HiddenStates]) -> HiddenStates | None:
    """The states themselves, or those of another context of the model, if words aren't at position 0 there.

    At position 0 many models build an attention sink: massive is measured against words that stand elsewhere.
    """
    candidates = [states, *captured]
    return next((candidate for candidate in candidates if candidate.tokenization.reads_elsewhere), None)
