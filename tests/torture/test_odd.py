"""A few of the trials of odd surroundings, and proof that a wait, a traceback, a loss and silence are found."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from torture import odd
from torture.kit import kit_of
from torture.trial import FOREIGN_FILES_LOST, TRACEBACKS, WRONG_OUTCOMES, Outcome

pytestmark = pytest.mark.process


def tried(root: Path, name: str, oddity: odd.Oddity, number: int = 0) -> Outcome:
    folder = root / name
    return odd.tried((oddity,), number, folder, kit_of(folder), random.Random(number))


TRIED = (odd.links, odd.a_clock_in_the_future, odd.names_in_two_forms, odd.pipes_in_the_site)
"""Those that no test of ``tests/cli`` or ``tests/run`` has in this form."""


@pytest.mark.parametrize("oddity", TRIED, ids=lambda each: each.__name__)
def test_whatever_is_odd_around_a_build_it_says_so_in_a_line(
    oddity: odd.Oddity, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(odd, "COMMANDS", ("build",))  # most others don't meet what is odd
    outcome = tried(root, f"odd-{oddity.__name__}", oddity, odd.ODDITIES.index(oddity))
    assert not outcome.harm, outcome.detail


FAULTS = {
    "waits": ("import time; time.sleep(60)", WRONG_OUTCOMES),
    "shows a traceback": ("raise RuntimeError('tokviz')", TRACEBACKS),
    "is silent": ("raise SystemExit(1)", WRONG_OUTCOMES),
    "ends as nobody knows": ("import sys; print('error', file=sys.stderr); sys.exit(120)", WRONG_OUTCOMES),
    "loses a file": ("from pathlib import Path; Path('site/CNAME').unlink()", FOREIGN_FILES_LOST),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, harm = FAULTS[fault]
    (tmp_path / "generate.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(odd, "ROOT", tmp_path)
    monkeypatch.setattr(odd, "COMMANDS", ("generate.py",))
    monkeypatch.setattr(odd, "MOST_WAITED", 1.0)
    outcome = tried(root, f"odd-fault-{list(FAULTS).index(fault)}", odd.no_input)
    assert outcome.harm[harm], outcome
