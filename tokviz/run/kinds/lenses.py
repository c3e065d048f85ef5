"""The directions of a model's Jacobian lens: which are fitted, under which keys they are stored, and how; they are stored like states."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from tokviz.bundled import LOSS_TEXT
from tokviz.config import ModelConfig, ReportConfig
from tokviz.errors import CaptureError, StoreError
from tokviz.records import (
    N_EXTREMES,
    CapturedBatch,
    Context,
    Directions,
    HiddenStates,
    Lens,
    LensKind,
    ModelCard,
    Tokenization,
)
from tokviz.run.kinds.base import FORCED, Capture, Kind, Walk, due_once
from tokviz.run.kinds.controls import CONTROLS, Drawn, UntrainedModels
from tokviz.run.kinds.ready import Ready
from tokviz.run.store import keys
from tokviz.run.store.locks import Locks
from tokviz.run.store.states_file import CaptureDescription
from tokviz.run.work.progress import counted_step
from tokviz.text import error_line, shown

if TYPE_CHECKING:
    from torch import nn

    from tokviz.capture import Structure

VERSION = 2
"""Raised when the directions of a lens are fitted otherwise."""
LENS = "lens"
"""The name of the context under which directions are stored."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Directions of one model, or of its untrained control."""

    kind: LensKind
    names: tuple[str, ...]
    """What is read, as text: of each category one; none of words."""
    ids: tuple[int, ...]
    """The words' first tokens; none of names, which the model's tokenizer must cut first."""
    key: str
    """Of words the same whichever are read: those that are added are fitted and stored beside the others."""
    n_stored: int = 0
    """So many of the words' tokens needn't be fitted."""
    is_forced: bool = False
    """Whether all are fitted, whatever is stored."""

    def as_stored(self, states: HiddenStates | None) -> Fit:
        """With what of it is stored under its key."""
        return replace(self, n_stored=len({*self.ids} & {*Directions(states=states).ids}) if states else 0)

    @property
    def is_whole(self) -> bool:
        """Whether all that is read is stored."""
        return self.n_stored == len(self.ids)

    @property
    def n_backward_passes(self) -> int:
        return (len(self.names or self.ids) - self.n_stored) * _backward_passes(self.kind)


def _backward_passes(kind: LensKind) -> int:
    """That one target takes; each is through ``Directions.N_AT_ONCE`` passages."""
    return Directions.N_PASSAGES[kind] // Directions.N_AT_ONCE


@dataclass(frozen=True, kw_only=True, eq=False)
class LensInputs:
    """What a capture is read with."""

    names: Directions | None
    words: Directions | None
    random: Directions | None
    """Of the control with all weights random."""
    reason: str | None
    """Why there is nothing."""


@dataclass(frozen=True, kw_only=True)
class Lenses(Kind[Capture[Fit], LensInputs]):
    """What is asked for of each model."""

    with_head = True
    is_of_model = True

    text: str
    """That directions are fitted on."""
    names: tuple[str, ...]
    """What each category is read as."""
    untrained: UntrainedModels | None
    """Whether categories are read in a control, too."""

    @classmethod
    def asked(cls, config: ReportConfig, model: ModelConfig) -> Self | None:
        if not (config.lens is not None if model.lens is None else model.lens):
            return None
        own = config.lens.text if config.lens else None
        return cls(
            text=own if own is not None else LOSS_TEXT.read_text(encoding="utf-8"),
            names=config.read_as,
            untrained=UntrainedModels.asked(config, model),
        )

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text, *self.names)

    def n_tokens(self, n_words: int) -> int:
        return (2 * len(self.names) + n_words) * max(Directions.N_PASSAGES.values()) * Directions.N_TOKENS

    def n_backward_passes(self, n_words: int) -> int:
        """What fitting all of it takes at most."""
        n_targets: dict[LensKind, int] = {"names": len(self.names), "words": min(n_words, Lens.MOST_TARGETS)}
        if self.untrained:
            n_targets["random"] = len(self.names)
        return sum(n * _backward_passes(kind) for kind, n in n_targets.items())

    def of_model(self, walk: Walk, card: ModelCard, tokenizations: Sequence[Tokenization]) -> Iterator[Capture[Fit]]:
        for fit in self._fits(walk.model, card, tokenizations):
            states, failure = walk.store.find_states(fit.key), walk.store.failure(fit.key)
            stored = replace(fit, is_forced=True) if walk.is_forced else fit.as_stored(states)
            is_there = failure is not None or (states is not None and stored.is_whole)
            reason = FORCED if walk.is_forced else None if is_there else "lens not fitted yet"
            due = reason if reason and walk.is_at_hand else None
            yield Capture(what=stored, key=fit.key, states=states if is_there else None, due=due, failure=failure)

    def _fits(self, model: ModelConfig, card: ModelCard, tokenizations: Sequence[Tokenization]) -> Iterator[Fit]:
        ids = tuple(sorted({word.ids[word.start] for each in tokenizations for word in each.words if word.n_tokens}))
        asked: list[tuple[LensKind, tuple[str, ...], tuple[int, ...]]] = [("names", self.names, ())]
        if 0 < len(ids) <= Lens.MOST_TARGETS:
            asked.append(("words", (), ids))
        if self.untrained and self.untrained.are_wanted(card):
            asked.append(("random", self.names, ()))
        for kind, names, own in asked:
            what = {
                "lens": VERSION,
                "names": names,
                "n_passages": Directions.N_PASSAGES[kind],
                **(CONTROLS[0].key_parts(model) if kind == "random" else {}),
            }
            key = keys.digest({**keys.of_weights(model, card, self.text), **what})
            yield Fit(kind=kind, names=names, ids=own, key=key)

    def make(self, ready: Ready, found: Sequence[Capture[Fit]]) -> None:
        """What is missing of the model's own lens; that of its control is fitted once that is there."""
        head = ready.loaded.head
        # What a caller put in its place, or quantized, may have none, or a method of that name.
        matrix = None if head is None else getattr(head.get_output_embeddings(), "weight", None)
        fitted = Fitted(
            ready=ready,
            text=self.text,
            module=ready.module,
            structure=ready.structure,
            matrix=matrix,
            head=None if matrix is None else head,
        )
        due = [each.what for each in due_once(found)]
        fit_lens(fitted, [each for each in due if each.kind != "random"])
        reason = next((ready.store.failure(each.key) for each in found if each.what.kind == "names"), None)
        for each in (each for each in due if each.kind == "random"):
            if reason:
                ready.store.put_failure(each.key, reason)
            else:
                ready.of_random.append(partial(_fit_random, fitted, each))

    @classmethod
    def given(cls, found: Sequence[Capture[Fit]]) -> LensInputs | None:
        """None as long as some are due, and where none is asked for."""
        if not found or any(each.due for each in found):
            return None
        captures: dict[LensKind, Capture[Fit]] = {each.what.kind: each for each in found}
        made = {
            kind: Directions(states=each.states, wanted=each.what.ids if kind == "words" else None)
            for kind, each in captures.items()
            if each.states is not None
        }
        reason = captures["names"].failure
        if reason is None and "names" not in made:
            return None
        return LensInputs(names=made.get("names"), words=made.get("words"), random=made.get("random"), reason=reason)


def _fit_random(fitted: Fitted, fit: Fit, made: Drawn | None, problem: str) -> None:
    """In the model whose weights are all random; ``problem``: why there is none."""
    if made is None:
        fitted.ready.store.put_failure(fit.key, problem)
        return
    own = replace(fitted, module=made.module, structure=made.structure, matrix=made.matrix(fitted.matrix), head=None)
    fit_lens(own, [fit])


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What a lens is fitted on."""

    ready: Ready
    text: str
    module: nn.Module
    """A base model, in evaluation mode."""
    structure: Structure
    matrix: Any
    """Its output matrix, ``(vocabulary, width)``; None where it has none."""
    head: Any
    """The model with that matrix; None where the matrix stands alone."""


def fit_lens(fitted: Fitted, fits: Sequence[Fit]) -> None:
    """Fit and store some directions; where there can't be any, keep why, for those that follow, too, and say it.

    What fails for lack of memory is tried again in the next run.

    Raises
    ------
    StoreError : the disk is full or read-only.
    """
    from tokviz import capture

    name, store, reporter = fitted.ready.name, fitted.ready.store, fitted.ready.reporter
    for index, fit in enumerate(fits):
        told = f"{name}: fitting the lens, {_DESCRIBED[fit.kind]}, {fit.n_backward_passes:,} backward passes"
        try:
            # Other reports keep their words under the same key.
            with (
                counted_step(reporter, told, fit.n_backward_passes) as advance,
                Locks(say=reporter.say).on_captures(store.root, [fit.key]),
            ):
                unknown = _fit(fitted, fit, advance)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - it is beside the capture: it costs a section of a page, not the model
            if capture.is_out_of_memory(error):
                reporter.say(f"{name}: no lens: {error_line(error)}")
                return
            is_known = isinstance(error, CaptureError)
            reason = str(error) if is_known else f"its layers can't be derived by: {error_line(error)}"
            for each in fits[index:]:
                store.put_failure(each.key, reason)
            reporter.say(f"{name}: no lens: {reason}")
            return
        else:
            if unknown and fit.kind == "names":
                known_not = ", ".join(map(shown, unknown))
                reporter.say(
                    f"{name}: categories aren't read: its tokenizer doesn't know {known_not}; set reads_as to other text"
                )


_DESCRIBED = {"names": "categories", "words": "words", "random": "categories, untrained"}


def _fit(fitted: Fitted, fit: Fit, advance: Callable[[int], None]) -> tuple[str, ...]:
    """Returns the names whose first token is unknown to the tokenizer."""
    from tokviz import capture

    ready, module, structure = fitted.ready, fitted.module, fitted.structure
    store, tokenizer = ready.store, ready.loaded.tokenizer
    n = Directions.N_PASSAGES[fit.kind]
    most = capture.most_tokens(module, structure.embedding)
    if most is not None and most < Directions.N_TOKENS:
        raise CaptureError(f"it takes {most} tokens at most, and a lens is fitted on passages of {Directions.N_TOKENS}")
    text = capture.passages(tokenizer, fitted.text, n, 0, Directions.N_TOKENS)
    if len(text.ids) < n:
        raise CaptureError(
            f"lens.text: expected {n} passages of {Directions.N_TOKENS} tokens, got {len(text.ids)}; take a longer text"
        )
    if len(np.unique(text.ids, axis=0)) < n:
        raise CaptureError("passages of the text that it is fitted on have the same tokens")
    if capture.sees_ahead(module, text):
        raise CaptureError("the model is not a decoder")
    if fitted.matrix is None:
        raise CaptureError("the model has no output matrix")
    states = store.find_states(fit.key) if fit.ids and not fit.is_forced else None
    known = Directions(states=states) if states else None
    known_ids, known_pieces = (known.ids, known.pieces) if known else ((), ())
    ids, pieces = _tokens(tokenizer, fit, known_ids)
    if not ids:  # another report had them fitted meanwhile
        return ()
    if fitted.head is not None:
        capture.require_plain_head(fitted.head, module, ids[:3])
    rows = capture.output_rows(module, structure, fitted.matrix, ids)
    description = CaptureDescription(
        card=ready.loaded.card,
        context=Context(name=LENS, label=LENS, template="{word}"),
        tokenization=Directions.targets(ids + known_ids, pieces + known_pieces),
        module_paths=structure.module_paths,
        captured_at=ready.now(),
        batch_check=None,
    )
    with store.states_writer(fit.key, description) as writer:
        n_all = len(ids) + len(known_ids)
        for some, found in capture.directions(module, structure, rows, text.ids, advance):
            writer.add(_batch(some, n_all, found))
        if known is not None:
            stored = tuple(known.halves(depth) for depth in range(structure.n_layers + 1))
            writer.add(_batch(np.arange(len(ids), n_all), n_all, stored))
    return tuple(name for name, piece in zip(fit.names, pieces, strict=False) if not piece)


def _batch(rows: np.ndarray, n_all: int, found: Sequence[np.ndarray]) -> CapturedBatch:
    """``rows``: which of all tokens; ``found``: per depth ``(2, n, width)``."""
    extremes = (len(found), 2 * len(rows), N_EXTREMES)
    return CapturedBatch(
        rows=np.concatenate([rows, rows + n_all]),
        states=tuple(each.reshape(2 * len(rows), -1) for each in found),
        position0_values=np.zeros(extremes, dtype=np.float32),
        position0_dimensions=np.zeros(extremes, dtype=np.int32),
    )


def _tokens(tokenizer: Any, fit: Fit, known: Collection[int]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The ids that are to be fitted, and the tokenizer's names of them, empty of its unknown token.

    Of what is read as text the first token; of words those that aren't ``known``.
    """
    from tokviz.capture import tokens

    if not fit.names:
        ids = tuple(each for each in fit.ids if each not in known)
        return ids, tuple(tokenizer.convert_ids_to_tokens(list(ids)))
    found = []
    for name in fit.names:
        # As the words are cut: some tokenizers put a token before a space.
        template = " {word}" if name.startswith(" ") else "{word}"
        context = Context(name=LENS, label=LENS, template=template)
        word = tokens.tokenize(tokenizer, (name.strip(),), context, "first").words[0]
        token, piece = word.ids[word.start], word.pieces[word.start]
        found.append((token, "" if token == tokenizer.unk_token_id else piece))
    ids, pieces = zip(*found, strict=True)
    return tuple(ids), tuple(pieces)
