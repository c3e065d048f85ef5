"""Loaded models: what they are and what their layers compute, so that their states are found again, and only theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tokviz import models
from tokviz.errors import CaptureError
from tokviz.models import AtHand
from tokviz.models.in_memory import PREFIX
from tokviz.records import Probe, Probes
from tokviz.run.store import keys
from tokviz.run.store.store import Store
from tokviz.run.work.progress import Reporter


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A loaded model, and where the cache has what its layers gave."""

    at_hand: AtHand
    key: str
    """Of the outcomes of models that are alike but for their code."""
    outcome: Probe
    """As it is kept."""

    def keep(self, store: Store) -> None:
        """Beside the outcomes that are known."""
        known = _known(self.key, store)
        if _as_known(self.outcome, known) is None:
            store.put(self.key, Probes(outcomes=(*known, self.outcome)))


def identified(model: Any, tokenizer: Any, store: Store, progress: Reporter) -> Loaded:
    """Find out which model a loaded one is.

    What its modules are is hashed; what their code makes of words is tried on some tokens and compared with what the cache
    has. Another outcome is another model, whose states are captured anew.

    Parameters
    ----------
    model : a ``PreTrainedModel``, with a head or without, on any device; also one that is compiled, or wrapped by PEFT.
    tokenizer : the model's fast tokenizer.

    Raises
    ------
    SourceError : it is no such model, or its weights can't be read.
    StructureError, CaptureError : it can't be run, or gives other states each time.
    """
    model = models.unwrapped(model, tokenizer)
    with models.lock_of(model):
        return _identified(model, tokenizer, store, progress)


def _identified(model: Any, tokenizer: Any, store: Store, progress: Reporter) -> Loaded:
    models.require_values(model)
    if models.is_offloaded(model):
        progress.say(
            f"{type(model).__name__}: reading all weights once, as accelerate keeps some on disk or in other memory"
        )
    outcome, fingerprint = _look_at(model, tokenizer)
    key = keys.probes_key(fingerprint)
    known = _as_known(outcome, _known(key, store))
    if known is None:
        _require_repeatable(model, outcome)
    kept = known or outcome
    identity = hashlib.sha256(f"{fingerprint} {kept.dtype}".encode() + kept.sums.tobytes()).hexdigest()
    at_hand = AtHand(
        model=model,
        tokenizer=tokenizer,
        identity=f"{PREFIX}{identity}",
        is_as_it_was=partial(_is_as_it_was, model, tokenizer, fingerprint, kept),
        hooks=models.own_hooks(model),
    )
    return Loaded(at_hand=at_hand, key=key, outcome=kept)


def _known(key: str, store: Store) -> tuple[Probe, ...]:
    found = store.find(key, Probes)
    return found.outcomes if found else ()


def _as_known(outcome: Probe, known: Sequence[Probe]) -> Probe | None:
    from tokviz import capture

    return next((each for each in known if capture.agree(outcome, each)), None)


def _look_at(model: Any, tokenizer: Any) -> tuple[Probe, str]:
    """What its layers give, and its fingerprint; weights that are elsewhere are read once for both."""
    with models.offloaded_weights_noted(model) as noted:
        outcome = _probe(model)
        return outcome, models.fingerprint(model, tokenizer, noted)


def _probe(model: Any) -> Probe:
    from tokviz import capture

    with models.quiet_transformers(), models.with_settings_of_its_own(), models.evaluated(model):
        part = models.weights_in_memory(type(model).__name__, model).part
        with models.callers_code_blamed(model, without_cause=True):
            return capture.probe(part, capture.find_structure(part, ""))


def _require_repeatable(model: Any, outcome: Probe) -> None:
    from tokviz import capture

    if models.is_offloaded(model):  # weights would be read once more
        return
    again = _probe(model)
    if not capture.agree(again, outcome):
        raise CaptureError(
            f"model: expected the same hidden states each time, got some that differ by {100 * capture.difference(again, outcome):.2g} % "
            "in two passes over the same tokens; turn off what is random in it, such as dropout"
        )


def _is_as_it_was(model: Any, tokenizer: Any, fingerprint: str, outcome: Probe) -> bool:
    from tokviz import capture

    with models.lock_of(model):
        now, found = _look_at(model, tokenizer)
    return found == fingerprint and capture.agree(now, outcome)
