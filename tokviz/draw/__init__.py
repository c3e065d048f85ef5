"""Numbers → pictures: plates, grids, strips and cards, labelled and encoded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from tokviz.records import Animation, Card, Picture

LIBRARIES = ("tokviz.draw.encode", "tokviz.draw.figures")
"""What takes a while to load: with them come Matplotlib and Pillow."""

_one_at_a_time = threading.Lock()
"""One for the process: Matplotlib isn't made for threads, and a cluster's worker may have several."""


@cache
def warm_up() -> None:
    """Load Matplotlib, once a process; a matplotlibrc of the user's must not change the pictures."""
    import matplotlib

    from tokviz.draw import encode, figures  # noqa: F401 - importing is the point

    matplotlib.rcdefaults()


def draw_image(picture: Picture) -> bytes:
    """A picture record → the content of a WebP file, or of an SVG file."""
    with _alone():
        from tokviz.draw import encode, figures

        figure = figures.draw(picture)
        if picture.form != "svg":
            return encode.encode(figure)
        title, description = figures.described(picture)
        return encode.encode_svg(figure, title, description)


def draw_card(card: Card) -> bytes:
    """A card → the content of a PNG file; the same card gives the same bytes."""
    with _alone():
        from tokviz.draw import card as cards
        from tokviz.draw import encode

        return encode.encode_png(cards.draw_card(card))


def draw_animation(animation: Animation, ending: str, most_bytes: int) -> bytes | None:
    """See ``tokviz.draw.animation``."""
    with _alone():
        from tokviz.draw import animation as animations

        return animations.draw_animation(animation, ending, most_bytes)


@contextmanager
def _alone() -> Iterator[None]:
    """With Matplotlib's own settings; a script's come back."""
    import matplotlib

    with _one_at_a_time, matplotlib.rc_context():
        warm_up()
        matplotlib.rcdefaults()
        yield
