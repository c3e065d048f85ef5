"""A few of the trials of what others own, and proof that they find the faults that they are for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tokviz.run.publishing import manifest
from tokviz.run.publishing.manifest import OwnFiles
from tokviz.run.store import entries
from torture import owners
from torture.kit import kit_of
from torture.owners import MANIFESTS, Case
from torture.trial import FOREIGN_FILES_LOST

pytestmark = pytest.mark.process


@pytest.mark.parametrize("number", range(len(MANIFESTS)))
def test_what_others_own_stays(number: int, root: Path) -> None:
    folder = root / f"owners-{number}"
    outcome = owners.tried(owners.drawn(number), number, folder, kit_of(folder))
    assert not outcome.harm, outcome.detail


def test_trials_have_all_that_they_draw_from() -> None:
    cases = [owners.drawn(number) for number in range(100)]
    assert {case.manifest for case in cases} == set(MANIFESTS)
    assert {run for case in cases for run in case.runs} == {*owners.BUILDS, "prune"}
    assert {len(case.mounts) for case in cases} == {0, 1, 2}
    assert {case.is_known_cache for case in cases} == {True, False}


def harms(root: Path, name: str, manifest: str, *runs: str) -> set[str]:
    """What trials with one kind of manifest find, until one finds something: a few draw nothing that the fault reaches."""
    found: set[str] = set()
    for number in range(16):
        if found:
            break
        folder = root / f"{name}-{number}"
        case = Case(runs=runs, manifest=manifest, mounts=(), is_known_cache=True)
        found |= set(owners.tried(case, number, folder, kit_of(folder)).harm)
    return found


def test_that_a_name_alone_is_taken_for_a_proof_is_found(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_name = re.compile(f"{manifest._COULD_BE_WRITTEN.pattern}|{manifest.PATH}")
    monkeypatch.setattr(OwnFiles, "is_own", lambda _, path, file: bool(by_name.fullmatch(path)) and file.is_file())
    assert FOREIGN_FILES_LOST in harms(root, "by-name", "deleted", "plain")


def test_that_pruning_goes_by_a_pattern_is_found(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "artefact", lambda _, name: re.fullmatch(r"(?P<key>[0-9a-f]{32})\..*", name))
    monkeypatch.setattr(entries.Entry, "is_as_stored", True)
    assert FOREIGN_FILES_LOST in harms(root, "by-pattern", "whole", "prune")
