"""What must be true of a site and a cache, whatever happened to a run; each check notes the harm that it finds."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path

from tokviz.run.publishing import manifest
from tokviz.run.store.artefacts import Store
from torture.kit import FOREIGN_TREE, Done, Tree, own, tree
from torture.trial import FOREIGN_FILES_LOST, SITES_BROKEN, TRACEBACKS, WRONG_OUTCOMES, Outcome

MOST_SECONDS_TO_STOP = 4.0
"""Two are promised; a machine that tests share may be busy."""
MOST_SECONDS_TO_VANISH = 8.0


class Findings:
    """Gathers what a trial finds."""

    def __init__(self) -> None:
        self._harm: Counter[str] = Counter()
        self._said: list[str] = []
        self._seen: list[str] = []
        self._seconds = 0.0

    def harm(self, kind: str, what: str) -> None:
        self._harm[kind] += 1
        self._said.append(what)

    @property
    def has_harm(self) -> bool:
        return bool(self._harm)

    def saw(self, *what: str) -> None:
        self._seen.extend(what)

    def took(self, seconds: float) -> None:
        self._seconds = max(self._seconds, seconds)

    def outcome(self, of_what: str) -> Outcome:
        detail = f"{of_what}: {'; '.join(self._said)}" if self._said else ""
        return Outcome(harm=self._harm, seen=tuple(self._seen), seconds_to_error=self._seconds, detail=detail)


def difference(found: Tree, expected: Tree) -> str:
    """In a few words, for whoever looks for the cause."""
    paths = sorted(path for path in found | expected if found.get(path) != expected.get(path))
    return f"{len(paths)} files differ, such as {', '.join(paths[:3])}"


def swap_folders(folder: Path, site: str = "site") -> list[Path]:
    return sorted(folder.glob(f".{site}.tokviz-*"))


# --- right after a kill ----------------------------------------------------------------------------------------------


def one_whole_site(folder: Path, sites: list[Tree], findings: Findings, site: str = "site") -> None:
    """The site is exactly one of those that it may be; between the two renames it stands beside its place."""
    place = folder / site
    if not place.exists():
        beside = [each / "old" for each in swap_folders(folder, site) if (each / "old").exists()]
        if len(beside) != 1:
            findings.harm(SITES_BROKEN, f"no site, and {len(beside)} beside its place")
            return
        findings.saw("between the renames")
        place = beside[0]
        missing = FOREIGN_TREE.keys() - tree(place).keys()
        if missing:
            findings.harm(FOREIGN_FILES_LOST, f"between the renames without {', '.join(sorted(missing))}")
    found, sites = timeless(own(tree(place))), [timeless(each) for each in sites]
    if found not in sites:
        nearest = min(sites, key=lambda each: sum(found.get(path) != each.get(path) for path in found | each))
        findings.harm(SITES_BROKEN, f"the site is none of those that it may be: {difference(found, nearest)}")


def timeless(site: Tree) -> Tree:
    """A site without when a first look's run began and how long it was expected to take, as they hang on clock and machine.

    Where its list has the right digest of a file, it says so instead.
    """
    found = {path: re.sub(rb"The run began on [^.]*\.", b"The run began.", site[path]) for path in site}
    if listed := site.get(manifest.PATH):
        digests = json.loads(listed)["files"]
        is_sealed = listed == manifest.to_json(digests).encode()
        right = {path: path in site and manifest.sha256(site[path]) == digest for path, digest in digests.items()}
        shown = {path: "right" if right[path] else digest for path, digest in digests.items()}
        found[manifest.PATH] = json.dumps([is_sealed, shown]).encode()
    return found


def foreign_kept(folder: Path, findings: Findings, changed: Tree, site: str = "site") -> None:
    """Whatever isn't tokviz's is there with its bytes: in the site, in the old one, or set aside."""
    places = [folder / site, folder / f"{site}.kept", *(each / "old" for each in swap_folders(folder, site))]
    trees = [tree(place) for place in places if place.exists()]
    for path, content in FOREIGN_TREE.items():
        if not any(each.get(path) == content for each in trees):
            findings.harm(FOREIGN_FILES_LOST, f"{path} is gone")
    for path, content in changed.items():
        if not any(content in each.values() for each in trees):
            findings.harm(FOREIGN_FILES_LOST, f"{path}, changed by hand, is gone")


def cache_is_sound(cache: Path, findings: Findings) -> None:
    """Nothing that the cache takes for whole is anything else."""
    store = Store(cache)
    for folder in (cache / "states").glob("[!.]*"):
        if store.find_states(folder.name) is not None and not store.states_are_intact(folder.name):
            findings.harm(WRONG_OUTCOMES, f"states/{folder.name} are accepted and damaged")
    for kind in ("projections", "measures", "images", "previews"):
        for file in (cache / kind).glob("[!.]*"):
            checksum = hashlib.sha256(file.read_bytes()).hexdigest()
            if not checksum.startswith(file.name.split(".")[1]):
                findings.harm(WRONG_OUTCOMES, f"{kind}/{file.name} is half-made")


# --- how a run ends --------------------------------------------------------------------------------------------------


def is_unforeseen(said: str) -> bool:
    """Whether an error is shown that nobody foresaw: as a traceback, or as the line that stands for one."""
    return "Traceback" in said or "a fault in tokviz" in said


def no_fault(said: str, findings: Findings) -> None:
    if is_unforeseen(said):
        findings.harm(TRACEBACKS, said[-600:].replace("\n", " | "))


def no_traceback(done: Done, findings: Findings) -> None:
    if is_unforeseen(done.said):
        shown = done.said[done.said.find("Traceback") :].strip().replace("\n", " | ")
        findings.harm(TRACEBACKS, f"in {done.stage}: {shown[:200]} … {shown[-600:]}")


def succeeded(done: Done, findings: Findings) -> bool:
    no_traceback(done, findings)
    if done.code != 0:
        said = done.said.strip().splitlines()
        findings.harm(WRONG_OUTCOMES, f"the next run exits {done.code}: {said[-1] if said else 'silent'}")
    return done.code == 0


def all_in_place(folder: Path, expected: Tree, findings: Findings, changed: Tree, site: str = "site") -> None:
    """After a run that succeeded: the bytes of an undisturbed one, others' files in their place, nothing left over."""
    found = tree(folder / site)
    if own(found) != expected:
        findings.harm(SITES_BROKEN, f"other bytes than an undisturbed run's: {difference(own(found), expected)}")
    for path, content in FOREIGN_TREE.items():
        if found.get(path) != content:
            findings.harm(FOREIGN_FILES_LOST, f"{path} isn't in its place")
    aside = folder / f"{site}.kept"
    kept = tree(aside) if aside.exists() else {}
    for path, content in changed.items():
        if content not in kept.values():
            findings.harm(FOREIGN_FILES_LOST, f"{path}, changed by hand, was not set aside")
    surplus = [path for path, content in kept.items() if content not in changed.values()]
    if surplus:
        findings.harm(WRONG_OUTCOMES, f"set aside without need: {', '.join(surplus[:3])}")
    if left := swap_folders(folder, site):
        findings.harm(WRONG_OUTCOMES, f"left over: {left[0].name}")
