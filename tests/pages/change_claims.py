"""What is said to have changed between two models, read back from the sentence, and held against the records."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from claims import depths_named, plain, require, require_depths
from fact_checks import WORDS, check_sentence

from tokviz.pages.findings.finding import Found
from tokviz.pages.text import catalogue
from tokviz.pages.text.catalogue import Fact
from tokviz.records import ModelDifferences, Paired, Report

LEAST, NEGLIGIBLE = 0.05, 0.005
SAID = {"purity": "category purity", "silhouette": "the silhouette above chance"}
_WHERE = r"(?P<where>In its last layer|At [^,]+(?:, layers? [\d–]+)*)"
_FORMS = {
    "identical": r"ONE and OTHER give identical states for these words(?P<where> in the captured layers)?",
    "apart": rf"{_WHERE}, ONE keeps (?P<which>.+) (?P<sign>less|further) apart than OTHER(?P<by> by silhouette)?",
    "differs": rf"{_WHERE}, ONE differs from OTHER in keeping (?P<which>.+) apart(?P<by> by silhouette)?",
    "small": rf"{_WHERE}, ONE changes (?P<of>[a-z ]+) of (?P<which>.+) by up to (?P<most>\d\.\d\d) against OTHER",
    "one_small": rf"{_WHERE}, ONE (?P<sign>lowers|raises) (?P<of>category purity|the silhouette above chance)(?: of (?P<which>.+))? by "
    r"(?P<least>\d(?:\.\d+)?(?:e[-−]\d+)?)(?:(?:–| to )(?P<most>\d\.\d+))? against OTHER",
    "within": "No category changed by more than 0.05 from OTHER to ONE",
    "not_shown": r"No category change is shown from OTHER to ONE; "
    r"(?:up to (?P<most>\d+\.\d\d) remains possible|overall at most (?P<most_of_all>\d+\.\d\d))",
    "not_all": "No category change is shown from OTHER to ONE; (?:not all could be tested|(?P<which>.+) couldn’t be tested)",
    "not_tested": "It can’t be tested on these words what changed from OTHER to ONE",
    "without": "Without categories, it isn’t tested what changed from OTHER to ONE",
}


@dataclass(frozen=True, kw_only=True)
class Said:
    """A headline, taken apart."""

    form: str
    depths: np.ndarray
    """``(n_depths,)`` bool; none where it names none, or counts them only."""
    n_depths: int | None
    """How many, where they are counted only."""
    which: str
    sign: int
    """Of after less before; 0 where it isn't said."""
    most: float
    least: float
    is_of_all: bool
    """Whether that is of all words together."""
    measure: str
    """As it is called; empty where it isn't."""


def said_in(found: Found, context: str) -> Said:
    """``context``: what stands in brackets after it; empty without."""
    assert found.other is not None
    text, states = plain(found.sentence), found.context.states
    is_partial = states.n_depths <= states.card.n_layers
    require(text.endswith(f"{context}."), text, context)
    text = text[: -len(context) - 1]
    for form, pattern in _FORMS.items():
        own = pattern.replace("ONE", re.escape(found.model.name)).replace("OTHER", re.escape(found.other.name))
        if match := re.fullmatch(own, text):
            values = match.groupdict()
            depths, counted = _depths(values.get("where"), states.n_depths, is_partial=is_partial)
            return Said(
                form=form,
                depths=depths,
                n_depths=counted,
                which=values.get("which") or "",
                sign={"less": -1, "lowers": -1, "further": 1, "raises": 1}.get(values.get("sign") or "", 0),
                least=float((values.get("least") or "nan").replace("−", "-")),
                measure=values.get("of") or (SAID["silhouette"] if values.get("by") else ""),
                most=float(values.get("most") or values.get("most_of_all") or values.get("least") or "nan"),
                is_of_all=bool(values.get("most_of_all")),
            )
    raise AssertionError(f"a headline of no known form: {text!r}")


def _depths(where: str | None, n_depths: int, *, is_partial: bool) -> tuple[np.ndarray, int | None]:
    found = np.zeros(n_depths, dtype=bool)
    if where in (None, " in the captured layers"):
        require(is_partial or where is None, str(where))
        return found, None
    if where == "In its last layer":
        require(not is_partial, where, "there are further layers")
        found[-1] = True
    elif where in ("At every layer", "At every captured layer"):
        require(is_partial == ("captured" in where), where)
        found[1:] = True
    else:
        require(not is_partial or where != "At every depth" or n_depths == 1, where)
        named = depths_named(where.removeprefix("At "), n_depths)
        if isinstance(named, int):
            return found, named
        found[named] = True
    return found, None


@dataclass(frozen=True, kw_only=True)
class Bands:
    """After less before by one measure: of each category, and last of all words."""

    low: np.ndarray
    """``(n_categories + 1, n_depths)``."""
    value: np.ndarray
    high: np.ndarray
    holds: np.ndarray

    @classmethod
    def of(cls, pair: ModelDifferences, measure: str) -> Bands:
        """A share changes by 1 at most, and nothing by what is the same."""
        assert pair.changed is not None
        found = getattr(pair.paired, measure)
        each: tuple[Paired, Paired] = (found.by_category, found.overall)
        low, value, high, holds = (
            np.concatenate([getattr(of, name) for of in each]) for name in ("low", "value", "high", "holds")
        )
        most, differs = 1.0 if measure == "purity" else np.inf, ~pair.changed.is_same
        clipped = [np.clip(each, -most, most) for each in (-high, -value, -low)]
        low, value, high = (np.where(np.isfinite(each) & ~differs, 0.0, each) for each in clipped)
        return cls(low=low, value=value, high=high, holds=holds)

    def signs(self, least: float = LEAST) -> np.ndarray:
        """1, −1 or 0: what is announced with all of its band beyond ``least``.

        None of what would be written as 0.00. Of an even number of templates, a band may reach 0 though the median of their t is beyond the threshold.
        """
        told = self.holds & (np.abs(self.value) >= NEGLIGIBLE)
        return np.asarray(told * ((self.low > least).astype(int) - (self.high < -least)))

    @property
    def ends(self) -> np.ndarray:
        return np.asarray(np.maximum(np.abs(self.low), np.abs(self.high)))


def check_change(found: Found, report: Report) -> None:
    """Each word of the headline, and each number of what stands under it."""
    assert found.other is not None
    pair = next(
        each
        for each in report.differences
        if (each.model_a, each.model_b) == (found.other.slug, found.model.slug)
        and each.context == found.context.states.context.name
    )
    assert pair.changed is not None
    said = said_in(found, f" (words {found.context.states.context.label})" if len(report.contexts) > 1 else "")
    require(
        found.is_announced == (said.form in ("identical", "apart", "differs", "small", "one_small")), found.sentence
    )
    if said.form == "identical" or bool(pair.changed.is_same.all()):
        return require(said.form == "identical" and bool(pair.changed.is_same.all()), found.sentence)
    if pair.paired is None:
        require(said.form == "without", found.sentence)
        return _check_words({each.kind: each for each in found.evidence}, pair, found)
    bands = {measure: Bands.of(pair, measure) for measure in SAID}
    strong = [measure for measure, each in bands.items() if each.signs().any()]
    shown = [measure for measure, each in bands.items() if each.signs(0).any()]
    measure = (strong or shown or list(SAID))[0]
    told: list[int] = []
    if strong or shown:
        told = _check_told(said, found, report, pair, bands, measure, is_strong=bool(strong))
    else:
        _check_not_shown(said, found, report, pair, bands)
    _check_evidence(found, report, pair, bands, measure, told)


def _check_told(
    said: Said,
    found: Found,
    report: Report,
    pair: ModelDifferences,
    every: dict[str, Bands],
    measure: str,
    *,
    is_strong: bool,
) -> list[int]:
    """The rows that the headline is about."""
    bands = every[measure]
    assert found.depth is not None
    assert pair.paired is not None
    signs = bands.signs(LEAST if is_strong else 0)
    of_categories, of_all = signs[:-1], signs[-1]
    require(said.form in (("apart", "differs") if is_strong else ("small", "one_small")), found.sentence, signs)
    require(said.measure == ("" if is_strong and measure == "purity" else SAID[measure]), found.sentence, measure)
    if of_categories.any():
        rows = np.flatnonzero(of_categories[:, found.depth])
        require(len(rows), found.sentence, signs)
        require((said.form == "one_small") == (not is_strong and len(rows) == 1), found.sentence, rows)
        _check_which(said.which, rows, report, pair, found.sentence)
        of_rows = of_categories[rows]
    else:
        rows, of_rows = np.array([len(of_categories)]), of_all[None]
        require(said.which == ("categories" if is_strong else ""), found.sentence, signs)
    now = of_rows[:, found.depth]
    is_one = len({*now.tolist()}) == 1 and said.form != "small"
    require(said.sign == (now[0] if is_one else 0), found.sentence, now)
    alike = np.asarray((of_rows == now[:, None]).all(axis=0))
    if said.n_depths is not None:
        require(said.n_depths == alike.sum(), found.sentence, alike)
    else:
        places = np.arange(len(alike))
        told = [alike, places == found.depth, *([alike & (places > 0)] if "captured" in found.sentence else [])]
        require(any(np.array_equal(said.depths, each) for each in told), found.sentence, alike)
    if not is_strong:
        require(said.depths.sum() == 1 and said.depths[found.depth], found.sentence)
        largest = float(bands.ends[rows, found.depth].max())
        least = float(np.minimum(np.abs(bands.low), np.abs(bands.high))[rows, found.depth].min())
        margin = 0.0101 if said.form == "small" else 0.0051
        require(abs(said.most - largest) < margin, found.sentence, largest)
        require(said.form == "small" or abs(said.least - least) < 0.0051, found.sentence, least)
    return [row for row in rows.tolist() if row < len(of_categories)]


def _check_which(text: str, rows: np.ndarray, report: Report, pair: ModelDifferences, sentence: str) -> None:
    assert pair.paired is not None
    labels, n = [report.words.categories[index].label for index in pair.paired.categories], len(report.words.categories)
    *names, last = [labels[row] for row in rows]
    joined = f"{', '.join(names)} and {last}" if names else last
    if len(rows) == n > 1:
        return require(re.fullmatch(rf"all {_number(n)} categories", text), sentence, joined)
    counted = f"{_number(len(rows))} (of {_number(n)} categories|{'category' if len(rows) == 1 else 'categories'})"
    require(text == joined or re.fullmatch(counted, text), sentence, joined)


def _number(n: int) -> str:
    return f"(?:{'|'.join((str(n), *WORDS[n : n + 1]))})"


def _check_not_shown(said: Said, found: Found, report: Report, pair: ModelDifferences, bands: dict[str, Bands]) -> None:
    """Where both have the same states there is no difference, whatever a band may be."""
    assert pair.changed is not None
    assert pair.paired is not None
    differs = ~pair.changed.is_same
    ends = np.array([each.ends[:, differs] for each in bands.values()])
    of_categories, are_all = ends[:, :-1], len(pair.paired.categories) == len(report.words.categories)
    tested = np.isfinite(of_categories)
    if not tested.any() and not np.isfinite(ends[:, -1]).all(axis=-1).any():
        return require(said.form == "not_tested", found.sentence, ends)
    if not tested.all() or not are_all:
        labels = [each.label for each in report.words.categories]
        tested_by_all = np.isfinite(of_categories).all(axis=(0, 2))
        known = {labels[index] for index, each in zip(pair.paired.categories, tested_by_all, strict=True) if each}
        lacking = [label for label in labels if label not in known]
        which = lacking[0] if len(lacking) == 1 else f"{_number(len(lacking))} categories" if lacking else ""
        require(re.fullmatch(which, said.which) is not None, found.sentence, lacking)
        return require(said.form == "not_all", found.sentence, ends)
    largest = float(np.where(np.isfinite(ends), ends, 0).max())
    if said.form == "within":
        return require(largest <= LEAST, found.sentence, largest)
    require(said.form == "not_shown" and largest > LEAST, found.sentence, largest)
    of_all = ends[:, -1][np.isfinite(ends[:, -1]).all(axis=-1)]
    require(said.is_of_all == bool(of_all.size), found.sentence, of_all)
    largest = float(of_all.max()) if of_all.size else largest
    require(largest <= said.most + 1e-9 and said.most < largest + 0.0101, found.sentence, largest)


def _check_evidence(
    found: Found, report: Report, pair: ModelDifferences, every_measure: dict[str, Bands], name: str, told: list[int]
) -> None:
    """Three categories at most, then all words; the first sentence says of which measure and which depth all are.

    Where nothing is shown, which category may have changed most; that no other category is shown, where that is so; and words.
    """
    assert found.depth is not None
    assert pair.paired is not None
    bands, measure = every_measure[name], SAID[name]
    every = np.stack([bands.value, bands.low, bands.high])[:, :, found.depth]
    rows = [*told[:3], *([len(every[0]) - 1] if np.isfinite(every[:, -1]).all() else [])]
    others = np.isfinite(every[:, :-1]).all(axis=0) & ~np.isin(np.arange(len(every[0]) - 1), told)
    shown = {
        key: np.flatnonzero((each.signs(0)[:-1, found.depth] != 0) & others) for key, each in every_measure.items()
    }
    is_none_shown = bool(told) and bool(others.any()) and not any(map(len, shown.values()))
    by_kind = {each.kind: each for each in found.evidence}
    too = [each for each in found.evidence if each.kind == "change.too"]
    numbers = [each for each in found.evidence if "bounds" in each.values and each not in too]
    require(len(numbers) == len(rows), found.said, rows)
    require(("change.others" in by_kind) == is_none_shown, found.said, others)
    if is_none_shown:
        largest = float(bands.ends[:-1, found.depth][others].max())
        most = by_kind["change.others"].values["most"]
        require(largest <= most + 1e-9 and most < largest + 0.0101, found.said, largest)
    labels = [report.words.categories[index].label for index in pair.paired.categories]
    _check_further(too, found, every_measure, name, labels, told)
    require(not rows or measure.lower() in found.said.lower(), found.said, measure)
    is_told = bool(told) or bool(bands.signs(0).any())
    require(is_told or not {"change.overall", "change.also_overall"} & by_kind.keys(), found.said)
    check_sentence(found.evidence, found.said)
    for fact, row in zip(numbers, rows, strict=True):
        np.testing.assert_equal([fact.values["value"], *fact.values["bounds"]], every[:, row])
        if "shown" in fact.values:
            _check_shown(fact, bands.signs(0)[row] != 0, found)
        if row < len(every[0]) - 1:
            label = report.words.categories[pair.paired.categories[row]].label
            require(fact.values["name"] == label, found.said, label)
    is_shown = bool(told) or bool(bands.signs(0).any()) or bool(pair.changed and pair.changed.moved.holds.any())
    asked = np.any([np.isfinite(each.ends[:-1]).any(axis=1) for each in every_measure.values()], axis=0)
    tested = [label for label, each in zip(labels, asked, strict=True) if each]
    untested = [each.label for each in report.words.categories if each.label not in tested]
    require(("paired.not_tested" in by_kind) == (is_shown and bool(untested)), found.said, untested)
    if is_shown and 0 < len(untested) <= 3:
        require(all(each in found.said for each in untested), found.said, untested)
    _check_elsewhere(by_kind.get("change.also_overall"), bands, found)
    _check_remaining(by_kind.get("change.remaining"), report, pair, every_measure, found)
    _check_words(by_kind, pair, found)


def _check_shown(fact: Fact, shown: np.ndarray, found: Found) -> None:
    """Where else what the headline is about is shown: all of it, or nothing where there is no more."""
    require(bool(shown[found.depth]), found.said, shown)
    if shown.sum() == 1:
        require(fact.values["shown"] == "", found.said, shown)
    else:
        require_depths(catalogue.text(fact.values["shown"]).removeprefix("; shown at "), shown)


def _check_further(
    too: list[Fact], found: Found, every: dict[str, Bands], name: str, labels: list[str], told: list[int]
) -> None:
    """Every category that changes anywhere is named once, or counted: those at the headline's depth first."""
    depth = found.depth
    changes = {metric: each.signs(0)[:-1] != 0 for metric, each in every.items()}
    anywhere = np.any([each.any(axis=1) for each in changes.values()], axis=0)
    expected = set(np.flatnonzero(anywhere)) - set(told) if told else set()
    here = {row for row in expected if any(each[row, depth] for each in changes.values())}
    for fact in too:
        row = labels.index(fact.values["name"])
        metric = name if not fact.values["by"] else next(each for each in every if each != name)
        require(row in expected and changes[metric][row, fact.values["depth"]], found.said, labels[row])
        require((row in here) == (fact.values["depth"] == depth), found.said, here)
        of_row = every[metric]
        band = [each[row, fact.values["depth"]] for each in (of_row.value, of_row.low, of_row.high)]
        np.testing.assert_equal([fact.values["value"], *fact.values["bounds"]], band)
        expected.discard(row)
    more = [each.values["n"] for each in found.evidence if each.kind == "change.further_ones"]
    require(
        len({fact.values["name"] for fact in too}) == len(too) and sum(more) == len(expected) + max(len(told) - 3, 0),
        found.said,
        expected,
    )
    require(not expected or len(too) >= 3, found.said, expected)


def _check_elsewhere(overall: Fact | None, bands: Bands, found: Found) -> None:
    """Of all words a change that is shown at another depth only."""
    signs = bands.signs(0)[-1]
    told: Fact | None = (overall and overall.values["elsewhere"]) or None
    require((told is not None) == bool(overall and signs.any() and not signs[found.depth]), found.said, signs)
    if told is not None:
        depth = told.values["depth"]
        require(signs[depth] != 0, found.said, signs)
        values = [told.values["value"], *told.values["bounds"]]
        np.testing.assert_equal(values, [each[-1, depth] for each in (bands.value, bands.low, bands.high)])


def _check_remaining(
    told: Fact | None, report: Report, pair: ModelDifferences, every: dict[str, Bands], found: Found
) -> None:
    """The category that may have changed most, where that is more than all words together may have."""
    assert pair.changed is not None
    assert pair.paired is not None
    differs = np.flatnonzero(~pair.changed.is_same)
    ends = np.array([each.ends[:, differs] for each in every.values()])
    of_all = ends[:, -1][np.isfinite(ends[:, -1]).all(axis=-1)]
    tested = np.isfinite(ends[:, :-1]).all(axis=(0, 2))
    largest = ends[:, :-1][:, tested].max(initial=-1.0)
    is_open = not any(each.signs(0).any() for each in every.values())
    require((told is not None) == (is_open and largest > max(of_all.max(initial=-1.0), LEAST)), found.said, ends)
    if told is None:
        return
    require(largest <= told.values["most"] + 1e-9 and told.values["most"] < largest + 0.0101, found.said, largest)
    labels = [report.words.categories[index].label for index in pair.paired.categories]
    of_measure = next(each for key, each in every.items() if told.values["measure"].kind.endswith(key))
    require(of_measure.ends[labels.index(told.values["name"]), told.values["depth"]] == largest, found.said, largest)


def _check_words(by_kind: dict[str, Fact], pair: ModelDifferences, found: Found) -> None:
    """That no word moved is said only of all depths; then how many neighbors were replaced where most were, on average."""
    assert pair.changed is not None
    moved = pair.changed.moved
    shares = {depth: (row[row >= 0] / moved.k).mean() for depth, row in enumerate(moved.lost) if (row >= 0).any()}
    told = by_kind.get("change.no_movers")
    require((told is not None) == bool(shares and not moved.holds.any()), found.said)
    if told is not None:
        np.testing.assert_allclose(told.values["share"], max(shares.values()))
        np.testing.assert_allclose(shares[told.values["depth"]], max(shares.values()))
