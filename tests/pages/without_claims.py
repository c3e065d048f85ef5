"""What the pages say of neurons that are set to a value, beside the model as it is; read back as in ``claims``."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from claims import DEPTH, NUMBER, FalseClaim, close, depth_of, plain, require, says

from tokviz.pages.model.without import Without
from tokviz.records import BreakingNeurons, ContextReport, Intervention, Loss, RandomNeurons

LISTED = r"\d[\d, and]*"
LABELS = {"unit_norm": "unit norm", "without_massive": "without massive or dominant dimensions"}


def numbers(text: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", text)]


def in_words(text: str) -> list[str]:
    """``40.7, 39.6 and 3,000`` apart."""
    return re.split(r", | and ", text)


def intervention_of(context: ContextReport) -> Intervention:
    done = context.states.intervention
    if done is None:
        raise FalseClaim(context.states.context.label)
    return done


def check_without(shown: Without, context: ContextReport) -> None:
    """Plates, table and paragraphs."""
    shown_twin = twin_of(context)
    done = shown_twin.states.intervention
    updates = context.states.updates
    if done is None or updates is None:
        raise FalseClaim(shown.heading)
    of_what = "the variation of " if shown_twin.rule == "mean" else ""
    heading = re.fullmatch(
        rf"The same words without {of_what}(neurons?) ({LISTED}) of layer (\d+)", plain(shown.heading)
    )
    require(heading and int(heading[3]) == done.layer, shown.heading, done)
    require(heading and numbers(heading[2]) == list(done.neurons), shown.heading, done)
    check_twins([(twin.caption, twin.picture.wide.src) for twin in shown.twins], context, shown_twin)
    require((shown.pair is not None) == bool(shown.twins), shown.heading, shown.pair)
    table = [tuple(plain(each) for each in (row.name, *row.values)) for row in shown.rows]
    check_table(shown.columns, table, context)
    check_paragraphs([plain(each) for each in shown.paragraphs], context)


def by_rule(context: ContextReport, rule: str) -> ContextReport:
    return next(each for each in context.interventions if each.rule == rule)


def twin_of(context: ContextReport) -> ContextReport:
    """With the neurons at their mean where that was captured, else at zero."""
    by_mean = [each for each in context.interventions if each.rule == "mean"]
    return by_mean[0] if by_mean else by_rule(context, "off")


def check_twins(twins: Sequence[tuple[str, str]], context: ContextReport, twin: ContextReport) -> None:
    """Caption and address of both plates, or none where one of them isn't drawn."""
    depth = (twin.states.intervention.layer if twin.states.intervention else -1) + 1
    shown = {
        one.projection.name: (one.plates[depth], other.plates[depth])
        for one, other in zip(context.projections, twin.projections, strict=False)
        if one.plates[depth] and other.plates[depth]
    }
    require(len(twins) == (2 if shown else 0), str(twins), shown)
    # Where it is drawn, the projection in which the finding's variance is seen.
    name = "centered" if "centered" in shown else next(iter(shown), "")
    plates = shown.get(name, ())
    for (caption, source), capture, plate in zip(twins, (context, twin), plates, strict=False):
        found = re.fullmatch(rf"({DEPTH}), words (.+), (.+) PCA", plain(caption[0].lower() + caption[1:]))
        require(found and depth_of(found[1]) == depth, caption, depth)
        require(found and found[2] == capture.states.context.label, caption, capture.states.context)
        require(found and found[3] == LABELS.get(name, name), caption, name)
        require(plate and source.endswith(plate.wide.path), source, plate)


def check_table(columns: Sequence[str], rows: Sequence[Sequence[str]], context: ContextReport) -> None:
    captures = [_capture_of(column, context) for column in columns]
    rules = ("mean", "off", "control")
    known = [each for rule in rules for each in context.interventions if each.rule == rule and each.geometry]
    require([id(each) for each in captures] == [id(each) for each in (context, *known)], str(columns))
    done = by_rule(context, "off").states.intervention
    depth, last = (done.layer if done else -1) + 1, context.states.n_depths - 1
    if context.loss is not None and context.loss.intact is not None:
        check_loss_row(rows[-1], columns, context.loss)
        rows = rows[:-1]
    names = [_check_table_row(row, captures, (depth, last)) for row in rows]
    expected = [("Mean norm", depth), ("Largest |x|", depth)]
    expected += [(LABELS.get(each.projection.name, each.projection.name), depth) for each in context.projections]
    purity = context.geometry.purity.value if context.geometry else np.array([])
    expected += [("Neighbors", each) for each in dict.fromkeys((depth, last)) if np.isfinite(purity[each])]
    require(names == expected, str(names), expected)


def check_loss_row(row: Sequence[str], columns: Sequence[str], loss: Loss) -> None:
    name, intact, *changes = row
    require(name == "Next-token loss in nats, and its change", name)
    require(
        loss.intact is not None and re.fullmatch(r"\d+\.\d\d", intact) and close(intact, loss.intact),
        intact,
        loss.intact,
    )
    for text, column in zip(changes, columns[1:], strict=True):
        rule = "control" if column == "control" else "mean" if "mean" in column else "off"
        check_change(text, rule, loss)


def check_change(text: str, rule: str, loss: Loss) -> None:
    """``+1.18 ± 0.08``: signed, both to the same digit, in which the standard error isn't lost."""
    change = next((each for each in loss.changes if each.rule == rule), None)
    if change is None:
        return require(text == "–", text, loss)
    found = re.fullmatch(r"([+−]\d+\.(\d{2,6})) ± (\d+\.(\d{2,6}))", text)
    require(found and found[2] and len(found[2]) == len(found[4]), text, change)
    if found:
        unit = 10.0 ** -len(found[2])
        require(close(found[1], change.difference, unit) and close(found[3], change.standard_error, unit), text, change)
        require(change.standard_error < 1e-6 or float(found[3]) > 0, text, change)


def _capture_of(column: str, context: ContextReport) -> ContextReport:
    if column == "unchanged":
        return context
    if column == "control":
        return by_rule(context, "control")
    found = re.fullmatch(r"(set to zero)|set to (its|their) mean", column)
    if found is None:
        raise FalseClaim(f"{column!r}: of no known form")
    one = len(intervention_of(by_rule(context, "off")).neurons) == 1
    require(one == (found[2] == "its") or found[1], column, "one or several?")
    return by_rule(context, "off" if found[1] else "mean")


def _check_table_row(row: Sequence[str], captures: Sequence[ContextReport], depths: tuple[int, int]) -> tuple[str, int]:
    name, *values = row
    found = re.fullmatch(
        rf"(?P<what>Mean norm|Largest \|x\||PC1’s share of the variance|Neighbors of the same category) at (?P<at>{DEPTH})"
        r"(?:, median over words| \((?P<projection>.+)\)|, in all dimensions)?",
        name,
    )
    if found is None:
        raise FalseClaim(f"{name!r}: of no known form")
    depth = depth_of(found["at"])
    require(depth in depths and len(values) == len(captures), name, depths)
    for text, capture in zip(values, captures, strict=True):
        geometry = capture.geometry
        if geometry is None:
            raise FalseClaim(name)
        if found["what"] in ("Mean norm", "Largest |x|"):
            value = geometry.spread.mean_norm if found["what"] == "Mean norm" else geometry.massive.largest
            require(says(text, value[depth]), f"{name}: {text}", value[depth])
        elif found["projection"]:
            ratio = next(
                each.projection.explained_variance_ratio[depth, 0]
                for each in capture.projections
                if LABELS.get(each.projection.name, each.projection.name) == found["projection"]
            )
            require(close(text.removesuffix(" %"), 100 * ratio, 0.1), f"{name}: {text}", ratio)
        else:
            purity = geometry.purity.value[depth]
            require(close(text.removesuffix(" %"), 100 * purity, 1), f"{name}: {text}", purity)
    return found["projection"] or found["what"].removesuffix(" of the same category"), depth


def check_paragraphs(paragraphs: Sequence[str], context: ContextReport) -> None:
    """Each is of a known form and true, and none is missing."""
    updates = context.states.updates
    breaking = updates.breaking if updates else None
    if updates is None or breaking is None:
        raise FalseClaim(str(paragraphs))
    rules = [each.rule for each in context.interventions]
    expected = ["Set to zero"] if "mean" in rules else []
    expected += ["The control"] if breaking.control and "control" in rules else []
    drawn = updates.random
    expected += ["random"] if drawn and math.isfinite(drawn.norm_change) and math.isfinite(drawn.pc1_change) else []
    loss = context.loss
    is_measured = loss is not None and loss.intact is not None
    expected += [] if loss is None else ["The next-token loss is" if is_measured else "The next-token loss wasn’t"]
    said = []
    for text in paragraphs[:-1]:
        if text.startswith("Set to zero"):
            check_zero_and_mean(text, context)
        elif text.startswith("The control"):
            check_control(text, breaking)
        elif text.startswith("The next-token loss") and loss is not None:
            check_loss(text, loss, len(breaking.neurons))
        elif drawn is not None:
            check_random(text, breaking, drawn)
        said.append(next((each for each in expected if text.startswith(each)), "random"))
    require(said == expected, str(said), expected)
    one = len(breaking.neurons) == 1
    last = re.fullmatch(LAST, paragraphs[-1])
    require(last and (last[2] == "this neuron writes", last[3] == "neuron writes") == (one, one), paragraphs[-1])
    require(last and int(last[1]) == breaking.layer, paragraphs[-1], breaking.layer)
    require(last and (last[4] is None) == is_measured, paragraphs[-1], loss)


LAST = (
    r"At layer (\d+) itself the changed states are the unchanged ones less what (this neuron writes|these neurons write): that much "
    r"follows from the states alone\. Later layers work with the changed states, and only what is measured there is an effect of the "
    r"intervention\. They were trained with what the (neuron writes|neurons write)(, and how well the model predicts text without "
    r"that isn’t measured here)?\."
)


def check_zero_and_mean(text: str, context: ContextReport) -> None:
    found = re.fullmatch(
        r"Set to zero, the (?P<noun>neurons?) writes? nothing\. Set to (?P<their>its|their) mean over the words, at position 0, "
        r"(?:it|they) writes? the same for every word, so (?:it|they) no longer tells? words apart"
        r"(?P<norm>; the mean norm hardly changes)?(?:\. At layer (?P<layer>\d+) itself both give the same centered plot: "
        r"they differ by one vector, the same for all words)?\.",
        text,
    )
    off, mean = by_rule(context, "off"), by_rule(context, "mean")
    done = intervention_of(off)
    if found is None:
        raise FalseClaim(f"{text!r}: of no known form")
    one = len(done.neurons) == 1
    require((found["noun"] == "neuron", found["their"] == "its") == (one, one), text, "one or several?")
    require(context.states.tokenization.reads_position_0, text, "not at position 0")
    depth = done.layer + 1
    if context.geometry and mean.geometry:
        change = abs(mean.geometry.spread.mean_norm[depth] / context.geometry.spread.mean_norm[depth] - 1)
        require((found["norm"] is not None) == (change <= 0.05), text, change)
    shares = [
        shown.projection.explained_variance_ratio[depth]
        for each in (off, mean)
        for shown in each.projections
        if shown.projection.name == "centered"
    ]
    alike = len(shares) == 2 and bool((np.abs(shares[0] - shares[1]) < 0.0006).all())
    require(not found["layer"] or (alike and int(found["layer"]) == done.layer), text, shares)


def check_loss(text: str, loss: Loss, n_neurons: int) -> None:
    if loss.intact is None:
        return require(text == f"The next-token loss wasn’t measured: {loss.reason}.", text, loss)
    one, change = n_neurons == 1, r"[+−][\d.]+ ± [\d.]+"
    found = re.fullmatch(
        r"The next-token loss is measured on (?P<n>\d+) passages of 128 tokens, in nats per token\. The changes "
        r"are means over the passages ± their standard errors"
        rf"(?:\. With the neuron{'' if one else 's'} set to zero at position 0 only, the change is (?P<at_0>{change}))?"
        rf"(?:; with {'another neuron' if one else f'{n_neurons} other neurons'} drawn at random and set to zero everywhere, it is "
        rf"(?P<random>{change}))?\.",
        text,
    )
    if found is None:
        raise FalseClaim(f"{text!r}: of no known form")
    require(int(found["n"]) == loss.n_passages, text, loss.n_passages)
    for said, rule in ((found["at_0"], "off_at_0"), (found["random"], "random")):
        check_change(said or "–", rule, loss)


def check_control(text: str, breaking: BreakingNeurons) -> None:
    found = re.fullmatch(
        rf"The control is neurons? (?P<who>{LISTED}) of the same layer\. Of all neurons that write less than 1 % of dimension "
        r"(?P<dimension>\d+), (?P<add>it adds|they add) most to the hidden state: (?:a vector|vectors) with a mean length of "
        r"(?P<sizes>.+?)(?:, compared with (?P<against>.+?) for (?:the one|those) switched off)?\.(?P<small> (?:This is|These are) much smaller, so the control can’t "
        r"show what removing something as large would do\.)?",
        text,
    )
    if found is None:
        raise FalseClaim(f"{text!r}: of no known form")
    require(numbers(found["who"]) == list(breaking.control), text, breaking.control)
    require(int(found["dimension"]) == breaking.dimension, text, breaking.dimension)
    require((found["add"] == "it adds") == (len(breaking.control) == 1), text, "one or several?")
    known = not np.isnan(breaking.strengths).any()
    require((found["against"] is not None) == known, text, breaking.strengths)
    pairs = [(found["sizes"], breaking.control_strengths)]
    pairs += [(found["against"], breaking.strengths)] if found["against"] else []
    for said, values in pairs:
        sizes = in_words(said)
        require(len(sizes) == len(values) and all(map(says, sizes, values)), text, values)
    small = known and max(breaking.control_strengths) < min(breaking.strengths) / 2
    require((found["small"] is not None) == small, text, (breaking.control_strengths, breaking.strengths))


def check_random(text: str, breaking: BreakingNeurons, drawn: RandomNeurons) -> None:
    found = re.fullmatch(
        r"(?P<n>\d+) (?:(?P<kind>neuron|pair|set)s?)(?: of (?:(?P<size>\d+) )?neurons)? of layer (?P<layer>\d+), drawn at random "
        rf"and set to zero, changes? the words’ mean norm there by at most (?P<norm>{NUMBER}) %, and the share of the centered "
        rf"variance that PC1 holds by at most (?P<pc1>{NUMBER}) percentage points\.",
        text,
    )
    if found is None:
        raise FalseClaim(f"{text!r}: of no known form")
    n_named = len(breaking.neurons)
    size = int(found["size"]) if found["size"] else {"neuron": 1, "pair": 2}.get(found["kind"])
    require(size == n_named, text, n_named)
    require((int(found["n"]), int(found["layer"])) == (drawn.n_draws, breaking.layer), text, drawn)
    for said, value in ((found["norm"], drawn.norm_change), (found["pc1"], drawn.pc1_change)):
        small = 0 < value < 0.001
        require(says(said, 100 * value) if small else close(said, 100 * value, 0.1), text, value)
