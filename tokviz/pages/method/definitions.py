"""What each measure is, and where it comes from: the method page's last word on numbers."""

from __future__ import annotations

from tokviz.pages.charts.measures import MEASURES
from tokviz.pages.text.parts import Term
from tokviz.pages.text.sources import (
    ARLOT_2019,
    EFRON_1982,
    ELHAGE_2021,
    ENGELS_2025,
    GOWER_1975,
    GU_2025,
    HERNANDEZ_2024,
    HOLM_1979,
    HUH_2024,
    KORNBLITH_2019,
    MIKOLOV_2013,
    ROUSSEEUW_1987,
    SHAO_1989,
    SONG_2012,
    SUN_2024,
    SUN_2026,
    VAART_1996,
    VENNA_2001,
    YU_2024,
)
from tokviz.pages.text.wording import count
from tokviz.records import Geometry, Report


def _definitions(geometry: Geometry) -> tuple[Term, ...]:
    """With the thresholds that ``geometry`` was measured with."""
    massive, criteria = geometry.massive, geometry.stage_criteria
    nearest = f"{geometry.n_neighbours} nearest"
    least = count(criteria.least_words, "word")
    return (
        Term(
            name="Explained variance",
            meaning="The share of the variance of the reference words that a plot’s PC1 and PC2 hold, after the "
            "projection’s scaling.",
        ),
        *(measure.definition for measure in MEASURES if measure.definition),
        Term(
            name="Mean norm, mean cosine",
            meaning="The mean Euclidean length of the states, and the mean cosine over all pairs of words. A mean "
            "cosine near 1 says that all words point the same way (anisotropy).",
        ),
        Term(
            name="Massive activations",
            meaning=f"A depth has them if the words’ largest |x| exceeds both {massive.large:,.0f} and "
            f"{massive.massive_ratio:,.0f} times the median |x|; activations are moderately large if it exceeds "
            f"both {massive.large:,.0f} and {massive.lesser_ratio:,.0f} times. “Largest |x|” is each word’s own maximum, "
            "median over words. The median |x| is that of typical tokens at the same depth: words of a context in "
            "which they are not at position 0, because many models build an attention sink there, which would "
            "inflate its own baseline (Sun et al. take the median of the one text that they look at). If there is "
            "no such context, the words’ own median is used, and the page says so. The emergence layer is the first "
            "with massive activations. They end where |x| itself falls below the threshold; if they are no longer "
            "massive only because other tokens have grown, the page says that instead. The dimensions named are "
            "those that exceed the threshold in at least half of the words.",
            sources=(SUN_2024,),
        ),
        Term(
            name="Dominant dimensions",
            meaning=f"A dimension is dominant at a depth if it holds more than {100 * massive.dominant_share:.0f} % "
            "of Σ x², the states’ squared lengths summed over the reference words. In some models nearly all tokens "
            "are large in the same dimension: then no ratio to other tokens shows it, and a dimension may be "
            "dominant without being massive. Of position 0 only the largest values are kept, so it isn’t known "
            "which dimensions are dominant there.",
        ),
        Term(
            name="Neighbors of the same category (purity)",
            meaning=f"The share of each word’s {geometry.n_neighbours} nearest neighbors that share a category with "
            "it, mean over words: by cosine in all dimensions, by Euclidean distance in the plot. If words have "
            f"identical states, the {nearest} may be ambiguous: a word whose last neighbor and next word after it "
            "have the same state has no well-defined neighbors, and is not counted, neither here nor in the share "
            "of neighbors that stay from depth to depth or from model to model. If fewer than "
            f"{100 * geometry.least_with_neighbours:.0f} % of the words have well-defined neighbors, no value is "
            "given.",
        ),
        Term(
            name="Silhouette",
            meaning="(b − a) / max(a, b), mean over words: a is the mean distance to the words of its own category, "
            "b to those of the nearest other. From −1 to 1; above 0, categories hold together.",
            sources=(ROUSSEEUW_1987,),
        ),
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
        Term(
            name="Change (1 − CKA)",
            meaning="Centered kernel alignment (CKA) compares the pairwise inner products of the words at two "
            "depths: 1 for the same arrangement up to rotation and scale, about 0 for unrelated ones. The debiased "
            "estimate is used, because with fewer words than dimensions the usual one is near 1 for unrelated "
            f"states. It needs at least {least}: for unrelated states, 95 % of its values are then below 0.2 in "
            "size, while for four words it may be near 1.",
            sources=(KORNBLITH_2019, SONG_2012),
        ),
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


def _related(report: Report) -> tuple[Term, ...]:
    """Of what the report asks for."""
    relations = Term(
        name="Relations between words",
        meaning="If one vector led from every country to its capital, the differences between the words of a pair would be "
        "parallel. Parallelism is the mean cosine between the differences of all pairs. By chance it isn’t 0, since the first "
        "words differ from the second ones in their means, too: chance is the same words paired at random, 999 times, no word "
        "with itself. A second word counts as found if it is the nearest by cosine, among all reference words of its category "
        "but the first word of the pair, to this first word plus the mean difference of the other pairs; states are centered on "
        "the mean of all reference words. Next to it stands how many second words are nearest to the first word alone: where "
        "these are as many, finding them shows only that pairs lie near each other. Such pairs are also more parallel than "
        "random ones: what remains of their differences is mostly the one between the means. So a relation is claimed only at "
        "depths where both hold: more parallel than chance, and more second words found than by the first words alone. With ten "
        "pairs, only strong relations can be told from chance. Plots show these words in their own first two principal components, "
        "fitted to each layer separately; all numbers are of all dimensions. It isn’t tested how the model itself gets from one word to the "
        "other, for which Hernandez et al. use its derivatives.",
        sources=(MIKOLOV_2013, HERNANDEZ_2024),
    )
    orders = Term(
        name="Orders of words",
        meaning="Whether the place of a word in an order, such as that of a month in the year, can be read from its state. The "
        "place (in a cycle of n words cos 2πk/n and sin 2πk/n) is regressed on the first principal components of these words: "
        "half as many as there are words less two, at most five. Each word is predicted by a regression on the others. R² is 1 "
        "if all are predicted exactly, and 0 if the predictions are no better than the mean of all places. The components are "
        "computed from the states of all words, but not from their places. Chance is 999 permuted orders of the same words. An "
        "order is claimed at depths where R² is above 0 and p is below 0.05. Plots show each word where the regression on the "
        "others puts it.",
        sources=(ENGELS_2025,),
    )
    corrected = Term(
        name="p-values of relations and orders",
        meaning="p = (1 + permutations that do at least as well) / (1 + permutations). With many layers, one of them may do well "
        "by accident: so each layer’s value is compared with the best layer of each permutation (for parallelism, in standard "
        "deviations of each layer’s permutations). relations.csv also has the uncorrected values. How many relations, orders, "
        "contexts and models were tried isn’t corrected for. Intervals leave out each pair or word in turn, of more than 30 one "
        "of 30 groups (jackknife).",
    )
    asked = (*([relations] if report.relations else []), *([orders] if report.orders else []))
    return (*asked, corrected)


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
    contexts = [context for model in report.models for context in model.contexts]
    updates = _UPDATES if any(context.states.updates for context in contexts) else ()
    added = {each.column: each for context in contexts for each in context.added}
    terms = (Term(name=each.name, meaning=f"{each.caption} Measured by {each.package}.") for each in added.values())
    related = _related(report) if any(context.relations for context in contexts) else ()
    profiles = (_PROFILE,) if any(context.profile for context in contexts) else ()
    return (*_definitions(geometries[0]), *related, *profiles, *updates, *terms) if geometries else ()


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
