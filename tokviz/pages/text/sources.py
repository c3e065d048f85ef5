"""The works that the method page names, with their addresses; one that a single measure names may stand with the measure."""

from __future__ import annotations

from tokviz.pages.text.parts import Link


def arxiv(text: str, number: str) -> Link:
    """``number``: as in ``2402.17762``."""
    return Link(text=f"{text}, arXiv {number}", href=f"https://arxiv.org/abs/{number}")


def doi(text: str, name: str) -> Link:
    """``name``: as in ``10.1007/BF02289451``."""
    return Link(text=text, href=f"https://doi.org/{name}")


DUDOIT_2003 = doi(
    "Dudoit, Shaffer & Boldrick 2003, Multiple hypothesis testing in microarray experiments", "10.1214/ss/1056397487"
)
EFRON_1982 = doi("Efron 1982, The jackknife, the bootstrap and other resampling plans", "10.1137/1.9781611970319")
ELHAGE_2021 = Link(
    text="Elhage et al. 2021, A mathematical framework for transformer circuits",
    href="https://transformer-circuits.pub/2021/framework/index.html",
)
ENGELS_2025 = arxiv("Engels et al. 2025, Not all language model features are one-dimensionally linear", "2405.14860")
GOWER_1975 = doi("Gower 1975, Generalized procrustes analysis", "10.1007/BF02291478")
GROEGER_2026 = arxiv(
    "Gröger, Wen & Brbić 2026, Revisiting the platonic representation hypothesis: an Aristotelian view", "2602.14486"
)
GU_2025 = arxiv("Gu et al. 2025, When attention sink emerges in language models: an empirical view", "2410.10781")
HERNANDEZ_2024 = arxiv(
    "Hernandez et al. 2024, Linearity of relation decoding in transformer language models", "2308.09124"
)
HUH_2024 = arxiv("Huh et al. 2024, The platonic representation hypothesis", "2405.07987")
KORNBLITH_2019 = arxiv("Kornblith et al. 2019, Similarity of neural network representations revisited", "1905.00414")
MIKOLOV_2013 = Link(
    text="Mikolov, Yih & Zweig 2013, Linguistic regularities in continuous space word representations",
    href="https://aclanthology.org/N13-1090/",
)
MU_2018 = arxiv(
    "Mu & Viswanath 2018, All-but-the-top: simple and effective postprocessing for word representations", "1702.01417"
)
NOSTALGEBRAIST_2020 = Link(
    text="nostalgebraist 2020, Interpreting GPT: the logit lens",
    href="https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens",
)
ROUSSEEUW_1987 = doi(
    "Rousseeuw 1987, Silhouettes: a graphical aid to the interpretation and validation of cluster analysis",
    "10.1016/0377-0427(87)90125-7",
)
ROY_2007 = Link(
    text="Roy & Vetterli 2007, The effective rank: a measure of effective dimensionality",
    href="https://www.eurasip.org/Proceedings/Eusipco/Eusipco2007/Papers/a5p-h05.pdf",
)
SCHONEMANN_1966 = doi(
    "Schönemann 1966, A generalized solution of the orthogonal Procrustes problem", "10.1007/BF02289451"
)
SHAO_1989 = doi("Shao & Wu 1989, A general theory for jackknife variance estimation", "10.1214/aos/1176347263")
SIDAK_1967 = doi(
    "Šidák 1967, Rectangular confidence regions for the means of multivariate normal distributions",
    "10.1080/01621459.1967.10482935",
)
SONG_2012 = Link(
    text="Song et al. 2012, Feature selection via dependence maximization",
    href="https://jmlr.org/papers/v13/song12a.html",
)
SUN_2024 = arxiv("Sun et al. 2024, Massive activations in large language models", "2402.17762")
SUN_2026 = arxiv("Sun et al. 2026", "2603.05498")
TIMKEY_2021 = arxiv(
    "Timkey & van Schijndel 2021, All bark and no bite: rogue dimensions in transformer language models obscure "
    "representational quality",
    "2109.04404",
)
VAART_1996 = doi("van der Vaart & Wellner 1996, Weak convergence and empirical processes", "10.1007/978-1-4757-2545-2")
VENNA_2001 = doi(
    "Venna & Kaski 2001, Neighborhood preservation in nonlinear projection methods", "10.1007/3-540-44668-0_68"
)
YU_2024 = arxiv("Yu et al. 2024, The super weight in large language models", "2411.07191")
VERBALIZABLE_2026 = Link(
    text="Verbalizable representations form a global workspace in language models, Transformer Circuits Thread 2026",
    href="https://transformer-circuits.pub/",
)
