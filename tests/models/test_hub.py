"""The model hub: silent, out of reach, with closed doors, or not needed; tested with a stand-in on this machine."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hub_server
import pytest
from hub_server import COMMIT, TOKEN, Hub
from sources import configured, refusal

from tokviz.errors import SourceError
from tokviz.models import describe, files, hub, load, location, tokenizer
from tokviz.models.origin import Origin


@pytest.fixture
def stand_in(tmp_path: Path, checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    with hub_server.served(tmp_path / "cache") as found:
        found.models["org/name"] = checkpoints / "llama"
        yield found


@pytest.mark.slow  # the first to load transformers
def test_a_gated_model_says_what_to_do_and_a_token_opens_it(
    stand_in: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.gated.add("org/name")
    expected = (
        f"org/name: the model is gated; accept its terms at {stand_in.address}/org/name, then log in with hf auth login, or "
        "set HF_TOKEN to a token that may read it"
    )
    assert refusal("org/name", tmp_path) == expected
    monkeypatch.setenv("HF_TOKEN", "hf_of_another")
    assert refusal("org/name", tmp_path) == expected
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    card = load(configured("org/name"), tmp_path, "cpu").card
    assert (card.identity, card.n_layers) == (f"commit:{COMMIT}", 3)


def test_a_model_that_the_hub_does_not_show_may_be_private(stand_in: Hub, tmp_path: Path) -> None:
    message = refusal("org/other", tmp_path)
    assert (
        "found neither; check the spelling, and log in with hf auth login, or set HF_TOKEN, if the model is" in message
    )


def test_a_silent_hub_is_told_and_waited_for(stand_in: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "PATIENCE_SECONDS", 0.01)
    stand_in.may_answer.clear()
    said = []

    def say(line: str) -> None:
        said.append(line)
        stand_in.may_answer.set()

    assert load(configured("org/name"), tmp_path, "cpu", say=say).card.n_layers == 3
    (line,) = said
    assert line.startswith(f"org/name: {stand_in.address} has not answered yet; still waiting (Ctrl-C ends it; ")
    assert "HF_HUB_OFFLINE=1" in line
    assert "tokviz init the-sample --template sample" in line


def test_a_silent_hub_is_told_for_a_model_with_a_checksum_too(
    stand_in: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "PATIENCE_SECONDS", 0.01)
    stand_in.may_answer.clear()
    waiting = threading.Timer(5, stand_in.may_answer.set)  # so that a run that says nothing ends, too
    waiting.start()
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        stand_in.may_answer.set()

    with pytest.raises(SourceError, match=r"expected sha256 a{64}, got "):
        load(configured("org/name", sha256="a" * 64), tmp_path, "cpu", say=say)
    waiting.cancel()
    assert len(said) == 1


def test_a_hub_that_is_not_asked_is_not_spoken_of(
    stand_in: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said: list[str] = []
    with hub.waiting_is_said(Origin.of(configured("org/name"), tmp_path), said.append):
        time.sleep(0.2)
    assert said == []
    assert stand_in.asked == []


def test_a_hub_that_answers_is_not_spoken_of(stand_in: Hub, tmp_path: Path) -> None:
    said: list[str] = []
    assert describe(configured("org/name"), tmp_path, said.append).problem is None
    assert said == []
    assert "/org/name/resolve/main/config.json" in stand_in.asked
    assert not any(isinstance(each, threading.Timer) and each.is_alive() for each in threading.enumerate())


def test_that_the_hub_is_out_of_reach_is_found_out_while_libraries_load(
    stand_in: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    said: list[str] = []
    trying = hub.try_to_connect(configured("org/name"), tmp_path, said.append)
    assert trying is not None
    trying.join()
    assert said == []
    address, once = address_of_nothing(), hub.Once(said.append)
    with monkeypatch.context() as of_nothing:
        of_nothing.setenv("HF_ENDPOINT", address)
        for _ in range(2):
            trying = hub.try_to_connect(configured("org/name"), tmp_path, once)
            assert trying is not None
            trying.join()
    assert [line.partition("; ")[0] for line in said] == [f"org/name: {address} has not answered yet"]
    for variable, value in (("http_proxy", "http://localhost:1"), ("HF_HUB_OFFLINE", "1")):
        with monkeypatch.context() as each:
            each.setenv(variable, value)
            assert hub.try_to_connect(configured("org/name"), tmp_path, said.append) is None
    assert hub.try_to_connect(configured("./folder"), tmp_path, said.append) is None


def address_of_nothing() -> str:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


def test_without_a_network_half_a_minute_is_waited_and_the_failure_says_what_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)  # between attempts
    with hub_server.asked_in_place(address_of_nothing(), tmp_path / "cache"):
        message = refusal("org/name", tmp_path)
    assert "found no such folder and can't reach the Hub; check the spelling and the connection; without a" in message
    for way in ("name a folder", "HF_HUB_OFFLINE=1", "tokviz init the-sample --template sample"):
        assert way in message
    assert sum(waited) < 30


def test_a_model_that_is_whole_in_the_cache_is_loaded_without_asking(
    stand_in: Hub, tmp_path: Path, checkpoints: Path
) -> None:
    snapshot = put_into_cache(checkpoints / "llama", tmp_path / "cache")
    assert load(configured("org/name"), tmp_path, "cpu").card.identity == f"commit:{COMMIT}"
    assert stand_in.asked == []
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(index))
    load(configured("org/name"), tmp_path, "cpu")
    assert stand_in.asked


def test_an_index_larger_than_any_models_is_not_read_to_look_whether_weights_are_here(
    tmp_path: Path, checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command itself looks: what that takes of memory would end the report of all models."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    snapshot = put_into_cache(checkpoints / "llama", tmp_path / "cache")
    index = json.dumps({"weight_map": {"a": "model.safetensors"}})
    (snapshot / "model.safetensors.index.json").write_text(index)
    assert location.is_whole_in_cache(configured("org/name"))
    monkeypatch.setattr(location, "MOST_OF_INDEX", len(index) - 1)
    assert not location.is_whole_in_cache(configured("org/name"))


def put_into_cache(checkpoint: Path, cache: Path) -> Path:
    """As ``hf download`` leaves it: links to blobs, and no note of files that a repository lacks."""
    repository = cache / "models--org--name"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    shutil.copytree(checkpoint, repository / "blobs")
    for file in checkpoint.iterdir():
        (snapshot / file.name).symlink_to(Path("..", "..", "blobs", file.name))
    return snapshot


@pytest.mark.parametrize("name", ["config.json", "notes.txt", "model.safetensors.index.json"])
def test_settings_that_no_model_has_are_not_downloaded(
    stand_in: Hub, llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """They would fill the disk, which other models and the site need."""
    monkeypatch.setattr(files, "MOST_BYTES", 1_000_000)
    with (llama / name).open("a") as file:
        file.write(" " * 1_000_001)
    stand_in.models["org/name"] = llama
    assert "org/name: expected settings of at most 1,000,000 bytes in all, got 1,0" in refusal("org/name", tmp_path)
    assert not list((tmp_path / "cache").rglob(name))


def test_weights_are_not_downloaded_where_the_disk_would_be_full(
    stand_in: Hub, tmp_path: Path, checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a model that is kept, too: what huggingface_hub has of a file stays, and other models and the site have no room."""
    n_bytes = (checkpoints / "llama" / "model.safetensors").stat().st_size
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=int(1.05 * n_bytes)))
    message = refusal("org/name", tmp_path)
    assert (
        "GB on the disk of the cache for its weights, found 0.0 GB, of which a tenth is for the rest; free" in message
    )
    assert not list((tmp_path / "cache").rglob("model.safetensors"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=int(1.2 * n_bytes)))
    load(configured("org/name"), tmp_path, "cpu")


def test_a_repository_without_safetensors_says_what_to_do(stand_in: Hub, llama: Path, tmp_path: Path) -> None:
    stand_in.models["org/name"] = llama
    (llama / "model.safetensors").rename(llama / "pytorch_model.bin")
    message = refusal("org/name", tmp_path)
    assert "expected safetensors weights on the Hub, found none; only safetensors and local .gguf files are" in message
    assert not any("pytorch_model.bin" in path for path in stand_in.asked)


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], bool]]:
    """Whether transformers would ask for kernels, on a machine that has what it takes."""
    from transformers.integrations import hub_kernels  # noqa: F401 - which really imports them, if they are there
    from transformers.utils import import_utils

    found = import_utils._is_package_available

    def as_if(name: str, **options: Any) -> Any:
        return (True, import_utils.KERNELS_MIN_VERSION) if name == "kernels" else found(name, **options)

    import_utils.is_kernels_available.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(import_utils, "_is_package_available", as_if)
        yield import_utils.is_kernels_available
    import_utils.is_kernels_available.cache_clear()


@pytest.mark.slow
def test_no_kernel_is_asked_while_a_model_is_loaded_or_captured(kernels: Callable[[], bool]) -> None:
    """Code of some types of models asks for them when it is imported, in a process that may have been asked before."""
    assert kernels()
    with hub.kernels_unasked():
        assert not kernels()
        with hub.kernels_unasked():
            assert not kernels()
        assert not kernels()
    assert kernels()


@pytest.mark.slow
def test_loading_asks_for_no_kernel(
    kernels: Callable[[], bool], checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    made = tokenizer.load_tokenizer

    def loaded(*given: Any, **named: Any) -> Any:
        seen.append(kernels())
        return made(*given, **named)

    monkeypatch.setattr("tokviz.models.loading.load_tokenizer", loaded)
    load(configured("llama"), checkpoints, "cpu")
    assert seen == [False]
    assert kernels()


def test_a_tokenizer_from_another_place_isnt_sought_at_the_models_revision(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    named = configured("org/name", revision="step8", tokenizer="./other")
    here = Origin.of(configured("./other"), tmp_path)
    found = Origin(model=named, base=tmp_path, location=here.location).of_tokenizer
    assert (found.model.source, found.model.revision) == ("./other", None)
