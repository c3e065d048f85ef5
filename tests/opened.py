"""What a process opens while it loads models, and whom it asks, as the kernel sees it: Rust tells Python nothing.

One process loads many models one after the other under ``strace``; a file that isn't there, and that it tries to open
before each, tells where in the trace a model begins. Run as a command it makes sure that there is a ``strace``;
``--load`` is that process.
"""

from __future__ import annotations

import codecs
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).parents[1]
OUTSIDE, MODELS = "outside", "models"
"""Folders side by side: what no model may lead to, and the models."""
TEXTS = (" cat", "The word is nurse", " Montréal")
_MARK = "/nonexistent/a-model-begins/"
_CALLS = "?open,?openat,?openat2,?creat,execve,?execveat,connect,?sendto"
_LINE = re.compile(r"\d+ +(?:<\.\.\. )?(?P<call>\w+)(?P<rest>.*)")
_PATH = re.compile(r" = \d+<(?P<path>/.*)>(?: \(deleted\))?$")
_PROGRAM = re.compile(r'(?:^\(|, )"(?P<path>[^"]+)"')
_ADDRESS = re.compile(r"sa_family=AF_(?!UNIX|NETLINK|UNSPEC)\w+.*?}")

_SETTINGS = {
    *("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.json", "vocab.txt", "merges.txt", "tokenizer.model", "tekken.json"),
}
_WEIGHTS = (".safetensors", ".safetensors.index.json", ".gguf")
_OF_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/opt", "/proc", "/sys", "/dev", "/run", "/var")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One model to load."""

    name: str
    source: str
    """As it is configured; its path from the folder of all models."""
    tokenizer: str | None = None
    """As it is configured, if the model is to have another one's."""
    by: Literal["load", "describe", "AutoConfig", "AutoModel", "AutoTokenizer"] = "load"
    """The function of tokviz, or the class of transformers that is given the folder itself."""
    cache: str | None = None
    """The folder of a model of the Hub in the cache of downloads, in which all may be opened."""
    also: tuple[str, ...] = ()
    """Names of further files that may be opened in its folder."""


@dataclass(kw_only=True)
class Seen:
    """What happened while one model was loaded."""

    ended: str = ""
    """``loaded``, the one line of the refusal, or a traceback."""
    opened: list[Path] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Addresses that aren't of this machine's own sockets."""

    def broken(self, case: Case, world: Path) -> list[str]:
        """Each file opened that is neither the model's own nor of the environment, and each address asked."""
        allowed = (*_environment(world), *([(world / case.cache).resolve()] if case.cache else []))
        sources = [case.source, *([case.tokenizer] if case.tokenizer else [])]
        places = [(world / MODELS / source).resolve() for source in sources]

        def is_of_model(path: Path) -> bool:
            is_listed = path.name in _SETTINGS or path.name in case.also or path.name.endswith(_WEIGHTS)
            return any(path == place or (path.parent == place and is_listed) for place in places)

        files = dict.fromkeys(
            path for path in self.opened if not is_of_model(path) and not any(map(path.is_relative_to, allowed))
        )
        return [f"opened {path}" for path in files] + [f"asked {address}" for address in self.asked]


@cache
def _environment(world: Path) -> tuple[Path, ...]:
    """Where a process may open anything: Python, its packages, the system, and what is made for it."""
    python = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *_OF_SYSTEM}
    places = [*map(Path, python), ROOT, world / "fakes", world / "tmp"]
    return tuple(place.resolve() for place in places)


def strace() -> str | None:
    """Why processes can't be watched here; None where they can."""
    if sys.platform != "linux":
        return "only Linux has strace"
    program = shutil.which("strace")
    if program is None:
        return "there is no strace; run: python tests/opened.py"
    tried = subprocess.run(
        [program, "-f", "--seccomp-bpf", "-e", "trace=execve", "-o", os.devnull, "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"strace can't watch a process here: {tried.stderr.strip()}" if tried.returncode else None


def watched(cases: Sequence[Case], world: Path) -> dict[str, Seen]:
    """Load each model in one process, and tell by its name what was seen.

    Parameters
    ----------
    world : with the folders ``models``, ``outside``, ``fakes`` (packages), ``cwd``, ``tmp`` and ``home``.
    """
    trace = world / "trace.txt"
    command = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-e", f"trace={_CALLS}", "-e", "signal=none"]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        "PYTHONPATH": f"{ROOT}:{world / 'fakes'}",
        "TMPDIR": str(world / "tmp"),
        "HOME": str(world / "home"),
        "OUTSIDE": str(world / OUTSIDE),
        "HF_HOME": str(world / "hub"),
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE", "PYTHONSAFEPATH"):
        environment.pop(name, None)
    given = {"cases": [vars(case) for case in cases], "models": str(world / MODELS)}
    done = subprocess.run(
        [*command, "-o", str(trace), sys.executable, __file__, "--load"],
        input=json.dumps(given),
        cwd=world / "cwd",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    ends = dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))
    assert ends.keys() == {case.name for case in cases}, f"the process ended early: {done.stderr[-3000:]}"
    seen = _split(trace.read_text(encoding="ascii"))
    for name, ended in ends.items():
        seen[name].ended = ended
    return seen


def _split(trace: str) -> dict[str, Seen]:
    """What was seen of each case, from a trace of all."""
    found: dict[str, Seen] = {}
    current = Seen()
    for line in trace.splitlines():
        parts = _LINE.match(line)  # of a call that another process has interrupted, each half
        if parts is None:
            continue
        call, rest = parts["call"], parts["rest"]
        if _MARK in rest:
            name = rest.partition(_MARK)[2].partition('"')[0]
            current = found.setdefault(name, Seen())
        elif call.startswith("exec"):
            program = _PROGRAM.search(rest)
            if program is not None and (path := _path(program["path"])).exists():
                current.opened.append(path.resolve())
        elif address := _ADDRESS.search(rest):
            current.asked.append(address[0])
        elif path_opened := _PATH.search(rest):
            current.opened.append(_path(path_opened["path"]))
    return found


def _path(escaped: str) -> Path:
    """As strace writes it: in bytes, of which those that aren't ASCII are octal numbers."""
    return Path(os.fsdecode(codecs.escape_decode(escaped.encode())[0]))


# --- the process that is watched ---------------------------------------------------------------------------------


def _load_all() -> None:
    given = json.load(sys.stdin)
    _import_all()
    for values in given["cases"]:
        case = Case(**values)
        _mark(case.name)
        try:
            ended = _loaded(case, Path(given["models"]))
        except BaseException:  # noqa: BLE001 - the test tells it
            ended = traceback.format_exc()
        _mark("after")
        print(json.dumps([case.name, ended]), flush=True)


def _mark(name: str) -> None:
    try:
        os.open(_MARK + name, os.O_RDONLY)
    except OSError:
        return


def _import_all() -> None:
    """Libraries, and timm as if it were installed with all that it needs."""
    importlib.import_module("torch").set_num_threads(1)
    utils = importlib.import_module("transformers.utils")
    of_imports: Any = importlib.import_module("transformers.utils.import_utils")
    is_there = (lambda: True, "")
    of_imports.is_timm_available = utils.is_timm_available = is_there[0]  # type: ignore[attr-defined]
    of_imports.BACKENDS_MAPPING["timm"] = is_there


def _loaded(case: Case, models: Path) -> str:
    """Load it as a run does, and have it read words; how that ended, in one line."""
    if case.by.startswith("Auto"):
        try:
            getattr(importlib.import_module("transformers"), case.by).from_pretrained(models / case.source)
        except Exception as error:  # noqa: BLE001 - what was opened until then counts
            return f"{type(error).__name__}: {error}"
        return "loaded"
    from tokviz.capture import capture, find_structure
    from tokviz.capture.tokens import tokenize
    from tokviz.config import ModelConfig
    from tokviz.errors import ModelError
    from tokviz.models import Use, describe, load
    from tokviz.records import Context

    configured = ModelConfig(source=case.source, tokenizer=case.tokenizer)
    if case.by == "describe":
        return describe(configured, models).problem or "loaded"
    try:
        model = load(configured, models, "cpu", use=Use(with_head=True, texts=TEXTS))
        words = tuple(text.strip() for text in TEXTS)
        context = Context(name="alone", label="alone", template=" {word}")
        tokenization = tokenize(model.tokenizer, words, context, "last")
        structure = find_structure(model.module, model.base_model_prefix)
        for _ in capture(model.module, structure, tokenization, 65_536):
            pass
    except ModelError as error:
        return str(error)
    return "loaded"


def main() -> None:
    if "--load" in sys.argv:
        _load_all()
        return
    from browser import install_with_apt

    if sys.platform == "linux" and shutil.which("strace") is None:
        install_with_apt("strace")
    print(f"strace: {strace() or shutil.which('strace')}")


if __name__ == "__main__":
    main()
