"""Reads back what the first page opens with, from the records and not from the code that wrote it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from claims import DEPTH, FalseClaim, close, depth_of, plain, require, says
from writers_claims import COUNTS, FLATTENS, breaking_context, check_flattening, flattens

from tokviz.pages.first.choice import Choice
from tokviz.pages.text.wording import capitalized, in_words
from tokviz.records import CategoryMeasure, ContextReport, Geometry, ModelReport, Report

NUMBER = r"−?[\d.,]+(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"
FOUND = (
    r"at layer (?P<layer>\d+)(?: of (?P<model>.+?))?, "
    rf"(?:(?P<count>{'|'.join(COUNTS)})(?: of (?P<all>[\d,]+))? neurons?|expert (?P<expert>\d+)(?: of (?P<experts>\d+))?) "
    rf"(?:{FLATTENS}|raises? the words’ mean norm from (?P<before>{NUMBER}) to "
    rf"(?P<after>{NUMBER})(?:; without (?:it the norm|them it) is (?P<without>{NUMBER}))?|writes? (?P<share>\d+\.\d) % of the "
    rf"MLP’s update to dimension (?P<dimension>\d+)(?:; the mean norm goes from (?P<before2>{NUMBER}) to "
    rf"(?P<after2>{NUMBER}))?)\."
)
HOLD = (
    r"(?P<where>(?:in the embedding|at layer \d+))(?: of (?P<model>.+?))?, "
    r"(?P<share>\d+|−\d+) % of a word’s nearest neighbors share its category; by chance, (?P<chance>−?\d+) %\."
)
NONE_HOLD = "At no depth are a word’s nearest neighbors shown to be of its category more often than by chance."
NONE_TESTED = (
    "Whether a word’s nearest neighbors are of its category more often than by chance can’t be tested with these words."
)
NONE_OF_SEVERAL = NONE_HOLD.replace("At no depth", r"(At no depth|In neither model|In none of \S+ models)")
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
    elif none := re.fullmatch(NONE_OF_SEVERAL, text):
        purities = list(_purities(report))
        require(purities and not any(is_clear for *_, is_clear in purities), text, purities)
        require(any(_tested(report)), text)
        n_measured = len({model.slug for model, *_ in purities})
        few = {1: "At no depth", 2: "In neither model"}
        require(none[1] == few.get(n_measured, f"In none of {in_words(n_measured)} models"), text, n_measured)
    elif text == NONE_TESTED:
        require(list(_purities(report)) and not any(_tested(report)), text)
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


def _tested(report: Report) -> Iterator[bool]:
    for model in report.models:
        for each in (context.geometry.purity.above_chance for context in model.contexts if context.geometry):
            yield bool(each.can_be_tested and np.isfinite(each.p_value).any())


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


# --- the rows of the picture -----------------------------------------------------------------------------------------

SHARING = r"(?P<{0}>−?\d+) % of a word’s nearest neighbors share its category \(chance: (?P<{0}_chance>−?\d+) %\)"
JUMPS = rf"[Aa]t (?P<{{0}}jump>layer \d+) the mean norm jumps from (?P<{{0}}short>{NUMBER}) to (?P<{{0}}long>{NUMBER})"
JUMPS += r"(?:, and one direction holds (?P<{0}pc1_there>\d+\.\d) % of the variance)?"
ROW = (
    rf"(?P<label>.+?): (?:{JUMPS.format('only_')}|(?:at (?P<at>layer \d+) (?:one direction holds (?P<pc1>\d+\.\d) % of the variance|the mean norm is "
    rf"(?P<norm>{NUMBER}))(?:, and {SHARING.format('there')})?|(?:in|at) (?P<best>{DEPTH}), {SHARING.format('most')}"
    r"(?:; (?:in|at) (?P<least>.+?), (?P<fewest>−?\d+) % \(chance: (?P<fewest_chance>−?\d+) %\))?)"
    rf"(?:\. {JUMPS.format('')})?)\."
)


def check_rows(sentences: Sequence[str], chosen: Choice) -> None:
    """Each row's numbers, and that neighbors are counted only where they are claimed to be above chance somewhere."""
    by_label = {capitalized(row.states.context.label): row for row in chosen.rows}
    for text in map(plain, sentences):
        said = re.fullmatch(ROW, text)
        if said is None:
            raise FalseClaim(f"{text!r}: of no known form")
        geometry = by_label[said["label"]].geometry
        require(geometry, text)
        if geometry is None:
            return
        purity = geometry.purity
        for kind in ("", "only_"):
            if said[f"{kind}jump"]:
                _check_jump(said, kind, geometry, chosen)
        if said["only_jump"]:
            require(not any(purity.above_chance.holds[each] for each in chosen.depths), text, purity.above_chance)
        elif said["at"]:
            depth = depth_of(said["at"])
            require(depth == chosen.marked, text, chosen.marked)
            require(said["pc1"] is None or close(said["pc1"], 100 * geometry.spread.pc1_share[depth], 0.1), text)
            require(said["norm"] is None or says(said["norm"], geometry.spread.mean_norm[depth]), text)
            require((said["there"] is not None) == bool(purity.above_chance.holds[depth]), text, purity.above_chance)
            _check_share(said, "there", purity, depth)
        else:
            _check_share(said, "most", purity, depth_of(said["best"]))
            shown = purity.value[list(chosen.depths)]
            clear = [each for each in chosen.depths if purity.above_chance.holds[each]]
            require(_is_percent(said["most"], max(purity.value[clear])), text, clear)
            if said["least"]:
                _check_share(said, "fewest", purity, depth_of(said["least"]))
                require(_is_percent(said["fewest"], np.nanmin(shown)), text, shown)


def _check_jump(said: re.Match[str], kind: str, geometry: Geometry, chosen: Choice) -> None:
    """The largest growth after layer 0, by ten times at least, at a depth that is shown."""
    depth, norms = depth_of(said[f"{kind}jump"]), geometry.spread.mean_norm
    require(depth in chosen.depths and said["at"] is None, said[0], chosen.depths)
    require(says(said[f"{kind}short"], norms[depth - 1]) and says(said[f"{kind}long"], norms[depth]), said[0], norms)
    held = said[f"{kind}pc1_there"]
    require(held is None or close(held, 100 * geometry.spread.pc1_share[depth], 0.1), said[0], depth)
    growth = norms[depth] / norms[depth - 1]
    known = [after / before for before, after in pairwise(norms[1:].tolist()) if before > 0 and math.isfinite(after)]
    require(growth >= 10 and growth == max(known), said[0], norms)


def _check_share(said: re.Match[str], name: str, purity: CategoryMeasure, depth: int) -> None:
    if said[name]:
        require(_is_percent(said[name], purity.value[depth]), said[0], (depth, purity.value[depth]))
        require(_is_percent(said[f"{name}_chance"], purity.null_mean[depth]), said[0], (depth, purity.null_mean[depth]))
