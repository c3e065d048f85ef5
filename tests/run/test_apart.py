"""Models are captured in a process of their own: what ends it costs the model that did, and no other."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import making
import numpy as np
import psutil
import pytest
from making import hidden_states
from torch import nn

from tokviz import models
from tokviz.capture import memory
from tokviz.config import ModelConfig
from tokviz.errors import BackendError, DamagedStatesError, ModelError, SourceError
from tokviz.models import limits
from tokviz.records import Category, Context, Tokenization, TokenizedWord, WordList
from tokviz.run.capturing import apart, one_model
from tokviz.run.capturing.apart import Apart
from tokviz.run.capturing.folders import folders_for
from tokviz.run.capturing.one_model import _leaving_memory, _most_seconds
from tokviz.run.plan.request import Request, Template
from tokviz.run.store.artefacts import Store
from tokviz.run.store.locks import Locks
from tokviz.run.store.states_file import CaptureDescription
from tokviz.run.work.progress import Quiet, Reporter

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="What is put in place of the captures is there in a fork only"),
]


STORE = Store(Path("nowhere"))
"""Nothing is put there."""


class Heard(Quiet):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[Any] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def step(self, name: str, total: int | None = None) -> Any:
        self.lines.append((name, total))
        return self

    def advance(self, count: int = 1, detail: str = "") -> None:
        self.lines.append(count)


def request(name: str) -> Request:
    return Request(
        model=ModelConfig(source=name),
        base=Path(),
        device="cpu",
        contexts=(),
        words=WordList(categories=()),
        read="last",
        token_budget=1,
    )


def capture(asked: Request, store: Store, reporter: Reporter) -> None:
    """In place of a capture, what the name of its model says."""
    does: dict[str, Callable[[], Any]] = {
        "aborts": os.abort,
        "leaves": lambda: os._exit(7),
        "is killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "panics": lambda: raised(IndexError("list index out of range")),
        "is refused": lambda: raised(SourceError("is refused: choose another")),
        "has no library": lambda: raised(BackendError("torch is not installed")),
        "finds damage": lambda: raised(DamagedStatesError(Path("states"), "depth.001")),
        "never ends": lambda: ended_late(limits.ended_after(0)),
        "sleeps": lambda: time.sleep(60),
        "is ended": lambda: signal.raise_signal(signal.SIGTERM),
        "finalizes": finalized,
    }
    faulthandler.disable()  # pytest's
    step = reporter.step(f"{asked.model.source}: capturing", 2)
    if asked.model.source == "is killed while it stores":
        with folders_for(asked.model, asked.base, None, store, Locks()) as folders:
            assert folders.offload
            listed = folders.offload / "tokviz-listed-0a1b2c3d" / "model"
            listed.mkdir(parents=True)
            (listed / "config.json").write_text("{}")
            (listed / "model.safetensors").symlink_to("/weights.safetensors")
            description = CaptureDescription(
                card=making.card(),
                context=making.ALONE,
                tokenization=making.tokenization(),
                module_paths=(),
                captured_at="",
                batch_check=None,
            )
            with store.states_writer("f" * 32, description) as writer:
                writer.add(next(making.batches(making.depths())))
                os.kill(os.getpid(), signal.SIGKILL)
    does.get(asked.model.source, lambda: None)()
    step.advance(2)
    reporter.say(str(os.getpid()))


def raised(error: Exception) -> None:
    raise error


def finalized() -> None:
    """In a finalizer no exception reaches whoever waits for it."""
    weakref.finalize(lambda: None, signal.raise_signal, signal.SIGTERM)


def ended_late(limit: Any) -> None:
    with limit:
        while True:
            pass


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch, heard: Heard) -> Iterator[Apart]:
    monkeypatch.setattr(apart, "capture_here", capture)
    with closing(Apart(reporter=heard)) as made:
        yield made


def test_one_process_has_all_models_and_says_how_far_it_is(captured: Apart, heard: Heard) -> None:
    for name in ("one", "other"):
        captured.capture(request(name), STORE)
    first, second = heard.lines[2], heard.lines[5]
    assert heard.lines == [("one: capturing", 2), 2, first, ("other: capturing", 2), 2, second]
    assert first == second != str(os.getpid())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("aborts", "ended by signal 6; fetch its files again"),
        ("is killed", "ended by signal 9, perhaps as memory ran out; "),
        ("leaves", "ended with exit code 7; "),
        ("is ended", "ended from outside; run the same command again"),
    ],
)
def test_what_ends_the_process_is_that_models_failure(captured: Apart, heard: Heard, name: str, said: str) -> None:
    with pytest.raises(ModelError) as error:
        captured.capture(request(name), STORE)
    expected = "expected a model that its libraries can load and run, but the process that tried"
    assert str(error.value).startswith(f"{name}: {expected}")
    assert said in str(error.value)
    captured.capture(request("other"), STORE)
    assert heard.lines[-2] == 2


def test_a_process_that_is_ended_as_something_is_finalized_ends_without_a_word(
    captured: Apart, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelError, match="ended from outside; run the same command again"):
        captured.capture(request("finalizes"), STORE)
    assert capfd.readouterr().err == ""


def test_what_it_had_half_made_leaves_the_disk_to_the_next_model(captured: Apart, tmp_path: Path) -> None:
    """Of states it is all of their bytes, from the beginning on; another run's stay."""
    store = Store(tmp_path)
    others = [
        tmp_path / "states" / f".{'f' * 32}.{'0' * 32}" / "states.safetensors",
        tmp_path / f".offload-{'0' * 32}" / "a.dat",
    ]
    for other in others:
        other.parent.mkdir(parents=True)
        other.write_text("another run's")
    with pytest.raises(ModelError, match="signal 9"):
        captured.capture(replace(request("is killed while it stores"), base=tmp_path), store)
    assert {path for path in tmp_path.rglob("*") if not path.is_dir()} == set(others)


def test_a_load_that_takes_too_long_is_ended_by_the_system(captured: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever library is at work, and whether or not it lets Python see a signal."""
    monkeypatch.setattr(limits, "SECONDS", 1)
    with pytest.raises(ModelError, match="took far too long for its size"):
        captured.capture(request("never ends"), STORE)
    captured.capture(request("other"), STORE)


def test_a_process_that_waits_for_what_never_comes_is_ended(captured: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_SECONDS_BETWEEN", 0.05)
    monkeypatch.setattr(apart, "_MOST_SECONDS_WITHOUT_WORK", 0.5)
    with pytest.raises(ModelError, match=r"sleeps: expected .* waited for something that didn't come"):
        captured.capture(request("sleeps"), STORE)
    captured.capture(request("other"), STORE)


def test_captures_have_more_time_than_honest_ones_take_and_an_end() -> None:
    """The sample's larger model takes some ten minutes of a processor, lens and controls included."""
    card = hidden_states([np.zeros((1, 4))]).card
    word = TokenizedWord(word="red", text="red", ids=(1, 2, 3), pieces=("r", "e", "d"), start=0, stop=3)
    texts = {text: Tokenization(words=(word,) * 116, read="last") for text in ("{word}", "the {word}")}
    small, large = (replace(card, n_parameters=n) for n in (100_000, 135_000_000))
    assert 1800 <= _most_seconds(request("small"), small, texts) < 1900
    assert _most_seconds(request("large"), large, texts) > 10_000


def test_in_this_process_no_time_ends_it() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_CPU)
    with models.ended_after(0):
        assert resource.getrlimit(resource.RLIMIT_CPU) == before


@pytest.mark.parametrize(("device", "is_limited"), [("cpu", True), ("meta", False)])
def test_captures_leave_memory_to_the_others(monkeypatch: pytest.MonkeyPatch, device: str, is_limited: bool) -> None:
    """Where they are apart; not where weights are read in every pass, which are mapped."""
    import resource

    loaded: Any = SimpleNamespace(module=nn.Linear(2, 2, device=device))
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with _leaving_memory(loaded):
        assert resource.getrlimit(resource.RLIMIT_DATA) == before
    monkeypatch.setattr(limits, "_ends_the_process", True)
    with _leaving_memory(loaded):
        now, _ = resource.getrlimit(resource.RLIMIT_DATA)
        assert (now != before[0]) == is_limited
        if is_limited:
            assert (
                now - psutil.Process().memory_info().data
                < psutil.virtual_memory().available + psutil.swap_memory().free
            )
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_model_that_takes_all_memory_between_its_passes_fails_alone(
    gpt2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda _: 2**30)
    monkeypatch.setattr(psutil, "swap_memory", lambda: SimpleNamespace(free=0))
    monkeypatch.setattr(one_model, "_tokenized", lambda *_: bytearray(3 * 2**30))
    key, context = "a" * 32, Context(name="alone", label="alone", template="{word}")
    asked = replace(
        request("gpt2"),
        base=tmp_path,
        contexts=((Template(key=key, context=context),),),
        words=WordList(categories=(Category(key="a", label="a", words=("red",)),)),
        due=frozenset([key]),
    )
    with closing(Apart(reporter=Quiet())) as made, pytest.raises(ModelError, match="MemoryError"):
        made.capture(asked, Store(tmp_path / "cache"))


@pytest.mark.parametrize("missing", ["gguf", "transformers.models.newest", "timm"])
def test_a_package_that_only_one_model_needs_is_that_models_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """As gguf for a GGUF file, where torch and transformers are installed without it."""
    monkeypatch.setattr(models, "load", lambda *_: raised(ModuleNotFoundError(missing, name=missing)))
    key = "a" * 32
    template = Template(key=key, context=making.ALONE)
    asked = replace(request("one"), contexts=((template,),), due=frozenset([key]))
    with pytest.raises(
        SourceError, match=f"one: expected the package {missing.partition('.')[0]} for this kind of model"
    ):
        one_model.capture_here(asked, Store(tmp_path), Quiet())


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("is refused", SourceError, "is refused: choose another"),
        (
            "panics",
            ModelError,
            "panics: expected a model whose words go through it, got IndexError",
        ),
        ("has no library", BackendError, "torch is not installed"),
        ("finds damage", DamagedStatesError, "depth.001 is damaged"),
    ],
)
def test_an_error_is_the_same_as_in_this_process(captured: Apart, name: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind) as error:
        captured.capture(request(name), STORE)
    assert type(error.value) is kind
    assert said in str(error.value)
    if isinstance(error.value, DamagedStatesError):
        assert error.value.folder == Path("states")


def test_what_is_interrupted_leaves_no_process(captured: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {each.pid for each in psutil.Process().children()}

    def interrupt(_: object, *what: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Apart, "_pass_on", interrupt)
    with pytest.raises(KeyboardInterrupt):
        captured.capture(request("sleeps"), STORE)
    assert {each.pid for each in psutil.Process().children()} - before
    begun = time.monotonic()
    captured.close()
    assert time.monotonic() - begun < 30, "it was waited for"
    assert {each.pid for each in psutil.Process().children()} <= before
