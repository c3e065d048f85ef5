"""Plausible measures without a model: what an attention sink does to words at position 0, and to no others."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from claiming import decided

from tokviz.records import (
    CategoryMeasure,
    Change,
    Geometry,
    MassiveActivations,
    Measured,
    PictureMeasures,
    RawPurity,
    RefitCriteria,
    Spread,
    Stage,
    StageCriteria,
)

EMERGENCE = 0.4
"""Of the depth."""
DIMENSIONS = (12, 45)


def geometry(n_depths: int, n_words: int, projections: tuple[str, ...], *, sink: bool) -> Geometry:
    """``sink``: the words stand at position 0, where massive activations emerge at two fifths of the depth."""
    x = np.linspace(0, 1, n_depths)
    emergence, step_down = round(EMERGENCE * (n_depths - 1)), n_depths - 1
    broken = (np.arange(n_depths) >= emergence) & sink
    purity = np.where(broken, 0.55, 0.85) - 0.05 * x
    cka = np.where(broken[:, None] == broken[None, :], 0.97, 0.4)
    return Geometry(
        n_reference=n_words - 1,
        n_measured=n_words - 1,
        n_compared=n_words - 1,
        seed=0,
        n_permutations=999,
        spread=Spread(
            **{
                **{each.name: 0.1 + 0.8 * x for each in fields(Spread)},
                "effective_rank": np.where(broken, 5.0, 90.0 - 10 * x),
                "pc1_share": np.where(broken, 0.997, 0.2),
                "mean_norm": np.where(broken, 24_410.0, 10 ** (0.5 + 2 * x)),
                "norm_spread": np.ones(n_depths),
                "mean_cosine": np.where(broken, 0.99, 0.4 + 0.3 * x),
            }
        ),
        massive=_massive(n_depths, emergence, step_down) if sink else _massive(n_depths, None, None),
        position0=_massive(n_depths, emergence, step_down) if n_depths > 1 else _massive(n_depths, None, None),
        pc1_in_massive=broken * 0.98,
        pc1_position=np.full(n_depths, np.nan),
        silhouette=_measure(np.where(broken, -0.04, 0.2)),
        purity=_measure(purity),
        purity_raw=_raw(purity - 0.02),
        silhouette_raw=_interval(np.where(broken, -0.1, 0.2)),
        n_neighbours=5,
        with_neighbours=np.ones(n_depths),
        least_with_neighbours=0.5,
        pictures=tuple(
            PictureMeasures(
                projection=name,
                silhouette=_interval(np.where(broken, -0.1, 0.1)),
                purity=_measure(np.where(broken, 0.31, 0.5)),
                trustworthiness=np.full(n_depths, 0.83),
            )
            for name in projections
        ),
        change=Change(
            cka=np.concatenate([[np.nan], np.diag(cka, 1)]),
            procrustes=np.concatenate([[np.nan], np.full(n_depths - 1, 0.1)]),
            procrustes_projection=projections[0],
            neighbour_overlap=np.concatenate([[np.nan], np.full(n_depths - 1, 0.8)]),
            n_neighbours=10,
            moved=((),) * n_depths,
        ),
        cka=cka,
        stages=_stages(n_depths, emergence) if sink else (_stage(0, n_depths - 1, np.nan),),
        stage_criteria=StageCriteria(
            least_change=0.05,
            least_ratio=3.0,
            n_around=3,
            tolerance=1,
            n_subsamples=40,
            kept_share=0.7,
            least_recurrence=0.9,
            least_words=16,
        ),
        refit_criteria=RefitCriteria(n_parts=30, kept_share=0.5, most_kept=500),
    )


def undefined(measured: Geometry) -> CategoryMeasure:
    """As of words that all belong to one category."""
    return _measure(np.full(len(measured.purity.value), np.nan))


def _measure(value: np.ndarray) -> CategoryMeasure:
    nothing = np.full(len(value), np.nan)
    known = np.isfinite(value)
    return CategoryMeasure(
        value=value,
        low=value - 0.05,
        high=value + 0.05,
        null_mean=np.where(known, 0.1, nothing),
        null_spread=np.where(known, 0.02, nothing),
        bound=np.ones(len(value)),
        surface=0.3,
        above_chance=decided(value > 0.15, known=known),
        above_surface=decided(value > 0.4, "surface", known),
    )


def _interval(value: np.ndarray) -> Measured:
    return Measured(value=value, low=value - 0.05, high=value + 0.05)


def _raw(value: np.ndarray) -> RawPurity:
    nothing = np.full(len(value), np.nan)
    found = _interval(value)
    return RawPurity(value=found.value, low=found.low, high=found.high, without=nothing, dimensions=((),) * len(value))


def _massive(n_depths: int, emergence: int | None, step_down: int | None) -> MassiveActivations:
    depths = np.arange(n_depths)
    massive = np.zeros(n_depths, dtype=bool)
    if emergence is not None:
        massive = (depths >= emergence) & (depths < (n_depths if step_down is None else step_down))
    largest = np.where(massive, 24_108.0, 35.2)
    return MassiveActivations(
        large=100.0,
        massive_ratio=1000.0,
        moderate_ratio=300.0,
        dominant_share=0.5,
        typical=np.full(n_depths, 1.786),
        typical_context="sentence",
        typical_is_ordinary=True,
        largest=largest,
        ratio=largest / 1.786,
        massive=massive,
        moderate=np.zeros(n_depths, dtype=bool),
        dimensions=tuple(DIMENSIONS if flag else () for flag in massive),
        top_share=np.where(massive, 0.76, 0.1),
        dominant=tuple(DIMENSIONS[0] if flag else None for flag in massive),
        energy_share=massive * 0.99,
        emergence_depth=emergence,
        end_depth=step_down,
        step_down_depth=step_down,
        moderate_runs=(),
    )


def _stages(n_depths: int, emergence: int) -> tuple[Stage, ...]:
    return (
        _stage(0, emergence - 1, np.nan),
        _stage(emergence, n_depths - 2, 0.96),
        _stage(n_depths - 1, n_depths - 1, np.nan),
    )


def _stage(first: int, last: int, recurrence: float) -> Stage:
    return Stage(
        first_depth=first,
        last_depth=last,
        recurrence=recurrence,
        cka_within=0.97,
        cka_before=np.nan if first == 0 else 0.4,
    )
