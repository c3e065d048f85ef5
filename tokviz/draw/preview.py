"""What other sites show beside a link to a page: two plates under a title, as a PNG.

PNG because not every site that shows such cards reads WebP; 1200 × 630 pixels is what they ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1200, 630
PLATE = (600, 480)
"""The space of one; a plate of another shape stands in its middle."""
MARGIN = 40
TITLE, SUBTITLE = 48, 26
SMALL = 24
"""Of a subtitle in two lines."""
INK, QUIET_INK = "#1c1e21", "#5b6067"
N_COLORS = 256

_FONTS = Path(__file__).parent / "fonts"


def draw(title: str, subtitle: str, plates: Sequence[Path]) -> bytes:
    """A PNG of ``WIDTH`` × ``HEIGHT``; the same plates and texts give the same bytes.

    Parameters
    ----------
    title : set in one line, shortened where it is longer.
    subtitle : in one line, or in two smaller ones where it is longer.
    plates : the files of one or two wide plates.
    """
    sheet = Image.new("RGB", (WIDTH, HEIGHT), "white")
    ink = ImageDraw.Draw(sheet)
    lines = _lines(subtitle)
    top = MARGIN if len(lines) == 1 else MARGIN // 2
    ink.text((MARGIN, top), _shortened(title, _font("Bold", TITLE)), font=_font("Bold", TITLE), fill=INK)
    for index, (text, font) in enumerate(lines):
        ink.text((MARGIN, top + TITLE + 18 + index * (SMALL + 6)), text, font=font, fill=QUIET_INK)
    left = (WIDTH - len(plates) * PLATE[0]) // 2
    for index, path in enumerate(plates):
        with Image.open(path) as plate:
            scale = min(PLATE[0] / plate.width, PLATE[1] / plate.height)
            size = (round(plate.width * scale), round(plate.height * scale))
            small = plate.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        across, down = (PLATE[0] - size[0]) // 2, (PLATE[1] - size[1]) // 2
        sheet.paste(small, (left + index * PLATE[0] + across, HEIGHT - PLATE[1] + down))
    buffer = BytesIO()
    # Few pixels are of a color at all: a median cut would gray the paler ones.
    sheet.quantize(N_COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _lines(text: str) -> list[tuple[str, ImageFont.FreeTypeFont]]:
    """One, or two as even as can be."""
    whole, font = _font("Regular", SUBTITLE), _font("Regular", SMALL)
    if whole.getlength(text) <= WIDTH - 2 * MARGIN:
        return [(text, whole)]
    words = text.split()
    pairs = [(" ".join(words[:n]), " ".join(words[n:])) for n in range(1, len(words))]
    fitting = [pair for pair in pairs if font.getlength(pair[0]) <= WIDTH - 2 * MARGIN]
    if not fitting:
        return [(_shortened(text, whole), whole)]
    pair = min(fitting, key=lambda each: max(map(font.getlength, each)))
    return [(_shortened(line, font), font) for line in pair]


@cache
def _font(weight: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FONTS / f"TokvizSans-{weight}.ttf", size)


def _shortened(text: str, font: ImageFont.FreeTypeFont) -> str:
    width = WIDTH - 2 * MARGIN
    if font.getlength(text) <= width:
        return text
    kept = next(kept for kept in range(len(text), 0, -1) if font.getlength(text[:kept].rstrip() + "…") <= width)
    return text[:kept].rstrip() + "…"
