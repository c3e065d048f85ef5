"""Reports of whole vocabularies: whose tokens they are, which landmarks there are, and which layers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_fixture import Views, model_report, sample_report

from tokviz.pages.text.placeholders import Placeholders
from tokviz.records import Category, Report, WordList

SMALL = (" cat", " red", "the", "of")
LARGE = ("cat", "dog", "zebu", "the", "of", "and", "or")
LANDMARKS = (
    Category(key="animals", label="Animals", words=("zebra", "cat", "dog")),
    Category(key="colors", label="Colors", words=("red",)),
    Category(key="months", label="Months", words=("May", "June")),
)


def report_of(*vocabularies: tuple[str, ...], measured: bool = False) -> Report:
    """A report of a model for each vocabulary."""
    contexts = sample_report().contexts[:1]
    models = tuple(
        model_report(
            f"m{index}", f"M{index}", 2, WordList(categories=LANDMARKS, vocabulary=tokens), contexts, measured=measured
        )
        for index, tokens in enumerate(vocabularies)
    )
    words = WordList(categories=LANDMARKS, vocabulary=())
    return replace(sample_report(), words=words, contexts=contexts, models=models, subtitle=None, series=())


@pytest.mark.parametrize(
    ("vocabularies", "said", "n_words"),
    [
        ((SMALL,), "the 4\xa0tokens of a whole vocabulary", "4"),
        ((LARGE, SMALL), "the 4 to 7\xa0tokens of whole vocabularies", "4–7"),
        ((SMALL, SMALL), "the 4\xa0tokens of a whole vocabulary", "4"),
    ],
)
def test_the_number_of_tokens_is_that_of_every_model(
    vocabularies: tuple[tuple[str, ...], ...], said: str, n_words: str
) -> None:
    report = report_of(*vocabularies)
    views = Views(report)
    assert f" {said}" in views.index.subtitle
    assert views.method.n_words.startswith(f"T{said[1:]}, each fed as that one token;")
    assert Placeholders(report.words, report.models).filled("{n_words}") == n_words


def test_landmarks_without_a_token_are_not_said_to_be_marked() -> None:
    views = Views(report_of(SMALL))
    assert views.method.n_words.endswith(" No token stands for zebra, dog, May, June. Marked and named in the plots:")
    assert [(each.label, each.words, each.count) for each in views.method.categories] == [
        ("Animals", "cat", "1"),
        ("Colors", "red", "1"),
    ]
    assert views.method.contexts[0].example.endswith("cat")
    (notes,) = views.models[0].words
    absent = notes.lists[-1]
    assert absent.words == "zebra, dog, May, June"
    assert "that no token stands for, so that they are not marked" in absent.summary


def test_of_several_models_it_is_told_which_landmarks_each_has() -> None:
    views = Views(report_of(SMALL, LARGE))
    assert (
        " No token stands for zebra, May, June. Marked and named in the plots, where a model has a token for them:"
        in (views.method.n_words)
    )
    assert [each.words for each in views.method.categories] == ["cat, dog", "red"]
    absent = [page.words[0].lists[-1].words for page in views.models]
    assert absent == ["zebra, dog, May, June", "zebra, red, May, June"]


def test_where_all_landmarks_have_tokens_nothing_is_said_of_it() -> None:
    views = Views(report_of((*SMALL, "zebra", "dog", "May", "June")))
    assert "No token" not in views.method.n_words
    assert len(views.method.categories) == len(LANDMARKS)
    assert not any("no token stands for" in each.summary for notes in views.models[0].words for each in notes.lists)


def test_without_any_landmark_none_is_listed() -> None:
    views = Views(report_of(("the", "of", "and")))
    assert views.method.categories == ()
    assert views.method.n_words.endswith(" No token stands for zebra, cat, dog, red, May, June.")
