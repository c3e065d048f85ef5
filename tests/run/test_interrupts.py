"""Ctrl-C, SIGTERM and SIGKILL: one line at most, the old site, and no process left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from command import CONFIG, ROOT, done, generate_blank, hashes, wait_for
from families import Tiny
from narrow import present
from torture.kit import session_of

from tokviz.run.work.interrupts import LINE

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups to interrupt"),
    pytest.mark.usefixtures("heeds_interrupts"),
]


@pytest.fixture(scope="module")
def project(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config of a tiny model, and the site that one run made of it."""
    folder = tmp_path_factory.mktemp("project")
    tiny.copy("qwen3", folder / "qwen3")
    (folder / "report.toml").write_text(f'{CONFIG}\n[[models]]\nsource = "qwen3"\n', encoding="utf-8")
    done(generate_blank(folder))
    return folder


def started(project: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """A run in a session of its own."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "generate.py"), *arguments],
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **environment},
    )


def undrawn(project: Path, folder: Path) -> Path:
    """A cache from which a run draws without torch, whose import takes longer than all else."""
    return shutil.copytree(project / ".cache", folder / "cache", ignore=shutil.ignore_patterns("images"))


@pytest.mark.parametrize(
    ("stage", "number", "code", "whole_group"),
    [
        pytest.param("capturing", signal.SIGTERM, 143, False, marks=pytest.mark.thorough),
        ("Drawing", signal.SIGINT, 130, True),
        ("Drawing", signal.SIGINT, 130, False),
    ],
)
def test_a_signal_is_one_line_and_leaves_the_old_site(
    project: Path, tmp_path: Path, stage: str, number: signal.Signals, code: int, whole_group: bool
) -> None:
    before = hashes(project / "site")
    run = started(project, "--cache", str(undrawn(project, tmp_path) if stage == "Drawing" else tmp_path / "cache"))
    for line in present(run.stderr):
        if stage in line:
            break
    (os.killpg if whole_group else os.kill)(run.pid, number)
    _, said = run.communicate(timeout=30)
    assert run.returncode == code
    assert said.splitlines()[-1:] == [LINE]
    assert "Traceback" not in said
    assert hashes(project / "site") == before
    assert wait_for(lambda: not session_of(run.pid), seconds=5)


MARKS = """
import os, sys
def mark(event, arguments):
    if event == "import" and arguments[0] == "tokviz.cli":
        os.write(int(os.environ["MARKS"]), b"x")
sys.addaudithook(mark)
"""
"""Loaded by Python itself before anything else: tells when the first thing of tokviz is about to be imported.

Before that only the lines that answer signals have run. Told of any earlier moment, a busy machine would let them wait.
"""
SECONDS = [0, 0.02, 0.1, 0.25, 0.5]
"""After which a signal comes: while modules are imported, and in the work itself; ``make torture`` has thousands of moments."""
GENERATE = (str(ROOT / "generate.py"), "--draft", "--output", "draft")
TOKVIZ = ("-m", "tokviz", "build", "--draft", "--output", "draft")


@pytest.fixture
def marked(project: Path) -> Path:
    (project / "marks").mkdir(exist_ok=True)
    (project / "marks" / "sitecustomize.py").write_text(MARKS, encoding="utf-8")
    return project


def struck(project: Path, command: tuple[str, ...], seconds: float, number: signal.Signals) -> tuple[int, str]:
    """Exit code and what is said of a command that gets a signal some time after the mark."""
    marks, theirs = os.pipe()
    path = os.pathsep.join((str(project / "marks"), str(ROOT)))
    run = subprocess.Popen(
        [sys.executable, *command],
        cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, pass_fds=[theirs],
        env={**os.environ, "MARKS": str(theirs), "PYTHONPATH": path},
    )  # fmt: skip
    os.close(theirs)
    with os.fdopen(marks) as told:
        assert told.read(1) == "x"
        time.sleep(seconds)
        run.send_signal(number)
        _, said = run.communicate(timeout=30)
    return run.returncode, said


def test_from_its_first_import_on_no_signal_shows_more_than_a_line(marked: Path) -> None:
    cases = [
        *((GENERATE, seconds, signal.SIGINT) for seconds in SECONDS),
        *((GENERATE, seconds, signal.SIGTERM) for seconds in SECONDS[::3]),
        *((TOKVIZ, seconds, signal.SIGINT) for seconds in SECONDS[::3]),
    ]
    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(lambda case: struck(marked, *case), cases))
    for (_, seconds, number), (code, said) in zip(cases, ends, strict=True):
        assert code == 128 + number, (seconds, said)
        assert said.splitlines()[-1:] == [LINE], (seconds, said)
        assert "Traceback" not in said


@pytest.mark.thorough
def test_interrupts_that_a_shell_has_ignored_stay_ignored_from_the_beginning(marked: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        ends = [struck(marked, (*name, "--version"), 0, signal.SIGINT) for name in (GENERATE[:1], TOKVIZ[:2])]
    finally:
        signal.signal(signal.SIGINT, before)
    assert ends == [(0, ""), (0, "")]


def script(folder: Path, body: str) -> subprocess.Popen[str]:
    """A script of which the body is within ``interrupts.heed``; it has begun that when this returns."""
    file = folder / "script.py"
    code = f"""
        import ctypes, hashlib, subprocess, sys, time
        from tokviz.run.work import interrupts
        if __name__ == "__main__":
            def work():
                {body}
            interrupts.heed(work)
    """
    file.write_text(textwrap.dedent(code), encoding="utf-8")
    run = subprocess.Popen(
        [sys.executable, str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert present(run.stdout).readline() == "begun\n"
    return run


ENDLESS = (
    "mutex = ctypes.create_string_buffer(64); [ctypes.CDLL(None).pthread_mutex_lock(mutex) for _ in '12']; "
    "hashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)"
)
"""A call of a C library that no signal ends: on Linux one that waits for itself, elsewhere one that computes for minutes."""


def test_a_long_call_of_a_library_is_ended_with_all_children(tmp_path: Path) -> None:
    run = script(
        tmp_path,
        f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); print('begun', flush=True); {ENDLESS}",
    )
    assert len(session_of(run.pid)) == 2
    begun = time.monotonic()
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=30)
    assert (run.returncode, said) == (130, f"{LINE}\n")
    assert time.monotonic() - begun < 15  # two seconds, on a machine that has nothing else to do
    assert wait_for(lambda: not session_of(run.pid), seconds=5)


DELETING = """
                class Slow:
                    def __del__(self):
                        print("begun", flush=True)
                        for _ in range(600):
                            time.sleep(0.1)
                Slow()
                time.sleep(600)
"""


def test_a_signal_while_an_object_is_deleted_is_not_lost(tmp_path: Path) -> None:
    run = script(tmp_path, DELETING.strip())
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=30)
    assert (run.returncode, said) == (130, f"{LINE}\n")


UNREAD = """
                import os
                os.set_blocking(2, False)
                try:
                    while True:
                        os.write(2, bytes(1 << 16))
                except BlockingIOError:
                    os.set_blocking(2, True)
                print("begun", flush=True)
                time.sleep(600)
"""


def test_a_line_that_nobody_reads_holds_nothing_up(tmp_path: Path) -> None:
    run = script(tmp_path, UNREAD.strip())
    run.send_signal(signal.SIGTERM)
    assert run.wait(timeout=30) == 143
    run.communicate()


def test_signals_that_come_at_once_end_it_once(tmp_path: Path) -> None:
    """Both are noted before Python looks at either; the code is that of one of them."""
    both = "signal.pthread_sigmask(signal.{}, {{signal.SIGINT, signal.SIGTERM}})"
    code = f"{both.format('SIG_BLOCK')}; [os.kill(os.getpid(), each) for each in (signal.SIGINT, signal.SIGTERM)]"
    run = script(
        tmp_path,
        f"import os, signal; print('begun', flush=True); {code}; {both.format('SIG_UNBLOCK')}; time.sleep(600)",
    )
    _, said = run.communicate(timeout=30)
    assert run.returncode in (130, 143)
    assert said == f"{LINE}\n"


def test_a_second_interrupt_does_not_disturb_the_first(tmp_path: Path) -> None:
    run = script(tmp_path, "print('begun', flush=True); time.sleep(600)")
    for _ in range(3):
        run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=30)
    assert (run.returncode, said) == (130, f"{LINE}\n")


def test_interrupts_that_a_shell_has_ignored_stay_ignored(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        run = script(tmp_path, "print('begun', flush=True); time.sleep(1); print('ended')")
    finally:
        signal.signal(signal.SIGINT, before)
    run.send_signal(signal.SIGINT)
    out, said = run.communicate(timeout=30)
    assert (run.returncode, out, said) == (0, "ended\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="Processes are looked for in /proc")
def test_a_run_that_is_killed_leaves_no_process_behind(project: Path, tmp_path: Path) -> None:
    cache = undrawn(project, tmp_path)
    run = started(project, "--output", str(tmp_path / "site"), "--cache", str(cache))
    assert wait_for(lambda: any(cache.glob("images/*.webp")), seconds=60)
    others = session_of(run.pid) - {run.pid}
    run.kill()
    run.communicate()
    assert others
    assert wait_for(lambda: not session_of(run.pid), seconds=20)
