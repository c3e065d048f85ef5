from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypeVar

import making
import numpy as np
import pytest

from tokviz.records import ModelCard, Tokenization
from tokviz.run.store.plain import from_plain, to_plain

Record = TypeVar("Record")


@dataclass(frozen=True, kw_only=True, eq=False)
class Inner:
    runs: tuple[tuple[int, float], ...]
    where: int | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Outer:
    values: np.ndarray
    inner: tuple[Inner, ...]


def through_json(record: Record) -> Record:
    return from_plain(type(record), json.loads(json.dumps(to_plain(record))))


@pytest.mark.parametrize("record", [making.card(), making.tokenization()], ids=["card", "tokenization"])
def test_records_come_back_equal(record: ModelCard | Tokenization) -> None:
    assert through_json(record) == record


def test_nested_records_arrays_and_nan_come_back() -> None:
    array = np.array([[1.5, np.nan], [-0.1, np.inf]], dtype=np.float32)
    outer = Outer(values=array, inner=(Inner(runs=((1, 0.5),), where=None), Inner(runs=(), where=3)))
    found = through_json(outer)
    np.testing.assert_array_equal(found.values, array)
    assert found.values.dtype == np.float32
    assert [(entry.runs, entry.where) for entry in found.inner] == [(((1, 0.5),), None), ((), 3)]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "int8", "bool"])
def test_long_arrays_are_bytes_and_come_back_as_those_that_were_digits(dtype: str) -> None:
    array = np.random.default_rng(0).normal(size=(20, 30)).astype(dtype)
    if dtype.startswith("float"):
        array[:3, 0] = (np.nan, np.inf, -0.0)
    outer = Outer(values=array, inner=())
    plain = to_plain(outer)
    assert "values" not in plain["values"]
    digits = {"dtype": dtype, "shape": [20, 30], "values": array.ravel().tolist()}
    for found in (through_json(outer), from_plain(Outer, {**plain, "values": digits})):
        assert found.values.dtype == array.dtype
        assert found.values.tobytes() == array.tobytes()
        found.values[0, 0] = 1
    with pytest.raises(ValueError, match=r"base64|padding|cannot reshape|multiple"):
        from_plain(Outer, {**plain, "values": {**plain["values"], "bytes": plain["values"]["bytes"][:-5]}})


def test_a_number_of_any_length_is_no_count() -> None:
    card = to_plain(making.card())
    with pytest.raises(ValueError, match="got 1000"):
        from_plain(ModelCard, {**card, "n_parameters": 10**400})


def test_what_is_no_such_record_is_refused() -> None:
    with pytest.raises(TypeError, match="missing"):
        from_plain(ModelCard, {"source": "x"})
