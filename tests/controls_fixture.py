"""The sample report of the fixtures with several sentences in a context, and with untrained models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from narrow import present
from report_fixture import sample_report

from tokviz.records import Claim, ContextReport, ControlCurves, Difference, Geometry, Report, Untrained

TEMPLATES = ("The word is {word}", "I saw {word}", "We met {word}")


def controlled_report() -> Report:
    """Of words alone one sentence, of the others three, of which one says otherwise; both with untrained models."""
    report = sample_report()
    models = tuple(
        replace(model, contexts=tuple(_controlled(context) for context in model.contexts)) for model in report.models
    )
    contexts = tuple(
        replace(each, further_templates=TEMPLATES[1:]) if each.name == "sentence" else each for each in report.contexts
    )
    return replace(report, contexts=contexts, models=models)


def _controlled(context: ContextReport) -> ContextReport:
    if context.states.context.name == "sentence":
        context = in_templates(context)
    n_depths = context.states.n_depths
    return replace(
        context,
        untrained=Untrained(
            random=curves(np.full(n_depths, 0.1)),
            own_embedding=tuple(curves(np.linspace(0.9, 0.5 + seed / 50, n_depths)) for seed in range(5)),
            layers=(),
        ),
    )


def in_templates(context: ContextReport) -> ContextReport:
    """With three sentences, of which the first has less of each measure than their median, and the second announces nothing."""
    states = context.states
    return replace(
        context,
        states=replace(states, context=replace(states.context, further_templates=TEMPLATES[1:])),
        geometry=_in_templates(present(context.geometry)),
    )


def _in_templates(geometry: Geometry) -> Geometry:
    around = np.array([[-0.04], [0.0], [0.03]])
    holds = np.ones((3, len(geometry.purity.value)), dtype=bool)
    holds[1] = False
    purity = geometry.purity
    return replace(
        geometry,
        purity=replace(
            purity,
            templates=purity.value + around,
            above_chance=replace(
                purity.above_chance,
                template_score=purity.above_chance.score + 10 * around,
                template_is_eligible=holds,
                template_holds=holds,
            ),
        ),
        silhouette=replace(geometry.silhouette, templates=geometry.silhouette.value + around),
        effective_rank_in_templates=geometry.spread.effective_rank + 10 * around,
    )


def curves(purity: np.ndarray) -> ControlCurves:
    """Of one control without relations and orders; the other measures follow from its purity, ``(n_depths,)``."""
    nothing = np.zeros((0, len(purity)))
    return ControlCurves(
        purity=purity, silhouette=purity - 0.5, effective_rank=100 * purity, relations=nothing, orders=nothing
    )


def differences(*found: tuple[float, bool]) -> tuple[Difference, ...]:
    """Of relations and orders: how large each is, and whether it is announced."""
    return tuple(_difference(value, is_shown=is_shown) for value, is_shown in found)


def _difference(value: float, *, is_shown: bool) -> Difference:
    claim = Claim(
        family="untrained",
        score=np.array([abs(value)]),
        highest=np.zeros(9, dtype=np.float32),
        is_eligible=np.array([True]),
        least_p_value=0.0,
        p_value=np.array([0.0]),
        holds=np.array([is_shown]),
    )
    return Difference(n=9, unit="category", value=value, error=0.1, freedom=8, claim=claim)
