"""What each measure is, and where it comes from: the method page's last word on numbers."""

from __future__ import annotations

from tokviz.pages.chart_measures import MEASURES
from tokviz.pages.parts import Term
from tokviz.pages.wording import count
from tokviz.records import Geometry, Report


def _definitions(geometry: Geometry) -> tuple[Term, ...]:
    """With the thresholds that ``geometry`` was measured with."""
    massive, criteria = geometry.massive, geometry.stage_criteria
    nearest = f"{geometry.n_neighbours} nearest"
    least = count(criteria.least_words, "word")
    return (
        Term(
            name="Explained variance",
            meaning="Of a picture’s PC1 and PC2: their part of the variance of the reference words, after the projection’s "
            "scaling.",
        ),
        *(measure.definition for measure in MEASURES if measure.definition),
        Term(
            name="Mean norm, mean cosine",
            meaning="The mean Euclidean length of the states, and the mean cosine over all pairs of words. A mean cosine near 1 "
            "says that all words point the same way (anisotropy).",
        ),
        Term(
            name="Massive activations",
            meaning=f"A depth has them when the words’ largest |x|, median over words, exceeds {massive.large:,.0f} and "
            f"{massive.massive_ratio:,.0f} times the median |x|; a lesser outbreak exceeds {massive.large:,.0f} and "
            f"{massive.lesser_ratio:,.0f} times. “Largest |x|” is each word’s own maximum, median over words. The median |x| is "
            "that of ordinary tokens at the same depth: words of a context in which they are not at position 0, since many models "
            "build an attention sink there, which can’t be its own yardstick (Sun et al. take the median of the one text that they "
            "look at). Where there is no such context, the words’ own median serves, and the page says so. The emergence layer is "
            "the first massive one. They step down where |x| itself falls below the mark; where they end because other tokens have "
            "grown, the page says that. Dimensions are named that exceed the threshold in at least half of the words.",
            source="Sun et al. 2024, Massive activations in large language models, arXiv 2402.17762",
        ),
        Term(
            name="Dominant dimensions",
            meaning=f"A dimension is dominant at a depth when it holds more than {100 * massive.dominant_share:.0f} % of Σ x², "
            "the states’ squared lengths summed over the reference words. In some models nearly all tokens are large in the same "
            "dimension: then no ratio to other tokens tells, and a dimension may be dominant without being massive. Of position 0 "
            "only the largest values are kept, so what is dominant there isn’t known.",
        ),
        Term(
            name="Neighbours of the same category (purity)",
            meaning=f"The share of each word’s {geometry.n_neighbours} nearest neighbours that have a category in common with it, mean over words: by "
            "cosine in all dimensions, by Euclidean distance in the picture. Where words have the very same state, the "
            f"{nearest} may be any of these: a word whose last neighbour and the next word after it are one and the same state "
            "has no neighbours to speak of, and counts neither here nor in what stays of its neighbours from depth to depth or "
            f"from model to model. Where fewer than {100 * geometry.least_with_neighbours:.0f} % of the words have any, nothing "
            "is given.",
        ),
        Term(
            name="Silhouette",
            meaning="(b − a) / max(a, b), mean over words: a is the mean distance to the words of the own category, b to those "
            "of the nearest other. From −1 to 1; above 0 categories hold together.",
            source="Rousseeuw 1987, Silhouettes: a graphical aid to the interpretation and validation of cluster analysis",
        ),
        Term(
            name="Chance",
            meaning="A hundred points in hundreds of dimensions fall into groups of any kind, so purity and silhouette are "
            "repeated with the categories shuffled over the words (a permutation test); the mean of those is what is called "
            "chance. The p-values in geometry.csv are of each depth by itself, not corrected for the number of depths.",
        ),
        _intervals(geometry),
        Term(
            name="Trustworthiness",
            meaning=f"1 when each word’s {nearest} in the picture are its {nearest} in all dimensions; one that isn’t "
            "costs more the farther down the list it stands there. Both by Euclidean distance, unlike purity in all "
            "dimensions, which goes by cosine. Words with the very same state count once.",
            source="Venna & Kaski 2001, Neighborhood preservation in nonlinear projection methods",
        ),
        Term(
            name="Change (1 − CKA)",
            meaning="Centered kernel alignment compares the pairwise inner products of the words at two depths: 1 for the same "
            "arrangement up to rotation and scale, about 0 for unrelated ones. The debiased estimate is used, since with fewer "
            f"words than dimensions the usual one is near 1 for unrelated states. It is given from {least} on: of unrelated "
            "states, 95 % of its values are then below 0.2 in size, and of four words it may be near 1.",
            source="Kornblith et al. 2019, Similarity of neural network representations revisited; Song et al. 2012, Feature "
            "selection via dependence maximization",
        ),
        Term(
            name="Procrustes residual",
            meaning="What is left between the pictures of two neighbouring depths after shift, scale, rotation and mirroring, "
            "from 0 to 1.",
            source="Gower 1975, Generalized procrustes analysis",
        ),
        Term(
            name="Stages",
            meaning=f"1 to {criteria.most_stages} runs of neighbouring depths: the cut with the least "
            "squared distance of each depth’s geometry (CKA) to the mean of its stage, plus a penalty per stage, found exactly by dynamic programming. A boundary must recur "
            f"in {100 * criteria.least_recurrence:.0f} % of {criteria.n_subsamples} subsamples of "
            f"{100 * criteria.kept_share:.0f} % of the words, give or take a layer, so that none hangs on one word. Where massive "
            "activations emerge and step down, a stage begins whatever CKA says, as CKA doesn’t see a change of scale; with fewer "
            f"than {least} only there. Where a model "
            "drifts little by little, a boundary divides the drift and is no jump: see the curve of change. The largest |x| of "
            "a stage’s sentence is the median over words of each word’s largest, at the depth where it is highest; where "
            "dimensions are massive, large or dominant, of the depths at which they are.",
            source="Arlot, Celisse & Harchaoui 2019, A kernel multiple change-point algorithm via model selection",
        ),
        Term(
            name="Likeness of two models",
            meaning="Every layer of one against every layer of the other, over the reference words of both, by debiased CKA and "
            "by mutual nearest neighbours: how many of a word’s ten nearest (fewer below fifty words; by cosine) it has in both, by chance k / (n − 1) for k neighbours among n words. "
            "The number of a pair is the mean of each depth’s best match in the other model, each model counting half; its "
            "interval comes from halves of the words (delete-half jackknife).",
            source="Huh et al. 2024, The platonic representation hypothesis; Shao & Wu 1989, A general theory for jackknife "
            "variance estimation",
        ),
    )


def _intervals(geometry: Geometry) -> Term:
    refits = geometry.refit_criteria
    return Term(
        name="Intervals",
        meaning="Intervals hold 95 % and speak of other word lists of this length. In all dimensions they come from how much the "
        "value follows the weight of each word (infinitesimal jackknife); drawing words with replacement would make "
        "duplicates, which are each other’s neighbours. The axes of a picture are fitted on the words that it shows, so that "
        f"other words would give other axes: there they are fitted again on {refits.n_parts} parts of the words, each "
        f"{100 * refits.kept_share:.0f} % of every category (of long lists {refits.most_kept} words), drawn without "
        "replacement, and the spread over the parts counts where it says more (delete-d jackknife). A vocabulary’s axes come "
        "from all its tokens and are held fixed. Tested on 400 lists each of seven kinds, drawn from SmolLM2’s own class means "
        "and covariance (two layers, alone and in a sentence) and from three made-up ones: 94 to 98 % of the intervals in the "
        "picture hold the mean over all lists; with the axes held fixed, 82 % in one of them.",
        source="Efron 1982, The jackknife, the bootstrap and other resampling plans; Shao & Wu 1989, A general theory for "
        "jackknife variance estimation",
    )


_UPDATES = (
    Term(
        name="What a layer adds",
        meaning="The output of a layer is its input, the residual stream, plus what its parts add. Which modules those are is "
        "found without their names: the smallest set inside the layer whose outputs sum to output − input on a few tokens, with "
        "a relative error of at most 1e-4 or of what rounding leaves beside a large stream. Where the sum is normalised afterwards, or scaled, "
        "there is none, and the page says so. The sizes shown are mean norms over the reference words, at the token that is read; "
        "updates.csv has position 0, the cosine with the stream that enters the layer, and the error of the sum besides.",
        source="Elhage et al. 2021, A mathematical framework for transformer circuits",
    ),
    Term(
        name="Neurons that write",
        meaning="A neuron is one input of the matrix that gives an MLP’s output, a column of down_proj. What it adds to a "
        "dimension is its activation times its weight, behind a norm also times the norm’s weight and the token’s own scale; "
        "this is exact, and all neurons together, with a bias if there is one, give what the MLP adds. Contributions are means over the "
        "reference words. They are worked out at the layers where the largest |x|, median over the words, changes by a factor "
        "of two or more from one depth to the next (layer 0, the first to write, left out), for the four dimensions that change most. Of attention the inputs of its "
        "output matrix are summed by head, where the number of heads is clear. Of a mixture of experts each expert’s part is its output times its "
        "routing weight, from one more run of the experts, a word and an expert at a time; it is given where these parts sum to what the mixture "
        "adds. That a neuron writes a value doesn’t say what the value is for, nor that the model would do without it.",
        source="Yu et al. 2024, The super weight in large language models, arXiv 2411.07191; Sun et al. 2026, arXiv 2603.05498",
    ),
    Term(
        name="Neurons switched off",
        meaning="A break is where the largest |x|, median over the words, grows most, by a factor of ten at least and beyond 100. "
        "The fewest neurons of its MLP that write 95 % of what the MLP adds to the dimension that changes most, eight at most and all of one sign, are set to zero, the words "
        "captured again, and everything measured again. Where the words are read at position 0 it is also done with the neurons set, at position 0 only, to their mean over "
        "the words: set so at every token, they would make every token massive. The control is as many other neurons of the same MLP: of those that write less than 1 % of "
        "the dimension, the ones with the largest mean |activation| × length of their weights. As many neurons drawn at random, twenty times, are set to zero in that layer alone. "
        "One context of a model is treated so, the first in which there is a break. This shows that these neurons write the values, and what the states are without them. "
        "It doesn’t show that attention to position 0 ends, nor that the model would be better without them: its later layers were trained with what they write. Authors of a report may set other neurons, to zero, their mean or a number.",
        source="Sun et al. 2024, Massive activations in large language models, arXiv 2402.17762 (setting massive values to zero or their mean)",
    ),
    Term(
        name="Attention to position 0",
        meaning="The weight that the token which is read gives to the first token of its text, mean over heads and over at most twelve reference words, spread evenly "
        "over the list; and the share of heads that give it more than 0.3 (attention.csv). Measured in a pass of its own, with attention computed so that its weights can be "
        "read, where words don’t stand at position 0 themselves. What a head can give to no token at all, as in gpt-oss, is given to none of them.",
        source="Gu et al. 2025, When attention sink emerges in language models: an empirical view, arXiv 2410.10781",
    ),
)


def measures(report: Report) -> tuple[Term, ...]:
    """The definitions, if anything was measured."""
    geometries = _measured(report)
    contexts = [context for model in report.models for context in model.contexts]
    updates = _UPDATES if any(context.states.updates for context in contexts) else ()
    return (*_definitions(geometries[0]), *updates) if geometries else ()


def measured_on(report: Report) -> str:
    """How many words, how many shuffles."""
    geometries = _measured(report)
    if not geometries:
        return ""
    sizes = sorted({(geometry.n_measured, geometry.n_reference) for geometry in geometries})
    fewest, most = sizes[0][0], sizes[-1][0]
    words = count(most, "word") if fewest == most else f"{fewest:,} to {count(most, 'word')}"
    text = f"All measures are taken on the reference words of a context: {words}."
    if any(measured < reference for measured, reference in sizes):
        compared = max(geometry.n_compared for geometry in geometries)
        text += (
            f" Longer lists are measured on a sample of {most:,}, and stages found on {compared:,}, "
            f"drawn with seed {geometries[0].seed}."
        )
    if report.words.vocabulary is not None:
        text += " How well categories hold is measured among the words of categories alone."
    return f"{text} Chance is the mean of {count(geometries[0].n_permutations, 'shuffle')}."


def _measured(report: Report) -> list[Geometry]:
    return [context.geometry for model in report.models for context in model.contexts if context.geometry is not None]
