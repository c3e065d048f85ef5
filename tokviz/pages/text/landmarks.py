"""A vocabulary's landmarks: words of the author's, of which a model may have no token."""

from __future__ import annotations

from dataclasses import replace

from tokviz.records import Category, Report, Tokenization, WordList


def without_token(words: WordList, tokenization: Tokenization) -> tuple[str, ...]:
    """The landmarks that no token of this vocabulary stands for, so that they are not marked; none in a list of words."""
    if words.vocabulary is None:
        return ()
    landmarks = tuple(dict.fromkeys(word for category in words.categories for word in category.words))
    rows = words.of(tokenization).rows(landmarks)
    return tuple(word for word, row in zip(landmarks, rows, strict=True) if row is None)


def missing(report: Report) -> tuple[tuple[str, ...], bool]:
    """The landmarks that no model has, and whether a model lacks any other."""
    captured = [context.states.tokenization for model in report.models for context in model.contexts]
    lacking = [without_token(report.words, tokenization) for tokenization in captured]
    nowhere = [word for word in (lacking or [()])[0] if all(word in each for each in lacking)]
    return tuple(nowhere), any(set(each) - set(nowhere) for each in lacking)


def marked(report: Report) -> tuple[Category, ...]:
    """The categories with the words that a model has, without those of which it has none; a list's as they are."""
    nowhere, _ = missing(report)
    left = (
        replace(each, words=tuple(word for word in each.words if word not in nowhere))
        for each in report.words.categories
    )
    return tuple(each for each in left if each.words)
