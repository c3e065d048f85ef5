"""Of many words a plate names only some, and the categories among them."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.text import Text
from picture_fixture import clustered, extents, labels, overlapping_pairs, plate, points

from tokviz.draw.plate import NEAR, PlateDrawing
from tokviz.draw.plate_form import MOST_LABELS
from tokviz.records import Plate


def named_among_words(drawn: Plate) -> tuple[PlateDrawing, list[Text], dict[str, Text]]:
    """The drawing, the categories' names that stand among the words, and the words that are named."""
    drawing = PlateDrawing(drawn)
    figure = drawing.draw()
    box, of = drawing.area, drawn.points
    names = [each for each in figure.findobj(Text) if each.get_text() in of.categories]
    within = [
        each
        for each in names
        if box.left <= each.get_position()[0] <= box.right and each.get_position()[1] <= box.bottom
    ]
    return drawing, within, labels(figure, of)


@pytest.mark.parametrize("form", ["wide", "phone"])
def test_categories_are_named_at_the_middle_of_their_words(form: str) -> None:
    of = points(n_words=600, n_categories=4)
    drawing, names, words = named_among_words(plate(of, clustered(of, tightness=0.2), form=form))
    assert sorted(each.get_text() for each in names) == sorted(of.categories)
    boxes = extents(names)
    for name, (left, top, right, bottom) in zip(names, boxes, strict=True):
        middle = np.median(drawing.xy[of.first == of.categories.index(name.get_text())], axis=0)
        assert abs((left + right) / 2 - middle[0]) < NEAR + (right - left) / 2
        assert abs((top + bottom) / 2 - middle[1]) < NEAR + (bottom - top)
    assert len(words) > 20
    assert overlapping_pairs(np.concatenate([boxes, extents(list(words.values()))])) == 0


def test_fewer_words_stand_for_themselves() -> None:
    of = points(n_words=MOST_LABELS)
    _, names, words = named_among_words(plate(of, np.random.default_rng(0).uniform(size=(MOST_LABELS, 2))))
    assert names == []
    assert len(words) == MOST_LABELS
