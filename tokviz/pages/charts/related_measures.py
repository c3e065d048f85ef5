"""The measures of relations and orders that charts show over depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tokviz.pages.charts.measures import Measure
from tokviz.pages.text import sources
from tokviz.pages.text.parts import Term
from tokviz.records import ContextReport, ControlCurves, Geometry, Order, Relation, Tested


def related_measures(relations: Sequence[Relation], orders: Sequence[Order]) -> tuple[Measure, ...]:
    """Of each relation how parallel its differences are, of each order how well it can be read."""
    return (
        *(_parallelism(index, each) for index, each in enumerate(relations)),
        *(_order(index, each) for index, each in enumerate(orders)),
    )


def _parallelism(index: int, relation: Relation) -> Measure:
    def read(context: ContextReport, _: Geometry) -> Tested | None:
        return _above_chance(context.relations.relations[index].parallelism) if context.relations else None

    def of_control(control: ControlCurves, *_: object) -> np.ndarray:
        return np.asarray(control.relations[index])

    return Measure(
        name=f"Parallelism above chance, {relation.label}",
        caption="Mean cosine between the differences of the pairs, minus what it is in the same layer if the same words are "
        "paired at random. Dotted: chance.",
        definition=lambda _: Term(
            name="Relations between words",
            meaning="If one vector led from every country to its capital, the differences between the words of a pair would be "
            "parallel. Parallelism is the mean cosine between the differences of all pairs. By chance it isn’t 0, since the first "
            "words differ from the second ones in their means, too: chance is the same words paired at random, no word with "
            "itself. A second word counts as found if it is the nearest by cosine, among all reference words of its category "
            "but the first word of the pair, to this first word plus the mean difference of the other pairs. Next to it stands how "
            "many second words are nearest to the first word alone: where these are as many, finding them shows only that pairs lie "
            "near each other. Such pairs are also more parallel than random ones: what remains of their differences is mostly the "
            "one between the means. So a second test asks whether the mean difference adds anything: of each pair, 1 divided by the "
            "second word’s rank among the candidates, with the difference less without it, is summed, and chance gives each pair’s "
            "gain a random sign. A relation is claimed only at depths where both hold. Of n pairs there are 2ⁿ arrangements of "
            "signs: with fewer than ten pairs, hardly any report’s level can be reached, and the page says so. All of this is "
            "measured on standardized states. Plots show these words in their own first two principal components, fitted to each "
            "layer separately; all numbers are of all dimensions. It isn’t tested how the model itself gets from one word to the "
            "other, for which Hernandez et al. use its derivatives.",
            sources=(sources.MIKOLOV_2013, sources.HERNANDEZ_2024),
        ),
        read=read,
        of_control=of_control,
        spans=(0.0, 0.5),
    )


def _above_chance(tested: Tested) -> Tested:
    """Chance differs between depths and models, and a chart has one line for it."""
    chance = tested.null_mean
    return replace(
        tested,
        value=tested.value - chance,
        low=tested.low - chance,
        high=tested.high - chance,
        templates=_own_above_chance(tested),
        null_mean=np.zeros_like(chance),
    )


def _own_above_chance(tested: Tested) -> np.ndarray | None:
    """Of each template, against its own chance."""
    if tested.templates is None or tested.template_null_mean is None:
        return None
    return np.asarray(tested.templates - tested.template_null_mean)


def _not_below_0(r2: Tested) -> Tested:
    """What is below 0 has no bound, and says no more than 0 does; so chance is left out, and with it the intervals."""
    nothing = np.full(len(r2.value), np.nan)
    return replace(
        r2,
        value=np.maximum(r2.value, 0.0),
        low=nothing,
        high=nothing,
        null_mean=nothing,
        templates=None if r2.templates is None else np.maximum(r2.templates, 0.0),
    )


def _order(index: int, order: Order) -> Measure:
    def read(context: ContextReport, _: Geometry) -> Tested | None:
        return _not_below_0(context.relations.orders[index].r2) if context.relations else None

    def of_control(control: ControlCurves, *_: object) -> np.ndarray:
        return np.asarray(np.maximum(control.orders[index], 0.0))

    return Measure(
        name=f"Order, {order.label}",
        caption="Leave-one-out R² of each word’s place, from the first principal components of these words. At 0 it is no "
        "better than the mean place for all; values below 0 are drawn at 0.",
        definition=lambda _: Term(
            name="Orders of words",
            meaning="Whether the place of a word in an order, such as that of a month in the year, can be read from its state. The "
            "place (in a cycle of n words cos 2πk/n and sin 2πk/n) is regressed on the first principal components of these words’ states as they are: "
            "half as many as there are words less two, at most five. Each word is predicted by a regression on the others. R² is 1 "
            "if all are predicted exactly, and 0 if the predictions are no better than the mean of all places. The components are "
            "computed from the states of all words, but not from their places. Chance is permuted orders of the same words. An open "
            "row, such as a random walk from January to December, is read as well as a circle is. So of a cycle two more questions "
            "are asked, by squared distances between standardized states, against the same permuted orders. Far words are those half "
            "a cycle apart (5n/12 or more, the shorter way round), near ones those up to a quarter. The ends meet if near words on "
            "either side of the step from the last word to the first are nearer to each other than far ones are, by at least half as "
            "much as other near words, at a depth where the order can be read. The words are said to lie in a circle if, besides, far "
            "words are farther apart than those a quarter of the cycle apart, and R² is at least 0.7 in every direction of the "
            "circle’s plane: it isn’t where words only go from one extreme to the other and back. Plots show each word where the "
            "regression on the others puts it.",
            sources=(sources.ENGELS_2025,),
        ),
        read=read,
        of_control=of_control,
    )
