"""Whatever records are made of, they come back equal from JSON."""

from __future__ import annotations

import dataclasses
import json
from types import GenericAlias
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tokviz.run.store.plain import from_plain, to_plain

DTYPES = ("bool", "int32", "int64", "float16", "float32", "float64")

Kind = Any
"""A type of the kind that a record's field may be annotated with."""
Values = st.SearchStrategy[Any]

SIMPLE: dict[Kind, Values] = {
    str: st.text(),
    int: st.integers(),
    float: st.floats(),
    bool: st.booleans(),
    np.ndarray: st.sampled_from(DTYPES).flatmap(
        lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    ),
}


def optional(inner: tuple[Kind, Values]) -> tuple[Kind, Values]:
    kind, values = inner
    return kind | None, st.none() | values


def any_number(inner: tuple[Kind, Values]) -> tuple[Kind, Values]:
    kind, values = inner
    return GenericAlias(tuple, (kind, ...)), st.lists(values, max_size=3).map(tuple)


def fixed_number(inner: list[tuple[Kind, Values]]) -> tuple[Kind, Values]:
    return GenericAlias(tuple, tuple(kind for kind, _ in inner)), st.tuples(*(values for _, values in inner))


def record(inner: list[tuple[Kind, Values]]) -> tuple[Kind, Values]:
    """A frozen dataclass with a field of each kind."""
    fields = {f"field_{index}": each for index, each in enumerate(inner)}
    made = dataclasses.make_dataclass(
        "Made", [(name, kind) for name, (kind, _) in fields.items()], frozen=True, kw_only=True, eq=False
    )
    return made, st.builds(made, **{name: values for name, (_, values) in fields.items()})


KINDS: st.SearchStrategy[tuple[Kind, Values]] = st.recursive(
    st.sampled_from(list(SIMPLE.items())),
    lambda inner: st.one_of(
        inner.map(optional),
        inner.map(any_number),
        st.lists(inner, min_size=1, max_size=3).map(fixed_number),
        st.lists(inner, max_size=3).map(record),
    ),
    max_leaves=6,
)
RECORDS = st.lists(KINDS, max_size=3).map(record).flatmap(lambda made: made[1])


def assert_same(found: object, expected: object) -> None:
    """Equal in value and in type at every place, NaN like NaN."""
    assert type(found) is type(expected)
    if dataclasses.is_dataclass(expected):
        for field in dataclasses.fields(expected):
            assert_same(getattr(found, field.name), getattr(expected, field.name))
    elif isinstance(expected, tuple) and isinstance(found, tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, np.ndarray) and isinstance(found, np.ndarray):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected, strict=True)
    elif isinstance(expected, float):
        np.testing.assert_equal(found, expected)
    else:
        assert found == expected


@pytest.mark.slow
@given(RECORDS)
def test_any_record_comes_back_from_json(record: Any) -> None:
    text = json.dumps(to_plain(record), ensure_ascii=False)
    assert_same(from_plain(type(record), json.loads(text)), record)
