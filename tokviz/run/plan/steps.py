"""What is made of captures, as steps: what each makes, of what, and how. ``Steps`` takes it from the store, or has it made.

Whoever adds a product writes a function that returns its step; from it follow its key, why it is due, and what pruning keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, partial, wraps
from importlib import import_module
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from tokviz.capture import limited_to_free_memory
from tokviz.errors import TokvizError
from tokviz.run.kinds.base import FORCED
from tokviz.run.store import keys
from tokviz.run.store.artefacts import Store, Use, folder_of
from tokviz.run.work.picture_queue import OtherWork, PictureQueue
from tokviz.run.work.processes import Processes
from tokviz.text import error_line

_SHARE_OF_MEMORY = 0.9
"""Of what is free: so much may be taken by all other processes that measure together, so that the system ends none of them."""
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
        of = [each.key if isinstance(each, Step) else each for each in self.of]
        return keys.product_key(self.what, of)

    @property
    def uses(self) -> set[Use]:
        """What pruning keeps for it, and for all that it depends on."""
        return {(folder_of(self.kind), self.key)}.union(*(each.uses for each in self.of if isinstance(each, Step)))


@dataclass(frozen=True, kw_only=True)
class Unmade:
    """What stands for a value that couldn't be made: why."""

    reason: str
    """A library's error in one line."""
    is_for_memory: bool


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


def measured_by(function: str) -> Callable[..., Any]:
    """A function of ``tokviz.measure``, named with its module and loaded when it is called: scipy and scikit-learn take a while."""
    return partial(_measured, *function.split("."))


@one_thread
def _measured(module: str, function: str, *arguments: Any) -> Any:
    return getattr(import_module(f"tokviz.measure.{module}"), function)(*arguments)


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
        if step.key in self._made:
            return None
        return FORCED if self._is_forced else None if self._store.has(step.key, step.kind) else step.is_new

    def find(self, step: Step[Value]) -> Value | None:
        """What is stored; None where it is due."""
        return None if self._is_forced and step.key not in self._made else self.stored(step)

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
        make = partial(_made, _SHARE_OF_MEMORY if isinstance(executor, Processes) else None)
        for step, value in zip(missing, do(make, [step.make for step in missing], arguments), strict=True):
            found[step.key] = self._keep(step, value)
        return [found[step.key] for step in steps]

    def meanwhile(
        self, steps: Mapping[str, Step[Any]], queue: PictureQueue | None, *, each_alone: bool = False
    ) -> Meanwhile:
        """Those of one capture, made by one other process if there are any that run and see the store's files; else here, now.

        The process may take its part of the free memory. Where that isn't enough, they are made once more when they are waited for,
        with all that is free then.

        Parameters
        ----------
        steps : each after those that it depends on; by the names that their values get.
        each_alone : whether one that can't be made is ``Unmade``, and costs those alone that depend on it; else its error is raised.
        """
        found = {name: value for name, step in steps.items() if (value := self.find(step)) is not None}
        missing = {name: step for name, step in steps.items() if name not in found}

        def keep(values: Mapping[str, Any]) -> None:
            for name, value in values.items():
                found[name] = value if isinstance(value, Unmade) else self._keep(missing[name], value)

        def work(names: Iterable[str]) -> Callable[[float | None], Mapping[str, Any]]:
            chosen = {name: missing[name] for name in names}
            made = {step.key: found[name] for name, step in missing.items() if name in found}
            own = {step.key for step in chosen.values()}
            of = (
                each for step in chosen.values() for each in step.of if isinstance(each, Step) and each.key not in own
            )
            known = {each.key: made[each.key] if each.key in made else self(each) for each in of}
            return partial(_made_in_turn, chosen, known, each_alone)

        if not missing or queue is None or not queue.is_running:
            keep(work(missing)(None))
            return Meanwhile(found)
        n_processes = queue.n_processes
        share = n_processes and _SHARE_OF_MEMORY / n_processes
        underway = queue.submit_other(partial(work(missing), share), keep)
        if share is None:
            return Meanwhile(found, underway)

        def again(name: str) -> OtherWork:
            return queue.submit_other(partial(work([name]), _SHARE_OF_MEMORY), keep)

        return Meanwhile(found, underway, {name: partial(again, name) for name in missing})

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

    def __init__(
        self,
        found: Mapping[str, Any],
        underway: OtherWork | None = None,
        again: Mapping[str, Callable[[], OtherWork]] | None = None,
    ) -> None:
        self._found, self._underway, self._again = found, underway, again or {}

    def wait(self) -> Mapping[str, Any]:
        """By name, once all are there."""
        try:
            if self._underway is not None:
                self._underway.wait()
        except MemoryError:
            if not self._again:
                raise
        for name, begin in self._again.items():
            value = self._found.get(name)
            if name not in self._found or (isinstance(value, Unmade) and value.is_for_memory):
                begin().wait()
        return self._found


def _made(share: float | None, make: Callable[..., Value], arguments: Sequence[Any]) -> Value:
    """``share``: of the free memory that may be taken; None in a process that does other things besides."""
    with nullcontext() if share is None else limited_to_free_memory(None, share):
        return make(*arguments)


def _made_in_turn(
    steps: Mapping[str, Step[Any]], known: Mapping[str, Any], each_alone: bool, share: float | None
) -> dict[str, Any]:
    """By the names of the steps; ``known``: by their keys, the values that these depend on."""
    found = dict(known)
    for step in steps.values():
        of = [found[each.key] if isinstance(each, Step) else each for each in step.of]
        lacking = next((each for each in of if isinstance(each, Unmade)), None)
        try:
            found[step.key] = lacking or _made(share, step.make, of)
        except TokvizError:
            raise
        except Exception as error:
            if not each_alone:
                raise
            found[step.key] = Unmade(reason=error_line(error), is_for_memory=isinstance(error, MemoryError))
    return {name: found[step.key] for name, step in steps.items()}
