"""Which directions of a model's Jacobian lens are fitted, and under which keys they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tokviz.bundled import LOSS_TEXT
from tokviz.config import ModelConfig, ReportConfig
from tokviz.records import Directions, HiddenStates, Lens, LensKind, ModelCard, Tokenization
from tokviz.run.plan.controls import CONTROLS
from tokviz.run.store import keys

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
    def n_passages(self) -> int:
        return Directions.N_PASSAGES[self.kind]

    @property
    def n_backward_passes(self) -> int:
        return (len(self.names or self.ids) - self.n_stored) * backward_passes(self.kind)


def backward_passes(kind: LensKind) -> int:
    """That one target takes; each is through ``Directions.N_AT_ONCE`` passages."""
    return Directions.N_PASSAGES[kind] // Directions.N_AT_ONCE


@dataclass(frozen=True, kw_only=True)
class Lenses:
    """What is asked for of each model."""

    text: str
    """That directions are fitted on."""
    names: tuple[str, ...]
    """What each category is read as."""

    @classmethod
    def of(cls, config: ReportConfig) -> Lenses | None:
        """None where no lens is asked for."""
        if not (config.lens or any(model.lens for model in config.models)):
            return None
        own = config.lens.text if config.lens else None
        return cls(text=own if own is not None else LOSS_TEXT.read_text(encoding="utf-8"), names=config.read_as)

    def fits(
        self, model: ModelConfig, card: ModelCard, tokenizations: Sequence[Tokenization], *, with_random: bool
    ) -> tuple[Fit, ...]:
        """Those of one model.

        Parameters
        ----------
        tokenizations : of the words in each context's first template.
        with_random : whether there is a control with all weights random.
        """
        ids = tuple(sorted({word.ids[word.start] for each in tokenizations for word in each.words if word.n_tokens}))
        random = CONTROLS[0].key_parts(model) if with_random else {}
        asked: list[tuple[LensKind, tuple[str, ...], tuple[int, ...]]] = [("names", self.names, ())]
        if 0 < len(ids) <= Lens.MOST_TARGETS:
            asked.append(("words", (), ids))
        if with_random:
            asked.append(("random", self.names, ()))
        return tuple(
            Fit(
                kind=kind,
                names=names,
                ids=own,
                key=keys.lens_key(
                    card,
                    self.text,
                    {
                        "names": names,
                        "n_passages": Directions.N_PASSAGES[kind],
                        **(random if kind == "random" else {}),
                    },
                ),
            )
            for kind, names, own in asked
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class LensInputs:
    """What a capture is read with."""

    names: Directions | None
    words: Directions | None
    random: Directions | None
    """Of the control with all weights random."""
    reason: str | None
    """Why there is nothing."""

    @classmethod
    def of(
        cls, found: dict[LensKind, HiddenStates | None], reason: str | None, ids: tuple[int, ...] = ()
    ) -> LensInputs:
        """``found``: what is stored of each kind; ``ids``: of the words that are read."""
        made = {
            kind: None if each is None else Directions(states=each, wanted=ids if kind == "words" else None)
            for kind, each in found.items()
        }
        return cls(
            names=made.get("names"),
            words=made.get("words"),
            random=made.get("random"),
            reason=reason,
        )
