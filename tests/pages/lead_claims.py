"""A stage's plain sentence, read back from the record's arrays; nothing here comes from the code that writes it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from claims import DEPTH, FalseClaim, depth_of, depths_where, is_massive, is_moderate, plain, require, require_range

from tokviz.records import Geometry


def check_lead(sentence: str, geometry: Geometry, number: int, *, at_position_0: bool) -> None:
    """What is large, and how many neighbors share a category: true, and said where there is something to say."""
    text = plain(sentence)
    stage = geometry.stages[number]
    depths = range(stage.first_depth, stage.last_depth + 1)
    require(text[0].isupper() and text.endswith("."), text, "no sentence")
    parts = (text[0].lower() + text[1:-1]).split("; ")
    neighbors = parts.pop() if parts[-1].startswith(("in the plot, ", "in all dimensions, ")) else None
    require(len(parts) <= 1, text, "no sentence of a known form")
    purity = (geometry.pictures[0] if geometry.pictures else geometry).purity
    require((neighbors is not None) == bool(np.isfinite(purity.value[depths]).any()), text, purity.value[depths])
    if neighbors:
        _check_neighbors(neighbors, geometry, depths)
    event = parts[0] if parts else None
    _check_lead_event(event, geometry, depths, at_position_0=at_position_0, is_alone=neighbors is None)


def _check_neighbors(text: str, geometry: Geometry, depths: range) -> None:
    found = re.fullmatch(
        r"in (?P<where>the plot|all dimensions), (?P<low>−?\d+)(?:(?:–| to )(?P<high>−?\d+))? % of a word’s nearest neighbors share its category"
        r" "
        r"\(by chance (?P<chance>−?\d+)(?:(?:–| to )(?P<chance_high>−?\d+))? %\)",
        text,
    )
    if found is None:
        raise FalseClaim(text)
    require((found["where"] == "the plot") == bool(geometry.pictures), text)
    purity = (geometry.pictures[0] if geometry.pictures else geometry).purity
    require_range(text, (found["low"], found["high"]), 100 * purity.value[depths], 1)
    require_range(text, (found["chance"], found["chance_high"]), 100 * purity.null_mean[depths], 1)


def _check_lead_event(
    event: str | None, geometry: Geometry, depths: range, *, at_position_0: bool, is_alone: bool
) -> None:
    words = geometry.massive
    massive, ever = depths_where(is_massive, words, depths), depths_where(is_massive, words)
    moderate = depths_where(is_moderate, words, depths)
    there = [] if at_position_0 else depths_where(is_massive, geometry.position0, depths)
    claim = event or "nothing large"
    some = re.search(r" at (?P<some>\d+) of (?P<all>\d+) depths", claim)

    def require_how_many(flagged: Sequence[int]) -> None:
        said = (int(some["some"]), int(some["all"])) if some else (len(depths), len(depths))
        require(flagged and said == (len(flagged), len(depths)), claim, flagged)

    before = [depth for depth in ever if depth < depths[0]]
    mark = max(words.large, words.massive_ratio * words.typical[before[-1]]) if before else np.inf
    above = [depth for depth in depths if words.largest[depth] > mark]
    if event is None:
        partly = 0 < len(above) < len(depths)
        require(not massive and not moderate and not there and (partly or not before), claim, ever)
    elif found := re.fullmatch(rf"massive activations emerge at (?P<at>{DEPTH})", event):
        require(ever[:1] == [depth_of(found["at"])] and ever[0] in depths, claim, ever)
    elif re.fullmatch(r"the words have massive activations(?: at \d+ of \d+ depths)?", event):
        require_how_many(massive)
        require(ever[0] < depths[0], claim, "they emerge here")
    elif re.fullmatch(r"the words have moderately large activations(?: at \d+ of \d+ depths)?", event):
        require_how_many(moderate)
        require(not massive, claim, massive)
    elif event == "the words no longer have massive activations":
        require(not massive and not moderate and before and not above, claim, above)
    elif found := re.fullmatch(
        r"activations are no longer massive by the ratio, because (typical tokens’|the words’ own) median has risen",
        event,
    ):
        require(not massive and not moderate and before and len(above) == len(depths), claim, above)
        require((words.typical[depths] > words.typical[before[-1]]).all(), claim, words.typical)
        require((found[1] == "typical tokens’") == words.typical_is_ordinary, claim)
    elif re.fullmatch(
        r"the token at position 0 has massive activations(?: at \d+ of \d+ depths)?, but the words don’t", event
    ):
        require_how_many(there)
        require(not massive and not moderate, claim, massive)
    elif event == "the words have no massive activations here":
        require(is_alone and not massive and not there, claim, massive)
    else:
        raise FalseClaim(claim)
