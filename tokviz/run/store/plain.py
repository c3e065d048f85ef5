"""Frozen records ↔ plain values that JSON can hold, by the types of their fields."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import types
from collections.abc import Callable
from functools import cache, partial
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

Record = TypeVar("Record")
Reader = Callable[[Any], Any]
"""Plain value → value of a type; raises as ``from_plain`` does."""
_LONG = 256
"""Arrays of more numbers are bytes: as digits, those of a report take longer to read than all else of it."""
_TOO_LARGE = 2**63
"""For a whole number: no record holds one."""


def to_plain(value: Any) -> Any:
    """Dicts, lists, strings, numbers and None; an array with its dtype, and as bytes if it is long; NaN as JSON's own extension ``NaN``."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return {"dtype": str(value.dtype), "shape": list(value.shape), **_numbers(value)}
    if isinstance(value, (tuple, list)):
        return [to_plain(entry) for entry in value]
    return value


def _numbers(value: np.ndarray) -> dict[str, Any]:
    if value.size <= _LONG or value.dtype.kind not in "biuf":
        return {"values": value.ravel().tolist()}
    return {"bytes": base64.b64encode(value.astype(value.dtype.newbyteorder("<")).tobytes()).decode("ascii")}


def _array(plain: Any) -> np.ndarray:
    dtype = np.dtype(plain["dtype"])
    if dtype.kind not in "biufU":
        raise TypeError(f"expected numbers or text, got {dtype}")
    if "bytes" not in plain:
        return np.array(plain["values"], dtype=dtype).reshape(plain["shape"])
    found = np.frombuffer(base64.b64decode(plain["bytes"], validate=True), dtype=dtype.newbyteorder("<"))
    return found.astype(dtype).reshape(plain["shape"])


def from_plain(kind: type[Record], plain: Any) -> Record:
    """The record that ``to_plain`` was given.

    Raises
    ------
    TypeError, ValueError, OverflowError : ``plain`` isn't of that kind, or breaks the rule of a field (``tokviz.records.fields``).
    """
    return _reader(kind)(plain)  # type: ignore[arg-type, no-any-return]  # its type is known to the caller only


@cache
def _reader(kind: Any) -> Reader:
    """Each type is looked at once, however many values it has."""
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return partial(_record, kind)
    if kind is np.ndarray:
        return _array
    if origin is tuple:
        are_alike = arguments[-1] is Ellipsis
        return partial(_entries, are_alike, tuple(map(_reader, arguments[:1] if are_alike else arguments)))
    if origin in (Union, types.UnionType):
        *others, last = (_reader(each) for each in arguments if each is not type(None))
        return partial(_one_of, type(None) in arguments, others, last)
    if origin is Annotated:
        return partial(_ruled, kind, _reader(arguments[0]), arguments[1:])
    return partial(_simple, kind, arguments if origin is Literal else None)


@cache
def _fields(kind: type) -> dict[str, Reader]:
    """Of a record what reads each of its fields."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: _reader(hints[field.name]) for field in dataclasses.fields(kind)}


def _record(kind: type, plain: Any) -> Any:
    if not isinstance(plain, dict):
        raise TypeError(f"expected an object, got {plain!r:.50}")
    # A field that was added since, with a default, isn't there.
    return kind(**{name: read(plain[name]) for name, read in _fields(kind).items() if name in plain})


def _entries(are_alike: bool, readers: tuple[Reader, ...], plain: Any) -> tuple[Any, ...]:
    if not isinstance(plain, list):
        raise TypeError(f"expected a list, got {plain!r:.50}")
    if are_alike:
        return tuple(map(readers[0], plain))
    return tuple(read(entry) for read, entry in zip(readers, plain, strict=True))


def _one_of(or_none: bool, others: list[Reader], last: Reader, plain: Any) -> Any:
    if plain is None and or_none:
        return None
    for read in others:
        with contextlib.suppress(TypeError, ValueError):
            return read(plain)
    return last(plain)


def _ruled(kind: Any, read: Reader, rules: tuple[Any, ...], plain: Any) -> Any:
    value = read(plain)
    if not all(rule(value) for rule in rules):
        raise _misfit(kind, plain)
    return value


def _simple(kind: Any, choices: tuple[Any, ...] | None, plain: Any) -> Any:
    value = plain
    if choices is not None:
        fits = isinstance(plain, str) and plain in choices
    elif kind in (int, float):
        # JSON has one type for both, and whole numbers of any length.
        fits = isinstance(plain, (int, float)) and (kind is float or (plain == int(plain) and abs(plain) < _TOO_LARGE))
        value = kind(plain) if fits else plain
    else:
        fits = isinstance(plain, kind)
    if not fits:
        raise _misfit(kind, plain)
    return value


def _misfit(kind: Any, plain: Any) -> ValueError:
    return ValueError(f"expected {kind}, got {plain!r:.50}")
