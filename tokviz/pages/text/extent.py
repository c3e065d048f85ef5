"""What a report holds: its words and models, and which depths of these, of vocabularies the embedding and as many layers as were asked for."""

from __future__ import annotations

from tokviz.pages.text.catalogue import Fact, text
from tokviz.pages.text.wording import MOST_NAMED, NBSP, named_or_counted, vocabulary_sizes
from tokviz.records import ContextReport, ModelCard, ModelReport, Report, depth_name
from tokviz.text import counted, isolated

LAST_LAYER = "last layer"


def models_arrange(n_models: int) -> str:
    """``a language model arranges``, ``3 language models arrange``."""
    return text(Fact("scope.models.one_arranges") if n_models == 1 else Fact("scope.models.arrange", n=n_models))


def words_in_all(report: Report) -> str:
    """``116 words``; of vocabularies, which differ between models, the tokens of the smallest and of the largest."""
    if report.words.vocabulary is None:
        return text(Fact("scope.words.listed", n=len(report.words.words)))
    sizes = vocabulary_sizes(report.models) or [0]
    if sizes[0] == sizes[-1]:
        return text(Fact("scope.words.vocabulary", n=sizes[0]))
    return text(Fact("scope.words.vocabularies", fewest=sizes[0], most=sizes[-1]))


def undrawn_note(report: Report) -> tuple[str, ...]:
    """What readers must know of words that the pictures don't show as they are written; empty where there are none."""
    words = report.undrawn
    return (text(Fact("scope.words.undrawn", words=named_or_counted(words))),) if words else ()


def facts_line(card: ModelCard, captured: Fact | None = None) -> str:
    """What a model is, in one line: layers, which of them were captured if that isn't all, and size."""
    parameters = Fact("scope.models.parameters", parameters=card.n_parameters) if card.n_parameters else ()
    only = Fact("scope.models.captured", captured=captured) if captured else ()
    width = counted(card.least_and_most, "dimension").replace(" ", NBSP)
    return text(Fact("scope.models.sizes", captured=only, parameters=parameters, layers=card.n_layers, width=width))


def is_partial(context: ContextReport) -> bool:
    """Whether the model has further layers, which were not captured."""
    return context.states.n_depths <= context.states.card.n_layers


def last_captured(report: Report) -> int | None:
    """The last depth of a report whose models have further layers, the same in each of them; None where all layers were captured."""
    captured = (context for model in report.models for context in model.contexts)
    return next((each.states.n_depths - 1 for each in captured if is_partial(each)), None)


def span(report: Report) -> str:
    """``from the embedding to the last layer``, and otherwise no further than was captured."""
    last = last_captured(report)
    if last is None:
        return text(Fact("scope.span.all"))
    return text(Fact("scope.span.some", depths=(last, last)) if last else Fact("scope.span.embedding"))


def end_name(report: Report) -> str:
    """How the last depth is called that charts of all models have: ``last layer``, ``layer 1``."""
    last = last_captured(report)
    return LAST_LAYER if last is None else depth_name(last)


def facts(model: ModelReport) -> str:
    """What a model is, and what of it was captured if that isn't all."""
    if model.card is None:
        return ""
    partial = next((each.states.n_depths for each in model.contexts if is_partial(each)), None)
    return facts_line(model.card, None if partial is None else Fact("scope.captured.only", depths=_depths(partial - 1)))


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
    of_models = tuple(Fact("scope.captured.of_model", n=n, model=isolated(name)) for name, n in sizes.items())
    if len(sizes) > MOST_NAMED:
        ends = {"fewest": min(sizes.values()), "most": max(sizes.values())}
        of_models = (Fact("scope.captured.of_models", n=len(sizes), **ends),)
    kind = "scope.captured.notice" if last else "scope.captured.notice_of_embedding"
    return text(Fact(kind, depths=_depths(last), layers=of_models))


def _depths(last: int) -> Fact:
    if last < 2:
        return Fact("scope.captured.one_layer" if last else "scope.captured.embedding")
    return Fact("scope.captured.layers", last=last - 1)
