"""Frozen records ↔ plain values that JSON can hold, by the types of their fields."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import types
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

Record = TypeVar("Record")
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
    return _read(kind, plain)  # type: ignore[no-any-return]  # its type is known to the caller only


@cache
def _fields(kind: Any) -> dict[str, Any] | None:
    """The fields of a record and what they hold; None for anything else."""
    if not (dataclasses.is_dataclass(kind) and isinstance(kind, type)):
        return None
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _read(kind: Any, plain: Any) -> Any:
    fields = _fields(kind)
    if fields is not None:
        if not isinstance(plain, dict):
            raise TypeError(f"expected an object, got {plain!r:.50}")
        # A field that was added since, with a default, isn't there.
        return kind(**{name: _read(of_field, plain[name]) for name, of_field in fields.items() if name in plain})
    if kind is np.ndarray:
        return _array(plain)
    arguments = get_args(kind)
    if get_origin(kind) is tuple:
        if not isinstance(plain, list):
            raise TypeError(f"expected a list, got {plain!r:.50}")
        kinds = [arguments[0]] * len(plain) if arguments[-1] is Ellipsis else arguments
        return tuple(_read(entry_kind, entry) for entry_kind, entry in zip(kinds, plain, strict=True))
    if get_origin(kind) in (Union, types.UnionType):
        return _read_one_of(arguments, plain)
    return _read_simple(kind, plain)


def _read_simple(kind: Any, plain: Any) -> Any:
    arguments = get_args(kind)
    if get_origin(kind) is Annotated:
        value = _read(arguments[0], plain)
        fits = all(rule(value) for rule in arguments[1:])
    elif get_origin(kind) is Literal:
        value, fits = plain, isinstance(plain, str) and plain in arguments
    elif kind in (int, float):
        # JSON has one type for both, and whole numbers of any length.
        fits = isinstance(plain, (int, float)) and (kind is float or (plain == int(plain) and abs(plain) < _TOO_LARGE))
        value = kind(plain) if fits else plain
    else:
        value, fits = plain, isinstance(plain, kind)
    if not fits:
        raise ValueError(f"expected {kind}, got {plain!r:.50}")
    return value


def _read_one_of(kinds: tuple[Any, ...], plain: Any) -> Any:
    if plain is None and type(None) in kinds:
        return None
    *others, last = (each for each in kinds if each is not type(None))
    for each in others:
        with contextlib.suppress(TypeError, ValueError):
            return _read(each, plain)
    return _read(last, plain)
