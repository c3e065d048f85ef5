"""The captures of one model: which there are, what each follows from, what is stored of it, and why the rest must be made.

``captures`` says it to whoever asks: to the plan of a report, to the process that captures, before and after it has the model's own
states, and through the plan to ``--dry-run`` and pruning. Whoever adds a capture of a new kind says here when it is due, and in
``tokviz.run.capturing`` how it is made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tokviz import models
from tokviz.errors import SourceError
from tokviz.records import Context, HiddenStates, Loss, ModelCard, Tokenization
from tokviz.run.plan import interventions
from tokviz.run.plan.controls import Control, are_wanted, controls_of
from tokviz.run.plan.interventions import Wanted
from tokviz.run.plan.lenses import Fit
from tokviz.run.plan.losses import LossText
from tokviz.run.plan.request import Request, Template
from tokviz.run.plan.steps import FORCED
from tokviz.run.plan.tree import Capture, ContextPlan, Following, ModelPlan, What
from tokviz.run.store import keys
from tokviz.run.store.artefacts import Store, folder_of

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
    return tuple(_Walk(request=request, store=store, made=made, loaded=loaded).contexts())


def due_request(model: ModelPlan) -> Request:
    """What of a model is due."""
    request, contexts = model.request, model.contexts
    due = frozenset(each.key for each in contexts if each.first_due)
    anew = frozenset(each.key for context in contexts for each in context.templates if each.due)
    stays = (each.first.states for each in contexts if each.first.states and each.first.due is None)
    return replace(
        request,
        contexts=tuple(
            replace(asked, may_break=each.may_break) for asked, each in zip(request.contexts, contexts, strict=True)
        ),
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
class _Walk:
    """From what is stored to what follows from it."""

    request: Request
    store: Store
    made: Collection[str]
    loaded: Loaded | None

    def contexts(self) -> Iterator[ContextPlan]:
        found = [tuple(map(self._template, each.templates)) for each in self.request.contexts]
        firsts = [first for first, *_ in found]
        broken = interventions.first_breaking([each.states if each.due is None else None for each in firsts])
        fits = tuple(self._fits(firsts))
        for index, (asked, (first, *further)) in enumerate(zip(self.request.contexts, found, strict=True)):
            may_break = asked.may_break and (broken is None or index <= broken)
            follows = first.states is not None and self._is_asked(first)
            yield ContextPlan(
                model=self.request.model,
                first=first,
                further=tuple(further),
                may_break=may_break,
                following=tuple(self._following(first, breaks=may_break and index == broken)) if follows else (),
                fits=fits if index == 0 else (),
            )

    def _is_asked(self, first: Capture[Template]) -> bool:
        return self.request.due is None or first.key in self.request.due

    def _template(self, template: Template) -> Capture[Template]:
        states = self._stored(template.key, template.context)
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
        return None if models.is_same(request.identity, states.card.identity) else "the model's files changed"

    def _stored(self, key: str, context: Context) -> HiddenStates | None:
        """The states under the context's present name and label, which aren't part of their key."""
        states = self.store.find_states(key)
        return states and replace(states, context=context)

    # --- what follows from states --------------------------------------------------------------------------------------

    def _following(self, first: Capture[Template], *, breaks: bool) -> Iterator[Following[Any]]:
        """``breaks``: whether the break in it is switched off."""
        assert first.states is not None
        yield from self._interventions(first.key, first.states, breaks=breaks)
        yield from self._controls(first.key, first.states)
        if breaks:
            yield from self._loss(first.key, first.states)

    def _interventions(self, intact_key: str, intact: HiddenStates, *, breaks: bool) -> Iterator[Following[Wanted]]:
        """Due also where the model isn't at hand, so that what is asked for isn't missing without a word."""
        asked = (*(interventions.of_break(intact) if breaks else ()), *self.request.by_hand)
        found = {each: keys.intervention_key(intact_key, each.key_parts) for each in asked}
        drawn = interventions.drawn(each for each, key in found.items() if self.store.failure(key) is None)
        for each, key in found.items():
            own = replace(each, is_drawn=each in drawn)
            made = self._follows(own, key, intact_key, intact, f"{each.described} not captured yet")
            yield replace(made, states=made.states and replace(made.states, context=each.context(intact.context)))

    def _controls(self, intact_key: str, intact: HiddenStates) -> Iterator[Following[Control]]:
        model = self.request.model
        for each in controls_of(model) if are_wanted(self.request.untrained, intact.card) else ():
            key = keys.control_key(intact_key, each.key_parts(model))
            made = self._follows(each, key, intact_key, intact, "untrained model not captured yet")
            is_due = made.due and (intact_key in self.made or self._is_at_hand())
            yield made if is_due else replace(made, due=None)

    def _follows(self, what: What, key: str, intact_key: str, intact: HiddenStates, reason: str) -> Following[What]:
        """States that follow from ``intact``.

        Due where these were made a moment ago, or none of the same model are stored and nothing says that there can't be any.
        """
        states, failure = self.store.find_states(key), self.store.failure(key)
        is_there = states is not None and states.card.identity == intact.card.identity
        due = intact_key in self.made or not (is_there or failure is not None)
        return Following(
            what=what,
            key=key,
            intact=intact,
            states=states if is_there else None,
            due=reason if due else None,
            failure=failure,
        )

    def _loss(self, intact_key: str, intact: HiddenStates) -> Iterator[Following[LossText]]:
        text = self.request.loss_text
        if text is None or (key := text.key(intact)) is None:
            return
        due = intact_key in self.made or (not self.store.has(key, Loss) and self._is_at_hand())
        yield Following(
            intact=intact, what=text, key=key, folder=folder_of(Loss), due="not measured yet" if due else None
        )

    def _fits(self, firsts: Sequence[Capture[Template]]) -> Iterator[Capture[Fit]]:
        """Of the model's lens; as long as some contexts were never captured it isn't known what is read."""
        request = self.request
        if request.lenses is None or (request.due is not None and not any(map(self._is_asked, firsts))):
            return
        if self.loaded is not None:
            card, texts = self.loaded
            tokenizations = [texts[each.what.context.template] for each in firsts]
        else:
            known = [each.states for each in firsts if each.states is not None and each.due in (None, FORCED)]
            if len(known) < len(firsts):
                return
            card, tokenizations = known[0].card, [each.tokenization for each in known]
        with_random = are_wanted(request.untrained, card)
        for fit in request.lenses.fits(request.model, card, tokenizations, with_random=with_random):
            states, failure = self.store.find_states(fit.key), self.store.failure(fit.key)
            stored = replace(fit, is_forced=True) if request.is_forced else fit.as_stored(states)
            is_there = failure is not None or (states is not None and stored.is_whole)
            reason = FORCED if request.is_forced else None if is_there else "lens not fitted yet"
            due = reason if reason and self._is_at_hand() else None
            yield Capture(what=stored, key=fit.key, states=states if is_there else None, due=due, failure=failure)

    def _is_at_hand(self) -> bool:
        """Whether the model can be loaded, as far as is known: what was captured elsewhere is shown without its loss, too."""
        model, base = self.request.model, self.request.base
        if self.request.due is not None:
            return True
        try:
            models.check(model, base)
            models.require_packages(model)
        except SourceError:
            return False
        return models.identity(model, base) is not None or models.is_downloaded_apart(model, base)
