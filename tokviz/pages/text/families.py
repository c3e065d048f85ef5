"""What the families of a report's tests ask, in words."""

from __future__ import annotations

from tokviz.pages.text.catalogue import text
from tokviz.pages.text.facts import Fact
from tokviz.records import Report


def family_labels(report: Report) -> dict[str, str]:
    """By the families' keys."""
    return {each.key: _label(report, each.key) for each in report.families}


def _label(report: Report, key: str) -> str:
    first, _, further = key.partition(", ")
    kind, _, index = first.partition(" ")
    if not index.isdigit():
        return text(Fact(f"scope.families.{key}"))
    asked = report.relations[int(index)] if kind == "relation" else report.orders[int(index)]
    more = Fact(f"scope.further.{further}") if further else ()
    return text(Fact("scope.families.relation", kind=kind, label=asked.label, further=more))
