"""The same work from Python: what a notebook sees, and that the example runs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import notebooks
import numpy as np
import pytest
import torch
import warm
from at_once import leave_pictures_blank
from command import done, python
from families import Tiny
from PIL import Image

import tokviz
from tokviz import config as configuration
from tokviz.errors import ConfigError, TokvizError
from tokviz.notebook import Capture
from tokviz.run import prune
from tokviz.run.plan.options import Options
from tokviz.run.store.locks import Locks

pytestmark = pytest.mark.thorough

Captures = dict[str, Capture]

ROOT = Path(__file__).parent.parent
NO_MAPPING: Any = ["red"]
NO_WORDS: Any = 3
WORDS = {"colors": ["red", "blue", "green", "pink", "brown"], "months": ["May", "June", "July", "March", "April"]}


@pytest.fixture(scope="module")
def model(tiny: Tiny) -> Path:
    return tiny("llama")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def captures(model: Path, cache: Path) -> Captures:
    contexts = {"alone": " {word}", "sentence": "The word is {word}"}
    return tokviz.study(model, WORDS, contexts, cache=cache, quiet=True, name="Tiny")["Tiny"]


def test_a_capture_says_what_it_is(captures: Captures) -> None:
    assert list(captures) == ["alone", "sentence"]
    n_layers = captures["alone"].states.n_depths - 1
    assert repr(captures["alone"]).startswith(f"Tiny, alone: 10 words, embedding and {n_layers} layers of ")
    assert "10 words" in repr(captures["alone"].states)


def test_records_print_in_a_few_lines(captures: Captures) -> None:
    for record in (captures["alone"].states, captures["alone"].project(), captures["alone"].measure()):
        assert "array(" not in repr(record)
        assert len(repr(record).splitlines()) < 20
    assert "of them reference words; PC1 holds" in repr(captures["sentence"].project("centered"))
    assert "stages from depths 0" in repr(captures["sentence"].measure())
    assert captures["sentence"].stages()[0].startswith("embedding")


def test_projections_are_the_words_in_two_dimensions(captures: Captures) -> None:
    projection = captures["alone"].project("centered")
    assert projection.coordinates.shape == (captures["alone"].states.n_depths, 10, 2)
    assert np.isfinite(projection.coordinates).all()


def test_a_plate_is_a_picture_and_a_figure(captures: Captures) -> None:
    plate = captures["alone"].draw(0)
    png, size = plate._repr_png_()
    with Image.open(BytesIO(png)) as image:
        assert (image.format, image.size) == ("PNG", (1500, 1200))
    assert size == {"width": 750, "height": 600}
    assert "layer 0" in repr(plate)
    assert [round(inches * plate.figure.dpi) for inches in plate.figure.get_size_inches()] == [1500, 1200]
    assert "embedding" in repr(captures["alone"].draw())
    assert "all layers" in repr(captures["alone"].draw_grid())


def test_a_capture_is_like_itself(captures: Captures) -> None:
    shared = captures["alone"].compare(captures["alone"]).shared
    assert np.diagonal(shared.neighbours) == pytest.approx(1)
    assert np.isnan(shared.cka).all(), "ten words are too few"


def test_what_was_captured_is_not_captured_again(
    captures: Captures, model: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokviz.models.load", lambda *_: pytest.fail("loaded again"))
    contexts = {"alone": " {word}", "sentence": "The word is {word}"}
    again = tokviz.study(model, WORDS, contexts, cache=cache, quiet=True, name="Tiny")
    assert again["Tiny"]["alone"].states.digest == captures["alone"].states.digest


@pytest.mark.slow
def test_what_any_study_used_is_not_pruned_for_another_report(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    leave_pictures_blank(monkeypatch)
    (tmp_path / "report.toml").write_text(
        f'plate_size = [750, 600]\nwords = {{a = {[*WORDS["colors"], *WORDS["months"]]}}}\nmodels = [{{source = "{model}"}}]\n'
    )
    tokviz.build("report.toml", "site", jobs=1, quiet=True)
    tokviz.study(model, {"colors": WORDS["colors"]}, quiet=True)
    other = tokviz.study(model, {"months": WORDS["months"]}, quiet=True, name="Tiny")
    other["Tiny"]["alone"].without([3], layer=1)
    tokviz.study("report.toml", quiet=True)
    kept = artefacts(tmp_path / ".cache")
    config = configuration.validated({"words": {"a": ["b", "c"]}, "models": [{"source": "x/y"}]}, Path("other.toml"))
    options = Options(base=Path(), output=Path("other"), cache=Path(".cache"))
    prune.prune(config, options, 30, Locks(waits=False, say=print), dry_run=False)
    assert artefacts(tmp_path / ".cache") == kept


def artefacts(cache: Path) -> list[Path]:
    return sorted(path for kind in ("states", "measures", "images") for path in (cache / kind).iterdir())


def test_neurons_are_set_by_hand(captures: Captures) -> None:
    own = captures["sentence"]
    pushed = own.without([3, 7], layer=1, value=5)
    assert repr(pushed).startswith("Tiny, sentence, neurons 3 and 7 of layer 1 set to 5.00: 10 words")
    with pytest.raises(TokvizError, match="updates: expected the model as it is, got one with neurons set to a value"):
        pushed.without()
    assert not np.allclose(pushed.states.states[-1], own.states.states[-1])
    np.testing.assert_array_equal(pushed.states.states[1], own.states.states[1])
    assert pushed.measure().spread.mean_norm.shape == own.measure().spread.mean_norm.shape
    assert "sentence, neurons 3 and 7 of layer 1 set to 5.00" in repr(pushed.draw(1))
    assert len(pushed.project("centered").problems) == own.states.n_depths


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "without: expected a layer and neurons, as no small set of neurons writes a break here"),
        ({"layer": 1}, "without: expected a layer and neurons, as no small set of neurons writes a break here"),
        ({"layer": 99, "neurons": [1]}, "expected a layer from 0 to 2, got 99"),
        ({"layer": 1, "neurons": []}, "without(…): neurons: expected"),
        ({"layer": 1, "neurons": [1], "value": "half"}, 'expected "zero", "mean" or a number'),
    ],
)
def test_a_mistake_in_setting_neurons_is_one_line(captures: Captures, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(TokvizError) as caught:
        captures["alone"].without(**asked)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda captures, _: captures["alone"].draw(99), "layer: expected one that can be shown (embedding … layer "),
        (lambda captures, _: captures["alone"].project("tsne"), "projection: expected one of standardized, centered"),
        (lambda _, model: tokviz.study(model), "words: expected categories and their words"),
        (lambda _, model: tokviz.study(model, NO_WORDS), "words: expected categories and their words"),
        (lambda _, model: tokviz.study(model, {"colors": "red"}), "words.colors: expected a list of words"),
        (lambda _, model: tokviz.study(model, WORDS, NO_MAPPING), "contexts: expected names and templates"),
        (lambda _, cache: tokviz.study("no/such/model", WORDS, cache=cache, quiet=True), "no/such/model"),
    ],
)
def test_a_mistake_is_one_line(
    captures: Captures, model: Path, cache: Path, call: Callable[[Captures, Path], object], said: str
) -> None:
    with pytest.raises(TokvizError) as caught:
        call(captures, cache if "no/such" in said else model)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def odd(value: Any) -> Any:
    """Not what is expected, and passed nevertheless."""
    return value


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda own: own.draw(odd(None)), "layer: expected a number, or embedding, got None"),
        (lambda own: own.draw(0, ax=3), "ax: expected axes of Matplotlib, such as plt.subplots()[1], got int"),
        (lambda own: own.draw().save(odd(None)), "path: expected a path, got None"),
        (lambda own: own.explore().save(3), "path: expected a path, got 3"),
        (lambda own: own.explore(height="tall"), "height: expected a number of pixels, got 'tall'"),
        (lambda own: own.compare(3), "compare: expected another capture, got int"),
        (lambda own: own.without(3, layer=1), "neurons: expected a list of numbers, such as [3, 7], got 3"),
        (lambda own: own.to_pandas(projections=odd(None)), "projections: expected a list of projections, got None"),
        (lambda _: tokviz.load(odd(None)), "load: expected the path of a TOML file, got None"),
        (
            lambda _: tokviz.load("report.toml", words_file=odd(3)),
            "words_file: expected the path of a TOML file, got 3",
        ),
        (lambda _: tokviz.load("report.toml", models=odd("gpt2")), "models: expected a list of sources, got 'gpt2'"),
        (lambda _: tokviz.build(odd(WORDS)), "load: expected the path of a TOML file, got {'colors': ["),
        (lambda _: tokviz.build("report.toml", odd(None)), "output: expected a path, got None"),
        (lambda _: tokviz.build("report.toml", cache=odd(None)), "cache: expected a path, got None"),
        (lambda _: tokviz.build("report.toml", jobs=0), "jobs: expected a number of processes, from 1 on, got 0"),
        (
            lambda _: tokviz.build("report.toml", jobs="all"),
            "jobs: expected a number of processes, from 1 on, got 'all'",
        ),
        (lambda _: tokviz.build("report.toml", device=1.5), "device: expected cpu, cuda, cuda:1 or mps, got 1.5"),
        (lambda _: tokviz.build("report.toml", forms=("svg",)), "forms: expected one of 'wide' and 'draft', with "),
        (lambda _: tokviz.build("report.toml", forms=3), "forms: expected one of 'wide' and 'draft', with "),
        (lambda _: tokviz.study("org/model", WORDS, cache=odd(None)), "cache: expected a path, got None"),
        (lambda _: tokviz.from_arrays([], WORDS, cache=odd(None)), "cache: expected a path, got None"),
    ],
)
def test_an_argument_of_another_kind_is_one_line(captures: Captures, call: Callable[[Any], object], said: str) -> None:
    with pytest.raises(TokvizError) as caught:
        call(captures["alone"])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_stands_for_a_list_or_a_number_is_taken(captures: Captures, model: Path, tmp_path: Path) -> None:
    own = captures["alone"]
    assert own.to_pandas(projections="centered").equals(own.to_pandas(projections=["centered"]))
    changed = own.without(odd(np.array([3, 7])), layer=odd(np.int64(1)), value=odd(np.float32(5)))
    assert repr(changed).startswith("Tiny, alone, neurons 3 and 7 of layer 1 set to 5.00")
    assert repr(own.without(odd(torch.tensor([3, 7])), layer=odd(torch.tensor(1)), value=5)) == repr(changed)
    assert repr(own.draw(odd(np.int64(-1)))) == repr(own.draw(-1))
    (tmp_path / "report.toml").write_text(f"words = {{colors = {WORDS['colors']}}}\n", encoding="utf-8")
    (config,) = tokviz.load(tmp_path / "report.toml", models=[model]).models
    assert config.source == str(model)


def test_a_mistaken_template_is_told_as_in_a_config(model: Path) -> None:
    with pytest.raises(ConfigError, match=r"contexts\.alone: expected a template that holds \{word\} exactly once"):
        tokviz.study(model, WORDS, {"alone": "word"})


def test_a_loaded_config_builds_a_site(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_pictures_blank(monkeypatch)
    (tmp_path / "report.toml").write_text(
        f'projections = ["centered"]\nplate_size = [750, 600]\n[words]\ncolors = {WORDS["colors"]}\nmonths = {WORDS["months"]}\n[[models]]\nsource = "{model}"\n'
    )
    outcome = tokviz.build(
        tokviz.load(str(tmp_path / "report.toml")), tmp_path / "site", cache=tmp_path / "cache", jobs=1
    )
    n = outcome.n_images
    assert repr(outcome) == f"{tmp_path / 'site' / 'index.html'}: 1 model, {n} images (2 new captures, {n} new images)"
    assert n > 0
    assert (tmp_path / "site" / "index.html").is_file()


@pytest.fixture(scope="module")
def kernel() -> Iterator[nbclient.NotebookClient]:
    """One for all examples, as its libraries take longer to load than the examples run; the pictures of reports stay blank."""
    client = nbclient.NotebookClient(nbformat.v4.new_notebook(), timeout=300)
    with client.setup_kernel(env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}):
        yield client


LEAVES_PICTURES_BLANK = """
from at_once import begin
from tokviz.run import pipeline
pipeline._start = begin
"""


def said(cell: Any) -> list[list[str]]:
    """The words of its outputs, without numbers, which differ between machines in their last digits."""
    texts = [output.get("text") or output["data"]["text/plain"] for output in cell.get("outputs", ())]
    return [re.findall(r"[^\W\d_]+", text) for text in texts]


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "n_images"), [("fine-tuning", 3), ("first-steps", 3), ("your-checkpoint", 2), ("states-from-elsewhere", 1)]
)
def test_an_example_gives_what_it_is_committed_with(
    kernel: nbclient.NotebookClient, name: str, n_images: int, tmp_path: Path
) -> None:
    """In its own folder, but for the cell that installs what is needed."""
    notebook = notebooks.read(name)
    installing = [cell for cell in notebook.cells if cell not in notebooks.to_run(notebook)]
    assert [cell.source.startswith("%pip install") for cell in installing] == [True]
    notebook.cells = notebooks.to_run(notebook)
    committed = [said(cell) for cell in notebook.cells]
    kernel.nb = notebook
    for line in (
        f"%cd {tmp_path}",
        LEAVES_PICTURES_BLANK,
        "%reset_selective -f ^(?!_|In$|Out$|exit$|quit$|open$|get_ipython$)",
    ):  # a name of another example is none of this one's
        kernel.execute_cell(nbformat.v4.new_code_cell(line), 0, store_history=False)
    for index, cell in enumerate(notebook.cells):
        kernel.execute_cell(cell, index)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == n_images
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    assert [said(cell) for cell in notebook.cells] == committed, "make notebooks"


def test_the_package_names_what_it_offers() -> None:
    assert {"build", "load", "study"} <= set(dir(tokviz))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        tokviz.nothing  # noqa: B018


SCRIPT = """
import matplotlib, numpy, tokviz

matplotlib.rcParams["font.size"] = 23

def report():
    states = numpy.random.default_rng(0).normal(size=(2, 4, 8))
    tokviz.from_arrays(states, ["red", "green", "blue", "pink"]).report("site", forms="draft", jobs=1)
    print(matplotlib.rcParams["font.size"])

{guard}report()
"""


@pytest.mark.process
@pytest.mark.parametrize("guard", ["", 'if __name__ == "__main__": '])
def test_a_script_draws_in_one_process_unless_others_can_import_it(tmp_path: Path, guard: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(guard=guard), encoding="utf-8")
    forked = warm.CAN_FORK
    ran = warm.run([], tmp_path, {**os.environ}, script=script) if forked else python(str(script), folder=tmp_path)
    assert done(ran).split() == ["23.0"], "the script's own settings, once"
    assert (tmp_path / "site" / "index.html").is_file()
    assert (f"{script}, line 11: drawing in this process alone" in ran.stderr) == (not guard)


def test_where_no_neurons_are_known_none_are_asked_for(tiny: Tiny, tmp_path: Path) -> None:
    tiny.copy("bert", tmp_path / "bert")
    study = tokviz.study(tmp_path / "bert", WORDS, {"alone": "{word}"}, cache=tmp_path / "cache", quiet=True, name="B")
    own = study["B"]["alone"]
    assert "attention and MLP can’t be separated" in repr(own.updates())
    with pytest.raises(TokvizError, match="without: expected an MLP whose neurons are known, found none at any layer"):
        own.without([3])
    with pytest.raises(
        TokvizError, match="expected an MLP at layer 0 whose neurons are known, found none at any layer"
    ):
        own.without([3], layer=0)
    with pytest.raises(TokvizError, match=r"layer: expected a marked one, .*, as no small set of neurons"):
        own.writers()
