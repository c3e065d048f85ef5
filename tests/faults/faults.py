"""Mistakes that were planted on purpose: which of them do the tests catch?

    python tests/faults/faults.py [--only 001 014] [--ring place|check|test|test-all] [--command "…"] [--jobs 1] [--again]

Each patch beside this file is one mistake, with lines above it that say what is wrong, who would see it, where it is, and by which test
of ``make test`` it is caught. In a working tree of its own, of the last commit, this test runs alone. Only if it passes or isn't there
(which is said) or is of no such ring, the ring's tests of the place run up to the first failure, those of inner rings first, and, if
these pass, all of the ring (``make check``, …; ``place`` ends before, and has the tests of ``make test``). ``--command`` runs instead of
all. What would run first runs without a mistake, as tests that fail anyway would catch all: the named tests, and the ring where needed.
What was found stands in ``.faults/results.jsonl``; the next call goes on from there, ``--again`` and another commit begin anew.
Exit code 1: one survived or doesn't apply; 2: tests fail without any, so that nothing could be tried.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT, FOLDER = Path(__file__).parents[2], Path(__file__).parent
RESULTS = ROOT / ".faults" / "results.jsonl"
RINGS = {
    "place": ("QUICK", "USUAL"),
    "check": ("QUICK",),
    "test": ("QUICK", "USUAL"),
    "test-all": ("QUICK", "USUAL", "ALL"),
}
"""The Makefile's names of a ring's tests, the inner rings' first."""
PATCHES = {each.name[:3]: each for each in sorted(FOLDER.glob("[0-9][0-9][0-9]-*.patch"))}
BASE = "000"  # the program without a mistake
MOST_SECONDS = 3600  # of one command: what takes longer waits for something that never comes, and is caught
NOT_THERE, NO_TESTS, NOT_RUN = 4, 5, (126, 127)  # exit codes: of pytest, two; of a shell that found no such command
PYTEST = "OMP_NUM_THREADS=1 .venv/bin/python -m pytest -x -q"
_running: set[subprocess.Popen[str]] = set()
_stopped = threading.Event()


def run(command: str, folder: Path) -> tuple[int, str]:
    """Exit code of a command and what it printed; in a session of its own, which ends with it, and not by Ctrl-C."""
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    own = subprocess.Popen(command, shell=True, cwd=folder, start_new_session=True, **streams)
    _running.add(own)
    timer = threading.Timer(MOST_SECONDS, _kill, [own])
    timer.start()
    printed, _ = own.communicate()
    timer.cancel()
    _kill(own)
    _running.discard(own)
    return own.returncode, printed


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def working_tree(tree: Path, commit: str) -> Iterator[None]:
    """Within the block there is a working tree with the environment of this one, marked as set up."""
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(tree), commit], check=True, start_new_session=True)
    try:
        (tree / ".venv").mkdir()
        for entry in (ROOT / ".venv").glob("[!.]*"):
            (tree / ".venv" / entry.name).symlink_to(entry)
        for mark in re.findall(r"^\$\(VENV\)/(\.[a-z]+):", (tree / "Makefile").read_text("utf-8"), re.MULTILINE):
            (tree / ".venv" / mark).touch()
        yield
    finally:
        subprocess.run([*git, "remove", "--force", str(tree)], check=True, start_new_session=True)


def heading(patch: Path | None, key: str) -> str:
    """What a line above the mistake says, such as its ``Place``."""
    found = re.search(rf"^{key}: (.+)$", patch.read_text("utf-8") if patch else "", re.MULTILINE)
    return found[1] if found else ""


def is_there(test: str, tree: Path) -> bool:
    """Whether a working tree has such a test, ``tests/…/test_x.py::test_name``."""
    file, _, name = test.partition("::")
    return (tree / file).is_file() and f"def {name}(" in (tree / file).read_text("utf-8")


def commands(patch: Path | None, named: list[str], tree: Path, options: argparse.Namespace) -> Iterator[str]:
    """What is run in a tree, one after the other until one fails: the named tests alone, or without any those of place and ring."""
    if patch:
        yield f"git apply {shlex.quote(str(patch))}"
    makefile = dict(re.findall(r"^(\w+) *= *(.+)$", (tree / "Makefile").read_text("utf-8"), re.MULTILINE))
    rings = [makefile[ring].replace("$(USUAL)", makefile["USUAL"]) for ring in RINGS[options.ring]]
    if named:
        if there := [each for each in named if is_there(each, tree)]:
            yield f"{PYTEST} -n 0 -m '{rings[-1]}' {shlex.join(there)}"
        return
    place = heading(patch, "Place")
    paths = [tree / "tests" / place, *tree.glob(f"tests/test_{place}*.py")] if place else []
    known = [shlex.quote(str(each)) for each in paths if each.exists()]
    if not options.command and known:
        for inner, ring in zip([None, *rings], rings, strict=False):
            marks = f"({ring}) and not ({inner})" if inner else ring
            yield f"{PYTEST} -m '{marks}' {' '.join(known)}"
    if options.command or options.ring != "place" or not patch:
        yield options.command or f"make {'test' if options.ring == 'place' else options.ring}"


def attempt(number: str, named: list[str], tree: Path, options: argparse.Namespace) -> dict[str, Any]:
    """What becomes of one mistake, or of none: with the first test that failed, or else the last line that was printed."""
    start, patch, first = time.monotonic(), PATCHES.get(number), ""
    outcome = "survived" if patch else "passes"
    with working_tree(tree, options.facts["commit"]):
        for each in commands(patch, named, tree, options):
            code, printed = (1, "") if _stopped.is_set() else run(each, tree)
            if code not in (0, NO_TESTS, *([NOT_THERE] if named and patch else [])):
                failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", printed, re.MULTILINE)
                first = failed[1] if failed else (printed.strip().splitlines() or [""])[-1][:200]
                is_unfit = each.startswith("git apply") or code in NOT_RUN
                outcome = "fails" if not patch else "doesn't apply" if is_unfit else "caught"
                break
        else:
            if named and patch and code != NO_TESTS:
                first = f"no longer by {named[0]}"
    seconds = round(time.monotonic() - start, 1)
    return {
        "fault": number,
        "place": heading(patch, "Place"),
        **options.facts,
        "outcome": outcome,
        "seconds": seconds,
        "first": first,
    }


def tried(
    tests: dict[str, list[str]], above: str, pool: ThreadPoolExecutor, options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """What becomes of each mistake, as soon as it is known: by its named tests, or without any by those of place and ring."""
    for done in as_completed(
        [pool.submit(attempt, each, named, Path(above, each), options) for each, named in tests.items()]
    ):
        print("{fault} {outcome}, {seconds} s  {first}".format(**done.result()), flush=True)
        yield done.result()


def main() -> int:
    """Try all that is asked for and print it; the exit code."""
    parser = argparse.ArgumentParser(description="Which planted mistakes do the tests catch?")
    parser.add_argument("--only", nargs="+", metavar="NUMBER", choices=PATCHES, default=PATCHES, help="these alone")
    parser.add_argument("--ring", choices=RINGS, default="test")
    parser.add_argument("--command", help="what runs instead of the tests of the place and the ring")
    parser.add_argument("--jobs", type=int, default=1, help="how many are tried side by side")
    parser.add_argument("--again", action="store_true", help="begin anew")
    options = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.open("w" if options.again else "a", encoding="utf-8").close()
    _, commit = run("git rev-parse HEAD", ROOT)
    options.facts = {"asked": options.command or f"make {options.ring}", "commit": commit.strip()}
    lines = map(json.loads, RESULTS.read_text("utf-8").splitlines())
    found = {each["fault"]: each for each in lines if options.facts.items() <= each.items()}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    missed: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="faults-") as above, ThreadPoolExecutor(options.jobs) as pool:
        Path(above).chmod(0o755)  # some tests act as another user
        try:
            for is_named in [False] if options.command else [True, False]:
                due = [(each, heading(PATCHES[each], "Caught by")) for each in options.only if each not in found]
                tests = {each: [test] if is_named else [] for each, test in due if test or not is_named}
                if tests:
                    (base,) = tried({BASE: [each for named in tests.values() for each in named]}, above, pool, options)
                    if base["outcome"] == "fails":
                        print(f"{options.facts['asked']} fails without any mistake: nothing was tried", file=sys.stderr)
                        return 2
                for result in tried(tests, above, pool, options):
                    if is_named and result["outcome"] == "survived":
                        missed[result["fault"]] = result["first"]
                        continue
                    result["first"] = "; ".join(filter(None, (result["first"], missed.get(result["fault"]))))
                    found[result["fault"]] = result
                    with RESULTS.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(result, ensure_ascii=False) + "\n")
        except BaseException as error:  # all that runs ends, and takes its tree with it
            _stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for own in list(_running):
                _kill(own)
            if isinstance(error, KeyboardInterrupt):
                return 130  # what was found is kept
            raise
    for each in (results := [found[number] for number in sorted(options.only)]):
        print("{fault}  {place:<9} {outcome:<14} {seconds:8} s  {first}".format(**each))
    n_caught = sum(each["outcome"] == "caught" for each in results)
    print(f"{n_caught} of {len(results)} caught")
    return int(n_caught < len(results))


if __name__ == "__main__":
    sys.exit(main())
