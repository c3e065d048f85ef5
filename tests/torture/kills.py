"""Runs that are killed: at every boundary of every stage, and at any time between; what they leave, and the next run.

Half of the trials strike at an event (a file about to be opened for writing, a folder about to be renamed …), half after
some time. Most are killed outright; the others are interrupted or terminated, and must say so and end soon.
"""

from __future__ import annotations

import random
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from tokviz.run.work.interrupts import LINE
from torture import checks
from torture.checks import Findings
from torture.kit import FIRST_LOOK, VARIANTS, Begun, Done, Kit, Strike, Tree, kit_of, own, tree, undisturbed
from torture.trial import WRONG_OUTCOMES, Outcome

N_TRIALS = 500
REACHED_WITH = {
    "start": ("all", "none"),
    "locking": ("all",),
    "loading": ("none",),
    "capturing": ("none",),
    "projecting": ("none", "states"),
    "measuring": ("none", "states"),
    "drawing": ("no images", "part", "states"),
    "writing the site": ("all", "all", "part"),
    "swapping": ("all", "all", "no images"),
    "emptying the old site": ("all", "all", "part"),
    "keeping fonts": ("no fonts",),
    "noting the use": ("all",),
}
"""Per stage what of the cache is there before: a stage that takes a moment needs no run that captures first."""
SECONDS = {"start": 0.8, "loading": 3.0, "projecting": 1.0, "drawing": 1.0, "capturing": 0.5, "measuring": 0.2}
"""Roughly how long stages last; the others are over in a moment."""
MOMENT = 0.05
GONE = {
    "states": ("projections", "measures", "images"),
    "no measures": ("measures",),
    "no images": ("images",),
    "no fonts": ("fonts",),
}
"""What is missing from a whole cache."""
STOPPED = {signal.SIGINT: (130,), signal.SIGTERM: (143,)}
BEFORE_PYTHON_RUNS_TOKVIZ = {signal.SIGINT: (-signal.SIGINT, 130, 1), signal.SIGTERM: (-signal.SIGTERM, 143)}
"""How Python ends when it is stopped while it starts: before the first line of the command nobody can do otherwise."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What one trial does, all of it drawn from its number."""

    variant: str
    cached: str
    strike: Strike
    again: Strike | None
    """For the second run; a third is then left alone."""
    changes_a_page: bool
    """Whether somebody changed a page of the old site by hand."""
    old: str = "old"
    """What stands before: a complete report, or the first look at one."""
    forks: bool = False
    """As it is in ``Begun``."""


def trial(number: int, folder: Path) -> Outcome:
    kit = kit_of(folder)
    return tried(drawn(number, kit), number, folder, kit)


def tried(case: Case, number: int, folder: Path, kit: Kit) -> Outcome:
    """The outcome of one case."""
    findings = Findings()
    kit.prepare(folder)
    kit.put_old_site(folder, case.old)
    changed = change_a_page(folder) if case.changes_a_page else {}
    fill_cache(kit, case.cached, case.variant, folder / "cache", random.Random(number))
    sites = [own(tree(folder / "site")), kit.made(case.variant).own]
    begun = []
    for index, strike in enumerate((case.strike, case.again)):
        if strike is not None:
            begun.append(Begun(folder, VARIANTS[case.variant], strike, name=f"killed-{index}", forks=case.forks))
            done = begun[-1].finish()
            see(case, strike, done, findings)
            stopped_well(begun[-1], done, strike, sites, findings)
            checks.one_whole_site(folder, sites, findings)
            checks.foreign_kept(folder, findings, changed)
            checks.cache_is_sound(folder / "cache", findings)
    # What is harmed already needs no proof.
    if not findings.has_harm and checks.succeeded(undisturbed(folder, VARIANTS[case.variant]), findings):
        checks.all_in_place(folder, sites[1], findings, changed)
    for each in begun:
        if each.seconds_until_gone() is None:
            findings.harm(WRONG_OUTCOMES, "a process of a run is still there after 20 s")
    return findings.outcome(f"kills {number} ({case.variant}, cache {case.cached}, {case.strike})")


def drawn(number: int, kit: Kit) -> Case:
    chance = random.Random(f"kills {number}")
    stages = list(REACHED_WITH)
    # The stages take turns, so that few trials reach all of them.
    stage = stages[number // 2 % len(stages)]
    cached = chance.choice(REACHED_WITH[stage])
    variant = chance.choice(["plain"] * 6 + ["draft", "svg", "excerpts", "force"])
    if cached != "none" and variant == "force":
        variant = "plain"  # it would do all the work, whatever is cached
    if stage in ("measuring", "keeping fonts") and variant == "draft":
        variant = "plain"  # a draft isn't measured
    kind = chance.choice([signal.SIGKILL] * 7 + [signal.SIGINT, signal.SIGINT, signal.SIGTERM])
    if number % 2:
        after = round(chance.uniform(0.0, SECONDS.get(stage, MOMENT)), 3)
        to_all = kind == signal.SIGINT and chance.random() < 0.5
        strike = Strike(signal=kind, stage=stage, after=after, to_all=to_all)
    else:
        strike = _at_event(stage, kit, chance, kind)
    again = _at_event(chance.choice(["swapping", "emptying the old site", "writing the site"]), kit, chance)
    is_early = variant == "plain" and cached == "none" and chance.random() < 0.5
    return Case(
        variant=variant,
        cached=cached,
        strike=strike,
        again=again if chance.random() < 0.25 else None,
        changes_a_page=not is_early and chance.random() < 0.2,
        old=FIRST_LOOK if is_early else "old",
    )


def _at_event(stage: str, kit: Kit, chance: random.Random, kind: int = signal.SIGKILL) -> Strike:
    n_events = kit.made("plain").events.get(stage, 1)
    # With a part of the cache there are fewer; and more of a stage's beginning and end than of its middle.
    nth = chance.choice([1, 2, n_events, chance.randint(1, n_events), chance.randint(1, n_events)])
    return Strike(signal=kind, stage=stage, nth=nth, torn=kind == signal.SIGKILL and chance.random() < 0.3)


# --- before ----------------------------------------------------------------------------------------------------------


def fill_cache(kit: Kit, cached: str, variant: str, cache: Path, chance: random.Random) -> None:
    """As an earlier run of the variant may have left it."""
    if cached == "none":
        return
    shutil.copytree(kit.made(variant if variant in ("draft", "svg", "other") else "plain").cache, cache)
    if cached == "part":
        for kind in ("projections", "measures", "images"):
            for file in sorted((cache / kind).iterdir()):
                if chance.random() < 0.5:
                    file.unlink()
    for kind in GONE.get(cached, ()):
        shutil.rmtree(cache / kind)


def change_a_page(folder: Path) -> Tree:
    page = folder / "site" / "index.html"
    page.write_bytes(page.read_bytes() + b"<!-- by hand -->")
    return {"index.html": page.read_bytes()}


# --- after -----------------------------------------------------------------------------------------------------------


def see(case: Case, strike: Strike, done: Done, findings: Findings) -> None:
    name = signal.Signals(strike.signal).name
    if done.struck_at is None:
        findings.saw(f"{name}: the run had ended before" if done.code == 0 else f"{name}: ended {done.code} before")
        return
    torn = ", half-written" if strike.torn and done.where == "open" else ""
    findings.saw(f"{name} in {done.stage}", f"{done.stage}: before {done.where}{torn}", f"cache: {case.cached}")


def stopped_well(begun: Begun, done: Done, strike: Strike, sites: list[Tree], findings: Findings) -> None:
    """An interrupted or terminated run says so in a line, soon, and leaves no process."""
    if strike.signal == signal.SIGKILL or done.struck_at is None:
        return
    name = signal.Signals(strike.signal).name
    gone = begun.seconds_until_gone()
    if gone is None or gone + done.seconds_to_end > checks.MOST_SECONDS_TO_VANISH:
        findings.harm(WRONG_OUTCOMES, f"{name} in {done.stage}: a process is there after {gone or 20:.1f} s")
    findings.took(done.seconds_to_end)
    if done.seconds_to_end > checks.MOST_SECONDS_TO_STOP:
        findings.harm(WRONG_OUTCOMES, f"{name} in {done.stage}: ends after {done.seconds_to_end:.1f} s")
    if not any(event.path == "tokviz.cli" for event in done.events):
        if done.code not in BEFORE_PYTHON_RUNS_TOKVIZ[signal.Signals(strike.signal)]:
            findings.harm(WRONG_OUTCOMES, f"{name} before tokviz runs: exits {done.code}")
        return
    checks.no_traceback(done, findings)
    is_new = own(tree(begun.folder / "site")) == sites[1] if (begun.folder / "site").exists() else False
    if is_new and done.code in (0, -strike.signal):
        findings.saw(f"{name}: came when all was done")
        return
    if done.code not in STOPPED[signal.Signals(strike.signal)]:
        findings.harm(WRONG_OUTCOMES, f"{name} in {done.stage}: exits {done.code}")
    last = done.said.strip().splitlines()[-1:] or [""]
    if last[0] != LINE:
        findings.harm(WRONG_OUTCOMES, f"{name} in {done.stage}: says {last[0]!r}")
