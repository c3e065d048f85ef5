"""``tokviz publish``: a report to GitHub Pages or to a Space of Hugging Face; nothing is sent unasked."""

from __future__ import annotations

import re
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from tokviz.cli import flags
from tokviz.cli.errors import errors_in_one_line
from tokviz.cli.streams import say
from tokviz.config import expanded
from tokviz.errors import PublishError
from tokviz.run.publishing.github_pages import github_pages
from tokviz.run.publishing.sending import Target, changes
from tokviz.run.publishing.space import space
from tokviz.run.store.disk import shown_path
from tokviz.text import shown

_SPACE = re.compile(r"space:(?P<name>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)")


def publish(
    place: Annotated[
        str,
        typer.Argument(
            metavar="PLACE", help="pages, for GitHub Pages, or space:OWNER/NAME, for a Space of Hugging Face."
        ),
    ],
    output: flags.Output = flags.OUTPUT,
    remote: Annotated[
        str, typer.Option(help="For pages: a remote of the git repository around this folder, or an address.")
    ] = "origin",
    branch: Annotated[str, typer.Option(help="For pages: the branch that is shown.")] = "gh-pages",
    dry_run: flags.DryRun = False,
    yes: Annotated[bool, flags.work_option("--yes", help="Send without asking.")] = False,
    debug: flags.Debug = False,
) -> None:
    """Send the report to GitHub Pages or to a Space: say what that does, ask, then do it.

    There, only files that tokviz wrote are removed, and replaced only these and those that you put into the site's folder.
    """
    with errors_in_one_line(debug=debug):
        site = expanded(output)
        with _target(place, remote, branch, site) as target:
            found = changes(site, target.there)
            print(f"{shown_path(site)} → {target.name}")
            print("\n".join(f"  {line}" for line in (*target.notes, *found.lines())), flush=True)
            if found.are_none:
                print("It is there already; nothing is to be sent.")
            elif dry_run:
                print("Nothing was sent.")
            elif yes or _is_confirmed():
                say(target.send(site, found), "the report was sent")
            else:
                print("Nothing was sent.")
                raise typer.Exit(1)


def _target(place: str, remote: str, branch: str, site: Path) -> AbstractContextManager[Target]:
    if place == "pages":
        return github_pages(remote, branch)
    named = _SPACE.fullmatch(place)
    if named is None:
        raise PublishError(f"expected pages or space:OWNER/NAME as the place, got {shown(place)}; correct it")
    return space(named["name"], site)


def _is_confirmed() -> bool:
    if not _has_terminal():
        raise PublishError(
            "expected a terminal to ask at whether to send this, got none; --yes sends it without asking"
        )
    return typer.confirm("Send it?")


def _has_terminal() -> bool:
    return sys.stdin.isatty()
