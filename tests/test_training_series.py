"""The example that trains a small model: its checkpoints, and what the model has learned at the first and the last of them."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import training_series
import transformers
from training_series import CONTEXTS, WORDS, TrainingSeries

import tokviz
from tokviz.measure.distances import cosine_distances
from tokviz.measure.spaces import standardized
from tokviz.notebook import Capture

pytestmark = [pytest.mark.slow, pytest.mark.thorough]


@pytest.fixture(scope="module")
def captures(tiny_series: TrainingSeries, tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Capture]]:
    """By step, of the first and the last one, and by context."""
    ends = (tiny_series.steps[0], tiny_series.steps[-1])
    places = [tiny_series.checkpoint(step) for step in ends]
    study = tokviz.study(places, WORDS, CONTEXTS, cache=tmp_path_factory.mktemp("cache"), quiet=True)
    return {step: dict(contexts) for step, contexts in zip(ends, study.values(), strict=True)}


def n_nearer_to_colors(capture: Capture, depth: int) -> int:
    """How many of the words that are colors or girls' names have more colors than girls' names among their 5 nearest of both."""
    of_word = capture.y
    distances = cosine_distances(standardized(capture[depth], capture.states.tokenization.reference))
    clear = np.isin(of_word, ["colors", "girls"])
    nearest = np.argsort(distances[of_word == "colors_or_girls"][:, clear], axis=1)[:, :5]
    return int(((of_word[clear][nearest] == "colors").sum(axis=1) > 2).sum())


def test_every_checkpoint_is_a_model_with_its_tokenizer(tiny_series: TrainingSeries) -> None:
    all_words = [word for words in WORDS.values() for word in words]
    assert tiny_series.steps == (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300)
    weights = []
    for step in tiny_series.steps:
        model = transformers.AutoModelForCausalLM.from_pretrained(tiny_series.checkpoint(step))
        tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_series.checkpoint(step))
        assert {len(tokenizer.encode(f" {word}")) for word in all_words} == {1}
        assert len(tokenizer) == model.config.vocab_size
        weights.append(model.model.embed_tokens.weight.detach())
    assert all(not torch.equal(one, other) for one, other in itertools.pairwise(weights))


def test_a_shorter_training_has_the_same_first_steps(tiny_series: TrainingSeries, tmp_path: Path) -> None:
    training_series.train_into(tmp_path, n_steps=3)
    assert training_series.series_in(tmp_path).steps == (0, 1, 2, 3)
    for step in (0, 1, 2):
        for one in sorted(tiny_series.checkpoint(step).iterdir()):
            assert one.read_bytes() == (tmp_path / f"step-{step}" / one.name).read_bytes()


def test_categories_are_learned(captures: dict[int, dict[str, Capture]]) -> None:
    (_, first), (_, last) = captures.items()
    for name in CONTEXTS:
        before, after = first[name].measure().purity, last[name].measure().purity
        assert not before.above_chance.holds.any()
        assert np.nanmax(np.abs(before.value - before.null_mean) / before.null_spread) < 4
        assert after.above_chance.holds.all()
        assert after.value.max() > 0.6


def test_only_what_stands_before_them_tells_what_ambiguous_words_are(captures: dict[int, dict[str, Capture]]) -> None:
    last = captures[max(captures)]
    picture, school = ([n_nearer_to_colors(last[name], depth) for depth in range(3)] for name in ("picture", "school"))
    assert picture[0] == school[0], "the embedding knows nothing of the place"
    assert picture[-1] >= 8
    assert school[-1] <= 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--steps", "0"], "expected 1 or more"),
        (["--width", "100"], "--width: expected a multiple of 32, got 100"),
    ],
)
def test_a_wrong_size_is_told(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["train_tiny.py", str(tmp_path / "new"), *arguments])
    with pytest.raises(SystemExit):
        training_series.example().main()
    assert told in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_checkpoints_are_not_mixed_with_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.txt").write_text("mine")
    monkeypatch.setattr(sys, "argv", ["train_tiny.py", str(tmp_path)])
    with pytest.raises(SystemExit):
        training_series.example().main()
    assert "expected a new or empty folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["own.txt"]
