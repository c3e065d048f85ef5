"""Why a depth has no picture, in words."""

from __future__ import annotations

from tokviz.pages.text.catalogue import Fact, text
from tokviz.records import Problem, Projection


def problems(projection: Projection) -> tuple[str | None, ...]:
    """Per depth why it can't be projected, or None."""
    return tuple(None if problem is None else _sentence(problem, projection.name) for problem in projection.problems)


def why_no_picture(projection: Projection, depth: int) -> str:
    """Why a depth that has no picture has none."""
    return problems(projection)[depth] or text(Fact("plots.problems.not_drawn"))


def grid_problems(projection: Projection) -> tuple[str | None, ...]:
    """Per depth why it can't be shown in the embedding's basis, or None."""
    without_basis = projection.problems[0]
    return tuple(
        None if problem is None else _sentence(problem, projection.name, without_basis=without_basis)
        for problem in projection.grid_problems
    )


_EQUAL = {"unit_norm": "plots.problems.equal_directions", "without_massive": "plots.problems.equal_but_massive"}


def _sentence(problem: Problem, projection: str, *, without_basis: Problem | None = None) -> str:
    if problem.kind == "equal_states":
        return text(Fact(_EQUAL.get(projection, "plots.problems.equal_states")))
    if problem.kind == "no_basis":
        return text(Fact("plots.problems.no_basis", why=_sentence(without_basis, projection) if without_basis else ""))
    if problem.kind == "not_drawn":
        return text(Fact("plots.problems.not_drawn"))
    return text(Fact(f"plots.problems.{problem.kind}", expected=problem.expected, got=problem.got))
