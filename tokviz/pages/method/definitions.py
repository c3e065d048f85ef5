"""The method page’s definitions of numbers: those of the measures, and of what is no measure by itself."""

from __future__ import annotations

from tokviz.pages.charts.measures import MEASURES, added_measures, related_measures
from tokviz.pages.text.parts import Term
from tokviz.pages.text.sources import (
    ARLOT_2019,
    EFRON_1982,
    ELHAGE_2021,
    GOWER_1975,
    GU_2025,
    HOLM_1979,
    HUH_2024,
    SHAO_1989,
    SUN_2024,
    SUN_2026,
    VAART_1996,
    VENNA_2001,
    YU_2024,
)
from tokviz.pages.text.wording import count
from tokviz.records import Geometry, Report

_PLACED = (
    "PC1’s share of the variance",
    "Mean norm",
    "Largest activation ÷ typical",
    "Largest share of one dimension",
    "Category purity",
    "Silhouette",
    "Change from the previous depth",
)
"""Measures whose definitions have their place among the others; those of any other measure follow the first one."""


def _definitions(geometry: Geometry) -> tuple[Term, ...]:
    """With the thresholds that ``geometry`` was measured with."""
    criteria = geometry.stage_criteria
    nearest = f"{geometry.n_neighbours} nearest"
    least = count(criteria.least_words, "word")
    of = {measure.name: measure.definition(geometry) for measure in MEASURES if measure.definition}
    variance, norm, massive, dominant, purity, silhouette, change = (of.pop(name) for name in _PLACED)
    return (
        variance,
        *of.values(),
        norm,
        massive,
        dominant,
        purity,
        silhouette,
        Term(
            name="Chance",
            meaning="A hundred points in hundreds of dimensions form groups by chance, so purity and silhouette are "
            "computed again with the categories shuffled over the words (a permutation test); the mean of those is "
            "called chance. In geometry.csv, p_value_uncorrected is of each depth by itself, not corrected for the number of "
            "depths; for p_value each shuffle is taken at the depth where it is furthest above chance, so that the number of depths is accounted for.",
        ),
        _intervals(geometry),
        Term(
            name="Trustworthiness",
            meaning=f"1 if each word’s {nearest} in the plot are its {nearest} in all dimensions; each one that "
            "isn’t costs more the lower it ranks in all dimensions. Both by Euclidean distance, unlike purity in "
            "all dimensions, which uses cosine. Words with identical states count once.",
            sources=(VENNA_2001,),
        ),
        change,
        Term(
            name="Procrustes residual",
            meaning="What remains between the plots of two neighboring depths after shift, scale, rotation and "
            "reflection, from 0 to 1.",
            sources=(GOWER_1975,),
        ),
        Term(
            name="Stages",
            meaning=f"1 to {criteria.most_stages} runs of neighboring depths: the split with the smallest squared "
            "distance of each depth’s geometry (CKA) to the mean of its stage, plus a penalty per stage, found "
            "exactly by dynamic programming. A boundary must recur, at the same layer or one next to it, in "
            f"{100 * criteria.least_recurrence:.0f} % of {criteria.n_subsamples} subsamples of "
            f"{100 * criteria.kept_share:.0f} % of the words, so that none depends on a single word. Where massive "
            "activations emerge or end, a stage begins whatever CKA says, because CKA doesn’t see a change of "
            f"scale; with fewer than {least}, only there. If a model drifts gradually, a boundary divides the drift "
            "and is no jump: see the chart of change. The largest |x| in a stage’s sentence is the median over "
            "words of each word’s largest, at the depth where it is highest; if dimensions are massive, moderately "
            "large or dominant, among the depths at which they are.",
            sources=(ARLOT_2019,),
        ),
        Term(
            name="Similarity of two models",
            meaning="Every layer of one compared with every layer of the other, over the reference words of both, "
            "by debiased CKA and by mutual nearest neighbors: how many of a word’s ten nearest (fewer below fifty "
            "words; by cosine) it has in both, by chance k / (n − 1) for k neighbors among n words. The number of a "
            "pair is the mean of each depth’s best match in the other model, each model counting half; its interval "
            "comes from halves of the words (delete-half jackknife).",
            sources=(HUH_2024, SHAO_1989),
        ),
    )


def _intervals(geometry: Geometry) -> Term:
    refits = geometry.refit_criteria
    return Term(
        name="Intervals",
        meaning="Intervals cover 95 % and refer to other word lists of this length. In all dimensions they are "
        "computed from how much the value depends on the weight of each word (infinitesimal jackknife); drawing "
        "words with replacement would make duplicates, which are each other’s neighbors. The axes of a plot are "
        "fitted on the words that it shows, so other words would give other axes: there the axes are fitted again "
        f"on {refits.n_parts} parts of the words, each {100 * refits.kept_share:.0f} % of every category (of long "
        f"lists {refits.most_kept} words), drawn without replacement, and the spread over the parts is used if it is "
        "larger (delete-d jackknife). A vocabulary’s axes come from all its tokens and are held fixed. The intervals "
        "were tested on 400 lists for each of seven settings, drawn from SmolLM2’s own category means and covariance (two layers, "
        "alone and in a sentence) and from three made-up ones: 94 to 98 % of the intervals in the plot cover the "
        "mean over all lists; with the axes held fixed, 82 % in one of them.",
        sources=(EFRON_1982, SHAO_1989),
    )


_CORRECTED = Term(
    name="p-values of relations and orders",
    meaning="p = (1 + permutations that do at least as well) / (1 + permutations). With many layers, one of them may do well "
    "by accident: so each layer’s value is compared with the best layer of each permutation (for parallelism, in standard "
    "deviations of each layer’s permutations). relations.csv also has the uncorrected values. How many relations, orders, "
    "contexts and models were tried isn’t corrected for. Intervals leave out each pair or word in turn, of more than 30 one "
    "of 30 groups (jackknife).",
)


_PROFILE = Term(
    name="Above chance, on the compare page",
    meaning="A metric’s value less chance at the same depth, at the depth where this is largest. For the R² of an order chance is "
    "taken as 0, because permuted orders push R² down without bound. Intervals come from resamples, the same ones at every depth, "
    "and in each the best depth is looked for again: a depth chosen once would flatter the model with more layers. For purity and "
    "silhouette, 999 resamples weight the words at random by how much the value follows each of them (infinitesimal jackknife, "
    "normal weights); leaving words out would overestimate the standard error of purity by about a half, because neighbors change "
    "in jumps. For relations and orders each pair or word is left out in turn (jackknife; groups, if there are more than 30). "
    "Chance is kept fixed in resamples. p is the share of shuffles that get as far above chance at their own best depth; for "
    "relations and orders it is the smallest of the p-values that are corrected for the number of depths. Two models are compared "
    "over the words, or pairs, that both share, with the same resamples in both; chance is worked out again for these words. They "
    "differ if p < 0.05 in a t-test of the difference, corrected after Holm for the number of pairs of models and contexts compared "
    "by that metric, but not for the number of metrics. Intervals of differences are not corrected. In simulations of two models "
    "without a difference at most 7 % of the differences have p < 0.05. The number of layers still matters a little: a model with "
    "more layers has more chances for a high value.",
    sources=(EFRON_1982, VAART_1996, HOLM_1979),
)


_UPDATES = (
    Term(
        name="What a layer adds",
        meaning="The output of a layer is its input, the residual stream, plus the updates of its parts. Which "
        "modules those are is found without their names: the smallest set inside the layer whose outputs sum to "
        "output − input on a few tokens, with a relative error of at most 1e-4 or of what rounding leaves next to a "
        "large stream. If the sum is normalized or scaled afterward, there is no such set, and the page says so. "
        "The sizes shown are mean norms over the reference words, at the token that is read; updates.csv also has "
        "position 0, the cosine with the stream that enters the layer, and the error of the sum.",
        sources=(ELHAGE_2021,),
    ),
    Term(
        name="Neurons that write",
        meaning="A neuron is one input of the matrix that produces an MLP’s output, a column of down_proj. What it "
        "adds to a dimension is its activation times its weight; if a norm follows, also times the norm’s weight "
        "and the token’s own scale. This is exact, and all neurons together, plus a bias if there is one, give the "
        "MLP’s update. Contributions are means over the reference words. They are computed at the layers where the "
        "largest |x|, median over the words, changes by a factor of two or more from one depth to the next (except "
        "layer 0, the first to write), for the four dimensions that change most. For attention, the inputs of its "
        "output matrix are summed by head, if the number of heads is clear. For a mixture of experts, each expert’s "
        "part is its output times its routing weight, from one more run of the experts, one word and one expert at "
        "a time; it is given if these parts sum to the mixture’s update. That a neuron writes a value doesn’t say "
        "what the value is for, nor that the model would work without it.",
        sources=(YU_2024, SUN_2026),
    ),
    Term(
        name="Neurons switched off",
        meaning="A break is where the largest |x|, median over the words, grows most, by a factor of at least ten "
        "and to above 100. The fewest neurons of its MLP that write 95 % of the MLP’s update of the dimension that "
        "changes most (at most eight, all of one sign) are set to zero, the words are captured again, and "
        "everything is measured again. If the words are read at position 0, the same is also done with the neurons "
        "set to their mean over the words, at position 0 only: at every token, this mean would make every token "
        "massive. The control is the same number of other neurons of the same MLP: of those that write less than 1 "
        "% of the dimension, the ones with the largest mean |activation| × length of their weights. The same number "
        "of neurons drawn at random, twenty times, is set to zero in that layer alone. This is done for one context "
        "of a model, the first with a break. It shows that these neurons write the values, and what the states are "
        "without them. It doesn’t show that attention to position 0 ends, nor that the model would be better "
        "without them: its later layers were trained with what they write. Authors of a report may set other "
        "neurons, to zero, their mean or a number.",
        sources=(SUN_2024,),
    ),
    Term(
        name="Attention to position 0",
        meaning="The weight that the token which is read gives to the first token of its text, mean over heads and "
        "over at most twelve reference words, spread evenly over the list; and the share of heads that give it more "
        "than 0.3 (attention.csv). Measured in a separate pass, with attention computed so that its weights can be "
        "read, in contexts in which the words are not at position 0 themselves. Weight that a head can give to no "
        "token at all, as in gpt-oss, is not counted for any token.",
        sources=(GU_2025,),
    ),
)


def measures(report: Report) -> tuple[Term, ...]:
    """The definitions, if anything was measured."""
    geometries = _measured(report)
    if not geometries:
        return ()
    geometry = geometries[0]
    contexts = [context for model in report.models for context in model.contexts]
    is_related = any(context.relations for context in contexts)
    related = related_measures(report.relations, report.orders) if is_related else ()
    return (
        *_definitions(geometry),
        *dict.fromkeys(each.definition(geometry) for each in related if each.definition),
        *((_CORRECTED,) if is_related else ()),
        *((_PROFILE,) if any(context.profile for context in contexts) else ()),
        *(_UPDATES if any(context.states.updates for context in contexts) else ()),
        *(each.definition(geometry) for each in added_measures(contexts) if each.definition),
    )


def measured_on(report: Report) -> str:
    """How many words, how many shuffles."""
    geometries = _measured(report)
    if not geometries:
        return ""
    sizes = sorted({(geometry.n_measured, geometry.n_reference) for geometry in geometries})
    fewest, most = sizes[0][0], sizes[-1][0]
    words = count(most, "word") if fewest == most else f"{fewest:,} to {count(most, 'word')}"
    text = f"All metrics are computed on the reference words of a context: {words}."
    if any(measured < reference for measured, reference in sizes):
        compared = max(geometry.n_compared for geometry in geometries)
        text += (
            f" Longer lists are measured on a sample of {most:,}, and stages are found on {compared:,}, "
            f"drawn with seed {geometries[0].seed}."
        )
    if report.words.vocabulary is not None:
        text += " How well categories hold together is measured on the words of categories only."
    return f"{text} Chance is the mean of {count(geometries[0].n_permutations, 'shuffle')}."


def _measured(report: Report) -> list[Geometry]:
    return [context.geometry for model in report.models for context in model.contexts if context.geometry is not None]
