"""True sentences that a first page opens with, and how each is made false."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import headline_claims
from false_claims import Case
from false_writers import broken, by_an_expert, not_known_to_be_massive, only_grown, without_interventions
from narrow import present
from report_fixture import ALONE, SENTENCE, model_report, sample_report, word_list

from tokviz.pages.first.choice import Choice, choice
from tokviz.pages.first.row_sentences import row_sentences
from tokviz.pages.model.headline import headline
from tokviz.records import ModelReport, Report


def of(model: ModelReport) -> Report:
    return dataclasses.replace(sample_report(), models=(model,))


def cases() -> Iterator[Case]:
    models = broken(), only_grown(), without_interventions(broken()), by_an_expert()
    tried, grown, untried, expert = map(of, models)
    calm = of(model_report("m", "M", 5, word_list(n_categories=2, n_words=3), (SENTENCE, ALONE), measured=True))
    for kind, report, pattern, replacement in (
        ("another layer", tried, "layer 11", "layer 12"),
        ("another number of neurons", tried, "two of", "three of"),
        ("of another number", tried, "1,536", "1,537"),
        ("another share of the variance", tried, r"99\.7", "99.6"),
        ("another share without", tried, r"it is 20\.0", "it is 20.1"),
        ("another model", grown, "of Smol-135M-Instruct", "of Smol-135M"),
        ("another norm before", grown, r"17\.1", "17.2"),
        ("another norm after", grown, "24,410", "24,411"),
        ("another norm without", grown, r"is 20\.0", "is 20.1"),
        ("raised, where nothing was tried", untried, r"write .*", "raise the words’ mean norm from 17.1 to 24,410."),
        ("another share", untried, r"99\.8", "99.9"),
        ("another dimension", untried, "dimension 12", "dimension 45"),
        ("another expert", expert, "expert 5", "expert 6"),
        ("more words than are read at a glance", tried, "neurons", "neurons, of all the many that there are,"),
        ("another share of neighbors", calm, r"\d+ % of", "3 % of"),
        ("another chance", calm, r"chance, \d+", "chance, 1"),
        ("another depth", calm, r"(the embedding|layer \d)", "layer 4"),
        ("that none hold", calm, ".*", headline_claims.NONE_HOLD),
        ("that nothing is measured", calm, ".*", headline_claims.NOTHING),
    ):

        def check(text: str, report: Report = report) -> None:
            headline_claims.check_headline(text, report)

        yield Case(f"first page: {kind}", present(headline(report)).sentence, pattern, replacement, check)
    jumping = of(without_interventions(not_known_to_be_massive(broken())))
    for kind, report, pattern, replacement in (
        ("another share of the variance", tried, r"99\.7", "99.6"),
        ("another row's share", tried, "Alone:", "In a sentence:"),
        ("another layer", tried, "layer 11", "layer 10"),
        ("another share of neighbors", tried, r"\d+ % of a", "3 % of a"),
        ("another chance", tried, r"chance: \d+", "chance: 2"),
        ("another norm", grown, r"norm is [\d,]+", "norm is 24,411"),
        ("another depth", calm, "at layer 4", "at layer 2"),
        ("another norm after a jump", jumping, r"to 24,410", "to 24,411"),
        ("another layer of a jump", jumping, r"At layer 11", "At layer 10"),
        ("fewer neighbors", calm, r"(layer \d), \d+ %", r"\1, 3 %"),
    ):
        chosen = present(choice(report))
        first = row_sentences(present(headline(report)), chosen)[0]

        def check_first(text: str, chosen: Choice = chosen) -> None:
            headline_claims.check_rows([text], chosen)

        yield Case(f"first page, a row: {kind}", first, pattern, replacement, check_first)
