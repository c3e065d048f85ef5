"""What is said under a model's charts: at how many depths purity is announced, and what the curves lack."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tokviz.pages.text.sentences import depths_where, over_sentences
from tokviz.pages.text.trust import purity_in_plot
from tokviz.pages.text.wording import count, in_words, joined, joined_by_and
from tokviz.records import Claim, ContextReport, Geometry


def announced(context: ContextReport, geometry: Geometry) -> str:
    """At how many depths purity is shown to be above chance, and above the words' surface, in the model as it is."""
    label, claim, flat = context.states.context.label, geometry.purity.above_chance, purity_in_plot(geometry)
    n_known = int(np.isfinite(claim.score).sum())
    if context.rule is not None or not n_known:
        return ""
    if not claim.can_be_tested:
        return f" Whether purity of the words {label} is above chance can’t be tested with these words."
    claims = [(claim, flat.above_chance if flat else None)]
    has_surface = bool(np.isfinite(geometry.purity.surface))
    if has_surface:
        beside = flat.above_surface if flat and np.isfinite(flat.surface) else None
        claims.append((geometry.purity.above_surface, beside))
    by_sentence = over_sentences(
        claim.holds, claim.template_holds, context.states.context.templates, "purity is shown to be above chance"
    )
    if any(each.holds.any() for both in claims for each in both if each):
        chance, *surface = (_shown(*both) for both in claims)
        above = f", and above the words’ surface at {surface[0]}" if surface else ""
        said = f" Of {count(n_known, 'depth')}, purity of the words {label} is shown to be above chance at {chance}{above}."
    else:
        either = " or above the words’ surface" if has_surface else ""
        where = ", in all dimensions or in the plot" if flat else ""
        said = f" At no depth is purity of the words {label} shown to be above chance{either}{where}."
    return " ".join([said, *by_sentence])


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


def unscaled(context: ContextReport, geometry: Geometry) -> str:
    """Where purity without scaling is another one, by more than both intervals, and which dimensions make it so, if few do."""
    raw = geometry.purity_raw
    differs = np.isfinite(raw.without)
    if context.rule is not None or not differs.any():
        return ""
    named = [raw.named(depth, geometry.purity.value[depth]) for depth in np.flatnonzero(differs).tolist()]
    of_few = sorted(set().union(*named)) if all(named) else []
    why = f"mostly dimensions {joined(map(str, of_few))}" if of_few else "the dimensions’ scales differ"
    return (
        f" Without scaling, purity of the words {context.states.context.label} lies outside the interval at "
        f"{depths_where(differs)}: {why}."
    )


def without_neighbours(context: ContextReport, geometry: Geometry) -> str:
    """At how many depths the curves of purity lack a value, and why."""
    n_without = int((geometry.with_neighbours < geometry.least_with_neighbours).sum())
    if not n_without:
        return ""
    return (
        f" Purity is not given at {count(n_without, 'depth')} of the words {context.states.context.label}: "
        "too many words have identical states there for nearest neighbors to be defined."
    )


def without_change(geometry: Geometry) -> str:
    """Why there is no curve of change, if there is none."""
    least = geometry.stage_criteria.least_words
    if geometry.n_compared >= least or np.isfinite(geometry.change.cka).any():
        return ""
    return (
        f" Change from the previous depth (CKA) needs at least {count(least, 'word')}, and there "
        f"are {geometry.n_compared}: it is not given, and stages follow massive activations only."
    )
