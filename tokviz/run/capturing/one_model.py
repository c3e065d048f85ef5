"""One model's captures, as a piece of work that can be done in this process or anywhere else."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz import models
from tokviz.config import install
from tokviz.errors import BackendError, CaptureError, DiskFullError, SourceError, TokvizError
from tokviz.models.in_memory import PREFIX as IN_MEMORY
from tokviz.records import Batching, Context, ModelCard, RandomNeurons, Tokenization, Updates
from tokviz.run.capturing.dates import now
from tokviz.run.capturing.folders import folders_for
from tokviz.run.kinds.base import due_once
from tokviz.run.kinds.ready import Ready
from tokviz.run.plan.recipe import captures, still_due
from tokviz.run.plan.request import Request, Template
from tokviz.run.store.artefacts import Store
from tokviz.run.store.locks import Locks
from tokviz.run.store.states_file import CaptureDescription
from tokviz.run.work.progress import Reporter
from tokviz.text import counted

if TYPE_CHECKING:
    from torch import nn

    from tokviz.capture import Structure, Sublayers

_BYTES = 4
"""Of a parameter."""
_SECONDS, _SECONDS_PER_PARAMETER = 1800, 1e-7
"""Of a processor: for any model, and for each of its parameters and each token that goes through it."""
_SHARE_OF_MEMORY = 0.9
"""Of what is free once a model is loaded: passes are planned to take half of it at most, but a single word may always go."""


def capture_here(request: Request, store: Store, reporter: Reporter) -> None:
    """Load the model once, capture every context that is due, store each as soon as it is there.

    Raises ``ModelError``; the contexts captured before stay stored. ``DeviceError``, ``BackendError``: no model can be
    captured so.
    """
    due = [each.key for each in request.templates_due]
    say_of_hub = models.Once(reporter.say)
    models.try_to_connect(request.model, request.base, say_of_hub)
    try:
        # The first time takes seconds.
        step = None if "transformers" in sys.modules else reporter.step("Loading PyTorch and transformers")
        if step is None and not request.model.source.startswith(IN_MEMORY):
            gc.collect()  # the memory of the model before is free
        _load_libraries(request)
        if step is not None:
            step.advance()
        models.require_device(request.device)
        locks = Locks(waits=request.waits, say=reporter.say)
        with locks.on_captures(store.root, due) as others_were_first:
            if others_were_first:
                request = still_due(request, store)
            if request.due:
                folders = folders_for(request.model, request.base, request.captured_from, store, locks)
                named = models.callers_code_named(request.model.source)
                is_callers = request.model.source.startswith(IN_MEMORY)
                unasked = nullcontext() if is_callers else models.kernels_unasked()
                with models.quiet_transformers(), models.with_settings_of_its_own(), named, unasked, folders as made:
                    _capture(request, store, reporter, made, say_of_hub)
    except ModuleNotFoundError as error:
        raise SourceError(
            f"{request.model.source}: expected the package {_package(error)} for this kind of model, found none; {install('models')}, or "
            "that package"
        ) from error
    except DiskFullError as error:
        raise CaptureError(f"{request.model.source}: {error}") from error  # a smaller model may have room


def _load_libraries(request: Request) -> None:
    """Those that every model needs; raises ``BackendError`` where one isn't installed."""
    try:
        models.load_libraries()
    except ModuleNotFoundError as error:
        raise BackendError(
            f"{request.model.display_name} is not captured yet, and here {_package(error)} is not installed; {install('models')}, or "
            "capture elsewhere with --capture-only and copy the cache"
        ) from error


def _package(error: ModuleNotFoundError) -> str:
    return (error.name or "").partition(".")[0]


@contextmanager
def failing_elsewhere(source: str) -> Iterator[None]:
    """As ``models.failing_alone``, in a process that sends the error to another one."""
    try:
        with models.failing_alone(source):
            yield
    except TokvizError as error:
        # Its cause, some library's own exception, need not be known or picklable there.
        error.__cause__ = error.__context__ = None
        raise


def _capture(
    request: Request, store: Store, reporter: Reporter, folders: models.Folders, say_of_hub: models.Once
) -> None:
    from tokviz import capture

    name = request.model.display_name
    step = reporter.step(f"{name}: loading")
    use = models.Use(
        with_head=any(kind.with_head for kind in request.asked),
        texts=_texts(request),
        decodes=request.words.vocabulary is not None,
    )
    loaded = models.load(request.model, request.base, request.device, folders, use, say_of_hub)
    if request.captured_from is not None and models.is_same(loaded.card.identity, request.captured_from):
        # What follows from states that stay is found under the identity that those were stored with.
        loaded = replace(loaded, card=replace(loaded.card, identity=request.captured_from))
    with _leaving_memory(loaded):
        with models.ended_after(_BYTES * (loaded.card.n_parameters or 0)):  # one word goes through the model
            structure = capture.find_structure(loaded.module, loaded.base_model_prefix).up_to(request.n_depths)
        with models.ended_after(0):
            texts = {
                each.context.template: _tokenized(loaded.tokenizer, request, each.context) for each in request.templates
            }
        step.advance()
        with models.ended_after(0, _most_seconds(request, loaded.card, texts)):
            _capture_loaded(request, loaded, structure, texts, store, reporter)


def _leaving_memory(loaded: models.LoadedModel) -> AbstractContextManager[None]:
    """Within the block all captures of a model together leave some of the free memory to the rest of the run and the machine.

    In a process of its own only, and where the weights are in memory: those that are read in every pass are mapped meanwhile.
    """
    from tokviz import capture

    if not models.is_apart() or capture.is_streamed(loaded.module):
        return nullcontext()
    device = next(each.device for each in loaded.module.parameters())
    return capture.limited_to_free_memory(device, _SHARE_OF_MEMORY)


def _most_seconds(request: Request, card: ModelCard, texts: Mapping[str, Tokenization]) -> float:
    """What all captures of a model take at most, far beyond what any processor needs for so many parameters and tokens."""
    n_words = sum(len(text.words) for text in texts.values())
    n_tokens = sum(len(word.ids) for text in texts.values() for word in text.words)
    n_tokens += sum(kind.n_tokens(n_words) for kind in request.asked)
    return _SECONDS + _SECONDS_PER_PARAMETER * (card.n_parameters or 0) * n_tokens


def _capture_loaded(
    request: Request,
    loaded: models.LoadedModel,
    structure: Structure,
    texts: Mapping[str, Tokenization],
    store: Store,
    reporter: Reporter,
) -> None:
    from tokviz import capture

    for each in request.templates:
        if each.context.further_templates:
            capture.require_alike(each.context, texts)
    due = due_once(each for context in captures(request, store) for each in context.templates)
    for template in due:
        context = template.what.context
        capture.require_fitting(loaded.module, structure, texts[context.template], context)
    ready = Ready(
        model=request.model,
        loaded=loaded,
        structure=structure,
        sublayers=_sublayers(loaded, structure, sets_neurons=any(kind.sets_neurons for kind in request.asked)),
        token_budget=request.token_budget,
        texts={text: texts[text] for text in (first.context.template for first, *_ in request.contexts)},
        store=store,
        reporter=reporter,
        now=partial(now, request.epoch),
    )
    for kind in request.asked:
        kind.require(ready)
    for group in _groups(loaded.module, [each.what for each in due], texts):
        together = [(each, texts[each.context.template]) for each in group]
        _capture_together(ready, together)
    contexts = captures(request, store, {each.key for each in due}, (loaded.card, ready.texts))
    for kind in request.asked:
        kind.make(ready, [each for context in contexts for each in context.of(type(kind))])


def _groups(module: nn.Module, due: Sequence[Template], texts: Mapping[str, Tokenization]) -> list[list[Template]]:
    """Which templates go through the model together.

    One after the other where nothing is gained by more, so that a run which is killed keeps those that it had; but the further
    templates of a context at once, as one check of their batches does for all, or those of all contexts, where weights are read in
    every pass.
    """
    from tokviz import capture

    drawn = [each for each in due if not each.is_measured_only]
    sharing = capture.sharing_passes(module, [texts[each.context.template] for each in drawn])
    further: dict[str, list[Template]] = {}
    for each in due:
        if each.is_measured_only:
            further.setdefault("" if capture.is_streamed(module) else each.context.name, []).append(each)
    return [*([drawn[place] for place in group] for group in sharing if group), *further.values()]


def _sublayers(loaded: models.LoadedModel, structure: Structure, *, sets_neurons: bool) -> Sublayers | None:
    """None where weights are read in every pass, unless some are to be set that the author names."""
    from tokviz import capture

    if capture.is_streamed(loaded.module) and not sets_neurons:
        return None
    try:
        return capture.find_sublayers(loaded.module, structure)
    except Exception:  # noqa: BLE001 - what a layer adds is beside the capture: it costs a section of a page, not the model
        return None


def _capture_together(ready: Ready, templates: list[tuple[Template, Tokenization]]) -> None:
    from tokviz import capture

    loaded, structure = ready.loaded, ready.structure
    card = replace(loaded.card, notes=(*loaded.card.notes, *structure.notes))
    labels = " and ".join(dict.fromkeys(each.context.label for each, _ in templates))
    tokenizations = [tokenization for _, tokenization in templates]
    n_texts = sum(len(each.words) for each in tokenizations)
    step = ready.reporter.step(f"{ready.name}: capturing, {labels}, {counted(n_texts, 'text')}", n_texts)
    captured = capture.capture_together(
        loaded.module, structure, tokenizations, ready.token_budget, on_progress=step.advance
    )
    ready.limits.update((each.context.template, captured.limits) for each, _ in templates)
    with ExitStack() as open_files:
        writers = [
            open_files.enter_context(
                ready.store.states_writer(
                    each.key,
                    CaptureDescription(
                        card=card,
                        context=each.context,
                        tokenization=tokenization,
                        module_paths=structure.module_paths,
                        captured_at=ready.now(),
                        batch_check=captured.check,
                    ),
                )
            )
            for each, tokenization in templates
        ]
        for index, batch in captured:
            writers[index].add(batch)
        for writer, tokenization, (each, _) in zip(writers, tokenizations, templates, strict=True):
            if each.is_measured_only:
                continue
            writer.attention = ready.attention({each.context.template: tokenization})
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
    return replace(updates, random=_random_neurons(ready, updates, tokenization, intact, batches))


def _random_neurons(
    ready: Ready, updates: Updates, tokenization: Tokenization, intact: np.ndarray, batches: Sequence[np.ndarray]
) -> RandomNeurons | None:
    """How little as many neurons as break a layer change when they are drawn at random.

    Parameters
    ----------
    intact : ``(n_words, width)``: what the layer gives, the words in the order of ``batches``.
    """
    from tokviz import capture
    from tokviz.measure import writers

    breaking = updates.breaking
    known = breaking and updates.layers[breaking.layer].mlp_and_neurons
    if not breaking or not known:
        return None
    _, neurons = known
    draws = writers.random_draws(breaking, neurons.n_neurons)
    words = [capture.PaddedWords.of(tokenization, rows) for rows in batches]
    matrix, _ = ready.matrix(breaking.layer, neurons.path)
    try:
        without = capture.layer_without(ready.module, ready.structure, breaking.layer, matrix, draws, words)
    except Exception:  # noqa: BLE001 - a layer that can't be run by itself: the comparison is left out
        return None
    return writers.random_change(intact, without)


def _texts(request: Request) -> list[str]:
    from tokviz.capture import tokens

    of_words = [text for each in request.templates for text in tokens.texts_read(request.words, each.context)]
    return [*of_words, *(text for kind in request.asked for text in kind.texts)]


def _tokenized(tokenizer: Any, request: Request, context: Context) -> Tokenization:
    from tokviz.capture import tokens

    if request.words.vocabulary is not None:
        return tokens.tokenize_vocabulary(tokenizer, context, request.read)
    made = tokens.tokenize(tokenizer, request.words.words, context, request.read)
    models.refuse_too_many(request.model.source, ((each.text, len(each.ids)) for each in made.words))
    return made
