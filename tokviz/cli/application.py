"""``tokviz``: a command for each thing to do, ``build`` where none is named."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tokviz import __version__
from tokviz.cli.animating import animate
from tokviz.cli.building import TOKVIZ, build, end_soon, plan, prune
from tokviz.cli.exporting import export
from tokviz.cli.looking import models, schema
from tokviz.cli.sending import publish
from tokviz.cli.starting import init
from tokviz.config import exists
from tokviz.serve import serve

_BEGIN, _MAKE, _LOOK = "Begin", "Make", "Look, and keep in order"


class _BuildsByDefault(TyperGroup):
    """Options without a command before them are those of ``build``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``build`` before what is no command and no option of the program itself."""
        own = {option for parameter in self.get_params(ctx) for option in parameter.opts}
        if not args and ctx.resilient_parsing:  # a shell asks which commands there are
            return list(super().parse_args(ctx, args))
        if args and not ctx.resilient_parsing and args[0] not in self.commands and _is_source(args[0]):
            option = "--config " if args[0].endswith(".toml") else ""
            ctx.fail(f"No such command {args[0]!r}. Did you mean: tokviz build {option}{shlex.quote(args[0])}")
        is_own = bool(args) and (not args[0].startswith("-") or args[0].partition("=")[0] in own)
        return list(super().parse_args(ctx, args if is_own else ["build", *args]))


def _is_source(argument: str) -> bool:
    """Whether an argument is no mistyped command but a model, or a configuration."""
    looks_like_one = any(mark in argument for mark in "/\\.@=:")
    return not argument.startswith("-") and argument != "" and (looks_like_one or exists(Path(argument)))


application = typer.Typer(
    name=TOKVIZ,
    cls=_BuildsByDefault,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=False,
)


def _examples(*lines: str) -> str:
    """The end of a command's help: what to type, in lines of their own."""
    return "\n\n".join(["**Examples**", *(f"`{line}`" for line in lines)])


def _print_version(value: bool) -> None:
    if value:
        print(f"tokviz {__version__}")
        raise typer.Exit


@application.callback(
    epilog=_examples(
        "tokviz init my-report",
        "tokviz build",
        "tokviz build ./my-checkpoint --words my-words.txt --output my-site",
        "tokviz models Qwen/Qwen3-0.6B ./my-checkpoint",
    )
)
def _program(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Show how language models arrange words, layer by layer, as a static site. Without a command: `build`."""


application.command(
    rich_help_panel=_BEGIN,
    epilog=_examples(
        "tokviz init", "tokviz init my-report --template models", "tokviz init the-sample --template sample"
    ),
)(init)
application.command(
    rich_help_panel=_MAKE,
    epilog=_examples(
        "tokviz build",
        "tokviz build Qwen/Qwen3-0.6B Mine=./my-checkpoint --words my-words.txt --output my-site",
        "tokviz build org/name@v2 --draft",
        "tokviz build --capture-only --device cuda",
        "tokviz build --site-url https://you.github.io/report/",
    ),
)(build)
application.command(
    rich_help_panel=_MAKE,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog=_examples(
        "tokviz serve", "tokviz serve ./my-checkpoint", "tokviz serve --config my-report.toml --port 0 --draft"
    ),
)(serve)
application.command(
    rich_help_panel=_MAKE,
    epilog=_examples("tokviz publish pages --dry-run", "tokviz publish pages", "tokviz publish space:you/report"),
)(publish)
application.command(
    rich_help_panel=_MAKE,
    epilog=_examples(
        "tokviz animate",
        "tokviz animate smollm2-135m-instruct alone --projection centered --layers 5..15",
        "tokviz animate --output layers.webp",
    ),
)(animate)
application.command(
    rich_help_panel=_MAKE,
    epilog=_examples(
        "tokviz export report.html",
        "tokviz export report.html --model smollm2-135m-instruct --context sentence",
        "tokviz export change.html --change Base Tuned",
    ),
)(export)
application.command(
    rich_help_panel=_LOOK, epilog=_examples("tokviz plan", "tokviz plan Qwen/Qwen3-4B --words my-words.toml")
)(plan)
application.command(
    rich_help_panel=_LOOK,
    epilog=_examples("tokviz models", "tokviz models Qwen/Qwen3-0.6B ./my-checkpoint ./model.gguf"),
)(models)
application.command(rich_help_panel=_LOOK, epilog=_examples("tokviz prune --dry-run", "tokviz prune --older-than 0"))(
    prune
)
application.command(rich_help_panel=_LOOK, epilog=_examples("tokviz schema > report.schema.json"))(schema)


def run() -> None:
    """Parse the command line of ``tokviz`` and do what it says."""
    end_soon()
    application(prog_name=TOKVIZ)
