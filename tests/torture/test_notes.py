"""The first trials of notes; the long run has thousands."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from repeating import times

from torture import notes
from torture.trial import SCRIPTS_EXECUTED, WORDS_LOST

N_SHORT = times(30)


@pytest.mark.slow
@pytest.mark.repeats
def test_whatever_stands_in_a_note_is_shown_whole_and_runs_nothing(tmp_path: Path) -> None:
    outcomes = []
    for number in range(N_SHORT):
        folder = tmp_path / str(number)
        folder.mkdir()
        outcomes.append(notes.trial(number, folder))
    assert [outcome.detail for outcome in outcomes if outcome.harm] == []
    seen = {seen for outcome in outcomes for seen in outcome.seen}
    assert {"paragraphs: shown", "nested: refused", "nested: shown", "hostile: refused"} <= seen


def test_harm_would_be_seen() -> None:
    harm: Counter[str] = Counter()
    page = '<p>here <a href="java\nscript:x">a</a><img src="a" onerror="x"><script>x</script></p>'
    found = notes._judge(page, ("here", "there"), harm)
    assert harm == {SCRIPTS_EXECUTED: 1, WORDS_LOST: 1}
    assert len(found) == 4
