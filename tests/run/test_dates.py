"""When something was captured is the same wherever it is."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tokviz.run.capturing.dates import now


@pytest.fixture(params=["Asia/Tokyo", "America/New_York"])
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as changed:
        changed.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has no zone of a process")
@pytest.mark.usefixtures("_zone")
def test_a_given_date_is_one_of_utc_in_any_zone() -> None:
    assert now("0") == "1970-01-01T00:00:00Z"
    assert now("1764547200") == "2025-12-01T00:00:00Z"
