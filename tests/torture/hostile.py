"""Trials of hostile text: as words, labels, names, titles and notes it goes through the whole pipeline, and may break nothing.

A trial takes a slice of ``STRINGS`` and some strings made up of their fragments, has ``generate.py`` make a report of them in
three contexts with a tiny model whose tokenizer knows every byte, reads every file that came of it, and opens every page.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import families
import html5lib
from command import generate_forked
from tiny_tokenizers import byte_level
from tokenizers import processors

from tokviz.config import validated
from tokviz.errors import ConfigError
from tokviz.pages.text import markdown
from torture.browsing import browse
from torture.strings import FRAGMENTS, STRINGS
from torture.trial import SITES_BROKEN, TRACEBACKS, WORDS_LOST, WRONG_OUTCOMES, Outcome

SLICE = 40
"""Words of the corpus in one trial."""
N_MADE_UP = 10
N_TRIALS = -(-len(STRINGS) // SLICE)
"""So many trials have every string of the corpus as a word, in all contexts; later ones begin again with other made-up strings."""
LONGEST = 200
"""Characters of a word."""
TEMPLATES = {"alone": " {word}", "sentence": "The word is {word}", "quoted": "She said “{word}”, twice."}
OPENING = "</script>\x07\ufffe"
"""What no configuration lets in: a vocabulary's tokens may hold any character."""
ADDRESS = "https://example.org/a/"
Values = dict[str, Any]


def trial(number: int, folder: Path, tried: Sequence[str] | None = None) -> Outcome:
    """Make and read one report; every chance in it comes from ``number``.

    Parameters
    ----------
    tried : as words; the trial's slice of the corpus unless told.
    """
    chance = random.Random(number)
    values, refused = _report(chance, tried or candidates(number, chance))
    _model(folder / "model")
    (folder / "report.toml").write_text(to_toml(values), encoding="utf-8")
    has_address = number % 2 == 1
    arguments = [*(["--svg"] if number % 4 == 0 else []), *(["--site-url", ADDRESS] if has_address else [])]
    made = generate_forked(folder, "--excerpts", *arguments, HF_HUB_OFFLINE="1")  # a source may look like a hub id
    words = words_of(folder)
    seen = [*(["words"] * len(words)), *(["refused"] * refused)]
    if made.returncode != 3 or "Traceback" in made.stderr:
        kind = TRACEBACKS if "Traceback" in made.stderr else WRONG_OUTCOMES
        return Outcome(harm=Counter([kind]), seen=tuple(seen), detail=f"exit {made.returncode}: {made.stderr[-500:]!r}")
    harm = [*broken(folder / "site"), *lost(folder / "site", words)]
    visit = browse(folder / "site", words, chance, leave_out=("404.html",) if has_address else ())
    harm += visit.harm
    return Outcome(
        harm=Counter(kind for kind, _ in harm),
        seen=(*seen, *visit.seen),
        detail="; ".join(f"{kind}: {what}" for kind, what in harm[:5]),
    )


def words_of(folder: Path) -> list[str]:
    """The words of a trial's report."""
    values = tomllib.loads((folder / "report.toml").read_text(encoding="utf-8"))
    return [word for category in values["words"].values() for word in category["words"]]


# --- what is tried -----------------------------------------------------------------------------------------------


def candidates(number: int, chance: random.Random) -> list[str]:
    """The strings that a trial tries as words."""
    start = number % N_TRIALS * SLICE
    made_up = ["".join(chance.choices(FRAGMENTS, k=chance.randint(2, 6)))[:LONGEST].strip() for _ in range(N_MADE_UP)]
    return [*STRINGS[start : start + SLICE], *made_up]


def _report(chance: random.Random, candidates: Iterable[str]) -> tuple[Values, int]:
    """A configuration with hostile text wherever text may stand, and how many candidates it refused as words."""
    texts = _Texts(chance)
    kept, refused = _words(candidates)
    values: Values = {key: texts.next() for key in ("title", "subtitle", "author", "description", "license")}
    values["intro"] = texts.note()
    values["projections"] = ["centered"]
    values["plate_size"] = [750, 600]
    values["words"] = {f"part{index}": {"label": texts.next(), "words": kept[index::4]} for index in range(4)}
    values["contexts"] = [
        {"name": name, "label": texts.next(), "template": template} for name, template in TEMPLATES.items()
    ]
    note = texts.note()
    model = {"source": "./model", "name": texts.name(), "note": note, "notes": {"alone/layer-1": note}}
    values["models"] = [model, {"source": texts.next(), "name": texts.name(model["name"])}]
    return values, refused


class _Texts:
    """The strings of the corpus in another order, each given once."""

    def __init__(self, chance: random.Random) -> None:
        self._left = list(STRINGS)
        chance.shuffle(self._left)

    def next(self) -> str:
        """One that may be a title, a label or a source."""
        return self._first(lambda text: {"title": text})

    def name(self, *taken: Any) -> str:
        """One that may be a model's name beside others: files are named after it."""
        others = [{"source": "x", "name": name} for name in taken]
        return self._first(lambda text: {"models": [*others, {"source": "x", "name": text}]})

    def note(self) -> str:
        """Some together that may be Markdown."""
        some, self._left = self._left[:30], self._left[30:]
        return "\n\n".join(text for text in some if _is_note(text))

    def _first(self, values_with: Callable[[str], Values]) -> str:
        index = next(index for index, text in enumerate(self._left) if _is_taken(values_with(text)))
        return self._left.pop(index)


def _words(candidates: Iterable[str]) -> tuple[list[str], int]:
    """Those that a configuration takes, one beside the other."""
    kept: list[str] = []
    refused = 0
    for word in dict.fromkeys(candidates):
        if _is_taken({"words": {"all": [*kept, word]}}):
            kept.append(word)
        else:
            refused += 1
    return kept, refused


def _is_taken(values: Values) -> bool:
    base: Values = {"words": {"all": ["word"]}, "models": [{"source": "x", "name": "other"}]}
    try:
        validated(base | values, Path("report.toml"))
    except ConfigError:
        return False
    return True


def _is_note(text: str) -> bool:
    """Whether a configuration takes it as Markdown that leads to no page: a link to one that isn't there is refused."""
    leads_nowhere = not markdown.targets(text) and not markdown.foreign_pictures(text)
    return leads_nowhere and not text.endswith(".md") and _is_taken({"intro": text})


def _model(folder: Path) -> None:
    """A tiny llama that reads every byte, and long texts, with a hostile token before each."""
    families.build("llama", folder)
    tokenizer = byte_level()
    raw = tokenizer.backend_tokenizer
    raw.add_special_tokens([OPENING])
    around = processors.TemplateProcessing(single=f"{OPENING} $A", special_tokens=[(OPENING, raw.token_to_id(OPENING))])
    raw.post_processor = around
    tokenizer.save_pretrained(folder)
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"max_position_embeddings": 2048}))


def to_toml(values: Values) -> str:
    """``values`` as inline TOML: what JSON writes, but for the characters that TOML wants escaped."""
    return "".join(f"{key} = {_inline(value)}\n" for key, value in values.items())


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_inline(key)} = {_inline(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


# --- what came of it ---------------------------------------------------------------------------------------------


def broken(site: Path) -> Iterator[tuple[str, str]]:
    """Files that a strict reader of their kind can't read."""
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        try:
            if path.suffix == ".html":
                parser = html5lib.HTMLParser(strict=True)
                (parser.parseFragment if name.startswith("data/") else parser.parse)(path.read_text(encoding="utf-8"))
            elif path.suffix in (".svg", ".xml"):
                ElementTree.parse(path)
            elif path.suffix == ".json":
                json.loads(path.read_text(encoding="utf-8"))
            elif path.suffix == ".js" and name.startswith("data/"):
                _content(path)
        except Exception as error:  # noqa: BLE001  # whatever a parser says
            yield SITES_BROKEN, f"{name}: {type(error).__name__}: {error}"


def _content(script: Path) -> Any:
    """What a script of the explorer's data hands over."""
    found = re.fullmatch(r"tokvizData\((\"[^\"]*\"),(.*)\);\n", script.read_text(encoding="utf-8"), re.DOTALL)
    if found is None:
        raise ValueError("not one call of tokvizData")
    return json.loads(found[2])


def lost(site: Path, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Words that a file should have, exactly and in their order, and hasn't."""
    [words_of_explorer] = [_content(site / "data" / "words.js")["words"]]
    lists = {"words.js": words_of_explorer}
    report = json.loads((site / "data" / "report.json").read_text(encoding="utf-8"))
    lists["report.json"] = list(dict.fromkeys(word for category in report["categories"] for word in category["words"]))
    for path in sorted(site.glob("data/*/*/*.csv")):
        rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
        name = path.relative_to(site).as_posix()
        if path.name == "tokens.csv":
            lists[name] = [row["word"] for row in rows]
            lists[f"{name}: text"] = [_inside(row["text"], path.parent.name) for row in rows]
        elif path.name == "coordinates.csv":
            for depth in {row["depth"] for row in rows}:
                lists[f"{name}: {depth}"] = [row["word"] for row in rows if row["depth"] == depth]
        formulas = [row["text_safe"] for row in rows if row.get("text_safe", "")[:1] in tuple("=+-@＝＋－＠")]
        yield from ((WRONG_OUTCOMES, f"{name}: a formula, {text!r}") for text in formulas if text)
    for name, found in lists.items():
        if found != list(words):
            missing = [word for word in words if word not in found]
            yield WORDS_LOST, f"{name}: {missing[:3]!r} of {len(words)}"


def _inside(text: str, context: str) -> str:
    before, after = TEMPLATES[context].split("{word}")
    return text.removeprefix(before).removesuffix(after)
