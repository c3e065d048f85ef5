"""Untrained controls: the same words in models of the same form without training, in all of its weights or in its layers alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from tokviz import models
from tokviz.config import CheckpointConfig, ModelConfig, ReportConfig
from tokviz.errors import CaptureError, SourceError
from tokviz.records import HiddenStates, ModelCard, Untrained
from tokviz.run.kinds.base import Following, Kind, Walk, due_once
from tokviz.run.kinds.ready import Ready
from tokviz.run.store import keys
from tokviz.text import counted

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from tokviz.capture import Structure

VERSION = 1
"""Raised when other weights are drawn of the same seed."""

MOST_PARAMETERS = 1_000_000_000
"""Of larger models there are controls only where they are asked for by the model's own table."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """One untrained model."""

    kind: Literal["random", "own_embedding", "permuted"]
    seed: int

    @property
    def name(self) -> str:
        """``own embedding 3``."""
        return self.kind if self.kind == "random" else f"{self.kind.replace('_', ' ')} {self.seed}"

    def key_parts(self, model: ModelConfig) -> Mapping[str, Any]:
        """What the keys of its states and of its lens are made of, beside those of the model itself."""
        scale = {} if model.initializer_range is None else {"initializer_range": model.initializer_range}
        return {"control": self.kind, "seed": self.seed, **scale}


CONTROLS = (
    Control(kind="random", seed=0),
    *(Control(kind="own_embedding", seed=1 + index) for index in range(Untrained.N_SEEDS)),
    *(Control(kind="permuted", seed=1 + index) for index in range(Untrained.N_SEEDS)),
)
"""All that are made of a model, in the order in which they are."""


def controls_of(model: ModelConfig) -> tuple[Control, ...]:
    """Those that a model may have; checkpoints are held against one without any training, and against each other."""
    return CONTROLS[:1] if isinstance(model, CheckpointConfig) else CONTROLS


@dataclass(frozen=True, kw_only=True)
class Controls:
    """What there is of them in one context."""

    random: HiddenStates | None
    own_embedding: tuple[HiddenStates, ...]
    permuted: tuple[HiddenStates, ...]
    problems: tuple[str, ...]
    """Why some are missing."""
    note: str
    """How their weights were drawn, as a sentence; empty where that isn't known."""
    scaling: str
    """How much permuted layers were made to add, as a sentence; empty without any."""


@dataclass(frozen=True, kw_only=True)
class UntrainedModels(Kind[Following[Control], Controls]):
    """Those of one model."""

    of_any_size: bool
    """Whether they are wanted however large the model is."""

    @classmethod
    def asked(cls, config: ReportConfig, model: ModelConfig) -> Self | None:
        """Of a vocabulary they would take long."""
        by_size = config.untrained or isinstance(model, CheckpointConfig)
        is_asked = by_size if model.untrained is None else model.untrained
        return cls(of_any_size=bool(model.untrained)) if is_asked and not config.vocabulary else None

    def are_wanted(self, card: ModelCard) -> bool:
        """Whether the model has them: as far as its size is known."""
        return self.of_any_size or (card.n_parameters is not None and card.n_parameters <= MOST_PARAMETERS)

    def of_context(
        self, walk: Walk, intact_key: str, intact: HiddenStates, *, breaks: bool
    ) -> Iterator[Following[Control]]:
        for each in controls_of(walk.model) if self.are_wanted(intact.card) else ():
            key = keys.digest({"intact": intact_key, "version": VERSION, **each.key_parts(walk.model)})
            made = walk.follows(each, key, intact_key, intact, "untrained model not captured yet")
            is_due = made.due and (intact_key in walk.made or walk.is_at_hand)
            yield made if is_due else replace(made, due=None)

    def make(self, ready: Ready, found: Sequence[Following[Control]]) -> None:
        """What fails for lack of memory is tried again in the next run."""
        name, say = ready.name, ready.reporter.say
        if not self.are_wanted(ready.loaded.card) and not isinstance(ready.model, CheckpointConfig):
            say(
                f"{name}: no untrained models, as it has more than {MOST_PARAMETERS:,} parameters; untrained = true in its own table "
                "asks for them"
            )
        problems: set[str] = set()
        try:
            if due := due_once(found):
                step = ready.reporter.step(f"{name}: capturing, {counted(len(due), 'untrained model')}", len(due))
                _capture_all(ready, due, problems, step.advance)
            for _, made, problem in _drawn(ready, CONTROLS[:1]) if ready.of_random else ():
                for do in ready.of_random:
                    do(made, problem)
        except models.TooLittleMemoryError as error:
            problems.add(str(error))
        for each in sorted(problems):
            say(f"{name}: no untrained model: {each}")

    @classmethod
    def given(cls, found: Sequence[Following[Control]]) -> Controls | None:
        """None as long as some are due, and where there are none."""
        if not found or any(each.due for each in found):
            return None
        known = {each.what: each.states for each in found if each.states is not None}
        problems = dict.fromkeys(each.failure for each in found if each.failure)
        if not known and not problems:
            return None
        of_kind = {
            kind: tuple(states for control, states in known.items() if control.kind == kind)
            for kind in ("random", "own_embedding", "permuted")
        }
        first = {
            kind: next((each.card.notes[-1] for each in states if each.card.notes), "")
            for kind, states in of_kind.items()
        }
        return Controls(
            random=next(iter(of_kind["random"]), None),
            own_embedding=of_kind["own_embedding"],
            permuted=of_kind["permuted"],
            problems=tuple(problems),
            note=first["random"] or first["own_embedding"],
            scaling=first["permuted"],
        )


def _capture_all(
    ready: Ready, due: Sequence[Following[Control]], problems: set[str], advance: Callable[[], None]
) -> None:
    from tokviz import capture

    norms: dict[str, np.ndarray] = {}  # the trained layers', by template: the same for all seeds
    for control, made, problem in _drawn(ready, [each.what for each in due]):
        for each in (each for each in due if each.what == control):
            try:
                if made is None:
                    raise CaptureError(problem)
                gains = _gains(ready, made, each.intact, norms) if control.kind == "permuted" else ()
                notes = (_of_gains(gains),) if gains else made.notes
                card = replace(each.intact.card, notes=notes)
                with capture.layers_scaled(made.structure, gains) if gains else nullcontext():
                    ready.capture_again(each.key, each.intact, made.module, made.structure, card=card)
            except CaptureError as error:  # such as values that no longer are finite
                ready.store.put_failure(each.key, str(error), each.intact.card.identity)
                problems.add(str(error))
            advance()


def _gains(ready: Ready, made: Drawn, intact: HiddenStates, norms: dict[str, np.ndarray]) -> tuple[float, ...]:
    """By which factors permuted layers add as much as the model's own, to some of the words.

    ``norms``: by template what is known of the model's own layers; what is found is added.
    """
    from tokviz import capture

    batch = capture.PaddedWords.of(intact.tokenization, max(ready.words_to_run(intact), key=len))
    template = intact.context.template
    if template not in norms:
        norms[template] = capture.update_norms(ready.module, ready.structure, batch)
    return capture.gains_to(made.module, made.structure, batch, norms[template])


def _of_gains(gains: Sequence[float]) -> str:
    return (
        f"In permuted layers each update has the trained layer’s norm, for which it is multiplied by {min(gains):.3g} to "
        f"{max(gains):.3g}."
    )


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """An untrained model."""

    module: nn.Module
    structure: Structure
    notes: tuple[str, ...]

    def matrix(self, trained: Any) -> Any:
        """Its output matrix: its embedding's where they are one, else random like it; ``trained`` is the model's, None without one."""
        import torch

        config: Any = self.module.config
        if trained is None or getattr(config, "tie_word_embeddings", False):
            return trained if trained is None else self.module.get_input_embeddings().weight  # type: ignore[operator]
        generator = torch.Generator().manual_seed(0)
        return torch.randn(trained.shape, generator=generator) * float(getattr(config, "initializer_range", 0.02))


def _drawn(ready: Ready, wanted: Sequence[Control]) -> Iterator[tuple[Control, Drawn | None, str]]:
    """Each control with its module, which holds until the next one is made; or why there is none."""
    from tokviz import capture

    try:
        untrained = models.UntrainedModel(ready.loaded, ready.structure.layers, ready.model.initializer_range)
    except models.TooLittleMemoryError:
        raise
    except SourceError as error:
        yield from ((each, None, str(error)) for each in CONTROLS if each in wanted)
        return
    for each in CONTROLS:
        if each not in wanted:
            continue
        try:
            module = getattr(untrained, each.kind)(each.seed)
            found = capture.find_structure(module, ready.loaded.base_model_prefix).up_to(ready.structure.n_layers + 1)
        except (SourceError, CaptureError) as error:
            yield each, None, str(error)
        else:
            yield each, Drawn(module=module, structure=found, notes=untrained.notes), ""
