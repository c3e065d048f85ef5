"""Findings as images of their own, drawn as far as they aren't in the cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from tokviz import pages
from tokviz.draw import draw_card, encode
from tokviz.errors import TokvizError
from tokviz.pages.frame.frame import FIRST_PAGE, model_path
from tokviz.records import CardImage, Report
from tokviz.run.plan.report import Plan
from tokviz.run.store import keys
from tokviz.run.store.disk import shown_path
from tokviz.run.work.picture_queue import PictureQueue
from tokviz.text import error_line


def draw_cards(report: Report, plan: Plan, queue: PictureQueue) -> tuple[Report, Mapping[str, Path], Mapping[str, str]]:
    """The report with what its pages know of their cards; path from the site's root → file; and of each that can't be drawn, why.

    Raises
    ------
    TokvizError : somebody removed one meanwhile.
    """
    due, store = list(pages.cards(report, every=plan.options.cards)), plan.store
    drawn = [plan.fonts.with_fonts_for_card(each.card) for each in due]
    by_key = {keys.card_key(card): card for card in drawn}  # a model's finding may be the report's, too
    waiting = {
        key: queue.submit_other(partial(draw_card, card), partial(store.put_preview, key))
        for key, card in by_key.items()
        if plan.options.force or store.find_preview(key) is None
    }
    failed: dict[str, str] = {}
    for key, work in waiting.items():
        try:
            work.wait()
        except TokvizError:  # of the processes, and so of all
            raise
        except Exception as error:  # noqa: BLE001 - as with plots, it costs that one only
            failed[key] = error_line(error)
    files: dict[str, Path] = {}
    not_drawn: dict[str, str] = {}
    first: dict[str, CardImage] = {}
    for each, card in zip(due, drawn, strict=True):
        key = keys.card_key(card)
        if key in failed:
            not_drawn[each.path] = failed[key]
            continue
        file = store.find_preview(key)
        if file is None:
            raise TokvizError(f"{shown_path(store.root)}: the image of {each.path} vanished while in use; run again")
        files[each.path] = file
        if each.is_first:
            width, height = encode.size(file)
            n_bytes = file.stat().st_size
            first[each.page] = CardImage(path=each.path, width=width, height=height, n_bytes=n_bytes, said=each.said)
    if not report.site_url:
        first = {}
    models = tuple(replace(model, preview=first.get(model_path(model.slug))) for model in report.models)
    return replace(report, models=models, preview=first.get(FIRST_PAGE), cards=frozenset(files)), files, not_drawn
