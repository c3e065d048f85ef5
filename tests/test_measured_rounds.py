"""What benchmarks and the manual's charts make of numbers."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

import charts
import pytest

ROOT = Path(__file__).parent.parent
SITE = ROOT / "site"


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return __import__("table")


@pytest.mark.parametrize(("warm_up", "high"), [(True, 2.0), (False, 200.0)])
def test_the_round_that_warms_up_counts_only_where_there_is_none(
    table: object, monkeypatch: pytest.MonkeyPatch, warm_up: bool, high: float
) -> None:
    clock, calls = [0.0], count()

    def ours() -> None:
        clock[0] += 2 if next(calls) else 200

    def baseline() -> None:
        clock[0] += 1

    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    row = table.side_by_side("ours", 3, ours, baseline, rounds=3, warm_up=warm_up)  # type: ignore[attr-defined]
    assert (row.ratio, row.low, row.high) == (2, 2, high)


def test_a_layer_is_named_below_the_point_of_its_depth() -> None:
    drawn = charts.chart(SITE / "data", "mean_norm")
    (points, *_) = re.findall(r'<polyline points="([^"]+)"', drawn)
    places = [point.split(",")[0] for point in points.split()]
    named = dict(re.findall(r'<text x="([\d.]+)"[^>]*text-anchor="middle"[^>]*>(?:layer )?(\d+)</text>', drawn))
    assert len(named) > 3
    for place, layer in named.items():
        assert places.index(place) == int(layer) + 1
