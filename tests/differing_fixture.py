"""Reports of several models that were compared word by word, with differences that a test chooses."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from paired_fixture import measure, measures
from profile_fixture import differences
from report_fixture import compared_report, many_models_report, sample_report

from tokviz.config import MOST_MODELS_IN_ALL_PAIRS
from tokviz.records import ModelDifferences, ModelReport, PairedCapture, PairedMeasures, Report

Size = Callable[[int, int, str], float | None]
"""How much more the first of two models has, by their numbers and the context; None where they weren't compared."""
LEAST = 0.1
"""Smaller differences aren't shown."""
PEAK = 0.7
"""The relative depth where a difference is largest."""


def aligned(one: ModelReport, other: ModelReport) -> list[tuple[int, int]]:
    """Depths of both at equal relative depth."""
    last = [model.contexts[0].states.n_depths - 1 for model in (one, other)]
    most = max(last)
    return [(int(at / most * last[0] + 0.5), int(at / most * last[1] + 0.5)) for at in range(most + 1)]


def differing_report(
    n_models: int, size: Size, *, measured: str = "purity", asked: tuple[int, int] | None = None, n_words: int = 13
) -> Report:
    """Models of 31 and 7 depths in turn; of many each is compared with the first one.

    Parameters
    ----------
    measured : the measure that differs.
    asked : two of many that the author wants to be compared, too.
    n_words : in each category.
    """
    report = many_models_report(n_models, n_words)
    many = len(report.models) > MOST_MODELS_IN_ALL_PAIRS
    pairs = [(0, other) for other in range(1, n_models)] if many else [*itertools.combinations(range(n_models), 2)]
    pairs += [asked] if asked else []

    def compared() -> Iterator[ModelDifferences]:
        for context, (a, b) in itertools.product(report.contexts, pairs):
            if (own := size(a, b, context.name)) is None:
                continue
            one, other = report.models[a], report.models[b]
            depths = aligned(one, other)
            at = np.linspace(0, 1, len(depths))
            values = own * (1 - np.abs(at - at[np.abs(at - PEAK).argmin()]))
            holds = (np.abs(values) >= LEAST).tolist()
            found = {measured: measure(values.tolist(), holds)}
            nothing = measure([0.0] * len(depths), [False] * len(depths))
            paired = measures(depths=depths, **{"purity": nothing, **found})
            yield replace(differences(one.slug, other.slug, context.name), paired=paired)

    return replace(report, similarities=(), differences=tuple(compared()))


def untested(report: Report) -> Report:
    """Without any of its tests."""

    def without(each: ModelDifferences) -> ModelDifferences:
        assert each.paired is not None
        off = {}
        for name in ("purity", "silhouette"):
            own = getattr(each.paired, name)
            claim = replace(own.overall.claim, holds=own.overall.claim.holds & False)
            off[name] = replace(own, overall=replace(own.overall, claim=claim))
        return replace(each, paired=replace(each.paired, **off))

    return replace(report, differences=tuple(map(without, report.differences)))


DEPTHS = [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6)]
RISING = ([0.0, 0.02, 0.1, 0.3, 0.25, 0.2, 0.0], [False, False, False, True, True, True, False])
"""Values, and where they are shown to differ, at these pairs of depths."""


def differing(found: PairedMeasures) -> dict[str, Report]:
    """By slot: the second context against the first, the layers of the first against its embedding, and two models."""
    report = sample_report()
    deep, encoder, _ = report.models
    first, second = deep.contexts[:2]
    of_contexts = replace(deep, contexts=(first, replace(second, paired=PairedCapture(first_context=found))))
    of_layers = replace(deep, contexts=(replace(first, paired=PairedCapture(embedding=found)), second))
    pair = replace(compared_report().differences[0], paired=found)
    return {
        "contexts": replace(report, models=(of_contexts, encoder)),
        "layers": replace(report, models=(of_layers, encoder)),
        "models": replace(report, models=(deep, encoder), differences=(pair,)),
    }
