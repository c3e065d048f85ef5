"""A cache is known by a file, and in it nothing is removed but what has exactly the names that tokviz gives."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import making
import pytest

from tokviz.config import ReportConfig
from tokviz.errors import BusyError, StoreError
from tokviz.run import prune
from tokviz.run.plan.options import Options
from tokviz.run.store import entries
from tokviz.run.store.artefacts import Store
from tokviz.run.store.locks import Locks

KEY, OTHER, LINKED, WRONG = "0" * 32, "f" * 32, "e" * 32, "1" * 16
SUM = entries.checksum(b"content")
SEALED = json.dumps({"sha256": entries.json_digest({}), "description": {}})
OWN = {
    f"states/{KEY}/states.json",
    f"states/{KEY}/states.safetensors",
    f"states/.{KEY}.{OTHER}/states.safetensors",
    f"projections/{KEY}.{SUM}.safetensors",
    f"measures/{KEY}.{SUM}.json",
    f"images/{KEY}.{SUM}.webp",
    f"images/{OTHER}.{SUM}.svg",
    f"images/.{KEY}.{OTHER}",
    f"previews/{KEY}.{SUM}.png",
    f"reports/.{KEY}.{OTHER}",
    f".mark.{KEY}",
    f".offload-{KEY}/model.layers.0.dat",
    f".offload-{KEY}/index.json",
    f".offload-{KEY}/tokviz-listed-0a1b2c3_/model/config.json",
    f".offload-{KEY}/tokviz-listed-0a1b2c3_/model/tiny.gguf",
    f"downloads/{KEY}/CACHEDIR.TAG",
    f"downloads/{KEY}/.locks/models--org--name/abc.lock",
    f"downloads/{KEY}/models--org--name/snapshots/{KEY}/config.json",
}
"""Of the forms of what a run may have to remove; no report uses any of it."""
FOREIGN = {
    f"images/{KEY}.jpg",
    f"images/{KEY}",
    f"images/{KEY}.{SUM}.webp.orig",
    f"images/{KEY}.{SUM}.png",
    f"images/{KEY}.{SUM}0.webp",
    f"images/{KEY[:-1]}A.{SUM}.webp",
    f"images/.{KEY}.tmp",
    f"states/{KEY}/notes.txt",
    f"states/{OTHER}.json",
    f"states/.{KEY}.{OTHER}/mine",
    f"states/{OTHER[:-1]}/states.json",
    "reports/.git/HEAD",
    f"reports/{KEY}.mine.json",
    "measures/deep/down.json",
    ".offload-mine/x.dat",
    f".offload-{KEY}/thesis.tex",
    f".offload-{KEY}/tokviz-listed-0a1b2c3_/model/thesis.tex",
    f".offload-{KEY}/tokviz-listed-mine/model/config.json",
    ".mark.mine",
    "locks/mine.lock",
    f"downloads/{KEY}/thesis.tex",
    f"downloads/{KEY}/models/config.json",
    "downloads/mine/models--org--name/config.json",
    "photo.svg",
}
"""Near them."""


def filled(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(SEALED if path.endswith("states.json") else "content")
    return root


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir()}


@pytest.fixture
def report() -> ReportConfig:
    return ReportConfig.model_validate({"words": {"all": ["cat"]}, "models": [{"source": "nowhere/model"}]})


def pruned(root: Path, report: ReportConfig) -> list[str]:
    options = Options(base=root.parent, output=root.parent / "site", cache=root)
    return prune.prune(report, options, 0, Locks(waits=False), dry_run=False)


def test_pruning_removes_what_has_exactly_the_form_of_tokvizs_and_counts_it(
    tmp_path: Path, report: ReportConfig
) -> None:
    root = filled(tmp_path / "cache", *OWN)
    entries.mark(root)
    filled(root, *FOREIGN)
    lines = pruned(root, report)
    assert files(root) == {*FOREIGN, entries.MARKER, "locks/prune.lock"}
    n_bytes = sum(int(line.split(", ")[1].removesuffix(" bytes")) for line in lines)
    assert n_bytes == len(SEALED) + len("content") * (len(OWN) - 1)
    removed = {line.split(": ")[0].rpartition("/")[2]: int(line.split(": ")[1].split()[0]) for line in lines}
    assert removed == {
        "states": 1,
        "projections": 1,
        "measures": 1,
        "images": 2,
        "previews": 1,
        "left behind": 6,
    }


def test_what_a_cache_says_of_another_report_does_not_act_on_a_terminal(tmp_path: Path, report: ReportConfig) -> None:
    root = tmp_path / "cache"
    entries.mark(root)
    Store(root).note_use(KEY, "/x/\x1b[2J\x1b[31m\nremoved", "/site")
    options = Options(base=tmp_path, output=tmp_path / "site", cache=root)
    *_, line = prune.prune(report, options, prune.OLDER_THAN_DAYS, Locks(waits=False), dry_run=True)
    assert r"kept that '/x/\x1b[2J\x1b[31m\nremoved' used today" in line


def test_pruning_leaves_what_is_not_as_it_was_stored_and_what_lies_behind_a_link(
    tmp_path: Path, report: ReportConfig
) -> None:
    elsewhere = filled(tmp_path / "elsewhere", "states.json")
    (elsewhere / "states.json").write_text(SEALED)
    theirs = (
        *(f"images/{KEY}.{WRONG}.webp", f"previews/{KEY}.{WRONG}.png", f"states/{OTHER}/states.safetensors"),
        f"states/{KEY}/states.json",
    )
    root = filled(tmp_path / "cache", *theirs)
    (root / "states" / KEY / "states.json").write_text(SEALED.replace("{}", '{"a": 1}'))
    (root / "states" / LINKED).symlink_to(elsewhere)
    (root / entries.MARKER).write_text("tokviz cache 1\n")
    assert all(" 0 removed" in line for line in pruned(root, report))
    assert files(root) - {entries.MARKER, "locks/prune.lock", f"states/{LINKED}"} == set(theirs)
    assert files(elsewhere) == {"states.json"}
    filled(root, f"states/{OTHER}/states.json")
    assert f"{root / 'states'}: 1 removed, {len(SEALED) + len('content')} bytes" in pruned(root, report)
    assert not (root / "states" / OTHER).exists()


@pytest.mark.parametrize("path", sorted(FOREIGN))
def test_a_folder_with_one_file_of_somebodys_is_marked_by_nobody_and_never_pruned(
    tmp_path: Path, report: ReportConfig, path: str
) -> None:
    root = filled(tmp_path / "cache", *OWN, path)
    entries.mark(root)
    with pytest.raises(StoreError, match=f"move {path} and what else isn't tokviz's out of it, then make a report"):
        pruned(root, report)
    assert files(root) == {*OWN, path}


def test_a_new_an_empty_and_an_older_cache_are_marked_and_a_copy_is_a_cache_too(
    tmp_path: Path, report: ReportConfig
) -> None:
    (tmp_path / "empty").mkdir()
    older = filled(
        tmp_path / "older",
        *OWN,
        f"fonts/{KEY}.json",
        "locks/prune.lock",
        f"locks/run.{KEY}.lock",
        f"locks/capture.{KEY}.lock",
    )
    for root in (tmp_path / "new" / "cache", tmp_path / "empty", older):
        entries.mark(root)
        assert entries.is_marked(root)
        copy = shutil.copytree(root, root.with_name(f"{root.name}-copy"))
        pruned(copy, report)
    assert f"states/{KEY}/states.json" in files(older)
    assert f"states/{KEY}/states.json" not in files(tmp_path / "older-copy")


@pytest.mark.parametrize("marker", ["another tool's", "tokviz cache 10\n"])
def test_another_file_of_the_markers_name_is_no_licence(tmp_path: Path, report: ReportConfig, marker: str) -> None:
    root = filled(tmp_path / "cache", *OWN)
    (root / entries.MARKER).write_text(marker)
    with pytest.raises(StoreError, match="expected a cache of tokviz"):
        pruned(root, report)
    entries.mark(root)
    assert (root / entries.MARKER).read_text() == marker
    assert files(root) == {*OWN, entries.MARKER}


def test_a_marker_that_a_killed_run_has_half_written_is_written_again(tmp_path: Path) -> None:
    root = filled(tmp_path / "cache", *OWN)
    (root / entries.MARKER).write_text("tokviz cac")
    entries.mark(root)
    assert entries.is_marked(root)


def test_a_pipe_is_neither_opened_nor_removed(tmp_path: Path, report: ReportConfig) -> None:
    root = tmp_path / "cache"
    entries.mark(root)
    pipes = (f"images/{KEY}.{SUM}.webp", f"states/{KEY}/states.json", f"reports/{KEY}.{SUM}.json", f"states/{OTHER}")
    for path in pipes:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(root / path)
    assert all(" 0 removed" in line or "/states: 1 removed" in line for line in pruned(root, report))
    assert files(root) == {*pipes, entries.MARKER, "locks/prune.lock"}
    (root / entries.MARKER).unlink()
    os.mkfifo(root / entries.MARKER)
    with pytest.raises(StoreError, match="expected a cache of tokviz"):
        pruned(root, report)


def test_locks_of_others_stay(tmp_path: Path) -> None:
    root = filled(tmp_path / "cache", "locks/run.mine.lock", f"locks/run.{OTHER}.lock", f"locks/capture.{KEY}.lock.txt")
    (root / "locks" / f"run.{KEY}.lock").touch()
    (root / "locks" / f"capture.{KEY}.lock").touch()
    with Locks(waits=False).alone(root):
        pass
    assert {path.name for path in (root / "locks").iterdir()} == {
        "prune.lock",
        "run.mine.lock",
        f"run.{OTHER}.lock",
        f"capture.{KEY}.lock.txt",
    }
    with Locks().in_use(root), pytest.raises(BusyError), Locks(waits=False).alone(root):
        pass


# --- what stands in the way of an artefact ----------------------------------------------------------------------------


def test_a_stray_entry_costs_that_artefact_only(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    store.put_image(KEY, making.webp("one"))
    store.put_image(OTHER, making.webp("two"))
    images = store.root / "images"
    [file] = images.glob(f"{KEY}.*")
    file.unlink()
    filled(file, "mine.txt")
    filled(images, "no-dot", "a.b", "folder/x", f"{OTHER}.mine.webp")
    (images / "loop").symlink_to("loop")
    again = Store(store.root)
    assert again.find_image(KEY) is None
    assert again.find_image(OTHER) is not None
    again.put_image(KEY, making.webp("one"))
    found = Store(store.root).find_image(KEY)
    assert found is not None
    assert found.read_bytes() == making.webp("one")
    assert (images / f"{file.name}.other" / "mine.txt").is_file()
    assert (images / f"{OTHER}.mine.webp").is_file()


def test_what_somebody_has_put_beside_a_capture_stays_when_it_is_captured_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    making.put(store, KEY)
    folder = filled(store.root / "states" / KEY, "notes.txt", "deep/down.txt")
    (folder / "states.json").unlink()
    (folder / "states.json").mkdir()
    assert store.find_states(KEY) is None
    making.put(store, KEY)
    assert files(folder) == {"states.json", "states.safetensors", "notes.txt", "deep/down.txt"}
    assert (folder / "states.json.other").is_dir()
    assert [path.name for path in (store.root / "states").iterdir()] == [KEY]


def test_a_file_or_a_pipe_in_place_of_a_capture_is_put_beside_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    states = store.root / "states"
    filled(states, KEY)
    os.mkfifo(states / OTHER)
    for key in (KEY, OTHER):
        assert store.find_states(key) is None
        assert store.failure(key) is None
        making.put(store, key)
        assert store.find_states(key) is not None
    assert {path.name for path in states.iterdir()} == {KEY, f"{KEY}.other", OTHER, f"{OTHER}.other"}


@pytest.mark.parametrize("name", ["states.json", "states.safetensors"])
def test_a_pipe_in_a_capture_is_not_waited_for(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "cache")
    making.put(store, KEY)
    (store.root / "states" / KEY / name).unlink()
    os.mkfifo(store.root / "states" / KEY / name)
    assert Store(store.root).find_states(KEY) is None


def test_nested_content_counts_as_absent(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    making.put(store, KEY)
    (store.root / "states" / KEY / "states.json").write_text("[" * 100_000)
    assert store.find_states(KEY) is None
