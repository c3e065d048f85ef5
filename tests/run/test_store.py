"""What is stored comes back as it was, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import making
import numpy as np
import pytest
from narrow import present
from safetensors.numpy import load_file

from tokviz.errors import CaptureError, StoreError
from tokviz.measure.pca import project
from tokviz.records import CapturedBatch, Projection
from tokviz.run.states_file import CaptureDescription
from tokviz.run.store import Store


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


@pytest.mark.parametrize("damage", ["cut", "no json", "bad json", "other format"])
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
            described[:50] if damage == "bad json" else described.replace('"format": 1', '"format": 0')
        )
    assert store.find_states("k") is None


def test_a_flipped_bit_is_noticed(store: Store) -> None:
    making.put(store)
    assert store.states_are_intact("k")
    file = store.root / "states" / "k" / "states.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    assert not store.states_are_intact("k")


def test_projections_come_back_as_they_were(store: Store) -> None:
    reference = np.ones(len(making.WORDS.words), dtype=bool)
    projection = project([making.depths()[0], making.depths(width=16)[0]], reference, "centered")
    store.put("p", projection)
    found = present(Store(store.root).find("p", Projection))
    np.testing.assert_array_equal(found.coordinates, projection.coordinates)
    np.testing.assert_array_equal(found.grid_coordinates, projection.grid_coordinates)
    np.testing.assert_array_equal(found.explained_variance_ratio, projection.explained_variance_ratio)
    assert (found.name, found.problems, found.grid_problems) == ("centered", (None, None), projection.grid_problems)


def test_images_come_back_and_damaged_ones_do_not(store: Store) -> None:
    store.put_image("i", b"a picture")
    file = present(Store(store.root).find_image("i"))
    assert file.read_bytes() == b"a picture"
    file.write_bytes(b"a pictuRe")
    assert Store(store.root).find_image("i") is None
    assert Store(store.root).find_image("other") is None


def test_a_new_image_takes_the_place_of_the_old(store: Store) -> None:
    store.put_image("i", b"one")
    store.put_image("i", b"two")
    assert [path.read_bytes() for path in (store.root / "images").iterdir()] == [b"two"]


def test_a_cache_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    with pytest.raises(StoreError, match="can't store"):
        Store(tmp_path / "cache").put_image("i", b"x")
    with pytest.raises(StoreError, match="can't store"):
        making.put(Store(tmp_path / "cache"))
