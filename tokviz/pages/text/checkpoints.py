"""What pages mean by what they say of a series."""

from __future__ import annotations

from tokviz.pages.text.parts import Term

TERM = Term(
    name="Checkpoints of a series",
    meaning="Each checkpoint is captured and measured like a model, and all of them belong to the same families of tests: “from a step on” "
    "says that something is announced there and at every later checkpoint. That it isn’t announced earlier doesn’t show that it wasn’t "
    "there; whether the last checkpoint is further above chance than the first has a test of its own, that of differences between "
    "models. Plots “of the reference” put every checkpoint on the principal components of one of them, layer by layer; on its own axes a "
    "checkpoint is turned or reflected within its two plotted dimensions only. The residual is what a checkpoint’s own plot leaves "
    "unmatched of the variance of the reference’s, after the shift, scale, turn and reflection that fit best (Procrustes), from 0 to 1. "
    "Two checkpoints are called the same if all their hidden states are equal, bit by bit, and the earlier one is left out. Two are "
    "called exchanged if the way from checkpoint to checkpoint, in relative distances between the words’ embeddings, has at "
    "most 0.85 of its length around these two once they change places, more is gained than by any other two, and then no two steps in a "
    "row around them lead less far than one of them. This is asked where there are steps, and doesn’t find all exchanges. Any other disorder isn’t found: not that of three checkpoints, nor a series told from its end.",
)
FROM_ONE_TO_ANOTHER = Term(
    name="From checkpoint to checkpoint",
    meaning="Of a model in training, each depth has the axes of one checkpoint at all others, so that words can be followed from plot "
    "to plot. Elsewhere these need not be the directions in which the words differ most. Each plot has its own scale.",
)
