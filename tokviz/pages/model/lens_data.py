"""What each layer would say of each word, for the pages' scripts: ``data/SLUG/CONTEXT/lens.js``.

It calls ``tokvizData("SLUG/CONTEXT lens", content)``; in the content are

``n``
    how many places are told, the highest score first: three, or one where three would be too long;
``bytes``
    of a number, 1 or 2;
``categories``, ``words``
    what scores highest, each null where it isn't measured, else ``firm``, ``announced`` and ``tops``. ``firm`` has a character per depth,
    ``1`` where both halves of the text agree, else ``0``; so has ``announced``, ``1`` where it is announced that more words than by
    chance are read so. ``tops`` is base64 of little-endian unsigned integers, ``n`` for each depth of each word,
    the depths of a word one after another: 0 is nothing (a word that isn't read, or no further place), k + 1 the category or the
    word of row k.

Of a context with several templates the first one is told.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tokviz.pages.frame.frame import data_path
from tokviz.pages.text import data_text
from tokviz.pages.text.data_text import packed
from tokviz.records import ContextReport, Lens, LensMeasure, Report

MOST_CHARACTERS = 59_000
"""Of the numbers of one capture with all their places."""


def has_lens(context: ContextReport) -> bool:
    """Whether anything was measured with a lens."""
    lens = context.lens
    return lens is not None and any(each is not None for each in (lens.named, lens.own, *lens.relations))


def has_tops(context: ContextReport) -> bool:
    """Whether it is known what scores highest."""
    lens = context.lens
    return lens is not None and (lens.named is not None or lens.own is not None)


def files(report: Report) -> dict[str, str]:
    """Path from the site's root → script, of every capture with a lens."""
    if not report.is_explorable:
        return {}
    return {
        f"{data_path(model.slug, name)}/lens.js": data_text.script(f"{model.slug}/{name} lens", _content(context.lens))
        for model in report.models
        for context in model.captures
        if context.lens is not None and has_tops(context)
        for name in [context.states.context.name]
    }


def _content(lens: Lens) -> dict[str, Any]:
    found = {"categories": (lens.named, lens.top_names), "words": (lens.own, lens.top_words)}
    told = {key: tops for key, (measure, tops) in found.items() if measure is not None and tops is not None}
    size = 1 if all(tops.max(initial=0) < 255 for tops in told.values()) else 2
    n_characters = sum(tops.size for tops in told.values()) * size * 4 / 3
    n = Lens.N_TOP if n_characters <= MOST_CHARACTERS else 1
    return {
        "n": n,
        "bytes": size,
        **{
            key: _told(measure, told[key][:, :, :n], size) if measure is not None and key in told else None
            for key, (measure, _) in found.items()
        },
    }


def _told(measure: LensMeasure, tops: np.ndarray, size: int) -> dict[str, Any]:
    by_word = (tops + 1).transpose(1, 0, 2)
    return {
        "firm": "".join("01"[int(firm)] for firm in measure.is_firm),
        "announced": "".join("01"[int(holds)] for holds in measure.holds),
        "tops": packed(np.ascontiguousarray(by_word, dtype=f"u{size}")),
    }
