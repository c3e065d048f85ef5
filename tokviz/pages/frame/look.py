"""What pages have of the look that the author chose; a report without one has nothing of it on its pages."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from tokviz.records import Look, Marks, Report
from tokviz.records.look import PALETTE, PLATE_SIZE, SHAPES

STYLES = "assets/look.css"
"""From the site's root."""


def own_look(report: Report) -> dict[str, str | int]:
    """What the root element of every page says to scripts: the data attributes of what was chosen in place of what pages have."""
    marks = report.look.marks
    n_marks = min(len(report.words.categories), marks.n_different)
    said: dict[str, str | int] = {}
    if marks.palette != PALETTE:
        said["hues"] = len(marks.palette)
    if marks != Marks() and n_marks:
        said["shapes"] = "|".join(SHAPES[marks.shape(category)] for category in range(n_marks))
    if report.look.aspect == "fill":
        said["aspect"] = "fill"
    if report.look.font:
        said["font"] = posixpath.basename(report.look.font)
    return said


def styles(look: Look) -> str:
    """The stylesheet, for a light and a dark ground; empty where it has nothing to say."""
    return "".join(f"{rule}\n" for rule in _rules(look))


def _rules(look: Look) -> Iterator[str]:
    if look.font:
        name = look.font.removeprefix("assets/")
        yield f'@font-face {{ font-family: "Own Sans"; src: url("{name}"); font-display: optional; }}'
        yield ':root { --sans: "Own Sans", var(--usual-sans); }'
    if look.plate_size != PLATE_SIZE:
        width, height = look.plate_size
        yield f":root {{ --shape: {width / height:.4g}; }}"
    if look.marks.palette != PALETTE:
        yield from _hues(look.marks)


def _hues(marks: Marks) -> Iterator[str]:
    """More specific than those of ``plate.css``, which some pages take later."""
    light = [(marks.hue(category), marks.name_color(category)) for category in range(len(marks.palette))]
    for category, (hue, name) in enumerate(light):
        yield f":root .hue-{category} {{ --hue: {hue}; --name: {name}; }}"
    yield "@supports (color: light-dark(#fff, #000)) {"
    for category, (hue, name) in enumerate(light):
        dark_hue, dark_name = marks.dark_colors(category)
        both = f"--hue: light-dark({hue}, {dark_hue}); --name: light-dark({name}, {dark_name});"
        yield f"  :root .hue-{category} {{ {both} }}"
    yield "}"
