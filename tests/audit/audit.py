"""Measure a site as strangers would: the W3C's HTML checker on every page, Lighthouse on the main ones.

python tests/audit/audit.py [SITE]

Prints a table, and exits with 1 when a page has an error or misses a score. Lighthouse's figures for performance differ
from run to run on the same bytes, as whatever else a machine does costs points, and nothing gives any: of six runs one must
reach all scores. A machine that is slow at the time is slowed down less: Lighthouse makes a phone of any
machine by dividing its speed by four.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent.parent)]
from browser import ARGUMENTS, SHELLS, executable, path_of_executable
from serving import served

NODE_MODULES = Path(__file__).parent / "node_modules"
LEAST = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
MOST_RUNS = 6
SLOWDOWN = 4.0
"""Of the processor, as Lighthouse has it for phones."""
USUAL_SPEED = 2000
"""Lighthouse's own measure of a machine's speed, where the limits were set."""
BLOCKED_INLINE = re.compile(r"Inline (script|style) violates Content Security Policy")


def main(site: Path) -> int:
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    if not pages:
        sys.exit(f"{site}: expected a site, found no page; make it with: python generate.py --output {site}")
    misses = 0
    with served(site) as address:
        mistakes = validate(address, pages)
        print(f"HTML checker: {len(pages)} pages, {len(mistakes)} mistakes")
        print("\n".join(f"  {mistake}" for mistake in mistakes))
        print(f"{'Lighthouse':40}" + "".join(f"{name:>16}" for name in LEAST))
        slowdown = SLOWDOWN
        for page in main_pages(pages):
            report, slowdown = measure(address + page.removesuffix("index.html"), slowdown)
            scores = {name: score(report, name) for name in LEAST}
            print(f"{page:40}" + "".join(f"{scores[name]:>16g}" for name in LEAST), flush=True)
            for name in (name for name, least in LEAST.items() if scores[name] < least):
                misses += 1
                print(f"  {name}: expected at least {LEAST[name]}, got {scores[name]:g}")
                print("\n".join(f"    {reason}" for reason in reasons(report, name)))
    return 1 if mistakes or misses else 0


def main_pages(pages: list[str]) -> list[str]:
    """The first page, the first model's, and the pages that there is one of."""
    models = [page for page in pages if page.startswith("models/")]
    wanted = ["index.html", *models[:1], "compare/index.html", "explore/index.html"]
    return [page for page in wanted if page in pages]


def measure(address: str, slowdown: float) -> tuple[dict[str, Any], float]:
    """Lighthouse's first report on a page that reaches all scores, the last where none does; and how much to slow down the next."""
    for _ in range(MOST_RUNS):
        report = lighthouse(address, slowdown)
        slowdown = SLOWDOWN * min(1, report["environment"]["benchmarkIndex"] / USUAL_SPEED)
        if reaches(report):
            break
    return report, slowdown


def reaches(report: dict[str, Any]) -> bool:
    return all(score(report, name) >= least for name, least in LEAST.items())


# --- HTML --------------------------------------------------------------------------------------------------------


def validate(address: str, pages: list[str]) -> list[str]:
    """A line for each error or warning of the Nu HTML Checker, which reads from the server: a policy says 'self'."""
    jar = NODE_MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
    command = [
        "java",
        "-Xss2m",
        "-Dnu.validator.servlet.allow-forbidden-hosts=true",
        "-jar",
        str(jar),
        "--format",
        "json",
        "--exit-zero-always",
    ]
    command += [address + page for page in pages]
    said = subprocess.run(command, check=False, capture_output=True, text=True)
    try:
        messages = json.loads(said.stderr)["messages"]
    except ValueError:
        sys.exit(f"the HTML checker failed: {said.stderr.strip()[-500:]}")
    # The checker neither computes the hashes that a policy allows nor tells inline data from scripts. Browsers do, and the
    # browser tests let no complaint of theirs pass.
    told = [message for message in messages if not BLOCKED_INLINE.match(message["message"])]
    return [_mistake(message, address) for message in told if message["type"] != "info" or "subType" in message]


def _mistake(message: dict[str, Any], address: str) -> str:
    page = message.get("url", "").removeprefix(address)
    return f"{page}:{message.get('lastLine', '?')}: {message.get('subType', message['type'])}: {message['message']}"


# --- Lighthouse --------------------------------------------------------------------------------------------------


def lighthouse(address: str, slowdown: float) -> dict[str, Any]:
    """Lighthouse's report on a page, on its mobile preset, with so much of a slowdown of the processor."""
    with TemporaryDirectory() as folder:
        output = Path(folder) / "report.json"
        command = [
            "node",
            str(NODE_MODULES / "lighthouse" / "cli" / "index.js"),
            address,
            f"--only-categories={','.join(LEAST)}",
            f"--throttling.cpuSlowdownMultiplier={slowdown:.2f}",
            f"--chrome-flags={' '.join(ARGUMENTS)}",
            "--output=json",
            f"--output-path={output}",
            "--quiet",
            "--no-enable-error-reporting",
        ]
        # A whole Chromium without a window paints every third page a second or two late: Lighthouse's issue 17148.
        environment = {**os.environ, "CHROME_PATH": executable(SHELLS) or path_of_executable()}
        said = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=180)
        if said.returncode:
            sys.exit(f"{address}: Lighthouse failed: {(said.stderr or said.stdout).strip()[-500:]}")
        report: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
        return report


def score(report: dict[str, Any], category: str) -> float:
    """From 0 to 100."""
    return 100 * (report["categories"][category]["score"] or 0)


def reasons(report: dict[str, Any], category: str) -> list[str]:
    """What takes points from a category, and the elements that do."""
    found = []
    for reference in report["categories"][category]["auditRefs"]:
        audit = report["audits"][reference["id"]]
        if reference["weight"] and audit["score"] is not None and audit["score"] < 0.9:
            found.append(f"{audit['title']} {audit.get('displayValue', '')}".strip())
            items = (audit.get("details") or {}).get("items", [])
            found += [f"  {item['node']['selector']}" for item in items[:5] if "node" in item]
    return found


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "site")))
