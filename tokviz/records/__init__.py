"""The records that stages hand to each other: frozen, keyword-only, with the shape of every array field.

Counts: ``n_words`` unique words, ``n_layers`` layers, ``n_depths`` = ``n_layers`` + 1 (depth 0 is the embedding,
depth k + 1 is after layer k), ``width`` the size of a hidden state (it may differ at the embedding).
"""

from tokviz.records.measures import (
    CategoryMeasure,
    Change,
    Estimate,
    Geometry,
    LayerSimilarity,
    MassiveActivations,
    Neighbours,
    PictureMeasures,
    RefitCriteria,
    Spread,
    Stage,
    StageCriteria,
)
from tokviz.records.pictures import Font, Grid, Picture, Plate, Points, Strip
from tokviz.records.report import (
    ContextReport,
    Image,
    ModelReport,
    ModelSimilarity,
    ProjectionReport,
    Renditions,
    Report,
    named_with_quantization,
)
from tokviz.records.states import N_EXTREMES, CapturedBatch, HiddenStates, ModelCard, Problem, Projection
from tokviz.records.words import Category, Context, Tokenization, TokenizedWord, WordList, depth_name

__all__ = [
    "N_EXTREMES",
    "CapturedBatch",
    "Category",
    "CategoryMeasure",
    "Change",
    "Context",
    "ContextReport",
    "Estimate",
    "Font",
    "Geometry",
    "Grid",
    "HiddenStates",
    "Image",
    "LayerSimilarity",
    "MassiveActivations",
    "ModelCard",
    "ModelReport",
    "ModelSimilarity",
    "Neighbours",
    "Picture",
    "PictureMeasures",
    "Plate",
    "Points",
    "Problem",
    "Projection",
    "ProjectionReport",
    "RefitCriteria",
    "Renditions",
    "Report",
    "Spread",
    "Stage",
    "StageCriteria",
    "Strip",
    "Tokenization",
    "TokenizedWord",
    "WordList",
    "depth_name",
    "named_with_quantization",
]
