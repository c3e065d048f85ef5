"""What the pages say of neurons that are set to a value, beside the model as it is: facts held against the records, tables read back."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from claims import DEPTH, FalseClaim, close, depth_of, plain, require, says
from fact_checks import check_sentence
from rendered import Part

from tokviz.pages.model.without import without_facts
from tokviz.pages.text.catalogue import Fact, sentence
from tokviz.records import BreakingNeurons, ContextReport, Intervention, Loss, RandomNeurons

LISTED = r"\d[\d, and]*"
Facts = tuple[Fact, ...]
"""Those of one paragraph."""
LABELS = {"unit_norm": "unit norm", "without_massive": "without massive or dominant dimensions"}


def numbers(text: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", text)]


def intervention_of(context: ContextReport) -> Intervention:
    done = context.states.intervention
    if done is None:
        raise FalseClaim(context.states.context.label)
    return done


def check_without(shown: Part, context: ContextReport) -> None:
    """Plates, table and paragraphs of the section."""
    shown_twin = twin_of(context)
    done = shown_twin.states.intervention
    updates = context.states.updates
    said = plain(shown.one("h3").text)
    if done is None or updates is None:
        raise FalseClaim(said)
    before, after = ("with", " held constant") if shown_twin.rule == "mean" else ("without", "")
    heading = re.fullmatch(rf"The same words {before} (neurons?) ({LISTED}) of layer (\d+){after}", said)
    require(heading and int(heading[3]) == done.layer, said, done)
    require(heading and numbers(heading[2]) == list(done.neurons), said, done)
    twins = twins_of(shown)
    check_twins(twins, context, shown_twin)
    require(bool(shown.all(".pair-link a")) == bool(twins), said, twins)
    check_table(*table_of(shown), context)
    stated = without_facts(context, done)
    check_facts(stated, context)
    paragraphs = shown.texts("details p")
    require(paragraphs == [*map(sentence, stated)], str(paragraphs), stated)
    for each in stated:
        check_sentence(each, sentence(each))


def twins_of(shown: Part) -> list[tuple[str, str]]:
    """Caption and address of both plates."""
    return [(each.one("figcaption").text, each.one("a")["href"]) for each in shown.all(".twins figure")]


def table_of(shown: Part) -> tuple[list[str], list[list[str]]]:
    """The names of its columns, and its rows, each with its name."""
    return shown.texts("thead th"), [[plain(each) for each in row] for row in shown.one("tbody").table]


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


def check_facts(stated: Sequence[Facts], context: ContextReport) -> None:
    """Each is true, and none is missing."""
    updates = context.states.updates
    breaking = updates.breaking if updates else None
    if updates is None or breaking is None:
        raise FalseClaim(str(stated))
    rules: dict[str, ContextReport] = {str(each.rule): each for each in context.interventions}
    n, depth = len(breaking.neurons), breaking.layer + 1
    expected = (
        _zero_and_mean(context, rules, n),
        _control(breaking) if "control" in rules else (),
        _random(breaking, updates.random),
        _loss(context.loss, n),
        _what_follows(context.loss, depth, n),
    )
    require(tuple(stated) == tuple(each for each in expected if each), str(stated), expected)


def _zero_and_mean(context: ContextReport, rules: dict[str, ContextReport], n_neurons: int) -> Facts:
    off, mean = rules["off"], rules.get("mean")
    if mean is None:
        return ()
    require(context.states.tokenization.reads_position_0, "not at position 0")
    depth = intervention_of(off).layer + 1
    said = [Fact("neurons.without.zero_and_mean", how_many=n_neurons)]
    norms = [each.geometry.spread.mean_norm[depth] for each in (context, mean) if each.geometry]
    if len(norms) == 2 and abs(norms[1] / norms[0] - 1) <= 0.05:
        said.append(Fact("neurons.without.norm_stays"))
    shares = [
        shown.projection.explained_variance_ratio[depth]
        for each in (off, mean)
        for shown in each.projections
        if shown.projection.name == "centered"
    ]
    if len(shares) == 2 and (np.abs(shares[0] - shares[1]) < 0.0005).all():
        said.append(Fact("neurons.without.same_plot", depth=depth))
    return tuple(said)


def _control(breaking: BreakingNeurons) -> Facts:
    if not breaking.control:
        return ()
    control = Fact(
        "neurons.without.control",
        neurons=breaking.control,
        dimension=breaking.dimension,
        lengths=breaking.control_strengths,
    )
    if np.isnan(breaking.strengths).any():
        return (control,)
    much_larger = min(breaking.strengths) > 2 * max(breaking.control_strengths)
    kind = "neurons.without.of_much_larger" if much_larger else "neurons.without.of_others"
    return control, Fact(kind, lengths=breaking.strengths)


def _random(breaking: BreakingNeurons, drawn: RandomNeurons | None) -> Facts:
    if drawn is None or not np.isfinite([drawn.norm_change, drawn.pc1_change]).all():
        return ()
    n, draws = len(breaking.neurons), drawn.n_draws
    sets = {
        1: Fact("neurons.without.random_neurons", draws=draws),
        2: Fact("neurons.without.random_pairs", draws=draws),
    }.get(n, Fact("neurons.without.random_sets", draws=draws, size=n))
    values = {"norm": drawn.norm_change, "pc1": drawn.pc1_change, "how_many": draws, "drawn": sets}
    return (Fact("neurons.without.random", depth=breaking.layer + 1, **values),)


def _loss(loss: Loss | None, n_neurons: int) -> Facts:
    if loss is None:
        return ()
    if loss.intact is None:
        return (Fact("neurons.without.no_loss", reason=str(loss.reason)),)
    said = [Fact("neurons.without.loss", passages=loss.n_passages, tokens=128)]
    changes = {each.rule: (each.difference, each.standard_error) for each in loss.changes}
    if "off_at_0" in changes:
        change = changes["off_at_0"]
        said.append(Fact("neurons.without.loss_at_position_0", how_many=n_neurons, change=change))
    if "random" in changes:
        others = Fact("neurons.without.another")
        if n_neurons > 1:
            others = Fact("neurons.without.others", n=n_neurons)
        said.append(Fact("neurons.without.loss_without_others", others=others, change=changes["random"]))
    return tuple(said)


def _what_follows(loss: Loss | None, depth: int, n_neurons: int) -> Facts:
    is_measured = loss is not None and loss.intact is not None
    follows = Fact("neurons.without.what_follows", depth=depth, how_many=n_neurons)
    return (follows, *([] if is_measured else [Fact("neurons.without.predictions_unknown")]))
