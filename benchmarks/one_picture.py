"""A labelled picture against the usual way: a new figure, textalloc for the labels, savefig as lossless WebP."""

from __future__ import annotations

from io import BytesIO

import sample
from table import Row, side_by_side

TARGET = 0.3


def run(rounds: int = 9) -> list[Row]:
    import numpy as np

    from tokviz.draw import draw_image
    from tokviz.draw.typesetting import typesetter_for
    from tokviz.records import Plate, Points

    categories = sample.words()
    words = tuple(word for category in categories.values() for word in category)
    holders = {word: index for index, category in enumerate(categories.values()) for word in category}
    random = np.random.default_rng(0)
    centres = random.normal(scale=2, size=(len(categories), 2))
    coordinates = np.stack([centres[holders[word]] + random.normal(size=2) for word in words])
    plate = Plate(
        form="wide",
        model="SmolLM2-135M",
        context="alone",
        depth="layer 11",
        points=Points(
            words=words,
            memberships=tuple((holders[word],) for word in words),
            categories=tuple(categories),
            reference=np.ones(len(words), dtype=bool),
            several_tokens=np.zeros(len(words), dtype=bool),
        ),
        coordinates=coordinates,
        explained_variance_ratio=(0.3, 0.2),
    )

    def usual_way() -> None:
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
        import textalloc

        figure, axes = plt.subplots(figsize=(15, 12), dpi=100)
        x, y = coordinates.T
        for index, name in enumerate(categories):
            rows = [row for row, word in enumerate(words) if holders[word] == index]
            axes.scatter(x[rows], y[rows], label=name)
        axes.legend()
        textalloc.allocate(
            axes, x, y, list(words), x_scatter=x, y_scatter=y, textsize=12, max_distance=0.25, draw_all=True
        )
        figure.savefig(BytesIO(), format="webp", pil_kwargs={"lossless": True})
        plt.close(figure)

    def ours() -> None:
        # A first picture: no word was measured or rasterised for an earlier one.
        typesetter_for.cache_clear()
        draw_image(plate)

    name = "one labelled picture / new figure, textalloc, savefig"
    return [side_by_side(name, TARGET, ours, usual_way, rounds=rounds)]


if __name__ == "__main__":
    print(*run(), sep="\n")
