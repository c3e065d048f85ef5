"""Three engines of browsers behind the same few verbs: Chromium, Firefox and WebKit.

Playwright drives Chromium. Its Firefox and WebKit are builds of its own, so the other two are driven as the system has them:
Firefox by WebDriver BiDi, which it speaks itself, WebKit by its driver, in a display of its own. Debian's packages are named in
``PACKAGES``. Run as a command it makes sure that both are there.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from browser import UNFOLD, install_with_apt, started
from playwright.sync_api import Error, Page
from selenium import webdriver
from selenium.common.exceptions import NoSuchWindowException
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service
from websockets.sync.client import ClientConnection, connect

FIREFOX = ("firefox-esr", "firefox")
PACKAGES = {"firefox": ("firefox-esr",), "webkit": ("webkit2gtk-driver", "libwebkit2gtk-4.1-0", "xvfb")}
"""Debian's, by the engine."""
FIREFOX_PREFERENCES = {
    # One process for all pages: a new one, for each page or in reserve, takes longer than the page.
    "fission.autostart": False,
    "dom.ipc.processCount": 1,
    "dom.ipc.processPrelaunch.enabled": False,
    # Nothing that greets a new user, and no other host.
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.startup.page": 0,
    "startup.homepage_welcome_url": "",
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}
WEBKIT_ENVIRONMENT = {"WEBKIT_DISABLE_DMABUF_RENDERER": "1", "WEBKIT_DISABLE_COMPOSITING_MODE": "1"}
"""Without a graphics card, drawing for one takes a third longer."""
NOTE_ERRORS = """
window.errors = [];
addEventListener("error", (event) => errors.push(event.message || `not loaded: ${event.target.src || event.target.href}`), true);
addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => errors.push(`refused: ${event.blockedURI}`));
"""
"""The first script of every page that is served: not every engine lets its console be read."""
SECONDS = 30
SCREEN = (1400, 1000)


class Missing(Exception):
    """An engine that this machine doesn't have."""


class Engine(Protocol):
    """What a test does with a browser."""

    def go(self, address: str) -> None:
        """Open a page and wait until it has loaded."""

    def run(self, function: str) -> Any:
        """What a JavaScript function of no arguments returns."""

    def press(self, key: str) -> None:
        """Press a key, named as JavaScript names it."""

    def click_at(self, x: float, y: float) -> None:
        """Click at a point of the window, in CSS pixels."""

    def resize(self, width: int, height: int) -> None:
        """Make the window so large, or as narrow as it can be."""

    def screenshot(self, file: Path) -> None:
        """Save what the window shows, as PNG."""


# --- verbs that follow from these ------------------------------------------------------------------------------------


def wait_for(engine: Engine, condition: str) -> None:
    """Wait until a condition, an expression in JavaScript, is true."""
    end = time.monotonic() + SECONDS
    while not engine.run(f"() => Boolean({condition})"):
        assert time.monotonic() < end, f"never true at {engine.run('() => location.href')}: {condition}"
        time.sleep(0.05)


def click(engine: Engine, selector: str, at: tuple[float, float] = (0.5, 0.5)) -> None:
    """Click on the first element of those selected that is shown, at a fraction of its width and height, once it stands still."""
    find = f"""() => {{
        const element = [...document.querySelectorAll({json.dumps(selector)})].find((each) => each.getClientRects().length);
        if (!element) return null;
        // Firefox doesn't scroll to parts of a drawing.
        (element.closest("svg")?.parentElement ?? element).scrollIntoView({{ block: "nearest", behavior: "instant" }});
        const box = element.getBoundingClientRect();
        return [box.left + box.width * {at[0]}, box.top + box.height * {at[1]}];
    }}"""
    before, found = None, engine.run(find)
    while before != found:
        time.sleep(0.1)
        before, found = found, engine.run(find)
    assert found, f"nothing is shown of {selector}"
    engine.click_at(*found)


def choose(engine: Engine, selector: str, value: str) -> None:
    """Choose from a list; its popup is the system's, so a script chooses and tells the page as the browser would."""
    engine.run(
        f"""() => {{
            const list = document.querySelector({json.dumps(selector)});
            list.value = {json.dumps(value)};
            list.dispatchEvent(new Event("input", {{ bubbles: true }}));
            list.dispatchEvent(new Event("change", {{ bubbles: true }}));
        }}"""
    )


def unfold(engine: Engine) -> None:
    """Open all parts of a page that are folded."""
    engine.run(UNFOLD)


def scroll_through(engine: Engine, window: str = "window") -> None:
    """Show all of a page, or of a frame's, step by step, so that it fetches and draws what it does once it is seen."""
    engine.run(
        f"""async () => {{
            const page = {window}, root = page.document.documentElement;
            for (let top = 0; top < root.scrollHeight; top += 700) {{
                page.scrollTo({{ top, behavior: "instant" }});
                // Observers of scrolling report within two frames.
                for (let frame = 0; frame < 2; frame += 1) await new Promise((done) => page.requestAnimationFrame(done));
            }}
        }}"""
    )


# --- the engines -----------------------------------------------------------------------------------------------------


class Chromium:
    def __init__(self, page: Page) -> None:
        self._page = page

    def go(self, address: str) -> None:
        for each in _ways(self._page.url, address):
            self._page.goto(each, wait_until="load")

    def run(self, function: str) -> Any:
        try:
            return self._page.evaluate(function)
        except Error as error:
            if "because of a navigation" not in error.message:
                raise
            self._page.wait_for_load_state()
            return self._page.evaluate(function)

    def press(self, key: str) -> None:
        self._page.keyboard.press(key)

    def click_at(self, x: float, y: float) -> None:
        self._page.mouse.click(x, y)

    def resize(self, width: int, height: int) -> None:
        self._page.set_viewport_size({"width": width, "height": height})

    def screenshot(self, file: Path) -> None:
        self._page.screenshot(path=file)


class Firefox:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._call("session.new", capabilities={})
        self._context = self._call("browsingContext.getTree")["contexts"][0]["context"]

    def go(self, address: str) -> None:
        for each in _ways(self.run("() => location.href"), address):
            wanted = {"context": self._context, "url": each, "wait": "complete"}
            try:
                self._call("browsingContext.navigate", **wanted)
            except TimeoutError:  # on a busy machine it may never say that a page has loaded
                self._call("browsingContext.navigate", **wanted)

    def run(self, function: str) -> Any:
        told = self._call(
            "script.callFunction",
            functionDeclaration=f"async () => JSON.stringify((await ({function})()) ?? null)",
            target={"context": self._context},
            awaitPromise=True,
        )
        assert told["type"] == "success", told["exceptionDetails"]["text"]
        return json.loads(told["result"]["value"])

    def press(self, key: str) -> None:
        value = _webdriver_key(key)
        self._act("key", "keyboard", [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}])

    def click_at(self, x: float, y: float) -> None:
        move = {"type": "pointerMove", "x": round(x), "y": round(y)}
        self._act("pointer", "mouse", [move, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}])

    def resize(self, width: int, height: int) -> None:
        self._call("browsingContext.setViewport", context=self._context, viewport={"width": width, "height": height})

    def screenshot(self, file: Path) -> None:
        file.write_bytes(
            base64.b64decode(self._call("browsingContext.captureScreenshot", context=self._context)["data"])
        )

    def _act(self, kind: str, device: str, actions: list[dict[str, Any]]) -> None:
        self._call(
            "input.performActions", context=self._context, actions=[{"type": kind, "id": device, "actions": actions}]
        )

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv(SECONDS))).get("id") != number:
            pass  # an event
        assert answer["type"] == "success", f"{method}: {answer}"
        result: dict[str, Any] = answer["result"]
        return result


class WebKit:
    def __init__(self, driver: webdriver.WebKitGTK) -> None:
        self._driver = driver

    def go(self, address: str) -> None:
        for each in _ways(self._driver.current_url, address):
            self._driver.get(each)

    def run(self, function: str) -> Any:
        script = f"return ({function})()"
        try:
            return self._driver.execute_script(script)
        except NoSuchWindowException as error:
            if "unload event" not in str(error.msg):
                raise
            # The page was left meanwhile; the next script waits for the new one.
            return self._driver.execute_script(script)

    def press(self, key: str) -> None:
        # The driver may lose a key while the window changes its process, from a server's pages to the disk's. One that only comes late
        # isn't sent again: the page would step twice.
        note = "window.keyCame = false; addEventListener('keydown', () => { window.keyCame = true; }, {capture: true, once: true})"
        self._driver.execute_script(note)
        for _ in range(3):
            actions = ActionBuilder(self._driver)
            actions.key_action.send_keys(_webdriver_key(key))
            actions.perform()
            end = time.monotonic() + 10
            while time.monotonic() < end:
                if self._driver.execute_script("return window.keyCame !== false"):
                    return
                time.sleep(0.02)
        raise AssertionError(f"the page never got the key {key}")

    def click_at(self, x: float, y: float) -> None:
        actions = ActionBuilder(self._driver)
        pointer: Any = actions.pointer_action
        pointer.move_to_location(round(x), round(y)).click()
        actions.perform()

    def resize(self, width: int, height: int) -> None:
        self._driver.set_window_size(width, height)
        # The bar above the page is part of the window.
        bar = height - self._driver.execute_script("return innerHeight")
        self._driver.set_window_size(width, height + bar)

    def screenshot(self, file: Path) -> None:
        self._driver.get_screenshot_as_file(str(file))


def _ways(shown: str, address: str) -> tuple[str, ...]:
    """What to open one after the other: a change of the fragment alone would load nothing."""
    same = shown.partition("#")[0] == address.partition("#")[0]
    return ("about:blank", address) if same else (address,)


def _webdriver_key(name: str) -> str:
    """WebDriver's character for a key that JavaScript names."""
    if len(name) == 1:
        return name
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()
    return str(getattr(Keys, words))


# --- starting them ---------------------------------------------------------------------------------------------------


def find_firefox() -> str:
    """Its program."""
    found = next((path for name in FIREFOX if (path := shutil.which(name))), None)
    if found is None:
        raise Missing(f"no Firefox; Debian has it as {' '.join(PACKAGES['firefox'])}")
    return found


def find_webkit() -> tuple[str, str, Path]:
    """Its driver, a server of displays, and a browser."""
    driver, display = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    browser = next(Path("/usr").glob("lib/*/webkit2gtk-4.1/MiniBrowser"), None)
    if driver is None or display is None or browser is None:
        raise Missing(f"no WebKitGTK with its driver and Xvfb; Debian has them as {' '.join(PACKAGES['webkit'])}")
    return driver, display, browser


@contextmanager
def chromium() -> Iterator[Chromium]:
    page = started().new_page(viewport={"width": 1280, "height": 900})
    yield Chromium(page)
    page.close()


@contextmanager
def firefox() -> Iterator[Firefox]:
    program = find_firefox()
    with ExitStack() as stack:
        profile = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        preferences = (
            f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in FIREFOX_PREFERENCES.items()
        )
        (Path(profile) / "user.js").write_text("\n".join(preferences), encoding="utf-8")
        arguments = ["--headless", "--no-remote", "--remote-debugging-port=0", "--profile", profile]
        process = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(_end, process)
        address = _bidi_address(Path(profile) / "WebDriverBiDiServer.json")
        socket = stack.enter_context(connect(f"{address}/session", max_size=None))
        engine = Firefox(socket)
        engine.resize(1280, 900)
        yield engine


def _bidi_address(file: Path) -> str:
    """Where Firefox listens; it writes that into its profile."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            told = json.loads(file.read_text())
            return f"ws://{told['ws_host']}:{told['ws_port']}"
        except (OSError, ValueError):
            assert time.monotonic() < end, "Firefox didn't start"
            time.sleep(0.05)


@contextmanager
def webkit() -> Iterator[WebKit]:
    driver, display, browser = find_webkit()
    with ExitStack() as stack:
        screen = "x".join(map(str, (*SCREEN, 24)))
        process = subprocess.Popen(
            [display, "-displayfd", "1", "-screen", "0", screen, "-nolisten", "tcp"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        stack.callback(_end, process)
        assert process.stdout is not None
        environment = {**os.environ, **WEBKIT_ENVIRONMENT, "DISPLAY": f":{process.stdout.readline().strip()}"}
        options = Options()
        options.binary_location = str(browser)
        options.add_argument("--automation")
        options.set_capability("browserName", "MiniBrowser")
        started = webdriver.WebKitGTK(options=options, service=Service(driver, env=environment))
        stack.callback(started.quit)
        engine = WebKit(started)
        engine.resize(1280, 900)
        yield engine


def _end(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    process.wait(SECONDS)


ENGINES: dict[str, Callable[[], Any]] = {"chromium": chromium, "firefox": firefox, "webkit": webkit}


@contextmanager
def begun(name: str) -> Iterator[Engine]:
    """One of ``ENGINES``. Tests of one that isn't installed are skipped; in CI they fail."""
    try:
        with ENGINES[name]() as engine:
            yield engine
    except Missing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


def main() -> None:
    for name, find in (("firefox", find_firefox), ("webkit", find_webkit)):
        for attempt in range(2):
            try:
                print(f"{name}: {find()}")
                break
            except Missing as missing:
                if attempt:
                    print(f"{name}: {missing}")
                else:
                    install_with_apt(*PACKAGES[name])


if __name__ == "__main__":
    main()
