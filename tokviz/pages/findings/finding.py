"""A finding: what is announced, in a headline and a line of evidence, and where it can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokviz.pages.text import catalogue
from tokviz.pages.text.catalogue import Fact
from tokviz.records import ContextReport, Finding, ModelReport, Order, Relation, Slot
from tokviz.text import isolated

MOST_WORDS = 14
"""Of a headline, without the model that it begins with; it has fewer numbers where it would be longer."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """The answer to one question, of one capture or of two that differ."""

    slot: Slot
    headline: Fact
    evidence: tuple[Fact, ...]
    """On what it rests; none where nothing was measured."""
    model: ModelReport
    context: ContextReport
    depth: int | None
    """Where it can be seen best; None where it is about all."""
    projection: str | None = None
    """In which its plot shows it; None for the first."""
    beside: ContextReport | None = None
    """The capture of the same model that it differs from."""
    other: ModelReport | None = None
    """The model that it differs from."""
    other_depth: int | None = None
    """The depth of what it is held against, where that isn't ``depth``."""
    asked: Relation | Order | None = None
    """What can be read, where it is about that."""
    number: int = 0
    """Its place among those of its page, from 1."""
    margin: float = 0.0
    """How far the lower end of its interval is from nothing, as a share of the measure's range; findings of one slot are ranked by it."""
    weight: int = 0
    """How many words it is about, where that ranks findings of one margin."""
    is_announced: bool = True
    """Whether a claim passed its test: else it is said that none did."""
    breaks: Finding | None = None
    """Who writes a break, where it is about that."""
    is_of_all: bool = False
    """Whether it is about all models, of which ``model`` is the first."""
    is_beside_others: bool = False
    """Whether findings of other models may stand beside it."""

    @property
    def rank(self) -> tuple[float, int, bool]:
        """Of several findings of one slot the page has the highest."""
        return self.margin, self.weight, self.is_announced

    @property
    def sentence(self) -> str:
        """The headline, with a full stop; with the model where several are beside it, unless it is about two or all."""
        names_it = self.other is not None or self.is_of_all or not self.is_announced
        if names_it or not self.is_beside_others:
            return catalogue.sentence([self.headline])
        return catalogue.sentence([Fact("findings.of_model", model=self.model.name, what=self.headline)])

    @property
    def said(self) -> str:
        """The evidence, in sentences; empty without any."""
        return " ".join(catalogue.sentence([each]) for each in self.evidence)

    @property
    def about(self) -> str:
        """Of which model, or models, and words."""
        if self.is_of_all:
            return "all models"
        models = " and ".join(isolated(each.display_name) for each in (self.model, self.other) if each)
        return f"{models} · {self.which_words}" if self.is_announced else models

    @property
    def which_words(self) -> str:
        """``words in a sentence``."""
        return f"words {isolated(self.context.states.context.label)}"


def short(*headlines: Fact) -> Fact:
    """The first that is short enough, else the last."""
    *longer, last = headlines
    return next((each for each in longer if _n_words(each) <= MOST_WORDS), last)


def _n_words(headline: Fact) -> int:
    """A model's name counts as one, as do a context's label and a number with its unit."""
    context = headline.values.get("context")
    labels = [context.values["label"]] if isinstance(context, Fact) else []
    names = [*labels, *(headline.values[name] for name in ("one", "other", "more", "fewer") if name in headline.values)]
    return len(catalogue.text(headline).split(" ")) - sum(str(name).count(" ") for name in names)


def strongest(found: Sequence[Found]) -> Found | None:
    """The one with the largest margin; of equal ones the first, as the configuration has them."""
    return max(found, key=lambda each: each.rank, default=None)
