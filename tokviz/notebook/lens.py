"""What each layer of a model would say of the words, as notebooks have it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tokviz.errors import TokvizError
from tokviz.notebook import arguments
from tokviz.pages.model.lens import why_categories_unread
from tokviz.records import Lens, LensMeasure, WordList, depth_name, named_with_quantization
from tokviz.run.kinds.lenses import Lenses, LensInputs
from tokviz.run.plan import captures
from tokviz.run.plan.report import Plan
from tokviz.run.plan.tree import Captured
from tokviz.run.publishing import deciding
from tokviz.text import shown, suggestion


@dataclass(frozen=True, kw_only=True, repr=False)
class LensReading:
    """What each layer of a model would say of the words of one capture, read by a Jacobian lens.

    A measure has arrays over depth, the embedding first: ``value``, ``low`` and ``high``, ``null_mean`` (chance), ``logit`` (the
    logit lens), ``agreement`` of the directions from both halves of the text, and ``is_firm`` where that is at least 0.9.
    ``holds`` says where it is announced to be above chance: decided among the values of this capture alone.

    Examples
    --------
    >>> import tokviz
    >>> read = tokviz.study("report.toml", quiet=True)["Tiny"]["alone"].lens(quiet=True)
    >>> read.named.value.shape, read.named.holds.any()
    ((4,), np.False_)
    >>> sorted(read.says("blue", "layer 0"))
    ['Colors', 'Months']
    """

    title: str
    """What was read, ``Tiny, alone``."""
    lens: Lens
    word_list: WordList
    labels: tuple[str, ...] = ()
    """Of the report's relations."""

    @classmethod
    def of(cls, plan: Plan, name: str, captured: Captured, lens: LensInputs) -> LensReading:
        """Of one capture of the model with this ``name``.

        Raises ``TokvizError`` where a lens can't be fitted to this kind of model.
        """
        if lens.names is None:
            raise TokvizError(f"lens: {lens.reason}")
        inputs = replace(captured.inputs, given={**captured.inputs.given, Lenses: lens})
        step = captures.lens(inputs)
        assert step is not None
        return cls(
            title=f"{named_with_quantization(name, captured.states.card)}, {captured.states.context.label}",
            lens=deciding.decide_alone(plan.steps(step)),
            word_list=inputs.words,
            labels=tuple(each.label for each in plan.config.relation_list),
        )

    @property
    def named(self) -> LensMeasure | None:
        """Of how many words the name of their own category scores highest of all.

        None without two categories, and where they aren't read: the tokenizer doesn't know a name, or two begin with the same token.
        """
        return self.lens.named

    @property
    def own(self) -> LensMeasure | None:
        """Of how many words their own first token scores highest of all words'; None where there are too many words."""
        return self.lens.own

    @property
    def relations(self) -> dict[str, LensMeasure]:
        """By label, of how many pairs the target scores highest of the candidates; relations with too few pairs are left out."""
        asked = zip(self.labels, self.lens.relations, strict=True)
        return {label: each for label, each in asked if each is not None}

    @property
    def untrained(self) -> np.ndarray | None:
        """``(n_depths,)`` float64: ``named.value`` in the model with all weights random; None where that isn't captured."""
        return self.lens.untrained

    def says(self, word: str, depth: int | str = -1, of: str = "categories") -> tuple[str, ...]:
        """What scores highest for a word at a depth, best first; three at most, in the first template.

        Parameters
        ----------
        word : one of those that are read.
        depth : its number, or its name such as ``layer 7``.
        of : ``categories``, or ``words``.

        Raises
        ------
        TokvizError : the word isn't read, or there is no such depth.
        """
        tops, names = self._tops(arguments.one_of("of", of, ("categories", "words")))
        words = self.word_list.words
        read = [each for each, is_read in zip(words, self.lens.read, strict=True) if is_read]
        if word not in read:
            raise TokvizError(f"word: expected one that is read, got {shown(word)}{suggestion(word, read)}")
        own = tops[arguments.depth(depth, len(tops)), words.index(word)]
        return tuple(names[each] for each in own if each >= 0)

    def _tops(self, of: str) -> tuple[np.ndarray, tuple[str, ...]]:
        is_words = of == "words"
        tops = self.lens.top_words if is_words else self.lens.top_names
        if tops is None:
            why = "" if is_words else why_categories_unread(self.lens.names, self.word_list)
            raise TokvizError(
                f"of: expected what is read of this model, got {of}: {why or 'there are too many or too few'}"
            )
        return tops, self.word_list.words if is_words else tuple(each.label for each in self.word_list.categories)

    def __repr__(self) -> str:
        every = {"category named": self.named, "own word": self.own, **self.relations}
        lines = [_line(label, each) for label, each in every.items() if each is not None]
        if unread := why_categories_unread(self.lens.names, self.word_list):
            lines.insert(0, f"  {unread}")
        return "\n".join([f"{self.title}: what each layer would say of {int(self.lens.read.sum()):,} words", *lines])


def _line(label: str, measure: LensMeasure) -> str:
    n_depths = len(measure.value)
    ends = ", ".join(
        f"{measure.value[depth]:.2f} at {where} (chance {measure.null_mean[depth]:.2f})"
        for depth, where in ((0, "the embedding"), (-1, depth_name(n_depths - 1)))
    )
    announced = f"announced at {int(measure.holds.sum())} of {n_depths} depths"
    return f"  {label}: {ends}; {announced if measure.can_be_tested else 'can’t be tested with these words'}"
