"""What is said under a model's charts: at how many depths purity is announced, and what the curves lack."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tokviz.pages.text.sentences import depths_where, over_sentences
from tokviz.pages.text.trust import purity_in_plot
from tokviz.pages.text.wording import count, in_words, joined, joined_by_and
from tokviz.records import Claim, ContextReport, Geometry


def announced(measured: Sequence[tuple[ContextReport, Geometry]]) -> str:
    """At how many depths purity is shown to be above chance, and above the words' surface, in the model as it is."""
    said = ""
    for context, geometry in measured:
        known = int(np.isfinite(geometry.purity.above_chance.score).sum())
        if context.rule is not None or not known:
            continue
        if not geometry.purity.above_chance.can_be_tested:
            said += f" Whether purity of the words {context.states.context.label} is above chance can’t be tested with these words."
            continue
        flat = purity_in_plot(geometry)
        has_surface = bool(np.isfinite(geometry.purity.surface))
        tested = [geometry.purity, *((flat,) if flat else ())]
        claims = [each.above_chance for each in tested]
        claims += [each.above_surface for each in tested if has_surface and np.isfinite(each.surface)]
        claim = geometry.purity.above_chance
        by_sentence = over_sentences(
            claim.holds, claim.template_holds, context.states.context.templates, "purity is shown to be above chance"
        )
        if not any(each.holds.any() for each in claims):
            either = " or above the words’ surface" if has_surface else ""
            where = ", in all dimensions or in the plot" if flat else ""
            said += f" At no depth is purity of the words {context.states.context.label} shown to be above chance{either}{where}."
            said += "".join(f" {each}" for each in by_sentence)
            continue
        chance = _shown(geometry.purity.above_chance, flat.above_chance if flat else None)
        said += (
            f" Of {count(known, 'depth')}, purity of the words {context.states.context.label} is shown to be above "
            f"chance at {chance}"
        )
        if has_surface:
            surface = flat.above_surface if flat and np.isfinite(flat.surface) else None
            said += f", and above the words’ surface at {_shown(geometry.purity.above_surface, surface)}"
        said += "."
        said += "".join(f" {each}" for each in by_sentence)
    return said


def over_templates(contexts: Sequence[ContextReport]) -> str:
    """What charts show of contexts with several sentences."""
    several = [each.states.context for each in contexts if each.has_templates]
    if not several:
        return ""
    labels = joined_by_and(list(dict.fromkeys(each.label for each in several)))
    numbers = dict.fromkeys(len(each.templates) for each in several)
    of = f"{in_words(next(iter(numbers)))} sentences" if len(numbers) == 1 else "their sentences"
    measured = ["category purity", "silhouette", "effective rank", "relations", "orders"]
    if any(each.has_templates and each.lens and each.lens.named for each in contexts):
        measured.append("what is named")
    return (
        f" Of the words {labels}, {joined_by_and(measured)} are medians over {of}; "
        "vertical strokes reach from the lowest sentence to the highest."
        + "".join(_dropped(each) for each in contexts if each.has_templates)
    )


def _dropped(context: ContextReport) -> str:
    """How many words aren't measured, as they are read elsewhere in one of the sentences."""
    n_first = int(context.states.tokenization.reference.sum())
    n_all = context.geometry.n_reference if context.geometry else n_first
    if n_all == n_first:
        return ""
    return (
        f" {n_all} of {count(n_first, 'reference word')} {context.states.context.label} are measured, those that are reference words in "
        "every sentence."
    )


def controls_noted(contexts: Sequence[ContextReport]) -> str:
    """What grey curves are."""
    known = [each for each in contexts if each.untrained]
    if not known:
        return ""
    several = any(each.has_templates for each in known)
    which = ", of the first sentence; the thin line is the model’s own of it" if several else ""
    return (
        f" Gray, if shown: untrained models{which}. “All random”: every weight is random, in one draw. “Random layers”: the model’s own "
        "embedding, and random layers after it; the line is the median of five seeds, the band their range. Dashes are those of the "
        "model’s own lines."
    )


def _shown(claim: Claim, in_plot: Claim | None) -> str:
    """``31 (12 in the plot)``."""
    beside = f" ({_how_many(in_plot)} in the plot)" if in_plot else ""
    return f"{_how_many(claim)}{beside}"


def _how_many(claim: Claim) -> str:
    return f"{int(claim.holds.sum())}" if claim.holds.any() else "none"


def unscaled(measured: Sequence[tuple[ContextReport, Geometry]]) -> str:
    """Where purity without scaling is another one, by more than both intervals, and which dimensions make it so, if few do."""
    said = ""
    for context, geometry in measured:
        raw = geometry.purity_raw
        depths = np.flatnonzero(np.isfinite(raw.without)).tolist()
        if context.rule is not None or not len(depths):
            continue
        named = [raw.named(depth, geometry.purity.value[depth]) for depth in depths]
        of_few = sorted(set().union(*named)) if all(named) else []
        why = f"mostly dimensions {joined(map(str, of_few))}" if of_few else "the dimensions’ scales differ"
        said += (
            f" Without scaling, purity of the words {context.states.context.label} lies outside the interval at "
            f"{depths_where(np.isfinite(raw.without))}: {why}."
        )
    return said


def not_given(measured: Sequence[tuple[ContextReport, Geometry]]) -> str:
    """Which numbers of neighbours and of change the curves lack, and why."""
    said = ""
    for context, geometry in measured:
        n_without = int((geometry.with_neighbours < geometry.least_with_neighbours).sum())
        if n_without:
            said += (
                f" Purity is not given at {count(n_without, 'depth')} of the words {context.states.context.label}: "
                "too many words have identical states there for nearest neighbors to be defined."
            )
    first, criteria = measured[0][1], measured[0][1].stage_criteria
    if first.n_compared < criteria.least_words and not np.isfinite(first.change.cka).any():
        said += (
            f" Change from the previous depth (CKA) needs at least {count(criteria.least_words, 'word')}, and there "
            f"are {first.n_compared}: it is not given, and stages follow massive activations only."
        )
    return said
