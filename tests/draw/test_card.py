"""The image of a finding, as a reader sees it who has nothing else."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import made_fonts
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.text import Text
from picture_fixture import clustered, extents, marks, points, texts, written
from PIL import Image

from tokviz.draw import draw_card, encode
from tokviz.draw.card import HEIGHT, WIDTH
from tokviz.draw.card import draw_card as figure_of
from tokviz.draw.coverage import Coverage
from tokviz.draw.typefaces import Typefaces
from tokviz.records import Card, Font, Panel, Points
from tokviz.run.store import keys

LEAST = 22
"""Pixels of what has to be read where the card is shown half as wide."""
HEADLINE = "At layer 11, two neurons stretch words alone into a line."
LONG = (
    "Of the words’ variance two neurons put nearly all into one direction, and without them little of it is left there."
)


def panel(of: Points | None = None, **changes: Any) -> Panel:
    of = of or points()
    return Panel(**{"title": "Layer 11", "note": "span 7,120", "points": of, "coordinates": clustered(of), **changes})


def card(*panels: Panel, **changes: Any) -> Card:
    values = {
        "headline": HEADLINE,
        "about": "SmolLM2-135M-Instruct (Q4_1 GGUF) · words alone",
        "evidence": ("Two of 1,536 neurons do it.", "Others don’t."),
        "panels": panels or (panel(),),
        "how": ("Each mark is a word.", "Each plot has its own scale."),
        "source": "Tokens, layer by layer",
        "address": "you.github.io/report",
    }
    return Card(**{**values, **changes})


@pytest.mark.parametrize("n_panels", [1, 2, 3])
def test_all_of_it_is_there_and_can_be_read(n_panels: int) -> None:
    panels = tuple(panel(title=f"Layer {index}", detail=f"words {index}") for index in range(n_panels))
    made = card(*panels)
    figure = figure_of(made)
    said = " ".join(written(figure))
    for text in (HEADLINE, made.about, *made.evidence, *made.how, made.source, made.address):
        assert text in said
    for each in panels:
        assert {each.title, each.detail, each.note} <= {*written(figure)}
    shown = texts(figure)
    legend = [shown[label] for label in panels[0].points.categories]
    for artist in (*legend, shown[made.source], shown[made.address], shown[panels[0].title]):
        assert float(artist.get_fontsize()) >= LEAST
    ends = extents([each for each in figure.findobj(Text) if each.get_text()])
    assert ends[:, :2].min() >= 8
    assert ends[:, 2].max() <= WIDTH - 8
    assert ends[:, 3].max() <= HEIGHT - 4


def test_each_word_has_a_mark_and_each_category_one_more_in_the_key() -> None:
    of = points(n_words=90, n_categories=9)
    for n_panels in (1, 3):
        figure = figure_of(card(*[panel(of)] * n_panels))
        n_marks = [len(np.asarray(each.get_offsets())) for each in marks(figure)]
        assert sum(n_marks) == 90 * n_panels + 9


def test_only_categories_that_are_drawn_are_in_the_key() -> None:
    of = points(n_words=10, n_categories=9)
    few = Points(**{**vars(of), "memberships": tuple((2 + row % 2,) for row in range(10))})
    assert {text for text in texts(figure_of(card(panel(few)))) if text.startswith("Category")} == {
        "Category 2",
        "Category 3",
    }
    none = Points(**{**vars(of), "memberships": ((),) * 10})
    plain = Panel(title="", points=none, coordinates=clustered(of))
    assert not any(text.startswith("Category") for text in texts(figure_of(card(plain, plain))))


@pytest.mark.parametrize("n_panels", [1, 3])
@pytest.mark.parametrize("n_categories", [12, 20, 60])
def test_of_many_categories_as_many_are_named_as_can_be_read(n_categories: int, n_panels: int) -> None:
    of = points(n_words=120, n_categories=n_categories)
    figure = figure_of(card(*[panel(of)] * n_panels))
    shown = texts(figure)
    named = [text for text in shown if text.startswith("Category")]
    more = [text for text in shown if text.endswith(" more")]
    assert more == ([] if len(named) == n_categories else [f"+ {n_categories - len(named)} more"])
    assert n_categories > 20 or not more or n_panels == 1
    assert len(named) >= min(n_categories, 11)
    ends = extents([shown[text] for text in (*named, *more)])
    assert ends[:, 3].max() <= HEIGHT - 60, "above the source"
    assert ends[:, 2].max() <= WIDTH - 8
    assert min(float(shown[text].get_fontsize()) for text in named) >= LEAST


def test_a_sentence_is_there_as_a_whole_or_not_at_all() -> None:
    """A part of one might say something else."""
    short = "It does."
    two = [panel(), panel()]
    both = " ".join(written(figure_of(card(*two, evidence=(LONG, short)))))
    assert LONG in both
    assert short in both
    first = " ".join(written(figure_of(card(*two, evidence=(LONG, LONG * 2 + " And more.")))))
    assert LONG in first
    assert "And more" not in first
    how = " ".join(written(figure_of(card(how=("Each mark is a word.", LONG * 3)))))
    assert "Each mark is a word." in how
    assert LONG[:20] not in how
    assert LONG[:20] not in " ".join(written(figure_of(card(*two, evidence=(LONG * 4,)))))


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2, 3, 12])
def test_a_longer_headline_is_smaller_and_stays_on_the_card(times: int) -> None:
    headline = " ".join([HEADLINE] * times)
    figure = figure_of(card(headline=headline))
    lines = [each for each in figure.findobj(Text) if float(each.get_fontsize()) >= 34]
    assert len({each.get_fontsize() for each in lines}) == 1
    shown = " ".join(each.get_text() for each in lines)
    assert shown == headline if times < 3 else shown.removesuffix("…") in headline
    assert len(lines) <= 3
    assert extents(lines)[:, 2].max() <= WIDTH - 24


@pytest.mark.slow
def test_a_headline_of_one_long_word_stays_on_the_card() -> None:
    word = figure_of(card(headline="word" * 100))
    assert extents([each for each in word.findobj(Text) if float(each.get_fontsize()) >= 34])[:, 2].max() <= WIDTH - 24


def test_both_axes_of_a_plot_have_one_scale() -> None:
    of = points(n_words=40, n_categories=1)
    line = np.stack([np.linspace(-50, 50, 40), np.linspace(0, 1, 40)], axis=1)
    drawn = [np.asarray(each.get_offsets()) for each in marks(figure_of(card(panel(of, coordinates=line))))]
    (shown,) = [each for each in drawn if len(each) == 40]
    across, up = np.ptp(shown, axis=0)
    assert up <= 0.02 * across + 2


def test_words_of_an_order_are_named_and_joined() -> None:
    of = points(n_words=6, n_categories=1)
    angles = np.linspace(0, 2 * np.pi, 7)[:6]
    places = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    plain = panel(of, coordinates=places)
    guide = np.stack([np.cos(np.linspace(0, 6, 72)), np.sin(np.linspace(0, 6, 72))], axis=1)
    drawn = replace(plain, is_named=True, joined=((0, 1), (1, 2), (5, 0)), guide=guide)
    assert {*of.words} <= {*written(figure_of(card(drawn)))}
    assert not {*of.words} & {*written(figure_of(card(plain)))}

    def counts(of_card: Card) -> list[int]:
        return [len(each.get_segments()) for each in figure_of(of_card).findobj(LineCollection)]

    assert set(counts(card(drawn))) - set(counts(card(plain))) >= {3, 36}


def test_what_cant_be_drawn_is_refused() -> None:
    of = points()
    broken = clustered(of)
    broken[3] = np.nan
    with pytest.raises(ValueError, match="expected finite coordinates"):
        figure_of(card(panel(of, coordinates=broken)))
    with pytest.raises(ValueError, match="expected plots, got none"):
        figure_of(Card(**{**vars(card()), "panels": ()}))


def test_it_is_a_light_png_of_the_size_that_is_asked_for() -> None:
    made = card(*[panel()] * 3)
    data = draw_card(made)
    assert data == draw_card(made)
    assert len(data) <= 80_000
    with Image.open(BytesIO(data)) as image:
        assert (image.format, image.size, image.mode) == ("PNG", (1200, 630), "P")
        colors = {color for _, color in image.convert("RGB").getcolors(256) or []}
    assert (255, 255, 255) in colors
    hues = [tuple(bytes.fromhex(made.panels[0].points.marks.hue(index)[1:])) for index in range(9)]
    assert {*hues} <= colors, "no hue is another one than in the report"


def test_marks_that_are_outlines_have_their_own_colors() -> None:
    """Of each hue there is little then: it mustn't become that of its neighbor."""
    made = card(panel(points(several_tokens=np.ones(116, dtype=bool))))
    true = encode.render(figure_of(made))[..., :3].astype(int)
    with Image.open(BytesIO(draw_card(made))) as image:
        found = np.asarray(image.convert("RGB")).astype(int)
    is_other = np.abs(found - true).max(axis=2) > 40
    assert is_other.sum() < 500, "in 64 colors these were thousands of pixels"


def test_its_key_is_all_that_it_shows() -> None:
    made, of = card(), points()
    moved = clustered(of)
    moved[0, 0] += 1
    others = [
        replace(made, headline="Another."),
        replace(made, address=""),
        replace(made, evidence=made.evidence[:1]),
        replace(made, panels=made.panels * 2),
        replace(made, panels=(panel(of, coordinates=moved),)),
        replace(made, panels=(panel(points(elsewhere=(3,))),)),
        replace(made, fonts=(Font(path="a.ttf", index=0, digest="1"),)),
    ]
    found = [keys.card_key(each) for each in (made, *others)]
    assert len({*found}) == len(found)
    assert keys.card_key(card()) == found[0]
    elsewhere = replace(made, fonts=(Font(path="b.ttf", index=0, digest="1"),))
    assert keys.card_key(elsewhere) == found[-1], "where a font lies isn't seen"


def test_what_no_font_has_is_written_as_code_points() -> None:
    fonts = Typefaces(Coverage(), folders=[])
    plain = card()
    assert fonts.with_fonts_for_card(plain) is plain
    of = points(categories=("層", *points().categories[1:]))
    made = card(panel(of, detail="層"), headline="層 clusters.", evidence=("層.",), source="層ごと")
    legible = fonts.with_fonts_for_card(made)
    assert legible.headline == "⟨U+5C64⟩ clusters."
    assert legible.evidence == ("⟨U+5C64⟩.",)
    assert legible.source.startswith("⟨U+5C64")
    assert legible.panels[0].detail == "⟨U+5C64⟩"
    assert legible.panels[0].points.categories[0] == "⟨U+5C64⟩"
    assert draw_card(legible)


def test_a_font_of_the_authors_comes_first(tmp_path: Path) -> None:
    own = made_fonts.put(tmp_path, "Own.ttf", "abcdefghijklmnopqrstuvwxyz")
    (first, *_) = Typefaces(Coverage(), folders=[], own=own).with_fonts_for_card(card()).fonts
    assert first.comes_first
    assert first.path == str(own)
