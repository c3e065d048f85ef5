"""Reports of random profiles: any number of models, of which some aren't measured, or lack a value, or a comparison."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from random_geometry import SAMPLE, WORDS, plain_model
from report_fixture import ALONE, SENTENCE, layer_similarity

from tokviz.records import (
    BestMatch,
    Difference,
    Differences,
    LayerSimilarity,
    ModelDifferences,
    ModelReport,
    ModelSimilarity,
    Order,
    Peak,
    Profile,
    Relation,
    Report,
)

MOST_MODELS = 11
N_DEPTHS = 4
CONTEXTS = (ALONE, SENTENCE)
RELATIONS = (
    Relation(name="capital", label="Country → capital", pairs=(), candidates=()),
    Relation(name="plural", label="One → many", pairs=(), candidates=()),
)
ORDERS = (Order(name="months", label="Months of the year", words=(), cyclic=True),)
NOTHING = float("nan")


def report(seed: int) -> Report:
    """Equal seeds make equal reports."""
    random = np.random.default_rng(seed)
    relations, orders = RELATIONS[: random.integers(3)], ORDERS[: random.integers(2)]
    n_related = len(relations), len(orders)
    n_models = int(random.choice([1, 2, 2, 3, 4, 8, 9, MOST_MODELS]))
    models = tuple(_model(f"m{index}", n_related, random) for index in range(n_models))
    pairs = [
        (a.slug, b.slug, context)
        for context in CONTEXTS
        for a, b in itertools.combinations(models, 2)
        if random.random() < 0.95
    ]
    return replace(
        SAMPLE,
        words=WORDS,
        contexts=CONTEXTS,
        models=models,
        relations=relations,
        orders=orders,
        similarities=tuple(
            ModelSimilarity(model_a=a, model_b=b, context=context.name, shared=_similarity(random), single_token=None)
            for a, b, context in pairs
        ),
        differences=tuple(
            ModelDifferences(
                model_a=a, model_b=b, context=context.name, differences=_differences(n_related, random, n_models)
            )
            for a, b, context in pairs
        ),
        downloads={},
    )


def _model(slug: str, n_related: tuple[int, int], random: np.random.Generator) -> ModelReport:
    model = plain_model(slug, N_DEPTHS, CONTEXTS)
    contexts = (
        replace(context, profile=_profile(n_related, random) if random.random() < 0.95 else None)
        for context in model.contexts
    )
    return replace(model, contexts=tuple(contexts))


def _profile(n_related: tuple[int, int], random: np.random.Generator) -> Profile:
    n_relations, n_orders = n_related
    return Profile(
        purity=_peak(random),
        silhouette=_peak(random),
        relations=tuple(_peak(random) for _ in range(n_relations)),
        orders=tuple(_peak(random, least=-2.0) for _ in range(n_orders)),
    )


def _peak(random: np.random.Generator, least: float = -0.1) -> Peak:
    if random.random() < 0.08:
        return Peak(depth=None, value=NOTHING, chance=NOTHING, low=NOTHING, high=NOTHING, p_value=NOTHING)
    chance, above = float(random.uniform(0, 0.2)), float(random.choice([random.uniform(least, 0.8), 0.0, 0.005]))
    half = float(random.uniform(0, 0.5)) if random.random() < 0.9 else NOTHING
    return Peak(
        depth=int(random.integers(N_DEPTHS)),
        value=chance + above,
        chance=chance,
        low=above - half,
        high=above + half,
        p_value=float(random.choice([0.001, 0.04, 0.05, 0.3])),
    )


def _differences(n_related: tuple[int, int], random: np.random.Generator, n_models: int) -> Differences:
    n_relations, n_orders = n_related
    rarely = 1.0 if random.random() < 0.5 else 0.1  # often no pair differs
    return Differences(
        purity=_difference(random, rarely),
        silhouette=_difference(random, rarely / n_models),
        relations=tuple(_difference(random, rarely / 10) for _ in range(n_relations)),
        orders=tuple(_difference(random, rarely / 10) for _ in range(n_orders)),
    )


def _difference(random: np.random.Generator, share: float) -> Difference:
    """``share``: how many differ."""
    if random.random() < 0.1:
        return Difference(n=3, value=NOTHING, low=NOTHING, high=NOTHING, p_value_uncorrected=NOTHING, p_value=NOTHING)
    value = float(random.uniform(-0.6, 0.6))
    is_shown = random.random() < share
    half = abs(value) * float(random.uniform(0.1, 0.9) if is_shown else random.uniform(0.8, 4))
    p_value = float(random.choice([0.001, 0.049]) if is_shown else random.choice([0.05, 0.7]))
    return Difference(
        n=20, value=value, low=value - half, high=value + half, p_value_uncorrected=p_value / 2, p_value=p_value
    )


def _similarity(random: np.random.Generator) -> LayerSimilarity:
    value = float(random.uniform(0, 0.7)) if random.random() < 0.9 else NOTHING
    return replace(
        layer_similarity(N_DEPTHS, N_DEPTHS, 8),
        neighbours_summary=BestMatch(
            value=value, low=value - 0.1, high=value + 0.1, chance=0.1, within_categories=value / 2
        ),
    )
