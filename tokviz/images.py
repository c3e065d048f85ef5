"""Figures → WebP bytes: lossless, in few enough colours to be light."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_COLORS = 88
"""Text in nine hues, smoothed, looks the same in 88 colours as in thousands, at two thirds of the bytes."""
N_EXACT = 40
"""As many of the most frequent colours are kept as they are: paper, the marks' hues, frames."""

_WHITE = 0xFFFFFFFF


def encode(figure: Figure) -> bytes:
    """Draw ``figure`` and return a lossless WebP of at most ``N_COLORS`` colours, white kept exactly.

    Lossless because lossy WebP is larger for such pictures, and blurs them. The same figure gives the same bytes.
    """
    pixels = few_colors(rendered(figure))
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=True, method=4, quality=40)
    return buffer.getvalue()


def rendered(figure: Figure) -> np.ndarray:
    """The figure's pixels, ``(height, width, 4)`` uint8; the last, opacity, is 255 throughout."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # reading a size needs no Matplotlib

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # Matplotlib's own stubs leave the Agg backend out
    return np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]


def few_colors(pixels: np.ndarray) -> np.ndarray:
    """``(height, width, 3)``: ``pixels`` in at most ``N_COLORS`` colours, white and the most frequent ones unchanged."""
    height, width, _ = pixels.shape
    packed = pixels.reshape(-1, 4).view(np.uint32).ravel()
    # Nine tenths of a picture are paper; only the rest is worth sorting into a palette.
    drawn = np.flatnonzero(packed != _WHITE)
    inks, which, counts = np.unique(packed[drawn], return_inverse=True, return_counts=True)
    colors = inks.view(np.uint8).reshape(-1, 4)[:, :3].copy()
    if len(inks) >= N_COLORS:
        rare = np.argsort(-counts, kind="stable")[N_EXACT - 1 :]
        rows = np.flatnonzero(np.isin(which, rare))
        shades = Image.fromarray(colors[which[rows]][None])
        palette = shades.quantize(N_COLORS - N_EXACT, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        colors[which[rows]] = np.asarray(palette.convert("RGB"))[0]
    result = np.full((height * width, 3), 255, dtype=np.uint8)
    result[drawn] = colors[which]
    return result.reshape(height, width, 3)


def size(data: bytes) -> tuple[int, int]:
    """Width and height of an encoded image, read off its header."""
    with Image.open(BytesIO(data)) as image:
        return image.size
