"""Trials of notes: whatever an author writes becomes HTML that runs nothing and loses no word."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import html5lib

from tokviz.config import load
from tokviz.errors import ConfigError
from tokviz.pages import notes
from tokviz.pages.text import markdown
from tokviz.pages.text.placeholders import Placeholders
from torture.configs import LONGEST_LINE, MOST_SECONDS
from torture.trial import SCRIPTS_EXECUTED, TRACEBACKS, WORDS_LOST, WRONG_OUTCOMES, Outcome

N_TRIALS = 2_000
CONFIG = """
intro = "intro.md"
[words]
months = ["May"]
[[models]]
source = "org/one"
note = "note.md"
"""
PAGE = "models/one/index.html"
SAFE_SCHEMES = {"", "http", "https", "mailto", "ftp", "tel", "data"}
"""What runs nothing when it is followed; data: is allowed for pictures only."""
RUNNING = {"script", "iframe", "object", "embed", "style", "link", "meta", "base", "form", "svg", "math", "template"}


def trial(number: int, folder: Path) -> Outcome:
    """One note, read as the command reads it, and shown on two pages."""
    rng = random.Random(number)
    kind = rng.choice(tuple(MAKERS))
    text, words = MAKERS[kind](rng)
    (folder / "report.toml").write_text(CONFIG, encoding="utf-8")
    for name in ("intro.md", "note.md"):
        (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    harm: Counter[str] = Counter()
    details: list[str] = []
    start = time.process_time()
    try:
        config = load(folder / "report.toml")
        notes.check_before(config)
        placeholders = Placeholders(config.word_list, ())
        introduction = notes.introduction(config, placeholders)
        pages = [*(each if isinstance(each, str) else each.caption for each in introduction)]
        pages.append(notes.note(config.models[0]) or "")
        markdown.targets(text)
        seen = "shown"
    except ConfigError as error:
        seen = "refused"
        if any(len(line) > LONGEST_LINE or not line.isprintable() for line in str(error).splitlines()):
            harm[WRONG_OUTCOMES] += 1
            details.append(f"a line that is too long, or can't be shown: {str(error)[:200]!a}")
        # What is refused today may be shown one day: its HTML has to be safe, too.
        pages, words = _rendered(text, harm, details), ()
    except Exception as error:  # noqa: BLE001 - whatever it is is what the trial looks for
        pages, seen = [], "failed"
        harm[TRACEBACKS] += 1
        details.append(f"{type(error).__name__}: {str(error)[:200]}")
    seconds = time.process_time() - start
    if seconds > 2 * MOST_SECONDS:  # rendered for two pages
        harm[WRONG_OUTCOMES] += 1
        details.append(f"{seconds:.1f} s")
    for page in pages:
        details += _judge(page, words, harm)
    return Outcome(
        harm=harm,
        seen=(f"{kind}: {seen}",),
        seconds_to_error=seconds if seen == "refused" else 0.0,
        detail=f"{kind}: {'; '.join(details)}" if harm else "",
    )


def _rendered(text: str, harm: Counter[str], details: list[str]) -> list[str]:
    try:
        return [markdown.to_html(text[:20_000], page) for page in ("index.html", PAGE)]
    except Exception as error:  # noqa: BLE001
        harm[TRACEBACKS] += 1
        details.append(f"{type(error).__name__}: {str(error)[:200]}")
        return []


def _judge(page: str, words: tuple[str, ...], harm: Counter[str]) -> list[str]:
    """What runs in a page, and which words aren't in its text."""
    tree = html5lib.parseFragment(page, namespaceHTMLElements=False)
    active = [found for element in tree.iter() for found in _active(element)]
    text = "".join(tree.itertext())
    lost = [word for word in words if not re.search(rf"\b{word}\b", text)]
    harm[SCRIPTS_EXECUTED] += bool(active)
    harm[WORDS_LOST] += len(lost)
    for kind in (SCRIPTS_EXECUTED, WORDS_LOST):
        if not harm[kind]:
            del harm[kind]
    return [*active[:3], *(f"lost: {word}" for word in lost[:3])]


def _active(element: object) -> list[str]:
    tag, attributes = element.tag, element.attrib  # type: ignore[attr-defined]
    if not isinstance(tag, str):  # a comment
        return []
    found = [f"<{tag}>"] if tag.lower() in RUNNING else []
    for name, value in attributes.items():
        is_alignment = name == "style" and re.fullmatch("text-align:(left|center|right)", value)  # of a table's column
        if name.lower().startswith("on") or (name.lower() in ("style", "srcdoc", "formaction") and not is_alignment):
            found.append(f"<{tag} {name}>")
        if name.lower() in ("href", "src", "srcset", "poster", "xlink:href"):
            scheme = _scheme(value)
            allowed = SAFE_SCHEMES if name.lower() == "src" else SAFE_SCHEMES - {"data"}
            if scheme in ("javascript", "vbscript", "file") or (scheme == "data" and scheme not in allowed):
                found.append(f"<{tag} {name}={value[:60]!r}>")
    return found


def _scheme(address: str) -> str:
    """As browsers find it: without control characters and spaces before and in it."""
    plain = re.sub(r"[\x00-\x20]+", "", address[:200])
    try:
        return urlsplit(plain).scheme.lower()
    except ValueError:
        return plain.partition(":")[0].lower()


# --- how notes are made --------------------------------------------------------------------------------------------

PIECES = (
    *"[]()<>*_`~!\\\n\t&#|:\"'=+-{}.0",
    "\n\n",
    "  \n",
    "    ",
    "**",
    "``",
    "~~~\n",
    "```\n",
    "> ",
    "- ",
    "1. ",
    "# ",
    "|-|\n",
    "***\n",
    "===\n",
    "[a]: ",
    "[a](b)",
    "![a](images/b.webp)",
    "&lt;",
    "&#106;",
    "&Tab;",
    "&colon;",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](a/../javascript:alert)",
    "[x](/javascript:alert)",
    "[x](./javascript:alert)",
    "[x](&#106;avascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x](javascript&colon;alert(1))",
    "[x](%6Aavascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](data:text/html,x)",
    "![x](javascript:alert(1))",
    '[x](y "onmouseover=alert(1)")',
    '![x"onerror="alert(1)](y)',
    '[x](y"onclick="alert(1))',
    "<javascript:alert(1)>",
    "<https://x.org/a>",
    "[x]: javascript:alert(1)\n\n[x]",
    "[x](//[)",
    "[x](http://[)",
    "[x](//evil.org)",
    "[x](///evil.org)",
    "[x](\\\\evil.org)",
    "[x](models/one/#alone/layer-1)",
    "[x](models/none/)",
    "[x](#)",
    "[x](?a)",
    "<!-- ",
    "<![CDATA[",
    "<?x",
    "\u202e",
    "\u2028",
    "\u3000",
    "\u00a0",
    "é",
    "漢",
    "\U0001f600",
    "\ufeff",
)
Made = tuple[str, tuple[str, ...]]
"""A note, and the words that its pages have to show."""


def _markers(rng: random.Random, n: int) -> tuple[str, ...]:
    return tuple(f"marker{rng.randrange(10**6)}x{index}" for index in range(n))


def _pieces(rng: random.Random) -> Made:
    """Markdown of any kind; nothing is known of its words."""
    return "".join(rng.choices(PIECES, k=rng.randint(1, 200))), ()


def _paragraphs(rng: random.Random) -> Made:
    """Paragraphs between any Markdown, each at the beginning of a document of its own."""
    words = _markers(rng, rng.randint(1, 6))
    ends = (
        "",
        ".",
        " *a*",
        " `b`",
        " [c](d)",
        " <i>",
        " &amp;",
        " \\*",
        " ![e](images/f.webp)",
        "  \ng",
        " **h",
        " [i",
        " <!-- j",
    )
    return "\n\n".join(f"{rng.choice(('', 'Some text, '))}{word}{rng.choice(ends)}" for word in words), words


def _nested(rng: random.Random) -> Made:
    """A word within quotes and lists, as deep as it goes or deeper."""
    (word,) = _markers(rng, 1)
    signs = rng.choices(("> ", ">", "- ", "* ", "1. ", "2) "), k=rng.randint(1, 60))
    return f"{''.join(signs)}{word}", (word,)


def _inline(rng: random.Random) -> Made:
    """A word within emphasis, links and brackets."""
    (word,) = _markers(rng, 1)
    n = rng.randint(1, 200)
    before, after = rng.choice(
        (("*a ", " b*"), ("**", "**"), ("[", "](c)"), ("[", "]"), ("_", "_"), ("(", ")"), ("<", ">"))
    )
    return f"{before * n} {word} {after * rng.randint(0, n)}", (word,)


def _tables(rng: random.Random) -> Made:
    """Words in the cells of a table."""
    words = _markers(rng, 4)
    separator = rng.choice(("|-|-|", "-|-", "|:-:|--:|"))
    return f"|{words[0]}|{words[1]}|\n{separator}\n|{words[2]}|{words[3]}|\n", words


def _huge(rng: random.Random) -> Made:
    """Much of a few pieces, up to what is read and beyond."""
    unit = "".join(rng.choices(PIECES, k=rng.randint(1, 4)))
    size = int(10 ** rng.uniform(3, 4.85))
    return unit * (size // len(unit)), ()


def _hostile(rng: random.Random) -> Made:
    """What no text may hold."""
    (word,) = _markers(rng, 1)
    character = rng.choice(
        ("\x00", "\x07", "\x1b", "\ud800", "\udfff", "\ufffe", "\uffff", "\ufdd0", "\U0010ffff", "\x85", "\r")
    )
    return f"{word} a{character}b", (word,)


MAKERS: dict[str, Callable[[random.Random], Made]] = {
    "pieces": _pieces,
    "paragraphs": _paragraphs,
    "nested": _nested,
    "inline": _inline,
    "tables": _tables,
    "huge": _huge,
    "hostile": _hostile,
}
