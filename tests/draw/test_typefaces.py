"""Words in any script: which fonts draw them, and what a picture says where there is none."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import made_fonts
import numpy as np
import picture_fixture
import pytest
from matplotlib import colors
from narrow import present

from tokviz.config import ReportConfig
from tokviz.draw import encode, figures, typefaces
from tokviz.draw.coverage import Coverage
from tokviz.draw.sheet import Sheet
from tokviz.draw.typefaces import Typefaces, legible
from tokviz.draw.typesetting import isolated, typesetter_for
from tokviz.records import Marks, Plate, Points, Strip
from tokviz.run.store import keys

HAN, KANA, HANGUL, HINDI, CAT = "漢", "あ", "한", "ह", "🐈"
OWN = sorted((Path(typefaces.__file__).parent / "fonts").glob("*.ttf"))


def installed_in(folder: Path | None) -> Typefaces:
    """The fonts of a machine that keeps them in one folder."""
    return Typefaces(Coverage(), [folder] if folder else [])


def points(*words: str, **changes: Any) -> Points:
    return picture_fixture.points(
        n_words=len(words), n_categories=1, words=words, memberships=((0,),) * len(words), **changes
    )


def plate(*words: str, **changes: Any) -> Plate:
    spread = np.array([[row, row % 2] for row in range(len(words))], float)
    return picture_fixture.plate(points(*words), spread, **changes)


def with_fonts(fonts: Typefaces, picture: Plate) -> Plate:
    shown = fonts.with_fonts(picture)
    assert isinstance(shown, Plate)
    return shown


def chosen(folder: Path, characters: str) -> list[str]:
    fonts, _ = installed_in(folder).choose(frozenset(map(ord, characters)))
    return [Path(font.path).name for font in fonts]


def ink(text: str) -> np.ndarray:
    """The pixels of a text, cut to what is drawn."""
    sheet = Sheet(600, 80, Marks())
    sheet.text((100, 50), text, 30, "black")
    drawn = encode.render(sheet.figure)[..., 0]
    columns = np.flatnonzero((drawn < 255).any(axis=0))
    return drawn[:, columns[0] : columns[-1] + 1]


# --- what fonts have -----------------------------------------------------------------------------------------------


def test_the_bundled_fonts_have_latin_greek_cyrillic_hebrew_and_arabic() -> None:
    words = ("James", "Łódź", "Ωμέγα", "Москва", "→", "…", "⟨", "שלום", "مرحبا", "$x_1$ 100% \\frac{a}{b}")
    fonts = installed_in(None)
    assert fonts.missing_from_bundled(words) == frozenset()
    assert fonts.missing_from_bundled(("東京", f"a{CAT}")) == frozenset(map(ord, f"東京{CAT}"))
    regular, bold = (Coverage().faces(path)[0].ranges for path in reversed(OWN))
    assert regular == bold


def test_signs_that_affect_only_their_neighbours_are_not_missed() -> None:
    texts = ("❤\ufe0f", "a\u200db", "\u2068a\u2069", "\u200ea")
    assert installed_in(None).missing_from_bundled(texts) == frozenset()


# --- which font is taken -------------------------------------------------------------------------------------------


def test_noto_comes_before_others_and_names_in_order(tmp_path: Path) -> None:
    for name in ("Aardvark.ttf", "Zebra.ttf", "Symbola.ttf", "NotoSerifX-Regular.ttf", "NotoSansX-Regular.ttf"):
        made_fonts.put(tmp_path, name, HAN)
    taken = []
    while found := chosen(tmp_path, HAN):
        taken += found
        (tmp_path / found[0]).unlink()
    assert taken == ["NotoSansX-Regular.ttf", "NotoSerifX-Regular.ttf", "Symbola.ttf", "Aardvark.ttf", "Zebra.ttf"]


def test_plain_faces_come_before_bold_ones_of_a_better_name(tmp_path: Path) -> None:
    made_fonts.put(tmp_path, "NotoSansX-Bold.ttf", HAN)
    made_fonts.put(tmp_path, "Other-Regular.ttf", HAN)
    assert chosen(tmp_path, HAN) == ["Other-Regular.ttf"]


def test_the_font_that_has_most_is_asked_first_and_no_more_than_needed(tmp_path: Path) -> None:
    made_fonts.put(tmp_path, "NotoSansA-Regular.ttf", HAN)
    made_fonts.put(tmp_path, "NotoSansB-Regular.ttf", HAN + KANA)
    made_fonts.put(tmp_path / "deep", "NotoSansC-Regular.otf", HINDI)
    assert chosen(tmp_path, HAN + KANA) == ["NotoSansB-Regular.ttf"]
    assert chosen(tmp_path, HAN + KANA + HINDI) == ["NotoSansB-Regular.ttf", "NotoSansC-Regular.otf"]


@pytest.mark.parametrize(("words", "face"), [(HAN, 2), (HAN + KANA, 0), (HAN + HANGUL, 1)])
def test_shared_ideographs_take_the_form_of_the_language_around_them(tmp_path: Path, words: str, face: int) -> None:
    made_fonts.put_collection(tmp_path, "NotoSansCJK-Regular.ttc", *[HAN + KANA + HANGUL] * 5)
    fonts, missing = installed_in(tmp_path).choose(frozenset(map(ord, words)))
    assert [font.index for font in fonts] == [face]
    assert not missing


def test_fonts_in_color_and_damaged_files_are_passed_over(tmp_path: Path) -> None:
    made_fonts.put(tmp_path, "NotoColorEmoji.ttf", CAT, colored=True)
    (tmp_path / "NotoSansX-Regular.ttf").write_bytes(made_fonts.put(tmp_path, "whole.ttf", HAN).read_bytes()[:90])
    (tmp_path / "whole.ttf").unlink()
    (tmp_path / "NotoSansY-Regular.ttf").write_bytes(b"")
    (tmp_path / "NotoSansZ-Regular.ttc").write_bytes(b"ttcf" + b"\xff" * 40)
    assert chosen(tmp_path, CAT + HAN) == []
    assert installed_in(tmp_path / "missing").choose(frozenset({ord(CAT)})) == ((), frozenset({ord(CAT)}))


def test_this_machines_fonts_are_looked_for_where_it_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "mine"))
    monkeypatch.setenv("XDG_DATA_DIRS", f"{tmp_path / 'theirs'}:")
    path = made_fonts.put(tmp_path / "theirs" / "fonts" / "truetype", "Boxes.ttf", "\U0010fffd")
    fonts, _ = Typefaces(Coverage()).choose(frozenset({0x10FFFD}))
    assert [font.path for font in fonts] == [str(path)]


# --- pictures ------------------------------------------------------------------------------------------------------


def test_a_picture_that_needs_no_other_font_is_the_same_on_every_machine(tmp_path: Path) -> None:
    made_fonts.put(tmp_path, "NotoSansX-Regular.ttf", "ab" + HAN)
    fonts = installed_in(tmp_path)
    latin = plate("James", "שלום", "مرحبا")
    assert fonts.with_fonts(latin) is latin
    of = points(HAN)
    strip = Strip(form="wide", points=of, coordinates=np.zeros((3, 1, 2)))
    grid = picture_fixture.grid(3, of=of, coordinates=np.zeros((3, 1, 2)))
    unlabelled = plate(HAN, labelled=False)
    assert [fonts.with_fonts(picture) for picture in (strip, grid, unlabelled)] == [strip, grid, unlabelled]


@pytest.mark.parametrize("form", ["wide", "phone"])
def test_a_found_font_draws_the_word_and_its_width_is_known(tmp_path: Path, form: str) -> None:
    made_fonts.put(tmp_path, "Boxes.ttf", HAN, width=3000)
    shown = with_fonts(installed_in(tmp_path), plate("James", HAN, "Mary", form=form))
    assert shown.points.words == ("James", HAN, "Mary")
    figure = figures.draw(shown)
    size = picture_fixture.labels(figure, shown.points)[HAN].get_fontproperties().get_size()
    assert typesetter_for(shown.fonts).width(HAN, size) == pytest.approx(3 * size, abs=1)
    drawn = (picture_fixture.pixels(figure) == np.round(np.array(colors.to_rgb(Marks().name_color(0))) * 255)).all(
        axis=2
    )
    box = drawn.sum(axis=1)
    assert abs(box.max() - 3 * size) < 30  # the box of the label, with a little of others in its rows
    assert np.count_nonzero(box > 2.5 * size) == pytest.approx(0.8 * size, abs=2)


def test_tall_scripts_get_the_space_that_they_need(tmp_path: Path) -> None:
    made_fonts.put(tmp_path, "Boxes.ttf", HAN, top=1500, bottom=-700)
    fonts, _ = installed_in(tmp_path).choose(frozenset({ord(HAN)}))
    _, above, below = typesetter_for().box("James", 20)
    assert (above, below) == pytest.approx((15.4, 4.6))
    _, above, below = typesetter_for(fonts).box(HAN, 20)
    assert (above, below) == pytest.approx((30, 14), abs=1)


def test_a_face_of_a_collection_draws(tmp_path: Path) -> None:
    made_fonts.put_collection(tmp_path, "Boxes.ttc", "a", HAN)
    shown = with_fonts(installed_in(tmp_path), plate("James", HAN))
    assert shown.fonts[0].index == 1
    assert (picture_fixture.pixels(figures.draw(shown)) < 255).any()


def test_what_no_font_has_is_written_as_its_code_point(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    made_fonts.put(tmp_path, "Boxes.ttf", HAN)
    picture = plate("James", "漢字", "日本 James", f"a{CAT}b", model="模型", context=HINDI)
    shown = with_fonts(installed_in(tmp_path), picture)
    assert shown.points.words == ("James", "漢⟨U+5B57⟩", "⟨U+65E5 672C⟩ James", "a⟨U+1F408⟩b")
    assert (shown.model, shown.context) == ("⟨U+6A21 578B⟩", "⟨U+0939⟩")
    figure = figures.draw(shown)
    assert "漢⟨U+5B57⟩" in picture_fixture.labels(figure, shown.points)
    assert encode.encode(figure)
    assert not [warning for warning in recwarn if "missing from font" in str(warning.message)]


def test_a_control_character_is_written_as_its_code_point() -> None:
    shown = with_fonts(installed_in(None), plate("a\tb", "c"))
    assert shown.points.words[0] == "a⟨U+0009⟩b"


def test_pictures_of_the_same_points_share_what_replaces_them(tmp_path: Path) -> None:
    fonts, of = installed_in(tmp_path), points(HAN, "a")
    pictures = [picture_fixture.plate(of, np.zeros((2, 2)), depth=depth) for depth in ("embedding", "layer 0")]
    first, second = (fonts.with_fonts(picture) for picture in pictures)
    assert first.points is second.points


def test_the_key_of_a_picture_holds_the_fonts_content_not_its_place(tmp_path: Path) -> None:
    def key(folder: Path) -> str:
        return keys.picture_key(installed_in(folder).with_fonts(picture))

    picture = plate("James", HAN)
    made_fonts.put(tmp_path / "a", "Boxes.ttf", HAN)
    shutil.copytree(tmp_path / "a", tmp_path / "b" / "elsewhere")
    made_fonts.put(tmp_path / "c", "Boxes.ttf", HAN, width=900)
    none, first, moved, other = (key(tmp_path / name) for name in ("none", "a", "b", "c"))
    assert first == moved
    assert len({none, first, other}) == 3


# --- what is said --------------------------------------------------------------------------------------------------


def config(*words: str, **changes: Any) -> ReportConfig:
    return ReportConfig.model_validate({"words": {"all": list(words)}, "models": [{"source": "a/b"}], **changes})


def complaint_of(report: ReportConfig, folder: Path | None = None) -> str | None:
    return typefaces.complaint(installed_in(folder).missing(report.drawn_texts))


def undrawn_of(report: ReportConfig, folder: Path | None = None) -> tuple[str, ...]:
    return typefaces.undrawn(report.word_list.words, installed_in(folder).missing(report.drawn_texts))


def test_nothing_is_said_when_every_character_is_there(tmp_path: Path) -> None:
    made_fonts.put(tmp_path, "Boxes.ttf", HAN)
    assert complaint_of(config("James", HAN), tmp_path) is None
    assert undrawn_of(config("James", HAN), tmp_path) == ()


@pytest.mark.parametrize(
    ("words", "said", "advice"),
    [
        (["字漢語"], "no installed font has 字 (CJK UNIFIED IDEOGRAPH-5B57) and 2 more characters:", "Noto Sans CJK"),
        ([KANA, "a"], "no installed font has あ (HIRAGANA LETTER A):", "Noto Sans CJK"),
        (["हि"], "ह (DEVANAGARI LETTER HA) and 1 more character:", "Noto Sans Devanagari"),
        (["ส"], "ส (THAI CHARACTER SO SUA):", "Noto Sans Thai"),
        ([CAT], "🐈 (CAT):", "a font such as Noto Emoji and run again"),
        (
            ["हि", "ส字", "字あ", CAT],
            "and 5 more",
            "fonts such as Noto Sans Devanagari, Noto Sans Thai, Noto Sans CJK and Noto Emoji",
        ),
        (["a\ue007"], "no installed font has U+E007:", "take such characters out of the words"),
    ],
)
def test_a_missing_character_is_named_with_what_to_install(words: list[str], said: str, advice: str) -> None:
    complaint = present(complaint_of(config(*words)))
    assert said in complaint
    assert advice in complaint
    assert "\n" not in complaint
    assert undrawn_of(config("plain", *words))[0] == words[0]
    assert "plain" not in undrawn_of(config("plain", *words))


def test_labels_and_names_count_too() -> None:
    labelled = config("a", contexts=[{"name": "alone", "label": HAN, "template": " {word}"}])
    assert HAN in present(complaint_of(labelled))
    assert undrawn_of(labelled) == ()


def test_only_runs_of_missing_characters_become_code_points() -> None:
    assert legible("a漢字b語", frozenset(map(ord, "漢字語"))) == "a⟨U+6F22 5B57⟩b⟨U+8A9E⟩"
    assert legible("$x_1$ 100% \\n", frozenset()) == "$x_1$ 100% \\n"


# --- right to left -------------------------------------------------------------------------------------------------


def test_hebrew_runs_from_right_to_left() -> None:
    word, last = ink("אבג"), ink("ג")
    np.testing.assert_array_equal(word[:, : last.shape[1] - 1], last[:, :-1])


def test_arabic_letters_join() -> None:
    assert ink("ببب").shape[1] < 2.5 * ink("ب").shape[1]


def test_a_context_from_right_to_left_leaves_the_titles_order(recwarn: pytest.WarningsRecorder) -> None:
    title = ink(f"{isolated('שלום')} · layer 11")
    layer = ink("layer 11")
    np.testing.assert_array_equal(title[:, -layer.shape[1] + 1 :], layer[:, 1:])
    assert isolated("alone") == "alone"
    assert not list(recwarn)


def test_an_arrow_stands_on_the_side_where_a_word_lies() -> None:
    coordinates = np.array([[0.0, 0], [1, 1], [2, 0], [1e3, 0.5]])
    of = points("a", "b", "c", "שלום", elsewhere=(3,))
    (label,) = (
        text for text in picture_fixture.texts(figures.draw(picture_fixture.plate(of, coordinates))) if "ש" in text
    )
    arrow = ink("→")
    np.testing.assert_array_equal(ink(label)[:, -arrow.shape[1] + 1 :], arrow[:, 1:])
