"""One trial of hostile text, and that a trial sees what it is made to see."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from playwright.sync_api import Error

from torture import hostile
from torture.browsing import open_page
from torture.strings import KINDS, STRINGS
from torture.trial import SCRIPTS_EXECUTED, SITES_BROKEN, WORDS_LOST, Outcome

TRIED = [text for kind in KINDS for text in kind[:: -(-len(kind) // 3)]]
"""Words here: three of each kind. Titles, labels and notes are as in ``make torture``."""
pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]


def test_the_corpus_is_large_and_every_string_may_be_a_word_by_its_length() -> None:
    assert len(STRINGS) == len(set(STRINGS)) >= 200
    assert max(map(len, STRINGS)) == hostile.LONGEST
    tried = [text for number in range(hostile.N_TRIALS) for text in hostile.candidates(number, random.Random(number))]
    assert set(STRINGS) <= set(tried)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    folder = tmp_path_factory.mktemp("hostile")
    try:
        return folder, hostile.trial(2, folder, TRIED)
    except Error as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no browser: {str(error).splitlines()[0]}; run: python tests/browser.py")


def test_hostile_text_breaks_nothing(made: tuple[Path, Outcome]) -> None:
    _, outcome = made
    assert not outcome.harm, outcome.detail
    assert outcome.seen.count("words") >= 20
    assert outcome.seen.count("pages opened") >= 8


@pytest.mark.parametrize(
    ("path", "old", "new", "harm"),
    [
        ("index.html", "</main>", "<img src=data:x onerror=__trap(1)></main>", SCRIPTS_EXECUTED),
        ("method/index.html", "</main>", "<script>__trap(1)</script></main>", SCRIPTS_EXECUTED),
        ("explore/index.html", "</main>", '<a href="javascript:__trap(1)">x</a></main>', SCRIPTS_EXECUTED),
        ("404.html", "</main>", "<img src=//evil.example/x.png></main>", SCRIPTS_EXECUTED),
        ("method/index.html", "</main>", "</b></main>", SITES_BROKEN),
        ("data/words.js", '"words":["', '"words":["x","', WORDS_LOST),
        ("data/words.js", '"words":["', '"words":[\'', SITES_BROKEN),
    ],
)
def test_a_trial_would_see_it(made: tuple[Path, Outcome], path: str, old: str, new: str, harm: str) -> None:
    site, words = made[0] / "site", hostile.words_of(made[0])
    by_kind: dict[str, Callable[[], Iterable[tuple[str, str]]]] = {
        SCRIPTS_EXECUTED: lambda: open_page(site, path, words[:1]).harm,
        SITES_BROKEN: lambda: hostile.broken(site),
        WORDS_LOST: lambda: hostile.lost(site, words),
    }
    text = (site / path).read_text(encoding="utf-8")
    assert old in text
    (site / path).write_text(text.replace(old, new, 1), encoding="utf-8")
    try:
        assert harm in [kind for kind, _ in by_kind[harm]()]
    finally:
        (site / path).write_text(text, encoding="utf-8")
