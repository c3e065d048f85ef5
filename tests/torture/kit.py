"""What trials of whole runs share: a tiny report, the sites that undisturbed runs make, and runs that are watched."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO

import psutil
import warm
from command import ROOT
from filelock import FileLock

CONFIG = """
title = "TITLE"
projections = [PROJECTIONS]
plate_size = [750, 600]
[words]
WORDS
[[contexts]]
name = "alone"
template = " {word}"
[[contexts]]
name = "sentence"
label = "in a sentence"
template = "The word is {word}"
[[models]]
source = "llama"
name = "NAME"
"""
NEW_WORDS = 'names = ["cat", "Mary", "word"]\nsmall = ["the", "and", "doctor"]'
ONE, TWO = '"standardized"', '"standardized", "centered"'
OLD_WORDS = 'most = ["cat", "Mary", "word", "the", "and"]\nrest = ["doctor"]'
OTHER_WORDS = 'one = ["cat", "Mary"]\ntwo = ["word", "the", "and", "doctor"]'
CONFIGS = {
    "report.toml": {"TITLE": "The new report", "NAME": "Tiny", "WORDS": NEW_WORDS, "PROJECTIONS": ONE},
    "more.toml": {"TITLE": "The new report", "NAME": "Tiny", "WORDS": NEW_WORDS, "PROJECTIONS": TWO},
    "old.toml": {"TITLE": "The old report", "NAME": "Former", "WORDS": OLD_WORDS, "PROJECTIONS": ONE},
    "other.toml": {"TITLE": "The other report", "NAME": "Tiny", "WORDS": OTHER_WORDS, "PROJECTIONS": ONE},
}
"""The same words in other categories: every page and picture differs, the captured states are the same. The old report's
files have other names, too."""
FIRST_LOOK = "first look"
"""What a run leaves that is killed before it measures: the first look at its report."""
VARIANTS: dict[str, tuple[str, ...]] = {
    "plain": (),
    FIRST_LOOK: (),
    "draft": ("--draft",),
    "svg": ("--svg",),
    "excerpts": ("--excerpts",),
    "force": ("--force",),
    "more": ("--config", "more.toml"),
    "old": ("--config", "old.toml"),
    "other": ("--config", "other.toml"),
}
FOREIGN = {"CNAME": b"report.example.org", ".git/HEAD": b"ref", "data/mine.txt": b"mine", "own/index.html": b"mine"}
"""What somebody has put into the site, and a link; no report has files of these names."""
LINK, LINK_TARGET = "own/link", "../CNAME"
FAULT = "TOKVIZ_FAULT"
"""The variable with the file of a fault that a test has planted."""
OPTIONS = ("--jobs", "2", "--cache", "cache")
"""Of every run."""
LONGEST_RUN = 240.0
Tree = dict[str, bytes]


# --- what undisturbed runs make --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Made:
    """An undisturbed run."""

    site: Path
    events: dict[str, int]
    """How many each stage has at most."""

    @property
    def own(self) -> Tree:
        return own(tree(self.site))

    @property
    def cache(self) -> Path:
        return self.site.with_name("cache")


class Kit:
    """A folder beside those of the trials, filled once by whichever process needs something of it first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self, folder: Path) -> None:
        """The configs and the model, into a trial's folder."""
        self._build_model()
        folder.mkdir(parents=True, exist_ok=True)
        for name, values in CONFIGS.items():
            text = CONFIG
            for placeholder, value in values.items():
                text = text.replace(placeholder, value)
            (folder / name).write_text(text, encoding="utf-8")
        (folder / "llama").symlink_to(self.folder / "llama")

    def put_old_site(self, folder: Path, old: str = "old") -> None:
        """With what isn't tokviz's."""
        shutil.copytree(self.made(old).site, folder / "site", symlinks=True)
        for path, content in FOREIGN.items():
            (folder / "site" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "site" / path).write_bytes(content)
        (folder / "site" / LINK).symlink_to(LINK_TARGET)

    def made(self, variant: str) -> Made:
        return _made(self, variant)

    def __hash__(self) -> int:
        return hash(self.folder)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kit) and other.folder == self.folder

    def _build_model(self) -> None:
        with self.lock():
            if not (self.folder / "llama").exists():
                partial = self.folder / ".llama"
                _build_llama(partial)
                partial.rename(self.folder / "llama")

    def lock(self) -> FileLock:
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder.with_name(f"{self.folder.name}.lock"), is_singleton=True)


def _build_llama(folder: Path) -> None:
    if "torch" in sys.modules:
        import families

        families.build("llama", folder, 1)
        return
    # In a process of its own: trials that need no torch don't wait for it.
    code = "import sys, families; families.build('llama', sys.argv[1], 1)"
    path = {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, env={**os.environ, **path})


@cache
def _made(kit: Kit, variant: str) -> Made:
    folder = kit.folder / f"made-{variant}"
    summary = folder / "made.json"
    with kit.lock():
        if not summary.exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(kit, variant, folder, summary)
    return Made(site=folder / "site", **json.loads(summary.read_text(encoding="utf-8")))


def _make(kit: Kit, variant: str, folder: Path, summary: Path) -> None:
    # The old site's run captures, so that no other need do it; together with the plain one it shows all stages.
    earlier = {"old": None, FIRST_LOOK: None, "plain": "old"}.get(variant, "plain")
    before = kit.made(earlier) if earlier else None
    kit.prepare(folder)
    if before:
        shutil.copytree(before.cache, folder / "cache")
    if variant == "plain":
        kit.put_old_site(folder)
    arguments = VARIANTS[variant]
    if variant == FIRST_LOOK:
        Begun(folder, arguments, Strike(stage="measuring", nth=1), faultless=True, forks=True).finish()
        summary.write_text(json.dumps({"events": {}}), encoding="utf-8")
        return
    done = Begun(folder, arguments, faultless=True, forks=True).finish()
    if done.code != 0:
        raise RuntimeError(f"the undisturbed run {variant} failed: {done.said}")
    events = Counter(event.stage for event in done.events) | Counter(before.events if before else {})
    summary.write_text(json.dumps({"events": events}), encoding="utf-8")


def kit_of(trial_folder: Path) -> Kit:
    """The one that the trials of a call share: their folders stand side by side."""
    return Kit(trial_folder.parent / "kit")


# --- files -----------------------------------------------------------------------------------------------------------


def tree(folder: Path) -> Tree:
    """Every file's content, and every link's target."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_symlink():
            found[path.relative_to(folder).as_posix()] = f"link to {path.readlink()}".encode()
        elif path.is_file():
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


FOREIGN_TREE: Tree = {**FOREIGN, LINK: f"link to {LINK_TARGET}".encode()}


def own(files: Tree) -> Tree:
    return {path: content for path, content in files.items() if path not in FOREIGN_TREE}


# --- runs ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Strike:
    """A signal at a moment: at the n-th event of a stage, or some seconds after the stage began."""

    signal: int = signal.SIGKILL
    stage: str | None = None
    nth: int = 0
    torn: bool = False
    """Whether the file that was about to be written is left half-written."""
    after: float | None = None
    to_all: bool = False
    """Whether every process of the run gets it, as with Ctrl-C."""


@dataclass(frozen=True, kw_only=True)
class Event:
    time: float
    stage: str
    name: str
    path: str
    struck: bool


@dataclass(frozen=True, kw_only=True)
class Done:
    """A run that has ended."""

    code: int
    said: str
    """On standard error."""
    events: list[Event]
    struck_at: float | None
    """On the monotonic clock; None when it ended before."""
    ended_at: float
    stage: str
    """In which it was struck or ended."""
    where: str
    """The event before which it was struck, or ``between`` events."""

    @property
    def seconds_to_end(self) -> float:
        return self.ended_at - self.struck_at if self.struck_at is not None else 0.0


@dataclass
class Begun:
    """``python generate.py`` in a folder, watched, in a session of its own."""

    folder: Path
    arguments: tuple[str, ...] = ()
    strike: Strike | None = None
    name: str = "run"
    faultless: bool = False
    """Without the fault that a test has planted."""
    forks: bool = False
    """It is a fork of a process with its libraries, over at once: it takes a tenth of the time, but no strike reaches its imports, and
    what draws for it is in no session of its own."""
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()
        self._log = self.folder.with_name(f"{self.folder.name}.{self.name}.log")
        self._said = self._log.with_suffix(".said")
        self._log.unlink(missing_ok=True)
        if threading.current_thread() is threading.main_thread():
            # A shell lets what it starts in the background ignore interrupts, and all that this starts.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._ran: warm.Ran | None = None
        if self.forks and warm.CAN_FORK:
            self._ran = warm.run([*self.arguments, *OPTIONS], self.folder, self._environment())
            self._said.write_text(self._ran.stderr, encoding="utf-8")
        else:
            # Not pipes: what a killed run leaves running for a moment would hold them open.
            with self._said.open("wb") as said:
                self.process = self._begin(said)
        self._struck_at: float | None = None
        if self.strike and self.strike.after is not None:
            threading.Thread(target=self._hit, args=(self.strike, self.strike.after), daemon=True).start()

    def _environment(self) -> dict[str, str]:
        strike = self.strike or Strike()
        watch = {
            "log": str(self._log),
            "root": str(self.folder),
            "stage": strike.stage,
            "nth": strike.nth,  # none is number 0: struck by its clock
            "signal": int(strike.signal),
            "torn": strike.torn,
        }
        environment = {
            **os.environ,
            "SOURCE_DATE_EPOCH": "1700000000",
            "PYTHONPATH": os.pathsep.join((str(Path(__file__).parent / "watched"), str(ROOT))),
            "TOKVIZ_WATCH": json.dumps(watch),
            "OMP_NUM_THREADS": "1",
        }
        if self.faultless:
            environment.pop(FAULT, None)
        environment.pop("CI", None)  # where there is no first look
        return environment

    def _begin(self, said: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, str(ROOT / "generate.py"), *self.arguments, *OPTIONS],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=self._environment(),
            start_new_session=True,
        )

    def _hit(self, strike: Strike, after: float) -> None:
        while strike.stage not in (None, "start") and f"\t{strike.stage}\t" not in self._logged():
            if self.process.poll() is not None:
                return
            time.sleep(0.003)
        time.sleep(after)
        with suppress(ProcessLookupError):
            if self.process.poll() is None:
                self._struck_at = time.monotonic()
                (os.killpg if strike.to_all else os.kill)(self.process.pid, strike.signal)

    def finish(self) -> Done:
        """Wait for its end; one that lasts for ever is killed, and its code is that of a kill."""
        try:
            code = self._ran.returncode if self._ran else self.process.wait(LONGEST_RUN)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            code = self.process.wait()
        ended_at = time.monotonic()
        events = self._events()
        struck = next((event for event in events if event.struck), None)
        last = struck or next((event for event in reversed(events) if event.stage != "locking"), None)
        return Done(
            code=code,
            said=self._said.read_text(encoding="utf-8", errors="replace"),
            events=events,
            struck_at=struck.time if struck else self._struck_at,
            ended_at=ended_at,
            stage=last.stage if last else "start",
            where=struck.name if struck else "between",
        )

    def seconds_until_gone(self, most: float = 20.0) -> float | None:
        """How long processes of the run remain, counted from now; None when some still do after ``most`` seconds."""
        start = time.monotonic()
        while not self._ran and (processes := session_of(self.process.pid)):
            if time.monotonic() - start > most:
                for process in processes:
                    with suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
                return None
            time.sleep(0.05)
        return time.monotonic() - start

    def _logged(self) -> str:
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def _events(self) -> list[Event]:
        events = []
        for line in self._logged().splitlines():
            when, stage, name, path, struck = line.split("\t")
            events.append(Event(time=float(when), stage=stage, name=name, path=path, struck=bool(struck)))
        return events


def undisturbed(folder: Path, arguments: tuple[str, ...] = ()) -> Done:
    """The run after those that were struck."""
    return Begun(folder, arguments, name="next", forks=True).finish()


def session_of(leader: int) -> set[int]:
    """The processes that live in a session."""
    found = set()
    for pid in psutil.pids():
        with suppress(psutil.Error, OSError):
            if os.getsid(pid) == leader and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.add(pid)
    return found
