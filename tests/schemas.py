"""Files against the schemas that others have published for them; nothing is fetched, as the checker brings them along."""

from __future__ import annotations

from pathlib import Path

import check_jsonschema
from click.testing import CliRunner

CITATION, DEPENDABOT, WORKFLOWS = (
    ("--builtin-schema", f"vendor.{name}") for name in ("citation-file-format", "dependabot", "github-workflows")
)


def problem(schema: tuple[str, str], *files: Path) -> str | None:
    """What a checker has to say against the files, or None; ``schema`` is what its command takes."""
    checked = CliRunner().invoke(check_jsonschema.main, [*schema, *map(str, files)])
    return checked.output if checked.exit_code else None
