"""What other sites show beside a link to the report: two of its plates under its title, as a PNG.

PNG because not every site that shows such cards reads WebP; 1200 × 630 pixels is what they ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

PATH = "images/preview.png"
WIDTH, HEIGHT = 1200, 630
PLATE = (600, 480)
MARGIN = 40
TITLE, SUBTITLE = 48, 26
INK, QUIET_INK = "#1c1e21", "#5b6067"
N_COLORS = 256

_FONTS = Path(__file__).parent / "fonts"


def draw(title: str, subtitle: str, plates: Sequence[Path]) -> bytes:
    """A PNG of ``WIDTH`` × ``HEIGHT``; the same plates and texts give the same bytes.

    Parameters
    ----------
    title, subtitle : each set in one line, shortened where it is longer.
    plates : the files of one or two wide plates.
    """
    sheet = Image.new("RGB", (WIDTH, HEIGHT), "white")
    ink = ImageDraw.Draw(sheet)
    for text, size, weight, color, y in (
        (title, TITLE, "Bold", INK, MARGIN),
        (subtitle, SUBTITLE, "Regular", QUIET_INK, MARGIN + TITLE + 18),
    ):
        font = ImageFont.truetype(_FONTS / f"TokvizSans-{weight}.ttf", size)
        ink.text((MARGIN, y), _shortened(text, font), font=font, fill=color)
    left = (WIDTH - len(plates) * PLATE[0]) // 2
    for index, path in enumerate(plates):
        with Image.open(path) as plate:
            small = plate.convert("RGB").resize(PLATE, Image.Resampling.LANCZOS)
        sheet.paste(small, (left + index * PLATE[0], HEIGHT - PLATE[1]))
    buffer = BytesIO()
    sheet.quantize(N_COLORS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _shortened(text: str, font: ImageFont.FreeTypeFont) -> str:
    width = WIDTH - 2 * MARGIN
    if font.getlength(text) <= width:
        return text
    kept = next(kept for kept in range(len(text), 0, -1) if font.getlength(text[:kept].rstrip() + "…") <= width)
    return text[:kept].rstrip() + "…"
