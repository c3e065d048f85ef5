"""The table of measures: of every model, of a report's relations and orders, by the lens, and of other packages.

A measure that has an entry has a chart on the models' pages and on the compare page, its definition on the method page, and of contexts
with several sentences its rows in ``templates.csv``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tokviz.pages.charts.reading import Measure, Reading, of_categories, tested
from tokviz.pages.text.trust import purity_in_plot
from tokviz.pages.text.wording import NBSP, number, percent, whole_percent
from tokviz.records import (
    AddedMeasure,
    ContextReport,
    Directions,
    Geometry,
    Lens,
    LensMeasure,
    Order,
    Relation,
    RelationMeasures,
    Tested,
)


def _rank(geometry: Geometry, divided_by: int = 1) -> Reading:
    ranks, each_template = geometry.spread.effective_rank, geometry.effective_rank_in_templates
    return Reading(
        values=ranks / divided_by, each_template=None if each_template is None else each_template / divided_by
    )


def _in_plot(geometry: Geometry) -> Reading | None:
    found = purity_in_plot(geometry)
    return tested(found, surface=found.surface) if found else None


MEASURES = (
    Measure(
        key="purity",
        name="Category purity",
        caption="Share of {same_category}, by cosine in all dimensions, each scaled to the same standard deviation. Dotted: "
        "mean chance.",
        term="Neighbors of the same category (purity)",
        meaning="The share of {same_category}, mean over words: by cosine in all dimensions, by Euclidean distance in the "
        "plot. In small categories fewer neighbors count. Before the cosine each dimension is scaled to the same standard "
        "deviation over the reference words (standardized): raw cosine hardly sees anything but the few largest dimensions. "
        "If words have identical states, the nearest may be ambiguous: a word whose last neighbor and next word after it have "
        "the same state has no well-defined neighbors, and is not counted, neither here nor in the share of neighbors that "
        "stay from depth to depth or from model to model. If fewer than {least_neighbors} of the words have well-defined "
        "neighbors, no value is given.",
        sources=("timkey_2021", "mu_2018"),
        rows=("Best category purity", "Mean over depths"),
        read=lambda _, geometry: of_categories(geometry.purity, geometry.purity_raw),
        of_control=lambda control, _: control.purity,
    ),
    Measure(
        key="purity_in_plot",
        name="Category purity in the plot",
        caption="The same in the plots of the first projection. If it is lower than in the first chart, the projection hides "
        "structure.",
        rows=("Best purity in the plot",),
        read=lambda _, geometry: _in_plot(geometry),
        between=False,
    ),
    Measure(
        key="silhouette",
        name="Silhouette",
        caption="How much closer a word is to its own category than to the nearest other one, by cosine of standardized "
        "states; 0: equally close. Dotted: mean chance.",
        term="Silhouette",
        meaning="(b − a) / max(a, b), mean over words: a is the mean distance to the words of its own category, b to those of "
        "the nearest other. From −1 to 1; above 0, categories hold together.{long_lists}",
        sources=("rousseeuw_1987",),
        read=lambda _, geometry: of_categories(geometry.silhouette, geometry.silhouette_raw),
        of_control=lambda control, _: control.silhouette,
        spans=(-0.2, 0.4),
    ),
    Measure(
        key="effective_rank",
        name="Effective rank",
        caption="In how many directions the words differ.",
        term="Effective rank",
        meaning="The exponential of the entropy of the centered states’ singular values, normalized to sum to one: 1 if all "
        "words lie on a line, at most the number of words minus one. Papers that use the eigenvalues of the covariance (the "
        "squares of these) get lower numbers.",
        sources=("roy_2007",),
        rows=("Effective rank, {last}",),
        read=lambda _, geometry: _rank(geometry),
        of_control=lambda control, _: control.effective_rank,
        write=number,
        spans=(0.0,),
        between=False,
    ),
    Measure(
        key="effective_rank_per_word",
        name="Effective rank per word",
        caption="In how many directions the words differ, divided by the number of words, so that models can be compared.",
        read=lambda _, geometry: _rank(geometry, divided_by=geometry.n_measured),
        of_control=lambda control, geometry: control.effective_rank / geometry.n_measured,
        within=False,
    ),
    Measure(
        key="mean_norm",
        name="Mean norm",
        caption="Mean length of the hidden states, log scale. Models differ in scale from the start; look for jumps.",
        term="Mean norm, mean cosine",
        meaning="The mean Euclidean length of the states, and the mean cosine over all pairs of words. A mean cosine near 1 "
        "says that all words point the same way (anisotropy).",
        read=lambda _, geometry: Reading(values=geometry.spread.mean_norm),
        write=number,
        is_log=True,
        spans=(),
    ),
    Measure(
        key="mean_cosine",
        name="Mean cosine",
        caption="Between all pairs of words. Near 1, every word points the same way, whatever it means.",
        read=lambda _, geometry: Reading(values=geometry.spread.mean_cosine),
    ),
    Measure(
        key="explained_variance",
        name="PC1’s share of the variance",
        caption="In the plots of the first projection. If it is high, the plot is nearly a line.",
        term="Explained variance",
        meaning="The share of the variance of the reference words that a plot’s PC1 and PC2 hold, after the projection’s "
        "scaling.",
        read=lambda context, _: (
            Reading(values=context.projections[0].projection.explained_variance_ratio[:, 0])
            if context.projections
            else None
        ),
        write=percent,
        between=False,
    ),
    Measure(
        key="ratio",
        name="Largest activation ÷ typical",
        caption="Largest |x| of a word’s state, median over words, divided by the median |x| of typical tokens (of the words "
        "themselves, if a model has no context with typical tokens), log scale. Dotted: moderately large "
        "({massive.moderate_ratio:,.0f}\N{NO-BREAK SPACE}×) and massive ({massive.massive_ratio:,.0f}\N{NO-BREAK SPACE}×), if |x| is also above "
        "{massive.large:,.0f}.",
        term="Massive activations",
        meaning="A depth has them if the words’ largest |x| exceeds both {massive.large:,.0f} and "
        "{massive.massive_ratio:,.0f} times the median |x|; activations are moderately large if it exceeds both "
        "{massive.large:,.0f} and {massive.moderate_ratio:,.0f} times. “Largest |x|” is each word’s own maximum, median over "
        "words. The median |x| is that of typical tokens at the same depth: words of a context in which they are not at "
        "position 0, because many models build an attention sink there, which would inflate its own baseline (Sun et al. take "
        "the median of the one text that they look at). If there is no such context, the words’ own median is used, and the "
        "page says so. The emergence layer is the first with massive activations. They end where |x| itself falls below the "
        "threshold; if they are no longer massive only because other tokens have grown, the page says that instead. The "
        "dimensions named are those that exceed the threshold in at least half of the words.",
        sources=("sun_2024",),
        rows=("Largest activation ÷ typical", "Emergence layer"),
        read=lambda _, geometry: Reading(
            values=geometry.massive.ratio,
            thresholds=(geometry.massive.moderate_ratio, geometry.massive.massive_ratio),
            holds=geometry.massive.massive,
        ),
        write=lambda value: f"{number(value)}{NBSP}×",
        is_log=True,
        spans=(),
    ),
    Measure(
        key="top_share",
        name="Largest share of one dimension",
        caption="How much of Σ x² (the states’ squared lengths, summed over the words) lies in the one dimension that holds "
        "most of it, whichever that is. Above the dotted line it is dominant.",
        term="Dominant dimensions",
        meaning="A dimension is dominant at a depth if it holds more than {dominant} of Σ x², the states’ squared lengths "
        "summed over the reference words. In some models nearly all tokens are large in the same dimension: then no ratio to "
        "other tokens shows it, and a dimension may be dominant without being massive. Of position 0 only the largest values "
        "are kept, so it isn’t known which dimensions are dominant there.",
        read=lambda _, geometry: Reading(
            values=geometry.massive.top_share, thresholds=(geometry.massive.dominant_share,)
        ),
        write=whole_percent,
    ),
    Measure(
        key="change",
        name="Change from the previous depth",
        caption="1 − debiased linear CKA: 0 if a layer leaves the words’ arrangement unchanged, 1 if nothing of it is left. A "
        "model with fewer layers usually changes more per layer.",
        term="Change (1 − CKA)",
        meaning="Centered kernel alignment (CKA) compares the pairwise inner products of the words’ standardized states at "
        "two depths: 1 for the same arrangement up to rotation and scale, about 0 for unrelated ones. The debiased estimate "
        "is used, because with fewer words than dimensions the usual one is near 1 for unrelated states. It needs at least "
        "{least_words}: for unrelated states, 95\N{NO-BREAK SPACE}% of its values are then below 0.2 in size, while for four words it may be "
        "near 1.",
        sources=("kornblith_2019", "song_2012"),
        read=lambda _, geometry: Reading(values=1 - geometry.change.cka),
    ),
)
WITHIN_A_MODEL = tuple(measure for measure in MEASURES if measure.within)
BETWEEN_MODELS = tuple(measure for measure in MEASURES if measure.between)


def added_measures(contexts: Iterable[ContextReport]) -> tuple[Measure, ...]:
    """Those that other packages add, in the order in which the contexts have them."""
    found = {each.column: each for context in contexts for each in context.added}
    return tuple(_added(each) for each in found.values())


def _added(measure: AddedMeasure) -> Measure:
    def read(context: ContextReport, _: Geometry) -> Reading | None:
        found = (each for each in context.added if each.column == measure.column)
        return next((Reading(values=each.value, chance=each.chance) for each in found), None)

    return Measure(
        key=f"added_{measure.column}",
        name=measure.name,
        caption=_as_it_is(measure.caption),
        term=measure.name,
        meaning=_as_it_is(f"{measure.caption} Measured by {measure.package}."),
        read=read,
        write=number,
        spans=(),
    )


def _as_it_is(text: str) -> str:
    """A text with braces, as a format string."""
    return text.replace("{", "{{").replace("}", "}}")


# --- relations and orders --------------------------------------------------------------------------------------------


def related_measures(relations: Sequence[Relation], orders: Sequence[Order]) -> tuple[Measure, ...]:
    """Of each relation how parallel its differences are, of each order how well it can be read."""
    return (
        *(_parallelism(index, each) for index, each in enumerate(relations)),
        *(_order(index, each) for index, each in enumerate(orders)),
    )


def _parallelism(index: int, relation: Relation) -> Measure:
    return Measure(
        key=f"relation {relation.name}",
        name=f"Parallelism above chance, {relation.label}",
        caption="Mean cosine between the differences of the pairs, minus what it is in the same layer if the same words are paired at "
        "random. Dotted: chance.",
        term="Relations between words",
        meaning="If one vector led from every country to its capital, the differences between the words of a pair would be "
        "parallel. Parallelism is the mean cosine between the differences of all pairs. By chance it isn’t 0, since the first "
        "words differ from the second ones in their means, too: chance is the same words paired at random, no word with "
        "itself. A second word counts as found if it is the nearest by cosine, among all reference words of its category but "
        "the first word of the pair, to this first word plus the mean difference of the other pairs. Next to it stands how "
        "many second words are nearest to the first word alone: where these are as many, finding them shows only that pairs "
        "lie near each other. Such pairs are also more parallel than random ones: what remains of their differences is mostly "
        "the one between the means. So a second test asks whether the mean difference adds anything: of each pair, 1 divided "
        "by the second word’s rank among the candidates, with the difference less without it, is summed, and chance gives "
        "each pair’s gain a random sign. A relation is claimed only at depths where both hold. Of n pairs there are 2ⁿ "
        "arrangements of signs: with ten pairs or fewer, hardly any report’s level can be reached, and the page says so. "
        "All of this is measured on standardized states. Plots show these words in their own first two principal components, "
        "fitted to each layer separately; all numbers are of all dimensions. It isn’t tested how the model itself gets from "
        "one word to the other, for which Hernandez et al. use its derivatives.",
        sources=("mikolov_2013", "hernandez_2024"),
        rows=(f"{_as_it_is(relation.label)}: parallelism",),
        read=lambda context, _: _above_chance(context.relations.relations[index]) if context.relations else None,
        of_control=lambda control, _: np.asarray(control.relations[index]),
        spans=(0.0, 0.5),
    )


def _above_chance(found: RelationMeasures) -> Reading:
    """Chance differs between depths and models, and a chart has one line for it; of each template, against its own chance."""
    own = found.parallelism
    chance, each_template = own.null_mean, None
    if own.templates is not None and own.template_null_mean is not None:
        each_template = own.templates - own.template_null_mean
    return Reading(
        values=own.value - chance,
        interval=(own.low - chance, own.high - chance),
        chance=np.zeros_like(chance),
        each_template=each_template,
        holds=found.holds,
        template_holds=found.template_holds,
        measured=own,
    )


def _order(index: int, order: Order) -> Measure:
    return Measure(
        key=f"order {order.name}",
        name=f"Order, {order.label}",
        caption="Leave-one-out R² of each word’s place, from the first principal components of these words. At 0 it is no better than the "
        "mean place for all; values below 0 are drawn at 0.",
        term="Orders of words",
        meaning="Whether the place of a word in an order, such as that of a month in the year, can be read from its state. "
        "The place (in a cycle of n words cos 2πk/n and sin 2πk/n) is regressed on the first principal components of these "
        "words’ states as they are: half as many as there are words less two, at most five. Each word is predicted by a "
        "regression on the others. R² is 1 if all are predicted exactly, and 0 if the predictions are no better than the mean "
        "of all places. The components are computed from the states of all words, but not from their places. Chance is "
        "permuted orders of the same words. An open row, such as a random walk from January to December, is read as well as a "
        "circle is. So of a cycle two more questions are asked, by squared distances between standardized states, against the "
        "same permuted orders. Far words are those half a cycle apart (5n/12 or more, the shorter way round), near ones those "
        "up to a quarter. The ends meet if near words on either side of the step from the last word to the first are nearer "
        "to each other than far ones are, by at least half as much as other near words, at a depth where the order can be "
        "read. The words are said to lie in a circle if, besides, far words are farther apart than those a quarter of the "
        "cycle apart, and R² is at least 0.7 in every direction of the circle’s plane: it isn’t where words only go from one "
        "extreme to the other and back. Plots show each word where the regression on the others puts it.",
        sources=("engels_2025",),
        rows=(f"{_as_it_is(order.label)}: R² of the order",),
        read=lambda context, _: _not_below_0(context.relations.orders[index].r2) if context.relations else None,
        of_control=lambda control, _: np.maximum(control.orders[index], 0.0),
    )


def _not_below_0(r2: Tested) -> Reading:
    """What is below 0 has no bound, and says no more than 0 does; so chance is left out, and with it the intervals."""
    return Reading(
        values=np.maximum(r2.value, 0.0),
        each_template=None if r2.templates is None else np.maximum(r2.templates, 0.0),
        holds=r2.claim.holds,
        template_holds=r2.claim.template_holds,
        measured=r2,
    )


# --- what each layer would say ---------------------------------------------------------------------------------------


def lens_measures(relations: Sequence[Relation]) -> tuple[Measure, ...]:
    """Of how many words their category is named, of how many they themselves, and of how many pairs the second word."""
    return (
        _by_lens(
            "category",
            "Category named",
            "Share of words of which the name of their own category scores highest of all categories’ names.",
            lambda lens: lens.named,
            term="What each layer would say (Jacobian lens)",
            meaning=_OF_THE_LENS,
            sources=("verbalizable_2026", "nostalgebraist_2020"),
            rows=("Category named, Jacobian lens",),
        ),
        _by_lens(
            "word",
            "Word itself named",
            "Share of words of which their own first token scores highest of all words’ first tokens.",
            lambda lens: lens.own,
        ),
        *(_second_word(index, each) for index, each in enumerate(relations)),
    )


def _second_word(index: int, relation: Relation) -> Measure:
    return _by_lens(
        f"relation {relation.name}",
        f"Second word named, {relation.label}",
        "Share of pairs of which, read from the first word, the second’s first token scores highest in its category (but for those that "
        "share a token with the first). What is so at the embedding already, no layer adds.",
        lambda lens: lens.relations[index] if index < len(lens.relations) else None,
    )


def _by_lens(key: str, name: str, what: str, found: Callable[[Lens], LensMeasure | None], **more: Any) -> Measure:
    return Measure(
        key=f"lens {key}",
        name=name,
        caption=f"{what} Dotted: chance. Without a band where the two halves of the text disagree about the lens.",
        read=lambda context, _: _where_firm(found(context.lens)) if context.lens else None,
        write=whole_percent,
        **more,
    )


def _where_firm(found: LensMeasure | None) -> Reading | None:
    if found is None:
        return None
    low, high = (np.where(found.is_firm, bound, np.nan) for bound in (found.low, found.high))
    return tested(found, interval=(low, high), measured=found)


_OF_THE_LENS = (
    "How a token’s score at the end of the model grows with a hidden state: the derivative, averaged over "
    f"{Directions.N_PASSAGES['names']} passages of {Directions.N_TOKENS} tokens for the names of categories "
    f"({Directions.N_PASSAGES['words']} for words) and over all their positions but the first {Directions.N_LEFT_OUT}. It gives a "
    "direction for each token and depth; a token’s score is the product of its direction and a word’s state, standardized over the "
    "words, so that what all words share counts for none. The lens is fitted on either half of the passages as well: where the rank "
    f"correlation between the scores of both is below {LensMeasure.LEAST_AGREEMENT} (of one of the categories’ names; else on average), "
    "nothing is announced. A category is named where its name scores highest of all categories’ names; chance is the categories shuffled "
    "over the words, capitalized ones among themselves. As the words of a category lie together, so that any name is right for many of "
    "them or for none, names must also do better than names exchanged between categories of one case do in any capture of the report; with "
    "fewer than six such categories that can’t be tested. The logit lens takes the last layer’s directions at every depth. This is an average, linear "
    "reading: it shows what the rest of the network would do with a state on average, not what it does with this one. A name may be read "
    "because it is associated with the word: Paris stands near France in text, too. Words at position 0 are not what the lens was fitted on."
)
