"""Which models are before and after: those of one form, or whom the configuration names, and what is said where they don't fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import making
import pytest

from tokviz.config import ReportConfig
from tokviz.records import HiddenStates
from tokviz.run.plan.inputs import Inputs
from tokviz.run.plan.options import Options
from tokviz.run.plan.pairs import Comparison, compare, misfit, of_one_form
from tokviz.run.plan.related import Related
from tokviz.run.plan.report import Plan
from tokviz.run.plan.steps import Steps
from tokviz.run.store.artefacts import Store

CONTEXTS = ("alone", "sentence")


def states(
    n_depths: int = 3, width: int = 8, seed: int = 0, context: str = "alone", tokens: int = 0, embedding_width: int = 8
) -> HiddenStates:
    """``tokens``: what is added to the number of each."""
    made = making.hidden_states(making.depths(n_depths, width=width, seed=seed), context=context)
    words = tuple(
        replace(each, word=word, ids=tuple(tokens + row for row, _ in enumerate(each.ids)))
        for each, word in zip(made.tokenization.words, making.WORDS.words, strict=True)
    )
    return replace(
        made,
        card=replace(made.card, width=width, embedding_width=embedding_width),
        tokenization=replace(made.tokenization, words=words),
    )


def captured(*contexts: HiddenStates) -> list[Inputs]:
    related = Related(pairs=(), orders=())
    return [Inputs(states=each, ordinary=None, words=making.WORDS, related=related, measured=()) for each in contexts]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr("tokviz.models.identity", lambda *_: None)
    return Store(tmp_path)


def compared(store: Store, models: Mapping[str, Sequence[Inputs]], **asked: Any) -> list[Comparison]:
    """``models``: by their names, of which slugs are those in small letters."""
    report = ReportConfig.model_validate(
        {
            "words": {category.key: list(category.words) for category in making.WORDS.categories},
            "models": [{"source": f"org/{name.lower()}", "name": name} for name in models],
            "contexts": [{"name": name, "template": f"{name} {{word}}"} for name in CONTEXTS],
            **asked,
        }
    )
    plan = Plan(report, Options(base=Path(), output=Path("site"), cache=store.root), store)
    return plan.comparisons({name.lower(): each for name, each in models.items()})


def changes(found: Sequence[Comparison]) -> list[tuple[str, str]]:
    return [each.slugs for each in found if each.is_change]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (states(n_depths=4), "expected the 2 layers of Base, got 3"),
        (states(width=6), "expected the 8 dimensions of Base, got 6"),
        (states(embedding_width=4), "expected the 8 dimensions at the embedding of Base, got 4"),
        (states(tokens=1), "expected the tokens of Base, got others for "),
        (states(seed=1), ""),
    ],
)
def test_what_does_not_fit_is_named(other: HiddenStates, said: str) -> None:
    for before, after in (((states(),), (other,)), ((states(), states()), (states(), other))):
        found = misfit(after, before, "Base") or ""
        assert found.startswith(said)
        assert bool(found) == bool(said)


def test_of_vocabularies_of_several_sizes_one_line_says_so() -> None:
    whole, tokenization = states(), states().tokenization
    fewer = replace(
        whole,
        states=[each[:-1] for each in whole.states],
        position0_values=whole.position0_values[:, :-1],
        position0_dimensions=whole.position0_dimensions[:, :-1],
        tokenization=replace(tokenization, words=tokenization.words[:-1]),
    )
    n = len(tokenization.words)
    assert (
        misfit((fewer,), (whole,), "Base")
        == f"expected the {n} words of Base, got {n - 1} (name one tokenizer for all)"
    )


def test_each_is_held_against_the_first_of_its_form() -> None:
    every = {"a": states(), "b": states(width=6), "c": states(seed=1), "d": states(width=6), "e": states(tokens=5)}
    assert list(of_one_form({slug: captured(each) for slug, each in every.items()})) == [("a", "c"), ("b", "d")]


def test_one_context_in_which_they_have_the_same_tokens_is_enough() -> None:
    sentence = states(context="sentence")
    every = {
        "both": [states(), sentence],
        "other alone": [states(tokens=3), sentence],
        "sentence": [sentence],
        "neither": [states(tokens=4), states(context="sentence", tokens=4)],
        "third": [states(context="third")],
    }
    assert list(of_one_form({slug: captured(*each) for slug, each in every.items()})) == [
        ("both", "other alone"),
        ("both", "sentence"),
    ]


def test_models_of_one_form_are_before_and_after_in_each_context_that_both_have(store: Store) -> None:
    sentence = states(context="sentence")
    models = {
        "Base": captured(states(), sentence),
        "Tuned": captured(states(seed=1), sentence),
        "Third": captured(states()),
    }
    found = compared(store, models)
    assert changes(found) == [("base", "tuned"), ("base", "tuned"), ("base", "third")]
    assert [each.context for each in found if each.is_change] == ["alone", "sentence", "alone"]
    # All others are compared as before.
    assert [each.slugs for each in found if not each.is_change] == [("tuned", "third")]
    assert not any(each.misfit for each in found)


def test_whom_the_configuration_names_is_compared_once_in_that_order(store: Store) -> None:
    models = {name: captured(states(seed=seed)) for seed, name in enumerate(("Base", "Tuned", "Third"))}
    found = compared(store, models, compare=[["Base", "Tuned"]], changes=[["Tuned", "Base"], ["Third", "Tuned"]])
    assert changes(found) == [("tuned", "base"), ("third", "tuned")]
    assert [each.slugs for each in found] == [("tuned", "base"), ("base", "third"), ("third", "tuned")]
    assert [each.slugs for each in found if each.in_detail] == [("tuned", "base")]


def test_none_is_asked_for(store: Store) -> None:
    found = compared(store, {"Base": captured(states()), "Tuned": captured(states(seed=1))}, changes=[])
    assert [each.slugs for each in found] == [("base", "tuned")]
    assert changes(found) == []


def test_those_that_do_not_fit_are_compared_and_one_line_says_why_no_more(store: Store) -> None:
    deeper = making.put(store, "deeper", making.depths(4), card=making.card(n_layers=3))
    models = {"Base": captured(making.put(store, "base")), "Deeper": captured(deeper)}
    found = compared(store, models, changes=[["Base", "Deeper"]])
    assert changes(found) == []
    made = compare(found, Steps(store), None)
    assert [each.failure for each in made.failed] == [
        "expected the 2 layers of Base, got 3; remove the pair from changes"
    ]
    assert [(each.model_a, each.model_b) for each in made.failed] == [("base", "deeper")]
    assert [each.changed for each in made.differences] == [None]
    assert len(made.similarities) == 1


@pytest.mark.parametrize("asked", [{}, {"changes": [["Base", "Tuned"]]}], ids=["found", "named"])
@pytest.mark.parametrize("others", [("alone",), ("sentence",)])
def test_models_need_not_fit_in_every_context(store: Store, others: tuple[str, ...], asked: dict[str, Any]) -> None:
    models = {
        "Base": captured(*(states(context=each) for each in CONTEXTS)),
        "Tuned": captured(*(states(seed=1, context=each, tokens=3 * (each in others)) for each in CONTEXTS)),
    }
    found = compared(store, models, **asked)
    assert [(each.context, each.is_change, each.misfit) for each in found] == [
        (each, each not in others, None) for each in CONTEXTS
    ]


def test_other_tokens_in_a_further_sentence_do_not_fit_either(store: Store) -> None:
    models = {"Base": captured(states()), "Tuned": captured(states(seed=1))}
    assert changes(compared(store, models)) == [("base", "tuned")]
    for name, tokens in (("Base", 0), ("Tuned", 3)):
        models[name] = [replace(each, further=(states(tokens=tokens),)) for each in models[name]]
    assert changes(compared(store, models)) == []


def test_of_many_models_each_is_held_against_the_first_of_its_form_only(store: Store) -> None:
    models = {
        f"M{number}": captured(states(seed=number, width=6 + 2 * (number % 2), embedding_width=8))
        for number in range(10)
    }
    found = compared(store, models)
    assert changes(found) == [
        *(("m0", f"m{number}") for number in range(2, 10, 2)),
        *(("m1", f"m{number}") for number in range(3, 10, 2)),
    ]
    assert {each.slugs for each in found if not each.is_change} == {("m0", f"m{number}") for number in range(1, 10, 2)}


def test_a_model_that_failed_is_before_and_after_none(store: Store) -> None:
    models = {"Base": [], "Tuned": captured(states()), "Third": captured(states(seed=1))}
    assert changes(compared(store, models)) == [("tuned", "third")]
    assert changes(compared(store, models, changes=[["Base", "Tuned"], ["Third", "Tuned"]])) == [("third", "tuned")]
