"""Trials of what others own: they put things under the site, the cache and beside both, and damage the manifest; nothing may go.

A trial makes a report, and prunes, in a folder where random files, links, pipes and folders stand at names that tokviz gives,
at names near them, and anywhere; then again.
"""

from __future__ import annotations

import json
import random
import shutil
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from mounting import mounted
from trees import Facts, facts, lost, put

from tokviz.run.store import entries
from torture import checks
from torture.artefacts import MANIFEST, run_here
from torture.checks import Findings
from torture.damage import FILE_DAMAGES, REGION_DAMAGES, damaged, regions
from torture.kit import VARIANTS, Kit, Tree, kit_of
from torture.trial import FOREIGN_FILES_LOST, SITES_BROKEN, WRONG_OUTCOMES, Outcome

N_TRIALS = 500
BUILDS = ("plain", "plain", "draft", "svg", "other", "old")
MANIFESTS = (
    "whole",
    "whole",
    "without its digest",
    "of another version",
    "in conflict",
    "merged",
    *REGION_DAMAGES,
    *FILE_DAMAGES[:3],
)
NEAR_SITE = (
    "own/page.html",
    "images/photo.svg",
    "data/mine.csv",
    "sitemap.xml",
    "models/other/index.html",
    "é ü/a b",
    ".git/HEAD",
)
KEY, OTHER, SUM = "0" * 32, "f" * 32, "1" * 16
NEAR_CACHE = (
    *(
        f"images/{KEY}.jpg",
        f"images/{KEY}.{SUM}.webp.bak",
        "images/deep/down",
        "states/mine",
        f"states/{OTHER}",
        "photo.svg",
    ),
    *(
        "reports/.git/HEAD",
        f"reports/{KEY}.mine.json",
        ".offload-mine/x",
        ".mark.mine",
        "fonts/mine.ttf",
        "locks/mine.lock",
    ),
)
BESIDE = (
    *(
        ".site.tokviz-mine/x",
        f".site.tokviz-{'a' * 12}/thesis.tex",
        ".site.tokviz",
        "site2/index.html",
        "site.kept.txt",
    ),
    *("site.kept/index.html", "site.kept/images", "site.kept/data/manifest.json", "thesis.tex", "sites"),
)
MOUNTS = ("site", "site/images", "site/data", "site/own", "site.kept")


@dataclass(frozen=True, kw_only=True)
class Case:
    """What one trial does, all of it drawn from its number."""

    runs: tuple[str, ...]
    """Variants of the report, or ``prune``, one after the other."""
    manifest: str
    mounts: tuple[str, ...]
    is_known_cache: bool
    """Whether the cache has the file by which it is known."""


def trial(number: int, folder: Path) -> Outcome:
    return tried(drawn(number), number, folder, kit_of(folder))


def drawn(number: int) -> Case:
    chance = random.Random(f"owners {number}")
    return Case(
        runs=tuple(chance.choice((*BUILDS, "prune", "prune")) for _ in range(chance.choice((1, 2, 2, 3)))),
        manifest=MANIFESTS[number % len(MANIFESTS)],
        mounts=tuple(chance.sample(MOUNTS, chance.choice((0, 0, 0, 1, 2)))),
        is_known_cache=chance.random() < 0.8,
    )


def tried(case: Case, number: int, folder: Path, kit: Kit) -> Outcome:
    """The outcome of one case."""
    findings, chance = Findings(), random.Random(number)
    findings.saw(f"manifest: {case.manifest}", *(f"run: {run}" for run in case.runs), f"mounts: {len(case.mounts)}")
    kit.prepare(folder)
    kit.put_old_site(folder)
    shutil.copytree(kit.made("svg").cache, folder / "cache")
    theirs = _put_theirs(case, folder, kit, chance)
    with ExitStack() as stack:
        stack.enter_context(mounted(*(folder / each for each in case.mounts)))
        for run in case.runs:
            _one(run, folder, kit, theirs, findings)
    return findings.outcome(f"owners {number} ({case})")


def _put_theirs(case: Case, folder: Path, kit: Kit, chance: random.Random) -> Facts:
    """What isn't provably tokviz's after somebody has been at work, from the trial's folder."""
    made = {variant: sorted(kit.made(variant).own) for variant in ("old", "plain")}
    site = [*NEAR_SITE, *chance.sample(made["old"], 4), *chance.sample(made["plain"], 4)]
    put(folder / "site", chance.sample(site, chance.randint(0, 8)), chance)
    put(folder, chance.sample(BESIDE, chance.randint(0, 5)), chance)
    put_in_cache = put(folder / "cache", chance.sample(NEAR_CACHE, chance.randint(0, 5)), chance)
    if not case.is_known_cache:
        (folder / "cache" / entries.MARKER).unlink()
    (folder / "site").chmod(chance.choice((0o755, 0o700, 0o2775)))
    proves = _change_manifest(folder / "site" / MANIFEST, case.manifest, kit, chance)
    theirs = {path: each for path, each in facts(folder).items() if not path.startswith("cache/")}
    in_cache = facts(folder / "cache")
    theirs |= {f"cache/{path}": each for path, each in in_cache.items() if _is_below(path, put_in_cache)}
    own = kit.made("old").own
    for path in [path for path in theirs if path.startswith("site/")]:
        written = own.get(path.removeprefix("site/"))
        is_own = written is not None and theirs[path].endswith(f" {written!r}")
        if proves and (is_own or path == f"site/{MANIFEST}"):
            del theirs[path]
    return theirs


def _is_below(path: str, places: set[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


def _change_manifest(file: Path, how: str, kit: Kit, chance: random.Random) -> bool:
    """Whether it still proves what tokviz has written."""
    if file.is_symlink() or not file.is_file() or not file.read_bytes().startswith(b"{"):
        return False  # somebody has put something in its place
    data = file.read_bytes()
    content = json.loads(data)
    if how == "without its digest":
        del content["sha256"]
        file.write_text(json.dumps(content, indent=0) + "\n", encoding="utf-8")
        return True
    if how == "whole":
        return True
    if how == "of another version":
        file.write_text(
            json.dumps({"generator": "tokviz 9", "format": 7, "written": list(content["files"])}), encoding="utf-8"
        )
    elif how == "in conflict":
        file.write_bytes(b"<<<<<<< HEAD\n" + data + b"=======\n" + data + b">>>>>>> theirs\n")
    elif how == "merged":
        other = json.loads((kit.made("plain").site / MANIFEST).read_bytes())
        content["files"] = {**content["files"], **other["files"]}
        file.write_text(json.dumps(content), encoding="utf-8")
    elif how == "deleted":
        file.unlink()
    elif how in ("emptied", "appended"):
        file.write_bytes(b"" if how == "emptied" else data + b"more")
    else:
        found = [region for region in regions(MANIFEST, data) if region.end > region.start]
        file.write_bytes(damaged(data, chance.choice(found), how))
        with suppress(ValueError):  # what is said twice is said once
            return bool(json.loads(file.read_bytes()) == json.loads(data))
    return False


# --- a run, and what must be true after it ---------------------------------------------------------------------------


def _one(run: str, folder: Path, kit: Kit, theirs: Facts, findings: Findings) -> None:
    before = facts(folder / "site"), facts(folder / "cache")
    arguments = ("--cache-prune", "--older-than", "0") if run == "prune" else VARIANTS[run]
    code, said = run_here(folder, arguments)
    checks.no_fault(said, findings)
    if code not in (0, 1) or (
        code == 1 and len([line for line in said.splitlines() if line.startswith("error: ")]) != 1
    ):
        findings.harm(WRONG_OUTCOMES, f"{run}: exits {code}: {said[-200:]!r}")
    if code == 1:
        findings.saw(f"{run if run == 'prune' else 'build'}: refused")
        # A build may have captured and drawn before it is refused.
        if facts(folder / "site") != before[0] or (run == "prune" and facts(folder / "cache") != before[1]):
            findings.harm(WRONG_OUTCOMES, f"{run} is refused, but it has changed something: {said[-200:]!r}")
    elif run != "prune":
        _is_published(run, folder / "site", kit, findings)
        _no_longer_theirs(theirs, kit.made(run).own)
    if gone := lost(theirs, folder):
        findings.harm(FOREIGN_FILES_LOST, f"{run}: {', '.join(sorted(gone)[:3])[:300]} are gone")
    now = facts(folder)
    for path, each in theirs.items():
        if not path.startswith("site/") and now.get(path) != each:
            findings.harm(FOREIGN_FILES_LOST, f"{run}: {path}, which isn't in the site, isn't as it was")


def _no_longer_theirs(theirs: Facts, published: Tree) -> None:
    """What tokviz has written with the bytes that somebody had there is tokviz's now."""
    for path, content in published.items():
        if theirs.get(f"site/{path}", "").endswith(f" {content!r}"):
            del theirs[f"site/{path}"]


def _is_published(run: str, site: Path, kit: Kit, findings: Findings) -> None:
    """Every file of the report is there, as an undisturbed run writes it."""
    for path, content in kit.made(run).own.items():
        file = site / path
        if file.is_symlink() or not file.is_file() or file.read_bytes() != content:
            findings.harm(SITES_BROKEN, f"{run}: {path} isn't as an undisturbed run writes it")
            return
