"""A sample of the damages of ``make torture``, and proof that they are found where they go unnoticed."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tokviz.run.store import states_file
from tokviz.run.store.artefacts import Store
from torture import artefacts
from torture.artefacts import KINDS, Damage
from torture.damage import FILE_DAMAGES, REGION_DAMAGES, damaged, edited, edits, regions
from torture.kit import Kit
from torture.trial import TRACEBACKS, WRONG_OUTCOMES

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def kit(root: Path) -> Kit:
    return Kit(root / "kit")


@pytest.fixture(scope="module")
def all_damages(kit: Kit) -> tuple[Damage, ...]:
    return artefacts.all_damages(kit)


@pytest.mark.parametrize("kind", KINDS)
def test_damage_changes_nothing_in_the_report(kind: str, all_damages: tuple[Damage, ...], kit: Kit) -> None:
    """Every fourth way, not the same ones for all kinds; the long run has all, in every region, and every edit."""
    ways: dict[str, tuple[int, Damage]] = {}
    for number, damage in enumerate(all_damages):
        if damage.kind == kind:
            ways.setdefault(damage.how, (number, damage))
    tried = list(ways.values())[KINDS.index(kind) % 4 :: 4]
    for number, damage in tried:
        outcome = artefacts.done_to(damage, number, kit, kit.folder.with_name(f"{kind}-{number}"))
        assert not outcome.harm, outcome.detail
    assert len(ways) >= len(REGION_DAMAGES)
    assert len(tried) >= 2


def test_every_kind_of_file_is_damaged_in_every_way(all_damages: tuple[Damage, ...]) -> None:
    assert {damage.kind for damage in all_damages} == set(KINDS)
    for kind in KINDS:
        found = {damage.how for damage in all_damages if damage.kind == kind}
        assert {*REGION_DAMAGES, *FILE_DAMAGES} - {"swapped"} <= found
    depths = {damage.place for damage in all_damages if damage.kind == "states.safetensors" and damage.region}
    assert depths == {"length", "header", "depth.000", "depth.001", "position0.values", "position0.dimensions"}


# --- the damages themselves ------------------------------------------------------------------------------------------


def test_regions_cover_a_file_without_gaps(kit: Kit) -> None:
    for file in kit.made("svg").cache.rglob("*.*"):
        if file.is_file() and file.suffix != ".lock":
            data = file.read_bytes()
            found = regions(file.name, data)
            assert [region.start for region in found] == [0, *(region.end for region in found[:-1])], file
            assert found[-1].end == len(data)
            for region in found:
                for how in REGION_DAMAGES:
                    if region.end > region.start:
                        assert damaged(data, region, how) != data


def test_edits_change_every_value_and_leave_json() -> None:
    content = {"words": ["a", "b", "c"], "card": {"n": 1, "x": math.nan, "is": True, "none": None}}
    data = json.dumps(content).encode()
    found = list(edits(content))
    assert {edit.path for edit in found} >= {("words",), ("words", 0), ("words", 2), ("card", "n"), ("card", "none")}
    for edit in found:
        assert edited(data, edit) != data
        json.loads(edited(data, edit))


# --- no check that can't fail ----------------------------------------------------------------------------------------


def first(all_damages: tuple[Damage, ...], kind: str, how: str, place: str) -> tuple[int, Damage]:
    """One whose number makes the report that reads the damaged part."""
    return next(
        (number, damage)
        for number, damage in enumerate(all_damages)
        if (damage.kind, damage.how, damage.place) == (kind, how, place)
    )


def test_states_that_nobody_checks_are_found(
    all_damages: tuple[Damage, ...], kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, damage = first(all_damages, "states.safetensors", "zeroed", "depth.001")
    for variant in artefacts.READS_STATES:  # which must not be made for the first time with the fault in place
        kit.made(variant)
    read = states_file.StoredDepths.__getitem__

    def unchecked(self: states_file.StoredDepths, depth: int) -> object:
        monkeypatch.setattr(states_file, "tensor_digest", lambda tensor: self._digests[depth % len(self)])
        return read(self, depth)

    monkeypatch.setattr(states_file.StoredDepths, "__getitem__", unchecked)
    outcome = artefacts.done_to(damage, number, kit, kit.folder.with_name("unchecked-states"))
    assert outcome.harm[WRONG_OUTCOMES], outcome


def test_pictures_and_measures_that_nobody_checks_are_found(
    all_damages: tuple[Damage, ...], kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "_intact", lambda self, kind, key: self._file(kind, key))
    monkeypatch.setattr("tokviz.run.store.artefacts._UNREADABLE", ())
    number = next(n for n, each in enumerate(all_damages) if each.kind == "images" and each.place == "block 5")
    outcome = artefacts.done_to(all_damages[number], number, kit, kit.folder.with_name("unchecked-image"))
    assert outcome.harm[WRONG_OUTCOMES], outcome
    number = next(n for n, each in enumerate(all_damages) if (each.kind, each.how) == ("measures", "emptied"))
    outcome = artefacts.done_to(all_damages[number], number, kit, kit.folder.with_name("unchecked-measure"))
    # Read as it is, an empty file is no record of any kind.
    assert outcome.harm[TRACEBACKS], outcome
