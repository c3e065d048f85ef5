"""The large plate of the first page, which changes between two states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tokviz.pages.first.turning import NO_TURN, Turn, least_turn, turned_extents
from tokviz.pages.frame.frame import model_path, relative
from tokviz.pages.frame.index import can_draw, context_entry, data_folder, drawings, model_entry, projection_entry
from tokviz.pages.frame.pictures import picture, slide_id
from tokviz.pages.model.headline import State
from tokviz.pages.text.parts import Link, Picture
from tokviz.pages.text.trust import finding as plate_in_words
from tokviz.pages.text.trust import measures_in_plot, variance_held
from tokviz.pages.text.wording import capitalized, joined_by_and, neurons_counted, projection_label, whole_percent
from tokviz.records import ContextReport, Report, depth_name


@dataclass(frozen=True, kw_only=True)
class StateView:
    """One of the two."""

    label: str
    """``Layer 11, two neurons off``: on its button, and under its image."""
    picture: Picture


@dataclass(frozen=True, kw_only=True)
class TwoStates:
    """A plate that changes between two states."""

    states: tuple[StateView, StateView]
    model: Link
    """Where the first state stands in the model's carousel."""
    where: str
    """Context and projection, as far as both have the same."""
    look: str
    """What to look at."""
    numbers: str | None
    """What was measured in the two pictures."""
    axes: str | None
    """How the second is turned, and what is left of the movement: true of the drawing, not of the images."""
    data: str | None
    """JSON of what the script draws of; None where images are shown."""


def two_states(report: Report, states: tuple[State, State], page: str) -> TwoStates:
    """``page``: path of the page that shows it."""
    one, other = states
    is_drawn = can_draw(report)
    turn = _turn(one, other) if is_drawn else NO_TURN
    labels = _labels(one, other)
    address = slide_id(one.context.states.context.name, one.depth)
    return TwoStates(
        states=(_view(one, labels[0], page), _view(other, labels[1], page)),
        model=Link(text=one.model.display_name, href=relative(page, f"{model_path(one.model.slug)}#{address}")),
        where=_where(one, other),
        look="Compare the two states: in which of them do words of one color lie together?",
        numbers=_numbers(states, labels),
        axes=_axes(turn, labels[1]) if is_drawn else None,
        data=_data(report, states, turn, page),
    )


def _view(state: State, label: str, page: str) -> StateView:
    plate = state.plate
    if plate is None:
        raise ValueError(f"{label}: expected a state with an image")
    alt = plate_in_words(state.model, state.context, state.shown.projection, state.depth)
    return StateView(label=label, picture=picture(page, plate, alt))


# --- words -----------------------------------------------------------------------------------------------------------


def _labels(one: State, other: State) -> tuple[str, str]:
    """The depth, and what else tells the one from the other."""
    first, second = (capitalized(depth_name(each.depth)) for each in (one, other))
    same_model, same_context = one.model is other.model, one.context is other.context
    if same_model and _intact(one) is _intact(other) and not same_context:
        first, second = (f"{name}, {_change(each)}" for name, each in ((first, one), (second, other)))
    elif not (same_model and same_context):
        of_what = [[each.model.display_name] if not same_model else [] for each in (one, other)]
        if one.context.states.context.label != other.context.states.context.label:
            of_what = [
                [*parts, f"words {each.context.states.context.label}"]
                for parts, each in zip(of_what, (one, other), strict=True)
            ]
        first, second = (", ".join([name, *parts]) for name, parts in zip((first, second), of_what, strict=True))
    if one.shown.projection.name != other.shown.projection.name:
        first, second = (
            f"{name}, {projection_label(each.shown.projection.name)}" for name, each in ((first, one), (second, other))
        )
    return first, second


def _intact(state: State) -> ContextReport:
    """The context as it is, of one with neurons set to a value."""
    changed = (each for each in state.model.contexts if any(done is state.context for done in each.interventions))
    return next(changed, state.context)


def _change(state: State) -> str:
    """``unchanged``, ``without the variation of two neurons``; of neurons set in another way, the context's own label."""
    done = state.context.states.intervention
    if done is None:
        return "unchanged"
    neurons = neurons_counted(len(done.neurons))
    if done.rule == "mean":
        return f"without the variation of {neurons}"
    return f"{neurons} off" if done.rule == "off" else f"words {state.context.states.context.label}"


def _where(one: State, other: State) -> str:
    """``words alone, standardized PCA``."""
    contexts = {_intact(each).states.context.label for each in (one, other)}
    projections = {each.shown.projection.name for each in (one, other)}
    parts = [f"words {label}" for label in contexts if len(contexts) == 1]
    parts += [f"{projection_label(name)} PCA" for name in projections if len(projections) == 1]
    return ", ".join(parts)


def _numbers(states: tuple[State, State], labels: tuple[str, str]) -> str | None:
    """The share of neighbors of a word's category, in either picture and by chance; None unless both have it."""
    shares = []
    for state in states:
        found = measures_in_plot(state.shown.projection, state.context.geometry)
        value = found.purity.value[state.depth] if found else math.nan
        if found is None or not math.isfinite(value):
            return None
        shares.append((whole_percent(value), whole_percent(found.purity.null_mean[state.depth])))
    (one, chance), (other, other_chance) = shares
    by_chance = chance if chance == other_chance else joined_by_and([chance, other_chance])
    return (
        f"Of a word’s nearest neighbors in the plot, {one} share its category in the first state ({_small(labels[0])}) and "
        f"{other} in the second ({_small(labels[1])}); by chance, {by_chance}."
    )


def _small(label: str) -> str:
    return label[:1].lower() + label[1:]


def _axes(turn: Turn, label: str) -> str:
    """How the second state is turned; what is left comes from the words, or from other directions of all dimensions."""
    if not math.isfinite(turn.residual):
        return "Each state is drawn along its own PC1 and PC2."
    share = whole_percent(turn.residual)
    means = "." if turn.residual < _NOTHING else ": words have moved, or PC1 and PC2 are other directions now."
    left = f"{share} of the words’ variance in the plot"
    if turn.is_none:
        return f"Each state has its own PC1 and PC2; no turn makes words move less. {left} differs{means}"
    return (
        f"Each state has its own PC1 and PC2. The second ({_small(label)}) is {turn_in_words(turn)}, so that words move as "
        f"little as possible. After that, {left} still differs{means}"
    )


_NOTHING = 0.005
"""A share that is written as 0 %."""


def turn_in_words(turn: Turn) -> str:
    """``turned by 30°``, ``mirrored``, ``mirrored and turned by 30°``."""
    turned = [f"turned by {abs(turn.degrees)}°"] if turn.degrees else []
    return joined_by_and([*(["mirrored"] if turn.is_mirrored else []), *turned])


# --- what the script draws of ----------------------------------------------------------------------------------------


def _turn(one: State, other: State) -> Turn:
    """Of the reference words of both: these are what the axes were fitted on."""
    projections = one.shown.projection, other.shown.projection
    rows = projections[0].reference & projections[1].reference
    still, moved = (each.coordinates[state.depth][rows] for each, state in zip(projections, (one, other), strict=True))
    return least_turn(still, moved)


def _data(report: Report, states: tuple[State, State], turn: Turn, page: str) -> str | None:
    one, other = states
    turned = None
    if not turn.is_none:
        pc1, pc2 = variance_held(other.shown.projection, other.depth)
        turned = {
            "matrix": turn.matrix.ravel().tolist(),
            "extents": turned_extents(other.shown.projection, other.depth, turn),
            "axes": f"PC1 {pc1} and PC2 {pc2}, {turn_in_words(turn)}",
        }
    captures = [_capture(one, None, page), _capture(other, turned, page)]
    return drawings(report, page, "finding.js", "two-states.js", states=captures)


def _capture(state: State, turn: dict[str, Any] | None, page: str) -> dict[str, Any]:
    return {
        "model": {**model_entry(state.model), "data": data_folder(state.model, page)},
        "context": context_entry(state.context),
        "shown": projection_entry(state.shown),
        "key": f"{state.model.slug}/{state.context.states.context.name}/{state.shown.projection.name}",
        "depth": state.depth,
        "turn": turn,
    }
