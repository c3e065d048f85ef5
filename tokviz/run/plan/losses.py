"""For which captures the next-token loss is measured, on how much text, and under which key."""

from __future__ import annotations

from dataclasses import dataclass

from tokviz.bundled import LOSS_TEXT
from tokviz.config import ReportConfig
from tokviz.records import LEAST_PASSAGES, MOST_PASSAGES, PASSAGE_TOKENS, HiddenStates
from tokviz.run.store import keys


@dataclass(frozen=True, kw_only=True)
class LossText:
    """What models are to predict."""

    text: str
    n_passages: int | None
    """How many of its passages are taken at most; None for what follows from the capture."""

    @classmethod
    def of(cls, config: ReportConfig) -> LossText:
        """The author's text or that of tokviz."""
        own = config.loss
        text = own.text if own and own.text is not None else LOSS_TEXT.read_text(encoding="utf-8")
        return cls(text=text, n_passages=own.passages if own else None)

    def most_passages(self, states: HiddenStates) -> int:
        """How many are taken at most: unless the author says so, about as many tokens as were captured, 8 to 32 passages.

        So the loss costs as much of a run for a few words as for many, and of a large model no more than its captures.
        """
        if self.n_passages is not None:
            return self.n_passages
        n_tokens = sum(len(word.ids) for word in states.tokenization.words)
        return max(LEAST_PASSAGES, min(MOST_PASSAGES, n_tokens // PASSAGE_TOKENS))

    def key(self, states: HiddenStates) -> str | None:
        """Under which the loss is stored; None where no few neurons write a break."""
        breaking = states.updates and states.updates.breaking
        if not breaking:
            return None
        settings = {
            "layer": breaking.layer,
            "neurons": breaking.neurons,
            "control": breaking.control,
            "mean": breaking.activations if states.tokenization.reads_position_0 else None,
        }
        return keys.loss_key(states.card, settings, self.text, self.most_passages(states))
