"""What the pages say, read back: each sentence is parsed, and what it claims is worked out again from the record's arrays.

Nothing here comes from the code that writes the sentences. A sentence of no known form is a false claim, too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tokviz.records import ContextReport, Geometry, MassiveActivations, ModelReport, Projection, Stage

NUMBER = r"[\d,]+(?:\.\d+)?(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"
SCORE = r"−?\d+\.\d\d"
DEPTH = r"(?:the )?embedding|layer \d+"
SPAN = r"embedding (?:to|and) layer \d+|layers \d+–\d+|embedding|layer \d+"
WHOSE = r"a typical token’s|the words’ own"
PEAK = (
    rf"largest \|x\| (?P<largest>{NUMBER})(?: at (?P<at>{DEPTH}))?"
    rf"(?:, (?P<ratio>{NUMBER}) × (?P<whose>{WHOSE}) median of (?P<median>{NUMBER})|, where (?P<zero>{WHOSE}) median is 0)"
)
NAMED = (
    r"(?:dimensions? (?P<named>[\d, and]+?)|(?P<counted>\d+) dimensions|dimensions that differ "
    r"(?P<differ>from word to word|between depths or words)) (?:is|are)"
)
SOME = r"(?: at (?P<some>\d+) of (?P<all>\d+) depths)?"
SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


class FalseClaim(AssertionError):
    """What a page says, and what the numbers are."""


def require(condition: object, claim: str, numbers: object = "") -> None:
    if not condition:
        raise FalseClaim(f"{claim!r}: {numbers}")


def plain(text: str) -> str:
    """With spaces that break."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


# --- numbers and depths ----------------------------------------------------------------------------------------------


def says(text: str, value: float) -> bool:
    """Whether a size is written as it must be everywhere: whole from a hundred on, else with three digits."""
    digits, _, power = text.replace(",", "").replace("−", "-").partition(" × 10")
    exponent = int(power.translate(SUPERSCRIPTS)) if power else 0
    decimals = len(digits.partition(".")[2])
    if not math.isfinite(value) or abs(float(digits) * 10.0**exponent - value) > 0.500001 * 10.0 ** (
        exponent - decimals
    ):
        return False
    if value == 0 or bool(power) != (not 1e-4 <= abs(value) < 1e9):
        return text == "0"
    if abs(value) >= 100 and not power:
        return decimals == 0
    return len(digits.lstrip("-0.").replace(".", "")) == 3


def close(text: str, value: float, unit: float = 0.01) -> bool:
    """Whether a number with a fixed number of decimals is the value, rounded to ``unit``."""
    if text == "–":
        return not math.isfinite(value)
    return math.isfinite(value) and abs(float(text.replace("−", "-")) - value) <= unit * 0.500001


def require_range(claim: str, texts: tuple[str, str | None], values: np.ndarray, unit: float) -> None:
    low, high = texts
    known = values[np.isfinite(values)]
    require(len(known), claim, values)
    require(close(low, known.min(), unit) and close(high or low, known.max(), unit), claim, known)


def depth_of(name: str) -> int:
    return 0 if name.endswith("embedding") else int(name.removeprefix("layer ")) + 1


def span_of(name: str) -> range:
    if found := re.fullmatch(r"layers (\d+)–(\d+)", name):
        return range(int(found[1]) + 1, int(found[2]) + 2)
    if found := re.fullmatch(r"embedding (?:to|and) (layer \d+)", name):
        return range(depth_of(found[1]) + 1)
    return range(depth_of(name), depth_of(name) + 1)


def depths_named(text: str, n_depths: int) -> list[int] | int:
    """The depths that a text names, or how many."""
    if text == "every depth":
        return list(range(n_depths))
    if counted := re.fullmatch(r"(\d+) of (\d+) depths?", text):
        require(int(counted[2]) == n_depths, text, n_depths)
        return int(counted[1])
    return [depth for part in re.split(r", | and ", text) for depth in span_of(part.removeprefix("the "))]


def require_depths(text: str, flags: np.ndarray) -> None:
    """Raise ``FalseClaim`` where a text names other depths than those of ``(n_depths,)`` flags."""
    named = depths_named(text, len(flags))
    require(named == (int(flags.sum()) if isinstance(named, int) else np.flatnonzero(flags).tolist()), text, named)


# --- what is massive, large, dominant: by the thresholds, not by the record's flags ---------------------------------


def is_massive(each: MassiveActivations, depth: int) -> bool:
    return bool(each.largest[depth] > max(each.large, each.massive_ratio * each.typical[depth]))


def is_moderate(each: MassiveActivations, depth: int) -> bool:
    beyond = each.largest[depth] > max(each.large, each.moderate_ratio * each.typical[depth])
    return bool(beyond) and not is_massive(each, depth)


def is_dominant(each: MassiveActivations, depth: int) -> bool:
    return bool(each.top_share[depth] > each.dominant_share)


def depths_where(
    test: Callable[[MassiveActivations, int], bool], each: MassiveActivations, depths: Sequence[int] | None = None
) -> list[int]:
    return [depth for depth in (range(len(each.largest)) if depths is None else depths) if test(each, depth)]


def require_peak(claim: str, found: re.Match[str], each: MassiveActivations, among: Sequence[int], shown: int) -> None:
    """The largest of some depths, with its ratio and the median that it was taken against.

    ``shown`` : how many depths are spoken of; with several the sentence must say where.
    """
    depth = depth_of(found["at"]) if found["at"] else among[0]
    require(found["at"] or shown == 1, claim, "which depth?")
    require(depth in among and each.largest[depth] == max(each.largest[one] for one in among), claim, each.largest)
    require(says(found["largest"], each.largest[depth]), claim, each.largest[depth])
    whose = "a typical token’s" if each.typical_is_ordinary else "the words’ own"
    require((found["whose"] or found["zero"]) == whose, claim, "whose median?")
    median = each.typical[depth]
    if found["zero"]:
        require(median == 0, claim, median)
    else:
        require(says(found["median"], median) and says(found["ratio"], each.largest[depth] / median), claim, median)


def require_dimensions(claim: str, found: re.Match[str], sets: list[set[int]], *, others: bool) -> None:
    everywhere = set.intersection(*sets)
    same = all(each == sets[0] for each in sets)
    if found["differ"]:
        require(not everywhere and same == (found["differ"] == "from word to word") and not others, claim, sets)
    else:
        named = {int(each) for each in re.findall(r"\d+", found["named"] or "")}
        require(named == everywhere if found["named"] else int(found["counted"]) == len(everywhere), claim, sets)
        require(others == (not same), claim, sets)


def require_some(claim: str, found: re.Match[str], flagged: Sequence[int], depths: Sequence[int]) -> None:
    said = (int(found["some"]), int(found["all"])) if found["some"] else (len(depths), len(depths))
    require(said == (len(flagged), len(depths)), claim, flagged)


# --- a stage's sentence ----------------------------------------------------------------------------------------------


class Spoken(NamedTuple):
    """What a stage's sentence speaks of."""

    geometry: Geometry
    stage: Stage
    projection: Projection | None
    at_position_0: bool

    @property
    def depths(self) -> range:
        return range(self.stage.first_depth, self.stage.last_depth + 1)


def check_stage(sentence: str, spoken: Spoken) -> None:
    """Each part is of a known form and true, and nothing that must be said is missing."""
    text = plain(sentence)
    require(text.endswith(".") and (text[0].isupper() or text[0].isdigit()), text)
    parts = (text[0].lower() + text[1:-1]).split("; ")
    said = [_check_part(part, spoken) for part in parts]
    require(said == _must_be_said(spoken), text, f"said {said}, expected {_must_be_said(spoken)}")


def _must_be_said(spoken: Spoken) -> list[str]:
    geometry, depths = spoken.geometry, spoken.depths
    found = [
        kind
        for kind, test in (("massive", is_massive), ("moderate", is_moderate), ("dominant", is_dominant))
        if depths_where(test, geometry.massive, depths)
    ]
    if found[:2] == ["massive", "moderate"]:
        found.remove("moderate")
    found = found or ["none"]
    if not spoken.at_position_0 and depths_where(is_massive, geometry.position0, depths):
        found.append("position 0")
    if spoken.projection is not None and np.isfinite(spoken.projection.explained_variance_ratio[depths, 0]).any():
        found.append("PC1")
    purity = (geometry.pictures[0] if geometry.pictures else geometry).purity.value[depths]
    found += ["purity"] if np.isfinite(purity).any() else []
    return found + (["CKA"] if np.isfinite([spoken.stage.cka_within, spoken.stage.cka_before]).any() else [])


def _check_part(part: str, spoken: Spoken) -> str:
    for kind, (pattern, check) in STAGE_PARTS.items():
        if found := re.fullmatch(pattern, part):
            return check(part, found, spoken) or kind
    raise FalseClaim(f"{part!r}: no claim of a known form")


def _check_outstanding(part: str, found: re.Match[str], spoken: Spoken) -> str:
    before = found["before"] is not None
    each = spoken.geometry.position0 if before else spoken.geometry.massive
    require(not (before and spoken.at_position_0), part, "the words stand there themselves")
    flagged = depths_where(is_massive if found["kind"] == "massive" else is_moderate, each, spoken.depths)
    require(flagged, part, each.largest)
    if found["kind"] != "massive":
        require(not depths_where(is_massive, each, spoken.depths), part, "massive at some depth")
    require_some(part, found, flagged, spoken.depths)
    sets = [set(each.dimensions[depth]) for depth in flagged]
    require_dimensions(part, found, sets, others=found["others"] is not None)
    require_peak(part, found, each, flagged, len(spoken.depths))
    return "position 0" if before else "massive" if found["kind"] == "massive" else "moderate"


def _check_dominant(part: str, found: re.Match[str], spoken: Spoken) -> None:
    each = spoken.geometry.massive
    flagged = depths_where(is_dominant, each, spoken.depths)
    require(flagged, part, each.top_share)
    require_some(part, found, flagged, spoken.depths)
    which = {each.dominant[depth] for depth in flagged}
    require(which == {int(found["one"])} if found["one"] else len(which) > 1, part, which)
    require_range(part, (found["low"], found["high"]), 100 * each.top_share[flagged], 1)
    others = [*depths_where(is_massive, each, spoken.depths), *depths_where(is_moderate, each, spoken.depths)]
    require((found["largest"] is None) == bool(others), part, "massive?")
    if found["largest"]:
        require_peak(part, found, each, flagged, len(spoken.depths))


def _check_none(part: str, found: re.Match[str], spoken: Spoken) -> None:
    each = spoken.geometry.massive
    for test in (is_massive, is_moderate, is_dominant):
        require(not depths_where(test, each, spoken.depths), part, test.__name__)
    require_peak(part, found, each, spoken.depths, len(spoken.depths))


def _check_pc1(part: str, found: re.Match[str], spoken: Spoken) -> None:
    labels = {"unit_norm": "unit norm", "without_massive": "without massive or dominant dimensions"}
    projection = spoken.projection
    require(projection is not None, part)
    if projection is not None:
        require(found["name"] == labels.get(projection.name, projection.name), part, projection.name)
        shares = 100 * projection.explained_variance_ratio[spoken.depths, 0]
        require_range(part, (found["low"], found["high"]), shares, 0.1)


def _check_purity(part: str, found: re.Match[str], spoken: Spoken) -> None:
    geometry = spoken.geometry
    require((found["where"] == "the plot") == bool(geometry.pictures), part)
    require(int(found["k"]) == geometry.n_neighbours, part, geometry.n_neighbours)
    purity = (geometry.pictures[0] if geometry.pictures else geometry).purity
    require_range(part, (found["low"], found["high"]), purity.value[spoken.depths], 0.01)
    require_range(part, (found["chance"], found["chance_high"]), purity.null_mean[spoken.depths], 0.01)


def _check_cka(part: str, found: re.Match[str], spoken: Spoken) -> None:
    stage = spoken.stage
    for name, value in (("within", stage.cka_within), ("before", stage.cka_before)):
        require((found[name] is None) == math.isnan(value), part, value)
        require(found[name] is None or close(found[name], value), part, value)


STAGE_PARTS: dict[str, tuple[str, Callable[[str, re.Match[str], Spoken], str | None]]] = {
    "outstanding": (
        (
            rf"(?P<before>at position 0 )?{NAMED} (?P<kind>massive|moderately large){SOME}"
            rf"(?P<others>, others at some of these)? \({PEAK}\)"
        ),
        _check_outstanding,
    ),
    "dominant": (
        (
            rf"(?:dimension (?P<one>\d+)|one dimension, not always the same,) is dominant{SOME}, with "
            rf"(?P<low>\d+)(?:–(?P<high>\d+))? % of Σ x²(?: \(not massive: {PEAK}\))?"
        ),
        _check_dominant,
    ),
    "none": (rf"no dimension is massive \({PEAK}\)", _check_none),
    "PC1": (
        r"PC1 holds (?P<low>\d+\.\d)(?:–(?P<high>\d+\.\d))? % of the variance \((?P<name>[a-z ]+)\)",
        _check_pc1,
    ),
    "purity": (
        (
            rf"(?P<k>\d+)-neighbor purity in (?P<where>the plot|all dimensions) (?P<low>{SCORE})(?:(?:–| to )(?P<high>{SCORE}))? "
            rf"\(chance (?P<chance>{SCORE})(?:(?:–| to )(?P<chance_high>{SCORE}))?\)"
        ),
        _check_purity,
    ),
    "CKA": (
        rf"mean CKA (?:(?P<within>{SCORE}) within the stage)?(?:, )?(?:(?P<before>{SCORE}) with the previous stage)?",
        _check_cka,
    ),
}


# --- badges ----------------------------------------------------------------------------------------------------------


def check_badge(text: str, detail: str, context: ContextReport) -> int:
    """What happens where, and its numbers; the depth where it begins."""
    text, detail = plain(text), plain(detail)
    geometry = context.geometry
    found = re.fullmatch(rf"({SPAN}): (.+)", text[0].lower() + text[1:])
    require(found and geometry, text, "no badge of a known form")
    if found is None or geometry is None:
        raise FalseClaim(text)
    span, what = span_of(found[1]), found[2]
    before = what.endswith("at position 0, not in the words")
    each = geometry.position0 if before else geometry.massive
    check_event(text, what, span, context)
    _check_detail(detail, each, span, dominant="dominant" in what)
    return span[0]


def check_event(text: str, what: str, span: range, context: ContextReport) -> None:
    geometry = context.geometry
    if geometry is None:
        raise FalseClaim(text)
    words, first = geometry.massive, span[0]
    massive = depths_where(is_massive, words)
    if what == "massive activations emerge":
        require(massive[:1] == [first] and len(span) == 1, text, massive)
    elif what == "massive activations emerge at position 0, not in the words":
        there = depths_where(is_massive, geometry.position0)
        require(not massive and there[:1] == [first] and len(span) == 1, text, there)
        require(not context.states.tokenization.reads_position_0, text)
    elif what == "massive activations end":
        _require_first_end(text, first, massive)
        require(words.largest[first] < words.largest[first - 1], text, words.largest)
        mark = max(words.large, words.massive_ratio * words.typical[first - 1])
        require(words.largest[first] <= mark, text, f"only the median rose: {words.typical}")
    elif found := re.fullmatch(r"no longer massive, because (typical tokens’|the words’ own) median has risen", what):
        _require_first_end(text, first, massive)
        require(words.typical[first] > words.typical[first - 1], text, words.typical)
        require(words.largest[first] <= words.largest[first - 1], text, words.largest)
        require((found[1] == "typical tokens’") == words.typical_is_ordinary, text)
    elif found := re.fullmatch(
        r"no longer massive by the ratio, though the largest \|x\| is larger: (typical tokens’|the words’ own) median has grown more",
        what,
    ):
        _require_first_end(text, first, massive)
        require(words.largest[first] > words.largest[first - 1], text, words.largest)
        (before, now), (of_typical, typical) = (each[first - 1 : first + 1] for each in (words.largest, words.typical))
        require(now * of_typical < before * typical, text, words.ratio)
        require((found[1] == "typical tokens’") == words.typical_is_ordinary, text)
    elif what == "moderately large activations":
        require(all(is_moderate(words, depth) for depth in span), text, words.largest)
        around = [depth for depth in (first - 1, span[-1] + 1) if 0 <= depth < len(words.largest)]
        require(not any(is_moderate(words, depth) for depth in around), text, words.largest)
    elif found := re.fullmatch(r"dimension (\d+) is dominant, not massive", what):
        for depth in span:
            require(is_dominant(words, depth) and words.dominant[depth] == int(found[1]), text, words.top_share)
            require(not is_massive(words, depth) and not is_moderate(words, depth), text, words.largest)
    else:
        raise FalseClaim(f"{text!r}: no event of a known form")


def _require_first_end(text: str, depth: int, massive: list[int]) -> None:
    require(depth - 1 in massive and depth not in massive, text, massive)
    require(massive[: massive.index(depth - 1) + 1] == list(range(massive[0], depth)), text, massive)


def _check_detail(detail: str, each: MassiveActivations, span: range, *, dominant: bool) -> None:
    pattern = (
        rf"(?:(?P<low>\d+)(?:–(?P<high>\d+))? % of Σ x², )?{PEAK}"
        r"(?:, dimensions? (?P<listed>[\d, ]+)(?: and (?P<more>\d+) more)?)?"
    )
    found = re.fullmatch(pattern, detail)
    if found is None:
        raise FalseClaim(f"{detail!r}: no detail of a known form")
    require_peak(detail, found, each, span, len(span))
    require((found["low"] is not None) == dominant, detail)
    if found["low"]:
        require_range(detail, (found["low"], found["high"]), 100 * each.top_share[list(span)], 1)
    depth = depth_of(found["at"]) if found["at"] else span[0]
    listed = [int(number) for number in re.findall(r"\d+", found["listed"] or "")]
    everything = list(each.dimensions[depth])
    require(listed == everything[: len(listed)], detail, everything)
    require(len(listed) + int(found["more"] or 0) == len(everything), detail, everything)


# --- why contexts differ ---------------------------------------------------------------------------------------------


def check_difference(paragraphs: Sequence[str], model: ModelReport) -> None:
    text = plain(" ".join(paragraphs))
    found = re.fullmatch(DIFFERENCE, text)
    if found is None:
        raise FalseClaim(f"{text!r}: no paragraph of a known form")
    by_label = {context.states.context.label: context for context in model.contexts}
    one, other = by_label[found["one"]], by_label[found["other"]]
    require(one.states.tokenization.reads_position_0, text, "not at position 0")
    require(not other.states.tokenization.reads_position_0, text, "at position 0")
    geometry, others = one.geometry, other.geometry
    if geometry is None or others is None:
        raise FalseClaim(text)
    depth = _check_growth(text, found, geometry, others)
    if found["place"]:
        first = depths_where(is_massive, others.position0)
        require(first[:1] == [depth_of(found["place"])], text, first)
        shared = set(geometry.massive.dimensions[depth]) & set(others.position0.dimensions[first[0]])
        listed = {int(each) for each in re.findall(r"\d+", found["shared"])}
        require(listed <= shared and len(listed) + int(found["more"] or 0) == len(shared), text, shared)
    require(not found["so"] or (found["place"] and depth_of(found["place"]) == depth), text, "another depth")
    _check_purities(text, found, geometry, others, depth)


DIFFERENCE = (
    rf"In the context “(?P<one>.+?)”, the reference words are read at the first token of their text, position 0\. "
    rf"(?:From (?P<first>{DEPTH}) to (?P<last>{DEPTH})|At (?P<only>{DEPTH})) the largest \|x\| of such a token is more than "
    rf"(?P<times>{NUMBER}) times (?P<whose>{WHOSE}) median: (?P<size>{NUMBER}) at (?P<at>{DEPTH})"
    rf"(?:, compared with (?P<before>{NUMBER}) at the previous depth)?\. In the context “(?P<other>.+?)”, they are read later, and "
    rf"their largest \|x\| is at most (?P<most>{NUMBER}), at (?P<most_at>{DEPTH})\."
    rf"(?: Instead, the token at position 0 of their texts becomes massive, at (?P<place>{DEPTH}) and in the same "
    r"dimensions? (?P<shared>[\d, ]+)(?: and (?P<more>\d+) more)?\.)? All these values are medians over words\."
    r"(?P<so> So the break is tied to the position in the text, not to the words\.)?"
    rf"(?: Nearest neighbors of the same category at (?P<purity_at>{DEPTH}), (?P<where>in all dimensions|in the plot): "
    r"(?P<a>\d+|−\d+) % for words (?P<p_one>.+?), (?P<b>\d+|−\d+) % for words (?P<p_other>.+?)"
    r"(?P<rest>; in the plot: (?P<c>\d+|−\d+) % and (?P<d>\d+|−\d+) %)?\.)?"
)


def _check_growth(text: str, found: re.Match[str], geometry: Geometry, others: Geometry) -> int:
    """The depth at which massive activations emerge."""
    words, there = geometry.massive, depths_where(is_massive, geometry.massive)
    first = depth_of(found["first"] or found["only"])
    last = depth_of(found["last"]) if found["last"] else first
    require(there[: last - first + 1] == list(range(first, last + 1)) and last + 1 not in there, text, there)
    require(found["last"] is None or last > first, text)
    require(says(found["times"], words.massive_ratio), text)
    require((found["whose"] == "a typical token’s") == words.typical_is_ordinary, text)
    require(depth_of(found["at"]) == first and says(found["size"], words.largest[first]), text, words.largest)
    require((found["before"] is None) == (first == 0), text)
    require(first == 0 or says(found["before"], words.largest[first - 1]), text, words.largest)
    require(not depths_where(is_massive, others.massive), text, "the others are massive, too")
    most = others.massive.largest
    require(says(found["most"], most.max()) and most[depth_of(found["most_at"])] == most.max(), text, most)
    return first


def _check_purities(text: str, found: re.Match[str], geometry: Geometry, others: Geometry, depth: int) -> None:
    def values(where: str) -> tuple[float, float] | None:
        each = [
            measured.purity if where == "in all dimensions" else measured.pictures[0].purity
            for measured in (geometry, others)
            if where == "in all dimensions" or measured.pictures
        ]
        pair = [float(measure.value[depth]) for measure in each]
        return (pair[0], pair[1]) if len(pair) == 2 and np.isfinite(pair).all() else None

    wanted = [where for where in ("in all dimensions", "in the plot") if values(where)]
    said = [found["where"], *(["in the plot"] if found["rest"] else [])] if found["where"] else []
    require(said == wanted, text, wanted)
    if not said:
        return
    require(depth_of(found["purity_at"]) == depth, text)
    require((found["p_one"], found["p_other"]) == (found["one"], found["other"]), text)
    for where, texts in zip(said, ((found["a"], found["b"]), (found["c"], found["d"])), strict=False):
        for written, value in zip(texts, values(where) or (), strict=True):
            require(close(written, 100 * value, 1), text, value)
