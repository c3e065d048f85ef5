"""``make falsify``: how often a report announces what is false, and how often what is true is found.

Reports of all kinds advance together, so that a short call has some of each. What each announced stands in a file, a line a
report; the next call goes on from there, and so does one on another machine, from what ``--keep`` has put beside this file.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import lzma
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from command import ROOT

from falsify import changes, compared, labels, lens, looks, orders, paired_reports, planted, training, untrained
from falsify.announced import announcements
from falsify.case import Kind
from falsify.said import unfounded
from falsify.sample import Sample
from tokviz.run.store import keys

NULL: tuple[Kind, ...] = (
    *(*labels.NULL, *looks.NULL, *untrained.NULL, *lens.NULL, *orders.NULL),
    *(*compared.NULL, *paired_reports.NULL, *training.NULL, *changes.NULL),
)
"""In which something is false."""
PLANTED: tuple[Kind, ...] = (
    *(*planted.PLANTED, *lens.PLANTED, *orders.PLANTED),
    *(*compared.PLANTED, *paired_reports.PLANTED, *training.PLANTED, *changes.PLANTED),
)
"""In which something is true."""
KINDS = {kind.name: kind for kind in (*NULL, *PLANTED)}
FOLDER = ROOT / ".falsify"
RESULTS, CACHE = FOLDER / "results.jsonl", FOLDER / "cache"
KEPT = Path(__file__).with_name("results.jsonl.xz")
"""What is committed of them: hours of work."""
DECIDES = ("capture", "measure", "models", *keys.SHARED_CODE)
"""Folders and files of tokviz that decide what a report announces. That its pages say no more is in ``tests/test_falsify.py``, too."""
DOUBTFUL, TIMES, MOST_FALSE = 3, 3, 9
"""A kind of which so many reports announce anything false goes on to so many times as many: of these no more than ``MOST_FALSE``."""
MOST_OF_ALL = 0.014
"""Of the reports of all kinds: how many may announce anything false."""
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one report announced."""

    kind: str
    number: int
    announced: dict[str, int]
    """How often, by the kind of what is announced."""
    false: tuple[str, ...]
    """In words, what of it is false, and what pages say without any of it."""
    missed: bool
    """Whether anything that is planted isn't announced."""
    seconds: float
    """Of the processor."""
    code: str
    """What ``code`` was as it was made."""


def tried(name: str, number: int, sample: Sample) -> Result:
    """One report of a kind."""
    start = time.process_time()
    case = KINDS[name].make(number, sample)
    announced = announcements(case.report)
    return Result(
        kind=name,
        number=number,
        announced=dict(Counter(each.kind for each in announced)),
        false=(*(str(each) for each in announced if case.is_false(each)), *unfounded(case.report, announced)),
        missed=not case.found(announced),
        seconds=time.process_time() - start,
        code=code(),
    )


@cache
def code() -> str:
    """Digest of what decides what a report announces, and of the reports that are made here."""
    suite = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
    return f"{keys.digest_of_files(DECIDES, keys.LIBRARIES['measure'])[:8]} {suite.hexdigest()[:8]}"


@cache
def _sample() -> Sample:
    found = Sample.stored(CACHE)
    gc.freeze()  # what stays needn't be looked through at each model that goes
    return found


def _tried(name: str, number: int) -> Result:
    return tried(name, number, _sample())


# --- all of them -----------------------------------------------------------------------------------------------------


def n_wanted(kind: Kind, results: Sequence[Result]) -> int:
    """How many reports of a kind."""
    n_false = sum(bool(each.false) for each in results if each.kind == kind.name)
    return kind.n_reports * (TIMES if n_false >= DOUBTFUL else 1)


def due(results: Sequence[Result], names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Reports that aren't made yet, as far as is known; always of the kind of which the smallest part is."""
    done = {(each.kind, each.number) for each in results}
    wanted = {name: n_wanted(KINDS[name], results) for name in names}
    numbers = [(number / n, name, number) for name, n in wanted.items() for number in range(n)]
    yield from ((name, number) for _, name, number in sorted(numbers) if (name, number) not in done)


def run_all(results: list[Result], names: Sequence[str], jobs: int, latest: float) -> None:
    """Make what is due until there is nothing more, or until ``latest`` on the monotonic clock; each is written at once."""
    queue, running = due(results, names), set[Future[Result]]()
    FOLDER.mkdir(exist_ok=True)
    with (
        RESULTS.open("a", encoding="utf-8") as file,
        ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool,
    ):
        while True:
            while len(running) < jobs and time.monotonic() < latest and (following := next(queue, None)):
                running.add(pool.submit(_tried, *following))
            if not running:
                queue = due(results, names)
                if time.monotonic() >= latest or not any(due(results, names)):
                    break
                continue
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                results.append(future.result())
                print(json.dumps(asdict(results[-1])), file=file, flush=True)
            print(f"\r{len(results)} reports   ", end="", flush=True)
    print()


def load() -> list[Result]:
    """What earlier calls with the same code have found, here or where it was kept."""
    lines = lzma.decompress(KEPT.read_bytes()).decode().splitlines() if KEPT.exists() else []
    lines += RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []
    found = [Result(**{**plain, "false": tuple(plain["false"])}) for plain in map(json.loads, lines)]
    own = {(each.kind, each.number): each for each in found if each.code == code() and each.kind in KINDS}
    if n_other := sum(each.code != code() for each in found):
        print(f"{n_other} reports are of other code: they are made again")
    return list(own.values())


def keep(results: Sequence[Result]) -> None:
    """For other machines, and for who asks what the table was made of."""
    lines = "".join(f"{json.dumps(asdict(each))}\n" for each in results)
    KEPT.write_bytes(lzma.compress(lines.encode(), preset=9))


# --- what is shown ---------------------------------------------------------------------------------------------------


def fails(kind: Kind, results: Sequence[Result]) -> bool:
    """Whether too many of a kind's reports announce anything false, or too few what is planted, however the rest may be."""
    n_false = sum(bool(each.false) for each in results)
    n_missed = sum(each.missed for each in results)
    return n_false > MOST_FALSE or n_missed > (1 - kind.least_found) * kind.n_reports + _ROUNDING


def _of_null(results: Sequence[Result]) -> list[Result]:
    return [each for each in results if KINDS[each.kind] in NULL]


def are_too_many(results: Sequence[Result]) -> bool:
    """Whether too many of all reports in which something is false announce it."""
    of_null = _of_null(results)
    return sum(bool(each.false) for each in of_null) > MOST_OF_ALL * len(of_null)


def table(results: Sequence[Result]) -> str:
    """A line a kind, then what is false in its reports, and what kinds are."""
    rows = [["", "reports", "announce anything false", "find what is planted", "announcements by kind", "seconds each"]]
    notes = []
    for name, kind in KINDS.items():
        own = [each for each in results if each.kind == name]
        if not own:
            continue
        n_false, n_missed = sum(bool(each.false) for each in own), sum(each.missed for each in own)
        by_kind = sum((Counter(each.announced) for each in own), Counter[str]())
        rows.append(
            [
                f"{name}{' (FAILS)' if fails(kind, own) else ''}",
                str(len(own)),
                str(n_false),
                str(len(own) - n_missed) if kind in PLANTED else "–",
                ", ".join(f"{what} {count}" for what, count in sorted(by_kind.items())) or "none",
                f"{sum(each.seconds for each in own) / len(own):.1f}",
            ]
        )
        notes += ["", f"{name}: {kind.contents}"]
        said = Counter(text for each in own for text in each.false)
        notes += [f"  FALSE {text}{f', {count} times' if count > 1 else ''}" for text, count in said.most_common(10)]
        notes += [f"  MISSED in {each.number}" for each in own if each.missed]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *notes])


def main() -> int:
    """1 when a kind fails."""
    parser = argparse.ArgumentParser(prog="make falsify ARGS=…", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1e6, help="begin no report after so many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="reports side by side")
    parser.add_argument(
        "--keep", action="store_true", help=f"put what is found into {KEPT.relative_to(ROOT)}, to be committed"
    )
    parser.add_argument("--only", choices=KINDS, action="append", help="reports of this kind; repeatable")
    parser.add_argument("--again", action="store_true", help="forget what earlier calls have found")
    parser.add_argument("--report", type=int, help="with --only: what this one alone announces; nothing is remembered")
    asked = parser.parse_args()
    names = list(asked.only or KINDS)
    if asked.report is not None:
        case = KINDS[names[0]].make(asked.report, _sample())
        for each in announcements(case.report):
            print("FALSE" if case.is_false(each) else "     ", each)
        return 0
    if asked.again:
        for path in (RESULTS, KEPT):
            path.unlink(missing_ok=True)
    latest = time.monotonic() + 60 * asked.minutes
    results = load()
    _sample()  # captured once, before others need it
    run_all(results, names, asked.jobs, latest)
    if asked.keep:
        keep(results)
    print(table(results))
    of_null = _of_null(results)
    print(f"\n{sum(bool(each.false) for each in of_null)} of {len(of_null)} reports announce anything false")
    failing = any(fails(KINDS[name], [each for each in results if each.kind == name]) for name in KINDS)
    return int(failing or are_too_many(results))


if __name__ == "__main__":
    sys.exit(main())
