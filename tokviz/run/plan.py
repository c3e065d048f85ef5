"""What a report consists of, what of it is stored, and why the rest must be made.

The tree is model → context → projections, measures and pictures, and beside it the comparisons of models. A projection's
key depends on the captured states and a picture's on the projection, so a branch reaches as far as what is stored, and
grows when its model has been captured (``Plan.grown``). Whoever runs, describes or prunes a report walks this tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic

from tokviz import models
from tokviz.config import ModelConfig, ReportConfig
from tokviz.draw.coverage import Coverage
from tokviz.draw.typefaces import Typefaces
from tokviz.errors import TokvizError
from tokviz.records import (
    Context,
    Geometry,
    HiddenStates,
    LayerSimilarity,
    Neighbours,
    Picture,
    Projection,
    WordList,
)
from tokviz.run import interventions, keys
from tokviz.run.options import Options
from tokviz.run.pictures import Subject, Subjects
from tokviz.run.plain import Record
from tokviz.run.store import Store


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

    states: HiddenStates
    ordinary: HiddenStates | None
    """The states themselves or those of another context of the model: words that are read away from position 0."""
    words: WordList
    projections: Mapping[str, Job[Projection]]
    """By name, in the order of the configuration."""
    geometry: Job[Geometry]
    neighbours: Job[Neighbours] | None
    """None where there are too many words, and of what follows from ``switched_off``."""
    switched_off: tuple[Captured, ...] = ()
    """The same words with the break's neurons switched off, as their ``states.intervention`` says."""


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


@dataclass(frozen=True, kw_only=True)
class ModelPlan:
    """A model in all contexts."""

    model: ModelConfig
    contexts: tuple[ContextPlan, ...]

    @property
    def due(self) -> list[ContextPlan]:
        return [context for context in self.contexts if context.due]

    @property
    def captured(self) -> list[Captured]:
        """Of the contexts whose states are stored."""
        return [context.captured for context in self.contexts if context.captured is not None]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two models in one context."""

    slugs: tuple[str, str]
    states: tuple[HiddenStates, HiddenStates]
    shared: Job[LayerSimilarity]
    """Over the words that both share."""
    single_token: Job[LayerSimilarity] | None
    """Over those that are one token in both; None where the pair isn't compared in detail."""

    @property
    def jobs(self) -> list[Job[LayerSimilarity]]:
        return [job for job in (self.shared, self.single_token) if job is not None]


class Plan:
    """The tree of one report; ``models`` are those of the configuration, in its order."""

    def __init__(self, config: ReportConfig, options: Options, store: Store) -> None:
        self.config, self.options, self.store = config, options, store
        self.fonts = Typefaces(Coverage(options.cache / "fonts"))
        """This machine's; which characters they have is kept beside what is stored."""
        self.models = tuple(self._model(model) for model in config.models)

    # --- captures ----------------------------------------------------------------------------------------------------

    def _model(self, model: ModelConfig) -> ModelPlan:
        identity = models.identity(model, self.options.base)
        found = []
        for context in self.config.context_list:
            key = keys.states_key(model, context, self.config.word_list, self.config.read, self.config.n_depths)
            states = self._stored(key, context)
            found.append((context, key, states, self._due(key, states, identity)))
        captured = self._captured([(key, states) for _, key, states, _ in found])
        return ModelPlan(
            model=model,
            contexts=tuple(
                ContextPlan(model=model, context=context, key=key, due=due, captured=branch)
                for (context, key, _, due), branch in zip(found, captured, strict=True)
            ),
        )

    def _stored(self, key: str, context: Context) -> HiddenStates | None:
        """The states under the context's present name and label, which aren't part of their key."""
        states = self.store.find_states(key)
        return states and replace(states, context=context)

    def _due(self, key: str, states: HiddenStates | None, identity: str | None) -> str | None:
        """``identity``: of the model's weights as they are now; None when they aren't on this machine."""
        if states is None:
            return "not captured yet"
        if self.options.force:
            return "forced"
        if identity not in (None, states.card.identity):
            return "the model's files changed"
        if len(self._switched_off(key, states)) < len(interventions.values(states)):
            return "the states with neurons switched off are missing" if self.config.switches_off else None
        return None

    def _switched_off(self, key: str, states: HiddenStates) -> list[HiddenStates]:
        """What is stored of the same words with neurons switched off."""
        if not self.config.switches_off:
            return []
        found = (
            self._stored(keys.intervention_key(key, value), states.context) for value in interventions.values(states)
        )
        return [each for each in found if each is not None]

    def grown(self, model: ModelPlan) -> ModelPlan:
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
                    f"{self.store.root}: the hidden states of {model.model.display_name} vanished while in use; run again"
                )
            found.append((context.key, states))
        branches = self._captured(found)
        return replace(
            model,
            contexts=tuple(
                replace(context, captured=branch) for context, branch in zip(model.contexts, branches, strict=True)
            ),
        )

    # --- projections and measures ------------------------------------------------------------------------------------

    def _captured(self, states: Sequence[tuple[str, HiddenStates | None]]) -> list[Captured | None]:
        """``states``: each with its key."""
        stored = [each for _, each in states if each is not None]
        return [
            None if each is None else self._with_switched_off(key, self._branch(each, _ordinary(each, stored)))
            for key, each in states
        ]

    def _with_switched_off(self, key: str, captured: Captured) -> Captured:
        # Against the same ordinary words: those of the model as it is.
        off = self._switched_off(key, captured.states)
        branches = (self._branch(states, captured.ordinary) for states in off)
        return replace(captured, switched_off=tuple(replace(each, neighbours=None) for each in branches))

    def _branch(self, states: HiddenStates, ordinary: HiddenStates | None) -> Captured:
        words = self.config.words_of(states)
        few = len(states.tokenization.words) <= Neighbours.MOST_WORDS
        return Captured(
            states=states,
            ordinary=ordinary,
            words=words,
            projections={name: self.projection(states, ordinary, name) for name in self.config.projections},
            geometry=self.geometry(states, ordinary, words, self.config.projections),
            neighbours=self._job(keys.neighbours_key(states), Neighbours, "not measured yet") if few else None,
        )

    def projection(self, states: HiddenStates, ordinary: HiddenStates | None, name: str) -> Job[Projection]:
        return self._job(keys.projection_key(states, name, ordinary), Projection, "not projected yet")

    def geometry(
        self, states: HiddenStates, ordinary: HiddenStates | None, words: WordList, projections: Sequence[str]
    ) -> Job[Geometry]:
        """``projections``: the names of those whose pictures are measured."""
        of_projections = tuple(keys.projection_key(states, name, ordinary) for name in projections)
        return self._job(keys.geometry_key(states, ordinary, of_projections, words), Geometry, "not measured yet")

    def _job(self, key: str, kind: type[Record], reason: str) -> Job[Record]:
        due = "forced" if self.options.force else None if self.store.has(key, kind) else reason
        return Job(key=key, kind=kind, due=due)

    # --- pictures ----------------------------------------------------------------------------------------------------

    def pictures(
        self, context: ContextPlan, captured: Captured, projection: Projection, forms: tuple[str, ...] | None = None
    ) -> list[PictureJob]:
        """A job per plate, grid and strip of one projection, in ``forms`` or those of the options."""
        subjects = Subjects(
            model=context.model,
            context=context.context,
            states=captured.states,
            projection=projection,
            words=captured.words,
        )
        jobs = []
        for subject, form, plain in subjects.pictures(self.options.forms if forms is None else forms):
            picture = self.fonts.with_fonts(plain)
            key = keys.picture_key(picture)
            due = "not drawn yet" if self.store.find_image(key) is None else "forced" if self.options.force else None
            path = subjects.path(subject, form)
            jobs.append(PictureJob(subject=subject, form=form, path=path, picture=picture, key=key, due=due))
        return jobs

    # --- comparisons -------------------------------------------------------------------------------------------------

    def comparisons(self, captured: Mapping[str, Sequence[HiddenStates]]) -> list[Comparison]:
        """Every pair of the configuration in every context.

        Parameters
        ----------
        captured : per model's slug its states in each context; none of a model that failed.
        """
        return [
            self.comparison(slugs, states, in_detail=in_detail)
            for slugs, in_detail in self.config.pairs
            for states in _side_by_side(captured[slugs[0]], captured[slugs[1]])
        ]

    def comparison(
        self, slugs: tuple[str, str], states: tuple[HiddenStates, HiddenStates], *, in_detail: bool
    ) -> Comparison:
        def job(*, single_token: bool) -> Job[LayerSimilarity]:
            key = keys.similarity_key(*states, single_token=single_token)
            return self._job(key, LayerSimilarity, "not compared yet")

        return Comparison(
            slugs=slugs,
            states=states,
            shared=job(single_token=False),
            single_token=job(single_token=True) if in_detail else None,
        )


def _side_by_side(a: Sequence[HiddenStates], b: Sequence[HiddenStates]) -> Iterator[tuple[HiddenStates, HiddenStates]]:
    """Both models' states in each context that both have."""
    by_name = {states.context.name: states for states in b}
    return ((states, by_name[states.context.name]) for states in a if states.context.name in by_name)


def _ordinary(states: HiddenStates, captured: Sequence[HiddenStates]) -> HiddenStates | None:
    """The states themselves, or those of another context of the model, if words aren't at position 0 there.

    At position 0 many models build an attention sink: massive is measured against words that stand elsewhere.
    """
    candidates = [states, *captured]
    return next((candidate for candidate in candidates if not candidate.tokenization.reads_position_0), None)
