"""One model's captures, as a piece of work that can be done in this process or anywhere else."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz import models
from tokviz.config import CheckpointConfig, ModelConfig, install
from tokviz.errors import BackendError, CaptureError, DiskFullError, SourceError
from tokviz.models.in_memory import PREFIX as IN_MEMORY
from tokviz.records import Batching, Context, HiddenStates, Loss, ModelCard, Tokenization, Updates, WordList
from tokviz.run.capturing import intervening
from tokviz.run.capturing.controlling import capture_controls
from tokviz.run.capturing.dates import now
from tokviz.run.capturing.folders import folders_for
from tokviz.run.capturing.intervening import Ready
from tokviz.run.capturing.lens_fitting import Fitted, fit_lens, is_fitted
from tokviz.run.capturing.losing import measure_loss
from tokviz.run.plan import interventions
from tokviz.run.plan.controls import MOST_PARAMETERS, Control, are_wanted, controls_of
from tokviz.run.plan.interventions import Wanted
from tokviz.run.plan.lenses import Fit, Lenses
from tokviz.run.plan.losses import LossText
from tokviz.run.store import keys
from tokviz.run.store.locks import Locks
from tokviz.run.store.states_file import CaptureDescription
from tokviz.run.store.store import Store
from tokviz.run.work.progress import Reporter

if TYPE_CHECKING:
    from torch import nn

    from tokviz.capture import Structure, Sublayers

_BYTES = 4
"""Of a parameter."""
_OF_MODELS = ("torch", "transformers", "accelerate", "gguf", "huggingface_hub", "tokenizers", "tqdm")
"""What ``[models]`` installs."""


@dataclass(frozen=True, kw_only=True)
class ContextRequest:
    """One context of a model."""

    key: str
    """Under which its states are stored."""
    context: Context
    is_due: bool
    """Whether anything of it must be captured."""
    intact_is_due: bool
    """Whether the states of the model as it is are; else only those with neurons set to a value."""
    may_break: bool
    """Whether a break that is found in it is to be switched off; it isn't where an earlier context has one."""
    is_measured_only: bool = False
    """Whether it is one of a context's further templates: nothing is asked but its states."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """The captures of one model that are due."""

    model: ModelConfig
    base: Path
    """The config's folder; absolute when another process is to look there."""
    device: str
    contexts: tuple[ContextRequest, ...]
    """All, in the order of the configuration."""
    words: WordList
    read: str
    token_budget: int
    n_depths: int | None = None
    """How many depths are asked for, from the embedding on; None for all."""
    by_hand: tuple[Wanted, ...] = ()
    """What the author wants to see with neurons set to a value."""
    loss_text: LossText | None = None
    """What the model is to predict with a break's neurons set to a value; None where they aren't."""
    lenses: Lenses | None = None
    """What is read of the model's layers; None where nothing is."""
    untrained: bool | None = False
    """Whether untrained controls of the model are wanted; None where that follows from its size."""
    captured_from: str | None = None
    """The identity of the model that stored states come from which are to stay; None where all are captured now."""
    is_forced: bool = False
    """Whether what is stored is made again."""
    waits: bool = True
    """Whether to wait for another run that captures the same."""
    epoch: str | None = field(default_factory=lambda: os.environ.get("SOURCE_DATE_EPOCH"))

    @property
    def due(self) -> list[ContextRequest]:
        return [each for each in self.contexts if each.is_due]

    def wanted(self, store: Store) -> list[tuple[ContextRequest, HiddenStates, Wanted]]:
        """What follows from the states that are stored: in which context, from which states, what is set to a value."""
        found, broken = [], False
        for each in self.due:
            states = None if each.is_measured_only else store.find_states(each.key)
            if states is None:
                continue
            of_break = interventions.of_break(states) if each.may_break and not broken else ()
            broken = broken or bool(of_break)
            found += [(each, states, wanted) for wanted in (*of_break, *self.by_hand)]
        return found

    def controls(self, store: Store) -> list[tuple[ContextRequest, HiddenStates, Control]]:
        """What follows from the states that are stored: in which context, from which states, which control."""
        known = ((each, store.find_states(each.key)) for each in self.due if not each.is_measured_only)
        return [
            (each, states, control)
            for each, states in known
            if states is not None and are_wanted(self.untrained, states.card)
            for control in controls_of(self.model)
        ]

    def fits(self, card: ModelCard, texts: Mapping[str, Tokenization]) -> tuple[Fit, ...]:
        """The directions of the model's lens; ``texts``: by template the words of each context."""
        if self.lenses is None or not any(each.is_due for each in self.contexts):
            return ()
        tokenizations = [texts[each.context.template] for each in self.contexts if not each.is_measured_only]
        return self.lenses.fits(self.model, card, tokenizations, with_random=are_wanted(self.untrained, card))

    def loss(self, store: Store) -> tuple[ContextRequest, HiddenStates, str] | None:
        """What follows from the states that are stored: of which context the loss is measured, and its key."""
        of_break = next(((each, states) for each, states, wanted in self.wanted(store) if wanted.rule == "off"), None)
        if of_break is None or self.loss_text is None:
            return None
        key = self.loss_text.key(of_break[1])
        return None if key is None else (*of_break, key)


def capture_here(request: Request, store: Store, reporter: Reporter) -> None:
    """Load the model once, capture every context that is due, store each as soon as it is there.

    Raises ``ModelError``; the contexts captured before stay stored. ``DeviceError``, ``BackendError``: no model can be
    captured so.
    """
    due = [each.key for each in request.due]
    say_of_hub = models.Once(reporter.say)
    models.try_to_connect(request.model, request.base, say_of_hub)
    try:
        # The first time takes seconds.
        step = None if "transformers" in sys.modules else reporter.step("Loading PyTorch and transformers")
        if step is None and not request.model.source.startswith(IN_MEMORY):
            gc.collect()  # the memory of the model before is free
        models.load_libraries()
        if step is not None:
            step.advance()
        models.require_device(request.device)
        locks = Locks(waits=request.waits, say=reporter.say)
        with locks.on_captures(store.root, due) as others_were_first:
            if others_were_first:
                request = _still_due(request, store)
            if request.due:
                folders = folders_for(request.model, request.base, request.captured_from, store, locks)
                blamed = models.callers_code_blamed_of(request.model.source)
                with models.quiet_transformers(), models.with_settings_of_its_own(), blamed, folders as made:
                    _capture(request, store, reporter, made, say_of_hub)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _OF_MODELS:  # one that this kind of model needs
            raise SourceError(
                f"{request.model.source}: expected the package {package} for this kind of model, found none; install it"
            ) from error
        raise BackendError(
            f"{request.model.display_name} is not captured yet, and here {package} is not installed; {install('models')}, or "
            "capture elsewhere with --capture-only and copy the cache"
        ) from error
    except DiskFullError as error:
        raise CaptureError(f"{request.model.source}: {error}") from error  # a smaller model may have room


def _still_due(request: Request, store: Store) -> Request:
    """What another run hasn't captured meanwhile."""
    identity = models.identity(request.model, request.base)

    def intact_is_due(each: ContextRequest) -> bool:
        states = store.find_states(each.key)
        return each.is_due and (states is None or not models.is_same(identity, states.card.identity))

    contexts = tuple(replace(each, intact_is_due=intact_is_due(each)) for each in request.contexts)
    missing = {
        each.key
        for each, states, wanted in replace(request, contexts=contexts).wanted(store)
        if _is_missing(keys.intervention_key(each.key, wanted.key_parts), states, store)
    }
    missing |= {each.key for each, _, _ in _missing_controls(replace(request, contexts=contexts), store)}
    if _misses_a_fit(replace(request, contexts=contexts), store):
        missing.add(contexts[0].key)
    loss = replace(request, contexts=contexts).loss(store)
    # A store lists its files once: what another run has written since, a new one finds.
    if loss and not Store(store.root).has(loss[2], Loss):
        missing.add(loss[0].key)
    return replace(
        request,
        contexts=tuple(replace(each, is_due=each.intact_is_due or each.key in missing) for each in contexts),
    )


def _misses_a_fit(request: Request, store: Store) -> bool:
    """Whether directions of the lens are missing; not known before all contexts are captured, as some are due themselves then."""
    found = {
        each.context.template: store.find_states(each.key) for each in request.contexts if not each.is_measured_only
    }
    states = [each for each in found.values() if each is not None]
    if len(states) < len(found):
        return False
    texts = {template: each.tokenization for template, each in found.items() if each is not None}
    fresh = Store(store.root)  # as a store lists its files once
    return any(not is_fitted(each, fresh) for each in request.fits(states[0].card, texts))


def _missing_controls(
    request: Request, store: Store, renewed: Collection[str] = ()
) -> list[tuple[ContextRequest, HiddenStates, Control]]:
    """``renewed``: keys of states that have just been captured, whose controls are captured, too."""
    return [
        (each, states, control)
        for each, states, control in request.controls(store)
        if each.key in renewed
        or _is_missing(keys.control_key(each.key, control.key_parts(request.model)), states, store)
    ]


def _is_missing(key: str, intact: HiddenStates, store: Store) -> bool:
    """Whether states that follow from a model's own, under ``key``, are neither stored nor known to fail."""
    made = store.find_states(key)
    return store.failure(key) is None and (made is None or made.card.identity != intact.card.identity)


def _capture(
    request: Request, store: Store, reporter: Reporter, folders: models.Folders, say_of_hub: models.Once
) -> None:
    from tokviz import capture

    name = request.model.display_name
    # Another machine's store may not have what is stored here.
    due = [each for each in request.due if each.intact_is_due or store.find_states(each.key) is None]
    step = reporter.step(f"{name}: loading")
    use = models.Use(with_head=request.loss_text is not None or request.lenses is not None, texts=_texts(request))
    loaded = models.load(request.model, request.base, request.device, folders, use, say_of_hub)
    if request.captured_from is not None and models.is_same(loaded.card.identity, request.captured_from):
        # What follows from states that stay is found under the identity that those were stored with.
        loaded = replace(loaded, card=replace(loaded.card, identity=request.captured_from))
    with models.ended_after(_BYTES * (loaded.card.n_parameters or 0)):  # one word goes through the model
        structure = capture.find_structure(loaded.module, loaded.base_model_prefix).up_to(request.n_depths)
    with models.ended_after(0):
        texts = {
            each.context.template: _tokenized(loaded.tokenizer, request, each.context) for each in request.contexts
        }
    step.advance()
    for each in request.contexts:
        if each.context.further_templates:
            capture.require_alike(each.context, texts)
    tokenizations = [texts[each.context.template] for each in due]
    for tokenization, each in zip(tokenizations, due, strict=True):
        capture.require_fitting(loaded.module, structure, tokenization, each.context)
    ready = Ready(
        name=name,
        loaded=loaded,
        structure=structure,
        sublayers=_sublayers(loaded, structure, by_hand=bool(request.by_hand)),
        token_budget=request.token_budget,
        texts={
            each.context.template: texts[each.context.template]
            for each in request.contexts
            if not each.is_measured_only
        },
    )
    intervening.require_neurons(ready, request.by_hand)
    for group in _groups(loaded.module, due, tokenizations):
        together = [(due[index], tokenizations[index]) for index in group]
        _capture_together(ready, together, store, reporter, request.epoch)
    renewed = {each.key for each in due}
    for each, states, wanted in request.wanted(store):
        key = keys.intervention_key(each.key, wanted.key_parts)
        if each.key in renewed or _is_missing(key, states, store):
            intervening.capture_with(ready, states, each.key, wanted, store, reporter)
    _capture_beside(ready, request, renewed, store, reporter)


def _capture_beside(ready: Ready, request: Request, renewed: Collection[str], store: Store, reporter: Reporter) -> None:
    """What of the model is captured beside its states; ``renewed``: the keys of those that were captured now."""
    name, card = ready.name, ready.loaded.card
    if request.untrained is None and not are_wanted(None, card) and not isinstance(request.model, CheckpointConfig):
        reporter.say(
            f"{name}: no untrained models, as it has more than {MOST_PARAMETERS:,} parameters; untrained = true in its own table "
            "asks for them"
        )
    of_random = _fit_lens(ready, request, store, reporter)
    untrained = [(each.key, states, control) for each, states, control in _missing_controls(request, store, renewed)]
    if untrained or of_random:
        capture_controls(ready, request.model, untrained, store, reporter, of_random)
    loss = request.loss(store)
    if loss and request.loss_text and (loss[0].key in renewed or not store.has(loss[2], Loss)):
        step = reporter.step(f"{name}: measuring the next-token loss")
        store.put(loss[2], measure_loss(ready, loss[1], request.loss_text))
        step.advance()


def _fit_lens(ready: Ready, request: Request, store: Store, reporter: Reporter) -> tuple[Fit, Fitted] | None:
    """Fit what is missing of the model's own lens; returns what is to be fitted in its control, and on what."""
    if request.lenses is None:
        return None
    fits = request.fits(ready.loaded.card, ready.texts)
    missing = [each for each in fits if request.is_forced or not is_fitted(each, store)]
    fitted = Fitted.of(ready, request.lenses.text, now(request.epoch))
    own, of_random = ([each for each in missing if (each.kind == "random") is asked] for asked in (False, True))
    fit_lens(fitted, own, store, reporter, ready.name)
    reason = next((store.failure(each.key) for each in fits if each.kind == "names"), None)
    for each in of_random if reason else ():
        store.put_failure(each.key, str(reason))
    return (of_random[0], fitted) if of_random and not reason else None


def _groups(module: nn.Module, due: Sequence[ContextRequest], tokenizations: Sequence[Tokenization]) -> list[list[int]]:
    """Which of the requests go through the model together, by their indices.

    One after the other where nothing is gained by more, so that a run which is killed keeps those that it had; but the further
    templates of a context at once, as one check of their batches does for all, or those of all contexts, where weights are read in
    every pass.
    """
    from tokviz import capture

    drawn = [index for index, each in enumerate(due) if not each.is_measured_only]
    sharing = capture.sharing_passes(module, [tokenizations[index] for index in drawn])
    further: dict[str, list[int]] = {}
    for index, each in enumerate(due):
        if each.is_measured_only:
            further.setdefault("" if capture.is_streamed(module) else each.context.name, []).append(index)
    return [*([drawn[place] for place in group] for group in sharing if group), *further.values()]


def _sublayers(loaded: models.LoadedModel, structure: Structure, *, by_hand: bool) -> Sublayers | None:
    """None where weights are read in every pass, unless neurons are asked for ``by_hand``."""
    from tokviz import capture

    if capture.is_streamed(loaded.module) and not by_hand:
        return None
    try:
        return capture.find_sublayers(loaded.module, structure)
    except Exception:  # noqa: BLE001 - what a layer adds is beside the capture: it costs a section of a page, not the model
        return None


def _capture_together(
    ready: Ready,
    contexts: list[tuple[ContextRequest, Tokenization]],
    store: Store,
    reporter: Reporter,
    epoch: str | None,
) -> None:
    """Capture and store some contexts."""
    from tokviz import capture

    loaded, structure = ready.loaded, ready.structure
    card = replace(loaded.card, notes=(*loaded.card.notes, *structure.notes))
    labels = " and ".join(dict.fromkeys(each.context.label for each, _ in contexts))
    tokenizations = [tokenization for _, tokenization in contexts]
    step = reporter.step(f"{ready.name}: capturing, {labels}", sum(len(each.words) for each in tokenizations))
    captured = capture.capture_together(
        loaded.module, structure, tokenizations, ready.token_budget, on_progress=step.advance
    )
    ready.limits.update((each.context.template, captured.limits) for each, _ in contexts)
    with ExitStack() as open_files:
        writers = [
            open_files.enter_context(
                store.states_writer(
                    each.key,
                    CaptureDescription(
                        card=card,
                        context=each.context,
                        tokenization=tokenization,
                        module_paths=structure.module_paths,
                        captured_at=now(epoch),
                        batch_check=captured.check,
                    ),
                )
            )
            for each, tokenization in contexts
        ]
        for index, batch in captured:
            writers[index].add(batch)
        for writer, tokenization, (each, _) in zip(writers, tokenizations, contexts, strict=True):
            if each.is_measured_only:
                continue
            writer.attention = intervening.attention(ready, {each.context.template: tokenization})
            writer.updates = _updates(ready, tokenization, writer.states, captured.check.batching)


def _updates(
    ready: Ready, tokenization: Tokenization, states: Sequence[np.ndarray], batching: Batching
) -> Updates | None:
    """None where weights are read in every pass."""
    from tokviz import capture
    from tokviz.measure import writers

    module, structure = ready.module, ready.structure
    if ready.sublayers is None or capture.is_streamed(module):
        return None
    batches = capture.words_to_run(module, structure, tokenization, batching, ready.token_budget)
    rows = np.sort(np.concatenate(batches))
    of_words = [state[rows] for state in states]
    changes = capture.Changes(dimensions=writers.changing_dimensions(of_words), marked=writers.marked_layers(of_words))
    try:
        updates = capture.measure_updates(module, structure, ready.sublayers, tokenization, changes, batches)
    except Exception:  # noqa: BLE001 - as above
        return None
    updates = replace(
        updates,
        breaking=writers.breaking_neurons(updates, of_words),
        breaking_expert=writers.breaking_expert(updates, of_words),
    )
    if updates.breaking is None:
        return updates
    intact = states[updates.breaking.layer + 1][np.concatenate(batches)]
    return replace(updates, random=intervening.random_neurons(ready, updates, tokenization, intact, batches))


def _texts(request: Request) -> list[str]:
    """What the model's tokenizer is going to read."""
    from tokviz.capture import tokens

    of_words = [text for each in request.contexts for text in tokens.texts_read(request.words, each.context)]
    passages = [each.text for each in (request.loss_text, request.lenses) if each is not None]
    return [*of_words, *passages, *(request.lenses.names if request.lenses else ())]


def _tokenized(tokenizer: Any, request: Request, context: Context) -> Tokenization:
    from tokviz.capture import tokens

    if request.words.vocabulary is not None:
        return tokens.tokenize_vocabulary(tokenizer, context, request.read)
    made = tokens.tokenize(tokenizer, request.words.words, context, request.read)
    models.refuse_too_many(request.model.source, ((each.text, len(each.ids)) for each in made.words))
    return made
