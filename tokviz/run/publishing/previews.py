"""What other sites show beside links to the pages: drawn once, and kept beside the pictures that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tokviz import pages
from tokviz.draw import encode, preview
from tokviz.errors import TokvizError
from tokviz.records import Image, Report
from tokviz.run.plan.plan import Plan
from tokviz.run.publishing.site import Images
from tokviz.run.store import keys
from tokviz.run.store.disk import shown_path


def drawn(report: Report, images: Images, plan: Plan) -> tuple[Report, Mapping[str, Path]]:
    """The report with what its pages know of their previews; path from the site's root → file.

    Raises
    ------
    TokvizError : somebody removed one meanwhile.
    """
    files: dict[str, Path] = {}
    found: dict[str | None, Image] = {}
    for each in pages.previews(report):
        file = _file(each, images, plan)
        width, height = encode.size(file)
        files[each.path] = file
        found[each.slug] = Image(path=each.path, width=width, height=height, n_bytes=file.stat().st_size)
    models = tuple(replace(model, preview=found.get(model.slug)) for model in report.models)
    return replace(report, models=models, preview=found.get(None)), files


def _file(each: pages.Preview, images: Images, plan: Plan) -> Path:
    """In the store, drawn if it isn't there."""
    title, subtitle = (plan.fonts.if_drawable(text) for text in (each.title, each.subtitle))
    plates = [images[image.path] for image in each.plates]
    key = keys.preview_key(title, subtitle, [plate.key for plate in plates])
    file = plan.store.find_preview(key)
    if file is None or plan.options.force:
        plan.store.put_preview(key, preview.draw(title, subtitle, [plate.file for plate in plates]))
        file = plan.store.find_preview(key)
    if file is None:
        raise TokvizError(f"{shown_path(plan.store.root)}: the preview of {each.path} vanished while in use; run again")
    return file
