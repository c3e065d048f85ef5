"""What pages and log say of words that went through a model together."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from making import BATCH_CHECK

from tokviz.pages.model.batches import batch_notes, batch_warnings, relative
from tokviz.records import BatchCheck, BatchComparison

FIRST = BATCH_CHECK.comparisons[0]


def comparison(**changes: Any) -> BatchComparison:
    return dataclasses.replace(FIRST, **changes)


def checked(*comparisons: BatchComparison, **changes: Any) -> BatchCheck:
    return dataclasses.replace(BATCH_CHECK, comparisons=comparisons, **changes)


def test_agreement_is_told_with_its_size() -> None:
    assert batch_warnings(BATCH_CHECK) == ()
    (note,) = batch_notes(BATCH_CHECK)
    assert note == (
        "3\N{NO-BREAK SPACE}words were run again, each by itself: the hidden states differ from those in the batch by "
        "0.0004\N{NO-BREAK SPACE}% of their norm at most (“seven”, layer 1)."
    )
    assert batch_notes(checked(comparison(n_words=1)))[0].startswith("1 word was run again by itself")


def test_without_padding_nothing_was_compared() -> None:
    assert batch_notes(checked()) == ("No word was run again by itself.",)


def test_padding_that_is_read_is_a_warning() -> None:
    leak = comparison(difference=1.4767, accepted=False)
    check = checked(leak, comparison(batching="equal_lengths", difference=0.0), batching="equal_lengths")
    warning = (
        "Padding changes this model’s hidden states by 148\N{NO-BREAK SPACE}% (“seven”, layer 1), "
        "so words of equal length were run together, without padding"
    )
    assert batch_warnings(check) == (warning,)
    notes = batch_notes(check)
    assert notes[0] == f"{warning}."
    assert notes[1].endswith("run again, each by itself, and the hidden states were identical to those in the batch.")


def test_words_that_see_each_other_go_alone() -> None:
    check = checked(
        comparison(accepted=False, difference=0.5),
        comparison(batching="equal_lengths", accepted=False, difference=0.25),
        batching="one_by_one",
    )
    first, second = batch_warnings(check)
    assert first == "Padding changes this model’s hidden states by 50\N{NO-BREAK SPACE}% (“seven”, layer 1)"
    assert second.endswith("by 25\N{NO-BREAK SPACE}% (“seven”, layer 1), so each word was run by itself")
    assert batch_notes(check) == (f"{first}.", f"{second}.")


def test_a_single_word_in_bfloat16_is_explained() -> None:
    check = checked(comparison(difference=0.31, median_difference=0.004), tolerance=0.1)
    assert batch_warnings(check) == ()
    (note,) = batch_notes(check)
    assert "by 31\N{NO-BREAK SPACE}% of their norm" in note
    assert "The median over these words is 0.4\N{NO-BREAK SPACE}%: in bfloat16" in note


def test_a_mask_that_matters_is_a_warning() -> None:
    (warning,) = batch_warnings(checked(FIRST, mask_difference=0.3))
    assert warning.startswith("An attention mask that hides nothing changes this model’s hidden states by 30")


@pytest.mark.parametrize(
    ("difference", "text"),
    [(0.0, "0"), (4e-6, "0.0004"), (1.2e-7, "0.00001"), (0.0093, "0.9"), (0.012, "1"), (1.4767, "148")],
)
def test_small_differences_keep_a_digit(difference: float, text: str) -> None:
    assert relative(difference) == f"{text}\N{NO-BREAK SPACE}%"
