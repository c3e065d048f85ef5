"""What is stored comes back as it was, or not at all."""

from __future__ import annotations

import errno
import json
import os
import pickle
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import making
import numpy as np
import pytest
from claiming import decided
from matplotlib.figure import Figure
from narrow import present
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from tokviz.draw.encode import encode_svg
from tokviz.errors import CaptureError, DamagedStatesError, DiskFullError, StoreError
from tokviz.measure.pca import project
from tokviz.records import CapturedBatch, Neighbours, Problem, Projection
from tokviz.run.store import entries
from tokviz.run.store.artefacts import Store
from tokviz.run.store.plain import to_plain
from tokviz.run.store.states_file import CaptureDescription, _write_description, read_description


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def test_states_come_back_as_they_were_captured(store: Store) -> None:
    states = making.depths()
    making.put(store, "k", states)
    found = present(Store(store.root).find_states("k"))
    assert found.card == making.card()
    assert found.context == making.ALONE
    assert found.tokenization == making.tokenization()
    assert found.module_paths == ("model.embed_tokens", "model.layers.0", "model.layers.1")
    assert found.captured_at == "2026-01-02T03:04:05Z"
    for depth, state in enumerate(states):
        np.testing.assert_array_equal(found.states[depth], state)
    np.testing.assert_array_equal(found.position0_values[1, :, 0], np.arange(len(making.WORDS.words)))
    assert (found.position0_dimensions == 7).all()


def test_the_file_is_one_that_safetensors_reads(store: Store) -> None:
    states = making.depths()
    making.put(store, "k", states)
    tensors = load_file(store.root / "states" / "k" / "states.safetensors")
    assert sorted(tensors) == ["depth.000", "depth.001", "depth.002", "position0.dimensions", "position0.values"]
    np.testing.assert_array_equal(tensors["depth.002"], states[2])


def test_widths_may_differ_between_depths(store: Store) -> None:
    states = [making.depths(width=4)[0], *making.depths(2, width=8)]
    found = making.put(store, "k", states)
    assert [state.shape[1] for state in found.states] == [4, 8, 8]


def test_the_digest_tells_states_and_tokens_apart(store: Store) -> None:
    one = making.put(store, "a", making.depths(seed=0))
    same = making.put(store, "b", making.depths(seed=0))
    other = making.put(store, "c", making.depths(seed=1))
    assert one.digest == same.digest != other.digest


def test_a_capture_that_fails_half_way_leaves_nothing(store: Store) -> None:
    def failing() -> Iterator[CapturedBatch]:
        yield next(making.batches(making.depths()))
        raise CaptureError("NaN in model.layers.1")

    with pytest.raises(CaptureError):
        making.write(
            store,
            "k",
            failing(),
            CaptureDescription(
                card=making.card(),
                context=making.ALONE,
                tokenization=making.tokenization(),
                module_paths=("a", "b", "c"),
                captured_at="now",
                batch_check=making.BATCH_CHECK,
            ),
        )
    assert store.find_states("k") is None
    assert list((store.root / "states").iterdir()) == []


def test_a_capture_that_misses_words_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="each of 7 words once"):
        making.put(store, "k", [state[:4] for state in making.depths()])


@pytest.mark.parametrize("damage", ["cut", "no json", "bad json", "another word"])
def test_damaged_states_count_as_absent(store: Store, damage: str) -> None:
    making.put(store)
    folder = store.root / "states" / "k"
    described = (folder / "states.json").read_text()
    if damage == "cut":
        os.truncate(folder / "states.safetensors", 100)
    elif damage == "no json":
        (folder / "states.json").unlink()
    else:
        (folder / "states.json").write_text(
            described[:50] if damage == "bad json" else described.replace("tiny", "tinz")
        )
    assert store.find_states("k") is None


@pytest.mark.parametrize(
    "forged",
    [
        {"module_paths": ["x/../../../outside", "b", "c"]},
        {"module_paths": [r"x\..\outside", "b", "c"]},
        {"module_paths": ["a\0", "b", "c"]},
        {"module_paths": [1, 2, 3]},
        {"captured_at": "x"},
        {"captured_at": "2026-01-02T03:04:05"},
        {"captured_at": 3},
        {"tokenization": "x"},
        {"context": "../.."},
        {"batch_check": {}},
        {"batch_check": {"tolerance": float("nan")}},
        {"batch_check": {"batching": "other"}},
        {"batch_check": {"comparisons": [{"difference": -1.0}]}},
        {"batch_check": {"comparisons": {}}},
        {"tokenization": {"words": [{"ids": []}]}},
        {"tokenization": {"words": [{"start": 10**9}]}},
        {"card": {"n_layers": 1}},
        {"card": {"width": "4"}},
        {"card": {"width": 1.5}},
        {"card": {"notes": "a"}},
    ],
)
def test_states_whose_description_pages_can_not_hold_count_as_absent(store: Store, forged: dict[str, Any]) -> None:
    """As of a cache that comes from somebody else."""
    making.put(store)
    described = read_description(folder := store.root / "states" / "k")
    for name, key in (("tokenization", "read"), ("context", "name")):
        if isinstance(forged.get(name), str):
            forged = {name: {key: forged[name]}}
    _write_description(folder, described)
    assert store.find_states("k") is not None
    _write_description(folder, described | {name: changed(described[name], value) for name, value in forged.items()})
    assert store.find_states("k") is None


def changed(plain: Any, change: Any) -> Any:
    """Plain values with some of theirs changed, at any depth; lists of objects in their first entry."""
    if isinstance(change, dict) and change and isinstance(plain, dict):
        return plain | {name: changed(plain[name], value) for name, value in change.items()}
    if isinstance(change, list) and len(change) == 1 and isinstance(change[0], dict):
        return [changed(plain[0], change[0]), *plain[1:]]
    return change


def flip(file: Path, position: int) -> None:
    """Change one bit of a file."""
    data = bytearray(file.read_bytes())
    data[position] ^= 1
    file.write_bytes(data)


def test_a_flipped_bit_is_noticed_when_its_depth_is_read(store: Store) -> None:
    states = making.depths()
    making.put(store, "k", states)
    assert store.states_are_intact("k")
    file = store.root / "states" / "k" / "states.safetensors"
    with safe_open(file, framework="numpy") as tensors:
        value = tensors.get_tensor("depth.001")[3, 2]
    flip(file, file.read_bytes().index(value.tobytes()))
    found = present(store.find_states("k"))
    np.testing.assert_array_equal(found.states[0], states[0])
    with pytest.raises(DamagedStatesError, match=r"depth\.001 is damaged"):
        found.states[1]
    assert not store.states_are_intact("k")


def test_a_flipped_bit_among_the_statistics_at_position_0_makes_a_capture_absent(store: Store) -> None:
    making.put(store)
    file = store.root / "states" / "k" / "states.safetensors"
    flip(file, file.stat().st_size - 1)
    assert Store(store.root).find_states("k") is None


def test_a_depth_of_another_shape_is_noticed(store: Store) -> None:
    making.put(store)
    file = store.root / "states" / "k" / "states.safetensors"
    tensors = load_file(file)
    tensors["depth.000"] = tensors["depth.000"].T.copy()
    tensors["depth.001"] = tensors["depth.001"].reshape(-1, 1)
    save_file(tensors, file)
    found = present(Store(store.root).find_states("k"))
    for depth in (0, 1):
        with pytest.raises(DamagedStatesError):
            found.states[depth]


def test_states_that_were_damaged_are_there_again_when_another_process_has_captured_them(store: Store) -> None:
    """As the one that captures does, whose store isn't this one."""
    found = making.put(store, "k")
    file = store.root / "states" / "k" / "states.safetensors"
    data = bytearray(file.read_bytes())
    data[8 + int.from_bytes(data[:8], "little")] ^= 1  # the first number of the first depth
    file.write_bytes(data)
    with pytest.raises(DamagedStatesError) as damaged:
        list(found.states)
    store.count_as_absent(damaged.value)
    assert store.find_states("k") is None
    making.put(Store(store.root), "k")
    assert store.find_states("k") is not None


def test_the_error_of_damaged_states_can_come_from_another_process() -> None:
    error = pickle.loads(pickle.dumps(DamagedStatesError(Path("cache/states/k"), "depth.001")))
    assert str(error) == "cache/states/k: depth.001 is damaged; delete that folder and run again"
    assert error.folder == Path("cache/states/k")


def test_what_counts_as_absent_does_so_until_it_is_captured_again(store: Store) -> None:
    making.put(store)
    store.count_as_absent(DamagedStatesError(store.root / "states" / "k", "depth.001"))
    assert store.find_states("k") is None
    making.put(store)
    assert store.find_states("k") is not None


@pytest.mark.parametrize("content", ["[]", "3", "{}", '{"rows": {"dtype": "no such", "shape": [1], "values": [1]}}'])
def test_content_that_is_no_record_counts_as_absent(store: Store, content: str) -> None:
    store._put("measures", "k", ".json", content.encode())
    assert Store(store.root).find("k", Neighbours) is None
    store._put("projections", "k", ".safetensors", content.encode())
    assert Store(store.root).find("k", Projection) is None


def test_a_full_disk_is_said_before_any_state_is_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(StoreError, match=r"No space left on device: they need 0\.\d MB, .* MB are free"):
        making.put(store, "k", [np.zeros((len(making.WORDS.words), 2000), np.float32)] * 3)
    assert list((store.root / "states").iterdir()) == []


def test_states_that_would_leave_nearly_nothing_to_others_are_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = [np.zeros((len(making.WORDS.words), 2000), np.float32)] * 3
    n_bytes = sum(each.nbytes for each in states)
    usage = shutil.disk_usage(Path.cwd())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=int(1.05 * n_bytes)))
    with pytest.raises(DiskFullError, match=r"they need 0\.\d MB, 0\.\d MB are free, of which a tenth is for the rest"):
        making.put(store, "k", states)
    assert list((store.root / "states").iterdir()) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=int(1.3 * n_bytes)))
    making.put(store, "k", states)


def test_space_is_taken_where_the_system_cannot_reserve_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    states = making.depths()
    found = making.put(store, "k", states)
    np.testing.assert_array_equal(found.states[2], states[2])


def test_projections_come_back_as_they_were(store: Store) -> None:
    reference = np.ones(len(making.WORDS.words), dtype=bool)
    projection = project([making.depths()[0], making.depths(width=16)[0]], reference, "centered")
    store.put("p", projection)
    found = present(Store(store.root).find("p", Projection))
    np.testing.assert_array_equal(found.coordinates, projection.coordinates)
    np.testing.assert_array_equal(found.grid_coordinates, projection.grid_coordinates)
    np.testing.assert_array_equal(found.explained_variance_ratio, projection.explained_variance_ratio)
    assert (found.name, found.problems, found.grid_problems) == ("centered", (None, None), projection.grid_problems)


NOT_DRAWN = [
    b"<html>",
    *(
        b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:s="http://www.w3.org/2000/svg" %s>%s</svg>' % each
        for each in [
            (b"", b"<script>alert(1)</script>"),
            (b"", b"<s:script>alert(1)</s:script>"),
            (b'onload="alert(1)"', b""),
            (b"title='>' onload='alert(1)'", b""),
            (b"", b"<foreignObject/>"),
            (b"", b'<use href="other.svg#a"/>'),
            (b"", b'<g style="fill: url(other.svg#a)"/>'),
            (b"", b"<style>@import 'other.css'</style>"),
            (b"", b"<?xml-stylesheet href='other.css'?>"),
            (b"", b"<g>"),
        ]
    ),
]


@pytest.mark.parametrize("data", NOT_DRAWN)
def test_images_that_tokviz_does_not_draw_count_as_absent(store: Store, data: bytes) -> None:
    """A script in an SVG would run on the site's origin."""
    store.put_image("i", data)
    assert Store(store.root).find_image("i") is None


def test_drawings_of_matplotlib_come_back(store: Store) -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2], clip_on=True)
    axes.bar([1], [2], hatch="/")
    axes.imshow(np.zeros((3, 3)))
    store.put_image("i", encode_svg(figure, 'url(x) onload="@"', "<script>"))
    assert Store(store.root).find_image("i") is not None


@pytest.mark.parametrize(
    "forged",
    [{"family": "other"}, {"kind": "other"}, {"score": {"dtype": "object"}}, {"family": None}, {"least_p_value": "0"}],
)
def test_measures_that_are_no_such_record_count_as_absent(store: Store, forged: dict[str, Any]) -> None:
    """A checksum says that a file is as it was written, not by whom."""
    measured = Problem(kind="few_words") if "kind" in forged else decided(np.ones(2, dtype=bool))
    store.put("k", measured)
    store._put("measures", "forged", ".json", json.dumps(changed(to_plain(measured), forged)).encode())
    again = Store(store.root)
    assert [again.has(key, type(measured)) for key in ("k", "forged")] == [True, False]
    assert again.find("k", type(measured)) is not None
    assert again.find("forged", type(measured)) is None


def test_projections_whose_name_leads_out_of_a_folder_count_as_absent(store: Store) -> None:
    reference = np.ones(len(making.WORDS.words), dtype=bool)
    projection = project([making.depths()[0]], reference, "centered")
    store.put("p", replace(projection, name="x/../../outside"))
    assert not Store(store.root).has("p", Projection)


def test_images_come_back_and_damaged_ones_do_not(store: Store) -> None:
    store.put_image("i", making.webp("a picture"))
    file = present(Store(store.root).find_image("i"))
    assert file.read_bytes() == making.webp("a picture")
    file.write_bytes(making.webp("a pictuRe"))
    assert Store(store.root).find_image("i") is None
    assert Store(store.root).find_image("other") is None


def test_what_others_have_written_since_is_found(store: Store) -> None:
    other = Store(store.root)
    store.put("own", Neighbours(rows=np.zeros((1, 1, 1), dtype=np.int64)))
    assert (store.find_image("i"), other.find_image("i"), store.has("k", Neighbours)) == (None, None, False)
    other.put("k", Neighbours(rows=np.zeros((1, 1, 1), dtype=np.int64)))
    other.put_image("i", making.webp("image"))
    assert store.has("k", Neighbours)
    assert store.find_image("i") is not None


def test_what_is_there_is_looked_at_once_however_often_something_is_asked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run asks for each picture before it draws it, and each that is drawn changes the folder."""
    asked = Counter[str]()
    artefact = entries.artefact

    def noted(kind: str, name: str) -> re.Match[str] | None:
        asked[name] += 1
        return artefact(kind, name)

    monkeypatch.setattr(entries, "artefact", noted)
    for index in range(10):
        assert store.find_image(f"{index}") is None
        store.put_image(f"{index}", making.webp("a picture"))
    assert set(asked.values()) == {1}
    assert len(asked) == 9


def test_a_damaged_image_that_is_written_again_is_found(store: Store) -> None:
    store.put_image("i", making.webp("a picture"))
    other, file = Store(store.root), present(store.find_image("i"))
    file.write_bytes(b"damaged")
    assert other.find_image("i") is None
    file.write_bytes(making.webp("a picture"))
    assert other.find_image("i") == file


def test_a_new_image_takes_the_place_of_the_old(store: Store) -> None:
    store.put_image("i", b"one")
    store.put_image("i", b"two")
    assert [path.read_bytes() for path in (store.root / "images").iterdir()] == [b"two"]


def test_it_does_so_in_another_run_in_whatever_order_the_folder_is_read(tmp_path: Path) -> None:
    for index in range(20):  # file systems list by digests of names
        folder = tmp_path / str(index)
        for content in (b"one", str(index).encode()):
            Store(folder).put_image("i", content)
        assert [path.read_bytes() for path in (folder / "images").iterdir()] == [str(index).encode()]


def test_a_cache_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    with pytest.raises(StoreError, match="can't store"):
        Store(tmp_path / "cache").put_image("i", b"x")
    with pytest.raises(StoreError, match="can't store"):
        making.put(Store(tmp_path / "cache"))
