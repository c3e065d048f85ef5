"""The lens through the whole run: what is fitted, kept and made again, and what a model without one costs."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from command import done, generate_blank
from families import Tiny
from invoking import foreseen, run_in
from related_fixture import CONFIG, FIRST, SECOND
from tiny_tokenizers import whole_words

from tokviz.config import load
from tokviz.errors import DiskFullError
from tokviz.records import Directions, Lens
from tokviz.run import prune
from tokviz.run.kinds.lenses import Fit, Lenses, fit_lens
from tokviz.run.plan.options import Options
from tokviz.run.plan.report import Plan
from tokviz.run.store.artefacts import Store
from tokviz.run.store.locks import Locks
from tokviz.run.work.progress import reporter

pytestmark = pytest.mark.process


def write(folder: Path, lens: str = "lens = true\n", more: str = "") -> None:
    words = CONFIG.replace("second = ", '[words.second]\nreads_as = " is"\nwords = ')
    text = f'{lens}untrained = true\nread = "first"\nplate_size = [750, 600]\n{more}[[models]]\nsource = "./llama"\n{words}'
    (folder / "report.toml").write_text(text, encoding="utf-8")


def plan_of(folder: Path) -> Plan:
    options = Options(base=folder, output=folder / "site", cache=folder / ".cache")
    return Plan(load(folder / "report.toml"), options, Store(folder / ".cache"))


@pytest.fixture(scope="module")
def made(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a report of a tiny model, made without a lens at first."""
    folder = tmp_path_factory.mktemp("lens")
    tiny.copy("llama", folder / "llama")
    write(folder, "")
    done(generate_blank(folder))
    write(folder)
    assert "fit the lens" in foreseen(folder)
    assert "(1 new capture, 0 new images)" in done(generate_blank(folder))
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it, times included: a model's identity has them."""
    return Path(shutil.copytree(made, tmp_path / "lens"))


def lens_of(folder: Path) -> Lens:
    plan = plan_of(folder)
    (context,) = plan.models[0].contexts
    assert context.captured is not None
    found = plan.store.find(context.captured.measures["lens"].key, Lens)
    assert found is not None
    return found


def test_names_words_and_the_control_are_fitted_and_read(folder: Path) -> None:
    (context,) = plan_of(folder).models[0].contexts
    assert [each.what.kind for each in context.of(Lenses)] == ["names", "words", "random"]
    for each in context.of(Lenses):
        assert each.states is not None
        directions = Directions(states=each.states)
        one, other = directions.halves(directions.states.n_depths - 1)
        # At the end directions are the output matrix, whatever the text.
        np.testing.assert_allclose(one, other, atol=1e-6 * np.abs(one).max())
        assert not np.allclose(*directions.halves(1))
    found = lens_of(folder)
    assert found.named is not None
    assert found.untrained is not None
    assert found.own is not None
    assert np.isfinite([found.named.value, found.untrained, found.own.value]).all()


def test_nothing_is_fitted_again_and_prune_keeps_it(folder: Path) -> None:
    assert "lens" not in foreseen(folder)
    # Of two categories twice, and seven first tokens.
    assert "fit the lens in 39 backward passes" in foreseen(folder, "--force")
    states = len(list((folder / ".cache/states").iterdir()))
    options = Options(base=folder, output=folder / "site", cache=folder / ".cache")
    prune.prune(load(folder / "report.toml"), options, 0, Locks(waits=False), dry_run=False)
    assert len(list((folder / ".cache/states").iterdir())) == states


def test_a_word_that_is_added_costs_its_own_token_and_changes_no_other(folder: Path) -> None:
    before = {each.what.kind: each for each in plan_of(folder).models[0].contexts[0].of(Lenses)}["words"]
    assert before.states is not None
    old = arrays_of(Directions(states=before.states))
    text = (folder / "report.toml").read_text(encoding="utf-8")
    relations, mark, words = text.partition("[words")
    added = words.replace(f'"{SECOND[0]}"', f'"{SECOND[0]}", "Mary"')
    (folder / "report.toml").write_text(relations + mark + added, encoding="utf-8")
    assert "fit the lens in at most" in foreseen(folder), "it isn't known how it is cut"
    made = generate_blank(folder)
    assert made.returncode == 0, made.stderr
    assert made.stderr.count("fitting the lens, words") == 1
    assert "fitting the lens, categories" not in made.stderr
    after = {each.what.kind: each for each in plan_of(folder).models[0].contexts[0].of(Lenses)}["words"]
    assert after.states is not None
    assert {*before.what.ids} < {*after.what.ids}
    new, all_of_it = (arrays_of(Directions(states=after.states, wanted=each.what.ids)) for each in (before, after))
    assert all(map(np.array_equal, old, new))
    shutil.rmtree(folder / ".cache/states" / after.key)
    done(generate_blank(folder))
    anew = {each.what.kind: each for each in plan_of(folder).models[0].contexts[0].of(Lenses)}["words"]
    assert anew.states is not None
    assert all(map(np.array_equal, all_of_it, arrays_of(Directions(states=anew.states))))
    (folder / "report.toml").write_text(text, encoding="utf-8")
    assert "lens" not in foreseen(folder), "a report of fewer words finds its own among them"


def arrays_of(directions: Directions) -> list[np.ndarray]:
    return [directions.halves(depth) for depth in range(directions.states.n_depths)]


def test_another_text_is_fitted_anew_and_a_short_one_says_so(folder: Path) -> None:
    kept = {each.what.kind: each.key for each in plan_of(folder).models[0].contexts[0].of(Lenses)}
    (folder / "text.txt").write_text("red blue green " * 1000, encoding="utf-8")
    write(folder, "", '[lens]\ntext = "text.txt"\n')
    (context,) = plan_of(folder).models[0].contexts
    assert all(each.due for each in context.of(Lenses))
    assert all(each.key != kept[each.what.kind] for each in context.of(Lenses))
    (folder / "text.txt").write_text("red", encoding="utf-8")
    failed = run_in(folder)
    assert failed.exit_code == 1
    assert "lens.text" in failed.stderr


def test_a_models_own_table_has_priority(folder: Path) -> None:
    def asked(of_report: str, of_model: str) -> bool:
        text = f'{of_report}[[models]]\nsource = "./llama"\n{of_model}[words]\na = ["red", "blue"]\n'
        (folder / "other.toml").write_text(text, encoding="utf-8")
        config = load(folder / "other.toml")
        plan = Plan(
            config, Options(base=folder, output=folder / "site", cache=folder / "empty"), Store(folder / "empty")
        )
        return plan.models[0].request.asks(Lenses) is not None

    assert asked("lens = true\n", "")
    assert asked("", "lens = true\n")
    assert not asked("lens = true\n", "lens = false\n")
    assert not asked("", "")


def test_a_text_that_repeats_itself_fits_no_lens(folder: Path) -> None:
    (folder / "text.txt").write_text("red " * 12000, encoding="utf-8")
    write(folder, "", '[lens]\ntext = "text.txt"\n')
    made = generate_blank(folder, "--output", "repeated")
    assert made.returncode == 0, made.stderr
    assert made.stderr.count("no lens: passages of the text that it is fitted on have the same tokens") == 1


@pytest.mark.thorough
def test_names_that_the_tokenizer_doesnt_know_arent_read_and_a_text_of_few_tokens_says_how_many(
    llama: Path, tmp_path: Path
) -> None:
    known = [*FIRST, *SECOND]
    whole_words(known).save_pretrained(llama)
    text = " ".join(np.random.default_rng(0).choice(known, 2048))
    (tmp_path / "text.txt").write_text(" ".join(text.split()[:1700]), encoding="utf-8")
    write(tmp_path, "", '[lens]\ntext = "text.txt"\n')
    few = generate_blank(tmp_path)
    assert few.returncode == 0, few.stderr
    said = "no lens: lens.text: expected 32 passages of 64 tokens, got 26; take a longer text"
    assert few.stderr.count(said) == 1
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    made = generate_blank(tmp_path)
    assert made.returncode == 0, made.stderr
    said = "categories aren't read: its tokenizer doesn't know ' First'; set reads_as to other text"
    assert made.stderr.count(said) == 1
    found = lens_of(tmp_path)
    assert (found.names, found.named, found.top_names) == (("", "is"), None, None)
    assert found.own is not None


def test_an_encoder_has_none_and_says_why_once(tiny: Tiny, tmp_path: Path) -> None:
    tiny.copy("bert", tmp_path / "llama")
    write(tmp_path)
    made = generate_blank(tmp_path)
    assert made.returncode == 0, made.stderr
    assert made.stderr.count("no lens: the model is not a decoder") == 1
    assert lens_of(tmp_path).reason == "the model is not a decoder"
    assert "lens" not in foreseen(tmp_path)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), DiskFullError("no room")])
def test_what_may_go_well_next_time_is_not_kept_as_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: Any) -> None:
        raise error

    monkeypatch.setattr("tokviz.run.kinds.lenses._fit", fails)
    store = Store(tmp_path)
    fit = Fit(kind="names", names=(" a",), ids=(), key="0" * 32)
    with reporter(quiet=True) as progress, nullcontext() if "CUDA" in str(error) else pytest.raises(DiskFullError):
        fitted: Any = SimpleNamespace(ready=SimpleNamespace(name="Tiny", store=store, reporter=progress))
        fit_lens(fitted, [fit])
    assert store.failure(fit.key) is None
