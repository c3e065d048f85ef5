"""What each layer would say: a grid of words by depths, read with a Jacobian lens, and curves of what is read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tokviz.pages.charts.axis import spread
from tokviz.pages.charts.curves import charts_over_depth, switches_of
from tokviz.pages.charts.measures import lens_measures
from tokviz.pages.frame.frame import data_path, relative
from tokviz.pages.frame.index import context_entry, data_folder, words_entry
from tokviz.pages.text import data_text
from tokviz.pages.text.catalogue import Fact, sentence
from tokviz.pages.text.data_text import packed
from tokviz.pages.text.sentences import depths_where
from tokviz.pages.text.wording import joined
from tokviz.records import ContextReport, Lens, LensMeasure, ModelReport, Report, WordList, depth_name
from tokviz.text import isolated, visible_piece

HEADING = "What each layer would say"
SCRIPT = "lens.js"
N_DEPTHS = 10
"""Columns of the grid; a word's row opens to all depths."""
MOST_ROWS = 150
"""Of longer lists some words have rows, evenly drawn."""

CHARTS_NOTES = {
    "logit": "thin, the logit lens, which reads every layer as if it were the last",
    "untrained": "gray, the model with all weights random",
}
"""By the switch that adds it: what readers see who add curves to the charts."""
MOST_CHARACTERS = 59_000
"""Of the numbers in a capture's script with all their places."""
Cell = tuple[str, str]
"""What scores highest, and classes: ``y`` for the word's own category, ``s1`` to ``s4`` for how many of a category's words are so, ``p``
where the halves of the text disagree, ``a`` for a depth that is announced."""


def has_lens(context: ContextReport) -> bool:
    """Whether anything was measured with a lens."""
    lens = context.lens
    return lens is not None and any(each is not None for each in (lens.named, lens.own, *lens.relations))


def has_tops(context: ContextReport) -> bool:
    """Whether it is known what scores highest."""
    lens = context.lens
    return lens is not None and (lens.named is not None or lens.own is not None)


def lens_section(report: Report, model: ModelReport, page: str) -> dict[str, Any] | None:
    """What the template takes; None where no lens was asked for.

    Without ``limits`` there is only a reason why there is no lens.
    """
    asked = [context.lens for context in model.contexts if context.lens]
    if not asked:
        return None
    shown = [context for context in model.captures if has_lens(context)]
    reasons = dict.fromkeys(lens.reason for lens in asked if lens.reason)
    is_measured = any(each.geometry for each in shown)
    charts = charts_over_depth(model, lens_measures(report.relations)) if is_measured else ()
    switches = switches_of(charts)
    notes = [text for name, text in CHARTS_NOTES.items() if name in switches]
    return {
        "heading": HEADING,
        "missing": _missing(reasons, asked, report.words),
        "said": [sentence([each]) for each in facts(model)],
        "limits": limits(model.contexts) if shown else "",
        "grid": _grid(report, model, page),
        "charts": charts,
        "charts_note": f"If shown: {'; '.join(notes)}." if notes else "",
        "switches": switches,
    }


def _missing(reasons: Iterable[str], asked: Sequence[Lens], words: WordList) -> str:
    """Why there is no lens, or why it doesn't read categories."""
    if reasons := tuple(reasons):
        return sentence([Fact("model.lens.none", reasons=reasons)])
    return why_categories_unread(asked[0].names, words)


def why_categories_unread(names: Sequence[str], words: WordList) -> str:
    """A sentence about the tokens that each category is read as; empty where these can be told apart."""
    labels = [category.label for category in words.categories]
    if unknown := tuple(label for label, name in zip(labels, names, strict=False) if not name):
        why = Fact("model.lens.unknown", labels=unknown)
    elif alike := tuple(label for label, name in zip(labels, names, strict=False) if names.count(name) > 1):
        why = Fact("model.lens.alike", labels=alike)
    else:
        return ""
    return sentence([Fact("model.lens.unread", why=why)])


# --- what is announced -----------------------------------------------------------------------------------------------


def facts(model: ModelReport) -> tuple[Fact, ...]:
    """At which depths more words than by chance are read as their own category: by sentence, each of several contexts."""
    stated: dict[str, list[Fact]] = {}
    for context in model.contexts:
        named = context.lens.named if context.lens else None
        if named is None:
            continue
        label, holds = context.states.context.label, named.holds
        if holds.any():
            shares = named.value[holds]
            low, high = float(shares.min()), float(shares.max())
            read = Fact("model.lens.read_at", label=label, where=depths_where(holds), shares=(low, high))
            stated.setdefault("model.lens.read", []).append(read)
        elif not context.states.tokenization.reads_position_0:  # of which ``limits`` says that nothing is announced
            kind = "model.lens.not_shown" if named.can_be_tested else "model.lens.not_tested"
            stated.setdefault(kind, []).append(Fact("model.lens.words", label=label))
    return tuple(Fact(kind, contexts=tuple(contexts)) for kind, contexts in stated.items())


def limits(contexts: Iterable[ContextReport]) -> str:
    """What the lens doesn't say, and which words are read where it wasn't fitted."""
    labels = tuple(
        dict.fromkeys(
            each.states.context.label
            for each in contexts
            if has_lens(each) and each.states.tokenization.reads_position_0
        )
    )
    stated = [Fact("model.lens.limits"), *([Fact("model.lens.not_fitted", labels=labels)] if labels else [])]
    return " ".join(sentence([each]) for each in stated)


# --- the grid --------------------------------------------------------------------------------------------------------


def _grid(report: Report, model: ModelReport, page: str) -> dict[str, Any] | None:
    """What a script changes; without it the first capture's categories."""
    captures = [context for context in model.captures if has_tops(context) and context.lens and context.lens.named]
    if not captures or not report.is_explorable:
        return None
    lens, words = captures[0].lens, report.words
    if lens is None or lens.named is None or lens.top_names is None:
        return None
    depths = shown_depths(model)
    firm, holds = lens.named.is_firm, lens.named.holds
    rows = _rows(lens, words)
    data = {
        "slug": model.slug,
        "folder": data_folder(model, page),
        **words_entry(report, page),
        "depths": depths,
        "groups": [index for index in range(len(words.categories)) if _own_rows(words, rows, index)],
        "captures": [context_entry(each) for each in captures],
    }
    return {
        "captures": captures,
        "depths": [
            (depth_name(depth), _style("" if firm[depth] else "p", "a" if holds[depth] else "")) for depth in depths
        ],
        "groups": [*_groups(lens, words, rows, depths)],
        "has_words": any(each.lens is not None and each.lens.own is not None for each in captures),
        "has_own": lens.own is not None,
        "names": joined(isolated(visible_piece(name).lstrip("Ġ▁ ")) for name in lens.names),
        "n_rows": len(rows),
        "n_read": int(lens.read.sum()),
        "script": relative(page, f"assets/{SCRIPT}"),
        "data": data_text.embedded(data),
    }


def shown_depths(model: ModelReport) -> tuple[int, ...]:
    """The ends, where stages begin, what comes before a break, and middles."""
    telling = list(dict.fromkeys(_telling(model.contexts)))[: N_DEPTHS - 2]
    return spread(telling, model.contexts[0].states.n_depths, N_DEPTHS)


def _telling(contexts: Sequence[ContextReport]) -> Iterator[int]:
    for context in contexts:
        if context.geometry is None:
            continue
        massive = context.geometry.massive
        for depth in (massive.emergence_depth, massive.end_depth):
            if depth:
                yield from (depth, depth - 1)
        yield from (stage.first_depth for stage in context.geometry.stages)


def _read_rows(lens: Lens, words: WordList) -> list[int]:
    """Those of words that are read and have a category."""
    return [row for row in np.flatnonzero(lens.read).tolist() if words.memberships[row]]


def _rows(lens: Lens, words: WordList) -> list[int]:
    """Those that are shown."""
    found = _read_rows(lens, words)
    places = np.linspace(0, len(found) - 1, min(len(found), MOST_ROWS)).round().astype(int)
    return [found[place] for place in np.unique(places)]


def _groups(
    lens: Lens, words: WordList, rows: Sequence[int], depths: Sequence[int]
) -> Iterator[tuple[str, list[Cell], list[tuple[int, str, list[Cell]]]]]:
    """Of a category its name, at each depth of how many words it is the highest, and of words their row, name and cells.

    A word of several categories stands in its first one.
    """
    if lens.top_names is None or lens.named is None:
        return
    read, tops = _read_rows(lens, words), lens.top_names[:, :, 0]
    pale = {depth: "" if lens.named.is_firm[depth] else "p" for depth in depths}

    def of_category(category: int, every: Sequence[int], depth: int) -> Cell:
        n = sum(tops[depth, row] in words.memberships[row] for row in every)
        n_others = sum(tops[depth, row] == category and category not in words.memberships[row] for row in read)
        shade = f"s{math.ceil(4 * n / len(every))}" if n else ""
        return f"{n} of {len(every)}{f' +{n_others}' if n_others else ''}", _style(shade, pale[depth])

    def of_word(row: int, depth: int) -> Cell:
        top = tops[depth, row]
        is_own = top in words.memberships[row]
        return words.categories[top].label if top >= 0 else "", _style("y" if is_own else "", pale[depth])

    for index, category in enumerate(words.categories):
        every = _own_rows(words, read, index)
        if own := _own_rows(words, rows, index):
            yield (
                category.label,
                [of_category(index, every, depth) for depth in depths],
                [(row, words.words[row], [of_word(row, depth) for depth in depths]) for row in own],
            )


def _own_rows(words: WordList, rows: Sequence[int], category: int) -> list[int]:
    return [row for row in rows if words.memberships[row][0] == category]


def _style(*classes: str) -> str:
    return " ".join(filter(None, classes))


# --- the scripts with all of it --------------------------------------------------------------------------------------


def files(report: Report) -> dict[str, str]:
    """Path from the site's root → script, of every capture with a lens, with all words and all depths.

    It calls ``tokvizData("SLUG/CONTEXT lens", content)``; in the content are

    ``n``
        how many places the script has, the highest score first: three, or one where three would take too much room;
    ``bytes``
        of a number, 1 or 2;
    ``categories``, ``words``
        what scores highest, each null where it isn't measured, else ``firm``, ``announced`` and ``tops``. ``firm`` has a character per
        depth, ``1`` where both halves of the text agree, else ``0``; so has ``announced``, ``1`` where it is announced that more words
        than by chance are read so. ``tops`` is base64 of little-endian unsigned integers, ``n`` for each depth of each word, the depths
        of a word one after another: 0 is nothing (a word that isn't read, or no further place), k + 1 the category or the word of row k.

    Of a context with several templates it has the first one.
    """
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
    every = [tops for measure, tops in found.values() if measure is not None and tops is not None]
    size = 1 if all(tops.max(initial=0) < 255 for tops in every) else 2
    n_characters = sum(tops.size for tops in every) * size * 4 / 3
    n = Lens.N_TOP if n_characters <= MOST_CHARACTERS else 1
    return {"n": n, "bytes": size, **{key: _told(*each, n, size) for key, each in found.items()}}


def _told(measure: LensMeasure | None, tops: np.ndarray | None, n: int, size: int) -> dict[str, Any] | None:
    if measure is None or tops is None:
        return None
    by_word = (tops[:, :, :n] + 1).transpose(1, 0, 2)
    return {
        "firm": "".join("01"[int(firm)] for firm in measure.is_firm),
        "announced": "".join("01"[int(holds)] for holds in measure.holds),
        "tops": packed(np.ascontiguousarray(by_word, dtype=f"u{size}")),
    }
