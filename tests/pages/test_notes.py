"""The author's words: shown where they belong, and refused in one line where there is no such place."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from report_fixture import FOLDERS, sample_report

from tokviz import pages
from tokviz.config import ModelConfig, ReportConfig
from tokviz.errors import ConfigError
from tokviz.pages import notes, render
from tokviz.pages.text.placeholders import Placeholders

SMOL = "models/smol-30/index.html"


def config(intro: str | None = None, note: str | None = None, notes: dict[str, str] | None = None) -> ReportConfig:
    models = [
        ModelConfig(source="a/b", name="smol-30", note=note, notes=notes or {}),
        ModelConfig(source="a/b", name="mini-6"),
        ModelConfig(source="a/b", name="lost"),
    ]
    words = {"colors": {"words": ["red"]}}
    return ReportConfig.model_validate({"words": words, "models": models, "intro": intro})


def rendered(settings: ReportConfig) -> dict[str, str]:
    report = sample_report()
    first = replace(
        report.models[0],
        note=notes.note(settings.models[0]),
        notes=notes.notes_by_address(settings.models[0]),
    )
    placeholders = Placeholders(settings.word_list, report.models)
    report = replace(report, intro=notes.introduction(settings, placeholders), models=(first, *report.models[1:]))
    files = render.render(pages.build(report), FOLDERS)
    notes.check(settings, report, files)
    return files


def test_a_note_stands_where_it_belongs() -> None:
    notes = {
        "alone/layer-11": "At *layer 11*.",
        "alone/layer-12/centered": "Centred only.",
        "alone/stage-1": "The first stage.",
        "alone/grid": "Of the grid.",
        "curves": "Of the curves.",
    }
    page = rendered(config(intro="[There](models/smol-30/#alone/layer-11)", note="Of the model.", notes=notes))[SMOL]

    def before(text: str, marker: str) -> bool:
        """The last ``id`` before the text."""
        return page[: page.index(text)].rpartition('id="')[2].partition('"')[0] == marker

    assert page.count("At <em>layer 11</em>.") == 2  # in both projections
    assert before("At <em>layer 11</em>.", "alone/layer-11")
    assert page.count("Centred only.") == 1
    assert before("Centred only.", "alone/layer-12/centered")
    assert before("The first stage.", "alone/stage-1")
    assert before("Of the grid.", "alone/grid")
    assert before("Of the curves.", "curves")
    assert "<p>Of the model.</p>" in page


@pytest.mark.parametrize(
    ("settings", "key", "said"),
    [
        ({"notes": {"alone/layer-99": "x"}}, "models.0.notes", "did you mean 'alone/layer-9'"),
        ({"notes": {"alone/stage-99": "x"}}, "models.0.notes", "got 'alone/stage-99'"),
        ({"intro": "[x](models/smol/)"}, "intro", "got 'models/smol/index.html'; did you mean"),
        ({"intro": "[x](models/smol-30/#alone/layer-99)"}, "intro", "got 'models/smol-30/index.html#alone/layer-99'"),
        ({"note": "![x](images/none.webp)"}, "models.0.note", "got 'images/none.webp'"),
        ({"note": "[x](#nowhere)"}, "models.0.note", "#nowhere"),
    ],
)
def test_what_leads_nowhere_is_one_line(settings: dict[str, Any], key: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        rendered(config(**settings))
    assert f"report.toml: {key}: expected " in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_that_leads_nowhere_is_told_at_once() -> None:
    settings = config(intro="[x](models/smol-30/#alone/layer-99)", note="[x](#nowhere) [y](#neither)")
    with pytest.raises(ConfigError) as caught:
        rendered(settings)
    head, *lines = str(caught.value).splitlines()
    assert head == "report.toml: 3 mistakes in its texts"
    assert [line.partition("got ")[2] for line in lines] == [
        "'models/smol-30/index.html#alone/layer-99'",
        "'models/smol-30/index.html#nowhere'",
        "'models/smol-30/index.html#neither'",
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"note": "![x](https://example.org/x.png)"}, "expected images of this report"),
        ({"note": "![x](//example.org/x.png)"}, "expected images of this report"),
        ({"note": "> " * 50 + "x"}, "expected at most 18 quotes and lists within each other"),
        ({"intro": "[x](models/smol/)"}, "a link to a model’s page, got 'models/smol/index.html'; did you mean"),
    ],
)
def test_what_needs_no_capture_is_told_before_any(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        notes.check_before(config(**settings))


def test_pictures_of_the_report_and_in_the_text_itself_are_good() -> None:
    notes.check_before(config(intro="![a](images/a.webp) ![b](data:image/png;base64,AAAA) [c](models/smol-30/)"))


def test_links_to_two_contexts_side_by_side_and_to_the_compare_page_are_good() -> None:
    rendered(config(intro="[a](models/smol-30/#alone/layer-3+sentence) [b](compare/#anything=1) [c](method/#cite)"))


def test_nothing_is_asked_of_a_model_that_failed() -> None:
    settings = config()
    lost = settings.models[2].model_copy(update={"notes": {"alone/layer-3": "x"}})
    rendered(settings.model_copy(update={"models": [*settings.models[:2], lost]}))


def test_what_a_failed_model_lacks_is_no_mistake_of_the_author_and_no_page_leads_there() -> None:
    picture, place = "images/lost/alone/grid.webp", "method/index.html#x"
    intro = f"[A layer](models/lost/#alone/layer-3), [a picture]({picture}), ![a **plot**]({picture}), [none]({place})."
    settings, report = config(intro=intro, note=f"[Here too]({picture})"), sample_report()
    lacking = notes.check(settings, report, render.render(pages.build(report), FOLDERS))
    assert [*lacking.values()] == [
        "models/lost/index.html#alone/layer-3",
        picture,
        place,
        picture,
    ]
    left = notes.without(settings, report, {*lacking.values()})
    assert "".join(map(str, left.intro)) == (
        '<p><a href="models/lost/index.html">A layer</a>, <a>a picture</a>, a plot, '
        '<a href="method/index.html">none</a>.</p>\n'
    )
    assert left.models[0].note == "<p><a>Here too</a></p>\n"
