"""A few of the trials of ``make torture``, and proof that they find the faults that they are for."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tokviz.run.publishing import manifest
from torture import checks, kills, pairs
from torture.checks import Findings
from torture.kills import Case
from torture.kit import FIRST_LOOK, FOREIGN_TREE, Kit, Strike, kit_of, own, tree
from torture.torture import Tally, due, table
from torture.trial import FOREIGN_FILES_LOST, SITES_BROKEN, TRACEBACKS, WRONG_OUTCOMES, Outcome

pytestmark = pytest.mark.process


def at(
    stage: str, nth: int, cached: str = "all", kind: int = signal.SIGKILL, *, torn: bool = False, **others: Any
) -> Case:
    strike = Strike(signal=kind, stage=stage, nth=nth, torn=torn)
    return Case(variant="plain", cached=cached, strike=strike, again=None, changes_a_page=False, **others)


CASES = {
    "as states are put in place": at("capturing", 9, "none"),
    "in a measure's file": at("measuring", 2, "no measures", torn=True, forks=True),
    "between the renames": at("swapping", 2, forks=True),
    "terminated as it draws": at("drawing", 4, "no images", kind=signal.SIGTERM),
    "as the whole report replaces a first look": at("swapping", 4, "none", old=FIRST_LOOK, forks=True),
}
"""One of each kind: nothing stored yet, a torn file, a site half swapped, and a signal that is heeded.

Interrupts are in ``tests/run/test_interrupts.py``. Runs that begin as a user's do are the first, of which the import of torch is seen,
too, and the one whose processes draw.
"""


@pytest.mark.parametrize("name", CASES)
def test_whenever_a_run_is_killed_the_site_is_whole_and_the_next_run_finishes(name: str, root: Path) -> None:
    folder = root / name.replace(" ", "-")
    outcome = kills.tried(CASES[name], 0, folder, kit_of(folder))
    assert not outcome.harm, outcome.detail
    assert not any("had ended before" in seen for seen in outcome.seen)
    assert any(str(CASES[name].strike.stage) in seen for seen in outcome.seen), outcome.seen
    watched = folder.with_name(f"{folder.name}.killed-0.log").read_text(encoding="utf-8")
    assert ("\tstart\timport\t" in watched) == (not CASES[name].forks)
    assert ("\tloading\timport\t" in watched) == (name == "as states are put in place")


def test_two_runs_at_once_leave_one_whole_site(root: Path) -> None:
    folder = root / "pair"
    struck = Strike(stage="swapping", nth=2)
    case = pairs.Case(one_site=True, cached="all", variants=("plain", "other"), offset=0.0, strikes=(struck, None))
    outcome = pairs.tried(case, 0, folder, kit_of(folder))
    assert not outcome.harm, outcome.detail


def test_a_look_of_another_minute_or_a_busier_machine_is_a_site_that_it_may_be_and_a_false_list_is_not(
    root: Path,
) -> None:
    kit = kit_of(root / "looks")
    kit.prepare(root / "looks")
    kit.put_old_site(root / "looks", FIRST_LOOK)
    site = root / "looks" / "site"
    sites = [own(tree(site))]
    began = re.compile(rb"The run began on [^.]* was expected to take under a minute\.")
    other = b"The run began on 2020-02-02 at 02:02 UTC and was expected to take about 2 minutes."
    pages = [path for path, content in sites[0].items() if began.search(content)]
    for path in pages:
        (site / path).write_bytes(began.sub(other, sites[0][path]))
    digests = {path: manifest.sha256(content) for path, content in own(tree(site)).items() if path != manifest.PATH}
    (site / manifest.PATH).write_text(manifest.to_json(digests), encoding="utf-8")
    checks.one_whole_site(root / "looks", sites, whole := Findings())
    (site / manifest.PATH).write_text(manifest.to_json({**digests, pages[0]: "0" * 64}), encoding="utf-8")
    checks.one_whole_site(root / "looks", sites, false := Findings())
    assert pages
    assert not whole.has_harm
    assert false.outcome("").harm == {SITES_BROKEN: 1}


# --- no check that can't fail ----------------------------------------------------------------------------------------

IN_PLACE = """
import shutil
from tokviz.run.publishing.publish import _Swap
def put_in_place(self):
    for file in sorted(self.new.rglob("*")):
        if file.is_file():
            (self.output / file.relative_to(self.new)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, self.output / file.relative_to(self.new))
_Swap.put_in_place = put_in_place
"""
DROPS_THE_OLD = """
import shutil
from tokviz.run.publishing.publish import Spared, _Swap
def finish(self):
    shutil.rmtree(self.folder)
    return Spared()
_Swap.finish = finish
"""
NOT_STOPPED = """
import re
import signal
from tokviz.run.work import interrupts
def heed(work):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    work()
interrupts.heed = heed
"""
RAISES = """
from tokviz.run.publishing import publish
def recover(output):
    raise ValueError
publish.recover = recover
"""
FAULTS = {
    "copies into the site, killed": (IN_PLACE, at("writing the site", 190, forks=True), {SITES_BROKEN}),
    "throws the old site away": (DROPS_THE_OLD, at("keeping fonts", 1, "no fonts", forks=True), {FOREIGN_FILES_LOST}),
    "heeds no interrupts": (NOT_STOPPED, at("writing the site", 20, kind=signal.SIGINT), {WRONG_OUTCOMES}),
    "shows a traceback": (RAISES, at("start", 1), {TRACEBACKS, WRONG_OUTCOMES}),
}
"""Each kind of harm, and each signal."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, case, harms = FAULTS[fault]
    folder = root / f"fault-{list(FAULTS).index(fault)}"
    planted = folder.with_suffix(".py")
    planted.write_text(code, encoding="utf-8")
    monkeypatch.setenv("TOKVIZ_FAULT", str(planted))
    outcome = kills.tried(case, 0, folder, kit_of(folder))
    assert set(outcome.harm) >= harms, (outcome.harm, outcome.detail)


def test_a_trial_is_drawn_from_its_number_and_all_stages_have_their_turn(root: Path) -> None:
    kit = Kit(root / "kit")
    kit.made("plain")
    cases = [kills.drawn(number, kit) for number in range(2 * len(kills.REACHED_WITH))]
    assert {case.strike.stage for case in cases} == set(kills.REACHED_WITH)
    assert cases[3] == kills.drawn(3, kit)
    assert len({case.strike.signal for case in (kills.drawn(each, kit) for each in range(60))}) == 3


def test_a_watched_run_tells_its_events_and_an_undisturbed_one_keeps_what_is_not_its_own(root: Path) -> None:
    kit = Kit(root / "kit")
    made = kit.made("plain")
    assert {"capturing", "projecting", "measuring", "drawing", "swapping"} <= made.events.keys()
    assert made.events["swapping"] >= 2
    assert FOREIGN_TREE.items() <= tree(made.site).items()
    assert own(tree(kit.made("old").site)) != made.own


def test_all_kinds_advance_together_and_what_is_done_is_not_done_again() -> None:
    tallies = {"kills": Tally(total=4), "pairs": Tally(total=2)}
    assert [kind for kind, _ in due(tallies, ["kills", "pairs"])].count("pairs") == 2
    assert sorted(list(due(tallies, ["kills", "pairs"]))[:3]) == [("kills", 0), ("kills", 1), ("pairs", 0)]
    tallies["kills"].add(0, Findings().outcome("kills 0"), 1.0)
    assert list(due(tallies, ["kills"])) == [("kills", 1), ("kills", 2), ("kills", 3)]


def test_harm_is_counted_and_told() -> None:
    findings = Findings()
    findings.harm(SITES_BROKEN, "half of it is missing")
    tally = Tally(total=4)
    tally.add(2, findings.outcome("kills 2"), 1.0)
    tally.add(3, Outcome(), 1.0)
    shown = table({"kills": tally})
    assert "half of it is missing" in shown
    assert any(line.split() == ["sites", "broken", "1", "1"] for line in shown.splitlines())
