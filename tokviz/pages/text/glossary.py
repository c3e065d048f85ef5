"""What the terms on the pages mean: where one first stands on a page it is explained, and the method page lists them all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A term, how it reads in a sentence, and what it means."""

    name: str
    pattern: str
    """A regular expression of whole words, in any case."""
    meaning: str

    @property
    def id(self) -> str:
        """``term-attention-sink``: of its definition, on every page."""
        return f"term-{self.name.lower().replace(' ', '-')}"


GLOSSARY = (
    Entry(
        name="attention sink",
        pattern=r"attention sinks?",
        meaning="A token, usually the first of a text, to which other tokens send attention that they don’t need elsewhere; many language models build one.",
    ),
    Entry(
        name="centered",
        pattern=r"centered",
        meaning="PCA of the hidden states as they are, only shifted to mean 0: dimensions with large values count most.",
    ),
    Entry(
        name="chance",
        pattern=r"chance",
        meaning="The value that a metric has on average when the categories are shuffled over the words.",
    ),
    Entry(
        name="CKA",
        pattern=r"CKA",
        meaning="Centered kernel alignment: how similar two arrangements of the same words are, whatever their rotation and "
        "scale. 1: the same, about 0: unrelated.",
    ),
    Entry(
        name="dominant",
        pattern=r"dominant",
        meaning="Of a dimension: it holds most of Σ x², the squared lengths of the hidden states, summed over the words.",
    ),
    Entry(
        name="hollow",
        pattern=r"hollow",
        meaning="A mark that isn’t filled: a word of several tokens, or one read at a different position than most words.",
    ),
    Entry(
        name="massive",
        pattern=r"massive",
        meaning="Of activations (the values of a hidden state): orders of magnitude larger than those of typical tokens.",
    ),
    Entry(
        name="mean norm",
        pattern=r"mean norm",
        meaning="The mean length of the words’ hidden states.",
    ),
    Entry(
        name="moderately large",
        pattern=r"moderately large",
        meaning="Of activations: less than massive, but far larger than those of typical tokens.",
    ),
    Entry(
        name="neuron",
        pattern=r"neurons?",
        meaning="One input of the matrix that produces an MLP’s output.",
    ),
    Entry(
        name="position 0",
        pattern=r"position[ \N{NO-BREAK SPACE}]0",
        meaning="The first position of a text. Many models build an attention sink there.",
    ),
    Entry(
        name="purity",
        pattern=r"(?:category )?purity",
        meaning="The share of a word’s nearest neighbors that are of its category, averaged over the words.",
    ),
    Entry(
        name="reference words",
        pattern=r"reference words?",
        meaning="The words read at the position that most words share. Axes are fitted and metrics are computed on them.",
    ),
    Entry(
        name="relative depth",
        pattern=r"relative depth",
        meaning="The depth divided by the number of layers: 0 % is the embedding, 100 % the last layer.",
    ),
    Entry(
        name="stage",
        pattern=r"stages?",
        meaning="A run of neighboring depths with similar geometry.",
    ),
    Entry(
        name="standardized",
        pattern=r"standardized",
        meaning="PCA after every dimension is scaled to the same standard deviation, so that all dimensions count the same.",
    ),
    Entry(
        name="trustworthiness",
        pattern=r"trustworthiness",
        meaning="Whether words near each other in a plot are so in all dimensions, too. 1: all are.",
    ),
    Entry(
        name="typical token",
        pattern=r"typical tokens?",
        meaning="A token in a context in which words are not read at position 0. Large values are compared with the median "
        "|x| of such tokens.",
    ),
    Entry(
        name="update",
        pattern=r"updates?",
        meaning="What a part of a layer, such as attention or the MLP, adds to a hidden state.",
    ),
    Entry(
        name="write",
        pattern=r"writes?(?= )",
        meaning="To add a value to a dimension of the hidden state. A writer is a neuron, head or expert that adds much of it.",
    ),
)
"""In alphabetical order."""
