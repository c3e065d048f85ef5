"""The report, gathered: what pages are made of.

Gathered in ``run/publishing/site.py``; all pages are made of it in ``pages/site.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from tokviz.records.claims import Family
from tokviz.records.compared import ModelDifferences, ModelPair, ModelSimilarity, NotCompared
from tokviz.records.lens import Lens
from tokviz.records.look import Look
from tokviz.records.loss import Loss
from tokviz.records.measures import AddedMeasure, Geometry, Neighbours, WordScores
from tokviz.records.paired import PairedCapture
from tokviz.records.profile import Profile, profile_of
from tokviz.records.relations import Order, Relation, Relations
from tokviz.records.series import Fault
from tokviz.records.states import HiddenStates, ModelCard, Projection
from tokviz.records.untrained import Untrained
from tokviz.records.updates import TWIN_RULES, InterventionRule
from tokviz.records.words import Context, WordList


@dataclass(frozen=True, kw_only=True)
class Image:
    """A picture in the site."""

    path: str
    """From the site's root, with forward slashes."""
    width: int
    height: int
    n_bytes: int


@dataclass(frozen=True, kw_only=True)
class CardImage(Image):
    """A finding as an image of its own."""

    said: str
    """What it claims, and of what."""


@dataclass(frozen=True, kw_only=True)
class Renditions:
    """The same picture for wide screens and for phones."""

    wide: Image
    phone: Image
    svg: Image | None = None
    """The wide one as a drawing, where it was asked for."""
    dark: Renditions | None = None
    """Of a strip the same, of the same size, on the dark ground."""


@dataclass(frozen=True, kw_only=True)
class ProjectionReport:
    """One model × context × projection: its numbers and its pictures."""

    projection: Projection
    plates: tuple[Renditions | None, ...]
    """Per depth; None where ``projection.problems`` says why."""
    grid: Renditions | None
    strip: Renditions | None


@dataclass(frozen=True, kw_only=True)
class ContextReport:
    """One model × context."""

    states: HiddenStates
    projections: tuple[ProjectionReport, ...]
    """In the order of ``Report.projections``."""
    geometry: Geometry | None = None
    neighbours: Neighbours | None = None
    """None where there are too many words to look for them in the full space, and of most interventions."""
    same_category: WordScores | None = None
    """How many of each word's nearest words share a category with it; None of what others are only compared with."""
    heat_map: Image | None = None
    """The picture of ``same_category``."""
    added: tuple[AddedMeasure, ...] = ()
    """What other packages measure."""
    relations: Relations | None = None
    """In the order of ``Report.relations`` and ``Report.orders``."""
    lens: Lens | None = None
    """What each layer would say; None where that wasn't asked for."""
    paired: PairedCapture | None = None
    """What it is held against word by word; None where nothing is measured."""
    untrained: Untrained | None = None
    """What the measures are in untrained models of the same form; None where that wasn't asked for, and of interventions."""
    interventions: tuple[ContextReport, ...] = ()
    """The same words with neurons set to a value, as their ``states.intervention`` says; not all of them have pictures."""
    failed_interventions: tuple[str, ...] = ()
    """Why the model gave no states with neurons set to a value."""
    loss: Loss | None = None
    """How well the model predicts text with a break's neurons set to a value; None where they were not switched off here."""

    @property
    def profile(self) -> Profile | None:
        """None where nothing was measured, and of interventions."""
        return profile_of(self.geometry, self.relations) if self.geometry and self.rule is None else None

    @property
    def has_templates(self) -> bool:
        """Whether what is measured are medians over several templates."""
        return self.geometry is not None and self.geometry.purity.templates is not None

    @property
    def holds_categories(self) -> np.ndarray | None:
        """``(n_categories, n_depths)`` bool: which keep together by themselves, where all together are above chance; None without any."""
        if self.paired is None or self.paired.held is None or self.geometry is None:
            return None
        return np.asarray(self.paired.held.holds & self.geometry.purity.above_chance.holds)

    @property
    def in_first_template(self) -> ContextReport:
        """With the measures of its first template, of which plots and interventions are, in place of medians; the same with one."""
        return replace(
            self,
            geometry=self.geometry and self.geometry.in_first_template,
            relations=self.relations and self.relations.in_first_template,
        )

    @property
    def drawn_projections(self) -> tuple[ProjectionReport, ...]:
        """Those with pictures; of the model as it is also those with reasons why there are none."""
        return tuple(
            shown
            for shown in self.projections
            if any(shown.plates) or (self.rule is None and all(shown.projection.problems))
        )

    def intervened(self, rule: InterventionRule) -> ContextReport | None:
        """The first intervention of that rule."""
        return next((each for each in self.interventions if each.rule == rule), None)

    @property
    def twin(self) -> ContextReport | None:
        """The same words without what a break's neurons tell of them, which is shown beside it; None where there is no break."""
        return next((each for rule in TWIN_RULES if (each := self.intervened(rule))), None)

    @property
    def rule(self) -> InterventionRule | None:
        """How the neurons that were set to a value were chosen; None for the model as it is."""
        done = self.states.intervention
        return done.rule if done else None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Who writes the massive values of a model, what that does to the words, and what is without it."""

    context: Context
    layer: int
    dimension: int
    neurons: tuple[int, ...]
    """Empty where it is an expert of a mixture."""
    n_neurons: int | None
    """How many the MLP has."""
    expert: int | None
    n_experts: int | None
    share: float
    """What they write of what the MLP adds to the dimension."""
    before: float
    """The words' mean norm before the layer."""
    after: float
    """After it."""
    without: float
    """After it, with the neurons set to zero; NaN where that wasn't tried."""
    pc1_before: float
    """The share of the words' variance that one direction holds before the layer (plain centred PCA)."""
    pc1_after: float
    """After it."""
    pc1_without: float
    """After it, where the neurons have the same value in all words, their mean, or else zero; NaN where neither was tried."""
    at_mean: bool
    """Whether that value is their mean over the words, which leaves the model's predictions as they are."""

    @property
    def flattens(self) -> bool:
        """Whether the layer puts most of the variance into one direction, and half of that at most is left without the neurons."""
        most = self.pc1_after / 2
        return self.pc1_after > 0.5 and self.pc1_before <= most and self.pc1_without <= most

    @property
    def is_undone(self) -> bool:
        """Whether the norm grows at the layer, and less than half of it is left without the neurons."""
        return self.before < self.after and self.without < self.after / 2


Slot = Literal["change", "words", "contexts", "models", "break", "order", "layers"]
"""What a finding answers: what changed from one model to the next; whether words lie by category; what contexts, and models, differ in; who writes a break; which order or
relation can be read; what layers add."""
SLOTS: tuple[Slot, ...] = get_args(Slot)


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What the author has the first page open with."""

    sentence: str | None = None
    """None where the report says it."""
    rows: tuple[str, ...] = ()
    """Of its picture: contexts of one model as ``SLUG/CONTEXT``; none where the report chooses."""
    depths: tuple[int, ...] = ()
    """The picture's columns, in their order; none where the report chooses."""
    projection: str | None = None
    lead: Slot | None = None
    """Which finding comes first; None where the report chooses."""


@dataclass(frozen=True, kw_only=True)
class ModelReport:
    """One configured model: captured, or failed with a message."""

    slug: str
    name: str
    """Without the quantisation; ``display_name`` has it."""
    source: str
    failure: str | None = None
    contexts: tuple[ContextReport, ...] = ()
    """In the order of ``Report.contexts``; empty when the model failed."""
    preview: CardImage | None = None
    """What other sites show beside a link to its page; none without the report's ``site_url``."""
    note: str | None = None
    """The author's words on the model, as safe HTML."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Address on the model's page (``alone/layer-11``, ``alone/stage-4``, ``alone/grid``, ``curves``) → safe HTML."""

    @property
    def captures(self) -> tuple[ContextReport, ...]:
        """What readers choose from: the contexts, and the captures of them with neurons set to a value.

        Those that these are compared with, the controls, aren't among them.
        """
        changed = (each for context in self.contexts for each in context.interventions if each.rule != "control")
        return (*self.contexts, *changed)

    @property
    def drawn(self) -> tuple[ContextReport, ...]:
        """Those of ``captures`` that have pictures, each with the projections that are drawn."""
        every = (replace(each, projections=each.drawn_projections) for each in self.captures)
        return tuple(each for each in every if each.projections)

    @property
    def card(self) -> ModelCard | None:
        return self.contexts[0].states.card if self.contexts else None

    @property
    def display_name(self) -> str:
        return named_with_quantization(self.name, self.card)


def named_with_quantization(name: str, card: ModelCard | None) -> str:
    """A model's name for readers: quantised weights are named as such wherever the model is, and once, also after ``model.Q4_1``."""
    if not card or not card.quantization:
        return name
    kind = card.quantization.split()[0]
    return f"{re.sub(rf'(?i)(?<=.)[._-]{re.escape(kind)}$', '', name)} ({card.quantization})"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One of the checkpoints of a series."""

    key: str
    """In addresses: ``step-1000``, ``sft``."""
    label: str
    """For readers: ``step 1,000``, ``SFT``."""
    step: int | None
    """None where trainings follow each other that have only labels."""
    model: ModelReport
    """Its captures, or why there are none; of each context the projections are ``StepAxes.reference`` and ``own``."""
    residuals: tuple[np.ndarray, ...] = ()
    """Of each of its contexts ``StepAxes.residual``."""
    left_out: bool = False
    """Whether a later checkpoint has the same states, so that it is in no chart."""

    def context(self, name: str) -> ContextReport | None:
        """None where it failed there."""
        return next((each for each in self.model.contexts if each.states.context.name == name), None)


@dataclass(frozen=True, kw_only=True)
class SeriesReport:
    """One model at several steps of its training."""

    slug: str
    name: str
    unit: Literal["steps", "tokens"] | None
    """What steps count; None where there are labels only."""
    checkpoints: tuple[Checkpoint, ...]
    reference: int
    """The index of the checkpoint on whose axes all are shown."""
    projection: str
    """Which one fits the axes."""
    wanted_reference: int | None = None
    """The index of the one that was to be the reference, where that wasn't captured."""
    faults: tuple[Fault, ...] = ()
    changes: tuple[ModelPair, ...] = ()
    """What changed from the first to the last, in each context."""
    not_compared: tuple[str, ...] = ()
    """Why some of that, or how far checkpoints are apart, isn't known."""

    @property
    def shown(self) -> tuple[Checkpoint, ...]:
        """Those that are captured and in charts."""
        return tuple(each for each in self.checkpoints if each.model.contexts and not each.left_out)


@dataclass(frozen=True, kw_only=True)
class EssayPlace:
    """A picture in the author's text that is a place of the report."""

    target: str
    """As written: ``models/qwen3-4b/#alone/embedding..layer-5``."""
    caption: str
    """Safe HTML; empty where what is tested stands there."""
    line: int
    """Of the text, from 1; of its block, where it isn't alone."""
    is_alone: bool = True
    """Whether it is a paragraph by itself, within no list or quote: others aren't shown."""


@dataclass(frozen=True, kw_only=True)
class Underway:
    """A first look at a report that is still being made."""

    n_models: int
    """Of the whole report, with those that aren't in this one yet."""
    n_failed: int
    """How many of them are known to have failed: they will have no plots."""
    n_series: int
    """Of the whole report; none is in this one."""
    expected: str | None = None
    """When it was begun and how long it was expected to take, as a sentence; None where that isn't known."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """Everything that the pages show."""

    title: str
    subtitle: str | None
    author: str | None
    site_url: str | None
    """Ends with a slash."""
    intro: tuple[str | EssayPlace, ...] = ()
    """The author's introduction: safe HTML, and places of the report that stand in it; empty without one."""
    words: WordList
    relations: tuple[Relation, ...] = ()
    orders: tuple[Order, ...] = ()
    contexts: tuple[Context, ...]
    projections: tuple[str, ...]
    models: tuple[ModelReport, ...]
    series: tuple[SeriesReport, ...] = ()
    command: str
    """What was typed, such as ``python generate.py``."""
    version: str
    """Of tokviz."""
    opening: Opening | None = None
    """None where the author says nothing."""
    draft: bool = False
    """Whether pictures are small and without labels, to see soon what there is to see."""
    underway: Underway | None = None
    """None of a report that is as whole as it will be."""
    description: str | None = None
    """For search engines and cards."""
    license: str | None = None
    """Under which readers may use text and pictures."""
    license_url: str | None = None
    look: Look = field(default_factory=Look)
    """What the author chose of colours, shapes, sizes and fonts."""
    own_styles: bool = False
    """Whether the author's theme has a stylesheet."""
    preview: CardImage | None = None
    """What other sites show beside a link to a page that has none of its own; none without ``site_url``."""
    cards: frozenset[str] = frozenset()
    """The paths of the findings' images, from the site's root."""
    undrawn: tuple[str, ...] = ()
    """Words with characters that no font has: the pictures show these as code points."""
    similarities: tuple[ModelSimilarity, ...] = ()
    """Of the pairs of models that were compared."""
    differences: tuple[ModelDifferences, ...] = ()
    """Of the same pairs."""
    not_compared: tuple[NotCompared, ...] = ()
    """Pairs that were to be compared, too."""
    families: tuple[Family, ...] = ()
    """What is asked of all that is measured: the families of tests, each at its level."""
    downloads: dict[str, str] = field(default_factory=dict)
    """``SLUG/CONTEXT/coordinates.csv`` and the like → path from the site's root."""

    @property
    def has_essay(self) -> bool:
        """Whether places of the report stand in the introduction."""
        return any(isinstance(part, EssayPlace) for part in self.intro)

    @property
    def all_models(self) -> tuple[ModelReport, ...]:
        """The models, then the checkpoints of each series."""
        return (*self.models, *(each.model for series in self.series for each in series.checkpoints))

    @property
    def without_template(self) -> frozenset[str]:
        """The names of contexts of which it isn't known what stands around their words: those of states from elsewhere."""
        captured = (context.states for model in self.models for context in model.contexts)
        return frozenset(states.context.name for states in captured if not states.tokenization.is_known)

    @property
    def is_explorable(self) -> bool:
        """Whether there is an explorer: its captures share one list of words, and vocabularies differ between models."""
        return self.words.vocabulary is None and any(model.contexts for model in self.models)
