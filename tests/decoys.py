"""Where hostile models lead: weights, a pickle, tokenizers and code beside them, and packages that would fetch more."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path

import families
import tiny_gguf
from hostile_models import CODE, GROUPS, UP, Edit, as_gguf, config, linked, tokenizer
from hub_server import COMMIT
from opened import MODELS, OUTSIDE, Case
from safetensors.torch import load_file
from transformers.utils import import_utils

_ALSO = {"weights: adapter in the place of a model": ("adapter_config.json",)}
"""Read for a refusal that names what an adapter is of."""
_DESCRIBED = (
    "config: detection",
    "config: attention by an alias",
    "weights: linked",
    "tokenizer: vocabulary by bare names",
)
"""Described, too, as the command ``models`` does."""
_ELSEWHERE = (
    "tokenizer: vocabulary by bare names",
    "tokenizer: other versions above",
    "tokenizer: linked",
    "config: attention",
)
"""Of a model whose configuration names this one's tokenizer, too."""


def put(world: Path) -> list[Case]:
    """Write all hostile cases, and what they lead to, into an empty folder."""
    bases = {name: families.build(name, world / "bases" / name) for name in {base for _, base, _ in GROUPS} | {"gpt2"}}
    _put_outside(world / OUTSIDE)
    (world / "cwd").mkdir()
    for name in ("evil.bin", "vocab.json", "merges.txt", "vocab.txt", "tokenizer.json"):
        shutil.copy(world / OUTSIDE / name, world / "cwd" / name)
    for place in (world / "home" / "model", world / "cwd" / "dictionary"):
        shutil.copytree(world / OUTSIDE, place)
    (world / "tmp").mkdir()
    _put_packages(world / "fakes")
    cases = []
    for group, base, members in GROUPS:
        for number, (name, edits) in enumerate(members.items()):
            source, title = f"{group}-{number:02}", f"{group}: {name}"
            changed(bases[base], world / MODELS / source, *edits)
            cases.append(Case(name=title, source=source, also=_ALSO.get(title, ())))
            if title in _DESCRIBED:
                cases.append(Case(name=f"{title}, described", source=source, by="describe"))
    keys = (config(transformers_weights="@outside/model.safetensors"), tokenizer(fast_tokenizer_files=[UP]))
    changed(bases["llama"], world / MODELS / "gguf", as_gguf, *keys)
    shutil.copytree(bases["llama"], world / MODELS / "plain")
    cases += [
        Case(name="a GGUF file among others", source="gguf/tiny.gguf"),
        *(
            Case(name=f"elsewhere, {case.name}", source="plain", tokenizer=case.source)
            for case in cases
            if case.name in _ELSEWHERE
        ),
        _in_cache(bases["llama"], world, "whole"),
        _in_cache(bases["llama"], world, "linked", linked("config.json", "config.json")),
        _in_cache(bases["llama"], world, "weights", linked("model.safetensors", "model.safetensors")),
    ]
    return cases


def changed(base: Path, folder: Path, *edits: Edit) -> None:
    shutil.copytree(base, folder)
    for edit in edits:
        edit(folder)


def _in_cache(base: Path, world: Path, name: str, *edits: Edit) -> Case:
    """A model of the Hub that was downloaded before: links to files with other names."""
    repository = world / "hub" / "hub" / f"models--org--{name}"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for number, file in enumerate(sorted(base.iterdir())):
        (repository / "blobs").mkdir(exist_ok=True)
        shutil.copy(file, repository / "blobs" / str(number))
        (snapshot / file.name).symlink_to(Path("../../blobs") / str(number))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    for edit in edits:
        edit(snapshot)
    return Case(name=f"in the cache: {name}", source=f"org/{name}", cache=str(repository.relative_to(world)))


def _put_outside(folder: Path) -> None:
    families.build("llama", folder, seed=1)
    names = sorted(load_file(folder / "model.safetensors"))
    (folder / "names.json").write_text(json.dumps(names))
    whole = {"metadata": {}, "weight_map": dict.fromkeys(names, "model.safetensors")}
    (folder / "evil.safetensors.index.json").write_text(json.dumps(whole))
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "org/secret"}')
    (folder / "evil.bin").write_bytes(pickle.dumps({"weights": [1.0]}))
    (folder / "code.py").write_text(CODE)
    cutting = json.loads((folder.parent / "bases" / "gpt2" / "tokenizer.json").read_text())["model"]
    (folder / "vocab.json").write_text(json.dumps(cutting["vocab"]))
    (folder / "merges.txt").write_text("\n".join(" ".join(pair) for pair in cutting["merges"]))
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nword")
    for name in ("config", "tokenizer"):
        shutil.copy(folder / f"{name}.json", folder / f"{name}.4.0.0.json")
    checkpoint = tiny_gguf.qwen2(folder.parent / "bases" / "qwen2")
    tiny_gguf.as_gguf(checkpoint, folder / "other.gguf", "Q8_0")


_PACKAGES = {
    "kernels": """
import os
__version__ = "@version"
class _Any:
    def __init__(self, *values, **named): pass
    def __call__(self, *values, **named): return values[0] if values and callable(values[0]) else self
    def __getattr__(self, name): return _Any()
    def __enter__(self): return self
    def __exit__(self, *error): return None
def __getattr__(name):
    if name.startswith("__"): raise AttributeError(name)
    return type(name, (_Any,), {"INFERENCE": 1, "TRAINING": 2, "TORCH_COMPILE": 4})
def _unchanged(*names, **named): return lambda each: each
use_kernel_forward_from_hub = use_kernel_func_from_hub = use_kernelized_func = _unchanged
def kernelize(model, **named): return model
def replace_kernel_forward_from_hub(*values, **named): return None
def register_kernel_mapping(*values, **named): return None
def get_kernel(name, **named):
    open(os.environ["OUTSIDE"] + "/code.py").close()
    raise RuntimeError("a kernel was asked for: " + name)
""",
    "peft": """
import os
__version__ = "0.99"
def __getattr__(name):
    if name.startswith("__"): raise AttributeError(name)
    open(os.environ["OUTSIDE"] + "/code.py").close()
    raise RuntimeError("an adapter was asked for")
""",
    "timm": '''
import os, socket
from urllib.parse import urlsplit
__version__ = "1.0"
def create_model(name, pretrained=False, checkpoint_path="", **named):
    """As timm reads a name."""
    parsed = urlsplit(name.replace("hf_hub", "hf-hub") if name.startswith("hf_hub") else name)
    if parsed.scheme == "hf-hub":
        socket.create_connection(("127.0.0.1", 9))
    if parsed.scheme == "local-dir":
        open(parsed.path + "/config.json").close()
    if checkpoint_path:
        open(checkpoint_path, "rb").close()
    raise RuntimeError("timm made nothing")
''',
    "fugashi": '''
import shlex
class GenericTagger:
    """As MeCab reads its options."""
    def __init__(self, options):
        words = shlex.split(options.replace("-d", "-d "))
        open(words[words.index("-d") + 1] + "/code.py").close()
''',
    "timm.data": """
def infer_imagenet_subset(config): return None
class ImageNetInfo: pass
""",
}
"""In the place of packages that would take code or files from elsewhere: they open or ask what those would."""


def _put_packages(folder: Path) -> None:
    version = getattr(import_utils, "KERNELS_MIN_VERSION", "0.10.2")
    for name, code in _PACKAGES.items():
        file = folder / name.replace(".", os.sep) / "__init__.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code.replace("@version", version))
