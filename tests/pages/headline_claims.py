"""Reads back what the first page opens with, from the records and not from the code that wrote it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from claims import FalseClaim, close, depth_of, plain, require, says
from scipy.spatial import procrustes
from writers_claims import COUNTS, FLATTENS, breaking_context, check_flattening, flattens

from tokviz.pages.first.two_states import TwoStates
from tokviz.records import ContextReport, ModelReport, ProjectionReport, Report

NUMBER = r"−?[\d.,]+(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"
FOUND = (
    rf"(?:(?P<count>{'|'.join(COUNTS)})(?: of (?P<all>[\d,]+))? neurons?|expert (?P<expert>\d+)(?: of (?P<experts>\d+))?) in "
    rf"layer (?P<layer>\d+)(?: of (?P<model>.+?))? (?:{FLATTENS}|raises? the words’ mean norm from (?P<before>{NUMBER}) to "
    rf"(?P<after>{NUMBER})(?:; without (?:it the norm|them it) is (?P<without>{NUMBER}))?|writes? (?P<share>\d+\.\d) % of the "
    rf"MLP’s update to dimension (?P<dimension>\d+)(?:; the mean norm goes from (?P<before2>{NUMBER}) to "
    rf"(?P<after2>{NUMBER}))?)\."
)
HOLD = (
    r"(?P<where>(?:in the embedding|at layer \d+))(?: of (?P<model>.+?))?, "
    r"(?P<share>\d+|−\d+) % of a word’s nearest neighbors share its category; by chance, (?P<chance>−?\d+) %\."
)
NONE_HOLD = "At no depth are a word’s nearest neighbors shown to be of its category more often than by chance."
NOTHING = "Compare how the words lie before the first layer and after the last."


def check_headline(text: str | None, report: Report) -> None:
    """Also that what was found is said, and nothing else in its place."""
    found = [(model, found) for model in report.models if (found := breaking_context(model))]
    if text is None:
        require(not found and not list(_purities(report)), "nothing is said", found)
        return
    text = plain(text)
    require(len(text.split()) <= 25, text, len(text.split()))
    if found:
        check_found(text, report)
    elif text == NONE_HOLD:
        purities = list(_purities(report))
        require(purities and not any(is_clear for *_, is_clear in purities), text, purities)
    elif text == NOTHING:
        require(not list(_purities(report)), text)
    else:
        _check_hold(text, report)


def check_found(text: str, report: Report) -> None:
    said = re.fullmatch(FOUND, text[:1].lower() + text[1:])
    if said is None:
        raise FalseClaim(f"{text!r}: of no known form")
    found = [(model, each) for model in report.models if (each := breaking_context(model))]
    flat = [model for model, (context, *_, layer) in found if flattens(context, layer)]
    undone = [model for model, (context, *_, layer) in found if _is_undone(context, layer)]
    model = (flat or undone or [model for model, _ in found])[0]
    context, geometry, updates, layer = next(each for owner, each in found if owner is model)
    require(int(said["layer"]) == layer and said["model"] in (None, model.display_name), text, (model.slug, layer))
    breaking, expert = updates.breaking, updates.breaking_expert
    if breaking is not None:
        known = updates.layers[layer].mlp_and_neurons
        require(said["count"] == COUNTS[len(breaking.neurons) - 1], text, breaking.neurons)
        require(known and said["all"] in (None, f"{known[1].n_neurons:,}"), text, known)
    else:
        require(expert and said["expert"] == str(expert.expert), text, expert)
        require(expert and said["experts"] in (None, str(expert.n_experts)), text, expert)
    before, after = geometry.spread.mean_norm[layer : layer + 2]
    for key, value in (("before", before), ("before2", before), ("after", after), ("after2", after)):
        require(said[key] is None or says(said[key], value), text, (key, value))
    is_flat = flattens(context, layer)
    require((said["pc1"] is not None) == is_flat, text, geometry.spread.pc1_share)
    if is_flat:
        check_flattening(text, said, context, layer)
    require((said["before"] is not None) == (_is_undone(context, layer) and not is_flat), text, (before, after))
    require(said["without"] is None or says(said["without"], _without(context, layer)), text, context)
    if said["share"]:
        writer = breaking or expert
        require(writer and close(said["share"], 100 * writer.share, 0.1), text, writer)
        require(writer and int(said["dimension"]) == writer.dimension, text, writer)


def _without(context: ContextReport, layer: int) -> float:
    off = next((each for each in context.interventions if each.rule == "off"), None)
    return float(off.geometry.spread.mean_norm[layer + 1]) if off and off.geometry else math.nan


def _is_undone(context: ContextReport, layer: int) -> bool:
    norms = context.geometry.spread.mean_norm[layer : layer + 2] if context.geometry else (0.0, 0.0)
    return bool(norms[0] < norms[1] and _without(context, layer) < norms[1] / 2)


def _purities(report: Report) -> Iterator[tuple[ModelReport, int, float, float, bool]]:
    for model in report.models:
        for context in model.contexts:
            if context.geometry:
                each = context.geometry.purity
                for depth in np.flatnonzero(np.isfinite(each.value)):
                    is_clear = bool(each.above_chance.holds[depth])
                    yield model, int(depth), float(each.value[depth]), float(each.null_mean[depth]), is_clear


def _check_hold(text: str, report: Report) -> None:
    said = re.fullmatch(HOLD, text[:1].lower() + text[1:])
    if said is None:
        raise FalseClaim(f"{text!r}: of no known form")
    purities = list(_purities(report))
    fitting = [
        is_clear
        for model, depth, value, chance, is_clear in purities
        if depth == depth_of(said["where"].removeprefix("at ").removeprefix("in "))
        and said["model"] in (None, model.display_name)
        and _is_percent(said["share"], value)
        and _is_percent(said["chance"], chance)
    ]
    require(any(fitting), text, fitting)


def _is_percent(text: str, value: float) -> bool:
    return close(text, 100 * value, 1.01)


# --- the plate -------------------------------------------------------------------------------------------------------


def check_two_states(view: TwoStates, report: Report) -> None:
    """Labels, measured numbers, and how the second state is turned."""
    if view.data is None:
        return
    content = json.loads(view.data)
    states = [_captured(each, report) for each in content["states"]]
    for state, label, (context, _) in zip(content["states"], (each.label for each in view.states), states, strict=True):
        at, _, rest = label.partition(", ")
        require(depth_of(at.lower()) == state["depth"], label, state)
        done = context.states.intervention
        if done is not None and done.rule in ("mean", "off"):
            neurons = f"{COUNTS[len(done.neurons) - 1]} neuron{'s' if len(done.neurons) > 1 else ''}"
            require(rest == (f"without the variation of {neurons}" if done.rule == "mean" else f"{neurons} off"), label)
        else:
            require(rest in ("", "unchanged"), label)
    if view.numbers:
        said = re.search(
            r", (−?\d+) % share its category in the first state .*? and (−?\d+) % in the second", plain(view.numbers)
        )
        require(said, view.numbers)
        for text, state, (context, shown) in zip(said.groups() if said else (), content["states"], states, strict=True):
            [measured] = [
                each
                for each in (context.geometry.pictures if context.geometry else ())
                if each.projection == shown.projection.name
            ]
            require(_is_percent(text, float(measured.purity.value[state["depth"]])), view.numbers, measured)
    _check_turn(view, content["states"], [shown for _, shown in states])


def _captured(state: dict[str, Any], report: Report) -> tuple[ContextReport, ProjectionReport]:
    [found] = [
        (context, shown)
        for model in report.models
        for context in model.captures
        for shown in context.projections
        if f"{model.slug}/{context.states.context.name}/{shown.projection.name}" == state["key"]
    ]
    return found


def _check_turn(view: TwoStates, states: list[dict[str, Any]], shown: list[ProjectionReport]) -> None:
    still, moved = (
        each.projection.coordinates[state["depth"]][each.projection.reference]
        for each, state in zip(shown, states, strict=True)
    )
    axes = plain(view.axes or "")
    said = re.search(
        r"(\d+) % of the words’ variance in the plot (still )?differs(: words have moved, or PC1 and PC2 are other directions now)?\.$",
        axes,
    )
    if len(still) < 3 or any(np.ptp(each, axis=0).max() == 0 for each in (still, moved)):
        require(said is None and states[1]["turn"] is None, axes)
        return
    _, _, left = procrustes(still, moved)
    require(said and abs(int(said[1]) / 100 - left) < 0.012, axes, left)
    turn = states[1]["turn"]
    require(said and (said[2] is not None) == (turn is not None), axes, turn)
    require(said and (said[3] is not None) == (said[1] != "0"), axes, left)
    matrix = np.reshape(turn["matrix"], (2, 2)) if turn else np.eye(2)
    require(np.allclose(matrix @ matrix.T, np.eye(2)), axes, matrix)
    one, other = (each - each.mean(axis=0) for each in (still, moved @ matrix))
    overlap = (one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other)
    require(abs(1 - overlap**2 - left) < 0.002 and overlap >= 0, axes, (overlap, left))
    require(("mirrored" in axes) == (np.linalg.det(matrix) < 0), axes, matrix)
    require(("turned by" in axes) == (not np.allclose(np.abs(matrix), np.eye(2)) or matrix[0, 0] < 0), axes, matrix)
    if turn:
        left_edge, across, low, up = turn["extents"]
        shares = (moved @ matrix - [left_edge, low]) / [across, up]
        require((shares > -1e-4).all() and (shares < 1.0001).all(), axes, turn)
