"""Whether two checkouts make the same: the sample and reports of odd shapes, made with both, and all files compared.

    python tests/equality/equality.py BEFORE AFTER
    python tests/equality/equality.py AFTER --against FOLDER

BEFORE and AFTER are folders of checkouts, or revisions of this one, of which temporary worktrees are made. ``--keep FOLDER`` keeps
what was made; ``--against`` takes what BEFORE has made there, in half the time. Prints a line for each case, and exits with 1 if
anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent
sys.path[:0] = [str(ROOT), str(TESTS)]
from equality.cases import BUILD, CASES, SAMPLE, Case
from equality.comparing import Difference, differences

FIXED = {
    "HF_HUB_OFFLINE": "1",
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "SOURCE_DATE_EPOCH": "1700000000",
    "TZ": "UTC",
}
"""What could make two runs differ, in the environment of both; COLUMNS is the width of what is said."""
OF_TIME = re.compile(r"^(?:.+: )?(?:Looking at|Comparing|Deciding|projecting|measuring)\b.* …\n", re.MULTILINE)
"""Lines that are said of a step only where it has taken a second."""
SECONDS = re.compile(r"\b\d+(?:\.\d+)? (?:ms|s|min)\b")
FORECAST = re.compile(r"^time: .*(?= \(by a measurement of this machine)", re.MULTILINE)
MOST_NAMED = 6


def without_times(said: str) -> str:
    return FORECAST.sub("time: N", SECONDS.sub("N s", OF_TIME.sub("", said)))


class Runner:
    """A process that runs commands of one checkout."""

    def __init__(self, checkout: Path) -> None:
        command = [sys.executable, str(Path(__file__).with_name("runner.py")), str(checkout)]
        self.checkout = checkout
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=tempfile.gettempdir(),
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("TOKVIZ")},
                **FIXED,
                "COLUMNS": "100",
            },
        )
        self._is_ready = False

    def run(self, command: str, folder: Path) -> str:
        """What it has said, without what differs from run to run."""
        program, *arguments = command.split()
        if program == BUILD:
            arguments += ["--jobs", "1"]
        out, err = folder / ".out", folder / ".err"
        task = {"arguments": [program, *arguments], "folder": str(folder), "out": str(out), "err": str(err)}
        if not self._is_ready:
            self._answer()
            self._is_ready = True
        print(json.dumps(task), file=self._process.stdin, flush=True)
        code = self._answer()
        said = [file.read_text(encoding="utf-8", errors="replace") for file in (out, err)]
        out.unlink()
        err.unlink()
        text = f"$ {command}\n{said[0]}--- standard error\n{said[1]}--- exit code {code}\n"
        for path, name in ((folder, "FOLDER"), (Path(__file__).parent, "EQUALITY"), (self.checkout, "CHECKOUT")):
            text = text.replace(str(path), name)
        return without_times(text)

    def end(self) -> None:
        self._process.communicate()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        if line := self._process.stdout.readline():
            return line.strip()
        raise SystemExit(f"{self.checkout}: the process that runs its commands has ended")


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two checkouts, and where its cases are made."""

    folder: Path
    runners: queue.Queue[Runner]

    def make(self, case: Case, checkpoints: Path) -> Path:
        """The case's folder, with what each command has said in ``said``."""
        folder = self.folder / case.name
        (folder / "said").mkdir(parents=True)
        (folder / "models").symlink_to(checkpoints)
        runner = self.runners.get()
        try:
            for name in case.copies:
                path = runner.checkout / name
                (shutil.copytree if path.is_dir() else shutil.copyfile)(path, folder / name)
            _write(folder, case.files)
            for number, step in enumerate(case.steps):
                if isinstance(step, str):
                    _write(folder / "said", {f"{number}.txt": runner.run(step, folder)})
                else:
                    _write(folder, step)
        finally:
            self.runners.put(runner)
        return folder


def _write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


@contextmanager
def checkout_of(named: str) -> Iterator[Path]:
    """A folder as it is; of a revision a worktree, as long as it is needed."""
    if (Path(named) / BUILD).is_file():
        yield Path(named).resolve()
        return
    with tempfile.TemporaryDirectory(prefix="tokviz-equality-") as parent:
        folder = Path(parent).resolve() / "checkout"
        _git("worktree", "add", "--quiet", "--detach", str(folder), f"{named}^{{commit}}")
        try:
            yield folder
        finally:
            _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> None:
    ran = subprocess.run(["git", "-C", str(ROOT), *arguments], check=False, capture_output=True, text=True)
    if ran.returncode:
        raise SystemExit(f"{' '.join(arguments)}: {ran.stderr.strip()}")


@contextmanager
def side_of(named: str, folder: Path, n_runners: int) -> Iterator[Side]:
    with checkout_of(named) as checkout:
        runners: queue.Queue[Runner] = queue.Queue()
        for _ in range(n_runners):
            runners.put(Runner(checkout))
        try:
            yield Side(folder=folder, runners=runners)
        finally:
            while not runners.empty():
                runners.get().end()


def shown(case: Case, found: list[Difference]) -> str:
    if not found:
        return f"equal  {case.name}"
    named = ", ".join(each.path for each in found[:MOST_NAMED])
    more = f" and {len(found) - MOST_NAMED:,} more" if len(found) > MOST_NAMED else ""
    first = found[0].shown.replace("\n", "\n    ")
    differ = "1 file differs" if len(found) == 1 else f"{len(found):,} files differ"
    return f"{differ}  {case.name} ({case.odd}): {named}{more}\n  {found[0].path}:\n    {first}"


def compare(asked: argparse.Namespace, cases: list[Case], folder: Path) -> int:
    """How many cases differ."""
    start, n_sides = time.monotonic(), len(asked.checkouts)
    kept = asked.against / "before" if asked.against else None
    checkpoints = (asked.against or folder) / "models"
    if not checkpoints.exists():
        from equality import checkpoints as tiny

        tiny.build(checkpoints)
    names = ("before", "after")[-n_sides:]
    n_runners = max(1, asked.jobs // n_sides)
    with ExitStack() as stack:
        sides = [
            stack.enter_context(side_of(named, folder / name, n_runners))
            for named, name in zip(asked.checkouts, names, strict=True)
        ]
        pool = stack.enter_context(ThreadPoolExecutor(asked.jobs))
        made = [[pool.submit(side.make, case, checkpoints.resolve()) for side in sides] for case in cases]
        n_differing = 0
        for case, futures in zip(cases, made, strict=True):
            folders = [_result(future, made) for future in futures]
            before = kept / case.name if kept else folders[0]
            found = differences(before, folders[-1])
            n_differing += bool(found)
            print(shown(case, found), flush=True)
            if not asked.keep:
                for each in folders:
                    shutil.rmtree(each)
    print(f"{len(cases)} cases, {n_differing} of which differ, in {time.monotonic() - start:.0f} s")
    return n_differing


def _result(future: Future[Path], made: list[list[Future[Path]]]) -> Path:
    """Where a side can't go on, the others' cases don't begin."""
    try:
        return future.result()
    except BaseException:
        for each in made:
            for other in each:
                other.cancel()
        raise


def main() -> int:
    """1 when anything differs."""
    parser = argparse.ArgumentParser(
        prog="equality.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("checkouts", nargs="+", metavar="CHECKOUT", help="BEFORE and AFTER; AFTER alone with --against")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these cases", choices=[case.name for case in CASES])
    parser.add_argument("--jobs", type=int, default=2, help="reports made side by side")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep in this new folder what is made")
    parser.add_argument(
        "--against", type=Path, metavar="FOLDER", help="compare with what an earlier --keep has kept of BEFORE"
    )
    parser.add_argument("--without-sample", action="store_true", help="leave out the sample, which takes minutes")
    asked = parser.parse_args()
    if len(asked.checkouts) != (1 if asked.against else 2):
        parser.error("expected two checkouts, BEFORE and AFTER, or with --against AFTER alone")
    cases = [case for case in CASES if case.name in asked.only] if asked.only else list(CASES)
    if asked.without_sample:
        cases = [case for case in cases if case is not SAMPLE]
    if asked.keep and asked.keep.exists():
        parser.error(f"--keep: expected a new folder, got {asked.keep}, which exists")
    if missing := [
        case.name for case in cases if asked.against and not (asked.against / "before" / case.name).is_dir()
    ]:
        parser.error(
            f"--against: expected {asked.against} to hold before/{missing[0]}, got nothing there; make it with --keep"
        )
    if asked.keep:
        asked.keep.mkdir(parents=True)
        return int(compare(asked, cases, asked.keep.resolve()) > 0)
    with tempfile.TemporaryDirectory(prefix="tokviz-equality-") as folder:
        return int(compare(asked, cases, Path(folder).resolve()) > 0)


if __name__ == "__main__":
    sys.exit(main())
