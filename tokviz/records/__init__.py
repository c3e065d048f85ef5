"""The records that stages hand to each other: frozen, keyword-only, with the shape of every array field.

Counts: ``n_words`` unique words, ``n_layers`` layers, ``n_depths`` = ``n_layers`` + 1 (depth 0 is the embedding,
depth k + 1 is after layer k), ``width`` the size of a hidden state (it may differ at the embedding).
"""

from tokviz.records.changed import COMMON, Changed, Moved
from tokviz.records.claims import LEVEL, Claim, Family
from tokviz.records.compared import ModelDifferences, ModelPair, ModelSimilarity, NotCompared
from tokviz.records.lens import Directions, Lens, LensKind, LensMeasure
from tokviz.records.look import Look, Marks
from tokviz.records.loss import LEAST_PASSAGES, MOST_PASSAGES, PASSAGE_TOKENS, Loss, LossChange, LossRule
from tokviz.records.measures import (
    AddedMeasure,
    BestMatch,
    CategoryMeasure,
    Change,
    Geometry,
    LayerSimilarity,
    MassiveActivations,
    Measured,
    Neighbours,
    PictureMeasures,
    RawPurity,
    RefitCriteria,
    Spread,
    Stage,
    StageCriteria,
    WordScores,
)
from tokviz.records.paired import CategoriesHeld, Paired, PairedCapture, PairedMeasure, PairedMeasures
from tokviz.records.pictures import (
    Animation,
    Card,
    Font,
    Grid,
    HeatMap,
    Method,
    Panel,
    Picture,
    Plate,
    Points,
    SideBySide,
    Strip,
)
from tokviz.records.profile import Difference, Differences, Peak, Profile, Unit, profile_of
from tokviz.records.relations import (
    Beyond,
    Closing,
    Looks,
    Order,
    OrderMeasures,
    OrderRows,
    PairRows,
    Relation,
    RelationMeasures,
    Relations,
    Tested,
)
from tokviz.records.report import (
    SLOTS,
    CardImage,
    Checkpoint,
    ContextReport,
    EssayPlace,
    Finding,
    Image,
    ModelReport,
    Opening,
    ProjectionReport,
    Renditions,
    Report,
    SeriesReport,
    Slot,
    Underway,
    named_with_quantization,
)
from tokviz.records.series import Drift, Fault, StepAxes
from tokviz.records.states import (
    N_EXTREMES,
    NOT_KNOWN,
    BatchCheck,
    BatchComparison,
    Batching,
    CapturedBatch,
    HiddenStates,
    ModelCard,
    Problem,
    Projection,
)
from tokviz.records.untrained import ControlCurves, Untrained
from tokviz.records.updates import (
    MOST_DIMENSIONS,
    MOST_EXPERTS,
    MOST_NEURONS,
    SINK_WEIGHT,
    TWIN_RULES,
    AttentionToFirst,
    BreakingExpert,
    BreakingNeurons,
    Experts,
    Heads,
    Intervention,
    InterventionRule,
    InterventionValue,
    LayerUpdate,
    Neurons,
    RandomNeurons,
    SublayerKind,
    SublayerUpdate,
    Updates,
)
from tokviz.records.words import Category, Context, Tokenization, TokenizedWord, WordList, depth_name
