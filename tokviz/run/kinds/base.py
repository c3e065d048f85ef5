"""What a kind of captures is: whether a report asks it of a model, what of it is due, how it is made, and what measures get of it.

Each has a file beside this one, and its place in ``KINDS`` of this folder.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from tokviz.config import ModelConfig, ReportConfig
from tokviz.records import HiddenStates, ModelCard, Tokenization
from tokviz.run.store.artefacts import Store, folder_of

if TYPE_CHECKING:
    from tokviz.run.kinds.ready import Ready

What = TypeVar("What")
FORCED = "forced"
"""Why what is stored is made once more."""


@dataclass(frozen=True, kw_only=True)
class Capture(Generic[What]):
    """Something that takes the model itself: states of a template, or what follows from them."""

    what: What
    key: str
    """Under which it is stored."""
    due: str | None
    """Why it must be made, or None when the store has it, or why there can't be any, or the model isn't here."""
    states: HiddenStates | None = None
    """As they are stored, also where they are to be made again."""
    failure: str | None = None
    """Why there is none."""
    record: type | None = None
    """What is stored in place of states."""

    @property
    def folder(self) -> str:
        return folder_of(self.record) if self.record else "states"


@dataclass(frozen=True, kw_only=True)
class Following(Capture[What]):
    """What follows from the states of the model as it is."""

    intact: HiddenStates
    """These."""


Some = TypeVar("Some")
Made = TypeVar("Made", bound=Capture[Any])
Given = TypeVar("Given")


def once_each(found: Iterable[tuple[str, Some]]) -> list[Some]:
    """The first of each key, as contexts may share a template."""
    first: dict[str, Some] = {}
    for key, each in found:
        first.setdefault(key, each)
    return list(first.values())


def due_once(found: Iterable[Made]) -> list[Made]:
    """Those that are due, each once."""
    return once_each((each.key, each) for each in found if each.due)


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Through what is stored of one model, to what follows from it."""

    model: ModelConfig
    store: Store
    made: Collection[str]
    """The keys of what has been captured a moment ago: what follows from that is due, too."""
    is_forced: bool
    """Whether what is stored is made again."""

    @cached_property
    def is_at_hand(self) -> bool:
        """Whether the model can be loaded, as far as is known: what was captured elsewhere is shown without what needs it, too."""
        raise NotImplementedError

    def follows(self, what: What, key: str, intact_key: str, intact: HiddenStates, reason: str) -> Following[What]:
        """States that follow from ``intact``.

        Due where these were made a moment ago, or none of the same model are stored and nothing says that there can't be any.
        """
        identity = intact.card.identity
        states, failure = self.store.find_states(key), self.store.failure(key, identity)
        is_there = states is not None and states.card.identity == identity
        due = intact_key in self.made or not (is_there or failure is not None)
        return Following(
            what=what,
            key=key,
            intact=intact,
            states=states if is_there else None,
            due=reason if due else None,
            failure=failure,
        )


class Kind(Generic[Made, Given]):
    """A kind that is asked for, with its settings; it travels to the process that captures."""

    with_head: ClassVar[bool] = False
    """Whether the model's output matrix is needed."""
    is_of_model: ClassVar[bool] = False
    """Whether it is captured once of a model, as ``of_model`` says, and not in each of its contexts."""
    field: ClassVar[str] = ""
    """Of ``ContextReport``, in which a ``record`` is published that is stored in place of states."""

    @classmethod
    def asked(cls, config: ReportConfig, model: ModelConfig) -> Self | None:
        """What a report that isn't a draft asks of a model; None where it asks for none of this kind."""
        raise NotImplementedError

    @property
    def texts(self) -> tuple[str, ...]:
        """What the model's tokenizer is going to read."""
        return ()

    @property
    def sets_neurons(self) -> bool:
        """Whether sublayers are looked for even where weights are read in every pass."""
        return False

    def n_tokens(self, n_words: int) -> int:
        """How many go through the model at most beside those of the states, for a limit of time."""
        return 0

    def of_context(self, walk: Walk, intact_key: str, intact: HiddenStates, *, breaks: bool) -> Iterator[Made]:
        """What follows from the states of a context's first template.

        Parameters
        ----------
        breaks : whether it is the model's first context in which few neurons write a break, and these are to be switched off.
        """
        yield from ()

    def of_model(self, walk: Walk, card: ModelCard, tokenizations: Sequence[Tokenization]) -> Iterator[Made]:
        """What is captured once of a model; ``tokenizations``: of the words in each context's first template."""
        yield from ()

    def require(self, ready: Ready) -> None:
        """Raise ``CaptureError`` before anything is captured where what is asked for can't be."""

    def make(self, ready: Ready, found: Sequence[Made]) -> None:
        """Make and store those that are due, or keep and say why there are none; ``found``: all of this kind in all contexts.

        Whatever needs torch is imported here.
        """
        raise NotImplementedError

    @classmethod
    def given(cls, found: Sequence[Made]) -> Given | None:
        """What measures get, of one context, or of the model; None where nothing is known yet."""
        return None
