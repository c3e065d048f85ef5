"""The captures of one model: which there are, what each follows from, what is stored of it, and why the rest must be made.

``captures`` says it to whoever asks: to the plan of a report, to the process that captures, before and after it has the model's own
states, and through the plan to ``--dry-run`` and pruning. Of what is captured beside states,
its kind says it (``tokviz.run.kinds``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tokviz import models
from tokviz.errors import SourceError
from tokviz.records import HiddenStates, ModelCard, Tokenization
from tokviz.run.kinds.base import FORCED, Capture, Kind, Walk
from tokviz.run.plan.request import Request, Template
from tokviz.run.plan.tree import ContextPlan, ModelPlan
from tokviz.run.store.artefacts import Store

Loaded = tuple[ModelCard, Mapping[str, Tokenization]]
"""What is known once a model is loaded: its card, and by template the words of each context."""


def captures(
    request: Request, store: Store, made: Collection[str] = (), loaded: Loaded | None = None
) -> tuple[ContextPlan, ...]:
    """All that there is to capture of a model, context by context, as far as what is stored tells it.

    Parameters
    ----------
    made : the keys of what has been captured a moment ago: what follows from that is due, too.
    loaded : what is known of the model itself; by default what its states tell.
    """
    walk = _Walk(
        model=request.model, store=store, made=made, is_forced=request.is_forced, request=request, loaded=loaded
    )
    return tuple(walk.contexts())


def due_request(model: ModelPlan) -> Request:
    """What of a model is due."""
    request, contexts = model.request, model.contexts
    due = frozenset(each.key for each in contexts if each.first_due)
    anew = frozenset(each.key for context in contexts for each in context.templates if each.due)
    stays = (each.first.states for each in contexts if each.first.states and each.first.due is None)
    return replace(
        request,
        n_breaking=sum(each.may_break for each in contexts),
        captured_from=next((states.card.identity for states in stays), None),
        due=due | anew,
        anew=anew,
    )


def still_due(request: Request, store: Store) -> Request:
    """What another run hasn't captured meanwhile."""
    now = replace(request, due=None, is_forced=False, identity=models.identity(request.model, request.base))
    found = due_request(ModelPlan(request=now, contexts=captures(now, store)))
    due = request.due & found.due if request.due and found.due else frozenset()
    return replace(request, due=due, anew=found.anew & due)


@dataclass(frozen=True, kw_only=True)
class _Walk(Walk):
    """From what is asked for to what there is of it."""

    request: Request
    loaded: Loaded | None

    def contexts(self) -> Iterator[ContextPlan]:
        found = [tuple(map(self._template, each)) for each in self.request.contexts]
        firsts = [first for first, *_ in found]
        broken = next((index for index, each in enumerate(firsts) if each.due is None and _breaks(each.states)), None)
        of_model = {type(kind): tuple(self._of_model(kind, firsts)) for kind in self.request.asked if kind.is_of_model}
        for index, (first, *further) in enumerate(found):
            may_break = index < self.request.n_breaking and (broken is None or index <= broken)
            beside = self._beside(first, breaks=may_break and index == broken)
            yield ContextPlan(
                model=self.request.model,
                first=first,
                further=tuple(further),
                may_break=may_break,
                beside=beside | of_model if index == 0 else beside,
            )

    def _is_asked(self, first: Capture[Template]) -> bool:
        return self.request.due is None or first.key in self.request.due

    def _template(self, template: Template) -> Capture[Template]:
        states = self.store.find_states(template.key)
        # Under the context's present name and label, which aren't part of the key.
        states = states and replace(states, context=template.context)
        return Capture(what=template, key=template.key, states=states, due=self._template_due(template.key, states))

    def _template_due(self, key: str, states: HiddenStates | None) -> str | None:
        request = self.request
        if key in self.made:
            return None
        if request.due is not None:
            return "asked for" if key in request.anew or (key in request.due and states is None) else None
        if states is None:
            return "not captured yet"
        if request.is_forced:
            return FORCED
        is_same = models.is_same(request.identity, states.card.identity)
        return None if is_same else "the model's files changed, or its sha256 in the configuration"

    # --- beside the states -------------------------------------------------------------------------------------------

    def _beside(
        self, first: Capture[Template], *, breaks: bool
    ) -> dict[type[Kind[Any, Any]], tuple[Capture[Any], ...]]:
        """What follows from the states of a context; ``breaks``: whether the break in it is switched off."""
        states = first.states
        if states is None or not self._is_asked(first):
            return {}
        found = ((kind, kind.of_context(self, first.key, states, breaks=breaks)) for kind in self.request.asked)
        return {type(kind): tuple(captures) for kind, captures in found}

    def _of_model(self, kind: Kind[Any, Any], firsts: Sequence[Capture[Template]]) -> Iterator[Capture[Any]]:
        """As long as some contexts were never captured it isn't known what their words are."""
        if self.request.due is not None and not any(map(self._is_asked, firsts)):
            return
        if self.loaded is not None:
            card, texts = self.loaded
            tokenizations = [texts[each.what.context.template] for each in firsts]
        else:
            known = [each.states for each in firsts if each.states is not None and each.due in (None, FORCED)]
            if len(known) < len(firsts):
                return
            card, tokenizations = known[0].card, [each.tokenization for each in known]
        yield from kind.of_model(self, card, tokenizations)

    @cached_property
    def is_at_hand(self) -> bool:
        request = self.request
        if request.due is not None:
            return True
        try:
            models.check(request.model, request.base)
            models.require_packages(request.model)
        except SourceError:
            return False
        known = request.identity or models.identity(request.model, request.base)
        return known is not None or models.is_downloaded_apart(request.model, request.base)


def _breaks(states: HiddenStates | None) -> bool:
    return bool(states and states.updates and states.updates.breaking)
