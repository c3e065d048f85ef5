"""What installed packages offer by name, as entry points (https://packaging.python.org/specifications/entry-points/)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points

from tokviz.errors import TokvizError


def offered(group: str) -> Mapping[str, Sequence[EntryPoint]]:
    """The entry points of a group by their names, in order; more than one where several packages use one name."""
    found: dict[str, list[EntryPoint]] = {}
    for each in sorted(entry_points(group=group), key=lambda each: each.name):
        found.setdefault(each.name, []).append(each)
    return found


def only_one(what: str, offers: Sequence[EntryPoint], error: type[TokvizError]) -> EntryPoint:
    """The one of its name; raises ``error``, which begins with ``what``, where several packages have one."""
    if len(offers) > 1:
        owners = " and ".join(package_of(each) for each in offers)
        raise error(f"{what}: expected one package that has it, got {owners}; uninstall one")
    return offers[0]


def package_of(found: EntryPoint, *, with_version: bool = False) -> str:
    """``my-package`` or ``my-package 1.2``; where the package is not known, what the entry point names."""
    if found.dist is None:
        return found.value
    return f"{found.dist.name} {found.dist.version}" if with_version else found.dist.name
