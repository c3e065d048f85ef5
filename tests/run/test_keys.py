"""Nothing stored is served after the code that made it has changed."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import making
import pytest
from command import A_DATE, ROOT, done, generate_blank, hashes, python
from families import Tiny

from tokviz.config import ModelConfig
from tokviz.records import HiddenStates
from tokviz.run.plan import captures
from tokviz.run.plan.inputs import Inputs
from tokviz.run.plan.pairs import Comparer, Comparison
from tokviz.run.plan.related import Related
from tokviz.run.store import keys

CONFIG = """
projections = ["standardized"]
plate_size = [750, 600]
[words]
people = ["James", "Mary", "doctor", "nurse"]
times = ["January", "February", "Tuesday"]
rare = ["firefighter"]
[[contexts]]
name = "alone"
label = "\u05dc\u05d1\u05d3"
template = " {word}"
[[models]]
source = "qwen3"
name = "Tiny"
"""
CHANGES = {
    "measure": (
        "measure/pca.py",
        "coordinates[depth] = previous = own * signs",
        "coordinates[depth] = previous = 3 * own * signs",
    ),
    "draw": ("draw/style.py", 'QUIET_INK = "#6b6b6b"', 'QUIET_INK = "#8b6b6b"'),
    "records": (
        "records/pictures.py",
        "return np.asarray(self.several_tokens | ~self.reference)",
        "return ~(self.several_tokens | ~self.reference)",
    ),
    "text": ("text.py", 'return f"{ISOLATE}{text}{END}" if turns else text', "return text[::-1] if turns else text"),
}
"""Per folder or file one change that readers of the site would see."""


def generate_there(folder: Path, *arguments: str) -> str:
    """What the command of the copy in ``folder`` prints."""
    return done(python("generate.py", *arguments, folder=folder, PYTHONPATH="", **A_DATE))


@pytest.fixture(scope="module")
def project(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package beside a report that it has made."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("tokviz", "templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "generate.py", folder)
    tiny.copy("qwen3", folder / "qwen3")
    (folder / "report.toml").write_text(CONFIG, encoding="utf-8")
    done(generate_blank(folder))  # by the same code, which is loaded already
    return folder


@pytest.mark.process
def test_with_the_same_code_all_is_up_to_date(project: Path) -> None:
    assert "standardized: up to date" in generate_there(project, "--dry-run")


@pytest.mark.thorough
@pytest.mark.process
@pytest.mark.parametrize("changed", [*CHANGES][1:])  # of the first, the next report is made
def test_after_a_visible_change_in_the_code_plates_are_due(project: Path, tmp_path: Path, changed: str) -> None:
    copy = _with_a_change(project, tmp_path / "copy", changed)
    due = generate_there(copy, "--dry-run")
    assert "standardized: up to date" not in due
    assert "capture (" not in due, "states don't depend on the code"


@pytest.mark.thorough
@pytest.mark.process
def test_a_visible_change_in_the_code_is_seen_in_the_next_report(project: Path, tmp_path: Path) -> None:
    copy = _with_a_change(project, tmp_path / "copy", "measure")
    captured = hashes(copy / ".cache" / "states")
    before = hashes(copy / "site" / "images")
    generate_there(copy, "--jobs", "1")
    after = hashes(copy / "site" / "images")
    assert after.keys() == before.keys()
    plates = [path for path in before if "__model.layers" in path]
    assert plates
    assert all(after[path] != before[path] for path in plates)
    assert hashes(copy / ".cache" / "states") == captured, "states don't depend on the code"


def _with_a_change(project: Path, copy: Path, changed: str) -> Path:
    shutil.copytree(project, copy)
    path, old, new = CHANGES[changed]
    file = copy / "tokviz" / path
    code = file.read_text(encoding="utf-8")
    assert code.count(old) == 1
    file.write_text(code.replace(old, new), encoding="utf-8")
    return copy


def inputs_of(states: HiddenStates, ordinary: HiddenStates | None = None) -> Inputs:
    return Inputs(
        states=states, ordinary=ordinary, words=making.WORDS, related=Related(pairs=(), orders=()), measured=()
    )


def test_another_version_of_a_library_makes_again_what_it_makes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from tokviz.run.store.artefacts import Store

    model = ModelConfig(source="org/tiny")
    states = making.put(Store(tmp_path))

    def all_keys() -> dict[str, str]:
        keys.digest_of_files.cache_clear()
        made = inputs_of(states)
        compared = Comparison(slugs=("a", "b"), inputs=(made, made), in_detail=False, comparer=Comparer())
        return {
            "states": keys.states_key(model, making.ALONE, making.WORDS, "last"),
            "projection": captures.projection(made, "standardized").key,
            **{name: step.key for name, step in captures.measures(made).items()},
            **{step.what: step.key for step in compared.steps},
        }

    before = all_keys()
    monkeypatch.setattr(keys, "version", lambda package: "0" if package == "scipy" else version(package))
    after = all_keys()
    keys.digest_of_files.cache_clear()
    assert [name for name in before if before[name] == after[name]] == ["states"]


def test_a_tokenizer_from_elsewhere_gives_other_states() -> None:
    def key(tokenizer: str | None) -> str:
        return keys.states_key(ModelConfig(source="org/m", tokenizer=tokenizer), making.ALONE, making.WORDS, "last")

    assert len({key(None), key("org/a"), key("org/b")}) == 3


def test_a_renamed_context_is_measured_again_where_its_name_is_recorded(tmp_path: Path) -> None:

    from tokviz.run.store.artefacts import Store

    states = making.put(Store(tmp_path))
    renamed = replace(states, context=replace(states.context, name="by itself"))
    assert captures.geometry(inputs_of(states, states)).key != captures.geometry(inputs_of(states, renamed)).key


def test_states_have_another_key_for_each_thing_that_they_depend_on() -> None:
    """And the same one for what only names or describes them."""
    model, context, words = ModelConfig(source="org/m"), making.ALONE, making.WORDS
    used = [
        keys.states_key(model, context, words, "last"),
        keys.states_key(ModelConfig(source="org/n"), context, words, "last"),
        keys.states_key(ModelConfig(source="org/m", revision="v2"), context, words, "last"),
        keys.states_key(ModelConfig(source="org/m", dtype="bfloat16"), context, words, "last"),
        keys.states_key(ModelConfig(source="org/m", tokenizer="org/t"), context, words, "last"),
        keys.states_key(model, replace(context, template="A {word}"), words, "last"),
        keys.states_key(model, context, replace(words, categories=words.categories[:1]), "last"),
        keys.states_key(model, context, words, "first"),
    ]
    assert len(set(used)) == len(used)
    renamed = ModelConfig(source="org/m", name="Another", note="Words on it.")
    assert keys.states_key(renamed, replace(context, label="by themselves"), words, "last") == used[0]


WEAK = "files:" + "a" * 64


@pytest.mark.parametrize(
    ("identity", "is_of_the_source"),
    [
        (WEAK, True),
        ("sha256:" + "a" * 64, False),
        ("sha256:" + "a" * 64 + " settings:" + "b" * 64, False),
        ("commit:" + "a" * 40, False),
        ("memory:" + "a" * 64, False),
        ("commit:" + "a" * 40 + " tokenizer " + "b" * 40, False),
        ("commit:" + "a" * 40 + " tokenizer " + "b" * 64, True),
        (WEAK + " tokenizer " + "b" * 40, True),
        ("unknown", True),
    ],
)
def test_folders_of_the_same_names_sizes_and_times_share_no_lens_and_no_loss(
    identity: str, is_of_the_source: bool
) -> None:
    """What has a checksum or a commit is the same wherever it lies, and keeps its keys."""
    card = making.card(identity=identity)
    models = [ModelConfig(source="a"), ModelConfig(source="b"), ModelConfig(source="a", tokenizer="c")]
    found = [keys.of_weights(model, card, "text") for model in models]
    assert len({keys.digest(each) for each in found}) == (3 if is_of_the_source else 1)
    if not is_of_the_source:
        digest = hashlib.sha256(b"text").hexdigest()
        assert found[0] == {"identity": identity, "dtype": card.dtype, "text": digest}
