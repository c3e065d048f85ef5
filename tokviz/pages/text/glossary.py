"""What the terms on the pages mean, but for those of a measure, which stand in its entry in ``charts/measures.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tokviz.pages.text import checkpoints, sources
from tokviz.pages.text.extent import all_layers
from tokviz.pages.text.parts import Term
from tokviz.pages.text.wording import count, in_words, joined, projection_label
from tokviz.records import LEVEL, Family, Geometry


@dataclass(frozen=True, kw_only=True)
class GlossaryEntry:
    """A term, how it reads in a sentence, and what it means."""

    name: str
    pattern: str
    """A regular expression of whole words, in any case."""
    meaning: str

    @property
    def id(self) -> str:
        """``term-attention-sink``: of its definition, on every page."""
        return f"term-{self.name.lower().replace(' ', '-')}"


# --- explained where one first stands on a page; the method page lists them all -----------------------------------------

LENS = GlossaryEntry(
    name="Jacobian lens",
    pattern=r"Jacobian lens",
    meaning="How much the score of each token at the end of the model grows with a hidden state, on average over a text: a linear reading of "
    "what the layers after it would make of it.",
)
GLOSSARY = (
    GlossaryEntry(
        name="attention sink",
        pattern=r"attention sinks?",
        meaning="A token, usually the first of a text, to which other tokens send attention that they don’t need elsewhere; many language models build one.",
    ),
    GlossaryEntry(
        name="centered",
        pattern=r"centered",
        meaning="PCA of the hidden states as they are, only shifted to mean 0: dimensions with large values count most.",
    ),
    GlossaryEntry(
        name="chance",
        pattern=r"chance",
        meaning="The value that a metric has on average when the categories are shuffled over the words, capitalized ones among "
        "themselves.",
    ),
    GlossaryEntry(
        name="CKA",
        pattern=r"CKA",
        meaning="Centered kernel alignment: how similar two arrangements of the same words are, whatever their rotation and "
        "scale. 1: the same, about 0: unrelated.",
    ),
    GlossaryEntry(
        name="dominant",
        pattern=r"dominant",
        meaning="Of a dimension: it holds most of Σ x², the squared lengths of the hidden states, summed over the words.",
    ),
    GlossaryEntry(
        name="hollow",
        pattern=r"hollow",
        meaning="A mark that isn’t filled: a word of several tokens, or one read at a different position than most words.",
    ),
    LENS,
    GlossaryEntry(
        name="massive",
        pattern=r"massive",
        meaning="Of activations (the values of a hidden state): orders of magnitude larger than those of typical tokens.",
    ),
    GlossaryEntry(
        name="mean norm",
        pattern=r"mean norm",
        meaning="The mean length of the words’ hidden states.",
    ),
    GlossaryEntry(
        name="moderately large",
        pattern=r"moderately large",
        meaning="Of activations: less than massive, but far larger than those of typical tokens.",
    ),
    GlossaryEntry(
        name="neuron",
        pattern=r"neurons?",
        meaning="One input of the matrix that produces an MLP’s output.",
    ),
    GlossaryEntry(
        name="position 0",
        pattern=r"position[ \N{NO-BREAK SPACE}]0",
        meaning="The first position of a text. Many models build an attention sink there.",
    ),
    GlossaryEntry(
        name="purity",
        pattern=r"(?:category )?purity",
        meaning="The share of a word’s nearest neighbors that are of its category, averaged over the words.",
    ),
    GlossaryEntry(
        name="reference words",
        pattern=r"reference words?",
        meaning="The words read at the position that most words share. Axes are fitted and metrics are computed on them.",
    ),
    GlossaryEntry(
        name="relative depth",
        pattern=r"relative depth",
        meaning="The depth divided by the number of layers shown: 0\N{NO-BREAK SPACE}% is the embedding, 100\N{NO-BREAK SPACE}% the last of them.",
    ),
    GlossaryEntry(
        name="stage",
        pattern=r"stages?",
        meaning="A run of depths up to one at which the words’ arrangement changes far more than just before and after.",
    ),
    GlossaryEntry(
        name="standardized",
        pattern=r"standardized",
        meaning="PCA after every dimension is scaled to the same standard deviation, so that all dimensions count the same.",
    ),
    GlossaryEntry(
        name="trustworthiness",
        pattern=r"trustworthiness",
        meaning="Whether words near each other in a plot are so in all dimensions, too. 1: all are.",
    ),
    GlossaryEntry(
        name="typical token",
        pattern=r"typical tokens?",
        meaning="A token in a context in which words are not read at position 0. Large values are compared with the median "
        "|x| of such tokens.",
    ),
    GlossaryEntry(
        name="update",
        pattern=r"updates?",
        meaning="What a part of a layer, such as attention or the MLP, adds to a hidden state.",
    ),
    GlossaryEntry(
        name="write",
        pattern=r"writes?(?= )",
        meaning="To add a value to a dimension of the hidden state. A writer is a neuron, head or expert that adds much of it.",
    ),
)
"""In alphabetical order."""

# --- how to read plots -----------------------------------------------------------------------------------------------

PROJECTIONS = {
    "standardized": "Each of the state’s dimensions is shifted to mean 0 and scaled to standard deviation 1 over the "
    "reference words before the PCA, so that every dimension counts the same and a few very large ones can’t hide the "
    "others.",
    "centered": "Each dimension is shifted to mean 0 and keeps its scale, so that distances are those in the model. If a "
    "few dimensions become very large, the plot shows only them.",
    "unit_norm": "Each state is scaled to length 1 before it is centered, so that only its direction counts. A layer at "
    "which the states merely grow looks like the previous one.",
    "without_massive": "Like centered, but without the dimensions that are massive or moderately large at that depth, and "
    "without the dominant one, which holds most of Σ x², if there is one. What it shows was there all along, but hidden. "
    "Where no dimension is left out, it is the centered PCA.",
}


def projection_term(name: str) -> Term:
    """A projection’s name and what it does."""
    label = projection_label(name)
    heading = f"PCA {label}" if label.startswith("without") else f"{label.capitalize()} PCA"
    return Term(name=heading, meaning=PROJECTIONS.get(name, "A projection defined by this report."))


FROM_LAYER_TO_LAYER = Term(
    name="From layer to layer",
    meaning="Each depth has its own PCA, so look at which words lie together, not at where they lie. An axis "
    "is flipped if that keeps the words on the same side as in the previous layer.",
)


def reading_terms(
    projections: Sequence[str],
    position_0: str,
    *,
    with_models: bool = True,
    with_series: bool = False,
    is_partial: bool = False,
) -> tuple[Term, ...]:
    """For the first page; ``position_0``: which of the report's words stand there."""
    return (
        Term(
            name="A point",
            meaning="A word. Its place comes from the model’s hidden state at that depth: the vector that represents "
            "the word’s token there. Color and shape show the word’s category.",
        ),
        Term(
            name="PC1 and PC2",
            meaning="Hundreds of dimensions can’t be drawn, so each depth’s states are reduced to two by principal "
            "component analysis (PCA). PC1 is the direction in which the words differ most, PC2 the next. The "
            "percentage on an axis is its share of the variance; if the two hold little, points close together may "
            "be far apart in the model.",
        ),
        *((FROM_LAYER_TO_LAYER,) if with_models else ()),
        *((checkpoints.FROM_ONE_TO_ANOTHER,) if with_series else ()),
        *(projection_term(name) for name in projections),
        Term(
            name="Hollow marks",
            meaning="Words that can’t be compared with the others directly: those of several tokens, and those read "
            "at a different position than most. PCA is fitted on the reference words, those read at the position "
            "that most words share; the others are drawn in the same plot but don’t influence its axes.",
        ),
        Term(
            name="Position 0",
            meaning="Many language models use the first token of a text as an attention sink, which collects "
            "attention that isn’t needed elsewhere: from some layer on, a few dimensions of its state become very "
            f"large, whatever the token is. {position_0}",
        ),
        *((all_layers(is_partial=is_partial),) if with_models else ()),
    )


TRAILS = Term(
    name="Trails in the explorer",
    meaning="A trail joins a word’s positions from the embedding to the shown layer, each in its own layer’s axes. These are "
    "fitted separately for every layer, so a long step may be only a change of axes. “Turned to fit the shown layer” takes such "
    "changes away: each layer’s plot is rotated or reflected within its two dimensions so that the reference words lie "
    "nearest to where they are in the next layer’s plot (orthogonal Procrustes, after both are centered and divided by the "
    "square root of Σ x²), and so on up to the shown layer, whose center and Σ x² all get. The trail then ends at the word’s "
    "mark; ratios of distances within a layer are kept, sizes of different layers can’t be compared. The page says which share "
    "of the words’ variance in the plot no rotation, reflection, shift or scaling takes away: words have moved, or another "
    "component has become one of the two. Where the share is large, a turn means little. Layers are never turned in all dimensions: with as many dimensions as words, even unrelated "
    "states could be turned onto each other. A layer without a plot breaks the trail.",
    sources=(sources.SCHONEMANN_1966,),
)


# --- how numbers are computed ----------------------------------------------------------------------------------------

CHANCE = Term(
    name="Chance",
    meaning="A hundred points in hundreds of dimensions form groups by chance, so purity and silhouette are "
    "computed again with the categories shuffled over the words; the mean of those is called chance. Words whose initial is a "
    "capital are shuffled among themselves, and so are the others: otherwise, telling names from other words would be enough "
    "to be above chance. Forms of one word (play, plays) stay together, as they lie near each other anyway. The effect in geometry.csv is (value − chance) / (highest possible value − chance).",
)
SURFACE = Term(
    name="The words’ surface",
    meaning="Categories differ in what can be seen without any model: whether words begin with a capital, how many tokens they "
    "are, and the logarithm of the token’s id, which follows how common the token is. Purity and silhouette of these three "
    "numbers (standardized) are the dashed lines. “Above the surface” is claimed where the effect is larger than the "
    "surface’s, each from its own chance, by more than other words of these categories would make it.",
    sources=(sources.VAART_1996,),
)


UNTRAINED = Term(
    name="Untrained models",
    meaning="Two controls have the model’s form, tokens and words, but not its training. In one all weights are random, drawn as the "
    "model’s class draws them before training: what it shows is there without any training. The other has the model’s own embedding, "
    "and random layers after it, with five seeds: what it shows needs no trained layers. The model is held against either by effect, "
    "each at its best depth, as two models are; with random layers the embedding, which both share, is left out, and the model must "
    "exceed all five seeds. Chance remains that of shuffled words. Controls have the first sentence of a context only. They don’t tell "
    "what other data or another start of the training would have given.",
)


def decisions(families: Sequence[Family], labels: Mapping[str, str]) -> Term:
    """By which rule a report claims anything.

    Parameters
    ----------
    labels : of the families, by their keys.
    """
    tested = [each for each in families if each.can_be_tested]
    left_out = [labels[each.key] for each in families if not each.can_be_tested]
    sizes = "; ".join(f"{labels[each.key]} ({count(each.n_values, 'value')})" for each in tested)
    level = f"p ≤ {tested[0].level:.2g}" if tested else ""
    said = (
        "A report has hundreds of values, and by chance alone some of them look remarkable. So each question is a family of "
        "tests, with the values of all models, contexts and depths in it. Each value is expressed in standard deviations of its own "
        "shuffles, which are the same for all, and compared with the highest value that each shuffle reaches anywhere in the family "
        "(max-T); p is the share of shuffles that do at least as well. All families together have a level of "
        f"{100 * LEVEL:.0f}\N{NO-BREAK SPACE}%, divided equally between them, so that about one report in a hundred claims anything false. A further "
        "question about a relation or an order, which is answered only where the first one is, has the same level. "
        "What is claimed of categories must also have an interval above chance."
    )
    if tested:
        said += f" In this report, values are claimed from {level} in {count(len(tested), 'family')}: {sizes}."
    if left_out:
        said += f" Too few different shuffles to reach this level, so that nothing is claimed: {joined(left_out)}."
    return Term(name="What is claimed", meaning=said, sources=(sources.DUDOIT_2003,))


def intervals(geometry: Geometry) -> Term:
    """How they are computed; with the numbers that ``geometry`` was measured with, as all below."""
    refits = geometry.refit_criteria
    return Term(
        name="Intervals",
        meaning="Intervals cover 95\N{NO-BREAK SPACE}% and refer to other word lists of this length. In all dimensions they are "
        "computed from how much the value depends on the weight of each word (infinitesimal jackknife); drawing "
        "words with replacement would make duplicates, which are each other’s neighbors. The axes of a plot are "
        "fitted on the words that it shows, so other words would give other axes: there the axes are fitted again "
        f"on {refits.n_parts} parts of the words, each {100 * refits.kept_share:.0f}\N{NO-BREAK SPACE}% of every category (of long "
        f"lists {refits.most_kept} words), drawn without replacement, and the spread over the parts is used if it is "
        "larger (delete-d jackknife). A vocabulary’s axes come from all its tokens and are held fixed. The intervals "
        "were tested on 400 lists of at most 120 words for each of seven settings, drawn from SmolLM2’s own category means and covariance (two layers, "
        "alone and in a sentence) and from three made-up ones: 94 to 98\N{NO-BREAK SPACE}% of the intervals in the plot cover the "
        "mean over all lists; with the axes held fixed, 82\N{NO-BREAK SPACE}% in one of them. Of 120 lists of 504 words, and of 1,170, "
        "93 to 99\N{NO-BREAK SPACE}% do.",
        sources=(sources.EFRON_1982, sources.SHAO_1989),
    )


def trustworthiness(geometry: Geometry) -> Term:
    """Of plots."""
    nearest = f"{geometry.n_neighbours} nearest"
    return Term(
        name="Trustworthiness",
        meaning=f"1 if each word’s {nearest} in the plot are its {nearest} in all dimensions; each one that "
        "isn’t costs more the lower it ranks in all dimensions. Both by Euclidean distance, unlike purity in "
        "all dimensions, which uses cosine. Words with identical states count once.",
        sources=(sources.VENNA_2001,),
    )


def stages(geometry: Geometry) -> Term:
    """How they are found."""
    criteria = geometry.stage_criteria
    least = count(criteria.least_words, "word")
    return Term(
        name="Stages",
        meaning="Runs of neighboring depths, divided where the words’ arrangement changes far more than around it. The change is "
        "1 − CKA of standardized states from one depth to the next. A stage begins after a change that is larger than the one "
        f"before and the one after it, at least {criteria.least_change:g}, and at least {criteria.least_ratio:g} times the smallest of the "
        f"{in_words(criteria.n_around)} before it and of the {in_words(criteria.n_around)} after it; the first and the last "
        "change never count. It must be found, at the same layer or one next to it, in "
        f"{100 * criteria.least_recurrence:.0f}\N{NO-BREAK SPACE}% of {criteria.n_subsamples} subsamples of "
        f"{100 * criteria.kept_share:.0f}\N{NO-BREAK SPACE}% of the words, so that it doesn’t depend on a single word. This is a rule, not a "
        "test. Where massive activations emerge or end, a stage begins whatever CKA says, because CKA doesn’t see a change of "
        f"scale; the page then says “by rule”. With fewer than {least}, stages begin only there. The largest |x| in a stage’s "
        "sentence is the median over words of each word’s largest, at the depth where it is highest; if dimensions are massive, "
        "moderately large or dominant, among the depths at which they are.",
    )


PROCRUSTES = Term(
    name="Procrustes residual",
    meaning="What remains between the plots of two neighboring depths after shift, scale, rotation and "
    "reflection, from 0 to 1.",
    sources=(sources.GOWER_1975,),
)
SIMILARITY = Term(
    name="Similarity of two models",
    meaning="Every layer of one compared with every layer of the other, over the reference words of both (of more than 200, a "
    "sample), by debiased CKA and by mutual nearest neighbors: how many of a word’s ten nearest (fewer below fifty "
    "words; by cosine) it has in both, by chance k / (n − 1) for k neighbors among n words. Both are of standardized states. "
    "The number of a pair is the mean of each depth’s best match in the other model, each model counting half; its interval "
    "comes from halves of the words (delete-half jackknife). What the best of many is by chance is its mean over 199 "
    "permutations of the words of one model, each the same at all depths. Words permuted within categories, those of the same "
    "categories among themselves, show how alike the categories alone make the models. They are called alike beyond categories "
    "if the number is above 1,999 of these permutations by the report’s rule for claims, and its interval above their mean; "
    "nothing else is claimed about similarity.",
    sources=(sources.HUH_2024, sources.GROEGER_2026, sources.SHAO_1989),
)
CORRECTED = Term(
    name="p-values of relations and orders",
    meaning="p = (1 + permutations that do at least as well) / (1 + permutations). In many layers, contexts and models, one may do "
    "well by accident: so each value, in standard deviations of its own permutations (of R², by −log(1 − R²)), is compared with the "
    "best one that each permutation reaches anywhere in the report. Whether an order’s ends meet is announced only where the order "
    "can be read, and a relation only where a mean difference adds anything and the differences are parallel. Intervals leave out each pair or word in turn, of more than 30 one of 30 groups (jackknife), and use "
    "Student’s t.",
)


PROFILE = Term(
    name="Compared with chance, on the compare page",
    meaning="A metric’s effect is (value − chance) / (highest possible value − chance), shown at the depth where it is largest. "
    "For purity the highest possible value follows from the sizes of the categories; for the others it is 1. For the R² of an order "
    "chance is taken as 0, because permuted orders push R² down without bound. A ring is drawn where the metric isn’t shown to be "
    "above chance at any depth. Two models are compared over the words, or pairs, that both share; chance is worked out again for "
    "these words. So that the model with more layers isn’t favored, its depths are divided into as many runs of neighbors as the "
    "other model has depths, one depth is drawn from each, and the best of these counts: its mean over all draws is exact. For "
    "purity and silhouette the difference is the mean over categories of what each category contributes, and its error comes from how "
    "much the categories differ (t-test). With fewer than five categories it comes from the words (infinitesimal jackknife), so that the "
    "difference is one on this list. For relations and orders each pair or word is left out in turn (jackknife; groups, if there "
    "are more than 30); R² below 0 counts as 0. All differences of a report are one family of tests; their intervals hold "
    "together at the level of the family. In 2,000 simulated pairs of models with 6 and 30 depths and no other difference, at most 5\N{NO-BREAK SPACE}% "
    "of the differences in one metric had p < 0.05 and 0.5\N{NO-BREAK SPACE}% p < 0.01, each by itself.",
    sources=(sources.EFRON_1982, sources.SIDAK_1967),
)


UPDATES = (
    Term(
        name="What a layer adds",
        meaning="The output of a layer is its input, the residual stream, plus the updates of its parts. Which "
        "modules those are is found without their names: the smallest set inside the layer whose outputs sum to "
        "output − input on a few tokens, with a relative error of at most 1e-4 or of what rounding leaves next to a "
        "large stream. If the sum is normalized or scaled afterward, there is no such set, and the page says so. "
        "The sizes shown are mean norms over the reference words, at the token that is read; updates.csv also has "
        "position 0, the cosine with the stream that enters the layer, and the error of the sum.",
        sources=(sources.ELHAGE_2021,),
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
        sources=(sources.YU_2024, sources.SUN_2026),
    ),
    Term(
        name="Neurons set to a value",
        meaning="At a break, the fewest neurons of the layer’s MLP that write 95\N{NO-BREAK SPACE}% of its update of the dimension that "
        "changes most (at most eight, all of one sign) are set to zero, the words are captured again, and "
        "everything is measured again. A break is where the largest |x|, median over the words, grows most, by a "
        "factor of at least ten and to above 100. If the words are read at position 0, the same is also done with the neurons "
        "set to their mean over the words, at position 0 only: at every token, this mean would make every token "
        "massive. Plots show the mean, or zero where there is none. The control is the same number of other neurons "
        "of the same MLP: of those that write less than 1\N{NO-BREAK SPACE}% of the dimension, the ones with the largest mean "
        "|activation| × length of their weights. The same number of neurons drawn at random, twenty times, is set to "
        "zero in that layer alone. This is done for one context of a model, the first with a break. It shows that these neurons write the values, and what the states are "
        "without them. It doesn’t show that attention to position 0 ends, nor that the model would be better "
        "without them: its later layers were trained with what they write. Authors of a report may set other "
        "neurons, to zero, their mean or a number.",
        sources=(sources.SUN_2024,),
    ),
    Term(
        name="Next-token loss",
        meaning="How well a model predicts text: the cross-entropy of each token given those before it, in nats; a lower "
        "loss is better. It is measured with a break’s neurons as they are and set to a value, for models that predict "
        "the next token and have the output matrix for it. The text, which comes with tokviz unless the author names "
        "another, is tokenized once and cut into passages of 128 tokens; if the tokenizer puts a token before every "
        "text, each passage begins with it. Each passage’s loss is its mean over the predicted tokens; a change is "
        "the mean over passages of the loss with the neurons changed minus the loss without, and its standard error "
        "is the standard deviation of these differences divided by the root of their number (loss.csv).",
    ),
    Term(
        name="Attention to position 0",
        meaning="The weight that the token which is read gives to the first token of its text, mean over heads and "
        "over at most twelve reference words, spread evenly over the list; and the share of heads that give it more "
        "than 0.3 (attention.csv). Measured in a separate pass, with attention computed so that its weights can be "
        "read, in contexts in which the words are not at position 0 themselves. Weight that a head can give to no "
        "token at all, as in gpt-oss, is not counted for any token.",
        sources=(sources.GU_2025,),
    ),
)
