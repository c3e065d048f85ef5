"""Reports of odd shapes: what is odd about each, its files, and how it is run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Files = dict[str, str]
"""Path in a case's folder → text."""
Step = str | Files
"""A command line, which begins with ``generate.py``, ``tokviz`` or a script of the case; or files that are written in between."""

MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August"]
COLORS = ["red", "blue", "green", "pink", "brown", "gray", "black", "white"]
NAMES = ["James", "Mary", "Emma", "Paul", "Anna", "Susan"]
WORDS = (*MONTHS, *COLORS, *NAMES, *"abcdefgh", "I", "saw", "What", "about", "Months", "Colors", "Names")
"""What the tokenizers of most checkpoints know as one token each."""
MANY_WORDS = tuple(f"w{number:03}" for number in range(600))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One report, made in a folder of its own, in which ``models`` holds the checkpoints."""

    name: str
    odd: str
    files: Files
    steps: tuple[Step, ...]
    copies: tuple[str, ...] = ()
    """What else its folder has of the checkout that makes it."""


# --- parts of configs ------------------------------------------------------------------------------------------------


def listed(words: Mapping[str, Sequence[str]]) -> str:
    return "".join(f"{json.dumps(key)} = {json.dumps(each, ensure_ascii=False)}\n" for key, each in words.items())


def models(*sources: str) -> str:
    return "".join(f'[[models]]\nsource = "models/{source}"\n' for source in sources)


def contexts(**templates: str) -> str:
    return "".join(f'[[contexts]]\nname = "{name}"\ntemplate = "{each}"\n' for name, each in templates.items())


FEW = listed({"months": MONTHS[:5], "colors": COLORS[:5]})
MORE = listed({"months": MONTHS, "colors": COLORS, "names": NAMES})
LLAMA = models("llama")
NO_FOLDER = '[[models]]\nsource = "./nowhere"\n'
BOTH = contexts(alone=" {word}", sentence="The word is {word}")
ONE = 'projections = ["standardized"]\n'
TEXT = "".join(
    f"{MONTHS[number * 5 % 8]} is {COLORS[number * 3 % 7]}, and {NAMES[number * 7 % 6]} saw a word about {number}.\n"
    for number in range(300)
)
"""Long enough to measure a loss on, and to fit a lens on."""
BUILD = "generate.py"
ASKED = ("tokviz plan", f"{BUILD} --dry-run")
"""Before each build."""


def report(more: str = LLAMA, *, top: str = ONE, words: str = FEW) -> str:
    """A config: keys that stand before all tables, the table of words, other tables."""
    return f"plate_size = [750, 600]\n{top}[words]\n{words}{more}"


def case(name: str, odd: str, config: str, *steps: Step, files: Files | None = None) -> Case:
    """Made by ``generate.py`` unless there are ``steps``; what would then be made is asked once more."""
    return Case(
        name=name,
        odd=odd,
        files={"report.toml": config, **(files or {})},
        steps=(*ASKED, *(steps or (BUILD,)), "tokviz plan"),
    )


# --- models ----------------------------------------------------------------------------------------------------------

OF_MODELS = [
    case("encoder", "all tokens see each other, and no word is at position 0", report(BOTH + models("bert"))),
    case("encoder_decoder", "only the encoder is captured", report(BOTH + models("t5"))),
    case("encoder_decoder_pieces", "the same, of words of several tokens", report(models("led"))),
    case("side_by_side", "an encoder and a decoder", report(BOTH + models("bert", "llama"))),
    case("failed_model", "one of two models has no folder", report(NO_FOLDER + LLAMA)),
    case("all_failed", "no model has a folder", report(NO_FOLDER + models("none"))),
    case("narrow_embedding", "the embedding has half of the layers' width", report(models("opt_narrow"))),
    case("shared_layers", "one layer runs three times", report(models("albert"))),
    case("mamba", "no attention", report(models("mamba"))),
    case("experts", "a mixture of experts", report(models("qwen3_moe"))),
    case("gemma", "a special token stands before each text", report(models("gemma3_text"))),
    case("hybrid", "attention and a state space beside each other", report(models("falcon_h1"))),
    case("two_widths", "models of different width and depth", report(models("llama", "series/step-1000", "short"))),
    case(
        "fifty_models",
        "fifty, of one layer",
        report(models(*(f"fifty/{number:02}" for number in range(50)))),
        f"{BUILD} --draft",
    ),
    case(
        "chosen_pairs",
        "one of the pairs of models is shown layer by layer",
        report(models("llama", "short", "bert"), top=f'{ONE}compare = [["short", "llama"]]\n'),
    ),
    case(
        "model_keys",
        "names, a hash that doesn't fit, a dtype",
        report(f'{LLAMA}name = "Mine"\ndtype = "bfloat16"\n{models("short")}name = "Wrong"\nsha256 = "{"0" * 64}"\n'),
    ),
]

# --- what is captured besides ----------------------------------------------------------------------------------------

BY_HAND = """
[[interventions]]
model = "llama"
layer = 1
neurons = [3, 7]
value = 5.0
label = "pushed"
[[interventions]]
model = "llama"
layer = 0
neurons = [1]
[[interventions]]
model = "short"
layer = 9
neurons = [1]
value = "mean"
"""
SERIES = """
[[series]]
name = "Tiny"
sources = ["models/series/step-0", "models/series/step-10", "models/series/step-100", "models/series/step-1000"]
"""

OF_CAPTURES = [
    case(
        "break_everywhere",
        "two neurons write a huge value at every position",
        report(BOTH + models("break"), words=MORE),
    ),
    case("break_first", "the same at position 0 only", report(BOTH + models("break-first"), words=MORE)),
    case(
        "break_left", "the same, and no neuron is changed", report(models("break"), top=f'{ONE}interventions = "off"\n')
    ),
    case(
        "by_hand",
        "neurons set by hand, one of which a model doesn't have",
        report(BY_HAND + BOTH + models("llama", "short")),
    ),
    case(
        "loss_text",
        "the loss on the author's text",
        report(f'[loss]\ntext = "loss.txt"\npassages = 8\n{models("break-first")}', words=MORE),
        files={"loss.txt": TEXT},
    ),
    case("untrained", "controls without training", report(BOTH + LLAMA, top=f"{ONE}untrained = true\n", words=MORE)),
    case(
        "untrained_one",
        "controls of one of two models, with a range of its own",
        report(f"{LLAMA}untrained = true\ninitializer_range = 0.1\n{models('short')}untrained = false\n"),
    ),
    case("lens", "what each layer would say", report(BOTH + LLAMA, top=f"{ONE}lens = true\n", words=MORE)),
    case(
        "lens_text",
        "the same, fitted on the author's text, of one of two models",
        report(f'[lens]\ntext = "lens.txt"\n{LLAMA}{models("short")}lens = false\n', words=MORE),
        files={"lens.txt": TEXT},
    ),
    case(
        "series", "four checkpoints from step 0 on", report(f"{BOTH}{SERIES}steps = [0, 10, 100, 1000]\n", words=MORE)
    ),
    case(
        "series_labels",
        "checkpoints with labels and no start, on the axes of the second",
        report(f'{SERIES}labels = ["base", "SFT", "DPO", "RL"]\nreference_step = "SFT"\nplates = "all"\n'),
    ),
    case(
        "series_and_model",
        "a series that ends in a failed checkpoint, and one of its checkpoints as a model",
        report(
            SERIES.replace("step-1000", "none")
            + 'steps = [0, 10, 100, 1000]\nplates = "maps"\n'
            + models("series/step-100")
        ),
        # How many images are new depends on the processor's load: those of both are drawn twice if the first aren't done.
        f"{BUILD} --quiet",
    ),
]

# --- words -----------------------------------------------------------------------------------------------------------

ODD_SCRIPTS = {
    "arabic": ["كلب", "قطة", "بيت", "שלום"],
    "cjk": ["猫", "犬", "家", "かな"],
    "emoji": ["🙂", "👩‍👩‍👧", "🇫🇷", "é", "naïve"],
}
MARKUP = {"a": ["$5", "<b>", "a & b", '"q"', "{word}"], "b": ["$x^2$", "</script>", "50%", "\\n", "it's"]}
IN_TWO = {"months": MONTHS[:5], "girls": ["April", "May", "June", "Emma"], "spring": ["March", "April", "May"]}
RELATED = f"""
[[relations]]
name = "pair"
label = "Month → color"
pairs = {json.dumps([list(pair) for pair in zip(MONTHS[:7], COLORS[:7], strict=True)])}
[[orders]]
name = "year"
category = "months"
cyclic = true
[[orders]]
name = "line"
words = {json.dumps([*MONTHS[:4], *COLORS[:4], "Emma"])}
"""
LABELED = """[words.months]
label = "Months of a <year>"
reads_as = " month"
words = ["January", "February", "March", "April"]
[words.colors]
label = "$Colors$ & more"
words = ["red", "blue", "green", "pink"]
"""

OF_WORDS = [
    case("one_list", "no categories", 'plate_size = [750, 600]\nwords = "words.txt"\n' + LLAMA, files={"words.txt": "\n".join(NAMES)}),
    case("one_category", "nothing to tell apart", report(words=listed({"months": MONTHS}))),
    case("thirty_categories", "more than colors and shapes", report(models("large"), words=listed({f"kind {n}": [f"w{n:03}", f"w{n + 30:03}", f"w{n + 60:03}"] for n in range(30)}))),
    case("in_two_categories", "words that stand in two or three", report(words=listed(IN_TWO))),
    case("pieces", "words of one to many tokens", report(models("qwen3"), words=listed({"a": ["cat", "cats", "catalogue", "James"], "b": ["nurse", "unseen", "catastrophe", "doctors"]}))),
    case("read_first", "the first token of a word is read", report(models("qwen3"), top=f'{ONE}read = "first"\n', words=listed({"a": MONTHS, "b": COLORS}))),
    case("read_mean", "the mean of its tokens", report(models("qwen3"), top=f'{ONE}read = "mean"\n', words=listed({"a": MONTHS, "b": COLORS}))),
    case("one_word", "nothing to compare", report(words=listed({"months": MONTHS[:1]}))),
    case("two_words", "too few for a plot", report(words=listed({"months": MONTHS[:1], "colors": COLORS[:1]}))),
    case("many_words", "six hundred", report(models("large"), words=listed({f"kind-{n}": MANY_WORDS[n::6] for n in range(6)}))),
    case("scripts", "from right to left, without spaces, composed of several code points", report(models("qwen3"), words=listed(ODD_SCRIPTS))),
    case("markup", "words, labels and a title that could be HTML or mathematics", report('[[models]]\nsource = "models/qwen3"\nname = "<i>$M$</i>"\n', top=f'{ONE}title = "<b>T & $t$</b>"\n', words=listed(MARKUP))),
    case("labels", "labels of categories and contexts", report(f'[[contexts]]\nname = "In a text"\nlabel = "in $a$ <text>"\ntemplate = "I saw {{word}}"\n{LLAMA}', words=LABELED)),
    case("relations", "pairs and orders, in two models", report(RELATED + BOTH + models("llama", "short"), words=MORE)),
    case("vocabulary", "every token is a word", report(BOTH + LLAMA, words="vocabulary = true\n")),
    case("vocabulary_depths", "the same at two depths, with landmarks, in two models", report(models("llama", "qwen3"), words='vocabulary = true\nlayers = ["embedding", 0]\n' + FEW)),
    case("words_csv", "words from a CSV file", 'plate_size = [750, 600]\nwords = "words.csv"\n' + LLAMA, files={"words.csv": "word;category;n\nMay;months;1\nJune;months;2\nred;colors;3\nblue;colors;4\n"}),
    case("words_toml", "words from a TOML file", 'plate_size = [750, 600]\nwords = "words.toml"\n' + LLAMA, files={"words.toml": LABELED.replace("words.", "")}),
    case("words_json", "words in place of the config's", report(RELATED + LLAMA, words=MORE), f"{BUILD} --words words.json", files={"words.json": json.dumps({"names": NAMES, "letters": list("abcd")})}),
]  # fmt: skip

# --- contexts, texts, looks ------------------------------------------------------------------------------------------

TEMPLATES = (
    '[[contexts]]\nname = "sentence"\ntemplates = ["The word is {word}", "I saw a {word}", "What about {word}"]\n'
)
NOTES = """note = "notes.md"
[models.notes]
"alone/layer-1" = "**Here** $x$ <b>b</b>, see [layer 2](#alone/layer-2)."
"alone/layer-1/standardized" = "In this plot only."
"alone/grid" = "A caption."
"curves" = "Another."
"""
INTRO = "{n_words} words in {n_models} model.\n\n| a | b |\n|---|---|\n| 1 | `2` |\n\n- [the model](models/llama/)\n"
FINDING = """[finding]
sentence = "Two colors hide the months."
rows = ["llama/sentence", "llama/alone"]
depths = ["embedding", "layer-0", "layer-2"]
projection = "centered"
"""
FACTS = """title = "A title"
subtitle = "{n_words} words in {n_layers} layers."
author = "Ada & Søren"
description = "What it is."
license = "CC BY 4.0"
license_url = "https://creativecommons.org/licenses/by/4.0/"
site_url = "https://example.org/report/"
"""
LOOK = """palette = ["#e69f00", "#0072b2"]
markers = ["diamond", "plus", "star"]
plate_size = [1000, 500]
aspect = "fill"
"""
THEME = {
    "theme/base.html": '{% extends "tokviz/base.html" %}{% block header %}<p class="mast">Mine</p>{{ super() }}{% endblock %}\n',
    "theme/assets/theme.css": ":root { --accent: light-dark(#7a2e6b, #d79ac9); }\n",
}

OF_TEXTS = [
    case("one_context", "the least that there can be", report()),
    case("three_contexts", "three contexts, one with text on both sides", report(f"{BOTH}{contexts(question='What about {word} is a word')}{LLAMA}")),
    case("templates", "three sentences in one context, one in another", report(TEMPLATES + contexts(alone=" {word}") + models("llama", "bert"), words=MORE)),
    case("notes", "notes and an introduction in Markdown", report(LLAMA + NOTES, top=f'{ONE}intro = "intro.md"\n'), files={"notes.md": "# A note\n\nOf *this* model.\n", "intro.md": INTRO}),
    case("finding", "the first page opens with the author's words", report(FINDING + BOTH + LLAMA, top='projections = ["standardized", "centered"]\n')),
    case("facts", "author, license, address", report(top=f"{ONE}{FACTS}")),
    case("address", "an address by the command line", report(), f"{BUILD} --site-url https://example.org/"),
    case("draft", "small plots, and no measures", report(BOTH + LLAMA), f"{BUILD} --draft"),
    case("all_projections", "four of them", report(models("break-first"), top='projections = ["centered", "unit_norm", "standardized", "without_massive"]\n')),
    case("theme", "templates and styles of the author's own", report(top=f'{ONE}theme = "theme"\n'), files=THEME),
    case("look", "colors, shapes and size of plots", ONE + LOOK + f"[words]\n{MORE}{LLAMA}"),
    case("vectors", "plots as SVG, and fragments for a blog", report(), f"{BUILD} --svg --excerpts"),
]  # fmt: skip

# --- without the command ---------------------------------------------------------------------------------------------

ARRAYS = """
import numpy as np, tokviz
words = {"colors": ["red", "blue", "green", "pink", "gray"], "months": ["May", "June", "July", "March", "April"]}
states = np.random.default_rng(0).normal(size=(4, 10, 16)).astype("float32")
states[1:, :5, :4] += 3
"""
LOADED = """
import tokviz
from transformers import AutoModelForCausalLM, AutoTokenizer, logging
logging.disable_progress_bar()  # it says how fast
words = {"colors": ["red", "blue", "green", "pink"], "months": ["May", "June", "July", "March"]}
contexts = {"alone": " {word}", "sentence": ["The word is {word}", "I saw {word}"]}
"""


def script(name: str, odd: str, text: str) -> Case:
    """A report that ``make.py`` makes."""
    return Case(name=name, odd=odd, files={"make.py": text}, steps=("make.py",))


OF_SCRIPTS = [
    script(
        "arrays",
        "states from elsewhere",
        ARRAYS
        + 'study = tokviz.from_arrays(states, words, name="Mine")\nprint(study)\nstudy.report("site", jobs=1)\n'
        + 'study["Mine"]["given"].to_pandas("geometry").to_csv("geometry.csv")\n',
    ),
    script(
        "arrays_parts",
        "states in two contexts, whose first depth is narrower, without categories, with paths",
        ARRAYS
        + 'parts = {"a": [states[0, :, :8], *states[1:]], "b": [states[0, :, :8], *states[1:] * 2]}\nlist_ = sum(words.values(), [])\n'
        + 'paths = ["wte", "h.0", "h.1", "h.2"]\n'
        + 'tokviz.from_arrays(parts, list_, name="Parts", module_paths=paths).report("site", jobs=1)\n',
    ),
    script(
        "arrays_refused",
        "states that don't fit the words",
        ARRAYS
        + "try:\n    tokviz.from_arrays(states[:, :9], words)\nexcept Exception as error:\n    print(repr(error))\n",
    ),
    script(
        "loaded_model",
        "a model that is loaded, in several sentences",
        LOADED
        + 'model, tokenizer = AutoModelForCausalLM.from_pretrained("models/llama"), AutoTokenizer.from_pretrained("models/llama")\n'
        + 'study = tokviz.study(model, words, contexts, tokenizer=tokenizer, name="Mine")\nstudy.report("site", jobs=1)\n'
        + 'own = study["Mine"]["sentence"]\nown.to_pandas("templates").to_csv("templates.csv")\nown.draw(2).save("plate.png")\n'
        + 'open("explorer.html", "w").write(own.explore()._repr_html_())\n',
    ),
    script(
        "study",
        "two sources, studied",
        LOADED + 'tokviz.study(["models/llama", "models/bert"], words, contexts).report("site", jobs=1)\n',
    ),
]

# --- several runs ----------------------------------------------------------------------------------------------------

WITH_A_WORD = {"report.toml": report(words=FEW.replace('"January"', '"August", "January"'))}
MISTAKEN = report(
    LLAMA.replace("source", "sources") + '[[contexts]]\nname = "x"\ntemplate = "y"\n',
    top='projection = ["flat"]\npalette = [1, 2]\nsite_url = "example"\n',
    words='months = ["May", "May", " x"]\n',
)

OF_RUNS = [
    case("word_added", "a second run after a word was added", report(), BUILD, WITH_A_WORD, *ASKED, BUILD),
    case("model_removed", "a second run with one model less", report(models("llama", "short")), BUILD, {"report.toml": report()}, *ASKED, BUILD),
    case("label_changed", "a second run after a title and a category's name", report(), BUILD, {"report.toml": report(top=f'{ONE}title = "Other"\n', words=FEW.replace("months", "Months of spring"))}, *ASKED, BUILD),
    case("capture_only", "captured first, built later", report(BOTH + LLAMA), f"{BUILD} --capture-only", *ASKED, BUILD),
    case("forced", "all of it again", report(), BUILD, "tokviz plan --force", f"{BUILD} --force"),
    case("pruned", "a cache without what a report of two models had, which is then built again", report(models("llama", "short")), BUILD, {"report.toml": report()}, BUILD, "tokviz prune --dry-run --older-than 0", "tokviz prune --older-than 0", BUILD),
    case("own_models", "models by the command line, for which texts are left out", report(FINDING + BOTH + LLAMA + NOTES, top=FACTS), f"{BUILD} --model Other=models/short", files={"notes.md": "A note."}),
    case("mistakes", "many in one config", MISTAKEN),
    case("commands", "what the other commands say", report(models("llama", "none")), "tokviz models models/llama models/bert models/none", "tokviz schema", "tokviz --version", "tokviz init new", "tokviz plan --config new/report.toml", "tokviz plam"),
]  # fmt: skip

SAMPLE = Case(
    name="sample",
    odd="the report of the checkout itself",
    files={},
    steps=(*ASKED, BUILD, "tokviz plan"),
    copies=("report.toml", "notes"),
)
CASES = [*OF_TEXTS, *OF_MODELS, *OF_CAPTURES, *OF_WORDS, *OF_SCRIPTS, *OF_RUNS, SAMPLE]
