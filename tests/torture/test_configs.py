"""The first trials of the config; the long run has thousands."""

from __future__ import annotations

from pathlib import Path

import pytest
from repeating import times

from torture.configs import MAKERS, trial

pytestmark = [pytest.mark.slow, pytest.mark.repeats]

N_SHORT = times(200)


def test_whatever_stands_in_a_config_is_read_or_refused_in_short_lines(tmp_path: Path) -> None:
    outcomes = []
    for number in range(N_SHORT):
        folder = tmp_path / str(number)
        folder.mkdir()
        outcomes.append(trial(number, folder))
    assert [outcome.detail for outcome in outcomes if outcome.harm] == []
    seen = {seen for outcome in outcomes for seen in outcome.seen}
    assert {f"{kind}: refused" for kind in MAKERS} <= seen
    assert {"lines: accepted", "values: accepted"} <= seen
