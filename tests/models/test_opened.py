"""What is opened and asked while models are loaded and captured, whatever their files say: no key is known here."""

from __future__ import annotations

import json
import os
from pathlib import Path

import decoys
import families
import pytest
from hostile_models import config, keys, linked, tokenizer
from opened import MODELS, OUTSIDE, Case, Seen, strace, watched

pytestmark = [pytest.mark.process, pytest.mark.thorough]

LEADING_OUT = [
    Case(name="configuration files", source="unguarded-config", by="AutoConfig"),
    Case(name="weights", source="unguarded-weights", by="AutoModel"),
    Case(name="tokenizer files", source="unguarded-tokenizer", by="AutoTokenizer"),
    Case(name="vocabulary where the process runs", source="unguarded-vocabulary", by="AutoTokenizer"),
    Case(name="a kernel", source="unguarded-kernel", by="AutoModel"),
    Case(name="a backbone of the Hub", source="unguarded-hub", by="AutoConfig"),
    Case(name="a file of the folder that isn't listed", source="unguarded-adapter", by="AutoModel"),
]
"""Given to transformers itself, without tokviz."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    problem = strace()
    if problem is not None:
        if os.environ.get("CI"):
            pytest.fail(problem)
        pytest.skip(problem)
    return tmp_path_factory.mktemp("world").resolve()


@pytest.fixture(scope="module")
def hostile(world: Path) -> list[Case]:
    return decoys.put(world)


@pytest.fixture(scope="module")
def normal(world: Path, hostile: list[Case], tiny: families.Tiny) -> list[Case]:
    assert hostile
    for name in families.FAMILIES:
        tiny.copy(name, world / MODELS / name)
    return [Case(name=f"family: {name}", source=name) for name in families.FAMILIES]


@pytest.fixture(scope="module")
def unguarded(world: Path, hostile: list[Case]) -> list[Case]:
    assert hostile
    named = {
        "config": [config(configuration_files=["config.4.json"]), linked("config.4.json", "config.4.0.0.json")],
        "weights": [linked("model.safetensors", "model.safetensors")],
        "tokenizer": [tokenizer(fast_tokenizer_files=[f"../../{OUTSIDE}/tokenizer.4.0.0.json"])],
        "kernel": [config(attn_implementation="evil/kernel")],
        "hub": [config(model_type="detr", use_timm_backbone=False, backbone="org/evil")],
        "adapter": [keys("adapter_config.json", base_model_name_or_path=f"../../{OUTSIDE}")],
    }
    for name, edits in named.items():
        decoys.changed(world / "bases" / "llama", world / MODELS / f"unguarded-{name}", *edits)
    by_bare_names = tokenizer(tokenizer_class="GPT2Tokenizer", vocab="vocab.json", merges="merges.txt")
    folder = world / MODELS / "unguarded-vocabulary"
    decoys.changed(world / "bases" / "gpt2", folder, by_bare_names)
    (folder / "tokenizer.json").unlink()
    return LEADING_OUT


@pytest.fixture(scope="module")
def seen(world: Path, hostile: list[Case], normal: list[Case], unguarded: list[Case]) -> dict[str, Seen]:
    """All in one process, which imports torch once."""
    return watched([*normal, *hostile, *unguarded], world)


def told(seen: dict[str, Seen], cases: list[Case], world: Path) -> str:
    """What was broken by which case, for the report of a test."""
    broken = {f"{case.name} ({case.source})": seen[case.name].broken(case, world) for case in cases}
    return json.dumps({name: rules for name, rules in broken.items() if rules}, indent=1, ensure_ascii=False)


def test_every_family_loads_from_its_listed_files_alone(seen: dict[str, Seen], normal: list[Case], world: Path) -> None:
    assert {case.name: seen[case.name].ended for case in normal} == {case.name: "loaded" for case in normal}
    assert told(seen, normal, world) == "{}"
    for case in normal:
        folder = world / MODELS / case.source
        opened = {path.name for path in seen[case.name].opened if path.parent == folder}
        assert {"config.json", "tokenizer.json", "model.safetensors"} <= opened, "what isn't seen can't be judged"


def test_no_model_leads_to_another_file_or_host(seen: dict[str, Seen], hostile: list[Case], world: Path) -> None:
    assert told(seen, hostile, world) == "{}"


def test_every_hostile_model_loads_or_is_one_line(seen: dict[str, Seen], hostile: list[Case], world: Path) -> None:
    ends = {case.name: (case.source, seen[case.name].ended) for case in hostile}
    for name, (source, ended) in ends.items():
        assert ended == "loaded" or ended.startswith(f"{source}: "), f"{name}: {ended}"
        assert "\n" not in ended, f"{name}: {ended}"
        assert str(world / "tmp") not in ended, f"{name}: {ended}"
    n_loaded = sum(ended == "loaded" for _, ended in ends.values())
    assert n_loaded > 20
    assert len(ends) - n_loaded > 80


@pytest.mark.parametrize("case", LEADING_OUT, ids=lambda case: case.name)
def test_what_leads_out_without_tokviz_is_seen(seen: dict[str, Seen], case: Case, world: Path) -> None:
    where = {
        "configuration files": f"{OUTSIDE}/config.4.0.0.json",
        "weights": f"{OUTSIDE}/model.safetensors",
        "tokenizer files": f"{OUTSIDE}/tokenizer.4.0.0.json",
        "vocabulary where the process runs": "cwd/vocab.json",
        "a kernel": f"{OUTSIDE}/code.py",
        "a file of the folder that isn't listed": f"{MODELS}/{case.source}/adapter_config.json",
    }
    broken = seen[case.name].broken(case, world)
    if case.name in where:
        assert f"opened {world / where[case.name]}" in broken, seen[case.name].ended
    else:
        assert any(rule.startswith("asked sa_family=AF_INET") for rule in broken), seen[case.name].ended
