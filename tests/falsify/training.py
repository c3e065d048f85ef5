"""Series of checkpoints in which nothing is learned, or nothing of the labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import families
import numpy as np
from making import hidden_states
from safetensors.torch import load_file, save_file
from tiny_tokenizers import whole_words

from falsify.announced import CHANGE, FAULT, SHOWN, Announcement
from falsify.case import N_NULL, N_PLANTED, Case, Kind
from falsify.reports import Asked, decided_series, inputs_of, labelled, named, of_words
from falsify.sample import Sample, captured_in
from tokviz.measure.labels import begins_with_capital
from tokviz.records import HiddenStates
from tokviz.run.kinds.lenses import Lenses
from tokviz.run.plan.inputs import Inputs
from tokviz.run.plan.related import Related

N_CHECKPOINTS, N_LAYERS = 5, 6
N_DEPTHS, WIDTH = 4, 48
"""Of made-up states."""
WEIGHTS = "model.safetensors"


def _is_false(announced: Announcement) -> bool:
    """Neighbors that are kept from layer to layer are none of the labels'."""
    if announced.kind == CHANGE:
        return announced.what.startswith(("purity of ", "silhouette of ", SHOWN))
    return (
        announced.kind in ("categories", "surface", "paired", "paired by category", FAULT)
        and ".kept." not in announced.what
    )


def shuffled(number: int, sample: Sample) -> Case:
    """A capture that grows out of noise, under labels that have nothing to do with it, or by turns nothing but the case of letters."""
    random = np.random.default_rng((41, number))
    labels = np.array([own[0] for own in sample.words.memberships])
    keep_case = number % 2 == 0
    capitalized = np.array([begins_with_capital(word) and keep_case for word in sample.words.words])
    for rows in (np.flatnonzero(capitalized), np.flatnonzero(~capitalized)):
        labels[rows] = labels[random.permutation(rows)]
    words = labelled(sample.words.words, labels.tolist())
    order = [sample.words.words.index(word) for word in words.words]
    checkpoints = [
        [
            replace(
                each,
                states=(states := of_words(grown, order)),
                further=(),
                given={kind: value for kind, value in each.given.items() if kind is not Lenses},
                ordinary=states if each.ordinary is not None else None,
                words=words,
                related=Related(pairs=(), orders=()),
            )
            for each, grown in captures
        ]
        for captures in _grown(number, sample)
    ]
    report = decided_series(checkpoints, words)
    # Names come to lie apart from other words. Where labels follow the case, purity does rise with that.
    return Case(
        report=report, is_false=lambda each: _is_false(each) and not (keep_case and each.kind in ("paired", CHANGE))
    )


def learned(number: int, sample: Sample) -> Case:
    """Noise whose words move toward the means of their categories from checkpoint to checkpoint."""
    random = np.random.default_rng((43, number))
    labels = [own[0] for own in sample.words.memberships]
    means, noise = (
        random.normal(size=(N_DEPTHS, 1 + max(labels), WIDTH)),
        random.normal(size=(N_DEPTHS, len(labels), WIDTH)),
    )
    checkpoints = []
    for share in np.linspace(0, 1, N_CHECKPOINTS):
        states = hidden_states(list((noise + share * means[:, labels]).astype(np.float32)), positions=[1] * len(labels))
        made = replace(named(states, sample.words.words), digest=f"{number} {share}")
        checkpoints.append([inputs_of(made, sample.words)])
    last = N_CHECKPOINTS - 1
    return Case(
        report=decided_series(checkpoints, sample.words),
        is_false=lambda each: each.kind == FAULT or (each.kind == "categories" and "step-0/" in each.where),
        planted=(
            Announcement("categories", "purity.above_chance", f"series-step-{last}/alone"),
            Announcement("paired", "paired.purity.overall.claim", f"series-step-0-series-step-{last}/alone"),
        ),
    )


def _grown(number: int, sample: Sample) -> list[list[tuple[Inputs, HiddenStates]]]:
    """Of each checkpoint the captures of one model, with states between noise and what they are."""
    random = np.random.default_rng((42, number))
    captures = list(sample.captures.values())[number % len(sample.captures)]
    noise = [[_noise(state, random) for state in each.states.states] for each in captures]
    return [
        [
            (each, _between(each.states, own, share, f"{number} {share}"))
            for each, own in zip(captures, noise, strict=True)
        ]
        for share in np.linspace(0, 1, N_CHECKPOINTS)
    ]


def _noise(state: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """As large as the state is, dimension by dimension."""
    return np.asarray(random.normal(size=state.shape) * state.std(axis=0) + state.mean(axis=0))


def _between(states: HiddenStates, noise: list[np.ndarray], share: float, digest: str) -> HiddenStates:
    mixed = [
        (np.sqrt(1 - share**2) * other + share * own).astype(np.float32)
        for own, other in zip(states.states, noise, strict=True)
    ]
    return replace(states, states=mixed, digest=digest, updates=None, attention=())


def untrained(number: int, sample: Sample) -> Case:
    """Random weights that change from checkpoint to checkpoint, one random model into another."""
    with TemporaryDirectory(prefix="tokviz-falsify-") as name:
        folder = Path(name)
        names = [f"step-{index}" for index in range(N_CHECKPOINTS)]
        for index, slug in enumerate(names):
            families.build("llama", folder / slug, n_layers=N_LAYERS, seed=2 * number + (index == N_CHECKPOINTS - 1))
            whole_words(np.random.default_rng(number).permutation(sample.words.words).tolist()).save_pretrained(
                folder / slug
            )
        start, end = (load_file(folder / slug / WEIGHTS) for slug in (names[0], names[-1]))
        for slug, share in list(zip(names, np.linspace(0, 1, N_CHECKPOINTS), strict=True))[1:-1]:
            mixed = {key: (1 - share**2) ** 0.5 * start[key] + share * end[key] for key in start}
            save_file(mixed, folder / slug / WEIGHTS, {"format": "pt"})
        captured = captured_in(sample, folder, *names)
        checkpoints = [captured[slug] for slug in names]
        asked = Asked(relations=sample.config.relation_list, orders=sample.config.order_list)
        report = decided_series(checkpoints, sample.words, asked)
    return Case(report=report, is_false=lambda each: _is_false(each) or each.kind not in (CHANGE, "paired"))


NULL = (
    Kind(
        name="series of shuffled labels",
        contents=f"{N_CHECKPOINTS} checkpoints between noise and a capture of the sample; false: categories, surface, faults; where labels don't follow the case, changes, too",
        make=shuffled,
        n_reports=N_NULL,
    ),
    Kind(
        name="series of random weights",
        contents=f"{N_CHECKPOINTS} checkpoints between two models of {N_LAYERS} layers with random weights; false: all but neighbors kept and how large any change may be",
        make=untrained,
        n_reports=N_NULL,
    ),
)
PLANTED = (
    Kind(
        name="categories learned",
        contents=(
            f"{N_CHECKPOINTS} checkpoints of made-up states, from noise to categories that lie apart; planted: categories at the last one, and that they grow; "
            "false: categories in the noise, faults"
        ),
        make=learned,
        n_reports=N_PLANTED,
    ),
)
