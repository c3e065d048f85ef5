"""Captures that reports are made of: those of the sample report, or made-up ones of the same words where they aren't there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from command import ROOT
from making import hidden_states

from falsify.reports import PROJECTION, at_depths, inputs_of, named
from tokviz import config
from tokviz.config import ModelConfig, ReportConfig
from tokviz.records import Directions, HiddenStates, WordList
from tokviz.run.capturing.one_model import capture_here
from tokviz.run.kinds.lenses import Lenses, LensInputs
from tokviz.run.plan.inputs import Inputs
from tokviz.run.plan.options import Options
from tokviz.run.plan.recipe import due_request
from tokviz.run.plan.related import related
from tokviz.run.plan.report import Plan
from tokviz.run.store.artefacts import Store
from tokviz.run.work.progress import Quiet

N_DEPTHS = 7
"""Of each capture, spread over all of its depths: all would cost four times as much."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Two models in two contexts."""

    config: ReportConfig
    captures: Mapping[str, tuple[Inputs, ...]]
    """By the model's name."""

    @cached_property
    def words(self) -> WordList:
        return self.config.word_list

    @classmethod
    def stored(cls, cache: Path) -> Sample:
        """Of the sample report's models, captured if they haven't been."""
        report = config.load(ROOT / "report.toml").model_copy(update={"untrained": False})
        options = Options(base=ROOT, output=Path("site"), cache=cache)
        plan = Plan(report, options, Store(cache))
        for model in plan.models:
            if any(each.intact_due for each in model.contexts):
                capture_here(due_request(model), plan.store, Quiet())
        plan = Plan(report, options, plan.store)
        found = {model.model.slug: [each.captured for each in model.contexts] for model in plan.models}
        return cls(
            config=report,
            captures={slug: tuple(_thinned(each.inputs) for each in of if each) for slug, of in found.items()},
        )

    @classmethod
    def made(cls, n_depths: int = N_DEPTHS, contexts: tuple[str, ...] = ("alone", "sentence"), seed: int = 0) -> Sample:
        """Categories that hold in states drawn at random, a little better at each depth."""
        report = config.load(ROOT / "report.toml")
        report = report.model_copy(update={"contexts": [each for each in report.contexts if each.name in contexts]})
        words, random = report.word_list, np.random.default_rng(seed)
        captures = {}
        for slug in ("one", "other"):
            own_contexts = []
            for name in contexts:
                states = _drawn(random, [own[0] for own in words.memberships], n_depths)
                made = named(states, words.words, name)
                asked = related(report, words, made.tokenization)
                own_contexts.append(inputs_of(made, words, asked.pairs, asked.orders, projects=True))
            captures[slug] = tuple(own_contexts)
        return cls(config=report, captures=captures)


def _drawn(random: np.random.Generator, labels: Sequence[int], n_depths: int, width: int = 48) -> HiddenStates:
    means, own = random.normal(size=(1 + max(labels), width)), random.normal(size=(len(labels), width))
    states = []
    for depth in range(n_depths):
        own = 0.8 * own + 0.6 * random.normal(size=own.shape)
        states.append((0.1 * depth * means[list(labels)] + own).astype(np.float32))
    return hidden_states(states, positions=[1] * len(labels))


def _thinned(inputs: Inputs) -> Inputs:
    states = inputs.states
    depths = np.unique(np.linspace(0, states.n_depths - 1, N_DEPTHS).astype(int)).tolist()
    thin, *further = (at_depths(each, depths) for each in inputs.templates)
    ordinary = thin if thin.tokenization.reads_elsewhere else None
    return replace(
        inputs,
        states=thin,
        further=tuple(further),
        against=tuple(at_depths(each, depths) for each in inputs.against),
        given={**inputs.given, Lenses: _thinned_lens(inputs.of(Lenses), depths)},
        ordinary=ordinary,
        measured=(PROJECTION,),
    )


def _thinned_lens(lens: LensInputs | None, depths: Sequence[int]) -> LensInputs | None:
    if lens is None:
        return None
    names, words, random = (
        each and Directions(states=at_depths(each.states, depths)) for each in (lens.names, lens.words, lens.random)
    )
    return replace(lens, names=names, words=words, random=random)


def captured_in(sample: Sample, folder: Path, *names: str, untrained: bool = False) -> dict[str, list[Inputs]]:
    """Captures of models in a folder, in the sample's contexts; ``untrained``: whether with controls."""
    models = [ModelConfig(source=str(folder / name), name=name, untrained=untrained) for name in names]
    config = sample.config.model_copy(update={"models": models})
    plan = Plan(config, Options(base=folder, output=folder / "site", cache=folder / "cache"), Store(folder / "cache"))
    found = {}
    for model in plan.models:
        capture_here(due_request(model), plan.store, Quiet())
        found[model.model.slug] = [each.captured.inputs for each in plan.grow(model).contexts if each.captured]
    return found
