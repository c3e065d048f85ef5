"""What tokviz can't prove to have written is never lost, and messages say only what is so: random folders, sites and failures."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import making
import pytest
import trees
from failing import Killed, failing
from hypothesis import given
from hypothesis import strategies as st
from mounting import mounted
from trees import facts, lost, put

from tokviz.config import ReportConfig
from tokviz.errors import PublishError, StoreError
from tokviz.run import prune
from tokviz.run.plan.options import Options
from tokviz.run.publishing import manifest, publish
from tokviz.run.publishing.replacing import Spared
from tokviz.run.store import entries
from tokviz.run.store.artefacts import Store
from tokviz.run.store.locks import Locks

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Links and pipes are those of POSIX")
REPORT = {"data/report.json": '{"generator": "tokviz 1"}'}
OLD = {**REPORT, "index.html": "old", "images/a/x.webp": "old", "models/a/index.html": "old", ".nojekyll": ""}
NEW = {
    **REPORT,
    "index.html": "new",
    "images/b/x.webp": "new",
    "models/a/index.html": "old",
    "compare/index.html": "new",
}
MANIFEST = "data/manifest.json"
PATHS = sorted(
    {
        *OLD,
        *NEW,
        MANIFEST,
        "images",
        "compare",
        "own/page.html",
        "images/a/mine.psd",
        "a b",
        "images/photo.svg",
        ".git/HEAD",
    }
    | {"data/mine.csv", "models/other/index.html", "é/ü", "sitemap.xml", "own/deep/down"}
)
MOUNTS = ("site", "site/images", "site/images/a", "site/own", "site.kept")
SEEDS = st.integers(0, 10**9)


def damaged(file: Path, chance: random.Random) -> bool:
    """Whether the manifest was damaged, or lost, so that it proves nothing."""
    how = chance.choice(["whole"] * 3 + ["lost", "cut", "flipped", "nested", "other"])
    content = file.read_bytes() if file.is_file() else b""
    if how == "whole" or not content:
        return False
    if how == "lost":
        file.unlink()
    elif how == "flipped":
        at = chance.randrange(len(content))
        flipped = content[:at] + bytes([content[at] ^ 1 << chance.randrange(7)]) + content[at + 1 :]
        file.write_bytes(flipped)
        with suppress(ValueError, RecursionError):
            return bool(json.loads(flipped) != json.loads(content))  # white space says nothing
    else:
        file.write_bytes({"cut": content[: len(content) // 2], "nested": b"[" * 50_000, "other": b"{}"}[how])
    return True


def begun(folder: Path, chance: random.Random) -> tuple[Path, trees.Facts]:
    """A site of tokviz in which somebody has put things; and what of it isn't provably tokviz's."""
    site = folder / "site"
    publish.publish(OLD, site)
    written = facts(site)
    if chance.random() < 0.3:
        put(folder, [f"site.kept/{path}" for path in chance.sample(PATHS, 3)], chance)
    theirs = put(site, chance.sample(PATHS, chance.randint(0, 8)), chance)
    is_known = not damaged(site / MANIFEST, chance) and MANIFEST not in theirs
    now = facts(site)
    if is_known:
        return site, {path: each for path, each in now.items() if not _same_bytes(each, written.get(path, ""))}
    return site, now


def _same_bytes(one: str, other: str) -> bool:
    """Whether both are files of one content, whatever their modes."""
    return one[:4] == other[:4] == "file" and one.split(" ", 2)[2] == other.split(" ", 2)[2]


def neighbours(folder: Path, chance: random.Random) -> trees.Facts:
    """What stands beside the site, under names near those that tokviz gives."""
    names = [".site.tokviz-mine/x", f".site.tokviz-{'a' * 12}/thesis.tex", "site2/index.html", ".site.tokviz", "sites"]
    put(folder, chance.sample(names, 3), chance)
    return {path: each for path, each in facts(folder).items() if path.split("/")[0] not in ("site", "site.kept")}


def keeps(site: Path, theirs: trees.Facts) -> None:
    """Whatever was somebody's is in the site, beside it or aside; but for what the new site has with the same bytes."""
    beside = [site.parent / name for name in ("site", "site.kept")] + list(site.parent.glob(".site.tokviz-*"))
    same = {path for path, each in theirs.items() if path in NEW and each.endswith(f" {NEW[path].encode()!r}")}
    assert not lost({path: each for path, each in theirs.items() if path not in same}, *beside)


def is_new(site: Path) -> bool:
    return all((site / path).is_file() and (site / path).read_bytes() == each.encode() for path, each in NEW.items())


@pytest.mark.slow
@given(SEEDS)
def test_nothing_of_somebodys_is_lost_and_what_is_said_is_so(seed: int) -> None:
    chance = random.Random(seed)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        site, theirs = begun(folder, chance)
        beside, aside = neighbours(folder, chance), facts(folder / "site.kept")
        with mounted(*(folder / each for each in chance.sample(MOUNTS, chance.choice([0, 0, 1, 2])))):
            try:
                spared = publish.publish(NEW, site)
            except PublishError:  # it isn't known as a site any more
                assert facts(site).items() >= theirs.items()
                return
        assert is_new(site)
        keeps(site, theirs)
        assert facts(folder).items() >= beside.items()
        says_what_is_so(spared, site, aside)
        for path in theirs.keys() - NEW.keys() - {MANIFEST}:
            if not any(other.startswith(f"{path}/") or path.startswith(f"{other}/") for other in (*NEW, MANIFEST)):
                names = {Path(each).name for each in spared.put_aside}  # a folder of the same path may be there
                assert os.path.lexists(site / path) or Path(path).name in names
        assert publish.publish(NEW, site).put_aside == ()


def says_what_is_so(spared: Spared, site: Path, aside: trees.Facts) -> None:
    kept = site.with_name("site.kept")
    assert all(os.path.lexists(kept / path) for path in spared.put_aside)
    assert all(os.path.lexists(site / path) for path in spared.left_over)
    added = facts(kept).keys() - aside.keys() if kept.exists() else set()
    tops = {path for path in added if not any(path == each or path.startswith(f"{each}/") for each in spared.put_aside)}
    assert not tops


@pytest.mark.slow
@given(SEEDS, st.integers(0, 60), st.booleans())
def test_whatever_step_fails_nothing_is_lost_and_the_message_is_true(seed: int, step: int, dies: bool) -> None:
    chance = random.Random(seed)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        site, theirs = begun(folder, chance)
        before = facts(site)
        mounts = [folder / each for each in chance.sample(MOUNTS, chance.choice([0, 0, 1]))]
        if not manifest.is_site(site):
            return
        with mounted(*mounts):
            error = Killed() if dies else OSError(28, "No space left on device")
            try:
                with failing(step, error):
                    spared = publish.publish(NEW, site)
                assert is_new(site) or spared.problems
                for problem in spared.problems:
                    is_true(problem, site, before)
            except PublishError as said:
                is_true(str(said), site, before)
            except Killed:
                pass
            keeps(site, theirs)
            publish.recover(site)
            if manifest.is_site(site):
                publish.publish(NEW, site)
                assert is_new(site)
        keeps(site, theirs)


def is_true(said: str, site: Path, before: trees.Facts) -> None:
    """Each thing that a message may claim."""
    assert said.count("; ") == 1
    if "the old one is untouched" in said:
        assert facts(site) == before
    elif place := re.search(r"the old one is in (.*), run again", said):
        assert facts(Path(place[1])) == before
    elif place := re.search(r"a part of the new site is in place, the rest is in (.*?):", said):
        assert (Path(place[1]) / MANIFEST).exists()
    elif place := re.search(r"what couldn't be moved of the old site is in (.*?):", said):
        assert is_new(site)
        assert any(Path(place[1]).iterdir())
    elif place := re.search(r"can't remove what a run left, (.*?):", said):
        assert is_new(site)
        assert Path(place[1]).is_dir()
    else:
        assert "the site is in" in said


# --- the cache ---------------------------------------------------------------------------------------------------

KEY, OTHER = "0" * 32, "f" * 32
NEAR = (
    *(f"states/{KEY}/notes.txt", f"states/{OTHER}", f"states/.{KEY}.{OTHER}", "states/mine", f"images/{KEY}.jpg"),
    *(
        f"images/{KEY}.{'1' * 16}.webp.bak",
        f"measures/{KEY}",
        "reports/.git/HEAD",
        "photo.svg",
        ".offload-mine/x",
        "locks/x",
    ),
    *(
        f"states/{KEY}/states.json.bak",
        f".mark.{KEY}x",
        f"previews/{KEY}.{'1' * 16}.jpg",
        "fonts/mine.ttf",
        "images/deep/x",
    ),
)


@contextmanager
def stored(chance: random.Random) -> Iterator[tuple[Path, trees.Facts, trees.Facts]]:
    """A cache, what tokviz has put into it, and what somebody has."""
    with TemporaryDirectory() as temporary:
        root = Path(temporary).resolve() / "cache"
        if chance.random() < 0.8:
            entries.mark(root)
        store = Store(root)
        making.put(store, KEY)
        for key in (KEY, OTHER):
            store.put_image(key, making.webp(key))
            store.put_preview(key, key.encode())
        own = facts(root)
        theirs = put(root, chance.sample(NEAR, chance.randint(0, 8)), chance)
        yield (
            root,
            own,
            {path: each for path, each in facts(root).items() if path.split("/")[0] in theirs or path not in own},
        )


def pruned(root: Path) -> list[str]:
    report = ReportConfig.model_validate({"words": {"all": ["cat"]}, "models": [{"source": "nowhere/model"}]})
    options = Options(base=root.parent, output=root.parent / "site", cache=root)
    return prune.prune(report, options, 0, Locks(waits=False), dry_run=False)


@pytest.mark.slow
@given(SEEDS)
def test_pruning_removes_what_it_says_and_nothing_of_somebodys(seed: int) -> None:
    with stored(random.Random(seed)) as (root, _, theirs):
        is_cache = entries.is_marked(root)
        before = facts(root)
        try:
            lines = pruned(root)
        except StoreError:
            assert not is_cache
            assert facts(root) == before
            return
        assert is_cache
        after = facts(root)
        assert {path: each for path, each in theirs.items() if path not in before or after.get(path) != each} == {}
        n_bytes = sum(int(line.split(", ")[1].removesuffix(" bytes").replace(",", "")) for line in lines)
        gone = before.keys() - after.keys()
        assert n_bytes == sum(_size(before[path]) for path in gone)
        assert not any(path.startswith((f"images/{KEY}.{'1' * 16}", "photo")) for path in gone)


def _size(described: str) -> int:
    content = described.split(" ", 2)[2] if described.startswith("file") else "b''"
    return len(eval(content))


@pytest.mark.slow
@given(SEEDS)
def test_storing_loses_nothing_of_somebodys(seed: int) -> None:
    chance = random.Random(seed)
    with stored(chance) as (root, own, theirs):
        for path in chance.sample(sorted(own), 2):  # somebody's in the place of an artefact
            (root / path).unlink(missing_ok=True)
            if put(root, [path], chance):
                theirs[path] = facts(root).get(path, "empty folder")
        store = Store(root)
        for key in (KEY, OTHER):
            making.put(store, key)
            store.put_image(key, making.webp(f"{key} again"))
            store.put_preview(key, key.encode())
        again = Store(root)
        assert all(again.find_states(key) and again.find_image(key) and again.find_preview(key) for key in (KEY, OTHER))
        assert not lost({path: each for path, each in theirs.items() if not _is_an_artefact(path)}, root)


def _is_an_artefact(path: str) -> bool:
    """A regular file of exactly an artefact's name counts as one that is damaged."""
    kind, _, name = path.partition("/")
    return (kind in entries.SUFFIXES and entries.artefact(kind, name) is not None) or path.startswith(
        f"states/{KEY}/states."
    )
