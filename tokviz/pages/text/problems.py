"""Why a depth has no picture, in words."""

from __future__ import annotations

from tokviz.records import Problem, Projection


def problems(projection: Projection) -> tuple[str | None, ...]:
    """Per depth why it can't be projected, or None."""
    return tuple(None if problem is None else _sentence(problem, projection.name) for problem in projection.problems)


def why_no_picture(projection: Projection, depth: int) -> str:
    """Of a depth that has none."""
    return problems(projection)[depth] or "There is no plot of this depth."


def grid_problems(projection: Projection) -> tuple[str | None, ...]:
    """Per depth why it can't be shown in the embedding's basis, or None."""
    without_basis = projection.problems[0]
    return tuple(
        None if problem is None else _sentence(problem, projection.name, without_basis=without_basis)
        for problem in projection.grid_problems
    )


_EQUAL = {
    "unit_norm": "With the same length, the states of all words are the same here, so there is nothing to spread out.",
    "without_massive": "Apart from the dimensions that are left out, all words have the same hidden state here, so there is "
    "nothing to spread out.",
}


def _sentence(problem: Problem, projection: str, *, without_basis: Problem | None = None) -> str:
    match problem.kind:
        case "few_words":
            return f"A plot needs at least {problem.expected} words read at the same position; here there are {problem.got}."
        case "few_dimensions":
            return f"A plot needs hidden states of at least {problem.expected} dimensions; these have {problem.got}."
        case "equal_states":
            alike = "All reference words have the same hidden state here, so there is nothing to spread out."
            return _EQUAL.get(projection, alike)
        case "no_basis":
            return f"The embedding has no axes. {without_basis and _sentence(without_basis, projection)}"
        case "other_width":
            return (
                f"The hidden state has {problem.got} dimensions and the embedding {problem.expected}, "
                "so it can’t be shown in the embedding’s axes."
            )
