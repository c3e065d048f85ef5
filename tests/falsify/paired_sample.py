"""Paired differences of the sample report: ``PYTHONPATH=tests python -m falsify.paired_sample CACHE``, a cache of its captures.

With a number after it, so many pairs of copies of these captures are compared instead, each with noise of its own.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from command import ROOT
from threadpoolctl import threadpool_limits

from falsify.paired import alone, announced, questions
from tokviz import config
from tokviz.measure.decisions import claims_in, decide, with_decisions
from tokviz.measure.paired_captures import PairedComparer
from tokviz.measure.profile import Side
from tokviz.records import HiddenStates, PairedMeasures
from tokviz.run.store.artefacts import Store

SMOLLM2, MINILM = "SmolLM2", "minilm"
ALONE = " {word}"


@dataclass(frozen=True, kw_only=True)
class Captures:
    """All that are in a cache."""

    every: tuple[HiddenStates, ...]

    @classmethod
    def of(cls, cache: Path) -> Captures:
        store = Store(cache)
        found = (store.find_states(key) for key in store.keys("states"))
        return cls(every=tuple(each for each in found if each is not None))

    def intact(self, model: str, alone: bool) -> list[HiddenStates]:
        """A model as it is, in each template."""
        return [each for each in self._of(model, alone) if each.intervention is None and not _is_random(each)]

    def untrained_layers(self, model: str, alone: bool) -> list[HiddenStates]:
        """After the model's own embedding, random and permuted, one of each seed."""
        embeddings = {each.context.template: each.states[0] for each in self.intact(model, alone)}
        return [
            each
            for each in self._of(model, alone)
            if _is_random(each) and np.array_equal(each.states[0], embeddings[each.context.template])
        ]

    def with_neurons(self, rule: str) -> HiddenStates:
        """SmolLM2 alone."""
        return next(each for each in self._of(SMOLLM2, True) if each.intervention and each.intervention.rule == rule)

    def _of(self, model: str, alone: bool) -> Iterator[HiddenStates]:
        for each in self.every:
            if model.lower() in each.card.source.lower() and (each.context.template == ALONE) == alone:
                yield each


def _is_random(states: HiddenStates) -> bool:
    return any(note.startswith(("Random weights", "In permuted layers")) for note in states.card.notes)


def compared(a: Sequence[HiddenStates], b: Sequence[HiddenStates], depths: np.ndarray | None = None) -> PairedMeasures:
    """Two captures in the same templates; without ``depths`` at equal relative depth."""
    a, b = (sorted(each, key=lambda states: states.context.template) for each in (a, b))
    memberships = config.load(ROOT / "report.toml").word_list.memberships
    one, other = (Side(templates=tuple(each), memberships=memberships) for each in (a, b))
    found = PairedComparer().compare(one, other, depths=depths)
    return with_decisions(found, decide(claims_in(found)))


def against_embedding(n_depths: int, first: int = 1) -> np.ndarray:
    """Pairs of depths."""
    layers = np.arange(first, n_depths)
    return np.stack([layers, np.zeros_like(layers)], axis=1)


def table(captures: Captures) -> Iterator[str]:
    """A line a comparison: purity at the depth of its largest |t|."""
    alone_smol, sentence_smol = captures.intact(SMOLLM2, True), captures.intact(SMOLLM2, False)
    alone_mini, sentence_mini = captures.intact(MINILM, True), captures.intact(MINILM, False)
    first = [each for each in sentence_smol if each.context.template.startswith("The word is")]
    rows = [
        *(
            (f"in a sentence, trained − untrained layers {seed}", first, [each], None)
            for seed, each in enumerate(captures.untrained_layers(SMOLLM2, False))
        ),
        ("alone, two neurons at their mean − unchanged", [captures.with_neurons("mean")], alone_smol, None),
        ("alone, control neurons − unchanged", [captures.with_neurons("control")], alone_smol, None),
        ("alone, SmolLM2 − MiniLM", alone_smol, alone_mini, None),
        ("in a sentence, SmolLM2 − MiniLM", sentence_smol, sentence_mini, None),
        ("alone, from layer 11 on − embedding", alone_smol, alone_smol, against_embedding(31, 12)),
        ("in a sentence, layers − embedding", sentence_smol, sentence_smol, against_embedding(31)),
        *(
            (f"alone, SmolLM2 − untrained layers {seed}", alone_smol, [each], None)
            for seed, each in enumerate(captures.untrained_layers(SMOLLM2, True))
        ),
        *(
            (f"alone, MiniLM − untrained layers {seed}", alone_mini, [each], None)
            for seed, each in enumerate(captures.untrained_layers(MINILM, True))
        ),
    ]
    for what, a, b, depths in rows:
        start = time.process_time()
        found = compared(a, b, depths)
        own = found.purity.overall
        if not np.isfinite(own.t).any():
            yield f"{what}: no value"
            continue
        at = int(np.nanargmax(np.abs(own.t[0])))
        p = own.claim.decided(decide([own.claim])[own.claim.family]).p_value
        others = [name for name, each in questions(found) if alone(each.claim).any()]
        yield (
            f"{what:52s} D {own.value[0, at]:+.3f} ({own.error[0, at]:.3f})  depth {found.depths[at, 0]:2d}  "
            f"largest {own.value[0][np.nanargmax(np.abs(own.value[0]))]:+.3f}  p {np.nanmin(p):.4f}  "
            f"left {own.least_left[0, at]:.2f}  band {own.low[0, at]:+.2f} to {own.high[0, at]:+.2f}  "
            f"holds {int(own.holds.sum())} of {own.holds.size}  groups {found.n_groups}  "
            f"{time.process_time() - start:.2f} s  {', '.join(others)}"
        )


def copies(captures: Captures, number: int) -> PairedMeasures:
    """Two copies of a capture, at each fifth depth, each with noise of its own, a part of each dimension's spread."""
    random = np.random.default_rng((13, number))
    model = (SMOLLM2, MINILM)[number % 2]
    states = captures.intact(model, bool(number // 2 % 2))[0]
    depths = np.arange(0, states.n_depths, 5 if model == SMOLLM2 else 1)
    noise = random.choice([0.2, 0.5, 1.0])
    sides = []
    for _ in range(2):
        noisy = [state + noise * state.std(axis=0) * random.normal(size=state.shape) for state in states.states]
        sides.append(replace(states, states=[each.astype(np.float32) for each in noisy]))
    return compared([sides[0]], [sides[1]], np.stack([depths, depths], axis=1))


def main() -> None:
    """Print."""
    captures = Captures.of(Path(sys.argv[1]))
    with threadpool_limits(1):
        if len(sys.argv) > 2:
            counts = Counter(name for number in range(int(sys.argv[2])) for name in announced(copies(captures, number)))
            print(f"copies, {sys.argv[2]}: {dict(counts)}")
            return
        for line in table(captures):
            print(line, flush=True)


if __name__ == "__main__":
    main()
