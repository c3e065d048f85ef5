"""Files of the cache, and the list of a site's files, are damaged; the report that is made then is as if they weren't.

Each trial damages one file in one way and makes the report, and where the damaged part isn't read for it another report
of the same states that reads it. The runs are in this process; what other processes would draw is drawn here.
"""

from __future__ import annotations

import io
import os
import random
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tokviz import cli
from tokviz.run.store.artefacts import Store
from tokviz.run.work import workers
from torture import checks
from torture.checks import Findings, difference
from torture.damage import FILE_DAMAGES, REGION_DAMAGES, Edit, Region, damaged, edited, edits, json_of, regions
from torture.kit import VARIANTS, Kit, kit_of, own, tree
from torture.trial import TRACEBACKS, WRONG_OUTCOMES, Outcome

MANIFEST = "data/manifest.json"
KINDS = ("states.safetensors", "states.json", "projections", "measures", "images", "reports", "fonts", "manifest")
MOST_EDITS = 60
"""Of one file; the lists of hundreds of digests are alike."""
READS_STATES = {"more", "other"}
"""Variants that need states which the plain one finds projected and measured: another projection, other categories."""


@dataclass(frozen=True, kw_only=True)
class Damage:
    """One file of one kind, and what is done to it."""

    kind: str
    file: str
    """From the cache, or from the site."""
    how: str
    region: Region | None = None
    edit: Edit | None = None

    @property
    def place(self) -> str:
        return self.region.name if self.region else str(self.edit.path[-1]) if self.edit else "the whole file"


# --- what there is to damage -----------------------------------------------------------------------------------------


def n_trials(root: Path) -> int:
    return len(all_damages(Kit(root / "kit")))


@cache
def all_damages(kit: Kit) -> tuple[Damage, ...]:
    """Every damage of every file; in an order that has all kinds early, and is the same for the same files."""
    found = [damage for kind in KINDS for file in files(kit, kind) for damage in _damages(kit, kind, file)]
    random.Random(0).shuffle(found)
    return tuple(found)


def files(kit: Kit, kind: str) -> list[str]:
    """Those of one kind, as paths from the cache or, of the manifest, from the site."""
    if kind == "manifest":
        return [MANIFEST]
    made = kit.made("svg")
    pattern = f"states/*/{kind}" if kind.startswith("states.") else f"{kind}/*"
    found = (path.relative_to(made.cache) for path in made.cache.glob(pattern) if not path.name.startswith("."))
    # The cache also has what the old report alone uses.
    (used,) = (each.used for each in Store(made.cache).reports() if Path(each.output) == made.site)
    return sorted(
        path.as_posix()
        for path in found
        if kind in ("reports", "fonts") or (path.parts[0], path.parts[1].split(".")[0]) in used
    )


def _damages(kit: Kit, kind: str, file: str) -> Iterator[Damage]:
    folder = kit.made("old").site if kind == "manifest" else kit.made("svg").cache
    data = (folder / file).read_bytes()
    for how in FILE_DAMAGES:
        if how != "swapped" or kind != "manifest":  # there is but one
            yield Damage(kind=kind, file=file, how=how)
    for region in regions(file, data):
        if region.end > region.start:
            for how in REGION_DAMAGES:
                yield Damage(kind=kind, file=file, how=how, region=region)
    if file.endswith(".json"):
        of_it = list(edits(json_of(data)))
        random.Random(file.split(".")[0]).shuffle(of_it)
        for edit in of_it[:MOST_EDITS]:
            yield Damage(kind=kind, file=file, how="edited", edit=edit)


# --- a trial ---------------------------------------------------------------------------------------------------------


def trial(number: int, folder: Path) -> Outcome:
    kit = kit_of(folder)
    return done_to(all_damages(kit)[number], number, kit, folder)


def done_to(damage: Damage, number: int, kit: Kit, folder: Path) -> Outcome:
    """The outcome of one damage; ``number`` varies what is done after it."""
    findings = Findings()
    findings.saw(damage.kind, f"{damage.kind}: {damage.how}")
    kit.prepare(folder)
    shutil.copytree(kit.made("svg").cache, folder / "cache")
    if damage.kind == "manifest":
        kit.put_old_site(folder)
        do(damage, folder / "site")
    else:
        do(damage, folder / "cache")
    reports = variants(damage, number)
    for variant in READS_STATES & set(reports):
        # Its pictures aren't what is tried, and take long to draw.
        shutil.copytree(kit.made(variant).cache / "images", folder / "cache" / "images", dirs_exist_ok=True)
    for variant in reports:
        if variant == "prune":
            code, said = run_here(folder, ("--cache-prune",))
            ended_well(code, said, "pruning", findings)
            continue
        site = "site" if damage.kind == "manifest" else f"site-{variant}"
        code, said = run_here(folder, (*VARIANTS[variant], "--output", site))
        if ended_well(code, said, variant, findings):
            expected, found = kit.made(variant).own, own(tree(folder / site))
            if damage.kind == "manifest":  # what it doesn't list counts as somebody's, and stays
                found = {path: content for path, content in found.items() if path in expected}
                checks.foreign_kept(folder, findings, {})
            if found != expected:
                findings.harm(WRONG_OUTCOMES, f"{variant}: unnoticed: {difference(found, expected)}")
    path = f" {damage.edit.path} := {damage.edit.value!r}" if damage.edit else ""
    return findings.outcome(f"artefacts {number}: {damage.kind} {damage.file}, {damage.place} {damage.how}{path}")


def variants(damage: Damage, number: int) -> list[str]:
    """Which reports are made, one after the other, with the damaged cache."""
    if damage.kind == "manifest":
        return ["plain"]
    if damage.kind == "images":
        return ["svg"]
    if damage.kind == "reports":
        return ["prune", "plain"]
    if damage.kind.startswith("states"):
        reads = sorted(READS_STATES)[number // 2 % 2]
        return ["plain", reads] if number % 2 else [reads, "plain"]
    return ["plain"]


def do(damage: Damage, folder: Path) -> None:
    """To the file below ``folder``."""
    file = folder / damage.file
    data = file.read_bytes()
    if damage.edit:
        file.write_bytes(edited(data, damage.edit))
    elif damage.region:
        file.write_bytes(damaged(data, damage.region, damage.how))
    elif damage.how == "deleted":
        file.unlink()
    elif damage.how == "swapped":
        above = file.parent.parent.glob(f"*/{file.name}") if damage.kind.startswith("states") else file.parent.iterdir()
        other = next(each for each in sorted(above) if each != file and each.read_bytes() != data)
        mine = other.read_bytes()
        other.write_bytes(data)
        file.write_bytes(mine)
    else:
        file.write_bytes(b"" if damage.how == "emptied" else data + b"more")


def ended_well(code: int, said: str, what: str, findings: Findings) -> bool:
    last = said.strip().splitlines()[-1:] or ["silent"]
    if checks.is_unforeseen(said):
        findings.harm(TRACEBACKS, f"{what}: {last[0]}")
    elif code != 0:
        findings.harm(WRONG_OUTCOMES, f"{what}: exits {code}: {last[0]}")
    return code == 0


# --- a run in this process -------------------------------------------------------------------------------------------


class _Here(Executor):
    """Does at once what it is asked."""

    def __init__(self, prepare: Callable[[], None]) -> None:
        prepare()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - handed on
            future.set_exception(error)
        return future


def _start(_place: object, _jobs: int, _libraries: Sequence[str], prepare: Callable[[], None], *_: object) -> Executor:
    return _Here(prepare)


def _use_one_thread() -> None:
    """As the other runs do: states that are captured with several differ in their last bits."""
    os.environ["OMP_NUM_THREADS"] = "1"
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def run_here(folder: Path, arguments: tuple[str, ...]) -> tuple[int, str]:
    """The command's exit code and what it said on standard error."""
    _use_one_thread()
    said, before = io.StringIO(), Path.cwd()
    command = ["generate.py", *arguments, "--jobs", "2", "--cache", "cache"]
    os.chdir(folder)
    try:
        with (
            patch.object(sys, "argv", command),
            patch.object(workers, "start", _start),
            patch.dict(os.environ, {"SOURCE_DATE_EPOCH": "1700000000"}),
            redirect_stderr(said),
            redirect_stdout(io.StringIO()),
        ):
            cli.run()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except Exception:  # noqa: BLE001 - whatever the command raises is a finding
        said.write(traceback.format_exc())
        code = 1
    finally:
        os.chdir(before)
    return code, said.getvalue()
