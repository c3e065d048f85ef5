"""Which depths a report holds: all of its models, or of vocabularies the embedding and as many layers as were asked for."""

from __future__ import annotations

from tokviz.pages.text.wording import MOST_NAMED, count, facts_line, joined_by_and
from tokviz.records import ContextReport, ModelReport, Report, depth_name
from tokviz.text import isolated

LAST_LAYER = "last layer"


def is_partial(context: ContextReport) -> bool:
    """Whether the model has further layers, which were not captured."""
    return context.states.n_depths <= context.states.card.n_layers


def last_captured(report: Report) -> int | None:
    """The last depth of a report whose models have further layers, the same in each of them; None where all layers were captured."""
    return next((each.states.n_depths - 1 for each in _captured(report) if is_partial(each)), None)


def span(report: Report) -> str:
    """``from the embedding to the last layer``, and otherwise no further than was captured."""
    last = last_captured(report)
    if last == 0:
        return "from the embedding alone"
    return f"from the embedding to {f'the {LAST_LAYER}' if last is None else depth_name(last)}"


def end_name(report: Report) -> str:
    """Of the last depth that charts of all models have: ``last layer``, ``layer 1``."""
    last = last_captured(report)
    return LAST_LAYER if last is None else depth_name(last)


def facts(model: ModelReport) -> str:
    """What a model is, and what of it was captured if that isn't all."""
    if model.card is None:
        return ""
    partial = next((each.states.n_depths for each in model.contexts if is_partial(each)), None)
    return facts_line(model.card, None if partial is None else f"only {_depths(partial - 1)} captured")


def notice(report: Report) -> str:
    """``Only the embedding and layer 0 were captured, of 6 layers of base and 12 layers of large.``; empty where it's all of them."""
    last = last_captured(report)
    if last is None:
        return ""
    sizes = {
        model.display_name: context.states.card.n_layers
        for model in report.models
        for context in model.contexts
        if is_partial(context)
    }
    layers = joined_by_and([f"{count(n_layers, 'layer')} of {isolated(name)}" for name, n_layers in sizes.items()])
    if len(sizes) > MOST_NAMED:
        layers = f"{min(sizes.values()):,} to {count(max(sizes.values()), 'layer')} of {count(len(sizes), 'model')}"
    return f"Only {_depths(last)} {'were' if last else 'was'} captured, of {layers}."


def _captured(report: Report) -> list[ContextReport]:
    return [context for model in report.models for context in model.contexts]


def _depths(last: int) -> str:
    if last < 2:
        return "the embedding" + (f" and {depth_name(last)}" if last else "")
    return f"the embedding and layers 0–{last - 1}"
