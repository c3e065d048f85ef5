"""A browser that opens every page of a site of hostile text, uses the explorer, and watches for what must not happen."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from browser import COUNT_SCHEDULED, DESKTOP, started, wait_for_frames, wait_until_quiet
from playwright.sync_api import Page, Route

from torture.trial import SCRIPTS_EXECUTED, SITES_BROKEN, WORDS_LOST

TRAP = """
window.__trapped = [];
window.__trap = (...values) => { window.__trapped.push(values.map(String).join()); };
for (const name of ["alert", "confirm", "prompt", "print"]) window[name] = window.__trap;
"""
"""To be run before a page: what hostile text would call, if it ran."""
FOUND = r"""() => {
  const found = window.__trapped.map((value) => `called with ${value}`);
  const own = "script[src], script[type='application/json'], .tokviz-excerpt > script";
  for (const element of document.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      if (/^on/i.test(name)) found.push(`an attribute ${name}`);
      if (/^\s*(javascript|vbscript|data:text)/i.test(value) && /^(href|src|action|data|srcdoc)$/i.test(name)) found.push(`${name}=${value}`);
    }
    if (element.matches("iframe, object, embed, base, form, video, plaintext, marquee, meta[http-equiv=refresh i]:not(head > [content^='0; url=../'])")) found.push(element.outerHTML.slice(0, 80));
    if (element.matches("script") && !element.matches(own)) found.push(element.outerHTML.slice(0, 80));
  }
  return found;
}"""
"""What ran, and elements and attributes that tokviz doesn't write."""
N_SEARCHED = 6


@dataclass(kw_only=True)
class Visit:
    """What was found, and what was done."""

    harm: list[tuple[str, str]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)


def browse(site: Path, words: Sequence[str], chance: random.Random, leave_out: Sequence[str] = ()) -> Visit:
    """Open every page, each excerpt inside a page of somebody else's, and the explorer with every word in its address.

    Parameters
    ----------
    leave_out : pages that are made for another place than a folder.
    """
    excerpts = sorted(site.glob("data/*/*/excerpt.html"))
    blog = "\n".join(path.read_text(encoding="utf-8") for path in excerpts)
    host = site.parent / "blog.html"
    host.write_text(f"<!doctype html><meta charset=utf-8><title>A blog</title>\n{blog}", encoding="utf-8")
    pages = [path for path in sorted(site.rglob("*.html")) if path not in excerpts and path.name not in leave_out]
    names = [path.relative_to(site.parent).as_posix() for path in (*pages, host)]
    visit = Visit()
    _open_all(site.parent, names, words, chance, visit)
    _find_all(site.parent, words, visit)
    return visit


def open_page(site: Path, path: str, words: Sequence[str]) -> Visit:
    """Open one page only."""
    visit = Visit()
    _open_all(site.parent, [f"site/{path}"], words, random.Random(0), visit)
    return visit


def _open_all(base: Path, names: Sequence[str], words: Sequence[str], chance: random.Random, visit: Visit) -> None:
    for name in names:
        with _opened(base, name, visit) as page:
            if name.endswith("explore/index.html"):
                _explore(page, words, chance)


@contextmanager
def _opened(base: Path, name: str, visit: Visit, fragment: str = "") -> Iterator[Page]:
    """A page of the site; what happens on it until the end is watched."""
    context = started().new_context(viewport=DESKTOP)
    page = context.new_page()
    address, own = base.as_uri() + "/", ("data:", "blob:", base.as_uri() + "/")
    page.on("console", lambda message: visit.harm.append((SITES_BROKEN, f"{name}: said {message.text[:200]}")))
    page.on("pageerror", lambda error: visit.harm.append((SITES_BROKEN, f"{name}: {str(error)[:200]}")))
    page.on("dialog", lambda dialog: visit.harm.append((SCRIPTS_EXECUTED, f"{name}: a dialog, {dialog.message}")))
    page.on("request", lambda request: _note(request.url, own, name, visit))
    page.add_init_script(COUNT_SCHEDULED + TRAP)
    page.route("**", _stay)
    page.goto(address + name + fragment, wait_until="load")
    wait_until_quiet(page)
    visit.seen.append("pages opened")
    yield page
    wait_for_frames(page)
    visit.harm += [(SCRIPTS_EXECUTED, f"{name}: {found}") for found in page.evaluate(FOUND)]
    context.close()


def _stay(route: Route) -> None:
    """Show a page that forwards as itself: its text is looked at, too."""
    forwards = route.request.is_navigation_request() and route.request.frame.url != "about:blank"
    route.fulfill(status=204) if forwards else route.continue_()


def _note(url: str, own: tuple[str, ...], name: str, visit: Visit) -> None:
    if not url.startswith(own):
        visit.harm.append((SCRIPTS_EXECUTED, f"{name}: asked for {url}"))


def _explore(page: Page, words: Sequence[str], chance: random.Random) -> None:
    """Use all that shows words: the search, pins, categories, the picture under a pointer, the table and a second picture."""
    search = page.get_by_role("combobox", name="Find a word")
    for word in chance.sample(list(words), min(N_SEARCHED, len(words))):
        search.fill(word)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
    search.fill("")
    for index in range(page.locator(".legend button").count() - 1):
        page.locator(".legend button").nth(index).click()
        page.locator(".legend button").nth(index).click()
    box = page.locator(".plot-inner").first.bounding_box()
    assert box is not None
    for _ in range(10):
        x, y = chance.random(), chance.random()
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.locator("#filter").fill(chance.choice(words)[:1])
    page.locator("#filter").fill("")
    wait_until_quiet(page)


def _find_all(base: Path, words: Sequence[str], visit: Visit) -> None:
    """An address that names all words pins all of them."""
    fragment = f"#pin={','.join(quote(word, safe='') for word in words)}"
    with _opened(base, "site/explore/index.html", visit, fragment) as page:
        pinned = page.locator(".pins button[aria-label]").all_text_contents()
        if len(pinned) != len(words):
            visit.harm.append((WORDS_LOST, f"the explorer finds {len(pinned)} of {len(words)} words"))
