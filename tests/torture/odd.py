"""Trials of odd surroundings: streams, working folders, encodings, pipes, links, clocks and early signals; one line, no wait, no harm.

A trial makes one or two things around the command odd, runs it, and then makes an undisturbed report.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from command import ROOT

from torture import checks
from torture.artefacts import MANIFEST, run_here
from torture.checks import Findings
from torture.kit import FOREIGN_TREE, Kit, Tree, kit_of, own, session_of, tree
from torture.trial import FOREIGN_FILES_LOST, SITES_BROKEN, TRACEBACKS, WRONG_OUTCOMES, Outcome

N_TRIALS = 500
MOST_WAITED = 5.0
"""Seconds in which neither the run nor a process of it computes anything."""
FAULTS = ("Traceback", "a fault in tokviz", "Exception ignored", "Fatal Python error", "--- Logging error")
CODES = {0, 1, 3}
SAY_IT_ON_OUTPUT = ("plan", "models")
"""Commands whose answer may be that a model will fail."""
STOPPED = {signal.SIGINT: 130, signal.SIGTERM: 143}


@dataclass
class Situation:
    """A command and what is around it; oddities change it."""

    folder: Path
    chance: random.Random
    command: str = "build"
    arguments: list[str] = field(default_factory=list)
    within: str = "."
    """The working folder, from the trial's; a name that isn't there is made, and removed before the command begins."""
    environment: dict[str, str] = field(default_factory=dict)
    redirections: list[str] = field(default_factory=list)
    """As a shell takes them."""
    reads_output: bool = True
    """Whether somebody reads standard output, to its end."""
    hears: bool = True
    """Whether standard error is read."""
    signal: int | None = None
    after: float = 0.0


Oddity = Callable[[Situation], None]


# --- what may be odd -------------------------------------------------------------------------------------------------


def output_that_cannot_be_written(of: Situation) -> None:
    how = of.chance.choice((">/dev/full", ">&-", "no reader"))
    if how == "no reader":
        of.reads_output = False
    else:
        of.redirections.append(how)


def errors_that_cannot_be_written(of: Situation) -> None:
    of.redirections.append(of.chance.choice(("2>/dev/full", "2>&-")))
    of.hears = False


def no_input(of: Situation) -> None:
    of.redirections.append("<&-")


def a_working_folder_that_is_gone(of: Situation) -> None:
    of.within = "gone"
    of.arguments += ["--config", str(of.folder / "report.toml")] if of.chance.random() < 0.5 else []


def from_within_the_site(of: Situation) -> None:
    of.within = of.chance.choice(("site", "site/images", "site/own"))
    up = "/".join(".." for _ in Path(of.within).parts)
    of.arguments += ["--config", f"{up}/report.toml", "--output", f"{up}/site", "--cache", f"{up}/cache"]


def an_old_encoding(of: Situation) -> None:
    of.environment |= of.chance.choice(
        (
            {"PYTHONIOENCODING": "ascii"},
            {"PYTHONIOENCODING": "latin-1:strict"},
            {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        )
    )
    of.arguments += ["--output", "sité-漢字"] if of.chance.random() < 0.5 else []


def a_name_that_is_no_text(of: Situation) -> None:
    name = os.fsdecode(b"na\xffme")
    which = of.chance.choice(("--output", "--cache", "--config", "--words", "--model"))
    if which == "--config":
        shutil.copy(of.folder / "report.toml", of.folder / f"{name}.toml")
        name += ".toml"
    of.arguments += [which, name]


def an_input_that_is_a_pipe(of: Situation) -> None:
    which = of.chance.choice(
        ("report.toml", "words", "notes", *(f"llama/{file.name}" for file in (of.folder / "llama").iterdir()))
    )
    if which == "words":
        of.arguments += ["--words", which]
    elif which == "notes":
        text = (of.folder / "report.toml").read_text(encoding="utf-8")
        (of.folder / "report.toml").write_text(f'intro = "notes.md"\n{text}', encoding="utf-8")
        which = "notes.md"
    _own_model(of)
    with suppress(FileNotFoundError):
        (of.folder / which).unlink()
    os.mkfifo(of.folder / which)


def an_input_that_is_a_device(of: Situation) -> None:
    device = of.chance.choice(("/dev/zero", "/dev/null", "/dev/full", "/dev/stdin", "/dev/tty"))
    of.arguments += [of.chance.choice(("--words", "--model", "--config", "--output", "--cache")), device]


def nested_content(of: Situation) -> None:
    _own_model(of)
    cached = [path for path in (of.folder / "cache").rglob("*.json") if of.chance.random() < 0.3]
    model = [of.folder / "llama" / name for name in ("config.json", "tokenizer.json", "tokenizer_config.json")]
    for path in [*filter(Path.is_file, cached), *of.chance.sample(model, of.chance.choice((0, 0, 1)))]:
        path.write_text(of.chance.choice(('{"a":', "[")) * 100_000, encoding="utf-8")


def pipes_in_the_cache(of: Situation) -> None:
    files = [path for path in sorted((of.folder / "cache").rglob("*")) if path.is_file()]
    for path in of.chance.sample(files, min(len(files), 6)):
        path.unlink()
        os.mkfifo(path)


def pipes_in_the_site(of: Situation) -> None:
    for path in ("index.html", MANIFEST, "own/pipe", "images/pipe.webp"):
        if of.chance.random() < 0.5:
            (of.folder / "site" / path).unlink(missing_ok=True)
            os.mkfifo(of.folder / "site" / path)


def stray_entries_in_the_cache(of: Situation) -> None:
    for kind in ("states", "images", "measures", "projections", "previews", "reports"):
        folder = of.folder / "cache" / kind
        folder.mkdir(exist_ok=True)
        name = of.chance.choice(("stray", "a.b", ".hidden", "0" * 32, f"{'0' * 32}.{'1' * 16}.webp"))
        (folder / name).mkdir(exist_ok=True) if of.chance.random() < 0.5 else (folder / name).write_bytes(b"stray")
        for file in [path for path in folder.iterdir() if path.is_file() and of.chance.random() < 0.2]:
            file.unlink()
            file.mkdir()


def links(of: Situation) -> None:
    link = of.folder / "link"
    link.symlink_to(of.chance.choice(("link", "nowhere", "site", "/dev/null", "..")))
    of.arguments += [
        of.chance.choice(("--output", "--cache", "--words", "--config", "--model")),
        of.chance.choice(("link", "link/x")),
    ]


def a_clock_in_the_future(of: Situation) -> None:
    for path in (*(of.folder / "cache").rglob("*"), *(of.folder / "site").rglob("*")):
        os.utime(path, (4e9, 4e9), follow_symlinks=False)
    epoch = of.chance.choice(("1700000000", "-1", "99999999999999", "x", "1e9", ""))
    of.environment["SOURCE_DATE_EPOCH"] = epoch


def names_in_two_forms(of: Situation) -> None:
    text = (of.folder / "report.toml").read_text(encoding="utf-8")
    with_both = text.replace("[words]", '[words]\n"caf\u00e9" = ["cat"]\n"cafe\u0301" = ["Mary"]')
    (of.folder / "report.toml").write_text(with_both, encoding="utf-8")


def an_early_signal(of: Situation) -> None:
    of.signal = of.chance.choice((signal.SIGINT, signal.SIGINT, signal.SIGTERM))
    of.after = round(of.chance.uniform(0.0, 0.6), 3)


ODDITIES: tuple[Oddity, ...] = (
    output_that_cannot_be_written,
    errors_that_cannot_be_written,
    no_input,
    a_working_folder_that_is_gone,
    from_within_the_site,
    an_old_encoding,
    a_name_that_is_no_text,
    an_input_that_is_a_pipe,
    an_input_that_is_a_device,
    nested_content,
    pipes_in_the_cache,
    pipes_in_the_site,
    stray_entries_in_the_cache,
    links,
    a_clock_in_the_future,
    names_in_two_forms,
    an_early_signal,
)
COMMANDS = ("build",) * 6 + ("generate.py",) * 6 + ("plan", "prune", "models", "schema")


def _own_model(of: Situation) -> None:
    """A copy of the model, which the other trials share."""
    model = of.folder / "llama"
    if model.is_symlink():
        shared = model.resolve()
        model.unlink()
        shutil.copytree(shared, model, copy_function=shutil.copy2)


# --- a trial ---------------------------------------------------------------------------------------------------------


def trial(number: int, folder: Path) -> Outcome:
    chance = random.Random(f"odd {number}")
    first = ODDITIES[number % len(ODDITIES)]
    others = [chance.choice(ODDITIES)] if chance.random() < 0.3 else []
    return tried(tuple(dict.fromkeys((first, *others))), number, folder, kit_of(folder), chance)


def tried(oddities: tuple[Oddity, ...], number: int, folder: Path, kit: Kit, chance: random.Random) -> Outcome:
    """The outcome of some oddities together."""
    findings = Findings()
    kit.prepare(folder)
    kit.put_old_site(folder)
    shutil.copytree(kit.made("plain").cache, folder / "cache")
    situation = Situation(folder=folder, chance=chance, command=chance.choice(COMMANDS))
    for oddity in oddities:
        oddity(situation)
    findings.saw(f"command: {situation.command}", *(oddity.__name__.replace("_", " ") for oddity in oddities))
    before = tree(folder / "site")
    _run(situation, findings)
    _nothing_lost(folder, kit, before, findings)
    _next_one(folder, kit, findings)
    return findings.outcome(
        f"odd {number} ({situation.command} {situation.arguments}, {', '.join(o.__name__ for o in oddities)})"
    )


def _run(of: Situation, findings: Findings) -> None:
    said = of.folder.with_name(f"{of.folder.name}.said")
    with said.open("wb") as errors:
        process = _begun(of, errors.fileno())
    if of.signal is not None:
        time.sleep(of.after)
        process.send_signal(of.signal)
    waited = _longest_wait(process)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    _judge(of, process.returncode, said.read_text(encoding="utf-8", errors="replace"), waited, findings)


def _begun(of: Situation, errors: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(ROOT / "generate.py")]
    if of.command != "generate.py":
        command = [sys.executable, "-P", "-m", "tokviz", of.command]
    # ``models`` and ``schema`` have no cache; a signal is for the command, not for a shell.
    takes_cache = of.command not in ("models", "schema") and "--cache" not in of.arguments
    arguments = [*(["--cache", str(of.folder / "cache")] if takes_cache else []), *of.arguments]
    (of.folder / of.within).mkdir(parents=True, exist_ok=True)
    leave = 'rmdir "$PWD"; ' if of.within == "gone" else ""
    script = f'{leave}exec "$@" {" ".join(of.redirections)}'
    reading, writing = os.pipe()
    if not of.reads_output:
        os.close(reading)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": "1700000000", "OMP_NUM_THREADS": "1"}
    environment["HF_HUB_OFFLINE"] = "1"  # there is no network on which to look for a source that may be on the Hub
    try:
        return subprocess.Popen(
            ["sh", "-c", script, "sh", *command, *arguments],
            cwd=of.folder / of.within,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if of.reads_output else writing,
            stderr=errors,
            env={**environment, **of.environment},
            restore_signals=True,
            start_new_session=True,
        )
    finally:
        os.close(writing)
        if of.reads_output:
            os.close(reading)


def _longest_wait(process: subprocess.Popen[bytes]) -> float:
    """Until the run ends, or has waited for too long."""
    used, since, longest = 0.0, time.monotonic(), 0.0
    while longest <= MOST_WAITED:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
            return longest
        now = sum(_processor_seconds(each) for each in session_of(process.pid))
        if now != used:
            used, since = now, time.monotonic()
        longest = max(longest, time.monotonic() - since)
    return longest


def _processor_seconds(pid: int) -> float:
    with suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    return 0.0


def _judge(of: Situation, code: int, said: str, waited: float, findings: Findings) -> None:
    findings.took(waited)
    if waited > MOST_WAITED:
        findings.harm(WRONG_OUTCOMES, f"it waits for more than {MOST_WAITED} s")
    is_before_python_runs_tokviz = of.signal is not None and "tokviz" not in said and str(ROOT) not in said
    if any(fault in said for fault in FAULTS) and not is_before_python_runs_tokviz:
        findings.harm(TRACEBACKS, said[-700:].replace("\n", " | "))
    elif of.signal is not None:
        if code not in {*CODES, STOPPED[signal.Signals(of.signal)], -of.signal}:
            findings.harm(WRONG_OUTCOMES, f"exits {code} when stopped: {said[-200:]!r}")
    elif waited <= MOST_WAITED and code not in CODES | {2}:
        findings.harm(WRONG_OUTCOMES, f"exits {code}: {said[-200:]!r}")
    elif code in (1, 2) and of.hears and of.command not in SAY_IT_ON_OUTPUT and not said.strip():
        findings.harm(WRONG_OUTCOMES, f"exits {code} and says nothing")
    findings.saw(f"exit {code}")


def _nothing_lost(folder: Path, kit: Kit, before: Tree, findings: Findings) -> None:
    places = [folder / "site", folder / "site.kept", *(each / "old" for each in checks.swap_folders(folder))]
    trees = [tree(place) for place in places if place.exists()]
    for path, content in FOREIGN_TREE.items():
        if path in before and not any(each.get(path) == content for each in trees):
            findings.harm(FOREIGN_FILES_LOST, f"{path} is gone")


def _next_one(folder: Path, kit: Kit, findings: Findings) -> None:
    """A report in ordinary surroundings is as if nothing had been."""
    for path in (folder / "report.toml", folder / "llama"):
        path.unlink() if path.is_symlink() or not path.is_dir() else shutil.rmtree(path)
    kit.prepare(folder)
    code, said = run_here(folder, ())
    if code != 0:
        findings.harm(WRONG_OUTCOMES, f"the next run exits {code}: {said[-300:]!r}")
        return
    found, expected = own(tree(folder / "site")), kit.made("plain").own
    if wrong := [path for path, content in expected.items() if found.get(path) != content]:
        findings.harm(SITES_BROKEN, f"after it {len(wrong)} files aren't as an undisturbed run's, such as {wrong[0]}")
