"""Each script names what it needs, and every page loads that, in an order in which it works."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest
from changed_fixture import change_report
from narrow import present
from related_fixture import related_report
from report_fixture import FOLDERS, TEMPLATES, many_models_report, one_depth_report, sample_report, tiny_report, twice
from series_fixture import series_report

from tokviz import pages
from tokviz.pages import render
from tokviz.pages.frame import scripts
from tokviz.pages.frame.frame import late_scripts
from tokviz.pages.frame.scripts import Head, head, in_order, read_head
from tokviz.records import Report

ASSETS = TEMPLATES / "assets"
TEXTS = {path.relative_to(ASSETS).as_posix(): path.read_text(encoding="utf-8") for path in sorted(ASSETS.rglob("*.js"))}
SHARED = "Tokviz|Explore"
"""Objects whose properties scripts share."""
EARLY = {"theme.js", "fonts.js", "opening.js"}
"""They run before the page is drawn, each by itself."""
REPORTS: dict[str, Callable[[], Report]] = {
    "sample": sample_report,
    "tiny": tiny_report,
    "one depth": lambda: twice(one_depth_report()),
    "relations": related_report,
    "many models": lambda: many_models_report(18),
    "series": series_report,
    "before and after": lambda: change_report((0.0, 0.0, 0.0, 0.0, -0.5)),
}


# --- the names that scripts share ----------------------------------------------------------------------------------


def code(text: str) -> str:
    """Without comments."""
    return re.sub(r"(^|\s)//.*$", "", text, flags=re.MULTILINE)


def listed(names: str, owner: str = "") -> set[str]:
    """Of ``a, b: c`` the names before the colons."""
    return {owner + each for each in re.findall(r"(?:^|,)\s*(\w+)", names)}


def defined(text: str) -> set[str]:
    """Names at a script's top, and properties of what is shared."""
    source = code(text)
    found = set(re.findall(r"^(?:const|let|var|function|class) (\w+)", source, re.MULTILINE))
    found |= listed(",".join(re.findall(r"^(?:const|let|var) \{(.*?)\} =", source, re.MULTILINE)))
    found |= set(re.findall(rf"^\s*((?:{SHARED})\.\w+) = ", source, re.MULTILINE))
    for owner, names in re.findall(rf"Object\.assign\(({SHARED}), \{{(.*?)\}}\)", source, re.DOTALL):
        found |= listed(names, f"{owner}.")
    whole = re.search(
        rf"^const ({SHARED}) = \(\(\) => \{{$.*^  return \{{(.*?)^  \}};$", source, re.DOTALL | re.MULTILINE
    )
    return found | (listed(whole[2], f"{whole[1]}.") if whole else set())


def used(text: str, names: Collection[str]) -> set[str]:
    """Those of ``names`` that stand in a script, and all properties of what is shared."""
    source = code(text)
    found = {f"{owner}.{name}" for owner, name in re.findall(rf"\b({SHARED})\??\.(\w+)", source)}
    for taken, owner in re.findall(rf"const \{{([^}}]*)\}} = ({SHARED});", source):
        found |= listed(taken, f"{owner}.")
    words = set(re.findall(r"(?<![\w.$])[A-Za-z_]\w*", source))
    return found | {name for name in names if "." not in name and name in words}


OWNERS = {name: script for script, text in TEXTS.items() for name in defined(text)}
"""Name → the script that defines it."""


def mistakes(script: str, text: str) -> Iterator[str]:
    """What is wrong with a script's first lines, given what the script does."""
    said, source = read_head(text.splitlines()), code(text)
    named = (*said.needs, *said.after, *said.loads)
    names = used(text, OWNERS)
    yield from (f"nothing defines {name}" for name in names - set(OWNERS))
    uses = {OWNERS[name] for name in names & set(OWNERS)} - {script}
    yield from (f"uses {each} and doesn’t name it" for each in uses - set(named))
    yield from (f"needs {each} and doesn’t use it" for each in set(said.needs) - uses)
    yield from (f"loads {each} and doesn’t say so" for each in asked_for(source) - set(said.loads))
    yield from (f"doesn’t load {each}" for each in said.loads if each not in uses | asked_for(source))
    yield from (f"there is no {each}" for each in set(named) - set(TEXTS))
    written = re.findall(r"^// (?:needs|after|loads): (.*)", text, re.MULTILINE)
    if sorted(" ".join(written).split()) != sorted(set(named)):
        yield "names a script twice, or not at its top"


def asked_for(source: str) -> set[str]:
    """Scripts that a script loads by their names."""
    return set(re.findall(r'"([\w/-]+\.js)"', source))


@pytest.mark.parametrize("script", [name for name in TEXTS if not name.startswith("vendor/")])
def test_a_script_names_all_scripts_whose_names_it_uses_and_no_others(script: str) -> None:
    assert list(mistakes(script, TEXTS[script])) == []


def test_each_name_is_defined_once() -> None:
    all_names = sorted(name for text in TEXTS.values() for name in defined(text))
    assert all_names == sorted(set(all_names))
    assert {"Tokviz", "Explore", "d3", "COPY_BY_HAND", "Tokviz.svg", "Tokviz.hueOf", "Explore.aligned"} <= set(
        all_names
    )


def test_no_script_comes_after_itself() -> None:
    TopologicalSorter({name: (*head(name).needs, *head(name).after) for name in TEXTS}).prepare()


def test_a_need_that_is_not_named_is_found() -> None:
    planted = 0
    for script, text in TEXTS.items():
        for need in head(script).needs:
            without = re.sub(rf"(^// needs:.*) {re.escape(need)}\b", r"\1", text)
            assert f"uses {need} and doesn’t name it" in mistakes(script, without.replace("// needs:\n", "")), script
            planted += 1
    assert planted > 50


def test_other_mistakes_are_found() -> None:
    text = TEXTS["strips.js"]
    assert list(mistakes("strips.js", f"// after: copy.js\n{text}")) == []
    for line, mistake in (
        ("// needs: common.js take.js", "needs take.js and doesn’t use it"),
        ("// needs: common.js\n// after: lost.js", "there is no lost.js"),
        ("// needs: common.js common.js", "names a script twice, or not at its top"),
        ('// needs: common.js\n"use strict";\n// after: take.js', "names a script twice, or not at its top"),
        ("// needs: common.js\n// loads: take.js", "doesn’t load take.js"),
        ('// needs: common.js\n"take.js"', "loads take.js and doesn’t say so"),
        ("// needs: common.js\nTokviz.nothing", "nothing defines Tokviz.nothing"),
        ("// needs: common.js\nconst { place, take: other } = Tokviz;", "uses take.js and doesn’t name it"),
    ):
        assert list(mistakes("strips.js", text.replace("// needs: common.js", line, 1))) == [mistake]
    with pytest.raises(CycleError):
        TopologicalSorter({"a.js": ["b.js"], "b.js": ["a.js"]}).prepare()


# --- the order -----------------------------------------------------------------------------------------------------


def sort(heads: Mapping[str, Head], monkeypatch: pytest.MonkeyPatch, *entries: str, there: tuple[str, ...] = ()) -> str:
    monkeypatch.setattr(scripts, "head", lambda script: heads.get(script, Head()))
    return " ".join(in_order.__wrapped__(entries, there))


def test_scripts_stand_after_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    heads = {
        "page": Head(needs=("base", "plot"), after=("take",)),
        "plot": Head(needs=("base",)),
        "take": Head(needs=("tell",)),
    }
    assert sort(heads, monkeypatch, "page") == "base plot page"
    assert sort(heads, monkeypatch, "page", "keys", "take") == "base plot tell take page keys"
    assert sort(heads, monkeypatch, "page", "keys", there=("plot",)) == "page keys"
    assert sort(heads, monkeypatch, "keys", "keys") == "keys"


def test_a_circle_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sort({"a": Head(needs=("b",)), "b": Head(needs=("a",))}, monkeypatch, "a") == "b a"


def test_the_first_lines_of_a_script_are_read() -> None:
    assert head("plates/plates.js") == Head(needs=("common.js", "plates/scale.js"), loads=("plates/board.js",))
    assert head("vendor/d3.js") == head("copy.js") == Head()
    assert scripts.ASSETS.resolve() == ASSETS.resolve()


def test_a_site_has_scripts_without_comments_and_indentation() -> None:
    published = render.assets(FOLDERS)
    for script, text in TEXTS.items():
        content = published[f"assets/{script}"]
        written = content.decode() if isinstance(content, bytes) else content.read_text(encoding="utf-8")
        if script.startswith("vendor/"):
            assert written == text
            continue
        lines = [line.strip() for line in text.splitlines()]
        assert written.splitlines() == [line for line in lines if line and not line.startswith("//")], script
        assert all(line.count("`") % 2 == 0 for line in lines), f"{script}: a text goes on in the next line"


def test_a_site_has_styles_without_comments_and_indentation() -> None:
    published = render.assets(FOLDERS)
    for path in ASSETS.rglob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        written = published[f"assets/{path.relative_to(ASSETS).as_posix()}"]
        assert isinstance(written, bytes)
        assert written.decode().splitlines() == [line.strip() for line in text.splitlines() if line.strip()], path


def test_a_theme_s_files_are_published_as_they_are_but_for_the_head_of_scripts(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    style = tmp_path / "assets" / "site.css"
    style.write_text("/* Mine. */\n  p { margin: 0; }\n", encoding="utf-8")
    assert render.assets([tmp_path, *FOLDERS])["assets/site.css"] == style
    body = "// Mine.\nconst text = `\n  // kept\n`;\n"
    (tmp_path / "assets" / "own.js").write_text(f"// needs: common.js\n{body}", encoding="utf-8")
    assert render.assets([tmp_path, *FOLDERS])["assets/own.js"] == body.encode()


# --- the pages -----------------------------------------------------------------------------------------------------


@cache
def trees(report: str) -> dict[str, Element]:
    """Of the pages of a report what has to do with scripts, by their paths."""
    written = render.render(pages.build(REPORTS[report]()), FOLDERS)
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    # Scripts and what names one: to parse all of a page takes five times as long.
    of_scripts = re.compile(r"<script\b.*?</script>|<[^<>]*\bdata-script=[^<>]*>", re.DOTALL)
    pages_of = {path: "".join(of_scripts.findall(text)) for path, text in written.items() if path.endswith(".html")}
    return {path: parser.parse(text) for path, text in pages_of.items()}


def names_of(links: Sequence[str]) -> list[str]:
    return [link.rpartition("assets/")[2] for link in links]


def parts(tree: Element) -> tuple[list[str], list[list[str]]]:
    """The scripts of a page, and the lists of those that come later."""
    tags = [each for each in tree.iter("script") if each.get("defer") is not None]
    data = [present(each.text) for each in tree.iter("script") if each.get("type") == "application/json"]
    late = [names_of(found["scripts"]) for found in map(json.loads, data) if "scripts" in found]
    late += [names_of([link]) for link in {each.get("data-script") for each in tree.iter()} if link]
    return names_of([present(each.get("src")) for each in tags]), late


def disorder(names: Sequence[str], there: Sequence[str] = ()) -> list[str]:
    """What is missing when scripts are loaded in this order, after others."""
    before, found = [*there], []
    for name in names:
        later = set(names) - set(before)
        found += [f"{name}: {each} isn’t there" for each in head(name).needs if each not in before]
        found += [f"{name}: {each} comes later" for each in head(name).after if each in later]
        found += [f"{name}: twice"] * (name in before)
        before.append(name)
    return found


def loaded(tree: Element) -> set[str]:
    """All that a page may load; fails where it doesn't have what one of these needs."""
    tags, late = parts(tree)
    assert disorder(tags) == []
    everything = [*tags]
    for names in late:
        assert disorder(names, tags) == []
        everything += names
    if "related-choice.js" in tags and "related-plot.js" not in tags:
        assert disorder(["related-plot.js"], tags) == []
        everything.append("related-plot.js")
    if "take.js" in tags:
        more = ["copy.js", "picture.js", "save.js"]
        assert disorder(more, everything) == []
        everything += more
    return {*everything}


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.parametrize("report", REPORTS)
def test_every_page_loads_what_its_scripts_need_in_order(report: str) -> None:
    for tree in trees(report).values():
        loaded(tree)


@pytest.mark.thorough
@pytest.mark.slow
def test_every_script_is_loaded_by_a_page() -> None:
    assert EARLY.union(*(loaded(tree) for report in REPORTS for tree in trees(report).values())) == set(TEXTS)


def test_a_page_that_lacks_a_script_is_found() -> None:
    tags, [late, *_] = parts(trees("sample")["compare/index.html"])
    assert "compare/compare.js: captures.js isn’t there" in disorder([each for each in tags if each != "captures.js"])
    assert disorder([*tags[1:], tags[0]]) != []
    assert "compare/compare.js: take.js comes later" in disorder(
        [*(each for each in tags if each != "take.js"), "take.js"]
    )
    assert disorder(late[1:], tags) != []
    assert disorder(["common.js", *late], tags) == ["common.js: twice"]


def test_what_is_loaded_later_is_not_loaded_twice() -> None:
    assert late_scripts("a/b/index.html", "take.js", "save.js") == [
        "../../assets/copy.js",
        "../../assets/picture.js",
        "../../assets/save.js",
    ]
