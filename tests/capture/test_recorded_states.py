"""Capture returns what it returned when ``CAPTURE_VERSION`` was last raised.

The keys of stored states contain no digest of the code: who changes what is captured has to raise the version.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import record_states
from narrow import present
from record_states import COMMAND, FAMILIES, Record

from tokviz.run.store.keys import CAPTURE_VERSION

REMEDY = (
    "If capture is meant to return other states, raise CAPTURE_VERSION in tokviz/run/store/keys.py and run "
    f"{COMMAND}; stored states are then captured again. If only a library changed, run "
    f"{COMMAND} --libraries-changed. Otherwise it is a mistake."
)


@pytest.fixture(scope="module")
def record() -> Record:
    return Record.read()


def test_the_record_is_of_the_present_version(record: Record) -> None:
    assert record.capture_version == CAPTURE_VERSION, (
        f"recorded with CAPTURE_VERSION {record.capture_version}, now {CAPTURE_VERSION}: run {COMMAND}"
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_states_are_as_recorded(record: Record, family: str, tmp_path: Path) -> None:
    found = record_states.capture_family(family, tmp_path / family)
    assert found.keys() == {name for name in record.captures if name.split("/")[0] == family}, f"run {COMMAND}"
    changed = record_states.differences(record.captures, found)
    if changed:
        pytest.fail("\n".join([*changed, REMEDY]), pytrace=False)


@pytest.mark.parametrize("value", range(len(record_states.SUMMARY)))
def test_every_recorded_value_counts(record: Record, value: int) -> None:
    name, recorded = next(iter(record.captures.items()))
    found = recorded.copy()
    found[2, 1, value] += 2 * record_states.TOLERANCE * recorded[2, 1].max()
    assert f"{name}, depth 2, 'word or cat'" in present(record_states.difference(name, recorded, found))
    found[2, 1, value] = float("nan")
    assert record_states.difference(name, recorded, found)
    assert record_states.difference(name, recorded, recorded) is None


def test_other_states_are_not_recorded_under_the_same_version(
    record: Record, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(record_states, "RECORD", tmp_path / "recorded.json")
    record.write()
    name = next(iter(record.captures))
    captures = record.captures | {name: record.captures[name] * 1.01}
    other = Record(capture_version=record.capture_version, made_with={}, captures=captures)
    monkeypatch.setattr(Record, "of_the_present", lambda: other)

    monkeypatch.setattr("sys.argv", ["record_states.py"])
    assert record_states.main() == 1
    assert "raise it in tokviz/run/store/keys.py first" in capsys.readouterr().err
    assert Record.read().made_with == record.made_with

    monkeypatch.setattr("sys.argv", ["record_states.py", "--libraries-changed"])
    assert record_states.main() == 0
    assert Record.read().made_with == {}
