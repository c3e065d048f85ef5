"""Trials of the config: whatever stands in it, it is read, or refused in short lines within seconds."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tokviz.config import load
from tokviz.errors import ConfigError, TokvizError
from torture.trial import TRACEBACKS, WRONG_OUTCOMES, Outcome

N_TRIALS = 10_000
MOST_SECONDS = 20.0
"""Of CPU: far more than any machine needs, and far less than what never ends."""
"""Of the processor: what other processes take says nothing of this one."""
LONGEST_LINE = 300
VALID = """
title = "A title"
subtitle = "One sentence."
author = "Somebody"
license = "CC BY 4.0"
license_url = "https://creativecommons.org/licenses/by/4.0/"
site_url = "https://me.github.io/report/"
intro = "Hello."
projections = ["standardized", "centered"]
compare = [["One", "Two"]]
read = "last"
token_budget = 4096

[words]
months = ["May", "June"]
[words.colors]
label = "Colours"
words = ["red", "green"]

[[contexts]]
name = "alone"
template = " {word}"
[[contexts]]
name = "sentence"
label = "in a sentence"
template = "The word is {word}"

[[models]]
source = "org/one"
name = "One"
note = "A *note*."
max_memory = { cpu = "2GiB", 0 = "20GiB" }
[models.notes]
"alone/layer-1" = "Of the layer."
curves = "Of the curves."
[[models]]
source = "org/two.gguf"
name = "Two"
dtype = "float32"

[[interventions]]
model = "Two"
layer = 1
neurons = [3, 5]
value = "mean"
label = "without two"
[[interventions]]
model = "One"
layer = 0
neurons = [3]
value = 1.5
"""
HOSTILE = (
    '""',
    '" "',
    '"\\u0000"',
    '"\\u0007"',
    '"\\uFFFE"',
    '"\\U0001FFFF"',
    '"\\u202E\\u2066x"',
    '"\\u2028"',
    '"a\\nb"',
    '"..",',
    '"../../etc/passwd"',
    '"/dev/zero"',
    '"/dev/zero.md"',
    '"a\\u0000.md"',
    '"missing.toml"',
    '"con"',
    '"nul.txt"',
    '"report.json"',
    '"{word}"',
    '"{word}{word}"',
    '"{0.__class__}"',
    '"javascript:alert(1)"',
    '"http://["',
    '"https://a:99999/"',
    '"<script>alert(1)</script>"',
    "0",
    "-1",
    "1e400",
    "nan",
    "-inf",
    "true",
    "[]",
    "[[]]",
    "{}",
    "{ a = {} }",
    "[1, 'a', {}]",
    "1979-05-27",
    "07:32:00",
    "0x" + "f" * 5_000,
    "9" * 5_000,
    "9" * 4_000,
    '"' + "x" * 50_000 + '"',
    "[" * 5_000,
    "[" * 15 + "]" * 15,
    "{a=" * 500,
    '["a", "a"]',
    "'''",
    '"""',
    "# ",
    "=",
    "\\",
)
HOSTILE_KEYS = (
    "a." * 50_000 + "a",
    "x" * 50_000,
    '"\\u0000"',
    '"a\\nb"',
    '""',
    '"con"',
    "__proto__",
    "title",
    "models",
    "words",
    "vocabulary",
    "layers",
    "template",
    "source",
    "interventions",
    '"[key]"',
    '"' + "é" * 500 + '"',
)


def trial(number: int, folder: Path) -> Outcome:
    """One config, changed in a few places or made of anything, read as the command reads it."""
    rng = random.Random(number)
    kind = rng.choice(tuple(MAKERS))
    content = MAKERS[kind](rng)
    path = folder / "report.toml"
    path.write_bytes(content)
    words = None
    if rng.random() < 0.1:
        words = folder / "words.toml"
        words.write_bytes(rng.choice((content, b'colors = ["red"]\n', b'title = ["Mr"]\n', _lines(rng))))
    site_url = (
        rng.choice(("", "foo", "https://", "http://a b/", "https://\udcff/", "\x00")) if rng.random() < 0.05 else None
    )
    models = ("org/one", "\udcff", "a" * 5_000)[: rng.randint(1, 3)] if rng.random() < 0.05 else ()
    return judged(kind, lambda: load(path, models=models, words_file=words, site_url=site_url))


def judged(kind: str, attempt: Callable[[], object]) -> Outcome:
    """What came of it: a result, an error in short lines, or harm."""
    start = time.process_time()
    harm: Counter[str] = Counter()
    said, seen, detail = "", "accepted", ""
    try:
        attempt()
    except ConfigError as error:
        said, seen = str(error), "refused"
    except TokvizError as error:
        said, seen, detail = str(error), "refused", f"another kind of error: {type(error).__name__}"
        harm[WRONG_OUTCOMES] += 1
    except Exception as error:  # noqa: BLE001 - whatever it is is what the trial looks for
        detail = f"{type(error).__name__}: {str(error)[:200]}"
        harm[TRACEBACKS] += 1
    seconds = time.process_time() - start
    too_long = [line for line in said.splitlines() if len(line) > LONGEST_LINE or not line.isprintable()]
    if too_long:
        harm[WRONG_OUTCOMES] += 1
        detail = f"a line that is too long, or can't be shown: {too_long[0][:200]!a}"
    if seconds > MOST_SECONDS:
        harm[WRONG_OUTCOMES] += 1
        detail = f"{seconds:.1f} s"
    return Outcome(
        harm=harm,
        seen=(f"{kind}: {seen}",),
        seconds_to_error=seconds if said else 0.0,
        detail=f"{kind}: {detail}" if harm else "",
    )


# --- how configs are made ------------------------------------------------------------------------------------------


def _values(rng: random.Random) -> bytes:
    """Some values are hostile ones."""
    lines = VALID.split("\n")
    assignments = [index for index, line in enumerate(lines) if " = " in line]
    for index in rng.sample(assignments, rng.randint(1, 3)):
        lines[index] = f"{lines[index].partition(' = ')[0]} = {rng.choice(HOSTILE)}"
    return "\n".join(lines).encode()


def _keys(rng: random.Random) -> bytes:
    """A line with a hostile key anywhere."""
    lines = VALID.split("\n")
    for _ in range(rng.randint(1, 2)):
        key, value = rng.choice(HOSTILE_KEYS), rng.choice(HOSTILE)
        line = rng.choice((f"{key} = {value}", f"[{key}]", f"[[{key}]]", f"[words.{key}]", f"[models.notes.{key}]"))
        lines.insert(rng.randrange(len(lines)), line)
    return "\n".join(lines).encode()


def _lines(rng: random.Random) -> bytes:
    """Lines are lost, doubled and moved."""
    lines = VALID.split("\n")
    for _ in range(rng.randint(1, 4)):
        line = lines.pop(rng.randrange(len(lines)))
        for _ in range(rng.randrange(3)):
            lines.insert(rng.randrange(len(lines)), line)
    return "\n".join(lines).encode()


def _bytes(rng: random.Random) -> bytes:
    """Bytes are lost, changed and added."""
    content = bytearray(VALID.encode())
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(content))
        content[at : at + rng.randrange(4)] = rng.choice(
            (b"", rng.randbytes(2), b"\xff", b"\0", b'"', b"[", b"\r", b"\xed\xa0\x80")
        )
    return bytes(content)


def _anything(rng: random.Random) -> bytes:
    """No config at all."""
    size = int(10 ** rng.uniform(0, 4))
    marks = rng.choice(("[]{}=.,\n\"'#a1 ", "ab=\n", "\"'\\\n", '[[a]]\n."=1'))
    return rng.choice(
        (rng.randbytes(size), "".join(rng.choices(marks, k=size)).encode(), b"\xef\xbb\xbf" + VALID.encode(), b"")
    )


def _huge(rng: random.Random) -> bytes:
    """Much of one thing, up to what is read and beyond."""
    return huge(rng.choice(HUGE), int(10 ** rng.uniform(3, 6.1)))


def huge(parts: tuple[str, str, str], size: int) -> bytes:
    """A config of about ``size`` bytes.

    Parameters
    ----------
    parts : the unit, numbered where it has braces, and what stands before and after.
    """
    unit, before, after = parts
    units = (unit.replace("{}", str(index)) for index in range(size // (len(unit) + 4 * ("{}" in unit))))
    return (before + "".join(units) + after).encode()


_MODEL = '[[models]]\nsource = "org/one"\n'
_REST = f"[words]\nmonths = ['May']\n{_MODEL}"
HUGE = (
    ("'w{}',", "[words]\nmany = [", f"]\n{_MODEL}"),
    ("'a',", "[words]\nmany = [", f"]\n{_MODEL}"),
    ("1,", "[words]\nmany = [", f"]\n{_MODEL}"),
    ("k{} = ['a']\n", "[words]\n", _MODEL),
    ("k{} = 1\n", "[words]\n", _MODEL),
    ("-{},", "[words]\nvocabulary = true\nlayers = [", f"]\n{_MODEL}"),
    ("[],", "title = [", f"]\n{_REST}"),
    ("k{} = 1\n", "", _REST),
    ("[[models]]\n", "", ""),
    ("[[models]]\nsource = 'm{}'\n", "", ""),
    ("[[models]]\nsource = 'm'\n", "[words]\nmonths = ['May']\n", ""),
    ("[[contexts]]\nname = 'c{}'\ntemplate = '{word}'\n", "", _REST),
    ("'alone/layer-{}' = 'x'\n", f"{_REST}[models.notes]\n", ""),
    ("'k{}' = 'x'\n", f"{_REST}[models.notes]\n", ""),
    ("'k{}' = 'missing.md'\n", f"{_REST}[models.notes]\n", ""),
    ("['One', 'One'],", "compare = [", f"]\n{_REST}"),
    ("[[interventions]]\nmodel = 'one'\nlayer = {}\nneurons = [1]\n", _REST, ""),
    ("3,", f"{_REST}[[interventions]]\nmodel = 'one'\nlayer = 0\nneurons = [", "]\n"),
    ("3,", "interventions = [", f"]\n{_REST}"),
    ("9", "token_budget = ", f"\n{_REST}"),
    ("f", "token_budget = 0x", f"\n{_REST}"),
    ("a.", "", f"a = 1\n{_REST}"),
    ("[", "title = ", f"\n{_REST}"),
    ("{a{}=", "title = ", f"\n{_REST}"),
    ("# x\n", "", _REST),
    ("x", 'title = "', f'"\n{_REST}'),
    ("[x](y) ", 'intro = "', f'"\n{_REST}'),
)
MAKERS: dict[str, Callable[[random.Random], bytes]] = {
    "values": _values,
    "keys": _keys,
    "lines": _lines,
    "bytes": _bytes,
    "anything": _anything,
    "huge": _huge,
}
