"""What the pages hand to the scripts that draw plates, and the colours of categories on either ground."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colors
from rendered import Part, Rendered
from report_fixture import ALONE, TEMPLATES, model_report, sample_report, word_list

from tokviz.pages.frame.index import MOST_DRAWN
from tokviz.records import Marks, Report, look
from tokviz.records.look import PALETTE, contrast

CSS = (TEMPLATES / "assets" / "plates" / "plate.css").read_text(encoding="utf-8")
LIGHT = re.findall(r"^\.hue-\d \{ --hue: (#\w{6}); --name: (#\w{6}); \}$", CSS, re.MULTILINE)
BOTH = re.findall(
    r"^  \.hue-\d \{ --hue: light-dark\((#\w{6}), (#\w{6})\); --name: light-dark\((#\w{6}), (#\w{6})\); \}$",
    CSS,
    re.MULTILINE,
)
DARK = [name for *_, name in BOTH]
DARK_GROUND = re.findall(r"--plate-ground: light-dark\(#fff, (#\w{6})\)", CSS)[0]
QUIET = re.findall(r"--plate-quiet: light-dark\((#\w{6}), (#\w{6})\)", CSS)[0]
# Full dichromacy, Machado et al. 2009, on linear RGB.
SIGHTS = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def page_of(report: Report) -> Part:
    return Rendered(report).models[0]


def report_of(n_words: int) -> Report:
    words = word_list(n_categories=1, n_words=n_words)
    return replace(sample_report(), words=words, models=(model_report("one", "One", 2, words, (ALONE,)),))


def test_scripts_find_the_explorers_data() -> None:
    found = json.loads(page_of(sample_report()).one("[data-plates]").text)
    assert found["words"] == "../../data/words.js"
    assert {"../../assets/explore/data.js", "../../assets/plates/carousel.js"} < set(found["scripts"])
    assert all((TEMPLATES / Path(script).relative_to("../..")).is_file() for script in found["scripts"])
    assert found["categories"] == [f"Category {number}" for number in range(1, 10)]
    [model] = found["models"]
    assert model["data"] == "../../data/smol-30"
    assert [context["label"] for context in model["contexts"]][:2] == ["alone", "in a sentence"]
    assert [each["name"] for each in model["contexts"][0]["projections"]] == ["standardized", "centered"]


def test_of_long_lists_and_vocabularies_the_images_are_shown() -> None:
    report = sample_report()
    vocabulary = replace(report, words=replace(report.words, vocabulary=report.words.words))
    for shown, is_drawn in ((report_of(MOST_DRAWN), 1), (report_of(MOST_DRAWN + 1), 0), (vocabulary, 0)):
        page = page_of(shown)
        for part in ("[data-plates]", "[data-draws]", "link[href$='plates/plate.css']"):
            assert len(page.all(part)) == is_drawn


def test_on_white_colours_are_those_of_the_images() -> None:
    images = [(hue, Marks().name_color(category)) for category, hue in enumerate(PALETTE)]
    assert images == LIGHT
    assert [(hue, name) for hue, _, name, _ in BOTH] == images


def test_names_can_be_read_on_either_ground() -> None:
    assert len(LIGHT) == len(DARK) == len(PALETTE)
    assert look.DARK_GROUND == DARK_GROUND
    assert [(hue, name) for _, hue, _, name in BOTH] == [Marks().dark_colors(category) for category in range(9)]
    for _, name in LIGHT:
        assert contrast(name, "#ffffff") >= 4.5
    for name in DARK:
        assert contrast(name, DARK_GROUND) >= 4.5
    assert contrast(QUIET[0], "#ffffff") >= 4.5
    assert contrast(QUIET[1], DARK_GROUND) >= 4.5


@pytest.mark.parametrize("sight", SIGHTS)
def test_hues_on_the_dark_ground_are_told_apart_by_all_eyes(sight: str) -> None:
    def oklab(color: str) -> np.ndarray:
        rgb = np.array(colors.to_rgb(color))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        seen = np.clip(np.asarray(SIGHTS[sight]) @ linear, 0, 1)
        cones = np.cbrt(
            np.array([[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]]) @ seen
        )
        lab: np.ndarray = (
            np.array([[0.21045, 0.79362, -0.00407], [1.978, -2.42859, 0.45059], [0.0259, 0.78277, -0.80868]]) @ cones
        )
        return lab

    nearest = min(np.linalg.norm(oklab(a) - oklab(b)) for a, b in combinations(DARK, 2))
    assert nearest > (0.13 if sight == "normal" else 0.1)
