"""What is made of captures, as steps: what each makes, of what, and how. ``Steps`` takes it from the store, or has it made.

Whoever adds a product writes a function that returns its step; from it follow its key, why it is due, and what pruning keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property, partial, wraps
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from tokviz.run.kinds.base import FORCED
from tokviz.run.store import keys
from tokviz.run.store.artefacts import Store, Use, folder_of
from tokviz.run.work.picture_queue import OtherWork, PictureQueue

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True, eq=False)
class Step(Generic[Value]):
    """One product."""

    what: str
    """Its name among products of all kinds."""
    kind: type[Value]
    of: tuple[Any, ...]
    """All that it depends on, steps among it; their values, and the rest as it stands here, are what ``make`` gets."""
    make: Callable[..., Value]
    """It may be called in another process."""
    is_new: str = "not measured yet"
    """Why it is due where it isn't stored."""

    @cached_property
    def key(self) -> str:
        """Under which it is stored."""
        of = [each.key if isinstance(each, Step) else each for each in self.of]
        return keys.product_key(self.what, of)

    @property
    def use(self) -> Use:
        """What pruning keeps for it."""
        return folder_of(self.kind), self.key


def one_thread(make: Callable[..., Value]) -> Callable[..., Value]:
    """With one thread for products of matrices.

    Small ones gain nothing from several, which would take the processors from those who draw at the same time; and one adds in the
    same order on every machine.
    """

    @wraps(make)
    def made(*arguments: Any) -> Value:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, "blas"):
            return make(*arguments)

    return made


class Steps:
    """Those of one run.

    Parameters
    ----------
    is_forced : whether what is stored is made once more.
    """

    def __init__(self, store: Store, *, is_forced: bool = False) -> None:
        self._store, self._is_forced = store, is_forced
        self._made: set[str] = set()
        self._in_use: WeakValueDictionary[str, Any] = WeakValueDictionary()

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process they are those of another run."""
        return partial(Steps, is_forced=self._is_forced), (self._store,)

    def due(self, step: Step[Any]) -> str | None:
        """Why it is to be made, or None."""
        if step.key in self._made:
            return None
        return FORCED if self._is_forced else None if self._store.has(step.key, step.kind) else step.is_new

    def find(self, step: Step[Value]) -> Value | None:
        """What is stored; None where it is due."""
        return None if self.due(step) else self.stored(step)

    def stored(self, step: Step[Value]) -> Value | None:
        """What is stored, even where all is to be made once more."""
        found: Value | None = self._in_use.get(step.key)
        return found if found is not None else self._noted(step, self._store.find(step.key, step.kind))

    def __call__(self, step: Step[Value]) -> Value:
        """What is stored, or is made now, in this process."""
        return self.all([step])[0]

    def all(self, steps: Sequence[Step[Value]], executor: Executor | None = None) -> list[Value]:
        """The same of several; each is stored as soon as it is made.

        Parameters
        ----------
        executor : processes that see the store's files, to make them side by side; else that is done here, one after the other.
        """
        found = {step.key: value for step in steps if (value := self.find(step)) is not None}
        missing = [step for step in {step.key: step for step in steps}.values() if step.key not in found]
        do: Callable[..., Iterable[Any]] = executor.map if executor and missing else map
        arguments = [[self(each) if isinstance(each, Step) else each for each in step.of] for step in missing]
        for step, value in zip(missing, do(_made, [step.make for step in missing], arguments), strict=True):
            found[step.key] = self._keep(step, value)
        return [found[step.key] for step in steps]

    def meanwhile(self, steps: Mapping[str, Step[Any]], queue: PictureQueue | None) -> Meanwhile:
        """Those of one capture, made by one other process if there are any that run and see the store's files; else here, now.

        Parameters
        ----------
        steps : each after those that it depends on; by the names that their values get.
        """
        found = {name: value for name, step in steps.items() if (value := self.find(step)) is not None}
        missing = {name: step for name, step in steps.items() if name not in found}
        own = {step.key for step in missing.values()}
        known = {
            each.key: self(each)
            for step in missing.values()
            for each in step.of
            if isinstance(each, Step) and each.key not in own
        }

        def keep(values: Sequence[Any]) -> None:
            for (name, step), value in zip(missing.items(), values, strict=True):
                found[name] = self._keep(step, value)

        work = partial(_made_in_turn, list(missing.values()), known)
        if missing and queue is not None and queue.is_running:
            return Meanwhile(found, queue.submit_other(work, keep))
        keep(work() if missing else ())
        return Meanwhile(found, None)

    def _keep(self, step: Step[Value], value: Value) -> Value:
        self._store.put(step.key, value)
        self._made.add(step.key)
        return self._noted(step, value)

    def _noted(self, step: Step[Any], value: Value) -> Value:
        """A value that is still used needn't be read again."""
        if value is not None:
            self._in_use[step.key] = value
        return value


class Meanwhile:
    """Values that are there, or on their way."""

    def __init__(self, found: Mapping[str, Any], underway: OtherWork | None) -> None:
        self._found, self._underway = found, underway

    def wait(self) -> Mapping[str, Any]:
        """By name, once all are there."""
        if self._underway is not None:
            self._underway.wait()
        return self._found


def _made(make: Callable[..., Value], arguments: Sequence[Any]) -> Value:
    return make(*arguments)


def _made_in_turn(steps: Sequence[Step[Any]], known: Mapping[str, Any]) -> list[Any]:
    found = dict(known)
    for step in steps:
        found[step.key] = step.make(*(found[each.key] if isinstance(each, Step) else each for each in step.of))
    return [found[step.key] for step in steps]
