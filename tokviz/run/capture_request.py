"""One model's captures, as a piece of work that can be done in this process or anywhere else."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz import models
from tokviz.config import ModelConfig
from tokviz.errors import CaptureError, ConfigError, DiskFullError, SourceError, TokvizError
from tokviz.records import Batching, Context, Tokenization, Updates, WordList
from tokviz.run import interventions, keys
from tokviz.run.locks import Locks
from tokviz.run.progress import Reporter
from tokviz.run.states_file import CaptureDescription
from tokviz.run.store import Store

if TYPE_CHECKING:
    from tokviz.capture import Structure, Sublayers


@dataclass(frozen=True, kw_only=True)
class Request:
    """The captures of one model that are due."""

    model: ModelConfig
    base: Path
    """The config's folder; absolute when another process is to look there."""
    device: str
    contexts: tuple[tuple[str, Context], ...]
    """Each with the key under which its states are stored."""
    words: WordList
    read: str
    token_budget: int
    n_depths: int | None = None
    """How many depths are asked for, from the embedding on; None for all."""
    switches_off: bool = True
    """Whether to capture once more without the neurons that write a break."""
    waits: bool = True
    """Whether to wait for another run that captures the same."""
    epoch: str | None = field(default_factory=lambda: os.environ.get("SOURCE_DATE_EPOCH"))


def now(epoch: str | None = None) -> str:
    """ISO 8601 in UTC, to the second; ``SOURCE_DATE_EPOCH`` makes it repeatable (reproducible-builds.org).

    Raises ``ConfigError`` when that isn't a number of seconds.
    """
    try:
        moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    except (ValueError, OverflowError, OSError):
        raise ConfigError(
            f"SOURCE_DATE_EPOCH: expected seconds since 1970, got {epoch!r}; correct or unset it"
        ) from None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def capture_here(request: Request, store: Store, reporter: Reporter) -> None:
    """Load the model once, capture every context that is due, store each as soon as it is there.

    Raises ``ModelError``; the contexts captured before stay stored. ``DeviceError``: no model can be captured so.
    """
    due = [key for key, _ in request.contexts]
    try:
        models.require_device(request.device)
        with Locks(waits=request.waits, say=reporter.say).on_captures(store.root, due) as others_were_first:
            if others_were_first:
                request = _still_due(request, store)
            if request.contexts:
                with models.quiet_transformers():
                    _capture(request, store, reporter)
    except ModuleNotFoundError as error:
        raise SourceError(
            f"{request.model.source}: not captured yet, and here {error.name} is not installed; pip install -r "
            "requirements.txt, or capture elsewhere with --capture-only and copy the cache"
        ) from error
    except DiskFullError as error:
        raise CaptureError(f"{request.model.source}: {error}") from error  # a smaller model may have room
    gc.collect()  # the model's memory is free before the next one loads


def _still_due(request: Request, store: Store) -> Request:
    """What another run hasn't captured meanwhile."""
    identity = models.identity(request.model, request.base)
    found = {key: store.find_states(key) for key, _ in request.contexts}
    done = [key for key, states in found.items() if states and identity in (None, states.card.identity)]
    return replace(request, contexts=tuple(each for each in request.contexts if each[0] not in done))


def _capture(request: Request, store: Store, reporter: Reporter) -> None:
    from tokviz import capture

    name = request.model.display_name
    with _offload_folder(store) as offload:
        step = reporter.step(f"{name}: loading")
        loaded = models.load(request.model, request.base, request.device, offload)
        structure = capture.find_structure(loaded.module, loaded.base_model_prefix).up_to(request.n_depths)
        step.advance()
        tokenizations = [_tokenized(loaded.tokenizer, request, context) for _, context in request.contexts]
        for tokenization, (_, context) in zip(tokenizations, request.contexts, strict=True):
            capture.require_fitting(loaded.module, structure, tokenization, context)
        sublayers = _sublayers(loaded, structure)
        # One after the other where nothing is gained by more, so that a run which is killed keeps those that it had.
        for group in capture.sharing_passes(loaded.module, tokenizations):
            together = [(*request.contexts[index], tokenizations[index]) for index in group]
            ready = _Ready(request=request, loaded=loaded, structure=structure, sublayers=sublayers)
            _capture_together(ready, together, store, reporter)


@dataclass(frozen=True, kw_only=True)
class _Ready:
    """A model that is loaded, and what was found in it."""

    request: Request
    loaded: models.LoadedModel
    structure: Structure
    sublayers: Sublayers | None
    """None where weights are read in every pass."""


def _sublayers(loaded: models.LoadedModel, structure: Structure) -> Sublayers | None:
    from tokviz import capture

    if capture.is_streamed(loaded.module):
        return None
    try:
        return capture.find_sublayers(loaded.module, structure)
    except Exception:  # noqa: BLE001 - what a layer adds is beside the capture: it costs a section of a page, not the model
        return None


def _capture_together(
    ready: _Ready, contexts: list[tuple[str, Context, Tokenization]], store: Store, reporter: Reporter
) -> None:
    """Capture and store some contexts, each with the key under which it is stored."""
    from tokviz import capture

    request, loaded, structure = ready.request, ready.loaded, ready.structure
    name = request.model.display_name
    card = replace(loaded.card, notes=(*loaded.card.notes, *structure.notes))
    labels = " and ".join(context.label for _, context, _ in contexts)
    tokenizations = [tokenization for _, _, tokenization in contexts]
    step = reporter.step(f"{name}: capturing, {labels}", sum(len(each.words) for each in tokenizations))
    captured = capture.capture_together(
        loaded.module, structure, tokenizations, request.token_budget, on_progress=step.advance
    )
    with ExitStack() as open_files:
        writers = [
            open_files.enter_context(
                store.states_writer(
                    key,
                    CaptureDescription(
                        card=card,
                        context=context,
                        tokenization=tokenization,
                        module_paths=structure.module_paths,
                        captured_at=now(request.epoch),
                        batch_check=captured.check,
                    ),
                )
            )
            for key, context, tokenization in contexts
        ]
        for index, batch in captured:
            writers[index].add(batch)
        for writer, (key, _, tokenization) in zip(writers, contexts, strict=True):
            writer.updates = _updates(ready, tokenization, writer.states, captured.check.batching)
            if request.switches_off and writer.updates is not None and writer.updates.breaking is not None:
                step = reporter.step(
                    f"{name}: capturing, neurons {_joined(writer.updates.breaking.neurons)} switched off"
                )
                if not _captured_without(ready, key, writer.description, writer.updates, store):
                    writer.updates = replace(writer.updates, breaking=None)
                step.advance()


def _joined(neurons: Sequence[int]) -> str:
    return ", ".join(map(str, neurons))


def _captured_without(ready: _Ready, key: str, intact: CaptureDescription, updates: Updates, store: Store) -> bool:
    """Capture and store the same words with the break's neurons switched off; False where the model can't run so."""
    from tokviz import capture

    module, breaking = ready.loaded.module, updates.breaking
    if breaking is None or ready.sublayers is None:
        return False
    for value in interventions.values_for(updates, intact.tokenization):
        done = interventions.intervention(updates, breaking, value)
        candidates = [writer.matrix for writer in ready.sublayers.writers[breaking.layer]]
        matrix = interventions.matrix(module, done.path, candidates)
        at_position_0 = breaking.activations if value == "mean" else None
        try:
            with capture.switched_off(matrix, done.neurons, at_position_0):
                captured = capture.capture(module, ready.structure, intact.tokenization, ready.request.token_budget)
                described = replace(intact, intervention=done, batch_check=captured.check)
                with store.states_writer(keys.intervention_key(key, value), described) as writer:
                    for batch in captured:
                        writer.add(batch)
        except CaptureError:  # a value that no longer is finite, say
            return False
    return True


def _updates(
    ready: _Ready, tokenization: Tokenization, states: Sequence[np.ndarray], batching: Batching
) -> Updates | None:
    from tokviz import capture
    from tokviz.measure import writers

    if ready.sublayers is None:
        return None
    module, structure = ready.loaded.module, ready.structure
    batches = capture.words_to_run(module, structure, tokenization, batching, ready.request.token_budget)
    rows = np.sort(np.concatenate(batches))
    of_words = [state[rows] for state in states]
    changes = capture.Changes(dimensions=writers.changing_dimensions(of_words), marked=writers.marked_layers(of_words))
    try:
        updates = capture.measure_updates(module, structure, ready.sublayers, tokenization, changes, batches)
    except Exception:  # noqa: BLE001 - as above
        return None
    updates = replace(updates, breaking_expert=writers.breaking_expert(updates, of_words))
    return replace(updates, breaking=writers.breaking_neurons(updates, of_words))


def _tokenized(tokenizer: Any, request: Request, context: Context) -> Tokenization:
    from tokviz.capture import tokens

    if request.words.vocabulary is None:
        return tokens.tokenize(tokenizer, request.words.words, context, request.read)
    return tokens.tokenize_vocabulary(tokenizer, context, request.read)


@contextmanager
def _offload_folder(store: Store) -> Iterator[Path]:
    """Beside what is stored, since it may be as large as the model; gone afterwards."""
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        offload = tempfile.TemporaryDirectory(prefix=".offload-", dir=store.root)
    except OSError as error:
        raise TokvizError(f"{store.root}: can't write to the cache: {error.strerror or error}") from error
    with offload as folder:
        yield Path(folder)
