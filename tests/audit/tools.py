"""Find what the audit needs beside Python, or install it: Node and Java (Debian's), and the packages of package-lock.json.

Run as a command it makes sure that they are there; it ends with one line that says what is missing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
OLDEST_NODE = 20
PACKAGES = {"node": ("nodejs", "npm"), "npm": ("nodejs", "npm"), "java": ("default-jre-headless",)}
"""Command → the Debian packages that bring it."""


def missing() -> list[str]:
    """The commands that are not on the path; a Node that is too old counts as missing."""
    return [name for name in PACKAGES if not shutil.which(name) or (name == "node" and _node() < OLDEST_NODE)]


def _node() -> int:
    said = subprocess.run(["node", "--version"], check=False, capture_output=True, text=True).stdout
    version = re.match(r"v(\d+)", said)
    return int(version[1]) if version else 0


def _install_commands() -> None:
    wanted = sorted({package for name in missing() for package in PACKAGES[name]})
    if wanted and shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=quiet)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted]
        subprocess.run(install, check=False, env=quiet, stdout=subprocess.DEVNULL)
    if missing():
        sys.exit(
            f"make audit needs Node {OLDEST_NODE} or newer with npm, and Java; not found: {', '.join(missing())}. "
            f"On Debian: apt-get install {' '.join(wanted)}"
        )


def _install_packages() -> None:
    # No package's own script is run: one would fetch a browser, another a Java.
    quiet = {**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"}
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.run(command, check=False, cwd=FOLDER, env=quiet).returncode:
        sys.exit(f"make audit needs the packages of {FOLDER.name}/package-lock.json, and npm could not install them")


if __name__ == "__main__":
    _install_commands()
    _install_packages()
