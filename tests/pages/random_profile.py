"""Reports of random profiles: any number of models, of which some aren't measured, or lack a value, or a comparison."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TypeVar

import numpy as np
from geometry_fixture import geometry
from paired_fixture import measure, measures
from profile_fixture import difference
from random_geometry import SAMPLE, WORDS, category_measure, plain_model
from related_fixture import order_measures, relation_measures
from report_fixture import ALONE, SENTENCE, layer_similarity

from tokviz.records import (
    BestMatch,
    ContextReport,
    Difference,
    Differences,
    Geometry,
    LayerSimilarity,
    ModelDifferences,
    ModelReport,
    ModelSimilarity,
    Order,
    OrderMeasures,
    PairedMeasures,
    Relation,
    RelationMeasures,
    Relations,
    Report,
    Unit,
)

MOST_MODELS = 11
N_DEPTHS = 4
CONTEXTS = (ALONE, SENTENCE)
RELATIONS = (
    Relation(name="capital", label="Country → capital", pairs=(), candidates=()),
    Relation(name="plural", label="One → many", pairs=(), candidates=()),
)
ORDERS = (Order(name="months", label="Months of the year", words=tuple("abcdefghijkl"), cyclic=True),)
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
                model_a=a,
                model_b=b,
                context=context.name,
                differences=(apart := _differences(n_related, random, n_models)),
                paired=_by_word(apart, random),
            )
            for a, b, context in pairs
        ),
        downloads={},
    )


def _model(slug: str, n_related: tuple[int, int], random: np.random.Generator) -> ModelReport:
    model = plain_model(slug, N_DEPTHS, CONTEXTS)
    return replace(model, contexts=tuple(_context(each, n_related, random) for each in model.contexts))


def _context(context: ContextReport, n_related: tuple[int, int], random: np.random.Generator) -> ContextReport:
    if random.random() < 0.05:
        return replace(context, geometry=None)
    n_relations, n_orders = n_related
    measured = _geometry(random)
    relations = Relations(
        n_permutations=999,
        relations=tuple(
            _of_the_words(relation_measures(random, N_DEPTHS, 8, _undefined(random))) for _ in range(n_relations)
        ),
        orders=tuple(_of_the_words(order_measures(random, N_DEPTHS, 8, _undefined(random))) for _ in range(n_orders)),
    )
    return replace(context, geometry=measured, relations=relations if any(n_related) else None)


Related = TypeVar("Related", RelationMeasures, OrderMeasures)


def _of_the_words(measured: Related) -> Related:
    """In rows that there are."""
    return replace(measured, rows=measured.rows % len(WORDS.words))


def _geometry(random: np.random.Generator) -> Geometry:
    plain = geometry(N_DEPTHS, len(WORDS.words), ("standardized",), sink=False)
    purity, silhouette = (category_measure(random, N_DEPTHS, _undefined(random)) for _ in range(2))
    return replace(plain, purity=purity, silhouette=silhouette)


def _undefined(random: np.random.Generator) -> float:
    """Share of depths without a value."""
    return float(random.choice([0.0, 0.3, 1.0], p=[0.7, 0.22, 0.08]))


def _differences(n_related: tuple[int, int], random: np.random.Generator, n_models: int) -> Differences:
    n_relations, n_orders = n_related
    rarely = 1.0 if random.random() < 0.5 else 0.1  # often no pair differs
    return Differences(
        purity=_difference(random, rarely, "category"),
        silhouette=_difference(random, rarely / n_models, "category"),
        relations=tuple(_difference(random, rarely / (1 + index), "pair") for index in range(n_relations)),
        orders=tuple(_difference(random, rarely / n_models, "word") for _ in range(n_orders)),
    )


def _by_word(found: Differences, random: np.random.Generator) -> PairedMeasures | None:
    """Mostly such that each difference over categories is shown word by word, too."""
    if random.random() < 0.2:
        return None
    of = {}
    for name, each in (("purity", found.purity), ("silhouette", found.silhouette)):
        agrees, holds = random.choice([1.0, 1.0, 1.0, -1.0]), bool(random.random() < 0.9) and each.is_shown
        size = 0.0 if np.isnan(each.value) else agrees * each.value
        of[name] = measure([0.0, size], [False, holds])
    return measures(of["purity"], [(0, 0), (1, 1)], silhouette=of["silhouette"])


def _difference(random: np.random.Generator, share: float, unit: Unit) -> Difference:
    """``share``: how many differ."""
    if random.random() < 0.1:
        return difference(NOTHING, NOTHING, is_shown=False, n=3, unit=unit)
    value, is_shown = float(random.uniform(-0.6, 0.6)), random.random() < share
    error = abs(value) / 3.1 * float(random.uniform(0.1, 0.9) if is_shown else random.uniform(1.0, 4))
    return difference(value, error, is_shown=bool(is_shown), n=20, unit=unit)


def _similarity(random: np.random.Generator) -> LayerSimilarity:
    value = float(random.uniform(0, 0.7)) if random.random() < 0.9 else NOTHING
    return replace(
        layer_similarity(N_DEPTHS, N_DEPTHS, 8),
        neighbours_summary=BestMatch(
            value=value, low=value - 0.1, high=value + 0.1, chance=0.1, within_categories=value / 2
        ),
    )
