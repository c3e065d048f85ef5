"""Mistakes that were planted on purpose: which of them do the tests catch?

    python tests/faults/faults.py [--only 001 014] [--ring place|check|test|test-all] [--command "…"] [--jobs 1] [--again]

Each patch beside this file is one mistake, with lines above it that say what is wrong, who would see it, and where it is. In a working
tree of its own, of the last commit, the ring's tests of its place run up to the first failure, those of inner rings first, and, if
these pass, all of the ring (``make check``, …; ``place`` ends before, and has the tests of ``make test``). ``--command`` runs instead of
both. First the ring runs without a mistake: tests that fail anyway would catch all.
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
BASE = "000"  # the program without a mistake
MOST_SECONDS = 3600  # of one command: what takes longer waits for something that never comes, and is caught
NO_TESTS, NOT_RUN = 5, (126, 127)  # exit codes: of pytest without a test, of a shell that found no such command
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


def commands(patch: Path | None, place: str, tree: Path, options: argparse.Namespace) -> Iterator[str]:
    """What is run in a tree, one after the other until one fails."""
    if patch:
        yield f"git apply {shlex.quote(str(patch))}"
    paths = [tree / "tests" / place, *tree.glob(f"tests/test_{place}*.py")] if place else []
    known = [shlex.quote(str(each)) for each in paths if each.exists()]
    if not options.command and known:
        makefile = dict(re.findall(r"^(\w+) *= *(.+)$", (tree / "Makefile").read_text("utf-8"), re.MULTILINE))
        rings = [makefile[ring].replace("$(USUAL)", makefile["USUAL"]) for ring in RINGS[options.ring]]
        for inner, ring in zip([None, *rings], rings, strict=False):
            marks = f"({ring}) and not ({inner})" if inner else ring
            yield f"OMP_NUM_THREADS=1 .venv/bin/python -m pytest -x -q -m '{marks}' {' '.join(known)}"
    if options.command or options.ring != "place" or not patch:
        yield options.command or f"make {'test' if options.ring == 'place' else options.ring}"


def attempt(number: str, patch: Path | None, tree: Path, options: argparse.Namespace) -> dict[str, Any]:
    """What becomes of one mistake, or of none: with the first test that failed, or else the last line that was printed."""
    start, outcome, first = time.monotonic(), "survived" if patch else "passes", ""
    place = re.search(r"^Place: (.+)$", patch.read_text("utf-8") if patch else "", re.MULTILINE)
    result = {"fault": number, "place": place[1] if place else "", **options.facts}
    with working_tree(tree, options.facts["commit"]):
        for each in commands(patch, result["place"], tree, options):
            code, printed = (1, "") if _stopped.is_set() else run(each, tree)
            if code not in (0, NO_TESTS):
                failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", printed, re.MULTILINE)
                first = failed[1] if failed else (printed.strip().splitlines() or [""])[-1][:200]
                is_unfit = each.startswith("git apply") or code in NOT_RUN
                outcome = "fails" if not patch else "doesn't apply" if is_unfit else "caught"
                break
    return {**result, "outcome": outcome, "seconds": round(time.monotonic() - start, 1), "first": first}


def main() -> int:
    """Try all that is asked for and print it; the exit code."""
    patches: dict[str, Path | None] = {each.name[:3]: each for each in sorted(FOLDER.glob("[0-9][0-9][0-9]-*.patch"))}
    parser = argparse.ArgumentParser(description="Which planted mistakes do the tests catch?")
    parser.add_argument("--only", nargs="+", metavar="NUMBER", choices=patches, default=patches, help="these alone")
    parser.add_argument("--ring", choices=RINGS, default="check")
    parser.add_argument("--command", help="what runs instead of the tests of the place and the ring")
    parser.add_argument("--jobs", type=int, default=1, help="how many are tried side by side")
    parser.add_argument("--again", action="store_true", help="begin anew")
    options = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.open("w" if options.again else "a", encoding="utf-8").close()
    _, commit = run("git rev-parse HEAD", ROOT)
    options.facts = {"asked": options.command or f"make {options.ring}", "commit": commit.strip()}
    lines = [each for each in RESULTS.read_text("utf-8").splitlines() if '"fails"' not in each]  # once more
    found = {each["fault"]: each for each in map(json.loads, lines) if options.facts.items() <= each.items()}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="faults-") as above, ThreadPoolExecutor(options.jobs) as pool:
        try:
            for numbers in ([BASE], options.only):
                due = [(each, patches.get(each), Path(above, each), options) for each in numbers if each not in found]
                for done in as_completed([pool.submit(attempt, *each) for each in due]):
                    result = found[done.result()["fault"]] = done.result()
                    with RESULTS.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(result, ensure_ascii=False) + "\n")
                    print("{fault} {outcome}, {seconds} s  {first}".format(**result), flush=True)
                if found[BASE]["outcome"] == "fails":
                    print(f"{options.facts['asked']} fails without any mistake: nothing was tried", file=sys.stderr)
                    return 2
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
