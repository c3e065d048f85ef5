"""What each layer would say, as measures that charts show over depth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tokviz.pages.charts.measures import ControlKind, Measure
from tokviz.pages.text import sources
from tokviz.pages.text.parts import Term
from tokviz.pages.text.wording import whole_percent
from tokviz.records import ContextReport, Directions, Geometry, LensMeasure, Relation

FIRM = " Without a band where the two halves of the text disagree about the lens."


def lens_measures(relations: Sequence[Relation]) -> tuple[Measure, ...]:
    """Of how many words their category is named, of how many they themselves, and of how many pairs the second word."""
    return (
        Measure(
            name="Category named",
            caption="Share of words of which the name of their own category scores highest of all categories’ names. Dotted: chance."
            + FIRM,
            definition=lambda _: TERM,
            read=_named,
            of_lens=_beside_named,
            write=whole_percent,
        ),
        Measure(
            name="Word itself named",
            caption="Share of words of which their own first token scores highest of all words’ first tokens. Dotted: chance."
            + FIRM,
            definition=lambda _: TERM,
            read=_own,
            of_lens=lambda context: _beside(context.lens.own if context.lens else None),
            write=whole_percent,
        ),
        *(_of_relation(index, each) for index, each in enumerate(relations)),
    )


def _named(context: ContextReport, _: Geometry) -> LensMeasure | None:
    return context.lens.named if context.lens else None


def _own(context: ContextReport, _: Geometry) -> LensMeasure | None:
    return context.lens.own if context.lens else None


def _beside_named(context: ContextReport) -> dict[ControlKind, np.ndarray]:
    lens = context.lens
    if lens is None:
        return {}
    return _beside(lens.named) | ({} if lens.untrained is None else {"random": lens.untrained})


def _beside(measure: LensMeasure | None) -> dict[ControlKind, np.ndarray]:
    return {} if measure is None else {"chance": measure.null_mean, "logit": measure.logit}


def _of_relation(index: int, relation: Relation) -> Measure:
    def found(context: ContextReport) -> LensMeasure | None:
        measured = context.lens.relations if context.lens else ()
        return measured[index] if index < len(measured) else None

    def read(context: ContextReport, _: Geometry) -> LensMeasure | None:
        return found(context)

    def of_lens(context: ContextReport) -> dict[ControlKind, np.ndarray]:
        return _beside(found(context))

    return Measure(
        name=f"Second word named, {relation.label}",
        caption="Share of pairs of which, read from the first word, the first token of the second scores highest among all words of its "
        "category; those that share a token with the first word don’t count. Dotted: chance." + FIRM,
        definition=lambda _: TERM,
        read=read,
        of_lens=of_lens,
        write=whole_percent,
    )


TERM = Term(
    name="What each layer would say (Jacobian lens)",
    meaning="How a token’s score at the end of the model grows with a hidden state: the derivative, averaged over "
    f"{Directions.N_PASSAGES['names']} passages of {Directions.N_TOKENS} tokens for the names of categories "
    f"({Directions.N_PASSAGES['words']} for words) and over all their positions but the first {Directions.N_LEFT_OUT}. It gives a "
    "direction for each token and depth; a token’s score is the product of its direction and a word’s state, standardized over the "
    "words, so that what all words share counts for none. The lens is fitted on either half of the passages as well: where the rank "
    f"correlation between the scores of both is below {LensMeasure.LEAST_AGREEMENT} (of one of the categories’ names; else on average), "
    "nothing is announced. A category is named where its name scores highest of all categories’ names; chance is the categories shuffled "
    "over the words, capitalized ones among themselves. As the words of a category lie together, so that any name is right for many of "
    "them or for none, names must also do better than names exchanged between categories of one case, at all depths; with fewer than five "
    "such categories that can’t be tested. "
    "The logit lens takes the last layer’s directions at every depth. This is an average, linear "
    "reading: it shows what the rest of the network would do with a state on average, not what it does with this one. A name may be read "
    "because it is associated with the word: Paris stands near France in text, too. Words at position 0 are not what the lens was "
    "fitted on.",
    sources=(sources.VERBALIZABLE_2026, sources.NOSTALGEBRAIST_2020),
)
