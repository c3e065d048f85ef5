"""The browser of the tests: find a Chromium or install one, serve a site to it, and wait for what its pages do.

Run as a command it makes sure that there is a Chromium: on the path, Debian's, or Playwright's own.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any, Literal, Protocol

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Browser, FloatRect, Locator, Page, Playwright, ViewportSize, expect, sync_playwright
from quiet_server import Server

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SHELLS = ("chromium-headless-shell", "chrome-headless-shell")
"""The same engine without a browser around it: it starts, and opens pages, in less time."""
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
Scheme = Literal["light", "dark"]
STILL: dict[str, Any] = {"reduced_motion": "reduce"}
"""Of a page: a step to the next layer takes the time of one frame, not of twenty-five."""
MOVING: dict[str, Any] = {"reduced_motion": "no-preference"}
"""For tests of movement, and for a few of each page that step while something moves."""
PHONE: ViewportSize = {"width": 390, "height": 844}
ARGUMENTS = (
    "--headless=new",
    "--font-render-hinting=none",  # as a browser with a window has them
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PIECE, N_PIECES = 1400, 40
"""Bytes that a network brings at once, and how many of them one waits for when a page comes in pieces."""
COUNT_SCHEDULED = """(() => {
    const scheduled = { timer: new Set(), frame: new Set() };
    for (const [name, kind, once] of [
        ["setTimeout", "timer", true], ["setInterval", "timer", false], ["requestAnimationFrame", "frame", true],
    ]) {
        const original = window[name];
        window[name] = (act, ...rest) => {
            const id = original((...values) => {
                if (once) scheduled[kind].delete(id);
                return act(...values);
            }, ...rest);
            scheduled[kind].add(id);
            return id;
        };
    }
    for (const [name, kind] of [["clearTimeout", "timer"], ["clearInterval", "timer"], ["cancelAnimationFrame", "frame"]]) {
        const original = window[name];
        window[name] = (id) => {
            scheduled[kind].delete(id);
            original(id);
        };
    }
    window.countScheduled = () => scheduled.timer.size + scheduled.frame.size;
})();"""
"""To be run before a page; ``wait_until_quiet`` reads how many timers, intervals and frames are scheduled."""
COUNT_SHIFTS = """(() => {
    let total = 0;
    const moves = [];
    let counts = true;
    const add = (entries) => {
        if (!counts) return;
        for (const { value, startTime, sources } of entries) {
            total += value;
            for (const { node, previousRect: from, currentRect: to } of sources)
                moves.push(`${Math.round(startTime)} ms: ${node?.nodeName} ${node?.className}, ${[from.x, from.y, from.width, from.height]} to ${[to.x, to.y, to.width, to.height]}`);
        }
    };
    const observer = new PerformanceObserver((list) => add(list.getEntries()));
    observer.observe({ type: "layout-shift", buffered: true });
    window.layoutShift = () => {
        add(observer.takeRecords());
        return [total, moves];
    };
    window.uncounted = async (change) => {
        add(observer.takeRecords());
        counts = false;
        change();
        await new Promise((end) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(end))));
        observer.takeRecords();
        counts = true;
    };
})();"""
"""To be run before a page; ``layout_shift`` reads the sum, and what moved from where."""
UNFOLD = """async () => {
    const unfold = () => { for (const part of document.querySelectorAll("details.part")) part.open = true; };
    if (window.uncounted && matchMedia("(scripting: enabled)").matches) await window.uncounted(unfold);
    else unfold();
}"""
"""Opens all parts of a page; what that moves isn't a shift of the page's own. Without scripts no frame can be waited for."""
COUNT_ADDRESS_CHANGES = """(() => {
    window.addressChanges = 0;
    const original = history.replaceState;
    history.replaceState = function (...values) {
        window.addressChanges += 1;
        return original.apply(this, values);
    };
})();"""
"""To be run before a page; ``address_changes`` reads the number."""

IS_QUIET = """() => {
    const inWindow = (image) => [...image.getClientRects()].some(({ left, top, right, bottom }) =>
        left < innerWidth && top < innerHeight && right > 0 && bottom > 0);
    return countScheduled() === 0
        && document.fonts.status === "loaded"
        && document.getAnimations().every(({ playState }) => playState !== "running")
        && [...document.images].every((image) => image.complete || !inWindow(image));
}"""


class OpenPage(Protocol):
    """What the fixture ``open_page`` is: opens a page of a site, which is a folder or a server's address."""

    def __call__(
        self,
        base: Path | str,
        path: str,
        viewport: ViewportSize = DESKTOP,
        before: str | None = None,
        requested: list[str] | None = None,
        **options: Any,
    ) -> Page:
        """Open a page and wait until it has loaded.

        Parameters
        ----------
        before : a script that runs before the page's own.
        requested : the pictures that the page requests are added to it.
        options : of Playwright's ``new_context``.
        """


class OpenAt(Protocol):
    """A fixture that opens one page of a site: at a fragment, or at one of a few paths."""

    def __call__(self, base: Path | str, fragment: str = ..., /, **options: Any) -> Page: ...


def executable(names: tuple[str, ...] = NAMES) -> str | None:
    """The Chromium of ``TOKVIZ_CHROMIUM`` or of the path; None leaves the choice to Playwright."""
    named = os.environ.get("TOKVIZ_CHROMIUM")
    return named or next((path for name in names if (path := shutil.which(name))), None)


def path_of_executable() -> str:
    """A whole Chromium."""
    found = executable()
    if found is None:
        with sync_playwright() as playwright:
            found = playwright.chromium.executable_path
    return found


def launch(playwright: Playwright) -> Browser:
    """A headless Chromium that requests nothing by itself."""
    return playwright.chromium.launch(executable_path=executable((*SHELLS, *NAMES)), args=list(ARGUMENTS))


@functools.cache
def started() -> Browser:
    """The one browser of this process: Playwright can't be started twice in a thread, and starting it takes longer than a page."""
    playwright = sync_playwright().start()
    atexit.register(playwright.stop)
    return launch(playwright)


@contextmanager
def served(
    folder: Path,
    requested: list[str] | None = None,
    late: tuple[str, ...] = (),
    first_script: str | None = None,
    until: Event | None = None,
    in_pieces: bool = False,
) -> Iterator[str]:
    """The address at which a folder is served.

    The paths of all requests are added to ``requested``; files whose names end with one of ``late`` come half a second late,
    or once ``until`` is set. Pages get ``first_script`` before their own. ``in_pieces`` their bodies come by and by, so that a
    browser draws what it has.
    """

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith(late):
                until.wait(60) if until else time.sleep(0.5)
            if first_script is not None and self.path == "/first.js":
                return self.send(first_script.encode(), "text/javascript")
            if self.path.endswith(".html") and (in_pieces or first_script is not None):
                page = Path(self.translate_path(self.path)).read_bytes()
                first = b"<head>" if first_script is None else b'<head><script src="/first.js"></script>'
                return self.send(page.replace(b"<head>", first, 1), "text/html")
            return super().do_GET()

        def send(self, content: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            first = content.find(b"<body") if in_pieces else -1
            ends = range(first, min(len(content), first + N_PIECES * PIECE), PIECE) if first >= 0 else ()
            for start, end in pairwise((0, *ends, len(content))):
                self.wfile.write(content[start:end])
                if ends:
                    time.sleep(0.04)

        def log_message(self, *_: object) -> None:
            if requested is not None:
                requested.append(self.path)

    with Server(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


# --- waiting ------------------------------------------------------------------------------------------------------


def wait_for_frames(page: Page) -> None:
    """Wait until two frames were drawn and the page was idle: events and observers of the last action have reported."""
    page.evaluate(
        """async () => {
            await new Promise(requestAnimationFrame);
            await new Promise(requestAnimationFrame);
            await new Promise((resolve) => requestIdleCallback(resolve, { timeout: 1000 }));
        }"""
    )


def wait_until_stable(page: Page, condition: str) -> None:
    """Wait until a condition, a function in JavaScript, was true in three frames in a row."""
    page.evaluate("window.trueFrames = 0")
    page.wait_for_function(f"() => (trueFrames = ({condition})() ? trueFrames + 1 : 0) >= 3")


def wait_until_quiet(page: Page) -> None:
    """Wait until nothing will happen by itself.

    No timer, interval or frame is scheduled, no animation runs, fonts are loaded, and so are the pictures in the window.
    The page must have been opened with ``COUNT_SCHEDULED``, as ``open_page`` does. Requests of scripts aren't seen: wait
    for what they bring first.
    """
    wait_for_frames(page)
    wait_until_stable(page, IS_QUIET)


def wait_for_address(page: Page, part: str) -> None:
    """Wait until the page has written ``part`` into the fragment of its address."""
    page.wait_for_function("(part) => location.hash.includes(part)", arg=part)


def expect_loaded(image: Locator) -> None:
    """Expect that a picture was fetched and could be decoded; works without scripts, too."""
    expect(image).to_have_js_property("complete", True)
    expect(image).not_to_have_js_property("naturalWidth", 0)


SCHEMES: tuple[Scheme, ...] = ("light", "dark")
OF_COLORS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
BESIDES = {"label-content-name-mismatch": {"enabled": True}}
"""Rules that axe has off by itself."""
VIOLATIONS = "async ([within, options]) => (await axe.run(within ?? document, options)).violations"
"""Playwright takes long to hand over all that axe has looked at."""


def expect_accessible(page: Page, within: str | None = None, schemes: Sequence[Scheme] = SCHEMES) -> None:
    """Expect that axe finds nothing; in all schemes but the first it looks at colors only, as all else is the same."""
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        wait_until_quiet(page)
        rules = {"runOnly": OF_COLORS} if scheme != schemes[0] else {"rules": BESIDES}
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE_SCRIPT)
        found = page.evaluate(VIOLATIONS, [within, {"preload": False, "resultTypes": ["violations"], **rules}])
        assert found == [], f"{scheme}: {AxeResults({'violations': found}).generate_report()}"


def expect_accessible_at_all_sizes(page: Page, within: str | None = None) -> None:
    """Expect the same, light in a wide window and dark in a phone's: each rule at both sizes, and colors in both schemes."""
    page.set_viewport_size(DESKTOP)
    expect_accessible(page, within, schemes=("light",))
    page.set_viewport_size(PHONE)
    expect_accessible(page, within, schemes=("dark",))


# --- what is seen, and what was counted ---------------------------------------------------------------------------


def box_of(locator: Locator) -> FloatRect:
    """Where an element that is shown stands, in pixels of the window."""
    box = locator.bounding_box()
    assert box is not None, f"{locator} isn't shown"
    return box


def layout_shift(page: Page) -> float:
    """The sum of all layout shifts since the page began; it must have been opened with ``COUNT_SHIFTS``.

    What moved is printed, for the report of a test that fails.
    """
    shift: float
    shift, moves = page.evaluate("layoutShift()")
    print(*moves, sep="\n")
    return shift


def address_changes(page: Page) -> int:
    """How often the page has written its address; it must have been opened with ``COUNT_ADDRESS_CHANGES``."""
    changes: int = page.evaluate("addressChanges")
    return changes


def install_with_apt(*packages: str) -> None:
    """Install packages of Debian as root, or in continuous integration by sudo; elsewhere nothing happens."""
    if not (shutil.which("apt-get") and hasattr(os, "geteuid")):
        return
    if os.geteuid() == 0:
        apt = ["apt-get"]
    elif os.environ.get("CI") and shutil.which("sudo"):
        apt = ["sudo", "--non-interactive", "apt-get"]
    else:
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = [*apt, "install", "-y", "-qq", "--no-install-recommends", *packages]
    subprocess.run([*apt, "update", "-qq"], check=False, env=quiet)
    subprocess.run(install, check=False, env=quiet, stdout=subprocess.DEVNULL)


def _install() -> None:
    install_with_apt("chromium", "chromium-headless-shell")
    if executable() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


if __name__ == "__main__":
    if executable() is None or executable(SHELLS) is None:
        _install()
    print(f"browser: {executable() or 'as Playwright installed it'}")
