"""Passes take no more memory than there is, and a process that would is not ended by the system."""

from __future__ import annotations

import ctypes
import mmap
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import families
import psutil
import pytest
import torch

from tokviz.capture import capture, find_structure, memory, passes
from tokviz.capture.passes import PASS_BYTES, PassLimits
from tokviz.records import Tokenization, TokenizedWord

CPU = torch.device("cpu")
MIB = 2**20


@pytest.mark.skipif(sys.platform == "win32", reason="Windows maps memory in another way")
def test_the_memory_that_work_takes_for_a_moment_is_seen() -> None:
    """It is mapped: what earlier tests have freed could serve an allocation, which then takes nothing of the system."""
    meter = memory.MemoryMeter(CPU)

    def work() -> None:
        with mmap.mmap(-1, 200 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as held:
            for page in range(0, len(held), mmap.PAGESIZE):
                held[page] = 1
            time.sleep(0.5)  # on a busy machine samples are rare

    taken = meter.peak_of(work)
    assert taken is not None
    assert 180 * MIB < taken < 300 * MIB
    rest = meter.peak_of(lambda: None)
    assert rest is not None
    assert rest < 60 * MIB


@pytest.mark.parametrize(
    ("one", "two", "free", "n_words"),
    [
        (100 * MIB, 150 * MIB, None, (PASS_BYTES - 50 * MIB) // (50 * MIB)),
        (100 * MIB, 150 * MIB, 1000 * MIB, 9),  # half of what is free, less 50 MiB, by 50 MiB
        (100 * MIB, 100 * MIB, 400 * MIB, 64),  # a second word takes nothing: the limit stays
        (900 * MIB, 1800 * MIB, 1000 * MIB, 1),  # one word always may
    ],
)
def test_words_of_a_pass_follow_from_what_one_and_two_take(one: int, two: int, free: int | None, n_words: int) -> None:
    assert PassLimits(n_tokens=1000, n_words=64).within_memory(one, two, free).n_words == n_words


def _new_pages(n_tensors: int) -> int:
    """How many the system gives while so many tensors of 48 MiB are made and dropped, one after the other."""
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(n_tensors):
        torch.ones(48 * MIB // 4)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(memory._glibc() is None, reason="only glibc is told to keep memory")
def test_memory_that_a_tensor_leaves_is_used_again_and_given_back() -> None:
    of_one = 48 * MIB // mmap.PAGESIZE
    before = memory._resident_bytes()
    with memory.reused_memory(CPU):
        assert _new_pages(8) < 1.5 * of_one
        with memory.reused_memory(CPU):
            assert _new_pages(1) < 0.5 * of_one
        assert _new_pages(1) < 0.5 * of_one, "the outer block lasts"
    assert memory._resident_bytes() - before < 24 * MIB
    with pytest.raises(ZeroDivisionError), memory.reused_memory(CPU):
        raise ZeroDivisionError


@pytest.mark.process
@pytest.mark.skipif(memory._glibc() is None, reason="only glibc is told to keep memory")
def test_a_process_keeps_the_memory_that_a_picture_leaves_for_the_next_one() -> None:
    code = """
import resource
from tokviz.capture import memory

def new_pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        [b"1" * 24 * 2**20 for _ in range(4)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

by_default = new_pages()
memory.keep_freed_memory()
new_pages()
print(by_default, new_pages())
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    by_default, kept = map(int, said.split())
    assert kept < by_default / 10


def test_memory_of_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_glibc", lambda: None)
    with memory.reused_memory(CPU):
        assert torch.ones(2).sum() == 2
    monkeypatch.setattr(memory, "_glibc", lambda: pytest.fail("of a GPU's memory glibc knows nothing"))
    with memory.reused_memory(torch.device("meta")):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process take more than there is")
def test_memory_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda _device: 100 * MIB)
    monkeypatch.setattr(psutil, "swap_memory", lambda: SimpleNamespace(free=0))
    with memory.limited_to_free_memory(CPU):
        assert torch.ones(20 * MIB // 4).sum() > 0
        with pytest.raises(RuntimeError, match="can't allocate memory"):
            torch.ones(500 * MIB // 4)
    assert torch.ones(500 * MIB // 4).sum() > 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process take more than there is")
def test_some_memory_may_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of the swap may be taken; a pass within the block gets no more."""
    import resource

    monkeypatch.setattr(memory, "free_bytes", lambda _device: 1000 * MIB)
    monkeypatch.setattr(psutil, "swap_memory", lambda: SimpleNamespace(free=200 * MIB))
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with memory.limited_to_free_memory(CPU, 0.5):
        limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
        assert abs(limit - _of_this_process("VmData:") - 700 * MIB) < 20 * MIB
        with memory.limited_to_free_memory(CPU):
            assert resource.getrlimit(resource.RLIMIT_DATA)[0] == limit
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_the_tightest_control_group_counts(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("0::/user/session\n", encoding="utf-8")
    for folder, limit, used in (("", "max", 9), ("user", "1000", 300), ("user/session", "max", 200)):
        place = tmp_path / "fs" / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / "memory.max").write_text(f"{limit}\n", encoding="utf-8")
        (place / "memory.current").write_text(f"{used}\n", encoding="utf-8")
        (place / "memory.stat").write_text("anon 5\ninactive_file 50\n", encoding="utf-8")
    folders = list(memory.cgroups(tmp_path / "fs", own))
    assert [memory.free_in_cgroup(folder) for folder in folders] == [None, 750, None]


def test_the_first_version_of_control_groups_is_read(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("5:cpu:/a\n4:memory:/a\n", encoding="utf-8")
    place = tmp_path / "fs" / "memory" / "a"
    place.mkdir(parents=True)
    for name, value in (("limit_in_bytes", 700), ("usage_in_bytes", 600)):
        (place / f"memory.{name}").write_text(str(value), encoding="utf-8")
    (place / "memory.stat").write_text("total_inactive_file 100\n", encoding="utf-8")
    assert [memory.free_in_cgroup(folder) for folder in memory.cgroups(tmp_path / "fs", own)] == [200, None]


def test_some_memory_is_free_here() -> None:
    free = memory.free_bytes(CPU)
    assert free is not None
    assert free > 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_words_that_take_much_go_in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Falcon-H1 takes some 60 MB, with a quarter of the usual heads, for every text that needs its scan's chunk of 256 tokens.

    All at once would take 780 MB; a pass may take a quarter of what it usually may.
    """
    monkeypatch.setattr(passes, "PASS_BYTES", PASS_BYTES // 4)
    n_batches, taken = _capture_with_scans(12)
    assert n_batches > 2
    assert taken < 400e6


def _capture_with_scans(n_words: int) -> tuple[int, int]:
    """How many batches so many words were, and how much memory this process took for them at most, in bytes."""
    from transformers import FalconH1Config, FalconH1Model  # each process that collects tests would import them

    sizes = families.SIZES | {"num_hidden_layers": 1, "max_position_embeddings": 256}
    scan: dict[str, Any] = {"mamba_n_heads": 32, "mamba_d_head": 8, "mamba_d_state": 256, "mamba_chunk_size": 256}
    module = FalconH1Model(FalconH1Config(**sizes, **scan, mamba_d_ssm=256)).eval()
    word = TokenizedWord(word="a", text="a", ids=(1,) * 129, pieces=("a",) * 129, start=0, stop=129)
    tokenization = Tokenization(words=(word,) * n_words, read="last")
    # What earlier tests have freed would serve this one, and their peak would count as its own.
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = _of_this_process("VmRSS:")
    batches = list(capture(module, find_structure(module, ""), tokenization, 65_536))
    return len(batches), _of_this_process("VmHWM:") - before


def _of_this_process(kind: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(kind))
