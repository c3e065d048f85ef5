"""Two runs at once, on one site or on two that share a cache; one of them, both or neither are killed meanwhile."""

from __future__ import annotations

import random
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from torture import checks
from torture.checks import Findings
from torture.kills import MOMENT, REACHED_WITH, SECONDS, fill_cache
from torture.kit import VARIANTS, Begun, Done, Kit, Strike, Tree, kit_of, own, tree, undisturbed
from torture.trial import SITES_BROKEN, WRONG_OUTCOMES, Outcome

N_TRIALS = 200
SITES = ("site", "second")


@dataclass(frozen=True, kw_only=True)
class Case:
    """What one trial does, all of it drawn from its number."""

    one_site: bool
    """Whether both runs write one site, or each its own."""
    cached: str
    variants: tuple[str, str]
    offset: float
    """How many seconds after the first the second begins."""
    strikes: tuple[Strike | None, Strike | None]


def trial(number: int, folder: Path) -> Outcome:
    return tried(drawn(number), number, folder, kit_of(folder))


def tried(case: Case, number: int, folder: Path, kit: Kit) -> Outcome:
    """The outcome of one case."""
    findings = Findings()
    kit.prepare(folder)
    kit.put_old_site(folder)
    shutil.copytree(folder / "site", folder / "second", symlinks=True)
    fill_cache(kit, case.cached, case.variants[0], folder / "cache", random.Random(number))
    begun, done = both(case, folder)
    see(case, begun, done, findings)
    for name in SITES:
        writers = [index for index in (0, 1) if site_of(case, index) == name]
        may_be = [kit.made(case.variants[index]).own for index in writers]
        checks.one_whole_site(folder, [own_old(kit), *may_be], findings, name)
        checks.foreign_kept(folder, findings, {}, name)
        published(case, [done[index] for index in writers], may_be, folder / name, findings)
    checks.cache_is_sound(folder / "cache", findings)
    follow(kit, case, folder, findings)
    for each in begun:
        if each.seconds_until_gone() is None:
            findings.harm(WRONG_OUTCOMES, "a process of a run is still there after 20 s")
    return findings.outcome(f"pairs {number} ({case})")


def drawn(number: int) -> Case:
    chance = random.Random(f"pairs {number}")
    n_killed = (0, 1, 1, 2)[number % 4]
    killed = chance.sample((0, 1), n_killed)
    cached = chance.choice(["none", "states", "no images", "part", "part", "all", "all", "all"])
    stages = [stage for stage, caches in REACHED_WITH.items() if cached in caches] or ["start"]
    strikes = [_strike(chance, stages) if index in killed else None for index in (0, 1)]
    return Case(
        one_site=chance.random() < 0.6,
        cached=cached,
        variants=chance.choice([("plain", "other"), ("other", "plain"), ("plain", "plain")]),
        offset=round(chance.choice([0.0, chance.uniform(0.0, 0.3), chance.uniform(0.0, 3.0)]), 3),
        strikes=(strikes[0], strikes[1]),
    )


def _strike(chance: random.Random, stages: list[str]) -> Strike:
    stage = chance.choice(stages)
    return Strike(
        signal=chance.choice([signal.SIGKILL] * 4 + [signal.SIGINT, signal.SIGTERM]),
        stage=stage,
        after=round(chance.uniform(0.0, SECONDS.get(stage, MOMENT)), 3),
    )


def both(case: Case, folder: Path) -> tuple[list[Begun], list[Done]]:
    begun = []
    for index in (0, 1):
        arguments = (*VARIANTS[case.variants[index]], "--output", site_of(case, index))
        begun.append(Begun(folder, arguments, case.strikes[index], name=f"run-{index}"))
        time.sleep(case.offset if index == 0 else 0)
    return begun, [each.finish() for each in begun]


def site_of(case: Case, index: int) -> str:
    return SITES[0] if case.one_site else SITES[index]


def own_old(kit: Kit) -> Tree:
    return kit.made("old").own


def see(case: Case, begun: list[Begun], done: list[Done], findings: Findings) -> None:
    n_struck = sum(each.struck_at is not None for each in done)
    findings.saw(f"{'one site' if case.one_site else 'two sites'}, {n_struck} struck", f"cache: {case.cached}")
    for each, strike in zip(done, case.strikes, strict=True):
        checks.no_traceback(each, findings)
        if "wait" in each.said.lower():
            findings.saw("a run waited for another")
        if each.struck_at is None:
            if each.code != 0:
                said = each.said.strip().splitlines()[-1:]
                findings.harm(WRONG_OUTCOMES, f"a run that nobody struck exits {each.code}: {said}")
        elif strike is not None:
            findings.saw(f"{signal.Signals(strike.signal).name} in {each.stage}")


def published(case: Case, done: list[Done], may_be: list[Tree], site: Path, findings: Findings) -> None:
    """A run that says that it has succeeded has published, unless another has since."""
    succeeded = [made for each, made in zip(done, may_be, strict=True) if each.code == 0]
    if not succeeded:
        return
    # Between two renames of one that was struck later, what succeeded stands beside its place: the next run puts it back.
    beside = sorted(site.parent.glob(f".{site.name}.tokviz-*/old"))
    place = site if site.exists() or not beside else beside[0]
    found = own(tree(place)) if place.exists() else {}
    # One that was struck may have published before.
    struck = [made for each, made in zip(done, may_be, strict=True) if each.code != 0]
    if found not in succeeded and found not in struck:
        findings.harm(SITES_BROKEN, f"{site.name}: a run succeeded, but the site isn't its own")


def follow(kit: Kit, case: Case, folder: Path, findings: Findings) -> None:
    """The locks of the dead stop nobody: the next run of each site is as if nothing had been."""
    for index, name in enumerate(SITES[: 1 if case.one_site else 2]):
        variant = case.variants[index]
        if checks.succeeded(undisturbed(folder, (*VARIANTS[variant], "--output", name)), findings):
            checks.all_in_place(folder, kit.made(variant).own, findings, {}, name)
