"""Cards in the cache and in the site."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from report_fixture import sample_report

from tokviz import pages
from tokviz.draw import draw_card, encode
from tokviz.draw.coverage import Coverage
from tokviz.draw.typefaces import Typefaces
from tokviz.errors import TokvizError
from tokviz.records import Card, Report
from tokviz.run import cards
from tokviz.run.store.artefacts import Store
from tokviz.run.work.picture_queue import PictureQueue
from tokviz.run.work.progress import Quiet

pytestmark = pytest.mark.slow


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


@pytest.fixture
def queue(store: Store) -> Iterator[PictureQueue]:
    """In threads instead of processes."""
    with closing(PictureQueue(lambda _: ThreadPoolExecutor(2), store.put_image, Quiet())) as found:
        yield found


def plan_of(store: Store, **options: bool) -> Any:
    return SimpleNamespace(
        store=store,
        fonts=Typefaces(Coverage(), folders=[]),
        options=SimpleNamespace(**{"cards": True, "force": False, **options}),
    )


def drawn(report: Report, store: Store, queue: PictureQueue, **options: bool) -> tuple[Report, dict[str, Path]]:
    report, files, failed = cards.draw_cards(report, plan_of(store, **options), queue)
    assert not failed
    return report, dict(files)


def kept(store: Store) -> list[Path]:
    return sorted((store.root / "previews").glob("*.png"))


def test_each_finding_has_its_file_and_what_several_pages_show_is_drawn_once(store: Store, queue: PictureQueue) -> None:
    report, files = drawn(sample_report(), store, queue)
    due = {each.path: each.card for each in pages.cards(sample_report(), every=True)}
    assert files.keys() == due.keys() == report.cards
    for path, file in files.items():
        assert file.read_bytes() == draw_card(due[path]), path
    assert len(kept(store)) == len({*files.values()}) < len(files)


def test_a_page_knows_its_own_and_others_know_the_reports(store: Store, queue: PictureQueue) -> None:
    report, files = drawn(sample_report(), store, queue, cards=False)
    deep, encoder, lost = report.models
    assert report.preview is not None
    assert deep.preview is not None
    assert encoder.preview is not None
    assert lost.preview is None
    shown = {"cards/finding-1.png": report.preview, "models/smol-30/finding-1.png": deep.preview}
    assert {**shown, "models/mini-6/finding-1.png": encoder.preview}.keys() == files.keys()
    for path, image in shown.items():
        assert (image.path, image.n_bytes) == (path, files[path].stat().st_size)
        assert (image.width, image.height) == encode.size(files[path]) == (1200, 630)
        assert " cluster by category" in image.said


def test_where_nobody_knows_the_address_they_are_there_when_asked_for(store: Store, queue: PictureQueue) -> None:
    nowhere = replace(sample_report(), site_url=None)
    report, files = drawn(nowhere, store, queue)
    assert len(files) > 3
    assert report.preview is None
    assert all(model.preview is None for model in report.models)
    report, files = drawn(nowhere, store, queue, cards=False)
    assert (report.cards, files) == (frozenset(), {})


def test_what_is_in_the_cache_is_not_drawn_again(
    store: Store, queue: PictureQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn(sample_report(), store, queue, cards=False)
    calls: list[str] = []

    def counted(card: Card) -> bytes:
        calls.append(card.headline)
        return draw_card(card)

    monkeypatch.setattr(cards, "draw_card", counted)
    drawn(sample_report(), store, queue, cards=False)
    assert calls == []
    drawn(replace(sample_report(), title="Another"), store, queue, cards=False)
    assert len(calls) == 2
    drawn(sample_report(), store, queue, cards=False, force=True)
    assert len(calls) == 4


def test_one_that_cannot_be_drawn_costs_itself_only(
    store: Store, queue: PictureQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(card: Card) -> bytes:
        if " cluster by category" in card.headline:
            raise ValueError("no room")
        return draw_card(card)

    monkeypatch.setattr(cards, "draw_card", failing)
    due = {each.path: each.card.headline for each in pages.cards(sample_report(), every=True)}
    report, files, failed = cards.draw_cards(sample_report(), plan_of(store), queue)
    assert failed.keys() == {path for path, headline in due.items() if " cluster by category" in headline}
    assert {*failed.values()} == {"ValueError: no room"}
    assert report.cards == files.keys() == due.keys() - failed.keys()
    assert files
    assert report.preview is None, "its own is among them"


def test_one_that_somebody_removes_meanwhile_ends_the_run(
    store: Store, queue: PictureQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "put_preview", lambda key, data: None)
    with pytest.raises(TokvizError, match=r"the image of cards/finding-1\.png vanished while in use; run again"):
        drawn(sample_report(), store, queue)
