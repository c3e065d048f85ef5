"""Fits the directions of a loaded model's Jacobian lens, and stores them like states."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.errors import CaptureError, StoreError
from tokviz.records import N_EXTREMES, CapturedBatch, Context, Directions, ModelCard
from tokviz.run.capturing.intervening import Ready
from tokviz.run.plan.lenses import LENS, Fit
from tokviz.run.store.artefacts import Store
from tokviz.run.store.locks import Locks
from tokviz.run.store.states_file import CaptureDescription
from tokviz.run.work.progress import Reporter
from tokviz.text import error_line, shown

if TYPE_CHECKING:
    from torch import nn

    from tokviz.capture import Structure


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What a lens is fitted on."""

    module: nn.Module
    """A base model, in evaluation mode."""
    structure: Structure
    matrix: Any
    """Its output matrix, ``(vocabulary, width)``; None where it has none."""
    head: Any
    """The model with that matrix; None where the matrix stands alone."""
    tokenizer: Any
    text: str
    card: ModelCard
    captured_at: str

    @classmethod
    def of(cls, ready: Ready, text: str, captured_at: str) -> Fitted:
        """The model itself."""
        head = ready.loaded.head
        # What a caller put in its place, or quantized, may have none, or a method of that name.
        matrix = None if head is None else getattr(head.get_output_embeddings(), "weight", None)
        return cls(
            module=ready.module,
            structure=ready.structure,
            matrix=matrix,
            head=None if matrix is None else head,
            tokenizer=ready.loaded.tokenizer,
            text=text,
            card=ready.loaded.card,
            captured_at=captured_at,
        )


def fit_lens(fitted: Fitted, fits: Sequence[Fit], store: Store, reporter: Reporter, name: str) -> None:
    """Fit and store some directions; where there can't be any, keep why, for those that follow, too, and say it.

    What fails for lack of memory is tried again in the next run.

    Parameters
    ----------
    name : of the model, as readers see it.

    Raises
    ------
    StoreError : the disk is full or read-only.
    """
    from tokviz import capture

    for index, fit in enumerate(fits):
        step = reporter.step(f"{name}: fitting the lens, {_DESCRIBED[fit.kind]}")
        try:
            # Other reports keep their words under the same key.
            with Locks(say=reporter.say).on_captures(store.root, [fit.key]):
                unknown = _fit(fitted, fit, store)
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
        finally:
            step.advance()


_DESCRIBED = {"names": "categories", "words": "words", "random": "categories, untrained"}


def _fit(fitted: Fitted, fit: Fit, store: Store) -> tuple[str, ...]:
    """Returns the names whose first token is unknown to the tokenizer."""
    from tokviz import capture

    module, structure = fitted.module, fitted.structure
    n = fit.n_passages
    most = capture.most_tokens(module, structure.embedding)
    if most is not None and most < Directions.N_TOKENS:
        raise CaptureError(f"it takes {most} tokens at most, and a lens is fitted on passages of {Directions.N_TOKENS}")
    text = capture.passages(fitted.tokenizer, fitted.text, n, 0, Directions.N_TOKENS)
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
    ids, pieces = _tokens(fitted.tokenizer, fit, known_ids)
    if not ids:  # another report had them fitted meanwhile
        return ()
    if fitted.head is not None:
        capture.require_plain_head(fitted.head, module, ids[:3])
    rows = capture.output_rows(module, structure, fitted.matrix, ids)
    description = CaptureDescription(
        card=fitted.card,
        context=Context(name=LENS, label=LENS, template="{word}"),
        tokenization=Directions.targets(ids + known_ids, pieces + known_pieces),
        module_paths=structure.module_paths,
        captured_at=fitted.captured_at,
        batch_check=None,
    )
    with store.states_writer(fit.key, description) as writer:
        n_all = len(ids) + len(known_ids)
        for some, found in capture.directions(module, structure, rows, text.ids):
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
