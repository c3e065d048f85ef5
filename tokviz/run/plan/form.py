"""Whether captures are of one form, so that it can be asked dimension by dimension and word by word what changed between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tokviz.records import HiddenStates
from tokviz.run.plan.inputs import Inputs
from tokviz.text import shown


def misfit(templates: Sequence[HiddenStates], reference: Sequence[HiddenStates], name: str) -> str | None:
    """What was expected of a capture and what it has; None where it is of one form with the reference, which has that name.

    Parameters
    ----------
    templates, reference : in each template of a context.
    """
    every = (_misfit(*each, name) for each in zip(templates, reference, strict=False))
    return next(filter(None, every), None)


def _misfit(states: HiddenStates, reference: HiddenStates, name: str) -> str | None:
    for what, expected, got in (
        ("layers", reference.n_depths - 1, states.n_depths - 1),
        ("dimensions", reference.card.width, states.card.width),
        ("dimensions at the embedding", reference.card.embedding_width, states.card.embedding_width),
    ):
        if got != expected:
            return f"expected the {expected} {what} of {name}, got {got}"
    if states.tokenization.read != reference.tokenization.read:
        return f"expected words read as in {name} ({reference.tokenization.read}), got {states.tokenization.read}"
    words, expected_words = states.tokenization.words, reference.tokenization.words
    for own, first in zip(words, expected_words, strict=False):
        if own.ids != first.ids:
            return f"expected the tokens of {name}, got others for {shown(own.word)} (name one tokenizer for all)"
    if len(words) != len(expected_words):  # of whole vocabularies
        return f"expected the {len(expected_words):,} words of {name}, got {len(words):,} (name one tokenizer for all)"
    return None


def side_by_side(a: Sequence[Inputs], b: Sequence[Inputs]) -> Iterator[tuple[Inputs, Inputs]]:
    """Both models' captures in each context that both have."""
    by_name = {each.states.context.name: each for each in b}
    return ((each, by_name[each.states.context.name]) for each in a if each.states.context.name in by_name)


def of_one_form(captured: Mapping[str, Sequence[Inputs]]) -> Iterator[tuple[str, str]]:
    """Each model with the first one of its architecture and, in any context, its form, by their slugs."""
    firsts: dict[str, Sequence[Inputs]] = {}
    for slug, own in captured.items():
        found = next(
            (first for first, others in firsts.items() if any(_are_alike(*each) for each in side_by_side(own, others))),
            None,
        )
        if found is None:
            firsts[slug] = own
        else:
            yield found, slug


def _are_alike(one: Inputs, other: Inputs) -> bool:
    """Small models of different architectures may have one form, but none of them came of the other."""
    is_of_one_type = one.states.card.model_type == other.states.card.model_type
    return is_of_one_type and misfit(one.templates, other.templates, "") is None
