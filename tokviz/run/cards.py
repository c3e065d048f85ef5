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


def draw_cards(report: Report, plan: Plan, queue: PictureQueue) -> tuple[Report, Mapping[str, Path]]:
    """The report with what its pages know of their cards; path from the site's root → file.

    Raises
    ------
    TokvizError : somebody removed one meanwhile.
    """
    due, store = list(pages.cards(report, every=plan.options.cards)), plan.store
    drawn = [plan.fonts.with_fonts_for_card(each.card) for each in due]
    by_key = {keys.card_key(card): card for card in drawn}  # a model's finding may be the report's, too
    waiting = [
        queue.submit_other(partial(draw_card, card), partial(store.put_preview, key))
        for key, card in by_key.items()
        if plan.options.force or store.find_preview(key) is None
    ]
    for work in waiting:
        work.wait()
    files: dict[str, Path] = {}
    first: dict[str, CardImage] = {}
    for each, card in zip(due, drawn, strict=True):
        file = store.find_preview(keys.card_key(card))
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
    return replace(report, models=models, preview=first.get(FIRST_PAGE), cards=frozenset(files)), files
