"""The profile that the compare page opens with: what it says is what the records give."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import families
import profile_claims
import pytest
import random_profile
from claims import SCORE, FalseClaim, plain
from hypothesis import given, settings
from hypothesis import strategies as st
from narrow import present
from related_fixture import CONFIG

from tokviz.config import load
from tokviz.pages.model.profile import profile_view
from tokviz.pages.model.profile_found import compared
from tokviz.pages.model.profile_sentences import sentences
from tokviz.pages.model.profile_tables import files
from tokviz.records import Report
from tokviz.run import pipeline
from tokviz.run.plan.options import Options
from tokviz.run.publishing import site
from tokviz.run.work.progress import Quiet

PAGE = "compare/index.html"


@pytest.mark.slow
@settings(max_examples=300)
@given(seed=st.integers(0, 2**32 - 1))
def test_whatever_the_numbers_the_profile_says_no_other(seed: int) -> None:
    report = random_profile.report(seed)
    if view := profile_view(report, PAGE):
        profile_claims.check_profile(view, report)
    else:
        assert all(context.profile is None for model in report.models for context in model.contexts)
    assert set(files(report)) <= {"data/profile.csv", "data/differences.csv"}


@pytest.mark.slow
def test_what_is_said_of_eight_models_is_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    families_of = ("llama", "gpt2", "gpt_neox", "qwen3", "bert", "gemma3", "mistral", "opt")
    models = [f'[[models]]\nsource = "{families.build(name, tmp_path / name)}"\n' for name in families_of]
    (tmp_path / "report.toml").write_text('read = "first"\n' + "".join(models) + CONFIG, encoding="utf-8")
    reports: list[Report] = []
    written = site.files

    def seen(report: Report, *others: Any) -> Any:
        reports.append(report)
        return written(report, *others)

    monkeypatch.setattr(site, "files", seen)
    options = Options(base=tmp_path, output=tmp_path / "site", cache=tmp_path / "cache", forms=("wide",), jobs=1)
    pipeline.run(load(tmp_path / "report.toml"), options, Quiet())
    [report] = reports
    assert [len(model.contexts) for model in report.models] == [1] * len(families_of)
    assert len(profile_claims.numbers(report, "alone").models) == len(families_of)
    profile_claims.check_profile(present(profile_view(report, PAGE)), report)


def test_a_false_sentence_is_told_from_a_true_one() -> None:
    """Another number, the models the other way round, another measure: of each kind of sentence one is changed."""
    n_changed = 0
    for seed in range(60):
        report = random_profile.report(seed)
        for found, context in zip(compared(report), _measured_contexts(report), strict=True):
            numbers = profile_claims.numbers(report, context)
            said = [plain(each) for each in sentences(found)]
            for index, sentence in enumerate(said):
                for changed in _changed(sentence, numbers.names):
                    with pytest.raises((FalseClaim, StopIteration, ValueError)):
                        profile_claims.check_sentences([*said[:index], changed, *said[index + 1 :]], numbers)
                    n_changed += 1
    assert n_changed > 200


def _measured_contexts(report: Report) -> list[str]:
    return [each.name for each in random_profile.CONTEXTS if profile_claims.numbers(report, each.name).models]


def _changed(sentence: str, names: list[str]) -> Iterator[str]:
    if number := re.search(SCORE, sentence):
        other = f"{float(number[0].replace('−', '-')) + 0.37:.2f}"
        yield f"{sentence[: number.start()]}{other}{sentence[number.end() :]}"
    if ahead := re.fullmatch(r"(.+) is further above chance than (.+?) in (.+)", sentence):
        yield f"{ahead[2]} is further above chance than {ahead[1]} in {ahead[3]}"
    if "these two are shown" in sentence:
        yield sentence.replace("these two are shown", "these two aren’t shown")
    if count := re.search(r"the other (\d+) pair", sentence):
        yield sentence.replace(f"other {count[1]} ", f"other {int(count[1]) + 1} ")
    if sentence.startswith("Not shown to be above chance"):
        yield "All values are shown to be above chance."
    if sentence.startswith("No two models are shown to differ in "):
        yield sentence.replace(
            "No two models are shown to differ in", "Not compared, as the models share too few words or have no value:"
        )
    if len(names) == 2 and sentence.startswith("No difference is shown in "):
        yield sentence.replace("No difference is shown in ", f"{names[0]} is further above chance than {names[1]} in ")
