"""``make torture``: try to break tokviz, thousands of times, and print how often it could be done.

All kinds of trials advance together, so that a short call has some of each. What is done stands in a file; the next call
goes on from there.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

from command import ROOT

from tokviz.run.store import keys
from torture.trial import KINDS_OF_HARM, TRACEBACKS, WRONG_OUTCOMES, Outcome, Trial

KINDS = ("kills", "pairs", "configs", "notes", "hostile", "artefacts", "owners", "odd")
"""Modules here with ``trial`` and either ``N_TRIALS`` or ``n_trials(folder)``, which gets what a trial's folder lies in."""
PROGRESS = ROOT / ".torture" / "progress.json"
LONGEST_TRIAL = 900.0
MOST_DETAILS = 50


@dataclass
class Tally:
    """What the trials of one kind have found."""

    total: int
    done: set[int] = field(default_factory=set)
    harm: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    longest_to_error: float = 0.0
    seconds: float = 0.0
    """Of all trials together."""
    details: list[str] = field(default_factory=list)

    def add(self, number: int, outcome: Outcome, seconds: float) -> None:
        self.done.add(number)
        self.harm.update(outcome.harm)
        self.seen.update(outcome.seen)
        self.longest_to_error = max(self.longest_to_error, outcome.seconds_to_error)
        self.seconds += seconds
        if outcome.harm.total() and len(self.details) < MOST_DETAILS:
            self.details.append(f"{number}: {dict(outcome.harm)} {outcome.detail}")

    def to_plain(self) -> dict[str, object]:
        return {**vars(self), "done": sorted(self.done)}


Tallies = dict[str, Tally]


# --- one trial -------------------------------------------------------------------------------------------------------


def trial_of(kind: str) -> Trial:
    trial: Trial = importlib.import_module(f"torture.{kind}").trial
    return trial


def n_trials(kind: str, root: Path) -> int:
    module = importlib.import_module(f"torture.{kind}")
    return int(module.n_trials(root) if hasattr(module, "n_trials") else module.N_TRIALS)


def tried(kind: str, number: int, root: Path, *, keeps: bool = False) -> tuple[Outcome, float]:
    """The outcome of one trial, and how long it took; one that fails itself counts as harm."""
    folder = root / f"{kind}-{number}"
    folder.mkdir(parents=True)
    start = time.monotonic()
    try:
        outcome = trial_of(kind)(number, folder)
    except Exception:  # noqa: BLE001 - the other trials go on
        last = traceback.format_exc(limit=-3).strip().replace("\n", " | ")
        outcome = Outcome(harm=Counter({TRACEBACKS: 1}), detail=f"the trial itself failed: {last}")
    os.chdir(ROOT)
    if not keeps:
        for path in root.glob(f"{kind}-{number}*"):
            if path.name == folder.name or path.name.startswith(f"{folder.name}."):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    return outcome, time.monotonic() - start


# --- all of them -----------------------------------------------------------------------------------------------------


def due(tallies: Tallies, kinds: list[str]) -> Iterator[tuple[str, int]]:
    """Trials that aren't done; always of the kind of which the smallest part has begun."""
    waiting = {kind: [n for n in range(tallies[kind].total) if n not in tallies[kind].done] for kind in kinds}
    while left := {kind: len(numbers) / tallies[kind].total for kind, numbers in waiting.items() if numbers}:
        kind = max(left, key=lambda each: left[each])
        yield kind, waiting[kind].pop(0)


def run_all(tallies: Tallies, kinds: list[str], jobs: int, latest: float, root: Path) -> None:
    """Do what is due until there is nothing more, or until ``latest`` on the monotonic clock."""
    pool, running = _pool(jobs), dict[Future[tuple[Outcome, float]], tuple[str, int]]()
    begun: dict[Future[tuple[Outcome, float]], float] = {}
    queue, saved = due(tallies, kinds), time.monotonic()
    while True:
        while len(running) < jobs and time.monotonic() < latest and (following := next(queue, None)):
            future = pool.submit(tried, *following, root)
            running[future], begun[future] = following, time.monotonic()
        if not running:
            break
        finished, _ = wait(running, timeout=5, return_when=FIRST_COMPLETED)
        # A process that a trial has ended takes the other trials with it: all are counted, so that none is passed over.
        broken = any(isinstance(future.exception(), BrokenProcessPool) for future in finished)
        hangs = any(time.monotonic() - begun[future] > LONGEST_TRIAL for future in running if future not in finished)
        for future in list(running) if broken or hangs else finished:
            kind, number = running.pop(future)
            tallies[kind].add(number, *_result(future))
            _tell(kind, tallies[kind])
        if broken or hangs:
            _end(pool)
            pool = _pool(jobs)
        if time.monotonic() - saved > 5:
            save(tallies, PROGRESS)
            saved = time.monotonic()
    pool.shutdown()
    save(tallies, PROGRESS)


def _result(future: Future[tuple[Outcome, float]]) -> tuple[Outcome, float]:
    if future.done() and not future.exception():
        return future.result()
    why = future.exception() if future.done() else f"it hasn't ended after {LONGEST_TRIAL:.0f} s, or another one hasn't"
    return Outcome(harm=Counter({WRONG_OUTCOMES: 1}), detail=f"the trial's process: {why}"), 0.0


def _tell(kind: str, tally: Tally) -> None:
    n_harms = tally.harm.total()
    print(
        f"\r{kind}: {len(tally.done)} of {tally.total}{f', {n_harms} harms' if n_harms else ''}   ", end="", flush=True
    )


def _pool(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))


def _end(pool: ProcessPoolExecutor) -> None:
    for process in list(pool._processes.values()):
        process.kill()
    pool.shutdown(cancel_futures=True)


# --- what is remembered, and shown -----------------------------------------------------------------------------------


def load(file: Path, kinds: list[str], root: Path) -> Tallies:
    """What earlier calls have found; with other code the numbers stand for other trials, and all start again."""
    stored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if stored and stored["code"] != keys.made_by()[0]:
        print(f"{file.relative_to(ROOT)} is of other code: beginning again")
        stored = {}
    tallies = {}
    for kind in KINDS:
        if kind in stored.get("kinds", {}):
            plain = stored["kinds"][kind]
            for name, make in (("done", set), ("harm", Counter), ("seen", Counter)):
                plain[name] = make(plain[name])
            tallies[kind] = Tally(**plain)
        elif kind in kinds:
            tallies[kind] = Tally(total=n_trials(kind, root))
    return tallies


def save(tallies: Tallies, file: Path) -> None:
    """Whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {"code": keys.made_by()[0], "kinds": {kind: tally.to_plain() for kind, tally in tallies.items()}}
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=1), encoding="utf-8")
    partial.replace(file)


def table(tallies: Tallies) -> str:
    """Every count, then what the trials of each kind have reached."""
    rows = [["", *tallies, "together"]]
    rows.append(["tried", *(f"{len(tally.done)} of {tally.total}" for tally in tallies.values())])
    rows[-1].append(str(sum(len(tally.done) for tally in tallies.values())))
    for harm in KINDS_OF_HARM:
        counts = [tally.harm[harm] for tally in tallies.values()]
        rows.append([harm, *map(str, counts), str(sum(counts))])
    longest = [tally.longest_to_error for tally in tallies.values()]
    rows.append(
        ["longest time to an error", *(f"{each:.1f} s" for each in longest), f"{max(longest, default=0):.1f} s"]
    )
    means = [tally.seconds / max(1, len(tally.done)) for tally in tallies.values()]
    rows.append(["a trial takes", *(f"{each:.2f} s" for each in means), ""])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    for kind, tally in tallies.items():
        lines += ["", f"{kind} reached:", *(f"  {count:6} {what}" for what, count in sorted(tally.seen.items()))]
        lines += [f"  HARM {detail}" for detail in tally.details]
    return "\n".join(lines)


def main() -> int:
    """1 when anything was harmed."""
    parser = argparse.ArgumentParser(prog="make torture ARGS=…", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1e6, help="begin no trial after so many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="trials side by side")
    parser.add_argument("--only", choices=KINDS, action="append", help="trials of this kind; repeatable")
    parser.add_argument("--again", action="store_true", help="forget what earlier calls have found")
    parser.add_argument("--trial", type=int, help="with --only: this one alone, its folder kept; nothing is remembered")
    asked = parser.parse_args()
    kinds = list(asked.only or KINDS)
    # As in the tests: states that are captured with several threads differ in their last bits.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    root = Path(tempfile.mkdtemp(prefix="tokviz-torture-")).resolve()
    if asked.trial is not None:
        outcome, seconds = tried(kinds[0], asked.trial, root, keeps=True)
        print(f"{root}\n{dict(outcome.harm)}\n{outcome.seen}\n{outcome.detail}\n{seconds:.1f} s")
        return int(outcome.harm.total() > 0)
    latest = time.monotonic() + 60 * asked.minutes
    try:
        if asked.again:
            PROGRESS.unlink(missing_ok=True)
        tallies = load(PROGRESS, kinds, root)
        run_all(tallies, kinds, asked.jobs, latest, root)
        print("\n" + table(tallies))
        return int(any(tally.harm.total() for tally in tallies.values()))
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
