"""Whether captures are of one form, so that it can be asked dimension by dimension and word by word what changed between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tokviz.records import HiddenStates


def misfit(states: HiddenStates, reference: HiddenStates, name: str) -> str | None:
    """What was expected of states and what they have; None where they are of one form with the reference, which has that name."""
    for what, expected, got in (
        ("layers", reference.n_depths - 1, states.n_depths - 1),
        ("dimensions", reference.card.width, states.card.width),
        ("dimensions at the embedding", reference.card.embedding_width, states.card.embedding_width),
    ):
        if got != expected:
            return f"expected the {expected} {what} of {name}, got {got}"
    if states.tokenization.read != reference.tokenization.read:
        return f"expected words read as in {name} ({reference.tokenization.read}), got {states.tokenization.read}"
    if [each.ids for each in states.tokenization.words] != [each.ids for each in reference.tokenization.words]:
        return f"expected the tokens of {name}, got others for the same words (one tokenizer must be named for all)"
    return None


def of_one_form(captured: Iterable[tuple[str, HiddenStates]]) -> Iterator[tuple[str, str]]:
    """Each model with the first one of its form and its architecture, by their slugs."""
    firsts: dict[str, HiddenStates] = {}
    for slug, states in captured:
        alike = (first for first, other in firsts.items() if _is_alike(states, other))
        found = next(alike, None)
        if found is None:
            firsts[slug] = states
        else:
            yield found, slug


def _is_alike(states: HiddenStates, other: HiddenStates) -> bool:
    """Small models of different architectures may have one form, but none of them came of the other."""
    return states.card.model_type == other.card.model_type and misfit(states, other, "") is None
