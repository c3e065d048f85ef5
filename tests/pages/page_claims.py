"""More of what the pages say, read back as in ``claims``: plates, curves, tables, and texts that depend on the report."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from claims import (
    DEPTH,
    NUMBER,
    SCORE,
    FalseClaim,
    Noted,
    close,
    depth_of,
    depths_where,
    is_dominant,
    is_massive,
    plain,
    require,
    require_range,
    says,
    steps_down,
)
from rendered import Part

from tokviz.records import (
    BestMatch,
    ContextReport,
    Geometry,
    LayerSimilarity,
    ModelReport,
    PictureMeasures,
    Projection,
    Report,
)

# --- plates ------------------------------------------------------------------------------------------------------------


def check_finding(alt: str, model: ModelReport, context: ContextReport, projection: Projection, depth: int) -> None:
    """The description of a plate."""
    text, geometry = plain(alt), context.geometry
    found = re.fullmatch(
        rf"(?P<at>{DEPTH}): PC1 holds (?P<pc1>\d+\.\d) % of the variance, PC2 (?P<pc2>\d+\.\d) %"
        r"(?:; (?P<purity>−?\d+(?:\.\d+)?) % of a word’s nearest neighbors share its category \(chance: (?P<chance>−?\d+(?:\.\d+)?) %\))?"
        r"(?P<emerge>; massive activations emerge)?(?P<down>; massive activations end)?\. (?P<rest>.+)",
        text[0].lower() + text[1:],
    )
    if found is None:
        raise FalseClaim(f"{text!r}: no description of a known form")
    require(depth_of(found["at"]) == depth, text, depth)
    for name, ratio in zip(("pc1", "pc2"), projection.explained_variance_ratio[depth], strict=True):
        require(close(found[name], 100 * ratio, 0.1), text, ratio)
    picture = _picture(geometry, projection)
    purity = picture.purity if picture and math.isfinite(picture.purity.value[depth]) else None
    require((found["purity"] is not None) == (purity is not None), text)
    if purity is not None:
        require(close(found["purity"], 100 * purity.value[depth], 1), text, purity.value[depth])
        require(found["purity"] not in ("0", "100") or purity.value[depth] in (0, 1), text, purity.value[depth])
        require(close(found["chance"], 100 * purity.null_mean[depth], 1), text, purity.null_mean[depth])
    massive = depths_where(is_massive, geometry.massive) if geometry else []
    require((found["emerge"] is not None) == (massive[:1] == [depth]), text, massive)
    require((found["down"] is not None) == bool(geometry and steps_down(geometry.massive) == depth), text, massive)
    require(found["rest"].startswith(f"{model.display_name}, words {context.states.context.label}, "), text)


def check_trust(parts: Sequence[str], context: ContextReport, projection: Projection, depth: int) -> None:
    """What stands under a plate."""
    text, geometry = plain(" · ".join(parts)), context.geometry
    scaled, as_in_plot = ("", "") if projection.name == "standardized" else ("scaled ", r" \(as scaled here\)")
    found = re.fullmatch(
        r"PC1 (?P<pc1>\d+\.\d) %, PC2 (?P<pc2>\d+\.\d) % of the variance"
        rf"(?: · category purity (?:(?P<here>{SCORE}) in the plot(?: \(chance (?P<chance>{SCORE})\))?)?(?:, )?"
        rf"(?:(?P<all>{SCORE}) in all {scaled}dimensions \(chance (?P<of_all>{SCORE})\))?)?"
        rf"(?: · trustworthiness (?P<trust>{SCORE}){as_in_plot})?",
        text,
    )
    if found is None:
        raise FalseClaim(f"{text!r}: of no known form")
    for name, ratio in zip(("pc1", "pc2"), projection.explained_variance_ratio[depth], strict=True):
        require(close(found[name], 100 * ratio, 0.1), text, ratio)
    picture = _picture(geometry, projection)
    if picture is not None and geometry is not None:
        for name, value in (
            ("here", picture.purity.value[depth]),
            ("all", geometry.purity.value[depth]),
            ("chance", picture.purity.null_mean[depth]),
            ("of_all", geometry.purity.null_mean[depth]),
            ("trust", picture.trustworthiness[depth]),
        ):
            beside = found["of_all"] if name == "chance" and found["here"] else None
            require(close(found[name] or beside or "–", value), text, value)


def _picture(geometry: Geometry | None, projection: Projection) -> PictureMeasures | None:
    pictures = geometry.pictures if geometry else ()
    return next((each for each in pictures if each.projection == projection.name), None)


def check_caption(text: str, context: ContextReport, projection: Projection, depth: int) -> None:
    """Under a picture on the compare page."""
    text, geometry = plain(text), context.geometry
    scaled = "" if projection.name == "standardized" else "scaled "
    found = re.fullmatch(
        r"PC1 (?P<pc1>\d+\.\d) %, PC2 (?P<pc2>\d+\.\d) % of the variance"
        rf"(?: · category purity (?P<here>{SCORE}) in the plot, (?P<all>{SCORE}) in all {scaled}dimensions)?",
        text,
    )
    if found is None:
        raise FalseClaim(f"{text!r}: no caption of a known form")
    for name, ratio in zip(("pc1", "pc2"), projection.explained_variance_ratio[depth], strict=True):
        require(close(found[name], 100 * ratio, 0.1), text, ratio)
    picture = _picture(geometry, projection)
    values = (picture.purity.value[depth], geometry.purity.value[depth]) if geometry and picture else (np.nan, np.nan)
    require((found["here"] is not None) == bool(np.isfinite(values).all()), text, values)
    if found["here"]:
        require(close(found["here"], values[0]) and close(found["all"], values[1]), text, values)


# --- the compare page ------------------------------------------------------------------------------------------------


OF_GEOMETRY = (
    *("Best category purity", "Mean over depths", "Best purity in the plot", "Effective rank, last layer"),
    *("Largest activation ÷ typical", "Emergence layer"),
)
"""Rows of the table."""


def check_capture(cells: Mapping[str, Noted], context: ContextReport) -> None:
    """A column of the table: text and note of each cell, by the names of the rows."""
    geometry, texts = context.geometry, [(plain(cells[name][0]), plain(cells[name][1])) for name in OF_GEOMETRY]
    if geometry is None:
        require(all(cell == ("–", "not measured") for cell in texts), str(texts))
        return
    best, mean, flat, rank, ratio, emergence = texts
    purity = geometry.purity
    _check_best(best, purity.value, (purity.low, purity.high))
    _check_best(flat, geometry.pictures[0].purity.value if geometry.pictures else np.array([np.nan]), None)
    if np.isfinite(purity.value).any():
        require(close(mean[0], float(np.nanmean(purity.value))), str(mean), purity.value)
        require(
            close(mean[1].removeprefix("chance "), float(np.nanmean(purity.null_mean))), str(mean), purity.null_mean
        )
    else:
        require(mean == UNDEFINED, str(mean), purity.value)
    last = geometry.spread.effective_rank[-1]
    require(says(rank[0], last) if math.isfinite(last) else rank == UNDEFINED, str(rank), last)
    _check_ratio(ratio, geometry)
    _check_emergence(emergence, geometry)


UNDEFINED = ("–", "not defined")


def _check_best(cell: tuple[str, str], values: np.ndarray, interval: tuple[np.ndarray, np.ndarray] | None) -> None:
    if not np.isfinite(values).any():
        require(cell == UNDEFINED, str(cell), values)
        return
    found = re.fullmatch(rf"(?:({SCORE})(?:(?:–| to )({SCORE}))?, )?({DEPTH})", cell[1])
    if found is None:
        raise FalseClaim(f"{cell}: no note of a known form")
    depth = depth_of(found[3])
    require(values[depth] == np.nanmax(values) and close(cell[0], values[depth]), str(cell), values)
    if interval is not None and found[1] is not None:
        require_range(str(cell), (found[1], found[2]), np.array([end[depth] for end in interval]), 0.01)
    require((found[1] is not None) == (interval is not None and math.isfinite(interval[0][depth])), str(cell), interval)


def _check_ratio(cell: tuple[str, str], geometry: Geometry) -> None:
    massive = geometry.massive
    if not (massive.typical > 0).any():
        require(cell == UNDEFINED, str(cell), massive.typical)
        return
    found = re.fullmatch(rf"\|x\| ({NUMBER}), ({DEPTH})(, relative to the words’ own median)?", cell[1])
    if found is None:
        raise FalseClaim(f"{cell}: no note of a known form")
    depth = depth_of(found[2])
    ratios = [big / median for big, median in zip(massive.largest, massive.typical, strict=True) if median > 0]
    ratio = massive.largest[depth] / massive.typical[depth]
    require(ratio == max(ratios) and says(cell[0].removesuffix(" ×"), ratio), str(cell), ratios)
    require(says(found[1], massive.largest[depth]), str(cell), massive.largest)
    require((found[3] is None) == massive.typical_is_ordinary, str(cell))


def _check_emergence(cell: tuple[str, str], geometry: Geometry) -> None:
    each, said = geometry.massive, f"{cell[0]}: {cell[1]}"
    massive, dominant = depths_where(is_massive, each), depths_where(is_dominant, each)
    found = re.fullmatch(
        rf"(?:(?P<none>none|not known): |(?P<first>{DEPTH}): (?:only there|to (?P<last>{DEPTH}))(?:; )?)"
        r"(?:a dominant dimension at (?P<some>\d+) of (?P<all>\d+) depths?(?:, (?P<low>\d+(?:\.\d+)?)(?:–(?P<high>\d+(?:\.\d+)?))? % of Σ x²)?)?",
        said,
    )
    if found is None:
        raise FalseClaim(f"{said}: of no known form")
    require((found["none"] is not None) == (not massive), said, massive)
    require(not found["none"] or (found["none"] == "none") == each.typical_is_ordinary, said)
    if found["first"]:
        first = depth_of(found["first"])
        last = depth_of(found["last"]) if found["last"] else first
        run = list(range(first, last + 1))
        require(massive[: len(run)] == run and last + 1 not in massive and (last > first) == bool(found["last"]), said)
    require((found["some"] is not None) == bool(dominant), said, dominant)
    if found["some"]:
        require((int(found["some"]), int(found["all"])) == (len(dominant), len(each.largest)), said, dominant)
    if found["low"]:
        # Not all but what is all.
        require("100" not in (found["low"], found["high"]) or each.top_share[dominant].max() >= 1, said, each.top_share)
        require_range(said, (found["low"], found["high"]), 100 * each.top_share[dominant], 1)


def check_caveats(caveats: Sequence[str], context: ContextReport) -> None:
    tokenization, geometry = context.states.tokenization, context.geometry
    said = {plain(caveat) for caveat in caveats}
    at_start = "words are read at position 0, where many models build an attention sink" in said
    require(at_start == bool((tokenization.positions[tokenization.reference] == 0).any()), str(said))
    itself = "no context with typical tokens to compare large values with" in said
    require(itself == bool(geometry and not geometry.massive.typical_is_ordinary), str(said))
    outside = len(tokenization.words) - int(tokenization.reference.sum())
    require(
        any(re.fullmatch(rf"{outside} words? outside the reference words", each) for each in said) or not outside,
        str(said),
    )


ESTIMATE = rf"({SCORE})(?: \(({SCORE})(?:(?:–| to )({SCORE}))?\))?"
"""A number, and its interval if there is one."""


def check_estimate(text: str, estimate: BestMatch) -> None:
    found = re.fullmatch(ESTIMATE, text)
    if found is None:
        raise FalseClaim(f"{text!r}: of no known form")
    require(close(found[1], estimate.value), text, estimate)
    require((found[2] is None) == math.isnan(estimate.low), text, estimate)
    if found[2]:
        require_range(text, (found[2], found[3]), np.array([estimate.low, estimate.high]), 0.01)


def check_likeness(text: str, similarity: LayerSimilarity) -> None:
    """``Mean best match: CKA 0.62 (0.58–0.66), with words permuted …; mutual neighbors … They are alike beyond categories by CKA.``"""
    found = re.fullmatch(
        r"Mean best match: CKA (?P<cka>.+); mutual neighbors (?P<neighbours>.+?)\."
        r"(?: They are alike beyond categories by (?P<by>.+)\.| They are (?P<none>not shown to be) alike beyond categories\."
        r"| Whether they are alike beyond categories (?P<untested>isn’t tested)"
        r"(?:, as (?:only (?P<few>\d+) reference words? (?:is|are)|no reference word is) one token in both models)?\.)",
        plain(text),
    )
    if found is None:
        raise FalseClaim(f"{text!r}: of no known form")
    claim, by = similarity.beyond_categories, (found["by"] or "").split(" and ") if found["by"] else []
    known = (("cka", "CKA", similarity.cka_summary), ("neighbours", "mutual neighbors", similarity.neighbours_summary))
    for (group, name, best), holds in zip(known, claim.holds, strict=True):
        _check_permuted(found[group], best)
        require((name in by) == bool(holds), text, claim.holds)
    asked = bool(np.isfinite(claim.score).any())
    require(bool(found["none"]) == (asked and not claim.holds.any()), text, claim.score)
    require(bool(found["untested"]) == (not asked), text, claim.score)
    require(not found["few"] or int(found["few"]) < similarity.least_words, text, similarity.n_words)


def _check_permuted(text: str, best: BestMatch) -> None:
    """``0.62 (0.58–0.66), with words permuted within categories 0.47, with all words permuted 0.01``."""
    number, *permuted = re.split(r", with (?:words permuted within categories|all words permuted) ", text)
    check_estimate(number, best)
    require(len(permuted) == 2, text, "no permuted words")
    for said, value in zip(permuted, (best.within_categories, best.chance), strict=True):
        require(close(said, value), text, value)


def summary_of(heatmap: Part) -> str:
    """What stands under its title."""
    return heatmap.one("figcaption").text.removeprefix(heatmap.one("figcaption strong").text).strip()


def check_heatmap_summary(text: str, estimate: BestMatch) -> None:
    """``0.31 (0.25–0.37); within categories 0.29; chance 0.11``."""
    told, _, by_chance = plain(text).partition("; chance ")
    number, _, within = told.partition("; within categories ")
    check_estimate(number, estimate)
    require(close(within, estimate.within_categories), text, estimate)
    require(close(by_chance, estimate.chance), text, estimate)


def check_best_match(alt: str, matrix: np.ndarray, names: tuple[str, str]) -> None:
    """Of a heatmap; ``matrix`` has a row per depth of the first model and a column per depth of the second."""
    text = plain(alt)
    if not np.isfinite(matrix).any():
        require(text.endswith(": not defined"), text)
        return
    found = re.search(rf": ({DEPTH}) of (.+?) and ({DEPTH}) of (.+?) are most alike, ({SCORE})$", text)
    require(found, text, "of no known form")
    if found:
        depths = {found[2]: depth_of(found[1]), found[4]: depth_of(found[3])}
        value = matrix[depths[names[0]], depths[names[1]]]
        require(value == np.nanmax(matrix) and close(found[5], value), text, value)


# --- texts that depend on the report ---------------------------------------------------------------------------------


def captured(report: Report) -> Iterator[tuple[ModelReport, ContextReport]]:
    return ((model, context) for model in report.models for context in model.contexts)


def check_position_0(text: str, report: Report) -> None:
    """Which words stand at position 0, on the first page."""
    text = plain(text)
    at_start = {
        (m.display_name, c.states.context.label) for m, c in captured(report) if c.states.tokenization.reads_position_0
    }
    if not at_start:
        require(text.endswith("In this report no context’s reference words are read there."), text, at_start)
        return
    found = re.search(r"In this report, the reference words are read at position 0 (.+)\. Their plots", text)
    if found is None:
        raise FalseClaim(f"{text!r}: {at_start}")
    said: set[tuple[str, str]] = set()
    for part in found[1].split("; "):
        label = next(each.label for each in report.contexts if part.startswith(f"in the context “{each.label}” of "))
        names = part.removeprefix(f"in the context “{label}” of ").split(", ")
        said |= {(name, label) for name in names}
    require(said == at_start, text, at_start)


def check_panel_notes(notes: Sequence[str], context: ContextReport) -> None:
    tokenization = context.states.tokenization
    said = any(note.startswith("The reference words are read at position 0, an attention sink") for note in notes)
    require(said == bool((tokenization.positions[tokenization.reference] == 0).all()), str(notes))


def check_measured_on(text: str, report: Report) -> None:
    found = re.match(
        r"All metrics are computed on the reference words of a context: (?:([\d,]+) to )?([\d,]+) words?\.", plain(text)
    )
    sizes = [context.geometry.n_measured for _, context in captured(report) if context.geometry]
    require(found and {int(each) for each in found.groups() if each} == {min(sizes), max(sizes)}, text, sizes)
