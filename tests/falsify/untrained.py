"""Models with random weights, captured as any others: each word is a token of its own, so that nothing is true of the words.

Neither is anything true of one of them and its controls, which are of the same form with other random weights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import families
import numpy as np
from tiny_tokenizers import whole_words

from falsify.announced import Announcement, claims_by_path
from falsify.case import Case, Kind
from falsify.reports import DIFFERENCES, SIMILARITY, Asked, decided
from falsify.sample import Sample
from falsify.stages import ARCHITECTURES
from tokviz import capture, models
from tokviz.config import ModelConfig
from tokviz.measure.decisions import claims_in, decide, with_decisions
from tokviz.measure.profile import Side
from tokviz.measure.untrained import FAMILY, measure
from tokviz.records import HiddenStates, Untrained
from tokviz.run.capturing.capture_request import capture_here
from tokviz.run.capturing.capturing import request_for
from tokviz.run.plan.options import Options
from tokviz.run.plan.plan import Plan
from tokviz.run.plan.products import Inputs
from tokviz.run.store.store import Store
from tokviz.run.work.progress import Quiet

N_SEEDS, N_LAYERS = 9, 8
TOKEN_BUDGET = 8192


def untrained(number: int, sample: Sample) -> Case:
    """Two models of one architecture, with weights and tokens of their own."""
    architecture, seed = ARCHITECTURES[number % len(ARCHITECTURES)], number // len(ARCHITECTURES)
    with TemporaryDirectory(prefix="tokviz-falsify-") as name:
        folder = Path(name)
        for slug, own in (("one", seed), ("other", N_SEEDS + seed)):
            families.build(architecture, folder / slug, n_layers=N_LAYERS, seed=own)
            whole_words(np.random.default_rng(own).permutation(sample.words.words).tolist()).save_pretrained(
                folder / slug
            )
        asked = Asked(
            relations=sample.config.relation_list,
            orders=sample.config.order_list,
            compares=frozenset({DIFFERENCES, SIMILARITY}),
        )
        report = decided(_captured(sample, folder, "one", "other"), sample.words, asked)
    return Case(report=report, is_false=lambda _: True)


def with_controls(number: int, sample: Sample) -> Case:
    """A model with random weights and its controls, as if it had been trained."""
    architecture, seed = ARCHITECTURES[number % len(ARCHITECTURES)], number // len(ARCHITECTURES)
    with TemporaryDirectory(prefix="tokviz-falsify-") as name:
        folder = Path(name)
        families.build(architecture, folder / "one", n_layers=N_LAYERS, seed=seed)
        whole_words(np.random.default_rng(seed).permutation(sample.words.words).tolist()).save_pretrained(
            folder / "one"
        )
        captured = _captured(sample, folder, "one")["one"]
        report = decided(
            {"one": captured},
            sample.words,
            Asked(relations=sample.config.relation_list, orders=sample.config.order_list),
        )
        found = _untrained(folder, captured)
    # All claims are decided together; the report has no place for these.
    found = with_decisions(found, decide([*claims_in(report.models), *claims_in(found)]))
    names = [each.states.context.name for each in captured]
    beside = tuple(each for name, own in zip(names, found, strict=True) for each in _announced(own, f"one/{name}"))
    return Case(report=report, is_false=lambda each: each.kind == FAMILY, beside=beside)


def _untrained(folder: Path, captured: list[Inputs]) -> tuple[Untrained, ...]:
    """Of each capture of the model ``one``."""
    with models.quiet_transformers():
        loaded = models.load(ModelConfig(source="one"), folder, "cpu")
        structure = capture.find_structure(loaded.module, loaded.base_model_prefix)
        untrained_model = models.UntrainedModel(loaded, structure.layers)
        of_random = _states(untrained_model.random(0), loaded.base_model_prefix, captured)
        of_seeds = [
            _states(untrained_model.own_embedding(seed), loaded.base_model_prefix, captured)
            for seed in range(1, 1 + Untrained.N_SEEDS)
        ]
    return tuple(
        measure(
            Side(
                templates=(each.states,),
                memberships=each.words.memberships,
                pairs=each.related.pairs,
                orders=each.related.orders,
            ),
            of_random[index],
            [states[index] for states in of_seeds],
        )
        for index, each in enumerate(captured)
    )


def _states(module: Any, prefix: str, captured: list[Inputs]) -> list[HiddenStates]:
    """Of the same words in the same contexts, from a control."""
    structure = capture.find_structure(module, prefix)
    found = []
    for each in captured:
        states: list[np.ndarray] = [np.empty(state.shape, np.float32) for state in each.states.states]
        for batch in capture.capture(module, structure, each.states.tokenization, TOKEN_BUDGET):
            for whole, own in zip(states, batch.states, strict=True):
                whole[batch.rows] = own
        digest = hashlib.sha256(b"".join(state.tobytes() for state in states)).hexdigest()
        found.append(replace(each.states, states=states, digest=digest, updates=None, attention=()))
    return found


def _announced(untrained: Untrained, where: str) -> Iterator[Announcement]:
    for path, claim in claims_by_path(untrained):
        if claim.holds.any():
            yield Announcement(FAMILY, path, where)


def _captured(sample: Sample, folder: Path, *names: str) -> dict[str, list[Inputs]]:
    config = sample.config.model_copy(
        update={"models": [ModelConfig(source=str(folder / name), name=name) for name in names]}
    )
    plan = Plan(config, Options(base=folder, output=folder / "site", cache=folder / "cache"), Store(folder / "cache"))
    found = {}
    for model in plan.models:
        capture_here(request_for(model, plan), plan.store, Quiet())
        found[model.model.slug] = [each.captured.inputs for each in plan.grow(model).contexts if each.captured]
    return found


NULL = (
    Kind(
        name="random weights",
        contents=(
            f"two models of one of {len(ARCHITECTURES)} architectures with {N_LAYERS} layers, the sample's words, one token each; "
            "false: everything"
        ),
        make=untrained,
        n_reports=N_SEEDS * len(ARCHITECTURES),
    ),
    Kind(
        name="untrained against untrained",
        contents=(
            f"a model of one of {len(ARCHITECTURES)} architectures with {N_LAYERS} layers and random weights, and its controls; false: "
            "that it differs from that of all random weights, or from all of those with its own embedding"
        ),
        make=with_controls,
        n_reports=N_SEEDS * len(ARCHITECTURES),
    ),
)
