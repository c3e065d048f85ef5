"""What each layer would say, from Python: fitted once, read of every capture of the model, and one line where there is none."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from families import Tiny

import tokviz
from tokviz import config as configuration
from tokviz.errors import TokvizError
from tokviz.notebook import LensReading
from tokviz.run import dry_run
from tokviz.run.plan.options import Options

WORDS = {
    "tints": ["blue", "gray", "teal", "lime", "gold", "rose"],
    "mammals": ["bear", "lion", "wolf", "goat", "deer", "lynx"],
}
CONTEXTS = {"alone": " {word}", "sentence": ["The word is {word}", "I saw {word}"]}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a tiny decoder, an encoder and a cache."""
    folder = tmp_path_factory.mktemp("lens")
    for name in ("llama", "bert"):
        tiny.copy(name, folder / name)
    return folder


@pytest.fixture(scope="module")
def captures(folder: Path) -> dict[str, tokviz.Capture]:
    return tokviz.study(folder / "llama", WORDS, CONTEXTS, cache=folder / ".cache", quiet=True, name="Tiny")["Tiny"]


@pytest.fixture(scope="module")
def read(captures: dict[str, tokviz.Capture]) -> LensReading:
    return captures["alone"].lens()


def planned(folder: Path) -> list[str]:
    """The line of ``--dry-run`` about the lens, of a report of the same."""
    contexts = [
        {"name": name, **({"template": each} if isinstance(each, str) else {"templates": each})}
        for name, each in CONTEXTS.items()
    ]
    values = {
        "models": [{"source": str(folder / "llama"), "name": "Tiny"}],
        "words": WORDS,
        "contexts": contexts,
        "lens": True,
    }
    config = configuration.validated(values, folder / "report.toml")
    options = Options(base=folder, output=folder / "site", cache=folder / ".cache")
    return [line.strip() for line in dry_run.describe(config, options).lines if "fit the lens" in line]


def test_a_dry_run_says_what_a_fit_takes(folder: Path, tmp_path: Path) -> None:
    """Before the capture, before the fit, and after it."""
    shutil.copytree(folder / "llama", tmp_path / "llama", copy_function=shutil.copy2)
    plans = [planned(tmp_path)]
    study = tokviz.study(tmp_path / "llama", WORDS, CONTEXTS, cache=tmp_path / ".cache", quiet=True, name="Tiny")
    plans.append(planned(tmp_path))
    study["Tiny"]["alone"].lens()
    plans.append(planned(tmp_path))
    line = "fit the lens in {} backward passes of 4 × 64 tokens, then measure"
    first_tokens = {word[0] for words in WORDS.values() for word in words}  # a token per letter
    assert plans[0] == [line.format(f"at most {2 * 8 + 2 * 12}")]
    assert plans[1] == [line.format(2 * 8 + len(first_tokens))]
    assert plans[2] == []


def test_it_says_what_was_measured(captures: dict[str, tokviz.Capture], read: LensReading) -> None:
    n_depths = len(captures["alone"])
    assert repr(read).splitlines()[0] == "Tiny, alone: what each layer would say of 12 words"
    assert read.named is not None
    assert read.own is not None
    _, named, own = repr(read).splitlines()
    # Exchanged names can't tell two categories from chance, whatever shuffled words can.
    assert read.named.claim.can_be_tested
    assert not read.named.can_be_tested
    value, chance = read.named.value, read.named.null_mean
    assert named == (
        f"  category named: {value[0]:.2f} at the embedding (chance {chance[0]:.2f}), {value[-1]:.2f} at layer 2 "
        f"(chance {chance[-1]:.2f}); can’t be tested with these words"
    )
    assert own.endswith(f"announced at {int(read.own.holds.sum())} of {n_depths} depths")
    for each in (read.named, read.own):
        assert each.value.shape == each.null_mean.shape == each.agreement.shape == each.claim.holds.shape == (n_depths,)
        assert len(repr(each)) < 200
    assert read.named.null_mean == pytest.approx(0.5, abs=0.15)
    assert read.untrained is None
    assert read.relations == {}
    table = captures["alone"].to_pandas("lens")
    assert table[table["kind"] == "category"]["value"].tolist() == pytest.approx(read.named.value.tolist(), rel=1e-5)


def test_what_scores_highest_is_told_by_word_and_depth(read: LensReading) -> None:
    last = read.says("gold")
    assert set(last) == {"Tints", "Mammals"}
    assert read.says("gold", "layer 2") == last
    words = read.says("blue", 0, of="words")
    assert len(words) == 3
    assert set(words) <= {word for each in WORDS.values() for word in each}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("rosy",), "word: expected one that is read, got 'rosy'; did you mean 'rose'"),
        (("gold", 9), "depth: expected a depth from -4 to 3"),
        (("gold", "layer 9"), "depth: expected one of embedding, layer 0"),
        (("gold", 0, "letters"), "of: expected one of categories, words"),
    ],
)
def test_a_mistake_is_one_line(read: LensReading, asked: tuple[str, ...], said: str) -> None:
    with pytest.raises(TokvizError) as caught:
        read.says(*asked)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (("tints", "trees"), "what Tints and Trees are read as begins with the same token"),
        (("tints", "\N{SNOWMAN}"), "the tokenizer doesn’t know what \N{SNOWMAN} is read as"),
    ],
)
def test_it_says_why_categories_are_not_read(folder: Path, keys: tuple[str, str], said: str) -> None:
    words = dict(zip(keys, WORDS.values(), strict=True))
    contexts = {"alone": " {word}"}
    study = tokviz.study(folder / "llama", words, contexts, cache=folder / ".cache", quiet=True, name="Tiny")
    read = study["Tiny"]["alone"].lens()
    assert read.named is None
    assert repr(read).splitlines()[1] == f"  Categories aren’t read: {said} (reads_as in the configuration)."
    with pytest.raises(TokvizError, match=f"of: expected what is read of this model, got categories: .*{said}"):
        read.says("blue")


def test_it_is_fitted_once(
    captures: dict[str, tokviz.Capture], read: LensReading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokviz.models.load", lambda *_: pytest.fail("loaded again"))
    again = pickle.loads(pickle.dumps(captures["alone"])).lens()
    np.testing.assert_array_equal(again.named.value, read.named and read.named.value)
    sentence = captures["sentence"].lens()
    assert sentence.named is not None
    assert sentence.named.templates is not None
    first = captures["sentence"].templates["The word is {word}"].lens()
    assert first.named is not None
    np.testing.assert_array_equal(first.named.value, sentence.named.templates[0])


def test_it_reads_what_neurons_do(captures: dict[str, tokviz.Capture], read: LensReading) -> None:
    pushed = captures["alone"].without([3, 7], layer=1, value=50).lens()
    assert pushed.own is not None
    assert read.own is not None
    np.testing.assert_array_equal(pushed.own.value[:2], read.own.value[:2])
    assert repr(pushed).startswith("Tiny, alone, neurons 3 and 7 of layer 1 set to 50.0: ")


def test_where_there_is_none_one_line_says_why(folder: Path, tmp_path: Path) -> None:
    encoder = tokviz.study(folder / "bert", WORDS, cache=tmp_path, quiet=True, name="Encoder")["Encoder"]["alone"]
    given = tokviz.from_arrays(np.random.default_rng(0).normal(size=(3, 12, 8)), WORDS, cache=tmp_path, quiet=True)
    for capture, said in (
        (encoder, "lens: the model is not a decoder"),
        (
            given["Given states"]["given"],
            "lens: expected a model whose layers can be read, but these states were given as numbers",
        ),
    ):
        with pytest.raises(TokvizError) as caught:
            capture.lens()
        assert str(caught.value) == said
